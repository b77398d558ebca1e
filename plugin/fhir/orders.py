"""Draft MedicationRequests of the context -> orders that rules judge."""

from __future__ import annotations

from plugin.fhir.dose import of_order
from plugin.fhir.exposures import end_of_order, route_of
from plugin.fhir.medication import of_resource
from plugin.fhir.records import status_code
from plugin.fhir.types import KNOWN_TYPES, Resource
from plugin.patient import UNREADABLE, Dose, Exposure, Medication, Order
from plugin.text import plain
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
    return Order(
        f"MedicationRequest/{resource.id}" if resource.id else f"draftOrders.entry[{index}]",
        resource.id or "",
        medication,
        status,
        status not in _NOT_ORDERED and not resource.doNotPerform,
        route_of(dosages, medication),
        of_order(dosages, resource, medication, limits.single_dose_hours),
        end.latest if end else None,
        (encounter.reference or "") if encounter else "",
    )


def unreadable_order(resource_type: str, identity: str, index: int) -> Order | None:
    """A draft that could not be decoded: an order whose drug nobody could see, never an absent one."""
    if resource_type not in {"MedicationRequest", ""} and resource_type in KNOWN_TYPES:
        return None
    reference = f"MedicationRequest/{identity}" if identity else f"draftOrders.unreadable[{index}]"
    return Order(reference, identity, Medication("unrecognised", UNREADABLE), "draft", True, "", Dose(), None, "")


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
            dose.per_day_mg,
            order.medication.recognised,
            True,
        )
        for ingredient in order.medication.ingredients
        if ingredient.tier or ingredient.classes
    ]
