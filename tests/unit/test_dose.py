"""Doses of an order in mg: each, per day, in the first 24 hours; what cannot be computed is None, never zero."""

from __future__ import annotations

from decimal import Decimal

import pytest

from plugin.fhir.dose import hours, number
from plugin.fhir.orders import order_of
from plugin.fhir.types import Quantity
from plugin.patient import Dose
from plugin.thresholds import Limits
from tests.support.fhir import order
from tests.support.rows import resource, row

LIMITS = Limits()
TABLET = "rxnorm:310672"  # haloperidol 5 mg tablet
AMPOULE = "rxnorm:204416"  # haloperidol 5 mg/mL
COMBINATION = "rxnorm:403969"  # olanzapine 6 mg with fluoxetine 25 mg


def dose_of(*lines: dict, drug: str = "haloperidol", **more: object) -> Dose:
    """The dose of an order with these dosage lines."""
    draft = order(drug, more={"dosageInstruction": list(lines), **more})
    return order_of(resource(draft), 0, LIMITS, {}).dose


def line(value: object = 5, unit: str | None = "mg", *, code: str | None = None, **more: object) -> dict:
    """A dosage line: one quantity, and whatever else."""
    quantity = {"value": value, **({"unit": unit} if unit else {}), **({"code": code} if code else {})}
    return {"doseAndRate": [{"doseQuantity": quantity}], **more}


def repeat(**elements: object) -> dict:
    """A timing with these elements of its repeat."""
    return {"timing": {"repeat": elements}}


def shown(value: Decimal | None) -> str:
    """A figure as a table shows it; "-" for none."""
    return "-" if value is None else f"{value.normalize():f}"


UNITS = [
    row("mg", line(5, "mg"), "haloperidol", "5"),
    row("g", line(0.005, "g"), "haloperidol", "5"),
    row("ug", line(5000, "ug"), "haloperidol", "5"),
    row("µg", line(5000, "µg"), "haloperidol", "5"),
    row("mcg", line(5000, "mcg"), "haloperidol", "5"),
    row("code before unit", line(5, "milligram", code="mg"), "haloperidol", "5"),
    row("unit where the code is foreign", line(5, "mg", code="258684004"), "haloperidol", "5"),
    row("tablets of a known strength", line(2, "{tbl}"), TABLET, "10"),
    row("tablets in words", line(2, "Tablets"), TABLET, "10"),
    row("half a tablet", line(0.5, "tab"), TABLET, "2.5"),
    row("mL of a known strength", line(2, "mL"), AMPOULE, "10"),
    row("mL of a tablet", line(2, "mL"), TABLET, "-"),
    row("tablets of a solution", line(2, "tab"), AMPOULE, "-"),
    row("tablets of an ingredient without strength", line(2, "tab"), "haloperidol", "-"),
    row("a capsule of two ingredients", line(1, "cap"), COMBINATION, "-"),
    row("drops", line(10, "drops"), "haloperidol", "-"),
    row("no unit", line(5, None), "haloperidol", "-"),
    row("a number in quotes", line("5"), "haloperidol", "-"),
    row("zero", line(0), "haloperidol", "-"),
    row("negative", line(-5), "haloperidol", "-"),
    row("beyond all measure", line(1e300), "haloperidol", "-"),
    row("no quantity", {"text": "5 mg"}, "haloperidol", "-"),
    row("R4 simple quantity of an older kind", {"doseQuantity": {"value": 5, "unit": "mg"}}, "haloperidol", "5"),
    row("a range: its high end", {"doseAndRate": [{"doseRange": {"low": {"value": 2, "unit": "mg"},
        "high": {"value": 5, "unit": "mg"}}}]}, "haloperidol", "5"),
    row("a range with a low end only", {"doseAndRate": [{"doseRange": {"low": {"value": 2, "unit": "mg"}}}]},
        "haloperidol", "2"),
]  # fmt: skip


@pytest.mark.parametrize(("dosage", "drug", "mg"), UNITS)
def test_each_dose(dosage: dict, drug: str, mg: str) -> None:
    assert shown(dose_of(dosage, drug=drug).each_mg) == mg


