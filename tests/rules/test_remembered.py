"""S-01, S-07, S-09 and S-17 with what was shown before given as it is: a row on each side of every interval (D.8)."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import msgspec
import pytest

from cds_hooks.service import Shown, Site
from plugin.services import PLUGIN
from tests.support.fhir import DYSTONIA, NOW, allergy, call, condition, lab, order, patient, prefetch, taking
from tests.support.fire import answer_of, fire
from tests.support.rows import row

Json = dict[str, Any]
MINUTE, HOUR, DAY = timedelta(minutes=1), timedelta(hours=1), timedelta(days=1)
WARD, SIGN, SELECT, VIEW = "encounter-start", "order-sign", "order-select", "patient-view"


def haloperidol(mg: float | None = 5, times: int | None = 2, *data: Json, hook: str = SIGN) -> Json:
    """Haloperidol for a young man: a warning of R-DRUG-01."""
    return call([order("haloperidol", mg, times)], prefetch(patient(), *data), hook)


def view(*data: Json, hook: str = VIEW, user: str = "Practitioner/u1") -> Json:
    """The record of a young man is opened."""
    found = call(None, prefetch(patient(), *data), hook)
    found["context"]["userId"] = user
    return found


def before(body: Json, rule: str, ago: timedelta, /, **more: Any) -> Shown:
    """What was remembered of a rule's finding when the same call was answered earlier."""
    answer = answer_of(body)
    memo = next(one for one in answer.memos if one.rule == rule)
    label = next((one.label for one in answer.subjects if one.reference == memo.subject), "")
    level = next(one["indicator"] for one in answer.results if one["rule"] == rule)
    shown = Shown(rule, label, level, memo.state, memo.digest, body["hook"], NOW - ago, False, False, "")
    return msgspec.structs.replace(shown, **more)


def verdict(body: Json, rule: str, *memory: Shown) -> str:
    """The verdict where this was shown before, newest first."""
    return fire(body, memory=memory).verdict(rule)


# S-07: overridden with a reason.
OVERRIDDEN = [
    row("30 days ago", 30 * DAY, {"override_reason": "will-monitor"}, "S-07"),
    row("30 days and a minute ago", 30 * DAY + MINUTE, {"override_reason": "will-monitor"}, "warning"),
    row("40 days ago in this encounter", 40 * DAY, {"override_reason": "will-monitor", "same_encounter": True}, "S-07"),
    row("an emergency, 24 hours ago", 24 * HOUR, {"override_reason": "emergency"}, "S-07"),
    row("an emergency, more than 24 hours ago", 24 * HOUR + MINUTE, {"override_reason": "emergency"}, "warning"),
    row("an emergency of this encounter, more than 24 hours ago", 25 * HOUR,
        {"override_reason": "emergency", "same_encounter": True}, "warning"),
    row("shown, not answered", HOUR, {}, "warning"),
    row("an answer to another rule", HOUR, {"override_reason": "will-monitor", "rule": "R-DRUG-02"}, "warning"),
    row("an answer about another drug", HOUR, {"override_reason": "will-monitor", "label": "fluphenazine"}, "warning"),
    row("other evidence does not matter", HOUR, {"override_reason": "will-monitor", "digest": "0"}, "S-07"),
    row("answered as the drug was chosen", HOUR, {"override_reason": "will-monitor", "hook": SELECT}, "S-07"),
]  # fmt: skip


@pytest.mark.parametrize(("ago", "more", "expected"), OVERRIDDEN)
def test_overridden(ago: timedelta, more: Json, expected: str) -> None:
    body = haloperidol()
    assert verdict(body, "R-DRUG-01", before(body, "R-DRUG-01", ago, **more)) == expected


def test_the_newest_answer_decides() -> None:
    body = haloperidol()
    shown, urgent, watched = (
        before(body, "R-DRUG-01", ago, override_reason=reason)
        for ago, reason in ((HOUR, ""), (25 * HOUR, "emergency"), (26 * HOUR, "will-monitor"))
    )
    assert verdict(body, "R-DRUG-01", shown, watched) == "S-07"
    assert verdict(body, "R-DRUG-01", shown, urgent, watched) == "warning"


