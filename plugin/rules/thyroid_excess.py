"""R-MET-07: dystonia or paroxysmal movements, and a thyroid that is overactive."""

from __future__ import annotations

from plugin.metabolic import (
    DYSTONIA,
    PAROXYSMAL,
    Reading,
    capital,
    missing,
    movement_fact,
    movement_words,
    movements,
    problem_fact,
    reading,
    result_fact,
    settled,
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
    fired,
    gap_verdict,
    not_checked,
)

_KEYS = ("conditions", "observations")


def evaluate(case: Case) -> Verdict:
    """Judge the record as it is opened: by the results first, then by a recorded hyperthyroidism without treatment."""
    if case.patient.deceased:
        return NOT_APPLICABLE
    movement = next(iter(movements(case, DYSTONIA | PAROXYSMAL)), None)
    if movement is None:
        return gap_verdict(case, ("conditions",)) or NOT_APPLICABLE
    measured = _measured(case, movement)
    return measured if measured.finding is not None else _recorded(case, movement) or measured


def _measured(case: Case, movement: Problem) -> Verdict:
    """A suppressed TSH with free T4 or free T3 above the laboratory's range."""
    tsh = reading(case, "tsh")
    if not tsh.is_under(case.limits.tsh_low):
        decided = tsh.is_from(case.limits.tsh_low)
        return settled(case, _KEYS, tsh.references, tsh) if decided else missing(case, tsh)
    hormones = [reading(case, analyte) for analyte in ("ft4", "ft3")]
    for hormone in hormones:
        if hormone.is_above and hormone.result is not None and tsh.result is not None:
            facts = (result_fact(case, tsh.result), result_fact(case, hormone.result))
            words = "Biochemical hyperthyroidism"
            inputs = (movement.reference, *tsh.references, *hormone.references)
            return fired(_finding(movement, words, facts), inputs)
    return _not_above(case, tsh, hormones)


def _not_above(case: Case, tsh: Reading, hormones: list[Reading]) -> Verdict:
    """Clear where one hormone was read and none is there that could not be: the pair is then known."""
    unread = [hormone for hormone in hormones if not hormone.is_not_above]
    held_up = next(
        (hormone for hormone in unread if hormone.result or hormone.reason not in {"no-result", "stale"}), None
    )
    if held_up is not None or len(unread) == len(hormones):
        return missing(case, held_up or unread[0])
    read = [hormone for hormone in hormones if hormone not in unread]
    inputs = (*tsh.references, *(reference for hormone in read for reference in hormone.references))
    return settled(case, _KEYS, inputs, *read)


def _recorded(case: Case, movement: Problem) -> Verdict | None:
    """A recorded hyperthyroidism, and no antithyroid drug on a list that was returned."""
    problem = case.patient.has("hyperthyroidism", unconfirmed=True)
    if problem is None or any(e.current and "antithyroid" in e.ingredient.classes for e in case.others):
        return None
    inputs = (movement.reference, problem.reference)
    if "medications" not in case.patient.returned:
        return gap_verdict(case, ("medications",)) or not_checked("key-missing", inputs)
    if (gap := gap_verdict(case, ("medications",))) is not None:
        return gap
    doubt = "possible hyperthyroidism" if problem.unconfirmed else "hyperthyroidism"
    finding = _finding(
        movement, f"{capital(doubt)} without antithyroid drug", (problem_fact(problem, "hyperthyroidism"),)
    )
    return fired(finding, inputs)


def _finding(movement: Problem, words: str, facts: tuple[Fact, ...]) -> Finding:
    return Finding(
        Indicator.INFO,
        f"{words} with {movement_words(movement)}: treat first, reassess.",
        ("An overactive thyroid can cause or worsen paroxysmal movements, which may go when it is treated.",),
        (*facts, movement_fact(movement)),
        (),
        (),
        (
            Option("labs", "Check TSH and free T4", ("tsh", "ft4")),
            Option("request", "Refer to endocrinology", ("endocrinology",)),
            Option("advice", "No change: the thyroid is treated already, or another cause is known"),
        ),
    )


RULE = Rule(
    "R-MET-07",
    "1.0.0",
    ("patient-view", "encounter-start"),
    (*_KEYS, "medications"),
    Indicator.INFO,
    52,
    evaluate,
    ("tsh_low", "lab_fresh_hours_acute", "lab_fresh_days"),
)
