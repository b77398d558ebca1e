"""One step between rules and cards: findings shown or answered before are silenced and leave their trace (D.8).

The suppressions that need the record only (S-02 to S-06, S-08, S-10 to S-16, S-18) stand in the rules. Here stand those
that need the memory of earlier calls: S-01, S-07, S-09 and S-17.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Sequence
from datetime import datetime
from decimal import Decimal
from typing import Protocol

import msgspec

from plugin.engine import Judged
from plugin.rule import Case, Indicator, Rule, Status, Verdict, evidence_of
from plugin.thresholds import Limits

_PATIENT_HOOKS = frozenset({"patient-view", "encounter-start"})
# What was shown as the condition was entered need not be shown again when the record is opened.
_ABOUT_PATIENT = _PATIENT_HOOKS | {"problem-list-item-create"}
_NOT_CLINICIANS = ("Patient/", "RelatedPerson/")
_LABS = "R-MET-"
_LEVELS = {"info": 1, "warning": 2, "critical": 3}
SILENT_MODE = "silent-mode"
# What makes it another finding (S-17), and re-opens an overridden card (S-07): another drug behind a dystonia.
_ANOTHER = "agent:"
# What re-opens an overridden card when it is new: a major factor, severe calcium, a contraindication (S-07).
_REOPENING = ("major:", "severe:", "level:critical", _ANOTHER)


class Shown(Protocol):
    """One finding that a card of this patient showed before, and what became of it."""

    @property
    def rule(self) -> str: ...
    @property
    def label(self) -> str: ...
    @property
    def indicator(self) -> str: ...
    @property
    def state(self) -> tuple[str, ...]: ...
    @property
    def digest(self) -> str: ...
    @property
    def hook(self) -> str: ...
    @property
    def time(self) -> datetime: ...
    @property
    def same_encounter(self) -> bool: ...
    @property
    def kept_for_signing(self) -> bool: ...
    @property
    def override_reason(self) -> str: ...


class Situation(msgspec.Struct, frozen=True):
    """What the suppressions may look at beside the findings.

    ``memory`` gives the findings shown to this patient's clinicians since a moment, newest first; it is asked only when
    there is something to silence. ``off`` are the suppressions that the site switched off.
    """

    hook: str
    user: str
    now: datetime
    limits: Limits
    memory: Callable[[datetime], Sequence[Shown]]
    filter_repeated: bool = False
    off: frozenset[str] = frozenset()


class Memo(msgspec.Struct, frozen=True):
    """What to remember of one finding: its subject and rule, what would re-open it, and a digest of its evidence."""

    subject: str
    rule: str
    state: tuple[str, ...]
    digest: str


def drug_label(case: Case) -> str:
    """The ingredients of an order by which a finding is remembered; empty for findings about the patient."""
    return ", ".join(item.name for item in case.medication.ingredients if item.tier or item.classes)


def silenced(judged: Sequence[Judged], situation: Situation) -> list[Judged]:
    """The verdicts with those silenced that were shown, overridden or suggested before."""
    if not any(_may_be_shown(rule, verdict) for one in judged for rule, verdict in one.found):
        return list(judged)
    longest = situation.limits.span("patient_view_days")
    memory = situation.memory(situation.now - longest)
    return [one.silenced(_reasons(one, situation, memory)) for one in judged]


def without_unsigned(judged: Sequence[Judged], silent: frozenset[str]) -> list[Judged]:
    """The verdicts with the findings of the rules named silenced, because nobody of the site signed these rules off.

    What could not be checked is always told: notes about data judge no patient.
    """
    if not silent:
        return list(judged)
    return [
        one.silenced({r.id: "unsigned" for r, verdict in one.found if r.id in silent and _may_be_shown(r, verdict)})
        for one in judged
    ]


def without_silent(judged: Sequence[Judged], silent: frozenset[str]) -> list[Judged]:
    """The verdicts with everything silenced that the rules named would show, notes about data included."""
    if not silent:
        return list(judged)
    return [
        one.silenced({r.id: SILENT_MODE for r, verdict in one.found if r.id in silent and not verdict.suppressed})
        for one in judged
    ]


def memos(judged: Sequence[Judged]) -> list[Memo]:
    """What to remember of every finding that may reach a card."""
    return [
        Memo(
            _subject(one.case),
            rule.id,
            _state(one.case, verdict),
            _digest(rule, verdict),
        )
        for one in judged
        for rule, verdict in one.found
        if _may_be_shown(rule, verdict)
    ]


def _subject(case: Case) -> str:
    return case.order.reference if case.order is not None else ""


def _may_be_shown(rule: Rule, verdict: Verdict) -> bool:
    return verdict.status is Status.FIRED and not verdict.suppressed and not rule.about_data


def _reasons(judged: Judged, situation: Situation, memory: Sequence[Shown]) -> dict[str, str]:
    """The suppressions that apply to findings which would be shown, by the id of the rule."""
    every = ((rule.id, _reason(judged.case, rule, verdict, situation, memory)) for rule, verdict in judged.found)
    return {rule: code for rule, code in every if code}


def _reason(case: Case, rule: Rule, verdict: Verdict, situation: Situation, memory: Sequence[Shown]) -> str:
    if not _may_be_shown(rule, verdict):
        return ""
    label = drug_label(case) if memory else ""
    before = [shown for shown in memory if shown.rule == rule.id and shown.label == label]
    for code, applies in _SUPPRESSIONS:
        if code not in situation.off and applies(case, rule, verdict, situation, before):
            return code
    return ""


def _own_suggestion(case: Case, rule: Rule, verdict: Verdict, situation: Situation, before: Sequence[Shown]) -> bool:
    """S-09: the draft was made from this rule's own suggestion, so that accepting it does not alert again.

    What speaks against the suggested drug itself is shown: no suggestion is made of such a drug, so it is news, unless
    the finding itself offers to keep it for a shorter time (R-DRUG-11).
    """
    finding = verdict.finding
    if finding is None or finding.indicator is Indicator.CRITICAL:
        return False
    if finding.against and not any(option.kind == "shorten" for option in finding.options):
        return False
    return case.order is not None and rule.id in case.order.suggested_by


def _signed_after_select(
    case: Case, rule: Rule, verdict: Verdict, situation: Situation, before: Sequence[Shown]
) -> bool:
    """S-01: the same finding on unchanged facts was shown earlier, and the client filters repeats."""
    if situation.hook != "order-sign" or not situation.filter_repeated:
        return False
    window = situation.limits.span("repeat_hours")
    return any(
        shown.hook == "order-select"
        and shown.kept_for_signing
        and (shown.same_encounter or situation.now - shown.time <= window)
        and shown.digest == _digest(rule, verdict)
        for shown in before
    )


def _overridden(case: Case, rule: Rule, verdict: Verdict, situation: Situation, before: Sequence[Shown]) -> bool:
    """S-07: the newest answer to this finding was an override with a reason, and nothing graver came since."""
    answered = next((shown for shown in before if shown.override_reason), None)
    if answered is None:
        return False
    age = situation.now - answered.time
    limits = situation.limits
    if answered.override_reason == "emergency":
        lasts = age <= limits.span("emergency_override_hours")
    else:
        lasts = answered.same_encounter or age <= limits.span("override_days")
    return lasts and not _reopened(_state(case, verdict), answered.state, limits)


def _reopened(now: tuple[str, ...], then: tuple[str, ...], limits: Limits) -> bool:
    if any(key.startswith(_REOPENING) for key in set(now) - set(then)):
        return True
    dose, before = _dose(now), _dose(then)
    return dose is not None and before is not None and dose >= before * limits.dose_increase_factor


def _dose(state: tuple[str, ...]) -> Decimal | None:
    return next((Decimal(key.removeprefix("dose:")) for key in state if key.startswith("dose:")), None)


def _shown_lately(case: Case, rule: Rule, verdict: Verdict, situation: Situation, before: Sequence[Shown]) -> bool:
    """S-17: on opening a record a finding is shown once in its interval, and to clinicians only.

    A graver level, another drug behind it, or a warning on other evidence is another finding. An unknown role is shown.
    """
    if situation.hook not in _PATIENT_HOOKS or verdict.finding is None:
        return False
    if situation.user.startswith(_NOT_CLINICIANS):
        return True
    interval = situation.limits.span("patient_view_lab_days" if rule.id.startswith(_LABS) else "patient_view_days")
    level, digest = verdict.finding.indicator, _digest(rule, verdict)
    agents = {key for key in verdict.finding.state if key.startswith(_ANOTHER)}
    return any(
        shown.hook in _ABOUT_PATIENT
        and situation.now - shown.time <= interval
        and _LEVELS.get(shown.indicator, 0) >= level
        and agents <= set(shown.state)
        and (level is Indicator.INFO or shown.digest == digest)
        for shown in before
    )


_SUPPRESSIONS = (
    ("S-09", _own_suggestion),
    ("S-01", _signed_after_select),
    ("S-07", _overridden),
    ("S-17", _shown_lately),
)


def _state(case: Case, verdict: Verdict) -> tuple[str, ...]:
    """What would re-open the finding: its own keys, its level when critical, and the ordered daily dose."""
    finding = verdict.finding
    if finding is None:
        return ()
    keys = set(finding.state)
    if finding.indicator is Indicator.CRITICAL:
        keys.add("level:critical")
    dose = case.order.dose if case.order is not None else None
    amount = (dose.per_day_mg or dose.each_mg) if dose is not None else None
    if amount is not None:
        keys.add(f"dose:{amount.normalize():f}")
    return tuple(sorted(keys))


def _digest(rule: Rule, verdict: Verdict) -> str:
    text = "\n".join(evidence_of(rule, verdict))
    return hashlib.blake2b(text.encode(), digest_size=12).hexdigest()
