"""How long a drug has been taken without a real break: its records joined over short gaps (R-DRUG-06, R-DRUG-10)."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import UTC, datetime, timedelta

import msgspec

from plugin.patient import Exposure
from plugin.rule import Case
from plugin.when import When, later

_NOTHING = timedelta(0)


class Course(msgspec.Struct, frozen=True):
    """How long a drug has been taken up to now: at least ``lasting``, and perhaps ``longest``.

    They differ where a date is partial, or where an order was stopped on a day that nobody recorded. ``since`` is the
    start as the record writes it; ``exposures`` are the records that were joined.
    """

    lasting: timedelta = _NOTHING
    longest: timedelta = _NOTHING
    since: When | None = None
    exposures: tuple[Exposure, ...] = ()

    @property
    def first(self) -> str:
        """The record that the course began with; empty without any."""
        return next((e.reference for e in self.exposures if e.start == self.since), "")

    @property
    def references(self) -> tuple[str, ...]:
        """The records behind it."""
        return tuple(dict.fromkeys(exposure.reference for exposure in self.exposures))


def course_of(case: Case, name: str) -> Course:
    """The course of one ingredient that reaches up to now, or ended a short gap ago; empty without any."""
    taken = [e for e in case.others if e.ingredient.name == name and not e.draft and not e.on_hold and e.start]
    sure, perhaps = _joined(case, taken, False), _joined(case, taken, True)
    now = case.patient.now
    since = min((e.start for e in sure if e.start is not None), key=lambda when: when.earliest, default=None)
    return Course(_length(sure, now, False), _length(perhaps, now, True), since, tuple(sure))


def _joined(case: Case, taken: Iterable[Exposure], widely: bool) -> list[Exposure]:
    """Those that reach back from now without a gap longer than allowed, the newest first."""
    now, gap = case.patient.now, case.limits.span("exposure_gap_days")
    found: list[Exposure] = []
    reached = now
    for exposure in sorted(taken, key=lambda one: (_end(one, now, widely), one.reference), reverse=True):
        start = _start(exposure, now, widely)
        if start > now or _days_between(_end(exposure, now, widely), reached) > gap:
            continue
        found.append(exposure)
        reached = min(reached, start)
    return found


def _days_between(earlier: datetime, after: datetime) -> timedelta:
    """Whole days, because most records have no time of day."""
    return timedelta(days=(after.astimezone(UTC).date() - earlier.astimezone(UTC).date()).days)


def _length(found: list[Exposure], now: datetime, widely: bool) -> timedelta:
    return max((_days_between(_start(exposure, now, widely), now) for exposure in found), default=_NOTHING)


def _start(exposure: Exposure, now: datetime, widely: bool) -> datetime:
    if exposure.start is None:
        return now
    if widely or exposure.start.precision in {"day", "time"} or exposure.start.earliest > now:
        return exposure.start.earliest
    return min(exposure.start.latest, now)


def _end(exposure: Exposure, now: datetime, widely: bool) -> datetime:
    """The last day of a record, never after now: what it says, else how long it was planned to last."""
    if exposure.current:
        return now
    start = _start(exposure, now, widely)
    last = max(start, (exposure.last.latest if widely else exposure.last.earliest) if exposure.last else start)
    ends = exposure.last is not None and exposure.last != exposure.start
    if not ends and exposure.length_days is not None and (widely or not exposure.stopped):
        last = max(last, later(start, timedelta(days=float(exposure.length_days))))
    return min(last, now)
