"""R-MET-01: low calcium with a dopamine blocker. One row is one patient; W60 is a woman of 60 without risk factors."""

from __future__ import annotations

import json
from typing import Any

import pytest

from tests.support.fhir import call, condition, day, encounter, lab, order, patient, prefetch
from tests.support.fire import Fired, fire, sign
from tests.support.rows import WOMAN_60, outcome, row

Json = dict[str, Any]
RULE = "R-MET-01"
NOTHING: list[Json] = []
MGDL, MEQL, UMOL = "mg/dL", "meq/L", "umol/L"


def verdict(*results: Json, drug: str = "haloperidol", who: Json = WOMAN_60, **more: Any) -> str:
    """The verdict of the rule for an order of haloperidol, unless another drug is named."""
    return sign(order(drug), who, *results, **more).verdict(RULE)


def albumin(value: Any, unit: str | None = "g/L", **more: Any) -> Json:
    """An albumin."""
    return lab("albumin", value, unit, **more)


def total(value: Any, unit: str | None = "mmol/L", **more: Any) -> Json:
    """A total calcium."""
    return lab("calcium-sc", value, unit, **more)


def ionised(value: Any, unit: str | None = "mmol/L", **more: Any) -> Json:
    """An ionised calcium."""
    return lab("ionised", value, unit, **more)


def corrected(value: Any, unit: str | None = "mmol/L", **more: Any) -> Json:
    """A calcium that the laboratory corrected."""
    return lab("corrected", value, unit, **more)


# The ladder, each kind alone; boundaries from both sides; haloperidol is tier H and prolongs the QT interval.
LADDER = [
    row("no calcium at all is not checked", [], "not-checked no-result"),
    row("ionised 0.89 is severe", [ionised(0.89)], "critical"),
    row("ionised 0.90 is low", [ionised(0.90)], "info"),
    row("ionised 1.11 is low", [ionised(1.11)], "info"),
    row("ionised 1.12 is normal", [ionised(1.12)], "clear"),
    row("ionised 3.6 mg/dL = 0.898 is severe", [ionised(3.6, MGDL)], "critical"),
    row("ionised 3.61 mg/dL = 0.901 is low", [ionised(3.61, MGDL)], "info"),
    row("ionised 1.79 meq/L = 0.895 is severe", [ionised(1.79, MEQL)], "critical"),
    row("ionised 1.80 meq/L = 0.90 is low", [ionised(1.80, MEQL)], "info"),
    row("ionised 899 umol/L is severe", [ionised(899, UMOL)], "critical"),
    row("ionised 900 µmol/L is low", [ionised(900, "µmol/L")], "info"),
    row("ionised 1119.9 umol/L is low", [ionised(1119.9, UMOL)], "info"),
    row("ionised 1120 umol/L is normal", [ionised(1120, UMOL)], "clear"),
    row("corrected by the laboratory 1.89 is severe", [corrected(1.89)], "critical"),
    row("corrected by the laboratory 1.90 is low", [corrected(1.90)], "info"),
    row("corrected by the laboratory 2.11 is low", [corrected(2.11)], "info"),
    row("corrected by the laboratory 2.12 is normal", [corrected(2.12)], "clear"),
    row("corrected by the laboratory is not corrected again", [corrected(2.0), albumin(20)], "info"),
    row("corrected by the laboratory 7.6 mg/dL is severe", [corrected(7.6, MGDL)], "critical"),
    row("corrected by the laboratory 7.62 mg/dL is low", [corrected(7.62, MGDL)], "info"),
    row("corrected by the laboratory 8.49 mg/dL is low", [corrected(8.49, MGDL)], "info"),
    row("corrected by the laboratory 8.5 mg/dL is normal", [corrected(8.5, MGDL)], "clear"),
    row("total alone 1.29 is severe and certain", [total(1.29)], "critical"),
    row("total alone 1.30 is severe, unconfirmed", [total(1.30)], "info"),
    row("total alone 1.89 is severe, unconfirmed", [total(1.89)], "info"),
    row("total alone 2.11 is low, unconfirmed", [total(2.11)], "info"),
    row("total alone 2.12 is normal", [total(2.12)], "clear"),
    row("total alone 5.2 mg/dL = 1.297 is severe and certain", [total(5.2, MGDL)], "critical"),
    row("total alone 5.22 mg/dL = 1.302 is unconfirmed", [total(5.22, MGDL)], "info"),
    row("total 4.25 meq/L = 2.125 is normal", [total(4.25, MEQL)], "clear"),
    row("total 4.1 meq/L = 2.05 is no mg/dL", [total(4.1, MEQL)], "info"),
    row("total 2119 umol/L is low", [total(2119, UMOL)], "info"),
]


@pytest.mark.parametrize(("results", "expected"), LADDER)
def test_ladder(results: list[Json], expected: str) -> None:
    assert verdict(*results) == expected


# Which kind decides. C-CA: ionised, then corrected by the laboratory, then total with albumin, then total alone.
PRECEDENCE = [
    row("ionised normal overrules a low total", [ionised(1.2), total(1.8)], "clear"),
    row("ionised normal overrules a low corrected", [ionised(1.2), corrected(1.8)], "clear"),
    row("ionised severe overrules a normal total", [ionised(0.8), total(2.4)], "critical"),
    row("ionised severe overrules a newer normal total", [ionised(0.8, when="2d"), total(2.4)], "critical"),
    row("corrected normal overrules a low total", [corrected(2.3), total(1.8)], "clear"),
    row("corrected low overrules a normal total", [corrected(2.0), total(2.4), albumin(30)], "info"),
    row("the newest ionised counts", [ionised(0.8, when="9h"), ionised(1.2, id="new")], "clear"),
    row("a low total one day newer than a normal ionised does not count",
        [ionised(1.2, when="25h"), total(1.25, when="1h")], "clear"),
    row("a low total more than a day newer than a normal ionised counts",
        [ionised(1.2, when="27h"), total(1.25, when="2h")], "critical"),
    row("a low corrected more than a day newer than a normal ionised counts",
        [ionised(1.2, when="28h"), corrected(1.8, when="3h")], "critical"),
]  # fmt: skip


@pytest.mark.parametrize(("results", "expected"), PRECEDENCE)
def test_which_kind_decides(results: list[Json], expected: str) -> None:
    assert verdict(*results) == expected


