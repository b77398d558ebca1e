"""Every fault of a FHIR server, against every service, with full, partial and no prefetch.

What a fault makes of the data is held against the same call with such data sent along: fetched data must be judged as
sent data are. A bad moment of the machine may not decide, so time and completeness count as the best of three tries;
what is unsafe is refused at every try.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from time import perf_counter
from typing import Any
from uuid import uuid4

import pytest

from tests.integration.calls import (
    HOOKS,
    PREFETCHES,
    TOKEN,
    asked,
    chart,
    missing,
    resources,
    results,
    statuses,
    timeless,
    told,
)
from tests.integration.faults import FAULTS, Fault, Looks, of_somebody_else
from tests.integration.faulty import FaultServer, Place, sound
from tests.integration.peers import PEER_SETTINGS, audited
from tests.integration.record import Record, outcome
from tests.support.server import Answer, Service, running

Json = dict[str, Any]
ALLOWED_SECONDS = (500 + 50) / 1000
TRIES = 3
Recorder = Callable[[str, object], None]
SPARE = 4
PATIENTS = {
    "order-select": "nora-stillwell",
    "order-sign": "berta-sampler",
    "patient-view": "ulla-lowlander",
    "encounter-start": "viktor-riddle",
    "medication-refill": "ruth-longrun",
    "problem-list-item-create": "yannick-twister",
}
ORDER_HOOKS = ("order-select", "order-sign", "medication-refill")


@dataclass(frozen=True)
class Run:
    """One cell of the matrix."""

    fault: Fault
    hook: str
    prefetch: str

    def __str__(self) -> str:
        return f"{self.fault}, {self.hook}, {self.prefetch}"


def matrix() -> list[Any]:
    """Every run. `make integration` takes one service for each fault and prefetch, `make chaos` all of them."""
    return [
        pytest.param(run, id=str(run), marks=() if often else pytest.mark.chaos)
        for number, fault in enumerate(FAULTS)
        for place, prefetch in enumerate(PREFETCHES)
        for turn, hook in enumerate(HOOKS)
        for run, often in [(Run(fault, hook, prefetch), (number + 2 * place) % len(HOOKS) == turn)]
    ]


class Stage:
    """The service, the places where faults are played for it, and what it answers without any server."""

    def __init__(self, service: Service, places: dict[str, list[Place]]) -> None:
        self.service = service
        self._firsts = {name: every[SPARE:] for name, every in places.items()}
        self._spares = {name: every[:SPARE] for name, every in places.items()}
        self._known: dict[str, tuple[Answer, Json]] = {}

    def tries(self, run: Run) -> Iterator[Place]:
        """Places of this run's fault: one for itself, then spare ones while there are any. None was asked before."""
        name = str(run.fault)
        if run.prefetch == "full":  # is not asked
            yield from self._spares[name][:1] * TRIES
            return
        yield self._firsts[name].pop()
        for _ in range(TRIES - 1):
            if len(self._spares[name]) > 1:
                yield self._spares[name].pop()

    def instead(self, run: Run, looks: Looks) -> tuple[Answer, Json]:
        """The answer where such data are sent along and there is no server, and the audited states of its keys."""
        key = f"{run.hook} {run.prefetch} {looks}"
        if key not in self._known:
            call = asked(run.hook, PATIENTS[run.hook], run.prefetch)
            lost = missing(run.hook, PATIENTS[run.hook], run.prefetch)
            call["prefetch"] = call.get("prefetch", {}) | {name: as_sent(looks, one) for name, one in lost.items()}
            answer = self.service.fire(call)
            self._known[key] = answer, audited(self.service, answer)[1]
        return self._known[key]


