"""Draft MedicationRequests of the context -> orders that rules judge."""

from __future__ import annotations

import re

import msgspec

from plugin.fhir.dose import of_order
from plugin.fhir.exposures import end_of_order, route_of
from plugin.fhir.medication import of_resource
from plugin.fhir.records import concepts_of, status_code, texts_of, words_for
from plugin.fhir.types import KNOWN_TYPES, Concept, Resource
from plugin.patient import UNREADABLE, Dose, Exposure, Medication, Order
from plugin.rule import SUGGESTION_MARK
from plugin.text import READ_AT_MOST, is_identifier, plain, reference_of
from plugin.thresholds import Limits
from plugin.when import parse

_NOT_ORDERED = {"cancelled", "entered-in-error", "stopped", "completed", "ended"}


def order_of(resource: Resource, index: int, limits: Limits, medications: dict[str, Resource]) -> Order:
    """One draft order; ``active`` is False for a cancelled one or one that says "do not perform"."""
    medication = of_resource(resource, medications)
    dosages = resource.dosageInstruction or []
    start = parse(resource.authoredOn) if resource.authoredOn else None
    end = end_of_order(resource, dosages, start)
    status, encounter = status_code(resource.status), resource.encounter
    # An id that cannot be given back is none: the order is judged, and nothing is suggested that would need it.
    identity = resource.id if is_identifier(resource.id or "") else ""
    return Order(
        f"MedicationRequest/{identity}" if identity else f"draftOrders.entry[{index}]",
        identity or "",
        medication,
        status,
        status not in _NOT_ORDERED and not resource.doNotPerform,
        route_of(dosages, medication),
        of_order(resource, medication, limits.single_dose_hours),
        end.latest if end else None,
        reference_of(encounter.reference or "") if encounter else "",
        _suggested_by(resource, medication) if resource.raw_identifier else frozenset(),
        _order_sets(resource),
        _is_perioperative(resource),
        *_reasons(resource),
    )


_OPERATION = re.compile(r"\b(?:intra-?op|peri-?op|an(?:a)?esthe|surg|operation|ponv)\w*", re.I)


def _is_perioperative(resource: Resource) -> bool:
    """Whether the reason, the note or the instructions speak of an operation or its anaesthesia (S-18)."""
    texts: list[str | None] = [text for concept in _reason_codes(resource) for text in texts_of(concept)]
    texts += [note.text for note in (resource.note if resource.raw_note else None) or ()]
    texts += [dosage.text for dosage in resource.dosageInstruction or ()]
    return any(text and _OPERATION.search(text[:READ_AT_MOST]) for text in texts)


def _reason_codes(resource: Resource) -> list[Concept]:
    reasons = resource.reasonCode if resource.raw_reasonCode else None
    codes = [one for one in (reasons if isinstance(reasons, list) else [reasons]) if one is not None]
    return codes + [one.concept for one in _reasons_of_r5(resource) if one.concept is not None]


def _reasons_of_r5(resource: Resource) -> list[Concept]:
    """R5 tells each reason as a concept or as a reference."""
    return (resource.reason if resource.raw_reason else None) or []


def _reasons(resource: Resource) -> tuple[frozenset[str], tuple[str, ...], bool]:
    """The conditions that the reason of the order means, those that it points to, and whether it gives any."""
    codes = _reason_codes(resource)
    pointed = (resource.reasonReference if resource.raw_reasonReference else None) or []
    pointed = [*pointed, *(one.reference for one in _reasons_of_r5(resource) if one.reference is not None)]
    references = tuple(one.reference.split("/_history/", 1)[0] for one in pointed if one.reference)
    worded = (words_for(text) for code in codes for text in texts_of(code))
    meant = frozenset[str]().union(*map(concepts_of, codes), *worded)
    return meant, references, bool(codes or pointed)


def _suggested_by(resource: Resource, medication: Medication) -> frozenset[str]:
    """The rules whose suggestion the draft is (S-09), as long as it still orders the drug that was suggested."""
    given = resource.identifier
    names = {item.name for item in medication.ingredients}
    found: set[str] = set()
    for identifier in given if isinstance(given, list) else [given]:
        if identifier is not None and (identifier.system or "").endswith(SUGGESTION_MARK):
            rules, _, rest = (identifier.value or "").partition("/")
            if rest.partition("/")[0] in names:
                found.update(rules.split("."))
    return frozenset(found)


def _order_sets(resource: Resource) -> tuple[str, ...]:
    """The order sets that the draft says it came from."""
    if not (resource.raw_instantiatesCanonical or resource.raw_instantiatesUri):
        return ()
    given = (resource.instantiatesCanonical, resource.instantiatesUri)
    return tuple(one for part in given if part for one in ([part] if isinstance(part, str) else part))


def unreadable_order(resource_type: str, identity: str, index: int) -> Order | None:
    """A draft that could not be decoded: an order whose drug nobody could see, never an absent one."""
    if resource_type not in {"MedicationRequest", ""} and resource_type in KNOWN_TYPES:
        return None
    known = identity if is_identifier(identity) else ""
    reference = f"MedicationRequest/{known}" if known else f"draftOrders.unreadable[{index}]"
    return Order(reference, known, Medication("unrecognised", UNREADABLE), "draft", True, "", Dose(), None, "")


def given_up(exposures: list[Exposure], orders: list[Order]) -> list[Exposure]:
    """The record, with those orders marked that a draft of the same id ends, or makes an order of another drug."""
    drafts = {order.reference: order for order in orders if not order.active or _is_named(order.medication)}
    if not drafts:
        return exposures
    return [
        msgspec.structs.replace(one, given_up=True) if _is_given_up(one, drafts.get(one.reference)) else one
        for one in exposures
    ]


def _is_named(medication: Medication) -> bool:
    return medication.recognised in {"code", "text", "ordinary"} and not medication.stem and not medication.conflict


def _is_given_up(exposure: Exposure, draft: Order | None) -> bool:
    return draft is not None and not (draft.active and exposure.ingredient in draft.medication.ingredients)


def as_exposures(order: Order) -> list[Exposure]:
    """A draft as context for the other drafts: it will be current together with them."""
    dose: Dose = order.dose
    return [
        Exposure(
            ingredient,
            plain(order.medication.label) or ingredient.name,
            order.reference,
            "MedicationRequest",
            True,
            False,
            None,
            None,
            order.ends,
            dose.as_needed,
            order.medication.long_acting,
            order.route,
            dose.of(ingredient).per_day_mg,
            order.medication.matched_by,
            True,
            dose.unreadable,
        )
        for ingredient in order.medication.ingredients
        if ingredient.tier or ingredient.classes
    ]
