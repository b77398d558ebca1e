"""R-MET-06: unexplained low calcium with too little parathyroid hormone, and a sign of 22q11.2 deletion."""

from __future__ import annotations

from plugin import parathyroid
from plugin.metabolic import calcium_facts, capital, problem_fact, state_references, unless_low
from plugin.parathyroid import Cause
from plugin.patient import Age, Problem
from plugin.rule import (
    NOT_APPLICABLE,
    Case,
    Finding,
    Indicator,
    Option,
    Rule,
    Verdict,
    clear,
    fired,
    gap_verdict,
    not_checked,
)
from plugin.when import parse

_EXPLAINED = ("deletion-22q11", "postsurgical-hypoparathyroidism")
_SIGNS = {
    "congenital-heart-disease": "CHD",
    "palatal-anomaly": "palatal anomaly",
    "intellectual-disability": "learning disability",
    "schizophrenia": "schizophrenia",
    "seizures": "seizures in childhood",
}
_MOST_IN_SUMMARY = 2


def evaluate(case: Case) -> Verdict:
    """Judge the record as it is opened."""
    if case.patient.deceased:
        return NOT_APPLICABLE
    if any(case.patient.has(concept, past=True) for concept in _EXPLAINED):
        return NOT_APPLICABLE
    problem = unless_low(case)
    if problem is not None:
        return problem
    inputs = state_references(case.calcium)
    if not case.calcium.confirmed:
        return not_checked(case.calcium.doubt or "no-result", inputs)
    hormone = parathyroid.hormone(case)
    cause = parathyroid.too_low(case, hormone)
    if cause is None:
        return parathyroid.undecided(case, hormone) or clear((*inputs, *hormone.references))
    return _signs(case, cause, (*inputs, *cause.references))


def _signs(case: Case, cause: Cause, inputs: tuple[str, ...]) -> Verdict:
    found = {word: problem for concept, word in _SIGNS.items() if (problem := _sign(case, concept)) is not None}
    gap = gap_verdict(case, ("conditions",))
    if not found:
        return gap or clear(inputs)
    # What explains the low calcium stands on the problem list: without a whole one it is not known to be unexplained.
    return gap or fired(_finding(case, cause, found), (*inputs, *(problem.reference for problem in found.values())))


def _sign(case: Case, concept: str) -> Problem | None:
    """The active problem that is the sign; seizures count past ones too, but only such as began in childhood."""
    found = [
        problem for problem in case.patient.problems if concept in problem.concepts and _counts(case, concept, problem)
    ]
    return found[0] if found else None


def _counts(case: Case, concept: str, problem: Problem) -> bool:
    if problem.state != "active" and (concept != "seizures" or problem.state != "past"):
        return False
    if concept != "seizures":
        return True
    age, adult = case.patient.age, case.limits.adult_from
    if age is None:
        return False
    return age.oldest_years < adult or _oldest_at(problem, age) < adult


def _oldest_at(problem: Problem, age: Age) -> int:
    """Completed years at the onset, else when it was recorded: the most that the dates allow; without a date, now."""
    born = parse(age.birth_date)
    if problem.onset is None or born is None:
        return age.oldest_years
    then, birth = problem.onset.latest, born.earliest
    return then.year - birth.year - ((then.month, then.day) < (birth.month, birth.day))


def _finding(case: Case, cause: Cause, found: dict[str, Problem]) -> Finding:
    named = "/".join(list(found)[:_MOST_IN_SUMMARY])
    note = "Low magnesium lowers parathyroid hormone by itself." if case.magnesium.is_low else ""
    return Finding(
        Indicator.INFO,
        f"Hypocalcaemia + {cause.words} + {named}: consider 22q11.2 testing.",
        (f"{capital(cause.words)} while calcium is low, and no cause is coded, such as surgery of the thyroid or "
         "parathyroid glands.",),
        (*calcium_facts(case), *cause.facts, *(problem_fact(problem, word) for word, problem in found.items())),
        (),
        (*case.calcium.notes, *((note,) if note else ())),
        (
            Option("request", "Order a genetic test for 22q11.2 deletion", ("genetics-22q11",)),
            Option("request", "Refer to endocrinology", ("endocrinology",)),
            Option("advice", "No test now: the cause is known, or it was tested before"),
        ),
    )  # fmt: skip


RULE = Rule(
    "R-MET-06",
    "1.0.0",
    ("patient-view", "encounter-start"),
    ("conditions", "observations", "patient"),
    Indicator.INFO,
    56,
    evaluate,
    ("calcium_low", "ionised_low", "lab_fresh_hours_acute", "lab_fresh_days", "adult_from"),
)
