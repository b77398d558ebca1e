"""R-TX-05: an anticonvulsant ordered for paroxysmal kinesigenic dyskinesia (D.5)."""

from __future__ import annotations

from typing import Any

import pytest

from tests.support.fhir import RXNORM, concept, condition, order, subject, taking
from tests.support.fire import sign
from tests.support.rows import WOMAN_60, outcome, row

Json = dict[str, Any]
RULE = "R-TX-05"
CARBAMAZEPINE = "rxnorm:2002"
PKD = condition(text="Paroxysmal kinesigenic dyskinesia")


def hla(value: str = "Negative", *, status: str = "final", name: str = "HLA-B*15:02") -> Json:
    """A result for the allele."""
    return {
        "resourceType": "Observation",
        "id": "hla",
        "status": status,
        "subject": subject(),
        "code": {"text": name},
        "valueString": value,
        "effectiveDateTime": "2026-01-02",
    }


ORDERS = [
    row("carbamazepine by code", CARBAMAZEPINE, "info"),
    row("phenytoin by code", "rxnorm:8183", "info"),
    row("oxcarbazepine in words", "Oxcarbazepine 300 mg tablet", "info"),
    row("a brand", "Trileptal", "info"),
    row("haloperidol", "haloperidol", "not-applicable"),
    row("valproate", "Valproate 500 mg", "not-applicable"),
    row("a code without a name", "rxnorm:99999999", "not-checked drug-unrecognised"),
]


@pytest.mark.parametrize(("drug", "expected"), ORDERS)
def test_orders(drug: str, expected: str) -> None:
    assert sign(order(drug), WOMAN_60, PKD).verdict(RULE) == expected


CONDITIONS = [
    row("in words", PKD, "info"),
    row("a rule-out", condition(text="Paroxysmal kinesigenic dyskinesia", verification="provisional"), "info"),
    row("refuted", condition(text="Paroxysmal kinesigenic dyskinesia", verification="refuted"), "clear"),
    row("resolved", condition(text="Paroxysmal kinesigenic dyskinesia", clinical="resolved"), "clear"),
    row("the other form", condition(text="Paroxysmal nonkinesigenic dyskinesia"), "clear"),
    row("epilepsy", condition("G40.909"), "clear"),
]


@pytest.mark.parametrize(("record", "expected"), CONDITIONS)
def test_conditions(record: Json, expected: str) -> None:
    assert sign(order(CARBAMAZEPINE), WOMAN_60, record).verdict(RULE) == expected


USE = [
    row("taken for 30 days", "30d", "S-03"),
    row("taken for 29 days", "29d", "info"),
]


@pytest.mark.parametrize(("since", "expected"), USE)
def test_stable_use(since: str, expected: str) -> None:
    assert sign(order(CARBAMAZEPINE), WOMAN_60, PKD, taking(CARBAMAZEPINE, since)).verdict(RULE) == expected


TESTS = [
    row("no result", (), "no HLA-B*15:02 result received"),
    row("negative", (hla(),), "HLA-B*15:02 result on record: negative"),
    row("not final", (hla(status="preliminary"),), "no HLA-B*15:02 result received"),
    row("unreadable", (hla("see report"),), "no HLA-B*15:02 result received"),
    row("entered in error", (hla(status="entered-in-error"),), "no HLA-B*15:02 result received"),
    row("another allele", (hla(name="HLA-A*31:01"),), "no HLA-B*15:02 result received"),
]


@pytest.mark.parametrize(("data", "expected"), TESTS)
def test_only_a_result_counts(data: tuple[Json, ...], expected: str) -> None:
    card = sign(order(CARBAMAZEPINE), WOMAN_60, PKD, *data).card
    assert card["summary"] == f"PKD on record: a low dose of carbamazepine usually suffices; {expected}."
    assert "never inferred from race or ancestry" in card["detail"]
    assert "suggestions" not in card


# What the card says of the test: one that could not be read, and tests elsewhere that nobody sent.
NOTES = [
    row("no result", (), (False, True)),
    row("negative", (hla(),), (False, False)),
    row("not final", (hla(status="preliminary"),), (False, True)),
    row("unreadable", (hla("see report"),), (True, True)),
]


@pytest.mark.parametrize(("data", "expected"), NOTES)
def test_what_is_not_known_of_the_test(data: tuple[Json, ...], expected: tuple[bool, bool]) -> None:
    detail = sign(order(CARBAMAZEPINE), WOMAN_60, PKD, *data).card["detail"]
    told = tuple(words in detail for words in ("HLA-B*15:02 could not be read", "tested for HLA-B*15:02 elsewhere"))
    assert told == expected


def test_a_positive_result_comes_first() -> None:
    card = sign(order(CARBAMAZEPINE), WOMAN_60, PKD, hla("POSITIVE", name="HLA-B*1502")).card
    expected = "HLA-B*15:02 positive on record: serious skin reactions with carbamazepine. Consider another drug."
    assert (card["indicator"], card["summary"]) == ("info", expected)


@pytest.mark.parametrize("status", ["cancelled", "entered-in-error"])
def test_an_order_that_is_none(status: str) -> None:
    assert sign(order(CARBAMAZEPINE, status=status), WOMAN_60, PKD).verdict(RULE) == "not-applicable"


def test_it_is_asked_at_signing_only() -> None:
    chosen = sign(order(CARBAMAZEPINE), WOMAN_60, PKD, hook="order-select")
    assert [result for result in chosen.results if result["rule"] == RULE] == []


def test_a_problem_list_that_was_not_sent() -> None:
    ordered = order("x", more={"medicationCodeableConcept": concept(RXNORM, "2002")})
    assert sign(ordered, WOMAN_60, without=("conditions",)).verdict(RULE) == "not-checked key-missing"
    assert sign(ordered, WOMAN_60, conditions=outcome()).verdict(RULE) == "not-checked key-failed"
