"""R-DX-09: a new dystonia without a cause, and ceruloplasmin never measured (D.4)."""

from __future__ import annotations

from typing import Any

import pytest

from tests.support.attacks import opened
from tests.support.fhir import condition, lab, patient
from tests.support.rows import aged, day_before_birthday, outcome, row

Json = dict[str, Any]
RULE = "R-DX-09"
LINE = "Wilson disease is one of the treatable causes to consider"
MAN = aged(30, "male")


def dystonia(**more: Any) -> Json:
    """A dystonia, recorded two days ago unless it says otherwise."""
    return condition("G24.9", **({"recorded": "2d"} | more))


def measured(when: str = "10d", **more: Any) -> Json:
    """A ceruloplasmin."""
    return lab("2064-4", 25, "mg/dL", when, **more)


AGES = [
    row("3 today", aged(3), "info"),
    row("3 tomorrow", day_before_birthday(3), "not-applicable"),
    row("51 tomorrow", day_before_birthday(51), "info"),
    row("51 today", aged(51), "not-applicable"),
    row("no birth date", patient(None), "not-checked date-missing"),
]


@pytest.mark.parametrize(("who", "expected"), AGES)
def test_ages(who: Json, expected: str) -> None:
    assert opened(who, dystonia()).verdict(RULE) == expected


RECORDS = [
    row("a new dystonia", (dystonia(),), "info"),
    row("recorded 30 days ago", (dystonia(recorded="30d"),), "info"),
    row("recorded 31 days ago", (dystonia(recorded="31d"),), "not-applicable"),
    row("no date", (dystonia(recorded=""),), "not-checked date-missing"),
    row("refuted", (dystonia(verification="refuted"),), "not-applicable"),
    row("none", (), "not-applicable"),
    row("drug-induced", (condition("G24.02", recorded="2d"),), "clear"),
    row("stroke on record", (dystonia(), condition("I63.9", id="x")), "clear"),
    row("past stroke on record", (dystonia(), condition("I63.9", id="x", clinical="resolved")), "clear"),
    row("stroke refuted", (dystonia(), condition("I63.9", id="x", verification="refuted")), "info"),
    row("Wilson disease on record", (dystonia(), condition("E83.01", id="x")), "clear"),
    row("ceruloplasmin measured", (dystonia(), measured()), "clear"),
    row("measured years ago", (dystonia(), measured("1500d")), "clear"),
    row("measured, without a unit", (dystonia(), {**measured(), "valueQuantity": {"value": 25}}), "clear"),
]


@pytest.mark.parametrize(("data", "expected"), RECORDS)
def test_records(data: tuple[Json, ...], expected: str) -> None:
    assert opened(MAN, *data).verdict(RULE) == expected


@pytest.mark.parametrize(
    ("more", "expected"),
    [
        row("conditions not sent", {"without": ("conditions",)}, "not-checked key-missing"),
        row("results not sent", {"without": ("observations",)}, "not-checked key-missing"),
        row("results failed", {"observations": outcome()}, "not-checked key-failed"),
        row("results null: returned and empty", {"observations": None}, "info"),
    ],
)
def test_what_was_not_sent(more: dict[str, Any], expected: str) -> None:
    assert opened(MAN, dystonia(), **more).verdict(RULE) == expected


def test_it_is_a_line_on_the_card_about_missing_calcium() -> None:
    card = opened(MAN, dystonia()).card
    assert card["source"]["topic"]["code"] == "R-MET-02"
    assert LINE in card["detail"]
    assert "Wilson" not in card["summary"]


def test_it_never_stands_alone() -> None:
    answer = opened(MAN, dystonia(), lab("calcium-sc", 2.3), lab("magnesium", 0.8))
    assert answer.verdict("R-MET-02") == "clear"
    assert answer.verdict(RULE) == "on-request"
    assert answer.cards == []


def test_it_does_not_stand_on_other_cards() -> None:
    low = (lab("ionised", 0.95), lab("magnesium", 0.5))
    answer = opened(MAN, dystonia(), *low)
    assert answer.verdict("R-MET-02") == "clear"
    assert answer.verdict(RULE) == "on-request"
    assert LINE not in answer.card["detail"]


def test_the_dead() -> None:
    assert opened(patient("1996-05-01", deceasedBoolean=True), dystonia()).verdict(RULE) == "not-applicable"
