"""The golden cases: what a clinician would read is compared word for word, and every rule and silence is among them."""

from __future__ import annotations

import json
from functools import cache
from typing import Any

import pytest

from plugin.guideline_text import SUPPRESSIONS
from plugin.rules import RULES
from tests.golden import harness

Json = dict[str, Any]
CASES = harness.cases()
KEPT = harness.expected()
GROUNDS = json.loads(harness.GROUNDS.read_text("utf-8"))

# Rules that no call can make fire, and why.
NEVER_FIRES = {"R-DQ-08": "fires only when another rule fails inside; tests/unit/test_engine.py makes one fail"}
# Suppressions that act inside the matrix or the judgement of results, or that lower a card and do not silence it: the
# rule, a case in which they act and what it says, and a like case without them that says something graver.
INSIDE = {
    "S-05": ("R-DRUG-01", "quetiapine", "not applicable", "low-tier-prior-dystonia", "warning"),
    "S-06": ("R-DRUG-01", "ondansetron", "not applicable", "metoclopramide-prior-dystonia", "warning"),
    "S-08": ("R-DRUG-01", "single-dose", "info", "single-dose-s08-off", "warning"),
    "S-12": ("R-DRUG-01", "one-minor-at-60", "clear", "one-minor-more-at-34", "info"),
    "S-13": ("R-MET-01", "older-than-a-month", "not checked: stale", "a-month-old", "info"),
    "S-14": ("R-MET-01", "corrected-to-normal", "clear", "low-with-normal-albumin", "info"),
    "S-15": ("R-MET-01", "known-and-treated", "info", "known-two-results", "warning"),
}


@cache
def answers() -> dict[str, Json]:
    """Every case, run once."""
    return harness.answers(CASES)


def results() -> list[Json]:
    """The verdicts of all cases and of the calls before them."""
    told = [one for answer in answers().values() for one in (answer, *answer["before"])]
    return [result for one in told for result in one["body"]["extension"]["org.dystonia-cds"]["results"]]


@pytest.mark.parametrize("name", sorted(CASES))
def test_the_text_is_the_one_that_is_kept(name: str) -> None:
    assert harness.texts({name: CASES[name]}, answers())[name] == KEPT.get(name)


@pytest.mark.parametrize("name", sorted(CASES))
def test_verdicts_and_facts_rest_on_the_records_that_are_kept(name: str) -> None:
    assert harness.grounds(answers()[name]) == GROUNDS.get(name)


@pytest.mark.parametrize("name", sorted(CASES))
def test_the_verdicts_are_those_that_the_specification_asks_for(name: str) -> None:
    wanted = CASES[name].expects
    assert {about: harness.told(answers()[name], about) for about in wanted} == wanted
    assert "cards" in wanted
    assert len(wanted) > 1


def test_no_text_is_kept_without_a_case() -> None:
    assert sorted((KEPT.keys() | GROUNDS.keys()) - CASES.keys()) == []


def test_every_finding_stands_on_a_card_or_says_why_it_does_not() -> None:
    for name, answer in answers().items():
        for one in (answer, *answer["before"]):
            if one["status"] != harness.OK:
                continue
            on_cards = {
                (rule["id"], card["extension"]["org.dystonia-cds"].get("subject", ""))
                for card in one["body"]["cards"]
                for rule in card["extension"]["org.dystonia-cds"]["rules"]
            }
            found = one["body"]["extension"]["org.dystonia-cds"]["results"]
            told = {(r["rule"], r.get("subject", "")): "suppressed" in r for r in found if r["status"] == "fired"}
            assert on_cards <= told.keys(), name
            assert {key for key, silenced in told.items() if not silenced} == on_cards, name


def test_every_rule_can_fire() -> None:
    fired = {result["rule"] for result in results() if result["status"] == "fired" and "suppressed" not in result}
    assert sorted({rule.id for rule in RULES} - fired - NEVER_FIRES.keys()) == []


def test_every_suppression_can_silence() -> None:
    silenced = {result["suppressed"] for result in results() if "suppressed" in result}
    assert sorted(SUPPRESSIONS - silenced - INSIDE.keys()) == []


@pytest.mark.parametrize("code", sorted(INSIDE))
def test_suppressions_that_leave_no_trace_lower_what_a_control_shows(code: str) -> None:
    rule, case, said, control, graver = INSIDE[code]
    found = [harness.told(answers()[f"{rule}/{name}"], rule) for name in (case, control)]
    assert found == [said, graver]


def test_no_two_cases_are_the_same() -> None:
    titles = [case.title for case in CASES.values()]
    assert sorted({title for title in titles if titles.count(title) > 1}) == []
