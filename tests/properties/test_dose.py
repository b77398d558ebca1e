"""Doses: any JSON is answered, a quantity scales its dose, and what cannot be read never makes a dose smaller."""

from __future__ import annotations

import copy
from decimal import Decimal
from typing import Any

import msgspec
from hypothesis import assume, given
from hypothesis import strategies as st

from plugin.fhir.orders import order_of
from plugin.patient import Dose
from plugin.thresholds import Limits
from tests.support.fhir import order
from tests.support.rows import resource

Json = dict[str, Any]
LIMITS = Limits()
TABLET = "rxnorm:310672"
DRUGS = st.sampled_from(["haloperidol", TABLET, "rxnorm:204416", "rxnorm:403969", "rxnorm:859867", "Haldol 5 mg"])


def dose_of(lines: object, drug: str = TABLET, **more: object) -> Dose | None:
    """The dose of an order, None for one that is unreadable as a whole."""
    try:
        draft = resource(order(drug, more={"dosageInstruction": lines, **more}))
        return order_of(draft, 0, LIMITS, {}).dose
    except msgspec.ValidationError:
        return None


SCALARS = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(-3, 3),
    st.integers(),
    st.floats(allow_nan=False, allow_infinity=False),
    st.sampled_from(["mg", "mL", "tablet", "mg/kg/d", "h", "d", "BID", "AC", "mon", "<", "2026-11-22", "08:00:00"]),
    st.text(max_size=12),
)
NAMES = """
    sequence text timing repeat code coding event frequency frequencyMax period periodMax periodUnit when timeOfDay
    dayOfWeek count countMax duration durationUnit boundsDuration boundsRange boundsPeriod doseAndRate doseQuantity
    doseRange rateQuantity rateRatio rateRange value unit comparator low high numerator denominator maxDosePerPeriod
    asNeededBoolean asNeeded start end
"""
KEYS = st.sampled_from(NAMES.split())
ANYTHING = st.recursive(
    SCALARS, lambda inner: st.lists(inner, max_size=3) | st.dictionaries(KEYS, inner, max_size=5), max_leaves=25
)


@given(st.lists(ANYTHING, max_size=3), ANYTHING, DRUGS)
def test_any_dosage_is_answered(lines: list[object], supply: object, drug: str) -> None:
    dose = dose_of(lines, drug, dispenseRequest=supply)
    for part in (part for _, part in dose.parts) if dose is not None else ():
        assert all(value is None or value > 0 for value in (part.each_mg, part.per_day_mg, part.first_day_mg))


NUMBERS = st.integers(1, 8)
UNITS = st.sampled_from(["mg", "g", "tablet", "mg/kg", "mcg"])
CODES = st.sampled_from(["QD", "BID", "TID", "QID", "Q4H", "Q6H", "Q12H", "QOD"])


def quantity(value: object, unit: str) -> Json:
    return {"value": value, "unit": unit}


@st.composite
def timings(draw: st.DrawFn) -> Json:
    """A timing that can be read."""
    kind = draw(st.sampled_from(["period", "moments", "times", "code", "days", "events"]))
    if kind == "code":
        return {"code": {"coding": [{"code": draw(CODES)}]}}
    if kind == "events":
        return {"event": [f"2026-11-2{day}T08:00:00Z" for day in range(draw(st.integers(2, 6)))]}
    repeat: Json = {"frequency": draw(NUMBERS), "period": draw(NUMBERS), "periodUnit": draw(st.sampled_from("hd"))}
    if draw(st.booleans()):
        repeat |= {"frequencyMax": repeat["frequency"] + 2, "periodMax": repeat["period"] + 1}
    if kind == "moments":
        repeat = {"when": draw(st.lists(st.sampled_from(["MORN", "NOON", "EVE", "HS", "AC"]), min_size=1))}
    if kind == "times":
        repeat = {"timeOfDay": ["08:00:00", "14:00:00", "20:00:00"][: draw(st.integers(1, 3))]}
    if kind == "days":
        repeat |= {"period": 1, "periodUnit": "d", "dayOfWeek": ["mon", "wed", "fri"][: draw(st.integers(1, 3))]}
    if draw(st.booleans()):
        repeat["boundsDuration"] = quantity(draw(NUMBERS), draw(st.sampled_from("hd")))
    if draw(st.booleans()):
        repeat["count"] = draw(NUMBERS)
    return {"repeat": repeat}


@st.composite
def dosages(draw: st.DrawFn) -> Json:
    """A dosage line that can be read."""
    low, unit = draw(NUMBERS), draw(UNITS)
    amount: Json = {"doseQuantity": quantity(low, unit)}
    if draw(st.booleans()):
        amount = {"doseRange": {"low": quantity(low, unit), "high": quantity(low + 2, unit)}}
    found: Json = {"doseAndRate": [amount], "timing": draw(timings())}
    if draw(st.booleans()):
        span = {"numerator": quantity(draw(NUMBERS), "mg"), "denominator": quantity(draw(NUMBERS), "d")}
        found["maxDosePerPeriod"] = span
    if draw(st.booleans()):
        found["sequence"] = draw(st.integers(1, 3))
    return found


LINES = st.lists(dosages(), min_size=1, max_size=3)


def scaled(found: Any, factor: int) -> Any:
    """The same with every dose and limit so many times as high."""
    if isinstance(found, list):
        return [scaled(part, factor) for part in found]
    if not isinstance(found, dict):
        return found
    if "value" in found and found["unit"] not in {"h", "d"}:
        return {**found, "value": found["value"] * factor}
    return {name: scaled(part, factor) for name, part in found.items()}


@given(LINES, st.integers(2, 9))
def test_scaling_the_quantity_scales_the_dose(lines: list[Json], factor: int) -> None:
    before, after = dose_of(lines), dose_of(scaled(lines, factor))
    assert before is not None
    assert after is not None
    for name in ("each_mg", "per_day_mg", "first_day_mg"):
        one, many = getattr(before, name), getattr(after, name)
        assert (one is None) == (many is None)
        assert one is None or abs(many - one * factor) <= many * Decimal("1e-20")


def places(found: Any, path: tuple[Any, ...] = ()) -> list[tuple[Any, ...]]:
    """The way to every single value."""
    if isinstance(found, dict):
        return [way for name, part in found.items() for way in places(part, (*path, name))]
    if isinstance(found, list):
        return [way for at, part in enumerate(found) for way in places(part, (*path, at))]
    return [path]


GARBAGE = st.sampled_from(["zork", "?", -1, 0, True, "", [1], {"value": 1}])


@given(LINES, st.data())
def test_what_cannot_be_read_never_makes_a_certain_dose_smaller(lines: list[Json], data: st.DataObject) -> None:
    before = dose_of(lines)
    spoilt = copy.deepcopy(lines)
    *way, last = data.draw(st.sampled_from(places(lines)))
    place: Any = spoilt
    for step in way:
        place = place[step]
    garbage = data.draw(GARBAGE)
    # Another whole number is a sequence like any other.
    assume(last != "sequence" or type(garbage) is not int)
    place[last] = garbage
    after = dose_of(spoilt)
    assert before is not None
    if after is None or after.unreadable or after.reason:
        return
    for name in ("each_mg", "per_day_mg", "first_day_mg"):
        one, other = getattr(before, name), getattr(after, name)
        assert one is None or other is None or other >= one
