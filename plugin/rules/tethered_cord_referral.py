"""R-TX-06: a tethered cord is confirmed, and no referral to neurosurgery is on record."""

from __future__ import annotations

import msgspec

from plugin.metabolic import problem_fact
from plugin.patient import Problem
from plugin.presentation import Presentation
from plugin.rule import NOT_APPLICABLE, Case, Fact, Finding, Indicator, Option, Rule, Verdict, fired, gap_verdict
from plugin.treatment import asked

_CONFIRMED = "tethered-cord-diagnosed"
_KEYS = ("conditions", "diagnosticReports")


class _Shown(msgspec.Struct, frozen=True):
    """Where the tethered cord is recorded, as a fact, and whether words alone say so."""

    fact: Fact
    notes: tuple[str, ...]


def evaluate(case: Case) -> Verdict:
    """Judge the record as it is opened."""
    if case.patient.deceased:
        return NOT_APPLICABLE
    shown = _recorded(case)
    if shown is None:
        return gap_verdict(case, _KEYS) or NOT_APPLICABLE
    return asked(case, ("neurosurgery",), "neurosurgery_referral_days") or fired(
        _finding(case, shown), (shown.fact.reference,)
    )


def _recorded(case: Case) -> _Shown | None:
    """A condition that counts and is no rule-out, else an image whose report says so."""
    problem = case.patient.has(_CONFIRMED)
    if problem is not None:
        return _Shown(problem_fact(problem), _words(problem))
    image = next((one for one in case.patient.presentations if _shows(one)), None)
    if image is None:
        return None
    dated = f", {image.when.short()}" if image.when else ", no date"
    notes = ("The report of the image is not final.",) if image.provisional else ()
    return _Shown(Fact(f"Image: {image.shown}{dated}", image.reference), ("Read from the words of a report.", *notes))


def _shows(one: Presentation) -> bool:
    # An MRI of the brain that has these words tells what was known, not what it shows.
    return one.kind == "imaging" and _CONFIRMED in one.concepts and not one.problem and {"mri", "spine"} <= one.about


def _words(problem: Problem) -> tuple[str, ...]:
    return ("Read from the words of the record, not from a code.",) if _CONFIRMED in problem.worded else ()


def _finding(case: Case, shown: _Shown) -> Finding:
    days = case.limits.neurosurgery_referral_days
    return Finding(
        Indicator.INFO,
        f"Tethered cord recorded: no neurosurgery referral in {days} days. Surgical assessment is an option.",
        ("A tethered cord may need surgery; whether it does is judged by neurosurgery.",),
        (shown.fact,),
        (),
        (*shown.notes, "An operation that was done already, or a referral kept elsewhere, is not seen here."),
        (
            Option("request", "Refer to neurosurgery", ("neurosurgery",)),
            Option("advice", "No referral now: it was assessed or operated on before"),
        ),
    )


RULE = Rule(
    "R-TX-06",
    "1.0.0",
    ("patient-view", "encounter-start"),
    (*_KEYS, "serviceRequests"),
    Indicator.INFO,
    80,
    evaluate,
    ("neurosurgery_referral_days",),
)
