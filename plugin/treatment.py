"""What the treatment references share: a dystonia that has lasted, how old its beginning was, who was asked already."""

from __future__ import annotations

from collections.abc import Collection, Iterable
from datetime import timedelta

from plugin.metabolic import movements
from plugin.patient import Age, Problem
from plugin.rule import Case, Fact, Verdict, clear, gap_verdict, not_checked
from plugin.when import parse

DRUG_INDUCED = frozenset({"drug-dystonia", "acute-drug-dystonia", "drug-dystonia-by-text", "tardive"})
_DAYS_IN_YEAR = 365


def dystonias(case: Case, concepts: Collection[str]) -> list[Problem]:
    """Active dystonias of these forms that no drug is blamed for, confirmed ones first."""
    return [problem for problem in movements(case, concepts) if not problem.concepts & DRUG_INDUCED]


def has_lasted(case: Case, problem: Problem, longer_than: timedelta) -> bool | None:
    """Whether the problem certainly began longer ago; None where a date or age leaves it open, or there is none."""
    if problem.onset is not None:
        shortest, longest = problem.onset.youngest(case.patient.now), problem.onset.age(case.patient.now)
        return True if shortest > longer_than else None if longest > longer_than else False
    age = case.patient.age
    if problem.onset_age is None or age is None:
        return None
    # An age at onset is a completed year: the beginning may lie up to a year later.
    return True if (age.years - int(problem.onset_age) - 1) * _DAYS_IN_YEAR > longer_than.days else None


def oldest_at_onset(case: Case, problem: Problem) -> int | None:
    """Completed years at the onset, the most that the record allows; None without a birth date."""
    age = case.patient.age
    if problem.onset_age is not None:
        return int(problem.onset_age)
    return _oldest_then(problem, age) if age is not None else None


def _oldest_then(problem: Problem, age: Age) -> int:
    """It began when it was recorded, or before that; without any date, it may have begun today."""
    born = parse(age.birth_date)
    if problem.onset is None or born is None:
        return age.oldest_years
    then, birth = problem.onset.latest, born.earliest
    years = then.year - birth.year - ((then.month, then.day) < (birth.month, birth.day))
    return min(years, age.oldest_years)


def asked(case: Case, topics: Collection[str], window: str) -> Verdict | None:
    """Clear where a referral to one of the topics stands, not-checked where that is not known, None where none does.

    ``window`` names the threshold of how long a referral counts.
    """
    patient = case.patient
    about = [referral for referral in patient.referrals if referral.topics.intersection(topics)]
    span = case.limits.span(window)
    dated = [one for one in about if one.when and one.when.age(patient.now) <= span]
    if dated:
        return clear((dated[0].reference,))
    undated = tuple(one.reference for one in about if one.when is None or one.when.youngest(patient.now) <= span)
    if undated:
        return not_checked("date-missing", undated)
    # "No referral" needs a list that was returned and is whole.
    if "serviceRequests" not in patient.returned:
        return gap_verdict(case, ("serviceRequests",)) or not_checked("key-missing")
    return gap_verdict(case, ("serviceRequests",))


def read_from_words(problems: Iterable[Problem], concepts: Collection[str]) -> tuple[str, ...]:
    """The note that a form of dystonia was read from words; empty where codes tell it."""
    by_words = any(problem.worded.intersection(concepts) for problem in problems)
    return ("The form of dystonia was read from the words of the record, not from a code.",) if by_words else ()


def onset_fact(problem: Problem) -> tuple[Fact, ...]:
    """The age at onset, where the record gives one."""
    if problem.onset_age is None:
        return ()
    return (Fact(f"Age at onset: {problem.onset_age.normalize():f} y", problem.reference),)
