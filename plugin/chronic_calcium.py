"""S-15: a low calcium that is known, stable, treated and followed up needs no warning each time."""

from __future__ import annotations

from collections.abc import Iterator
from decimal import Decimal
from itertools import chain

from plugin.grading import grade_of
from plugin.labs import State
from plugin.metabolic import followed_up, is_recent, replacement
from plugin.patient import Result
from plugin.rule import Case, Fact

_PERCENT = Decimal(100)


def known_and_stable(case: Case, state: State) -> tuple[Fact, ...]:
    """The facts of a known, stable, treated and followed-up low calcium; empty where one of the four is missing."""
    treated, referral = replacement(case), followed_up(case)
    if treated is None or referral is None or referral.when is None:
        return ()
    count = _stable_results(case, state)
    if count < case.limits.chronic_calcium_results:
        return ()
    days = case.limits.chronic_calcium_days
    return (
        Fact(f"{count} results of the same grade in {days} days", state.results[0].reference),
        Fact(f"On replacement: {treated.ingredient.name}", treated.reference),
        Fact(f"Endocrine follow-up: {referral.label}, {referral.when.short()}", referral.reference),
    )


def _stable_results(case: Case, state: State) -> int:
    """How many results there are; 0 where one of them has another grade or lies too far from the newest."""
    newest = state.results[0]
    if newest.value is None:
        return 0
    span = newest.value * case.limits.chronic_calcium_percent / _PERCENT
    grade = _grade(case, newest)
    every = {one.reference: one for one in _usable(case, newest.analyte)}
    same = [one for one in every.values() if _grade(case, one) == grade and _near(one, newest.value, span)]
    return len(same) if len(same) == len(every) else 0


def _usable(case: Case, analyte: str) -> Iterator[Result]:
    """Final results of one analyte with a value of their own, within the window."""
    patient, window = case.patient, case.limits.span("chronic_calcium_days")
    for one in chain(patient.results.get(analyte, ()), patient.earlier.get(analyte)):
        usable = one.value is not None and not (one.problem or one.comparator or one.provisional or one.inferred)
        if usable and is_recent(one.when, patient.now, window):
            yield one


def _near(one: Result, value: Decimal, span: Decimal) -> bool:
    return one.value is not None and abs(one.value - value) <= span


def _grade(case: Case, one: Result) -> str:
    """The grade of the number as it stands, without albumin, so that like is compared with like."""
    limits = case.limits
    ionised = one.analyte == "calcium-ionised"
    low, severe = (
        (limits.ionised_low, limits.ionised_severe) if ionised else (limits.calcium_low, limits.calcium_severe)
    )
    value = one.value if one.value is not None else Decimal(0)
    return grade_of(value, one.comparator, one.lower_limit if one.lower_limit is not None else low, severe)