# S-07: what opens an answered finding again. Ten milligrams a day were ordered then.
REOPENED = [
    row("the same order", haloperidol(), "S-07"),
    row("14.9 mg a day", haloperidol(14.9, 1), "S-07"),
    row("15 mg a day, 1.5 times", haloperidol(15, 1), "warning"),
    row("less", haloperidol(1, 1), "S-07"),
    row("no dose told", haloperidol(None, None), "S-07"),
    row("one minor factor more", haloperidol(5, 2, condition("E05.90")), "S-07"),
    row("a recorded dystonia: a major factor", haloperidol(5, 2, condition("G24.02")), "warning"),
    row("a second blocker: a major factor", haloperidol(5, 2, taking("risperidone", "90d")), "warning"),
    row("cocaine: a major factor", haloperidol(5, 2, condition("F14.20")), "warning"),
    row("a severely low calcium", haloperidol(5, 2, lab("ionised", 0.8)), "warning"),
    row("a low calcium", haloperidol(5, 2, lab("ionised", 1.0)), "S-07"),
]


@pytest.mark.parametrize(("now", "expected"), REOPENED)
def test_reopened(now: Json, expected: str) -> None:
    answered = before(haloperidol(), "R-DRUG-01", HOUR, override_reason="will-monitor")
    assert verdict(now, "R-DRUG-01", answered) == expected


def test_a_factor_that_is_gone_opens_nothing() -> None:
    prior = haloperidol(5, 2, condition("G24.02"))
    answered = before(prior, "R-DRUG-01", HOUR, override_reason="will-monitor")
    assert verdict(prior, "R-DRUG-01", answered) == "S-07"
    assert verdict(haloperidol(), "R-DRUG-01", answered) == "S-07"


def test_a_dose_that_was_not_told_then_opens_nothing() -> None:
    answered = before(haloperidol(None, None), "R-DRUG-01", HOUR, override_reason="will-monitor")
    assert verdict(haloperidol(20, 2), "R-DRUG-01", answered) == "S-07"


def test_a_finding_that_has_become_critical_is_shown_again() -> None:
    mild, severe = (haloperidol(5, 2, lab("ionised", value)) for value in (1.05, 0.8))
    answered = before(mild, "R-MET-01", HOUR, override_reason="will-monitor")
    assert verdict(mild, "R-MET-01", answered) == "S-07"
    assert verdict(severe, "R-MET-01", answered) == "critical"
    assert verdict(severe, "R-MET-01", before(severe, "R-MET-01", HOUR, override_reason="will-monitor")) == "S-07"


# S-01: shown as the drug was chosen, kept for signing, and the client filters repeats.
SIGNED = [
    row("24 hours ago", 24 * HOUR, {}, "S-01"),
    row("more than 24 hours ago", 24 * HOUR + MINUTE, {}, "warning"),
    row("more than 24 hours ago in this encounter", 25 * HOUR, {"same_encounter": True}, "S-01"),
    row("not kept", HOUR, {"kept_for_signing": False}, "warning"),
    row("shown at signing, not as it was chosen", HOUR, {"hook": SIGN}, "warning"),
    row("other evidence", HOUR, {"digest": "0"}, "warning"),
    row("another drug", HOUR, {"label": "fluphenazine"}, "warning"),
]


@pytest.mark.parametrize(("ago", "more", "expected"), SIGNED)
@pytest.mark.parametrize("filtered", [True, False])
def test_shown_as_it_was_chosen(ago: timedelta, more: Json, expected: str, filtered: bool) -> None:
    chosen, signed = haloperidol(1, 2, hook=SELECT), haloperidol(1, 2)
    signed["extension"] = {"pddi-configuration-items": {"filter-out-repeated-alerts": filtered}}
    shown = before(chosen, "R-DRUG-01", ago, **({"kept_for_signing": True} | more))
    assert verdict(signed, "R-DRUG-01", shown) == (expected if filtered else "warning")


def test_nothing_is_silent_as_the_drug_is_chosen_once_more() -> None:
    chosen = haloperidol(hook=SELECT)
    chosen["extension"] = {"pddi-configuration-items": {"filter-out-repeated-alerts": True}}
    assert verdict(chosen, "R-DRUG-01", before(chosen, "R-DRUG-01", HOUR, kept_for_signing=True)) == "warning"


