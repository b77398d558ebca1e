"""What a sample is, before the host sees it."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any


@dataclass(frozen=True, slots=True)
class SampleOrder:
    """An order to choose: a name to search by, a MedicationRequest without subject, and the fields that offer it."""

    id: str
    name: str
    resource: Mapping[str, Any]
    fields: tuple[str, ...] = ("draftOrders",)


@dataclass(frozen=True, slots=True)
class SampleCondition:
    """A problem to enter: a name to search by and a Condition without subject."""

    id: str
    name: str
    resource: Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class SamplePatient:
    """An invented patient: a story, what to expect, and FHIR data by prefetch key at a given moment."""

    id: str
    name: str
    story: str
    shows: str
    hook: str
    orders: tuple[str, ...]
    build: Callable[[datetime], Mapping[str, Any]]
    refills: tuple[str, ...] = ()
    conditions: tuple[str, ...] = ()
