"""R-TX-01: the reference on the card of R-DX-08 (D.5)."""

from __future__ import annotations

from typing import Any

import pytest

from tests.support.fhir import call, condition, given, patient, prefetch, taking
from tests.support.fire import Fired, fire
from tests.support.rows import aged, outcome, row

Json = dict[str, Any]
RULE, LEADER = "R-TX-01", "R-DX-08"
EMERGENCY = "Airway, stridor, jaw/tongue swelling: emergency pathway, not this card."


def view(*data: Json, who: Json | None = None, **more: Any) -> Fired:
    """The answer when the record is opened."""
    return fire(call(None, prefetch(who or aged(30), *data, **more), "patient-view"))


def acute(**more: Any) -> Json:
    """A dystonia of this morning."""
    return condition("G24.9", text="Dystonia", **({"onset": "2h", "recorded": "1h"} | more))


DATA = [
    row("a dopamine blocker given before", (acute(), given("prochlorperazine", "20h")), "info"),
    row("the drug is ordered", (acute(), taking("haloperidol", "2d")), "info"),
    row("a rule-out", (acute(verification="provisional"), given("prochlorperazine", "20h")), "info"),
    row("no drug", (acute(),), "not-applicable"),
    row("an ordinary drug", (acute(), given("omeprazole", "20h")), "not-applicable"),
    row("no dystonia", (given("prochlorperazine", "20h"),), "not-applicable"),
    row("refuted", (acute(verification="refuted"), given("prochlorperazine", "20h")), "not-applicable"),
    row("a tardive form", (acute(), taking("haloperidol", "200d")), "not-applicable"),
]


@pytest.mark.parametrize(("data", "expected"), DATA)
def test_it_follows_the_card_of_a_drug_induced_dystonia(data: tuple[Json, ...], expected: str) -> None:
    assert view(*data).verdict(RULE) == expected


def test_a_record_that_failed() -> None:
    answer = view(acute(), medications=outcome())
    assert answer.verdict(RULE) == answer.verdict(LEADER) == "not-checked key-failed"


def test_the_dead_need_no_reference() -> None:
    dead = {**aged(30), "deceasedBoolean": True}
    assert view(acute(), given("prochlorperazine", "20h"), who=dead).verdict(RULE) == "not-applicable"


ADULT, CHILD = "Adults: benztropine 1-2 mg", "Children: diphenhydramine 1-2 mg/kg"
AGES = [
    row("an adult", aged(18), [ADULT]),
    row("the day before turning 18", patient("2008-11-23"), [CHILD]),
    row("no birth date", patient(None), [ADULT, CHILD]),
    row("a year of birth that leaves it open", patient("2008"), [ADULT, CHILD]),
]


@pytest.mark.parametrize(("who", "lines"), AGES)
def test_the_lines_fit_the_age(who: Json, lines: list[str]) -> None:
    detail = view(acute(), given("prochlorperazine", "20h"), who=who).card["detail"]
    assert [line for line in (ADULT, CHILD) if line in detail] == lines


def test_one_card_that_points_to_the_emergency_pathway() -> None:
    card = view(acute(), given("prochlorperazine", "20h")).card
    assert card["source"]["topic"]["code"] == LEADER
    assert RULE in [rule["id"] for rule in card["extension"]["org.dystonia-cds"]["rules"]]
    assert card["detail"].count(EMERGENCY) == 1
    assert "**Reference, not an order**" in card["detail"]
    assert any(link["url"].endswith(f"/guideline/{RULE}") for link in card["links"])
