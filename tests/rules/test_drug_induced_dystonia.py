"""R-DX-08: a dystonia that began shortly after a dopamine blocker, or during long exposure (D.4)."""

from __future__ import annotations

from typing import Any

import pytest
from fhir.resources.R4B.allergyintolerance import AllergyIntolerance

from tests.support.attacks import entered, opened
from tests.support.fhir import DYSTONIA, SNOMED, allergy, condition, dispensed, given, lab, patient, statement, taking
from tests.support.rows import WOMAN_60, aged, day_before_birthday, outcome, row

Json = dict[str, Any]
RULE = "R-DX-08"
WHO = aged(40)
# Results that keep the rules on missing calcium and magnesium silent.
MEASURED = (lab("calcium-sc", 2.3), lab("magnesium", 0.8))


def dystonia(code: str = "G24.9", **more: Any) -> Json:
    """A dystonia that began an hour ago unless it says otherwise."""
    return condition(code, **({"onset": "1h", "id": "dystonia", "text": "Dystonia"} | more))


def verdict(*data: Json, who: Json = WHO, **more: Any) -> str:
    """The verdict when the record is opened."""
    return opened(who, *data, *MEASURED, **more).verdict(RULE)


TIMES = [
    row("given 18 h before", dystonia(), given("prochlorperazine", "19h"), "warning"),
    row("given at the same hour", dystonia(onset="19h"), given("prochlorperazine", "19h"), "warning"),
    row("given an hour after the onset", dystonia(onset="20h"), given("prochlorperazine", "19h"), "clear"),
    row("started 7 days before", dystonia(onset="1d"), taking("haloperidol", "8d"), "warning"),
    row("started 7 days and an hour before", dystonia(onset="23h"), taking("haloperidol", "8d"), "clear"),
    row("started on a day, 7 days before", dystonia(onset="2026-11-21"),
        taking("haloperidol", "2026-11-14"), "warning"),
    row("started on a day, 8 days before", dystonia(onset="2026-11-21"), taking("haloperidol", "2026-11-13"), "clear"),
    row("started on the day of the onset", dystonia(onset="2026-11-21"), taking("haloperidol", "22h"), "warning"),
    row("started the day after the onset", dystonia(onset="2026-11-20"), taking("haloperidol", "22h"), "clear"),
    row("an onset years before the drug", dystonia(onset="2019-05-01", recorded="1d"), taking("haloperidol", "2d"),
        "clear"),
    row("onset by the day of the record", dystonia(onset="", recorded="1d"), taking("haloperidol", "2d"), "warning"),
    row("onset by month: the day of the record counts", dystonia(onset="2026-11", recorded="1d"),
        taking("haloperidol", "2d"), "warning"),
    row("onset by month alone", dystonia(onset="2026-11"), taking("haloperidol", "2d"), "not-checked date-missing"),
    row("no date at all", dystonia(onset=""), taking("haloperidol", "2d"), "not-checked date-missing"),
    row("a drug dated by month", dystonia(), taking("haloperidol", "2026-11"), "not-checked date-missing"),
    row("a drug without a date", dystonia(), {**taking("haloperidol"), "authoredOn": None}, "not-checked date-missing"),
]  # fmt: skip


@pytest.mark.parametrize(("record", "drug", "expected"), TIMES)
def test_times(record: Json, drug: Json, expected: str) -> None:
    assert verdict(record, drug) == expected


DRUGS = [
    row("tier H", taking("haloperidol", "2d"), "warning"),
    row("tier M", taking("metoclopramide", "2d"), "warning"),
    row("tier L", taking("olanzapine", "2d"), "warning"),
    row("tier N", taking("quetiapine", "2d"), "clear"),
    row("no tier", taking("omeprazole", "2d"), "clear"),
    row("a statement", statement("haloperidol", since="2d"), "warning"),
    row("a dispense", dispensed("haloperidol", "2d", 30), "warning"),
    row("given and over", given("haloperidol", "8d"), "clear"),
    row("stopped: no longer current", taking("haloperidol", "2d", status="stopped"), "info"),
    row("on hold: not current", taking("haloperidol", "2d", status="on-hold"), "info"),
    row("cancelled", taking("haloperidol", "2d", status="cancelled"), "clear"),
    row("not taken", statement("haloperidol", "not-taken", "2d"), "clear"),
    row("a text that names it", taking("Haldol 5 mg", "2d"), "warning"),
    row("a code that nobody knows",
        {**taking("x", "2d"), "medicationCodeableConcept": {"coding": [{"system": "http://example.org", "code": "7"}]}},
        "not-checked drug-unrecognised"),
    row("none", taking("paroxetine", "2d"), "clear"),
]  # fmt: skip


