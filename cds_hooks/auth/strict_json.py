"""JSON of tokens and keys without room for two readings: UTF-8, no member twice, no NaN or Infinity."""

from __future__ import annotations

import json
from typing import Any, NoReturn


class NotStrict(ValueError):
    """Not a JSON object, or one that two readers could read differently."""


def strict_object(data: bytes) -> dict[str, Any]:
    """The object in ``data``; raises :class:`NotStrict`."""
    try:
        found = _DECODER.decode(data.decode("utf-8"))
    except (ValueError, RecursionError):
        raise NotStrict from None
    if not isinstance(found, dict):
        raise NotStrict
    return found


def _distinct(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    members = dict(pairs)
    if len(members) != len(pairs):
        raise NotStrict
    return members


def _no_number(_name: str) -> NoReturn:
    raise NotStrict


_DECODER = json.JSONDecoder(object_pairs_hook=_distinct, parse_constant=_no_number)
