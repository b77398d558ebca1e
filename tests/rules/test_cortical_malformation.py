"""R-DX-05: a cortical malformation and paroxysmal movements (D.4)."""

from __future__ import annotations

from typing import Any

import pytest

from tests.support.attacks import opened, report, told
from tests.support.fhir import condition, patient
from tests.support.rows import WOMAN_60, outcome, row

Json = dict[str, Any]
RULE = "R-DX-05"
MALFORMED = condition("Q04.3", text="Polymicrogyria", id="cortex")
ATTACKS = condition(text="Paroxysmal dystonia", id="attacks", recorded="90d")


def verdict(*data: Json, **more: Any) -> str:
    """The verdict when the record is opened."""
    return opened(WOMAN_60, *data, **more).verdict(RULE)


MALFORMATIONS = [
    row("by code", condition("Q04.8", id="x"), "info"),
    row("polymicrogyria in words", condition(text="Polymicrogyria", id="x"), "info"),
    row(
        "focal cortical dysplasia in words", condition(text="Focal cortical dysplasia of the left lobe", id="x"), "info"
    ),
    row("heterotopia in words", condition(text="Periventricular nodular heterotopia", id="x"), "info"),
    row("denied in words", condition(text="No polymicrogyria", id="x"), "not-applicable"),
    row("in a report", report("Bilateral polymicrogyria."), "info"),
    row("denied in a report", report("No polymicrogyria."), "not-applicable"),
    row("not confirmed", condition("Q04.8", id="x", verification="provisional"), "info"),
    row("refuted", condition("Q04.8", id="x", verification="refuted"), "not-applicable"),
    row("another malformation", condition("Q04.0", id="x"), "not-applicable"),
]


@pytest.mark.parametrize(("record", "expected"), MALFORMATIONS)
def test_malformations(record: Json, expected: str) -> None:
    assert verdict(record, ATTACKS) == expected


EVENTS = [
    row("paroxysmal dystonia", ATTACKS, "info"),
    row("paroxysmal kinesigenic dyskinesia", condition(text="Paroxysmal kinesigenic dyskinesia", id="x"), "info"),
    row("attacks that an Observation describes", told("attack duration", 30), "info"),
    row("an Observation that cannot be read", told("attack duration", 30, None), "not-checked unit-missing"),
    row("refuted", condition(text="Paroxysmal dystonia", id="x", verification="refuted"), "clear"),
    row("a lasting dystonia", condition("G24.3", id="x", recorded="90d"), "clear"),
    row("another disease", condition("E11.9", id="x"), "clear"),
]


@pytest.mark.parametrize(("record", "expected"), EVENTS)
def test_events(record: Json, expected: str) -> None:
    assert verdict(MALFORMED, record) == expected


@pytest.mark.parametrize(
    ("data", "more", "expected"),
    [
        row("conditions not sent", (), {"without": ("conditions",)}, "not-checked key-missing"),
        row("reports failed", (), {"diagnosticReports": outcome()}, "not-checked key-failed"),
        row("results not sent", (MALFORMED,), {"without": ("observations",)}, "not-checked key-missing"),
    ],
)
def test_what_was_not_sent(data: tuple[Json, ...], more: dict[str, Any], expected: str) -> None:
    assert verdict(*data, **more) == expected


def test_the_card() -> None:
    card = opened(WOMAN_60, MALFORMED, ATTACKS).card
    assert card["summary"] == (
        "Cortical malformation with paroxysmal limb posturing: EEG to separate seizure from dystonia."
    )
    assert card["indicator"] == "info"
    assert "Request an EEG" in [one["label"] for one in card["suggestions"]]


def test_the_dead() -> None:
    dead = patient("1966-05-01", deceasedBoolean=True)
    assert opened(dead, MALFORMED, ATTACKS).verdict(RULE) == "not-applicable"