@pytest.mark.parametrize(("drug", "expected"), DRUGS)
def test_drugs(drug: Json, expected: str) -> None:
    assert verdict(dystonia(), drug) == expected


def course(*doses: tuple[str, float | None]) -> tuple[Json, ...]:
    """Orders of haloperidol, each from a time on, all but the last completed when the next began."""
    return tuple(
        taking("haloperidol", since, mg, 1 if mg else None, id=f"m{place}",
               status="active" if place == len(doses) - 1 else "completed")
        for place, (since, mg) in enumerate(doses)
    )  # fmt: skip


COURSES = [
    row("raised 2 days ago after 20 days", course(("20d", 2), ("2d", 3)), "warning"),
    row("the same dose again", course(("20d", 2), ("2d", 2)), "clear"),
    row("a dose that is not told, of 7 days before", course(("20d", 2), ("169h", None)), "not-checked date-missing"),
    row("a dose that is not told, of 7 days and an hour before", course(("20d", 2), ("170h", None)), "clear"),
    row("lowered", course(("20d", 2), ("2d", 1)), "clear"),
    row("a dose that is not told", course(("20d", 2), ("2d", None)), "not-checked date-missing"),
    row("raised 9 days ago", course(("20d", 2), ("9d", 3)), "clear"),
    row("again after 30 days without it", course(("32d", 2), ("2d", 2)), "clear"),
    row("again after 31 days without it: a new start", course(("33d", 2), ("2d", 2)), "warning"),
    row("a dose given in between", (*course(("20d", 2)), given("haloperidol", "2d")), "warning"),
]


@pytest.mark.parametrize(("orders", "expected"), COURSES)
def test_courses(orders: tuple[Json, ...], expected: str) -> None:
    assert verdict(dystonia(), *orders) == expected


LONG = [
    row("90 days", WHO, "90d", "warning"),
    row("89 days", WHO, "89d", "clear"),
    row("30 days at 60", aged(60), "30d", "warning"),
    row("29 days at 60", aged(60), "29d", "clear"),
    row("30 days the day before 60", day_before_birthday(60), "30d", "clear"),
    row("90 days without a birth date", patient(None), "90d", "warning"),
    row("30 days without a birth date", patient(None), "30d", "clear"),
]


@pytest.mark.parametrize(("who", "since", "expected"), LONG)
def test_long_exposure(who: Json, since: str, expected: str) -> None:
    answer = opened(who, dystonia(onset="0h"), taking("risperidone", since), *MEASURED)
    assert answer.verdict(RULE) == expected
    if expected == "warning":
        assert "perhaps tardive" in answer.card["summary"]


def test_long_exposure_that_ended_before() -> None:
    def stopped(until: str) -> Json:
        return statement("risperidone", "completed", effectivePeriod={"start": "2026-01-01", "end": until})

    assert verdict(dystonia(onset="2026-11-21"), stopped("2026-11-14")) == "info"
    assert verdict(dystonia(onset="2026-11-21"), stopped("2026-11-12")) == "clear"
    assert verdict(dystonia(onset="2026-11-21T10:00:00Z"), stopped("2026-11-14T10:00:00Z")) == "info"
    assert verdict(dystonia(onset="2026-11-21T10:00:00Z"), stopped("2026-11-14T09:59:59Z")) == "clear"


MOVEMENTS = [
    row("drug-induced acute dystonia", dystonia("G24.02"), "warning"),
    row("spasmodic torticollis", dystonia("G24.3"), "warning"),
    row("torticollis", dystonia("M43.6"), "warning"),
    row("trismus", dystonia("", text="Trismus"), "warning"),
    row("oculogyric crisis", dystonia("", text="Oculogyric crisis"), "warning"),
    row("opisthotonos", dystonia("", text="Opisthotonos"), "warning"),
    row("not confirmed", dystonia(verification="provisional"), "info"),
    row("refuted", dystonia(verification="refuted"), "not-applicable"),
    row("resolved, began an hour ago", dystonia(clinical="resolved"), "warning"),
    row("tetany", dystonia("R29.0", text="Tetany"), "not-applicable"),
    row("another disease", dystonia("E11.9", text="Diabetes"), "not-applicable"),
]


