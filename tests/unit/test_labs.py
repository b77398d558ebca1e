"""What results amount to: states with their certainty, what is told of them, ranges, thyroid and screens."""

from __future__ import annotations

from datetime import timedelta
from decimal import Decimal
from typing import Any

import pytest

from cds_hooks.service import KeyState, Prefetched
from plugin import labs
from plugin.fhir import observations
from plugin.fhir.datatypes import Quantity
from plugin.fhir.ranges import INFINITE, Bounds, Person, amount_of, limits_of
from plugin.fhir.reader import read
from plugin.metabolic import measured
from plugin.patient import Patient
from plugin.thresholds import Limits
from tests.support.fhir import NOW, PATIENT, SNOMED, concept, day, encounter, lab, patient
from tests.support.rows import WOMAN_60, resource, row

Json = dict[str, Any]
D = Decimal
LIMITS = Limits()
TYPES = {"patient": "Patient", "observations": "Observation", "encounter": "Encounter"}


def person(*results: Json, who: Json = WOMAN_60, limits: Limits = LIMITS) -> Patient:
    """A patient with these results."""
    keys = {"patient": [who], "observations": [], "encounter": []}
    for result in results:
        keys["encounter" if result["resourceType"] == "Encounter" else "observations"].append(result)
    prefetch = {
        name: Prefetched(KeyState.SATISFIED, resources=[resource(one) for one in found]) for name, found in keys.items()
    }
    found, _, _ = read(PATIENT, NOW, prefetch, None, limits, types=TYPES, expected=())
    return found


def calcium(*results: Json, limits: Limits = LIMITS, **more: Any) -> labs.State:
    """The calcium state of a patient with these results."""
    return labs.calcium(person(*results, limits=limits, **more), limits)


def magnesium(*results: Json) -> labs.State:
    """The magnesium state of a patient with these results."""
    return labs.magnesium(person(*results), LIMITS)


# Results of the last 30 days -> the reference of a usable one, or why one that was sent is not known to be usable.
MEASURED = [
    row("a result", [lab("ionised", 1.2)], "Observation/ionised-1"),
    row("of 30 days ago", [lab("ionised", 1.2, when="30d")], "Observation/ionised-1"),
    row("of 31 days ago", [lab("ionised", 1.2, when="31d")], ""),
    row("of another analyte", [lab("magnesium", 0.8)], ""),
    row("no unit", [lab("ionised", 1.2, None)], "unit-missing"),
    row("a unit that the range tells", [lab("ionised", 1.2, None, low=1.1, low_unit="mmol/L")], "unit-missing"),
    row("a unit that we do not know", [lab("ionised", 1.2, "mmol/kg")], "unit-unknown"),
    row("out of bounds", [lab("ionised", 120)], "implausible"),
    row("no date", [lab("ionised", 1.2, when=None)], "date-missing"),
    row("this month or the one before", [lab("ionised", 1.2, when="2026-10")], "date-missing"),
    row("of a month that lies within", [lab("ionised", 1.2, when="2026-11")], "Observation/ionised-1"),
    row("preliminary", [lab("ionised", 1.2, status="preliminary")], "no-result"),
    row("an unusable one, and an older one that is usable", [lab("ionised", 1.2, None), lab("calcium", 2.3, when="9d")],
        "Observation/calcium-1"),
    row("two that are unusable: the reason of the newer",
        [lab("ionised", 1.2, None), lab("ionised", 120, when="9d", id="b")], "unit-missing"),
]  # fmt: skip


@pytest.mark.parametrize(("results", "expected"), MEASURED)
def test_whether_something_was_measured(results: list[Json], expected: str) -> None:
    found = measured(person(*results), labs.CALCIUM, timedelta(days=30))
    assert (found.result.reference if found.result is not None else found.doubt) == expected
    assert bool(found.references) is bool(expected)


