"""QuestionnaireResponses -> presentations: questions by their names, answered like Observations."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime

from plugin.fhir.datatypes import Answer
from plugin.fhir.presentations import of_components
from plugin.fhir.types import Component, Concept, Item, Quantity, Resource
from plugin.presentation import Presentation
from plugin.thresholds import Limits


def presentations_of(resource: Resource, now: datetime, limits: Limits) -> list[Presentation]:
    """What the answers say of attacks, each as an Observation by the name of its question would.

    Raises msgspec.ValidationError when an element is of a wrong shape.
    """
    return of_components(resource, _parts(resource.item or []), now, limits)


def _parts(items: list[Item]) -> Iterator[Component]:
    """Every answered question, however deep it stands in groups or below other answers."""
    waiting = list(reversed(items))
    while waiting:
        item = waiting.pop()
        for answer in item.answer or ():
            yield _part(item.text, answer)
            waiting += reversed(answer.item or ())
        waiting += reversed(item.item or ())


def _part(question: str | None, answer: Answer) -> Component:
    """An answer as a component: yes and no are present and absent, and a number alone has no unit."""
    number = answer.valueDecimal if answer.valueDecimal is not None else answer.valueInteger
    text = answer.valueString
    if answer.valueBoolean is not None:
        text = "present" if answer.valueBoolean else "absent"
    return Component(
        Concept(text=question),
        answer.valueQuantity or (Quantity(number) if number is not None else None),
        Concept([answer.valueCoding]) if answer.valueCoding is not None else None,
        text,
    )
