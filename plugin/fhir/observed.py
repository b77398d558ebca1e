"""Observations that state a movement disorder themselves: "dystonia: present", or "finding: carpopedal spasm"."""

from __future__ import annotations

import re

from plugin.fhir.observations import EXCLUDED, when_of
from plugin.fhir.records import concepts_of, texts_of, words_for
from plugin.fhir.types import Concept, Resource, concept_of
from plugin.patient import Problem
from plugin.text import plain
from plugin.vocabulary import cached

MOVEMENTS = frozenset(
    {
        "dystonia",
        "drug-dystonia",
        "tetany",
        "paroxysmal-kinesigenic",
        "paroxysmal-nonkinesigenic",
        "paroxysmal-exertional",
        "paroxysmal-dyskinesia",
    }
)
_FINAL = {"final", "amended", "corrected"}
_YES = frozenset({"present", "yes", "true", "positive", "observed"})
# A code of this kind asks about somebody else, about a chance, or about what was ordered.
_ELSEWHERE = re.compile(
    r"\b(?:family|relative|mother|father|sibling|risk|rule[- ]?out|screen\w*|differential|reason)\b"
)
_NOTHING: frozenset[str] = frozenset()


@cached(maxsize=8192)
def asked(raw: bytes) -> frozenset[str]:
    """The movement disorders that the JSON of an Observation's code names."""
    return _meant(concept_of(raw))


def _meant(concept: Concept | None) -> frozenset[str]:
    texts = texts_of(concept)
    if any(_ELSEWHERE.search(text.lower()) for text in texts):
        return _NOTHING
    return (concepts_of(concept) | _NOTHING.union(*(words_for(text) for text in texts))) & MOVEMENTS


def movement_of(resource: Resource) -> Problem | None:
    """The movement disorder that an Observation states, as a problem of the day it was seen; None if it states none.

    A result without any value states what its code names; a preliminary one is unconfirmed.
    Raises msgspec.ValidationError when an element is of a wrong shape.
    """
    if resource.status in EXCLUDED or resource.dataAbsentReason is not None or resource.modifierExtension:
        return None
    code = bytes(resource.raw_code) if resource.raw_code else b"null"
    named = asked(code)
    concepts, told = (named, concept_of(code)) if named else _in_value(resource)
    if not concepts or (named and not _affirmed(resource)):
        return None
    when, texts = when_of(resource), texts_of(told)
    return Problem(
        concepts,
        plain(texts[0]) if texts else "",
        f"Observation/{resource.id}" if resource.id else "Observation",
        "active",
        resource.status not in _FINAL,
        by_text=False,
        onset=when,
        worded=concepts - concepts_of(told),
        recorded=when,
    )


def _in_value(resource: Resource) -> tuple[frozenset[str], Concept | None]:
    value, code = resource.valueCodeableConcept, resource.code
    if value is None or any(_ELSEWHERE.search(text.lower()) for text in texts_of(code)):
        return _NOTHING, None
    return _meant(value), value


def _affirmed(resource: Resource) -> bool:
    if resource.valueBoolean is not None:
        return resource.valueBoolean
    texts = [resource.valueString or "", *texts_of(resource.valueCodeableConcept)]
    words = {" ".join(text.lower().split()) for text in texts if text.strip()}
    if words:
        return words <= _YES
    return resource.valueCodeableConcept is None and resource.valueQuantity is None
