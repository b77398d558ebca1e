"""R-DRUG-01 and the data of the call: missing keys, excluded orders, hooks, any order of entries (D.0, D.6a)."""

from __future__ import annotations

import random

import pytest

from tests.support.fhir import (
    ICD10CM,
    PATIENT,
    allergy,
    bundle,
    call,
    condition,
    encounter,
    family,
    given,
    lab,
    order,
    patient,
    prefetch,
    statement,
    taking,
)
from tests.support.fire import fire, sign
from tests.support.rows import MINOR, WOMAN_60, aged, outcome, row

RULE = "R-DRUG-01"
FOREIGN = {"reference": "Patient/someone-else"}

# A woman of 60 with haloperidol 2 mg: clear, where everything was found and read.
MISSING = [
    row("every key there", {}, "clear"),
    row("patient missing", {"without": ("patient",)}, "not-checked key-missing"),
    row("medications missing", {"without": ("medications",)}, "not-checked key-missing"),
    row("allergies missing", {"without": ("allergies",)}, "not-checked key-missing"),
    row("conditions missing", {"without": ("conditions",)}, "not-checked key-missing"),
    row("observations missing", {"without": ("observations",)}, "not-checked key-missing"),
    row("patient null", {"patient": None}, "not-checked date-missing"),
    row("medications null: returned and empty", {"medications": None}, "clear"),
    row("statements null", {"medicationStatements": None}, "clear"),
    row("administrations null", {"medicationAdministrations": None}, "clear"),
    row("dispenses null", {"medicationDispenses": None}, "clear"),
    row("allergies null", {"allergies": None}, "clear"),
    row("conditions null", {"conditions": None}, "clear"),
    row("observations null", {"observations": None}, "clear"),
    row("family history null", {"familyHistory": None}, "clear"),
    row("patient failed", {"patient": outcome()}, "not-checked key-failed"),
    row("medications failed", {"medications": outcome()}, "not-checked key-failed"),
    row("statements failed", {"medicationStatements": outcome()}, "not-checked key-failed"),
    row("administrations failed", {"medicationAdministrations": outcome()}, "not-checked key-failed"),
    row("dispenses failed", {"medicationDispenses": outcome()}, "not-checked key-failed"),
    row("allergies failed", {"allergies": outcome()}, "not-checked key-failed"),
    row("conditions failed", {"conditions": outcome()}, "not-checked key-failed"),
    row("observations failed", {"observations": outcome()}, "not-checked key-failed"),
    row("family history failed", {"familyHistory": outcome()}, "not-checked key-failed"),
    row("conditions of another patient left out",
        {"conditions": bundle({**condition("G24.02"), "subject": FOREIGN})}, "not-checked other-patient"),
    row("more conditions behind a next link", {"conditions": {**bundle(condition("I10")),
        "link": [{"relation": "next", "url": "https://ehr.example/next"}]}}, "not-checked truncated"),
    row("an allergy that cannot be decoded",
        {"allergies": {"resourceType": "Bundle", "entry": [{"resource": {"resourceType": "AllergyIntolerance",
            "id": "x",
         "patient": {"reference": f"Patient/{PATIENT}"}, "reaction": "dystonia"}}]}}, "not-checked key-failed"),
    row("a current drug that is a code without a name", {"medications": bundle(taking("rxnorm:99999999"))},
        "not-checked drug-unrecognised"),
    row("a current drug whose Medication was not sent", {"medications": bundle({**taking("x"),
        "medicationCodeableConcept": None, "medicationReference": {"reference": "Medication/gone"}})},
        "not-checked drug-unrecognised"),
    row("a current drug with a name near one of ours", {"medications": bundle(taking("Metoclopramidol 10 mg"))},
        "not-checked drug-unrecognised"),
    row("a cocaine screen without a date", {"observations": bundle(
        lab("3397-7", 0, when=None, valueCodeableConcept={"text": "Positive"}))}, "not-checked date-missing"),
    row("risperidone given, no date",
        {"medicationAdministrations": bundle({**given("risperidone", "1d"), "effectiveDateTime": "?"})},
        "not-checked key-failed"),
    row("an order of risperidone without a status",
        {"medications": bundle({**taking("risperidone"), "status": None})}, "not-checked key-failed"),
    row("an ordinary drug on record", {"medications": bundle(taking("Amoxicillin 500 mg"))}, "clear"),
]  # fmt: skip