EGFR59, EGFR60 = lab("egfr", 59, "mL/min/1.73m2"), lab("egfr", 60, "mL/min/1.73m2")
# Payne: v = total + 0.02 x (40 - albumin in g/L).
CORRECTION = [
    row("S-14: 2.00 with albumin 34 is 2.12, normal", [total(2.0), albumin(34)], "clear"),
    row("2.00 with albumin 34.1 is 2.118, low", [total(2.0), albumin(34.1)], "info"),
    row("1.70 with albumin 30 is 1.90, low", [total(1.7), albumin(30)], "info"),
    row("1.69 with albumin 30 is 1.89, severe and certain", [total(1.69), albumin(30)], "critical"),
    row("2.20 with albumin 50 is 2.00, low", [total(2.2), albumin(50)], "info"),
    row("2.09 with albumin 50 is 1.89, severe", [total(2.09), albumin(50)], "critical"),
    row("albumin in g/dL", [total(2.0), albumin(3.4, "g/dL")], "clear"),
    row("albumin in umol/L: 511 is 33.98 g/L", [total(2.0), lab("54347-0", 511, UMOL)], "clear"),
    row("both in US units: 8.0 mg/dL with 3.4 g/dL", [total(8.0, MGDL), albumin(3.4, "g/dL")], "info"),
    row("albumin 20 g/L may clear: 1.72 becomes 2.12", [total(1.72), albumin(20)], "clear"),
    row("albumin 19.9 g/L may not clear", [total(1.72), albumin(19.9)], "info"),
    row("albumin 19.9 g/L keeps a severe grade: 1.45 becomes 1.85", [total(1.45), albumin(19.9)], "critical"),
    row("eGFR 60 may clear", [total(2.0), albumin(30), EGFR60], "clear"),
    row("eGFR 59 may not clear", [total(2.0), albumin(30), EGFR59], "info"),
    row("eGFR <60 (reported so) may not clear",
        [total(2.0), albumin(30), lab("egfr", 60, "mL/min", comparator="<")], "info"),
    row("eGFR >60 may clear", [total(2.0), albumin(30), lab("egfr", 60, "mL/min", comparator=">")], "clear"),
    row("eGFR 59 keeps a severe grade", [total(1.69), albumin(30), EGFR59], "critical"),
    row("eGFR 59 leaves a normal total with a normal correction alone", [total(2.3), albumin(40), EGFR59], "clear"),
    row("eGFR 59 of 90 days ago still counts",
        [total(2.0), albumin(30), lab("egfr", 59, "mL/min", when="90d")], "info"),
    row("eGFR 59 of 91 days ago does not",
        [total(2.0), albumin(30), lab("egfr", 59, "mL/min", when="91d")], "clear"),
    row("eGFR that cannot be read may be low",
        [total(2.0), albumin(30), lab("egfr", 90, "furlong")], "info"),
    row("a newer eGFR without unit beside an older 90 may be low",
        [total(2.0), albumin(30), lab("egfr", 90, None), lab("egfr", 90, "mL/min", when="9d", id="e2")], "info"),
]  # fmt: skip


# What makes the correction unreliable beside a low albumin or eGFR: total 2.00 with albumin 30 would be 2.20, normal.
CLEARABLE = [total(2.0), albumin(30)]
UNRELIABLE = [
    row("intensive care by type", [{**encounter(), "type": [{"text": "Intensive care"}]}], "info"),
    row("the place is an ICU", [{**encounter(), "location": [{"location": {"display": "ICU bed 4"}}]}], "info"),
    row("it was in an ICU before",
        [{**encounter(), "location": [{"location": {"display": "ICU 4"}, "status": "completed"}]}], "clear"),
    row("an encounter in an ICU that is over",
        [{**encounter(), "status": "finished", "type": [{"text": "Intensive care"}]}], "clear"),
    row("a ward", [{**encounter(), "type": [{"text": "Vicuna ward"}]}], "clear"),
    row("acidosis", [condition("E87.20", recorded="1d")], "info"),
    row("alkalosis that is not confirmed", [condition("E87.3", verification="provisional")], "info"),
    row("acidosis that is over", [condition("E87.20", clinical="resolved")], "clear"),
    row("kidney disease of stage 3 without an eGFR", [condition("N18.31")], "info"),
    row("dialysis without an eGFR", [condition("Z99.2")], "info"),
    row("kidney disease of stage 2", [condition("N18.2")], "clear"),
    row("kidney disease of stage 3 and an eGFR of 60", [condition("N18.31"), EGFR60], "clear"),
]  # fmt: skip


@pytest.mark.parametrize(("more", "expected"), UNRELIABLE)
def test_where_the_correction_is_unreliable(more: list[Json], expected: str) -> None:
    assert verdict(*CLEARABLE, *more) == expected


@pytest.mark.parametrize(("results", "expected"), CORRECTION)
def test_albumin_correction(results: list[Json], expected: str) -> None:
    assert verdict(*results) == expected


SPECIMEN = {"specimen": {"reference": "Specimen/s1"}}
OTHER = {"specimen": {"reference": "Specimen/s2"}}
# 1.95 alone is unconfirmed; with albumin 30 it would be 2.15, normal.
PAIRING = [
    row("albumin 24 hours before the total", [total(1.95, when="3h"), albumin(30, when="27h")], "clear"),
    row("albumin 25 hours before the total is no pair", [total(1.95, when="3h"), albumin(30, when="28h")], "info"),
    row("albumin 24 hours after the total", [total(1.95, when="27h"), albumin(30, when="3h")], "clear"),
    row("albumin 25 hours after the total is no pair", [total(1.95, when="28h"), albumin(30, when="3h")], "info"),
    row("same specimen, other time of result", [total(1.95, when="3h", **SPECIMEN),
        albumin(30, when="40h", **SPECIMEN)], "clear"),
    row("same specimen goes before a nearer albumin", [total(1.95, **SPECIMEN), albumin(30, when="5h", **SPECIMEN),
        albumin(42, id="near", **OTHER)], "clear"),
    row("the nearest albumin of two", [total(1.95), albumin(30, when="4h"), albumin(42, when="20h", id="a2")], "clear"),
    row("of two albumins at the same time the higher", [total(1.95), albumin(30), albumin(42, id="a2")], "info"),
    row("of two albumins at the same time one that cannot be read",
        [total(2.15), albumin(40), albumin(40, None, id="a2")], "not-checked unit-missing"),
    row("a preliminary albumin does not clear a final total", [total(1.95), albumin(30, status="preliminary")], "info"),
    row("an albumin without unit does not clear", [total(1.95), albumin(30, None)], "info"),
    row("an albumin without unit leaves a normal total open",
        [total(2.15), albumin(50, None)], "not-checked unit-missing"),
    row("an albumin in an unknown unit leaves a normal total open",
        [total(2.15), albumin(5, "mg%")], "not-checked unit-unknown"),
    row("an undated albumin leaves a normal total open",
        [total(2.15), albumin(50, when=None)], "not-checked date-missing"),
    row("an undated albumin of the same specimen is a pair",
        [total(1.95, **SPECIMEN), albumin(30, when=None, **SPECIMEN)], "clear"),
    row("an implausible albumin leaves a normal total open", [total(2.15), albumin(81)], "not-checked implausible"),
    row("a cancelled albumin is no albumin", [total(2.15), albumin(50, status="cancelled")], "clear"),
    row("a normal total and a preliminary albumin that would make it severe",
        [total(2.05), albumin(50, status="preliminary")], "info"),
]  # fmt: skip


