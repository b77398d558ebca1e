"""R-DX-02: attacks that fit paroxysmal kinesigenic dyskinesia; R-DX-10: what else looks like it."""

from __future__ import annotations

from collections.abc import Iterable

import msgspec

from plugin.diagnosis import (
    KINESIGENIC,
    PANEL,
    fact,
    newest,
    not_recorded,
    onset_years,
    recorded,
    told,
    unread,
    variant_facts,
    variants,
)
from plugin.grading import AT_LEAST
from plugin.patient import Patient, Problem
from plugin.presentation import Presentation
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
from plugin.rules.kinesigenic_red_flags import is_shorter, kinesigenic, red_flags

_KEYS = ("conditions", "observations")
_HOOKS = ("patient-view", "encounter-start", "problem-list-item-create")
_KINDS = ("attack-trigger", "attack-awareness", "attack-duration")
GENES = ("PRRT2", "TMEM151A", "SCN8A", "KCNA1", "KCNMA1", "DEPDC5")
_PATTERN_RULE = "R-DX-02"
_STRONGER = "R-DX-01"
_FIXED = ("fixed-dystonia",)
_BESIDE_FIXED = ("R-MET-02", "R-DX-03", "R-DX-04", "R-DX-08")
_ELSE = (
    ("functional movement disorder", "functional-movement-disorder"),
    ("tics", "tics"),
    ("epilepsy", "epilepsy"),
    ("hyperekplexia", "hyperekplexia"),
)


class Pattern(msgspec.Struct, frozen=True):
    """What is known of trigger, awareness and duration: each fits, does not, or is not known (None)."""

    problem: Problem | None
    seen: tuple[Presentation, ...]
    fits: tuple[bool | None, ...]

    @property
    def inputs(self) -> tuple[str, ...]:
        """The records behind it."""
        own = (self.problem.reference,) if self.problem is not None else ()
        return tuple(dict.fromkeys((*own, *(one.reference for one in self.seen))))


def pattern(case: Case) -> Pattern:
    """The three features, each as it was observed, else as a recorded PKD implies."""
    problem = kinesigenic(case)
    implied = True if problem is not None else None
    found = {kind: newest(case, kind) for kind in _KINDS}
    fits = tuple(implied if one is None else _fits(case, one) for one in found.values())
    return Pattern(problem, tuple(one for one in found.values() if one is not None), fits)


def _fits(case: Case, one: Presentation) -> bool | None:
    if one.seconds is not None:
        if is_shorter(one.seconds, one.comparator, case):
            return True
        at_least = not one.comparator or one.comparator in AT_LEAST
        return False if at_least and one.seconds >= case.limits.pkd_attack_seconds else None
    return one.value in ("kinesigenic", "preserved")


def evaluate(case: Case) -> Verdict:
    """Judge the features of attacks; where red flags are recorded, R-DX-01 speaks instead."""
    if case.patient.deceased:
        return NOT_APPLICABLE
    found = pattern(case)
    if all(found.fits):
        yields = found.problem is not None and red_flags(case, found.problem)
        return fired(_finding(case, found), found.inputs, _STRONGER if yields else "")
    lost = unread(case, _KINDS)
    if found.problem is None and not found.seen and not lost:
        return gap_verdict(case, _KEYS) or NOT_APPLICABLE
    unsure = {one.kind for one in lost}
    if any(fits is False and kind not in unsure for kind, fits in zip(_KINDS, found.fits, strict=True)):
        return gap_verdict(case, _KEYS) or clear(found.inputs)
    reason = lost[0].problem if lost else "no-result"
    return gap_verdict(case, _KEYS) or not_checked(reason, (*found.inputs, *(one.reference for one in lost)))


def _finding(case: Case, found: Pattern) -> Finding:
    reported = variants(case, GENES)
    known = any(one.causal for one in reported)
    tail = (
        "a genetic finding is recorded; exclude metabolic/structural causes."
        if known
        else "exclude metabolic/structural causes; consider PRRT2-first testing."
    )
    test = () if known else (Option("request", "Request a genetic panel, PRRT2 first", ("genetics-pkd",)),)
    return Finding(
        Indicator.INFO,
        f"Features fit PKD: {tail}",
        ("Sudden movement as trigger, preserved awareness and attacks of less than a minute are the pattern of PKD.",),
        (*_features(found), *_support(case, found), *variant_facts(reported)),
        (),
        not_recorded(case, _KINDS),
        (*test, PANEL, Option("advice", "Read R-TX-05 on a carbamazepine-class trial")),
        state=("genetic:recorded",) if known else (),
    )


def _features(found: Pattern) -> Iterable[Fact]:
    if found.problem is not None:
        yield told(found.problem, (KINESIGENIC,))
    yield from (fact(one) for one in found.seen)


def _support(case: Case, found: Pattern) -> Iterable[Fact]:
    """What supports the pattern and decides nothing."""
    aura = newest(case, "attack-aura")
    if aura is not None and aura.value == "present":
        yield fact(aura)
    years = onset_years(case, found.problem) if found.problem is not None else None
    if years is not None and case.limits.pkd_usual_from <= years <= case.limits.pkd_usual_to:
        yield Fact(f"Onset at {years:.0f} y, the usual age", found.problem.reference if found.problem else "")
    yield from _person(case.patient)
    examination = newest(case, "interictal-examination")
    if examination is not None and examination.value == "abnormal":
        yield fact(examination)


def _person(patient: Patient) -> Iterable[Fact]:
    if patient.gender == "male":
        yield Fact("Male", f"Patient/{patient.id}")
    for reference in patient.family_dystonia[:1]:
        yield Fact("Family history of dystonia recorded", reference)
    for reference in patient.family_attacks[:1]:
        yield Fact("Family history of paroxysmal dyskinesia recorded", reference)


def alike(case: Case) -> Verdict:
    """R-DX-10: a line on another card: what else looks like these attacks, or like a dystonia that is fixed."""
    if case.patient.deceased:
        return NOT_APPLICABLE
    found = pattern(case)
    if all(found.fits):
        return fired(_like_attacks(case), found.inputs)
    fixed = recorded(case, _FIXED)
    if fixed is not None:
        return fired(_like_fixed(fixed), (fixed.reference,))
    unknown = not any(fits is False for fits in found.fits)
    return (gap_verdict(case, _KEYS) if unknown else None) or NOT_APPLICABLE


def _like_attacks(case: Case) -> Finding:
    problems = [case.patient.has(concept, unconfirmed=True) for _, concept in _ELSE]
    line = f"Also to consider: {', '.join(word for word, _ in _ELSE)}."
    return Finding(
        Indicator.INFO,
        "Also to consider: functional movement disorder, tics, epilepsy, hyperekplexia.",
        (line,),
        tuple(told(one, tuple(one.concepts)) for one in problems if one is not None),
        beside=(_PATTERN_RULE,),
    )


def _like_fixed(fixed: Problem) -> Finding:
    line = "Fixed dystonia: consider a functional dystonia or a complex regional pain syndrome."
    return Finding(Indicator.INFO, line, (line,), (told(fixed, _FIXED),), beside=_BESIDE_FIXED)


RULE = Rule(
    _PATTERN_RULE,
    "1.0.0",
    _HOOKS,
    (*_KEYS, "familyHistory"),
    Indicator.INFO,
    61,
    evaluate,
    ("pkd_attack_seconds", "pkd_usual_from", "pkd_usual_to"),
)
ALIKE = Rule("R-DX-10", "1.0.0", _HOOKS[:2], _KEYS, Indicator.INFO, 95, alike, ("pkd_attack_seconds",))
