"""What a token whose signature is good must still say: how long it holds, and which one it is."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from cds_hooks.errors import Unauthorised

LEEWAY = 60
"""Seconds by which the clocks of the two sides may differ."""

LONGEST_LIFE = 3600
LONGEST_JTI = 255
_LAST_MOMENT = 253_402_300_799
"""The end of the year 9999: no later moment is meant by anybody."""


def check_claims(claims: Mapping[str, Any], now: float) -> None:
    """Raises :class:`Unauthorised` unless the claims hold at ``now`` (epoch seconds).

    ``jti``, ``exp`` and ``iat`` are required; ``nbf`` counts where it is there. Times are whole seconds since 1970.
    """
    token_id = claims.get("jti")
    if not isinstance(token_id, str) or not 0 < len(token_id) <= LONGEST_JTI:
        raise Unauthorised("claims")
    ends, made = _moment(claims, "exp"), _moment(claims, "iat")
    starts = _moment(claims, "nbf") if "nbf" in claims else made
    if not 0 < ends - made <= LONGEST_LIFE:
        raise Unauthorised("lifetime")
    if now >= ends + LEEWAY:
        raise Unauthorised("expired")
    if max(made, starts) > now + LEEWAY:
        raise Unauthorised("too-early")


def _moment(claims: Mapping[str, Any], name: str) -> int:
    value = claims.get(name)
    # bool is a kind of int in Python, and a float could be 1e300.
    if type(value) is not int or not 0 <= value <= _LAST_MOMENT:
        raise Unauthorised("claims")
    return value
