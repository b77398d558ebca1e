"""AdverseEvents -> movement reactions to drugs, like those that an AllergyIntolerance records."""

from __future__ import annotations

from collections.abc import Mapping

from plugin.fhir.medication import of_concept, of_reference
from plugin.fhir.records import kinds_of, texts_of
from plugin.fhir.types import Concept, Resource, Suspect
from plugin.patient import DystoniaReaction, Medication
from plugin.text import plain
from plugin.when import parse

_NOT_SO = {"entered-in-error"}


def reactions_of_event(resource: Resource, medications: Mapping[str, Resource]) -> list[DystoniaReaction]:
    """The dystonic and other movement reactions that an AdverseEvent tells, one for each drug that it blames.

    An event that only might have happened does not count. Without a suspect, the words of the event may name the drug
    ("dystonia after metoclopramide"). ``medications`` are the Medication resources of the call by reference.
    Raises msgspec.ValidationError when an element is of a wrong shape.
    """
    if resource.actuality == "potential" or (resource.status or "") in _NOT_SO:
        return []
    event = resource.event or resource.code
    kinds = kinds_of([event]) if event is not None else []
    if not kinds or event is None:
        return []
    drugs = [drug for one in resource.suspectEntity or () if (drug := _suspected(resource, one, medications))]
    blamed = [drug for drug in drugs if drug.ingredients] or [_in_words(event)]
    return [_reaction(resource, drug, kind, coded) for drug in blamed for kind, coded in kinds]


def _suspected(resource: Resource, suspect: Suspect, medications: Mapping[str, Resource]) -> Medication | None:
    if suspect.instanceCodeableConcept is not None:
        return of_concept(suspect.instanceCodeableConcept, rejecting=False)
    reference = suspect.instance or suspect.instanceReference
    return of_reference(resource, reference, medications) if reference is not None else None


def _in_words(event: Concept) -> Medication:
    return of_concept(Concept(text=" ".join(texts_of(event))), rejecting=False)


def _reaction(resource: Resource, drug: Medication, kind: str, coded: bool) -> DystoniaReaction:
    date = resource.date or resource.occurrenceDateTime or resource.detected or resource.recordedDate
    return DystoniaReaction(
        drug.ingredients,
        plain(drug.label) if drug.ingredients else "",
        f"AdverseEvent/{resource.id}" if resource.id else "AdverseEvent",
        parse(date) if date else None,
        drug.recognised != "code",
        not coded,
        kind,
    )
