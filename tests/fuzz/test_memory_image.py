"""A short run of ``python -m tests.fuzz.memory_image``."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from tests.fuzz.memory_image import KINDS, MOST_LEFT, left, measured


def is_readable() -> bool:
    try:
        with Path("/proc/self/mem").open("rb"):
            return True
    except OSError:
        return False


pytestmark = pytest.mark.skipif(not is_readable(), reason="needs /proc/PID/mem, which Linux lets the same user read")


def test_what_a_process_holds_is_found() -> None:
    held = [f"zqname{number:06}qz".encode() for number in range(7)]
    signature = b"aB-_" * 32
    token = b"eyJhbGciOiJFUzM4NCJ9.e30." + signature
    found = left(os.getpid(), {signature})
    assert {b"%06d" % number for number in range(len(held))} <= found["name"]
    assert (found["token"], len(token)) == ({signature}, 25 + len(signature))


@pytest.mark.slow
def test_of_answered_calls_next_to_nothing_stays_in_memory() -> None:
    counts = measured(120)
    assert all(counts[kind] <= MOST_LEFT for kind in KINDS), counts