@pytest.mark.parametrize(("results", "expected"), PAIRING)
def test_albumin_pairing(results: list[Json], expected: str) -> None:
    assert verdict(*results) == expected


def _range(low: float, unit: str = "mmol/L", **more: Any) -> Json:
    return {"low": {"value": low, "unit": unit, "code": unit}, **more}


NORMAL = {"coding": [{"code": "normal"}]}
MALE, FEMALE = [{"text": "Male"}], [{"coding": [{"code": "female"}]}]
ADULT = {"low": {"value": 18, "code": "a"}}
CHILD = {"high": {"value": 17, "code": "a"}}
# Ionised 1.14 is normal by the default limit (1.12) and low by a laboratory's 1.16.
RANGES = [
    row("the laboratory's own limit goes before the default", [_range(1.16)], "info"),
    row("at the laboratory's limit it is normal", [_range(1.14)], "clear"),
    row("the laboratory's limit in mg/dL", [_range(4.65, MGDL)], "info"),
    row("a limit without unit has the unit of the value", [{"low": {"value": 1.16}}], "info"),
    row("a range of type normal", [_range(1.16, type=NORMAL)], "info"),
    row("a critical range is not the normal one", [_range(1.16, type={"coding": [{"code": "critical"}]})], "clear"),
    row("a range called therapeutic is not the normal one", [_range(1.16, type={"text": "therapeutic"})], "clear"),
    row("the range that fits the sex", [_range(1.16, appliesTo=FEMALE), _range(1.1, appliesTo=MALE)], "info"),
    row("the range of the other sex does not count", [_range(1.16, appliesTo=MALE)], "clear"),
    row("the range that fits the age", [_range(1.16, age=ADULT), _range(1.1, age=CHILD)], "info"),
    row("a range for children does not count", [_range(1.16, age=CHILD)], "clear"),
    row("a range for pregnancy does not count", [_range(1.16, appliesTo=[{"text": "pregnant"}])], "clear"),
    row("several different ranges without a match: the default", [_range(1.16), _range(1.18)], "clear"),
    row("the same range twice is one range", [_range(1.16), _range(1.16)], "info"),
    row("a normal and a critical range: the normal one",
        [_range(0.8, type={"coding": [{"code": "critical"}]}), _range(1.16, type=NORMAL)], "info"),
    row("a limit that is no number leaves it open",
        [{"low": {"value": "1.16", "unit": "mmol/L"}}], "not-checked unit-unknown"),
    row("a limit in an unknown unit leaves it open", [_range(1.16, "furlong")], "not-checked unit-unknown"),
    row("an impossible limit leaves it open", [{"low": {"value": 4.65}}], "not-checked unit-unknown"),
    row("an upper limit alone: the default", [{"high": {"value": 1.3}}], "clear"),
    row("a range in words alone: the default", [{"text": "1.16-1.30 mmol/L"}], "clear"),
]  # fmt: skip


# A value without a unit takes that of the lower limits, where all that have one agree, and is information at most.
INFERRED = [
    row("one limit", [_range(1.16)], "not-checked unit-missing", "info"),
    row("beside a limit without a unit", [{"low": {"value": 1.1}}, _range(1.16)], "not-checked unit-missing", "info"),
    row("two units", [_range(1.16), _range(4.65, MGDL)], "not-checked unit-missing", "not-checked unit-missing"),
    row("no unit", [{"low": {"value": 1.16}}], "not-checked unit-missing", "not-checked unit-missing"),
]


@pytest.mark.parametrize(("ranges", "normal", "severe"), INFERRED)
def test_units_that_are_inferred(ranges: list[Json], normal: str, severe: str) -> None:
    found = [verdict(ionised(value, None, referenceRange=ranges)) for value in (1.2, 0.8)]
    assert found == [normal, severe]


@pytest.mark.parametrize(("ranges", "expected"), RANGES)
def test_reference_ranges(ranges: list[Json], expected: str) -> None:
    assert verdict(ionised(1.14, referenceRange=ranges)) == expected


def test_severe_does_not_depend_on_the_laboratory_range() -> None:
    assert verdict(ionised(0.89, low=0.8)) == "critical"
    assert verdict(corrected(1.89, low=1.8)) == "critical"


# Who: infants need the laboratory's own range; what is not known of the patient must not read as normal.
WEEKS = {"high": {"value": 52, "code": "wk"}}
INFANT, TODDLER = patient("2026-01-01"), patient("2025-11-22")
NOBODY = patient(birth=None)
PERSONS = [
    row("an infant without a laboratory range", INFANT, ionised(0.8), "not-checked no-result"),
    row("an infant with a laboratory range, severe", INFANT, ionised(0.8, low=1.0), "critical"),
    row("an infant with a laboratory range, normal", INFANT, ionised(1.05, low=1.0), "clear"),
    row("an infant with a range in weeks of age",
        INFANT, ionised(1.05, referenceRange=[_range(1.1, age=WEEKS)]), "info"),
    row("on the first birthday the default counts", TODDLER, ionised(0.8), "critical"),
    row("born this year, day unknown, may be an infant", patient("2026"), ionised(0.8), "not-checked no-result"),
    row("no birth date: low is low", NOBODY, ionised(0.8), "critical"),
    row("no birth date: normal by the default only is open", NOBODY, ionised(1.2), "not-checked date-missing"),
    row("no birth date: normal by the laboratory's limit", NOBODY, ionised(1.2, low=1.12), "clear"),
    row("sex unknown: a range for one sex may hold",
        patient("1966-05-01", None), ionised(1.14, referenceRange=[_range(1.16, appliesTo=MALE)]),
        "not-checked unit-unknown"),
    row("deceased", patient("1966-05-01", deceasedBoolean=True), ionised(0.8), "not-applicable"),
]  # fmt: skip


