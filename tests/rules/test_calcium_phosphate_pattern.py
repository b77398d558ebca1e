"""R-MET-09: what low calcium, high phosphate and parathyroid hormone together point to."""

from __future__ import annotations

from typing import Any

import pytest

from tests.support.fhir import call, condition, lab, patient, prefetch, referral, taking
from tests.support.fire import Fired, fire
from tests.support.rows import WOMAN_60, row

Json = dict[str, Any]
RULE = "R-MET-09"
LOW = lab("ionised", 1.0)
TREATED = taking("calcium carbonate")
MG = lab("magnesium", 0.9)


def pth(value: Any = 10, **more: Any) -> Json:
    """A parathyroid hormone with a range of 15 to 65 pg/mL."""
    return lab("pth", value, "pg/mL", **({"low": 15, "high": 65} | more))


def phosphate(value: Any = 2.0, unit: str | None = "mmol/L", **more: Any) -> Json:
    """A phosphate with a range of 0.8 to 1.5 mmol/L."""
    return lab("phosphate", value, unit, **({"low": 0.8, "high": 1.5} | more))


def view(*data: Json, hook: str = "patient-view", **more: Any) -> Fired:
    """The answer when the record is opened."""
    return fire(call(None, prefetch(WOMAN_60, TREATED, MG, *data, **more), hook))


def verdict(*data: Json, **more: Any) -> str:
    """The verdict when the record is opened."""
    return view(*data, **more).verdict(RULE)


RESULTS = [
    row("all three, PTH low", [LOW, phosphate(), pth()], "info"),
    row("all three, PTH normal", [LOW, phosphate(), pth(40)], "info"),
    row("all three, PTH high", [LOW, phosphate(), pth(66)], "info"),
    row("phosphate just above its range", [LOW, phosphate(1.51), pth()], "info"),
    row("phosphate at the upper limit", [LOW, phosphate(1.5), pth()], "clear"),
    row("phosphate in mg/dL", [LOW, phosphate(6, "mg/dL", low=2.5, high=4.5), pth()], "info"),
    row("phosphate above something", [LOW, phosphate(1.5, comparator=">"), pth()], "info"),
    row("phosphate below something", [LOW, phosphate(2, comparator="<"), pth()], "not-checked no-result"),
    row("phosphate without a range", [LOW, phosphate(low=None, high=None), pth()], "not-checked no-result"),
    row("phosphate without unit", [LOW, lab("phosphate", 2, None, high=1.5), pth()], "not-checked unit-missing"),
    row(
        "phosphate normal, a newer one not final",
        [LOW, phosphate(1, when="9h"), phosphate(status="preliminary", id="b"), pth()],
        "not-checked no-result",
    ),
    row("no phosphate", [LOW, pth()], "not-checked no-result"),
    row("phosphate stale", [LOW, phosphate(when="31d"), pth()], "not-checked stale"),
    row("no PTH", [LOW, phosphate()], "not-checked no-result"),
    row("PTH stale", [LOW, phosphate(), pth(when="31d")], "not-checked stale"),
    row("PTH without a range", [LOW, phosphate(), pth(low=None, high=None)], "not-checked no-result"),
    row("calcium normal", [lab("ionised", 1.2), phosphate(), pth()], "clear"),
    row("calcium low, unconfirmed", [lab("calcium-sc", 1.8), phosphate(), pth()], "info"),
    row("calcium stale", [lab("ionised", 1.0, when="31d"), phosphate(), pth()], "not-checked stale"),
    row("no calcium", [phosphate(), pth()], "not-checked no-result"),
    row("PTH not final", [LOW, phosphate(), pth(status="preliminary")], "info"),
]


@pytest.mark.parametrize(("results", "expected"), RESULTS)
def test_results(results: list[Json], expected: str) -> None:
    assert verdict(*results) == expected


SUMMARIES = [
    row("low", pth(10), "Low Ca + high PO4 + low PTH: hypoparathyroid pattern."),
    row("normal", pth(40), "Low Ca + high PO4 + PTH not raised: hypoparathyroid pattern."),
    row("high", pth(66),
        "Low Ca + high PO4 + high PTH: pseudohypoparathyroidism/CKD/vitamin D pattern."),
    row("not final", pth(10, status="preliminary"),
        "Possible: Low Ca + high PO4 + low PTH: hypoparathyroid pattern."),
]  # fmt: skip


@pytest.mark.parametrize(("hormone", "summary"), SUMMARIES)
def test_summaries(hormone: Json, summary: str) -> None:
    card = view(LOW, phosphate(), hormone).card
    assert card["summary"] == summary
    assert not any("CT" in suggestion["label"] for suggestion in card["suggestions"])


SCANS = [
    row("dystonia", [condition("G24.9", recorded="400d")], True),
    row("Parkinson disease", [condition("G20.A1")], True),
    row("a rule-out", [condition("G24.9", recorded="400d", verification="provisional")], True),
    row("resolved", [condition("G24.9", recorded="400d", clinical="resolved")], False),
    row("tetany", [condition("R29.0", recorded="400d")], False),
    row("CT on record", [condition("G24.9", recorded="400d"), referral("CT head without contrast")], False),
]


@pytest.mark.parametrize(("records", "offered"), SCANS)
def test_a_scan_where_a_movement_disorder_is_recorded(records: list[Json], offered: bool) -> None:
    card = view(LOW, phosphate(), pth(), *records).card
    assert any(suggestion["label"].startswith("Order CT") for suggestion in card["suggestions"]) is offered


def test_the_summary_with_a_movement_disorder() -> None:
    card = view(LOW, phosphate(), pth(), condition("G24.9", recorded="400d")).card
    assert card["summary"].endswith("hypoparathyroid pattern. Consider CT for basal ganglia calcification.")
    long = view(LOW, phosphate(), pth(66, status="preliminary"), condition("G24.9", recorded="400d")).card
    assert "…" not in long["summary"]


def test_hooks_and_the_deceased() -> None:
    assert verdict(LOW, phosphate(), pth(), hook="encounter-start") == "info"
    assert verdict(LOW, without=("observations",)) == "not-checked key-missing"
    dead = call(None, prefetch(patient(deceasedBoolean=True), LOW, phosphate(), pth()), "patient-view")
    assert fire(dead).verdict(RULE) == "not-applicable"
