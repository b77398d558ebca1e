"""R-MET-02: a new dystonia, tetany or paroxysmal movement, and neither calcium nor magnesium measured lately."""

from __future__ import annotations

from typing import Any

import pytest

from tests.support.fhir import at, bundle, call, condition, family, lab, patient, prefetch
from tests.support.fire import Fired, fire
from tests.support.rows import WOMAN_60, outcome, row

Json = dict[str, Any]
RULE = "R-MET-02"


def dystonia(**more: Any) -> Json:
    """A dystonia, recorded two days ago unless it says otherwise."""
    return condition("G24.9", **({"recorded": "2d"} | more))


def view(*data: Json, hook: str = "patient-view", without: tuple[str, ...] = (), **replaced: Any) -> Fired:
    """The answer when the record is opened."""
    return fire(call(None, prefetch(WOMAN_60, *data, without=without, **replaced), hook))


def verdict(*data: Json, **more: Any) -> str:
    """The verdict when the record is opened."""
    return view(*data, **more).verdict(RULE)


MOVEMENTS = [
    row("dystonia", dystonia(), "info"),
    row("drug-induced dystonia", condition("G24.02", recorded="2d"), "info"),
    row("tetany", condition("R29.0", recorded="2d"), "info"),
    row("carpopedal spasm in words", condition(text="Carpopedal spasms", recorded="2d"), "info"),
    row("paroxysmal kinesigenic dyskinesia in words",
        condition(text="Paroxysmal kinesigenic dyskinesia", recorded="2d"), "info"),
    row("paroxysmal dyskinesia in words", condition(text="paroxysmal dyskinesia", recorded="2d"), "info"),
    row("the onset as a period",
        {**condition("G24.9"), "onsetPeriod": {"start": "2026-11-20", "end": "2026-11-21"}}, "info"),
    row("the onset as a period long ago",
        {**condition("G24.9", recorded="300d"), "onsetPeriod": {"start": "2026-01-20"}}, "not-applicable"),
    row("a rule-out", dystonia(verification="provisional"), "info"),
    row("resolved", dystonia(clinical="resolved"), "not-applicable"),
    row("refuted", dystonia(verification="refuted"), "not-applicable"),
    row("denied in words", condition(text="No dystonia", recorded="2d"), "not-applicable"),
    row("another disease", condition("E11.9", recorded="2d"), "not-applicable"),
    row("a family history alone", family(), "not-applicable"),
]  # fmt: skip


@pytest.mark.parametrize(("record", "expected"), MOVEMENTS)
def test_movements(record: Json, expected: str) -> None:
    assert verdict(record) == expected


def seen(code: Any, **more: Any) -> Json:
    """An observation of three days ago that states something itself."""
    concept = code if isinstance(code, dict) else {"text": code}
    return {
        "resourceType": "Observation",
        "id": "seen",
        "status": "final",
        "code": concept,
        "subject": {"reference": "Patient/p1"},
        "effectiveDateTime": at("3d"),
    } | more


G24 = {"coding": [{"system": "http://hl7.org/fhir/sid/icd-10-cm", "code": "G24.9"}]}


def part(name: str, value: str) -> Json:
    """A component that answers in a word."""
    return {"code": {"text": name}, "valueString": value}


