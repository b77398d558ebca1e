"""R-DX-01: red flags for a secondary cause of paroxysmal kinesigenic dyskinesia."""

from __future__ import annotations

from collections.abc import Iterable
from decimal import Decimal

import msgspec

from plugin.diagnosis import (
    EEG,
    KINESIGENIC,
    MRI_BRAIN,
    NEUROLOGY,
    PANEL,
    fact,
    images,
    newest,
    not_recorded,
    onset_years,
    recorded,
    told,
    unread,
)
from plugin.grading import AT_LEAST, AT_MOST
from plugin.metabolic import movements
from plugin.patient import Problem
from plugin.rule import (
    NOT_APPLICABLE,
    Case,
    Fact,
    Finding,
    Indicator,
    Rule,
    Verdict,
    clear,
    fired,
    gap_verdict,
    not_checked,
)

_KEYS = ("conditions", "observations", "diagnosticReports")
_KINDS = ("attack-duration", "interictal-examination", "anticonvulsant-response")
_LESIONS = frozenset({"basal-ganglia-lesion", "stroke", "demyelination", "cortical-malformation"})
_SHOWN = 3


class Flag(msgspec.Struct, frozen=True):
    """One red flag: its key, its word for a summary, and the fact behind it."""

    key: str
    word: str
    fact: Fact


def evaluate(case: Case) -> Verdict:
    """Judge a recorded paroxysmal kinesigenic dyskinesia; a flag that is not recorded is never taken for absent."""
    if case.patient.deceased:
        return NOT_APPLICABLE
    problem = kinesigenic(case)
    if problem is None:
        return gap_verdict(case, ("conditions",)) or NOT_APPLICABLE
    flags = red_flags(case, problem)
    inputs = tuple(dict.fromkeys((problem.reference, *(flag.fact.reference for flag in flags))))
    if flags:
        return fired(_finding(case, problem, flags), inputs)
    return gap_verdict(case, _KEYS) or _unknown(case, problem, inputs) or clear(inputs)


def kinesigenic(case: Case) -> Problem | None:
    """The recorded paroxysmal kinesigenic dyskinesia; at the problem list the one being entered."""
    return next(iter(movements(case, (KINESIGENIC,))), None)


def red_flags(case: Case, problem: Problem) -> list[Flag]:
    """The red flags of the consensus (B5, Table 1) that are recorded."""
    return [*_onset(case, problem), *_duration(case), *_images(case), *_response(case), *_examination(case)]


def _onset(case: Case, problem: Problem) -> Iterable[Flag]:
    years = onset_years(case, problem)
    if years is not None and years > case.limits.pkd_onset_years:
        shown = f"onset {years:.0f} y" if years == int(years) else f"onset {years:.1f} y"
        yield Flag("onset", shown, Fact(f"Age at {shown}", problem.reference))


def _duration(case: Case) -> Iterable[Flag]:
    one = newest(case, "attack-duration")
    if one is not None and one.seconds is not None and is_longer(one.seconds, one.comparator, case):
        yield Flag("duration", f"attacks {one.shown}", fact(one))


def is_longer(seconds: Decimal, comparator: str, case: Case) -> bool:
    """Whether attacks certainly last longer than a minute."""
    limit = case.limits.pkd_attack_seconds
    if comparator:
        return comparator in AT_LEAST and (seconds > limit or (comparator == ">" and seconds == limit))
    return bool(seconds > limit)


def is_shorter(seconds: Decimal, comparator: str, case: Case) -> bool:
    """Whether attacks certainly last less than a minute."""
    limit = case.limits.pkd_attack_seconds
    if comparator:
        return comparator in AT_MOST and (seconds < limit or (comparator == "<" and seconds == limit))
    return bool(seconds < limit)


def _images(case: Case) -> Iterable[Flag]:
    for one in images(case, "abnormal", "brain")[:1]:
        yield Flag("imaging", "abnormal MRI" if "mri" in one.about else "abnormal CT", fact(one))
        return
    problem = recorded(case, _LESIONS, past=True)
    if problem is not None:
        yield Flag("imaging", "structural brain disease", told(problem, _LESIONS))


def _response(case: Case) -> Iterable[Flag]:
    one = newest(case, "anticonvulsant-response")
    if one is not None and one.value in ("none", "poor"):
        word = "no" if one.value == "none" else "poor"
        yield Flag("response", f"{word} response to anticonvulsant", fact(one))


def _examination(case: Case) -> Iterable[Flag]:
    one = newest(case, "interictal-examination")
    if one is not None and one.value == "abnormal":
        yield Flag("examination", "abnormal examination", fact(one))


def _unknown(case: Case, problem: Problem, inputs: tuple[str, ...]) -> Verdict | None:
    """Clear is said only where each of the five was recorded, can be read and decides."""
    lost = unread(case, _KINDS)
    if lost:
        return not_checked(lost[0].problem, (*inputs, *(one.reference for one in lost)))
    duration = newest(case, "attack-duration")
    decided = duration is not None and duration.seconds is not None and not duration.comparator
    known = all(newest(case, kind) is not None for kind in _KINDS) and onset_years(case, problem) is not None
    return None if decided and known and images(case, "normal", "brain") else not_checked("no-result", inputs)


def _finding(case: Case, problem: Problem, flags: list[Flag]) -> Finding:
    words = [flag.word for flag in flags]
    shown = ", ".join(words[:_SHOWN]) + (f", {len(words) - _SHOWN} more" if len(words) > _SHOWN else "")
    missing = list(not_recorded(case, _KINDS))
    if onset_years(case, problem) is None:
        missing.append("Not recorded: age at onset.")
    doubt = "Possible PKD" if problem.unconfirmed else "PKD"
    return Finding(
        Indicator.INFO,
        f"{doubt} with red flags ({shown}): look for a secondary cause.",
        ("Primary paroxysmal kinesigenic dyskinesia begins in childhood or youth with attacks of less than a minute.",),
        (told(problem, (KINESIGENIC,)), *(flag.fact for flag in flags)),
        (),
        tuple(missing),
        (MRI_BRAIN, PANEL, EEG, NEUROLOGY),
        state=tuple(sorted(f"flag:{flag.key}" for flag in flags)),
    )


RULE = Rule(
    "R-DX-01",
    "1.0.0",
    ("patient-view", "encounter-start", "problem-list-item-create"),
    _KEYS,
    Indicator.INFO,
    60,
    evaluate,
    ("pkd_attack_seconds", "pkd_onset_years"),
)
