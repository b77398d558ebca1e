"""Options of findings -> CDS Hooks suggestions with draft FHIR R4 resources. Drafts only, never a dose for a child."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any
from uuid import UUID, uuid5

import msgspec

from plugin.alternatives import allowed, cover_dose_filled, cover_withheld
from plugin.rule import Case, Option
from valuesets import Ingredient, Terminology, load

RXNORM = "http://www.nlm.nih.gov/research/umls/rxnorm"
_UCUM = "http://unitsofmeasure.org"
_MOST_ALTERNATIVES = 2
_ANALYTE_WORDS = {
    "calcium-ionised": "ionised calcium",
    "albumin": "albumin",
    "magnesium": "magnesium",
}

Suggestion = dict[str, Any]


class Originals:
    """Existing resources of the call, whole, for the rare suggestion that must give one back; parsed when asked for."""

    def __init__(self, body: bytes) -> None:
        """``body`` is the request as it came."""
        self._body = body
        self._found: dict[str, dict[str, Any]] | None = None

    def get(self, reference: str) -> dict[str, Any] | None:
        """The resource with this reference (``MedicationRequest/m1``), or None."""
        if self._found is None:
            self._found = dict(_entries(msgspec.json.decode(self._body))) if self._body else {}
        return self._found.get(reference)


def _entries(call: Mapping[str, Any]) -> list[tuple[str, dict[str, Any]]]:
    bundles = [value for value in (call.get("prefetch") or {}).values() if isinstance(value, dict)]
    resources = [
        entry.get("resource") for bundle in bundles for entry in bundle.get("entry") or () if isinstance(entry, dict)
    ]
    known = [resource for resource in resources if isinstance(resource, dict)]
    return [(f"{resource.get('resourceType')}/{resource.get('id')}", resource) for resource in known]


class Builder:
    """Builds the suggestions of one card, and the sentences about what is not offered."""

    def __init__(
        self, case: Case, card: UUID, originals: Originals, orderable: Mapping[str, Mapping[str, str]]
    ) -> None:
        """``orderable`` maps analyte to the LOINC coding to order it by."""
        self.case = case
        self.card = card
        self.originals = originals
        self.orderable = orderable
        self.notes: list[str] = []
        self.found: list[Suggestion] = []

    def add(self, options: tuple[Option, ...]) -> None:
        """Add what the options of one finding allow for this patient, skipping what is there already."""
        for option in options:
            _BUILDERS[option.kind](self, option)

    def _put(self, label: str, *actions: dict[str, Any]) -> None:
        if any(known["label"] == label for known in self.found):
            return
        suggestion: Suggestion = {"label": label, "uuid": str(uuid5(self.card, label))}
        if actions:
            suggestion["actions"] = list(actions)
        self.found.append(suggestion)

    def _note(self, text: str) -> None:
        if text not in self.notes:
            self.notes.append(text)

    def advice(self, option: Option) -> None:
        """Words only."""
        self._put(option.label)

    def cover(self, option: Option) -> None:
        """Benztropine 1 mg twice daily for 7 days without refill for adults; in words for children; else withheld."""
        reason = cover_withheld(self.case)
        if reason:
            self._note(f"Anticholinergic cover not offered: {reason}.")
            return
        if not cover_dose_filled(self.case):
            self._put("Consider short anticholinergic cover (dose left to the prescriber)")
            return
        drug = _ingredient(option.codes[0])
        label = f"Add {drug.name} 1 mg PO BID, 7 days, no refill"
        self._put(label, _create(label, _cover_order(self._medication_request(drug), drug)))

    def alternative(self, option: Option) -> None:
        """Change the draft to a drug with a lower tier; product, route and dose stay open."""
        candidates = [_ingredient(name) for name in option.codes]
        offered = [drug for drug in candidates if allowed(self.case, drug, option.tier)][:_MOST_ALTERNATIVES]
        order = self.case.order
        if not offered or order is None or not order.id:
            self._note("No pre-filled alternative.")
            return
        for drug in offered:
            label = f"Change to {drug.name} (dose left to the prescriber)"
            resource = {**self._medication_request(drug), "id": order.id}
            self._put(label, {"type": "update", "description": label, "resource": resource})

    def remove(self, option: Option) -> None:
        """Delete the draft."""
        order = self.case.order
        if order is not None and order.id:
            self._put(option.label, _delete(option.label, order.reference))

    def stop_other(self, option: Option) -> None:
        """End the other order: delete a draft, stop an order on record; anything else in words."""
        drafts = {e.reference for e in self.case.patient.exposures if e.draft}
        if option.reference in drafts and "/" in option.reference:
            self._put(option.label, _delete(option.label, option.reference))
            return
        whole = self.originals.get(option.reference) if option.reference.startswith("MedicationRequest/") else None
        if whole is None:
            self._put(option.label)
            return
        self._put(
            option.label, {"type": "update", "description": option.label, "resource": {**whole, "status": "stopped"}}
        )

    def labs(self, option: Option) -> None:
        """One ServiceRequest per analyte."""
        self._put(option.label, *(self._lab_order(analyte) for analyte in option.codes if analyte in self.orderable))

    def _lab_order(self, analyte: str) -> dict[str, Any]:
        words = _ANALYTE_WORDS.get(analyte, analyte)
        resource = {
            "resourceType": "ServiceRequest",
            "status": "draft",
            "intent": "order",
            "code": {"coding": [dict(self.orderable[analyte])], "text": words[:1].upper() + words[1:]},
            "subject": self._subject(),
            **self._encounter(),
        }
        return _create(f"Order {words}", resource)

    def magnesium(self, option: Option) -> None:
        """A magnesium draft without product and dose."""
        resource = {
            "resourceType": "MedicationRequest",
            "status": "draft",
            "intent": "order",
            "medicationCodeableConcept": {"text": "Magnesium (product, route and dose to be chosen)"},
            "subject": self._subject(),
            **self._encounter(),
        }
        self._put(option.label, _create(option.label, resource))

    def _subject(self) -> dict[str, str]:
        return {"reference": f"Patient/{self.case.patient.id}"}

    def _encounter(self) -> dict[str, dict[str, str]]:
        order = self.case.order
        return {"encounter": {"reference": order.encounter}} if order is not None and order.encounter else {}

    def _medication_request(self, drug: Ingredient) -> dict[str, Any]:
        return {
            "resourceType": "MedicationRequest",
            "status": "draft",
            "intent": "order",
            "medicationCodeableConcept": {
                "coding": [{"system": RXNORM, "code": drug.rxcui, "display": drug.name}],
                "text": drug.name,
            },
            "subject": self._subject(),
            **self._encounter(),
        }


_BUILDERS: dict[str, Callable[[Builder, Option], None]] = {
    "advice": Builder.advice,
    "cover": Builder.cover,
    "alternative": Builder.alternative,
    "remove": Builder.remove,
    "stop-other": Builder.stop_other,
    "labs": Builder.labs,
    "magnesium": Builder.magnesium,
}


def _terminology() -> Terminology:
    return load()


def _ingredient(name: str) -> Ingredient:
    found = _terminology().ingredient(name)
    if found is None:
        raise LookupError(f"The value sets hold no ingredient named {name!r}: a suggestion cannot be built.")
    return found


def _create(description: str, resource: dict[str, Any]) -> dict[str, Any]:
    return {"type": "create", "description": description, "resource": resource}


def _delete(description: str, reference: str) -> dict[str, Any]:
    return {"type": "delete", "description": description, "resourceId": reference}


def _cover_order(base: dict[str, Any], drug: Ingredient) -> dict[str, Any]:
    """B11, B15: prophylaxis is for days, so the draft ends by itself and has no refill."""
    milligram = {"unit": "mg", "system": _UCUM, "code": "mg"}
    days = {"value": 7, "unit": "d", "system": _UCUM, "code": "d"}
    dosage = {
        "text": "1 mg by mouth twice daily for 7 days",
        "timing": {"repeat": {"boundsDuration": days, "frequency": 2, "period": 1, "periodUnit": "d"}},
        "asNeededBoolean": False,
        "doseAndRate": [{"doseQuantity": {"value": 1, **milligram}}],
    }
    return {
        **base,
        "medicationCodeableConcept": {
            "coding": [{"system": RXNORM, "code": drug.rxcui, "display": drug.name}],
            "text": f"{drug.name} 1 mg oral tablet",
        },
        "dosageInstruction": [dosage],
        "dispenseRequest": {"numberOfRepeatsAllowed": 0, "expectedSupplyDuration": days},
    }
