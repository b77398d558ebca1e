"""A call in two halves: what stands before the data, and the data, which usually stand last.

The first half is small, so that it costs little to see that no member stands in it twice. Where the halves are sound
JSON, one an object and the other a value, nothing but ``prefetch`` can follow, and it stands once.
"""

from __future__ import annotations

import re

_DATA = b'"prefetch"'
_SPACE = b" \t\r\n"
_COLON = re.compile(rb"[ \t\r\n]*+:")
_END = re.compile(rb"\}[ \t\r\n]*+\}[ \t\r\n]*+\Z")
_TAIL = 64
"""Bytes looked at for the end of a body."""


def halves(body: bytes) -> tuple[bytes, memoryview] | None:
    """The outer object without its last member ``prefetch``, and that member's value; None for a call of another shape.

    Neither is known to be JSON, and only if both are do they stand for ``body``.
    """
    start = body.find(_DATA)
    colon, end = _COLON.match(body, start + len(_DATA)), _END.search(body, max(0, len(body) - _TAIL))
    before = body[:start].rstrip(_SPACE) if start > 0 else b""
    if colon is None or end is None or not before.endswith(b","):
        return None
    return before[:-1] + b"}", memoryview(body)[colon.end() : body.rfind(b"}")]
