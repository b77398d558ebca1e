"""R-MET-06: unexplained low calcium with too little parathyroid hormone, and a sign of 22q11.2 deletion."""

from __future__ import annotations

from datetime import datetime

from plugin import parathyroid
from plugin.metabolic import Reading, calcium_facts, capital, problem_fact, settled_low, state_references, unless_low
from plugin.parathyroid import Cause
from plugin.patient import Problem
from plugin.rule import (
    NOT_APPLICABLE,
    Case,
    Fact,
    Finding,
    Indicator,
    Option,
    Rule,
    Verdict,
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
_LONG = {"CHD": "congenital heart disease"}
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
        return parathyroid.unless_low(case, ("observations",), inputs, hormone)
    return _signs(case, cause, hormone, (*inputs, *cause.references))


def _signs(case: Case, cause: Cause, hormone: Reading, inputs: tuple[str, ...]) -> Verdict:
    found = {word: problem for concept, word in _SIGNS.items() if (problem := _sign(case, concept)) is not None}
    gap = gap_verdict(case, ("conditions",))
    if not found:
        return gap or _unknown_onset(case) or settled_low(case, ("observations",), inputs, hormone)
    # What explains the low calcium stands on the problem list: without a whole one it is not known to be unexplained.
    return gap or fired(_finding(case, cause, found), (*inputs, *(problem.reference for problem in found.values())))


def _sign(case: Case, concept: str) -> Problem | None:
    """The active problem that is the sign; seizures count past ones too, but only such as began in childhood."""
    if concept == "seizures":
        return next((problem for problem in _seizures(case) if _began_in_childhood(case, problem)), None)
    return case.patient.has(concept, unconfirmed=True)


def _seizures(case: Case) -> list[Problem]:
    return [
        problem for problem in case.patient.problems if "seizures" in problem.concepts and problem.state != "refuted"
    ]


def _unknown_onset(case: Case) -> Verdict | None:
    """Seizures that may have begun in childhood, as far as the dates tell."""
    unknown = tuple(problem.reference for problem in _seizures(case) if _began_in_childhood(case, problem) is None)
    return (gap_verdict(case, ("patient",)) or not_checked("date-missing", unknown)) if unknown else None


def _began_in_childhood(case: Case, problem: Problem) -> bool | None:
    """Whether they began before adult age; None where that is not known. A recording in childhood is late enough."""
    age, adult = case.patient.age, case.limits.adult_from
    if problem.onset_age is not None:
        return problem.onset_age < adult
    if age is None:
        return None
    if age.oldest_years < adult:
        return True
    born = parse(age.birth_date)
    if problem.onset is None or born is None:
        return None
    if _years(born.earliest, problem.onset.latest) < adult:
        return True
    begun = problem.onset != problem.recorded and _years(born.latest, problem.onset.earliest) >= adult
    return False if begun else None


def _years(birth: datetime, then: datetime) -> int:
    return then.year - birth.year - ((then.month, then.day) < (birth.month, birth.day))


def _sign_facts(found: dict[str, Problem]) -> list[Fact]:
    return [problem_fact(problem, _LONG.get(word, word)) for word, problem in found.items()]


def _finding(case: Case, cause: Cause, found: dict[str, Problem]) -> Finding:
    named = "/".join(list(found)[:_MOST_IN_SUMMARY])
    note = "Low magnesium lowers parathyroid hormone by itself." if case.magnesium.is_low else ""
    return Finding(
        Indicator.INFO,
        f"Hypocalcaemia + {cause.words} + {named}: consider 22q11.2 testing.",
        (f"{capital(cause.words)} while calcium is low, and no cause is coded, such as surgery of the thyroid or "
         "parathyroid glands.",),
        (*calcium_facts(case), *cause.facts, *_sign_facts(found)),
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
