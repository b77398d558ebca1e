"""What the metabolic rules share: recorded movements, when something was last measured, one result beside its range."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Sequence
from datetime import datetime, timedelta
from decimal import Decimal
from itertools import chain

import msgspec

from plugin import labs
from plugin.grading import AT_LEAST, AT_MOST
from plugin.lab_results import amount, inside
from plugin.patient import Exposure, Patient, Problem, Referral, Result
from plugin.rule import Case, Fact, Verdict, clear, gap_verdict, not_checked
from plugin.thresholds import Limits
from plugin.when import When

PAROXYSMAL = frozenset(
    {"paroxysmal-kinesigenic", "paroxysmal-nonkinesigenic", "paroxysmal-exertional", "paroxysmal-dyskinesia"}
)
DYSTONIA = frozenset({"dystonia", "drug-dystonia"})
_WORDS = {
    "tardive": "tardive dyskinesia",
    "tetany": "tetany",
    **dict.fromkeys(sorted(PAROXYSMAL), "paroxysmal movements"),
    **dict.fromkeys(sorted(DYSTONIA), "dystonia"),
    "dyskinesia": "dyskinesia",
}
_REPLACEMENT = frozenset({"calcium", "active-vitamin-d", "vitamin-d"})
# A date without time may be tomorrow's somewhere.
_AHEAD = timedelta(days=1)


def movements(case: Case, concepts: Collection[str]) -> list[Problem]:
    """Active problems that mean one of the concepts, confirmed ones first; where one is being entered, that alone."""
    entering = case.hook == "problem-list-item-create"
    return [
        problem
        for problem in case.patient.problems
        if problem.state == "active" and problem.concepts.intersection(concepts) and (problem.entered or not entering)
    ]


def movement_words(problem: Problem) -> str:
    """What the movement is called on a card."""
    word = _movement(problem)
    return f"possible {word}" if problem.unconfirmed else word


def movement_fact(problem: Problem) -> Fact:
    """A recorded movement with its date, how sure it is, and whether words alone tell it."""
    fact = problem_fact(problem, _movement(problem))
    marked = not problem.in_words and problem.worded.intersection(_WORDS)
    return Fact(f"{fact.text}, matched by text", fact.reference) if marked else fact


def _movement(problem: Problem) -> str:
    return next((word for concept, word in _WORDS.items() if concept in problem.concepts), "movement disorder")


def problem_fact(problem: Problem, word: str = "recorded by code") -> Fact:
    """A recorded problem with its date, how sure it is, and whether words alone tell it.

    ``word`` names one that is recorded by code alone.
    """
    dated = problem.onset or problem.recorded
    since = f", {dated.short()}" if dated else ", no date"
    doubt = ", not confirmed" if problem.unconfirmed else ""
    how = ", matched by text" if problem.in_words else ""
    return Fact(f"Condition: {problem.label or word}{since}{doubt}{how}", problem.reference)


def is_recent(when: When | None, now: datetime, window: timedelta) -> bool:
    """Whether a date lies within the window; a partial one where it may."""
    return when is not None and -_AHEAD <= when.youngest(now) <= window


def capital(text: str) -> str:
    """The text with a capital at its beginning, the rest as it is."""
    return text[:1].upper() + text[1:]


class Measured(msgspec.Struct, frozen=True):
    """The newest usable result within a time, or ``doubt``: why one that was sent cannot be said to be usable."""

    result: Result | None = None
    doubt: str = ""
    references: tuple[str, ...] = ()


def measured(patient: Patient, analytes: Sequence[str], window: timedelta) -> Measured:
    """Whether any of the analytes was measured within the window, whatever the result."""
    doubtful: list[tuple[str, Result]] = []
    for result in _candidates(patient, analytes, window):
        problem = _doubt(result, patient.now, window)
        if not problem:
            return Measured(result, "", (result.reference,))
        doubtful.append((problem, result))
    if not doubtful:
        return Measured()
    return Measured(None, doubtful[0][0], tuple(dict.fromkeys(result.reference for _, result in doubtful)))


def _candidates(patient: Patient, analytes: Sequence[str], window: timedelta) -> Iterator[Result]:
    """Results that lie within the window, or may, those of recent days first."""
    for result in chain.from_iterable(patient.results.get(analyte, ()) for analyte in analytes):
        if result.when is None or result.when.youngest(patient.now) <= window:
            yield result
    for analyte in analytes:
        for result in patient.earlier.newest_first(analyte):
            if result.when is None or result.when.youngest(patient.now) > window:
                break
            yield result


def _doubt(result: Result, now: datetime, window: timedelta) -> str:
    if result.problem or result.value is None:
        return result.problem or "implausible"
    if result.when is None or result.when.age(now) > window:
        return "date-missing"
    return "unit-missing" if result.inferred else "no-result" if result.provisional else ""


def last_told(patient: Patient, analytes: Sequence[str]) -> tuple[Fact, ...]:
    """The last readable result of any age, as a fact; empty without one."""
    last = labs.newest(patient, analytes)
    return (Fact(f"Last {inside(labs.describe(last, patient))}", last.reference),) if last is not None else ()


class Reading(msgspec.Struct, frozen=True):
    """The newest recent result of an analyte, or ``reason`` why there is none to use.

    ``sure`` is False for a result that is not final or whose unit was inferred: information only. ``doubt`` is the
    reason why the result is not known to be the last word: a newer one is there, which is not final.
    """

    result: Result | None = None
    reason: str = ""
    references: tuple[str, ...] = ()
    doubt: str = ""

    @property
    def sure(self) -> bool:
        """Whether the result is final and has its own unit."""
        return self.result is not None and not self.result.provisional and not self.result.inferred

    @property
    def is_above(self) -> bool:
        """Certainly above the laboratory's own range."""
        one = self.result
        if one is None or one.value is None or one.upper_limit is None or one.comparator in AT_MOST:
            return False
        if one.comparator:
            return one.comparator in AT_LEAST and one.value >= one.upper_limit
        return one.value > one.upper_limit

    @property
    def is_not_above(self) -> bool:
        """Certainly within or below the laboratory's own range."""
        one = self.result
        if one is None or one.value is None or (one.comparator and one.comparator not in AT_MOST):
            return False
        if one.upper_limit is not None:
            return one.value <= one.upper_limit
        return one.lower_limit is not None and one.value < one.lower_limit

    def is_under(self, edge: Decimal) -> bool:
        """Certainly below an edge in the analyte's unit."""
        one = self.result
        if one is None or one.value is None or (one.comparator and one.comparator not in AT_MOST):
            return False
        return one.value <= edge if one.comparator else one.value < edge

    def is_from(self, edge: Decimal) -> bool:
        """Certainly at an edge in the analyte's unit, or above it."""
        one = self.result
        if one is None or one.value is None or (one.comparator and one.comparator not in AT_LEAST):
            return False
        return one.value >= edge


