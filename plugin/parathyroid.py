"""Why calcium is low: hypoparathyroidism on record, or a parathyroid hormone that is not raised as it should be."""

from __future__ import annotations

import msgspec

from plugin.metabolic import Reading, missing, problem_fact, reading, result_fact, settled_low
from plugin.rule import Case, Fact, Verdict


class Cause(msgspec.Struct, frozen=True):
    """What makes low calcium hypoparathyroid: its words for a summary, the facts, and whether all is confirmed."""

    words: str
    facts: tuple[Fact, ...]
    references: tuple[str, ...]
    sure: bool


_CONDITIONS = {"hypoparathyroidism": "hypoparathyroidism", "deletion-22q11": "22q11.2 deletion"}


def recorded(case: Case) -> Cause | None:
    """Hypoparathyroidism or a 22q11.2 deletion on the problem list, a confirmed one before a rule-out."""
    for unconfirmed in (False, True):
        for concept, word in _CONDITIONS.items():
            problem = case.patient.has(concept, unconfirmed=unconfirmed)
            if problem is not None:
                told = f"possible {word}" if problem.unconfirmed else word
                return Cause(told, (problem_fact(problem, word),), (problem.reference,), not problem.unconfirmed)
    return None


def too_low(case: Case, hormone: Reading) -> Cause | None:
    """A parathyroid hormone within or below the laboratory's range while calcium is low: too little for it."""
    result = hormone.result
    if result is None or not hormone.is_not_above:
        return None
    below = result.value is not None and result.lower_limit is not None and result.value < result.lower_limit
    told = "low PTH" if below else "PTH not raised"
    return Cause(told, (result_fact(case, result),), hormone.references, hormone.sure)


def hormone(case: Case) -> Reading:
    """The newest recent parathyroid hormone."""
    return reading(case, "pth")


def unless_low(case: Case, keys: tuple[str, ...], inputs: tuple[str, ...], one: Reading) -> Verdict:
    """Clear where the hormone is high; not-checked where it is missing, or its range or comparator decides nothing."""
    return settled_low(case, keys, (*inputs, *one.references), one) if one.is_above else missing(case, one)
