"""Finding a key that stands twice in one JSON object: two ``patientId`` keys would be an attack on identity."""

from __future__ import annotations

import json
from decimal import Decimal

import msgspec

from cds_hooks.loose import MISFIT


def has_duplicate_keys(raw: bytes) -> bool:
    """Whether an object in ``raw`` has a key twice.

    What comes out of decoding and encoding again has no key twice; if it equals what came in (without white space),
    nothing was twice. That costs a third of the exact check, which follows for the rare spelling that does not survive.
    """
    try:
        again = _ENCODER.encode(_ANYTHING.decode(raw))
        if again == raw or again == msgspec.json.format(raw, indent=-1):
            return False
    except MISFIT:
        pass
    try:
        json.loads(raw, object_pairs_hook=_distinct, parse_int=str, parse_float=str)
    except _Duplicate:
        return True
    return False


def repeated(body: bytes, members: tuple[str, ...]) -> str:
    """The first of ``members`` that stands twice in the outer object of ``body``; empty if none does.

    A name that the bytes hold once cannot: only the rare body that holds one more often is read again.
    """
    if not any(body.count(b'"%b"' % name.encode()) > 1 for name in members):
        return ""
    outer: list[str] = []

    def hook(pairs: list[tuple[str, object]]) -> None:
        # The outer object is closed last.
        outer[:] = [name for name, _ in pairs]

    json.loads(body, object_pairs_hook=hook, parse_int=str, parse_float=str)
    return next((name for name in members if outer.count(name) > 1), "")


_ANYTHING = msgspec.json.Decoder(float_hook=Decimal)
_ENCODER = msgspec.json.Encoder(decimal_format="number")


class _Duplicate(Exception):
    """A key that stands twice."""


def _distinct(pairs: list[tuple[str, object]]) -> dict[str, object]:
    members = dict(pairs)
    if len(members) != len(pairs):
        raise _Duplicate
    return members
