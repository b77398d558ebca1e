"""Suggestions: valid drafts, no dose for children, cover and alternatives only where nothing speaks against them."""

from __future__ import annotations

import json
from typing import Any

import pytest
from fhir.resources.R4B import get_fhir_model_class

from plugin.originals import Originals
from tests.support.fhir import (
    DYSTONIA,
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
from tests.support.rows import outcome, row

Json = dict[str, Any]
IM = order("haloperidol", 5, 1, route="IM")
MAN_30 = patient("1996-05-01")
LOINC_CODES = {"Ionised calcium": "1994-3", "Albumin": "1751-7", "Magnesium": "19123-9"}


def labels(answer: Fired) -> list[str]:
    """The labels of the suggestions of the only card."""
    return [suggestion["label"] for suggestion in answer.card.get("suggestions", [])]


def actions(answer: Fired) -> list[Json]:
    """Every action of every card."""
    return [
        action
        for card in answer.cards
        for suggestion in card.get("suggestions", [])
        for action in suggestion.get("actions", [])
    ]


def cover(*data: Json, who: Json = MAN_30, drug: Json = IM, **more: Any) -> tuple[str, str]:
    """(label of the offered cover, why it is not offered) for haloperidol IM, or another order."""
    card = sign(drug, who, *data, **more).card
    offered = [
        one["label"] for one in card.get("suggestions", []) if "benztropine" in one["label"] or "cover" in one["label"]
    ]
    told = [line for line in card["detail"].splitlines() if "cover not offered" in line]
    reason = told[0].split(": ", 1)[1].rstrip(".") if told else ""
    return (offered or [""])[0], reason


FILLED = "Add benztropine 1 mg PO BID, 7 days, no refill"
IN_WORDS = "Consider short anticholinergic cover (dose left to the prescriber)"
AGES = [
    row("17 years: no dose", "2008-11-23", IN_WORDS, ""),
    row("18 years: a dose", "2008-11-22", FILLED, ""),
    row("64 years: a dose", "1961-11-23", FILLED, ""),
    row("65 years: not offered", "1961-11-22", "", "age 65 y or over"),
    row("3 years: no dose", "2023-11-22", IN_WORDS, ""),
    row("2 years: not offered", "2023-11-23", "", "age under 3 y"),
    row("not known: not offered", None, "", "age not known"),
    row("between 64 and 65: not offered", "1961", "", "age 65 y or over"),
    row("between 2 and 3: not offered", "2023", "", "age under 3 y"),
    row("between 17 and 18: no dose", "2008", IN_WORDS, ""),
    row("a year inside 18 to 64: no dose while the age is uncertain", "1990", IN_WORDS, ""),
]


@pytest.mark.parametrize(("birth", "label", "reason"), AGES)
def test_cover_by_age(birth: str | None, label: str, reason: str) -> None:
    fires, injected = condition("G24.02", clinical="resolved"), order("fluphenazine", 5, 1, route="IM")
    assert cover(fires, who=patient(birth), drug=injected) == (label, reason)


CAUTIONS = [
    row("dementia", condition("F03.90"), "dementia"),
    row("Alzheimer's disease", condition("G30.9"), "dementia"),
    row("delirium", condition("F05"), "delirium"),
    row("angle-closure glaucoma", condition("H40.20X0"), "angle-closure glaucoma"),
    row("urinary retention", condition("R33.9"), "urinary retention"),
    row("prostate with symptoms", condition("N40.1"), "urinary retention"),
    row("ileus", condition("K56.0"), "bowel obstruction"),
    row("myasthenia gravis", condition("G70.00"), "myasthenia gravis"),
    row("atrial fibrillation", condition("I48.91"), "tachyarrhythmia"),
    row("paroxysmal tachycardia", condition("I47.10"), "tachyarrhythmia"),
    row("anticholinergic toxicity", condition("T44.3X1A"), "anticholinergic toxicity"),
    row("anticholinergic toxicity in words", condition(text="Anticholinergic toxicity"), "anticholinergic toxicity"),
    row("too little of an anticholinergic is none", condition("T44.3X6A"), ""),
    row("a caution that is a rule-out", condition("F05", verification="provisional"), "delirium"),
    row("allergy to benztropine", allergy("benztropine", None), "recorded allergy or intolerance"),
    row("open-angle glaucoma is none", condition("H40.11X0"), ""),
    row("a resolved ileus is none", condition("K56.0", clinical="resolved"), ""),
    row("a refuted delirium is none", condition("F05", verification="refuted"), ""),
    row("a resolved allergy is none", allergy("benztropine", None, clinical="resolved"), ""),
    row("allergy to another drug is none", allergy("sertraline", None), ""),
]


@pytest.mark.parametrize(("record", "reason"), CAUTIONS)
def test_cover_is_withheld(record: Json, reason: str) -> None:
    assert cover(record) == ("" if reason else FILLED, reason)


@pytest.mark.parametrize("clinical", ["active", "resolved"])
def test_tardive_dyskinesia_speaks_against_the_drug_and_its_cover(clinical: str) -> None:
    assert cover(condition("G24.01", clinical=clinical)) == ("", "")


UNREAD = "conditions or allergies not available, cautions not checked"


@pytest.mark.parametrize("key", ["conditions", "allergies"])
def test_cover_is_withheld_where_cautions_were_not_read(key: str) -> None:
    broken = {**(condition("F05") if key == "conditions" else allergy("sertraline")), "code": [1]}
    assert cover(without=(key,)) == ("", UNREAD)
    assert cover(**{key: outcome()}) == ("", UNREAD)
    assert cover(**{key: bundle(broken)}) == ("", UNREAD)
    assert cover(**{key: None}) == (FILLED, "")


def test_the_cover_order_ends_by_itself() -> None:
    (suggestion,) = (one for one in sign(IM, MAN_30).card["suggestions"] if one["label"] == FILLED)
    (action,) = suggestion["actions"]
    drug = action["resource"]
    assert action["type"] == "create"
    assert drug["medicationCodeableConcept"]["coding"][0]["code"] == "1424"
    assert drug["dispenseRequest"] == {
        "numberOfRepeatsAllowed": 0,
        "expectedSupplyDuration": {"value": 7, "unit": "d", "system": "http://unitsofmeasure.org", "code": "d"},
    }
    dosage = drug["dosageInstruction"][0]
    assert dosage["timing"]["repeat"] == {
        "boundsDuration": {"value": 7, "unit": "d", "system": "http://unitsofmeasure.org", "code": "d"},
        "frequency": 2,
        "period": 1,
        "periodUnit": "d",
    }
    assert dosage["doseAndRate"][0]["doseQuantity"]["value"] == 1


# Alternatives: (order, data) -> drugs named in "Change to ...".
NONE = "No pre-filled alternative."
PRIOR = allergy("metoclopramide", DYSTONIA)
RECENT = (lab("ionised", 1.2), lab("magnesium", 0.85))
ALTERNATIVES = [
    row("haloperidol", "haloperidol", [], ["olanzapine", "quetiapine"]),
    row("metoclopramide", "metoclopramide", [PRIOR], ["ondansetron"]),
    row("prochlorperazine", "prochlorperazine", [], ["ondansetron"]),
    row("domperidone", "domperidone", [PRIOR], ["ondansetron"]),
    row("trimethobenzamide", "rxnorm:38685", [PRIOR], ["ondansetron"]),
    row("droperidol", "droperidol", [], ["ondansetron"]),
    row("olanzapine (L): only lower tiers", "olanzapine", [condition("G24.02")], ["quetiapine"]),
    row("never promethazine for metoclopramide", "metoclopramide", [PRIOR, condition("I45.81")], []),
    row("allergy to olanzapine", "haloperidol", [allergy("olanzapine", "Rash")], ["quetiapine", "aripiprazole"]),
    row("dystonia from olanzapine", "haloperidol", [allergy("olanzapine", DYSTONIA)], ["quetiapine"]),
    row("olanzapine is taken already", "haloperidol", [taking("olanzapine")], ["quetiapine"]),
    row("tardive dyskinesia", "haloperidol", [condition("G24.01")], ["quetiapine"]),
    row("tardive dyskinesia in the past", "haloperidol", [condition("G24.01", clinical="resolved")], ["quetiapine"]),
    row("Parkinson disease", "haloperidol", [condition("G20.A1")], ["quetiapine"]),
    row("parkinsonism", "haloperidol", [condition("G20.C")], ["quetiapine"]),
    row("Lewy body dementia", "haloperidol", [condition("G31.83")], ["quetiapine"]),
    row("a lesion of the basal ganglia", "haloperidol", [condition("G23.1")], ["quetiapine"]),
    row("a tardive dyskinesia that is a rule-out", "haloperidol", [condition("G24.01", verification="provisional")],
        ["quetiapine"]),
    row("a drug-induced dystonia, resolved", "haloperidol", [condition("G24.02", clinical="resolved")], ["quetiapine"]),
    row("a drug-induced dystonia that is a rule-out", "haloperidol", [condition("G24.02", verification="provisional")],
        ["quetiapine"]),
    row("a dystonia blamed on a drug in words", "haloperidol", [condition(text="Dystonia due to fluphenazine")],
        ["quetiapine"]),
    row("another blocker is taken", "haloperidol", [taking("risperidone")], ["quetiapine"]),
    row("another blocker was taken", "haloperidol", [taking("risperidone", status="stopped")],
        ["olanzapine", "quetiapine"]),
    row("long QT", "metoclopramide", [PRIOR, condition("I45.81")], []),
    row("a rule-out of long QT", "metoclopramide", [PRIOR, condition("I45.81", verification="provisional")], []),
    row("severe hypocalcaemia", "metoclopramide", [PRIOR, lab("ionised", 0.8)], []),
    row("severe, unconfirmed", "metoclopramide", [PRIOR, lab("calcium-sc", 1.8)], []),
    row("low calcium that is not severe", "metoclopramide", [PRIOR, lab("ionised", 1.0)], ["ondansetron"]),
    row("calcium that cannot be read", "metoclopramide", [PRIOR, lab("ionised", 1.2, None)], []),
    row("undated calcium", "metoclopramide", [PRIOR, lab("ionised", 1.2, when=None)], []),
    row("low magnesium", "metoclopramide", [PRIOR, lab("magnesium", 0.69)], []),
    row("magnesium that cannot be read", "metoclopramide", [PRIOR, lab("magnesium", 0.9, None)], []),
    row("low potassium", "metoclopramide", [PRIOR, lab("2823-3", 3.4)], []),
    row("normal potassium", "metoclopramide", [PRIOR, lab("2823-3", 3.5)], ["ondansetron"]),
    row("undated potassium", "metoclopramide", [PRIOR, lab("2823-3", 4.2, when=None)], []),
    row("potassium with a unit from its range only", "metoclopramide",
        [PRIOR, lab("2823-3", 4.2, None, low=3.5, low_unit="mmol/L")], []),
    row("low potassium on record", "metoclopramide", [PRIOR, condition("E87.6")], []),
    row("low magnesium on record", "metoclopramide", [PRIOR, condition("E83.42")], []),
    row("allergy to ondansetron", "metoclopramide", [PRIOR, allergy("ondansetron", "Rash", id="al2")], []),
    row("long QT leaves antipsychotics that do not count for it", "haloperidol", [condition("I45.81")],
        ["olanzapine", "quetiapine"]),
]  # fmt: skip


@pytest.mark.parametrize(("drug", "data", "expected"), ALTERNATIVES)
def test_alternatives(drug: str, data: list[Json], expected: list[str]) -> None:
    given = [] if any(one["resourceType"] == "Observation" for one in data) else RECENT
    answer = sign(order(drug, 5, 1, route="IM"), patient("2004-03-01"), *data, *given)
    offered = [label.removeprefix("Change to ").split(" ", 1)[0] for label in labels(answer) if "Change to" in label]
    assert offered == expected
    assert (NONE in answer.card["detail"]) is not bool(expected)


@pytest.mark.parametrize("key", ["conditions", "observations", "allergies"])
def test_no_alternative_where_the_reasons_against_it_were_not_read(key: str) -> None:
    order_it = order("metoclopramide", 10, 1, route="IV")
    lost = sign(order_it, patient("2015-03-01", "female"), **{key: outcome()})
    assert NONE in lost.card["detail"]
    assert not [label for label in labels(lost) if "Change to" in label]
    assert [label for label in labels(sign(order_it, patient("2015-03-01", "female"))) if "Change to" in label]


@pytest.mark.parametrize(
    ("birth", "offered"), [row("12 years", "2013-11-23", False), row("13 years", "2013-11-22", True),
                           row("not known", None, False)],
)  # fmt: skip
def test_antipsychotics_are_no_alternative_for_children(birth: str | None, offered: bool) -> None:
    answer = sign(IM, patient(birth), condition("G24.02"))
    assert any("Change to" in label for label in labels(answer)) is offered


def test_a_changed_draft_keeps_its_id_and_leaves_the_dose_open() -> None:
    (action,) = (one for one in actions(sign(IM, MAN_30)) if "olanzapine" in one["description"])
    assert action["type"] == "update"
    assert action["resource"]["id"] == "draft-1"
    assert action["resource"]["status"] == "draft"
    assert "dosageInstruction" not in action["resource"]


def test_a_draft_without_an_id_cannot_be_changed_or_removed() -> None:
    nameless = {key: value for key, value in order("metoclopramide").items() if key != "id"}
    answer = fire(call([nameless], prefetch(MAN_30, PRIOR)))
    assert [action["type"] for action in actions(answer)] in ([], ["create"])
    assert NONE in answer.card["detail"]


# What another order becomes: stopped when it is on record, deleted when it is a draft, words otherwise.
def _record(**more: Any) -> Json:
    return {**taking("olanzapine", "2d", 2.5, 1), **more}


def _stop(record: Json, **more: Any) -> Json:
    data = prefetch(MAN_30, **{"medications": bundle(record), **more})
    card = fire(call([order("metoclopramide")], data)).card
    (found,) = (one for one in card["suggestions"] if one["label"] == "Stop or end-date olanzapine")
    return found


def test_another_order_on_record_is_given_back_whole_and_stopped() -> None:
    record = _record(identifier=[{"value": "x"}], note=[{"text": "as before"}], requester={"display": "Dr N"})
    (action,) = _stop(record)["actions"]
    assert action["type"] == "update"
    assert action["resource"] == {**record, "status": "stopped"}


EMPTIES = [
    row("an empty list goes", _record(note=[]), True),
    row("a null goes", _record(note=None), True),
    row("an empty object inside a list goes", _record(note=[{"text": "a"}, {}]), True),
    row("a null inside a list of primitives: words only", _record(category=[None, {"text": "a"}]), False),
]


@pytest.mark.parametrize(("record", "whole"), EMPTIES)
def test_what_is_empty_in_another_order_is_not_given_back(record: Json, whole: bool) -> None:
    assert ("actions" in _stop(record)) is whole


def test_an_order_of_somebody_else_with_the_same_id_is_never_given_back() -> None:
    foreign = {**_record(), "subject": {"reference": "Patient/p2"}, "note": [{"text": "secret"}]}
    for records in ((_record(), foreign), (foreign, _record())):
        found = _stop(_record(), medications=bundle(*records))
        assert "secret" not in json.dumps(found)
        assert found["actions"][0]["resource"]["subject"] == {"reference": "Patient/p1"}


def test_two_versions_of_another_order_are_not_chosen_between() -> None:
    two = bundle(_record(), _record(note=[{"text": "another"}]))
    assert "actions" not in _stop(_record(), medications=two)


def test_numbers_are_given_back_exactly() -> None:
    body = json.dumps(call([order()], {"medications": bundle(_record())})).replace("2.5", "2.500")
    found = Originals(body.encode()).get("MedicationRequest/m1", "p1")
    assert found is not None
    assert str(found["dosageInstruction"][0]["doseAndRate"][0]["doseQuantity"]["value"]) == "2.500"


def test_what_was_fetched_is_given_back_and_counts_before_what_came() -> None:
    body = json.dumps(call([order()], {"medications": bundle(_record())})).encode()
    page = json.dumps(bundle(_record(note=[{"text": "newer"}]), _record(id="m2"))).encode()
    originals = Originals(body, fetched=[page, b'{"resourceType": "Patient"}'])
    whole, other = originals.get("MedicationRequest/m1", "p1"), originals.get("MedicationRequest/m2", "p1")
    assert whole is not None
    assert whole["note"] == [{"text": "newer"}]
    assert other is not None
    assert originals.get("MedicationRequest/m3", "p1") is None
    assert originals.get("MedicationRequest/m1", "p2") is None
    odd = Originals(body, fetched=[b"[1]", b"{"]).get("MedicationRequest/m1", "p1")
    assert odd is not None
    assert "note" not in odd


@pytest.mark.parametrize("body", [b"", b"[]", b"{}", b'{"prefetch": []}', b'{"prefetch": {"a": {"entry": {"b": 1}}}}'])
def test_originals_of_odd_calls(body: bytes) -> None:
    assert Originals(body).get("MedicationRequest/m1", "p1") is None


def test_another_draft_is_deleted() -> None:
    drafts = [order("metoclopramide"), order("olanzapine", id="draft-2")]
    answer = fire(call(drafts, prefetch(MAN_30)))
    deletes = {action["resourceId"] for action in actions(answer) if action["type"] == "delete"}
    assert "MedicationRequest/draft-2" in deletes


# Tests that are ordered.
def test_labs_are_ordered_by_their_preferred_codes() -> None:
    card = sign(order(), MAN_30, lab("ionised", 0.8), encounter("IMP")).card
    resources = [action["resource"] for action in card["suggestions"][0]["actions"]]
    assert {one["code"]["text"]: one["code"]["coding"][0]["code"] for one in resources} == LOINC_CODES
    assert {one["status"] for one in resources} == {"draft"}


def _panels(*data: Json) -> list[int]:
    """How many tests each panel of the card on a dystonia asks for."""
    answer = fire(call(None, prefetch(MAN_30, condition("G24.9", onset="1d", recorded="1d"), *data), "patient-view"))
    found = [[one["resource"] for one in suggestion.get("actions", ())] for suggestion in answer.card["suggestions"]]
    return [len(asked) for asked in found if asked and asked[0]["resourceType"] == "ServiceRequest"]


PANELS = [
    row("measured: the small panel", (taking("haloperidol", "2d"), lab("calcium-sc", 2.3)), [3]),
    row("no drug: the large panel", (), [7]),
    row("both: the large panel takes the place of the small one", (taking("haloperidol", "2d"),), [7]),
]


def test_a_panel_with_ionised_calcium_takes_the_place_of_total_calcium() -> None:
    labels_ = labels(sign(order("risperidone", 1, 1), MAN_30, condition("Q93.81")))
    assert [label for label in labels_ if label.startswith("Check")] == [
        "Check ionised calcium, albumin, magnesium, PTH and TSH"
    ]


@pytest.mark.parametrize(("data", "expected"), PANELS)
def test_a_panel_takes_the_place_of_a_smaller_one(data: tuple[Json, ...], expected: list[int]) -> None:
    assert _panels(*data) == expected


def test_the_encounter_of_the_order_goes_into_what_is_suggested() -> None:
    draft = order("haloperidol", 5, 1, route="IM", more={"encounter": {"reference": "Encounter/e1"}})
    created = [one["resource"] for one in actions(sign(draft, MAN_30)) if one["type"] == "create"]
    assert [one["encounter"] for one in created] == [{"reference": "Encounter/e1"}]


# Everything that any rule suggests, for many patients.
CALLS = [
    row("haloperidol IM", sign(IM, MAN_30, lab("ionised", 0.8), lab("magnesium", 0.5))),
    row("haloperidol IM with an encounter", sign({**IM, "encounter": {"reference": "Encounter/e1"}}, MAN_30)),
    row("metoclopramide after a reaction", sign(order("metoclopramide"), MAN_30, PRIOR)),
    row("two blockers on record", sign(order("metoclopramide"), MAN_30, _record())),
    row(
        "two blockers as drafts", fire(call([order("metoclopramide"), order("olanzapine", id="d2")], prefetch(MAN_30)))
    ),
    row("a boy of 8", sign(order("metoclopramide", 5, 3), patient("2018-03-01"), PRIOR, lab("ionised", 0.8))),
    row("a girl of 2", sign(order("prochlorperazine"), patient("2024-03-01", "female"), condition("D82.1"))),
    row(
        "calcium with low magnesium", sign(order("calcium carbonate"), MAN_30, lab("ionised", 1), lab("magnesium", 0.5))
    ),
    row("the record", fire(call(None, prefetch(MAN_30, lab("ionised", 1), lab("magnesium", 0.5)), "patient-view"))),
    row("22q11.2 without calcium", sign(IM, MAN_30, condition("Q93.81"))),
]


@pytest.mark.parametrize("answer", CALLS)
def test_every_resource_is_valid_and_a_draft(answer: Fired) -> None:
    assert actions(answer)
    for action in actions(answer):
        assert action["description"]
        if action["type"] == "delete":
            assert action["resourceId"].startswith("MedicationRequest/d")
            continue
        found = action["resource"]
        get_fhir_model_class(found["resourceType"]).model_validate(found)
        assert found["subject"] == {"reference": "Patient/p1"}
        stops = action["type"] == "update" and found["id"] == "m1"
        assert found["status"] == ("stopped" if stops else "draft")
        assert found["intent"] == "order"


@pytest.mark.parametrize("answer", [row("boy of 8", CALLS[5].values[0]), row("girl of 2", CALLS[6].values[0])])
def test_children_never_get_a_dose(answer: Fired) -> None:
    text = json.dumps(actions(answer))
    assert "dosageInstruction" not in text
    assert not any("mg" in label for label in labels(answer))


@pytest.mark.parametrize("answer", CALLS)
def test_options_leave_the_choice(answer: Fired) -> None:
    for card in answer.cards:
        suggestions = card["suggestions"]
        assert len(suggestions) >= 2
        assert not any(one["label"].lower().startswith(("give", "must", "do not")) for one in suggestions)
