"""Which Medication resources have to be there for a drug to have a name."""

from __future__ import annotations

from typing import Any

import msgspec
import pytest

from plugin.fhir.references import references
from plugin.fhir.types import AnyResource

Json = dict[str, Any]
M1 = {"reference": "Medication/m1"}
NAMED = {"text": "haloperidol"}

# resource -> the references that it cannot do without
RESOURCES: list[tuple[str, Json, list[str]]] = [
    ("a request", {"resourceType": "MedicationRequest", "medicationReference": M1}, ["Medication/m1"]),
    ("a statement", {"resourceType": "MedicationStatement", "medicationReference": M1}, ["Medication/m1"]),
    ("an administration", {"resourceType": "MedicationAdministration", "medicationReference": M1}, ["Medication/m1"]),
    ("a dispense", {"resourceType": "MedicationDispense", "medicationReference": M1}, ["Medication/m1"]),
    ("R5", {"resourceType": "MedicationRequest", "medication": {"reference": M1}}, ["Medication/m1"]),
    ("R5 with a concept", {"resourceType": "MedicationRequest", "medication": {"concept": NAMED}}, []),
    ("R5 of a wrong shape", {"resourceType": "MedicationRequest", "medication": "x"}, []),
    (
        "with a display",
        {"resourceType": "MedicationRequest", "medicationReference": M1 | {"display": "haloperidol"}},
        ["Medication/m1"],
    ),
    (
        "absolute",
        {"resourceType": "MedicationRequest", "medicationReference": {"reference": "https://ehr.example/Medication/1"}},
        ["https://ehr.example/Medication/1"],
    ),
    ("contained", {"resourceType": "MedicationRequest", "medicationReference": {"reference": "#m"}}, []),
    ("a display alone", {"resourceType": "MedicationRequest", "medicationReference": {"display": "haloperidol"}}, []),
    ("a concept", {"resourceType": "MedicationRequest", "medicationCodeableConcept": NAMED}, []),
    (
        "a concept beside it",
        {"resourceType": "MedicationRequest", "medicationCodeableConcept": NAMED, "medicationReference": M1},
        [],
    ),
    ("no drug", {"resourceType": "MedicationRequest"}, []),
    ("another type", {"resourceType": "Observation", "medicationReference": M1}, []),
]


@pytest.mark.parametrize(("resource", "found"), [row[1:] for row in RESOURCES], ids=[row[0] for row in RESOURCES])
def test_what_a_drug_refers_to(resource: Json, found: list[str]) -> None:
    decoded: Any = msgspec.json.decode(msgspec.json.encode(resource), type=AnyResource)
    assert list(references([decoded])) == found
