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


_ANYTHING = msgspec.json.Decoder(float_hook=Decimal)
_ENCODER = msgspec.json.Encoder(decimal_format="number")


class _Duplicate(Exception):
    """A key that stands twice."""


def _distinct(pairs: list[tuple[str, object]]) -> dict[str, object]:
    members = dict(pairs)
    if len(members) != len(pairs):
        raise _Duplicate
    return members
