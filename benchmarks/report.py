"""The figures as tables for people and as JSON for machines, the goals beside them."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from statistics import median
from typing import Any

from rich.console import Console
from rich.table import Table

from benchmarks.rounds import BARE, MOST_CALLS, Cell, Plan, Tally

OFF = "audit off"
ON = "audit on"
CPU_GOALS = {"60KB": 4.0, "1.2MB": 6.0}
START_GOAL = 1.5
MEMORY_GOAL = 120.0


@dataclass(frozen=True, slots=True)
class Figures:
    """Everything that one run found out. ``memory`` is in MB (1,000,000 bytes), by server."""

    plan: Plan
    cells: list[Cell]
    tally: Tally
    starts: list[float]
    memory: dict[str, float]
    answer_bytes: int
    body_bytes: dict[str, int]


def goal(figure: float, limit: float | None, unit: str) -> str:
    """The limit and whether the figure keeps it; empty where there is no goal."""
    if limit is None:
        return ""
    return f"≤ {limit:g}{unit} {'met' if figure <= limit else 'MISSED'}"


def ratios(figures: Figures) -> Table:
    table = Table(title="Per call, relative to a bare ASGI application (median of the rounds)", title_justify="left")
    table.add_column("call")
    headings = ("conns", "bare CPU", "bare calls/s", "CPU, off", "CPU, on", "calls/s, off", "calls/s, on")
    for heading in headings:
        table.add_column(heading, justify="right")
    table.add_column("goal, off")
    for cell in figures.cells:
        table.add_row(
            cell.size,
            str(cell.connections),
            f"{cell.cpu(BARE) * 1000:.3f} ms",
            f"{cell.rate(BARE):,.0f}",
            *(f"{cell.cpu_ratio(name):.2f}× {cell.cpu(name) * 1000:.2f} ms" for name in (OFF, ON)),
            *(f"{cell.rate_ratio(name):.3f}× {cell.rate(name):,.0f}" for name in (OFF, ON)),
            goal(cell.cpu_ratio(OFF), CPU_GOALS.get(cell.size), "×"),
        )
    return table


def process(figures: Figures) -> Table:
    best, usual, memory = min(figures.starts), median(figures.starts), figures.memory[ON]
    table = Table(title="The process", title_justify="left")
    for heading in ("figure", "value", "goal"):
        table.add_column(heading)
    what = f"start to first answer, empty data folder, best of {len(figures.starts)}"
    table.add_row(what, f"{best:.2f} s", goal(best, START_GOAL, " s"))
    table.add_row("the same, median", f"{usual:.2f} s", goal(usual, START_GOAL, " s"))
    what = f"resident memory of the worker after load, {ON}"
    table.add_row(what, f"{memory:.0f} MB", goal(memory, MEMORY_GOAL, " MB"))
    for name in (OFF, BARE):
        table.add_row(f"the same, {name}", f"{figures.memory[name]:.0f} MB", "")
    table.add_row("calls", f"{figures.tally.calls:,}", "")
    table.add_row("failures", str(figures.tally.failures), goal(figures.tally.failures, 0, ""))
    return table


def show(figures: Figures, console: Console) -> None:
    """Prints the tables, and in words what makes them doubtful."""
    console.print(ratios(figures), process(figures))
    sizes = ", ".join(f"{size:,}" for size in figures.body_bytes.values())
    console.print(f"Calls of {sizes} bytes, an answer of {figures.answer_bytes:,} bytes; ", end="")
    patients = f"{figures.plan.each} about each patient" if figures.plan.each < MOST_CALLS else "all about one patient"
    console.print(f"{figures.plan.rounds} rounds of {figures.plan.seconds} s a block; {patients}.")
    if figures.tally.cut_short:
        console.print(f"{figures.tally.cut_short} answers left rules out for lack of time: the ratios flatter.")
    if figures.tally.failures:
        console.print(f"FAILED: {figures.tally.failures} of {figures.tally.calls} calls. The figures mean nothing.")
        for note in figures.tally.notes[:5]:
            console.print(f"  {note}", markup=False, soft_wrap=True)


def as_json(figures: Figures) -> dict[str, Any]:
    """The same with every round's samples: CPU in seconds per call, rate in calls per second."""
    rows = [
        asdict(cell)
        | {
            "cpu_ratio": {name: cell.cpu_ratio(name) for name in (OFF, ON)},
            "rate_ratio": {name: cell.rate_ratio(name) for name in (OFF, ON)},
            "cpu_goal": CPU_GOALS.get(cell.size),
        }
        for cell in figures.cells
    ]
    return asdict(figures) | {"cells": rows, "goals": {"start_s": START_GOAL, "memory_mb": MEMORY_GOAL}}
