"""How much is given: the doses and rates that a Dosage states, and what they are in mg of each ingredient."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from decimal import Decimal

import msgspec

from plugin.fhir.dosing.numbers import DAY, positive
from plugin.fhir.dosing.units import ACTUATION, MASS, PATCH, PIECE, VOLUME, Unit, unit_of
from plugin.fhir.types import Dosage, DoseAndRate, Quantity, Range, Ratio
from plugin.patient import Medication

D = Decimal

NO_NUMBER = "dose without a readable number"
OPEN_RANGE = "dose range without an upper end"
NO_LIMIT = 'dose given only as "more than"'
NO_STRENGTH = "strength of the product not known"
OF_SEVERAL = "dose in mg of a product of several ingredients"
OF_MASS = "dose in mg of a product whose strength is per mg"
# What the strength of a product is per, for each kind of dose that is not a mass.
_PER = {VOLUME: "ml", PIECE: "", ACTUATION: "actuat", PATCH: "h"}
_STRENGTH_MG = {"mg": D(1), "g": D(1000), "ug": D("0.001"), "mcg": D("0.001"), "ng": D("0.000001")}
_AT_MOST = {"<", "<="}


class Amount(msgspec.Struct, frozen=True, gc=False):
    """A dose or, where its unit is per time, a rate: the most that may be given."""

    value: Decimal
    unit: Unit


class Stated(msgspec.Struct, frozen=True):
    """What a Dosage states in figures.

    ``doses`` say the same dose in one or several ways (ordered, calculated, as tablets). ``problem`` is the reason why
    one of them cannot be read, and then none counts. ``fixed`` is False for a range. ``any`` tells that something is
    stated at all.
    """

    doses: tuple[Amount, ...] = ()
    rates: tuple[Amount, ...] = ()
    problem: str = ""
    fixed: bool = True
    any: bool = False


def stated(dosage: Dosage) -> Stated:
    """The doses and rates of a Dosage of any version of FHIR; of a range the high end, the one that can do harm."""
    found = [read for part in (*(dosage.doseAndRate or ()), dosage) for read in _reads(part)]
    if dosage.dose is not None:
        found.append(amount_of(dosage.dose))
    if not found:
        return _NOTHING
    problem = next((read for read in found if isinstance(read, str)), "")
    known = [read for read in found if not isinstance(read, str)]
    return Stated(
        tuple([amount for amount in known if amount.unit.hours is None]),
        tuple([amount for amount in known if amount.unit.hours is not None]),
        problem,
        not _is_range(dosage),
        True,
    )


_NOTHING = Stated()


def _reads(part: DoseAndRate | Dosage) -> Iterable[Amount | str]:
    """Each dose and rate of one part; a rate counts only where no dose tells how much is given in all."""
    doses = [*_read(part.doseQuantity, amount_of), *_read(part.doseRange, _high_end)]
    if doses:
        return doses
    return [*_read(part.rateQuantity, _rate), *_read(part.rateRange, _high_rate), *_read(part.rateRatio, _ratio)]


def _read(element: object, read: Callable[..., Amount | str]) -> tuple[Amount | str, ...]:
    return () if element is None else (read(element),)


def _is_range(dosage: Dosage) -> bool:
    parts = (*(dosage.doseAndRate or ()), dosage)
    return any(part.doseRange is not None or part.rateRange is not None for part in parts)


def amount_of(quantity: Quantity) -> Amount | str:
    """A quantity as an amount, or the reason why it is none; "less than 5 mg" is at most 5 mg."""
    value = positive(quantity.value)
    if value is None:
        return NO_NUMBER
    if quantity.comparator and quantity.comparator not in _AT_MOST:
        return NO_LIMIT
    unit = unit_of(quantity.code or "", quantity.unit or "", quantity.system or "")
    return unit if isinstance(unit, str) else Amount(value, unit)


def _high_end(found: Range) -> Amount | str:
    return amount_of(found.high) if found.high is not None else OPEN_RANGE


def _rate(quantity: Quantity) -> Amount | str:
    read = amount_of(quantity)
    return read if isinstance(read, str) or read.unit.hours is not None else "rate that is not per time"


def _high_rate(found: Range) -> Amount | str:
    return _rate(found.high) if found.high is not None else OPEN_RANGE


def _ratio(ratio: Ratio) -> Amount | str:
    """An amount over a time: 5 mg over 2 h."""
    if ratio.numerator is None or ratio.denominator is None:
        return NO_NUMBER
    above, below = amount_of(ratio.numerator), ratio.denominator
    span = positive(below.value)
    per = unit_of("mg/" + (below.code or ""), "mg/" + (below.unit or "") if below.unit else "")
    if span is None or isinstance(above, str) or isinstance(per, str) or per.hours is None:
        return above if isinstance(above, str) else "rate that is not per time"
    return Amount(above.value, msgspec.structs.replace(above.unit, hours=span * per.hours))


def milligrams(amount: Amount, medication: Medication) -> Mapping[str, Decimal] | str:
    """An amount in mg of each ingredient, by its identity ("" for a drug that is not known), or the reason against it.

    A patch is what it gives off in 24 hours.
    """
    unit = amount.unit
    if unit.kind != MASS:
        return _by_strength(amount, medication)
    ingredients = medication.ingredients
    if medication.several or len(ingredients) > 1:
        return OF_SEVERAL
    if medication.strengths and medication.strengths[0][4] in _STRENGTH_MG:
        return OF_MASS
    return {ingredients[0].rxcui if ingredients else "": amount.value * unit.factor}


def _by_strength(amount: Amount, medication: Medication) -> Mapping[str, Decimal] | str:
    """Count or volume times the strength, for each ingredient whose strength is a mass."""
    kind, found = amount.unit.kind, dict[str, Decimal]()
    if kind == PIECE and medication.dose_form == "Pack" and len(medication.ingredients) > 1:
        return NO_STRENGTH
    count = amount.value * amount.unit.factor * (DAY if kind == PATCH else 1)
    for rxcui, value, unit, per_value, per_unit in medication.strengths:
        if unit in _STRENGTH_MG and per_unit == _PER[kind]:
            found[rxcui] = found.get(rxcui, D(0)) + count * value * _STRENGTH_MG[unit] / (per_value or 1)
    return found or NO_STRENGTH