# S-17: on opening a record, once in 90 days for results and once in 180 for the rest.
LOW = (lab("ionised", 0.95), lab("magnesium", 0.5))
NEW = condition("G24.9", recorded="2d")
STROKE = condition("I63.9", id="stroke", recorded="900d")
TWO = (NEW, STROKE)
VIEWED = [
    row("results, 90 days ago", LOW, "R-MET-03", 90 * DAY, {}, "S-17"),
    row("results, more than 90 days ago", LOW, "R-MET-03", 90 * DAY + MINUTE, {}, "warning"),
    row("a diagnosis, 180 days ago", TWO, "R-DX-03", 180 * DAY, {}, "S-17"),
    row("a diagnosis, more than 180 days ago", TWO, "R-DX-03", 180 * DAY + MINUTE, {}, "info"),
    row("shown as an encounter began", LOW, "R-MET-03", DAY, {"hook": WARD}, "S-17"),
    row("shown as the condition was entered", TWO, "R-DX-03", DAY, {"hook": "problem-list-item-create"}, "S-17"),
    row("shown as a drug was ordered", LOW, "R-MET-03", DAY, {"hook": SIGN}, "warning"),
    row("a warning on other evidence", LOW, "R-MET-03", DAY, {"digest": "0"}, "warning"),
    row("information on other evidence", TWO, "R-DX-03", DAY, {"digest": "0"}, "S-17"),
    row("a warning that was information", LOW, "R-MET-03", DAY, {"indicator": "info"}, "warning"),
    row("a warning that was critical", LOW, "R-MET-03", DAY, {"indicator": "critical"}, "S-17"),
    row("another rule's", LOW, "R-MET-03", DAY, {"rule": "R-MET-01"}, "warning"),
]


@pytest.mark.parametrize(("data", "rule", "ago", "more", "expected"), VIEWED)
@pytest.mark.parametrize("hook", [VIEW, WARD])
def test_shown_on_opening_the_record(
    data: tuple[Json, ...], rule: str, ago: timedelta, more: Json, expected: str, hook: str
) -> None:
    body = view(*data, hook=hook)
    assert verdict(body, rule, before(body, rule, ago, **more)) == expected


def test_a_result_that_has_changed_is_other_evidence() -> None:
    shown = before(view(*LOW), "R-MET-03", DAY)
    newer = lab("magnesium", 0.45, when="1h", id="magnesium-2")
    assert verdict(view(*LOW), "R-MET-03", shown) == "S-17"
    assert verdict(view(*LOW, newer), "R-MET-03", shown) == "warning"


def test_a_result_that_has_grown_older_is_the_same_evidence() -> None:
    shown = before(view(*LOW), "R-MET-03", timedelta())
    assert fire(view(*LOW), now=NOW + 2 * DAY, memory=[shown]).verdict("R-MET-03") == "S-17"


def test_what_was_shown_on_opening_the_record_is_shown_as_the_condition_is_entered() -> None:
    entered = call([condition("G24.9", id="new")], prefetch(patient(), STROKE), "problem-list-item-create")
    assert verdict(entered, "R-DX-03", before(entered, "R-DX-03", DAY, hook=VIEW)) == "info"


USERS = [
    row("a patient", "Patient/p1", "S-17"),
    row("someone who looks after the patient", "RelatedPerson/r1", "S-17"),
    row("a practitioner", "Practitioner/u1", "warning"),
    row("a practitioner in a role", "PractitionerRole/r1", "warning"),
    row("a role not known", "", "warning"),
]


@pytest.mark.parametrize(("user", "expected"), USERS)
def test_who_opens_the_record(user: str, expected: str) -> None:
    assert verdict(view(*LOW, user=user), "R-MET-03") == expected


def test_a_patient_who_orders_is_told() -> None:
    body = haloperidol()
    body["context"]["userId"] = "Patient/p1"
    assert verdict(body, "R-DRUG-01") == "warning"


# S-09: the draft was made from a suggestion of the rules that its mark names.
MARKED = [
    row("its own suggestion", "R-DRUG-01/risperidone/x", (), "R-DRUG-01", "S-09"),
    row("one of two rules that made it", "R-DRUG-02.R-DRUG-01/risperidone/x", (), "R-DRUG-01", "S-09"),
    row("another rule's", "R-DRUG-02/risperidone/x", (), "R-DRUG-01", "warning"),
    row("a suggestion of another drug", "R-DRUG-01/olanzapine/x", (), "R-DRUG-01", "warning"),
    row("what speaks against the drug itself", "R-DRUG-03/risperidone/x", (allergy("risperidone", DYSTONIA),),
        "R-DRUG-03", "warning"),
]  # fmt: skip


def test_a_shorter_course_that_its_own_card_offered() -> None:
    system = "https://dystonia-cds.example/fhir/NamingSystem/suggestion"
    mark = {"identifier": [{"system": system, "value": "R-DRUG-11/benztropine/x"}]}
    record = prefetch(patient("1980-01-01"), condition("G24.01"))
    assert verdict(call([order("benztropine")], record, SIGN), "R-DRUG-11") == "warning"
    assert verdict(call([{**order("benztropine"), **mark}], record, SIGN), "R-DRUG-11") == "S-09"


