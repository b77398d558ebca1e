"""One rule's failure is its own: what a failing rule, failing results or a late clock leave of the rest."""

from __future__ import annotations

import logging
import re
from time import monotonic
from typing import Any

import msgspec
import pytest

from cds_hooks.service import KeyState, Prefetched
from plugin import engine, labs
from plugin.engine import Judged, judge
from plugin.fhir.reader import read
from plugin.patient import Patient
from plugin.rule import Case, Policy, Rule, Status, Verdict
from plugin.rules import RULES
from plugin.services import TYPES
from plugin.thresholds import Limits
from tests.support.fhir import NOW, PATIENT, call, condition, given, lab, order, patient, prefetch
from tests.support.fire import fire, sign
from tests.support.rows import resource

Json = dict[str, Any]
LIMITS = Limits()


def judged(*, rules: tuple[Rule, ...] = RULES, seconds: float = 60, results: tuple[Json, ...] = ()) -> Judged:
    """A haloperidol draft for a man of 22 years, all keys sent."""
    sent = {"patient": [patient()], "observations": list(results)}
    data = {
        key: Prefetched(KeyState.SATISFIED, resources=[resource(one) for one in sent.get(key, [])]) for key in TYPES
    }
    drafts = Prefetched(KeyState.SATISFIED, resources=[resource(order("haloperidol"))])
    found, orders, _ = read(PATIENT, NOW, data, drafts, LIMITS, types=TYPES, expected=())
    return judge(found, orders, "order-sign", rules, LIMITS, policy=Policy(), deadline=monotonic() + seconds)[0]


def verdicts(one: Judged) -> dict[str, Verdict]:
    """The verdict of each rule."""
    return {rule.id: verdict for rule, verdict in one.verdicts}


def test_what_is_silenced_keeps_its_finding_and_says_why() -> None:
    one = judged()
    silent = one.silenced({"R-DRUG-01": "S-07", "R-MET-01": "S-08"})
    assert silent.case is one.case
    assert {rule.id: verdict.suppressed for rule, verdict in silent.found} == {
        rule.id: "S-07" if rule.id == "R-DRUG-01" else "" for rule, _ in one.found
    }
    assert [(rule.id, verdict.status, verdict.finding) for rule, verdict in silent.verdicts] == [
        (rule.id, verdict.status, verdict.finding) for rule, verdict in one.verdicts
    ]
    assert one.silenced({}) is one


def failing(case: Case) -> Verdict:
    """A rule with a mistake in it, and patient data in its message."""
    raise KeyError("Jane Roe")


@pytest.mark.parametrize("broken", [r.id for r in RULES if "order-sign" in r.hooks and not r.about_data])
def test_a_failing_rule_leaves_the_others_as_they_are(broken: str, caplog: pytest.LogCaptureFixture) -> None:
    rules = tuple(msgspec.structs.replace(r, evaluate=failing) if r.id == broken else r for r in RULES)
    whole, rest = verdicts(judged()), verdicts(judged(rules=rules))
    assert (rest.pop(broken).reason, rest.pop("R-DQ-08").status) == ("internal", Status.FIRED)
    assert rest == {name: verdict for name, verdict in whole.items() if name not in {broken, "R-DQ-08"}}
    (told,) = (one.getMessage() for one in caplog.records if one.getMessage().startswith("rule-failed"))
    places = r"test_engine\.py:\d+ < engine\.py:\d+"
    assert re.fullmatch(rf"rule-failed rule={broken} error=KeyError at={places}", told), told
    assert "Jane" not in caplog.text


