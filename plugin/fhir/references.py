"""Which Medication resources the drugs of a record or an order are written in."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

import msgspec

from plugin.fhir.types import Resource


def references(resources: Iterable[Resource]) -> Iterator[str]:
    """The references of drugs that nothing else in their resource names, in the spelling in which they came."""
    for resource in resources:
        if resource.medicationReference is None and not resource.raw_medication:
            continue
        reference = _reference(resource)
        if reference and not reference.startswith("#"):
            yield reference


def _reference(resource: Resource) -> str:
    if resource.raw_medicationCodeableConcept:
        return ""
    if resource.medicationReference is not None:
        return resource.medicationReference.reference or ""
    try:
        medication = resource.medication
    except msgspec.ValidationError:
        return ""  # the resource is unreadable, and is told as such where it is read
    if medication is None or medication.reference is None:
        return ""
    return medication.reference.reference or ""
