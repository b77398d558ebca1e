"""R-DRUG-04: a dopamine blocker for a patient with tardive dyskinesia now or before (D.2)."""

from __future__ import annotations

import pytest

from tests.support.fhir import Json, bundle, condition, order, patient
from tests.support.fire import sign
from tests.support.rows import WOMAN_60, outcome, row

RULE = "R-DRUG-04"
TARDIVE = condition("G24.01", text="Tardive dyskinesia", onset="2025-02-03")

DRUGS = [
    row("metoclopramide: the label's contraindication", "metoclopramide", "critical"),
    row("haloperidol", "haloperidol", "warning"),
    row("olanzapine, tier L", "olanzapine", "warning"),
    row("domperidone, tier L", "domperidone", "warning"),
    row("amoxapine, tier L", "amoxapine", "warning"),
    row("amitriptyline with perphenazine", "rxnorm:282427", "warning"),
    row("quetiapine, tier N", "quetiapine", "not-applicable"),
    row("clozapine, tier N", "clozapine", "not-applicable"),
    row("ondansetron, tier N", "ondansetron", "not-applicable"),
    row("sertraline, tier N", "sertraline", "not-applicable"),
    row("omeprazole", "omeprazole", "not-applicable"),
    row("a code without a name", "rxnorm:99999999", "not-checked drug-unrecognised"),
]


@pytest.mark.parametrize(("drug", "expected"), DRUGS)
@pytest.mark.parametrize("hook", ["order-select", "order-sign"])
def test_drugs(hook: str, drug: str, expected: str) -> None:
    assert sign(order(drug), WOMAN_60, TARDIVE, hook=hook).verdict(RULE) == expected


# How the record says it; metoclopramide is ordered.
RECORDS = [
    row("active", condition("G24.01"), "critical"),
    row("SNOMED CT", condition("102449007", system="http://snomed.info/sct"), "critical"),
    row("recurrence", condition("G24.01", clinical="recurrence"), "critical"),
    row("relapse", condition("G24.01", clinical="relapse"), "critical"),
    row("resolved: the label says history", condition("G24.01", clinical="resolved"), "critical"),
    row("inactive", condition("G24.01", clinical="inactive"), "critical"),
    row("in remission", condition("G24.01", clinical="remission"), "critical"),
    row("no statuses", condition("G24.01", clinical="", verification=""), "critical"),
    row("no date", condition("G24.01", onset=""), "critical"),
    row("a year only", condition("G24.01", onset="1999"), "critical"),
    row("provisional", condition("G24.01", verification="provisional"), "info"),
    row("differential", condition("G24.01", verification="differential"), "info"),
    row("unconfirmed", condition("G24.01", verification="unconfirmed"), "info"),
    row("refuted", condition("G24.01", verification="refuted"), "clear"),
    row("entered in error", condition("G24.01", verification="entered-in-error"), "clear"),
    row("words alone are a warning at most", condition(text="Tardive dyskinesia"), "warning"),
    row("words: tardive dystonia", condition(text="Tardive dystonia of the neck"), "warning"),
    row("words that deny it", condition(text="No tardive dyskinesia"), "clear"),
    row("words about the mother", condition(text="Mother has tardive dyskinesia"), "clear"),
    row("acute drug-induced dystonia is another thing", condition("G24.02"), "clear"),
    row("dyskinesia of another kind", condition("9748009", system="http://snomed.info/sct"), "clear"),
]


@pytest.mark.parametrize(("record", "expected"), RECORDS)
def test_records(record: Json, expected: str) -> None:
    assert sign(order("metoclopramide"), WOMAN_60, record).verdict(RULE) == expected


def test_a_sure_record_goes_before_a_rule_out() -> None:
    records = [
        condition("G24.01", verification="provisional", id="a"),
        condition("G24.01", clinical="resolved", id="b"),
    ]
    for both in (records, records[::-1]):
        answer = sign(order("metoclopramide"), WOMAN_60, *both)
        assert answer.verdict(RULE) == "critical"
        assert answer.result(RULE)["inputs"] == ["Condition/b"]


