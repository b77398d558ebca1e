"""The invented patients and orders of the try-it page: complete, valid FHIR, and true to their stories on any day."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime, timedelta
from typing import Any

import pytest
from fhir.resources.R4B import get_fhir_model_class

from plugin.samples import CONDITIONS, ORDERS, PATIENTS, SampleCondition, SampleOrder, SamplePatient
from tests.support.fire import plugin
from tests.support.stories import EXPECTED, NOW, built, fired, leading, offers, service_of

KEYS = {
    "patient",
    "medications",
    "medicationStatements",
    "medicationAdministrations",
    "medicationDispenses",
    "allergies",
    "conditions",
    "observations",
    "familyHistory",
    "glucose",
    "serviceRequests",
    "procedures",
    "diagnosticReports",
}
DRUGS = [
    *("haloperidol", "haloperidol decanoate", "droperidol", "metoclopramide", "prochlorperazine", "promethazine"),
    *("olanzapine", "risperidone", "aripiprazole", "quetiapine", "chlorpromazine", "ondansetron"),
    *("calcium carbonate", "benztropine", "amoxicillin"),
]

# Another choice that a story tells the visitor to try -> what it then shows.
OTHERWISE = {
    ("ivo-ersatz", ("calcium-carbonate", "magnesium-oxide")): None,
    ("konrad-paradigm", ("quetiapine-po",)): None,
    ("clara-fictiva", ("ondansetron-po",)): None,
    ("zoe-unmeasured", ("hypertension",)): None,
}

each_patient = pytest.mark.parametrize("sample", PATIENTS, ids=lambda sample: sample.id)
each_order = pytest.mark.parametrize("order", ORDERS, ids=lambda order: order.id)


def resources(record: dict[str, Any]) -> Iterator[dict[str, Any]]:
    for value in record.values():
        entries = value.get("entry", []) if value["resourceType"] == "Bundle" else [{"resource": value}]
        yield from (entry["resource"] for entry in entries)


def test_enough_to_choose_from() -> None:
    assert len(PATIENTS) >= 8
    assert len(ORDERS) >= 20
    assert len({order.id for order in ORDERS}) == len(ORDERS)
    assert len({sample.id for sample in PATIENTS}) == len(PATIENTS)
    assert {drug for drug in DRUGS if not any(order.name.lower().startswith(drug) for order in ORDERS)} == set()


@each_order
def test_an_order_becomes_a_valid_draft(order: SampleOrder) -> None:
    assert "subject" not in order.resource
    draft = {
        **order.resource,
        "id": "draft-1",
        "status": "draft",
        "intent": "order",
        "subject": {"reference": "Patient/p"},
    }
    get_fhir_model_class("MedicationRequest").model_validate(draft)
    dosage = order.resource["dosageInstruction"][0]
    assert dosage["doseAndRate"][0]["doseQuantity"]["unit"] == "mg"
    assert dosage["timing"]["repeat"]
    assert dosage["route"]


@each_patient
def test_a_patient_has_every_prefetch_key(sample: SamplePatient) -> None:
    record = built(sample)
    assert set(record) - {"encounter"} == KEYS
    assert record["patient"]["id"] == sample.id
    for bundle in (value for value in record.values() if value["resourceType"] == "Bundle"):
        assert bundle["type"] == "searchset"
        assert bundle["total"] == len(bundle.get("entry", []))
        assert bundle.get("entry") != []


@each_patient
def test_a_record_is_valid_and_about_one_person(sample: SamplePatient) -> None:
    found = list(resources(built(sample)))
    for resource in found:
        get_fhir_model_class(resource["resourceType"]).model_validate(resource)
        if resource["resourceType"] not in {"Patient", "OperationOutcome"}:
            owner = resource.get("subject") or resource["patient"]
            assert owner == {"reference": f"Patient/{sample.id}"}
    assert len({(resource["resourceType"], resource.get("id")) for resource in found}) == len(found)


@each_patient
def test_what_a_patient_offers_exists_and_suits_its_hook(sample: SamplePatient) -> None:
    for field, ids in offers(sample).items():
        known = {order.id for order in ORDERS if field in order.fields} | {one.id for one in CONDITIONS}
        assert set(ids) <= known
    taken = service_of(sample).context_bundles
    assert all(offers(sample)[field] for field in taken)
    assert sample.name
    assert sample.story
    assert sample.shows


@each_patient
def test_a_patient_shows_what_it_promises(sample: SamplePatient) -> None:
    expected = EXPECTED[sample.id]
    answer = fired(sample)
    assert leading(answer) == ([expected] if expected else [])
    level = expected[0] if expected else "no card"
    assert sample.shows.lower().startswith((level, "a card" if expected else "no card"))


@pytest.mark.parametrize(("key", "chosen"), OTHERWISE)
def test_the_other_choice_that_a_story_tells_of(key: str, chosen: tuple[str, ...]) -> None:
    sample = next(sample for sample in PATIENTS if sample.id == key)
    expected = OTHERWISE[key, chosen]
    assert leading(fired(sample, chosen)) == ([expected] if expected else [])


def test_every_hook_has_a_patient_and_every_patient_an_expectation() -> None:
    assert {sample.hook for sample in PATIENTS} == {service.hook for service in plugin().services}
    assert {sample.id for sample in PATIENTS} == set(EXPECTED)


def test_a_reaction_entered_after_a_drug_can_be_recorded() -> None:
    (card,) = fired(next(sample for sample in PATIENTS if sample.id == "yannick-twister")).cards
    drafts = [action["resource"] for one in card["suggestions"] for action in one.get("actions", ())]
    assert "AllergyIntolerance" in {draft["resourceType"] for draft in drafts}


@pytest.mark.parametrize("problem", CONDITIONS, ids=lambda problem: problem.id)
def test_a_problem_becomes_a_valid_condition(problem: SampleCondition) -> None:
    assert "subject" not in problem.resource
    get_fhir_model_class("Condition").model_validate({**problem.resource, "subject": {"reference": "Patient/p"}})


@each_patient
@pytest.mark.parametrize("later", [timedelta(0), timedelta(days=1), timedelta(days=400), timedelta(days=3653)])
def test_the_age_told_is_the_age_on_any_day(sample: SamplePatient, later: timedelta) -> None:
    now = NOW + later
    born = datetime.fromisoformat(built(sample, now)["patient"]["birthDate"]).date()
    years = now.year - born.year - ((now.month, now.day) < (born.month, born.day))
    told = sample.name.split(", ")[1]
    months = (now.year - born.year) * 12 + now.month - born.month - (now.day < born.day)
    assert told == (f"{months} months" if years < 2 else str(years))
    assert built(sample, now)["patient"]["gender"] == sample.name.rsplit(", ", 1)[1]


@each_patient
def test_nothing_lies_in_the_future(sample: SamplePatient) -> None:
    for resource in resources(built(sample)):
        for key in ("effectiveDateTime", "recordedDate", "authoredOn", "whenHandedOver"):
            if key in resource:
                assert datetime.fromisoformat(resource[key]) <= NOW
