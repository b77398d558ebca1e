"""The kidney function that a limit of dose goes by: which result, how sure, why it is not known; one row one record."""

from __future__ import annotations

from typing import Any

import pytest

from plugin.kidney import Kidney, kidney_of
from plugin.labs import State
from plugin.rule import Case, Policy
from plugin.thresholds import Limits
from tests.support.fhir import lab, patient
from tests.support.rows import WOMAN_60, row
from tests.unit.test_labs import person

Json = dict[str, Any]
EGFR = "mL/min/{1.73_m2}"
CREATININE = "38483-4"
NOBODY = State("unknown")


def found(*results: Json, who: Json = WOMAN_60) -> Kidney:
    """The kidney function of a patient with these results."""
    limits = Limits()
    case = Case(person(*results, who=who), None, "order-sign", limits, Policy(), NOBODY, NOBODY, ())
    return kidney_of(case)


def creatinine(value: float, when: str = "2d", **more: Any) -> Json:
    return lab(CREATININE, value, "mg/dL", when, id="crea", **more)


def weight(value: float = 60, unit: str | None = "kg", when: str = "2d") -> Json:
    return lab("weight", value, unit, when, id="kg")


def egfr(value: float = 40, when: str = "2d", **more: Any) -> Json:
    return lab("egfr", value, EGFR, when, id="egfr", **more)


# (how it is called, value as shown, sure, why something may be worse)
KNOWN = [
    row("clearance: (140 - 60) x 60 kg x 0.85 / (72 x 1.0)", [creatinine(1.0), weight()],
        ("creatinine clearance", "56.7", True, "")),
    row("clearance before eGFR", [creatinine(1.0), weight(), egfr()], ("creatinine clearance", "56.7", True, "")),
    row("a creatinine that is not final", [creatinine(1.0, status="preliminary"), weight()],
        ("creatinine clearance", "56.7", False, "")),
    row("a newer creatinine without a unit", [creatinine(1.0, "5d"), lab(CREATININE, 3, None, "1d", id="b"), weight()],
        ("creatinine clearance", "56.7", True, "unit-missing")),
    row("eGFR alone", [egfr()], ("eGFR", "40", True, "")),
    row("eGFR not final", [egfr(status="preliminary")], ("eGFR", "40", False, "")),
    row("eGFR, and no weight for the creatinine", [egfr(), creatinine(1.0)], ("eGFR", "40", True, "")),
    row("eGFR, and a weight without a unit for the creatinine", [egfr(), creatinine(1.0), weight(unit=None)],
        ("eGFR", "40", True, "unit-missing")),
    row("eGFR, and a weight without a unit for nothing", [egfr(), weight(unit=None)], ("eGFR", "40", True, "")),
    row("a newer eGFR that cannot be read", [egfr(when="5d"), lab("egfr", 10, "furlong", "1d", id="b")],
        ("eGFR", "40", True, "unit-unknown")),
    row("an older eGFR that cannot be read", [egfr(when="1d"), lab("egfr", 10, "furlong", "5d", id="b")],
        ("eGFR", "40", True, "")),
    row("90 days ago", [egfr(when="90d")], ("eGFR", "40", True, "")),
]  # fmt: skip


@pytest.mark.parametrize(("results", "expected"), KNOWN)
def test_what_is_known(results: list[Json], expected: tuple[str, str, bool, str]) -> None:
    told = found(*results)
    assert (told.name, told.shown, told.sure, told.doubt) == expected
    unit = "" if expected[0] == "eGFR" else " mL/min"
    assert told.told == f"{expected[0]} {expected[1]}{unit}"
    assert told.problem == ""
    assert told.facts


# (why it is not known, the records that say so)
UNKNOWN = [
    row("nothing", [], ("no-result", [])),
    row("91 days ago", [egfr(when="91d")], ("stale", ["Observation/egfr"])),
    row("the newer of two old ones", [egfr(when="200d"), creatinine(1.0, "100d")], ("stale", ["Observation/crea"])),
    row("no unit", [lab(CREATININE, 1, None, "2d", id="crea")], ("unit-missing", ["Observation/crea"])),
    row("creatinine without a weight", [creatinine(1.0)], ("no-result", ["Observation/crea"])),
    row("creatinine as a bound", [creatinine(1.0, comparator=">"), weight()], ("no-result", ["Observation/crea"])),
]


@pytest.mark.parametrize(("results", "expected"), UNKNOWN)
def test_why_it_is_not_known(results: list[Json], expected: tuple[str, list[str]]) -> None:
    told = found(*results)
    assert (told.value, told.told) == (None, "kidney function unknown")
    assert (told.problem, [fact.reference for fact in told.facts]) == expected


PEOPLE = [
    row("a man: no 0.85", patient("1966-05-01", "male"), "creatinine clearance"),
    row("18 today", patient("2008-11-22", "male"), "creatinine clearance"),
    row("18 tomorrow", patient("2008-11-23", "male"), ""),
    row("sex unknown", patient("1966-05-01", None), ""),
    row("age unknown", patient(None, "male"), ""),
]


@pytest.mark.parametrize(("who", "kind"), PEOPLE)
def test_for_whom_a_clearance_is_worked_out(who: Json, kind: str) -> None:
    told = found(creatinine(1.0), weight(), who=who)
    assert told.name == kind
    assert (told.problem == "no-result") is (kind == "")


def test_the_facts_of_a_clearance() -> None:
    facts = found(creatinine(1.0), weight()).facts
    assert [fact.reference for fact in facts] == ["Observation/crea", "Observation/crea", "Observation/kg"]
    assert facts[0].text == "Creatinine clearance 56.7 mL/min (Cockcroft-Gault)"
