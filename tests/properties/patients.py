"""Invented patients for the property tests: calls of all six hooks, with every kind of record that rules read."""

from __future__ import annotations

import copy
from collections.abc import Callable
from dataclasses import dataclass
from random import Random
from typing import Any

from hypothesis import strategies as st

from tests.properties.records import (
    ADULTS,
    ASKED,
    ATTACKING,
    ATTACKS,
    CALCIUM,
    CALCIUM_LOW,
    CHILDREN,
    HAZARDS,
    LASTING,
    LEGS,
    METABOLIC,
    METOCLOPRAMIDE,
    MOVEMENTS,
    NEUROLOGICAL,
    ORDERING,
    problem,
    result,
)
from tests.support.fhir import call, order, prefetch

Json = dict[str, Any]
Conditions = tuple[tuple[str, str], ...]
OPENING = ("patient-view", "encounter-start", "problem-list-item-create")
SIGNING = ("order-sign", "order-select", "medication-refill")


@dataclass(frozen=True)
class Theme:
    """Records that the same rules read together, so that something is found in many of the calls.

    ``first`` are conditions of which most calls have one; ``drugs`` are what is ordered, none where a record is opened.
    """

    hooks: tuple[str, ...]
    labs: tuple[str, ...]
    first: Conditions
    conditions: Conditions
    records: tuple[Json, ...]
    drugs: tuple[str, ...] = ()
    people: tuple[Json, ...] = ADULTS + CHILDREN


BLOCKERS = ("haloperidol", "metoclopramide", "olanzapine", "aripiprazole", "chlorpromazine", "ondansetron",
            "calcium carbonate", "prochlorperazine", "droperidol", "promethazine", "quetiapine",
            "No haldol, see note")  # fmt: skip
MIXED = ("benztropine", "promethazine", "prochlorperazine", "trihexyphenidyl", "carbamazepine", "risperidone",
         "sertraline", "bupropion")  # fmt: skip
THEMES = (
    Theme(SIGNING, CALCIUM, HAZARDS, METABOLIC, ORDERING, BLOCKERS),
    Theme(SIGNING, ("egfr", "2160-0", "weight"), HAZARDS, HAZARDS, METOCLOPRAMIDE,
          ("metoclopramide", "metoclopramide", "paroxetine", "bupropion", "haloperidol")),
    Theme(SIGNING, ("weight", "calcium-sc", "egfr"), HAZARDS + ATTACKING, MOVEMENTS,
          LASTING + ASKED[5:8] + ORDERING[:3], MIXED, CHILDREN + ADULTS[:2]),
    Theme(OPENING, ("corrected", "magnesium", "pth", "phosphate"), CALCIUM_LOW, METABOLIC + MOVEMENTS, ASKED),
    Theme(OPENING, ("tsh", "ft4", "ft3", "glucose"), MOVEMENTS, (("E05.90", ""), *MOVEMENTS), ASKED),
    Theme(OPENING, ("corrected", "ceruloplasmin"), ATTACKING, MOVEMENTS + NEUROLOGICAL, ATTACKS),
    Theme(OPENING, ("corrected", "ceruloplasmin"), LEGS, NEUROLOGICAL, ASKED + ATTACKS[14:18]),
    Theme(OPENING, ("corrected", "ceruloplasmin"), MOVEMENTS, MOVEMENTS + NEUROLOGICAL, ATTACKS + ASKED),
    Theme(OPENING, ("magnesium",), MOVEMENTS[:4] + MOVEMENTS[11:13], HAZARDS, LASTING),
)  # fmt: skip
DOSES = (None, 1, 5, 10, 15, 25)


def _identity(one: Json) -> tuple[str, str]:
    return one["resourceType"], one["id"]


def _draft(dice: Random, drugs: tuple[str, ...], number: int = 0) -> Json:
    """One order, with a dose or without."""
    mg, times, days = dice.choice(DOSES), dice.choice([None, 1, 1, 4]), dice.choice([None, None, 7, 90])
    route, number = dice.choice(["", "", "IM"]), number or dice.randint(2, 9)
    return order(dice.choice(drugs), mg, times, id=f"draft-{number}", route=route, days=days)


def _some(dice: Random, build: Callable[[Random], Json], most: int) -> list[Json]:
    """Up to so many resources of one kind, none twice."""
    found = (build(dice) for _ in range(dice.randint(0, most)))
    return list({_identity(one): one for one in found}.values())


def invented(dice: Random) -> Json:
    """A hook call: drafts that are ordered, a record that is opened, or conditions that are entered."""
    theme, neat = dice.choice(THEMES), dice.random() < 0.5
    hook = dice.choice(theme.hooks)
    data = prefetch(
        dice.choice(theme.people),
        *_some(dice, lambda dice: problem(dice, theme.first, "a"), 2),
        *_some(dice, lambda dice: problem(dice, theme.conditions), 3),
        *_some(dice, lambda dice: result(dice, theme.labs, neat), 6),
        *_some(dice, lambda dice: dice.choice(theme.records), 4),
    )
    about: list[Json] = []
    if theme.drugs:
        about = [_draft(dice, theme.drugs, 1)]
        about += _some(dice, lambda dice: _draft(dice, theme.drugs), 3 if hook == "order-sign" else 1)
    elif hook == "problem-list-item-create":
        about = [problem(dice, theme.first, "new")]
    return copy.deepcopy(call(about, data, hook))


NUMBERS = st.integers(0, 2**64 - 1)


def calls() -> st.SearchStrategy[Json]:
    """Invented calls, each made from one number."""
    return NUMBERS.map(lambda number: invented(Random(number)))
