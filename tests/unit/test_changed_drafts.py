"""A draft given back with one change: whole, valid, and without what the change made untrue."""

from __future__ import annotations

import json
from decimal import Decimal
from typing import Any

import pytest
from fhir.resources.R4B.medicationrequest import MedicationRequest

from plugin.changed_drafts import other_drug, reduced, shortened
from plugin.originals import Originals
from tests.support.fhir import DYSTONIA, UCUM, allergy, call, lab, order, patient, prefetch, taking
from tests.support.fire import Fired, fire, sign
from tests.support.rows import row

Json = dict[str, Any]
CONCEPT = {"text": "ondansetron"}
# A draft with as much as an EHR may send.
FULL: Json = {
    **order("metoclopramide", 10, 3, days=20),
    "meta": {"profile": ["http://hl7.org/fhir/us/core/StructureDefinition/us-core-medicationrequest"]},
    "text": {"status": "generated", "div": '<div xmlns="http://www.w3.org/1999/xhtml">metoclopramide</div>'},
    "contained": [
        {"resourceType": "Medication", "id": "drug", "code": {"text": "metoclopramide"}},
        {"resourceType": "Practitioner", "id": "nurse"},
    ],
    "identifier": [{"system": "urn:ehr", "value": "7"}],
    "category": [{"text": "Outpatient"}],
    "priority": "routine",
    "encounter": {"reference": "Encounter/e1"},
    "authoredOn": "2026-11-22T09:00:00Z",
    "requester": {"reference": "Practitioner/u1"},
    "recorder": {"reference": "#nurse"},
    "reasonCode": [{"text": "Nausea"}],
    "note": [{"text": "as before"}],
    "dispenseRequest": {"quantity": {"value": 60}, "numberOfRepeatsAllowed": 2},
    "substitution": {"allowedBoolean": True},
}
KEPT = ("id", "meta", "category", "priority", "encounter", "authoredOn", "requester", "recorder", "reasonCode", "note",
        "subject", "intent")  # fmt: skip


def changed_to(drug: str, draft: Json, *data: Json) -> Json | None:
    """The updated draft of the suggestion to change to a drug; None where it is words only."""
    card = sign(draft, patient("1966-05-01", "female"), *data).card
    (found,) = (one for one in card["suggestions"] if one["label"].startswith(f"Change to {drug}"))
    actions = found.get("actions", [])
    return actions[0]["resource"] if actions else None


def test_another_drug_keeps_all_but_the_old_one() -> None:
    changed = changed_to("ondansetron", FULL, allergy("metoclopramide", DYSTONIA))
    assert changed is not None
    assert {name: changed[name] for name in KEPT} == {name: FULL[name] for name in KEPT}
    assert not changed.keys() & {"dosageInstruction", "dispenseRequest", "substitution", "text", "medicationReference"}
    assert changed["contained"] == [{"resourceType": "Practitioner", "id": "nurse"}]
    assert changed["medicationCodeableConcept"]["text"] == "ondansetron"
    assert changed["identifier"][0] == {"system": "urn:ehr", "value": "7"}
    assert changed["identifier"][1]["system"].endswith("/NamingSystem/suggestion")
    assert "metoclopramide" not in json.dumps(changed)
    MedicationRequest.model_validate(changed)


def test_a_referenced_drug_is_replaced_by_a_concept() -> None:
    draft = {name: value for name, value in FULL.items() if name != "medicationCodeableConcept"}
    draft |= {"medicationReference": {"reference": "#drug"}}
    changed = changed_to("ondansetron", draft, allergy("metoclopramide", DYSTONIA))
    assert changed is not None
    assert "medicationReference" not in changed
    MedicationRequest.model_validate(changed)


def test_a_line_that_stands_alone_is_a_line() -> None:
    alone = {**FULL, "dosageInstruction": FULL["dosageInstruction"][0]}
    assert reduced(alone) == reduced(FULL)
    assert shortened(alone, Decimal(5)) == shortened(FULL, Decimal(5))
    assert shortened(FULL, Decimal(5))["dosageInstruction"]


@pytest.mark.parametrize("status", ["draft", "active", "on-hold"])
def test_the_change_is_a_draft(status: str) -> None:
    for changed in (other_drug({**FULL, "status": status}, CONCEPT), reduced({**FULL, "status": status})):
        assert changed["status"] == "draft"


def test_nothing_contained_is_left_behind_empty() -> None:
    assert "contained" not in other_drug({**FULL, "contained": FULL["contained"][:1]}, CONCEPT)


ODD = [
    row("a null in a list", {**FULL, "category": [None, {"text": "Outpatient"}]}),
    row("no id", {name: value for name, value in FULL.items() if name != "id"}),
]


@pytest.mark.parametrize("draft", ODD)
def test_what_cannot_be_given_back_whole_is_not_given_back(draft: Json) -> None:
    data = prefetch(patient("1966-05-01", "female"), allergy("metoclopramide", DYSTONIA))
    answer = fire(call([draft], data))
    assert [one["type"] for one in actions(answer) if one["type"] == "update"] == []


