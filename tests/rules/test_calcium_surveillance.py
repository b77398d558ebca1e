"""R-MET-04: calcium not measured for long in 22q11.2 deletion or hypoparathyroidism, before it matters."""

from __future__ import annotations

from typing import Any

import pytest

from tests.support.fhir import allergy, bundle, call, condition, lab, order, patient, prefetch, taking
from tests.support.fire import Fired, fire, sign
from tests.support.rows import WOMAN_60, outcome, row

Json = dict[str, Any]
RULE = "R-MET-04"
DELETION = condition("Q93.81", id="22q")
PREGNANT = condition("Z33.1", id="pregnancy")


def verdict(*data: Json, drug: str = "risperidone", **more: Any) -> str:
    """The verdict when an order is signed."""
    return sign(order(drug), WOMAN_60, *data, **more).verdict(RULE)


def view(*data: Json, hook: str = "patient-view", **more: Any) -> Fired:
    """The answer when the record is opened."""
    return fire(call(None, prefetch(WOMAN_60, *data, **more), hook))


DISORDERS = [
    row("22q11.2 deletion", [DELETION], "info"),
    row("DiGeorge syndrome", [condition("D82.1")], "info"),
    row("hypoparathyroidism", [condition("E20.9")], "info"),
    row("hypoparathyroidism after an operation", [condition("E89.2")], "info"),
    row("a rule-out", [condition("Q93.81", verification="provisional")], "info"),
    row("refuted", [condition("Q93.81", verification="refuted")], "not-applicable"),
    row("resolved", [condition("E20.9", clinical="resolved")], "not-applicable"),
    row("another disease", [condition("E11.9")], "not-applicable"),
    row("none", [], "not-applicable"),
]


@pytest.mark.parametrize(("records", "expected"), DISORDERS)
def test_disorders(records: list[Json], expected: str) -> None:
    assert verdict(*records) == expected
    assert view(*records, PREGNANT).verdict(RULE) == expected


RESULTS = [
    row("365 days old", [lab("calcium-sc", 2.3, when="365d")], "clear"),
    row("366 days old", [lab("calcium-sc", 2.3, when="366d")], "info"),
    row(
        "365 days old, and an older one",
        [lab("calcium-sc", 2.3, when="365d"), lab("calcium-sc", 2.2, when="500d", id="older")],
        "clear",
    ),
    row(
        "an older one, and 365 days old",
        [lab("calcium-sc", 2.2, when="500d", id="older"), lab("calcium-sc", 2.3, when="365d")],
        "clear",
    ),
    row("ionised, yesterday", [lab("ionised", 1.2, when="1d")], "clear"),
    row("corrected by the laboratory", [lab("corrected", 2.3, when="100d")], "clear"),
    row("magnesium alone", [lab("magnesium", 0.9)], "info"),
    row("without unit", [lab("calcium-sc", 2.3, None)], "not-checked unit-missing"),
    row("not final", [lab("calcium-sc", 2.3, status="preliminary")], "not-checked no-result"),
    row("undated", [lab("calcium-sc", 2.3, when=None)], "not-checked date-missing"),
]


@pytest.mark.parametrize(("results", "expected"), RESULTS)
def test_measured_within_a_year(results: list[Json], expected: str) -> None:
    assert verdict(DELETION, *results) == expected


REPLACED = [
    row("calcium, 90 days", taking("calcium carbonate"), "90d", "clear"),
    row("calcium, 91 days", taking("calcium carbonate"), "91d", "info"),
    row("calcitriol, 91 days", taking("calcitriol 0.25 mcg capsule"), "91d", "info"),
    row("vitamin D, 91 days", taking("cholecalciferol"), "91d", "info"),
    row("calcium stopped, 91 days", taking("calcium carbonate", status="stopped"), "91d", "clear"),
    row("another drug, 91 days", taking("omeprazole"), "91d", "clear"),
]


@pytest.mark.parametrize(("drug", "age", "expected"), REPLACED)
def test_90_days_on_replacement(drug: Json, age: str, expected: str) -> None:
    assert verdict(DELETION, drug, lab("calcium-sc", 2.3, when=age)) == expected


def test_drugs_that_did_not_arrive_leave_open_which_window_applies() -> None:
    between = lab("calcium-sc", 2.3, when="91d")
    assert verdict(DELETION, between, without=("medications",)) == "not-checked key-missing"
    assert verdict(DELETION, lab("calcium-sc", 2.3, when="90d"), without=("medications",)) == "clear"
    assert verdict(DELETION, without=("medications",)) == "info"


DRUGS = [
    row("tier H", "haloperidol", "info"),
    row("tier L", "olanzapine", "info"),
    row("tier N", "quetiapine", "not-applicable"),
    row("an ordinary drug", "omeprazole", "not-applicable"),
    row("calcium itself", "calcium carbonate", "not-applicable"),
]


