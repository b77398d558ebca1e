"""What the rest of the host knows of authentication, without the libraries that check signatures."""

from __future__ import annotations

import msgspec

from cds_hooks.clients import Client


class Caller(msgspec.Struct, frozen=True):
    """Who calls, and by which token: ``token_id`` is its jti and ``expires`` its exp in epoch seconds; ``path`` is
    what it was used for."""

    client: Client
    token_id: str = ""
    expires: float = 0.0
    path: str = ""


class Kept(msgspec.Struct, frozen=True):
    """An answer that was given to the same token and body a moment ago."""

    status: int
    body: bytes
    audit_id: str
