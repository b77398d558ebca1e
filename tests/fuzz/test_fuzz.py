"""A short run of ``make fuzz``, and the requests that once went wrong."""

from __future__ import annotations

import pytest

from tests.fuzz.driver import Driver, driving, loaded, run
from tests.fuzz.mutations import request, sound
from tests.fuzz.odd import CANARY

SHORT = range(1_500)
ONCE_WRONG = (1_030_956, 1_040_174)
"""A Bundle within a Bundle, one of them with an element of a wrong type: 500."""


async def tried(seeds: list[int]) -> tuple[dict[int, list[str]], Driver]:
    async with driving(loaded()) as driver:
        found = {seed: await driver.wrong(request(seed)) for seed in seeds}
    return {seed: wrong for seed, wrong in found.items() if wrong}, driver


def test_mutated_requests_never_break_the_service() -> None:
    wrong, driver = run(tried([*ONCE_WRONG, *SHORT]))
    assert wrong == {}
    # Without sound calls among them, and every kind of refusal, the run would say little.
    assert driver.statuses[200] > len(SHORT) // 4
    assert {400, 404, 405, 412, 415} <= driver.statuses.keys()


def test_a_seed_is_a_request() -> None:
    assert [request(seed) for seed in range(50)] == [request(seed) for seed in range(50)]
    assert sum(CANARY.encode() in body for body in sound()) > len(sound()) * 0.9


def test_the_driver_sees_what_is_wrong(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("cds_hooks.wire.Decoder.decode", lambda *_: 1 / 0)
    assert any("status 500" in wrong for found in run(tried(list(range(20))))[0].values() for wrong in found)