@pytest.mark.parametrize(("mark", "data", "rule", "expected"), MARKED)
def test_a_draft_made_from_a_suggestion(mark: str, data: tuple[Json, ...], rule: str, expected: str) -> None:
    system = "https://dystonia-cds.example/fhir/NamingSystem/suggestion"
    draft = {**order("risperidone", route="IM"), "identifier": [{"system": system, "value": mark}]}
    boy = patient("2012-01-01")
    data = data or (allergy("olanzapine", DYSTONIA),)
    assert verdict(call([draft], prefetch(boy, *data), SIGN), rule) == expected


# What is accepted of a card does not bring the same card again.
ACCEPTED = [
    row("another drug for one of high tier", order("haloperidol", 5, 2), (), "R-DRUG-01"),
    row("an antiemetic of another kind", order("metoclopramide", 10, 3), (taking("olanzapine"),), "R-DRUG-02"),
    row("another drug after a reaction", order("metoclopramide", 10, 3), (allergy("metoclopramide", DYSTONIA),),
        "R-DRUG-03"),
    row("a lower dose", order("metoclopramide", 10, 4), (lab("egfr", 48, "mL/min/{1.73_m2}"),), "R-DRUG-07"),
]  # fmt: skip


@pytest.mark.parametrize(("draft", "data", "rule"), ACCEPTED)
def test_what_was_accepted_is_silent(draft: Json, data: tuple[Json, ...], rule: str) -> None:
    record = prefetch(patient("1996-03-01"), *data)
    card = fire(call([draft], record)).card
    actions = [action for one in card["suggestions"] for action in one.get("actions", [])]
    drafts = [one["resource"] for one in actions if one["type"] == "update" and one["resource"]["id"] == draft["id"]]
    assert drafts
    for accepted in drafts:
        assert rule in accepted["identifier"][-1]["value"].partition("/")[0].split(".")
        found = fire(call([accepted], record))
        assert found.verdict(rule) in ("S-09", "clear", "not-applicable"), accepted["medicationCodeableConcept"]
        assert rule not in [one["source"]["topic"]["code"] for one in found.cards]


# A site switches each of them off on its own.
SWITCHED_OFF = [
    row("shown as it was chosen", "S-01", haloperidol(1, 2), "R-DRUG-01", {"hook": SELECT, "kept_for_signing": True}),
    row("overridden", "S-07", haloperidol(), "R-DRUG-01", {"override_reason": "will-monitor"}),
    row("shown on opening the record", "S-17", view(*LOW), "R-MET-03", {}),
]


@pytest.mark.parametrize(("code", "body", "rule", "more"), SWITCHED_OFF)
@pytest.mark.parametrize("off", ["S-01", "S-07", "S-17"])
def test_switched_off(monkeypatch: pytest.MonkeyPatch, code: str, body: Json, rule: str, more: Json, off: str) -> None:
    loaded = PLUGIN(Site(suppressions_off=(off,)))
    shown = before(body, rule, HOUR, **more)
    monkeypatch.setattr("tests.support.fire.plugin", lambda jurisdiction="us": loaded)
    asked = {**body, "extension": {"pddi-configuration-items": {"filter-out-repeated-alerts": True}}}
    assert verdict(asked, rule, shown) == ("warning" if off == code else code)


CHOSEN = [
    row("its rule in silent mode", {"silent_rules": ("R-DRUG-01",)}, "silent-mode", "critical"),
    row("another rule in silent mode", {"silent_rules": ("R-MET-01",)}, "warning", "silent-mode"),
    row("all in silent mode", {"silent": True}, "silent-mode", "silent-mode"),
    row("nothing signed off, and silent for that", {"unsigned": "silent"}, "unsigned", "unsigned"),
    row("nothing signed off, shown all the same", {}, "warning", "critical"),
]


@pytest.mark.parametrize(("site", "drug", "calcium"), CHOSEN)
def test_what_a_site_does_not_show(monkeypatch: pytest.MonkeyPatch, site: Json, drug: str, calcium: str) -> None:
    loaded = PLUGIN(Site(**site))
    monkeypatch.setattr("tests.support.fire.plugin", lambda jurisdiction="us": loaded)
    found = fire(haloperidol(5, 2, lab("ionised", 0.8)))
    assert (found.verdict("R-DRUG-01"), found.verdict("R-MET-01")) == (drug, calcium)
    assert bool(found.cards) is bool({drug, calcium} & {"warning", "critical"})
