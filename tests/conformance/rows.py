"""The rows of the conformance table: what the specifications ask for, and which tests or reasons stand for it."""

from __future__ import annotations

import csv
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path

FILE = Path(__file__).with_name("rows.csv")
MARK = "conformance"
PASSED, FAILED, SKIPPED, NO_TEST = "passed", "FAILED", "skipped", "NO TEST"
SECTIONS: Mapping[str, str] = {
    "A": "JSON and transport",
    "B": "Discovery",
    "C": "Hook calls",
    "D": "Prefetch templates",
    "E": "Prefetched data",
    "F": "The client's FHIR server",
    "G": "Answers",
    "H": "Feedback",
    "J": "Client authentication",
    "K": "Browsers and extensions",
    "L": "Statuses",
    "M": "From 2.0.1 to 3.0",
    "N": "Hooks",
}


@dataclass(frozen=True, slots=True)
class Row:
    """One requirement; ``reason`` says why there is no test, where there is none."""

    id: str
    level: str
    versions: str
    duty: str
    requirement: str
    reason: str


def read_rows() -> dict[str, Row]:
    """Every row by its id, in the order of the file."""
    with FILE.open(encoding="utf-8", newline="") as file:
        rows = [Row(**line) for line in csv.DictReader(file)]
    found = {row.id: row for row in rows}
    assert len(found) == len(rows), "an id stands twice in rows.csv"
    return found


def state_of(row: Row, outcomes: Iterable[str]) -> str:
    """How a row stands after a run: its reason, or the worst outcome of its tests."""
    seen = set(outcomes)
    if row.reason:
        return row.reason
    return next((one for one in (FAILED, SKIPPED, PASSED) if one in seen), NO_TEST)


def table(rows: Mapping[str, Row], outcomes: Mapping[str, Iterable[str]]) -> list[str]:
    """The lines that a run prints: id, level, version, and how it stands; the counts last."""
    states = {row.id: state_of(row, outcomes.get(row.id, ())) for row in rows.values()}
    told = {row.id: f"not met: {row.reason}" if row.reason else states[row.id] for row in rows.values()}
    lines = [f"{row.id:<28} {row.level:<22} {row.versions:<4} {told[row.id]}" for row in rows.values()]
    return [*lines, counts(rows, states)]


def counts(rows: Mapping[str, Row], states: Mapping[str, str]) -> str:
    """How many rows there are of each kind, in one line."""
    reasons = sum(bool(row.reason) for row in rows.values())
    told = {name: sum(state == name for state in states.values()) for name in (PASSED, FAILED, SKIPPED, NO_TEST)}
    parts = [f"{number} {name}" for name, number in told.items() if number or name == PASSED]
    return f"{len(rows)} rows: {len(rows) - reasons} with tests ({', '.join(parts)}), {reasons} not met, with reasons"
