"""The one place where the wall clock is read; everything else gets "now" as a value."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from email.utils import parsedate_to_datetime

from cds_hooks.errors import SettingsTrouble

RELEASED = datetime(2026, 1, 1, tzinfo=UTC)
"""This release is younger than that: a clock that says an earlier moment is wrong."""

HALF_A_SECOND = timedelta(seconds=0.5)
"""What an HTTP date, which knows whole seconds only, leaves out on average."""

Clock = Callable[[], datetime]


def utc_now() -> datetime:
    return datetime.now(UTC)


def check_clock(now: datetime) -> None:
    """Refuses to judge ages and windows by a clock that is surely wrong."""
    if now < RELEASED:
        raise SettingsTrouble(
            f"The clock of this machine says {now:%Y-%m-%d}, which is before this release was made: ages and times "
            "would be wrong. Set the clock, then start again."
        )


def seconds_ahead(date: str, now: datetime) -> float | None:
    """How far ahead of ``now`` another machine's clock was that wrote the HTTP ``date`` just now; None for none."""
    try:
        theirs = parsedate_to_datetime(date)
    except ValueError:
        return None
    return ((theirs if theirs.tzinfo else theirs.replace(tzinfo=UTC)) + HALF_A_SECOND - now).total_seconds()