@pytest.mark.parametrize(("who", "result", "expected"), PERSONS)
def test_persons(who: Json, result: Json, expected: str) -> None:
    assert verdict(result, who=who) == expected


# Freshness: 72 h in acute encounters, else 30 d; date-only counts whole days, partial dates the longest time.
INPATIENT, OUTPATIENT = "IMP", "AMB"
FRESHNESS = [
    *(row(f"{kind}, 72 hours old", kind, "72h", "critical") for kind in ("IMP", "EMER", "ACUTE", "OBSENC")),
    *(row(f"{kind}, 73 hours old", kind, "73h", "not-checked stale") for kind in ("IMP", "EMER", "ACUTE", "OBSENC")),
    row("outpatient, 73 hours old", OUTPATIENT, "73h", "critical"),
    row("outpatient, 30 days old", OUTPATIENT, "30d", "critical"),
    row("outpatient, 30 days and an hour old", OUTPATIENT, "721h", "not-checked stale"),
    row("outpatient, 31 days old", OUTPATIENT, "31d", "not-checked stale"),
    row("home care, 31 days old", "HH", "31d", "not-checked stale"),
    row("365 days old is still told", OUTPATIENT, "365d", "not-checked stale"),
    row("366 days old is nothing", OUTPATIENT, "366d", "not-checked no-result"),
    row("inpatient, date alone, 3 days ago", INPATIENT, day(3), "critical"),
    row("inpatient, date alone, 4 days ago", INPATIENT, day(4), "not-checked stale"),
    row("outpatient, date alone, 30 days ago", OUTPATIENT, day(30), "critical"),
    row("outpatient, date alone, 31 days ago", OUTPATIENT, day(31), "not-checked stale"),
    row("today without a time", INPATIENT, day(0), "critical"),
    row("a month that is recent even at its beginning", OUTPATIENT, "2026-11", "critical"),
    row("a month that may be too old", OUTPATIENT, "2026-10", "not-checked date-missing"),
    row("a month that is too old", OUTPATIENT, "2026-09", "not-checked stale"),
    row("a year that may be recent", OUTPATIENT, "2026", "not-checked date-missing"),
    row("a year that is too old", OUTPATIENT, "2025", "not-checked no-result"),
    row("no date", OUTPATIENT, None, "not-checked date-missing"),
    row("a date that is none", OUTPATIENT, "yesterday", "not-checked date-missing"),
    row("5 minutes ahead is a clock that differs", OUTPATIENT, "2026-11-22T10:05:00Z", "critical"),
    row("6 minutes ahead is unreadable", OUTPATIENT, "2026-11-22T10:06:00Z", "not-checked implausible"),
    row("tomorrow is unreadable", OUTPATIENT, day(-1), "not-checked implausible"),
    row("an offset counts", OUTPATIENT, "2026-11-22T12:00:00+02:00", "critical"),
]


@pytest.mark.parametrize(("kind", "when", "expected"), FRESHNESS)
def test_freshness(kind: str, when: str | None, expected: str) -> None:
    assert verdict(ionised(0.8, when=when), encounter(kind)) == expected


def test_issued_stands_in_for_a_missing_effective_time() -> None:
    assert verdict(ionised(0.8, when=None, issued="2026-11-22T08:00:00Z")) == "critical"


def test_a_finished_admission_is_no_acute_encounter() -> None:
    assert verdict(ionised(0.8, when="73h"), {**encounter("IMP"), "status": "finished"}) == "critical"


# The encounter was not sent: an old normal result may be too old for an inpatient.
def test_without_the_encounter_an_old_normal_is_open_and_an_old_low_is_told() -> None:
    lost = {"encounter": outcome()}
    assert verdict(ionised(1.2, when="73h"), **lost) == "not-checked key-failed"
    assert verdict(ionised(1.2, when="72h"), **lost) == "clear"
    assert verdict(ionised(0.8, when="73h"), **lost) == "critical"


