"""Invented order-sign calls of three sizes, as dense as an EHR sends them, the same for the same moment.

The patient is a 22-year-old man with ordinary drugs, diagnoses and normal results, and a draft of haloperidol IM, so
that the service has everything to read and one card to answer.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from random import Random
from typing import Any, TypeVar
from uuid import uuid4

from benchmarks.catalogue import DIAGNOSES, DRUGS, LABS, Diagnosis, Drug, Lab

Json = dict[str, Any]

PATH = "/cds-services/dystonia-order-sign"
HOOK_INSTANCE = "00000000-0000-4000-8000-000000000000"
PATIENT_ID = "bench-p000000"
PATIENT = f"Patient/{PATIENT_ID}"
ENCOUNTER = "Encounter/bench-e1"
PRACTITIONER = "Practitioner/bench-u1"
RXNORM = "http://www.nlm.nih.gov/research/umls/rxnorm"
SNOMED = "http://snomed.info/sct"
ICD10 = "http://hl7.org/fhir/sid/icd-10-cm"
LOINC = "http://loinc.org"
UCUM = "http://unitsofmeasure.org"
HL7 = "http://terminology.hl7.org/CodeSystem"
NAMESPACE = "urn:oid:2.16.840.1.113883.19.5"
SERVER = "https://ehr.example/r4"


@dataclass(frozen=True, slots=True)
class Shape:
    """How many resources a call holds and how many bytes come of it (within a tenth)."""

    name: str
    size: int
    drugs: int
    observations: int
    conditions: int


SHAPES = {
    shape.name: shape
    for shape in (
        Shape("5KB", 5_000, drugs=0, observations=1, conditions=1),
        Shape("60KB", 60_000, drugs=10, observations=30, conditions=20),
        Shape("1.2MB", 1_200_000, drugs=100, observations=1_000, conditions=50),
    )
}


def payload(name: str, now: datetime | None = None) -> bytes:
    """The body of the call ``name`` (``5KB``, ``60KB`` or ``1.2MB``) with dates relative to ``now``."""
    moment = (now or datetime.now(UTC)).replace(microsecond=0)
    return json.dumps(call(SHAPES[name], moment), separators=(",", ":")).encode()


class Template:
    """A call that is sent again and again: as another one each time, and about another patient when it is time."""

    def __init__(self, body: bytes) -> None:
        self._head, _, rest = body.partition(HOOK_INSTANCE.encode())
        self._rest = rest.split(PATIENT_ID.encode())

    def parts(self, patient: int) -> tuple[bytes, bytes, bytes]:
        """The call with a ``hookInstance`` of its own about the patient of that number, as long as the body given."""
        return self._head, str(uuid4()).encode(), (b"bench-p%06d" % patient).join(self._rest)


def call(shape: Shape, now: datetime) -> Json:
    """One ``order-sign`` call with every prefetch key, as JSON-ready data."""
    return {
        "hook": "order-sign",
        "hookInstance": HOOK_INSTANCE,
        "context": {
            "userId": PRACTITIONER,
            "patientId": PATIENT_ID,
            "encounterId": ENCOUNTER.partition("/")[2],
            "draftOrders": {"resourceType": "Bundle", "type": "collection", "entry": [{"resource": draft(now)}]},
        },
        "prefetch": prefetch(shape, now),
    }


def prefetch(shape: Shape, now: datetime) -> Json:
    random = Random(shape.size)
    return {
        "patient": patient(now),
        "encounter": encounter(now),
        "medications": searchset(spread(medication, DRUGS, shape.drugs, now, random)),
        "medicationStatements": searchset(()),
        "medicationAdministrations": searchset(()),
        "medicationDispenses": searchset(()),
        "allergies": searchset(()),
        "conditions": searchset(spread(condition, DIAGNOSES, shape.conditions, now, random)),
        "observations": searchset(observations(shape.observations, now, random)),
        "familyHistory": searchset(()),
    }


Source = TypeVar("Source")


def spread(
    build: Callable[[int, Source, datetime], Json], source: Sequence[Source], count: int, now: datetime, random: Random
) -> Iterable[Json]:
    """``count`` resources built from ``source`` in turn, begun on any of the last 300 days."""
    for index in range(count):
        yield build(index, source[index % len(source)], now - timedelta(days=random.randint(1, 299)))


def observations(count: int, now: datetime, random: Random) -> Iterable[Json]:
    """Panels of one draw each, the newest two hours old, the oldest almost 300 days."""
    panels = -(-count // len(LABS))
    for index in range(count):
        taken = now - timedelta(hours=2) - timedelta(days=300) * (index // len(LABS)) / panels
        lab = LABS[index % len(LABS)]
        yield observation(index, lab, lab.low + (lab.high - lab.low) * random.uniform(0.2, 0.8), taken)


def searchset(resources: Iterable[Json]) -> Json:
    """A complete search answer: ``total`` entries and no further page."""
    entries = [{"fullUrl": f"{SERVER}/{one['resourceType']}/{one['id']}", "resource": one} for one in resources]
    bundle: Json = {"resourceType": "Bundle", "type": "searchset", "total": len(entries)}
    return bundle | {"entry": entries} if entries else bundle


def patient(now: datetime) -> Json:
    born = now - timedelta(days=22 * 365.25 + 100)
    return {
        "resourceType": "Patient",
        "id": PATIENT_ID,
        "meta": meta(now - timedelta(days=40)),
        "identifier": [
            {
                "use": "usual",
                "type": concept(f"{HL7}/v2-0203", "MR", "Medical record number"),
                "system": f"{NAMESPACE}.1",
                "value": "B-1000001",
            }
        ],
        "active": True,
        "name": [{"use": "official", "text": "Ben Chmark", "family": "Chmark", "given": ["Ben"]}],
        "gender": "male",
        "birthDate": born.date().isoformat(),
        "deceasedBoolean": False,
        "communication": [{"language": concept("urn:ietf:bcp:47", "en", "English"), "preferred": True}],
    }


def encounter(now: datetime) -> Json:
    return {
        "resourceType": "Encounter",
        "id": ENCOUNTER.partition("/")[2],
        "meta": meta(now - timedelta(hours=3)),
        "status": "in-progress",
        "class": coding(f"{HL7}/v3-ActCode", "EMER", "emergency"),
        "subject": reference(PATIENT),
        "period": {"start": stamp(now - timedelta(hours=3))},
    }


def draft(now: datetime) -> Json:
    """Haloperidol 5 mg into a muscle, not yet signed."""
    text = "haloperidol 5 MG/ML Injectable Solution"
    return {
        "resourceType": "MedicationRequest",
        "id": "draft-1",
        "status": "draft",
        "intent": "order",
        "priority": "urgent",
        "category": [coded(f"{HL7}/medicationrequest-category", "inpatient", "Inpatient")],
        "medicationCodeableConcept": concept(RXNORM, "204416", text),
        "subject": reference(PATIENT),
        "encounter": reference(ENCOUNTER),
        "authoredOn": stamp(now),
        "requester": reference(PRACTITIONER, "Order, Anna, MD"),
        "dosageInstruction": [dosage("5 mg IM every 6 hours", 5, "mg", ("78421000", "Intramuscular route"), 6, "h")],
    }


def medication(index: int, drug: Drug, start: datetime) -> Json:
    """An order of an ordinary drug; one in three is still taken."""
    return {
        "resourceType": "MedicationRequest",
        "id": f"bench-mr-{index}",
        "meta": meta(start),
        "identifier": [identifier(2, index)],
        "status": "completed" if index % 3 else "active",
        "intent": "order",
        "category": [coded(f"{HL7}/medicationrequest-category", "community", "Community")],
        "medicationCodeableConcept": concept(RXNORM, drug.code, drug.text),
        "subject": reference(PATIENT),
        "authoredOn": stamp(start),
        "requester": reference(PRACTITIONER),
        "dosageInstruction": [dosage(drug.sig, drug.dose, drug.unit, ("26643006", "Oral route"), 1, "d")],
        "dispenseRequest": {"numberOfRepeatsAllowed": 2, "quantity": quantity(30, "tablet", "{tbl}")},
    }


def dosage(text: str, dose: float, unit: str, route: tuple[str, str], period: int, period_unit: str) -> Json:
    return {
        "text": text,
        "timing": {"repeat": {"frequency": 1, "period": period, "periodUnit": period_unit}},
        "asNeededBoolean": False,
        "route": concept(SNOMED, *route),
        "doseAndRate": [{"doseQuantity": quantity(dose, unit, unit)}],
    }


def condition(index: int, diagnosis: Diagnosis, start: datetime) -> Json:
    return {
        "resourceType": "Condition",
        "id": f"bench-c-{index}",
        "meta": meta(start),
        "clinicalStatus": coded(f"{HL7}/condition-clinical", "active", "Active"),
        "verificationStatus": coded(f"{HL7}/condition-ver-status", "confirmed", "Confirmed"),
        "category": [coded(f"{HL7}/condition-category", "problem-list-item", "Problem List Item")],
        "code": concept(ICD10, diagnosis.icd10, diagnosis.text),
        "subject": reference(PATIENT),
        "onsetDateTime": start.date().isoformat(),
    }


def observation(index: int, lab: Lab, value: float, taken: datetime) -> Json:
    return {
        "resourceType": "Observation",
        "id": f"bench-o-{index}",
        "meta": meta(taken),
        "identifier": [identifier(3, index)],
        "status": "final",
        "category": [coded(f"{HL7}/observation-category", "laboratory", "Laboratory")],
        "code": coded(LOINC, lab.code, lab.display) | {"text": lab.text},
        "subject": reference(PATIENT),
        "effectiveDateTime": stamp(taken),
        "performer": [reference("Organization/bench-lab")],
        "valueQuantity": quantity(round(value, lab.digits), lab.unit, lab.unit),
        "interpretation": [coded(f"{HL7}/v3-ObservationInterpretation", "N", "Normal")],
        "referenceRange": [
            {
                "low": {"value": lab.low, "unit": lab.unit},
                "high": {"value": lab.high, "unit": lab.unit},
            }
        ],
    }


def meta(updated: datetime) -> Json:
    return {"lastUpdated": stamp(updated)}


def identifier(kind: int, index: int) -> Json:
    return {"system": f"{NAMESPACE}.{kind}", "value": str(700_000_000 + index)}


def coded(system: str, code: str, display: str) -> Json:
    """A status or category: a coding without text."""
    return {"coding": [coding(system, code, display)]}


def concept(system: str, code: str, text: str) -> Json:
    return {"coding": [coding(system, code, text)], "text": text}


def coding(system: str, code: str, display: str) -> Json:
    return {"system": system, "code": code, "display": display}


def reference(target: str, display: str = "") -> Json:
    return {"reference": target, "display": display} if display else {"reference": target}


def quantity(value: float, unit: str, code: str) -> Json:
    return {"value": value, "unit": unit, "system": UCUM, "code": code}


def stamp(moment: datetime) -> str:
    return moment.isoformat(timespec="seconds")