def as_sent(looks: Looks, value: Any) -> Any:
    """What a client would send in place of ``value`` if its server did what the fault does."""
    if looks is Looks.FAILED:
        return outcome("The search failed.")
    if value is None or value["resourceType"] != "Bundle":
        return value
    entries = value.get("entry", [])
    changed: dict[Looks, Json] = {
        Looks.CUT: {"link": [{"relation": "next", "url": "https://ehr.example/fhir/more"}]},
        Looks.ERROR: with_error({**value, "entry": entries}),
        # A server that finds what it was not asked for has not understood the question.
        Looks.FOREIGN: with_error(of_somebody_else({**value, "entry": entries})) if entries else {},
        Looks.DOUBLED: {"entry": entries * 2, "total": 2 * len(entries)},
    }
    return {**value, **changed.get(looks, {})}


def with_error(bundle: Json) -> Json:
    """A Bundle with an error among its entries."""
    return {**bundle, "entry": [*bundle["entry"], {"resource": outcome("One source was away.")}]}


@pytest.fixture(scope="module")
def stage(tmp_path_factory: pytest.TempPathFactory, request: pytest.FixtureRequest) -> Iterator[Stage]:
    record = Record(one for patient in set(PATIENTS.values()) for one in resources(patient))
    server = FaultServer(tmp_path_factory.mktemp("faults"))
    runs = [item.callspec.params["run"] for item in request.session.items if "run" in _parameters(item)]
    places: dict[str, list[Place]] = {}
    for fault in FAULTS:
        wanted = sum(run.fault is fault and run.prefetch != "full" for run in runs)
        places[str(fault)] = [opened(server, fault, record) for _ in range(wanted + SPARE)]
    live = server.open(sound, record)
    bases = [live.base, *(base for every in places.values() for one in every for base in registered(one))]
    settings = PEER_SETTINGS | {"DYSTONIA_CDS_FHIR_SERVERS": " ".join(bases)}
    try:
        with running(tmp_path_factory.mktemp("service"), **settings) as service:
            for hook, patient in PATIENTS.items():  # the first call of a process is slower than those after it
                service.fire(asked(hook, patient, "none", live.base))
            yield Stage(service, places)
    finally:
        server.close()


def _parameters(item: Any) -> Json:
    return getattr(getattr(item, "callspec", None), "params", {})


def opened(server: FaultServer, fault: Fault, record: Record) -> Place:
    """A place for a fault; its ``others`` are one that nobody registered, and for F45 one that is dead."""
    opening = {
        "http": partial(server.open, fault.behave, record),
        "tls": partial(server.open, fault.behave, record, tls=True),
        "refused": partial(server.refusing, record),
        "hangs": partial(server.hanging, record),
        "unknown host": partial(Place, fault.behave, record, "https", f"{uuid4()}.invalid", 443),
    }
    place = opening[fault.at]()
    place.others.append(server.open(sound, record))
    if fault.id == "F45":
        place.others.append(server.refusing(record))
    return place


def registered(place: Place) -> list[str]:
    """The bases of a place that the service may ask."""
    return [place.base, *(one.base for one in place.others[1:])]


@pytest.mark.parametrize("run", matrix())
def test_a_fault_costs_its_data_and_nothing_else(stage: Stage, run: Run, record_property: Recorder) -> None:
    troubles: list[str] = []
    for place in stage.tries(run):
        answer, seconds = attempt(stage, run, place)
        check_safe(stage, run, answer)
        trouble = f"took {seconds * 1000:.0f} ms" if seconds > ALLOWED_SECONDS else compare(stage, run, answer)
        if not trouble:
            record_property("milliseconds", seconds * 1000)
            record_property("tries", len(troubles) + 1)
            return
        troubles.append(trouble)
    raise AssertionError(" | ".join(troubles))


def attempt(stage: Stage, run: Run, place: Place) -> tuple[Answer, float]:
    """Plays one run: the answer, and how many seconds it took."""
    for dead in place.others[1:]:
        stage.service.fire(asked(run.hook, PATIENTS[run.hook], "none", dead.base))
    before = place.connections
    call = asked(run.hook, PATIENTS[run.hook], run.prefetch, place.base)
    started = perf_counter()
    answer = stage.service.fire(call)
    seconds = perf_counter() - started
    assert not place.others[0].connections, "a server that nobody registered was asked"
    assert run.prefetch != "full" or place.connections == before, "nothing was missing, and the server was asked"
    assert {one.headers.get("authorization") for one in place.requests} <= {f"Bearer {TOKEN}"}
    return answer, seconds


