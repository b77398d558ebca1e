"""Results too old to act on, kept as they came: they are read only when a card or a note has to tell the last one."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime, timedelta
from decimal import Decimal

import msgspec

from plugin.fhir.types import Resource
from plugin.patient import Result
from plugin.thresholds import Limits

# Date texts are compared by their first ten signs, whatever their offset; this much more than the window is kept.
_MARGIN_DAYS = 3
_WINDOWS = {"egfr": "egfr_window_days", "weight": "weight_days_adult", "cocaine-screen": "cocaine_screen_days"}
_PARTS_OF_A_DATE = 10


class Earlier:
    """Old Observations by analyte. A record of years costs little, because most of it never has to be read."""

    __slots__ = ("_cutoffs", "_kept", "_limits", "_now", "_read", "_results", "_usual")

    def __init__(self, now: datetime, limits: Limits, read: Callable[[Resource], list[Result]]) -> None:
        """``read`` makes results of one Observation."""
        self._now = now
        self._limits = limits
        self._read = read
        self._kept: dict[str, list[Resource]] = {}
        self._results: dict[str, tuple[Result, ...]] = {}
        self._usual = self._before(limits.lab_fresh_days + limits.albumin_pair_hours / 24)
        self._cutoffs = {analyte: self._before(getattr(limits, name)) for analyte, name in _WINDOWS.items()}

    def _before(self, days: Decimal) -> str:
        return (self._now - timedelta(days=float(days) + _MARGIN_DAYS)).date().isoformat()

    def keeps(self, analyte: str, resource: Resource) -> bool:
        """True when the Observation is surely too old to act on; it is kept for telling the last result."""
        date = resource.effectiveDateTime
        if (
            date is None
            or len(date) < _PARTS_OF_A_DATE
            or date[:_PARTS_OF_A_DATE] >= self._cutoffs.get(analyte, self._usual)
        ):
            return False
        self._kept.setdefault(analyte, []).append(resource)
        return True

    def get(self, analyte: str) -> tuple[Result, ...]:
        """The old results of an analyte, read now; one that cannot be read is no longer worth a word."""
        if analyte not in self._results:
            self._results[analyte] = tuple(self._all(analyte))
        return self._results[analyte]

    def _all(self, analyte: str) -> list[Result]:
        found: list[Result] = []
        for resource in self._kept.get(analyte, ()):
            try:
                found += [result for result in self._read(resource) if result.analyte == analyte]
            except msgspec.ValidationError:
                continue
        return found