@pytest.mark.parametrize("jurisdiction", ["us", "eu", "uk"])
def test_the_labels_agree(jurisdiction: str) -> None:
    assert sign(order("metoclopramide"), WOMAN_60, TARDIVE, jurisdiction=jurisdiction).verdict(RULE) == "critical"


NOT_SILENCED = [
    row("palliative care", [condition("Z51.5", id="pc")]),
    row("a single dose", []),
]


@pytest.mark.parametrize("data", NOT_SILENCED)
def test_nothing_silences_a_contraindication(data: list[Json]) -> None:
    draft = order("metoclopramide", 10, once=True)
    assert sign(draft, WOMAN_60, TARDIVE, *data).verdict(RULE) == "critical"


def test_the_card() -> None:
    card = sign(
        order("metoclopramide"), WOMAN_60, {**TARDIVE, "clinicalStatus": {"coding": [{"code": "resolved"}]}}
    ).card
    assert card["summary"] == "History of tardive dyskinesia: metoclopramide is contraindicated."
    assert "Condition: Tardive dyskinesia, since 2025-02-03" in card["detail"]
    assert "recorded as resolved" in card["detail"]
    kinds = [action["type"] for one in card["suggestions"] for action in one.get("actions", [])]
    assert kinds == ["delete", "update"]
    assert {one["code"] for one in card["overrideReasons"]} == {"benefit-outweighs", "alert-inaccurate"}


def test_other_words() -> None:
    doubtful = sign(order("metoclopramide"), WOMAN_60, condition("G24.01", verification="provisional")).card
    assert doubtful["summary"] == (
        "Possible tardive dyskinesia (not confirmed): metoclopramide is contraindicated if it is confirmed."
    )
    worded = sign(order("haloperidol"), WOMAN_60, condition(text="Tardive dyskinesia")).card
    assert worded["summary"] == "History of tardive dyskinesia: haloperidol blocks dopamine. Consider another drug."
    assert "matched by text" in worded["detail"]


MISSING = [
    row("an empty list", {}, "clear"),
    row("conditions null", {"conditions": None}, "clear"),
    row("conditions missing", {"without": ("conditions",)}, "not-checked key-missing"),
    row("conditions failed", {"conditions": outcome()}, "not-checked key-failed"),
    row("allergies failed do not matter", {"allergies": outcome()}, "clear"),
    row("an incomplete list that holds it",
        {"conditions": {**bundle(TARDIVE), "link": [{"relation": "next", "url": "https://e.example/2"}]}}, "critical"),
    row("an incomplete list",
        {"conditions": {**bundle(), "link": [{"relation": "next", "url": "https://e.example/2"}]}},
        "not-checked truncated"),
]  # fmt: skip


@pytest.mark.parametrize(("changes", "expected"), MISSING)
def test_missing_data(changes: Json, expected: str) -> None:
    assert sign(order("metoclopramide"), WOMAN_60, **changes).verdict(RULE) == expected


EXCLUDED = [
    row("deceased", order("metoclopramide"), patient(deceasedBoolean=True)),
    row("cancelled", order("metoclopramide", status="cancelled"), WOMAN_60),
    row("do not perform", order("metoclopramide", more={"doNotPerform": True}), WOMAN_60),
]


@pytest.mark.parametrize(("draft", "person"), EXCLUDED)
def test_excluded_orders(draft: Json, person: Json) -> None:
    assert sign(draft, person, TARDIVE).verdict(RULE) == "not-applicable"


def test_words_beside_a_code_do_not_weaken_it() -> None:
    records = (condition(text="Tardive dyskinesia", id="a"), condition("G24.01", id="b"))
    assert sign(order("metoclopramide"), WOMAN_60, *records).verdict(RULE) == "critical"
