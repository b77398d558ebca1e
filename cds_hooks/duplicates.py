"""Finding a key that stands twice in one JSON object: two ``patientId`` keys would be an attack on identity."""

from __future__ import annotations

import json
from decimal import Decimal
from typing import Any

import msgspec

from cds_hooks.loose import MISFIT


def has_duplicate_keys(raw: bytes) -> bool:
    """Whether an object in ``raw`` has a key twice."""
    if _survives(raw, _ANYTHING):
        return False
    try:
        json.loads(raw, object_pairs_hook=_distinct, parse_int=str, parse_float=str)
    except _Duplicate:
        return True
    return False


def repeated(body: bytes, members: tuple[str, ...]) -> str:
    """The first of ``members`` that stands twice in the outer object of ``body``; empty if none does.

    A name that the bytes hold once cannot, unless it is spelt with an escape: only other bodies are read again. Those
    are not rare, because some resources have an element ``context``.
    """
    if not may_repeat(body, members) or _survives(body, _MEMBERS):
        return ""
    outer: list[str] = []

    def hook(pairs: list[tuple[str, object]]) -> None:
        # The outer object is closed last.
        outer[:] = [name for name, _ in pairs]

    json.loads(body, object_pairs_hook=hook, parse_int=str, parse_float=str)
    return next((name for name in members if outer.count(name) > 1), "")


def may_repeat(body: bytes, members: tuple[str, ...]) -> bool:
    """Whether one of ``members`` may stand twice in the outer object of ``body``; False is certain."""
    return any(_stands_twice(b'"%b"' % name.encode(), body) for name in members) or _may_spell_a_letter(body)


def _survives(raw: bytes, decoder: msgspec.json.Decoder[Any]) -> bool:
    """Whether decoding and encoding again gives ``raw``, white space aside: what comes out of that has no key twice.

    It costs a part of the exact check, which is left for the rare spelling that does not survive.
    """
    try:
        again = _ENCODER.encode(decoder.decode(raw))
    except MISFIT:
        return False
    return again == raw or _compact(again) == _compact(raw)


def _compact(raw: bytes) -> bytes:
    return msgspec.json.format(raw, indent=-1)


def _stands_twice(text: bytes, body: bytes) -> bool:
    # Searching from both ends takes half the time of counting.
    return body.find(text) != body.rfind(text)


def _may_spell_a_letter(body: bytes) -> bool:
    """Whether there is an escape such as ``\\u0063``; most bodies have no escape at all, which is soon seen."""
    return b"\\" in body and body.rfind(b"\\u00") >= 0


_ANYTHING: msgspec.json.Decoder[Any] = msgspec.json.Decoder(float_hook=Decimal)
_MEMBERS = msgspec.json.Decoder(dict[str, msgspec.Raw])
_ENCODER = msgspec.json.Encoder(decimal_format="number")


class _Duplicate(Exception):
    """A key that stands twice."""


def _distinct(pairs: list[tuple[str, object]]) -> dict[str, object]:
    members = dict(pairs)
    if len(members) != len(pairs):
        raise _Duplicate
    return members
