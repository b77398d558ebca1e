"""R-MET-05: low calcium with too little parathyroid hormone, and neither calcium nor active vitamin D current."""

from __future__ import annotations

from typing import Any

import pytest

from tests.support.fhir import bundle, call, condition, encounter, lab, patient, prefetch, referral, statement, taking
from tests.support.fire import Fired, fire
from tests.support.rows import WOMAN_60, outcome, row

Json = dict[str, Any]
RULE = "R-MET-05"
HYPO = condition("E20.9", id="hypo")
LOW = lab("ionised", 1.0)
SEVERE = lab("ionised", 0.8)


def pth(value: Any = 10, **more: Any) -> Json:
    """A parathyroid hormone with a range of 15 to 65 pg/mL."""
    return lab("pth", value, "pg/mL", **({"low": 15, "high": 65} | more))


def view(*data: Json, hook: str = "patient-view", **more: Any) -> Fired:
    """The answer when the record is opened."""
    return fire(call(None, prefetch(WOMAN_60, *data, **more), hook))


def verdict(*data: Json, **more: Any) -> str:
    """The verdict when the record is opened."""
    return view(*data, **more).verdict(RULE)


CALCIUM = [
    row("severe", [SEVERE], "warning"),
    row("0.89 is severe", [lab("ionised", 0.89)], "warning"),
    row("0.90 is low", [lab("ionised", 0.90)], "info"),
    row("1.11 is low", [lab("ionised", 1.11)], "info"),
    row("1.12 is normal", [lab("ionised", 1.12)], "clear"),
    row("none", [], "not-checked no-result"),
    row("stale", [lab("ionised", 0.8, when="31d")], "not-checked stale"),
    row("without unit", [lab("ionised", 0.8, None)], "not-checked unit-missing"),
    row("unconfirmed: a low total alone", [lab("calcium-sc", 1.8)], "not-checked no-result"),
    row("total corrected and severe", [lab("calcium-sc", 1.7), lab("albumin", 38, "g/L")], "warning"),
    row("total explained by albumin", [lab("calcium-sc", 2.0), lab("albumin", 30, "g/L")], "clear"),
    row("not final", [lab("ionised", 0.8, status="preliminary")], "not-checked no-result"),
]


@pytest.mark.parametrize(("results", "expected"), CALCIUM)
def test_calcium(results: list[Json], expected: str) -> None:
    assert verdict(HYPO, *results) == expected


CAUSES = [
    row("hypoparathyroidism", [HYPO], "warning"),
    row("after an operation", [condition("E89.2")], "warning"),
    row("22q11.2 deletion", [condition("Q93.81")], "warning"),
    row("a rule-out", [condition("E20.9", verification="provisional")], "info"),
    row("a rule-out and a low PTH", [condition("E20.9", verification="provisional"), pth()], "warning"),
    row("resolved, without PTH", [condition("E20.9", clinical="resolved")], "not-checked no-result"),
    row("nothing, without PTH", [], "not-checked no-result"),
    row("PTH below its range", [pth(10)], "warning"),
    row("PTH within its range", [pth(40)], "warning"),
    row("PTH at the upper limit", [pth(65)], "warning"),
    row("PTH above its range", [pth(66)], "clear"),
    row("PTH above its range, hypoparathyroidism recorded", [pth(66), HYPO], "warning"),
    row("PTH without a range", [pth(10, low=None, high=None)], "not-checked no-result"),
    row("PTH with a lower limit alone, below it", [pth(10, high=None)], "warning"),
    row("PTH with a lower limit alone, above it", [pth(20, high=None)], "not-checked no-result"),
    row("PTH below a limit of detection", [pth(3, comparator="<")], "warning"),
    row("PTH above something", [pth(20, comparator=">")], "not-checked no-result"),
    row("PTH above something high", [pth(65, comparator=">")], "clear"),
    row("PTH not final", [pth(status="preliminary")], "info"),
    row("PTH final and a newer one not final", [pth(when="9h"), pth(80, status="preliminary", id="b")], "warning"),
    row(
        "PTH high and a newer one not final",
        [pth(80, when="9h"), pth(status="preliminary", id="b")],
        "not-checked no-result",
    ),
    row("PTH without unit", [lab("pth", 10, None, high=65)], "not-checked unit-missing"),
    row("PTH undated", [pth(when=None)], "not-checked date-missing"),
    row("PTH 30 days old", [pth(when="30d")], "warning"),
    row("PTH 31 days old", [pth(when="31d")], "not-checked stale"),
    row("PTH 50 days old", [pth(when="50d")], "not-checked stale"),
    row("PTH in pmol/L", [lab("pth", 1.0, "pmol/L", low=1.6, high=6.9)], "warning"),
]


