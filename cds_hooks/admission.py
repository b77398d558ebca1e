"""How many calls are taken on: a rate for each client, and a bound on what is in progress."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from cds_hooks.clients import Client
from cds_hooks.settings import Settings


class Admission:
    """Lets calls in, or says at once that there are too many."""

    def __init__(self, settings: Settings) -> None:
        self._settings = settings

    @contextmanager
    def enter(self, client: Client) -> Iterator[None]:
        """Holds a place for one call; raises :class:`Overloaded` where there is none."""
        yield
