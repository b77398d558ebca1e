"""The resolver and its client: what every kind of answer leads to. One row, one behaviour of the other side."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any

import httpx
import pytest
import respx

from cds_hooks.audit.terms import LearnedRow
from cds_hooks.metrics import Metrics
from cds_hooks.outbound import LONGEST_WAIT, SIZE_LIMIT, Outbound, OutboundTrouble
from cds_hooks.terminology import resolver as module
from cds_hooks.terminology.background import ACCEPTED
from cds_hooks.terminology.breaker import Breaker
from cds_hooks.terminology.entry import Entry
from cds_hooks.terminology.resolver import NEGATIVE, POSITIVE, TRIES, Resolver, Trouble
from plugin.desk import TerminologyDesk
from tests.support.fhir import RXNORM
from tests.support.rxnav import NOBODY, history

BASE = "https://rxnav.example/REST"
CODE = "99000001"
URL = f"{BASE}/rxcui/{CODE}/historystatus.json"
NOW = datetime(2026, 11, 22, 10, tzinfo=UTC)
GOOD = httpx.Response(200, json=history("haloperidol 5 MG Oral Tablet", ("5093", "Haloperidol")))
JSON = {"Content-Type": "application/json"}
MIDDLE = 0.5
DRIP_DEADLINE = 0.3


class Stream(httpx.AsyncByteStream):
    """A body that comes piece by piece, and may end in an error."""

    def __init__(self, *pieces: bytes, pause: float = 0.0, error: Exception | None = None) -> None:
        self._pieces, self._pause, self._error = pieces, pause, error

    async def __aiter__(self) -> AsyncIterator[bytes]:
        for piece in self._pieces:
            await asyncio.sleep(self._pause)
            yield piece
        if self._error is not None:
            raise self._error


def stream(*pieces: bytes, headers: dict[str, str] | None = None, **how: Any) -> httpx.Response:
    return httpx.Response(200, headers=JSON | (headers or {}), stream=Stream(*pieces, **how))


def body(content: bytes, status: int = 200, **headers: str) -> httpx.Response:
    given = {name.replace("_", "-"): value for name, value in headers.items()}
    return httpx.Response(status, content=content, headers=JSON | given)


def status(number: int, content: bytes = b"{}", **headers: str) -> httpx.Response:
    return body(content, number, **headers)


@dataclass
class Bench:
    """A resolver with a clock that moves only when it sleeps, and everything that it did."""

    now: float = 1000.0
    wall: datetime = NOW
    slept: list[tuple[float, str, int, int]] = field(default_factory=list)
    kept: list[LearnedRow] = field(default_factory=list)
    metrics: Metrics = field(default_factory=Metrics)
    source: str = "rxnav"
    resolver: Resolver = field(init=False)
    breaker: Breaker = field(init=False)

    def __post_init__(self) -> None:
        self.breaker = Breaker(lambda: MIDDLE)
        self.resolver = Resolver(
            TerminologyDesk(), self.source, self.keep, self.metrics, self.breaker,
            clock=lambda: self.wall, now=lambda: self.now, sleep=self.sleep,
        )  # fmt: skip

    async def keep(self, rows: Any) -> None:
        self.kept += rows

    async def sleep(self, seconds: float) -> None:
        if seconds:
            self.slept.append((seconds, self.resolver.state, self.resolver.waiting, len(self.kept)))
        self.now += seconds

    async def drain(self, base: str = BASE) -> None:
        """Asks until nothing waits, through the real client."""
        client = Outbound(base, accepted=ACCEPTED[self.source], deadline=DRIP_DEADLINE, clock=lambda: self.wall)

        async def get(target: str) -> Any:
            try:
                return await client.get(target)
            except OutboundTrouble as trouble:
                raise Trouble(trouble.kind, trouble.wait.total_seconds() if trouble.wait else 0.0) from None

        try:
            await self.resolver.drain(get)
        finally:
            await client.close()

    def outcomes(self) -> dict[str, int]:
        return {labels[0]: count for labels, count in self.metrics.resolver_requests.items()}


def entry(code: str = CODE, system: str = RXNORM, position: str = "drug") -> Entry:
    return Entry(position, system, code, "")


DEEP = b"[" * 40 + b"]" * 40
LATER = "Sun, 22 Nov 2026 10:02:00 GMT"
EARLIER = "Sun, 22 Nov 2026 09:00:00 GMT"
FIRST_PAUSE = 0.375  # half a second, and a quarter of it as the middle of the jitter

# what the server does                  -> outcome counted, seconds until the next request
FAULTS: dict[str, tuple[Any, str, float]] = {
    "connection refused": (httpx.ConnectError("refused"), "unreachable", FIRST_PAUSE),
    "no such host": (httpx.ConnectError("Name or service not known"), "unreachable", FIRST_PAUSE),
    "bad certificate": (httpx.ConnectError("certificate verify failed"), "unreachable", FIRST_PAUSE),
    "connection hangs": (httpx.ConnectTimeout("slow"), "timeout", FIRST_PAUSE),
    "accepts, then silence": (httpx.ReadTimeout("slow"), "timeout", FIRST_PAUSE),
    "slow drip": (stream(*[b" "] * 100, pause=0.05), "timeout", FIRST_PAUSE),
    "reset in the middle": (stream(b'{"rx', error=httpx.ReadError("reset")), "unreachable", FIRST_PAUSE),
    "closed before the end": (stream(b"{", error=httpx.RemoteProtocolError("closed")), "unusable", FIRST_PAUSE),
    "not HTTP": (httpx.RemoteProtocolError("illegal status line"), "unusable", FIRST_PAUSE),
    "truncated JSON": (body(b'{"rxcuiStatusHistory": {'), "unusable", FIRST_PAUSE),
    "empty body": (body(b""), "unusable", FIRST_PAUSE),
    "byte order mark": (body(b"\xef\xbb\xbf{}"), "unusable", FIRST_PAUSE),
    "other charset": (body('{"é": 1}'.encode("utf-16")), "unusable", FIRST_PAUSE),
    "HTML with status 200": (httpx.Response(200, html="<h1>Tomcat</h1>"), "unusable", FIRST_PAUSE),
    "HTML said to be JSON": (body(b"<h1>Tomcat</h1>"), "unusable", FIRST_PAUSE),
    "JSON said to be text": (httpx.Response(200, text="{}"), "unusable", FIRST_PAUSE),
    "no content type": (httpx.Response(200, content=b"{}"), "unusable", FIRST_PAUSE),
    "HTML with status 404": (httpx.Response(404, html="no such page"), "unusable", FIRST_PAUSE),
    "JSON of another kind": (body(b'[1, "a"]'), "unreadable", FIRST_PAUSE),
    "an empty object": (body(b"{}"), "unreadable", FIRST_PAUSE),
    "an OperationOutcome": (body(b'{"resourceType": "OperationOutcome"}'), "unreadable", FIRST_PAUSE),
    "a number where a name is due": (
        body(b'{"rxcuiStatusHistory": {"metaData": {"status": 7}}}'), "unreadable", FIRST_PAUSE,
    ),
    "deep nesting": (body(DEEP), "unusable", FIRST_PAUSE),
    "very deep nesting": (body(b"[" * 60_000 + b"]" * 60_000), "unusable", FIRST_PAUSE),
    "a text that never ends": (body(b'"' + b'\\"' * 60_000), "unusable", FIRST_PAUSE),
    "huge by its length": (body(b"{}", Content_Length=str(10**9)), "unusable", FIRST_PAUSE),
    "huge in fact": (stream(*[b" " * 1024] * (SIZE_LIMIT // 1024 + 2)), "unusable", FIRST_PAUSE),
    "compressed": (stream(b"\x1f\x8b", headers={"Content-Encoding": "gzip"}), "unusable", FIRST_PAUSE),
    "nothing to say": (httpx.Response(204), "status", FIRST_PAUSE),
    "moved for good": (status(301, Location=f"{BASE}/other"), "status", FIRST_PAUSE),
    "moved elsewhere": (status(302, Location="https://other.example/"), "status", FIRST_PAUSE),
    "moved inside": (status(307, Location="http://169.254.169.254/"), "status", FIRST_PAUSE),
    "bad request": (status(400), "status", FIRST_PAUSE),
    "unauthorised": (status(401), "status", FIRST_PAUSE),
    "forbidden": (status(403), "status", FIRST_PAUSE),
    "gone": (status(410), "status", FIRST_PAUSE),
    "too many, no word when": (status(429), "status", FIRST_PAUSE),
    "too many, at once again": (status(429, Retry_After="0"), "status", FIRST_PAUSE),
    "too many, in 7 seconds": (status(429, Retry_After="7"), "status", 7.0),
    "too many, in a day": (status(429, Retry_After="86400"), "status", LONGEST_WAIT.total_seconds()),
    "too many, at a time": (status(429, Retry_After=LATER), "status", 120.0),
    "too many, at a time gone by": (status(429, Retry_After=EARLIER), "status", FIRST_PAUSE),
    "too many, with junk": (status(429, Retry_After="soon"), "status", FIRST_PAUSE),
    "too many, with minus": (status(429, Retry_After="-5"), "status", FIRST_PAUSE),
    "server error": (status(500), "status", FIRST_PAUSE),
    "bad gateway": (status(502, b"<html>"), "status", FIRST_PAUSE),
    "unavailable, in 9 seconds": (status(503, Retry_After="9"), "status", 9.0),
    "gateway timeout": (status(504), "status", FIRST_PAUSE),
}  # fmt: skip


@pytest.mark.parametrize("name", FAULTS)
def test_a_fault_is_counted_waited_for_and_asked_again_and_teaches_nothing(name: str) -> None:
    fault, outcome, pause = FAULTS[name]

    async def play() -> tuple[Bench, int]:
        bench = Bench()
        bench.resolver.offer([entry()])
        with respx.mock(assert_all_called=False) as web:
            route = web.get(URL).mock(side_effect=[fault, GOOD])
            await bench.drain()
            return bench, route.call_count

    bench, calls = asyncio.run(play())
    assert bench.outcomes() == {outcome: 1, "answered": 1} | ({"answered": 2} if outcome == "unreadable" else {})
    assert bench.slept == [(pause, "closed", 1, 0)]
    assert calls == len([fault, GOOD])
    assert [(row.code, row.targets, row.known) for row in bench.kept] == [(CODE, ("5093",), True)]
    assert (bench.resolver.state, bench.breaker.failures) == ("closed", 0)


def test_a_server_that_stays_away_opens_the_breaker_and_the_code_is_given_up() -> None:
    async def play() -> Bench:
        bench = Bench()
        bench.resolver.offer([entry()])
        with respx.mock:
            respx.get(URL).respond(503)
            await bench.drain()
        return bench

    bench = asyncio.run(play())
    assert bench.outcomes() == {"status": TRIES, "given-up": 1}
    assert [pause for pause, *_ in bench.slept] == [0.375, 0.75, 1.5, 3.0]
    assert (bench.kept, bench.resolver.waiting, bench.resolver.state) == ([], 0, "open")
    bench.resolver.offer([entry()])
    assert bench.resolver.waiting == 0, "a code that was given up rests"
    bench.now += module.REST_SECONDS + 1
    assert bench.resolver.state == "half-open"
    bench.resolver.offer([entry()])
    assert bench.resolver.waiting == 1, "and is asked about again later"


# failures in a row -> (state at once, seconds to wait, state when they are over)
BREAKER = [
    (0, "closed", 0.0, "closed"),
    (1, "closed", 0.375, "closed"),
    (4, "closed", 3.0, "closed"),
    (5, "open", 22.5, "half-open"),
    (6, "open", 45.0, "half-open"),
    (9, "open", 360.0, "half-open"),
    (10, "open", 450.0, "half-open"),
    (99, "open", 450.0, "half-open"),
]


@pytest.mark.parametrize(("failures", "at_once", "wait", "later"), BREAKER)
def test_the_breaker(failures: int, at_once: str, wait: float, later: str) -> None:
    breaker = Breaker(lambda: MIDDLE)
    for _ in range(failures):
        breaker.failed(100.0)
    assert (breaker.state(100.0), breaker.wait(100.0)) == (at_once, wait)
    assert (breaker.state(100.0 + wait), breaker.wait(100.0 + wait)) == (later, 0.0)
    breaker.worked()
    assert (breaker.state(100.0), breaker.wait(100.0)) == ("closed", 0.0)


def test_one_bad_answer_in_the_half_open_state_opens_it_for_longer() -> None:
    breaker = Breaker(lambda: MIDDLE)
    for _ in range(5):
        breaker.failed(0.0)
    breaker.failed(30.0)
    assert (breaker.state(30.0), breaker.wait(30.0)) == ("open", 45.0)


def drained(bench: Bench, *codes: str, answer: Callable[[httpx.Request], httpx.Response]) -> Bench:
    async def play() -> Bench:
        bench.resolver.offer([entry(code) for code in codes])
        with respx.mock:
            respx.get(url__startswith=BASE).mock(side_effect=answer)
            await bench.drain()
        return bench

    return asyncio.run(play())


def test_an_unknown_code_is_remembered_for_a_week_and_a_known_one_for_a_quarter() -> None:
    bench = Bench()
    drained(bench, "99000001", "99000002", "99000003", answer=lambda request: {
        "1": GOOD, "2": httpx.Response(200, json=NOBODY), "3": status(404),
    }[request.url.path.split("/")[3][-1]])  # fmt: skip
    assert [(row.known, row.expires - row.time) for row in bench.kept] == [
        (True, POSITIVE), (False, NEGATIVE), (False, NEGATIVE),
    ]  # fmt: skip
    assert bench.outcomes() == {"answered": 2, "unknown": 1}
    bench.resolver.offer([entry(code) for code in ("99000001", "99000002", "99000003")])
    assert bench.resolver.waiting == 0
    bench.now += NEGATIVE.total_seconds() + 1
    bench.resolver.offer([entry(code) for code in ("99000001", "99000002", "99000003")])
    assert bench.resolver.waiting == len(["99000002", "99000003"])


def test_no_more_than_twenty_requests_a_second() -> None:
    bench = Bench()
    codes = [str(99000000 + number) for number in range(60)]
    times: list[float] = []

    def answer(_: httpx.Request) -> httpx.Response:
        times.append(bench.now)
        return httpx.Response(200, json=NOBODY)

    drained(bench, *codes, answer=answer)
    assert len(times) == len(codes)
    assert max(sum(start <= time < start + 1 - 1e-9 for time in times) for start in times) <= 20


def test_a_code_that_the_source_stumbles_over_does_not_hold_back_the_others() -> None:
    bench = Bench()
    drained(bench, "99000001", "99000002", answer=lambda request: (
        status(500) if "99000001" in request.url.path else httpx.Response(200, json=NOBODY)
    ))  # fmt: skip
    assert [row.code for row in bench.kept] == ["99000002"]
    assert bench.outcomes() == {"status": TRIES, "answered": 1, "given-up": 1}


# position, system, code -> is it a question for RxNav at all?
ASKED = [
    ("drug", RXNORM, "99000001", True),
    ("drug", RXNORM, "99 000", False),
    ("drug", RXNORM, "5093/../x", False),
    ("drug", RXNORM, "5093?x=1", False),
    ("drug", RXNORM, "", False),
    ("drug", RXNORM, "999999999999", False),
    ("drug", "http://hl7.org/fhir/sid/ndc", "0143-3145-01", True),
    ("drug", "http://hl7.org/fhir/sid/ndc", "00143314501", True),
    ("drug", "http://hl7.org/fhir/sid/ndc", "haloperidol", False),
    ("drug", "urn:oid:1.2.3.4", "HAL5", False),
    ("lab", RXNORM, "99000001", False),
    ("problem", "http://snomed.info/sct", "15802004", False),
]


@pytest.mark.parametrize(("position", "system", "code", "asked"), ASKED)
def test_only_codes_that_the_source_can_answer_go_out(position: str, system: str, code: str, asked: bool) -> None:
    async def play() -> int:
        bench = Bench()
        bench.resolver.offer([Entry(position, system, code, "Patient Jane Doe")])
        with respx.mock(assert_all_called=False) as web:
            route = web.get(url__startswith=BASE).respond(json=NOBODY)
            route.side_effect = lambda request: httpx.Response(
                200, json={"ndcStatus": {}} if "ndc" in request.url.path else NOBODY
            )
            await bench.drain()
            assert all("Jane" not in str(one.request.url) for one in route.calls)
            assert bench.resolver.waiting == 0
            return int(route.call_count)

    assert bool(asyncio.run(play())) is asked


# learned days ago, expires in days, known -> asked again at the start?, asked again at the next call?
STORED = [
    ("fresh", 1, 89, True, False, False),
    ("fresh negative", 1, 6, False, False, False),
    ("expired", 91, -1, True, True, True),
    ("expired negative", 8, -1, False, False, True),
    ("clock set back", -400, 490, True, True, True),
    ("kept for too long", 0, 4000, True, False, False),
]


@pytest.mark.parametrize(("name", "ago", "left", "known", "at_start", "at_call"), STORED)
def test_what_was_learned_before(name: str, ago: int, left: int, known: bool, at_start: bool, at_call: bool) -> None:
    bench = Bench()
    learned = LearnedRow(
        position="drug", system=RXNORM, code=CODE, name="x", targets=(), source="RxNav", known=known,
        time=NOW - timedelta(days=ago), expires=NOW + timedelta(days=left),
    )  # fmt: skip
    bench.resolver.settle([learned])
    assert bool(bench.resolver.waiting) is at_start, name
    bench.resolver.offer([entry()])
    assert bool(bench.resolver.waiting) is at_call, name


def test_steps_of_the_wall_clock_change_no_wait() -> None:
    bench = Bench()
    drained(bench, CODE, answer=lambda _: httpx.Response(200, json=NOBODY))
    bench.wall = NOW - timedelta(days=3650)
    bench.resolver.offer([entry()])
    assert bench.resolver.waiting == 0
    bench.wall = NOW + timedelta(days=3650)
    bench.resolver.offer([entry()])
    assert bench.resolver.waiting == 0


def test_a_full_queue_takes_no_more(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "QUEUE_LIMIT", 3)
    bench = Bench()
    bench.resolver.offer([entry(str(number)) for number in range(5)])
    assert bench.resolver.waiting == 3
    assert bench.outcomes() == {"queue-full": 2}


def test_the_worker_wakes_for_what_is_offered_while_it_rests() -> None:
    async def play() -> list[str]:
        bench, client, kept = Bench(), Outbound(BASE), []
        with respx.mock:
            respx.get(url__startswith=BASE).mock(return_value=GOOD)
            worker = asyncio.create_task(bench.resolver.run(client.get))
            for code in ("99000001", "99000002"):
                bench.resolver.offer([entry(code)])
                while not any(row.code == code for row in bench.kept):
                    await asyncio.sleep(0)
                kept.append(code)
            worker.cancel()
        await client.close()
        return kept

    assert asyncio.run(asyncio.wait_for(play(), 30)) == ["99000001", "99000002"]
