"""Observations -> results: analyte by LOINC, value by unit, laboratory range, status. Nothing is guessed."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from decimal import Decimal
from functools import lru_cache

import msgspec

from plugin import units
from plugin.fhir.ranges import INFINITE, Bounds, Person, amount_of, known_limits, limits_of, unit_of
from plugin.fhir.specimen import is_elsewhere, words_of, wrong_specimen
from plugin.fhir.types import (
    Coding,
    Component,
    Concept,
    Quantity,
    ReferenceRange,
    Resource,
    concept_of,
    interpretation_of,
)
from plugin.patient import Result
from plugin.presentation import PRESENTATIONS
from plugin.text import plain
from plugin.thresholds import Limits
from plugin.vocabulary import cached, terminology
from plugin.when import When, parse
from valuesets.systems import LOINC

_FINAL = {"final", "amended", "corrected"}
EXCLUDED = {"registered", "cancelled", "entered-in-error"}
_LOW_FLAGS = {"L", "LL", "LU"}
_POSITIVE_WORDS = {"positive", "detected", "pos", "det", "present", "reactive"}
_BRACKETED = (("[IU]", "IU"), ("[lb_av]", "lb"), ("{1.73_m2}", "1.73 m2"))
_LONGEST_AMOUNT = 12
_KINDS = frozenset(PRESENTATIONS.values())
_FAMILIES = {"calcium-corrected": "calcium", "calcium-ionised": "ionised", "vitamin-d-25-oh": "vitamin_d"}
_PLAUSIBLE = {
    analyte: (f"{family}_lowest_plausible", f"{family}_highest_plausible")
    for analyte in units.TABLE
    for family in [_FAMILIES.get(analyte, analyte)]
}


@cached(maxsize=16384)
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


class Meaning(msgspec.Struct, frozen=True):
    """What the code of an Observation means: ``ours`` is False for what surely holds no result that rules read.

    ``named`` is the analyte, or what it would be if the code were LOINC, which ``analyte`` alone says that it is.
    ``genomic`` is "variant" or "implication" for a report of a genetic variant or of what one means, ``presentation`` a
    kind of ``plugin.presentation``. ``rare`` says that it is about genes (CYP2D6 or a variant), a presentation or the
    Child-Pugh class (``liver``).
    """

    analyte: str
    ours: bool
    metaboliser: bool
    named: str = ""
    genomic: str = ""
    rare: bool = False
    presentation: str = ""
    liver: bool = False


UNCODED = Meaning("", True, False)


def meaning_of(resource: Resource) -> Meaning:
    """What an Observation is about, worked out once per distinct code."""
    return meaning(bytes(resource.raw_code)) if resource.raw_code else UNCODED


@cached(maxsize=8192)
def meaning(raw: bytes) -> Meaning:
    """What the JSON of an Observation's code means."""
    concept = concept_of(raw)
    if concept is None:
        return UNCODED
    told = presentation_of(concept)
    if told:
        return Meaning("", False, False, rare=True, presentation=told)
    words, analyte = words_of(concept), analyte_of(concept) or ""
    named = analyte or _analyte_without_system(concept) or ""
    if is_elsewhere(words, named):
        analyte = named = ""
    lower, genomic = words.lower(), _genomic(concept)
    metaboliser, liver = "cyp2d6" in lower, "child" in lower and "pugh" in lower
    rare = metaboliser or liver or bool(genomic)
    return Meaning(analyte, bool(named), metaboliser, named, genomic, rare, liver=liver)


def presentation_of(concept: Concept) -> str:
    """The kind of presentation that a code of the site's own tells, or the text or a display, whatever the case."""
    analyte = analyte_of(concept)
    if analyte in _KINDS:
        return analyte
    texts = (concept.text, *(coding.display for coding in concept.coding or ()))
    kinds = (PRESENTATIONS.get(" ".join(text.lower().split())) for text in texts if text)
    return next((kind for kind in kinds if kind), "")


def _genomic(concept: Concept) -> str:
    codes = terminology()
    keys = (codes.genomic(one.system, one.code) for one in concept.coding or () if one.system and one.code)
    return next((key for key in keys if key in ("variant", "implication")), "")


def _analyte_without_system(concept: Concept | None) -> str | None:
    """What a code would mean if it were LOINC: it does not say so, hence a result that cannot be read."""
    codings = (concept.coding or ()) if concept is not None else ()
    found = (_analyte(LOINC, coding.code) for coding in codings if coding.code and not coding.system)
    return next((analyte for analyte in found if analyte), None)


