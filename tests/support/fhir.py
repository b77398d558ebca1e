"""Invented FHIR R4 resources in few words. Times are given relative to NOW: "3h", "2d", or an ISO date."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

Json = dict[str, Any]

NOW = datetime(2026, 11, 22, 10, 0, tzinfo=UTC)
PATIENT = "p1"
RXNORM = "http://www.nlm.nih.gov/research/umls/rxnorm"
LOINC = "http://loinc.org"
SNOMED = "http://snomed.info/sct"
ICD10CM = "http://hl7.org/fhir/sid/icd-10-cm"
UCUM = "http://unitsofmeasure.org"

ROUTES = {"IM": "78421000", "IV": "47625008", "SC": "34206005"}
# Ingredient codes, as in valuesets/.
DRUGS = {
    "haloperidol": "5093",
    "fluphenazine": "4496",
    "droperidol": "3648",
    "metoclopramide": "6915",
    "prochlorperazine": "8704",
    "promethazine": "8745",
    "chlorpromazine": "2403",
    "risperidone": "35636",
    "olanzapine": "61381",
    "quetiapine": "51272",
    "aripiprazole": "89013",
    "clozapine": "2626",
    "ondansetron": "26225",
    "benztropine": "1424",
    "diphenhydramine": "3498",
    "trihexyphenidyl": "10811",
    "paroxetine": "32937",
    "sertraline": "36437",
    "thioridazine": "10502",
    "perphenazine": "8076",
    "ziprasidone": "115698",
    "calcium carbonate": "1897",
    "cholecalciferol": "2418",
    "magnesium oxide": "6582",
    "omeprazole": "7646",
    "domperidone": "3626",
    "amoxapine": "722",
    "granisetron": "26237",
}
LABS = {
    "calcium": "17861-6",
    "calcium-sc": "2000-8",
    "corrected": "29265-6",
    "ionised": "1994-3",
    "albumin": "1751-7",
    "magnesium": "19123-9",
    "egfr": "33914-3",
    "tsh": "3016-3",
    "ft4": "14920-3",
    "ft3": "14928-6",
    "pth": "2731-8",
    "phosphate": "2777-1",
    "glucose": "2345-7",
    "weight": "29463-7",
}


# The field of the context that holds what a hook is about.
ABOUT = {
    "order-select": "draftOrders",
    "order-sign": "draftOrders",
    "medication-refill": "medications",
    "problem-list-item-create": "conditions",
}


def at(when: str, *, now: datetime = NOW) -> str:
    """An ISO moment: "3h" and "2d" ago, "-1d" ahead, or what is given."""
    if when and when[-1] in "hd" and when[:-1].lstrip("-").isdigit():
        unit = {"h": "hours", "d": "days"}[when[-1]]
        return (now - timedelta(**{unit: int(when[:-1])})).isoformat().replace("+00:00", "Z")
    return when


def day(days_ago: int) -> str:
    """A date without time."""
    return (NOW - timedelta(days=days_ago)).date().isoformat()


def concept(system: str, code: str, display: str = "", text: str = "") -> Json:
    """A CodeableConcept."""
    coding = {"system": system, "code": code, **({"display": display} if display else {})}
    return {"coding": [coding], **({"text": text} if text else {})}


def subject(patient: str = PATIENT) -> Json:
    """A reference to the patient."""
    return {"reference": f"Patient/{patient}"}


def patient(birth: str | None = "2004-03-01", gender: str | None = "male", **more: Any) -> Json:
    """A Patient."""
    found: Json = {"resourceType": "Patient", "id": PATIENT}
    if birth:
        found["birthDate"] = birth
    if gender:
        found["gender"] = gender
    return {**found, **more}


def medication(drug: str) -> Json:
    """A medication by ingredient code, or by text alone when it is not among DRUGS; "rxnorm:204416" for a product."""
    if drug.startswith("rxnorm:"):
        return {"coding": [{"system": RXNORM, "code": drug.removeprefix("rxnorm:")}]}
    if drug in DRUGS:
        return concept(RXNORM, DRUGS[drug], drug)
    return {"text": drug}


def dosage(
    mg: float | None = None,
    times: int | None = None,
    *,
    route: str = "",
    prn: bool = False,
    once: bool = False,
    days: int | None = None,
    unit: str = "mg",
) -> Json:
    """A dosage line: dose, times a day, route, as needed, once, bounded in days."""
    found: Json = {}
    repeat: Json = {}
    if mg is not None:
        found["doseAndRate"] = [{"doseQuantity": {"value": mg, "unit": unit, "system": UCUM, "code": unit}}]
    if times:
        repeat |= {"frequency": times, "period": 1, "periodUnit": "d"}
    if once:
        repeat["count"] = 1
    if days:
        repeat["boundsDuration"] = {"value": days, "unit": "d", "system": UCUM, "code": "d"}
    if repeat:
        found["timing"] = {"repeat": repeat}
    if route:
        found["route"] = concept(SNOMED, ROUTES[route], route)
    if prn:
        found["asNeededBoolean"] = True
    return found


def order(
    drug: str = "haloperidol",
    mg: float | None = None,
    times: int | None = None,
    *,
    id: str = "draft-1",
    status: str = "draft",
    more: Json | None = None,
    **dose: Any,
) -> Json:
    """A draft MedicationRequest."""
    line = dosage(mg, times, **dose)
    return {
        "resourceType": "MedicationRequest",
        "id": id,
        "status": status,
        "intent": "order",
        "subject": subject(),
        "medicationCodeableConcept": medication(drug),
        **({"dosageInstruction": [line]} if line else {}),
        **(more or {}),
    }


def taking(
    drug: str,
    since: str = "60d",
    mg: float | None = None,
    times: int | None = None,
    *,
    id: str = "m1",
    status: str = "active",
    more: Json | None = None,
    **dose: Any,
) -> Json:
    """A MedicationRequest on record."""
    found = order(drug, mg, times, id=id, status=status, **dose)
    return {**found, "authoredOn": at(since), **(more or {})}


def statement(drug: str, status: str = "active", since: str = "60d", *, id: str = "s1", **more: Any) -> Json:
    """A MedicationStatement."""
    return {
        "resourceType": "MedicationStatement",
        "id": id,
        "status": status,
        "subject": subject(),
        "medicationCodeableConcept": medication(drug),
        "effectivePeriod": {"start": at(since)},
        **more,
    }


def given(drug: str, when: str, *, id: str = "a1", status: str = "completed", text: str = "") -> Json:
    """A MedicationAdministration."""
    named = medication(text) if text else medication(drug)
    return {
        "resourceType": "MedicationAdministration",
        "id": id,
        "status": status,
        "subject": subject(),
        "medicationCodeableConcept": named,
        "effectiveDateTime": at(when),
    }


def dispensed(drug: str, when: str, days: int | None = None, *, id: str = "d1") -> Json:
    """A MedicationDispense."""
    supply = {"daysSupply": {"value": days, "unit": "d", "code": "d"}} if days is not None else {}
    return {
        "resourceType": "MedicationDispense",
        "id": id,
        "status": "completed",
        "subject": subject(),
        "medicationCodeableConcept": medication(drug),
        "whenHandedOver": at(when),
        **supply,
    }


def lab(
    name: str,
    value: Any,
    unit: str | None = "mmol/L",
    when: str | None = "3h",
    *,
    id: str = "",
    status: str = "final",
    low: float | None = None,
    low_unit: str | None = None,
    high: float | None = None,
    flag: str = "",
    comparator: str = "",
    **more: Any,
) -> Json:
    """A laboratory result."""
    quantity: Json = {"value": value}
    if unit:
        quantity |= {"unit": unit, "system": UCUM, "code": unit}
    if comparator:
        quantity["comparator"] = comparator
    found: Json = {
        "resourceType": "Observation",
        "id": id or f"{name}-1",
        "status": status,
        "subject": subject(),
        "code": concept(LOINC, LABS.get(name, name)),
        "valueQuantity": quantity,
    }
    if when:
        found["effectiveDateTime"] = at(when)
    if low is not None or high is not None:
        given_unit = {"unit": low_unit, "code": low_unit} if low_unit else {}
        ends = (("low", low), ("high", high))
        found["referenceRange"] = [{end: {"value": value, **given_unit} for end, value in ends if value is not None}]
    if flag:
        found["interpretation"] = [{"coding": [{"code": flag}]}]
    return {**found, **more}


def condition(
    code: str = "",
    *,
    text: str = "",
    clinical: str = "active",
    verification: str = "confirmed",
    onset: str = "",
    recorded: str = "",
    updated: str = "",
    id: str = "c1",
    system: str = ICD10CM,
) -> Json:
    """A Condition by ICD-10-CM code (or another system), or by words."""
    found: Json = {"resourceType": "Condition", "id": id, "subject": subject()}
    found["code"] = concept(system, code, text=text) if code else {"text": text}
    if clinical:
        found["clinicalStatus"] = {"coding": [{"code": clinical}]}
    if verification:
        found["verificationStatus"] = {"coding": [{"code": verification}]}
    if onset:
        found["onsetDateTime"] = at(onset)
    if recorded:
        found["recordedDate"] = at(recorded)
    if updated:
        found["meta"] = {"lastUpdated": at(updated)}
    return found


def allergy(
    drug: str,
    manifestation: Json | str | None = "Acute dystonia",
    *,
    clinical: str = "active",
    verification: str = "confirmed",
    when: str = "2024-03-02",
    id: str = "al1",
) -> Json:
    """An AllergyIntolerance; the manifestation is a concept, words, or none."""
    found: Json = {"resourceType": "AllergyIntolerance", "id": id, "patient": subject(), "code": medication(drug)}
    if clinical:
        found["clinicalStatus"] = {"coding": [{"code": clinical}]}
    if verification:
        found["verificationStatus"] = {"coding": [{"code": verification}]}
    if when:
        found["recordedDate"] = when
    if manifestation:
        shown = {"text": manifestation} if isinstance(manifestation, str) else manifestation
        found["reaction"] = [{"manifestation": [shown]}]
    return found


DYSTONIA = concept(SNOMED, "15802004", "Dystonia")


def family(text: str = "Dystonia") -> Json:
    """A FamilyMemberHistory."""
    return {
        "resourceType": "FamilyMemberHistory",
        "id": "f1",
        "status": "completed",
        "patient": subject(),
        "relationship": {"text": "mother"},
        "condition": [{"code": {"text": text}}],
    }


def referral(
    text: str, when: str | None = "30d", *, id: str = "sr1", status: str = "active", intent: str = "order", **more: Any
) -> Json:
    """A ServiceRequest in words."""
    found = {"resourceType": "ServiceRequest", "id": id, "status": status, "intent": intent, "code": {"text": text}}
    dated = {"authoredOn": at(when)} if when else {}
    return {**found, "subject": subject(), **dated, **more}


def encounter(kind: str = "IMP") -> Json:
    """A running Encounter."""
    return {
        "resourceType": "Encounter",
        "id": "e1",
        "status": "in-progress",
        "class": {"code": kind},
        "subject": subject(),
    }


def bundle(*resources: Json) -> Json:
    """A searchset."""
    found: Json = {"resourceType": "Bundle", "type": "searchset", "total": len(resources)}
    return {**found, "entry": [{"resource": resource} for resource in resources]} if resources else found


KEYS = {
    "MedicationRequest": "medications",
    "MedicationStatement": "medicationStatements",
    "MedicationAdministration": "medicationAdministrations",
    "MedicationDispense": "medicationDispenses",
    "AllergyIntolerance": "allergies",
    "Condition": "conditions",
    "Observation": "observations",
    "FamilyMemberHistory": "familyHistory",
    "Procedure": "procedures",
    "ServiceRequest": "serviceRequests",
    "DiagnosticReport": "diagnosticReports",
}


def prefetch(*resources: Json, without: tuple[str, ...] = (), **replaced: Any) -> Json:
    """All keys filled: each resource under its key, the others empty; ``without`` leaves keys out."""
    found: Json = {"patient": patient()}
    grouped: dict[str, list[Json]] = {key: [] for key in (*KEYS.values(), "glucose")}
    for resource in resources:
        kind = resource["resourceType"]
        if kind == "Patient":
            found["patient"] = resource
        elif kind == "Encounter":
            found["encounter"] = resource
        else:
            sugar = resource.get("code") == concept(LOINC, LABS["glucose"])
            grouped["glucose" if sugar else KEYS[kind]].append(resource)
    found |= {key: bundle(*members) for key, members in grouped.items()}
    found |= replaced
    return {key: value for key, value in found.items() if key not in without}


def call(
    orders: list[Json] | None,
    data: Json | None,
    hook: str = "order-sign",
    *,
    selections: list[str] | None = None,
    instance: str = "4f9a6b8e-1d8b-4a1e-9f0a-0b6c1c1d2e3f",
    **more: Any,
) -> Json:
    """A hook call; ``orders`` are the drafts, or the conditions that are being entered."""
    context: Json = {"userId": "Practitioner/u1", "patientId": PATIENT}
    if data is not None and "encounter" in data:
        context["encounterId"] = "e1"
    if hook in ABOUT:
        drafts = orders or []
        context[ABOUT[hook]] = {
            "resourceType": "Bundle",
            "type": "collection",
            "entry": [{"resource": draft} for draft in drafts],
        }
        if hook == "order-select":
            context["selections"] = (
                selections if selections is not None else [f"MedicationRequest/{d['id']}" for d in drafts]
            )
    found: Json = {"hook": hook, "hookInstance": instance, "context": context, **more}
    if data is not None:
        found["prefetch"] = data
    return found