OBSERVED = [
    row("a finding of dystonia without a value", seen("Dystonia"), "info"),
    row("dystonia: true", seen("Dystonia", valueBoolean=True), "info"),
    row("dystonia: present", seen(G24, valueCodeableConcept={"text": "Present"}), "info"),
    row("dystonia: yes", seen("Dystonia", valueString="yes"), "info"),
    row("physical finding: carpopedal spasm",
        seen("Physical finding", valueCodeableConcept={"text": "Carpopedal spasm"}), "info"),
    row("finding, by code", seen("Finding", valueCodeableConcept=G24), "info"),
    row("preliminary", seen("Dystonia", status="preliminary"), "info"),
    row("seen 30 days ago", seen("Dystonia", effectiveDateTime=at("30d")), "info"),
    row("seen 31 days ago", seen("Dystonia", effectiveDateTime=at("31d")), "not-applicable"),
    row("without a date", seen("Dystonia", effectiveDateTime=None), "not-checked date-missing"),
    row("dystonia: false", seen("Dystonia", valueBoolean=False), "not-applicable"),
    row("dystonia: absent", seen("Dystonia", valueCodeableConcept={"text": "Absent"}), "not-applicable"),
    row("a part of an examination",
        seen("Examination", component=[part("Tremor", "absent"), part("Dystonia", "present")]), "info"),
    row("a part that is true", seen("Examination", component=[{"code": G24, "valueBoolean": True}]), "info"),
    row("a part that is absent", seen("Examination", component=[part("Dystonia", "absent")]), "not-applicable"),
    row("a part that was not examined", seen("Examination",
        component=[{"code": {"text": "Dystonia"}, "dataAbsentReason": {"text": "asleep"}}]), "not-applicable"),
    row("a part of a family history", seen("Family history", component=[part("Dystonia", "present")]),
        "not-applicable"),
    row("a whole that stands for its parts", seen("Dystonia", component=[part("Neck", "absent")]), "not-applicable"),
    row("a score of dystonia", seen("Dystonia", valueQuantity={"value": 0}), "not-applicable"),
    row("no dystonia", seen("Finding", valueCodeableConcept={"text": "No dystonia"}), "not-applicable"),
    row("of a relative", seen("Family history", valueCodeableConcept={"text": "Dystonia"}), "not-applicable"),
    row("risk of dystonia", seen("Risk of dystonia"), "not-applicable"),
    row("reason for the test", seen("Reason for study", valueCodeableConcept={"text": "Dystonia"}), "not-applicable"),
    row("entered in error", seen("Dystonia", status="entered-in-error"), "not-applicable"),
    row("absent with a reason", seen("Dystonia", dataAbsentReason={"text": "not done"}), "not-applicable"),
]  # fmt: skip


@pytest.mark.parametrize(("record", "expected"), OBSERVED)
def test_movements_that_an_observation_states(record: Json, expected: str) -> None:
    assert verdict({key: value for key, value in record.items() if value is not None}) == expected


def test_an_observation_says_nothing_about_what_is_being_entered() -> None:
    assert verdict(seen("Dystonia"), hook="problem-list-item-create") == "not-applicable"


DATES = [
    row("recorded 30 days ago", {"recorded": "30d"}, "info"),
    row("recorded 31 days ago", {"recorded": "31d"}, "not-applicable"),
    row("recorded long ago, updated 30 days ago", {"recorded": "900d", "updated": "30d"}, "info"),
    row("recorded long ago, updated 31 days ago", {"recorded": "900d", "updated": "31d"}, "not-applicable"),
    row("onset 30 days ago alone", {"recorded": "", "onset": "30d"}, "info"),
    row("onset long ago, recorded yesterday", {"onset": "900d", "recorded": "1d"}, "info"),
    row("onset long ago, nothing else", {"recorded": "", "onset": "900d"}, "not-checked date-missing"),
    row("no date at all", {"recorded": ""}, "not-checked date-missing"),
    row("recorded this month", {"recorded": "2026-11"}, "info"),
    row("recorded last year", {"recorded": "2025"}, "not-applicable"),
    row("recorded two days ahead", {"recorded": "-2d"}, "not-applicable"),
]


@pytest.mark.parametrize(("dates", "expected"), DATES)
def test_new_or_updated_within_30_days(dates: Json, expected: str) -> None:
    assert verdict(dystonia(**dates)) == expected


RESULTS = [
    row("none", [], "info"),
    row("calcium 90 days ago", [lab("calcium-sc", 2.3, when="90d")], "clear"),
    row("calcium 91 days ago", [lab("calcium-sc", 2.3, when="91d")], "info"),
    row("magnesium 90 days ago", [lab("magnesium", 0.9, when="90d")], "clear"),
    row("magnesium 91 days ago", [lab("magnesium", 0.9, when="91d")], "info"),
    row("ionised calcium today", [lab("ionised", 1.2)], "clear"),
    row("calcium corrected by the laboratory", [lab("corrected", 2.3)], "clear"),
    row("a low calcium was measured as well", [lab("calcium-sc", 1.7)], "clear"),
    row("albumin alone", [lab("albumin", 40, "g/L")], "info"),
    row("without unit", [lab("calcium-sc", 2.3, None)], "not-checked unit-missing"),
    row("without unit, 60 days ago", [lab("calcium-sc", 2.3, None, when="60d")], "not-checked unit-missing"),
    row("in an unknown unit", [lab("calcium-sc", 2.3, "furlong")], "not-checked unit-unknown"),
    row("undated", [lab("calcium-sc", 2.3, when=None)], "not-checked date-missing"),
    row("of this year", [lab("calcium-sc", 2.3, when="2026")], "not-checked date-missing"),
    row("not final", [lab("calcium-sc", 2.3, status="preliminary")], "not-checked no-result"),
    row("unit inferred", [lab("calcium-sc", 2.3, None, low=2.1, low_unit="mmol/L")], "not-checked unit-missing"),
    row("cancelled", [lab("calcium-sc", 2.3, status="cancelled")], "info"),
    row("unreadable beside a good one", [lab("calcium-sc", 2.3, None), lab("magnesium", 0.9, id="b")], "clear"),
]