@pytest.mark.parametrize(("record", "expected"), MOVEMENTS)
def test_movements(record: Json, expected: str) -> None:
    assert verdict(record, given("haloperidol", "19h")) == expected


@pytest.mark.parametrize(("onset", "expected"), [("30d", "info"), ("31d", "not-applicable")])
def test_a_resolved_one_counts_while_it_is_new(onset: str, expected: str) -> None:
    drug = taking("haloperidol", "32d", status="stopped")
    assert verdict(dystonia(clinical="resolved", onset=onset), drug) == expected


@pytest.mark.parametrize(
    ("data", "more", "expected"),
    [
        row("conditions not sent", (), {"without": ("conditions",)}, "not-checked key-missing"),
        row("drugs failed", (dystonia(),), {"medications": outcome()}, "not-checked key-failed"),
        row("administrations not sent", (dystonia(),), {"without": ("medicationAdministrations",)},
            "not-checked key-missing"),
        row("statements failed, but a drug is known", (dystonia(), given("haloperidol", "19h")),
            {"medicationStatements": outcome()}, "warning"),
        row("nothing recorded", (), {}, "not-applicable"),
    ],
)  # fmt: skip
def test_what_was_not_sent(data: tuple[Json, ...], more: dict[str, Any], expected: str) -> None:
    assert verdict(*data, **more) == expected


SUMMARIES = [
    row("hours", dystonia(), given("prochlorperazine", "19h"), "Dystonia 18 h after prochlorperazine"),
    row("within the hour", dystonia(), given("haloperidol", "1h"), "Dystonia less than 1 h after haloperidol"),
    row("47 h", dystonia(), given("haloperidol", "48h"), "Dystonia 47 h after haloperidol"),
    row("48 h", dystonia(), given("haloperidol", "49h"), "Dystonia 2 d after haloperidol"),
    row("days", dystonia(), taking("haloperidol", "5d"), "Dystonia 4 d after haloperidol"),
    row("on the day", dystonia(onset="2026-11-22"), taking("haloperidol", "2026-11-22"),
        "Dystonia on the day of haloperidol"),
    row("a drug by the minute, an onset by the day", dystonia(onset="2026-11-22"), given("haloperidol", "20h"),
        "Dystonia 1 d after haloperidol"),
    row("a drug by the day, an onset by the minute", dystonia(onset="2h"), taking("haloperidol", "2026-11-22"),
        "Dystonia on the day of haloperidol"),
    row("crisis", dystonia("", text="Oculogyric crisis"), given("haloperidol", "3h"),
        "Oculogyric crisis 2 h after haloperidol"),
    row("not confirmed", dystonia(verification="provisional"), given("haloperidol", "3h"),
        "Possible dystonia 2 h after haloperidol"),
    row("months", dystonia(onset="0h"), taking("risperidone", "150d"),
        "Dystonia after 5 months of risperidone, perhaps tardive"),
]  # fmt: skip


# A start or an increase goes before the doses of a course that runs; doses alone do not hide long exposure.
BESIDE_DOSES = [
    row("a start 5 days ago", (taking("haloperidol", "5d"), given("haloperidol", "20h")),
        "Dystonia 4 d after haloperidol"),
    row("the first of two doses", (given("haloperidol", "20h"), given("haloperidol", "5d", id="first")),
        "Dystonia 4 d after haloperidol"),
    row("an increase 3 days ago", (*course(("20d", 2), ("3d", 3)), given("haloperidol", "20h")),
        "Dystonia 2 d after a higher dose of haloperidol"),
    row("a course of 20 days", (*course(("20d", 2)), given("haloperidol", "20h")), "Dystonia 19 h after haloperidol"),
    row("a course of 5 months", (*course(("150d", 2)), given("haloperidol", "20h")),
        "Dystonia after 5 months of haloperidol, perhaps tardive"),
]  # fmt: skip


@pytest.mark.parametrize(("drugs", "beginning"), BESIDE_DOSES)
def test_what_is_told_beside_doses_that_were_given(drugs: tuple[Json, ...], beginning: str) -> None:
    assert opened(WHO, dystonia(), *drugs, *MEASURED).card["summary"].startswith(f"{beginning}:")


