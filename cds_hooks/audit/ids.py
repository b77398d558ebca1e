"""Identifiers of audit entries: 26 characters that sort by time (the layout of a ULID)."""

from __future__ import annotations

import os
import threading
from datetime import datetime

_ALPHABET = "0123456789ABCDEFGHJKMNPQRSTVWXYZ"
_PAIRS = [first + second for first in _ALPHABET for second in _ALPHABET]
_SHIFTS = range(120, -1, -10)
_RANDOM_BITS = 80


class _Sequence:
    """The last identifier given, so that those of one millisecond still sort in the order they were made."""

    def __init__(self) -> None:
        self.lock = threading.Lock()
        self.moment = -1
        self.tail = 0

    def next(self, moment: int) -> int:
        with self.lock:
            if moment == self.moment:
                self.tail += 1 + int.from_bytes(os.urandom(4))
            else:
                # The top bit stays free: the increments of one millisecond never run over into the next.
                self.moment, self.tail = moment, int.from_bytes(os.urandom(10)) >> 1
            return (moment << _RANDOM_BITS) | self.tail


_sequence = _Sequence()


def new_id(now: datetime) -> str:
    """Return a url-safe identifier that sorts by ``now`` (aware), then by the order of calls within a millisecond."""
    number = _sequence.next(int(now.timestamp() * 1000))
    return "".join([_PAIRS[(number >> shift) & 1023] for shift in _SHIFTS])
