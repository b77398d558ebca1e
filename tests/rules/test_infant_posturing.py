"""R-DX-07: dystonic or opisthotonic posture in an infant (D.4)."""

from __future__ import annotations

from typing import Any

import pytest

from tests.support.attacks import entered, opened
from tests.support.fhir import condition, patient
from tests.support.rows import outcome, row

Json = dict[str, Any]
RULE = "R-DX-07"
INFANT = patient("2026-02-01", "female")


def posture(**more: Any) -> Json:
    """A dystonia that is not new."""
    return condition("G24.9", **({"recorded": "90d"} | more))


AGES = [
    row("9 months", "2026-02-01", "info"),
    row("two years tomorrow", "2024-11-23", "info"),
    row("two years today", "2024-11-22", "not-applicable"),
    row("born in 2024: perhaps younger than two", "2024", "info"),
    row("born in November 2024", "2024-11", "info"),
    row("born in October 2024", "2024-10", "not-applicable"),
    row("born in 2023", "2023", "not-applicable"),
    row("no birth date", None, "not-checked date-missing"),
    row("unreadable birth date", "soon", "not-checked implausible"),
]


@pytest.mark.parametrize(("birth", "expected"), AGES)
def test_ages(birth: str | None, expected: str) -> None:
    assert opened(patient(birth), posture()).verdict(RULE) == expected


POSTURES = [
    row("dystonia", posture(), "info"),
    row("opisthotonos", condition(text="Opisthotonus", recorded="90d"), "info"),
    row("opisthotonic posturing", condition(text="Opisthotonic posturing", recorded="90d"), "info"),
    row("benign infant dystonia", condition(text="Benign idiopathic dystonia of infancy", recorded="90d"), "info"),
    row("denied", condition(text="No opisthotonos"), "not-applicable"),
    row("not confirmed", posture(verification="provisional"), "info"),
    row("refuted", posture(verification="refuted"), "not-applicable"),
    row("resolved", posture(clinical="resolved"), "not-applicable"),
    row("congenital torticollis", condition(text="Congenital muscular torticollis"), "not-applicable"),
    row("tetany", condition("R29.0"), "not-applicable"),
    row("reflux alone", condition("K21.9"), "not-applicable"),
]


@pytest.mark.parametrize(("record", "expected"), POSTURES)
def test_postures(record: Json, expected: str) -> None:
    assert opened(INFANT, record).verdict(RULE) == expected


@pytest.mark.parametrize(
    ("more", "expected"),
    [
        row("conditions not sent", {"without": ("conditions",)}, "not-checked key-missing"),
        row("conditions failed", {"conditions": outcome()}, "not-checked key-failed"),
    ],
)
def test_what_was_not_sent(more: dict[str, Any], expected: str) -> None:
    assert opened(INFANT, **more).verdict(RULE) == expected


def test_the_card() -> None:
    card = opened(INFANT, posture(), condition("K21.9", text="Reflux", id="reflux")).card
    assert card["summary"] == (
        "Infant dystonic spells: consider Sandifer, benign infant dystonia, BMEI, hyperekplexia, epilepsy."
    )
    assert "metoclopramide and prochlorperazine are best avoided at this age (see R-DRUG-05)" in card["detail"]
    assert "Age 9 months" in card["detail"]
    assert "Condition: Reflux" in card["detail"]


def test_at_the_problem_list() -> None:
    assert entered(posture(), INFANT).verdict(RULE) == "info"
    assert entered(condition("R29.0", id="new"), INFANT, posture()).verdict(RULE) == "not-applicable"


def test_the_dead() -> None:
    assert opened(patient("2026-02-01", deceasedBoolean=True), posture()).verdict(RULE) == "not-applicable"
