"""Asks a terminology source about codes that nothing here knows: one code after the other, never on a call's path."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Generator, Iterable, Sequence
from datetime import datetime, timedelta
from time import monotonic
from typing import TYPE_CHECKING

import msgspec
import structlog

from cds_hooks.audit.terms import LearnedRow
from cds_hooks.clock import Clock, utc_now
from cds_hooks.logging import where
from cds_hooks.terminology.breaker import Breaker
from cds_hooks.terminology.entry import Entry

if TYPE_CHECKING:
    from cds_hooks.metrics import Metrics
    from cds_hooks.outbound import Answer
    from cds_hooks.terminology.desk import Desk, Learned, Unmapped

POSITIVE = timedelta(days=90)
NEGATIVE = timedelta(days=7)
PACE_SECONDS = 0.055
"""Between two requests: RxNav allows twenty a second as it receives them, and some come closer than they went."""
QUEUE_LIMIT = 5_000
SETTLED_LIMIT = 100_000
TRIES = 5
REST_SECONDS = 600.0
"""How long a code is left alone that could not be asked about ``TRIES`` times."""
LONGEST_TALK = 40
"""Requests about one code: a plugin that asks for more has lost its way."""
PUBLISH_SECONDS = 1.0

Key = tuple[str, str, str]
Talk = Generator[str, bytes | None, "Learned | None"]
Get = Callable[[str], Awaitable["Answer"]]
Keep = Callable[[Sequence[LearnedRow]], Awaitable[None]]
log = structlog.get_logger()


class Waiting(msgspec.Struct):
    """A code in the queue, and how often asking about it failed."""

    item: Unmapped
    tries: int = 0


class Trouble(Exception):
    """An answer that was no use; ``kind`` is a word for the metric, ``wait`` the pause that the source asked for."""

    def __init__(self, kind: str, wait: float = 0.0) -> None:
        super().__init__(kind)
        self.kind = kind
        self.wait = wait


class Resolver:
    """The queue and the worker that empties it. One event loop uses it, so that no lock is needed.

    ``keep`` is given what was learned, in batches, to put it into force and into the store.
    """

    def __init__(
        self,
        desk: Desk,
        source: str,
        keep: Keep,
        metrics: Metrics,
        breaker: Breaker,
        *,
        clock: Clock = utc_now,
        now: Callable[[], float] = monotonic,
        sleep: Callable[[float], Awaitable[None]] = asyncio.sleep,
    ) -> None:
        self.source = source
        self._desk = desk
        self._keep = keep
        self._metrics = metrics
        self._breaker = breaker
        self._clock, self._now, self._sleep = clock, now, sleep
        self._queue: dict[Key, Waiting] = {}
        self._settled: dict[Key, float] = {}
        self._found: list[LearnedRow] = []
        self._published = now()
        self._asked = now() - PACE_SECONDS
        self._wake = asyncio.Event()

    @property
    def waiting(self) -> int:
        """How many codes wait to be asked about."""
        return len(self._queue)

    @property
    def state(self) -> str:
        """The state of the circuit breaker."""
        return self._breaker.state(self._now())

    def settle(self, rows: Iterable[LearnedRow]) -> None:
        """Take what was learned before as settled, and ask again about what has expired since."""
        now = self._clock()
        for row in rows:
            # A wall clock that was set back must not keep an answer for longer than it was given for.
            left = min(row.expires - now, POSITIVE if row.known else NEGATIVE)
            if left > timedelta() and row.time <= now + timedelta(days=1):
                self._settled[row.position, row.system, row.code] = self._now() + left.total_seconds()
            elif row.known:
                self.offer([Entry(row.position, row.system, row.code, row.name)])

    def offer(self, unmapped: Iterable[Unmapped]) -> None:
        """Queue the codes that are not settled; a few dictionary look-ups, because a call has just been answered."""
        now = self._now()
        for item in unmapped:
            if not item.code:
                continue
            key = (item.position, item.system, item.code)
            if key in self._queue or self._settled.get(key, now) > now:
                continue
            if len(self._queue) >= QUEUE_LIMIT:
                self._metrics.resolver_requests["queue-full",] += 1
                continue
            self._queue[key] = Waiting(item)
            self._wake.set()

    async def run(self, get: Get) -> None:
        """Empty the queue for ever; ``get`` asks the source and raises :class:`Trouble`."""
        while True:
            await self._wake.wait()
            self._wake.clear()
            await self.drain(get)

    async def drain(self, get: Get) -> None:
        """Ask about everything that waits, until nothing does."""
        while self._queue:
            await self._sleep(self._breaker.wait(self._now()))
            key = next(iter(self._queue))
            await self._one(key, self._queue[key], get)
            if not self._queue or self._now() - self._published >= PUBLISH_SECONDS:
                await self.publish()
        await self.publish()

    async def _one(self, key: Key, waiting: Waiting, get: Get) -> None:
        try:
            asked, learned = await self._talk(self._desk.lookup(waiting.item, self.source), get)
        except Trouble as trouble:
            self._metrics.resolver_requests[trouble.kind,] += 1
            self._breaker.failed(self._now(), trouble.wait)
            log.warning("resolver-trouble", source=self.source, kind=trouble.kind, failures=self._breaker.failures)
            self._again(key, waiting)
            return
        if asked:
            self._breaker.worked()
        lifetime = POSITIVE if learned is not None else NEGATIVE
        del self._queue[key]
        self._settle(key, lifetime.total_seconds())
        if asked:
            self._found.append(_row(key, learned, self.source, self._clock(), lifetime))

    def _again(self, key: Key, waiting: Waiting) -> None:
        """To the end of the queue: a code that the source stumbles over must not hold back the others."""
        waiting.tries += 1
        del self._queue[key]
        if waiting.tries < TRIES:
            self._queue[key] = waiting
        else:
            self._metrics.resolver_requests["given-up",] += 1
            self._settle(key, REST_SECONDS)

    def _settle(self, key: Key, seconds: float) -> None:
        if len(self._settled) >= SETTLED_LIMIT:
            del self._settled[next(iter(self._settled))]
        self._settled[key] = self._now() + seconds

    async def _talk(self, talk: Talk, get: Get) -> tuple[int, Learned | None]:
        """How many requests were made, and what they taught."""
        body: bytes | None = None
        try:
            target = next(talk)
            for asked in range(1, LONGEST_TALK + 1):
                body = await self._ask(target, get)
                try:
                    target = talk.send(body)
                except StopIteration as end:
                    return asked, end.value
        except StopIteration as end:
            return 0, end.value
        except (Trouble, asyncio.CancelledError):
            raise
        except Exception as error:
            log.error("resolver-answer-unread", source=self.source, error=type(error).__name__, where=where(error))
            raise Trouble("unreadable") from None
        finally:
            talk.close()
        raise Trouble("endless")

    async def _ask(self, target: str, get: Get) -> bytes | None:
        await self._sleep(max(0.0, self._asked + PACE_SECONDS - self._now()))
        self._asked = self._now()
        answer = await get(target)
        known = answer.status == 200
        self._metrics.resolver_requests["answered" if known else "unknown",] += 1
        return answer.body if known else None

    async def publish(self) -> None:
        """Hand over what was learned since the last time."""
        found, self._found = self._found, []
        self._published = self._now()
        if found:
            await self._keep(found)


def _row(key: Key, learned: Learned | None, source: str, now: datetime, lifetime: timedelta) -> LearnedRow:
    position, system, code = key
    return LearnedRow(
        position=position,
        system=system,
        code=code,
        name=learned.name if learned is not None else "",
        targets=tuple(learned.targets) if learned is not None else (),
        source=learned.source if learned is not None else source,
        known=learned is not None,
        time=now,
        expires=now + lifetime,
    )
