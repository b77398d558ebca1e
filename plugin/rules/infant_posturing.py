"""R-DX-07: dystonic or opisthotonic posture in an infant, and what else it may be."""

from __future__ import annotations

from plugin.diagnosis import EEG, NEUROLOGY, PANEL, named, told
from plugin.factors import age_fact
from plugin.metabolic import movements
from plugin.patient import Problem
from plugin.rule import (
    NOT_APPLICABLE,
    Case,
    Finding,
    Indicator,
    Rule,
    Verdict,
    fired,
    gap_verdict,
    not_checked,
)

_KEYS = ("patient", "conditions")
_POSTURES = frozenset({"dystonia", "opisthotonos", "infant-dystonia"})
_REFLUX = ("gerd", "sandifer")


def evaluate(case: Case) -> Verdict:
    """Judge the record of somebody who is, or may be, younger than 24 months."""
    if case.patient.deceased:
        return NOT_APPLICABLE
    age = case.patient.age
    if age is not None and age.months >= case.limits.infant_months:
        return NOT_APPLICABLE
    problem = _posture(case)
    if problem is None:
        return gap_verdict(case, ("conditions",)) or NOT_APPLICABLE
    if age is None:
        return gap_verdict(case, ("patient",)) or not_checked("date-missing", (problem.reference,))
    return fired(_finding(case, problem), (problem.reference,))


def _posture(case: Case) -> Problem | None:
    """The recorded posture; at the problem list the one being entered."""
    return next(iter(movements(case, _POSTURES)), None)


def _finding(case: Case, problem: Problem) -> Finding:
    reflux = [one for one in case.patient.problems if one.state == "active" and named(one, _REFLUX)]
    return Finding(
        Indicator.INFO,
        "Infant dystonic spells: consider Sandifer, benign infant dystonia, BMEI, hyperekplexia, epilepsy.",
        ("In the first two years dystonic or arched posture has causes of its own; seizures are among them.",),
        (age_fact(case), told(problem, _POSTURES), *(told(one, _REFLUX) for one in reflux[:1])),
        ("Presumed reflux: metoclopramide and prochlorperazine are best avoided at this age (see R-DRUG-05).",),
        ("BMEI: benign myoclonus or myoclonic epilepsy of early infancy.",),
        (EEG, PANEL, NEUROLOGY),
    )


RULE = Rule(
    "R-DX-07",
    "1.0.0",
    ("patient-view", "encounter-start", "problem-list-item-create"),
    _KEYS,
    Indicator.INFO,
    65,
    evaluate,
    ("infant_months",),
)
