"""Doses of an order in mg: each, per day and within the first 24 hours. What cannot be computed is None, never zero."""

from __future__ import annotations

import re
from collections.abc import Sequence
from decimal import Decimal
from functools import lru_cache
from typing import Any

from plugin.fhir.types import Concept, Dosage, Quantity, Repeat, Resource
from plugin.patient import Dose, Medication
from plugin.when import parse

D = Decimal
_MG = {"mg": D(1), "g": D(1000), "gm": D(1000), "ug": D("0.001"), "mcg": D("0.001"), "ng": D("0.000001")}
# Whole seconds, so that 1440 min are 24 h exactly; a month counts 30 days, a year 365.
_SECONDS = {"s": 1, "min": 60, "h": 3600, "d": 86400, "wk": 604800, "mo": 2592000, "a": 31536000}
_PIECES = {
    "{tbl}",
    "tbl",
    "tab",
    "tabs",
    "tablet",
    "tablets",
    "cap",
    "caps",
    "capsule",
    "capsules",
    "{tablet}",
    "{capsule}",
    "{cap}",
    "{pill}",
    "pill",
    "1",
    "{each}",
    "each",
    "ea",
    "suppository",
    "supp",
    "{supp}",
    "sup",
}
# Times a day for HL7 GTSAbbreviation and the Latin that stands in Timing.code.
_PER_DAY: dict[str, int | Decimal] = {
    "QD": 1,
    "DAILY": 1,
    "OD": 1,
    "AM": 1,
    "PM": 1,
    "BED": 1,
    "QHS": 1,
    "HS": 1,
    "NOCTE": 1,
    "BID": 2,
    "BD": 2,
    "TID": 3,
    "TDS": 3,
    "QID": 4,
    "QDS": 4,
    "QOD": D("0.5"),
    "Q1H": 24,
    "Q2H": 12,
    "Q3H": 8,
    "Q4H": 6,
    "Q6H": 4,
    "Q8H": 3,
    "Q12H": 2,
    "WK": D(1) / 7,
    "MO": D(1) / 30,
}
_ONCE = {"ONCE", "STAT", "X1", "NOW"}
_ONCE_WORDS = re.compile(r"\b(?:once|stat|x ?1|one[- ]time|single dose)\b", re.I)
# "Once daily" and "stat, then every 6 h" go on: words that say so outweigh "once".
_AGAIN_WORDS = re.compile(
    r"\b(?:dail\w*|every|each|per|then|repeat\w*|times|a (?:day|week|month)|night\w*|nocte|bedtime|morning\w*|mane|"
    r"evening\w*|noon|hourly|week\w*|month\w*|q\.?d|o\.?d|qhs|hs|bd|b\.?i\.?d|tds|t\.?i\.?d|qds|q\.?i\.?d|"
    r"q ?\d+ ?h\w*)\b",
    re.I,
)
_AS_NEEDED_WORDS = re.compile(r"\bp\.?r\.?n\b|\b(?:as|if|when) (?:needed|required|necessary)\b", re.I)
_DAY = D(24)
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


def _positive(value: Any) -> Decimal | None:
    amount = number(value)
    return amount if amount is not None and amount > 0 else None


def hours(quantity: Quantity | None) -> Decimal | None:
    """A duration in hours; None for a negative one."""
    if quantity is None or (amount := number(quantity.value)) is None or amount < 0:
        return None
    unit = (quantity.code or quantity.unit or "").strip().lower()
    unit = {"day": "d", "days": "d", "week": "wk", "weeks": "wk", "hour": "h", "hours": "h", "month": "mo"}.get(
        unit, unit
    )
    unit = {"months": "mo", "hr": "h", "hrs": "h", "minute": "min", "minutes": "min"}.get(unit, unit)
    return min(amount * _SECONDS[unit] / 3600, _LONGEST_HOURS) if unit in _SECONDS else None


