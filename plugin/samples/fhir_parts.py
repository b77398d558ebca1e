"""Pieces of FHIR that the sample orders and the sample records share."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from valuesets.systems import RXNORM, SNOMED, UCUM

Json = dict[str, Any]

TERMINOLOGY = "http://terminology.hl7.org/CodeSystem"

ROUTES: Mapping[str, Json] = {
    "PO": {"text": "oral"},
    "IM": {"coding": [{"system": SNOMED, "code": "78421000", "display": "Intramuscular route"}]},
    "IV": {"coding": [{"system": SNOMED, "code": "47625008", "display": "Intravenous route"}]},
}


def concept(system: str, code: str, display: str) -> Json:
    return {"coding": [{"system": system, "code": code, "display": display}], "text": display}


def drug(code: str, name: str) -> Json:
    return concept(RXNORM, code, name)


ONCE: Mapping[str, Any] = {"count": 1}
EVERY_4_WEEKS: Mapping[str, Any] = {"frequency": 1, "period": 4, "periodUnit": "wk"}


def daily(times: int = 1, days: int | None = None) -> Json:
    repeat: Json = {"frequency": times, "period": 1, "periodUnit": "d"}
    if days is not None:
        repeat["boundsDuration"] = {"value": days, "unit": "days", "system": UCUM, "code": "d"}
    return repeat


def dosage(mg: float, route: str, repeat: Mapping[str, Any], as_needed: bool = False) -> Json:
    made: Json = {
        "timing": {"repeat": dict(repeat)},
        "route": ROUTES[route],
        "doseAndRate": [{"doseQuantity": {"value": mg, "unit": "mg", "system": UCUM, "code": "mg"}}],
    }
    return {**made, "asNeededBoolean": True} if as_needed else made
