"""R-TX-04: limb dystonia that began in youth, and no levodopa on record: a reference, shown by link only."""

from __future__ import annotations

from plugin.metabolic import problem_fact
from plugin.patient import Problem
from plugin.rule import (
    NOT_APPLICABLE,
    Case,
    Finding,
    Indicator,
    Rule,
    Status,
    Verdict,
    clear,
    fired,
    gap_verdict,
    not_checked,
)
from plugin.rules import kinesigenic_pattern, kinesigenic_red_flags
from plugin.treatment import dystonias, oldest_at_onset, onset_fact, read_from_words

_FORMS = frozenset({"limb-dystonia"})
# An acquired cause and paroxysms are other roads; the specification keeps this one off the cards of R-DX-01 and 02.
_NEVER_BESIDE = (kinesigenic_red_flags.RULE, kinesigenic_pattern.RULE)


def evaluate(case: Case) -> Verdict:
    """Judge the record as it is opened."""
    if case.patient.deceased:
        return NOT_APPLICABLE
    found = dystonias(case, _FORMS)
    if not found:
        return gap_verdict(case, ("conditions",)) or NOT_APPLICABLE
    if any(rule.evaluate(case).status is Status.FIRED for rule in _NEVER_BESIDE):
        return NOT_APPLICABLE
    onsets = {problem: oldest_at_onset(case, problem) for problem in found}
    young = [p for p, years in onsets.items() if years is not None and years < case.limits.young_onset_below]
    if not young:
        unknown = tuple(problem.reference for problem, years in onsets.items() if years is None or _is_open(problem))
        open_question = not_checked("date-missing", unknown) if unknown else gap_verdict(case, ("conditions",))
        return open_question or clear(tuple(p.reference for p in found))
    return _never_tried(case, young[0])


def _is_open(problem: Problem) -> bool:
    """Whether no onset is told: it was recorded some day, and began then or before."""
    return problem.began is None and problem.onset_age is None


def _never_tried(case: Case, problem: Problem) -> Verdict:
    tried = next((e for e in case.patient.exposures if "levodopa" in e.ingredient.classes and not e.draft), None)
    if tried is not None:
        return clear((problem.reference, tried.reference))
    # "No levodopa" needs a list that was returned and is whole.
    if "medications" not in case.patient.returned:
        return gap_verdict(case, ("medications",)) or not_checked("key-missing", (problem.reference,))
    return gap_verdict(case, ("medications",)) or fired(_finding(case, problem), (problem.reference,))


def _finding(case: Case, problem: Problem) -> Finding:
    return Finding(
        Indicator.INFO,
        "Limb dystonia that began in youth, no levodopa on record: consider a diagnostic levodopa trial.",
        ("Dopa-responsive dystonia can look like this; a trial of levodopa is part of the work-up.",),
        (problem_fact(problem), *onset_fact(problem)),
        (),
        (
            f"Levodopa before the last {case.limits.record_window_days} days may not be on record.",
            *read_from_words((problem,), _FORMS),
        ),
        by_link=True,
    )


RULE = Rule(
    "R-TX-04",
    "1.0.0",
    ("patient-view", "encounter-start"),
    ("conditions", "medications", "patient"),
    Indicator.INFO,
    86,
    evaluate,
    ("young_onset_below", "record_window_days"),
)
