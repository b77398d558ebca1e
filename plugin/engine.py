"""Runs the rules of a hook on each order and on the patient; one rule's failure is its own."""

from __future__ import annotations

import logging
import traceback
from collections.abc import Callable, Mapping, Sequence
from functools import cached_property, lru_cache
from time import monotonic

import msgspec

from plugin import labs
from plugin.lab_results import State, unknown
from plugin.patient import Order, Patient
from plugin.rule import NOT_APPLICABLE, Case, Policy, Rule, Verdict, not_checked, others_of
from plugin.rules import data_quality
from plugin.thresholds import Limits

log = logging.getLogger("plugin.engine")

_TOO_LATE = not_checked("time")


class Judged(msgspec.Struct, frozen=True, dict=True):
    """All verdicts about one subject: a draft order, or the patient when ``case.order`` is None."""

    case: Case
    verdicts: tuple[tuple[Rule, Verdict], ...]

    @cached_property
    def found(self) -> list[tuple[Rule, Verdict]]:
        """The few verdicts with a finding, shown or not."""
        return [(rule, verdict) for rule, verdict in self.verdicts if verdict.finding is not None]

    def silenced(self, why: Mapping[str, str]) -> Judged:
        """The same with the verdicts of some rules suppressed; ``why`` tells for what by the id of the rule."""
        if not why:
            return self
        new = {
            rule.id: msgspec.structs.replace(verdict, suppressed=why[rule.id])
            for rule, verdict in self.found
            if rule.id in why
        }
        return Judged(self.case, tuple([(rule, new.get(rule.id, verdict)) for rule, verdict in self.verdicts]))


def judge(
    patient: Patient,
    orders: Sequence[Order | None],
    hook: str,
    rules: tuple[Rule, ...],
    limits: Limits,
    *,
    policy: Policy,
    deadline: float,
    relevant: bool = True,
) -> list[Judged]:
    """Judge every order (or the patient, given as None) with the rules bound to the hook.

    ``deadline`` is a ``time.monotonic()`` moment: rules that would start later are not-checked, reason ``time``.
    What a suppression that the site switched off would silence is shown. Where the call is about something else than
    the rules are (``relevant`` is False), each of them is not-applicable.
    """
    first, last = _in_turn(rules, hook)
    calcium = _state("calcium", labs.calcium, patient, limits)
    magnesium = _state("magnesium", labs.magnesium, patient, limits)
    cases = [
        Case(
            patient,
            order,
            hook,
            limits,
            policy,
            calcium,
            magnesium,
            others_of(patient, order, limits),
        )
        for order in orders
    ]
    if not relevant:
        return [Judged(case, tuple((rule, NOT_APPLICABLE) for rule in (*first, *last))) for case in cases]
    return [_judge(case, first, last, deadline) for case in cases]


@lru_cache(maxsize=64)
def _in_turn(rules: tuple[Rule, ...], hook: str) -> tuple[list[Rule], list[Rule]]:
    """The rules of a hook in the order in which they run: those that judge a patient, then the notes about data."""
    bound = [rule for rule in rules if hook in rule.hooks]
    return [rule for rule in bound if not rule.about_data], [rule for rule in bound if rule.about_data]


def _state(name: str, judged: Callable[[Patient, Limits], State], patient: Patient, limits: Limits) -> State:
    """What the results say; where that fails, a state that no rule takes for normal, nor for "no result"."""
    try:
        return judged(patient, limits)
    except Exception as error:
        _log_failure(name, error)
        return unknown("internal")


def _judge(case: Case, first: Sequence[Rule], last: Sequence[Rule], deadline: float) -> Judged:
    verdicts = _evaluate(first, case, deadline)
    told = msgspec.structs.replace(case, earlier=tuple(verdicts))
    if not data_quality.matter(told):
        told = msgspec.structs.replace(told, data_matter=False)
    # The notes about data are short and tell what the deadline cost, so they run after it too.
    return Judged(told, (*verdicts, *_evaluate(last, told, float("inf"))))


def _evaluate(rules: Sequence[Rule], case: Case, deadline: float) -> list[tuple[Rule, Verdict]]:
    verdicts: list[tuple[Rule, Verdict]] = []
    for rule in rules:
        verdict = _TOO_LATE
        if monotonic() < deadline:
            try:
                verdict = rule.evaluate(case)
                if verdict.suppressed and not case.suppresses(verdict.suppressed):
                    verdict = msgspec.structs.replace(verdict, suppressed="")
            except Exception as error:
                _log_failure(rule.id, error)
                verdict = not_checked("internal")
        verdicts.append((rule, verdict))
    return verdicts


def _log_failure(name: str, error: Exception) -> None:
    # The message of the exception may hold patient data; its type and the places in our code do not.
    places = [
        f"{frame.filename.rsplit('/', 1)[-1]}:{frame.lineno}" for frame in traceback.extract_tb(error.__traceback__)
    ]
    log.error("rule-failed rule=%s error=%s at=%s", name, type(error).__name__, " < ".join(reversed(places[-4:])))