# (per day, first 24 hours) of 5 mg each.
SCHEDULES = [
    row("no timing", {}, "-", "5"),
    row("once a day", repeat(frequency=1, period=1, periodUnit="d"), "5", "5"),
    row("three times a day", repeat(frequency=3, period=1, periodUnit="d"), "15", "15"),
    row("two to three times a day: the most", repeat(frequency=2, frequencyMax=3, period=1, periodUnit="d"), "15",
        "15"),
    row("every 6 hours", repeat(frequency=1, period=6, periodUnit="h"), "20", "20"),
    row("every 30 minutes", repeat(frequency=1, period=30, periodUnit="min"), "240", "240"),
    row("every other day", repeat(frequency=1, period=2, periodUnit="d"), "2.5", "5"),
    row("once in four days", repeat(frequency=1, period=4, periodUnit="d"), "1.25", "5"),
    row("seven times a week", repeat(frequency=7, period=1, periodUnit="wk"), "5", "5"),
    row("a period without a frequency is once", repeat(period=1, periodUnit="d"), "5", "5"),
    row("two times of day", repeat(timeOfDay=["08:00:00", "20:00:00"]), "10", "10"),
    row("two times of day within a period", repeat(timeOfDay=["08:00:00", "20:00:00"], period=1, periodUnit="d"),
        "10", "10"),
    row("morning and evening", repeat(when=["MORN", "EVE"]), "10", "10"),
    row("period of zero", repeat(frequency=1, period=0, periodUnit="d"), "-", "5"),
    row("period of an unknown unit", repeat(frequency=1, period=1, periodUnit="moon"), "-", "5"),
    row("negative period", repeat(frequency=1, period=-1, periodUnit="d"), "-", "5"),
    row("code BID", {"timing": {"code": {"coding": [{"code": "BID"}]}}}, "10", "10"),
    row("code Q6H", {"timing": {"code": {"coding": [{"code": "Q6H"}]}}}, "20", "20"),
    row("code text TID", {"timing": {"code": {"text": "TID"}}}, "15", "15"),
    row("daily dose in words only", {"text": "three times daily"}, "-", "5"),
    row("three doses in all, every 6 hours", repeat(frequency=1, period=6, periodUnit="h", count=3), "20", "15"),
    row("every 6 hours for 12 hours", repeat(frequency=1, period=6, periodUnit="h",
        boundsDuration={"value": 12, "unit": "h"}), "20", "10"),
    row("every 6 hours for 3 days", repeat(frequency=1, period=6, periodUnit="h",
        boundsDuration={"value": 3, "unit": "d"}), "20", "20"),
    row("one dose in all has no daily dose", repeat(frequency=1, period=1, periodUnit="d", count=1), "-", "5"),
    row("a limit of 10 mg a day, four times ordered", {**repeat(frequency=4, period=1, periodUnit="d"),
        "maxDosePerPeriod": {"numerator": {"value": 10, "unit": "mg"}, "denominator": {"value": 1, "unit": "d"}}},
        "10", "10"),
    row("a limit of 40 mg a day, twice ordered", {**repeat(frequency=2, period=1, periodUnit="d"),
        "maxDosePerPeriod": {"numerator": {"value": 40, "unit": "mg"}, "denominator": {"value": 1, "unit": "d"}}},
        "10", "10"),
    row("as needed, limit of 15 mg in 24 hours", {"asNeededBoolean": True,
        "maxDosePerPeriod": {"numerator": {"value": 15, "unit": "mg"}, "denominator": {"value": 24, "unit": "h"}}},
        "15", "15"),
    row("R5 list of limits", {"maxDosePerPeriod": [
        {"numerator": {"value": 15, "unit": "mg"}, "denominator": {"value": 1, "unit": "d"}}]}, "15", "15"),
]  # fmt: skip


@pytest.mark.parametrize(("timing", "per_day", "first_day"), SCHEDULES)
def test_schedule(timing: dict, per_day: str, first_day: str) -> None:
    dose = dose_of(line(5, **timing))
    assert (shown(dose.per_day_mg), shown(dose.first_day_mg)) == (per_day, first_day)


