"""What of the data is missing, failed, cut off, of someone else or unreadable: the gaps, and what came back whole."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from datetime import datetime, timedelta
from typing import Protocol

from plugin.fhir import observations
from plugin.fhir.types import KNOWN_TYPES, Resource
from plugin.patient import CUT_OFF, NOT_SUPPLIED, PARTLY_READ, UNANSWERED, UNREAD, Age, Gap
from plugin.text import plain
from plugin.thresholds import Limits
from plugin.when import When, parse

WINDOW_DAYS = {
    "medications": "record_window_days",
    "medicationStatements": "record_window_days",
    "medicationAdministrations": "administration_window_days",
    "medicationDispenses": "dispense_window_days",
    "observations": "record_window_days",
    "serviceRequests": "record_window_days",
    "diagnosticReports": "record_window_days",
    "glucose": "new_movement_days",
    "procedures": "surgery_days",
}


# What no rule about an order depends on: a note about it never stands alone (D.6).
_BESIDE = frozenset({"serviceRequests", "glucose", "diagnosticReports"})

# Words of the host for a server that cannot answer now, or is not asked because it could not lately.
_SILENCE = frozenset(
    {"timeout", "unreachable", "open-circuit", "status-429", "status-500", "status-502", "status-503", "status-504"}
)


class Unreadable(Protocol):
    """A resource that could not be decoded."""

    @property
    def resource_type(self) -> str:
        """Its type, or "" when even that could not be read."""

    @property
    def id(self) -> str:
        """Its id, or ""."""


class Key(Protocol):
    """One prefetch key as the host hands it over."""

    reason: str
    resources: list[Resource]
    full_urls: list[str]
    foreign: int
    merged: int
    fetch: str

    @property
    def state(self) -> str:
        """satisfied, null, missing, failed or not-asked."""

    @property
    def unreadable(self) -> Iterable[Unreadable]:
        """Resources of this key that could not be decoded."""


Lost = Mapping[str, list[tuple[str, str]]]


def gaps_of(
    prefetch: Mapping[str, Key],
    lost: Lost,
    patient: Resource | None,
    age: Age | None,
    now: datetime,
    limits: Limits,
    *,
    types: Mapping[str, str],
    expected: Collection[str],
) -> Mapping[str, tuple[Gap, ...]]:
    """The gaps of each declared key; ``lost`` are (type, id) of the resources that could not be read, by key."""
    gaps: dict[str, tuple[Gap, ...]] = {}
    for name, kind in types.items():
        key, missed = prefetch.get(name), lost.get(name)
        if key is not None and key.state == "satisfied" and not key.foreign and not missed:
            continue
        told = (*_key_gaps(name, key, name in expected, now, limits), *_lost_gaps(name, missed or [], kind))
        if told:
            gaps[name] = told
    if not gaps.get("patient") and "patient" in types:
        own = tuple(_patient_gaps(patient, age))
        gaps |= {"patient": own} if own else {}
    return gaps


def _key_gaps(name: str, key: Key | None, expected: bool, now: datetime, limits: Limits) -> Iterable[Gap]:
    barred = key is not None and key.state == "failed" and key.reason == "other-patient"
    if barred:
        text = f"{_words(name)} not fetched: the access that came with the call is for a different patient"
        yield Gap(name, "other-patient", text, expected)
    if key is None or key.state == "missing" or barred:
        yield _whole(name, "key-missing", NOT_SUPPLIED, expected)
        return
    if key.state == "failed" and not returned(name, key, now, limits):
        reaches = _reaches(key, now) if key.reason == "truncated" and name in WINDOW_DAYS else None
        yield _whole(name, key.reason or "key-failed", _lack(key), name not in _BESIDE, reaches)
    if key.foreign:
        yield Gap(name, "other-patient", f"{_words(name)}: data of a different patient were left out", True)


def _whole(name: str, reason: str, lack: str, alone: bool, reaches: timedelta | None = None) -> Gap:
    """A whole kind of data that is lacking."""
    words = _words(name)
    return Gap(name, reason, f"{words} {lack}", alone, reaches=reaches, name=words, lack=lack)


def _lack(key: Key) -> str:
    if key.reason == "truncated":
        return CUT_OFF
    if key.resources:
        return PARTLY_READ
    return UNANSWERED if key.fetch in _SILENCE else UNREAD


def _lost_gaps(name: str, lost: list[tuple[str, str]], kind: str) -> Iterable[Gap]:
    """One gap for each resource that could not be read, in an order of their own."""
    for resource_type, identity in sorted(set(lost)):
        if resource_type in {kind, "", "Medication"} or resource_type not in KNOWN_TYPES:
            reference = f"{resource_type or kind}/{identity}" if identity else resource_type or kind
            text = f"{plain(reference)} in {_words(name).lower()} {UNREAD}"
            yield Gap(name, "key-failed", text, name not in _BESIDE, reference)


def returned(name: str, key: Key, now: datetime, limits: Limits) -> bool:
    """Whether a search came back whole, as far back as the rules look."""
    if key.state in {"satisfied", "null"}:
        return True
    return key.state == "failed" and key.reason == "truncated" and _covers(name, key, now, limits)


def _words(name: str) -> str:
    return _KEY_WORDS.get(name, name)


_KEY_WORDS = {
    "patient": "Patient data",
    "medications": "Medication orders",
    "medicationStatements": "Medication statements",
    "medicationAdministrations": "Medication administrations",
    "medicationDispenses": "Medication dispenses",
    "allergies": "Allergies",
    "conditions": "Conditions",
    "observations": "Results",
    "familyHistory": "Family history",
    "encounter": "Encounter",
    "serviceRequests": "Referrals",
    "diagnosticReports": "Reports of images",
    "glucose": "Glucose results",
    "procedures": "Procedures",
}


def _covers(name: str, key: Key, now: datetime, limits: Limits) -> bool:
    """A truncated list is whole enough when the oldest entry received is older than the window of the rules."""
    if name not in WINDOW_DAYS:
        return False
    reaches = _reaches(key, now)
    return reaches is not None and reaches >= limits.span(WINDOW_DAYS[name])


def _reaches(key: Key, now: datetime) -> timedelta | None:
    """The age of the oldest entry received; None where none has a date."""
    moments = [when for resource in key.resources if (when := _dated(resource)) is not None]
    return max((when.age(now) for when in moments), default=None)


def _dated(resource: Resource) -> When | None:
    if resource.resourceType == "Observation":
        return observations.when_of(resource)
    period = resource.effectivePeriod
    text = resource.authoredOn or resource.effectiveDateTime or (period.start if period else None)
    text = text or resource.whenHandedOver or resource.dateAsserted or resource.performedDateTime
    return parse(text) if text else None


def _patient_gaps(resource: Resource | None, age: Age | None) -> Iterable[Gap]:
    if resource is None or not resource.birthDate:
        yield Gap("patient", "date-missing", "Birth date not recorded: age not counted")
        return
    if age is None:
        yield Gap("patient", "implausible", "Birth date unreadable: age not counted", True)
