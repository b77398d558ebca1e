"""R-DX-03: a new dystonia and a neurological disease that may have caused it (D.4)."""

from __future__ import annotations

from typing import Any

import pytest

from tests.support.attacks import entered, opened, report
from tests.support.fhir import condition, patient
from tests.support.rows import WOMAN_60, outcome, row

Json = dict[str, Any]
RULE = "R-DX-03"
STROKE = condition("I63.9", text="Ischaemic stroke", id="stroke", recorded="900d")


def dystonia(code: str = "G24.9", **more: Any) -> Json:
    """A dystonia, recorded two days ago unless it says otherwise."""
    return condition(code, **({"recorded": "2d", "id": "dystonia"} | more))


def verdict(*data: Json, **more: Any) -> str:
    """The verdict when the record is opened."""
    return opened(WOMAN_60, *data, **more).verdict(RULE)


CAUSES = [
    row("stroke", condition("I63.9", id="x"), "info"),
    row("sequelae of stroke", condition("I69.3", id="x"), "info"),
    row("stroke, resolved: dystonia may follow after years", condition("I63.9", id="x", clinical="resolved"), "info"),
    row("multiple sclerosis", condition("G35", id="x"), "info"),
    row("traumatic brain injury", condition("S06.9", id="x"), "info"),
    row("history of traumatic brain injury", condition("Z87.820", id="x"), "info"),
    row("haemorrhage of the basal ganglia", condition("I61.0", id="x"), "info"),
    row("not confirmed", condition("I63.9", id="x", verification="provisional"), "info"),
    row("refuted", condition("I63.9", id="x", verification="refuted"), "clear"),
    row("entered in error", condition("I63.9", id="x", verification="entered-in-error"), "clear"),
    row("another disease", condition("E11.9", id="x"), "clear"),
    row("a lesion in a report", report("Lesion in the left thalamus."), "info"),
    row("denied in a report", report("No lesion of the thalamus."), "clear"),
    row("a report without a conclusion", report(""), "not-checked no-result"),
    row("an EEG without a conclusion", report("", "EEG"), "clear"),
]


@pytest.mark.parametrize(("record", "expected"), CAUSES)
def test_causes(record: Json, expected: str) -> None:
    assert verdict(dystonia(), record) == expected


DYSTONIAS = [
    row("recorded 30 days ago", dystonia(recorded="30d"), "info"),
    row("recorded 31 days ago", dystonia(recorded="31d"), "not-applicable"),
    row("began 30 days ago", dystonia(recorded="", onset="30d"), "info"),
    row("began 31 days ago", dystonia(recorded="", onset="31d"), "not-applicable"),
    row("began years ago, recorded 30 days ago", dystonia(recorded="30d", onset="900d"), "info"),
    row("began years ago, recorded 31 days ago", dystonia(recorded="31d", onset="900d"), "not-applicable"),
    row("no date", dystonia(recorded=""), "not-checked date-missing"),
    row("not confirmed", dystonia(verification="provisional"), "info"),
    row("refuted", dystonia(verification="refuted"), "not-applicable"),
    row("resolved", dystonia(clinical="resolved"), "not-applicable"),
    row("in words", condition(text="Leg dystonia", recorded="2d", id="d"), "info"),
    row(
        "of one half of the body: a stroke alarm",
        condition(text="Hemidystonia", recorded="2d", id="d"),
        "not-applicable",
    ),
    row("of one half, in another spelling", condition(text="hemi-dystonia", recorded="2d", id="d"), "not-applicable"),
    row("of one half, told by a note", {**dystonia(), "note": [{"text": "acute hemidystonia"}]}, "not-applicable"),
    row("tetany", condition("R29.0", recorded="2d", id="d"), "not-applicable"),
    row("none", condition("E11.9", id="d"), "not-applicable"),
]


@pytest.mark.parametrize(("record", "expected"), DYSTONIAS)
def test_dystonias(record: Json, expected: str) -> None:
    assert verdict(STROKE, record) == expected


@pytest.mark.parametrize(
    ("more", "expected"),
    [
        row("conditions not sent", {"without": ("conditions",)}, "not-checked key-missing"),
        row("conditions failed", {"conditions": outcome()}, "not-checked key-failed"),
    ],
)
def test_what_was_not_sent(more: dict[str, Any], expected: str) -> None:
    assert verdict(**more) == expected


def test_not_clear_without_reports() -> None:
    assert verdict(dystonia(), without=("diagnosticReports",)) == "not-checked key-missing"


SUMMARIES = [
    row("stroke", STROKE, "Dystonia with known stroke: likely acquired; check laterality, timing, MRI."),
    row("stroke with its place", condition("I63.9", text="Stroke of the left thalamus", id="x"),
        "Dystonia with known stroke of the basal ganglia or thalamus: likely acquired; check laterality, timing, MRI."),
    row("not confirmed", condition("G35", id="x", verification="provisional"),
        "Dystonia with possible demyelinating disease: perhaps acquired; check laterality, timing, MRI."),
    row("in a report", report("Lesion in the left thalamus."),
        "Dystonia with reported lesion of the basal ganglia or thalamus: "
        "likely acquired; check laterality, timing, MRI."),
]  # fmt: skip


@pytest.mark.parametrize(("record", "summary"), SUMMARIES)
def test_summaries(record: Json, summary: str) -> None:
    # A lack of calcium and magnesium results leads the card of a new dystonia, so the summary is in its rules.
    answer = opened(WOMAN_60, dystonia(), record, without=("observations",))
    card = next(one for one in answer.cards if one["source"]["topic"]["code"] == RULE)
    assert card["summary"] == summary
    assert "stroke pathway" in card["detail"]


def test_at_the_problem_list() -> None:
    assert entered(condition("G24.9", id="new"), WOMAN_60, STROKE).verdict(RULE) == "info"
    assert entered(condition("R29.0", id="new"), WOMAN_60, STROKE, dystonia()).verdict(RULE) == "not-applicable"


def test_the_dead() -> None:
    dead = patient("1966-05-01", deceasedBoolean=True)
    assert opened(dead, dystonia(), STROKE).verdict(RULE) == "not-applicable"
