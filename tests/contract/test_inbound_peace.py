"""Nothing of one call is left for another: bad calls between good ones, and a clock that is set back among them."""

from __future__ import annotations

import json
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from random import Random

import pytest

from cds_hooks.service import Site
from plugin.services import PLUGIN
from tests.contract.conftest import Running, Starter, call
from tests.fuzz.mutations import request, sound


@pytest.fixture(scope="module")
def real(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Running]:
    """The real plugin, without a memory of earlier calls, at a clock that stands still."""
    starter = Starter(tmp_path_factory.mktemp("peace"))
    moment = datetime(2026, 11, 22, 10, tzinfo=UTC)
    yield starter(PLUGIN(Site()), clock=lambda: moment, audit=False, budget_ms=60_000)
    starter.running[0].stop()


def answers(service: Running, bodies: list[bytes]) -> list[bytes]:
    hooks = [json.loads(body)["hook"] for body in bodies]
    return [
        service.client.post(f"/cds-services/dystonia-{hook}", content=body, headers=JSON).content
        for hook, body in zip(hooks, bodies, strict=True)
    ]


JSON = {"Content-Type": "application/json"}


def test_bad_calls_leave_no_trace_in_good_ones(real: Running) -> None:
    dice = Random(7)
    good = dice.sample(sound(), 60)
    clean = answers(real, good)
    mingled: list[bytes] = []
    for number, body in enumerate(good):
        for seed in range(number * 5, number * 5 + dice.randint(1, 5)):
            bad = request(seed)
            if bad.method == "POST" and not bad.cut_off and bad.path.isascii() and bad.path.isprintable():
                real.client.post(bad.path, content=b"".join(bad.pieces), headers=JSON)
        mingled += answers(real, [body])
    assert mingled == clean


def test_a_clock_that_is_set_back_loses_no_call(start: Starter) -> None:
    """An hour back and forth during load: every call has an id of its own and its row in the audit."""
    dice = Random(3)
    beginning = datetime(2026, 11, 22, 10, tzinfo=UTC)
    service = start(clock=lambda: beginning + timedelta(seconds=dice.choice((-3600, 0, 0, 3600))))
    told = [service.call(call()) for _ in range(200)]
    assert {answer.status_code for answer in told} == {200}
    assert {answer.headers["X-Audit-State"] for answer in told} == {"durable"}
    ids = [answer.headers["X-Audit-Id"] for answer in told]
    assert len(set(ids)) == len(ids)
    assert all(service.store.call(one) is not None for one in ids)
    assert [answer.json()["cards"][0]["summary"] for answer in told] == ["A toy"] * 200
