"""Observations -> results: analyte by LOINC, value by unit, laboratory range, status. Nothing is guessed."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta
from decimal import Decimal
from functools import lru_cache

import msgspec

from plugin import units
from plugin.fhir.dose import number
from plugin.fhir.medication import terminology
from plugin.fhir.types import Coding, Component, Concept, Quantity, Range, ReferenceRange, Resource
from plugin.patient import Result
from plugin.text import plain
from plugin.thresholds import Limits
from plugin.when import When, parse

_FINAL = {"final", "amended", "corrected"}
_EXCLUDED = {"registered", "cancelled", "entered-in-error"}
_OTHER_SPECIMEN = (
    "urine",
    "csf",
    "spinal",
    "saliva",
    "stool",
    "faec",
    "fec",
    "sweat",
    "dialys",
    "pleural",
    "ascit",
    "periton",
    "erythrocyte",
    "red cell",
    "rbc",
)
_LOW_FLAGS = {"L", "LL", "LU"}
_YEARS = {"a", "y", "yr", "yrs", "year", "years"}
_POSITIVE_WORDS = {"positive", "detected", "pos", "present", "reactive"}


@lru_cache(maxsize=16384)
def _analyte(system: str, code: str) -> str | None:
    return terminology().analyte(system, code)


def analyte_of(concept: Concept | None) -> str | None:
    """The analyte that a code means, by LOINC alone."""
    if concept is None or concept.coding is None:
        return None
    for coding in concept.coding:
        if coding.code and coding.system and (found := _analyte(coding.system, coding.code)):
            return found
    return None


def when_of(resource: Resource) -> When | None:
    """The clinically relevant time: effective, else issued."""
    period = resource.effectivePeriod
    text = (
        resource.effectiveDateTime
        or resource.effectiveInstant
        or (period.end or period.start if period else None)
        or resource.issued
    )
    return parse(text) if text else None


def wrong_specimen(resource: Resource) -> bool:
    """True when the specimen is said to be something else than blood, serum or plasma."""
    reference = resource.specimen
    if reference is None:
        return False
    words = (reference.display or "").lower()
    if reference.reference and reference.reference.startswith("#"):
        inner = next((r for r in resource.contained or () if r.id == reference.reference[1:]), None)
        kind = inner.type if inner is not None else None
        words += str(kind).lower() if kind else ""
    return any(word in words for word in _OTHER_SPECIMEN)


class Person(msgspec.Struct, frozen=True):
    """What a reference range may depend on."""

    gender: str
    years: int | None


def results_of(resource: Resource, now: datetime, limits: Limits, person: Person) -> list[Result]:
    """The results that one Observation holds, its components included; empty when it holds none of ours."""
    status = resource.status or ""
    analyte = analyte_of(resource.code)
    parts = [(analyte_of(part.code), part) for part in resource.component or ()]
    if status in _EXCLUDED or (analyte is None and not any(kind for kind, _ in parts)):
        return []
    if wrong_specimen(resource):
        return []
    found = [_result(analyte, resource, resource, now, limits, person)] if analyte else []
    found += [_result(kind, part, resource, now, limits, person) for kind, part in parts if kind]
    return [result for result in found if result is not None]


def _result(
    analyte: str, part: Resource | Component, whole: Resource, now: datetime, limits: Limits, person: Person
) -> Result | None:
    quantity = part.valueQuantity
    if part.dataAbsentReason is not None or whole.dataAbsentReason is not None:
        return None
    if quantity is None and part.valueString is None:
        return None
    when = when_of(whole)
    value, problem, inferred, unit = _value(analyte, quantity, part.referenceRange or ())
    normal = _normal_range(part.referenceRange or (), person)
    lower = _limit(analyte, normal.low, unit) if normal else None
    upper = _limit(analyte, normal.high, unit) if normal else None
    if not problem and value is not None and not _plausible(analyte, value, limits):
        problem = "implausible"
    if when is not None and when.earliest > now + timedelta(minutes=float(limits.future_minutes)):
        problem = "implausible"
    return Result(
        analyte,
        f"Observation/{whole.id}" if whole.id else "Observation",
        None if problem else value,
        problem,
        (quantity.comparator or "") if quantity else "",
        whole.status not in _FINAL,
        inferred,
        _flagged_low(part.interpretation),
        when,
        lower,
        upper,
        normal is not None,
        (whole.specimen.reference or "") if whole.specimen else "",
        plain(whole.status or "", 20),
        _shown(quantity, part.valueString, value, analyte),
    )


def _value(
    analyte: str, quantity: Quantity | None, ranges: Sequence[ReferenceRange]
) -> tuple[Decimal | None, str, bool, units.Unit | None]:
    """(value in the canonical unit, problem, unit inferred, unit)."""
    if quantity is None:
        return None, "unit-missing", False, None
    amount = number(quantity.value)
    if amount is None:
        return None, "implausible", False, None
    if analyte not in units.TABLE:
        return amount, "", False, None
    unit = units.find(analyte, quantity.code or "", quantity.unit or "")
    inferred = False
    if unit == "unit-missing":
        unit = _range_unit(analyte, ranges)
        inferred = not isinstance(unit, str)
    if isinstance(unit, str):
        return None, unit, False, None
    return unit.convert(amount), "", inferred, unit


def _range_unit(analyte: str, ranges: Sequence[ReferenceRange]) -> units.Unit | str:
    for entry in ranges:
        if entry.low is not None and (entry.low.code or entry.low.unit):
            return units.find(analyte, entry.low.code or "", entry.low.unit or "")
    return "unit-missing"


def _normal_range(ranges: Sequence[ReferenceRange], person: Person) -> ReferenceRange | None:
    """The one normal range that fits this person; several, or none, leave the decision to the default limit."""
    fitting = [entry for entry in ranges if _is_normal(entry) and _fits(entry, person)]
    return fitting[0] if len(fitting) == 1 else None


def _limit(analyte: str, bound: Quantity | None, unit: units.Unit | None) -> Decimal | None:
    amount = number(bound.value) if bound is not None else None
    if bound is None or amount is None:
        return None
    if analyte not in units.TABLE:
        return amount
    own = units.find(analyte, bound.code or "", bound.unit or "")
    chosen = own if not isinstance(own, str) else unit if own == "unit-missing" else None
    return chosen.convert(amount) if chosen is not None else None


def _is_normal(entry: ReferenceRange) -> bool:
    codes = {coding.code for coding in (entry.type.coding or ())} if entry.type else set()
    return not codes or "normal" in codes


def _fits(entry: ReferenceRange, person: Person) -> bool:
    words = {
        (text or "").strip().lower()
        for concept in entry.appliesTo or ()
        for text in (concept.text, *(part for coding in concept.coding or () for part in (coding.code, coding.display)))
        if text
    }
    if words and person.gender not in words:
        return False
    return entry.age is None or (person.years is not None and _within(entry.age, person.years))


def _within(age: Range, years: int) -> bool:
    for bound, fits in ((age.low, lambda edge: years >= edge), (age.high, lambda edge: years <= edge)):
        if bound is None:
            continue
        amount = number(bound.value)
        if amount is None or (bound.code or bound.unit or "").strip().lower() not in _YEARS or not fits(amount):
            return False
    return True


def _plausible(analyte: str, value: Decimal, limits: Limits) -> bool:
    family = {"calcium": "calcium", "calcium-corrected": "calcium", "calcium-ionised": "ionised"}.get(analyte, analyte)
    if family not in {"calcium", "ionised", "magnesium", "albumin"}:
        return value >= 0
    lowest: Decimal = getattr(limits, f"{family}_lowest_plausible")
    highest: Decimal = getattr(limits, f"{family}_highest_plausible")
    return lowest <= value <= highest


def _flagged_low(interpretation: list[Concept] | Concept | None) -> bool:
    concepts = interpretation if isinstance(interpretation, list) else [interpretation] if interpretation else []
    return any(coding.code in _LOW_FLAGS for concept in concepts for coding in concept.coding or ())


def _shown(quantity: Quantity | None, text: str | None, value: Decimal | None, analyte: str) -> str:
    if quantity is None:
        return f'"{plain(text or "", 30)}"'
    unit = plain(quantity.unit or quantity.code or "", 20)
    amount = number(quantity.value)
    written = f"{quantity.comparator or ''}{amount if amount is not None else '(unreadable)'} {unit}".strip()
    if not unit:
        return f"{written} (no unit)"
    canonical = units.CANONICAL.get(analyte, "")
    if value is None or not canonical or "".join(unit.split()).lower() == canonical.lower() or canonical == "g/L":
        return written
    return f"{written} = {value:.2f} {canonical}" if canonical == "mmol/L" else written


def is_positive(resource: Resource) -> bool:
    """True for a screen that was found positive, by code, interpretation or word."""
    if resource.status in _EXCLUDED:
        return False
    concepts = [resource.valueCodeableConcept] if resource.valueCodeableConcept else []
    flags = resource.interpretation
    concepts += flags if isinstance(flags, list) else [flags] if flags else []
    codings: list[Coding] = [coding for concept in concepts for coding in concept.coding or ()]
    texts = [concept.text for concept in concepts] + [coding.display for coding in codings] + [resource.valueString]
    return any((text or "").strip().lower() in _POSITIVE_WORDS for text in texts)


def screen(resource: Resource) -> Result:
    """A positive screen as a result without a value."""
    reference = f"Observation/{resource.id}" if resource.id else "Observation"
    provisional = resource.status not in _FINAL
    return Result(
        "cocaine-screen",
        reference,
        None,
        "",
        "",
        provisional,
        False,
        False,
        when_of(resource),
        None,
        None,
        False,
        "",
        plain(resource.status or "", 20),
        "positive",
    )


def is_poor_metaboliser(resource: Resource) -> bool:
    """True for a result that says CYP2D6 poor metaboliser in words; no code for it is confirmed yet."""
    concept = resource.code
    if concept is None or resource.status in _EXCLUDED:
        return False
    words = (concept.text or "") + " ".join(coding.display or "" for coding in concept.coding or ())
    if "cyp2d6" not in words.lower():
        return False
    value = resource.valueCodeableConcept
    told = [resource.valueString or ""] + ([value.text or ""] if value else [])
    told += [coding.display or "" for coding in (value.coding or ())] if value else []
    return any("poor metab" in text.lower() for text in told)
