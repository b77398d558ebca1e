"""The FHIR elements that rules read: a msgspec struct per data type, and one tagged struct per resource type.

Everything else in a resource is skipped while decoding; numbers stay exact (Decimal). ``ELEMENTS`` is the table of what
is read of each type. Every other resource type of R4 is known by name with its owner alone, because real calls hold
types that nobody asked for, and an unknown tag would send the whole call through the slow path.
"""

from __future__ import annotations

from collections.abc import Callable
from decimal import Decimal
from operator import attrgetter
from typing import TYPE_CHECKING, Any, Union

import msgspec

from plugin.fhir.datatypes import (
    Adherence,
    Coding,
    Component,
    Concept,
    Details,
    DispenseRequest,
    Dosage,
    DoseAndRate,
    FamilyCondition,
    Identifier,
    Item,
    Link,
    MedicationIngredient,
    Meta,
    Note,
    Period,
    Quantity,
    Range,
    Ratio,
    Reaction,
    Reference,
    ReferenceRange,
    Repeat,
    Search,
    Suspect,
    Timing,
)
from plugin.fhir.elements import concept_of, dosages_of, interpretation_of, ranges_of, supply_of
from plugin.fhir.type_names import ELEMENTS, OTHERS, OWNER

__all__ = [
    "KNOWN_TYPES",
    "Adherence",
    "AnyResource",
    "Coding",
    "Component",
    "Concept",
    "Details",
    "DispenseRequest",
    "Dosage",
    "DoseAndRate",
    "Entry",
    "FamilyCondition",
    "Identifier",
    "Item",
    "Link",
    "MedicationIngredient",
    "Meta",
    "Note",
    "Period",
    "Quantity",
    "Range",
    "Ratio",
    "Reaction",
    "Reference",
    "ReferenceRange",
    "Repeat",
    "Resource",
    "Search",
    "Suspect",
    "Timing",
    "concept_of",
    "dosages_of",
    "interpretation_of",
    "ranges_of",
    "supply_of",
]

_NOTHING = msgspec.Raw()


class Entry(msgspec.Struct, gc=False):
    """An entry of a Bundle."""

    fullUrl: str | None = None
    resource: AnyResource | None = None
    search: Search | None = None


_LAZY: dict[str, Callable[[Any], Any]] = {}


def _lazy(name: str) -> Any:
    """An element that stays raw until it is asked for: most results and drugs of a call mean nothing to any rule.

    A property whose element is of a wrong shape raises msgspec.ValidationError: the resource is unreadable, not absent.
    """
    read = attrgetter(f"raw_{name}")

    def get(self: Any) -> Any:
        raw = read(self)
        if not raw:
            return None
        try:
            return _LAZY[name](raw)
        except (ValueError, ArithmeticError, RecursionError):
            # A number that no computer can hold, or hostile nesting, is an unreadable element like any other.
            raise msgspec.ValidationError(f"{name} cannot be read") from None

    return property(get)


