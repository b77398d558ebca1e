"""Says who calls: checks the token of every call, remembers which were used, counts and logs what came of it."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

import msgspec
import structlog
from starlette.types import Scope

from cds_hooks.auth.model import Caller, Kept
from cds_hooks.clients import Registry
from cds_hooks.clock import Clock, utc_now
from cds_hooks.errors import InternalError, Refusal, Unauthorised, outcome_json
from cds_hooks.metrics import Metrics
from cds_hooks.settings import Settings

if TYPE_CHECKING:
    from cds_hooks.auth.guard import Guard

UNKNOWN = "unknown"
"""What metrics call a client whose token names none that is registered."""

log = structlog.get_logger()


class Reply(msgspec.Struct):
    """The body of an answer with status 200."""

    body: bytes = b"{}"


class Authenticator:
    """Says who calls, or refuses with the one answer that all refusals share."""

    def __init__(
        self, settings: Settings, registry: Registry, public_url: str, metrics: Metrics, clock: Clock = utc_now
    ) -> None:
        """Raises :class:`SettingsTrouble` for a client whose keys cannot be used."""
        self._anonymous = Caller(registry.anonymous)
        self._metrics = metrics
        self._clock = clock
        self._guard: Guard | None = None
        if settings.auth == "required":
            from cds_hooks.auth.guard import make_guard

            self._guard = make_guard(settings, registry, public_url, metrics, clock)

    async def start(self) -> None:
        """Loads the keys of every client and keeps them fresh."""
        if self._guard is not None:
            await self._guard.start()

    async def stop(self) -> None:
        """Ends what :meth:`start` began."""
        if self._guard is not None:
            await self._guard.stop()

    def caller(self, scope: Scope) -> Caller:
        """Who sent this request; raises :class:`Unauthorised`, whatever was wrong."""
        if self._guard is None:
            return self._anonymous
        try:
            return self._guard.verifier.caller(scope["headers"], scope["path"], self._clock().timestamp())
        except Unauthorised as refusal:
            self._refused(refusal)
            raise

    async def claim(self, caller: Caller, body: bytes) -> Kept | None:
        """Marks the token as used. The stored answer if the same call came a moment ago, None for a first use.

        Raises :class:`Unauthorised` for a token that was used for another call, or too long ago, and
        :class:`Overloaded` where the same call is being answered for longer than a call may take.
        """
        if self._guard is None:
            return None
        client = caller.client
        try:
            kept = await self._guard.claim(caller, body)
        except Unauthorised as refusal:
            refusal.client = client.name
            self._refused(refusal)
            log.error("token-replayed", client=client.name)
            raise
        self._metrics.tokens[client.name, "accepted" if kept is None else "re-sent"] += 1
        return kept

    def keep(self, caller: Caller, kept: Kept) -> None:
        """Stores the answer to a call whose token was claimed; without a claim nothing is stored."""
        if self._guard is not None:
            self._guard.keep(caller, kept)

    @contextmanager
    def answering(self, caller: Caller, audit_id: str) -> Iterator[Reply]:
        """Stores what becomes of a claimed call: the reply's body, or the refusal that is raised.

        Any other error leaves no answer behind, so that the same call may be tried again.
        """
        reply = Reply()
        try:
            yield reply
        except Refusal as refusal:
            self.keep(caller, Kept(refusal.status, outcome_json(refusal), audit_id))
            raise
        except BaseException:
            self.keep(caller, Kept(InternalError.status, b"", audit_id))
            raise
        self.keep(caller, Kept(200, reply.body, audit_id))

    def troubles(self) -> list[str]:
        """A sentence for each part that is in trouble, for ``/readyz``."""
        return [] if self._guard is None else self._guard.troubles()

    def _refused(self, refusal: Unauthorised) -> None:
        self._metrics.tokens[refusal.client or UNKNOWN, refusal.reason] += 1
        log.info("token-refused", client=refusal.client, reason=refusal.reason, key=refusal.key)


def check_keys(settings: Settings) -> None:
    """Raises :class:`SettingsTrouble` where tokens are required and the keys of a client cannot be used.

    For the process that starts others: each of them would end with the same sentence, and be started again.
    """
    if settings.auth == "required":
        from cds_hooks.auth.guard import keys_of

        keys_of(Registry.of(settings), Metrics(), settings)
