"""Cases that a sceptical pharmacist tried: old orders, cover that is there already, contradictions, hostile data."""

from __future__ import annotations

import json
from typing import Any

import pytest

from tests.support.fhir import (
    DYSTONIA,
    RXNORM,
    allergy,
    bundle,
    call,
    condition,
    encounter,
    lab,
    order,
    patient,
    prefetch,
    taking,
)
from tests.support.fire import Fired, fire, sign
from tests.support.rows import row

Json = dict[str, Any]

HALOPERIDOL = order("haloperidol", 5, 2)


def labels(fired: Fired) -> list[str]:
    return [suggestion["label"] for card in fired.cards for suggestion in card.get("suggestions", [])]


@pytest.mark.parametrize(
    ("record", "verdict"),
    [
        row("an active order inside the window of 400 days is stable use", taking("haloperidol", "400d", 5, 2), "S-03"),
        row("one written before the window is forgotten, not stable", taking("haloperidol", "401d", 5, 2), "warning"),
        row("unless it says that it goes on",
            taking("haloperidol", "401d", more={"dosageInstruction": [
                {"timing": {"repeat": {"boundsPeriod": {"start": "2025-10-01", "end": "2027-01-01"}}}}]}), "S-03"),
        row("a single dose of last year is over", taking("haloperidol", "200d", 5, once=True), "warning"),
        row("a single dose of today is the same exposure", taking("haloperidol", "20h", 5, once=True), "S-04"),
    ],
)  # fmt: skip
def test_old_orders_do_not_silence(record: Json, verdict: str) -> None:
    assert sign(HALOPERIDOL, record).verdict("R-DRUG-01") == verdict


def test_an_old_order_is_no_second_blocker() -> None:
    assert sign(HALOPERIDOL, taking("risperidone", "401d")).verdict("R-DRUG-02") == "clear"


@pytest.mark.parametrize("cover", [taking("benztropine", "3d", 1, 2), taking("diphenhydramine", "3d", 25, prn=True)])
def test_no_second_anticholinergic_is_offered(cover: Json) -> None:
    fired = sign(HALOPERIDOL, condition("G24.02", clinical="resolved"), cover)
    assert "cover" not in fired.card["summary"]
    assert not [label for label in labels(fired) if "benztropine" in label or "cover" in label]


def test_a_contraindication_card_offers_nothing_that_helps_to_give_the_drug() -> None:
    fired = sign(order("metoclopramide", 10, 3), allergy("metoclopramide", DYSTONIA))
    assert fired.card["indicator"] == "critical"
    assert labels(fired)[0] == "Remove the metoclopramide order"
    assert not [label for label in labels(fired) if "benztropine" in label or "dose or" in label]
    codes = {reason["code"] for reason in fired.card["overrideReasons"]}
    assert codes == {"tolerated-before", "alert-inaccurate", "benefit-outweighs"}


@pytest.mark.parametrize(
    ("result", "offered"),
    [
        row("no potassium on record", None, True),
        row("potassium 3.5 mmol/L", lab("2823-3", 3.5, "mmol/L"), True),
        row("potassium 3.4 mmol/L", lab("2823-3", 3.4, "mmol/L"), False),
        row("potassium 3.4 meq/L is the same", lab("2823-3", 3.4, "meq/L"), False),
        row("potassium without unit", lab("2823-3", 4.2, None), False),
    ],
)
def test_ondansetron_is_not_offered_with_low_potassium(result: Json | None, offered: bool) -> None:
    drug = order("metoclopramide", 10, 3)
    fired = sign(drug, patient("2011-03-01"), *([result] if result else []))
    assert any("ondansetron" in label for label in labels(fired)) is offered


def test_an_alternative_does_not_bring_a_card_of_its_own() -> None:
    fired = sign(HALOPERIDOL, condition("G24.02", clinical="resolved"))
    assert [label for label in labels(fired) if label.startswith("Change")] == [
        "Change to quetiapine (dose left to the prescriber)"
    ]


def test_the_magnesium_that_we_suggest_settles_the_matter() -> None:
    low = (lab("calcium", 1.2), lab("magnesium", 0.50))
    first = sign(order("calcium carbonate", 500, 2), *low)
    assert first.verdict("R-MET-03") == "warning"
    actions = [action for one in first.card["suggestions"] for action in one.get("actions", [])]
    accepted = next(a["resource"] for a in actions if a["resource"]["resourceType"] == "MedicationRequest")
    again = sign(order("calcium carbonate", 500, 2), *low, also=({**accepted, "id": "draft-2"},))
    assert again.verdict("R-MET-03") != "warning"


