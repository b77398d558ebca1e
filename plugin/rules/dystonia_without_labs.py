"""R-MET-02: a new dystonia, tetany or paroxysmal movement, and neither calcium nor magnesium measured lately."""

from __future__ import annotations

from plugin import labs
from plugin.metabolic import (
    DYSTONIA,
    PAROXYSMAL,
    capital,
    is_recent,
    last_told,
    measured,
    movement_fact,
    movement_words,
    movements,
)
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
    clear,
    fired,
    gap_verdict,
    not_checked,
)

_MOVEMENTS = DYSTONIA | PAROXYSMAL | {"tetany"}
_MEASURED = (*labs.CALCIUM, "magnesium")
_PANEL = ("calcium", "albumin", "magnesium", "phosphate", "pth", "glucose", "tsh")


def evaluate(case: Case) -> Verdict:
    """Judge the record, or the condition that is being entered."""
    if case.patient.deceased:
        return NOT_APPLICABLE
    found = [*movements(case, _MOVEMENTS), *_observed(case)]
    new = next((problem for problem in found if _is_new(case, problem) or _is_updated(case, problem)), None)
    if new is None:
        undated = tuple(problem.reference for problem in found if not (problem.recorded or problem.updated))
        gap = gap_verdict(case, ("conditions",))
        return gap or (_perhaps_new(case, undated) if undated else NOT_APPLICABLE)
    return _unmeasured(case, new)


def _observed(case: Case) -> list[Problem]:
    """What observations state counts beside the problem list, but not while something else is being entered there."""
    if case.hook == "problem-list-item-create":
        return []
    return [problem for problem in case.patient.observed if problem.concepts & _MOVEMENTS]


def _perhaps_new(case: Case, undated: tuple[str, ...]) -> Verdict:
    """Where the day of the record is not known, clear all the same if calcium or magnesium was measured."""
    last = measured(case.patient, _MEASURED, case.limits.span("unmeasured_days"))
    return clear((*undated, *last.references)) if last.result is not None else not_checked("date-missing", undated)


def _is_new(case: Case, problem: Problem) -> bool:
    window, now = case.limits.span("new_record_days"), case.patient.now
    return problem.entered or is_recent(problem.onset, now, window) or is_recent(problem.recorded, now, window)


def _is_updated(case: Case, problem: Problem) -> bool:
    return is_recent(problem.updated, case.patient.now, case.limits.span("new_record_days"))


def _unmeasured(case: Case, problem: Problem) -> Verdict:
    last = measured(case.patient, _MEASURED, case.limits.span("unmeasured_days"))
    inputs = (problem.reference, *last.references)
    if last.result is not None:
        return clear(inputs)
    if last.doubt:
        return not_checked(last.doubt, inputs)
    # "Not measured" needs a result list that was returned and is whole as far back as this rule looks.
    window = case.limits.span("unmeasured_days")
    gap = gap_verdict(case, ("observations",), window)
    if gap is None and "observations" not in case.patient.returned and not case.patient.gaps.get("observations"):
        return not_checked("key-missing", inputs)
    return gap or fired(_finding(case, problem), inputs)


def _finding(case: Case, problem: Problem) -> Finding:
    word = movement_words(problem)
    told = f"new {word}" if _is_new(case, problem) else f"{word} (record updated)"
    return Finding(
        Indicator.INFO,
        f"{capital(told)}: no Ca/Mg in {case.limits.unmeasured_days} days. "
        "Consider Ca+albumin, Mg, PO4, PTH, glucose, TSH.",
        ("Low calcium, low magnesium, glucose and thyroid disorders can show as dystonia or paroxysmal movements.",),
        (_movement(case, problem), *last_told(case.patient, labs.CALCIUM), *last_told(case.patient, ("magnesium",))),
        (),
        (),
        (
            Option("labs", "Check calcium, albumin, magnesium, phosphate, PTH, glucose and TSH", _PANEL),
            Option("advice", "No tests now: the cause is known, or results are kept elsewhere"),
        ),
    )


def _movement(case: Case, problem: Problem) -> Fact:
    """The movement; of one that is not new the day of its record's last change, which is the server's word for it."""
    fact = movement_fact(problem)
    if _is_new(case, problem) or problem.updated is None:
        return fact
    return Fact(f"{fact.text}; record last changed {problem.updated.short()}, as the server says", fact.reference)


RULE = Rule(
    "R-MET-02",
    "1.0.0",
    ("patient-view", "encounter-start", "problem-list-item-create"),
    ("conditions", "observations"),
    Indicator.INFO,
    54,
    evaluate,
    ("new_record_days", "unmeasured_days"),
)