def check_safe(stage: Stage, run: Run, answer: Answer) -> None:
    """Nothing is said that the data do not bear out, and the audit holds what was said."""
    assert answer.status in (200, 412), answer.body
    row, _ = audited(stage.service, answer)
    assert (row.hook, row.service, row.status) == (run.hook, f"dystonia-{run.hook}", answer.status)
    assert json.loads(row.cards) == answer.body.get("cards", [])
    assert json.loads(row.results) == results(answer)
    whole, _ = stage.instead(run, Looks.WHOLE)
    nothing, _ = stage.instead(run, Looks.FAILED)
    for pair, (status, _) in statuses(answer).items():
        known = {found[pair][0] for found in (statuses(whole), statuses(nothing)) if pair in found}
        assert status in known | {"not-checked", "not-applicable"} or pair[0].startswith("R-DQ-"), (pair, status, known)
    assert TOKEN not in json.dumps(answer.body)


def compare(stage: Stage, run: Run, answer: Answer) -> str:
    """Whether the answer is the one to the same data sent along; in words what differs."""
    if answer.headers["x-audit-state"] != "durable":
        return "the audit was late"
    if run.fault.looks is Looks.SOME and run.prefetch != "full":
        return ""
    looks = Looks.WHOLE if run.prefetch == "full" else run.fault.looks
    expected, expected_keys = stage.instead(run, looks)
    keys = audited(stage.service, answer)[1]
    if looks is Looks.WHOLE and timeless(answer) != timeless(expected):
        return f"not the answer to whole data: {difference(answer, expected)}"
    if told(answer) != told(expected):
        return difference(answer, expected)
    if plainly(keys) != plainly(expected_keys):
        return f"audited keys {keys}, expected {expected_keys}"
    if looks is Looks.FAILED and run.hook in ORDER_HOOKS and not is_noted(answer):
        return "no card says that something could not be checked"
    return ""


def difference(answer: Answer, expected: Answer) -> str:
    """What two answers say differently, in short."""
    (status, cards, found), (other, wanted, known) = told(answer), told(expected)
    verdicts = [
        (pair, found.get(pair), known.get(pair)) for pair in found | known if found.get(pair) != known.get(pair)
    ]
    return f"got {status} {cards}, expected {other} {wanted}; verdicts {verdicts}"


def plainly(keys: Json) -> Json:
    """The states of the keys; a key that was not sent and could not be fetched is missing or failed."""
    lost = ("missing", "failed")
    return {
        key: (
            one["state"] if one["state"] not in lost or one["reason"] == "truncated" else "lost",
            bool(one.get("foreign")),
        )
        for key, one in keys.items()
    }


def is_noted(answer: Answer) -> bool:
    """Whether a card names an input that was missing."""
    return any(card["extension"]["org.dystonia-cds"].get("missing") for card in answer.body["cards"])


def test_there_are_45_faults() -> None:
    known = sorted({one.id for one in FAULTS})
    assert known == [f"F{number:02}" for number in range(1, 46)]
    page = (Path(__file__).parents[2] / "docs" / "testing.md").read_text("utf-8")
    assert sorted(re.findall(r"\| (F\d\d) \|", page)) == known


@pytest.mark.parametrize("hook", HOOKS)
def test_each_service_has_something_to_lose(stage: Stage, hook: str) -> None:
    run = Run(FAULTS[0], hook, "none")
    assert chart(PATIENTS[hook])
    assert told(stage.instead(run, Looks.WHOLE)[0]) != told(stage.instead(run, Looks.FAILED)[0])
