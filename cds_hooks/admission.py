"""How many calls are taken on: a rate for each client, a bounded queue with fair turns, and none that would be late.

Calls are judged one after the other on one event loop. One is begun in each turn of the loop, so that between two of
them new connections and requests are read: a crowd is a queue that can be counted, not a heap of unread sockets. How
long a call lay unread all the same is what the kernel says (:mod:`cds_hooks.connections`); its budget runs from then.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from time import monotonic

from cds_hooks.audit import GATHER_SECONDS
from cds_hooks.clients import Client
from cds_hooks.errors import Overloaded
from cds_hooks.settings import Settings
from cds_hooks.shares import Line

SMOOTHING = 0.05
LARGEST_SHARE = 0.5
"""Of the budget: the longest time that a call is expected to take, so that slow ones never shut the door for good."""

Ticks = Callable[[], float]


class Bucket:
    """Tokens for the calls of one client; they come back at a steady rate, up to those of one second."""

    __slots__ = ("_rate", "_size", "_then", "_tokens")

    def __init__(self, rate: float, now: float) -> None:
        self._rate, self._size = rate, max(1.0, rate)
        self._tokens, self._then = self._size, now

    def take(self, now: float) -> float:
        """Takes a token; returns 0, or the seconds until there is one."""
        self._tokens = min(self._size, self._tokens + (now - self._then) * self._rate)
        self._then = now
        if self._tokens < 1:
            return (1 - self._tokens) / self._rate
        self._tokens -= 1
        return 0.0


class Admission:
    """Lets calls in, one in each turn of the loop, or says at once that there are too many."""

    def __init__(self, settings: Settings, ticks: Ticks = monotonic) -> None:
        self._settings = settings
        self._ticks = ticks
        self._buckets: dict[str, Bucket] = {}
        self._inside = 0
        self.opened = 0.0
        self._begun = False
        self._queue = Line()
        self._held = 0
        self._expected = 0.0
        """Seconds, smoothed, that a call takes once it was begun."""

    def open(self) -> None:
        """The service is ready: what lay in the sockets while it started has its whole budget from now."""
        self.opened = self._ticks()

    def check(self, arrived: float) -> None:
        """Raises :class:`Overloaded` where a call that arrived then would find no place, or come too late."""
        if self._inside + len(self._queue) >= self._settings.queue_limit:
            raise Overloaded("Too many calls are in progress. Nothing was checked.", kind="queue")
        self._check_time(arrived)

    @asynccontextmanager
    async def enter(self, client: Client, arrived: float) -> AsyncIterator[None]:
        """Waits for the turn of one call and holds its place; raises :class:`Overloaded` where there is none.

        ``arrived`` is the monotonic moment at which the call was there whole.
        """
        self._check_rate(client, self._ticks())
        self.check(arrived)
        if self._begun:
            await self._turn(client)
            self._check_time(arrived)
        else:
            self._begun = True
            asyncio.get_running_loop().call_soon(self._next)
        began = self._ticks()
        self._inside += 1
        try:
            yield
        finally:
            self._inside -= 1
            self._expected += (self._ticks() - began - self._expected) * SMOOTHING

    def until(self, error: Overloaded, arrived: float) -> float:
        """The monotonic moment at which a call that is not judged is told so, 0 for at once.

        Whoever asks again at once would else be the quicker the less there is for him, and the service would do nothing
        but refuse. A token in use waited already.
        """
        milliseconds = self._settings.overload_wait_ms
        wait = self._settings.budget if milliseconds is None else milliseconds / 1000
        return 0.0 if error.kind == "busy" else arrived + wait - GATHER_SECONDS

    async def outlast(self, moment: float) -> None:
        """Lets the time pass until then. No more calls than may be in progress wait so; the others are told at once."""
        seconds = moment - self._ticks()
        if seconds <= 0 or self._held >= self._settings.queue_limit:
            return
        self._held += 1
        try:
            await asyncio.sleep(seconds)
        finally:
            self._held -= 1

    def _check_time(self, arrived: float) -> None:
        budget = self._settings.budget
        if self._ticks() - arrived + min(self._expected, budget * LARGEST_SHARE) > budget:
            raise Overloaded("Too many calls came at once to judge this one in time. Nothing was checked.", kind="late")

    async def _turn(self, client: Client) -> None:
        """Waits in the queue."""
        turn: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._queue.add(client, turn)
        await turn

    def _next(self) -> None:
        """A turn of the loop is over: the next in the queue may begin, or whoever comes."""
        turn = self._queue.next()
        if turn is None:
            self._begun = False
        else:
            turn.set_result(None)
            asyncio.get_running_loop().call_soon(self._next)

    def _check_rate(self, client: Client, now: float) -> None:
        rate = client.calls_per_second or self._settings.calls_per_second
        if rate is None:
            return
        bucket = self._buckets.get(client.name)
        if bucket is None:
            bucket = self._buckets[client.name] = Bucket(rate, now)
        wait = bucket.take(now)
        if wait:
            text = f"More calls than the {rate:g} a second that this client may make. Nothing was checked."
            raise Overloaded(text, wait, "rate")