def when_of(resource: Resource) -> When | None:
    """The clinically relevant time: effective, else issued."""
    period = resource.effectivePeriod
    text = (
        resource.effectiveDateTime
        or resource.effectiveInstant
        or (period.end or period.start if period else None)
        or resource.issued
        or resource.authored
    )
    return parse(text) if text else None


def results_of(resource: Resource, meaning: Meaning, now: datetime, limits: Limits, person: Person) -> list[Result]:
    """The results that one Observation holds, its components included; empty when it holds none of ours."""
    components = (resource.component if resource.raw_component else None) or ()
    parts = [(named, part) for part in components if (named := _named(part))[0]] if components else []
    if resource.status in EXCLUDED or not (meaning.named or parts):
        return []
    specimen = resource.specimen if resource.raw_specimen else None
    if specimen is not None and wrong_specimen(resource, specimen):
        return []
    whole = Whole(resource, when_of(resource), (specimen.reference or "") if specimen else "", now, limits, person)
    found = [_result(*named, part, whole) for named, part in parts]
    if meaning.named and not (parts and _is_empty(resource)):
        found.append(_result(meaning.named, bool(meaning.analyte), resource, whole))
    return [result for result in found if result is not None]


class Whole(msgspec.Struct, frozen=True, gc=False):
    """What the parts of one Observation share."""

    resource: Resource
    when: When | None
    specimen: str
    now: datetime
    limits: Limits
    person: Person


def _named(part: Resource | Component) -> tuple[str, bool]:
    """(analyte, whether its code says that it is LOINC)."""
    coded = analyte_of(part.code)
    named = coded or _analyte_without_system(part.code) or ""
    return ("", False) if is_elsewhere(words_of(part.code), named) else (named, coded is not None)


def _is_empty(part: Resource | Component) -> bool:
    return part.valueQuantity is None and part.valueString is None


def _result(analyte: str, coded: bool, part: Resource | Component, whole: Whole) -> Result | None:
    """None for a result that is said to be absent; one without any value, or with a value in words, is unreadable.

    So is one whose code names no system, one dated in the future, and one with a modifier that we do not know.
    """
    if part.dataAbsentReason is not None:
        return None
    quantity, text = part.valueQuantity, part.valueString
    resource, when, limits = whole.resource, whole.when, whole.limits
    amount = amount_of(quantity) if quantity is not None else None
    value, problem, inferred, unit = _value(analyte, quantity, amount, text, part)
    normal = _normal(analyte, part, whole.person, unit)
    if value is not None and not is_plausible(analyte, value, limits):
        problem = "implausible"
    if normal.lower is not None and not is_plausible(analyte, normal.lower, limits):
        normal = normal.unreadable()
    future = when is not None and when.earliest > whole.now + limits.span("future_minutes")
    if not coded or future or resource.modifierExtension:
        problem = "implausible"
    return Result(
        analyte,
        f"Observation/{resource.id}" if resource.id else "Observation",
        None if problem else value,
        problem,
        (quantity.comparator or "").strip() if quantity else "",
        resource.status not in _FINAL,
        inferred,
        _is_flagged_low(part),
        when,
        normal.lower,
        normal.upper,
        whole.specimen,
        plain(resource.status or "", 20),
        _shown(quantity, amount, text, value, analyte),
        normal.doubt_below,
        normal.told,
    )


def _value(
    analyte: str, quantity: Quantity | None, amount: Decimal | None, text: str | None, part: Resource | Component
) -> tuple[Decimal | None, str, bool, units.Unit | None]:
    """(value in the canonical unit, problem, unit inferred, unit)."""
    if quantity is None:
        return None, "implausible" if text is None else "unit-missing", False, None
    if amount is None:
        return None, "implausible", False, None
    if analyte not in units.TABLE:
        return amount, "", False, None
    unit = unit_of(analyte, quantity)
    inferred = False
    if unit == "unit-missing":
        unit = _range_unit(analyte, part.referenceRange or ())
        inferred = not isinstance(unit, str)
    if isinstance(unit, str):
        return None, unit, False, None
    return unit.convert(amount), "", inferred, unit


def _normal(analyte: str, part: Resource | Component, person: Person, unit: units.Unit | None) -> Bounds:
    raw = part.raw_referenceRange if isinstance(part, Resource) else None
    known = known_limits(analyte, bytes(raw), unit) if raw else None
    return known if known is not None else limits_of(analyte, part.referenceRange or (), person, unit)


def _range_unit(analyte: str, ranges: Sequence[ReferenceRange]) -> units.Unit | str:
    """The unit that every lower limit with a unit has (C-CA: inferred); two different ones infer nothing."""
    lows = (entry.low for entry in ranges if entry.low is not None)
    found = list(dict.fromkeys(unit for low in lows if (unit := unit_of(analyte, low)) != "unit-missing"))
    return found[0] if len(found) == 1 else "unit-missing"