@pytest.mark.parametrize("analyte", ["calcium", "magnesium"])
def test_results_that_cannot_be_judged_are_unknown_for_their_rules_alone(
    analyte: str, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    def fail(patient: Patient, limits: Limits) -> labs.State:
        raise ZeroDivisionError("Jane Roe")

    normal = (lab("ionised", 1.2), lab("magnesium", 0.8, id="mg"))
    whole = verdicts(judged(results=normal))
    monkeypatch.setattr(labs, analyte, fail)
    one = judged(results=normal)
    state = getattr(one.case, analyte)
    assert (state.grade, state.reason, state.doubt) == ("unknown", "internal", "internal")
    expected = "not-checked internal" if analyte == "calcium" else "clear "
    calcium_rule = verdicts(one)["R-MET-01"]
    assert f"{calcium_rule.status} {calcium_rule.reason}" == expected
    assert whole["R-MET-01"].status is Status.CLEAR
    for name in ("R-DRUG-01", "R-DRUG-02", "R-DRUG-03", "R-DQ-01", "R-DQ-05"):
        assert verdicts(one)[name] == whole[name], name
    assert f"rule-failed rule={analyte} error=ZeroDivisionError" in caplog.text
    assert "Jane" not in caplog.text


def test_failing_results_never_clear_a_drug_rule(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(labs, "calcium", lambda patient, limits: 1 / 0)
    logging.getLogger("plugin.engine").disabled = True
    try:
        answer = sign(order("metoclopramide"), patient("1966-05-01", "female"))
    finally:
        logging.getLogger("plugin.engine").disabled = False
    assert answer.verdict("R-DRUG-01") == "not-checked internal"
    assert answer.verdict("R-MET-01") == "not-checked internal"
    assert answer.verdict("R-DQ-08") == "info"


def test_after_the_deadline_nothing_is_judged_and_a_card_says_so() -> None:
    one = judged(seconds=-1)
    clinical = {rule.id: verdict for rule, verdict in one.verdicts if not rule.about_data}
    assert {(verdict.status, verdict.reason) for verdict in clinical.values()} == {(Status.NOT_CHECKED, "time")}
    note = verdicts(one)["R-DQ-08"]
    assert note.status is Status.FIRED
    assert note.alone


def test_the_card_after_the_deadline_stands_alone_for_a_high_tier_drug(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(engine, "monotonic", lambda: float(2**40))
    answer = sign(order("haloperidol"))
    assert answer.card["source"]["topic"]["code"] == "R-DQ-08"
    assert answer.card["summary"].endswith(" rules not evaluated, time ran out.")
    assert answer.verdict("R-DRUG-01") == "not-checked time"


# Conditions that are added to the problem list: the rules are about some of them only (D.0a).
ENTERED = [
    ("dystonia", condition("G24.9"), True),
    ("torticollis", condition("M43.6"), True),
    ("opisthotonos in words", condition(text="Opisthotonos"), True),
    ("tetany", condition("R29.0"), True),
    ("paroxysmal movement", condition(text="Paroxysmal dyskinesia"), True),
    ("not confirmed", condition("G24.9", verification="provisional"), True),
    ("refuted", condition("G24.9", verification="refuted"), False),
    ("hypoparathyroidism", condition("E20.9"), False),
    ("another disease", condition("E11.9"), False),
    ("denied in words", condition(text="No dystonia"), False),
]


@pytest.mark.parametrize(("entered", "looked_at"), [row[1:] for row in ENTERED], ids=[row[0] for row in ENTERED])
def test_only_some_conditions_that_are_entered_are_looked_at(entered: Json, looked_at: bool) -> None:
    record = prefetch(condition("G24.9", id="old", recorded="1d"), given("haloperidol", "2h"))
    answer = fire(call([entered], record, "problem-list-item-create"))
    words = {result["status"] for result in answer.results}
    assert ("fired" in words) is looked_at
    if not looked_at:
        assert words == {"not-applicable"}
        assert answer.cards == []


def test_a_condition_that_cannot_be_read_is_no_reason_to_look_away() -> None:
    answer = fire(call([{**condition("G24.9"), "code": 7}], prefetch(), "problem-list-item-create"))
    assert {result["status"] for result in answer.results} != {"not-applicable"}