ABSENT = {"dataAbsentReason": {"text": "hemolysed"}}
# Status and absence; the older result beside it was normal five hours ago, where there is one.
STATUS = [
    row("final", ionised(0.8, status="final"), "critical", "critical"),
    row("amended", ionised(0.8, status="amended"), "critical", "critical"),
    row("corrected", ionised(0.8, status="corrected"), "critical", "critical"),
    row("preliminary is information", ionised(0.8, status="preliminary"), "info", "info"),
    row("unknown is information", ionised(0.8, status="unknown"), "info", "info"),
    row("registered does not exist yet", ionised(0.8, status="registered"), "not-checked no-result", "clear"),
    row("cancelled does not exist", ionised(0.8, status="cancelled"), "not-checked no-result", "clear"),
    row("entered in error does not exist", ionised(0.8, status="entered-in-error"), "not-checked no-result", "clear"),
    row("no status is not final", {**ionised(0.8), "status": None}, "info", "info"),
    row("a status that is none is not final", ionised(0.8, status="done"), "info", "info"),
    row("data absent reason", {**ionised(0.8, **ABSENT), "valueQuantity": None}, "not-checked no-result", "clear"),
    row("preliminary and normal is not enough",
        ionised(1.2, status="preliminary"), "not-checked no-result", "clear"),
    row("value in words", {**ionised(0), "valueQuantity": None, "valueString": "0.8 mmol/L"},
        "not-checked unit-missing", "not-checked unit-missing"),
    row("value as a JSON string", ionised("0.8"), "not-checked implausible", "not-checked implausible"),
    row("quantity without a value", {**ionised(0), "valueQuantity": {"unit": "mmol/L"}},
        "not-checked implausible", "not-checked implausible"),
    row("no value at all", {**ionised(0), "valueQuantity": None}, "not-checked implausible", "not-checked implausible"),
    row("quantity of a wrong shape", {**ionised(0), "valueQuantity": [1]},
        "not-checked key-failed", "not-checked key-failed"),
    row("unit missing", ionised(0.8, None), "not-checked unit-missing", "not-checked unit-missing"),
    row("unit unknown", ionised(0.8, "furlong"), "not-checked unit-unknown", "not-checked unit-unknown"),
    row("unit of another dimension", ionised(0.8, "g"), "not-checked unit-unknown", "not-checked unit-unknown"),
    row("code and text of the unit contradict",
        {**ionised(0), "valueQuantity": {"value": 4.5, "code": "mmol/L", "unit": "mg/dL"}},
        "not-checked unit-unknown", "not-checked unit-unknown"),
    row("code of the unit unknown, text known",
        {**ionised(0), "valueQuantity": {"value": 0.8, "code": "mmol/dL", "unit": "mmol/L"}},
        "not-checked unit-unknown", "not-checked unit-unknown"),
    row("text of the unit in other words",
        {**ionised(0), "valueQuantity": {"value": 0.8, "code": "mmol/L", "unit": "millimoles per litre"}},
        "critical", "critical"),
    row("unit as text alone", {**ionised(0), "valueQuantity": {"value": 0.8, "unit": "mmol/L"}},
        "critical", "critical"),
    row("below what is possible", ionised(0.39), "not-checked implausible", "not-checked implausible"),
    row("the lowest possible", ionised(0.4), "critical", "critical"),
    row("above what is possible", ionised(3.01), "not-checked implausible", "not-checked implausible"),
    row("mg/dL read as mmol/L is impossible", ionised(4.5), "not-checked implausible", "not-checked implausible"),
    row("negative", ionised(-1.2), "not-checked implausible", "not-checked implausible"),
    row("a huge number", {**ionised(0), "valueQuantity": {"value": 1e300, "unit": "mmol/L"}},
        "not-checked implausible", "not-checked implausible"),
    row("a modifier extension may say anything",
        ionised(0.8, modifierExtension=[{"url": "http://x", "valueCode": "y"}]),
        "not-checked implausible", "not-checked implausible"),
    row("undated", ionised(0.8, when=None), "not-checked date-missing", "not-checked date-missing"),
    row("in the future", ionised(0.8, when="-1h"), "not-checked implausible", "not-checked implausible"),
    row("the code has no system", {**ionised(0.8), "code": {"coding": [{"code": "1994-3"}]}},
        "not-checked implausible", "not-checked implausible"),
]  # fmt: skip


def _without_none(resource: Json) -> Json:
    return {key: value for key, value in resource.items() if value is not None}


@pytest.mark.parametrize(("result", "alone", "beside_normal"), STATUS)
def test_status_and_readability(result: Json, alone: str, beside_normal: str) -> None:
    newest, older = _without_none(result), ionised(1.2, when="5h", id="older")
    assert verdict(newest) == alone
    assert verdict(newest, older) == beside_normal


# Comparators decide only in the direction in which they bound.
COMPARATORS = [
    row("<0.90 is severe", "ionised", "<", 0.90, "critical"),
    row("<=0.90 is severe (its upper bound is the limit)", "ionised", "<=", 0.90, "critical"),
    row("<1.00 is low", "ionised", "<", 1.00, "info"),
    row("<1.12 is low", "ionised", "<", 1.12, "info"),
    row("<1.13 decides nothing", "ionised", "<", 1.13, "not-checked no-result"),
    row(">1.11 decides nothing", "ionised", ">", 1.11, "not-checked no-result"),
    row(">1.12 is normal", "ionised", ">", 1.12, "clear"),
    row(">=1.12 is normal", "ionised", ">=", 1.12, "clear"),
    row("a comparator of another kind decides nothing", "ionised", "ad", 0.8, "not-checked no-result"),
    row("total <1.30 is severe and certain", "calcium-sc", "<", 1.30, "critical"),
    row("total <1.31 is severe, unconfirmed", "calcium-sc", "<", 1.31, "info"),
    row("total <2.12 is low, unconfirmed", "calcium-sc", "<", 2.12, "info"),
    row("total <2.13 decides nothing", "calcium-sc", "<", 2.13, "not-checked no-result"),
]


@pytest.mark.parametrize(("name", "comparator", "value", "expected"), COMPARATORS)
def test_comparators(name: str, comparator: str, value: float, expected: str) -> None:
    assert verdict(lab(name, value, comparator=comparator)) == expected


def test_a_total_above_a_bound_is_not_normal_with_a_high_albumin() -> None:
    assert verdict(total(2.2, comparator=">"), albumin(40)) == "clear"
    assert verdict(total(2.2, comparator=">"), albumin(50)) == "not-checked no-result"


# No unit: the reference range may lend one (information at most); the laboratory's own flag is "unconfirmed low".
UNIT_MISSING = [
    row("inferred, severe", ionised(0.8, None, low=1.12, low_unit="mmol/L"), "info"),
    row("inferred, low", ionised(1.0, None, low=1.12, low_unit="mmol/L"), "info"),
    row("inferred, normal, is not known to be", ionised(1.2, None, low=1.12, low_unit="mmol/L"),
        "not-checked unit-missing"),
    row("the range has no unit either", ionised(0.8, None, low=1.12), "not-checked unit-missing"),
    row("the range has an unknown unit", ionised(0.8, None, low=1.12, low_unit="furlong"), "not-checked unit-unknown"),
    row("two ranges with different units lend none",
        ionised(0.8, None, referenceRange=[_range(1.12), _range(4.5, MGDL)]), "not-checked unit-missing"),
    row("flagged L without unit", ionised(0.8, None, flag="L"), "info"),
    row("flagged LL without unit", ionised(0.8, None, flag="LL"), "info"),
    row("flagged H without unit", ionised(0.8, None, flag="H"), "not-checked unit-missing"),
    row("flagged L with an unknown unit", ionised(0.8, "furlong", flag="L"), "not-checked unit-unknown"),
    row("flagged L without unit and date", ionised(0.8, None, when=None, flag="L"), "not-checked unit-missing"),
    row("flagged L, in words", {**_without_none({**ionised(0, flag="L"), "valueQuantity": None}),
        "valueString": "low"}, "info"),
    row("flagged L but normal by its number", ionised(1.2, flag="L"), "clear"),
]  # fmt: skip


@pytest.mark.parametrize(("result", "expected"), UNIT_MISSING)
def test_unit_missing(result: Json, expected: str) -> None:
    assert verdict(result) == expected