def reading(case: Case, analyte: str) -> Reading:
    """The newest recent final result; a provisional one only where no final one is recent (C-CA)."""
    patient, limits = case.patient, case.limits
    lost = labs.undated(patient, analyte, limits)
    if lost:
        return Reading(None, "date-missing", _references(lost))
    recent = labs.fresh(patient, analyte, limits)
    final = [result for result in recent if not result.provisional]
    if not recent:
        return Reading(None, _why_none(patient, analyte))
    newest = (final or recent)[0]
    if newest.problem or newest.value is None:
        return Reading(None, newest.problem or "implausible", (newest.reference,))
    rivals = (_rival(one, newest) for one in recent if one != newest and _is_as_new(one, newest))
    doubt = next((reason for reason in rivals if reason), "no-result" if newest.inferred else "")
    return Reading(newest, "", (newest.reference,), doubt or _perhaps_old(case, newest))


def _rival(one: Result, newest: Result) -> str:
    """Why another result, which may be as new, leaves open that this one is the last word; "" where it does not."""
    if one.problem or one.provisional:
        return one.problem or "no-result"
    exact = one.when is not None and newest.when is not None and one.when.precision == newest.when.precision == "time"
    return "" if exact or one.value == newest.value else "date-missing"


def _perhaps_old(case: Case, result: Result) -> str:
    """Why it is not known that the result is recent: a day without time, or an encounter that did not arrive."""
    if result.when is None:
        return "date-missing"
    longest = case.patient.now - result.when.earliest
    if result.when.precision == "day" and longest > labs.fresh_for(case.patient, case.limits):
        return "date-missing"
    if longest <= case.limits.span("lab_fresh_hours_acute"):
        return ""
    return next((gap.reason for gap in case.patient.gaps.get("encounter", ())), "")