# (grade, certain, value, why something might be worse)
STATES = [
    row("ionised severe", [lab("ionised", 0.8)], ("severe", True, "0.8", "")),
    row("total with albumin", [lab("calcium-sc", 1.7), lab("albumin", 30, "g/L")], ("low", True, "1.90", "")),
    row("total alone, low", [lab("calcium-sc", 2.0)], ("low", False, "2.0", "")),
    row("total alone, below 1.30", [lab("calcium-sc", 1.2)], ("severe", True, "1.2", "")),
    row("total with an albumin that cannot be read", [lab("calcium-sc", 2.0), lab("albumin", 30, None)],
        ("low", False, "2.0", "unit-missing")),
    row("a severe total with an albumin that cannot be read", [lab("calcium-sc", 1.2), lab("albumin", 30, None)],
        ("severe", True, "1.2", "unit-missing")),
    row("preliminary", [lab("ionised", 0.8, status="preliminary")], ("severe", False, "0.8", "no-result")),
    row("inferred unit", [lab("ionised", 0.8, None, low=1.1, low_unit="mmol/L")],
        ("severe", False, "0.8", "unit-missing")),
    row("flag alone", [lab("ionised", 0.8, None, flag="L")], ("low", False, None, "unit-missing")),
    row("low beside an unreadable ionised", [lab("corrected", 2.0), lab("ionised", 0.8, None)],
        ("low", True, "2.0", "unit-missing")),
    row("low, with a preliminary severe one that is newer",
        [lab("ionised", 1.0, when="9h"), lab("ionised", 0.8, status="preliminary", id="b")],
        ("low", True, "1.0", "no-result")),
    row("two of the same time: the lower is told", [lab("ionised", 1.0, id="a"), lab("ionised", 0.95, id="b")],
        ("low", True, "0.95", "")),
    row("a total that is not final", [lab("calcium-sc", 1.7, status="preliminary")],
        ("severe", False, "1.7", "no-result")),
    row("a total that is not final, with albumin", [lab("calcium-sc", 1.7, status="preliminary"),
        lab("albumin", 40, "g/L")], ("severe", False, "1.7", "no-result")),
    row("one corrected by the laboratory that is not final", [lab("corrected", 2.0, status="preliminary")],
        ("low", False, "2.0", "no-result")),
    row("normal", [lab("ionised", 1.2)], ("normal", True, "1.2", "")),
    row("nothing", [], ("unknown", True, None, "")),
    row("stale", [lab("ionised", 0.8, when="31d")], ("unknown", True, None, "")),
    row("preliminary and normal", [lab("ionised", 1.2, status="preliminary")], ("unknown", True, None, "")),
    row("unreadable", [lab("ionised", 0.8, None)], ("unknown", True, None, "unit-missing")),
]  # fmt: skip


@pytest.mark.parametrize(("results", "expected"), STATES)
def test_calcium_states(results: list[Json], expected: tuple[str, bool, str | None, str]) -> None:
    state = calcium(*results)
    value = None if state.value is None else str(state.value)
    assert (state.grade, state.confirmed, value and D(value), state.doubt) == (
        expected[0],
        expected[1],
        expected[2] and D(expected[2]),
        expected[3],
    )


MAGNESIUM = [
    row("0.49 is severe", [lab("magnesium", 0.49)], "severe", True),
    row("0.50 is low and acted on", [lab("magnesium", 0.5)], "low", True),
    row("0.59 is low and acted on", [lab("magnesium", 0.59)], "low", True),
    row("0.60 is low", [lab("magnesium", 0.6)], "low", False),
    row("0.70 is normal", [lab("magnesium", 0.7)], "normal", False),
    row("the laboratory's limit 0.75", [lab("magnesium", 0.7, low=0.75)], "low", False),
    row("1.19 mg/dL is severe", [lab("magnesium", 1.19, "mg/dL")], "severe", True),
    row("0.99 meq/L is severe", [lab("magnesium", 0.99, "meq/L")], "severe", True),
    row("1.70 mg/dL is low", [lab("magnesium", 1.70, "mg/dL")], "low", False),
    row("1.71 mg/dL is normal", [lab("magnesium", 1.71, "mg/dL")], "normal", False),
    row("none", [], "unknown", False),
    row("above what is possible", [lab("magnesium", 6.1)], "unknown", False),
]


