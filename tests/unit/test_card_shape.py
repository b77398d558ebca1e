"""The quick look at a card never says yes where the models say no."""

from __future__ import annotations

import copy
from typing import Any

from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from cds_hooks.card_shape import is_surely_valid
from cds_hooks.models import Card
from tests.support.fhir import condition, lab, order
from tests.support.fire import sign

Json = dict[str, Any]
REAL = [
    *sign(order("haloperidol")).cards,
    *sign(order("haloperidol"), lab("ionised", 0.8), condition("E20.0")).cards,
]
SMALL: Json = {
    "uuid": "5f3c1c1e-0000-4000-8000-000000000001",
    "summary": "Short",
    "indicator": "info",
    "source": {"label": "Source", "topic": {"code": "c", "system": "s"}},
}
ODD = [
    None, "", "x", "info", "\n", 0, 1.5, True, [], {}, (), ["x"], ("x",), {"a": 1}, {1: 2}, "https://x", "https://x y",
    "https://x\n", "any", "smart", "delete", "create", "5f3c1c1e-0000-4000-8000-000000000001\n", "s" * 140,
]  # fmt: skip


def places(value: Any, path: tuple[Any, ...] = ()) -> list[tuple[Any, ...]]:
    """Every place in a card."""
    inner = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    return [path, *(place for name, one in inner for place in places(one, (*path, name)))]


def accepted(card: Json) -> bool:
    """What the models say."""
    try:
        Card.model_validate(card)
    except ValidationError:
        return False
    return True


def test_our_cards_pass_the_quick_look() -> None:
    assert len(REAL) == 2
    assert all(is_surely_valid(card) and accepted(card) for card in [*REAL, SMALL])


@given(st.sampled_from(REAL), st.data())
def test_what_passes_the_quick_look_is_valid(card: Json, data: st.DataObject) -> None:
    changed = copy.deepcopy(card)
    for _ in range(data.draw(st.integers(1, 2))):
        path = data.draw(st.sampled_from(places(changed)[1:]))
        holder = changed
        for name in path[:-1]:
            holder = holder[name]
        match data.draw(st.sampled_from(("replace", "remove", "add", "tuple"))):
            case "replace":
                holder[path[-1]] = copy.deepcopy(data.draw(st.sampled_from(ODD)))
            case "remove":
                del holder[path[-1]]
            case "add" if isinstance(holder, dict):
                holder[data.draw(st.sampled_from(("x", "type", "resource", "resourceId", "icon")))] = "x"
            case _ if isinstance(holder[path[-1]], list):
                holder[path[-1]] = tuple(holder[path[-1]])
    if is_surely_valid(changed):
        assert accepted(changed)