@pytest.mark.parametrize("text", ["Mag-Ox 400", "magnesium glycerophosphate 4 mmol", "Milk of magnesia"])
def test_magnesium_in_words_counts(text: str) -> None:
    fired = sign(order("calcium carbonate", 500, 2), lab("calcium", 1.2), lab("magnesium", 0.50), taking(text, "2d"))
    assert fired.verdict("R-MET-03") != "warning"


def test_a_code_that_hides_a_dopamine_blocker_is_told() -> None:
    named = {"coding": [{"system": RXNORM, "code": "205489"}], "text": "metoclopramide 10 MG Oral Tablet"}
    fired = sign(order(more={"medicationCodeableConcept": named}))
    assert fired.card["source"]["topic"]["code"] == "R-DQ-06"
    assert "metoclopramide" in fired.card["summary"]


@pytest.mark.parametrize(
    ("resource", "counts"),
    [
        row("family history in words", condition(text="Family history of acute drug-induced dystonia"), False),
        row("denied in words", condition(text="No history of drug-induced dystonia"), False),
        row(
            "not elsewhere classified is no denial",
            condition(text="Drug-induced dystonia, not elsewhere classified"),
            True,
        ),
        row("a denied manifestation", allergy("haloperidol", "nausea; no dystonia"), False),
        row("a manifestation in words", allergy("haloperidol", "acute dystonia"), True),
    ],
)
def test_denials_and_relatives_do_not_count(resource: Json, counts: bool) -> None:
    result = sign(order("olanzapine", 5, 1), resource).result("R-DRUG-01")
    assert (result["status"] == "fired") is counts


def test_a_non_acute_encounter_uses_the_longer_window() -> None:
    severe = lab("ionised", 0.80, when="80h")
    assert sign(HALOPERIDOL, severe, encounter("NONAC")).verdict("R-MET-01") == "critical"
    assert sign(HALOPERIDOL, severe, encounter("IMP")).verdict("R-MET-01") == "not-checked stale"


@pytest.mark.parametrize(
    "key", ["medicationStatements", "medicationAdministrations", "medicationDispenses", "familyHistory"]
)
def test_clear_is_not_said_of_what_was_not_sent(key: str) -> None:
    fired = sign(order("haloperidol", 2, 1), patient("1971-01-01", "female"), without=(key,))
    assert fired.verdict("R-DRUG-01") == "not-checked key-missing"
    assert fired.cards == []


def test_names_of_foreign_keys_are_harmless_on_a_card() -> None:
    data = prefetch(**{"<img src=x onerror=alert(1)>\n# Owned": {"resourceType": "Patient", "id": "other"}})
    detail = fire(call([HALOPERIDOL], data)).card["detail"]
    assert "different patient" in detail
    assert "<img" not in detail
    assert "#" not in detail


@pytest.mark.parametrize("number", ["1e99999999999999999999", "9" * 4400, "-1e400"])
@pytest.mark.parametrize("place", ["value", "dose", "frequency"])
def test_a_number_beyond_any_use_costs_its_resource_only(number: str, place: str) -> None:
    marker = 424242
    draft = order("haloperidol", marker if place == "dose" else 5, marker if place == "frequency" else 2)
    result = lab("ionised", marker if place == "value" else 1.2)
    raw = json.dumps(call([draft], prefetch(result))).replace(str(marker), number).encode()
    fired = fire(raw)
    assert {result["rule"] for result in fired.results} >= {"R-DRUG-01", "R-MET-01", "R-DQ-08"}
    assert not [result for result in fired.results if result.get("reason") == "internal"]
    assert fired.cards


@pytest.mark.parametrize("kind", ["allergyIntolerance", "Allergy", ""])
def test_a_resource_of_a_misspelt_type_is_unreadable_not_absent(kind: str) -> None:
    reaction = {**allergy("haloperidol", DYSTONIA), "resourceType": kind}
    fired = sign(HALOPERIDOL, allergies=bundle(reaction))
    assert fired.verdict("R-DRUG-03") == "not-checked key-failed"


def test_other_values_give_another_card_and_the_same_ones_the_same() -> None:
    uuids = [sign(HALOPERIDOL, lab("ionised", value)).card["uuid"] for value in (0.84, 0.84, 0.78)]
    assert uuids[0] == uuids[1] != uuids[2]
