"""Rounds of load, the servers taking turns, so that a noisy machine troubles all of them alike.

Errors::

    RuntimeError
    └── LoadError  a block of load without a single good answer, or the load generator ended
"""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import asdict, dataclass, field
from statistics import median

from benchmarks.load import EACH, Order, Result
from benchmarks.servers import Server, end

MOST_CALLS = 200_000
BARE = "bare"


class LoadError(RuntimeError):
    """There is nothing to measure; the message says where and what came instead of an answer."""


Fire = Callable[[Order], Result]


@dataclass(frozen=True, slots=True)
class Plan:
    """What to measure: sizes, numbers of connections, rounds, seconds of one block of load, calls about one patient."""

    sizes: Sequence[str]
    connections: Sequence[int]
    rounds: int
    seconds: float
    each: int = EACH


@dataclass(frozen=True, slots=True)
class Sample:
    """One block against one server: processor seconds per call and calls per second."""

    cpu: float
    rate: float


@dataclass(slots=True)
class Cell:
    """One row of the table: a size at a number of connections, with the samples of each server by round."""

    size: str
    connections: int
    samples: dict[str, list[Sample]] = field(default_factory=dict)

    def cpu(self, name: str) -> float:
        return median(sample.cpu for sample in self.samples[name])

    def rate(self, name: str) -> float:
        return median(sample.rate for sample in self.samples[name])

    def cpu_ratio(self, name: str) -> float:
        """The median over the rounds of this server's CPU per call by the bare application's in the same round."""
        return median(mine.cpu / bare.cpu for mine, bare in zip(self.samples[name], self.samples[BARE], strict=True))

    def rate_ratio(self, name: str) -> float:
        """Likewise for calls per second."""
        return median(mine.rate / bare.rate for mine, bare in zip(self.samples[name], self.samples[BARE], strict=True))


@dataclass(slots=True)
class Tally:
    """What all blocks together gave: calls, failures, answers that left rules out for lack of time."""

    calls: int = 0
    failures: int = 0
    cut_short: int = 0
    notes: list[str] = field(default_factory=list)

    def add(self, where: str, result: Result) -> None:
        self.calls += result.calls
        self.failures += result.failures
        self.cut_short += result.cut_short
        if result.note:
            self.notes.append(f"{where}: {result.note}")


@contextmanager
def load_process() -> Iterator[Fire]:
    """A load generator in a process of its own, as a function from order to result."""
    process = subprocess.Popen(
        [sys.executable, "-m", "benchmarks.load"], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    )
    assert process.stdin
    assert process.stdout
    to_load, from_load = process.stdin, process.stdout

    def fire(order: Order) -> Result:
        to_load.write(json.dumps(asdict(order)) + "\n")
        to_load.flush()
        line = from_load.readline()
        if not line:
            raise LoadError("the load generator: it ended; its message stands above")
        return Result(**json.loads(line))

    try:
        yield fire
    finally:
        end(process)


def measure(
    plan: Plan, servers: Sequence[Server], fire: Fire, path: str, bodies: Mapping[str, str], tell: Callable[[str], None]
) -> tuple[list[Cell], Tally]:
    """Warms every server up, then fires ``plan.rounds`` rounds, every second one in the opposite order."""
    tally = Tally()
    cells = [Cell(size, connections) for size in plan.sizes for connections in plan.connections]

    def block(server: Server, cell: Cell, seconds: float) -> Sample:
        before = server.cpu()
        order = Order(server.port, path, bodies[cell.size], cell.connections, seconds, MOST_CALLS, plan.each)
        result = fire(order)
        used = server.cpu() - before
        where = f"{server.name}, {cell.size}, {cell.connections} connections"
        if result.failures >= result.calls:
            raise LoadError(f"{where}: {result.note}")
        tally.add(where, result)
        return Sample(used / result.calls, result.calls / result.seconds)

    tell("warming up")
    for cell in cells:
        for server in servers:
            block(server, cell, plan.seconds / 5)
    for number in range(plan.rounds):
        for cell in cells:
            tell(f"round {number + 1} of {plan.rounds}: {cell.size}, {cell.connections} connections")
            for server in servers if number % 2 == 0 else reversed(servers):
                cell.samples.setdefault(server.name, []).append(block(server, cell, plan.seconds))
    return cells, tally
