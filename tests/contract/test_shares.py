"""Two hospitals at one service: whatever one of them does, the other is judged as before."""

from __future__ import annotations

import asyncio
import json
import socket
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, contextmanager
from pathlib import Path
from threading import Event
from typing import Any

import httpx
import pytest

from cds_hooks.admission import Admission
from cds_hooks.clients import ANONYMOUS, Client
from cds_hooks.clock import utc_now
from cds_hooks.errors import Overloaded
from cds_hooks.service import Answer, HookCall
from cds_hooks.settings import Settings
from cds_hooks.shares import Shares
from tests.contract.conftest import Running, Starter, call, reason
from tests.contract.toy import told, toy
from tests.support.tokens import BASE, Ehr

PATH = "/cds-services/toy-patient-view"
FEEDBACK = f"{PATH}/feedback"
NORTH, SOUTH = Ehr(), Ehr("south", "https://south.example")
BODY = json.dumps(call()).encode()


def two(start: Starter, folder: Path, plugin: Any = None, **settings: Any) -> Running:
    clients = [ehr.client(folder) for ehr in (NORTH, SOUTH)]
    return start(plugin, auth="required", public_url=BASE, clients=clients, **settings)


def bearer(ehr: Ehr, path: str = PATH) -> dict[str, str]:
    return {"Authorization": f"Bearer {ehr.token(BASE + path, utc_now())}", "Content-Type": "application/json"}


def post(service: Running, ehr: Ehr, path: str = PATH, body: bytes = BODY) -> httpx.Response:
    return service.client.post(path, content=body, headers=bearer(ehr, path))


def summary(answer: httpx.Response) -> str:
    assert answer.status_code == 200, answer.text
    text: str = answer.json()["cards"][0]["summary"]
    return text


@contextmanager
def dripping(service: Running, ehr: Ehr, count: int) -> Iterator[None]:
    """So many calls of which the head came whole, and of the body a byte."""
    host, _, port = service.address.removeprefix("http://").partition(":")
    with ExitStack() as held:
        for _ in range(count):
            one = held.enter_context(socket.create_connection((host, int(port)), timeout=10))
            lines = [f"POST {PATH} HTTP/1.1", "Host: x", f"Content-Length: {len(BODY)}"]
            lines += [f"{name}: {value}" for name, value in bearer(ehr).items()]
            one.sendall("\r\n".join([*lines, "", "{"]).encode())
        time.sleep(0.3)
        yield


def test_bodies_that_drip_take_the_places_of_their_own_client(start: Starter, tmp_path: Path) -> None:
    service = two(start, tmp_path, client_limit=5, body_seconds=3)
    alone = usual(service, SOUTH)
    with dripping(service, NORTH, 30):
        began = time.perf_counter()
        answer = post(service, NORTH)
        assert time.perf_counter() - began < 2
        assert summary(answer) == "Check incomplete: too many calls. Do not read this as an all-clear."
        assert usual(service, SOUTH) < 10 * alone + 0.05
    metrics = service.client.get("/metrics").text
    assert 'cds_overload_total{kind="client"} 26.0' in metrics
    found = service.audited(answer)
    assert (found.row.client, found.row.patient, found.row.status) == ("north", "", 200)
    assert "client_limit" in found.row.detail.lower()
    for _ in range(50):  # the places are given back when the connections end
        if summary(post(service, NORTH)) == "A toy":
            break
        time.sleep(0.1)
    assert summary(post(service, NORTH)) == "A toy"


def usual(service: Running, ehr: Ehr) -> float:
    """The median time of a judged call."""
    times = []
    for _ in range(15):
        began = time.perf_counter()
        assert summary(post(service, ehr)) == "A toy"
        times.append(time.perf_counter() - began)
    return sorted(times)[len(times) // 2]


def test_where_it_is_set_so_they_are_refused_and_feedback_too(start: Starter, tmp_path: Path) -> None:
    service = two(start, tmp_path, client_limit=2, overload="refuse")
    heard = b'{"feedback": []}'
    with dripping(service, NORTH, 2):
        for path in (PATH, FEEDBACK):
            answer = post(service, NORTH, path, heard if path == FEEDBACK else BODY)
            assert (answer.status_code, answer.headers["retry-after"]) == (429, "1")
            assert "This client has 2 calls in progress" in reason(answer)
        assert post(service, SOUTH, FEEDBACK, heard).status_code in (200, 400)
        assert summary(post(service, SOUTH)) == "A toy"


def slow(hook_call: HookCall) -> Answer:
    time.sleep(0.03)
    return told(hook_call)


def test_a_flood_of_one_client_does_not_make_another_wait(start: Starter, tmp_path: Path) -> None:
    """Thirty calls at a time of 30 ms are more than the budget: north cannot be served, south is."""
    service = two(start, tmp_path, toy(slow), budget_ms=500)
    over = Event()

    def flood(_number: int) -> list[str]:
        seen = []
        with httpx.Client(base_url=service.address, timeout=30, trust_env=False) as client:
            while not over.is_set():
                answer = client.post(PATH, content=BODY, headers=bearer(NORTH))
                seen.append(answer.json()["cards"][0]["summary"][:16])
        return seen

    with ThreadPoolExecutor(30) as pool:
        crowd = [pool.submit(flood, number) for number in range(30)]
        time.sleep(1.0)
        answers = [summary(post(service, SOUTH)) for _ in range(15)]
        over.set()
        north = [one for each in crowd for one in each.result(30)]
    assert answers.count("A toy") >= 13, answers  # all of them where the machine has time
    assert "Check incomplete" in north
    assert "A toy" in north


def test_the_same_patient_at_two_clients_has_two_pseudonyms(start: Starter, tmp_path: Path) -> None:
    service = two(start, tmp_path)
    found = [service.audited(post(service, ehr)).row.patient for ehr in (NORTH, NORTH, SOUTH)]
    assert found[0] == found[1] != found[2]
    assert found[2] == service.store.pseudonym("p1", "south")


def held(shares: Shares, name: str) -> str:
    try:
        with shares.held(Client(name=name)):
            return "held"
    except Overloaded as error:
        return error.kind


def test_each_client_has_so_many_places_and_gets_them_back() -> None:
    shares = Shares(2)
    with shares.held(Client(name="north")), shares.held(Client(name="north")):
        assert [held(shares, name) for name in ("north", "south", "north")] == ["client", "held", "client"]
    assert held(shares, "north") == "held"


def test_nobody_in_particular_has_no_share_of_its_own() -> None:
    shares = Shares(1)
    with shares.held(Client(name=ANONYMOUS)):
        assert held(shares, ANONYMOUS) == "held"


def test_clients_take_turns() -> None:
    """Ten calls of north, then three of south and one of east: south waits for one of north's, not for ten."""
    gate = Admission(Settings(queue_limit=20))
    begun: list[str] = []

    async def one(name: str) -> None:
        async with gate.enter(Client(name=name), time.monotonic()):
            begun.append(name[0])

    async def crowd() -> None:
        names = ["north"] * 10 + ["south"] * 3 + ["east"]
        await asyncio.gather(*(one(name) for name in names))

    asyncio.run(crowd())
    assert "".join(begun) == "nnsensnsnnnnnn"


@pytest.mark.parametrize("failing", [ZeroDivisionError, asyncio.CancelledError])
def test_a_call_that_fails_gives_its_place_back(failing: type[BaseException]) -> None:
    shares = Shares(1)
    with pytest.raises(failing), shares.held(Client(name="north")):
        raise failing
    assert held(shares, "north") == "held"
