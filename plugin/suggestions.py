"""Options of findings -> CDS Hooks suggestions with draft FHIR R4 resources. Drafts only, never a dose for a child."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from itertools import islice
from typing import Any

from plugin.alternatives import allowed, cover_dose_filled, cover_withheld
from plugin.changed_drafts import other_drug, reduced, shortened
from plugin.ids import uuid5, written
from plugin.originals import Originals
from plugin.rule import Case, Option
from plugin.vocabulary import terminology
from valuesets import Ingredient
from valuesets.systems import RXNORM, UCUM

_MOST_ALTERNATIVES = 2
_ANALYTE_WORDS = {
    "calcium": "total calcium",
    "calcium-ionised": "ionised calcium",
    "pth": "parathyroid hormone",
    "tsh": "thyrotropin (TSH)",
    "ft4": "free thyroxine (T4)",
}
# Drugs that a draft names without product and dose; more of them are more rows.
_UNDOSED = {
    "magnesium": "Magnesium supplement (product, route and dose to be chosen)",
    "calcium": "Calcium supplement (product, route and dose to be chosen)",
    "active-vitamin-d": "Active vitamin D (product, route and dose to be chosen)",
}
# Referrals, images and tests that a draft asks for in words; more of them are more rows.
_REQUESTS = {
    "endocrinology": "Referral to endocrinology",
    "genetics-22q11": "Genetic test for 22q11.2 deletion",
    "ct-head": "CT of the head (calcification of the basal ganglia)",
    "botulinum-assessment": "Referral for assessment of focal dystonia (botulinum toxin)",
    "dbs-assessment": "Referral for assessment of deep brain stimulation",
    "neurosurgery": "Referral to neurosurgery",
    "neurology": "Referral to neurology",
    "mri-brain": "MRI of the brain",
    "mri-spine": "MRI of the spine",
    "eeg": "Electroencephalogram (EEG)",
    "gastroenterology": "Referral to gastroenterology (assessment of gastroparesis)",
    "genetics-pkd": "Genetic panel for paroxysmal movement disorders, PRRT2 first",
}

Suggestion = dict[str, Any]


class Builder:
    """Builds the suggestions of one card, and the sentences about what is not offered."""

    def __init__(
        self,
        case: Case,
        card: bytes,
        originals: Originals,
        orderable: Mapping[str, Mapping[str, str]],
        origin: str = "",
    ) -> None:
        """``card`` is the card's uuid; ``orderable`` maps analyte to the LOINC coding to order it by.

        ``origin`` is the system of the identifiers that mark our own drafts (S-09).
        """
        self.case = case
        self.origin = origin
        self.card = card
        self.originals = originals
        self.orderable = orderable
        self.found: list[Suggestion] = []
        self._panels: dict[str, frozenset[str]] = {}
        self._rule = ""
        self._marks: dict[str, dict[str, str]] = {}
        self._notes: list[str] = []
        self._alternatives: bool | None = None

    def add(self, options: tuple[Option, ...], rule: str = "") -> None:
        """Add what the options of one rule's finding allow for this patient, skipping what is there already."""
        self._rule = rule
        for option in options:
            _BUILDERS[option.kind](self, option)

    @property
    def notes(self) -> list[str]:
        """What is not offered, and why."""
        return [*self._notes, *(["No pre-filled alternative."] if self._alternatives is False else [])]

    def _put(self, label: str, *actions: dict[str, Any], place: int | None = None) -> None:
        if label in [known["label"] for known in self.found]:
            self._mark_also(label)
            return
        suggestion: Suggestion = {"label": label, "uuid": written(uuid5(self.card, label))}
        if actions:
            suggestion["actions"] = list(actions)
        self.found.insert(len(self.found) if place is None else place, suggestion)

    def _note(self, text: str) -> None:
        if text not in self._notes:
            self._notes.append(text)

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
        self._put(label, _create(label, _cover_order(self._medication_request(label, drug), drug)))

    def alternative(self, option: Option) -> None:
        """Change the draft to a drug with a lower tier; product, route and dose stay open."""
        candidates = [_ingredient(name) for name in option.codes]
        fitting = (drug for drug in candidates if allowed(self.case, drug, option.tier))
        offered = list(islice(fitting, _MOST_ALTERNATIVES))
        order, original = self.case.order, self._original()
        if not offered or order is None or not order.id:
            self._alternatives = bool(self._alternatives)
            return
        self._alternatives = True
        for drug in offered:
            label = f"Change to {drug.name} (dose left to the prescriber)"
            changed = other_drug(original, _concept(drug)) if original is not None else None
            self._put_changed(label, changed, drug)

    def shorten(self, option: Option) -> None:
        """The draft with an end after so many days; words only where it says its length in words."""
        original = self._original()
        changed = shortened(original, option.days) if original is not None and option.days is not None else None
        self._put_changed(option.label, changed, _ingredient(option.codes[0]))

    def reduce(self, option: Option) -> None:
        """Metoclopramide 5 mg four times daily (B67) by mouth for adults; else words."""
        order, original = self.case.order, self._original()
        filled = order is not None and order.route in {"", "oral"} and cover_dose_filled(self.case)
        changed = reduced(original) if original is not None and filled else None
        label = option.label if filled else "Reduce the dose (dose left to the prescriber)"
        self._put_changed(label, changed, _ingredient(option.codes[0]))

    def _original(self) -> dict[str, Any] | None:
        """The draft that the card is about, whole."""
        order = self.case.order
        if order is None or not order.id:
            return None
        return self.originals.draft(order.reference, self.case.patient.id)

    def _put_changed(self, label: str, changed: dict[str, Any] | None, drug: Ingredient) -> None:
        """Update the draft, marked as ours (S-09); only words where it cannot be given back whole."""
        if changed is None:
            self._put(label)
            return
        resource = {**changed, "identifier": [*_listed(changed.get("identifier")), self._mark(label, drug)]}
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
        ours = option.reference.startswith("MedicationRequest/")
        whole = self.originals.get(option.reference, self.case.patient.id) if ours else None
        if whole is None:
            self._put(option.label)
            return
        self._put(
            option.label, {"type": "update", "description": option.label, "resource": {**whole, "status": "stopped"}}
        )

    def labs(self, option: Option) -> None:
        """One ServiceRequest per analyte; a panel takes the place of a smaller one, ionised calcium that of total."""
        asked = frozenset(option.codes) | ({"calcium"} if "calcium-ionised" in option.codes else frozenset())
        if any(asked <= known for known in self._panels.values()):
            return
        smaller = [label for label, known in self._panels.items() if known < asked]
        place = min([self._taken_away(label) for label in smaller], default=None)
        self._panels[option.label] = asked
        orders = (self._lab_order(analyte) for analyte in option.codes if analyte in self.orderable)
        self._put(option.label, *orders, place=place)

    def _taken_away(self, panel: str) -> int:
        """The place of a panel among the suggestions, which is free then."""
        del self._panels[panel]
        place = next(place for place, one in enumerate(self.found) if one["label"] == panel)
        del self.found[place]
        return place

    def _lab_order(self, analyte: str) -> dict[str, Any]:
        words = _ANALYTE_WORDS.get(analyte, analyte)
        code = {"coding": [dict(self.orderable[analyte])], "text": words[:1].upper() + words[1:]}
        return self._draft(f"Order {words}", "ServiceRequest", {"code": code})

    def undosed(self, option: Option) -> None:
        """One draft for each drug, without product and dose."""
        words = [_UNDOSED[code] for code in option.codes]
        self._put(
            option.label,
            *(self._draft(text, "MedicationRequest", {"medicationCodeableConcept": {"text": text}}) for text in words),
        )

    def request(self, option: Option) -> None:
        """One request for each referral, image or test, in words."""
        words = [_REQUESTS[code] for code in option.codes]
        self._put(option.label, *(self._draft(text, "ServiceRequest", {"code": {"text": text}}) for text in words))

    def reaction(self, option: Option) -> None:
        """The record of a dystonic reaction to a drug, for somebody to confirm."""
        drug = _ingredient(option.codes[0])
        code = {"text": drug.name} if drug.rxcui.startswith("local:") else _concept(drug)
        manifestation = [{"system": one.system, "code": one.code} for one in terminology().members("reaction-dystonia")]
        resource = {
            "resourceType": "AllergyIntolerance",
            "clinicalStatus": _status("clinical", "active"),
            "verificationStatus": _status("verification", "unconfirmed"),
            "type": "intolerance",
            "category": ["medication"],
            "code": code,
            "patient": self._subject(),
            # By the day, so that the same call a moment later gives the same card.
            "recordedDate": self.case.patient.now.date().isoformat(),
            "reaction": [{"manifestation": [{"coding": manifestation, "text": "Dystonia"}]}],
        }
        self._put(option.label, _create(option.label, resource))

    def _draft(self, description: str, kind: str, asked: dict[str, Any]) -> dict[str, Any]:
        resource = {"resourceType": kind, "status": "draft", "intent": "order", **asked, "subject": self._subject()}
        return _create(description, resource | self._encounter())

    def _subject(self) -> dict[str, str]:
        return {"reference": f"Patient/{self.case.patient.id}"}

    def _encounter(self) -> dict[str, dict[str, str]]:
        order = self.case.order
        return {"encounter": {"reference": order.encounter}} if order is not None and order.encounter else {}

    def _medication_request(self, label: str, drug: Ingredient) -> dict[str, Any]:
        return {
            "resourceType": "MedicationRequest",
            "status": "draft",
            "intent": "order",
            "medicationCodeableConcept": _concept(drug),
            "identifier": [self._mark(label, drug)],
            "subject": self._subject(),
            **self._encounter(),
        }

    def _mark(self, label: str, drug: Ingredient) -> dict[str, str]:
        """Marks a draft as suggested by this rule, so that accepting it does not bring the rule back (S-09)."""
        value = "/".join((self._rule, drug.name, written(self.card)))
        return self._marks.setdefault(label, {"system": self.origin, "value": value})

    def _mark_also(self, label: str) -> None:
        """Another rule offers the same: the mark names it too."""
        mark = self._marks.get(label)
        if mark is None:
            return
        rules, rest = mark["value"].split("/", 1)
        mark["value"] = "/".join((".".join(dict.fromkeys((*rules.split("."), self._rule))), rest))


