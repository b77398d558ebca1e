"""Calls in which some of the data are someone else's, in every spelling of a reference to an owner."""

from __future__ import annotations

from collections.abc import Iterator
from copy import deepcopy
from random import Random
from typing import Any

from tests.properties.patients import invented
from tests.support.fhir import LOINC, RXNORM, UCUM, at, concept

Json = dict[str, Any]

SERVER = "https://ehr.example/r4"
OTHER = "p2"
MINE, THEIRS = {"system": "urn:mrn", "value": "77"}, {"system": "urn:mrn", "value": "78"}
URN = "urn:uuid:0f4f1a3c-0000-4000-8000-00000000000a"
PATIENT_NAMED = ("AllergyIntolerance", "FamilyMemberHistory")
"""The types whose owner is named ``patient`` and not ``subject``."""


def _contained(*identifiers: Json, id: str = "pt") -> Json:
    return {
        "contained": [{"resourceType": "Patient", "id": "pt", "identifier": list(identifiers), "link": [{"type": "x"}]}]
    }


# What the Reference says, and what else the resource then holds.
FOREIGN: tuple[tuple[Json, Json], ...] = (
    ({"reference": f"Patient/{OTHER}"}, {}),
    ({"reference": f"Patient/{OTHER}/_history/1"}, {}),
    ({"reference": f"Patient/{OTHER}/_history/p1"}, {}),
    ({"reference": f"{SERVER}/Patient/{OTHER}"}, {}),
    ({"reference": f"{SERVER}/Patient/{OTHER}/_history/2"}, {}),
    ({"reference": "https://elsewhere.example/r4/Patient/p1"}, {}),
    ({"reference": "https://elsewhere.example/r4/Patient/p1/_history/1"}, {}),
    ({"reference": f"{SERVER}/Patient/{OTHER}#Patient/p1"}, {}),
    ({"reference": f"{SERVER}/Patient/p1?x=Patient/p1"}, {}),
    ({"reference": "urn:uuid:0f4f1a3c-0000-4000-8000-00000000000b"}, {}),
    ({"reference": "urn:oid:1.2.3"}, {}),
    ({"reference": "#pt"}, _contained(THEIRS)),
    ({"reference": "#pt"}, _contained()),
    ({"reference": "#nobody"}, _contained(MINE)),
    ({"identifier": THEIRS}, {}),
    ({"identifier": {"value": "77"}}, {}),
    ({"identifier": MINE, "type": "Group"}, {}),
    ({"reference": f"Patient/{OTHER}", "identifier": MINE}, {}),
    ({"reference": f"Patient/{OTHER}", "display": "Patient/p1"}, {}),
    ({"type": "Patient", "display": "Somebody else"}, {}),
    ({"reference": "Patient/p3"}, {}),
    ({"reference": "Group/p1"}, {}),
    ({"reference": "Patient/P1"}, {}),
    ({"reference": "Patient/p11"}, {}),
    ({"reference": "p1"}, {}),
    ({"reference": " Patient/p1"}, {}),
    ({"reference": "Patient/p1/"}, {}),
    ({"reference": "Patient%2Fp1"}, {}),
    ({"reference": "\u202ePatient/p1"}, {}),
    ({"reference": "Ρatient/p1"}, {}),
)


def entries(call: Json) -> Iterator[tuple[str, Json]]:
    """The entries of every prefetched Bundle, with the key that holds it."""
    for key, value in call["prefetch"].items():
        if isinstance(value, dict) and value.get("resourceType") == "Bundle":
            yield from ((key, entry) for entry in value.get("entry", ()) if "resource" in entry)


def loud(dice: Random) -> Json:
    """A resource that no rule could overlook if it were the patient's."""
    quantity = {"value": 0.7, "unit": "mmol/L", "system": UCUM, "code": "mmol/L"}
    result = {
        "resourceType": "Observation",
        "status": "final",
        "effectiveDateTime": at("3h"),
        "valueQuantity": quantity,
    }
    drug = {"resourceType": "MedicationRequest", "status": "active", "intent": "order", "authoredOn": at("2d")}
    problem = {
        "resourceType": "Condition",
        "clinicalStatus": {"coding": [{"code": "active"}]},
        "onsetDateTime": at("5d"),
    }
    found: tuple[Json, ...] = (
        {**result, "code": concept(LOINC, "1994-3")},
        {**result, "code": concept(LOINC, "17861-6")},
        {**result, "code": concept(LOINC, "19123-9")},
        {**drug, "medicationCodeableConcept": concept(RXNORM, "6915")},
        {**drug, "medicationCodeableConcept": concept(RXNORM, "5093")},
        {**problem, "code": {"text": "Parkinson's disease"}},
        {**problem, "code": {"text": "Hypoparathyroidism"}},
        {**problem, "code": {"text": "Acute dystonia due to drugs"}},
    )
    return deepcopy(dice.choice(found))


KEYS = {"Observation": "observations", "MedicationRequest": "medications", "Condition": "conditions"}


def mixed(seed: int) -> tuple[Json, Json, Json]:
    """A call with foreign data that would matter; the same with those emptied of all values; and as the patient's own.

    Answers to the first two may not differ. That the third differs shows that the data do matter.
    """
    dice = Random(seed)
    own = invented(dice)
    _prepare(own, dice)
    found = list(entries(own))
    moved = dice.sample(range(len(found)), dice.randint(1, len(found)))
    foreign, empty = deepcopy(own), deepcopy(own)
    theirs, hollow = list(entries(foreign)), list(entries(empty))
    for place in moved:
        owner, more = dice.choice(FOREIGN)
        _give(theirs[place][1], place, owner, more, keep=True)
        _give(hollow[place][1], place, owner, more, keep=False)
    return foreign, empty, own


def _prepare(call: Json, dice: Random) -> None:
    """Adds a few loud resources, an address of the server, and an identifier and a fullUrl of the patient."""
    call["fhirServer"] = SERVER
    for number in range(dice.randint(1, 4)):
        resource = loud(dice) | {"id": f"loud-{number}", "subject": {"reference": "Patient/p1"}}
        bundle = call["prefetch"].get(KEYS[resource["resourceType"]])
        if isinstance(bundle, dict) and bundle.get("resourceType") == "Bundle":
            bundle.setdefault("entry", []).append({"resource": resource})
            if "total" in bundle:
                bundle["total"] = len(bundle["entry"])
    person = call["prefetch"].get("patient")
    if isinstance(person, dict):
        person["identifier"] = [MINE]
        # A link that says nothing of the same person, and one of the same person that is none of the others.
        person["link"] = [
            {"type": "refer", "other": {"reference": "Patient/p3"}},
            {"type": "replaces", "other": {"reference": "Patient/p4"}},
        ]


def _give(entry: Json, place: int, owner: Json, more: Json, *, keep: bool) -> None:
    """Makes the resource of an entry someone else's; without ``keep`` nothing but its type and owner is left."""
    resource = entry["resource"]
    usual = resource["resourceType"] in PATIENT_NAMED
    element = "patient" if usual ^ (place % 7 == 0) else "subject"  # the odd one names it by the other's element
    kept = {name: value for name, value in resource.items() if name not in ("subject", "patient")} if keep else {}
    told = {
        "resourceType": resource["resourceType"],
        "id": f"foreign-{place}",
        element: deepcopy(owner),
        **deepcopy(more),
    }
    entry["resource"] = kept | told
