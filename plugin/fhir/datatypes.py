"""FHIR data types as msgspec structs, with the elements that rules read and nothing else."""

from __future__ import annotations

from typing import Any

import msgspec


class Coding(msgspec.Struct, gc=False):
    """A code, its system and its display."""

    system: str | None = None
    code: str | None = None
    display: str | None = None


class Concept(msgspec.Struct, gc=False):
    """CodeableConcept; also R5's CodeableReference, whose ``concept`` and ``reference`` stand in its place."""

    coding: list[Coding] | None = None
    text: str | None = None
    concept: Concept | None = None
    reference: Reference | None = None


class Identifier(msgspec.Struct, gc=False):
    """A business identifier."""

    system: str | None = None
    value: str | None = None


class Reference(msgspec.Struct, gc=False):
    """A reference in any spelling."""

    reference: str | None = None
    type: str | None = None
    identifier: Identifier | None = None
    display: str | None = None


class Quantity(msgspec.Struct, gc=False):
    """A quantity; ``value`` stays untyped so that a string in its place is seen as unreadable."""

    value: Any = None
    comparator: str | None = None
    unit: str | None = None
    system: str | None = None
    code: str | None = None


class Range(msgspec.Struct, gc=False):
    """A low and a high quantity."""

    low: Quantity | None = None
    high: Quantity | None = None


class Period(msgspec.Struct, gc=False):
    """A start and an end."""

    start: str | None = None
    end: str | None = None


class Ratio(msgspec.Struct, gc=False):
    """A numerator over a denominator."""

    numerator: Quantity | None = None
    denominator: Quantity | None = None


class Repeat(msgspec.Struct, gc=False):
    """When a dose is repeated."""

    boundsPeriod: Period | None = None
    boundsDuration: Quantity | None = None
    boundsRange: Range | None = None
    count: Any = None
    countMax: Any = None
    duration: Any = None
    durationMax: Any = None
    durationUnit: str | None = None
    frequency: Any = None
    frequencyMax: Any = None
    period: Any = None
    periodMax: Any = None
    periodUnit: str | None = None
    dayOfWeek: list[str] | None = None
    when: list[str] | None = None
    timeOfDay: list[str] | None = None


class Timing(msgspec.Struct, gc=False):
    """The timing of a dose."""

    event: list[str] | None = None
    repeat: Repeat | None = None
    code: Concept | None = None


class DoseAndRate(msgspec.Struct, gc=False):
    """How much, at once or per time."""

    doseQuantity: Quantity | None = None
    doseRange: Range | None = None
    rateQuantity: Quantity | None = None
    rateRange: Range | None = None
    rateRatio: Ratio | None = None


class Dosage(msgspec.Struct, gc=False):
    """Dosage of an order or statement; ``dose`` is MedicationAdministration's, and so are the rates beside it.

    Versions before R4 have the doses and rates of ``doseAndRate`` here.
    """

    sequence: Any = None
    text: str | None = None
    timing: Timing | None = None
    asNeeded: Any = None
    asNeededBoolean: bool | None = None
    asNeededCodeableConcept: Concept | None = None
    asNeededFor: list[Concept] | None = None
    route: Concept | None = None
    doseAndRate: list[DoseAndRate] | None = None
    doseQuantity: Quantity | None = None
    doseRange: Range | None = None
    rateQuantity: Quantity | None = None
    rateRange: Range | None = None
    rateRatio: Ratio | None = None
    dose: Quantity | None = None
    maxDosePerPeriod: Ratio | list[Ratio] | None = None


class DispenseRequest(msgspec.Struct, gc=False):
    """What is to be dispensed."""

    validityPeriod: Period | None = None
    quantity: Quantity | None = None
    expectedSupplyDuration: Quantity | None = None
    numberOfRepeatsAllowed: Any = None


class Reaction(msgspec.Struct, gc=False):
    """One recorded reaction of an AllergyIntolerance."""

    substance: Concept | None = None
    manifestation: list[Concept] | None = None
    description: str | None = None
    onset: str | None = None


class Suspect(msgspec.Struct, gc=False):
    """What an AdverseEvent blames; the last two are R5's names."""

    instance: Reference | None = None
    instanceReference: Reference | None = None
    instanceCodeableConcept: Concept | None = None


class ReferenceRange(msgspec.Struct, gc=False):
    """A laboratory's range."""

    low: Quantity | None = None
    high: Quantity | None = None
    type: Concept | None = None
    appliesTo: list[Concept] | None = None
    age: Range | None = None


class Component(msgspec.Struct, gc=False):
    """A component of an Observation."""

    code: Concept | None = None
    valueQuantity: Quantity | None = None
    valueCodeableConcept: Concept | None = None
    valueString: str | None = None
    valueBoolean: bool | None = None
    dataAbsentReason: Concept | None = None
    interpretation: list[Concept] | Concept | None = None
    referenceRange: list[ReferenceRange] | None = None


class Answer(msgspec.Struct, gc=False):
    """An answer in a QuestionnaireResponse; the numbers stay untyped like those of a quantity."""

    valueQuantity: Quantity | None = None
    valueString: str | None = None
    valueCoding: Coding | None = None
    valueBoolean: bool | None = None
    valueDecimal: Any = None
    valueInteger: Any = None
    item: list[Item] | None = None


class Item(msgspec.Struct, gc=False):
    """A question of a QuestionnaireResponse with its answers, or a group of questions."""

    text: str | None = None
    answer: list[Answer] | None = None
    item: list[Item] | None = None


class Meta(msgspec.Struct, gc=False):
    """When a resource was last changed."""

    lastUpdated: str | None = None


class Note(msgspec.Struct, gc=False):
    """An annotation."""

    text: str | None = None


class Adherence(msgspec.Struct, gc=False):
    """Whether a drug is taken (R5)."""

    code: Concept | None = None


class FamilyCondition(msgspec.Struct, gc=False):
    """A condition of a relative."""

    code: Concept | None = None


class MedicationIngredient(msgspec.Struct, gc=False):
    """An ingredient of a Medication."""

    itemCodeableConcept: Concept | None = None
    item: Concept | None = None


class Link(msgspec.Struct, gc=False):
    """A link of a Bundle, or of a Patient to another record of the same person."""

    relation: str | None = None
    url: str | None = None
    other: Reference | None = None
    type: str | None = None


class Search(msgspec.Struct, gc=False):
    """Why an entry is in a search result."""

    mode: str | None = None


class Details(msgspec.Struct, gc=False):
    """One issue of an OperationOutcome."""

    severity: str | None = None
    code: str | None = None