@pytest.mark.parametrize(("results", "grade", "actionable"), MAGNESIUM)
def test_magnesium_states(results: list[Json], grade: str, actionable: bool) -> None:
    state = magnesium(*results)
    assert (state.grade, state.actionable) == (grade, actionable)


MISSING = [
    row("none", [], "no-result"),
    row("31 days old", [lab("magnesium", 0.6, when="31d")], "stale"),
    row("no unit", [lab("magnesium", 0.6, None)], "unit-missing"),
    row("a bound that decides nothing", [lab("magnesium", 0.8, comparator="<")], "no-result"),
    row("not final", [lab("magnesium", 0.8, status="preliminary")], "no-result"),
]


@pytest.mark.parametrize(("results", "reason"), MISSING)
def test_why_magnesium_is_not_known(results: list[Json], reason: str) -> None:
    assert (magnesium(*results).grade, magnesium(*results).reason) == ("unknown", reason)


def test_a_site_may_choose_its_own_limits() -> None:
    assert calcium(lab("ionised", 0.95)).grade == "low"
    assert calcium(lab("ionised", 0.95), limits=Limits(ionised_severe=D("1.00"))).grade == "severe"
    assert calcium(lab("calcium-sc", 2.05)).grade == "low"
    assert calcium(lab("calcium-sc", 2.05), limits=Limits(calcium_low=D("2.00"))).grade == "normal"
    assert calcium(lab("ionised", 0.8, when="8d"), limits=Limits(lab_fresh_days=D(7))).reason == "stale"


@pytest.mark.parametrize(
    ("name", "value", "words"),
    [
        row("out of bounds", "ionised_severe", D("1.5"), "ionised_severe is 1.5 mmol/L; it must lie between 0.80 and"),
        row("not known", "calcium_lowest", D(1), "Unknown threshold 'calcium_lowest'"),
    ],
)
def test_limits_that_no_site_may_choose(name: str, value: Decimal, words: str) -> None:
    with pytest.raises(ValueError, match=words):
        Limits(**{name: value})


# (told well enough to say whether it is recent, new enough to act on): 30 days, 72 h in an acute encounter.
DATES = [
    row("hours ago", "3h", (True, True)),
    row("30 days ago", "30d", (True, True)),
    row("31 days ago", "31d", (True, False)),
    row("a day a month ago", "2026-10-20", (True, False)),
    row("this month", "2026-11", (True, True)),
    row("last month", "2026-10", (False, False)),
    row("the month before", "2026-09", (True, False)),
    row("this year", "2026", (False, False)),
    row("last year", "2025", (True, False)),
    row("no date", None, (False, False)),
]


@pytest.mark.parametrize(("when", "expected"), DATES)
def test_what_a_date_says(when: str | None, expected: tuple[bool, bool]) -> None:
    found = person(lab("ionised", 1.2, when=when))
    (result,) = found.results["calcium-ionised"]
    is_new = labs.fresh(found, "calcium-ionised", LIMITS) == [result]
    assert (labs.has_date(found, result, LIMITS), is_new) == expected
    assert labs.undated(found, "calcium-ionised", LIMITS) == ([] if expected[0] else [result])


# Why a normal or low value may not hold for this person today.
HOLDS = [
    row("an adult", WOMAN_60, [lab("ionised", 1.2)], ""),
    row("nobody knows how old", patient(None), [lab("ionised", 1.2)], "date-missing"),
    row("the laboratory's limit speaks for the age", patient(None), [lab("ionised", 1.2, low=1.1)], ""),
    row("a day at the edge of 30 days", WOMAN_60, [lab("ionised", 1.2, when=day(30))], "date-missing"),
    row("a day within 30 days", WOMAN_60, [lab("ionised", 1.2, when=day(29))], ""),
]


