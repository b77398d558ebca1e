"""R-DRUG-11: an anticholinergic ordered where it is unsafe (D.2)."""

from __future__ import annotations

import pytest

from tests.support.fhir import Json, condition, order, patient
from tests.support.fire import sign
from tests.support.rows import WOMAN_60, aged, day_before_birthday, outcome, row

RULE = "R-DRUG-11"
DEMENTIA = condition("F03.90", text="Dementia")

DRUGS = [
    row("benztropine", "benztropine", "warning"),
    row("trihexyphenidyl", "trihexyphenidyl", "warning"),
    row("biperiden by name", "Akineton 2 mg", "warning"),
    row("procyclidine by name", "procyclidine", "warning"),
    row("orphenadrine by name", "orphenadrine", "warning"),
    row("diphenhydramine is one of the specification's list", "diphenhydramine", "warning"),
    row("diphenhydramine cream", "diphenhydramine 2 % cream", "not-applicable"),
    row("hydroxyzine", "hydroxyzine", "not-applicable"),
    row("haloperidol", "haloperidol", "not-applicable"),
    row("a code without a name", "rxnorm:99999999", "not-checked drug-unrecognised"),
]


@pytest.mark.parametrize(("drug", "expected"), DRUGS)
@pytest.mark.parametrize("hook", ["order-select", "order-sign"])
def test_drugs(hook: str, drug: str, expected: str) -> None:
    assert sign(order(drug), WOMAN_60, condition("G24.01"), hook=hook).verdict(RULE) == expected


RECORDS = [
    row("tardive dyskinesia", condition("G24.01"), "warning"),
    row("tardive dyskinesia that is over", condition("G24.01", clinical="resolved"), "clear"),
    row("angle-closure glaucoma", condition("H40.20X0"), "warning"),
    row("open-angle glaucoma", condition("H40.11X0"), "clear"),
    row("bowel obstruction", condition("K56.60"), "warning"),
    row("ileus", condition("K56.7"), "warning"),
    row("constipation", condition("K59.00"), "clear"),
    row("a rule-out", condition("K56.7", verification="provisional"), "info"),
    row("refuted", condition("K56.7", verification="refuted"), "clear"),
    row("dementia under 65 years", DEMENTIA, "clear"),
    row("urinary retention is no reason here", condition("R33.9"), "clear"),
]


@pytest.mark.parametrize(("record", "expected"), RECORDS)
def test_records(record: Json, expected: str) -> None:
    assert sign(order("benztropine"), WOMAN_60, record).verdict(RULE) == expected


# Dementia counts from 65 years, at the oldest possible age.
AGES = [
    row("65 today", aged(65), "warning"),
    row("65 tomorrow", day_before_birthday(65), "clear"),
    row("a year of birth: perhaps 65", patient("1961", "female"), "warning"),
    row("a year of birth: 64 at most", patient("1962", "female"), "clear"),
    row("a month of birth: perhaps 65", patient("1961-11", "female"), "warning"),
    row("a month of birth: 64", patient("1961-12", "female"), "clear"),
    row("no birth date", patient(None, "female"), "not-checked date-missing"),
]


@pytest.mark.parametrize(("person", "expected"), AGES)
def test_dementia_by_age(person: Json, expected: str) -> None:
    assert sign(order("benztropine"), person, DEMENTIA).verdict(RULE) == expected


def test_dementia_that_is_a_rule_out() -> None:
    doubtful = condition("F03.90", verification="provisional")
    assert sign(order("benztropine"), aged(70), doubtful).verdict(RULE) == "info"
    assert sign(order("benztropine"), aged(70), condition("F03.90", verification="refuted")).verdict(RULE) == "clear"


def test_the_card() -> None:
    supply = {"dispenseRequest": {"numberOfRepeatsAllowed": 5}}
    card = sign(order("benztropine", 1, 2, more=supply), aged(70), DEMENTIA).card
    assert card["summary"] == (
        "Benztropine with dementia at 65 y or over: an anticholinergic is unsafe here. Consider another plan."
    )
    assert {"- Condition: Dementia", "- Age 70 y"} <= set(card["detail"].splitlines())
    labels = {one["label"]: one.get("actions", []) for one in card["suggestions"]}
    (update,) = labels["Limit to 7 days, no refill"]
    assert update["resource"]["dispenseRequest"]["expectedSupplyDuration"]["value"] == 7
    assert update["resource"]["dispenseRequest"]["numberOfRepeatsAllowed"] == 0
    assert update["resource"]["dosageInstruction"] == order("benztropine", 1, 2)["dosageInstruction"]


MISSING = [
    row("an empty list", {}, "clear"),
    row("conditions missing", {"without": ("conditions",)}, "not-checked key-missing"),
    row("conditions failed", {"conditions": outcome()}, "not-checked key-failed"),
]


@pytest.mark.parametrize(("changes", "expected"), MISSING)
def test_missing_data(changes: Json, expected: str) -> None:
    assert sign(order("benztropine"), WOMAN_60, **changes).verdict(RULE) == expected


def test_excluded_orders() -> None:
    caution = condition("G24.01")
    assert sign(order("benztropine"), patient(deceasedBoolean=True), caution).verdict(RULE) == "not-applicable"
    assert sign(order("benztropine", status="cancelled"), WOMAN_60, caution).verdict(RULE) == "not-applicable"