@pytest.mark.parametrize(("drug", "expected"), DRUGS)
def test_drugs(drug: str, expected: str) -> None:
    assert verdict(DELETION, drug=drug) == expected
    assert sign(order(drug), WOMAN_60, DELETION, hook="order-select").verdict(RULE) == expected


def test_the_record_is_judged_where_a_pregnancy_stands() -> None:
    assert view(DELETION).verdict(RULE) == "not-applicable"
    assert view(DELETION, PREGNANT).verdict(RULE) == "info"
    assert view(DELETION, PREGNANT, hook="encounter-start").verdict(RULE) == "info"
    assert view(DELETION, condition("Z33.1", clinical="resolved")).verdict(RULE) == "not-applicable"


def test_what_did_not_arrive() -> None:
    assert verdict(DELETION, without=("observations",)) == "not-checked key-missing"
    assert verdict(DELETION, observations=outcome()) == "not-checked key-failed"
    cut = {**bundle(lab("albumin", 40, "g/L")), "link": [{"relation": "next", "url": "https://ehr.example/2"}]}
    assert verdict(DELETION, observations=cut) == "not-checked truncated"
    assert verdict(without=("conditions",)) == "not-checked key-missing"
    assert view(without=("conditions",)).verdict(RULE) == "not-checked key-missing"


def test_no_order_and_nobody_alive() -> None:
    assert sign(order(status="cancelled"), WOMAN_60, DELETION).verdict(RULE) == "not-applicable"
    assert sign(order(), patient(deceasedBoolean=True), DELETION).verdict(RULE) == "not-applicable"


def test_the_cards() -> None:
    answer = sign(order("risperidone"), WOMAN_60, DELETION, lab("calcium-sc", 2.2, when="380d"), allergy("codeine"))
    assert RULE in {rule["id"] for rule in answer.card["extension"]["org.dystonia-cds"]["rules"]}
    card = view(DELETION, PREGNANT, lab("calcium-sc", 2.2, when="380d")).card
    assert card["summary"] == "22q11.2 deletion: no calcium in 12 months. Check Ca, Mg, PTH, TSH in pregnancy."
    texts = [fact["text"] for fact in card["extension"]["org.dystonia-cds"]["facts"]]
    assert texts == [
        "Condition: 22q11.2 deletion, no date",
        "Condition: pregnancy, no date",
        "Last total Ca 2.2 mmol/L (2025-11-07, 380 d ago; status final)",
    ]
    assert len(card["suggestions"]) == 2
    assert card["indicator"] == "info"


def test_the_summary_names_the_drug_and_the_shorter_window() -> None:
    alone = sign(order("quetiapine"), WOMAN_60, DELETION)
    assert RULE not in {rule["id"] for card in alone.cards for rule in card["extension"]["org.dystonia-cds"]["rules"]}
    card = sign(order("olanzapine"), WOMAN_60, DELETION, taking("calcium carbonate")).card
    assert card["summary"] == "22q11.2 deletion: no calcium in 90 days. Check Ca, Mg, PTH, TSH before olanzapine."
    assert "Current: calcium carbonate" in card["detail"]


def blood_test(code: str, **more: Any) -> Json:
    """A draft that orders a test."""
    coding = {"system": "http://loinc.org", "code": code}
    subject = {"reference": "Patient/p1"}
    request: Json = {"resourceType": "ServiceRequest", "id": "sr-1", "status": "draft", "intent": "order"}
    return {**request, "code": {"coding": [coding]}, "subject": subject, **more}


CART = [
    row("ionised calcium ordered beside the drug", [blood_test("1994-3")], "S-09"),
    row("magnesium alone", [blood_test("19123-9")], "info"),
    row("revoked", [blood_test("1994-3", status="revoked")], "info"),
    row("not to be done", [blood_test("1994-3", doNotPerform=True)], "info"),
]


@pytest.mark.parametrize(("drafts", "expected"), CART)
def test_a_test_among_the_drafts(drafts: list[Json], expected: str) -> None:
    assert verdict(DELETION, also=tuple(drafts)) == expected


@pytest.mark.parametrize("first", [0, 1])
def test_the_last_of_the_old_results_is_told(first: int) -> None:
    old = [lab("calcium-sc", 2.1, when="700d", id="older"), lab("calcium-sc", 2.3, when="500d", id="newer")]
    answer = sign(order("risperidone"), WOMAN_60, DELETION, old[first], old[1 - first])
    assert answer.verdict(RULE) == "info"
    references = [fact.get("reference") for fact in answer.card["extension"]["org.dystonia-cds"]["facts"]]
    assert ("Observation/newer" in references, "Observation/older" in references) == (True, False)