@pytest.mark.parametrize(("who", "results", "reason"), HOLDS)
def test_why_a_normal_value_may_not_hold(who: Json, results: list[Json], reason: str) -> None:
    state = calcium(*results, who=who)
    assert (state.grade, state.reason) == (("unknown", reason) if reason else ("normal", ""))


# How a result is told.
DESCRIBED = [
    row("unit of ours", lab("ionised", 0.84), "Ionised Ca 0.84 mmol/L (2026-11-22, 3 h ago; status final)"),
    row("trailing zeros stay", lab("albumin", 40, "g/L"), "Albumin 40 g/L (2026-11-22, 3 h ago; status final)"),
    row("another unit", lab("calcium", 7.0, "mg/dL"),
        "Total Ca 7.0 mg/dL = 1.75 mmol/L (2026-11-22, 3 h ago; status final)"),
    row("a bound", lab("magnesium", 0.4, comparator="<"), "Mg <0.4 mmol/L (2026-11-22, 3 h ago; status final)"),
    row("a bound in another unit", lab("magnesium", 1, "meq/L", comparator="<"),
        "Mg <1 meq/L = <0.50 mmol/L (2026-11-22, 3 h ago; status final)"),
    row("another comparator", lab("ionised", 0.8, comparator="ad"),
        "Ionised Ca about 0.8 mmol/L (2026-11-22, 3 h ago; status final)"),
    row("no unit", lab("corrected", 2, None),
        "Corrected Ca (laboratory) 2 (no unit) (2026-11-22, 3 h ago; status final)"),
    row("words", {**lab("ionised", 0), "valueQuantity": None, "valueString": "low <b>"},
        'Ionised Ca "low b" (2026-11-22, 3 h ago; status final)'),
    row("no value", {**lab("ionised", 0), "valueQuantity": None},
        "Ionised Ca (no readable value) (2026-11-22, 3 h ago; status final)"),
    row("a value that is text", lab("ionised", "0.8"),
        "Ionised Ca (unreadable) mmol/L (2026-11-22, 3 h ago; status final)"),
    row("many digits", lab("ionised", 0.8412345678901234), "Ionised Ca 0.8412 mmol/L (2026-11-22, 3 h ago; "
        "status final)"),
    row("minutes ago", lab("ionised", 0.8, when="2026-11-22T09:30:00Z"),
        "Ionised Ca 0.8 mmol/L (2026-11-22, less than 1 h ago; status final)"),
    row("47 hours ago", lab("ionised", 0.8, when="47h"), "Ionised Ca 0.8 mmol/L (2026-11-20, 47 h ago; status final)"),
    row("48 hours ago", lab("ionised", 0.8, when="48h"), "Ionised Ca 0.8 mmol/L (2026-11-20, 2 d ago; status final)"),
    row("a date", lab("ionised", 0.8, when=day(1)), "Ionised Ca 0.8 mmol/L (2026-11-21, 1 d ago; status final)"),
    row("a month", lab("ionised", 0.8, when="2026-11"), "Ionised Ca 0.8 mmol/L (2026-11; status final)"),
    row("no date", lab("ionised", 0.8, when=None), "Ionised Ca 0.8 mmol/L (no date; status final)"),
    row("a status", lab("ionised", 0.8, status="amended"),
        "Ionised Ca 0.8 mmol/L (2026-11-22, 3 h ago; status amended)"),
    row("no status", {**lab("ionised", 0.8), "status": None}, "Ionised Ca 0.8 mmol/L (2026-11-22, 3 h ago; no status)"),
]  # fmt: skip


@pytest.mark.parametrize(("result", "words"), DESCRIBED)
def test_how_a_result_is_told(result: Json, words: str) -> None:
    found = person({key: value for key, value in result.items() if value is not None})
    (only,) = (one for results in found.results.values() for one in results)
    assert labs.describe(only, found) == words


# A laboratory's ranges: (lower limit in mmol/L in force, value below which normal is not known)
WOMAN = Person("female", {"years": 60, "months": 720, "weeks": 3130, "days": 21914})
BABY = Person("male", {"years": 0, "months": 5, "weeks": 22, "days": 155})
NEWBORN = Person("female", {"years": 0, "months": 0, "weeks": 0, "days": 2})
UNKNOWN = Person("", None)


