"""The load generator: a process of its own that fires calls over kept connections of the loopback interface.

It reads one order a line from standard input and writes one result a line, both JSON, so that its start is paid once::

    {"port": 8000, "path": "/…", "body": "call.json", "connections": 16, "seconds": 1.0, "calls": 100000, "each": 4}
    {"calls": 812, "seconds": 1.004, "failures": 0, "cut_short": 0, "note": ""}
"""

from __future__ import annotations

import asyncio
import json
import re
import sys
from dataclasses import asdict, dataclass, field
from functools import cache
from itertools import count
from pathlib import Path
from time import monotonic
from typing import Any, cast

import uvloop

from benchmarks.payloads import Template

HOST = "127.0.0.1"
PATIENCE = 20.0
"""Seconds that a call may take beyond the time of its block before it counts as failed."""

CARD = re.compile(rb'"cards"\s*:\s*\[\s*\{')
WARNING = re.compile(rb'"indicator"\s*:\s*"(?:warning|critical)"')
CUT_SHORT = re.compile(rb'"reason"\s*:\s*"(?:time|overload)"')
EACH = 4
"""Calls about one patient in a row: what a visit brings."""

BROKEN = re.compile(rb'"reason"\s*:\s*"internal"')
LENGTH = re.compile(rb"\r\ncontent-length: *(\d+)", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class Order:
    """One block of load, bounded in calls and in time; ``each`` calls in a row are about one patient."""

    port: int
    path: str
    body: str
    connections: int
    seconds: float
    calls: int
    each: int = EACH


@dataclass(slots=True)
class Result:
    """What came of a block. ``cut_short`` counts whole answers that left rules out for lack of time."""

    calls: int = 0
    seconds: float = 0.0
    failures: int = 0
    cut_short: int = 0
    note: str = ""

    def fail(self, note: str) -> None:
        self.failures += 1
        self.note = self.note or note


def verdict(status: int, body: bytes) -> str:
    """What is wrong with an answer; empty if it is a 200 with a card that warns."""
    if status != 200:
        return f"status {status}: {body[:200].decode(errors='replace')}"
    if not CARD.search(body) or not WARNING.search(body):
        return f"no warning card in the answer: {body[:200].decode(errors='replace')}"
    return "a rule failed inside the service" if BROKEN.search(body) else ""


_numbers = count()


@cache
def _request(path: str, body: str) -> Template:
    content = Path(body).read_bytes()
    lines = (
        f"POST {path} HTTP/1.1",
        f"Host: {HOST}",
        "Content-Type: application/json",
        "Accept: application/json",
        f"Content-Length: {len(content)}",
    )
    return Template("\r\n".join((*lines, "", "")).encode() + content)


@dataclass
class Block:
    """The state that the connections of one block share."""

    order: Order
    result: Result = field(default_factory=Result)
    started: float = field(default_factory=monotonic)
    sent: int = 0

    def next_request(self) -> tuple[bytes, bytes, bytes] | None:
        """The next call, or nothing when time or calls are used up; patients of earlier blocks do not come again."""
        if self.sent >= self.order.calls or monotonic() - self.started >= self.order.seconds:
            return None
        self.sent += 1
        return _request(self.order.path, self.order.body).parts(next(_numbers) // self.order.each)

    def take(self, status: int, body: bytes) -> None:
        self.result.calls += 1
        self.result.cut_short += bool(CUT_SHORT.search(body))
        if wrong := verdict(status, body):
            self.result.fail(wrong)


class Connection(asyncio.Protocol):
    """One kept connection: a call, its answer, the next call."""

    def __init__(self, block: Block, done: asyncio.Future[None]) -> None:
        self.block = block
        self.done = done
        self.received = bytearray()
        self.transport: asyncio.Transport

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self.transport = cast(asyncio.Transport, transport)  # uvloop's is one without being a subclass
        self.send()

    def send(self) -> None:
        parts = self.block.next_request()
        if parts is None:
            self.finish()
        else:
            self.transport.writelines(parts)

    def data_received(self, data: bytes) -> None:
        self.received += data
        head = self.received.find(b"\r\n\r\n")
        if head < 0:
            return
        length = LENGTH.search(self.received, 0, head + 2)
        if length is None:
            self.fail("an answer without Content-Length")
        elif len(self.received) >= (end := head + 4 + int(length[1])):
            self.block.take(int(self.received[9:12]), bytes(self.received[head + 4 : end]))
            self.received.clear()
            self.send()

    def connection_lost(self, exc: Exception | None) -> None:
        if not self.done.done():
            self.fail(f"the connection was lost before the answer: {exc or 'closed by the server'}")

    def fail(self, note: str) -> None:
        self.block.result.fail(note)
        self.finish()

    def finish(self) -> None:
        if not self.done.done():
            self.done.set_result(None)
        self.transport.close()


async def run(order: Order) -> Result:
    """Fires one block; connections that are still waiting after :data:`PATIENCE` count as failures."""
    _request(order.path, order.body)
    loop = asyncio.get_running_loop()
    block = Block(order)
    waits = [loop.create_future() for _ in range(order.connections)]
    await asyncio.gather(*(connect(loop, block, wait) for wait in waits))
    _, late = await asyncio.wait(waits, timeout=order.seconds + PATIENCE)
    block.result.seconds = monotonic() - block.started
    for wait in late:
        block.result.fail("no answer in time")
        wait.cancel()
    return block.result


async def connect(loop: asyncio.AbstractEventLoop, block: Block, wait: asyncio.Future[None]) -> None:
    try:
        await loop.create_connection(lambda: Connection(block, wait), HOST, block.order.port)
    except OSError as error:
        block.result.fail(f"no connection: {error}")
        wait.set_result(None)


def main() -> None:
    for line in sys.stdin:
        data: dict[str, Any] = json.loads(line)
        result = uvloop.run(run(Order(**data)))
        print(json.dumps(asdict(result)), flush=True)


if __name__ == "__main__":
    main()
