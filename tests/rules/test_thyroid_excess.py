"""R-MET-07: dystonia or paroxysmal movements, and a thyroid that is overactive."""

from __future__ import annotations

from typing import Any

import pytest

from tests.support.fhir import bundle, call, condition, day, encounter, lab, patient, prefetch, taking
from tests.support.fire import Fired, fire
from tests.support.rows import WOMAN_60, outcome, row

Json = dict[str, Any]
RULE = "R-MET-07"
PAROXYSMAL = condition(text="Paroxysmal dyskinesia", id="pxd", recorded="400d")
THYROID = condition("E05.90", id="thyroid")
MEASURED = lab("calcium-sc", 2.3)


def tsh(value: Any = 0.05, **more: Any) -> Json:
    """A thyrotropin in mIU/L."""
    return lab("tsh", value, more.pop("unit", "m[IU]/L"), **more)


def ft4(value: Any = 30, **more: Any) -> Json:
    """A free T4 with an upper limit of 22 pmol/L."""
    return lab("ft4", value, "pmol/L", **({"low": 12, "high": 22} | more))


def ft3(value: Any = 9, **more: Any) -> Json:
    """A free T3 with an upper limit of 6.5 pmol/L."""
    return lab("ft3", value, "pmol/L", **({"low": 3, "high": 6.5} | more))


def view(*data: Json, hook: str = "patient-view", **more: Any) -> Fired:
    """The answer when the record is opened."""
    return fire(call(None, prefetch(WOMAN_60, *data, **more), hook))


def verdict(*data: Json, **more: Any) -> str:
    """The verdict when the record is opened."""
    return view(*data, **more).verdict(RULE)


RESULTS = [
    row("TSH suppressed, free T4 high", [tsh(), ft4()], "info"),
    row("TSH suppressed, free T3 high", [tsh(), ft3()], "info"),
    row("free T3 high, free T4 normal", [tsh(), ft4(20), ft3()], "info"),
    row("TSH 0.099", [tsh(0.099), ft4()], "info"),
    row("TSH 0.1", [tsh(0.1), ft4()], "clear"),
    row("TSH below a limit of detection", [tsh(0.01, comparator="<"), ft4()], "info"),
    row("TSH below something higher", [tsh(0.3, comparator="<"), ft4()], "not-checked no-result"),
    row("free T4 at the upper limit", [tsh(), ft4(22)], "clear"),
    row("free T4 just above", [tsh(), ft4(22.1)], "info"),
    row("free T4 above a limit", [tsh(), ft4(77, comparator=">")], "info"),
    row("free T4 below a limit", [tsh(), ft4(77, comparator="<")], "not-checked no-result"),
    row("both hormones normal", [tsh(), ft4(20), ft3(5)], "clear"),
    row("one normal, the other without unit", [tsh(), ft4(20), lab("ft3", 9, None, high=6.5)],
        "not-checked unit-missing"),
    row("free T4 without a range", [tsh(), ft4(low=None, high=None)], "not-checked no-result"),
    row("TSH alone", [tsh()], "not-checked no-result"),
    row("free T4 alone", [ft4()], "not-checked no-result"),
    row("nothing", [], "not-checked no-result"),
    row("TSH stale", [tsh(when="31d"), ft4()], "not-checked stale"),
    row("TSH 30 days old", [tsh(when="30d"), ft4(when="30d")], "info"),
    row("free T4 stale", [tsh(), ft4(when="31d")], "not-checked stale"),
    row("TSH without unit", [tsh(unit=None), ft4()], "not-checked unit-missing"),
    row("TSH undated", [tsh(when=None), ft4()], "not-checked date-missing"),
    row("TSH not final", [tsh(status="preliminary"), ft4()], "info"),
    row("TSH normal", [tsh(2), ft4(15)], "clear"),
    row("TSH normal, a newer one not final", [tsh(2, when="9h"), tsh(status="preliminary", id="b"), ft4()],
        "not-checked no-result"),
    row("free T4 normal, a newer one not final", [tsh(), ft4(15, when="9h"), ft4(status="preliminary", id="b")],
        "not-checked no-result"),
]  # fmt: skip


@pytest.mark.parametrize(("results", "expected"), RESULTS)
def test_results(results: list[Json], expected: str) -> None:
    assert verdict(PAROXYSMAL, *results) == expected