@pytest.mark.parametrize(("records", "expected"), CAUSES)
def test_causes(records: list[Json], expected: str) -> None:
    assert verdict(SEVERE, *records) == expected


def test_inpatients_have_72_hours() -> None:
    assert verdict(SEVERE, pth(when="72h"), encounter()) == "warning"
    assert verdict(SEVERE, pth(when="73h"), encounter()) == "not-checked stale"


TREATED = [
    row("calcium", [taking("calcium carbonate")], "clear"),
    row("calcitriol", [taking("calcitriol 0.25 mcg capsule")], "clear"),
    row("calcium taken without an order", [statement("calcium carbonate")], "clear"),
    row("plain vitamin D", [taking("cholecalciferol")], "info"),
    row("calcium stopped", [taking("calcium carbonate", status="stopped")], "info"),
    row("calcium on hold", [taking("calcium carbonate", status="on-hold")], "info"),
    row("magnesium", [taking("magnesium oxide")], "info"),
]


@pytest.mark.parametrize(("drugs", "expected"), TREATED)
def test_treatment(drugs: list[Json], expected: str) -> None:
    assert verdict(HYPO, LOW, *drugs) == expected


def test_not_on_the_list_needs_the_list() -> None:
    assert verdict(HYPO, LOW, without=("medications",)) == "not-checked key-missing"
    assert verdict(HYPO, LOW, medications=outcome()) == "not-checked key-failed"
    unreadable = {**taking("calcium carbonate"), "medicationCodeableConcept": 7}
    assert verdict(HYPO, LOW, medications=bundle(unreadable)) == "not-checked key-failed"
    card = view(HYPO, SEVERE, without=("medicationStatements",)).card
    assert "Not every list of drugs was supplied" in card["detail"]
    assert "Not every list" not in view(HYPO, SEVERE).card["detail"]


def test_conditions_that_did_not_arrive() -> None:
    assert verdict(LOW, without=("conditions",)) == "not-checked key-missing"
    assert verdict(LOW, pth(), without=("conditions",)) == "info"


def test_hooks_and_the_deceased() -> None:
    assert verdict(HYPO, LOW, hook="encounter-start") == "info"
    dead = call(None, prefetch(patient(deceasedBoolean=True), HYPO, LOW), "patient-view")
    assert fire(dead).verdict(RULE) == "not-applicable"


def test_the_card() -> None:
    card = view(HYPO, SEVERE, pth(), lab("magnesium", 0.9)).card
    assert card["summary"] == (
        "Ionised Ca 0.80 mmol/L, severely low, with hypoparathyroidism: no calcium/active vitamin D on the list."
    )
    assert "intravenous replacement needs ECG monitoring" in card["detail"]
    add, refer, keep = card["suggestions"]
    drafts = [action["resource"] for action in add["actions"]]
    assert [draft["resourceType"] for draft in drafts] == ["MedicationRequest", "MedicationRequest"]
    assert all(draft["status"] == "draft" and "dosageInstruction" not in draft for draft in drafts)
    assert refer["actions"][0]["resource"]["code"] == {"text": "Referral to endocrinology"}
    assert "actions" not in keep
    assert any("EC-16-0056" in link["url"] for link in card["links"])


def test_the_card_of_a_low_calcium() -> None:
    card = view(LOW, pth(40), lab("magnesium", 0.9)).card
    assert card["summary"] == "Low calcium with PTH not raised: no calcium/active vitamin D on the list."
    assert "ECG" not in card["detail"]
    assert "PTH 40 pg/mL" in card["detail"]
    tetany = view(LOW, HYPO, condition("R29.0"), lab("magnesium", 0.9)).card
    assert "ECG" in tetany["detail"]


REFERRALS = [
    row("365 days ago", referral("Endocrinology consult", "365d"), False),
    row("366 days ago", referral("Endocrinology consult", "366d"), True),
    row("revoked", referral("Endocrinology consult", status="revoked"), True),
    row("to another", referral("Cardiology consult"), True),
    row("undated", referral("Endocrinology consult", None), True),
]


@pytest.mark.parametrize(("record", "offered"), REFERRALS)
def test_a_referral_on_record_is_not_offered_again(record: Json, offered: bool) -> None:
    labels = [suggestion["label"] for suggestion in view(HYPO, LOW, record).card["suggestions"]]
    assert ("Refer to endocrinology" in labels) is offered
