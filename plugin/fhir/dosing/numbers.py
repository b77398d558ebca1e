"""Exact numbers and lengths of time, as FHIR and plain words write them."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

from plugin.fhir.types import Quantity

D = Decimal
DAY = D(24)
# Whole seconds, so that 1440 min are 24 h exactly; a month counts 30 days, a year 365.
_SPELLINGS = {
    1: "s sec second seconds",
    60: "min mins minute minutes",
    3600: "h hr hrs hour hours",
    86400: "d day days",
    604800: "wk w wks week weeks",
    2592000: "mo month months",
    31536000: "a y yr yrs year years",
}
SECONDS = {word: seconds for seconds, words in _SPELLINGS.items() for word in words.split()}
# A number beyond these powers of ten is no dose, duration or result, and a longer time than this says nothing more.
_LARGEST_POWER = 15
_LONGEST_HOURS = D(8760) * 1000


def number(value: Any) -> Decimal | None:
    """An exact number, or None for anything that is not one (a string, a boolean, a number beyond all measure)."""
    if value is None:
        return None
    if type(value) is int:
        value = D(value)
    if type(value) is not Decimal or not value.is_finite():
        return None
    return value if not value or abs(value.adjusted()) <= _LARGEST_POWER else None


def positive(value: Any) -> Decimal | None:
    """An exact number above zero, or None."""
    amount = number(value)
    return amount if amount is not None and amount > 0 else None


def in_hours(amount: Decimal, unit: str) -> Decimal | None:
    """So many of a unit of time in hours; None for a unit that is none."""
    seconds = SECONDS.get(unit.strip().lower())
    return min(amount * seconds / 3600, _LONGEST_HOURS) if seconds else None


def hours(quantity: Quantity | None) -> Decimal | None:
    """A duration in hours; None for a negative one and where its code and its unit say different things."""
    if quantity is None or (amount := number(quantity.value)) is None or amount < 0:
        return None
    found = [in_hours(amount, word) for word in (quantity.code, quantity.unit) if word]
    known = {length for length in found if length is not None}
    return known.pop() if len(known) == 1 else None
