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
    contraindicated = blocker.name == _CONTRAINDICATED
    level = Indicator.CRITICAL if contraindicated else Indicator.WARNING
    level = Indicator.INFO if problem.unconfirmed else level
    history = "Possible tardive dyskinesia (not confirmed)" if problem.unconfirmed else "History of tardive dyskinesia"
    advice = "is contraindicated" if contraindicated else "may worsen or mask it. Consider another drug"
    since = f", since {problem.onset.short()}" if problem.onset else ", no date"
    state = "recorded as resolved" if problem.state == "past" else "on the problem list"
    doubt = ", not confirmed" if problem.unconfirmed else ""
    return Finding(
        level,
        f"{history}: {blocker.name} {advice}.",
        (f"{blocker.title} blocks dopamine; tardive dyskinesia is {state}.",),
        (Fact(f"Condition: {problem.label}{since}{doubt}", problem.reference),),
        (),
        (),
        (
            remove(blocker.ingredient),
            instead(blocker.ingredient, ("quetiapine",)),
            Option("advice", "Keep the order after a specialist's review"),
        ),
        True,
    )


RULE = Rule(
    "R-DRUG-04", "1.0.0", ("order-select", "order-sign", "medication-refill"), _KEYS, Indicator.CRITICAL, 12, evaluate
)
