"""Hook calls in the shapes that real clients send, made again by us with invented patients.

Each is what a client was seen to do: a Bundle without ``type``, ``category`` as an object, an order before its drug is
chosen, ``medicationReference`` with nothing but a display, keys of the client's own, an empty token.
"""

from __future__ import annotations

from typing import Any

from tests.support.fhir import RXNORM, bundle, call, order, patient, prefetch, subject, taking

Json = dict[str, Any]


def before_a_drug_is_chosen() -> Json:
    """The sandbox fires order-select for a draft without medication and without intent, in a Bundle without type."""
    draft = {"resourceType": "MedicationRequest", "id": "request-1", "status": "draft", "subject": subject()}
    asked = call([draft], {"patient": patient()}, "order-select", fhirServer="http://127.0.0.1:9/fhir")
    del asked["context"]["draftOrders"]["type"]
    return asked


def sandbox_order() -> Json:
    """The sandbox's order: a product code, category and reasonCode as objects instead of lists."""
    chosen = {
        "coding": [{"system": RXNORM, "code": "310672", "display": "haloperidol 5 MG Oral Tablet"}],
        "text": "haloperidol 5 MG Oral Tablet",
    }
    odd = {"category": {"coding": [{"code": "outpatient"}]}, "reasonCode": {"text": "agitation"}}
    return call([order(more={"medicationCodeableConcept": chosen, **odd})], {"patient": patient()}, "order-select")


def newer_product_code() -> Json:
    """A product code that the value sets do not hold, with a display that names the drug."""
    chosen = {"coding": [{"system": RXNORM, "code": "99999999", "display": "haloperidol 2.5 MG Oral Tablet"}]}
    return call([order(more={"medicationCodeableConcept": chosen})], prefetch(), "order-select")


def drug_by_ndc() -> Json:
    """A pharmacy system: the National Drug Code of the package as printed, and no name."""
    chosen = {"coding": [{"system": "http://hl7.org/fhir/sid/ndc", "code": "0121-0581-04"}]}
    return call([order(more={"medicationCodeableConcept": chosen})], prefetch(), "order-select")


def reference_with_display() -> Json:
    """Epic: the drug is a reference whose display is all there is; extensions of its own; several drafts."""
    first = order(id="draft-1")
    second = order(id="draft-2")
    for draft, display in ((first, "ACETAMINOPHEN 325 MG PO TABS"), (second, "HALOPERIDOL LACTATE 5 MG/ML IJ SOLN")):
        del draft["medicationCodeableConcept"]
        draft["medicationReference"] = {"reference": "Medication/eX1", "display": display}
        draft["requester"] = {"extension": [{"url": "http://example.org/absent", "valueCode": "unknown"}]}
    return call(
        [first, second],
        prefetch(),
        "order-select",
        selections=["MedicationRequest/draft-2"],
        extension={"com.epic.cdshooks.request.fhir-version": "R4", "com.epic.cdshooks.request.criteria-id": "1126"},
    )


def medication_beside_the_draft() -> Json:
    """Epic since 2024: the Medication stands beside the draft in its Bundle; a warning in a result; its own key."""
    draft = order(id="ez067.mn-wO")
    concept = draft.pop("medicationCodeableConcept")
    draft["medicationReference"] = {"reference": "Medication/eVB.s1hQ3", "display": "SOMETHING FOR AGITATION"}
    house = {"system": "urn:oid:2.16.840.1.113883.6.253", "code": "6379"}
    named = {"coding": [house, *concept["coding"]], "text": "house preparation"}
    nothing = {"severity": "warning", "code": "processing", "details": {"coding": [{"code": "4101"}]}}
    outcome = {"resourceType": "OperationOutcome", "issue": [nothing]}
    user = {"resourceType": "PractitionerRole", "id": "e-Q", "practitioner": {"reference": "Practitioner/eqZ"}}
    sent = prefetch(taking("metoclopramide", "2d"), conditions=bundle(outcome) | {"total": 0}) | {"-user": user}
    medication = {"resourceType": "Medication", "id": "eVB.s1hQ3", "code": named}
    return call([draft, medication], sent, extension={"com.epic.cdshooks.request.fhir-version": "R4"})


def contained_medication() -> Json:
    """The drug is a contained Medication."""
    draft = order()
    del draft["medicationCodeableConcept"]
    held = {"resourceType": "Medication", "id": "med1", "code": {"coding": [{"system": RXNORM, "code": "5093"}]}}
    return call([{**draft, "contained": [held], "medicationReference": {"reference": "#med1"}}], prefetch())


def keys_of_its_own() -> Json:
    """The Da Vinci request generator: its own prefetch keys, an empty token, a draft with status active."""
    own = {"Patient": patient(), "meds": bundle(taking("olanzapine"))}
    token = {"access_token": "", "token_type": "Bearer", "expires_in": 300, "scope": "", "subject": "x"}
    return call(
        [order("metoclopramide", status="active")], own, fhirAuthorization=token, fhirServer="http://127.0.0.1:9/fhir"
    )


def newer_fhir_version() -> Json:
    """R5: ``medication.concept`` in place of ``medicationCodeableConcept``."""
    draft = order()
    chosen = draft.pop("medicationCodeableConcept")
    return call([{**draft, "medication": {"concept": chosen}}], prefetch())


def bare_string_as_data() -> Json:
    """The specification's own example sends a bare string under a key."""
    return call([order()], {**prefetch(), "user": "123"})


def open_record() -> Json:
    """A patient-view call of a client that satisfied one key."""
    return call(None, {"patient": patient(), "meds": bundle(), "ca": None}, "patient-view")


# name -> (call, the leading rule of the only card or None)
SHAPES: dict[str, tuple[Json, str | None]] = {
    "no drug chosen yet": (before_a_drug_is_chosen(), None),
    "sandbox order with objects for lists": (sandbox_order(), "R-DRUG-01"),
    "product code newer than the value sets": (newer_product_code(), "R-DRUG-01"),
    "a National Drug Code and no name": (drug_by_ndc(), "R-DRUG-01"),
    "reference with a display only": (reference_with_display(), "R-DRUG-01"),
    "medication beside the draft": (medication_beside_the_draft(), "R-DRUG-02"),
    "contained medication": (contained_medication(), "R-DRUG-01"),
    "keys of the client's own": (keys_of_its_own(), "R-DRUG-02"),
    "R5 medication": (newer_fhir_version(), "R-DRUG-01"),
    "a bare string as data": (bare_string_as_data(), "R-DRUG-01"),
    "patient-view with one key": (open_record(), None),
}
