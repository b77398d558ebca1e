"""R-MET-08: a new dystonia or dyskinesia, and glucose far too low or too high."""

from __future__ import annotations

from plugin.metabolic import (
    DYSTONIA,
    PAROXYSMAL,
    Reading,
    is_recent,
    missing,
    movement_fact,
    movement_words,
    movements,
    reading,
    result_fact,
    settled,
)
from plugin.patient import Problem
from plugin.rule import (
    NOT_APPLICABLE,
    Case,
    Finding,
    Indicator,
    Option,
    Rule,
    Status,
    Verdict,
    fired,
    gap_verdict,
    not_checked,
)

_MOVEMENTS = DYSTONIA | PAROXYSMAL | {"dyskinesia"}
_KEYS = ("conditions", "glucose")


def evaluate(case: Case) -> Verdict:
    """Judge the record as it is opened."""
    if case.patient.deceased:
        return NOT_APPLICABLE
    found = movements(case, _MOVEMENTS)
    window = case.limits.span("new_movement_days")
    new = next((problem for problem in found if is_recent(problem.onset, case.patient.now, window)), None)
    if new is None:
        undated = tuple(problem.reference for problem in found if problem.onset is None)
        gap = gap_verdict(case, ("conditions",))
        return gap or (_perhaps_new(case, found, undated) if undated else NOT_APPLICABLE)
    return _with_glucose(case, new)


def _perhaps_new(case: Case, found: list[Problem], undated: tuple[str, ...]) -> Verdict:
    """Where no day is known on which it began, clear all the same if glucose is as it should be."""
    judged = _with_glucose(case, found[0])
    return judged if judged.status is Status.CLEAR else not_checked("date-missing", undated)


def _with_glucose(case: Case, movement: Problem) -> Verdict:
    glucose, limits = reading(case, "glucose"), case.limits
    window = limits.span("new_movement_days")
    if glucose.result is not None and not is_recent(glucose.result.when, case.patient.now, window):
        glucose = Reading(None, "stale", glucose.references)
    inputs = (movement.reference, *glucose.references)
    if glucose.is_under(limits.glucose_low):
        return fired(_finding(case, movement, glucose, low=True), inputs)
    if glucose.is_from(limits.glucose_high):
        return fired(_finding(case, movement, glucose, low=False), inputs)
    if glucose.is_from(limits.glucose_low) and glucose.is_under(limits.glucose_high):
        return settled(case, _KEYS, inputs, glucose)
    return missing(case, glucose, "glucose")


def _finding(case: Case, movement: Problem, glucose: Reading, *, low: bool) -> Finding:
    result = glucose.result
    if result is None or result.value is None or result.when is None:
        raise LookupError("A finding about glucose needs a glucose with a value and a date.")
    certain = glucose.sure and not movement.unconfirmed
    told = result.when.told(case.patient.now) or result.when.short()
    kind = "low" if low else "high"
    return Finding(
        Indicator.WARNING if low and certain else Indicator.INFO,
        f"Glucose {result.shown} ({told}) with new {movement_words(movement)}: "
        f"{kind} glucose can cause it. Consider correcting it first.",
        (f"A very {kind} glucose is a known cause of dystonia and paroxysmal movements.",),
        (result_fact(case, result), movement_fact(movement)),
        (),
        (),
        (
            Option("labs", "Repeat glucose", ("glucose",)),
            Option("advice", "Correct glucose, then look at the movement again"),
            Option("advice", "No change: glucose is treated already, or another cause is known"),
        ),
        state=("severe:glucose",) if low else (),
    )


RULE = Rule(
    "R-MET-08",
    "1.0.0",
    ("patient-view", "encounter-start"),
    _KEYS,
    Indicator.WARNING,
    51,
    evaluate,
    ("new_movement_days", "glucose_low", "glucose_high", "lab_fresh_hours_acute"),
)
