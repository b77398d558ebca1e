"""What a check finds, and what it may look at."""

from __future__ import annotations

from datetime import datetime
from enum import StrEnum

import msgspec

from cds_hooks.settings import Settings


class State(StrEnum):
    """How something stands; ``WRONG`` ends the command with exit code 1."""

    OK = "ok"
    WARN = "warn"
    WRONG = "wrong"


class Check(msgspec.Struct, frozen=True):
    """One finding: the part, how it stands, what was found in a sentence, and what to do if it is not well.

    Neither text holds a secret, a token or anything of a patient.
    """

    part: str
    state: State
    found: str
    advice: str = ""


class Ground(msgspec.Struct, frozen=True):
    """What the checks look at: the settings, the address that is meant to be served, and the time."""

    settings: Settings
    host: str
    port: int
    now: datetime


def ok(part: str, found: str) -> Check:
    """A part that is well."""
    return Check(part, State.OK, found)


def warn(part: str, found: str, advice: str) -> Check:
    """A part that works and will or may not."""
    return Check(part, State.WARN, found, advice)


def wrong(part: str, found: str, advice: str) -> Check:
    """A part that does not work."""
    return Check(part, State.WRONG, found, advice)
