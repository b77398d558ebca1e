"""FHIR dates, whole or partial, and how long ago they were."""

from __future__ import annotations

from datetime import MAXYEAR, UTC, datetime, timedelta
from functools import lru_cache

import msgspec

_MONTHS = 12
_DAY = timedelta(days=1)
# Records write 9999-12-31 for "open-ended", so arithmetic with dates stops here instead of failing.
LAST_MOMENT = datetime.max.replace(tzinfo=UTC)


def later(moment: datetime, by: timedelta | float) -> datetime:
    """The moment so much later, a plain number being hours; the last moment there is where it lies beyond it."""
    try:
        return moment + (by if isinstance(by, timedelta) else timedelta(hours=by))
    except OverflowError:
        return LAST_MOMENT


class When(msgspec.Struct, frozen=True, gc=False):
    """A moment or a day, month or year as FHIR writes it; ``earliest`` is its first moment, in UTC or as offset.

    ``precision`` is ``time``, ``day``, ``month`` or ``year``.
    """

    text: str
    earliest: datetime
    precision: str

    @property
    def latest(self) -> datetime:
        """The last moment that the date may mean."""
        if self.precision == "time":
            return self.earliest
        if self.precision == "day":
            return later(self.earliest, _DAY) - timedelta(microseconds=1)
        year, month = self.earliest.year, self.earliest.month
        if year == MAXYEAR:
            return LAST_MOMENT
        if self.precision == "year" or month == _MONTHS:
            following = datetime(year + 1, 1, 1, tzinfo=UTC)
        else:
            following = datetime(year, month + 1, 1, tzinfo=UTC)
        return following - timedelta(microseconds=1)

    def age(self, now: datetime) -> timedelta:
        """How long ago; whole days for a date without time, and the longest possible time for a partial date."""
        if self.precision == "day":
            return timedelta(days=(now.astimezone(UTC).date() - self.earliest.date()).days)
        return now - self.earliest

    def youngest(self, now: datetime) -> timedelta:
        """As ``age``, but the shortest possible time for a partial date: for what counts only while it is recent."""
        if self.precision in {"day", "time"}:
            return self.age(now)
        return max(now - self.latest, timedelta(0)) if self.earliest <= now else self.age(now)

    def short(self) -> str:
        """The date part, as written."""
        return self.text[:10]

    def told(self, now: datetime) -> str:
        """How long ago, in words and no finer than the date itself; empty for a month or a year."""
        if self.precision == "time":
            return ago(self.age(now))
        days = self.age(now).days
        return "" if self.precision != "day" else f"{days} d ago" if days > 0 else "today"


@lru_cache(maxsize=16384)
def parse(text: str) -> When | None:
    """Read a FHIR date, dateTime or instant; None when it is none. A time without offset is taken as UTC."""
    size = len(text)
    try:
        if size == 4:
            return When(text, datetime(int(text), 1, 1, tzinfo=UTC), "year")
        if size == 7:
            return (
                When(text, datetime(int(text[:4]), int(text[5:]), 1, tzinfo=UTC), "month") if text[4] == "-" else None
            )
        moment = datetime.fromisoformat(text)
    except ValueError:
        return None
    if size == 10:
        return When(text, moment.replace(tzinfo=UTC), "day")
    if moment.tzinfo is None:
        moment = moment.replace(tzinfo=UTC)
    return When(text, moment, "time")


def ago(age: timedelta) -> str:
    """How long ago, in words for a card: "3 h ago", "2 d ago"."""
    hours = int(age.total_seconds() // 3600)
    if hours < 1:
        return "less than 1 h ago"
    if hours < 48:
        return f"{hours} h ago"
    return f"{hours // 24} d ago"
