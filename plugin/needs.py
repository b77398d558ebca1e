"""What the rules need of a record: prefetch keys, their resource types, value sets and search templates."""

from __future__ import annotations

from collections.abc import Mapping

from plugin.desk.tokens import lab_tokens
from plugin.rules import RULES
from plugin.vocabulary import terminology

MOST = 200
"""How many resources a search asks for."""

TYPES: Mapping[str, str] = {
    "patient": "Patient",
    "medications": "MedicationRequest",
    "medicationStatements": "MedicationStatement",
    "medicationAdministrations": "MedicationAdministration",
    "medicationDispenses": "MedicationDispense",
    "allergies": "AllergyIntolerance",
    "conditions": "Condition",
    "observations": "Observation",
    "familyHistory": "FamilyMemberHistory",
    "encounter": "Encounter",
    "serviceRequests": "ServiceRequest",
    "procedures": "Procedure",
    "diagnosticReports": "DiagnosticReport",
    "glucose": "Observation",
}

# The value set of each key that searches results. Glucose has its own: of inpatients there are so many that the others
# would be crowded out of the page.
CODED: Mapping[str, str] = {"observations": "observations", "glucose": "lab-glucose"}

SORT: Mapping[str, str] = {
    "medications": "-authoredon",
    "medicationAdministrations": "-effective-time",
    "medicationDispenses": "-whenhandedover",
    "medicationStatements": "-effective",
    "serviceRequests": "-authored",
    "procedures": "-date",
    "diagnosticReports": "-date",
}


def template(key: str) -> str:
    """The prefetch template of a key, inside the query subset that CDS Hooks recommends."""
    kind = TYPES[key]
    if key == "patient":
        return "Patient/{{context.patientId}}"
    if key == "encounter":
        return "Encounter/{{context.encounterId}}"
    base = f"{kind}?patient={{{{context.patientId}}}}"
    if key in CODED:
        return f"{base}&code={_codes(key)}&_sort=-date&_count={MOST}"
    return f"{base}&_sort={SORT[key]}&_count={MOST}" if key in SORT else f"{base}&_count={MOST}"


def _codes(key: str) -> str:
    """The shipped codes of a key that searches results, and the site's own."""
    shipped = (f"{coding.system}|{coding.code}" for coding in terminology().members(CODED[key]))
    return ",".join(
        (*shipped, *lab_tokens(terminology(), lambda analyte: (analyte == "glucose") == (key == "glucose")))
    )


def keys_of(hook: str) -> tuple[str, ...]:
    """The prefetch keys that the rules of a hook need, in a fixed order; nothing is asked for that no rule reads."""
    bound = [rule.needs for rule in RULES if hook in rule.hooks]
    return complete({key for needs in bound for key in needs})


def complete(needed: set[str]) -> tuple[str, ...]:
    """The keys that go with those that a rule declares, in a fixed order.

    Results are judged by where the patient is; whoever reads medications reads every kind of record of them.
    """
    needed = needed | {"patient"}
    if "observations" in needed:
        needed.add("encounter")
    if "medications" in needed:
        needed |= {key for key in TYPES if key.startswith("medication")}
    return tuple(key for key in TYPES if key in needed)
