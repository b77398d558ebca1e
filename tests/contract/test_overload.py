"""Too many calls: said to be unjudged, or refused; never waited with past the time that the EHR gives."""

from __future__ import annotations

import asyncio
import time
from concurrent.futures import ThreadPoolExecutor
from contextlib import AsyncExitStack
from itertools import pairwise
from threading import Barrier
from typing import Any

import httpx
import pytest

from cds_hooks.admission import Admission
from cds_hooks.clients import Client
from cds_hooks.clock import utc_now
from cds_hooks.errors import Overloaded
from cds_hooks.glance import glanced
from cds_hooks.models import EXTENSION
from cds_hooks.service import Answer, GuidelinePage, HookCall, Service
from cds_hooks.settings import Settings
from cds_hooks.wire import Call, make_decoder
from plugin.services import PLUGIN
from tests.contract.conftest import Starter, call, reason
from tests.contract.toy import told, toy

NORTH, SOUTH = Client(name="north"), Client(name="south", calls_per_second=2)


class Ticks:
    """A clock that stands still until it is moved."""

    now = 1_000.0

    def __call__(self) -> float:
        return self.now


def admission(ticks: Ticks, **chosen: Any) -> Admission:
    return Admission(Settings(**chosen), ticks)


async def attempt(gate: Admission, client: Client, arrived: float) -> str:
    try:
        async with gate.enter(client, arrived):
            return "in"
    except Overloaded as error:
        return error.kind


def tries(gate: Admission, client: Client, arrived: float) -> str:
    return asyncio.run(attempt(gate, client, arrived))


def test_a_rate_lets_a_burst_of_one_second_in_and_then_a_steady_flow() -> None:
    ticks = Ticks()
    gate = admission(ticks)
    assert [tries(gate, SOUTH, ticks.now) for _ in range(4)] == ["in", "in", "rate", "rate"]
    assert tries(gate, NORTH, ticks.now) == "in"
    ticks.now += 0.5
    assert [tries(gate, SOUTH, ticks.now) for _ in range(2)] == ["in", "rate"]
    ticks.now += 3600
    assert [tries(gate, SOUTH, ticks.now) for _ in range(3)] == ["in", "in", "rate"]


def test_the_rate_of_the_deployment_holds_for_each_client_alone() -> None:
    ticks = Ticks()
    gate = admission(ticks, calls_per_second=0.5)
    assert [tries(gate, client, ticks.now) for client in (NORTH, NORTH, Client(name="east"))] == ["in", "rate", "in"]

    async def refused() -> None:
        async with gate.enter(NORTH, ticks.now):
            pass

    with pytest.raises(Overloaded) as caught:
        asyncio.run(refused())
    assert caught.value.headers == ((b"retry-after", b"2"),)


def test_so_many_calls_may_be_in_progress_and_no_more() -> None:
    ticks = Ticks()
    gate = admission(ticks, queue_limit=3)

    async def crowd() -> str:
        async with AsyncExitStack() as inside:
            for _ in range(3):
                await inside.enter_async_context(gate.enter(NORTH, ticks.now))
            return await attempt(gate, NORTH, ticks.now)

    assert asyncio.run(crowd()) == "queue"
    assert tries(gate, NORTH, ticks.now) == "in"


def test_calls_wait_in_the_order_in_which_they_came_and_one_begins_in_each_turn() -> None:
    ticks = Ticks()
    gate = admission(ticks, queue_limit=20)
    begun: list[int] = []

    async def one(number: int) -> None:
        async with gate.enter(NORTH, ticks.now):
            begun.append(number)

    async def crowd() -> list[int]:
        tasks = [asyncio.create_task(one(number)) for number in range(10)]
        seen = []
        for _ in range(15):
            await asyncio.sleep(0)
            seen.append(len(begun))
        tasks[0].cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        return seen

    seen = asyncio.run(crowd())
    assert begun == list(range(10))
    assert all(later - earlier <= 1 for earlier, later in pairwise(seen))


def test_whoever_gives_up_waiting_holds_up_nobody() -> None:
    gate = admission(Ticks(), queue_limit=20)

    async def crowd() -> list[str]:
        tasks = [asyncio.create_task(attempt(gate, NORTH, Ticks.now)) for _ in range(6)]
        await asyncio.sleep(0)
        for task in tasks[1:4]:
            task.cancel()
        return [one for one in await asyncio.gather(*tasks, return_exceptions=True) if isinstance(one, str)]

    assert asyncio.run(crowd()) == ["in"] * 3
    assert tries(gate, NORTH, Ticks.now) == "in"


