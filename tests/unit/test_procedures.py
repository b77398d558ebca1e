"""Which procedures and encounters are an operation today. Now is 2026-11-22 10:00 UTC."""

from __future__ import annotations

from typing import Any

import msgspec
import pytest

from plugin.fhir.procedures import operation_today
from tests.support.fhir import NOW, Json
from tests.support.rows import resource, row

TODAY = "2026-11-22"


def procedure(code: str = "Tonsillectomy", status: str = "completed", when: str = TODAY, **more: Any) -> Json:
    """A Procedure with its code in words."""
    dated = {"performedDateTime": when} if when else {}
    return {"resourceType": "Procedure", "id": "p", "status": status, "code": {"text": code}, **dated, **more}


def encounter(status: str = "in-progress", start: str = TODAY, end: str = "", **more: Any) -> Json:
    """An Encounter of day surgery."""
    period = {"start": start, **({"end": end} if end else {})}
    return {"resourceType": "Encounter", "id": "e", "status": status, "class": {"code": "AMB"}, "period": period,
            "serviceType": {"text": "Day surgery"}, **more}  # fmt: skip


COUNT = [
    row("performed today", procedure()),
    row("performed today, with a time", procedure(when="2026-11-22T07:30:00Z")),
    row("the day in its own offset", procedure(when="2026-11-22T23:00:00+13:00")),
    row("a period that holds today", procedure(when="", performedPeriod={"start": "2026-11-22T06:00:00Z"})),
    row("a period of days", procedure(when="", performedPeriod={"start": "2026-11-20", "end": "2026-11-22"})),
    row("R5's name of the date", procedure(when="", occurrenceDateTime=TODAY)),
    row("prepared, no date", procedure(status="preparation", when="")),
    row("under way, no date", procedure(status="in-progress", when="")),
    row("status unknown", procedure(status="unknown")),
    row("category in words", procedure("Inguinal hernia", category={"text": "Surgical procedure"})),
    row("category by display", procedure("Hernia", category={"coding": [{"display": "Surgical procedure"}]})),
    row("R5's several categories", procedure("Hernia", category=[{"text": "Other"}, {"text": "Surgery"}])),
    row("a display of the code", {**procedure(), "code": {"coding": [{"display": "Pyloroplasty"}]}}),
    row("general anaesthesia", procedure("General anaesthesia")),
    row("an operation", procedure("Operation on knee joint")),
    row("a running encounter of surgery", encounter()),
    row("one that began days ago", encounter(start="2026-11-19")),
    row("one that ends today", encounter(start="2026-11-19", end=TODAY)),
    row("type in words", encounter(serviceType=None, type=[{"coding": [{"display": "Operating theatre"}]}])),
    row("R5's service type", encounter(serviceType=[{"concept": {"text": "General surgery"}}])),
    row("no period", {key: value for key, value in encounter().items() if key != "period"}),
]  # fmt: skip
DO_NOT = [
    row("yesterday", procedure(when="2026-11-21")),
    row("tomorrow", procedure(when="2026-11-23")),
    row("another day in its own offset", procedure(when="2026-11-22T01:00:00-11:00")),
    row("a month", procedure(when="2026-11")),
    row("completed, no date", procedure(when="")),
    row("prepared for tomorrow", procedure(status="preparation", when="2026-11-23")),
    row("entered in error", procedure(status="entered-in-error")),
    row("not done", procedure(status="not-done")),
    row("stopped", procedure(status="stopped")),
    row("an image", procedure("MRI of brain", category={"text": "Imaging"})),
    row("blood taken", procedure("Phlebotomy")),
    row("a consultation", procedure("Surgical consultation")),
    row("a dressing after it", procedure("Dressing of surgical wound")),
    row("a period that is over", procedure(when="", performedPeriod={"start": "2026-11-19", "end": "2026-11-21"})),
    row("no words", {**procedure(), "code": None}),
    row("an encounter that is over", encounter("finished")),
    row("an encounter to come", encounter("planned", start="2026-11-30")),
    row("an encounter that ended yesterday", encounter(start="2026-11-19", end="2026-11-21")),
    row("an encounter of another service", {**encounter(), "serviceType": {"text": "General medicine"}}),
    row("a follow-up", {**encounter(), "serviceType": {"text": "Surgical follow-up"}}),
    row("another resource", {"resourceType": "Condition", "code": {"text": "surgery"}}),
]


@pytest.mark.parametrize("found", COUNT)
def test_operations_of_today(found: Json) -> None:
    assert operation_today(resource(found), NOW) in {"Procedure/p", "Encounter/e"}


@pytest.mark.parametrize("found", DO_NOT)
def test_what_is_no_operation_of_today(found: Json) -> None:
    assert operation_today(resource(found), NOW) == ""


def test_a_category_that_cannot_be_read() -> None:
    with pytest.raises(msgspec.ValidationError):
        operation_today(resource(procedure("Hernia", category="surgery")), NOW)
