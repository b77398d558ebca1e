"""The same facts told otherwise (order, keys, time zones, twice) give the same answer to the letter."""

from __future__ import annotations

import copy
import re
from datetime import datetime, timedelta, timezone
from random import Random
from typing import Any

from hypothesis import given

from tests.properties.degrading import resources_of
from tests.properties.patients import NUMBERS, invented
from tests.properties.profile import examples
from tests.properties.smallest import hold
from tests.support.fire import fire

Json = dict[str, Any]
MOMENT = re.compile(r"\d{4}-\d\d-\d\dT[\d:.]+Z")
OFFSETS = (
    timedelta(0),
    timedelta(hours=2),
    timedelta(hours=-7),
    timedelta(hours=5, minutes=45),
    timedelta(hours=12, minutes=45),
)


def shuffled(value: Any, dice: Random) -> Any:
    """The same JSON with its keys, and the entries of its Bundles, in another order."""
    if isinstance(value, dict):
        items = [(key, shuffled(inner, dice)) for key, inner in value.items()]
        dice.shuffle(items)
        return {key: dice.sample(inner, len(inner)) if key == "entry" else inner for key, inner in items}
    return [shuffled(inner, dice) for inner in value] if isinstance(value, list) else value


def elsewhere(value: Any, dice: Random) -> Any:
    """The same JSON with each moment written as it is written in another time zone."""
    if isinstance(value, dict):
        return {key: elsewhere(inner, dice) for key, inner in value.items()}
    if isinstance(value, list):
        return [elsewhere(inner, dice) for inner in value]
    if not isinstance(value, str) or not MOMENT.fullmatch(value):
        return value
    return datetime.fromisoformat(value).astimezone(timezone(dice.choice(OFFSETS))).isoformat()


def told_twice(body: Json, dice: Random) -> Json:
    """The same call with some of its entries sent twice."""
    found = copy.deepcopy(body)
    for bundle in found["prefetch"].values():
        again = [one for one in bundle.get("entry", []) if dice.random() < 0.5]
        if again:
            bundle["entry"] += again
            bundle["total"] = len(bundle["entry"])
    return found


def _same(body: Json, other: Json) -> str:
    before, after = fire(body).body, fire(other).body
    return "" if before == after else f"{before}\n{after}"


@examples(600)
@given(NUMBERS)
def test_order_does_not_matter(number: int) -> None:
    hold(invented(Random(number)), lambda body: _same(body, shuffled(body, Random(number))))


@examples(200)
@given(NUMBERS)
def test_the_same_call_twice(number: int) -> None:
    hold(invented(Random(number)), lambda body: _same(body, body))


def _verdicts(body: Json) -> list[tuple[str, ...]]:
    """What was found at which level: the words of a card tell a day as the record writes it."""
    told = ("rule", "subject", "status", "reason", "indicator", "suppressed")
    return [tuple(one.get(name, "") for name in told) for one in fire(body).results]


@examples(600)
@given(NUMBERS)
def test_time_zones_do_not_matter(number: int) -> None:
    """Days are counted in UTC unless the record carries an offset, so only what falls on another day may differ."""

    def differ(body: Json) -> str:
        other = elsewhere(body, Random(number))
        if any(
            _days_of(one) != _days_of(two) for one, two in zip(resources_of(body), resources_of(other), strict=True)
        ):
            return ""
        before, after = _verdicts(body), _verdicts(other)
        return "" if before == after else str([pair for pair in zip(before, after, strict=True) if pair[0] != pair[1]])

    hold(invented(Random(number)), differ)


def _days_of(resource: Json) -> list[str]:
    return [value[:10] for value in resource.values() if isinstance(value, str)]


@examples(600)
@given(NUMBERS)
def test_a_record_that_is_sent_twice_counts_once(number: int) -> None:
    """Clients send a resource under two keys, or twice in one: nothing is counted or told twice."""
    hold(invented(Random(number)), lambda body: _same(body, told_twice(body, Random(number))))
