"""The invented patients and orders of the try-it page: complete, valid FHIR, and true to their stories on any day."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from fhir.resources.R4B import get_fhir_model_class

from plugin.samples import ORDERS, PATIENTS, SampleOrder, SamplePatient

NOW = datetime(2028, 2, 29, 23, 59, 30, tzinfo=UTC)
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
}
DRUGS = [
    *("haloperidol", "haloperidol decanoate", "droperidol", "metoclopramide", "prochlorperazine", "promethazine"),
    *("olanzapine", "risperidone", "aripiprazole", "quetiapine", "chlorpromazine", "ondansetron"),
    *("calcium carbonate", "benztropine", "amoxicillin"),
]

each_patient = pytest.mark.parametrize("sample", PATIENTS, ids=lambda sample: sample.id)
each_order = pytest.mark.parametrize("order", ORDERS, ids=lambda order: order.id)


def resources(record: dict[str, Any]) -> Iterator[dict[str, Any]]:
    for value in record.values():
        entries = value.get("entry", []) if value["resourceType"] == "Bundle" else [{"resource": value}]
        yield from (entry["resource"] for entry in entries)


def built(sample: SamplePatient, now: datetime = NOW) -> dict[str, Any]:
    return dict(sample.build(now))


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
def test_the_orders_offered_exist(sample: SamplePatient) -> None:
    assert set(sample.orders) <= {order.id for order in ORDERS}
    assert sample.orders or sample.hook == "patient-view"
    assert sample.name
    assert sample.story
    assert sample.shows


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