class Resource(msgspec.Struct, gc=False):
    """Any resource; elements that its type does not have, or that nobody reads of it, are None."""

    if TYPE_CHECKING:
        raw_code: msgspec.Raw | None
        raw_identifier: msgspec.Raw | None
        raw_instantiatesCanonical: msgspec.Raw | None
        raw_instantiatesUri: msgspec.Raw | None
        raw_reasonCode: msgspec.Raw | None
        raw_reasonReference: msgspec.Raw | None
        raw_reason: msgspec.Raw | None
        raw_category: msgspec.Raw | None
        raw_note: msgspec.Raw | None
        raw_onsetAge: msgspec.Raw | None
        raw_onsetPeriod: msgspec.Raw | None
        raw_bodySite: msgspec.Raw | None
        raw_component: msgspec.Raw | None
        raw_specimen: msgspec.Raw | None
        raw_valueCodeableConcept: msgspec.Raw | None
        raw_interpretation: msgspec.Raw | None
        raw_referenceRange: msgspec.Raw | None
        raw_medicationCodeableConcept: msgspec.Raw | None
        raw_medication: msgspec.Raw | None
        raw_dosageInstruction: msgspec.Raw | None
        raw_dosage: msgspec.Raw | None
        raw_dispenseRequest: msgspec.Raw | None
        resourceType: str
        id: str | None = None
        status: str | None = None
        intent: str | None = None
        clinicalStatus: Concept | str | None = None
        verificationStatus: Concept | str | None = None
        code: Concept | None = None
        medicationCodeableConcept: Concept | None = None
        medicationReference: Reference | None = None
        subject: Reference | None = None
        patient: Reference | None = None
        encounter: Reference | None = None
        effectiveDateTime: str | None = None
        effectivePeriod: Period | None = None
        issued: str | None = None
        authoredOn: str | None = None
        onsetDateTime: str | None = None
        recordedDate: str | None = None
        entry: list[Entry] | None = None
        birthDate: str | None = None
        gender: str | None = None
        deceasedBoolean: bool | None = None
        deceasedDateTime: str | None = None
        doNotPerform: bool | None = None
        dateAsserted: str | None = None
        lastOccurrence: str | None = None
        effectiveInstant: str | None = None
        occurenceDateTime: str | None = None
        occurencePeriod: Period | None = None
        occurrenceDateTime: str | None = None
        performedDateTime: str | None = None
        performedPeriod: Period | None = None
        whenHandedOver: str | None = None
        whenPrepared: str | None = None
        contained: list[AnyResource] | None = None
        modifierExtension: Any = None
        identifier: list[Identifier] | Identifier | None = None
        instantiatesCanonical: list[str] | str | None = None
        instantiatesUri: list[str] | str | None = None
        reasonCode: list[Concept] | Concept | None = None
        reasonReference: list[Reference] | None = None
        reason: list[Concept] | None = None
        valueQuantity: Quantity | None = None
        valueCodeableConcept: Concept | None = None
        valueString: str | None = None
        valueBoolean: bool | None = None
        dataAbsentReason: Concept | None = None
        interpretation: list[Concept] | Concept | None = None
        specimen: Reference | None = None
        referenceRange: list[ReferenceRange] | None = None
        component: list[Component] | None = None
        derivedFrom: list[Reference] | None = None
        dosageInstruction: list[Dosage] | None = None
        dispenseRequest: DispenseRequest | None = None
        dosage: list[Dosage] | None = None
        reaction: list[Reaction] | None = None
        note: list[Note] | None = None
        onsetAge: Quantity | None = None
        onsetPeriod: Period | None = None
        bodySite: list[Concept] | Concept | None = None
        conclusion: str | None = None
        conclusionCode: list[Concept] | None = None
        condition: list[FamilyCondition] | None = None
        ingredient: list[MedicationIngredient] | None = None
        daysSupply: Quantity | None = None
        adherence: Adherence | None = None
        medication: Concept | None = None
        period: Period | None = None
        serviceType: Any = None
        location: Any = None
        type: Any = None
        name: Any = None
        total: Any = None
        link: list[Link] | None = None
        issue: list[Details] | None = None
        encounter_class: Coding | list[Concept] | None = None
        category: list[Concept] | None = None
        performerType: Concept | None = None
        performer: list[Reference] | None = None
        meta: Meta | None = None
        actuality: str | None = None
        event: Concept | None = None
        date: str | None = None
        detected: str | None = None
        suspectEntity: list[Suspect] | None = None
        authored: str | None = None
        item: list[Item] | None = None
    else:
        resourceType = ""


