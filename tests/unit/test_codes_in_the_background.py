"""How inbox and resolver show themselves: readiness, metrics, trouble at the start, what outlives a stop."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import respx

from cds_hooks.audit import open_store
from cds_hooks.errors import SettingsTrouble
from cds_hooks.health import measure, readiness
from cds_hooks.settings import Settings
from cds_hooks.state import State
from cds_hooks.terminology.entry import Entry
from tests.support.fhir import RXNORM
from tests.support.fire import plugin
from tests.support.rxnav import NOBODY

BASE = "https://rxnav.example/REST"
CODE = Entry("drug", RXNORM, "99000001", "")
Started = Callable[..., State]


@pytest.fixture
def state(tmp_path: Path) -> Started:
    def make(**settings: Any) -> State:
        return State(plugin(), Settings(data_dir=tmp_path, **settings), "127.0.0.1", "http://127.0.0.1")

    return make


def metric(state: State, name: str) -> list[str]:
    measure(state)
    return [line for line in state.metrics.render().decode().splitlines() if line.startswith(name)]


# resolver, address -> words of the refusal
TROUBLES = [
    ("fhir", None, "DYSTONIA_CDS_RESOLVER_URL"),
    ("fhir", "http://terminology.example/fhir", "without encryption"),
    ("rxnav", "http://10.0.0.5/REST", "without encryption"),
]


@pytest.mark.parametrize(("resolver", "url", "words"), TROUBLES)
def test_a_resolver_that_cannot_be_asked_is_told_at_the_start(
    state: Started, resolver: str, url: str | None, words: str
) -> None:
    with pytest.raises(SettingsTrouble, match=words):
        state(resolver=resolver, resolver_url=url)


def test_nobody_is_asked_unless_it_is_configured(state: Started) -> None:
    quiet = state()
    assert quiet.codes.resolver is None
    quiet.codes.note([CODE])
    assert readiness(quiet)["terminology"] == {"unmapped": 1}
    assert metric(quiet, "cds_resolver_queue") == []


def test_a_resolver_in_trouble_makes_the_service_degraded(state: Started) -> None:
    asking = state(resolver="rxnav", resolver_url=BASE)
    resolver = asking.codes.resolver
    assert resolver is not None
    asking.codes.note([CODE])
    told = readiness(asking)
    assert "reasons" not in told or not any("resolver" in one for one in told["reasons"])
    assert told["terminology"]["resolver"] == {"source": "rxnav", "state": "closed", "queue": 1}
    for _ in range(5):
        resolver._breaker.failed(time.monotonic())
    told = readiness(asking)
    assert told["terminology"]["resolver"]["state"] == "open"
    assert "The resolver rxnav does not answer; codes that nothing here knows wait (1)." in told["reasons"]
    assert told["status"] == "degraded"
    assert metric(asking, "cds_resolver_breaker{") == [
        'cds_resolver_breaker{state="closed"} 0.0',
        'cds_resolver_breaker{state="open"} 1.0',
        'cds_resolver_breaker{state="half-open"} 0.0',
    ]
    assert metric(asking, "cds_resolver_queue") == ["cds_resolver_queue 1.0"]
    assert metric(asking, "cds_unmapped ") == ["cds_unmapped 1.0"]


def test_a_stop_writes_what_is_still_in_memory_and_a_start_remembers(state: Started, tmp_path: Path) -> None:
    async def play() -> list[str]:
        with respx.mock:
            route = respx.get(url__startswith=BASE).respond(json=NOBODY)
            first = state(resolver="rxnav", resolver_url=BASE)
            store = open_store("sqlite:///audit.db", tmp_path)
            await first.codes.start(store)
            first.codes.note([CODE])
            while first.codes.resolver is not None and first.codes.resolver.waiting:
                await asyncio.sleep(0)
            await first.codes.stop()
            assert [row.code for row in store.unmapped()] == [CODE.code]
            assert [(row.code, row.known) for row in store.learned()] == [(CODE.code, False)]
            second = state(resolver="rxnav", resolver_url=BASE)
            await second.codes.start(store)
            assert readiness(second)["terminology"]["unmapped"] == 1
            second.codes.note([CODE])
            assert second.codes.resolver is not None
            assert second.codes.resolver.waiting == 0, "an unknown code is not asked about again within the week"
            await second.codes.stop()
            assert [row.count for row in store.unmapped()] == [2]
            store.close()
            return [str(one.request.url) for one in route.calls]

    assert asyncio.run(play()) == [f"{BASE}/rxcui/{CODE.code}/historystatus.json"]