def _entry(low: Any = 2.1, unit: str = "mmol/L", **more: Any) -> Json:
    return {"low": {"value": low, "unit": unit}, **more}


def _age(low: Any = None, high: Any = None, unit: str = "a") -> Json:
    found = {"low": low, "high": high}
    return {"age": {name: {"value": value, "code": unit} for name, value in found.items() if value is not None}}


RANGES = [
    row("none", WOMAN, [], None, None),
    row("one", WOMAN, [_entry()], "2.1", None),
    row("in another unit", WOMAN, [_entry(8.016, "mg/dL")], "2", None),
    row("60 is not over 60", WOMAN, [_entry(**_age(61))], None, None),
    row("60 is up to 60", WOMAN, [_entry(**_age(18, 60))], "2.1", None),
    row("5 months in a range of months", BABY, [_entry(**_age(0, 6, "mo"))], "2.1", None),
    row("5 months outside a range of months", BABY, [_entry(**_age(6, 12, "mo"))], None, None),
    row("22 weeks", BABY, [_entry(**_age(22, 22, "wk"))], "2.1", None),
    row("155 days", BABY, [_entry(**_age(156, None, "d"))], None, None),
    row("two days in a range of hours", NEWBORN, [_entry(**_age(0, 72, "h"))], "2.1", None),
    row("two days beyond a range of hours", NEWBORN, [_entry(**_age(0, 24, "h"))], None, None),
    row("hours that are no whole days", NEWBORN, [_entry(**_age(0, 60, "h"))], None, "2.1"),
    row("an age in an unknown unit", WOMAN, [_entry(**_age(18, None, "moons"))], None, "2.1"),
    row("age unknown", UNKNOWN, [_entry(**_age(18))], None, "2.1"),
    row("sex unknown", UNKNOWN, [_entry(appliesTo=[{"text": "Female"}])], None, "2.1"),
    row("sex unknown, two ranges", UNKNOWN,
        [_entry(appliesTo=[{"text": "F"}]), _entry(2.2, appliesTo=[{"text": "M"}])], None, "2.2"),
    row("sex as SNOMED display", WOMAN, [_entry(appliesTo=[{"coding": [{"display": "Female (finding)"}]}])],
        "2.1", None),
    row("sex unknown, one for all", UNKNOWN, [_entry(), _entry(2.2, appliesTo=[{"text": "male"}])], "2.1", "2.2"),
    row("told to be normal, beside one for treatment", WOMAN,
        [_entry(type={"text": "Normal range"}), _entry(2.3, type={"text": "therapeutic"})], "2.1", None),
    row("coded as normal, beside one for treatment", WOMAN,
        [_entry(type={"coding": [{"code": "normal"}]}), _entry(2.3, type={"coding": [{"code": "treatment"}]})],
        "2.1", None),
    row("coded otherwise and told to be normal", WOMAN,
        [_entry(type={"text": "normal", "coding": [{"code": "treatment"}]})], None, None),
    row("a type that says nothing", WOMAN, [_entry(type={})], "2.1", None),
    row("a limit that is text", WOMAN, [_entry("2.1")], None, "Infinity"),
    row("a limit in an unknown unit", WOMAN, [_entry(2.1, "furlong")], None, "Infinity"),
    row("an upper limit alone", WOMAN, [{"high": {"value": 2.6, "unit": "mmol/L"}}], None, None),
]  # fmt: skip


@pytest.mark.parametrize(("who", "ranges", "lower", "doubt"), RANGES)
def test_reference_ranges(who: Person, ranges: list[Json], lower: str | None, doubt: str | None) -> None:
    decoded = resource({**lab("calcium-sc", 2.0), "referenceRange": ranges}).referenceRange or []
    bounds = limits_of("calcium", decoded, who, None)
    assert (bounds.lower, bounds.doubt_below) == (lower and D(lower), doubt and D(doubt))
    assert D("Infinity") == INFINITE


