"""R-DX-08: a dystonia that began shortly after a dopamine blocker, or during long exposure to one."""

from __future__ import annotations

from datetime import timedelta

import msgspec

from plugin.agents import GIVEN, Suspect, Suspicion, suspicion
from plugin.diagnosis import POSTURES, is_new, told
from plugin.metabolic import movements
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
from plugin.text import matched
from plugin.when import When

_DRUGS = ("medications", "medicationStatements", "medicationAdministrations", "medicationDispenses")
_WORDS = {
    "oculogyric-crisis": "Oculogyric crisis",
    "torticollis": "Torticollis",
    "trismus": "Trismus",
    "opisthotonos": "Opisthotonos",
}
_EVENTS = {
    "start": "started",
    "increase": "raised",
    "administration": "given",
    "exposure": "taken since",
}
_EXACT = frozenset({"time", "day"})
TARDIVE = "tardive"
"""Stands in the state of a finding that speaks of long exposure."""
_HOURS_UP_TO = 48
_MONTH_DAYS, _MONTHS_FROM_DAYS = 30, 60


class _Match(msgspec.Struct, frozen=True):
    """A dystonia, when it began, and the drugs in suspicion."""

    problem: Problem
    onset: When
    found: Suspicion


def evaluate(case: Case) -> Verdict:
    """Judge each recorded dystonia: a warning while the drug is current, else information."""
    if case.patient.deceased:
        return NOT_APPLICABLE
    problems = [*movements(case, POSTURES), *_resolved(case)]
    if not problems:
        return gap_verdict(case, ("conditions",)) or NOT_APPLICABLE
    matches = [_Match(one, when, suspicion(case, when)) for one in problems if (when := _onset(case, one)) is not None]
    likely = [one for one in matches if one.found.suspects]
    if likely:
        first = min(likely, key=lambda one: _order(case, one))
        suspects = (suspect.exposure.reference for suspect in first.found.suspects)
        inputs = tuple(dict.fromkeys((first.problem.reference, *suspects)))
        return fired(_finding(case, first), inputs, "S-09" if _is_done(case, first) else "")
    return _unlikely(case, problems, matches)


def _unlikely(case: Case, problems: list[Problem], matches: list[_Match]) -> Verdict:
    """Clear is said only where every dystonia has a date, and all that was taken is known with its dates and doses."""
    inputs = tuple(dict.fromkeys(one.reference for one in problems))
    gap = gap_verdict(case, ("conditions", *_DRUGS))
    if gap is not None:
        return gap
    if case.patient.unresolved_drugs:
        return not_checked("drug-unrecognised", (*inputs, *case.patient.unresolved_drugs))
    unsure = tuple(reference for one in matches for reference in one.found.unsure)
    if unsure or len(matches) < len(problems):
        return not_checked("date-missing", tuple(dict.fromkeys((*inputs, *unsure))))
    return clear(inputs)


def _resolved(case: Case) -> list[Problem]:
    """An acute dystonia is often over within a day: one recorded as resolved counts while it is, or may be, new."""
    if case.hook == "problem-list-item-create":
        return []
    past = [one for one in case.patient.problems if one.state == "past" and one.concepts & POSTURES]
    return [one for one in past if one.onset is None or is_new(case, one)]


def _onset(case: Case, problem: Problem) -> When | None:
    """When it began, else when it was recorded, by the day; one that is being entered without a date begins now."""
    exact = [when for when in (problem.began, problem.recorded) if when is not None]
    for when in exact:
        if when.precision in _EXACT:
            return when
    now = case.patient.now
    return When(now.isoformat(), now, "time") if problem.entered and not exact else None


def _nearest(match: _Match) -> Suspect:
    return match.found.suspects[0]


def _level(match: _Match) -> Indicator:
    running = any(suspect.active is not None for suspect in match.found.suspects)
    return Indicator.WARNING if running and not match.problem.unconfirmed else Indicator.INFO


def _order(case: Case, match: _Match) -> tuple[bool, int, bool, timedelta]:
    """What leads the card: what is still to do, the graver, the acute form, the nearer in time."""
    nearest = _nearest(match)
    return (_is_done(case, match), -_level(match), nearest.tardive, nearest.after)


def _is_done(case: Case, match: _Match) -> bool:
    """Whether all that the card suggests was done: no drug is left to stop, and each reaction was recorded since."""
    return case.suppresses("S-09") and all(
        (one.active is None or one.active.kind == GIVEN) and _is_recorded_since(case, one)
        for one in match.found.suspects
    )


