"""Observations that state a movement disorder themselves: "dystonia: present", or "finding: carpopedal spasm"."""

from __future__ import annotations

import re
from collections.abc import Sequence

from plugin.fhir.observations import EXCLUDED, when_of
from plugin.fhir.records import concepts_of, texts_of, words_for
from plugin.fhir.types import Component, Concept, Resource, concept_of
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
    if _is_elsewhere(concept):
        return _NOTHING
    return (concepts_of(concept) | _NOTHING.union(*(words_for(text) for text in texts_of(concept)))) & MOVEMENTS


def _is_elsewhere(concept: Concept | None) -> bool:
    return any(_ELSEWHERE.search(text.lower()) for text in texts_of(concept))


def _is_empty(part: Resource) -> bool:
    """Whether an Observation has no value of its own, so that its components alone say something."""
    return part.valueCodeableConcept is None and part.valueString is None and part.valueBoolean is None


def movements_of(resource: Resource, parts: Sequence[Component] = ()) -> list[Problem]:
    """The movement disorders that an Observation and its components ``parts`` state, as problems of the day.

    A result without any value states what its code names; a preliminary one is unconfirmed.
    Raises msgspec.ValidationError when an element is of a wrong shape.
    """
    if resource.status in EXCLUDED or resource.modifierExtension:
        return []
    told = [_problem(resource, resource)] if not (parts and _is_empty(resource)) else []
    if parts and not _is_elsewhere(resource.code):
        told += [_problem(resource, part) for part in parts]
    return [one for one in told if one is not None]


def _problem(resource: Resource, part: Resource | Component) -> Problem | None:
    """What one part states; None if that is no movement disorder."""
    if part.dataAbsentReason is not None or part.valueQuantity is not None:
        return None
    named = _meant(part.code)
    concepts, told = (named, part.code) if named else _in_value(part)
    if not concepts or (named and not _affirmed(part)):
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


def _in_value(part: Resource | Component) -> tuple[frozenset[str], Concept | None]:
    value = part.valueCodeableConcept
    return (_NOTHING, None) if value is None or _is_elsewhere(part.code) else (_meant(value), value)


def _affirmed(part: Resource | Component) -> bool:
    if part.valueBoolean is not None:
        return part.valueBoolean
    texts = [part.valueString or "", *texts_of(part.valueCodeableConcept)]
    words = {" ".join(text.lower().split()) for text in texts if text.strip()}
    if words:
        return words <= _YES
    return part.valueCodeableConcept is None