# Thyroid excess: a suppressed TSH with free T4 or T3 above the laboratory's range.
def _hormone(code: str, value: float, high: float | None, **more: Any) -> Json:
    ranges = [{"high": {"value": high, "unit": "pmol/L"}}] if high is not None else []
    return lab(code, value, "pmol/L", referenceRange=ranges, **more)


TSH, FT4, FT3 = lab("tsh", 0.05, "m[IU]/L"), _hormone("14920-3", 30, 22), _hormone("3051-0", 9, 6.8)
THYROID = [
    row("TSH low and FT4 high", [TSH, FT4], True),
    row("TSH low and FT3 high", [TSH, FT3], True),
    row("TSH low alone", [TSH], False),
    row("TSH 0.1", [lab("tsh", 0.1, "m[IU]/L"), FT4], False),
    row("TSH <0.1", [lab("tsh", 0.09, "m[IU]/L", comparator="<"), FT4], True),
    row("TSH without unit", [lab("tsh", 0.05, None), FT4], False),
    row("TSH without a unit of its own", [lab("tsh", 0.05, None, low=0.4, low_unit="m[IU]/L"), FT4], False),
    row("free T4 below a limit", [TSH, FT4 | {"valueQuantity": {**FT4["valueQuantity"], "comparator": "<"}}], False),
    row("TSH stale", [lab("tsh", 0.05, "m[IU]/L", when="31d"), FT4], False),
    row("TSH preliminary", [lab("tsh", 0.05, "m[IU]/L", status="preliminary"), FT4], False),
    row("FT4 inside its range", [TSH, _hormone("14920-3", 20, 22)], False),
    row("FT4 without a range", [TSH, _hormone("14920-3", 30, None)], False),
    row("FT4 preliminary", [TSH, _hormone("14920-3", 30, 22, status="preliminary")], False),
]


@pytest.mark.parametrize(("results", "excess"), THYROID)
def test_thyroid_excess(results: list[Json], excess: bool) -> None:
    assert bool(labs.thyroid_excess(person(*results), LIMITS)) is excess


# What makes a drug screen positive.
def _screen(**value: Any) -> Json:
    found = lab("3397-7", 0, **value)
    return {key: one for key, one in found.items() if key != "valueQuantity"}


SCREENS = [
    row("the code for positive", _screen(valueCodeableConcept=concept(SNOMED, "10828004")), True),
    row("the code for negative", _screen(valueCodeableConcept=concept(SNOMED, "260385009")), False),
    row("the word positive", _screen(valueCodeableConcept={"text": "Positive"}), True),
    row("a display", _screen(valueCodeableConcept={"coding": [{"display": "Detected"}]}), True),
    row("a string", _screen(valueString="POSITIVE"), True),
    row("an interpretation", _screen(flag="POS"), True),
    row("negative", _screen(valueString="negative"), False),
    row("not detected", _screen(valueString="not detected"), False),
    row("an unknown word", _screen(valueString="see note"), False),
    row("entered in error", _screen(valueString="positive", status="entered-in-error"), False),
]


@pytest.mark.parametrize(("screen", "positive"), SCREENS)
def test_positive_screens(screen: Json, positive: bool) -> None:
    assert observations.is_positive(resource(screen)) is positive


def test_freshness_follows_the_encounter() -> None:
    old = lab("ionised", 0.8, when="73h")
    assert len(labs.fresh(person(old), "calcium-ionised", LIMITS)) == 1
    assert labs.fresh(person(old, encounter("EMER")), "calcium-ionised", LIMITS) == []
    assert labs.undated(person(lab("ionised", 0.8, when="2026")), "calcium-ionised", LIMITS)


def test_results_are_sorted_newest_first_and_the_lowest_of_equals_leads() -> None:
    results = [lab("ionised", value, id=name, when=when) for value, name, when in
               ((1.2, "a", "9h"), (1.1, "b", "3h"), (1.0, "c", "3h"), (0.9, "d", None))]  # fmt: skip
    found = person(*results).results["calcium-ionised"]
    assert [result.reference for result in found] == [f"Observation/{name}" for name in "cbad"]
    assert labs.newest(person(*results), labs.CALCIUM) == found[0]