def test_the_cards_say_what_is_uncertain_about_the_unit() -> None:
    flagged = sign(order(), WOMAN_60, ionised(0.8, None, flag="L")).card
    assert flagged["summary"] == ("Calcium reported low without a unit + haloperidol: unconfirmed, check ionised Ca.")
    assert "Reported low without a unit, unconfirmed" in flagged["detail"]
    inferred = sign(order(), WOMAN_60, ionised(0.8, None, low=1.12, low_unit="mmol/L")).card
    assert "unit taken from the reference range" in inferred["detail"]
    assert inferred["indicator"] == "info"


# What an Observation is: components count, other specimens and codes do not.
def _panel(*components: Json, **more: Any) -> Json:
    found = {key: value for key, value in ionised(0, **more).items() if key not in {"valueQuantity", "code"}}
    return {**found, "code": {"text": "Blood gas panel"}, "component": list(components)}


def _component(code: str, value: Any, unit: str = "mmol/L", **more: Any) -> Json:
    return {
        "code": {"coding": [{"system": "http://loinc.org", "code": code}]},
        "valueQuantity": {"value": value, "unit": unit, "code": unit},
        **more,
    }


def _specimen(words: str) -> Json:
    contained = {"resourceType": "Specimen", "id": "sp", "type": {"coding": [{"code": "1", "display": words}]}}
    return {"contained": [contained], "specimen": {"reference": "#sp"}}


SHAPES = [
    row("a component counts like an Observation", _panel(_component("1994-3", 0.8)), "critical"),
    row("a component with its own range", _panel(_component("1994-3", 1.14, referenceRange=[_range(1.16)])), "info"),
    row("a component without a value given as absent",
        _panel({**_component("1994-3", 0.8), "dataAbsentReason": {"text": "x"}}), "not-checked no-result"),
    row("a panel whose own value is absent", _panel(_component("1994-3", 0.8), **ABSENT), "critical"),
    row("components of a cancelled panel", _panel(_component("1994-3", 0.8), status="cancelled"),
        "not-checked no-result"),
    row("a component in an unknown unit", _panel(_component("1994-3", 0.8, "furlong")), "not-checked unit-unknown"),
    row("specimen: urine", ionised(0.8, specimen={"display": "Urine, 24 h"}), "not-checked no-result"),
    row("specimen: spinal fluid", ionised(0.8, specimen={"display": "CSF"}), "not-checked no-result"),
    row("specimen: red cells", ionised(0.8, specimen={"display": "Red blood cells"}), "not-checked no-result"),
    row("specimen: contained, urine", ionised(0.8, **_specimen("Urine specimen")), "not-checked no-result"),
    row("specimen: contained, serum", ionised(0.8, **_specimen("Serum specimen")), "critical"),
    row("specimen: venous blood", ionised(0.8, specimen={"display": "Venous blood"}), "critical"),
    row("specimen: blood before dialysis", ionised(0.8, specimen={"display": "Blood, pre-dialysis"}), "critical"),
    row("specimen: not said", ionised(0.8, specimen={"reference": "Specimen/77"}), "critical"),
    row("LOINC: calcium in urine", lab("17862-4", 0.8), "not-checked no-result"),
    row("LOINC: pH-adjusted ionised calcium", lab("19072-8", 0.8), "not-checked no-result"),
    row("LOINC: ionised calcium in serum", lab("1995-0", 0.8), "critical"),
    row("LOINC: ionised calcium by ISE, mass", lab("17864-0", 3.2, MGDL), "critical"),
    row("LOINC: ionised calcium in blood by ISE", lab("47596-2", 0.8), "critical"),
    row("LOINC: total calcium by mass in mmol/L", lab("17861-6", 1.2, "mmol/L"), "critical"),
    row("an OID for LOINC", {**ionised(0.8), "code": {"coding": [{"system": "urn:oid:2.16.840.1.113883.6.1",
        "code": "1994-3"}]}}, "critical"),
    row("a code of another system", {**ionised(0.8), "code": {"coding": [{"system": "http://other",
        "code": "1994-3"}]}}, "not-checked no-result"),
    row("one of several codings", {**ionised(0.8), "code": {"coding": [{"system": "http://other", "code": "CAI"},
        {"system": "http://loinc.org", "code": "1994-3"}]}}, "critical"),
]  # fmt: skip


@pytest.mark.parametrize(("result", "expected"), SHAPES)
def test_shapes(result: Json, expected: str) -> None:
    assert verdict(result) == expected


# Several results: what is not readable or not final never hides what is, and never makes it normal.
SEVERAL = [
    row("conflicting duplicates: the lowest counts", [ionised(1.2), ionised(0.8, id="b")], "critical"),
    row("a duplicate without unit is not normal",
        [ionised(1.2), ionised(1.2, None, id="b")], "not-checked unit-missing"),
    row("a duplicate without unit does not hide a low one", [ionised(0.8), ionised(1.2, None, id="b")], "critical"),
    row("a date alone may be newer than a time of that day",
        [ionised(1.2), ionised(0.8, when=day(0), id="b")], "critical"),
    row("an older date alone is not", [ionised(1.2), ionised(0.8, when=day(1), id="b")], "clear"),
    row("an undated one may be the newest",
        [ionised(1.2), ionised(0.8, when=None, id="b")], "not-checked date-missing"),
    row("an unreadable newest beside an older normal",
        [ionised(1.2, when="9h"), ionised(0.8, None, id="b")], "not-checked unit-missing"),
    row("an unreadable newest beside an older low tells the older one, unconfirmed",
        [ionised(0.8, when="9h"), ionised(0.8, None, id="b")], "info"),
    row("an undecided newest beside an older severe one tells the older one, unconfirmed",
        [ionised(0.8, when="9h"), ionised(1.3, comparator="<", id="b")], "info"),
    row("an older unreadable beside a newer normal", [ionised(1.2), ionised(0.8, None, when="9h", id="b")], "clear"),
    row("unreadable ionised beside a normal total", [total(2.3), ionised(0.8, None)], "not-checked unit-missing"),
    row("unreadable ionised beside a severe total", [total(1.2), ionised(0.8, None)], "critical"),
    row("unreadable total beside a normal ionised", [ionised(1.2), total(2.0, None)], "clear"),
    row("unreadable total more than a day newer than a normal ionised",
        [ionised(1.2, when="40h"), total(2.0, None)], "not-checked unit-missing"),
    row("a newer preliminary low beside an older final normal is told",
        [ionised(1.2, when="9h"), ionised(0.8, status="preliminary", id="b")], "info"),
    row("an older preliminary low beside a newer final normal is not",
        [ionised(1.2), ionised(0.8, when="9h", status="preliminary", id="b")], "clear"),
    row("a newer preliminary normal does not replace an older final low",
        [ionised(0.8, when="9h"), ionised(1.2, status="preliminary", id="b")], "critical"),
    row("an unreadable preliminary beside an older final normal",
        [ionised(1.2, when="9h"), ionised(0.8, None, status="preliminary", id="b")], "not-checked unit-missing"),
    row("a preliminary low total beside a normal ionised of the same day",
        [ionised(1.2), total(1.2, status="preliminary")], "clear"),
    row("a stale low beside a fresh normal of a lesser kind", [ionised(0.8, when="40d"), total(2.3)], "clear"),
]  # fmt: skip


