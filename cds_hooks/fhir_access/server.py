"""One registered FHIR server: the way to it, whether it is well, and how it wants a patient's id spelt."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from time import monotonic
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from cds_hooks.addresses import Guard
from cds_hooks.fhir_access.queries import BARE, TYPED
from cds_hooks.settings import Settings
from cds_hooks.terminology.breaker import CLOSED, HALF_OPEN, Breaker

if TYPE_CHECKING:
    from cds_hooks.outbound import Outbound

PAGE_SIZE = 5 * 1024 * 1024
CONNECTIONS = 64
OPEN_SECONDS = 10.0
LONGEST_REST = 60.0
"""The longest that a server is left alone because it asked for it."""


class Server:
    """What is remembered of a server from call to call: nothing about any patient."""

    def __init__(self, outbound: Outbound, now: Callable[[], float] = monotonic) -> None:
        self._now = now
        self.outbound = outbound
        self.base = outbound.base
        self.host = urlsplit(outbound.base).netloc
        self._breaker = Breaker(lambda: 1.0, first=0.0, opened=OPEN_SECONDS, longest=OPEN_SECONDS)
        self._spelling: str | None = None
        self._on_trial = False

    @property
    def state(self) -> str:
        """The state of the circuit breaker."""
        return self._breaker.state(self._now())

    @property
    def is_well(self) -> bool:
        """Whether calls may ask it now."""
        return self.state == CLOSED and not self._breaker.wait(self._now())

    def enter(self) -> bool:
        """Whether this call may ask; after a pause one call tries, and the others wait for what it finds."""
        now = self._now()
        if self._breaker.wait(now) > 0 or self._on_trial:
            return False
        self._on_trial = self._breaker.state(now) == HALF_OPEN
        return True

    def leave(self, *, worked: bool | None, rest: float = 0.0) -> None:
        """How it went: whether anything useful came (None: nothing was asked), and what rest the server asked for."""
        self._on_trial = False
        if rest or worked is False:
            self._breaker.failed(self._now(), min(rest, LONGEST_REST))
        elif worked:
            self._breaker.worked()

    @property
    def spellings(self) -> Sequence[str]:
        """The spelling that gave results before, or both in the order in which to try them."""
        return (BARE, TYPED) if self._spelling is None else (self._spelling,)

    def doubts(self, found: bool) -> bool:
        """Whether the spelling that was learnt is given up, because all searches of a call found nothing in it."""
        if found or self._spelling is None:
            return False
        self._spelling = None
        return True

    def learn(self, spelling: str) -> None:
        """A search with this spelling found something."""
        self._spelling = spelling


def connect(base: str, networks: Sequence[str], settings: Settings) -> Server:
    """The way to a registered base; raises :class:`SettingsTrouble` for a base that cannot be used."""
    # Imported here, because an HTTP client takes long to load and most services ask nobody; whoever has a server to ask
    # loads all of it at the start, and not on the time of the first call.
    import cds_hooks.fhir_access.visit  # noqa: F401
    from cds_hooks.outbound import Outbound

    parts = urlsplit(base)
    guard = Guard(parts.hostname or "", parts.port or (443 if parts.scheme == "https" else 80), networks)
    outbound = Outbound(
        base,
        deadline=settings.fhir_budget_ms / 1000,
        size_limit=PAGE_SIZE,
        guard=guard,
        connections=CONNECTIONS,
        authorities=settings.fhir_authorities,
    )
    return Server(outbound)
