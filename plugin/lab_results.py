"""One laboratory result and what a grade is: freshness, wording, and the state that results amount to."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime, timedelta
from decimal import Decimal
from functools import lru_cache

import msgspec

from plugin.patient import Patient, Result
from plugin.thresholds import Limits
from plugin.units import TABLE
from plugin.when import When

_EXACT = {"day", "time"}
NAMES = {
    "calcium-ionised": "Ionised Ca",
    "calcium-corrected": "Corrected Ca (laboratory)",
    "calcium": "Total Ca",
    "albumin": "Albumin",
    "magnesium": "Mg",
    "potassium": "K",
    "egfr": "eGFR",
    "creatinine": "Creatinine",
    "weight": "Weight",
    "pth": "PTH",
    "phosphate": "Phosphate",
    "tsh": "TSH",
    "ft4": "Free T4",
    "ft3": "Free T3",
    "glucose": "Glucose",
}


# What rules compare with the laboratory's own range; the others have figures of their own.
_BY_RANGE = frozenset(
    {"calcium-ionised", "calcium-corrected", "calcium", "magnesium", "potassium", "phosphate", "pth", "ft4", "ft3"}
)


class State(msgspec.Struct, frozen=True):
    """Grade of an analyte and how sure it is.

    ``grade`` is ``normal``, ``low``, ``severe`` or ``unknown`` with ``reason``. ``confirmed`` is False for an
    unconfirmed, provisional or unit-inferred result: information only, never a factor. ``actionable`` is magnesium's
    step between low and severe. ``value`` is in mmol/L, corrected where ``corrected``. ``results`` are all results
    used, ``notes`` what a reader must be told. ``doubt`` is the reason why something that was sent but could not be
    used might make the grade worse; empty without such a thing.
    """

    grade: str
    reason: str = ""
    confirmed: bool = True
    actionable: bool = False
    name: str = ""
    value: Decimal | None = None
    corrected: bool = False
    results: tuple[Result, ...] = ()
    notes: tuple[str, ...] = ()
    doubt: str = ""

    @property
    def is_low(self) -> bool:
        """Low or severe."""
        return self.grade in {"low", "severe"}


def unknown(reason: str, *results: Result, note: str = "") -> State:
    """The state of results that cannot be used, and may hide anything."""
    return State("unknown", reason, results=results, notes=(note,) if note else (), doubt=reason)


def fresh_for(patient: Patient, limits: Limits) -> timedelta:
    """How long a result is acted on: 72 h in acute encounters, else 30 days."""
    return _fresh_for(patient.acute_encounter, limits)


@lru_cache(maxsize=64)
def _fresh_for(acute: bool, limits: Limits) -> timedelta:
    return limits.span("lab_fresh_hours_acute") if acute else limits.span("lab_fresh_days")


def fresh(patient: Patient, analyte: str, limits: Limits) -> list[Result]:
    """Results new enough to act on, newest first; one dated in the future is among them, as a problem."""
    results = patient.results.get(analyte)
    return fresh_of(results, patient, limits) if results else []


def fresh_of(results: Iterable[Result], patient: Patient, limits: Limits) -> list[Result]:
    """Those of the results that are new enough to act on."""
    limit, now = fresh_for(patient, limits), patient.now
    return [result for result in results if result.when is not None and result.when.age(now) <= limit]


def undated(patient: Patient, analyte: str, limits: Limits) -> list[Result]:
    """Results that may be the newest ones, but whose date is missing or too coarse to tell."""
    results = patient.results.get(analyte)
    return undated_of(results, patient, limits) if results else []


def undated_of(results: Iterable[Result], patient: Patient, limits: Limits) -> list[Result]:
    """Those of the results whose date leaves open whether they are the newest."""
    limit, now = fresh_for(patient, limits), patient.now
    return [result for result in results if result.when is None or _may_be_recent(result.when, now, limit)]


def has_date(patient: Patient, result: Result, limits: Limits) -> bool:
    """False for a result without a date, or with a month or year that leaves open whether it is recent."""
    return result.when is not None and not _may_be_recent(result.when, patient.now, fresh_for(patient, limits))


def _may_be_recent(when: When, now: datetime, limit: timedelta) -> bool:
    if when.precision in _EXACT:
        return False
    return when.age(now) > limit >= when.youngest(now)


def newest(patient: Patient, analytes: Iterable[str]) -> Result | None:
    """The newest dated, readable result of any age, for telling "last ..."."""
    found = [
        (result.when.earliest, result)
        for analyte in analytes
        for result in (*patient.results.get(analyte, ()), *patient.earlier.get(analyte))
        if result.when is not None and result.value is not None
    ]
    return max(found, key=lambda pair: pair[0])[1] if found else None


def describe(result: Result, patient: Patient) -> str:
    """One line for a card: name, value and unit as reported, date, age and status."""
    dated = [result.when.short(), result.when.told(patient.now)] if result.when is not None else ["no date"]
    parts = [", ".join(part for part in dated if part), f"status {result.status}" if result.status else "no status"]
    if result.inferred:
        parts.append("unit taken from the reference range")
    if result.range_shown and result.analyte in _BY_RANGE:
        parts.append(f"laboratory range {result.range_shown}")
    return f"{NAMES.get(result.analyte, result.analyte)} {result.shown} ({'; '.join(parts)})"


def inside(words: str) -> str:
    """The name of a result inside a sentence: "ionised Ca", but "Mg" and "eGFR"."""
    return words[:1].lower() + words[1:] if words[1:3].isalpha() and words[1:3].islower() else words


def amount(state: State) -> str:
    """The value of a state for a summary, in the laboratory's unit too: "1.75 mmol/L", "7.0 mg/dL = 1.75 mmol/L"."""
    first = state.results[0]
    told = f"{first.comparator}{state.value:.2f} mmol/L" if state.value is not None else "without a value"
    if first.inferred or state.value is None:
        return told
    if not state.corrected:
        return first.shown if " = " in first.shown else told
    conventional = state.value * TABLE[first.analyte]["mg/dL"][1]
    return f"{first.comparator}{conventional:.1f} mg/dL = {told}" if "mg/dl" in first.shown.lower() else told


def evidence(state: State, patient: Patient) -> list[tuple[str, str]]:
    """(text, reference) of each result behind a state, and of the corrected value where there is one."""
    lines = [(describe(result, patient), result.reference) for result in state.results]
    if state.corrected and state.value is not None:
        lines.append((f"Corrected for albumin: {state.value:.2f} mmol/L", ""))
    return lines
