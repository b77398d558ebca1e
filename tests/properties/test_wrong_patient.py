"""Data of someone else, however it is spelt whose they are, change nothing in an answer but the note that they came."""

from __future__ import annotations

import json

import pytest

from cds_hooks.errors import NothingToJudge
from tests.properties.mixing import FOREIGN, mixed
from tests.properties.profile import TIMES
from tests.support.fire import Fired, fire

SEEDS = range(300 * TIMES)
ENOUGH = 0.5


def wrong(seed: int) -> str:
    """What is wrong with the answer to the mixed call of this seed: empty if nothing is."""
    foreign, empty, _ = mixed(seed)
    try:
        told = fire(foreign)
    except NothingToJudge:
        return ""
    if told.body != fire(empty).body:
        return "a value of someone else was used"
    if "foreign-" in json.dumps(told.body):
        return "a resource of someone else is named"
    return "" if _tells(told) else "nothing says that data of someone else were left out"


def _tells(told: Fired) -> bool:
    """Whether R-DQ-07 fired wherever it applies: where nothing is judged, nothing is told."""
    verdicts = {one["status"] for one in told.results if one["rule"] == "R-DQ-07"}
    return verdicts <= {"fired", "not-applicable"}


def matters(seed: int) -> bool:
    """Whether the answer would be another one if the data were the patient's own."""
    foreign, _, own = mixed(seed)
    try:
        return fire(foreign).results != fire(own).results
    except NothingToJudge:
        return False


def test_no_value_of_someone_else_is_used() -> None:
    assert {seed: text for seed in SEEDS if (text := wrong(seed))} == {}


def test_the_data_of_these_calls_matter() -> None:
    sample = range(40)
    assert sum(map(matters, sample)) >= ENOUGH * len(sample)


@pytest.mark.parametrize("number", range(len(FOREIGN)))
def test_every_spelling_is_among_them(number: int) -> None:
    owner = json.dumps(FOREIGN[number][0])
    assert any(owner in json.dumps(mixed(seed)[0]) for seed in range(400))