@pytest.mark.parametrize(("results", "expected"), SEVERAL)
def test_several_results(results: list[Json], expected: str) -> None:
    assert verdict(*results) == expected


SEVERE, LOW, UNCONFIRMED = ionised(0.8), ionised(1.0), total(1.5)
# Levels by drug: severe and certain, low, severe but unconfirmed.
DRUGS = [
    row("haloperidol, H, QT list", "haloperidol", "critical", "info", "info"),
    row("droperidol, H, QT list", "droperidol", "critical", "info", "info"),
    row("pimozide, H, QT list", "rxnorm:8331", "critical", "info", "info"),
    row("ziprasidone, M, QT list", "ziprasidone", "critical", "info", "info"),
    row("thioridazine, L, QT list", "thioridazine", "critical", "clear", "info"),
    row("chlorpromazine, L, QT list", "chlorpromazine", "critical", "clear", "info"),
    row("iloperidone, L, QT list", "rxnorm:73178", "critical", "clear", "info"),
    row("fluphenazine, H", "fluphenazine", "warning", "info", "info"),
    row("metoclopramide, M", "metoclopramide", "warning", "info", "info"),
    row("prochlorperazine, M", "prochlorperazine", "warning", "info", "info"),
    row("olanzapine, L", "olanzapine", "warning", "clear", "info"),
    row("promethazine, L", "promethazine", "warning", "clear", "info"),
    row("ondansetron, QT antiemetic", "ondansetron", "warning", "clear", "info"),
    row("granisetron, QT antiemetic", "granisetron", "warning", "clear", "info"),
    row("quetiapine, N", "quetiapine", "not-applicable", "not-applicable", "not-applicable"),
    row("sertraline", "sertraline", "not-applicable", "not-applicable", "not-applicable"),
    row("benztropine", "benztropine", "not-applicable", "not-applicable", "not-applicable"),
    row("an ordinary drug", "Amoxicillin 500 mg", "not-applicable", "not-applicable", "not-applicable"),
    row("a drug that is denied", "no haloperidol", *["not-checked drug-unrecognised"] * 3),
]


@pytest.mark.parametrize(("drug", "severe", "low", "unconfirmed"), DRUGS)
def test_levels_by_drug(drug: str, severe: str, low: str, unconfirmed: str) -> None:
    assert [verdict(result, drug=drug) for result in (SEVERE, LOW, UNCONFIRMED)] == [severe, low, unconfirmed]


# A low calcium that means nothing for a tier L drug, unless it may be severe.
LOW_TIER = [
    row("low", [LOW], "clear"),
    row("low by flag, no unit", [ionised(0.8, None, flag="L")], "not-checked unit-missing"),
    row("low, unit inferred", [ionised(1.0, None, low=1.12, low_unit="mmol/L")], "not-checked unit-missing"),
    row("low, with a newer preliminary severe one",
        [ionised(1.0, when="9h"), ionised(0.8, status="preliminary", id="b")], "not-checked no-result"),
    row("low total with an albumin that cannot be read", [total(2.0), albumin(50, None)], "not-checked unit-missing"),
    row("low total without albumin", [total(2.0)], "clear"),
    row("low corrected with an ionised that cannot be read",
        [corrected(2.0), ionised(0.8, None)], "not-checked unit-missing"),
]  # fmt: skip


@pytest.mark.parametrize(("results", "expected"), LOW_TIER)
def test_low_tier(results: list[Json], expected: str) -> None:
    assert verdict(*results, drug="olanzapine") == expected


def test_aripiprazole_is_tier_m_below_18_and_that_is_not_known_without_a_birth_date() -> None:
    assert verdict(LOW, drug="aripiprazole", who=patient("2010-01-01")) == "info"
    assert verdict(LOW, drug="aripiprazole", who=WOMAN_60) == "clear"
    assert verdict(LOW, drug="aripiprazole", who=NOBODY) == "not-checked date-missing"


# What was supplied.
NEXT = [{"relation": "next", "url": "https://ehr.example/Observation?page=2"}]


def _observations(*results: Json, **more: Any) -> Json:
    entries = [{"resource": result} for result in results]
    return {"resourceType": "Bundle", "type": "searchset", "entry": entries, **more}


SUPPLY = [
    row("null is returned and empty", {"observations": None}, "not-checked no-result"),
    row("an empty Bundle", {"observations": _observations()}, "not-checked no-result"),
    row("key missing", {"without": ("observations",)}, "not-checked key-missing"),
    row("an OperationOutcome", {"observations": outcome()}, "not-checked key-failed"),
    row("an OperationOutcome among the entries, normal", {"observations": _observations(ionised(1.2), outcome())},
        "not-checked key-failed"),
    row("an OperationOutcome among the entries, severe", {"observations": _observations(ionised(0.8), outcome())},
        "critical"),
    row("an empty object", {"observations": {}}, "not-checked key-failed"),
    row("a next link, normal", {"observations": _observations(ionised(1.2), link=NEXT)}, "not-checked truncated"),
    row("a next link, severe", {"observations": _observations(ionised(0.8), link=NEXT)}, "critical"),
    row("total above what came, normal", {"observations": _observations(ionised(1.2), total=2)},
        "not-checked truncated"),
    row("a next link, oldest entry older than the window",
        {"observations": _observations(ionised(1.2), ionised(1.2, when="400d", id="o"), link=NEXT)}, "clear"),
    row("a next link, oldest entry inside the window",
        {"observations": _observations(ionised(1.2), ionised(1.2, when="399d", id="o"), link=NEXT)},
        "not-checked truncated"),
    row("an Observation that cannot be decoded, normal",
        {"observations": _observations(ionised(1.2), {**lab("magnesium", 1), "code": "x"})}, "not-checked key-failed"),
    row("data of a different patient, normal",
        {"observations": _observations(ionised(1.2), lab("magnesium", 1, subject={"reference": "Patient/p2"}))},
        "not-checked other-patient"),
    row("a severe one of a different patient",
        {"observations": _observations(ionised(0.8, subject={"reference": "Patient/p2"}))},
        "not-checked other-patient"),
]  # fmt: skip


