"""R-DRUG-10: an anticholinergic that has been running for months beside a stable dopamine blocker."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from datetime import datetime, timedelta

from plugin.courses import Course, course_of
from plugin.drug_risk import LOCAL_ROUTES, exposure_tier
from plugin.metabolic import unless_lists_whole
from plugin.offers import remove
from plugin.patient import PROPHYLAXIS, Exposure, Problem
from plugin.rule import (
    NOT_APPLICABLE,
    TIERS,
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
    order_problem,
)
from plugin.when import When

_MEDICATIONS = ("medications", "medicationStatements", "medicationAdministrations", "medicationDispenses")
_KEYS = ("conditions", "allergies", *_MEDICATIONS)
# What the drug may be needed for. Parkinson disease is no side effect, but then the drug is no prophylaxis.
_MOVEMENT = frozenset(
    {
        "extrapyramidal",
        "extrapyramidal-unspecified",
        "drug-parkinsonism",
        "secondary-parkinsonism",
        "parkinsonism-unspecified",
        "akathisia",
        "dystonia",
        "drug-dystonia",
        "acute-drug-dystonia",
        "torticollis",
        "oculogyric-crisis",
    }
)
_DISEASE = "parkinson"


def evaluate(case: Case) -> Verdict:
    """Judge the record, or at a refill the anticholinergic that is refilled."""
    if case.patient.deceased:
        return NOT_APPLICABLE
    if case.order is not None:
        problem = order_problem(case)
        if problem is not None:
            return problem
        if not any(item.classes & PROPHYLAXIS for item in case.medication.ingredients):
            return NOT_APPLICABLE
    running = list(_running(case))
    if not running:
        return unless_lists_whole(case) or (NOT_APPLICABLE if case.order is None else clear())
    exposure, course = running[0]
    if course.lasting <= case.limits.span("prophylaxis_days"):
        return _not_long(case, course)
    return _beside(case, exposure, course)


def _running(case: Case) -> Iterable[tuple[Exposure, Course]]:
    """Anticholinergics that are taken now, the longest course first; of an order only the one that it refills."""
    names = {item.name for item in case.medication.ingredients}
    found = {e.ingredient.name: e for e in case.others if e.current and not e.draft and _is_cover(e)}
    if case.order is not None:
        found = {name: e for name, e in found.items() if name in names}
    courses = [(exposure, course_of(case, name)) for name, exposure in sorted(found.items())]
    return sorted(courses, key=lambda pair: pair[1].lasting, reverse=True)


def _not_long(case: Case, course: Course) -> Verdict:
    if course.longest > case.limits.span("prophylaxis_days"):
        return not_checked("date-missing", course.references)
    return unless_lists_whole(case) or _undated(case, _is_cover) or clear(course.references)


def _is_cover(exposure: Exposure) -> bool:
    """An anticholinergic; or diphenhydramine taken regularly, which as needed is for sleep or allergy."""
    if exposure.route in LOCAL_ROUTES or not exposure.ingredient.classes & PROPHYLAXIS:
        return False
    return "anticholinergic" in exposure.ingredient.classes or not exposure.as_needed


def _undated(case: Case, wanted: Callable[[Exposure], bool]) -> Verdict | None:
    """Drugs that are current since nobody knows when, or since some day of a month or a year."""
    taken = (e for e in case.others if e.current and not e.draft and wanted(e))
    found = tuple(e.reference for e in taken if e.start is None or e.start.precision not in {"day", "time"})
    return not_checked("date-missing", found) if found else None


def _beside(case: Case, exposure: Exposure, course: Course) -> Verdict:
    blocker = next(iter(_stable_blockers(case)), None)
    if blocker is None:
        undated = _undated(case, lambda exposure: TIERS[exposure_tier(exposure, case)] >= TIERS["L"])
        return unless_lists_whole(case) or undated or clear(course.references)
    taken, blocked = blocker
    reason = _movement(case)
    inputs = (*course.references, *blocked.references)
    if reason:
        return clear((*inputs, reason))
    gap = gap_verdict(case, ("conditions", "allergies"))
    return gap or fired(_finding(case, exposure, course, taken, blocked), tuple(dict.fromkeys(inputs)))


def _stable_blockers(case: Case) -> Iterable[tuple[Exposure, Course]]:
    """Dopamine blockers (tier L and above) taken for as long, and not raised in that time."""
    enough = case.limits.span("prophylaxis_days")
    for exposure in case.others:
        if not exposure.current or exposure.draft or TIERS[exposure_tier(exposure, case)] < TIERS["L"]:
            continue
        course = course_of(case, exposure.ingredient.name)
        if course.lasting >= enough and not _raised(case, course):
            yield exposure, course


def _raised(case: Case, course: Course) -> bool:
    """Whether a record that began lately has a daily dose at least 1.5 times that of an older one."""
    enough, now = case.limits.span("prophylaxis_days"), case.patient.now
    known = [(e.start, e.per_day_mg) for e in course.exposures if e.start is not None and e.per_day_mg]
    new = [dose for start, dose in known if start.age(now) < enough]
    old = [dose for start, dose in known if start.age(now) >= enough]
    return bool(new and old) and max(new) >= min(old) * case.limits.dose_increase_factor


def _movement(case: Case) -> str:
    """The record of a movement disorder in the last months, or of Parkinson disease; empty without any."""
    disease = case.patient.has(_DISEASE, unconfirmed=True)
    if disease is not None:
        return disease.reference
    limit, now = case.limits.span("movement_free_days"), case.patient.now
    for problem in case.patient.problems:
        dates = [when for when in (problem.onset, problem.recorded) if when is not None]
        recent = any(_within(when, now, limit) for when in dates) or (not dates and problem.state == "active")
        if recent and problem.state != "refuted" and _needs_cover(problem):
            return problem.reference
    for reaction in (*case.patient.reactions, *case.patient.other_reactions):
        if _within(reaction.when, now, limit):
            return reaction.reference
    return ""


def _needs_cover(problem: Problem) -> bool:
    """Tardive dyskinesia is a reason against an anticholinergic, though its codes count as a dystonia."""
    return bool(problem.concepts & _MOVEMENT) and "tardive" not in problem.concepts


def _finding(case: Case, exposure: Exposure, course: Course, taken: Exposure, blocked: Course) -> Finding:
    name = exposure.ingredient.name
    title = f"{name[:1].upper()}{name[1:]}"
    days, free = case.limits.prophylaxis_days, case.limits.movement_free_days
    return Finding(
        Indicator.INFO,
        f"{title} >{days} days without recorded EPS: consider review (cognition, TD).",
        (
            f"{title} runs beside {taken.ingredient.name}, which has been stable for {days} days or more; no "
            f"extrapyramidal condition is dated in the last {free} days.",
        ),
        (_fact(exposure, course), _fact(taken, blocked)),
        options=_options(case, exposure),
    )


def _fact(exposure: Exposure, course: Course) -> Fact:
    name = exposure.ingredient.name
    since = f" since {course.since.short()}" if course.since is not None else ""
    return Fact(f"{name[:1].upper()}{name[1:]}{since}: {course.lasting.days} days", course.first or exposure.reference)


def _options(case: Case, exposure: Exposure) -> tuple[Option, ...]:
    name = exposure.ingredient.name
    end = remove(exposure.ingredient)
    if case.order is None:
        end = Option("stop-other", f"Stop or end-date {name}", (name,), exposure.reference)
    return (
        Option("advice", f"Review the need for {name}"),
        end,
        Option("advice", "Keep it, with a date for review"),
    )


def _within(when: When | None, now: datetime, limit: timedelta) -> bool:
    return when is not None and when.youngest(now) <= limit


RULE = Rule(
    "R-DRUG-10",
    "1.0.0",
    ("patient-view", "encounter-start", "medication-refill"),
    _KEYS,
    Indicator.INFO,
    70,
    evaluate,
    ("prophylaxis_days", "movement_free_days", "exposure_gap_days", "dose_increase_factor"),
)
