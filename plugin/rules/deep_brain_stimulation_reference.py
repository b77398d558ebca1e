"""R-TX-03: generalised or segmental dystonia after failed treatments: a reference, shown by link only."""

from __future__ import annotations

from plugin.metabolic import problem_fact
from plugin.patient import Problem
from plugin.rule import NOT_APPLICABLE, Case, Fact, Finding, Indicator, Option, Rule, Verdict, clear, fired, gap_verdict
from plugin.treatment import dystonias, read_from_words
from valuesets import Ingredient

_FORMS = frozenset({"generalised-dystonia", "segmental-dystonia"})
_FAILED = "treatment-failed"
_TOXIN = "botulinum-toxin"
# Drugs of one class count once; a drug of none of these is a class of its own.
_CLASSES = ("anticholinergic", "benzodiazepine", "levodopa", "pkd-anticonvulsant", _TOXIN)


def evaluate(case: Case) -> Verdict:
    """Judge the record as it is opened."""
    if case.patient.deceased:
        return NOT_APPLICABLE
    found = dystonias(case, _FORMS)
    if not found:
        return gap_verdict(case, ("conditions",)) or NOT_APPLICABLE
    inputs = tuple(problem.reference for problem in found)
    for problem in found:
        failed = _failed(problem)
        if _TOXIN in failed or len(failed) >= case.limits.failed_classes:
            return fired(_finding(problem), (problem.reference,))
    return gap_verdict(case, ("conditions",)) or clear(inputs)


def _failed(problem: Problem) -> set[str]:
    """The classes of the treatments that the words of the condition say have failed."""
    if _FAILED not in problem.concepts | problem.noted:
        return set()
    return {_class_of(drug) for drug in problem.drugs}


def _class_of(drug: Ingredient) -> str:
    return next((name for name in _CLASSES if name in drug.classes), drug.name)


def _finding(problem: Problem) -> Finding:
    form = "Generalised" if "generalised-dystonia" in problem.concepts else "Segmental"
    names = ", ".join(drug.name for drug in problem.drugs)
    return Finding(
        Indicator.INFO,
        f"{form} dystonia after failed treatment: assessment for deep brain stimulation is an option.",
        ("Deep brain stimulation, mostly of the internal globus pallidus, may be assessed by a specialist centre.",),
        (problem_fact(problem), Fact(f"Said to have failed: {names}", problem.reference)),
        (),
        ("The failed treatments were read from the words of the record.", *read_from_words((problem,), _FORMS)),
        (Option("request", "Refer for assessment of deep brain stimulation", ("dbs-assessment",)),),
        by_link=True,
    )


RULE = Rule(
    "R-TX-03",
    "1.0.0",
    ("patient-view", "encounter-start"),
    ("conditions",),
    Indicator.INFO,
    84,
    evaluate,
    ("failed_classes",),
)