@pytest.mark.parametrize(("results", "expected"), RESULTS)
def test_measured_within_90_days(results: list[Json], expected: str) -> None:
    assert verdict(dystonia(), *results) == expected


def test_not_measured_needs_results_that_were_returned() -> None:
    cut = {**bundle(lab("albumin", 40, "g/L")), "link": [{"relation": "next", "url": "https://ehr.example/2"}]}
    assert verdict(dystonia(), observations=cut) == "not-checked truncated"
    for when, expected in (("89d", "not-checked truncated"), ("90d", "info")):
        reaching = {**bundle(lab("albumin", 40, "g/L"), lab("tsh", 2, "mIU/L", when=when)), "link": cut["link"]}
        assert verdict(dystonia(), observations=reaching) == expected
    unread = {**bundle(lab("tsh", 2, "mIU/L", when="90d"), {**lab("ionised", 1.2), "code": 7}), "link": cut["link"]}
    assert verdict(dystonia(), observations=unread) == "not-checked key-failed"
    assert verdict(dystonia(), observations=outcome()) == "not-checked key-failed"
    assert verdict(dystonia(), without=("observations",)) == "not-checked key-missing"
    assert verdict(dystonia(), observations=None) == "info"


def test_conditions_that_did_not_arrive() -> None:
    assert verdict(without=("conditions",)) == "not-checked key-missing"
    assert verdict(conditions=outcome()) == "not-checked key-failed"


def test_hooks() -> None:
    assert verdict(dystonia(), hook="encounter-start") == "info"
    entering = call([condition("G24.9", id="new")], prefetch(WOMAN_60), "problem-list-item-create")
    assert fire(entering).verdict(RULE) == "info"
    other = call([condition("E11.9", id="new")], prefetch(WOMAN_60, dystonia()), "problem-list-item-create")
    assert fire(other).verdict(RULE) == "not-applicable"


def test_nothing_for_the_deceased() -> None:
    dead = call(None, prefetch(patient(deceasedBoolean=True), dystonia()), "patient-view")
    assert fire(dead).verdict(RULE) == "not-applicable"


def test_the_card() -> None:
    card = view(dystonia(), lab("calcium-sc", 2.2, when="200d")).card
    assert card["summary"] == "New dystonia: no Ca/Mg in 90 days. Consider Ca+albumin, Mg, PO4, PTH, glucose, TSH."
    texts = [fact["text"] for fact in card["extension"]["org.dystonia-cds"]["facts"]]
    assert texts[:2] == [
        "Condition: dystonia, 2026-11-20",
        "Last total Ca 2.2 mmol/L (2026-05-06, 200 d ago; status final)",
    ]
    panel, keep = card["suggestions"]
    codes = [action["resource"]["code"]["coding"][0]["code"] for action in panel["actions"]]
    assert codes == ["17861-6", "1751-7", "19123-9", "2777-1", "2731-8", "2345-7", "3016-3"]
    assert "actions" not in keep
    reasons = [reason["code"] for reason in card["overrideReasons"]]
    assert (reasons[0], reasons[-1]) == ("not-significant", "other")


def test_an_old_record_that_was_updated_is_not_called_new() -> None:
    card = view(dystonia(recorded="900d", updated="3d")).card
    assert card["summary"].startswith("Dystonia (record updated): no Ca/Mg in 90 days.")
    worded = view(condition(text="Carpopedal spasm", verification="provisional", recorded="1d")).card
    assert worded["summary"].startswith("New possible tetany:")
    assert "matched by text" in worded["detail"]
