"""Procedures and encounters -> whether the patient has an operation today."""

from __future__ import annotations

import re
from collections.abc import Iterable
from datetime import datetime
from typing import Any

import msgspec

from plugin.fhir.records import status_code
from plugin.fhir.types import Coding, Concept, Period, Resource
from plugin.text import READ_AT_MOST
from plugin.when import When, parse

_NOT_DONE = {"entered-in-error", "not-done", "stopped"}
_UNDER_WAY = {"preparation", "in-progress"}
_RUNNING = {"planned", "arrived", "triaged", "in-progress", "onleave", "unknown", ""}
# Beginnings and ends of words; codes of operations are thousands and none was confirmed.
_SURGERY = re.compile(
    r"\b(?:neuro|micro|cardiac )?surg|\boperati(?:on|ve)\b|\boperating\b|\btheatre\b|\ban(?:a)?esthe|"
    r"\w(?:ectomy|rrhaphy|plasty|pexy)\b",
    re.IGNORECASE,
)
# What speaks of an operation without being one.
_BESIDE = re.compile(
    r"consult|assess|evaluat|follow[- ]?up|history|educat|dressing|referral|post-?op|post-?surg|after surg|non-?op|"
    r"local an(?:a)?esthe|topical",
    re.IGNORECASE,
)
_CONCEPTS: msgspec.json.Decoder[list[Concept] | Concept | None] = msgspec.json.Decoder(list[Concept] | Concept | None)


def operation_today(resource: Resource, now: datetime) -> str:
    """The reference of a Procedure or Encounter that is an operation today; empty when it is none.

    A Procedure counts when it was performed today, or is prepared or under way and names no other day. An Encounter
    counts by the words of its type or service while it runs today. Raises msgspec.ValidationError for an element of a
    wrong shape.
    """
    procedure = resource.resourceType == "Procedure"
    counts = _performed_today(resource, now) if procedure else _runs_today(resource, now)
    words = _procedure_words(resource) if procedure else _encounter_words(resource)
    texts = (text[:READ_AT_MOST] for text in words)
    if not counts or not any(_SURGERY.search(text) and not _BESIDE.search(text) for text in texts):
        return ""
    return f"{resource.resourceType}/{resource.id}" if resource.id else resource.resourceType


def _performed_today(resource: Resource, now: datetime) -> bool:
    status = status_code(resource.status)
    if status in _NOT_DONE:
        return False
    start = _when(resource.performedDateTime or resource.occurrenceDateTime)
    period = resource.performedPeriod
    if start is None and period is not None and (period.start or period.end):
        return _covers(period, now)
    return _is_today(start, now) if start is not None else status in _UNDER_WAY


def _runs_today(resource: Resource, now: datetime) -> bool:
    if status_code(resource.status) not in _RUNNING:
        return False
    return resource.period is None or _covers(resource.period, now)


def _covers(period: Period, now: datetime) -> bool:
    """Whether a period takes in today, by whole days; one without an end goes on."""
    start, end = _when(period.start), _when(period.end)
    begun = start is None or _is_today(start, now) or start.earliest <= now
    return begun and (end is None or _is_today(end, now) or end.latest >= now)


def _is_today(when: When, now: datetime) -> bool:
    """The same day, in the date's own offset."""
    return when.precision in {"day", "time"} and when.earliest.date() == now.astimezone(when.earliest.tzinfo).date()


def _when(text: str | None) -> When | None:
    return parse(text) if text else None


def _procedure_words(resource: Resource) -> Iterable[str]:
    """The words of the code, then those of the category: one in R4, several in R5."""
    category = _CONCEPTS.decode(resource.raw_category) if resource.raw_category else None
    categories = category if isinstance(category, list) else [category]
    yield " ".join(word for concept in (resource.code, *categories) for word in _texts(concept))


def _texts(concept: Concept | None) -> Iterable[str]:
    codings: list[Coding] = (concept.coding or []) if concept is not None else []
    texts = [concept.text if concept is not None else None, *(coding.display for coding in codings)]
    return [text for text in texts if text]


def _encounter_words(resource: Resource) -> Iterable[str]:
    """Texts and displays of type and service, each on its own; they are untyped, because versions differ."""
    for part in (resource.type, resource.serviceType):
        yield from _words(part)


def _words(part: Any) -> Iterable[str]:
    if isinstance(part, list):
        for one in part:
            yield from _words(one)
    elif isinstance(part, dict):
        for name in ("text", "display", "coding", "concept"):
            yield from _words(part.get(name)) if not isinstance(part.get(name), str) else [part[name]]