@pytest.mark.parametrize(("changes", "expected"), MISSING)
def test_missing_data(changes: dict, expected: str) -> None:
    answer = sign(order("haloperidol", 2, 1), **{"patient": WOMAN_60, **changes})
    assert answer.verdict(RULE) == expected


# The same gaps under a young man: what is there is judged.
@pytest.mark.parametrize(
    "changes",
    [
        row("medications missing", {"without": ("medications",)}),
        row("medications failed", {"medications": outcome()}),
        row("observations failed", {"observations": outcome()}),
        row("allergies missing", {"without": ("allergies",)}),
    ],
)
def test_a_finding_stands_whatever_else_is_missing(changes: dict) -> None:
    answer = sign(order("haloperidol"), aged(22, "male"), **changes)
    assert answer.verdict(RULE) == "warning"
    assert "Not available to this service" in answer.card["detail"]


def test_without_history_the_card_says_that_it_took_a_start_for_granted() -> None:
    answer = sign(order("haloperidol"), aged(22, "male"), without=("medications",))
    assert "treated as a new start" in answer.card["detail"]


def test_no_card_speaks_of_a_history_that_is_not_recorded() -> None:
    answer = sign(order("haloperidol"), aged(22, "male"))
    assert "no history" not in answer.card["detail"].lower()


# Orders that are no orders, people who are beyond them, and drugs that are not ours.
EXCLUDED = [
    row("deceased, yes", order("haloperidol"), [patient(deceasedBoolean=True)]),
    row("deceased, date", order("haloperidol"), [patient(deceasedDateTime="2026-11-01")]),
    row("cancelled draft", order("haloperidol", status="cancelled"), []),
    row("draft entered in error", order("haloperidol", status="entered-in-error"), []),
    row("stopped draft", order("haloperidol", status="stopped"), []),
    row("do not perform", order("haloperidol", more={"doNotPerform": True}), []),
    row("quetiapine at any dose", order("quetiapine", 800, 1), [condition("G24.02")]),
    row("amoxicillin", order("Amoxicillin 500 mg"), []),
    row("benztropine", order("benztropine"), []),
]


@pytest.mark.parametrize(("draft", "data"), EXCLUDED)
def test_excluded(draft: dict, data: list[dict]) -> None:
    answer = sign(draft, *data)
    assert answer.verdict(RULE) == "not-applicable"
    assert not answer.cards


@pytest.mark.parametrize(
    "draft",
    [
        row("active", order("haloperidol", status="active")),
        row("no status", order("haloperidol", more={"status": None})),
        row("on hold", order("haloperidol", status="on-hold")),
        row("a proposal", order("haloperidol", more={"intent": "proposal"})),
        row("not deceased", order("haloperidol")),
    ],
)
def test_orders_of_every_shape_are_judged(draft: dict) -> None:
    assert sign(draft, aged(22, "male")).verdict(RULE) == "warning"


def test_an_order_that_nobody_can_name_is_not_checked() -> None:
    answer = sign(order("rxnorm:99999999"), aged(22, "male"))
    assert answer.verdict(RULE) == "not-checked drug-unrecognised"
    assert "not recognised" in answer.card["summary"]


def test_order_select_judges_the_selected_drafts_and_takes_the_others_as_context() -> None:
    drafts = [order("haloperidol", id="a"), order("risperidone", id="b")]
    answer = fire(call(drafts, prefetch(WOMAN_60), "order-select", selections=["MedicationRequest/a"]))
    assert {result["subject"] for result in answer.results} == {"MedicationRequest/a"}
    assert answer.verdict(RULE, "MedicationRequest/a") == "warning"


def test_order_select_of_another_kind_of_order_judges_no_drug() -> None:
    drafts = [order("haloperidol", id="a"), order("risperidone", id="b")]
    chosen = fire(call(drafts, prefetch(WOMAN_60), "order-select", selections=["ServiceRequest/mri"]))
    assert (chosen.results, chosen.cards) == ([], [])
    unknown = fire(call(drafts, prefetch(WOMAN_60), "order-select", selections=["MedicationRequest/temporary"]))
    assert {result["subject"] for result in unknown.results} == {"MedicationRequest/a", "MedicationRequest/b"}


