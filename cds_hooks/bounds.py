"""How much one call may hold: nesting, texts, numbers, entries. Beyond that it is refused, or said to be cut short.

Depth and length are looked at in the bytes, before anything is decoded. The quick look at depth costs a fiftieth of a
call; only what looks suspicious is counted exactly. Texts full of brackets can hide depth from the quick look, but not
from the decoder, which has a limit of its own.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from decimal import Decimal
from typing import Any

import msgspec

from cds_hooks.errors import BadCall, TooMuch
from cds_hooks.shapes import Link, ReadBundle, Value

DEPTH = 64
LONGEST_STRING = 1024 * 1024
MOST_ENTRIES = 5_000
"""Resources in the prefetch of one call."""

MOST_DRAFTS = 250
"""Entries in a Bundle of the context: so many are judged within the usual budget."""

MOST_BRACKETS = 2**19
"""Twice what a body of the usual limit holds when it is full of small resources."""

LARGEST = 2**53
"""Beyond this, programs that read JSON numbers as doubles do not see the number that was sent."""

_OTHERS = bytes(set(range(256)) - set(b"[]{}"))
_ONE_KIND = bytes.maketrans(b"[]{}", b"()()")
_SPAN = 64
"""Brackets that the quick look takes at once: half of them open, so that no usual call comes near the limit."""

_NO_MARK = bytes(set(_OTHERS) - set(b'"'))
_QUOTE = re.compile(rb'(?<!\\)"')
_SUSPICIOUS = re.compile(rb"[0-9](?:[0-9]{15}|[eE]\+?[0-9]{2})")
_ANYTHING = msgspec.json.Decoder(float_hook=Decimal)
_MEMBERS = msgspec.json.Decoder(dict[str, msgspec.Raw])


def check_bytes(body: bytes) -> None:
    """Raises :class:`BadCall` for a body nested too deeply, :class:`TooMuch` for one with an endless string or list."""
    if len(body) > LONGEST_STRING and _may_hold_long_string(body) and _longest(body) > LONGEST_STRING:
        raise TooMuch(f"The body holds a string of more than {LONGEST_STRING} bytes. Nothing was checked.")
    brackets = body.translate(_ONE_KIND, _OTHERS)
    if len(brackets) > MOST_BRACKETS:
        raise TooMuch(f"The body holds more than {MOST_BRACKETS // 2} objects and arrays. Nothing was checked.")
    if _may_be_deep(brackets) and _depth(body) > DEPTH:
        raise BadCall(f"The body is nested too deeply: expected at most {DEPTH} levels.")


def _may_hold_long_string(body: bytes) -> bool:
    """Whether half the longest string fits between two quotes that surely begin or end one."""
    window = LONGEST_STRING // 2
    return not all(_QUOTE.search(body, start, start + window) for start in range(0, len(body) - window, window))


def _longest(body: bytes) -> int:
    return max(map(len, _without_escapes(body).split(b'"')[1::2]), default=0)


def _without_escapes(body: bytes) -> bytes:
    """``body`` without escaped quotes, each other escape at its length, so that every quote begins or ends a string."""
    return body.replace(b"\\\\", b"..").replace(b'\\"', b"..")


def _may_be_deep(brackets: bytes) -> bool:
    """Whether all that opens in a span of brackets could lead beyond the limit, or a partner is missing."""
    depth = 0
    for start in range(0, len(brackets), _SPAN):
        opened = brackets.count(b"(", start, start + _SPAN)
        if depth < 0 or depth + opened > DEPTH:
            return True
        depth += 2 * opened - _SPAN
    missing = -len(brackets) % _SPAN  # of the last span: counted as closed above
    return depth + missing != 0


def _depth(body: bytes) -> int:
    """The depth, counted up to a little over the limit; brackets without a partner count as open."""
    marks = _without_escapes(body).translate(_ONE_KIND, _NO_MARK)
    brackets, depth = b"".join(marks.split(b'"')[::2]), 0
    while depth <= DEPTH and (inner := brackets.replace(b"()", b"")) != brackets:
        brackets, depth = inner, depth + 1
    return depth + brackets.count(b"(")


def check_numbers(raw: bytes, path: str, resources: tuple[str, ...] = ()) -> None:
    """Raises :class:`BadCall` for a number in ``raw`` that not every reader of JSON understands alike.

    The members named ``resources`` hold FHIR resources: a number there costs its resource and not the call.
    """
    if not _SUSPICIOUS.search(raw):
        return
    try:
        members = _MEMBERS.decode(raw).items()
    except msgspec.ValidationError:
        return  # no object: whoever reads it says so
    if any(_has_strange_number(_ANYTHING.decode(one)) for name, one in members if name not in resources):
        raise BadCall(f"{path}: a number is out of range; expected none beyond 2^53.")


def _has_strange_number(value: Any) -> bool:
    if isinstance(value, dict):
        return any(_has_strange_number(one) for one in value.values())
    if isinstance(value, list):
        return any(_has_strange_number(one) for one in value)
    return isinstance(value, int | Decimal) and not (-LARGEST <= value <= LARGEST)


def check_drafts(name: str, bundle: Value) -> None:
    """Raises :class:`TooMuch` for a Bundle of the context with more entries than can be judged in time."""
    if len(_entries(bundle)) > MOST_DRAFTS:
        raise TooMuch(
            f"context.{name}: expected at most {MOST_DRAFTS} entries in one call; send them in parts. Nothing was "
            "checked."
        )


def cut_short(prefetch: Mapping[str, Value]) -> Mapping[str, Value]:
    """``prefetch`` with at most ``MOST_ENTRIES`` entries; a Bundle that lost some says that there is a next page.

    The smallest Bundles are kept whole, so that one endless search does not cost all the others.
    """
    sizes = {key: len(_entries(value)) for key, value in prefetch.items()}
    if sum(sizes.values()) <= MOST_ENTRIES:
        return prefetch
    kept, left = dict(prefetch), MOST_ENTRIES
    for key in sorted(sizes, key=lambda key: sizes[key]):
        if sizes[key] > left:
            kept[key] = ReadBundle(entry=list(_entries(prefetch[key])[:left]), link=[Link(relation="next")])
        left -= min(left, sizes[key])
    return kept


def _entries(value: Any) -> Any:
    return getattr(value, "entry", None) or ()
