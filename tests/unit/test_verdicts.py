"""What a verdict carries: the records it rests on, and evidence that stays the same until something changes."""

from __future__ import annotations

import pytest

from plugin.rule import Fact, Finding, Indicator, Status, clear, evidence_of, fired, not_checked
from plugin.rules import RULES
from tests.support.rows import row

RULE = RULES[0]
INPUTS = ("Observation/b", "Observation/a")
AGES = [
    row(
        "hours",
        "Ca 1.8 mmol/L (2026-11-22, 3 h ago; status final)",
        "Ca 1.8 mmol/L (2026-11-22, 9 h ago; status final)",
    ),
    row("days", "Ca 1.8 mmol/L (2 d ago)", "Ca 1.8 mmol/L (14 d ago)"),
    row("less than an hour", "Ca 1.8 mmol/L (less than 1 h ago)", "Ca 1.8 mmol/L (1 h ago)"),
]


def finding(*facts: str, level: Indicator = Indicator.WARNING, summary: str = "Low calcium") -> Finding:
    return Finding(level, summary, (), tuple(Fact(text) for text in facts))


def evidence(told: Finding, inputs: tuple[str, ...] = INPUTS) -> list[str]:
    return evidence_of(RULE, fired(told, inputs))


@pytest.mark.parametrize(("before", "later"), AGES)
def test_evidence_stays_the_same_as_time_passes(before: str, later: str) -> None:
    assert evidence(finding(before)) == evidence(finding(later))


def test_evidence_tells_rule_level_records_and_facts() -> None:
    told = evidence(finding("Ca 1.8 mmol/L"))
    assert told == sorted(
        [f"{RULE.id}@{RULE.version}:warning:Observation/a,Observation/b", "Low calcium", "Ca 1.8 mmol/L"]
    )


CHANGES = [
    row("a value", evidence(finding("Ca 1.7 mmol/L"))),
    row("a level", evidence(finding("Ca 1.8 mmol/L", level=Indicator.CRITICAL))),
    row("a record", evidence(finding("Ca 1.8 mmol/L"), ("Observation/a",))),
    row("the summary", evidence(finding("Ca 1.8 mmol/L", summary="Very low calcium"))),
]


@pytest.mark.parametrize("changed", CHANGES)
def test_evidence_changes_with_what_it_tells(changed: list[str]) -> None:
    assert changed != evidence(finding("Ca 1.8 mmol/L"))


def test_without_a_finding_there_is_no_evidence() -> None:
    assert evidence_of(RULE, clear(INPUTS)) == []


VERDICTS = [
    row("clear", clear(INPUTS), (Status.CLEAR, "", INPUTS, "")),
    row("clear of nothing", clear(), (Status.CLEAR, "", (), "")),
    row("not checked", not_checked("stale", INPUTS), (Status.NOT_CHECKED, "stale", INPUTS, "")),
    row("fired", fired(finding(), INPUTS), (Status.FIRED, "", INPUTS, "")),
    row("fired and silenced", fired(finding(), INPUTS, "S-02"), (Status.FIRED, "", INPUTS, "S-02")),
]


@pytest.mark.parametrize(("verdict", "expected"), VERDICTS)
def test_what_a_verdict_carries(verdict: object, expected: tuple[object, ...]) -> None:
    assert (verdict.status, verdict.reason, verdict.inputs, verdict.suppressed) == expected  # type: ignore[attr-defined]
