"""What was shown or overridden before may silence a finding, and never adds one; every silence leaves its trace."""

from __future__ import annotations

from datetime import timedelta
from random import Random
from typing import Any

from hypothesis import given

from cds_hooks.service import Shown
from tests.properties.patients import NUMBERS, invented
from tests.properties.profile import examples
from tests.properties.smallest import hold
from tests.support.fhir import NOW
from tests.support.fire import Fired, answer_of, fire

Json = dict[str, Any]
REASONS = ("", "", "will-monitor", "emergency", "tolerated-before")
# A finding of an order that only the third card names: it has its place as soon as another card is silent.
WAITS = "three-cards"
AGES = (timedelta(minutes=5), timedelta(hours=20), timedelta(days=3), timedelta(days=100), timedelta(days=170))


def remembered(body: Json, dice: Random) -> list[Shown]:
    """Some of the findings of a call as if cards had shown them before, as they are or on other evidence."""
    answer = answer_of(body)
    labels = {one.reference: one.label for one in answer.subjects}
    levels = {(one.get("subject", ""), one["rule"]): one.get("indicator", "info") for one in answer.results}
    shown = [
        Shown(
            memo.rule,
            labels.get(memo.subject, ""),
            dice.choice([levels[memo.subject, memo.rule], "info"]),
            memo.state if dice.random() < 0.7 else (),
            memo.digest if dice.random() < 0.7 else "0",
            dice.choice([body["hook"], "order-select", "patient-view"]),
            NOW - dice.choice(AGES),
            dice.random() < 0.5,
            dice.random() < 0.5,
            dice.choice(REASONS),
        )
        for memo in answer.memos
        if dice.random() < 0.8
    ]
    return sorted(shown, key=lambda one: one.time, reverse=True)


def audible(answer: Fired) -> set[tuple[str, str]]:
    """(subject, rule) of what is on cards, and of what would be, were there room for more than three."""
    return {
        (one.get("subject", ""), one["rule"])
        for one in answer.results
        if one["status"] == "fired" and one.get("suppressed", WAITS) == WAITS
    }


def _louder(body: Json, seed: int) -> str:
    dice = Random(seed)
    if dice.random() < 0.5:
        body = {**body, "extension": {"pddi-configuration-items": {"filter-out-repeated-alerts": True}}}
    memory = remembered(body, dice)
    before, after = fire(body), fire(body, memory=memory)
    wrong = [f"{one} is new" for one in audible(after) - audible(before) if one[1][:5] != "R-DQ-"]
    for one, other in zip(before.results, after.results, strict=True):
        same = {**one, "suppressed": ""} == {**other, "suppressed": ""}
        kept = one.get("suppressed", WAITS) == WAITS or "suppressed" in other
        wrong += [] if same and kept else [f"{one} became {other}"]
    return "; ".join([*wrong, *(["more cards"] if len(after.cards) > len(before.cards) else [])])


@examples(600)
@given(NUMBERS)
def test_memory_only_silences(number: int) -> None:
    hold(invented(Random(number)), lambda body: _louder(body, number))
