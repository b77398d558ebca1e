"""R-TX-06: a tethered cord is confirmed and neurosurgery was not asked (D.5)."""

from __future__ import annotations

from typing import Any

import pytest

from tests.support.fhir import call, condition, prefetch, referral, subject
from tests.support.fire import Fired, fire
from tests.support.rows import aged, outcome, row

Json = dict[str, Any]
RULE = "R-TX-06"


def view(*data: Json, **more: Any) -> Fired:
    """The answer when the record of a child is opened."""
    return fire(call(None, prefetch(aged(9), *data, **more), "patient-view"))


def tethered(**more: Any) -> Json:
    """A tethered cord by code."""
    return condition("Q06.8", **({"recorded": "10d", "text": "Tethered cord"} | more))


def image(conclusion: str, *, name: str = "MRI lumbar spine", status: str = "final") -> Json:
    """The report of an image."""
    return {
        "resourceType": "DiagnosticReport",
        "id": "dr1",
        "status": status,
        "subject": subject(),
        "code": {"text": name},
        "effectiveDateTime": "2026-11-10",
        "conclusion": conclusion,
    }


RECORDS = [
    row("by code", (tethered(),), "info"),
    row("in words", (condition(text="Tethered cord syndrome"),), "info"),
    row("a rule-out is not confirmed", (tethered(verification="provisional"),), "not-applicable"),
    row("refuted", (tethered(verification="refuted"),), "not-applicable"),
    row("resolved", (tethered(clinical="resolved"),), "not-applicable"),
    row("spina bifida", (condition("Q05.9"),), "not-applicable"),
    row("an MRI report says so", (image("Low-lying conus with tethered cord."),), "info"),
    row("an MRI report denies it", (image("No tethered cord."),), "not-applicable"),
    row(
        "an MRI of the brain repeats the history",
        (image("Normal brain. History: tethered cord.", name="MRI brain"),),
        "not-applicable",
    ),
    row("an MRI of brain and spine", (image("Tethered cord.", name="MRI brain and spine"),), "info"),
    row("an MRI of no named region", (image("Tethered cord.", name="MRI"),), "info"),
    row("a report of another image", (image("Tethered cord.", name="CT lumbar spine"),), "not-applicable"),
    row("asked 90 days ago", (tethered(), referral("Neurosurgery", "90d")), "clear"),
    row("asked 91 days ago", (tethered(), referral("Neurosurgery", "91d")), "info"),
    row("asked some day of a year", (tethered(), referral("Neurosurgery", "2026")), "not-checked date-missing"),
    row("asked without a date", (tethered(), referral("Neurosurgery", None)), "not-checked date-missing"),
    row("neurology was asked", (tethered(), referral("Neurology")), "info"),
    row("nothing", (), "not-applicable"),
]


@pytest.mark.parametrize(("data", "expected"), RECORDS)
def test_records(data: tuple[Json, ...], expected: str) -> None:
    reports = [one for one in data if one["resourceType"] == "DiagnosticReport"]
    rest = [one for one in data if one["resourceType"] != "DiagnosticReport"]
    found = {"resourceType": "Bundle", "type": "searchset", "entry": [{"resource": one} for one in reports]}
    assert view(*rest, diagnosticReports=found).verdict(RULE) == expected


GAPS = [
    row("no conditions", {"without": ("conditions",)}, (), "not-checked key-missing"),
    row("no referrals", {"without": ("serviceRequests",)}, (tethered(),), "not-checked key-missing"),
    row("referrals failed", {"serviceRequests": outcome()}, (tethered(),), "not-checked key-failed"),
]


@pytest.mark.parametrize(("more", "data", "expected"), GAPS)
def test_what_was_not_sent(more: dict[str, Any], data: tuple[Json, ...], expected: str) -> None:
    assert view(*data, **more).verdict(RULE) == expected


def test_the_card() -> None:
    card = view(tethered(), diagnosticReports=None).card
    assert card["summary"] == (
        "Tethered cord recorded: no neurosurgery referral in 90 days. Surgical assessment is an option."
    )
    draft = card["suggestions"][0]["actions"][0]["resource"]
    assert (draft["resourceType"], draft["code"]["text"]) == ("ServiceRequest", "Referral to neurosurgery")
    assert len(card["suggestions"]) == 2
    assert card["extension"]["org.dystonia-cds"]["facts"] == [
        {"text": "Condition: Tethered cord, 2026-11-12", "reference": "Condition/c1"}
    ]
