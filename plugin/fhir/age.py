"""Birth dates, whole or partial -> how old somebody is today."""

from __future__ import annotations

from datetime import UTC, date, datetime

from plugin.patient import Age
from plugin.when import parse


def age_of(birth: str, now: datetime) -> tuple[Age, int] | None:
    """The age at ``now``, and in days; a partial date gives an interval and the youngest age counts.

    None when the date is unreadable or lies ahead.
    """
    when = parse(birth)
    if when is None or when.earliest > now:
        return None
    today = now.astimezone(UTC).date()
    earliest, latest = when.earliest.date(), min(when.latest.date(), today)
    years = _years(latest, today)
    months = years * 12 + (today.month - latest.month - (today.day < latest.day)) % 12
    age = Age(years, months, _years(earliest, today), when.precision not in {"day", "time"}, birth)
    return age, (today - latest).days


def _years(birth: date, today: date) -> int:
    return today.year - birth.year - ((today.month, today.day) < (birth.month, birth.day))
