"""Medication records -> exposures (C-EXP): current or not, since when, until when; one row is one record."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import msgspec
import pytest

from plugin.fhir.exposures import Reader
from plugin.patient import Exposure
from plugin.thresholds import Limits
from plugin.when import LAST_MOMENT, later, parse
from tests.support.fhir import NOW, day, dispensed, given, statement, subject, taking
from tests.support.rows import resource, row

DECANOATE = "Haloperidol decanoate 100 mg IM"


def read(*records: dict) -> tuple[list[Exposure], list[str], Reader]:
    """The exposures, the contradictions and the reader after these records."""
    reader = Reader(NOW, Limits(), {})
    for record in records:
        reader.read(resource(record))
    return *reader.settled(), reader


def bounds(**period: str) -> dict:
    """The dosage of an order with a period."""
    return {"dosageInstruction": [{"timing": {"repeat": {"boundsPeriod": period}}}]}


def lasting(value: float, unit: str) -> dict:
    """The dosage of an order with a length."""
    return {"dosageInstruction": [{"timing": {"repeat": {"boundsDuration": {"value": value, "unit": unit}}}}]}


NONE, CURRENT, PAST, HELD = "none", "current", "past", "on hold"

STATES = [
    row("active order", taking("haloperidol"), CURRENT),
    row("active order, date missing", taking("haloperidol", more={"authoredOn": None}), CURRENT),
    row("active order until tomorrow", taking("haloperidol", more=bounds(end=day(-1))), CURRENT),
    row("active order until today", taking("haloperidol", more=bounds(end=day(0))), CURRENT),
    row("active order until yesterday", taking("haloperidol", more=bounds(end=day(1))), PAST),
    row("active order until this month", taking("haloperidol", more=bounds(end="2026-11")), CURRENT),
    row("active order until last month", taking("haloperidol", more=bounds(end="2026-10")), PAST),
    row("active order until 9999-12-31", taking("haloperidol", more=bounds(end="9999-12-31")), CURRENT),
    row("active order until 9999", taking("haloperidol", more=bounds(end="9999")), CURRENT),
    row("active order of 7 days, authored 8 days ago", taking("haloperidol", "8d", more=lasting(7, "d")), PAST),
    row("active order of 7 days, authored 6 days ago", taking("haloperidol", "6d", more=lasting(7, "d")), CURRENT),
    row("active order of a million years", taking("haloperidol", "6d", more=lasting(1000000, "a")), CURRENT),
    row("active order, valid for dispensing until yesterday",
        taking("haloperidol", more={"dispenseRequest": {"validityPeriod": {"end": day(1)}}}), PAST),
    row("active order of two lines, one of them open", taking("haloperidol", more={"dosageInstruction": [
        {"timing": {"repeat": {"boundsPeriod": {"end": day(1)}}}}, {"text": "5 mg"}]}), CURRENT),
    row("order on hold", taking("haloperidol", status="on-hold"), HELD),
    row("stopped order", taking("haloperidol", status="stopped"), PAST),
    row("completed order", taking("haloperidol", status="completed"), PAST),
    row("R5 ended order", taking("haloperidol", status="ended"), PAST),
    row("cancelled order", taking("haloperidol", status="cancelled"), NONE),
    row("order entered in error", taking("haloperidol", status="entered-in-error"), NONE),
    row("draft on record", taking("haloperidol", status="draft"), NONE),
    row("order of unknown status", taking("haloperidol", status="unknown"), NONE),
    row("proposal", taking("haloperidol", more={"intent": "proposal"}), NONE),
    row("plan", taking("haloperidol", more={"intent": "plan"}), NONE),
    row("option", taking("haloperidol", more={"intent": "option"}), NONE),
    row("filler order", taking("haloperidol", more={"intent": "filler-order"}), CURRENT),
    row("instance order", taking("haloperidol", more={"intent": "instance-order"}), CURRENT),
    row("original order", taking("haloperidol", more={"intent": "original-order"}), CURRENT),
    row("order not to give it", taking("haloperidol", more={"doNotPerform": True}), NONE),
    row("active statement", statement("haloperidol"), CURRENT),
    row("R5 recorded statement", statement("haloperidol", "recorded"), CURRENT),
    row("active statement until yesterday", statement("haloperidol", effectivePeriod={"end": day(1)}), PAST),
    row("completed statement", statement("haloperidol", "completed"), PAST),
    row("stopped statement", statement("haloperidol", "stopped"), PAST),
    row("statement on hold", statement("haloperidol", "on-hold"), HELD),
    row("statement of unknown status", statement("haloperidol", "unknown"), NONE),
    row("not taken", statement("haloperidol", "not-taken"), NONE),
    row("R5 usage", {**statement("haloperidol", "recorded"), "resourceType": "MedicationUsage"}, CURRENT),
    row("R5 usage, not taken", {**statement("haloperidol", "recorded"), "resourceType": "MedicationUsage",
        "adherence": {"code": {"coding": [{"code": "not-taking"}]}}}, NONE),
    row("intended statement", statement("haloperidol", "intended"), NONE),
    row("statement entered in error", statement("haloperidol", "entered-in-error"), NONE),
    row("given 7 days ago", given("haloperidol", "7d"), CURRENT),
    row("given 8 days ago", given("haloperidol", "8d"), PAST),
    row("given on a date 7 days ago", given("haloperidol", day(7)), CURRENT),
    row("given on a date 8 days ago", given("haloperidol", day(8)), PAST),
    row("infusion running", given("haloperidol", "9d", status="in-progress"), CURRENT),
    row("not done", given("haloperidol", "1d", status="not-done"), NONE),
    row("given in error", given("haloperidol", "1d", status="entered-in-error"), NONE),
    row("R5 occurrence, 7 days ago", {**given("haloperidol", "1d"), "effectiveDateTime": None,
        "occurenceDateTime": day(7)}, CURRENT),
    row("depot given 42 days ago", given("", "42d", text=DECANOATE), CURRENT),
    row("depot given 43 days ago", given("", "43d", text=DECANOATE), PAST),
    row("dispensed for 30 days, 37 days ago", dispensed("haloperidol", "37d", 30), CURRENT),
    row("dispensed for 30 days, 38 days ago", dispensed("haloperidol", "38d", 30), PAST),
    row("dispensed without days, 7 days ago", dispensed("haloperidol", "7d"), CURRENT),
    row("dispensed without days, 8 days ago", dispensed("haloperidol", "8d"), PAST),
    row("prepared, not handed over: cancelled", {**dispensed("haloperidol", "1d", 30), "status": "cancelled"}, NONE),
    row("dispense on hold", {**dispensed("haloperidol", "1d", 30), "status": "on-hold"}, NONE),
    row("dispense of unknown status", {**dispensed("haloperidol", "1d", 30), "status": "unknown"}, NONE),
    row("dispense declined", {**dispensed("haloperidol", "1d", 30), "status": "declined"}, NONE),
    row("dispensed, no date", {**dispensed("haloperidol", "1d", 30), "whenHandedOver": None}, NONE),
    row("dispensed in the last days of time", {**dispensed("haloperidol", "1d", 30), "whenHandedOver": "9999-12-30"},
        CURRENT),
    row("ordinary drug", taking("Amoxicillin 500 mg"), NONE),
    row("words that reject it", taking("Haloperidol - patient refused"), NONE),
]  # fmt: skip


@pytest.mark.parametrize(("record", "expected"), STATES)
def test_state_of_one_record(record: dict, expected: str) -> None:
    exposures, _, _ = read(record)
    states = [CURRENT if e.current else HELD if e.on_hold else PAST for e in exposures]
    assert states == ([] if expected == NONE else [expected])


# A record that decides something and cannot be read is unreadable, never absent.
UNREADABLE = [
    row("given, no date", {**given("haloperidol", "1d"), "effectiveDateTime": None}),
    row("given, date that is none", {**given("haloperidol", "1d"), "effectiveDateTime": "yesterday"}),
    row("given, no status", {**given("haloperidol", "1d"), "status": None}),
    row("dispensed, date that is none", {**dispensed("haloperidol", "1d", 30), "whenHandedOver": "yesterday"}),
    row("order without a status", {**taking("haloperidol"), "status": None}),
    row("order of a status that is none", taking("haloperidol", status="yes")),
    row("order of an intent that is none", taking("haloperidol", more={"intent": "wish"})),
    row("statement without a status", {**statement("haloperidol"), "status": None}),
]


@pytest.mark.parametrize("record", UNREADABLE)
def test_unreadable_records(record: dict) -> None:
    with pytest.raises(msgspec.ValidationError):
        read(record)


# The moments of an exposure, as dates: since when, last known, planned end.
MOMENTS = [
    row("active order", taking("haloperidol", "60d"), day(60), None, None),
    row("start by dosage beats the authoring date", taking("haloperidol", "60d", more=bounds(start=day(50))), day(50),
        None, None),
    row("planned end", taking("haloperidol", "60d", more=bounds(end=day(-14))), day(60), None, day(-14)),
    row("stopped order with its end", taking("haloperidol", "60d", status="stopped", more=bounds(end=day(20))), day(60),
        day(20), None),
    row("stopped order without an end: only its start is known", taking("haloperidol", "60d", status="stopped"),
        day(60),
        day(60), None),
    row("stopped before its planned end", taking("haloperidol", "60d", status="stopped", more=bounds(end=day(-5))),
        day(60), day(60), None),
    row("given", given("haloperidol", "20d"), day(20), day(20), None),
    row("dispensed for 30 days yesterday", dispensed("haloperidol", "1d", 30), day(1), None, day(-36)),
    row("statement, date asserted only", {**statement("haloperidol"), "effectivePeriod": None, "dateAsserted": day(9)},
        day(9), None, None),
]  # fmt: skip


@pytest.mark.parametrize(("record", "start", "last", "ends"), MOMENTS)
def test_moments(record: dict, start: str, last: str | None, ends: str | None) -> None:
    (exposure,), _, _ = read(record)
    assert exposure.start is not None
    assert exposure.start.short() == start
    assert (exposure.last.short() if exposure.last else None) == last
    assert (exposure.ends.date().isoformat() if exposure.ends else None) == ends


# A statement "not taken" against a record: whether the record still counts.
DENIALS = [
    row("newer than the order", taking("haloperidol", "60d"), "1d", False),
    row("on the day of the order", taking("haloperidol", day(60)), day(60), False),
    row("older than the order", taking("haloperidol", "60d"), "90d", True),
    row("undated", taking("haloperidol", "60d"), "", True),
    row("against an order without a date", taking("haloperidol", more={"authoredOn": None}), "90d", False),
    row("newer than the statement's start", statement("haloperidol", since="60d", id="s9"), "1d", False),
    row("older than the statement's assertion", statement("haloperidol", since="60d", id="s9", dateAsserted=day(1)),
        "30d", True),
    row("newer than a dispense", dispensed("haloperidol", "20d", 30), "1d", False),
    row("against what was given: a fact", given("haloperidol", "2d"), "1d", True),
]  # fmt: skip


@pytest.mark.parametrize(("record", "said", "counts"), DENIALS)
def test_not_taken(record: dict, said: str, counts: bool) -> None:
    denial = statement("haloperidol", "not-taken", said) if said else statement("haloperidol", "not-taken")
    if not said:
        denial.pop("effectivePeriod")
    exposures, contradictions, _ = read(record, denial)
    assert bool(exposures) is counts
    assert len(contradictions) == (0 if record["resourceType"] == "MedicationAdministration" else 1)


def test_not_taken_concerns_its_own_drug_only() -> None:
    exposures, contradictions, _ = read(taking("haloperidol"), statement("olanzapine", "not-taken", "1d"))
    assert [exposure.ingredient.name for exposure in exposures] == ["haloperidol"]
    assert not contradictions


@pytest.mark.parametrize("order", [(0, 1, 2), (2, 1, 0), (1, 0, 2)])
def test_of_several_denials_the_newest_counts(order: tuple[int, ...]) -> None:
    denials = [
        statement("haloperidol", "not-taken", since, id=f"s{index}") for index, since in enumerate(("90d", "1d", "70d"))
    ]
    exposures, contradictions, _ = read(taking("haloperidol", "60d"), *(denials[index] for index in order))
    assert not exposures
    assert "MedicationStatement/s1" in contradictions[0]


# What nobody can name is noted, unless it does not count anyway.
UNRESOLVED = [
    row("active order of an unknown code", taking("rxnorm:99999999"), True),
    row("active order without a drug", {**taking("x"), "medicationCodeableConcept": None}, True),
    row("reference to a Medication that was not sent", {**taking("x"), "medicationCodeableConcept": None,
        "medicationReference": {"reference": "Medication/gone"}}, True),
    row("a drug of ours in a longer word", taking("Haloperidolum 5 mg"), True),
    row("stopped order of an unknown code", taking("rxnorm:99999999", status="stopped"), False),
    row("order not to give an unknown code", taking("rxnorm:99999999", more={"doNotPerform": True}), False),
    row("plan of an unknown code", taking("rxnorm:99999999", more={"intent": "plan"}), False),
    row("proposal of an unknown code", taking("rxnorm:99999999", more={"intent": "proposal"}), False),
    row("cancelled order of an unknown code", taking("rxnorm:99999999", status="cancelled"), False),
    row("order of an unknown code without an intent", taking("rxnorm:99999999", more={"intent": None}), True),
    row("statement of an unknown code that is over", statement("rxnorm:99999999", "completed"), False),
    row("an unknown code given 7 days ago", given("rxnorm:99999999", "7d"), True),
    row("an unknown code given 8 days ago", given("rxnorm:99999999", "8d"), False),
    row("an unknown code that was not given", given("rxnorm:99999999", "1d", status="not-done"), False),
    row("an unknown code dispensed for 30 days, 37 days ago", dispensed("rxnorm:99999999", "37d", 30), True),
    row("an unknown code dispensed for 30 days, 38 days ago", dispensed("rxnorm:99999999", "38d", 30), False),
    row("an unknown code dispensed without a date", {**dispensed("rxnorm:99999999", "1d", 30), "whenHandedOver": None},
        False),
    row("unknown code with an ordinary name",
        {**taking("x"), "medicationCodeableConcept": {"coding": [{"code": "9", "display": "Amoxicillin"}]}}, False),
]  # fmt: skip


@pytest.mark.parametrize(("record", "noted"), UNRESOLVED)
def test_unresolved(record: dict, noted: bool) -> None:
    assert bool(read(record)[2].unresolved) is noted


def test_a_combination_is_one_exposure_for_each_ingredient() -> None:
    exposures, _, _ = read(taking("rxnorm:403969"))
    assert sorted(exposure.ingredient.name for exposure in exposures) == ["fluoxetine", "olanzapine"]
    assert {exposure.reference for exposure in exposures} == {"MedicationRequest/m1"}


def test_a_record_of_another_kind_of_drug_says_how_it_is_taken() -> None:
    (exposure,), _, _ = read(taking("benztropine", "3d", 1, 2, route="IM", prn=True))
    assert (exposure.as_needed, exposure.route, exposure.per_day_mg) == (True, "parenteral", 2)


def test_an_administration_tells_its_route() -> None:
    record = {**given("chlorpromazine", "1d"), "dosage": {"route": {"text": "IM"}, "dose": {"value": 25, "unit": "mg"}}}
    (exposure,), _, _ = read(record)
    assert exposure.route == "parenteral"


def test_a_resource_without_id_is_named_by_its_type() -> None:
    record = {"resourceType": "MedicationRequest", "status": "active", "intent": "order", "subject": subject()}
    (exposure,), _, _ = read({**record, "medicationCodeableConcept": {"text": "haloperidol"}})
    assert exposure.reference == "MedicationRequest"


# Dates: how long ago they may be, and the last moment that they may mean.
DATES = [
    row("moment", "2026-11-21T10:00:00Z", timedelta(days=1), timedelta(days=1), "2026-11-21T10:00:00+00:00"),
    row("moment with offset", "2026-11-22T10:00:00+02:00", timedelta(hours=2), timedelta(hours=2),
        "2026-11-22T10:00:00+02:00"),
    row("day", "2026-11-21", timedelta(days=1), timedelta(days=1), "2026-11-21T23:59:59.999999+00:00"),
    row("today", "2026-11-22", timedelta(0), timedelta(0), "2026-11-22T23:59:59.999999+00:00"),
    row("last month", "2026-10", timedelta(days=52, hours=10), timedelta(days=21, hours=10, microseconds=1),
        "2026-10-31T23:59:59.999999+00:00"),
    row("this month", "2026-11", timedelta(days=21, hours=10), timedelta(0), "2026-11-30T23:59:59.999999+00:00"),
    row("December", "2025-12", timedelta(days=356, hours=10), timedelta(days=325, hours=10, microseconds=1),
        "2025-12-31T23:59:59.999999+00:00"),
    row("this year", "2026", timedelta(days=325, hours=10), timedelta(0), "2026-12-31T23:59:59.999999+00:00"),
]  # fmt: skip


@pytest.mark.parametrize(("text", "longest", "shortest", "latest"), DATES)
def test_dates(text: str, longest: timedelta, shortest: timedelta, latest: str) -> None:
    when = parse(text)
    assert when is not None
    assert (when.age(NOW), when.youngest(NOW)) == (longest, shortest)
    assert when.latest.isoformat() == latest


@pytest.mark.parametrize("text", ["9999-12-31", "9999-12", "9999"])
def test_the_end_of_time_is_a_date_like_any_other(text: str) -> None:
    when = parse(text)
    assert when is not None
    assert when.latest > NOW
    assert when.latest.year == 9999


@pytest.mark.parametrize(
    "text", ["", "x", "2026-13", "2026-02-30", "22.11.2026", "0000", "20261", "2026-11-22T99:00:00Z"]
)
def test_no_date(text: str) -> None:
    assert parse(text) is None


def test_later_stops_at_the_last_moment() -> None:
    assert later(NOW, 24.0) == NOW + timedelta(days=1)
    assert later(datetime(9999, 12, 1, tzinfo=UTC), timedelta(days=90)) == LAST_MOMENT
    assert later(NOW, float("inf")) == LAST_MOMENT
