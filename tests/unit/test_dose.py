"""Doses of an order in mg: each, per day, in the first 24 hours; what cannot be computed is None, never zero."""

from __future__ import annotations

from decimal import Decimal

import pytest

from plugin.fhir.dose import hours, number, of_order
from plugin.fhir.orders import order_of
from plugin.fhir.types import Quantity
from plugin.patient import Dose, Gap, Medication
from plugin.thresholds import Limits
from tests.support.fhir import order
from tests.support.rows import resource, row

LIMITS = Limits()
TABLET = "rxnorm:310672"  # haloperidol 5 mg tablet
AMPOULE = "rxnorm:204416"  # haloperidol 5 mg/mL
COMBINATION = "rxnorm:403969"  # olanzapine 6 mg with fluoxetine 25 mg
LIMBITROL = "rxnorm:856781"  # amitriptyline 12.5 mg with chlordiazepoxide 5 mg
FLUOXETINE, OLANZAPINE = "4493", "61381"
SUPPOSITORY = "rxnorm:207639"  # prochlorperazine 25 mg
PATCH = "rxnorm:2261741"  # asenapine 0.158 mg an hour
DECANOATE = "rxnorm:859867"  # haloperidol decanoate


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
    """A figure as a table shows it, to the thousandth; "-" for none."""
    return "-" if value is None else f"{round(value, 3).normalize():f}"


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
    row("mass per volume", line(5, "mg/mL"), "haloperidol", "-"),
    row("milligrams, spelled out", line(5, "milligrams"), "haloperidol", "5"),
    row("ng", line(5000000, "ng"), "haloperidol", "5"),
    row("an annotation means nothing", line(5, None, code="mg{lactate}"), "haloperidol", "5"),
    row("code and text differ: never a choice", line(5, "g", code="mg"), "haloperidol", "-"),
    row("code mg, text tablet", line(5, "tablet", code="mg"), TABLET, "-"),
    row("UCUM code that means nothing", {"doseAndRate": [{"doseQuantity": {"value": 5, "unit": "mg", "code": "zork",
        "system": "http://unitsofmeasure.org"}}]}, "haloperidol", "-"),
    row("grains", line(5, "gr"), "haloperidol", "-"),
    row("mmol", line(5, "mmol"), "haloperidol", "-"),
    row("international units", line(5, "[iU]"), "haloperidol", "-"),
    row("per body surface", line(5, "mg/m2"), "haloperidol", "-"),
    row("tablet(s)", line(2, "Tablet(s)"), TABLET, "10"),
    row("dimensionless, of a tablet", line(2, None, code="1"), TABLET, "10"),
    row("a suppository", line(1, "suppository"), SUPPOSITORY, "25"),
    row("puffs of a tablet", line(2, "puff"), TABLET, "-"),
    row("a patch gives off this much in 24 hours", line(1, "patch"), PATCH, "3.792"),
    row("mg of a capsule of two ingredients", line(12, "mg"), COMBINATION, "-"),
    row("mg of a tablet with a second substance that is none of ours", line(25, "mg"), LIMBITROL, "-"),
    row("tablets of it", line(2, "tablet"), LIMBITROL, "25"),
    row("at most 5 mg", {"doseAndRate": [{"doseQuantity": {"value": 5, "unit": "mg", "comparator": "<="}}]},
        "haloperidol", "5"),
    row("more than 5 mg", {"doseAndRate": [{"doseQuantity": {"value": 5, "unit": "mg", "comparator": ">"}}]},
        "haloperidol", "-"),
    row("the text", {"text": "5 mg"}, "haloperidol", "5"),
    row("the elements decide against the text", line(2, text="5 mg"), "haloperidol", "2"),
    row("ordered per kg, calculated in mg", {"doseAndRate": [{"doseQuantity": {"value": 0.1, "unit": "mg/kg"}},
        {"doseQuantity": {"value": 2.5, "unit": "mg"}}]}, "haloperidol", "2.5"),
    row("said in mg and in tablets", {"doseAndRate": [{"doseQuantity": {"value": 10, "unit": "mg"}},
        {"doseQuantity": {"value": 2, "unit": "tablet"}}]}, TABLET, "10"),
    row("said twice, once unreadable", {"doseAndRate": [{"doseQuantity": {"value": 2, "unit": "mg"}},
        {"doseQuantity": {"value": 5, "unit": "zork"}}]}, "haloperidol", "-"),
    row("R4 range of an older kind", {"doseRange": {"high": {"value": 5, "unit": "mg"}}}, "haloperidol", "5"),
    row("R4 simple quantity of an older kind", {"doseQuantity": {"value": 5, "unit": "mg"}}, "haloperidol", "5"),
    row("a range: its high end", {"doseAndRate": [{"doseRange": {"low": {"value": 2, "unit": "mg"},
        "high": {"value": 5, "unit": "mg"}}}]}, "haloperidol", "5"),
    row("a range with a low end only has no high one", {"doseAndRate": [{"doseRange": {"low": {"value": 2,
        "unit": "mg"}}}]}, "haloperidol", "-"),
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
    row("code TDS, as in the United Kingdom", {"timing": {"code": {"text": "TDS"}}}, "15", "15"),
    row("code OD is once a day", {"timing": {"code": {"text": "OD"}}}, "5", "5"),
    row("code NOCTE", {"timing": {"code": {"text": "nocte"}}}, "5", "5"),
    row("code OM", {"timing": {"code": {"coding": [{"code": "OM"}]}}}, "5", "5"),
    row("code QOD", {"timing": {"code": {"coding": [{"code": "QOD"}]}}}, "2.5", "5"),
    row("code Q4-6H: the more frequent", {"timing": {"code": {"coding": [{"code": "Q4-6H"}]}}}, "30", "30"),
    row("code Q72H", {"timing": {"code": {"coding": [{"code": "Q72H"}]}}}, "1.667", "5"),
    row("a code of the site, its words are read", {"timing": {"code": {"coding": [{"system": "urn:site",
        "code": "200001"}], "text": "Every 6 hours"}}}, "20", "20"),
    row("a code of the site with its display", {"timing": {"code": {"coding": [{"system": "urn:site", "code": "7",
        "display": "2 times daily"}]}}}, "10", "10"),
    row("a code of the site alone", {"timing": {"code": {"coding": [{"code": "200001"}]}}}, "-", "5"),
    row("STAT: no daily dose", {"timing": {"code": {"coding": [{"code": "STAT"}]}}}, "-", "5"),
    row("STAT beside every 6 hours goes on", {"timing": {"code": {"coding": [{"code": "STAT"}]},
        "repeat": {"frequency": 1, "period": 6, "periodUnit": "h"}}}, "20", "20"),
    row("in words", {"text": "three times daily"}, "15", "15"),
    row("in words that are not plain", {"text": "as directed"}, "-", "5"),
    row("the elements decide against the words", {"text": "twice daily", **repeat(frequency=1, period=1,
        periodUnit="d")}, "5", "5"),
    row("before meals: three a day", repeat(when=["AC"]), "15", "15"),
    row("before meals and at bedtime", repeat(when=["AC", "HS"]), "20", "20"),
    row("at breakfast, lunch and dinner", repeat(when=["CM", "CD", "CV"]), "15", "15"),
    row("once a day, with a meal", repeat(frequency=1, period=1, periodUnit="d", when=["C"]), "5", "5"),
    row("early in the morning and at night", repeat(when=["MORN.early", "NIGHT"]), "10", "10"),
    row("a moment that is not known", repeat(when=["MORN", "ZORK"]), "-", "5"),
    row("a time of day that is none", repeat(timeOfDay=["08:00:00", "later"]), "-", "5"),
    row("on Monday, Wednesday and Friday, twice", repeat(frequency=2, period=1, periodUnit="d",
        dayOfWeek=["mon", "wed", "fri"]), "4.286", "10"),
    row("once on Mondays", repeat(dayOfWeek=["mon"]), "0.714", "5"),
    row("three a week, on three days", repeat(frequency=3, period=1, periodUnit="wk", dayOfWeek=["mon", "wed", "fri"]),
        "2.143", "5"),
    row("a day of the week that is none", repeat(frequency=1, period=1, periodUnit="d", dayOfWeek=["noday"]), "-", "5"),
    row("every 6 to 8 hours: the more frequent", repeat(frequency=1, period=6, periodMax=8, periodUnit="h"), "20",
        "20"),
    row("every 5 hours: five doses in the first 24 hours", repeat(frequency=1, period=5, periodUnit="h"), "24", "25"),
    row("frequencyMax unreadable: nothing is assumed", repeat(frequency=2, frequencyMax="many", period=1,
        periodUnit="d"), "-", "5"),
    row("frequency unreadable", repeat(frequency="many", period=1, periodUnit="d"), "-", "5"),
    row("frequency a list", repeat(frequency=[4], period=1, periodUnit="d"), "-", "5"),
    row("frequency true", repeat(frequency=True, period=1, periodUnit="d"), "-", "5"),
    row("three events within a day", {"timing": {"event": ["2026-11-22T08:00:00Z", "2026-11-22T14:00:00Z",
        "2026-11-22T20:00:00Z"]}}, "15", "15"),
    row("events four weeks apart", {"timing": {"event": ["2026-10-01", "2026-10-29", "2026-11-26"]}},
        "0.179", "5"),
    row("an event without a date", {"timing": {"event": ["2026-11-22T08:00:00Z", "later"]}}, "-", "5"),
    row("three or four doses in all, every 6 hours", repeat(frequency=1, period=6, periodUnit="h", count=3, countMax=4),
        "20", "20"),
    row("every 6 hours for 6 to 12 hours", repeat(frequency=1, period=6, periodUnit="h", boundsRange={
        "low": {"value": 6, "unit": "h"}, "high": {"value": 12, "unit": "h"}}), "20", "10"),
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
    row("as needed every 4 hours: the most that the interval allows", {"asNeededBoolean": True,
        **repeat(frequency=1, period=4, periodUnit="h")}, "30", "30"),
    row("as needed every 4 hours, limit of two doses in words", {"text": "every 4 hours as needed, max 10 mg per day"},
        "10", "10"),
    row("as needed and no more said", {"asNeededBoolean": True}, "-", "5"),
    row("a limit in an unknown unit limits nothing", {**repeat(frequency=4, period=1, periodUnit="d"),
        "maxDosePerPeriod": {"numerator": {"value": 10, "unit": "zork"}, "denominator": {"value": 1, "unit": "d"}}},
        "20", "20"),
    row("a limit for a week: 35 mg may fall on the first day", {**repeat(frequency=1, period=2, periodUnit="h"),
        "maxDosePerPeriod": {"numerator": {"value": 35, "unit": "mg"}, "denominator": {"value": 1, "unit": "wk"}}},
        "5", "35"),
    row("two limits: the lower", {**repeat(frequency=4, period=1, periodUnit="d"), "maxDosePerPeriod": [
        {"numerator": {"value": 15, "unit": "mg"}, "denominator": {"value": 1, "unit": "d"}},
        {"numerator": {"value": 5, "unit": "mg"}, "denominator": {"value": 12, "unit": "h"}}]}, "10", "10"),
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


