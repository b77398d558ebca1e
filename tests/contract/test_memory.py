"""What a call remembers of earlier ones, over HTTP with a real store: S-01, S-07, S-09 and S-17."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

import pytest

from cds_hooks.service import Site
from plugin.services import PLUGIN
from tests.contract.conftest import Running, Starter
from tests.support.fhir import (
    DYSTONIA,
    NOW,
    allergy,
    at,
    call,
    condition,
    encounter,
    lab,
    order,
    patient,
    prefetch,
    taking,
)
from tests.support.rows import row

Json = dict[str, Any]
KEEP = {"cache-for-order-sign-filtering": True}
FILTER = {"filter-out-repeated-alerts": True}


@dataclass
class Ward:
    """A service whose clock can be moved."""

    running: Running
    moment: list[datetime]
    cards: list[Json] = field(default_factory=list)

    def fire(self, body: Json, **options: bool) -> Ward:
        if options:
            body = {**body, "extension": {"pddi-configuration-items": options}}
        answer = self.running.client.post(f"/cds-services/dystonia-{body['hook']}", json=body)
        assert answer.status_code == 200, answer.text
        self.body = body
        self.answer = answer.json()
        self.cards = self.answer["cards"]
        return self

    def verdict(self, rule: str) -> str:
        results = self.answer["extension"]["org.dystonia-cds"]["results"]
        found = next(one for one in results if one["rule"] == rule)
        return str(found.get("suppressed") or found.get("indicator") or found["status"])

    def override(self, code: str) -> Ward:
        card = self.cards[0]
        reason = {"reason": {"code": code, "system": card["overrideReasons"][0]["system"]}} if code else {}
        sent = {"card": card["uuid"], "outcome": "overridden", "outcomeTimestamp": "2026-11-22T10:00:00Z"}
        sent |= {"overrideReason": reason} if reason else {}
        path = f"/cds-services/dystonia-{self.body['hook']}/feedback"
        assert self.running.client.post(path, json={"feedback": [sent]}).status_code == 200
        return self

    def later(self, **span: float) -> Ward:
        self.moment[0] += timedelta(**span)
        return self


@pytest.fixture
def ward(start: Starter) -> Callable[..., Ward]:
    def opened(**settings: Any) -> Ward:
        moment = [NOW]
        site = Site(suppressions_off=tuple(settings.pop("off", ())))
        return Ward(start(PLUGIN(site), clock=lambda: moment[0], **settings), moment)

    return opened


def haloperidol(times: int = 2, *data: Json, hook: str = "order-sign") -> Json:
    """Haloperidol 5 mg for a young man, in an encounter of his own where one is among the data."""
    return call([order("haloperidol", 5, times)], prefetch(patient(), *data), hook)


IN = encounter()
OVERRIDDEN = [
    row("within the encounter", "will-monitor", {"days": 40}, (IN,), (IN,), "S-07"),
    row("without encounter, on day 30", "will-monitor", {"days": 30}, (), (), "S-07"),
    row("without encounter, on day 31", "will-monitor", {"days": 31}, (), (), "warning"),
    row("emergency, 24 h", "emergency", {"hours": 24}, (IN,), (IN,), "S-07"),
    row("emergency, 25 h", "emergency", {"hours": 25}, (IN,), (IN,), "warning"),
    row("without a reason", "", {"hours": 1}, (IN,), (IN,), "warning"),
]


@pytest.mark.parametrize(("reason", "span", "before", "after", "expected"), OVERRIDDEN)
def test_overridden(
    ward: Callable[..., Ward], reason: str, span: Json, before: tuple[Json], after: tuple[Json], expected: str
) -> None:
    found = ward().fire(haloperidol(2, *before)).override(reason).later(**span).fire(haloperidol(2, *after))
    assert found.verdict("R-DRUG-01") == expected
    assert bool(found.cards) == (expected == "warning")


REOPENED = [
    row("dose 1.4 times", haloperidol(2), "S-07"),
    row("dose 1.5 times", haloperidol(3), "warning"),
    row("low calcium is no re-opening", haloperidol(2, lab("ionised", 1.05, "mmol/L")), "S-07"),
    row("another drug", call([order("fluphenazine", 5, 2)], prefetch(patient()), "order-sign"), "warning"),
    row("a recorded dystonia is a new major factor", haloperidol(2, allergy("fluphenazine", DYSTONIA)), "warning"),
]


@pytest.mark.parametrize(("body", "expected"), REOPENED)
def test_reopened(ward: Callable[..., Ward], body: Json, expected: str) -> None:
    found = ward().fire(haloperidol(2)).override("will-monitor").later(hours=1).fire(body)
    assert found.verdict("R-DRUG-01") == expected


def test_another_second_blocker_opens_the_pair_again(ward: Callable[..., Ward]) -> None:
    first, second = (prefetch(patient(), taking(drug, "90d")) for drug in ("risperidone", "olanzapine"))
    draft = order("haloperidol", 5, 2)
    found = ward().fire(call([draft], first)).override("will-monitor").later(hours=1)
    assert found.fire(call([draft], first)).verdict("R-DRUG-02") == "S-07"
    assert found.fire(call([draft], second)).verdict("R-DRUG-02") == "info"


def test_another_patient_is_not_silenced(ward: Callable[..., Ward]) -> None:
    found = ward().fire(haloperidol()).override("will-monitor")
    other = json.loads(json.dumps(haloperidol()).replace('"p1"', '"p2"').replace("Patient/p1", "Patient/p2"))
    assert found.fire(other).verdict("R-DRUG-01") == "warning"


def test_switched_off(ward: Callable[..., Ward]) -> None:
    found = ward(off=["S-07"]).fire(haloperidol()).override("will-monitor").fire(haloperidol())
    assert found.verdict("R-DRUG-01") == "warning"


SIGNED = [
    row("kept and filtered", KEEP, FILTER, {"minutes": 5}, 2, "S-01"),
    row("not filtered", KEEP, {}, {"minutes": 5}, 2, "warning"),
    row("not kept", {}, FILTER, {"minutes": 5}, 2, "warning"),
    row("a day later", KEEP, FILTER, {"hours": 24}, 2, "S-01"),
    row("more than a day later", KEEP, FILTER, {"hours": 25}, 2, "warning"),
    row("a high dose is a new fact", KEEP, FILTER, {"minutes": 5}, 4, "warning"),
]


@pytest.mark.parametrize(("kept", "filtered", "span", "times", "expected"), SIGNED)
def test_shown_at_order_select(
    ward: Callable[..., Ward], kept: Json, filtered: Json, span: Json, times: int, expected: str
) -> None:
    draft = call([order("haloperidol", 1, 2)], prefetch(patient()), "order-select")
    again = call([order("haloperidol", 1 if times == 2 else 5, times)], prefetch(patient()), "order-sign")
    found = ward().fire(draft, **kept).later(**span).fire(again, **filtered)
    assert found.verdict("R-DRUG-01") == expected


def test_an_accepted_alternative_does_not_alert_again(ward: Callable[..., Ward]) -> None:
    shown = ward().fire(haloperidol())
    accepted = next(
        action["resource"]
        for one in shown.cards[0]["suggestions"]
        for action in one.get("actions", [])
        if action["type"] == "update"
    )
    assert accepted["id"] == "draft-1"
    assert shown.fire(call([accepted], prefetch(patient()), "order-sign")).cards == []


SUGGESTED = [
    row("the drug that was suggested", "risperidone", "R-DRUG-01/risperidone/x", "S-09"),
    row("changed to another drug", "haloperidol", "R-DRUG-01/risperidone/x", "warning"),
    row("suggested by another rule", "risperidone", "R-DRUG-02/risperidone/x", "warning"),
]


@pytest.mark.parametrize(("drug", "mark", "expected"), SUGGESTED)
def test_a_draft_made_from_our_suggestion(ward: Callable[..., Ward], drug: str, mark: str, expected: str) -> None:
    system = "https://dystonia-cds.example/fhir/NamingSystem/suggestion"
    draft = {**order(drug, route="IM"), "identifier": [{"system": system, "value": mark}]}
    boy = patient("2012-01-01")
    found = ward().fire(call([draft], prefetch(boy, allergy("olanzapine", DYSTONIA)), "order-sign"))
    assert found.verdict("R-DRUG-01") == expected


def _accepted(shown: Ward, label: str) -> Json:
    """The draft of the suggestion whose label begins so."""
    found = next(one for one in shown.cards[0]["suggestions"] if one["label"].startswith(label))
    draft: Json = found["actions"][0]["resource"]
    return draft


def _rules(draft: Json) -> str:
    return str(draft["identifier"][-1]["value"]).split("/", 1)[0]


def test_only_the_rules_that_suggest_a_draft_are_silent_on_it(ward: Callable[..., Ward]) -> None:
    record = prefetch(patient(), lab("ionised", 0.84, "mmol/L"))
    shown = ward().fire(call([order("haloperidol", 2, 2)], record, "order-sign"))
    assert (shown.verdict("R-MET-01"), shown.verdict("R-DRUG-01")) == ("critical", "warning")
    draft = _accepted(shown, "Change to olanzapine")
    assert _rules(draft) == "R-DRUG-01"
    assert shown.fire(call([draft], record, "order-sign")).verdict("R-MET-01") == "warning"


def test_a_draft_that_two_rules_suggest_names_both(ward: Callable[..., Ward]) -> None:
    record = prefetch(patient("1980-01-01"), taking("olanzapine"))
    shown = ward().fire(call([order("metoclopramide", 10, 3)], record, "order-sign"))
    draft = _accepted(shown, "Change to ondansetron")
    assert set(_rules(draft).split(".")) == {"R-DRUG-01", "R-DRUG-02"}


AGAINST = [
    row("a dystonia to the drug suggested", "ondansetron", (allergy("ondansetron", DYSTONIA),), "R-DRUG-03", "warning"),
    row("tardive dyskinesia", "olanzapine", (condition("G24.01"),), "R-DRUG-04", "warning"),
    row("Parkinson disease", "olanzapine", (condition("G20.A1"),), "R-DRUG-08", "warning"),
]


@pytest.mark.parametrize(("drug", "data", "rule", "expected"), AGAINST)
def test_what_speaks_against_the_drug_suggested_is_shown(
    ward: Callable[..., Ward], drug: str, data: tuple[Json, ...], rule: str, expected: str
) -> None:
    system = "https://dystonia-cds.example/fhir/NamingSystem/suggestion"
    mark = {"system": system, "value": f"R-DRUG-01.{rule}/{drug}/x"}
    draft = {**order(drug, 4, 1), "identifier": [mark]}
    assert ward().fire(call([draft], prefetch(patient(), *data), "order-sign")).verdict(rule) == expected


LOW = (lab("ionised", 0.95, "mmol/L"), lab("magnesium", 0.5, "mmol/L", id="mg"))
VIEWED = [
    row("the same day", {"hours": 1}, LOW, "S-17"),
    row("a worse result the next day is shown", {"days": 1}, (lab("ionised", 0.80, "mmol/L"), LOW[1]), "warning"),
]


@pytest.mark.parametrize(("span", "after", "expected"), VIEWED)
def test_shown_on_opening_the_record(
    ward: Callable[..., Ward], span: Json, after: tuple[Json, ...], expected: str
) -> None:
    first = ward().fire(call(None, prefetch(patient(), *LOW), "patient-view"))
    assert first.verdict("R-MET-03") == "warning"
    found = first.later(**span).fire(call(None, prefetch(patient(), *after), "patient-view"))
    assert found.verdict("R-MET-03") == expected


@pytest.mark.parametrize(
    ("days", "hook", "expected"),
    [
        row("opened the next day", 1, "patient-view", "S-17"),
        row("an encounter on day 90", 90, "encounter-start", "S-17"),
        row("opened on day 91", 91, "patient-view", "info"),
        row("entered once more", 1, "problem-list-item-create", "info"),
    ],
)
def test_shown_when_the_condition_was_entered(ward: Callable[..., Ward], days: int, hook: str, expected: str) -> None:
    entered = condition("G24.9", id="new")
    first = ward().fire(call([entered], prefetch(patient()), "problem-list-item-create"))
    assert first.verdict("R-MET-02") == "info"
    saved = condition("G24.9", recorded=at(f"-{days}d"))
    again = call([entered] if hook.startswith("problem") else None, prefetch(patient(), saved), hook)
    assert first.later(days=days).fire(again).verdict("R-MET-02") == expected


AGENTS = [
    row("the same drug, shown", "metoclopramide", "stopped", "", "S-17"),
    row("the same drug, overridden", "metoclopramide", "stopped", "other", "S-07"),
    row("another drug, shown", "haloperidol", "stopped", "", "info"),
    row("another drug that runs, overridden", "haloperidol", "active", "other", "warning"),
    row("another drug, overridden", "haloperidol", "stopped", "other", "info"),
]


@pytest.mark.parametrize(("drug", "status", "reason", "expected"), AGENTS)
def test_a_reaction_to_another_drug_is_another_finding(
    ward: Callable[..., Ward], drug: str, status: str, reason: str, expected: str
) -> None:
    def view(named: str, status: str) -> Json:
        new = condition("G24.9", onset="2026-11-22")
        return call(None, prefetch(patient(), new, taking(named, "2d", status=status)), "patient-view")

    first = ward().fire(view("metoclopramide", "stopped"))
    assert first.verdict("R-DX-08") == "info"
    found = (first.override(reason) if reason else first).fire(view(drug, status))
    assert found.verdict("R-DX-08") == expected
    assert found.verdict("R-TX-01") == ("info" if expected == "warning" else expected)


@pytest.mark.parametrize(
    ("user", "expected"),
    [("Practitioner/u1", "warning"), ("PractitionerRole/r1", "warning"), ("Patient/p1", "S-17"), ("", "warning")],
)
def test_roles(ward: Callable[..., Ward], user: str, expected: str) -> None:
    body = call(None, prefetch(patient(), *LOW), "patient-view")
    body["context"]["userId"] = user
    assert ward().fire(body).verdict("R-MET-03") == expected
