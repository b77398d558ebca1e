"""R-DRUG-08: a dopamine blocker in Parkinson disease, Lewy body dementia or a lesion of the basal ganglia."""

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
# The labels hold haloperidol contraindicated in Parkinson disease; those of the decanoate name Lewy bodies too (B60).
_CONTRAINDICATED = "haloperidol"
_WARNING, _INFO = Indicator.WARNING, Indicator.INFO

# Condition, its name on the card, the level for any dopamine blocker, and whether haloperidol is critical.
_CONDITIONS = (
    ("parkinson", "Parkinson disease", _WARNING, True),
    ("lewy-body", "Dementia with Lewy bodies", _WARNING, True),
    ("parkinsonism-unspecified", "Parkinsonism", _WARNING, False),
    ("basal-ganglia-lesion", "Basal ganglia or thalamic lesion", _INFO, False),
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
        for concept, name, level, contraindicates in _CONDITIONS:
            found = case.patient.has(concept, unconfirmed=unconfirmed)
            if found is not None:
                critical = contraindicates and blocker.name == _CONTRAINDICATED
                return fired(_finding(case, blocker, found, name, level, critical), (found.reference,))
    return gap_verdict(case, _KEYS) or clear()


def _finding(
    case: Case, blocker: Blocker, problem: Problem, name: str, level: Indicator, contraindicated: bool
) -> Finding:
    lesion = level is _INFO
    if contraindicated:
        level = Indicator.CRITICAL
    if problem.unconfirmed:
        level, name = _INFO, f"Possible {name[:1].lower() if not name.startswith('P') else 'P'}{name[1:]}"
    advice = (
        "is contraindicated; may cause severe rigidity or dystonia"
        if contraindicated
        else "may bring out dystonia or parkinsonism"
        if lesion
        else "may cause severe rigidity or dystonia. Consider another drug"
    )
    since = f", since {problem.onset.short()}" if problem.onset else ""
    doubt = ", not confirmed" if problem.unconfirmed else ""
    notes = []
    if contraindicated and "lewy-body" in problem.concepts:
        notes.append("Named in the labels of haloperidol decanoate; the text for tablets names Parkinson disease only.")
    return Finding(
        level,
        f"{name}: {blocker.name} {advice}.",
        (f"{blocker.title} blocks dopamine; {name[:1].lower() + name[1:] if lesion else name} is on record.",),
        (Fact(f"Condition: {problem.label}{since}{doubt}", problem.reference),),
        (),
        tuple(notes),
        _options(blocker),
        not lesion,
    )


def _options(blocker: Blocker) -> tuple[Option, ...]:
    return (
        remove(blocker.ingredient),
        instead(blocker.ingredient, ("quetiapine",)),
        Option("advice", "Keep the order after a specialist's review"),
    )


RULE = Rule(
    "R-DRUG-08", "1.0.0", ("order-select", "order-sign", "medication-refill"), _KEYS, Indicator.CRITICAL, 13, evaluate
)