@pytest.mark.parametrize(("record", "drug", "beginning"), SUMMARIES)
def test_summaries(record: Json, drug: Json, beginning: str) -> None:
    card = opened(WHO, record, drug, *MEASURED).card
    assert card["summary"] == f"{beginning}: review/stop the agent; record the reaction."
    assert card["source"]["topic"]["code"] == RULE


def test_the_card() -> None:
    card = opened(WHO, dystonia(), taking("haloperidol", "19h"), *MEASURED).card
    assert card["indicator"] == "warning"
    assert "Haloperidol started 2026-11-21, current" in card["detail"]
    assert "Time of administration not recorded: the date of the order or record was used." in card["detail"]
    assert "emergency pathway" in card["detail"]
    labels = [one["label"] for one in card["suggestions"]]
    assert labels[:3] == [
        "Stop or end-date haloperidol",
        "Record the dystonic reaction to haloperidol (unconfirmed)",
        "Check calcium and magnesium if atypical or no response",
    ]
    assert "alert-inaccurate" in {one["code"] for one in card["overrideReasons"]}


def test_an_administration_needs_no_note_about_its_time() -> None:
    assert "Time of administration" not in opened(WHO, dystonia(), given("haloperidol", "19h")).card["detail"]


def test_a_raised_dose_is_told() -> None:
    card = opened(WHO, dystonia(), *course(("20d", 2), ("2d", 3)), *MEASURED).card
    assert card["summary"].startswith("Dystonia 47 h after a higher dose of haloperidol:")


def test_the_order_is_stopped_by_an_update() -> None:
    card = opened(WHO, dystonia(), taking("haloperidol", "19h"), *MEASURED).card
    (action,) = next(one for one in card["suggestions"] if one["label"].startswith("Stop"))["actions"]
    assert (action["type"], action["resource"]["id"], action["resource"]["status"]) == ("update", "m1", "stopped")


def suggested(card: Json) -> Json | None:
    """The record of a reaction that a card suggests."""
    actions = [action for one in card["suggestions"] for action in one.get("actions", ())]
    found = [one["resource"] for one in actions if one.get("resource", {}).get("resourceType") == "AllergyIntolerance"]
    return found[0] if found else None


def test_a_drug_without_a_code_is_recorded_by_its_name() -> None:
    found = suggested(opened(WHO, dystonia(), taking("cariprazine 3 mg capsule", "2d"), *MEASURED).card)
    assert found is not None
    assert found["code"] == {"text": "cariprazine"}


def test_the_suggested_record_is_a_valid_resource() -> None:
    found = suggested(opened(WHO, dystonia(), given("prochlorperazine", "19h"), *MEASURED).card)
    assert found is not None
    model = AllergyIntolerance.model_validate(found)
    assert model.type == "intolerance"
    assert model.verificationStatus.coding[0].code == "unconfirmed"
    assert model.clinicalStatus.coding[0].code == "active"
    assert model.code.coding[0].display == "prochlorperazine"
    manifestation = model.reaction[0].manifestation[0].coding[0]
    assert (manifestation.system, manifestation.code) == (SNOMED, "15802004")


RECORDED = [
    row("none", (), {}, True),
    row("one to the same drug", (allergy("haloperidol", DYSTONIA),), {}, False),
    row("one to another drug", (allergy("metoclopramide", DYSTONIA),), {}, True),
    row("a rash to the same drug", (allergy("haloperidol", "Rash"),), {}, True),
    row("a list that was not sent", (), {"without": ("allergies",)}, False),
]


@pytest.mark.parametrize(("data", "more", "offered"), RECORDED)
def test_a_reaction_is_offered_once(data: tuple[Json, ...], more: dict[str, Any], offered: bool) -> None:
    card = opened(WHO, dystonia(), given("haloperidol", "19h"), *data, *MEASURED, **more).card
    assert (suggested(card) is not None) is offered


def test_the_drug_of_a_recorded_reaction_is_read_again() -> None:
    """What is accepted is what R-DRUG-03 and this rule read next time."""
    found = suggested(opened(WHO, dystonia(), given("haloperidol", "19h"), *MEASURED).card)
    assert found is not None
    again = opened(WHO, dystonia(), taking("haloperidol", "19h"), {**found, "id": "al9"}, *MEASURED).card
    assert suggested(again) is None
    assert again["summary"].endswith("review/stop the agent; a reaction is on record.")


