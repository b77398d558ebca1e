"""R-DRUG-08: a dopamine blocker in Parkinson disease, Lewy body dementia or a lesion of the basal ganglia."""

from __future__ import annotations

from collections.abc import Iterable

import msgspec

from plugin.drug_risk import Blocker, blocker_of
from plugin.offers import instead, remove
from plugin.patient import Problem
from plugin.rule import (
    NOT_APPLICABLE,
    TIERS,
    Case,
    Fact,
    Finding,
    Indicator,
    Option,
    Rule,
    Verdict,
    clear,
    fired,
    gap_verdict,
    order_problem,
)

_KEYS = ("conditions",)
# The labels hold haloperidol contraindicated in Parkinson disease; those of the decanoate name Lewy bodies too (B60).
_CONTRAINDICATED = "haloperidol"
_WARNING, _INFO = Indicator.WARNING, Indicator.INFO


class _Row(msgspec.Struct, frozen=True):
    """A condition: its name to begin a sentence with and inside one, the level for any dopamine blocker."""

    concept: str
    name: str
    inside: str
    level: Indicator
    contraindicates: bool = False


_CONDITIONS = (
    _Row("parkinson", "Parkinson disease", "Parkinson disease", _WARNING, True),
    _Row("lewy-body", "Dementia with Lewy bodies", "dementia with Lewy bodies", _WARNING, True),
    _Row("parkinsonism-unspecified", "Parkinsonism", "parkinsonism", _WARNING),
    _Row("basal-ganglia-lesion", "Basal ganglia or thalamic lesion", "a basal ganglia or thalamic lesion", _INFO),
)


def evaluate(case: Case) -> Verdict:
    """Judge one order by the gravest of these conditions that is active."""
    problem = order_problem(case)
    if problem is not None:
        return problem
    blocker = blocker_of(case)
    if blocker is None or TIERS[blocker.tier] < TIERS["L"]:
        return NOT_APPLICABLE
    for unconfirmed in (False, True):
        for row in _CONDITIONS:
            found = case.patient.has(row.concept, unconfirmed=unconfirmed)
            if found is not None:
                return fired(_finding(case, blocker, found, row), (found.reference,))
    return gap_verdict(case, _KEYS) or clear()


def _finding(case: Case, blocker: Blocker, problem: Problem, row: _Row) -> Finding:
    contraindicated = row.contraindicates and blocker.name == _CONTRAINDICATED
    worded = row.concept in problem.worded
    since = f", since {problem.onset.short()}" if problem.onset else ""
    doubt = ", not confirmed" if problem.unconfirmed else ""
    doubt += ", matched by text" if worded else ""
    name, sure = (f"Possible {row.inside}", ", not confirmed") if problem.unconfirmed else (row.name, "")
    return Finding(
        _level(row, contraindicated, worded, problem.unconfirmed),
        f"{name}: {blocker.name} {_advice(row, contraindicated, problem.unconfirmed)}.",
        (f"{blocker.title} blocks dopamine; {row.inside} is on record{sure}.",),
        (Fact(f"Condition: {problem.label or row.name}{since}{doubt}", problem.reference),),
        (),
        tuple(_notes(case, row, contraindicated, worded)),
        _options(blocker),
        row.level is not _INFO,
    )


def _level(row: _Row, contraindicated: bool, worded: bool, unconfirmed: bool) -> Indicator:
    """A rule-out is information at most, and words alone a warning at most."""
    if unconfirmed:
        return _INFO
    return Indicator.CRITICAL if contraindicated and not worded else row.level


def _advice(row: _Row, contraindicated: bool, unconfirmed: bool) -> str:
    if contraindicated:
        sure = "is contraindicated if it is confirmed" if unconfirmed else "is contraindicated"
        return f"{sure}; may cause severe rigidity or dystonia"
    if row.level is _INFO:
        return "may cause rigidity or dystonia"
    return "may cause severe rigidity or dystonia. Consider another drug"


def _notes(case: Case, row: _Row, contraindicated: bool, worded: bool) -> Iterable[str]:
    """Labels of haloperidol differ on Lewy bodies (B60); a depot is the product whose label names them."""
    if contraindicated and row.concept == "lewy-body" and not case.medication.long_acting:
        yield "Labels of haloperidol decanoate name dementia with Lewy bodies; those of tablets Parkinson disease only."
    if worded:
        yield "The condition was matched by text: check the record before relying on it."


def _options(blocker: Blocker) -> tuple[Option, ...]:
    return (
        remove(blocker.ingredient),
        instead(blocker.ingredient, ("quetiapine",)),
        Option("advice", "Keep the order after a specialist's review"),
    )


RULE = Rule(
    "R-DRUG-08", "1.0.0", ("order-select", "order-sign", "medication-refill"), _KEYS, Indicator.CRITICAL, 13, evaluate
)
