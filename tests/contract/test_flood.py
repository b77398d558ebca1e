"""Who drips, and who asks again at once: what it costs the service, and that each of them is told and recorded."""

from __future__ import annotations

import asyncio
import json
import socket
import time
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import httpx
import pytest
from uvicorn.protocols.http.httptools_impl import RequestResponseCycle

from cds_hooks.admission import Admission
from cds_hooks.audit import CallFilter
from cds_hooks.errors import Overloaded
from cds_hooks.settings import Settings
from tests.contract.conftest import Running, Starter, call

PATH = "/cds-services/toy-patient-view"
HEAD = f"POST {PATH} HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\nConnection: close\r\n"
SLOW = 0.3


def connect(service: Running) -> socket.socket:
    host, _, port = service.address.removeprefix("http://").partition(":")
    return socket.create_connection((host, int(port)), timeout=20)


def told(one: socket.socket) -> bytes:
    received = b""
    while piece := one.recv(65536):
        received += piece
    return received


@pytest.fixture
def woken(monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """How many bytes the application got each time it was woken for a body."""
    sizes: list[int] = []
    receive = RequestResponseCycle.receive

    async def counted(cycle: RequestResponseCycle) -> Any:
        message = await receive(cycle)
        sizes.append(len(message.get("body", b"")))
        return message

    monkeypatch.setattr(RequestResponseCycle, "receive", counted)
    return sizes


def test_a_body_in_many_pieces_wakes_the_application_once(service: Running, woken: list[int]) -> None:
    body = json.dumps(call()).encode()
    with connect(service) as one:
        one.sendall(f"{HEAD}Content-Length: {len(body)}\r\n\r\n".encode())
        for at in range(0, len(body), 8):
            one.sendall(body[at : at + 8])
            time.sleep(0.002)
        assert told(one).startswith(b"HTTP/1.1 200")
    assert woken == [len(body)]


def test_a_large_body_is_handed_on_in_pieces(service: Running, woken: list[int]) -> None:
    """So that one without end is cut off at the limit, and not held until its end."""
    body = json.dumps(call(extension={"x": "a" * 900_000})).encode()
    with connect(service) as one:
        one.sendall(f"{HEAD}Content-Length: {len(body)}\r\n\r\n".encode() + body)
        assert told(one).startswith(b"HTTP/1.1 200")
    assert sum(woken) == len(body)
    assert len(woken) > 2
    assert max(woken) < 500_000


def test_many_that_drip_are_told_in_time_and_recorded_together(start: Starter) -> None:
    service = start(body_seconds=SLOW)
    batches: list[int] = []
    connection = service.store._writer._connection
    write = connection.write
    connection.write = lambda jobs: batches.append(len(jobs)) or write(jobs)
    held = [connect(service) for _ in range(60)]
    for one in held:
        one.sendall(f"{HEAD}Content-Length: 1000\r\n\r\n{{".encode())
    for _ in range(5):
        for one in held:
            one.sendall(b" ")
        time.sleep(0.02)
    answers = [told(one) for one in held]
    for one in held:
        one.close()
    assert all(answer.startswith(b"HTTP/1.1 408") and b"x-audit-state: durable" in answer for answer in answers)
    rows = service.store.calls(CallFilter(limit=100))
    assert [row.status for row in rows] == [408] * 60
    taken = sorted(row.milliseconds for row in rows)
    assert taken[-1] - taken[0] > 300  # one here and one there: sixty at once would hold up whoever else calls
    assert sum(batches) == 60
    assert len(batches) < 30, batches  # a commit costs as much as thirty rows


# how it is set: wait, answer; how long an answer takes at least, and what it is
WAITS: list[tuple[dict[str, Any], float, int]] = [
    ({}, 0.4, 200),
    ({"overload": "refuse"}, 0.4, 429),
    ({"overload_wait_ms": 900}, 0.8, 200),
    ({"overload_wait_ms": 0}, 0.0, 200),
    ({"budget_ms": 100}, 0.04, 200),
]


@pytest.mark.parametrize(("chosen", "least", "status"), WAITS)
def test_who_cannot_be_judged_is_told_so_when_the_time_is_over(
    start: Starter, chosen: dict[str, Any], least: float, status: int
) -> None:
    service = start(calls_per_second=0.01, **chosen)
    assert service.call(call()).elapsed.total_seconds() < 5
    began = time.perf_counter()
    answer = service.call(call())
    seconds = time.perf_counter() - began
    assert answer.status_code == status
    assert answer.headers["x-audit-state"] == "durable"
    assert least <= seconds < least + 2
    row = service.audited(answer).row
    assert row.milliseconds >= least * 1000
    assert "More calls than the 0.01 a second" in row.detail


def test_who_asks_again_at_once_gets_no_more_answers_than_who_waits(start: Starter) -> None:
    service = start(calls_per_second=0.01)
    service.call(call())
    until = time.monotonic() + 1.5

    def hammering(_number: int) -> int:
        with httpx.Client(base_url=service.address, timeout=30, trust_env=False) as client:
            count = 0
            while time.monotonic() < until:
                assert client.post(PATH, json=call()).status_code == 200
                count += 1
        return count

    with ThreadPoolExecutor(10) as pool:
        counts = list(pool.map(hammering, range(10)))
    assert max(counts) <= 4, counts
    rows = service.store.calls(CallFilter(limit=200))
    assert len(rows) == sum(counts) + 1  # each of them is in the audit


def test_so_many_wait_to_be_told_and_the_others_are_told_at_once() -> None:
    gate = Admission(Settings(queue_limit=3, budget_ms=400))

    async def crowd() -> list[float]:
        began = time.monotonic()
        until = gate.until(Overloaded("", kind="late"), began)

        async def one() -> float:
            await gate.outlast(until)
            return time.monotonic() - began

        return sorted(await asyncio.gather(*(one() for _ in range(8))))

    seconds = asyncio.run(crowd())
    assert max(seconds[:5]) < 0.2
    assert min(seconds[5:]) > 0.3
    assert all(one > 0.3 for one in asyncio.run(crowd())[5:])  # places are given back


# kind of overload -> whether it waits
KINDS = {"queue": True, "late": True, "client": True, "rate": True, "busy": False}


@pytest.mark.parametrize("kind", KINDS)
def test_a_token_in_use_waited_already(kind: str) -> None:
    gate = Admission(Settings())
    assert (gate.until(Overloaded("", kind=kind), 1_000.0) > 0) == KINDS[kind]
