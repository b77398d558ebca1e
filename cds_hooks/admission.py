"""How many calls are taken on: a rate for each client, a bound on what is in progress, and none that came too late.

Calls are judged one after the other on one event loop, so a crowd of them is not seen as calls in progress: it lies in
the sockets. How long a call lay there is what the kernel says (:mod:`cds_hooks.connections`); its budget runs from then.
A call whose budget would be over before it is judged is answered at once, unjudged.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from time import monotonic

from cds_hooks.clients import Client
from cds_hooks.errors import Overloaded
from cds_hooks.settings import Settings

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
    """Lets calls in, or says at once that there are too many."""

    def __init__(self, settings: Settings, ticks: Ticks = monotonic) -> None:
        self._settings = settings
        self._ticks = ticks
        self._buckets: dict[str, Bucket] = {}
        self._inside = 0
        self._expected = 0.0

    @contextmanager
    def enter(self, client: Client, arrived: float) -> Iterator[None]:
        """Holds a place for one call; raises :class:`Overloaded` where there is none.

        ``arrived`` is the monotonic moment at which the call was there whole.
        """
        began = self._ticks()
        self._check_rate(client, began)
        if self._inside >= self._settings.queue_limit:
            raise Overloaded("Too many calls are in progress. Nothing was checked.", kind="queue")
        if began - arrived + min(self._expected, self._settings.budget * LARGEST_SHARE) > self._settings.budget:
            raise Overloaded("Too many calls came at once to judge this one in time. Nothing was checked.", kind="late")
        self._inside += 1
        try:
            yield
        finally:
            self._inside -= 1
            self._expected += (self._ticks() - began - self._expected) * SMOOTHING

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