def of_order(dosages: Sequence[Dosage], resource: Resource, medication: Medication, limit_hours: Decimal) -> Dose:
    """The doses of one order; several dosage lines that are taken together add up where each can be computed."""
    if not dosages:
        return Dose(single=_short_supply(resource, limit_hours))
    lines = [_line(dosage, resource, medication, limit_hours) for dosage in dosages]
    first = lines[0]
    if len(lines) == 1:
        return first
    return Dose(
        max((line.each_mg for line in lines if line.each_mg is not None), default=None),
        max((line.each_mg_per_kg for line in lines if line.each_mg_per_kg is not None), default=None),
        _total([line.per_day_mg for line in lines]),
        _total([line.first_day_mg for line in lines]),
        all(line.single for line in lines),
        all(line.as_needed for line in lines),
        any(line.unreadable for line in lines),
    )


def _total(parts: list[Decimal | None]) -> Decimal | None:
    known = [part for part in parts if part is not None]
    return sum(known, D(0)) if len(known) == len(parts) else None


def _line(dosage: Dosage, resource: Resource, medication: Medication, limit_hours: Decimal) -> Dose:
    quantity = _amount(dosage)
    each = _milligrams(quantity, medication)
    repeat = dosage.timing.repeat if dosage.timing else None
    times = _times_a_day(dosage, repeat)
    once = _is_once(dosage, repeat, times)
    length = _length(repeat)
    short = length <= limit_hours if length is not None else _short_supply(resource, limit_hours)
    daily = None if once else _daily(dosage, times, each, medication)
    first = _first_day(each, daily, repeat, length)
    words = bool((dosage.text or "").strip())
    unreadable = quantity is not None or words
    if each is not None:
        unreadable = not once and daily is None and (words or _has_schedule(dosage, repeat))
    return Dose(each, _per_kilogram(quantity), daily, first, once or short, _as_needed(dosage), unreadable)


def _daily(dosage: Dosage, times: Decimal | None, each: Decimal | None, medication: Medication) -> Decimal | None:
    """Dose by frequency, but never more than the limit that the order itself states."""
    most = _cap(dosage, medication)
    if each is None or times is None:
        return most
    return each * times if most is None else min(most, each * times)


def _first_day(
    each: Decimal | None, daily: Decimal | None, repeat: Repeat | None, length: Decimal | None
) -> Decimal | None:
    """The dose of the first 24 hours: the whole of a shorter course, and of a weekly dose the dose itself."""
    if each is None or daily is None:
        return each if daily is None else daily
    first = daily * length / _DAY if length is not None and length < _DAY else daily
    count = _positive(repeat.count) if repeat is not None else None
    return max(each, min(first, each * count) if count is not None else first)


def _amount(dosage: Dosage) -> Quantity | None:
    """The dose; of a range the high end, which is the one that can do harm."""
    for part in dosage.doseAndRate or ():
        if part.doseQuantity is not None:
            return part.doseQuantity
        if part.doseRange is not None:
            return part.doseRange.high or part.doseRange.low
    return dosage.doseQuantity or dosage.dose


@lru_cache(maxsize=4096)
def _unit(text: str) -> str:
    return "".join(text.split()).lower().replace("µ", "u").replace("μ", "u")


def _milligrams(quantity: Quantity | None, medication: Medication) -> Decimal | None:
    if quantity is None or (amount := _positive(quantity.value)) is None:
        return None
    for unit in (_unit(quantity.code or quantity.unit or ""), "".join((quantity.unit or "").split()).lower()):
        if unit in _MG:
            return amount * _MG[unit]
        if unit in _PIECES or unit == "ml":
            return _by_strength(amount, unit == "ml", medication)
    return None


def _by_strength(amount: Decimal, liquid: bool, medication: Medication) -> Decimal | None:
    """Count or volume times the strength, for a product of one ingredient only."""
    if len(medication.strengths) != 1:
        return None
    _, value, unit, per_value, per_unit = medication.strengths[0]
    if unit not in _MG or liquid != (per_unit == "ml"):
        return None
    return amount * value * _MG[unit] / (per_value or D(1))