# S-08: a single dose, or a course of at most 24 hours.
SINGLE = [
    row("count 1", repeat(count=1), {}, True),
    row("count 2", repeat(count=2), {}, False),
    row("one event", {"timing": {"event": ["2026-11-22T12:00:00Z"]}}, {}, True),
    row("two events", {"timing": {"event": ["2026-11-22T12:00:00Z", "2026-11-23T12:00:00Z"]}}, {}, False),
    row("24 hours", repeat(boundsDuration={"value": 24, "unit": "h"}), {}, True),
    row("25 hours", repeat(boundsDuration={"value": 25, "unit": "h"}), {}, False),
    row("1440 minutes", repeat(boundsDuration={"value": 1440, "unit": "min"}), {}, True),
    row("1 day", repeat(boundsDuration={"value": 1, "unit": "d"}), {}, True),
    row("period of 24 hours", repeat(boundsPeriod={"start": "2026-11-22T10:00:00Z", "end": "2026-11-23T10:00:00Z"}), {},
        True),
    row("period of 25 hours", repeat(boundsPeriod={"start": "2026-11-22T10:00:00Z", "end": "2026-11-23T11:00:00Z"}), {},
        False),
    row("one date", repeat(boundsPeriod={"start": "2026-11-22", "end": "2026-11-22"}), {}, True),
    row("two dates", repeat(boundsPeriod={"start": "2026-11-22", "end": "2026-11-23"}), {}, False),
    row("a period that ends before it starts", repeat(boundsPeriod={"start": "2026-11-22", "end": "2026-11-01"}), {},
        False),
    row("a period without an end", repeat(boundsPeriod={"start": "2026-11-22"}), {}, False),
    row("supply of 1 day", {}, {"expectedSupplyDuration": {"value": 1, "unit": "d"}}, True),
    row("supply of 1 day with repeats", {},
        {"expectedSupplyDuration": {"value": 1, "unit": "d"}, "numberOfRepeatsAllowed": 3}, False),
    row("supply of 7 days", {}, {"expectedSupplyDuration": {"value": 7, "unit": "d"}}, False),
    row("code STAT", {"timing": {"code": {"coding": [{"code": "STAT"}]}}}, {}, True),
    row("code ONCE with a repeat", {"timing": {"code": {"coding": [{"code": "ONCE"}]},
        "repeat": {"frequency": 1, "period": 1, "periodUnit": "d"}}}, {}, True),
    row("words: once", {"text": "5 mg IM once"}, {}, True),
    row("words: STAT", {"text": "5 mg IM STAT."}, {}, True),
    row("words: one-time", {"text": "one-time dose"}, {}, True),
    row("words: x1", {"text": "5 mg IV x1"}, {}, True),
    row("words: single dose", {"text": "single dose before the scan"}, {}, True),
    row("words: once daily", {"text": "take 1 tablet once daily"}, {}, False),
    row("words: once a day", {"text": "1 tablet ONCE A DAY"}, {}, False),
    row("words: once every morning", {"text": "once every morning"}, {}, False),
    row("words: once at night", {"text": "once nightly"}, {}, False),
    row("words: once weekly", {"text": "once weekly"}, {}, False),
    row("words: stat then q6h", {"text": "5 mg stat then q6h"}, {}, False),
    row("words: may repeat x1", {"text": "5 mg, may repeat x1 in 30 min"}, {}, False),
    row("code text: once daily", {"timing": {"code": {"text": "Once Daily"}}}, {}, False),
    row("words: once, but a schedule stands beside",
        {"text": "once", **repeat(frequency=2, period=1, periodUnit="d")}, {}, False),
    row("nothing said", {}, {}, False),
]  # fmt: skip


@pytest.mark.parametrize(("timing", "supply", "single"), SINGLE)
def test_single_dose(timing: dict, supply: dict, single: bool) -> None:
    assert dose_of(line(5, **timing), **({"dispenseRequest": supply} if supply else {})).single is single


AS_NEEDED = [
    row("asNeededBoolean", {"asNeededBoolean": True}, True),
    row("asNeededBoolean false", {"asNeededBoolean": False}, False),
    row("asNeededCodeableConcept", {"asNeededCodeableConcept": {"text": "agitation"}}, True),
    row("R5 asNeeded", {"asNeeded": True}, True),
    row("R5 asNeededFor", {"asNeededFor": [{"text": "agitation"}]}, True),
    row("words: PRN", {"text": "5 mg q6h PRN agitation"}, True),
    row("words: p.r.n.", {"text": "5 mg p.r.n."}, True),
    row("words: as needed", {"text": "as needed for nausea"}, True),
    row("words: if required", {"text": "5 mg if required"}, True),
    row("words: needed by the ward", {"text": "needed by the ward"}, False),
    row("nothing said", {}, False),
]


@pytest.mark.parametrize(("elements", "expected"), AS_NEEDED)
def test_as_needed(elements: dict, expected: bool) -> None:
    assert dose_of(line(5, **elements)).as_needed is expected


