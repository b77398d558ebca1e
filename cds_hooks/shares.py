"""What one client may take of the service, so that none starves another: calls in progress, and turns in the queue."""

from __future__ import annotations

import asyncio
from collections import Counter, deque
from collections.abc import Iterator
from contextlib import contextmanager

from cds_hooks.clients import ANONYMOUS, Client
from cds_hooks.errors import Overloaded

Turn = asyncio.Future[None]


class Shares:
    """Counts the calls of each client from its token to the answer: a call whose body drips holds its place too."""

    def __init__(self, limit: int) -> None:
        self._limit = limit
        self._held: Counter[str] = Counter()

    @contextmanager
    def held(self, client: Client) -> Iterator[None]:
        """Holds a place; raises :class:`Overloaded` where the client holds all of its own.

        Where nobody says who calls there is nobody to be fair to.
        """
        name = client.name
        if self._held[name] >= self._limit and name != ANONYMOUS:
            text = f"This client has {self._limit} calls in progress (DYSTONIA_CDS_CLIENT_LIMIT). Nothing was checked."
            raise Overloaded(text, kind="client")
        self._held[name] += 1
        try:
            yield
        finally:
            self._held[name] -= 1


class Line:
    """Calls that wait: those of one client in the order in which they came, and the clients in turn."""

    def __init__(self) -> None:
        self._waiting: dict[str, deque[Turn]] = {}
        self._count = 0

    def __len__(self) -> int:
        return self._count

    def add(self, client: Client, turn: Turn) -> None:
        """The end of the client's own line."""
        self._waiting.setdefault(client.name, deque()).append(turn)
        self._count += 1

    def next(self) -> Turn | None:
        """Who is next; whoever waited may have gone."""
        while self._waiting:
            name = next(iter(self._waiting))
            waiting = self._waiting.pop(name)
            turn = waiting.popleft()
            self._count -= 1
            if waiting:
                self._waiting[name] = waiting  # behind the others
            if not turn.done():
                return turn
        return None
