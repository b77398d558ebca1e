"""R-DRUG-04: a dopamine blocker for a patient with tardive dyskinesia now or before."""

from __future__ import annotations

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
# The labels hold metoclopramide contraindicated after tardive dyskinesia (B38).
_CONTRAINDICATED = "metoclopramide"


def evaluate(case: Case) -> Verdict:
    """Judge one order: critical for metoclopramide, a warning for other drugs of tier L and above."""
    problem = order_problem(case)
    if problem is not None:
        return problem
    blocker = blocker_of(case)
    if blocker is None or TIERS[blocker.tier] < TIERS["L"]:
        return NOT_APPLICABLE
    # The label says "history of", so a past one counts, and so does one without a date (D.6a).
    found = case.patient.has("tardive", past=True) or case.patient.has("tardive", past=True, unconfirmed=True)
    if found is not None:
        return fired(_finding(blocker, found), (found.reference,))
    return gap_verdict(case, _KEYS) or clear()


def _finding(blocker: Blocker, problem: Problem) -> Finding:
    contraindicated, worded = blocker.name == _CONTRAINDICATED, "tardive" in problem.worded
    history = "Possible tardive dyskinesia (not confirmed)" if problem.unconfirmed else "History of tardive dyskinesia"
    state = "recorded as resolved" if problem.state == "past" else "on the problem list"
    state += ", not confirmed" if problem.unconfirmed else ""
    since = f", since {problem.onset.short()}" if problem.onset else ", no date"
    doubt = ", not confirmed" if problem.unconfirmed else ""
    doubt += ", matched by text" if worded else ""
    return Finding(
        _level(contraindicated, problem),
        f"{history}: {blocker.name} {_advice(contraindicated, problem.unconfirmed)}.",
        (f"{blocker.title} blocks dopamine; tardive dyskinesia is {state}.",),
        (Fact(f"Condition: {problem.label or 'tardive dyskinesia'}{since}{doubt}", problem.reference),),
        (),
        ("The condition was matched by text: check the record before relying on it.",) if worded else (),
        (
            remove(blocker.ingredient),
            instead(blocker.ingredient, ("quetiapine",)),
            Option("advice", "Keep the order after a specialist's review"),
        ),
        True,
    )


def _level(contraindicated: bool, problem: Problem) -> Indicator:
    """A rule-out is information at most, and words alone a warning at most."""
    if problem.unconfirmed:
        return Indicator.INFO
    return Indicator.CRITICAL if contraindicated and "tardive" not in problem.worded else Indicator.WARNING


def _advice(contraindicated: bool, unconfirmed: bool) -> str:
    if contraindicated:
        return "is contraindicated if it is confirmed" if unconfirmed else "is contraindicated"
    return "blocks dopamine. Consider another drug"


RULE = Rule(
    "R-DRUG-04", "1.0.0", ("order-select", "order-sign", "medication-refill"), _KEYS, Indicator.CRITICAL, 12, evaluate
)