def test_a_call_that_would_come_too_late_is_not_begun() -> None:
    ticks = Ticks()
    gate = admission(ticks, budget_ms=500)
    assert tries(gate, NORTH, ticks.now - 0.49) == "in"
    assert tries(gate, NORTH, ticks.now - 0.51) == "late"
    asyncio.run(taking(gate, ticks, 0.1))
    assert tries(gate, NORTH, ticks.now - 0.39) == "in"
    assert tries(gate, NORTH, ticks.now - 0.42) == "late"


async def taking(gate: Admission, ticks: Ticks, seconds: float) -> None:
    for _ in range(200):
        async with gate.enter(NORTH, ticks.now):
            ticks.now += seconds
        await asyncio.sleep(0)


def test_who_waited_too_long_in_the_queue_is_not_begun() -> None:
    ticks = Ticks()
    gate = admission(ticks, budget_ms=500)

    async def slow() -> str:
        try:
            async with gate.enter(NORTH, ticks.now):
                ticks.now += 0.1
                return "in"
        except Overloaded as error:
            return error.kind

    async def crowd() -> list[str]:
        return await asyncio.gather(*(slow() for _ in range(12)))

    first, second = asyncio.run(crowd()), asyncio.run(crowd())
    assert first.count("in") in range(3, 7), first
    assert first.index("late") == first.count("in")
    assert second.count("in") in range(2, 7), second


def test_slow_calls_never_shut_the_door_for_good() -> None:
    ticks = Ticks()
    gate = admission(ticks, budget_ms=500)
    asyncio.run(taking(gate, ticks, 5))
    assert tries(gate, NORTH, ticks.now) == "in"


def test_a_failing_call_leaves_its_place() -> None:
    ticks = Ticks()
    gate = admission(ticks, queue_limit=1)

    async def failing() -> None:
        async with gate.enter(NORTH, ticks.now):
            raise ZeroDivisionError

    for _ in range(3):
        with pytest.raises(ZeroDivisionError):
            asyncio.run(failing())
    assert tries(gate, NORTH, ticks.now) == "in"


def test_an_unjudged_call_says_so_rule_by_rule(start: Starter) -> None:
    service = start(PLUGIN(Settings().site("http://127.0.0.1:8000")), calls_per_second=0.01)
    path = "/cds-services/dystonia-order-sign"
    assert service.client.post(path, json=call("order-sign")).status_code == 200
    answers = [service.client.post(path, json=call("order-sign")) for _ in range(2)]
    assert [answer.status_code for answer in answers] == [200, 200]
    content = answers[0].json()
    (card,) = content["cards"]
    assert card["summary"] == "Check incomplete: too many calls. Do not read this as an all-clear."
    assert card["detail"] == "Nothing was checked because too many calls came at once."
    assert card["indicator"] == "info"
    results = content["extension"][EXTENSION]["results"]
    assert {(one["status"], one["reason"]) for one in results} == {("not-checked", "overload")}
    assert len(results) > 20
    assert len({one["rule"] for one in results}) == len(results)
    assert answers[1].json() == content
    found = service.audited(answers[0])
    assert (found.row.status, found.row.outcome) == (200, "answered")
    assert found.row.patient
    metrics = service.client.get("/metrics").text
    assert 'cds_overload_total{kind="rate"} 2.0' in metrics
    assert 'cds_verdicts_total{reason="overload",rule="R-DRUG-01",status="not-checked"} 2.0' in metrics


def test_what_is_no_call_is_told_so_even_then(start: Starter) -> None:
    service = start(calls_per_second=0.01)
    service.call(call())
    assert service.call(b"{", "patient-view").status_code == 400
    assert service.call(call(context={"patientId": ""})).status_code == 400
    spelt = service.call(call(context={"patientId": "Patient/p1"})).json()["cards"]
    assert spelt == service.call(call()).json()["cards"]


