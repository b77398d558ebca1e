"""Writes the FHIR resources of one invented patient as they stand at one moment."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta

from plugin.samples.fhir_parts import TERMINOLOGY, Json
from valuesets.systems import UCUM

ENCOUNTER_CLASSES = {"IMP": "inpatient encounter", "EMER": "emergency"}


def status(system: str, code: str) -> Json:
    return {"coding": [{"system": f"{TERMINOLOGY}/{system}", "code": code}]}


@dataclass(frozen=True, slots=True)
class Chart:
    """Writes the resources of one patient as they stand at one moment."""

    id: str
    now: datetime

    @property
    def subject(self) -> Json:
        return {"reference": f"Patient/{self.id}"}

    def ago(self, *, days: float = 0, hours: float = 0) -> str:
        return (self.now - timedelta(days=days, hours=hours)).isoformat(timespec="seconds")

    def patient(self, given: str, family: str, gender: str, years: float) -> Json:
        born = self.now - timedelta(days=round(years * 365.2425) + 100)
        return {
            "resourceType": "Patient",
            "id": self.id,
            "name": [{"family": family, "given": [given]}],
            "gender": gender,
            "birthDate": born.date().isoformat(),
        }

    def encounter(self, kind: str, hours: float) -> Json:
        coding = {"system": f"{TERMINOLOGY}/v3-ActCode", "code": kind, "display": ENCOUNTER_CLASSES[kind]}
        return {
            "resourceType": "Encounter",
            "id": f"{self.id}-visit",
            "status": "in-progress",
            "class": coding,
            "subject": self.subject,
            "period": {"start": self.ago(hours=hours)},
        }

    def request(self, key: str, medication: Json, dose: Json, days: float) -> Json:
        return {
            "resourceType": "MedicationRequest",
            "id": f"{self.id}-{key}",
            "status": "active",
            "intent": "order",
            "medicationCodeableConcept": medication,
            "subject": self.subject,
            "authoredOn": self.ago(days=days),
            "dosageInstruction": [dose],
        }

    def dispense(self, key: str, medication: Json, days: float, supply: int) -> Json:
        return {
            "resourceType": "MedicationDispense",
            "id": f"{self.id}-{key}",
            "status": "completed",
            "medicationCodeableConcept": medication,
            "subject": self.subject,
            "daysSupply": {"value": supply, "unit": "days", "system": UCUM, "code": "d"},
            "whenHandedOver": self.ago(days=days),
        }

    def administration(self, key: str, medication: Json, hours: float) -> Json:
        return {
            "resourceType": "MedicationAdministration",
            "id": f"{self.id}-{key}",
            "status": "completed",
            "medicationCodeableConcept": medication,
            "subject": self.subject,
            "effectiveDateTime": self.ago(hours=hours),
        }

    def condition(self, key: str, code: Json, *, days: float = 0, hours: float = 0) -> Json:
        return {
            "resourceType": "Condition",
            "id": f"{self.id}-{key}",
            "clinicalStatus": status("condition-clinical", "active"),
            "verificationStatus": status("condition-ver-status", "confirmed"),
            "code": code,
            "subject": self.subject,
            "recordedDate": self.ago(days=days, hours=hours),
        }

    def reaction(self, key: str, substance: Json, manifestation: Json, days: float) -> Json:
        return {
            "resourceType": "AllergyIntolerance",
            "id": f"{self.id}-{key}",
            "clinicalStatus": status("allergyintolerance-clinical", "active"),
            "verificationStatus": status("allergyintolerance-verification", "confirmed"),
            "type": "intolerance",
            "code": substance,
            "patient": self.subject,
            "recordedDate": self.ago(days=days),
            "reaction": [{"manifestation": [manifestation], "onset": self.ago(days=days)}],
        }

    def result(self, key: str, code: Json, value: Json, hours: float, usual: tuple[float, float] | None = None) -> Json:
        """``usual`` is the laboratory's own range, in the unit of the value."""
        made: Json = {
            "resourceType": "Observation",
            "id": f"{self.id}-{key}",
            "status": "final",
            "category": [status("observation-category", "laboratory")],
            "code": code,
            "subject": self.subject,
            "effectiveDateTime": self.ago(hours=hours),
            "valueQuantity": value,
        }
        if usual is None:
            return made
        low, high = ({**value, "value": limit} for limit in usual)
        return {**made, "referenceRange": [{"low": low, "high": high}]}

    def said(self, key: str, name: str, words: str, days: float) -> Json:
        return {**self._told(key, name, days), "valueString": words}

    def lasting(self, key: str, name: str, seconds: float, days: float) -> Json:
        quantity = {"value": seconds, "unit": "s", "system": UCUM, "code": "s"}
        return {**self._told(key, name, days), "valueQuantity": quantity}

    def _told(self, key: str, name: str, days: float) -> Json:
        return {
            "resourceType": "Observation",
            "id": f"{self.id}-{key}",
            "status": "final",
            "code": {"text": name},
            "subject": self.subject,
            "effectiveDateTime": self.ago(days=days),
        }


def mmol_per_litre(value: float) -> Json:
    return {"value": value, "unit": "mmol/L", "system": UCUM, "code": "mmol/L"}


def ml_per_minute(value: float) -> Json:
    return {"value": value, "unit": "mL/min/1.73m2", "system": UCUM, "code": "mL/min/{1.73_m2}"}


def pmol_per_litre(value: float) -> Json:
    return {"value": value, "unit": "pmol/L", "system": UCUM, "code": "pmol/L"}
