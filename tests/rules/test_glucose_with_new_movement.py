"""R-MET-08: a new dystonia or dyskinesia, and glucose far too low or too high."""

from __future__ import annotations

from typing import Any

import pytest

from tests.support.fhir import SNOMED, bundle, call, condition, lab, patient, prefetch
from tests.support.fire import Fired, fire
from tests.support.rows import WOMAN_60, row

Json = dict[str, Any]
RULE = "R-MET-08"
NEW = condition("G24.9", id="new", onset="2d")
MEASURED = lab("calcium-sc", 2.3)


def glucose(value: Any = 2.5, unit: str | None = "mmol/L", **more: Any) -> Json:
    """A glucose in serum or plasma."""
    return lab("glucose", value, unit, **more)


def view(*data: Json, hook: str = "patient-view", **more: Any) -> Fired:
    """The answer when the record is opened."""
    return fire(call(None, prefetch(WOMAN_60, MEASURED, *data, **more), hook))


def verdict(*data: Json, **more: Any) -> str:
    """The verdict when the record is opened."""
    return view(*data, **more).verdict(RULE)


RESULTS = [
    row("2.9", [glucose(2.9)], "warning"),
    row("3.0", [glucose(3.0)], "clear"),
    row("16.6", [glucose(16.6)], "clear"),
    row("16.64", [glucose(16.64)], "clear"),
    row("16.65", [glucose(16.65)], "info"),
    row("16.7", [glucose(16.7)], "info"),
    row("54 mg/dL, which stands for 3.0", [glucose(54, "mg/dL")], "clear"),
    row("55 mg/dL = 3.05", [glucose(55, "mg/dL")], "clear"),
    row("299 mg/dL = 16.60", [glucose(299, "mg/dL")], "clear"),
    row("300 mg/dL = 16.65", [glucose(300, "mg/dL")], "info"),
    row("below a limit of detection", [glucose(1.1, comparator="<")], "warning"),
    row("below something", [glucose(5, comparator="<")], "not-checked no-result"),
    row("above a limit", [glucose(33.3, comparator=">")], "info"),
    row("above something", [glucose(5, comparator=">")], "not-checked no-result"),
    row("without unit", [glucose(2.5, None)], "not-checked unit-missing"),
    row("in an unknown unit", [glucose(2.5, "furlong")], "not-checked unit-unknown"),
    row("undated", [glucose(when=None)], "not-checked date-missing"),
    row("not final", [glucose(status="preliminary")], "info"),
    row("unit inferred", [glucose(2.5, None, low=3.9, low_unit="mmol/L")], "info"),
    row(
        "a normal one whose unit was inferred", [glucose(6, None, low=3.9, low_unit="mmol/L")], "not-checked no-result"
    ),
    row("7 days old", [glucose(when="7d")], "warning"),
    row("8 days old", [glucose(when="8d")], "not-checked stale"),
    row("60 days old", [glucose(when="60d")], "not-checked stale"),
    row("none", [], "not-checked no-result"),
    row(
        "normal, then low and not final",
        [glucose(6, when="9h"), glucose(status="preliminary", id="b")],
        "not-checked no-result",
    ),
    row("low and not final, then normal", [glucose(6), glucose(when="9h", status="preliminary", id="b")], "clear"),
    row("low, then normal", [glucose(when="9h"), glucose(6, id="b")], "clear"),
    row("normal, then low", [glucose(6, when="9h"), glucose(id="b")], "warning"),
]


@pytest.mark.parametrize(("results", "expected"), RESULTS)
def test_glucose(results: list[Json], expected: str) -> None:
    assert verdict(NEW, *results) == expected


MOVEMENTS = [
    row("dystonia 7 days ago", condition("G24.9", onset="7d"), "warning"),
    row("dystonia 8 days ago", condition("G24.9", onset="8d"), "not-applicable"),
    row("recorded 7 days ago, no onset", condition("G24.9", recorded="7d"), "warning"),
    row("recorded yesterday, onset long ago", condition("G24.9", onset="400d", recorded="1d"), "not-applicable"),
    row("recorded long ago, updated yesterday", condition("G24.9", recorded="400d", updated="1d"), "not-applicable"),
    row("no date", condition("G24.9"), "not-checked date-missing"),
    row("dyskinesia", condition("9748009", system=SNOMED, onset="1d"), "warning"),
    row("paroxysmal dyskinesia in words", condition(text="Paroxysmal dyskinesia", onset="1d"), "warning"),
    row("a rule-out", condition("G24.9", onset="1d", verification="provisional"), "info"),
    row("tetany", condition("R29.0", onset="1d"), "not-applicable"),
    row("resolved", condition("G24.9", onset="1d", clinical="resolved"), "not-applicable"),
]


@pytest.mark.parametrize(("record", "expected"), MOVEMENTS)
def test_new_movements(record: Json, expected: str) -> None:
    assert verdict(record, glucose()) == expected


def test_what_did_not_arrive() -> None:
    assert verdict(glucose(), without=("conditions",)) == "not-checked key-missing"
    assert verdict(NEW, without=("glucose",)) == "not-checked key-missing"
    assert verdict(NEW, glucose(6), without=("conditions",)) == "not-checked key-missing"


def test_a_result_that_cannot_be_used_is_the_reason_before_a_list_that_was_cut_off() -> None:
    cut = {**bundle(glucose(2.5, None)), "link": [{"relation": "next", "url": "https://ehr.example/2"}]}
    assert verdict(NEW, glucose=cut) == "not-checked unit-missing"


def test_glucose_sent_with_the_other_results_counts_as_well() -> None:
    answer = view(NEW, without=("glucose", "observations"), observations={"resourceType": "Bundle"})
    assert answer.verdict(RULE) == "not-checked key-missing"
    capillary = lab("32016-8", 40, "mg/dL")
    assert verdict(NEW, capillary, without=("glucose",)) == "warning"


def test_hooks_and_the_deceased() -> None:
    assert verdict(NEW, glucose(), hook="encounter-start") == "warning"
    dead = call(None, prefetch(patient(deceasedBoolean=True), NEW, glucose()), "patient-view")
    assert fire(dead).verdict(RULE) == "not-applicable"


def test_the_cards() -> None:
    card = view(NEW, glucose(43, "mg/dL")).card
    assert card["summary"] == (
        "Glucose 43 mg/dL = 2.39 mmol/L (3 h ago) with new dystonia: low glucose can cause it. "
        "Consider correcting it first."
    )
    assert card["indicator"] == "warning"
    assert "Glucose 43 mg/dL = 2.39 mmol/L (2026-11-22, 3 h ago; status final)" in card["detail"]
    assert len(card["suggestions"]) == 3
    high = view(NEW, glucose(25)).card
    assert "high glucose can cause it" in high["summary"]
    assert high["indicator"] == "info"