_BUILDERS: dict[str, Callable[[Builder, Option], None]] = {
    "advice": Builder.advice,
    "dose": Builder.advice,
    "cover": Builder.cover,
    "alternative": Builder.alternative,
    "remove": Builder.remove,
    "stop-other": Builder.stop_other,
    "labs": Builder.labs,
    "undosed": Builder.undosed,
    "request": Builder.request,
    "reaction": Builder.reaction,
    "shorten": Builder.shorten,
    "reduce": Builder.reduce,
}


def _ingredient(name: str) -> Ingredient:
    found = terminology().ingredient(name)
    if found is None:
        raise LookupError(f"The value sets hold no ingredient named {name!r}: a suggestion cannot be built.")
    return found


def _status(kind: str, code: str) -> dict[str, Any]:
    system = f"http://terminology.hl7.org/CodeSystem/allergyintolerance-{kind}"
    return {"coding": [{"system": system, "code": code}]}


def _concept(drug: Ingredient, text: str = "") -> dict[str, Any]:
    return {"coding": [{"system": RXNORM, "code": drug.rxcui, "display": drug.name}], "text": text or drug.name}


def _listed(value: Any) -> list[Any]:
    return value if isinstance(value, list) else [] if value is None else [value]


def _create(description: str, resource: dict[str, Any]) -> dict[str, Any]:
    return {"type": "create", "description": description, "resource": resource}


def _delete(description: str, reference: str) -> dict[str, Any]:
    return {"type": "delete", "description": description, "resourceId": reference}


def _cover_order(base: dict[str, Any], drug: Ingredient) -> dict[str, Any]:
    """B11, B15: prophylaxis is for days, so the draft ends by itself and has no refill."""
    milligram = {"unit": "mg", "system": UCUM, "code": "mg"}
    days = {"value": 7, "unit": "d", "system": UCUM, "code": "d"}
    dosage = {
        "text": "1 mg by mouth twice daily for 7 days",
        "timing": {"repeat": {"boundsDuration": days, "frequency": 2, "period": 1, "periodUnit": "d"}},
        "asNeededBoolean": False,
        "doseAndRate": [{"doseQuantity": {"value": 1, **milligram}}],
    }
    return {
        **base,
        "medicationCodeableConcept": _concept(drug, f"{drug.name} 1 mg oral tablet"),
        "dosageInstruction": [dosage],
        "dispenseRequest": {"numberOfRepeatsAllowed": 0, "expectedSupplyDuration": days},
    }