def test_infants_need_a_range_for_calcium_and_not_for_magnesium() -> None:
    infant = person(lab("ionised", 0.8), lab("magnesium", 0.5), who=patient("2026-06-01"))
    assert labs.calcium(infant, LIMITS).reason == "no-result"
    assert labs.magnesium(infant, LIMITS).grade == "low"


def test_a_range_whose_lower_limit_cannot_be_used_keeps_the_upper_one() -> None:
    assert Bounds(D("1.1"), D("1.3"), told="1.1-1.3").unreadable() == Bounds(None, D("1.3"), INFINITE)


NAMED = [
    row("ionised", lab("ionised", 0.8), "Ionised Ca"),
    row("ionised, by its flag alone", lab("ionised", 0.8, None, flag="L"), "Ionised Ca"),
    row("total", lab("calcium-sc", 1.2), "Total Ca"),
    row("total, by its flag alone", lab("calcium-sc", 1.2, None, flag="L"), "Total Ca"),
    row("corrected by the laboratory", lab("corrected", 2.0), "Corrected Ca (laboratory)"),
]


@pytest.mark.parametrize(("result", "name"), NAMED)
def test_a_state_says_which_calcium_it_is(result: Json, name: str) -> None:
    assert calcium(result).name == name


def test_an_upper_limit_in_another_unit_is_converted() -> None:
    entry = {"low": {"value": 8.016, "code": "mg/dL"}, "high": {"value": 10.02, "code": "mg/dL"}}
    decoded = resource({**lab("calcium-sc", 2.0), "referenceRange": [entry]}).referenceRange or []
    bounds = limits_of("calcium", decoded, WOMAN, None)
    assert (bounds.lower, bounds.upper) == (D("2"), D("2.5"))


def test_a_result_with_parts_counts_itself_where_it_has_a_value() -> None:
    part = {key: lab("magnesium", 0.5)[key] for key in ("code", "valueQuantity")}
    both = lab("ionised", 0.8, component=[part])
    assert (calcium(both).grade, magnesium(both).grade) == ("severe", "low")
    panel = {name: value for name, value in both.items() if name != "valueQuantity"}
    assert (calcium(panel).reason, magnesium(panel).grade) == ("no-result", "low")


@pytest.mark.parametrize("newer", ["ionised", "calcium-sc"])
def test_of_results_that_are_too_old_the_last_is_told(newer: str) -> None:
    old = [lab(name, 1.2, when="40d" if name == newer else "60d") for name in ("ionised", "calcium-sc")]
    for results in (old, old[::-1]):
        state = calcium(*results)
        assert (state.reason, [one.reference for one in state.results]) == ("stale", [f"Observation/{newer}-1"])


SIZES = [
    row("nine zeros", "9999999999", True),
    row("ten zeros", "10000000000", False),
    row("nine places", "0.000000001", True),
    row("ten places", "0.0000000001", False),
    row("nothing", "0", True),
]


@pytest.mark.parametrize(("written", "kept"), SIZES)
def test_a_number_of_a_size_that_no_laboratory_writes_is_none(written: str, kept: bool) -> None:
    assert amount_of(Quantity(D(written))) == (D(written) if kept else None)


NOTES = [
    row("an infant without the laboratory's range", [lab("ionised", 0.9)], patient("2026-06-01"),
        "Under 1 year a calcium result counts only with the laboratory's own range."),
    row("a low one behind one without a unit", [lab("ionised", 1.0, when="9h"), lab("ionised", 0.8, None, id="b")],
        WOMAN_60, "A newer result could not be used; this is the last one that could."),
]  # fmt: skip


@pytest.mark.parametrize(("results", "who", "note"), NOTES)
def test_a_state_says_what_limits_it(results: list[Json], who: Json, note: str) -> None:
    assert calcium(*results, who=who).notes == (note,)