_SHORT: dict[str, Any] = {
    "id": str | None,
    "status": str | None,
    "intent": str | None,
    "clinicalStatus": Concept | str | None,
    "verificationStatus": Concept | str | None,
    "medicationReference": Reference | None,
    "subject": Reference | None,
    "patient": Reference | None,
    "encounter": Reference | None,
    "effectiveDateTime": str | None,
    "effectivePeriod": Period | None,
    **dict.fromkeys(("issued", "authoredOn", "onsetDateTime", "recordedDate"), str | None),
    "entry": list[Entry] | None,
    **dict.fromkeys(("birthDate", "gender", "dateAsserted", "lastOccurrence"), str | None),
    "deceasedBoolean": bool | None,
    "deceasedDateTime": str | None,
    "doNotPerform": bool | None,
    "occurencePeriod": Period | None,
    "performedPeriod": Period | None,
    **dict.fromkeys(("occurenceDateTime", "occurrenceDateTime", "performedDateTime"), str | None),
    **dict.fromkeys(("effectiveInstant", "whenHandedOver", "whenPrepared"), str | None),
    **dict.fromkeys(("actuality", "authored", "date", "detected"), str | None),
}
_LONG: dict[str, Any] = {
    "code": Concept | None,
    "medicationCodeableConcept": Concept | None,
    "contained": "list[AnyResource] | None",
    "modifierExtension": Any,
    "identifier": list[Identifier] | Identifier | None,
    "reasonCode": list[Concept] | Concept | None,
    "reasonReference": list[Reference] | None,
    "reason": list[Concept] | None,
    "instantiatesCanonical": list[str] | str | None,
    "instantiatesUri": list[str] | str | None,
    "valueQuantity": Quantity | None,
    "valueCodeableConcept": Concept | None,
    "valueString": str | None,
    "valueBoolean": bool | None,
    "dataAbsentReason": Concept | None,
    "interpretation": list[Concept] | Concept | None,
    "specimen": Reference | None,
    "referenceRange": list[ReferenceRange] | None,
    "component": list[Component] | None,
    "derivedFrom": list[Reference] | None,
    "dosageInstruction": list[Dosage] | None,
    "dispenseRequest": DispenseRequest | None,
    "dosage": list[Dosage] | None,
    "reaction": list[Reaction] | None,
    "note": list[Note] | None,
    "onsetAge": Quantity | None,
    "onsetPeriod": Period | None,
    "bodySite": list[Concept] | Concept | None,
    "conclusion": str | None,
    "conclusionCode": list[Concept] | None,
    "condition": list[FamilyCondition] | None,
    "ingredient": list[MedicationIngredient] | None,
    "daysSupply": Quantity | None,
    "adherence": Adherence | None,
    "medication": Concept | None,
    "period": Period | None,
    "serviceType": Any,
    "location": Any,
    "type": Any,
    "name": Any,
    "total": Any,
    "link": list[Link] | None,
    "issue": list[Details] | None,
    "class": Coding | list[Concept] | None,
    "category": list[Concept] | None,
    "performerType": Concept | None,
    "performer": list[Reference] | None,
    "meta": Meta | None,
    "event": Concept | None,
    "suspectEntity": list[Suspect] | None,
    "item": list[Item] | None,
}

# A type outside this set is misspelt or unknown to us: its resource is unreadable whatever key it stands under.
KNOWN_TYPES = frozenset({*ELEMENTS, *OTHERS})


def _field(name: str) -> tuple[str, Any, Any]:
    if name in _SHORT:
        return name, _SHORT[name], None
    return f"raw_{name}", msgspec.Raw, msgspec.field(default=_NOTHING, name=name)


def _with_owner(elements: list[str]) -> list[str]:
    """An owner is read by either name, whichever the type should have: nothing of others may pass unseen."""
    return list(dict.fromkeys([*elements, "subject", "patient"])) if {"subject", "patient"} & {*elements} else elements


def _resource_type(kind: str, elements: str) -> type:
    return msgspec.defstruct(
        kind,
        [_field(name) for name in _with_owner(elements.split())],
        bases=(Resource,),
        namespace={"resourceType": kind},
        module=__name__,
        tag_field="resourceType",
        tag=kind,
        gc=False,
    )


def _prepare() -> Any:
    """Give the base its defaults and properties, then make one struct per resource type; returns their union."""
    for name in _SHORT:
        setattr(Resource, name, None)
    for name in _LONG:
        setattr(Resource, f"raw_{name}", None)
        setattr(Resource, "encounter_class" if name == "class" else name, _lazy(name))
    kinds = {**ELEMENTS, **dict.fromkeys(OTHERS, OWNER)}
    return Union[tuple(_resource_type(kind, elements) for kind, elements in kinds.items())]  # noqa: UP007


if TYPE_CHECKING:
    AnyResource = Resource
else:
    AnyResource = _prepare()

for _name, _kind in _LONG.items():
    _type = list[AnyResource] | None if _name == "contained" else _kind
    _LAZY[_name] = msgspec.json.Decoder(_type, float_hook=Decimal).decode
for _name in ("code", "medicationCodeableConcept"):
    _LAZY[_name] = lambda raw: concept_of(bytes(raw))
_LAZY["interpretation"] = lambda raw: interpretation_of(bytes(raw))
for _name in ("dosageInstruction", "dosage"):
    _LAZY[_name] = lambda raw: dosages_of(bytes(raw))
_LAZY["dispenseRequest"] = lambda raw: supply_of(bytes(raw))
_LAZY["referenceRange"] = lambda raw: ranges_of(bytes(raw))