GIVEN, HANDED, RECORDED_NOW = given("haloperidol", "19h"), dispensed("haloperidol", "2d", 10), "2026-11-22"
STOPPED = taking("haloperidol", "2d", status="stopped")
RECORD = allergy("haloperidol", DYSTONIA, verification="unconfirmed", when=RECORDED_NOW)
DONE = [
    row("given, reaction recorded", (GIVEN, RECORD), "S-09"),
    row("given, reaction recorded before", (GIVEN, allergy("haloperidol", DYSTONIA, when="2026-11-20")), "warning"),
    row("given, reaction without a date", (GIVEN, allergy("haloperidol", DYSTONIA, when="")), "warning"),
    row("given, reaction to another drug", (GIVEN, allergy("metoclopramide", DYSTONIA, when=RECORDED_NOW)), "warning"),
    row("given, order stopped", (GIVEN, STOPPED), "info"),
    row("given, order on hold", (GIVEN, taking("haloperidol", "2d", status="on-hold")), "info"),
    row("given, order completed", (GIVEN, taking("haloperidol", "2d", status="completed")), "warning"),
    row("given 30 days after the start of an order that was stopped",
        (GIVEN, taking("haloperidol", "2026-10-23", status="stopped")), "info"),
    row("given 31 days after the start of an order that was stopped",
        (GIVEN, taking("haloperidol", "2026-10-21", status="stopped")), "warning"),
    row("given 30 days to the hour after the start of an order that was stopped",
        (GIVEN, taking("haloperidol", "739h", status="stopped")), "info"),
    row("given an hour later than that", (GIVEN, taking("haloperidol", "740h", status="stopped")), "warning"),
    row("given after a course that was stopped at a known time",
        (GIVEN, statement("haloperidol", "stopped", effectivePeriod={"start": "2026-11-01", "end": "2026-11-10"})),
        "warning"),
    row("given, order stopped, reaction recorded", (GIVEN, STOPPED, RECORD), "S-09"),
    row("given, one order stopped, another runs, reaction recorded",
        (GIVEN, STOPPED, taking("haloperidol", "1d", id="m2"), RECORD), "warning"),
    row("handed out, reaction recorded", (HANDED, RECORD), "warning"),
    row("handed out, order stopped", (HANDED, STOPPED), "info"),
    row("handed out, order stopped, reaction recorded", (HANDED, STOPPED, RECORD), "S-09"),
    row("a second drug that was not recorded", (GIVEN, RECORD, given("metoclopramide", "9h", id="a2")), "warning"),
]  # fmt: skip


@pytest.mark.parametrize(("data", "expected"), DONE)
def test_what_was_done_is_not_suggested_again(data: tuple[Json, ...], expected: str) -> None:
    """Also at the problem list, where nothing else keeps a card from coming again."""
    assert verdict(dystonia(), *data) == expected
    found = entered(condition("G24.9", id="new"), WHO, *data, *MEASURED)
    assert (found.verdict(RULE), len(found.cards)) == (expected, int(expected != "S-09"))
    assert found.verdict("R-TX-01") == ("S-09" if expected == "S-09" else "info")


def test_a_drug_that_was_stopped_is_not_to_be_stopped_again() -> None:
    card = opened(WHO, dystonia(), taking("haloperidol", "2d", status="stopped"), *MEASURED).card
    assert card["summary"].endswith("the agent is no longer current; record the reaction.")
    assert card["suggestions"][-1]["label"] == "No change: another cause is known"


def test_two_drugs() -> None:
    card = opened(WHO, dystonia(), given("haloperidol", "19h"), given("metoclopramide", "9h", id="a2"), *MEASURED).card
    assert card["summary"].startswith("Dystonia 8 h after metoclopramide")
    assert "Haloperidol given" in card["detail"]


def test_at_the_problem_list() -> None:
    new = condition("G24.9", id="new")
    assert entered(new, WHO, given("haloperidol", "19h")).verdict(RULE) == "warning"
    assert entered(new, WHO, given("haloperidol", "8d")).verdict(RULE) == "clear"
    old = dystonia(onset="2026-01-02", recorded="2026-01-02")
    assert (
        entered(condition("R29.0", id="new"), WHO, old, given("haloperidol", "19h")).verdict(RULE) == "not-applicable"
    )


def test_the_dead() -> None:
    dead = patient("1966-05-01", deceasedBoolean=True)
    assert opened(dead, dystonia(), given("haloperidol", "19h")).verdict(RULE) == "not-applicable"
    assert opened(WOMAN_60, dystonia(), given("haloperidol", "19h")).verdict(RULE) == "warning"