def _per_kilogram(quantity: Quantity | None) -> Decimal | None:
    if quantity is None:
        return None
    unit = _unit(quantity.code or quantity.unit or "").split("/")
    if len(unit) != 2 or unit[1] != "kg" or unit[0] not in _MG:
        return None
    amount = _positive(quantity.value)
    return amount * _MG[unit[0]] if amount is not None else None


def _code_words(concept: Concept | None) -> set[str]:
    if concept is None:
        return set()
    words = {(coding.code or "").upper() for coding in concept.coding or ()}
    return words | {word.strip(".,;").upper() for word in (concept.text or "").split()}


def _times_a_day(dosage: Dosage, repeat: Repeat | None) -> Decimal | None:
    if repeat is not None:
        period, unit = _positive(repeat.period), repeat.periodUnit
        moments = D(len(repeat.timeOfDay or repeat.when or ()))
        frequency = _positive(repeat.frequencyMax) or _positive(repeat.frequency) or moments or D(1)
        if period and unit in _SECONDS:
            return frequency * _SECONDS["d"] / (period * _SECONDS[unit])
        if moments and repeat.period is None:
            return moments
    words = _code_words(dosage.timing.code if dosage.timing else None)
    return next((D(_PER_DAY[word]) for word in sorted(words) if word in _PER_DAY), None)


def _is_once(dosage: Dosage, repeat: Repeat | None, times: Decimal | None) -> bool:
    """One dose and no more, by the timing, its code or, without a schedule, by the words of the order."""
    timing = dosage.timing
    code = timing.code if timing is not None else None
    if repeat is not None and (count := number(repeat.count)) is not None:
        return count == 1
    if code is not None and _ONCE & {(coding.code or "").upper() for coding in code.coding or ()}:
        return True
    if times is not None:
        return False
    if timing is not None and timing.event and len(timing.event) == 1:
        return True
    return any(_says_once(text) for text in (dosage.text, code.text if code is not None else None) if text)


def _has_schedule(dosage: Dosage, repeat: Repeat | None) -> bool:
    if dosage.timing is not None and dosage.timing.code is not None:
        return True
    return repeat is not None and any(
        (repeat.frequency, repeat.frequencyMax, repeat.period, repeat.periodUnit, repeat.when, repeat.timeOfDay)
    )


@lru_cache(maxsize=4096)
def _says_once(text: str) -> bool:
    return bool(_ONCE_WORDS.search(text)) and not _AGAIN_WORDS.search(text)


def _length(repeat: Repeat | None) -> Decimal | None:
    """How long the course lasts, in hours; a first and a last day count whole."""
    if repeat is None:
        return None
    length = hours(repeat.boundsDuration)
    period = repeat.boundsPeriod
    if length is not None or period is None or not period.start or not period.end:
        return length
    start, end = parse(period.start), parse(period.end)
    if start is None or end is None or end.latest < start.earliest:
        return None
    return D(round((end.latest - start.earliest).total_seconds())) / 3600


def _short_supply(resource: Resource, limit_hours: Decimal) -> bool:
    request = resource.dispenseRequest
    if request is None or (length := hours(request.expectedSupplyDuration)) is None:
        return False
    return length <= limit_hours and not number(request.numberOfRepeatsAllowed)


def _as_needed(dosage: Dosage) -> bool:
    if dosage.asNeededBoolean or dosage.asNeededCodeableConcept or dosage.asNeededFor or dosage.asNeeded is True:
        return True
    return _says_as_needed(dosage.text or "")


@lru_cache(maxsize=4096)
def _says_as_needed(text: str) -> bool:
    return bool(_AS_NEEDED_WORDS.search(text))


def _cap(dosage: Dosage, medication: Medication) -> Decimal | None:
    """The daily limit that the order itself states (maxDosePerPeriod)."""
    ratio = dosage.maxDosePerPeriod
    if isinstance(ratio, list):
        ratio = ratio[0] if ratio else None
    if ratio is None:
        return None
    most, span = _milligrams(ratio.numerator, medication), hours(ratio.denominator)
    return most * _DAY / span if most is not None and span else None