@pytest.mark.parametrize(("replaced", "expected"), SUPPLY)
def test_supply(replaced: Json, expected: str) -> None:
    assert verdict(**replaced) == expected


# Suppression S-13: never act on old labs, but tell them where a card is made anyway.
def test_a_stale_calcium_is_told_and_not_acted_on() -> None:
    answer = sign(order(), patient(), ionised(0.8, when="40d"))
    assert answer.verdict(RULE) == "not-checked stale"
    assert "Last ionised Ca 0.8 mmol/L (2026-10-13, 40 d ago; status final): too old to use." in answer.card["detail"]
    assert "Ca" not in answer.card["summary"]
    assert answer.card["source"]["topic"]["code"] == "R-DRUG-01"


def test_the_newest_of_several_old_ones_is_told() -> None:
    answer = sign(order(), patient(), ionised(0.8, when="90d"), total(2.3, when="40d"))
    assert "Last total Ca 2.3 mmol/L (2026-10-13" in answer.card["detail"]
    assert "0.8" not in answer.card["detail"]


def test_a_stale_calcium_alone_makes_no_card() -> None:
    assert sign(order(), WOMAN_60, ionised(0.8, when="40d")).cards == []


# Suppression S-14.
def test_a_total_that_albumin_explains_makes_no_card() -> None:
    answer = sign(order(), WOMAN_60, total(2.0, **SPECIMEN), albumin(30, **SPECIMEN))
    assert (answer.cards, answer.verdict(RULE)) == ([], "clear")


# The card.
def test_the_card_of_a_severe_ionised_calcium() -> None:
    card = sign(order(), WOMAN_60, ionised(0.84)).card
    assert card["indicator"] == "critical"
    assert card["summary"] == (
        "Ionised Ca 0.84 mmol/L (3 h ago) + haloperidol: consider correcting calcium first (QT, tetany, dystonia)."
    )
    assert card["source"]["topic"]["code"] == RULE
    facts = card["extension"]["org.dystonia-cds"]["facts"]
    told = "Ionised Ca 0.84 mmol/L (2026-11-22, 3 h ago; status final)"
    assert {"text": told, "reference": "Observation/ionised-1"} in facts
    labels = [suggestion["label"] for suggestion in card["suggestions"]]
    assert labels[:3] == [
        "Check ionised calcium, albumin and magnesium",
        "Hold the order until calcium is corrected",
        "Continue with ECG and calcium monitoring",
    ]


def test_the_qt_interval_is_named_only_where_the_drug_prolongs_it() -> None:
    def summary(drug: str) -> str:
        return str(sign(order(drug), WOMAN_60, SEVERE).card["summary"])

    assert summary("fluphenazine").endswith("consider correcting calcium first (tetany, dystonia).")
    assert summary("ondansetron").endswith("consider correcting calcium first (QT, tetany, dystonia).")


def _detail(*results: Json) -> str:
    return str(sign(order(), WOMAN_60, *results).card["detail"])


def test_the_card_shows_the_correction_and_both_results() -> None:
    detail = _detail(total(6.8, MGDL), albumin(3.0, "g/dL"))
    assert "Total Ca 6.8 mg/dL = 1.70 mmol/L (2026-11-22, 3 h ago; status final)" in detail
    assert "Albumin 3.0 g/dL (2026-11-22, 3 h ago; status final)" in detail
    assert "Corrected for albumin: 1.90 mmol/L" in detail


@pytest.mark.parametrize(
    ("results", "words"),
    [
        row("albumin below 20", [total(1.45), albumin(19.9)], "unreliable here (albumin below 20 g/L)"),
        row("eGFR below 60", [total(1.69), albumin(30), EGFR59], "unreliable here (eGFR below 60)"),
        row("both", [total(1.45), albumin(19), EGFR59], "(albumin below 20 g/L, eGFR below 60)"),
        row("correction would clear", [total(2.0), albumin(30), EGFR59], "would give 2.20 mmol/L but is unreliable"),
        row("no albumin", [total(2.0)], "No albumin to correct with: unconfirmed; ionised Ca decides."),
        row("albumin unreadable", [total(2.0), albumin(30, None)], "Albumin 30 (no unit)"),
        row("preliminary", [ionised(0.8, status="preliminary")], "status preliminary"),
        row("status unknown", [ionised(0.8, status="unknown")], "status unknown"),
        row("below a bound", [ionised(0.8, comparator="<")], "Ionised Ca <0.8 mmol/L"),
        row("unit of the laboratory", [ionised(3.2, MGDL)], "Ionised Ca 3.2 mg/dL = 0.80 mmol/L"),
        row("date alone", [ionised(0.8, when=day(0))], "(2026-11-22, today; status final)"),
        row("date alone, earlier", [ionised(0.8, when=day(2))], "(2026-11-20, 2 d ago; status final)"),
        row("month alone", [ionised(0.8, when="2026-11")], "(2026-11; status final)"),
    ],
)
def test_the_card_says_what_is_uncertain(results: list[Json], words: str) -> None:
    detail = _detail(*results)
    assert words in detail
    if "unreliable" in words:
        assert "confirm with ionised Ca" in detail


def test_order_select_judges_calcium_too() -> None:
    answer: Fired = sign(order(), WOMAN_60, SEVERE, hook="order-select")
    assert answer.verdict(RULE) == "critical"


def test_exact_decimals_decide() -> None:
    """0.899999999999999999 is below 0.90, and a binary fraction could not tell."""
    raw = '{"value": %s, "unit": "mmol/L"}'
    assert _raw_verdict(raw % "0.899999999999999999999") == "critical"
    assert _raw_verdict(raw % "0.900000000000000000000") == "info"
    assert _raw_verdict(raw % "9e-1") == "info"
    assert _raw_verdict(raw % "1e999999") == "not-checked implausible"


def _raw_verdict(quantity: str) -> str:
    body = json.dumps(call([order()], prefetch(WOMAN_60, {**ionised(0), "valueQuantity": "QUANTITY"})))
    return fire(body.replace('"QUANTITY"', quantity).encode()).verdict(RULE)
