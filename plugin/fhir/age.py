"""Birth dates, whole or partial -> how old somebody is today."""

from __future__ import annotations

from datetime import UTC, date, datetime

from plugin.patient import Age
from plugin.when import parse


def age_of(birth: str, now: datetime) -> Age | None:
    """The age at ``now``; a partial date gives an interval and the youngest age counts. None when unreadable."""
    when, born, today = parse(birth), _born(birth, now), now.astimezone(UTC).date()
    if when is None or born is None:
        return None
    earliest, latest = born
    years = _years(latest, today)
    months = years * 12 + (today.month - latest.month - (today.day < latest.day)) % 12
    return Age(years, months, _years(earliest, today), when.precision not in {"day", "time"}, birth)


def days_of(birth: str, now: datetime) -> int | None:
    """The age in days at the youngest; None when unreadable."""
    born = _born(birth, now)
    return (now.astimezone(UTC).date() - born[1]).days if born is not None else None


def _born(birth: str, now: datetime) -> tuple[date, date] | None:
    """The first and the last day that a birth date may mean, none of them after today."""
    when = parse(birth)
    if when is None or when.earliest > now:
        return None
    return when.earliest.date(), min(when.latest.date(), now.astimezone(UTC).date())


def _years(birth: date, today: date) -> int:
    return today.year - birth.year - ((today.month, today.day) < (birth.month, birth.day))