def _finding(case: Case, match: _Match) -> Finding:
    suspect, problem = _nearest(match), match.problem
    words = _word(problem)
    if suspect.tardive:
        summary = f"{words} after {_long(suspect.after.days)} of {suspect.ingredient.name}, perhaps tardive"
    else:
        raised = "a higher dose of " if suspect.event == "increase" else ""
        summary = f"{words} {_after(suspect)} {raised}{suspect.ingredient.name}"
    return Finding(
        _level(match),
        f"{summary}: {_advice(case, match)}.",
        ("A dopamine blocker can cause dystonia within days of a start or increase, or after long exposure.",),
        (told(problem, POSTURES), *(_fact(one) for one in match.found.suspects)),
        ("Airway, stridor, jaw/tongue swelling: emergency pathway, not this card.",),
        _notes(match),
        _options(case, match),
        state=(
            *sorted({f"agent:{one.ingredient.name}" for one in match.found.suspects}),
            *((TARDIVE,) if suspect.tardive else ()),
        ),
    )


def _advice(case: Case, match: _Match) -> str:
    suspects = match.found.suspects
    running = any(one.active is not None for one in suspects)
    known = all(_is_recorded(case, one.ingredient.name) for one in suspects)
    agent = "review/stop the agent" if running else "the agent is no longer current"
    return f"{agent}; {'a reaction is on record' if known else 'record the reaction'}"


def _word(problem: Problem) -> str:
    word = next((word for concept, word in _WORDS.items() if concept in problem.concepts), "Dystonia")
    return f"Possible {word[:1].lower()}{word[1:]}" if problem.unconfirmed else word


def _after(suspect: Suspect) -> str:
    """How long after in words: hours up to two days where they are known, else days."""
    hours = int(suspect.after.total_seconds() // 3600)
    if not suspect.exact:
        return f"{suspect.after.days} d after" if suspect.after.days else "on the day of"
    if hours < _HOURS_UP_TO:
        return f"{hours} h after" if hours else "less than 1 h after"
    return f"{suspect.after.days} d after"


def _long(days: int) -> str:
    return f"{days // _MONTH_DAYS} months" if days >= _MONTHS_FROM_DAYS else f"{days} d"


def _fact(suspect: Suspect) -> Fact:
    exposure, name = suspect.exposure, suspect.ingredient.name
    once = suspect.event == "start" and exposure.kind == "MedicationAdministration"
    text = f"{name[:1].upper()}{name[1:]} {_EVENTS['administration' if once else suspect.event]}"
    text += f" {exposure.start.short()}" if exposure.start is not None else ""
    text += ", current" if suspect.active is not None else ", no longer current"
    how = matched(exposure.matched_by)
    return Fact(f"{text}, {how}" if how else text, exposure.reference)


def _notes(match: _Match) -> tuple[str, ...]:
    notes = []
    if any(one.exposure.kind != "MedicationAdministration" for one in match.found.suspects if not one.tardive):
        notes.append("Time of administration not recorded: the date of the order or record was used.")
    if match.problem.began is None:
        day = (
            "the time of entering"
            if match.problem.entered and match.problem.recorded is None
            else "the day of the record"
        )
        notes.append(f"Onset not recorded: {day} was used.")
    return tuple(notes)


def _options(case: Case, match: _Match) -> tuple[Option, ...]:
    active = [one.active for one in match.found.suspects if one.active is not None]
    names = list(dict.fromkeys(one.ingredient.name for one in match.found.suspects))[:2]
    stop = [
        Option("stop-other", f"Stop or end-date {one.ingredient.name}", (one.ingredient.name,), one.reference)
        for one in active[:2]
    ]
    reaction = [_reaction(case, name) for name in names if not _is_recorded(case, name)]
    labs = Option("labs", "Check calcium and magnesium if atypical or no response", ("calcium", "albumin", "magnesium"))
    keep = "Keep the agent: another cause is known" if active else "No change: another cause is known"
    return (*stop, *reaction, labs, Option("advice", keep))


def _reaction(case: Case, name: str) -> Option:
    """A draft record, or words where it is not known whether there is one already."""
    if case.patient.gaps.get("allergies"):
        return Option("advice", f"Record the reaction to {name}, unless it is recorded")
    return Option("reaction", f"Record the dystonic reaction to {name} (unconfirmed)", (name,))


def _is_recorded(case: Case, name: str) -> bool:
    return any(item.name == name for one in case.patient.reactions for item in one.ingredients)


def _is_recorded_since(case: Case, suspect: Suspect) -> bool:
    """Whether a reaction was recorded since; a reaction of years ago, or without a date, is not this one."""
    since, name = suspect.exposure.start, suspect.ingredient.name
    return since is not None and any(
        one.when is not None
        and one.when.latest >= since.earliest
        and any(item.name == name for item in one.ingredients)
        for one in case.patient.reactions
    )


RULE = Rule(
    "R-DX-08",
    "1.0.0",
    ("patient-view", "encounter-start", "problem-list-item-create"),
    ("conditions", "medications", "allergies"),
    Indicator.WARNING,
    50,
    evaluate,
    (
        "drug_dystonia_days",
        "tardive_exposure_days",
        "tardive_exposure_days_older",
        "tardive_older_from",
        "new_start_days",
        "new_record_days",
    ),
)
