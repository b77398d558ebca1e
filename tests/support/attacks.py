"""Invented attacks, reports and genes: what the rules on diagnosis read."""

from __future__ import annotations

from typing import Any

from tests.support.fhir import LOINC, UCUM, Json, at, call, concept, condition, prefetch, subject
from tests.support.fire import Fired, fire

HGNC = "http://www.genenames.org/geneId"
GENES = {"PRRT2": "HGNC:30500", "TOR1A": "HGNC:3098", "KCNA1": "HGNC:6218"}
MEANS = {"pathogenic": "LA6668-3", "likely-pathogenic": "LA26332-9", "uncertain": "LA26333-7", "benign": "LA6675-8"}


def told(
    name: str,
    value: Any,
    unit: str | None = "s",
    when: str = "10d",
    *,
    id: str = "",
    status: str = "final",
    comparator: str = "",
    **more: Any,
) -> Json:
    """An Observation by name; a number is a duration, text is a word."""
    found: Json = {
        "resourceType": "Observation",
        "id": id or name.replace(" ", "-"),
        "status": status,
        "subject": subject(),
        "code": {"text": name},
        "effectiveDateTime": at(when),
    }
    if isinstance(value, str):
        return {**found, "valueString": value, **more}
    quantity: Json = {"value": value, **({"unit": unit, "system": UCUM, "code": unit} if unit else {})}
    return {**found, "valueQuantity": quantity | ({"comparator": comparator} if comparator else {}), **more}


def report(conclusion: str, name: str = "MRI brain", *, status: str = "final", id: str = "dr1", **more: Any) -> Json:
    """The report of an image or an EEG."""
    found: Json = {"resourceType": "DiagnosticReport", "id": id, "status": status, "subject": subject()}
    return {**found, "code": {"text": name}, "effectiveDateTime": at("20d"), "conclusion": conclusion, **more}


def variant(symbol: str, significance: str = "pathogenic") -> Json:
    """A variant of a gene as a laboratory reports it."""
    gene = {"code": concept(LOINC, "48018-6"), "valueCodeableConcept": concept(HGNC, GENES[symbol], symbol)}
    means = {"code": concept(LOINC, "53037-8"), "valueCodeableConcept": concept(LOINC, MEANS[significance])}
    return {
        "resourceType": "Observation",
        "id": f"variant-{symbol}",
        "status": "final",
        "subject": subject(),
        "code": concept(LOINC, "69548-6"),
        "effectiveDateTime": at("30d"),
        "valueCodeableConcept": concept(LOINC, "LA9633-4"),
        "component": [gene, means],
    }


def pkd(**more: Any) -> Json:
    """A recorded paroxysmal kinesigenic dyskinesia; it has no code that is confirmed."""
    age = more.pop("age", None)
    found = condition(text="Paroxysmal kinesigenic dyskinesia", **({"recorded": "400d", "id": "pkd"} | more))
    return {**found, "onsetAge": age} if age is not None else found


def years(value: Any, unit: str = "a") -> Json:
    """An age at onset."""
    return {"value": value, "unit": unit, "system": UCUM, "code": unit}


def opened(*data: Json, hook: str = "patient-view", without: tuple[str, ...] = (), **replaced: Any) -> Fired:
    """The answer when the record is opened."""
    return fire(call(None, prefetch(*data, without=without, **replaced), hook))


def entered(one: Json, *data: Json, without: tuple[str, ...] = (), **replaced: Any) -> Fired:
    """The answer when a condition is added to the problem list."""
    return fire(call([one], prefetch(*data, without=without, **replaced), "problem-list-item-create"))
