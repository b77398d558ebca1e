"""Checks the token of every call and remembers which tokens were used."""

from __future__ import annotations

import msgspec
from starlette.types import Scope

from cds_hooks.clients import Client, Registry
from cds_hooks.errors import Unauthorised
from cds_hooks.settings import Settings


class Caller(msgspec.Struct, frozen=True):
    """Who calls, and by which token: ``token_id`` is its jti and ``expires`` its exp in epoch seconds."""

    client: Client
    token_id: str = ""
    expires: float = 0.0


class Kept(msgspec.Struct, frozen=True):
    """An answer that was given to the same token and body a moment ago."""

    status: int
    body: bytes
    audit_id: str


class Authenticator:
    """Says who calls, or refuses with the one answer that all refusals share."""

    def __init__(self, settings: Settings, registry: Registry, public_url: str) -> None:
        self._required = settings.auth == "required"
        self._anonymous = Caller(registry.anonymous)

    async def start(self) -> None:
        """Loads the keys of every client and keeps them fresh."""

    async def stop(self) -> None:
        """Ends what :meth:`start` began."""

    def caller(self, scope: Scope) -> Caller:
        """Who sent this request; raises :class:`Unauthorised`, whatever was wrong."""
        if self._required:
            raise Unauthorised
        return self._anonymous

    async def claim(self, caller: Caller, body: bytes) -> Kept | None:
        """Marks the token as used. The stored answer if the same call came a moment ago, None for a first use.

        Raises :class:`Unauthorised` for a token that was used for another call, or too long ago.
        """
        return None

    def keep(self, caller: Caller, kept: Kept) -> None:
        """Stores the answer to a call whose token was claimed."""
