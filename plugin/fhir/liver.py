"""Observations of the Child-Pugh class -> a problem of the liver, known by words: no code for it was confirmed."""

from __future__ import annotations

from plugin.fhir.observations import when_of
from plugin.fhir.records import texts_of, words_for
from plugin.fhir.types import Resource
from plugin.patient import Problem
from plugin.text import plain

_EXCLUDED = {"registered", "cancelled", "entered-in-error"}
_FINAL = {"final", "amended", "corrected"}
_NAME = "Child-Pugh"


def child_pugh_of(resource: Resource) -> Problem | None:
    """The class that an Observation named Child-Pugh tells in words; None where it tells none (a score)."""
    if resource.status in _EXCLUDED:
        return None
    texts = [text for text in (resource.valueString, *texts_of(resource.valueCodeableConcept)) if text]
    concepts = frozenset[str]().union(*(words_for(f"{_NAME} {text}") | words_for(text) for text in texts))
    concepts = frozenset(one for one in concepts if one.startswith("child-pugh"))
    if not concepts:
        return None
    told = plain(texts[0], 20)
    return Problem(
        concepts,
        told if told.lower().startswith("child") else f"{_NAME} {told}",
        f"Observation/{resource.id}" if resource.id else "Observation",
        "active",
        resource.status not in _FINAL,
        False,
        when_of(resource),
    )
