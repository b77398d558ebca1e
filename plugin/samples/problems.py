"""The problems that a visitor may enter on the problem list."""

from __future__ import annotations

from plugin.samples.chart import status
from plugin.samples.fhir_parts import Json, concept
from plugin.samples.models import SampleCondition
from valuesets.systems import ICD10CM, SNOMED


def problem(key: str, name: str, code: Json) -> SampleCondition:
    """A problem without a date: it is being entered now."""
    resource: Json = {
        "resourceType": "Condition",
        "clinicalStatus": status("condition-clinical", "active"),
        "verificationStatus": status("condition-ver-status", "confirmed"),
        "code": code,
    }
    return SampleCondition(key, name, resource)


CONDITIONS: tuple[SampleCondition, ...] = (
    problem("acute-dystonia", "Acute dystonia", concept(SNOMED, "15802004", "Dystonia (disorder)")),
    problem("tetany", "Tetany", concept(ICD10CM, "R29.0", "Tetany")),
    problem("kinesigenic", "Paroxysmal kinesigenic dyskinesia", {"text": "Paroxysmal kinesigenic dyskinesia"}),
    problem("hypertension", "Essential hypertension", concept(ICD10CM, "I10", "Essential (primary) hypertension")),
)
