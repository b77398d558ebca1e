"""The same facts in another order, of entries, of keys or of drafts, give the same answer to the letter."""

from __future__ import annotations

import random
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from tests.properties.patients import calls
from tests.support.fire import fire

Json = dict[str, Any]


def shuffled(value: Any, dice: random.Random) -> Any:
    """The same JSON with its keys, and the entries of its Bundles, in another order."""
    if isinstance(value, dict):
        items = [(key, shuffled(inner, dice)) for key, inner in value.items()]
        dice.shuffle(items)
        return {key: dice.sample(inner, len(inner)) if key == "entry" else inner for key, inner in items}
    return [shuffled(inner, dice) for inner in value] if isinstance(value, list) else value


@settings(derandomize=True, max_examples=150, deadline=None)
@given(calls(), st.integers(0, 1_000_000))
def test_order_does_not_matter(body: Json, seed: int) -> None:
    assert fire(shuffled(body, random.Random(seed))).body == fire(body).body


@settings(derandomize=True, max_examples=50, deadline=None)
@given(calls())
def test_the_same_call_twice(body: Json) -> None:
    assert fire(body).body == fire(body).body


@settings(derandomize=True, max_examples=100, deadline=None)
@given(calls(), st.data())
def test_a_record_that_is_sent_twice_counts_once(body: Json, data: st.DataObject) -> None:
    """Clients send a resource under two keys, or twice in one: nothing is counted or told twice."""
    bundles = [one for one in body["prefetch"].values() if one.get("entry")]
    before = fire(body)
    if not bundles:
        return
    chosen = data.draw(st.sampled_from(bundles))
    chosen["entry"] = [*chosen["entry"], chosen["entry"][0]]
    chosen["total"] = len(chosen["entry"])
    after = fire(body)
    assert [card["detail"] for card in after.cards] == [card["detail"] for card in before.cards]
    assert [card["uuid"] for card in after.cards] == [card["uuid"] for card in before.cards]
    assert after.results == before.results