def _is_as_new(one: Result, other: Result) -> bool:
    return one.when is not None and other.when is not None and one.when.latest >= other.when.earliest


def _why_none(patient: Patient, analyte: str) -> str:
    old = patient.results.get(analyte) or next(patient.earlier.newest_first(analyte), None)
    return "stale" if old else "no-result"


def _references(results: Iterable[Result]) -> tuple[str, ...]:
    return tuple(dict.fromkeys(result.reference for result in results))


def missing(case: Case, one: Reading, key: str = "observations") -> Verdict:
    """Why a rule that needs this result could not be evaluated; also where its range or comparator decides nothing."""
    gap = gap_verdict(case, (key,)) if one.result is None and one.reason in ("", "no-result") else None
    return gap or not_checked(one.reason or "no-result", one.references)


def settled(case: Case, keys: tuple[str, ...], inputs: tuple[str, ...], *readings: Reading) -> Verdict:
    """Clear, unless a key has a gap or one of the results is not known to be the last word."""
    doubt = next((one for one in readings if one.doubt), None)
    return gap_verdict(case, keys) or (not_checked(doubt.doubt, doubt.references) if doubt else clear(inputs))


def settled_low(case: Case, keys: tuple[str, ...], inputs: tuple[str, ...], *readings: Reading) -> Verdict:
    """As ``settled``, for a rule that asks for low calcium: not clear where that calcium itself is in doubt."""
    doubt = case.calcium.doubt
    return not_checked(doubt, state_references(case.calcium)) if doubt else settled(case, keys, inputs, *readings)


def state_references(state: labs.State) -> tuple[str, ...]:
    """The results behind a calcium or magnesium state."""
    return _references(state.results)


def unless_low(case: Case) -> Verdict | None:
    """The verdict where calcium is not known to be low, for rules that ask for low calcium; None where it is low."""
    state = case.calcium
    inputs = state_references(state)
    if state.grade == "unknown":
        gap = gap_verdict(case, ("observations",))
        return gap if gap is not None and state.reason == "no-result" else not_checked(state.reason, inputs)
    return None if state.is_low else gap_verdict(case, ("observations",)) or clear(inputs)


def calcium_words(state: labs.State) -> str:
    """The calcium with its value for a summary: "Ionised Ca 0.95 mmol/L"."""
    if state.value is None:
        return "Calcium reported low without a unit"
    return f"{state.name} {amount(state)}"


def calcium_facts(case: Case) -> tuple[Fact, ...]:
    """The results behind the calcium state."""
    return tuple(Fact(*line) for line in labs.evidence(case.calcium, case.patient))


def result_fact(case: Case, result: Result) -> Fact:
    """A result as a fact: value, unit, date, status."""
    return Fact(labs.describe(result, case.patient), result.reference)


def replacement(case: Case, classes: Collection[str] = _REPLACEMENT) -> Exposure | None:
    """Calcium or vitamin D that is current, by any way but the skin; of the given drug classes where told."""
    wanted = frozenset(classes)
    taken = (
        e for e in case.others if e.current and not e.draft and e.route != "topical" and e.ingredient.classes & wanted
    )
    return next(taken, None)


DRUG_LISTS = ("medications", "medicationStatements", "medicationAdministrations", "medicationDispenses")


def unless_lists_whole(case: Case) -> Verdict | None:
    """Why a drug that was not seen may still be current: a list that did not arrive, or a drug without a known name."""
    lost = case.patient.unresolved_drugs
    return gap_verdict(case, DRUG_LISTS) or (not_checked("drug-unrecognised", lost) if lost else None)


def followed_up(case: Case) -> Referral | None:
    """A referral to endocrinology of the last year."""
    window = case.limits.span("referral_days")
    found = (r for r in case.patient.referrals if "endocrinology" in r.topics)
    return next((r for r in found if is_recent(r.when, case.patient.now, window)), None)


def days_told(limits: Limits, name: str) -> str:
    """A window in words: a year is "12 months"."""
    days = getattr(limits, name)
    return "12 months" if days == _YEAR else f"{days} days"


_YEAR = 365