MOVEMENTS = [
    row("paroxysmal dyskinesia", [PAROXYSMAL], "info"),
    row("dystonia", [condition("G24.9")], "info"),
    row("a rule-out", [condition("G24.9", verification="provisional")], "info"),
    row("tetany", [condition("R29.0")], "not-applicable"),
    row("resolved", [condition("G24.9", clinical="resolved")], "not-applicable"),
    row("none", [], "not-applicable"),
]


@pytest.mark.parametrize(("records", "expected"), MOVEMENTS)
def test_movements(records: list[Json], expected: str) -> None:
    assert verdict(*records, tsh(), ft4()) == expected


RECORDED = [
    row("hyperthyroidism without treatment", [THYROID], "info"),
    row("a rule-out", [condition("E05.90", id="thyroid", verification="provisional")], "info"),
    row("resolved", [condition("E05.90", id="thyroid", clinical="resolved")], "not-checked no-result"),
    row("on methimazole", [THYROID, taking("Methimazole 5 mg tablet")], "not-checked no-result"),
    row("on propylthiouracil", [THYROID, taking("propylthiouracil")], "not-checked no-result"),
    row("on carbimazole", [THYROID, taking("carbimazole 20 mg")], "not-checked no-result"),
    row("methimazole stopped", [THYROID, taking("Methimazole 5 mg tablet", status="stopped")], "info"),
    row("on methimazole, still overactive", [THYROID, taking("Methimazole 5 mg tablet"), tsh(), ft4()], "info"),
    row("without treatment, TSH normal", [THYROID, tsh(2)], "info"),
]


@pytest.mark.parametrize(("records", "expected"), RECORDED)
def test_recorded_hyperthyroidism(records: list[Json], expected: str) -> None:
    assert verdict(PAROXYSMAL, *records) == expected


def test_untreated_needs_the_list_of_drugs() -> None:
    assert verdict(PAROXYSMAL, THYROID, without=("medications",)) == "not-checked key-missing"
    assert verdict(PAROXYSMAL, THYROID, medications=outcome()) == "not-checked key-failed"
    unreadable = {**taking("methimazole"), "medicationCodeableConcept": 7}
    assert verdict(PAROXYSMAL, THYROID, medications=bundle(unreadable)) == "not-checked key-failed"


def test_a_result_dated_by_the_day_may_be_older_than_it_looks() -> None:
    assert verdict(PAROXYSMAL, tsh(2, when=day(29))) == "clear"
    assert verdict(PAROXYSMAL, tsh(2, when=day(30))) == "not-checked date-missing"
    assert verdict(PAROXYSMAL, tsh(2, when="30d")) == "clear"


def test_what_did_not_arrive() -> None:
    assert verdict(tsh(), ft4(), without=("conditions",)) == "not-checked key-missing"
    assert verdict(PAROXYSMAL, without=("observations",)) == "not-checked key-missing"


def test_hooks_acute_encounters_and_the_deceased() -> None:
    assert verdict(PAROXYSMAL, tsh(), ft4(), hook="encounter-start") == "info"
    assert verdict(PAROXYSMAL, tsh(when="73h"), ft4(), encounter()) == "not-checked stale"
    dead = call(None, prefetch(patient(deceasedBoolean=True), PAROXYSMAL, tsh(), ft4()), "patient-view")
    assert fire(dead).verdict(RULE) == "not-applicable"


def test_the_cards() -> None:
    card = view(PAROXYSMAL, MEASURED, tsh(), ft4()).card
    assert card["summary"] == ("Biochemical hyperthyroidism with paroxysmal movements: treat first, reassess.")
    assert "TSH 0.05 mIU/L" in card["detail"]
    assert "Free T4 30 pmol/L" in card["detail"]
    assert [s["label"] for s in card["suggestions"]][:2] == ["Check TSH and free T4", "Refer to endocrinology"]
    card = view(condition("G24.9", id="d"), THYROID).card
    assert card["summary"] == "Hyperthyroidism without antithyroid drug with dystonia: treat first, reassess."
    doubtful = condition("E05.90", id="thyroid", verification="provisional")
    card = view(condition("G24.9", id="d"), doubtful).card
    assert card["summary"] == "Possible hyperthyroidism without antithyroid drug with dystonia: treat first, reassess."
    assert "- Condition: hyperthyroidism, no date, not confirmed\n" in card["detail"]
