"""How fast codes are asked about, measured where it counts: at the other side."""

from __future__ import annotations

import asyncio
import time
from bisect import bisect_left
from collections.abc import Sequence

from cds_hooks.audit.terms import LearnedRow
from cds_hooks.metrics import Metrics
from cds_hooks.outbound import Outbound
from cds_hooks.terminology.background import ACCEPTED
from cds_hooks.terminology.breaker import Breaker
from cds_hooks.terminology.entry import Entry
from cds_hooks.terminology.resolver import PACE_SECONDS, Resolver
from plugin.desk import TerminologyDesk
from tests.support.fhir import RXNORM
from tests.support.rxnav import serving

MOST_IN_A_SECOND = 20
BURST = 60
TRIES = 3
"""A machine that holds the receiving side up for a moment lets requests arrive together that left apart."""


class Arrivals(list[str]):
    """The requests that a server took in, and when."""

    def __init__(self) -> None:
        super().__init__()
        self.times: list[float] = []

    def append(self, path: str) -> None:
        self.times.append(time.monotonic())
        super().append(path)


async def asked_about(codes: Sequence[str], base: str) -> list[LearnedRow]:
    """What a resolver with the real client, clock and pauses learns about codes that are queued at once."""
    kept: list[LearnedRow] = []

    async def keep(rows: Sequence[LearnedRow]) -> None:
        kept.extend(rows)

    resolver = Resolver(TerminologyDesk(), "rxnav", keep, Metrics(), Breaker(lambda: 0.5))
    resolver.offer([Entry("drug", RXNORM, code, "") for code in codes])
    client = Outbound(base, accepted=ACCEPTED["rxnav"])
    try:
        await asyncio.wait_for(resolver.drain(client.get), 60)
    finally:
        await client.close()
    return kept


def most_within_a_second(times: Sequence[float]) -> int:
    """The most arrivals of any window of one second; one that comes exactly a second later is in the next."""
    return max(bisect_left(times, start + 1.0) - at for at, start in enumerate(times))


def test_the_count_tells_a_dense_burst_from_a_slow_one() -> None:
    assert most_within_a_second([number * PACE_SECONDS for number in range(BURST)]) <= MOST_IN_A_SECOND
    assert most_within_a_second([number / 32 for number in range(BURST)]) == 32
    assert most_within_a_second([0.0, 5.0, 5.0, 5.5, 6.0]) == 3


def test_no_second_of_a_burst_holds_more_requests_than_are_allowed() -> None:
    codes = [str(99_000_000 + number) for number in range(BURST)]
    found = []
    for _ in range(TRIES):
        arrivals = Arrivals()
        with serving({}, arrivals) as base:
            kept = asyncio.run(asked_about(codes, base))
        assert list(arrivals) == [f"/rxcui/{code}/historystatus.json" for code in codes]
        assert [row.code for row in kept] == codes
        found.append(most_within_a_second(arrivals.times))
        if found[-1] <= MOST_IN_A_SECOND:
            return
    raise AssertionError(f"expected at most {MOST_IN_A_SECOND} requests in any second, found {found}")