@lru_cache(maxsize=256)
def _plausible(analyte: str, limits: Limits) -> tuple[Decimal, Decimal]:
    names = _PLAUSIBLE.get(analyte)
    return (getattr(limits, names[0]), getattr(limits, names[1])) if names is not None else (Decimal(0), INFINITE)


def is_plausible(analyte: str, value: Decimal, limits: Limits) -> bool:
    """Whether a person can have this value; what has no unit, and so no bounds, must not be negative."""
    lowest, highest = _plausible(analyte, limits)
    return lowest <= value <= highest


def _is_flagged_low(part: Resource | Component) -> bool:
    if not isinstance(part, Resource):
        return _flagged_low(part.interpretation)
    return _raw_flagged_low(bytes(part.raw_interpretation)) if part.raw_interpretation else False


@lru_cache(maxsize=4096)
def _raw_flagged_low(raw: bytes) -> bool:
    return _flagged_low(interpretation_of(raw))


def _flagged_low(interpretation: list[Concept] | Concept | None) -> bool:
    return any(coding.code in _LOW_FLAGS for concept in _concepts(interpretation) for coding in concept.coding or ())


def _concepts(interpretation: list[Concept] | Concept | None) -> list[Concept]:
    return interpretation if isinstance(interpretation, list) else [interpretation] if interpretation else []


def _shown(
    quantity: Quantity | None, amount: Decimal | None, text: str | None, value: Decimal | None, analyte: str
) -> str:
    """The result as the laboratory wrote it, and in our unit where that differs."""
    if quantity is None:
        return f'"{plain(text, 30)}"' if text else "(no readable value)"
    unit = _readable_unit(quantity.unit or quantity.code or "")
    number_words = f"{amount:f}" if amount is not None else "(unreadable)"
    if amount is not None and len(number_words) > _LONGEST_AMOUNT:
        number_words = f"{amount:.4f}"
    sign = plain_comparator(quantity)
    written = f"{sign}{number_words} {unit}".strip()
    if not unit and value is not None and units.CANONICAL.get(analyte) == "mmol/L":
        return f"{written} (no unit), read as {sign}{value:.2f} mmol/L"
    if not unit:
        return f"{written} (no unit)"
    if value is None or units.CANONICAL.get(analyte) != "mmol/L" or "".join(unit.split()).lower() == "mmol/l":
        return written
    return f"{written} = {sign}{value:.2f} mmol/L"


@lru_cache(maxsize=4096)
def _readable_unit(unit: str) -> str:
    """Brackets and braces would go, as signs of Markdown, and UCUM writes units of its own in them."""
    for sign, words in _BRACKETED:
        unit = unit.replace(sign, words)
    return plain(unit, 20)


def plain_comparator(quantity: Quantity) -> str:
    """A comparator of FHIR as it stands; anything else as a sign that decides nothing."""
    sign = (quantity.comparator or "").strip()
    return sign if sign in {"", "<", "<=", ">", ">="} else "about "


def is_positive(resource: Resource) -> bool:
    """True for a screen that was found positive, by code, interpretation or word."""
    if resource.status in EXCLUDED:
        return False
    flags = _concepts(resource.interpretation)
    concepts = [*flags, *([resource.valueCodeableConcept] if resource.valueCodeableConcept else [])]
    codings: list[Coding] = [coding for concept in concepts for coding in concept.coding or ()]
    if any((coding.system or "", coding.code or "") in _positive_codes() for coding in codings):
        return True
    texts = [concept.text for concept in concepts] + [coding.display for coding in codings] + [resource.valueString]
    texts += [coding.code for flag in flags for coding in flag.coding or ()]
    return any((text or "").strip().lower() in _POSITIVE_WORDS for text in texts)


@cached(maxsize=1)
def _positive_codes() -> frozenset[tuple[str, str]]:
    return frozenset((coding.system, coding.code) for coding in terminology().members("result-positive"))


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
        "",
        plain(resource.status or "", 20),
        "positive",
    )


def is_poor_metaboliser(resource: Resource) -> bool:
    """True for a result about CYP2D6 that says poor metaboliser in words; no code for it is confirmed yet."""
    if resource.status in EXCLUDED:
        return False
    value = resource.valueCodeableConcept
    told = [resource.valueString or ""] + ([value.text or ""] if value else [])
    told += [coding.display or "" for coding in (value.coding or ())] if value else []
    return any("poor metab" in text.lower() for text in told)