def for_hours(hours: int) -> dict:
    """Every six hours, for so many hours."""
    return repeat(frequency=1, period=6, periodUnit="h", boundsDuration={"value": hours, "unit": "h"})


# Several lines: those that follow each other take 24 hours together, those side by side 24 hours each.
COURSES = [
    row("a single dose, then 24 hours", [line(5, sequence=1, text="once"), line(5, sequence=2, **for_hours(24))], True),
    row("a single dose, then 25 hours", [line(5, sequence=1, text="once"), line(5, sequence=2, **for_hours(25))],
        False),
    row("12 hours, then 12", [line(5, sequence=1, **for_hours(12)), line(2, sequence=2, **for_hours(12))], True),
    row("12 hours, then 18", [line(5, sequence=1, **for_hours(12)), line(2, sequence=2, **for_hours(18))], False),
    row("24 hours side by side", [line(5, **for_hours(24)), line(2, **for_hours(24))], True),
    row("one of them without end",
        [line(5, **for_hours(12)), line(2, **repeat(frequency=1, period=1, periodUnit="d"))], False),
]  # fmt: skip


@pytest.mark.parametrize(("lines", "single"), COURSES)
def test_short_courses_of_several_lines(lines: list[dict], single: bool) -> None:
    assert dose_of(*lines).single is single


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
WEEK = repeat(frequency=1, period=1, periodUnit="d", boundsDuration={"value": 7, "unit": "d"})
SEVERAL = [
    row("two lines add up", [line(5, **DAILY), line(10, **DAILY)], "10", "15", "15"),
    row("one of two unknown: no total", [line(5, **DAILY), line(10, "drops", **DAILY)], "-", "-", "-"),
    row("a line with a route alone", [line(5, **DAILY), {"route": {"text": "IM"}}], "5", "5", "5"),
    row("a loading dose and what follows", [line(10, text="once"), line(5, **DAILY)], "10", "5", "15"),
    row("a taper: the highest day", [line(5, sequence=1, **WEEK), line(2, sequence=2, **WEEK)], "5", "5", "5"),
    row("a rising dose: the first step is the first day", [line(2, sequence=1, **WEEK), line(5, sequence=2, **WEEK)],
        "5", "5", "2"),
    row("a loading dose, then the next in sequence", [line(10, sequence=1, text="once"), line(5, sequence=2, **DAILY)],
        "10", "5", "15"),
    row("12 hours, then the next in sequence", [
        line(5, sequence=1, **repeat(frequency=1, period=6, periodUnit="h", boundsDuration={"value": 12, "unit": "h"})),
        line(2, sequence=2, **repeat(frequency=1, period=6, periodUnit="h"))], "5", "20", "14"),
    row("the same number: together", [line(5, sequence=1, **DAILY), line(2, sequence=1, **DAILY)], "5", "7", "7"),
    row("two numbers and one without", [line(5, sequence=1, **WEEK), line(2, sequence=2, **WEEK), line(1, **DAILY)],
        "5", "6", "6"),
    row("a number that is none: together", [line(5, sequence="one", **DAILY), line(2, sequence=2, **DAILY)], "5", "7",
        "7"),
    row("one step of a taper unknown", [line(5, sequence=1, **WEEK), line(2, "zork", sequence=2, **WEEK)], "-", "-",
        "5"),
    row("no line at all", [], "-", "-", "-"),
]  # fmt: skip


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
    row("mg/kg", line(0.5, "mg/kg"), "0.5", "-", "haloperidol"),
    row("ug/kg", line(500, "ug/kg"), "0.5", "-", "haloperidol"),
    row("a dose per kg beside one that cannot be read", {"doseAndRate": [
        {"doseQuantity": {"value": 0.5, "unit": "mg/kg"}}, {"doseQuantity": {"value": 1, "unit": "furlong"}}]},
        "-", "-", "haloperidol"),
    row("a rate per kg beside one that cannot be read", {"doseAndRate": [
        {"rateQuantity": {"value": 0.5, "unit": "mg/kg/d"}}, {"rateQuantity": {"value": 1, "unit": "furlong/h"}}]},
        "-", "-", "haloperidol"),
    row("mg/kg/d is a rate", line(0.5, "mg/kg/d"), "-", "0.5", "haloperidol"),
    row("mg/kg/day in three doses", line(0.6, "mg/kg/day", **repeat(frequency=3, period=1, periodUnit="d")), "0.2",
        "0.6", "haloperidol"),
    row("mg/kg/dose", line(0.2, "mg/kg/dose", **repeat(frequency=3, period=1, periodUnit="d")), "0.2",
        "0.6", "haloperidol"),
    row("mL/kg of a known strength", line(0.1, "mL/kg"), "0.5", "-", AMPOULE),
    row("mg", line(5), "-", "-", "haloperidol"),
    row("negative", line(-1, "mg/kg"), "-", "-", "haloperidol"),
]  # fmt: skip