@pytest.mark.parametrize("url", ["urn:uuid:0d3c5d1c-9f1c-4d5e-9a70-1111aaaa2222", "https://ehr.example/Medication/9"])
def test_a_medication_of_the_cart_by_its_full_url(url: str) -> None:
    draft = order("haloperidol")
    product = {"resourceType": "Medication", "code": draft.pop("medicationCodeableConcept")}
    body = call([{**draft, "medicationReference": {"reference": url}}], prefetch(aged(22, "male")))
    body["context"]["draftOrders"]["entry"].append({"fullUrl": url, "resource": product})
    assert fire(body).verdict(RULE) == "warning"


def test_two_drafts_signed_together_are_second_blockers_to_each_other() -> None:
    answer = sign(order("haloperidol"), WOMAN_60, also=(order("risperidone", id="b"),))
    assert answer.verdict(RULE) == "warning"
    assert answer.verdict(RULE, "MedicationRequest/b") == "warning"
    assert len(answer.cards) == 2


def test_a_cancelled_draft_is_no_second_blocker() -> None:
    answer = sign(order("haloperidol"), WOMAN_60, also=(order("risperidone", id="b", status="cancelled"),))
    assert answer.verdict(RULE) == "clear"
    assert answer.verdict(RULE, "MedicationRequest/b") == "not-applicable"


def test_drafts_without_ids_are_kept_apart() -> None:
    drafts = [order("haloperidol", more={"id": None}), order("risperidone", more={"id": None})]
    answer = fire(call(drafts, prefetch(WOMAN_60)))
    assert [r["indicator"] for r in answer.results if r["rule"] == RULE] == ["warning", "warning"]


def test_the_verdict_names_the_resources_it_rests_on() -> None:
    answer = sign(order("haloperidol", route="IM"), aged(22, "male"), family(), condition("E05.90", id="thyroid"))
    inputs = answer.result(RULE)["inputs"]
    assert set(inputs) == {
        f"Patient/{PATIENT}",
        "MedicationRequest/draft-1",
        "FamilyMemberHistory/f1",
        "Condition/thyroid",
    }


RECORD = (
    aged(17, "male"),
    *MINOR,
    encounter(),
    taking("risperidone", "20d", id="m1"),
    taking("olanzapine", "20d", id="m2"),
    taking("haloperidol", "400d", id="m3", status="stopped"),
    taking("benztropine", "9d", 1, prn=True, id="m4"),
    taking("paroxetine", "9d", id="m5"),
    taking("rxnorm:4493", "9d", id="m6"),
    statement("olanzapine", "not-taken", "30d", id="s1"),
    statement("olanzapine", "not-taken", "3d", id="s2"),
    statement("olanzapine", "not-taken", "20d", id="s3"),
    given("metoclopramide", "2d", id="g1"),
    given("metoclopramide", "3d", id="g2"),
    allergy("risperidone", id="al1"),
    allergy("metoclopramide", "lockjaw", id="al2"),
    allergy("metoclopramide", id="al3"),
    condition("G24.02", id="c1", verification="provisional"),
    condition("G24.09", id="c2"),
    condition("F20.9", id="c3", system=ICD10CM),
    lab("ionised", 1.0, id="ca1"),
    lab("ionised", 1.05, id="ca2"),
    lab("magnesium", 0.5, id="mg1"),
)


def shuffled(found: dict, seed: int) -> dict:
    """The same resources and keys in another order."""
    chance = random.Random(seed)

    def turn(value: object) -> object:
        if isinstance(value, dict):
            names = list(value)
            chance.shuffle(names)
            return {name: turn(value[name]) for name in names}
        return value

    for value in found.values():
        if isinstance(value, dict) and "entry" in value:
            chance.shuffle(value["entry"])
    turned = turn(found)
    assert isinstance(turned, dict)
    return turned


@pytest.mark.parametrize("seed", range(12))
def test_the_order_of_entries_and_keys_does_not_matter(seed: int) -> None:
    drafts = [order("metoclopramide", 10, 3, id="a"), order("haloperidol", 5, 2, id="b")]
    straight = fire(call(drafts, prefetch(*RECORD)))
    turned = fire(call(drafts, shuffled(prefetch(*RECORD), seed)))
    assert turned.body == straight.body
