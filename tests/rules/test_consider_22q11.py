"""R-MET-06: unexplained low calcium with too little parathyroid hormone, and a sign of 22q11.2 deletion."""

from __future__ import annotations

from typing import Any

import pytest

from tests.support.fhir import call, condition, lab, patient, prefetch
from tests.support.fire import Fired, fire
from tests.support.rows import aged, row

Json = dict[str, Any]
RULE = "R-MET-06"
LOW = lab("ionised", 1.0)
HEART = condition("Q21.3", id="heart")


def pth(value: Any = 10, **more: Any) -> Json:
    """A parathyroid hormone with a range of 15 to 65 pg/mL."""
    return lab("pth", value, "pg/mL", **({"low": 15, "high": 65} | more))


def view(*data: Json, who: Json | None = None, hook: str = "patient-view", **more: Any) -> Fired:
    """The answer when the record of somebody of 30 years is opened."""
    return fire(call(None, prefetch(who or aged(30), *data, **more), hook))


def verdict(*data: Json, **more: Any) -> str:
    """The verdict when the record is opened."""
    return view(*data, **more).verdict(RULE)


SIGNS = [
    row("congenital heart disease", [HEART], "info"),
    row("cleft palate", [condition("Q35.9")], "info"),
    row("intellectual disability", [condition("F70")], "info"),
    row("learning disability", [condition("F81.9")], "info"),
    row("schizophrenia", [condition("F20.9")], "info"),
    row("bipolar disorder", [condition("F31.9")], "clear"),
    row("a rule-out", [condition("Q21.3", verification="provisional")], "info"),
    row("refuted", [condition("Q21.3", verification="refuted")], "clear"),
    row("resolved", [condition("Q21.3", clinical="resolved")], "clear"),
    row("none", [], "clear"),
]


@pytest.mark.parametrize(("records", "expected"), SIGNS)
def test_signs(records: list[Json], expected: str) -> None:
    assert verdict(LOW, pth(), *records) == expected


# Born on 22 November 1996; 30 years old today.
SEIZURES = [
    row("began the day before 18", condition("R56.9", onset="2014-11-21"), "info"),
    row("began on the 18th birthday", condition("R56.9", onset="2014-11-22"), "clear"),
    row("recorded in childhood", condition("G40.909", recorded="2010-01-01"), "info"),
    row("in childhood, resolved", condition("G40.909", onset="2005-01-01", clinical="resolved"), "info"),
    row("in childhood, refuted", condition("G40.909", onset="2005-01-01", verification="refuted"), "clear"),
    row("began last year", condition("R56.9", onset="2025-01-01"), "clear"),
    row("without a date", condition("R56.9"), "not-checked date-missing"),
    row("at 17, as told", condition("R56.9") | {"onsetAge": {"value": 17, "code": "a"}}, "info"),
    row("at 18, as told", condition("R56.9") | {"onsetAge": {"value": 18, "code": "a"}}, "clear"),
    row("in the year of the 18th birthday", condition("R56.9", onset="2014"), "not-checked date-missing"),
    row(
        "recorded last year, began nobody knows when",
        condition("R56.9", recorded="2025-01-01"),
        "not-checked date-missing",
    ),
    row(
        "recorded last year, began the year before",
        condition("R56.9", recorded="2025-01-01", onset="2024-01-01"),
        "clear",
    ),
]


@pytest.mark.parametrize(("record", "expected"), SEIZURES)
def test_seizures_in_childhood(record: Json, expected: str) -> None:
    assert verdict(LOW, pth(), record) == expected


def test_seizures_of_a_child_need_no_date() -> None:
    assert verdict(LOW, pth(), condition("R56.9"), who=aged(17)) == "info"
    assert verdict(LOW, pth(), condition("R56.9"), who=aged(18)) == "not-checked date-missing"
    assert verdict(LOW, pth(), condition("R56.9"), who=patient(None)) == "not-checked date-missing"
    assert verdict(LOW, pth(), HEART, condition("R56.9", id="s"), who=patient(None)) == "info"


EXPLAINED = [
    row("22q11.2 deletion recorded", condition("Q93.81"), "not-applicable"),
    row("hypoparathyroidism after an operation", condition("E89.2"), "not-applicable"),
    row("hypoparathyroidism after an operation, resolved", condition("E89.2", clinical="resolved"), "not-applicable"),
    row("hypoparathyroidism without a cause", condition("E20.9"), "info"),
    row("22q11.2 deletion as a rule-out", condition("Q93.81", verification="provisional"), "info"),
    row("22q11.2 deletion refuted", condition("Q93.81", verification="refuted"), "info"),
]


@pytest.mark.parametrize(("record", "expected"), EXPLAINED)
def test_a_coded_cause(record: Json, expected: str) -> None:
    assert verdict(LOW, pth(), HEART, record) == expected


RESULTS = [
    row("PTH below its range", [LOW, pth(10)], "info"),
    row("PTH within its range", [LOW, pth(65)], "info"),
    row("PTH above its range", [LOW, pth(66)], "clear"),
    row("no PTH", [LOW], "not-checked no-result"),
    row("PTH stale", [LOW, pth(when="31d")], "not-checked stale"),
    row("PTH without a range", [LOW, pth(low=None, high=None)], "not-checked no-result"),
    row("calcium normal", [lab("ionised", 1.2), pth()], "clear"),
    row("calcium severe", [lab("ionised", 0.8), pth()], "info"),
    row("calcium unconfirmed", [lab("calcium-sc", 1.9), pth()], "not-checked no-result"),
    row("no calcium", [pth()], "not-checked no-result"),
    row("calcium without unit", [lab("ionised", 1.0, None), pth()], "not-checked unit-missing"),
]


@pytest.mark.parametrize(("results", "expected"), RESULTS)
def test_results(results: list[Json], expected: str) -> None:
    assert verdict(HEART, *results) == expected


def test_conditions_that_did_not_arrive_may_hold_the_cause() -> None:
    assert verdict(LOW, pth(), without=("conditions",)) == "not-checked key-missing"


def test_hooks_and_the_deceased() -> None:
    assert verdict(LOW, pth(), HEART, hook="encounter-start") == "info"
    assert verdict(LOW, pth(), HEART, who=patient(deceasedBoolean=True)) == "not-applicable"


def test_the_card() -> None:
    """It stands beside the finding that no treatment is on the list, which leads."""
    answer = view(LOW, pth(), HEART, condition("F70", id="learning"), lab("magnesium", 0.65))
    assert answer.verdict("R-MET-05") == "info"
    card = answer.card
    assert RULE in {rule["id"] for rule in card["extension"]["org.dystonia-cds"]["rules"]}
    assert "Low PTH while calcium is low, and no cause is coded" in card["detail"]
    assert "Low magnesium lowers parathyroid hormone by itself." in card["detail"]
    tests = [s for s in card["suggestions"] if s["label"] == "Order a genetic test for 22q11.2 deletion"]
    assert tests[0]["actions"][0]["resource"]["code"] == {"text": "Genetic test for 22q11.2 deletion"}


def test_the_summary() -> None:
    """Without a list of drugs nothing can be said to be missing from it, and this finding leads."""
    records = (HEART, condition("F70", id="learning"), lab("magnesium", 0.9))
    card = view(LOW, pth(), *records, without=("medications",)).card
    assert card["summary"] == "Hypocalcaemia + low PTH + CHD/learning disability: consider 22q11.2 testing."