@pytest.mark.parametrize(("dosage", "each", "per_day", "drug"), PER_KILOGRAM)
def test_per_kilogram(dosage: dict, each: str, per_day: str, drug: str) -> None:
    """By body weight: never in mg, which would need a weight."""
    dose = dose_of(dosage, drug=drug)
    assert (shown(dose.each_mg_per_kg), shown(dose.per_day_mg_per_kg)) == (each, per_day)
    assert dose.each_mg is None or dosage["doseAndRate"][0]["doseQuantity"]["unit"] == "mg"


UNREADABLE = [
    row("5 mg", [line(5)], False),
    row("words only", [{"text": "5 mg daily"}], False),
    row("words that are not plain", [{"text": "5 mg daily, hold if sedated"}], True),
    row("a unit that is none", [line(5, "drops")], True),
    row("no number", [line("five")], True),
    row("5 mg, schedule in words", [line(5, text="twice daily")], False),
    row("5 mg, schedule in words that are not plain", [line(5, text="as directed")], True),
    row("5 mg, a route in words", [line(5, text="IM")], False),
    row("per kg of body weight", [line(0.1, "mg/kg", **DAILY)], True),
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


# Drugs named in words: what the words say of the product, and not what may be the dose.
WORDED = [
    row("5 mg tablet, two of them", "Haloperidol 5 mg tablet", line(2, "tab"), "10"),
    row("5 mg oral tablet", "Haloperidol 5 MG Oral Tablet", line(2, "tab"), "10"),
    row("5 mg/mL, 2 mL", "HALOPERIDOL LACTATE 5 MG/ML IJ SOLN", line(2, "mL"), "10"),
    row("5 mg may be the dose as well", "Haloperidol 5 mg", line(2, "tab"), "-"),
    row("no strength", "Haloperidol tablets", line(2, "tab"), "-"),
    row("in mg whatever the tablet", "Haloperidol 5 mg tablet", line(10, "mg"), "10"),
]  # fmt: skip


@pytest.mark.parametrize(("drug", "dosage", "mg"), WORDED)
def test_strength_in_words(drug: str, dosage: dict, mg: str) -> None:
    assert shown(dose_of(dosage, drug=drug).each_mg) == mg


# Each ingredient has its own figures: (each, per day).
INGREDIENTS = [
    row("a capsule at night", line(1, "cap", **DAILY), {OLANZAPINE: ("6", "6"), FLUOXETINE: ("25", "25")}),
    row("two capsules", line(2, "cap", **DAILY), {OLANZAPINE: ("12", "12"), FLUOXETINE: ("50", "50")}),
    row("mg: of which ingredient is not said", line(6, "mg", **DAILY), {OLANZAPINE: ("-", "-"),
        FLUOXETINE: ("-", "-")}),
]  # fmt: skip


@pytest.mark.parametrize(("dosage", "expected"), INGREDIENTS)
def test_each_ingredient_of_a_combination(dosage: dict, expected: dict) -> None:
    parts = dose_of(dosage, drug=COMBINATION).parts
    assert {name: (shown(part.each_mg), shown(part.per_day_mg)) for name, part in parts} == expected


def rate(value: object, unit: str, **more: object) -> dict:
    """A dosage line with a rate."""
    return {"doseAndRate": [{"rateQuantity": {"value": value, "unit": unit}}], **more}


def ratio(mg: object, span: object, unit: str = "h") -> dict:
    """A dosage line with an amount over a time."""
    return {"rateRatio": {"numerator": {"value": mg, "unit": "mg"}, "denominator": {"value": span, "unit": unit}}}


TWELVE_HOURS = repeat(boundsDuration={"value": 12, "unit": "h"})
INFUSIONS = [
    row("1 mg/h", rate(1, "mg/h"), "haloperidol", "-", "24", "24"),
    row("50 ug/min", rate(50, "ug/min"), "haloperidol", "-", "72", "72"),
    row("0.2 mL/h of 5 mg/mL", rate(0.2, "mL/h"), AMPOULE, "-", "24", "24"),
    row("0.2 mL/h, strength not known", rate(0.2, "mL/h"), "haloperidol", "-", "-", "-"),
    row("1 mg/h for 12 hours", rate(1, "mg/h", **TWELVE_HOURS), "haloperidol", "-", "24", "12"),
    row("10 mg over 8 hours, on and on", {"doseAndRate": [ratio(10, 8)]}, "haloperidol", "-", "30", "30"),
    row("the same in an older version", ratio(10, 8), "haloperidol", "-", "30", "30"),
    row("a range of rates", {"doseAndRate": [{"rateRange": {"low": {"value": 1, "unit": "mg/h"},
        "high": {"value": 2, "unit": "mg/h"}}}]}, "haloperidol", "-", "48", "48"),
    row("a range of rates with a low end only", {"doseAndRate": [{"rateRange": {"low": {"value": 1, "unit": "mg/h"}}}]},
        "haloperidol", "-", "-", "-"),
    row("2 mg/h for half an hour, twice a day", rate(2, "mg/h", **repeat(frequency=2, period=1, periodUnit="d",
        duration=30, durationUnit="min")), "haloperidol", "1", "2", "2"),
    row("2 mg/h twice a day, for how long is not said", rate(2, "mg/h", **repeat(frequency=2, period=1,
        periodUnit="d")), "haloperidol", "-", "-", "-"),
    row("2 mg/h once, for how long is not said", rate(2, "mg/h", text="once"), "haloperidol", "-", "-", "-"),
    row("20 mg a day in four doses", line(20, "mg/d", **repeat(frequency=4, period=1, periodUnit="d")), "haloperidol",
        "5", "20", "20"),
    row("a dose at a rate: the dose", {"doseAndRate": [{"doseQuantity": {"value": 5, "unit": "mg"},
        "rateQuantity": {"value": 10, "unit": "mg/h"}}], **DAILY}, "haloperidol", "5", "5", "5"),
    row("a rate that is not per time", rate(2, "mg"), "haloperidol", "-", "-", "-"),
]  # fmt: skip


@pytest.mark.parametrize(("dosage", "drug", "each", "per_day", "first_day"), INFUSIONS)
def test_infusion(dosage: dict, drug: str, each: str, per_day: str, first_day: str) -> None:
    dose = dose_of(dosage, drug=drug)
    assert (shown(dose.each_mg), shown(dose.per_day_mg), shown(dose.first_day_mg)) == (each, per_day, first_day)


def test_a_patch_is_worn_until_the_next() -> None:
    dose = dose_of(line(1, "patch", **repeat(frequency=1, period=3, periodUnit="d")), drug=PATCH)
    assert (shown(dose.per_day_mg), shown(dose.first_day_mg)) == ("3.792", "3.792")


# Dose over its interval; nothing for the first 24 hours, because it is released over the whole of it.
LONG_ACTING = [
    row("100 mg every 4 weeks", line(100, **repeat(frequency=1, period=4, periodUnit="wk")), "3.571",
        "28"),
    row("100 mg every 28 days, in words", line(100, text="every 28 days"), "3.571", "28"),
    row("100 mg once", line(100, text="once"), "-", "-"),
    row("100 mg, interval not said", line(100), "-", "-"),
]  # fmt: skip


@pytest.mark.parametrize(("dosage", "per_day", "interval"), LONG_ACTING)
def test_long_acting(dosage: dict, per_day: str, interval: str) -> None:
    dose = dose_of(dosage, drug=DECANOATE)
    assert dose.long_acting
    assert dose.first_day_mg is None
    assert (shown(dose.per_day_mg), shown(dose.interval_days)) == (per_day, interval)


def supply(days: object = None, repeats: object = None, **quantity: object) -> dict:
    """A dispense request."""
    found = {"expectedSupplyDuration": {"value": days, "unit": "d"}} if days is not None else {}
    found |= {"numberOfRepeatsAllowed": repeats} if repeats is not None else {}
    return found | ({"quantity": quantity} if quantity else {})


TWICE = repeat(frequency=2, period=1, periodUnit="d")
LENGTHS = [
    row("bounds of 5 days", [line(5, **repeat(boundsDuration={"value": 5, "unit": "d"}))], {}, "5"),
    row("bounds of 5 to 7 days: the longer", [line(5, **repeat(boundsRange={"low": {"value": 5, "unit": "d"},
        "high": {"value": 7, "unit": "d"}}))], {}, "7"),
    row("from the 1st to the 5th", [line(5, **repeat(boundsPeriod={"start": "2026-11-01", "end": "2026-11-05"}))], {},
        "5"),
    row("six doses, twice a day", [line(5, **repeat(frequency=2, period=1, periodUnit="d", count=6))], {}, "3"),
    row("for 5 days, in words", [line(5, text="twice daily for 5 days")], {}, "5"),
    row("bounds before supply", [line(5, **WEEK)], supply(30), "7"),
    row("supply of 30 days", [line(5, **TWICE)], supply(30), "30"),
    row("supply of 30 days with 3 repeats", [line(5, **TWICE)], supply(30, 3), "120"),
    row("supply with unreadable repeats", [line(5, **TWICE)], supply(30, "three"), "-"),
    row("60 tablets, one twice a day", [line(1, "tab", **TWICE)], supply(value=60, unit="tablet"), "30"),
    row("60 tablets of 5 mg, 10 mg twice a day", [line(10, "mg", **TWICE)], supply(value=60, unit="tablet"), "15"),
    row("0.6 g, 10 mg twice a day", [line(10, "mg", **TWICE)], supply(value=0.6, unit="g"), "30"),
    row("600 mg, 0.01 g twice a day", [line(0.01, "g", **TWICE)], supply(value=600, unit="mg"), "30"),
    row("60 tablets, 1 refill", [line(1, "tab", **TWICE)], supply(None, 1, value=60, unit="tablet"), "60"),
    row("60 tablets as needed may last longer", [line(1, "tab", asNeededBoolean=True, **TWICE)],
        supply(value=60, unit="tablet"), "-"),
    row("60 tablets, 1 to 2 times a day", [line(1, "tab", **repeat(frequency=1, frequencyMax=2, period=1,
        periodUnit="d"))], supply(value=60, unit="tablet"), "-"),
    row("60 of something", [line(1, "tab", **TWICE)], supply(value=60), "-"),
    row("a taper of two weeks", [line(5, sequence=1, **WEEK), line(2, sequence=2, **WEEK)], {}, "14"),
    row("two lines together for a week", [line(5, **WEEK), line(2, **WEEK)], {}, "7"),
    row("a single dose is one day", [line(5, text="once")], {}, "1"),
    row("nothing said", [line(5, **TWICE)], {}, "-"),
    row("supply without any dosage", [], supply(30), "30"),
]  # fmt: skip


@pytest.mark.parametrize(("lines", "request_", "days"), LENGTHS)
def test_planned_length(lines: list[dict], request_: dict, days: str) -> None:
    dose = dose_of(*lines, drug=TABLET, **({"dispenseRequest": request_} if request_ else {}))
    assert shown(dose.length_days) == days


# Why there is no daily dose; "" where there is one, where one dose is all, and where no dose is stated.
REASONS = [
    row("5 mg a day", [line(5, **DAILY)], "haloperidol", ""),
    row("5 mg once", [line(5, text="once")], "haloperidol", ""),
    row("no dosage", [], "haloperidol", ""),
    row("a route alone", [{"route": {"text": "IM"}}], "haloperidol", ""),
    row("unit unknown", [line(5, "zork", **DAILY)], "haloperidol", "dose unit unknown"),
    row("no unit", [line(5, None, **DAILY)], "haloperidol", "dose without a unit"),
    row("unit and code differ", [line(5, "g", code="mg", **DAILY)], "haloperidol",
        "the dose's unit and its code differ"),
    row("no number", [line("five", **DAILY)], "haloperidol", "dose without a readable number"),
    row("no frequency", [line(5)], "haloperidol", "no frequency"),
    row("schedule unreadable", [line(5, **repeat(frequency=2))], "haloperidol", "schedule cannot be read"),
    row("words unreadable", [line(5, text="as directed")], "haloperidol", "dosage text cannot be read"),
    row("strength not known", [line(2, "tab", **DAILY)], "haloperidol", "strength of the product not known"),
    row("by body weight", [line(0.1, "mg/kg", **DAILY)], "haloperidol", "dose per kg without a weight"),
    *(row(f"by body surface, {unit}", [line(5, unit, **DAILY)], "haloperidol", "dose per body surface")
      for unit in ("mg/m2", "mg/m^2", "mg/m²", "mg/m2/day")),
    row("units of activity", [line(5, "IU", **DAILY)], "haloperidol", "dose in units of activity (IU)"),
    row("moles", [line(5, "mmol", **DAILY)], "haloperidol", "dose in mmol or mEq"),
    row("mg of a combination", [line(6, "mg", **DAILY)], COMBINATION,
        "dose in mg of a product of several ingredients"),
    row("infusion without an end", [rate(2, "mg/h", **DAILY)], "haloperidol", "infusion rate without a duration"),
    row("a schedule in words without a dose", [{"text": "twice daily"}], "haloperidol",
        "no dose stated beside the schedule"),
    row("the unreadable line of two", [line(5, **DAILY), line(5, "zork", **DAILY)], "haloperidol", "dose unit unknown"),
]  # fmt: skip


@pytest.mark.parametrize(("lines", "drug", "reason"), REASONS)
def test_why_there_is_no_daily_dose(lines: list[dict], drug: str, reason: str) -> None:
    gap = dose_of(*lines, drug=drug).gap("MedicationRequest/d1")
    if not reason:
        assert gap is None
        return
    assert gap == Gap("draftOrders", "dose-not-computable", f"Dose not computable: {reason}", False,
                      "MedicationRequest/d1")  # fmt: skip


@pytest.mark.parametrize("kind", ["MedicationStatement", "MedicationAdministration"])
def test_dosage_of_other_resources(kind: str) -> None:
    """A statement has a list of dosages, an administration one, with its dose under another name."""
    found = line(5, **DAILY) if kind == "MedicationStatement" else {"dose": {"value": 5, "unit": "mg"}, "text": "once"}
    made = resource({"resourceType": kind, "dosage": [found] if kind == "MedicationStatement" else found})
    dose = of_order(made, Medication("ordinary"), Decimal(24))
    assert shown(dose.each_mg) == "5"


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
