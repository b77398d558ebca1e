"""What the service answers to every golden case, in each dialect, each worked out once."""

from __future__ import annotations

from collections.abc import Iterator
from functools import cache
from typing import Any, get_args

import msgspec

from cds_hooks.cases.run import run
from cds_hooks.clients.model import Dialect
from tests.golden import harness

Json = dict[str, Any]

GENERIC = "generic"
DIALECTS: tuple[str, ...] = get_args(Dialect)


@cache
def calls() -> dict[str, Json]:
    """The golden cases by name, as the harness runs them."""
    return {name: msgspec.to_builtins(case) for name, case in harness.cases().items()}


@cache
def bodies(dialect: str = GENERIC) -> tuple[Json, ...]:
    """Every answer, those to earlier calls of a case among them; other dialects answer the cases that show a card."""
    return tuple(body for answer in _answers(dialect).values() for body in _told(answer))


@cache
def _answers(dialect: str) -> dict[str, Json]:
    if dialect == GENERIC:
        return run(calls(), harness.PLUGIN)
    shown = [name for name, answer in _answers(GENERIC).items() if answer["body"]["cards"]]
    chosen = {
        name: {**calls()[name], "settings": {**calls()[name].get("settings", {}), "dialect": dialect}} for name in shown
    }
    return run(chosen, harness.PLUGIN)


def _told(answer: Json) -> Iterator[Json]:
    for one in (answer, *answer["before"]):
        assert one["status"] == 200
        yield one["body"]