def actions(answer: Fired) -> list[Json]:
    """Every action of the only card."""
    return [action for one in answer.card.get("suggestions", []) for action in one.get("actions", [])]


def test_a_draft_of_the_context_is_not_taken_from_the_record() -> None:
    body = json.dumps(call([FULL], {"medications": {"entry": [{"resource": taking("olanzapine", id="draft-1")}]}}))
    originals = Originals(body.encode())
    draft, record = (find("MedicationRequest/draft-1", "p1") for find in (originals.draft, originals.get))
    assert draft is not None
    assert record is not None
    assert (draft["status"], record["status"]) == ("draft", "active")
    assert originals.draft("MedicationRequest/draft-1", "p2") is None
    assert originals.draft("MedicationRequest/m1", "p1") is None


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"[]",
        b"{}",
        b"{",
        b'{"context": []}',
        b'{"context": {"draftOrders": [1]}}',
        b'{"context": {"draftOrders": {"entry": [{"resource": 1e999999999999999999999}]}}}',
    ],
)
def test_drafts_of_odd_calls(body: bytes) -> None:
    assert Originals(body).draft("MedicationRequest/draft-1", "p1") is None


def test_the_context_may_come_cut_out_already() -> None:
    """Then the drafts are read from it alone, and the record from the body all the same."""
    body = json.dumps(call([FULL], prefetch(taking("olanzapine", id="m9")))).encode()
    context = json.dumps(call([{**FULL, "priority": "stat"}], None)["context"]).encode()
    originals = Originals(body, context)
    draft, record = originals.draft("MedicationRequest/draft-1", "p1"), originals.get("MedicationRequest/m9", "p1")
    assert draft is not None
    assert record is not None
    assert (draft["priority"], record["status"]) == ("stat", "active")
    assert Originals(b"{", context).get("MedicationRequest/m9", "p1") is None


def test_a_number_that_nobody_can_hold_elsewhere_does_not_matter() -> None:
    result = lab("ionised", 1.2)
    body = json.dumps(call([FULL], prefetch(result))).replace("1.2,", "1e999999999999999999999,")
    told = {name: value for name, value in FULL.items() if name != "text"}
    assert Originals(body.encode()).draft("MedicationRequest/draft-1", "p1") == told


# Words that tell how long it is meant to be taken cannot be changed with the figures.
WORDS = [
    row("for 10 days", "10 mg for 10 days", False),
    row("x 14 d", "10 mg TID x 14 d", False),
    row("until the visit", "10 mg until seen", False),
    row("for two weeks", "one tablet for two weeks", False),
    row("three times a day", "10 mg three times a day", True),
    row("3 times per day", "10 mg 3 times per day", True),
    row("every 2 days", "10 mg every 2 days", True),
    row("before meals", "10 mg before meals", True),
]


@pytest.mark.parametrize(("text", "possible"), WORDS)
def test_lengths_in_words(text: str, possible: bool) -> None:
    for name in ("text", "patientInstruction"):
        draft = {**FULL, "dosageInstruction": [{name: text}]}
        assert (shortened(draft, _days(5)) is not None) is possible


def _days(number: int) -> Decimal:
    return Decimal(number)


def test_shortening_replaces_every_kind_of_end() -> None:
    bounds = {"boundsPeriod": {"start": "2026-11-22", "end": "2027-11-22"}, "frequency": 3, "period": 1,
              "periodUnit": "d"}  # fmt: skip
    draft = {**FULL, "dosageInstruction": [{"timing": {"repeat": bounds}}],
             "dispenseRequest": {**FULL["dispenseRequest"], "validityPeriod": {"end": "2027-11-22"}}}  # fmt: skip
    changed = shortened(draft, _days(5))
    assert changed is not None
    week = {"value": 5, "unit": "d", "system": UCUM, "code": "d"}
    assert changed["dosageInstruction"][0]["timing"]["repeat"] == {
        "frequency": 3, "period": 1, "periodUnit": "d", "boundsDuration": week,
    }  # fmt: skip
    assert changed["dispenseRequest"] == {"numberOfRepeatsAllowed": 0, "expectedSupplyDuration": week}
    MedicationRequest.model_validate(changed)


def test_shortening_keeps_where_it_is_dispensed() -> None:
    where = {"reference": "Organization/pharmacy"}
    changed = shortened({**FULL, "dispenseRequest": {**FULL["dispenseRequest"], "performer": where}}, _days(5))
    assert changed is not None
    assert changed["dispenseRequest"]["performer"] == where
    assert "quantity" not in changed["dispenseRequest"]
    MedicationRequest.model_validate(changed)


def test_a_draft_with_nothing_but_a_drug() -> None:
    bare = order("metoclopramide")
    changed = shortened(bare, _days(5))
    assert changed is not None
    assert "dosageInstruction" not in changed
    MedicationRequest.model_validate(changed)
    assert len(reduced(bare)["dosageInstruction"]) == 1
    MedicationRequest.model_validate(reduced(bare))