ENDS = '"hookInstance": "i1", "context": {"patientId": "p1"}'
# a body -> how many times it was decoded as a whole call
GLANCES: list[tuple[str, str, int]] = [
    ("data last", '{"hook": "patient-view", ' + ENDS + ', "prefetch": {"a": 1}}', 0),
    ("no data", '{"hook": "patient-view", ' + ENDS + "}", 0),
    ("data first", '{"prefetch": {"a": {"hookInstance": "i2"}}, "hook": "patient-view", ' + ENDS + "}", 0),
    ("data between", '{"hook": "patient-view", "prefetch": {}, ' + ENDS + "}", 0),
    ("not closed after the data", '{"hook": "patient-view", ' + ENDS + ', "prefetch" : {', 0),
    (
        "data in the context",
        '{"hook":"patient-view","context":{"patientId":"p1","prefetch":{}},"hookInstance":"i1"}',
        0,
    ),
    (
        "the word in a text",
        '{"hook":"patient-view","x":"a,\\"prefetch\\":","hookInstance":"i1","context":{"patientId":"p1"}}',
        0,
    ),
    (
        "an id to be cleaned",
        '{"hook": "patient-view", "hookInstance": "i1", "context": {"patientId": "Patient/p1"}}',
        1,
    ),
]


@pytest.mark.parametrize(("name", "body", "decoded"), GLANCES, ids=[row[0] for row in GLANCES])
def test_a_glance_finds_whose_call_it_is_wherever_that_stands(name: str, body: str, decoded: int) -> None:
    plugin, whole = toy(), []
    service = next(one for one in plugin.services if one.hook == "patient-view")
    decode = make_decoder(plugin.resource).decode

    def counted(raw: bytes, of: Service) -> Call:
        whole.append(raw)
        return decode(raw, of)

    found = glanced(body.encode(), service, counted, client="north", now=utc_now())
    assert (found.hook_instance, found.patient_id, len(whole)) == ("i1", "p1", decoded)


def test_silent_clients_are_not_told(start: Starter) -> None:
    service = start(calls_per_second=0.01, silent=True)
    service.call(call())
    assert service.call(call()).json()["cards"] == []


def test_refusing_says_when_to_come_again(start: Starter) -> None:
    service = start(calls_per_second=0.1, overload="refuse")
    service.call(call())
    answer = service.call(call())
    assert answer.status_code == 429
    assert answer.headers["Retry-After"] in ("9", "10")
    assert "More calls than the 0.1 a second" in reason(answer)
    assert (service.audited(answer).row.status, service.audited(answer).row.outcome) == (429, "refused")
    assert service.client.get("/cds-services").status_code == 200


def slow(hook_call: HookCall) -> Answer:
    time.sleep(0.1)
    return told(hook_call)


def test_a_crowd_gets_answers_in_time_and_those_that_would_be_late_say_so(start: Starter) -> None:
    """Forty calls at once, each of a tenth of a second, with a budget of half a second: few can be judged."""
    service = start(toy(slow), budget_ms=500)
    service.call(call())
    together = Barrier(40)

    def fire(_number: int) -> tuple[str, float]:
        with httpx.Client(base_url=service.address, timeout=30, trust_env=False) as client:
            client.get("/healthz")
            together.wait(30)
            began = time.perf_counter()
            answer = client.post("/cds-services/toy-patient-view", json=call())
            return answer.json()["cards"][0]["summary"][:16], time.perf_counter() - began

    with ThreadPoolExecutor(40) as pool:
        answers = list(pool.map(fire, range(40)))
    judged = [seconds for summary, seconds in answers if summary == "A toy"]
    unjudged = [seconds for summary, seconds in answers if summary == "Check incomplete"]
    assert len(judged) + len(unjudged) == 40
    assert 2 <= len(judged) <= 12, sorted(judged)
    assert sorted(seconds for _, seconds in answers)[35] < 2.0


def test_a_slow_network_costs_no_budget(start: Starter) -> None:
    """The budget runs from the last byte of a call, not from its first."""
    service = start(budget_ms=150)

    def dripping() -> Any:
        raw = httpx.Request("POST", "http://x", json=call()).content
        yield raw[:10]
        time.sleep(0.5)
        yield raw[10:]

    answer = service.client.post(
        "/cds-services/toy-patient-view", content=dripping(), headers={"Content-Type": "application/json"}
    )
    assert answer.json()["cards"][0]["summary"] == "A toy"


def test_every_page_knows_its_hooks() -> None:
    pages: tuple[GuidelinePage, ...] = PLUGIN(Settings().site("http://127.0.0.1:8000")).guideline
    assert all(page.hooks for page in pages)
