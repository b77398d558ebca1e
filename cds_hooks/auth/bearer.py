"""Takes a token out of a request and apart, without believing any of it."""

from __future__ import annotations

import re
from base64 import urlsafe_b64decode, urlsafe_b64encode
from collections.abc import Iterable
from typing import Any

from cds_hooks.auth.strict_json import NotStrict, strict_object
from cds_hooks.errors import Unauthorised

LONGEST_TOKEN = 8 * 1024
_BEARER = re.compile(rb"bearer ([A-Za-z0-9_-]+)\.([A-Za-z0-9_-]+)\.([A-Za-z0-9_-]+)", re.I)


class Presented:
    """A token as it came: ``header`` and ``claims`` are what it says, ``text`` is the whole of it. Nothing is checked.

    It has no text form of its own, so that no log and no error can show it.
    """

    __slots__ = ("claims", "header", "text")

    def __init__(self, header: dict[str, Any], claims: dict[str, Any], text: str) -> None:
        self.header = header
        self.claims = claims
        self.text = text

    def said(self, claim: str) -> str | None:
        """A claim that is text: its value, empty where it is absent, None for anything else."""
        if claim not in self.claims:
            return ""
        value = self.claims[claim]
        return value if isinstance(value, str) and value else None


def presented(headers: Iterable[tuple[bytes, bytes]]) -> Presented:
    """The token of a request with these headers; raises :class:`Unauthorised`."""
    found = [value for name, value in headers if name == b"authorization"]
    if not found:
        raise Unauthorised("no-token")
    if len(found) > 1 or len(found[0]) > LONGEST_TOKEN + len("Bearer "):
        raise Unauthorised("malformed")
    parts = _BEARER.fullmatch(found[0])
    if parts is None:
        raise Unauthorised("malformed")
    try:
        header, claims = strict_object(_plain(parts[1])), strict_object(_plain(parts[2]))
        _plain(parts[3])
    except NotStrict:
        raise Unauthorised("malformed") from None
    return Presented(header, claims, found[0][len("Bearer ") :].decode("ascii"))


def _plain(part: bytes) -> bytes:
    """What ``part`` means in base64url; only the one spelling of it is taken."""
    try:
        found = urlsafe_b64decode(part + b"=" * (-len(part) % 4))
    except ValueError:
        raise NotStrict from None
    if urlsafe_b64encode(found).rstrip(b"=") != part:
        raise NotStrict
    return found