DAILY = repeat(frequency=1, period=1, periodUnit="d")
SEVERAL = [
    row("two lines add up", [line(5, **DAILY), line(10, **DAILY)], "10", "15", "15"),
    row("one of two unknown: no total", [line(5, **DAILY), line(10, "drops", **DAILY)], "5", "-", "-"),
    row("no line at all", [], "-", "-", "-"),
]


@pytest.mark.parametrize(("lines", "each", "per_day", "first_day"), SEVERAL)
def test_several_lines(lines: list[dict], each: str, per_day: str, first_day: str) -> None:
    dose = dose_of(*lines)
    assert (shown(dose.each_mg), shown(dose.per_day_mg), shown(dose.first_day_mg)) == (each, per_day, first_day)


@pytest.mark.parametrize(
    ("lines", "expected"),
    [
        row("scheduled and as needed is scheduled", [line(5, **DAILY), line(5, asNeededBoolean=True)], False),
        row("as needed twice", [line(5, asNeededBoolean=True), line(5, asNeededBoolean=True)], True),
    ],
)
def test_several_lines_are_as_needed_only_together(lines: list[dict], expected: bool) -> None:
    assert dose_of(*lines).as_needed is expected


PER_KILOGRAM = [
    row("mg/kg", line(0.5, "mg/kg"), "0.5"),
    row("ug/kg", line(500, "ug/kg"), "0.5"),
    row("mg/kg/d is a rate", line(0.5, "mg/kg/d"), "-"),
    row("mg", line(5), "-"),
    row("negative", line(-1, "mg/kg"), "-"),
]


@pytest.mark.parametrize(("dosage", "expected"), PER_KILOGRAM)
def test_per_kilogram(dosage: dict, expected: str) -> None:
    assert shown(dose_of(dosage).each_mg_per_kg) == expected


UNREADABLE = [
    row("5 mg", [line(5)], False),
    row("words only", [{"text": "5 mg daily"}], True),
    row("a unit that is none", [line(5, "drops")], True),
    row("no number", [line("five")], True),
    row("5 mg, schedule in words", [line(5, text="twice daily")], True),
    row("5 mg, schedule incomplete", [line(5, **repeat(frequency=2))], True),
    row("5 mg once, in words", [line(5, text="once")], False),
    row("5 mg twice a day", [line(5, **repeat(frequency=2, period=1, periodUnit="d"))], False),
    row("5 mg for a week", [line(5, **repeat(boundsDuration={"value": 7, "unit": "d"}))], False),
    row("a route alone", [{"route": {"text": "IM"}}], False),
    row("blank words", [{"text": " "}], False),
    row("no line", [], False),
]


@pytest.mark.parametrize(("lines", "expected"), UNREADABLE)
def test_stated_but_unreadable(lines: list[dict], expected: bool) -> None:
    assert dose_of(*lines).unreadable is expected


DURATIONS = [
    row("hours", 36, "h", "36"),
    row("a day in words", 1, "day", "24"),
    row("days", 2, "Days", "48"),
    row("weeks", 1, "wk", "168"),
    row("months", 1, "months", "720"),
    row("years", 1, "a", "8760"),
    row("minutes", 30, "min", "0.5"),
    row("unknown unit", 1, "moon", "-"),
    row("no unit", 1, None, "-"),
    row("negative", -1, "d", "-"),
    row("zero", 0, "d", "0"),
    row("no number", "1", "d", "-"),
    row("longer than any life", 99999999, "a", "8760000"),
]


@pytest.mark.parametrize(("value", "unit", "expected"), DURATIONS)
def test_hours(value: object, unit: str | None, expected: str) -> None:
    found = hours(Quantity(value=value, unit=unit))
    assert shown(found) == expected


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        row("whole", 5, Decimal(5)),
        row("exact", Decimal("0.1"), Decimal("0.1")),
        row("a string", "5", None),
        row("true", True, None),
        row("none", None, None),
        row("not a number", Decimal("NaN"), None),
        row("infinite", Decimal("Infinity"), None),
        row("too large", Decimal("1e16"), None),
        row("too small", Decimal("1e-999999"), None),
        row("zero", Decimal("0.00"), Decimal("0.00")),
    ],
)
def test_number(value: object, expected: Decimal | None) -> None:
    assert number(value) == expected
