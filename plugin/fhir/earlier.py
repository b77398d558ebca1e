"""Results too old to act on, kept as they came: they are read only when a card or a note has to tell the last one."""

from __future__ import annotations

import math
from collections import defaultdict
from collections.abc import Callable, Iterator, Mapping
from datetime import date, datetime, timedelta
from decimal import Decimal
from functools import lru_cache

import msgspec

from plugin.fhir.types import Resource
from plugin.patient import Result
from plugin.thresholds import Limits
from plugin.when import parse

# Date texts are compared by their first ten signs, whatever their offset; this much more than the window is kept.
_MARGIN_DAYS = 3
_WINDOWS = {
    "egfr": ("egfr_window_days", "kidney_days"),
    "creatinine": ("kidney_days", "kidney_days_acute"),
    "weight": ("weight_days_adult", "weight_days_child"),
    "cocaine-screen": ("cocaine_screen_days",),
}
_PARTS_OF_A_DATE = 10


@lru_cache(maxsize=16)
def _cutoffs(today: date, limits: Limits) -> tuple[str, Mapping[str, str]]:
    """The first day that is not too old, of most analytes and of those with a window of their own."""

    def before(days: Decimal) -> str:
        return (today - timedelta(days=math.ceil(days) + _MARGIN_DAYS)).isoformat()

    usual = before(limits.lab_fresh_days + limits.albumin_pair_hours / 24)
    longest = {analyte: max(getattr(limits, name) for name in names) for analyte, names in _WINDOWS.items()}
    return usual, {analyte: before(days) for analyte, days in longest.items()}


class Earlier:
    """Old Observations by analyte. A record of years costs little, because most of it never has to be read."""

    __slots__ = ("_cutoffs", "_kept", "_read", "_results", "_usual")

    def __init__(self, now: datetime, limits: Limits, read: Callable[[Resource], list[Result]]) -> None:
        """``read`` makes results of one Observation."""
        self._read = read
        self._kept: defaultdict[str, list[Resource]] = defaultdict(list)
        self._results: dict[str, tuple[Result, ...]] = {}
        self._usual, self._cutoffs = _cutoffs(now.date(), limits)

    def keeps(self, analyte: str, resource: Resource) -> bool:
        """True when the Observation is surely too old to act on; it is kept for telling the last result."""
        date = resource.effectiveDateTime
        # A longer text that begins like the cutoff is not smaller than it, so the date need not be cut out.
        if date is None or len(date) < _PARTS_OF_A_DATE or date >= self._cutoffs.get(analyte, self._usual):
            return False
        self._kept[analyte].append(resource)
        return True

    def get(self, analyte: str) -> tuple[Result, ...]:
        """The old results of an analyte, read now; one that cannot be read is no longer worth a word."""
        if analyte not in self._results:
            self._results[analyte] = tuple(self._all(analyte))
        return self._results[analyte]

    def newest_first(self, analyte: str) -> Iterator[Result]:
        """The old results that have a date, each read when it is asked for: the first will mostly do."""
        kept = self._kept.get(analyte, ())
        dated = [(when.earliest, one) for one in kept if (when := parse(one.effectiveDateTime or "")) is not None]
        dated.sort(key=lambda pair: (pair[0], pair[1].id or ""), reverse=True)
        for _, resource in dated:
            yield from self._of(resource, analyte)

    def _all(self, analyte: str) -> list[Result]:
        return [result for resource in self._kept.get(analyte, ()) for result in self._of(resource, analyte)]

    def _of(self, resource: Resource, analyte: str) -> list[Result]:
        try:
            return [result for result in self._read(resource) if result.analyte == analyte]
        except msgspec.ValidationError:
            return []
