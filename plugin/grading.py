"""One calcium or magnesium result -> a state (C-CA, C-MG). A result that is not certain may be low, never normal."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import timedelta
from decimal import Decimal

import msgspec

from plugin.lab_results import NAMES, State, describe, fresh_for, has_date, unknown
from plugin.patient import Patient, Result
from plugin.thresholds import Limits
from plugin.when import When

# Stages of kidney disease that mean a low eGFR, where none was measured.
_KIDNEY_STAGES = ("ckd-stage-3", "ckd-stage-4", "ckd-stage-5", "esrd")
AT_MOST, AT_LEAST = frozenset({"<", "<="}), frozenset({">", ">="})
Read = Callable[[Result], State]


class Kind(msgspec.Struct, frozen=True):
    """A kind of result: its analyte, its default limits, and whether infants need the laboratory's own range."""

    analyte: str
    low: Decimal
    severe: Decimal
    infants: bool

    def limit(self, result: Result) -> Decimal:
        """The laboratory's own lower limit, else the default one."""
        return result.lower_limit if result.lower_limit is not None else self.low


def grade_of(value: Decimal, comparator: str, low: Decimal, severe: Decimal) -> str:
    """A comparator decides only in the direction in which it bounds the value; one that is not known never does."""
    if comparator in AT_MOST:
        return "severe" if value <= severe else "low" if value <= low else "unknown"
    if comparator in AT_LEAST:
        return "normal" if value >= low else "unknown"
    if comparator:
        return "unknown"
    return "severe" if value < severe else "low" if value < low else "normal"


def is_below(state: State, edge: Decimal) -> bool:
    """True when the value is certainly below an edge."""
    if state.value is None or state.results[0].comparator in AT_LEAST:
        return False
    return state.value < edge or (state.results[0].comparator in AT_MOST and state.value == edge)


def reader(patient: Patient, kind: Kind, limits: Limits) -> Read:
    """Reads a result whose value stands for itself: ionised, corrected by the laboratory, magnesium."""

    def read(result: Result) -> State:
        unusable = _unusable(patient, kind, result, limits)
        if unusable is not None or result.value is None:
            return unusable or unknown("implausible", result)
        return _guarded(patient, kind, _alone(kind, result), limits)

    return read


def total_reader(patient: Patient, kind: Kind, limits: Limits, albumins: Sequence[Result]) -> Read:
    """Reads a total calcium with the albumin that belongs to it."""

    def read(total: Result) -> State:
        unusable = _unusable(patient, kind, total, limits)
        if unusable is not None or total.value is None:
            return unusable or unknown("implausible", total)
        alone, albumin = _total_alone(kind, total, limits), _paired(albumins, total, limits)
        if albumin is None:
            return _guarded(patient, kind, alone, limits)
        reason = _why_no_correction(total, albumin)
        corrected = None if reason else _corrected(patient, kind, alone, albumin, limits)
        return _guarded(patient, kind, corrected or _without_albumin(patient, alone, albumin, reason), limits)

    return read


def _unusable(patient: Patient, kind: Kind, result: Result, limits: Limits) -> State | None:
    """Why nothing can be read from this result; a low flag without a unit is "unconfirmed low" (C-CA)."""
    dated = has_date(patient, result, limits)
    if result.problem == "unit-missing" and result.low_flag and dated:
        note = "Reported low without a unit, unconfirmed."
        return State("low", "", False, name=NAMES[kind.analyte], results=(result,), notes=(note,), doubt="unit-missing")
    if result.problem:
        return unknown(result.problem, result)
    if not dated:
        return unknown("date-missing", result)
    if kind.infants and result.lower_limit is None and patient.age is not None and patient.age.years < 1:
        note = "Under 1 year a calcium result counts only with the laboratory's own range."
        return unknown("no-result", result, note=note)
    return None


def _alone(kind: Kind, result: Result) -> State:
    value = result.value if result.value is not None else Decimal(0)
    grade = grade_of(value, result.comparator, kind.limit(result), kind.severe)
    if grade == "unknown":
        return unknown("no-result", result)
    return State(grade, name=NAMES[kind.analyte], value=value, results=(result,))


def _guarded(patient: Patient, kind: Kind, state: State, limits: Limits) -> State:
    """A low grade with an inferred unit is unconfirmed; a normal one that might be wrong is no grade at all."""
    inferred = "unit-missing" if any(result.inferred for result in state.results) else ""
    if state.is_low:
        doubt = state.doubt or inferred or _whether_it_holds(patient, kind, state, limits)
        return msgspec.structs.replace(state, confirmed=state.confirmed and not inferred, doubt=doubt)
    if state.grade == "unknown":
        return state
    reason = inferred or _other_limit(patient, state) or _whether_it_holds(patient, kind, state, limits)
    return unknown(reason, *state.results) if reason else state


def _other_limit(patient: Patient, state: State) -> str:
    """Another lower limit than the one applied may hold for this person, and the value is below it."""
    doubt_below = state.results[0].doubt_below
    if doubt_below is None or state.value is None or state.value >= doubt_below:
        return ""
    return _gap(patient, "patient") or "unit-unknown"


def _whether_it_holds(patient: Patient, kind: Kind, state: State, limits: Limits) -> str:
    """What is not known of patient, encounter or date, and might make this an infant's result or an old one."""
    result = state.results[0]
    if kind.infants and patient.age is None and result.lower_limit is None:
        return _gap(patient, "patient") or "date-missing"
    if result.when is None:
        return ""
    longest = patient.now - result.when.earliest
    if result.when.precision == "day" and longest > fresh_for(patient, limits):
        return "date-missing"
    return _gap(patient, "encounter") if longest > limits.span("lab_fresh_hours_acute") else ""


def _gap(patient: Patient, key: str) -> str:
    return next((gap.reason for gap in patient.gaps.get(key, ())), "")


def _total_alone(kind: Kind, total: Result, limits: Limits) -> State:
    """Without albumin only a very low total is certain; below the limit it is unconfirmed."""
    state = _alone(kind, total)
    if not state.is_low or is_below(state, limits.calcium_severe_total_alone):
        return state
    return _unconfirmed(state, "No albumin to correct with: unconfirmed; ionised Ca decides.")


def _unconfirmed(state: State, note: str, *results: Result, doubt: str = "") -> State:
    used = (*state.results, *results)
    return msgspec.structs.replace(state, confirmed=False, results=used, notes=(note,), doubt=doubt or state.doubt)


def _why_no_correction(total: Result, albumin: Result) -> str:
    if albumin.problem or albumin.value is None:
        return albumin.problem or "implausible"
    if albumin.comparator:
        return "no-result"
    dated = albumin.when is not None and albumin.when.precision in {"time", "day"}
    return "" if dated or _same_specimen(albumin, total) else "date-missing"


def _without_albumin(patient: Patient, alone: State, albumin: Result, reason: str) -> State:
    """An albumin that was measured and cannot be used might lower the calcium as well as raise it."""
    reason = reason or "no-result"
    if not alone.is_low:
        return unknown(reason, *alone.results, albumin)
    if alone.confirmed:
        return msgspec.structs.replace(alone, doubt=reason)
    note = f"{describe(albumin, patient)} could not be used: unconfirmed; ionised Ca decides."
    return _unconfirmed(alone, note, albumin, doubt=reason)


def _corrected(patient: Patient, kind: Kind, alone: State, albumin: Result, limits: Limits) -> State | None:
    """Payne correction (B34); None when the result is a limit that decides nothing once corrected.

    Where the correction is unreliable it may not clear a low total, and it asks for ionised calcium.
    """
    total = alone.results[0]
    if total.value is None or albumin.value is None:
        return None
    value = total.value + limits.calcium_per_albumin * (limits.albumin_reference - albumin.value)
    grade = grade_of(value, total.comparator, kind.limit(total), kind.severe)
    doubts = _doubts(patient, albumin, limits)
    if grade == "unknown":
        return None
    if grade == "normal" and alone.is_low and (doubts or total.inferred or albumin.inferred):
        why = doubts or "unit not certain"
        note = (
            f"Albumin correction would give {value:.2f} mmol/L but is unreliable here ({why}); confirm with ionised Ca."
        )
        return _unconfirmed(alone, note, albumin)
    notes = (f"Albumin correction is unreliable here ({doubts}); confirm with ionised Ca.",) if doubts else ()
    return State(grade, "", True, False, "Corrected Ca", value, True, (total, albumin), notes)


def _same_specimen(albumin: Result, total: Result) -> bool:
    return bool(total.specimen) and albumin.specimen == total.specimen


def _paired(albumins: Sequence[Result], total: Result, limits: Limits) -> Result | None:
    """The albumin of the same specimen, else the nearest within 24 hours; one without a date might be the nearest.

    Of two as near, one that cannot be read comes first, then the higher: it gives the lower calcium.
    """
    gap = limits.span("albumin_pair_hours")

    def order(albumin: Result) -> tuple[timedelta, bool, Decimal, str]:
        value = albumin.value if albumin.value is not None else Decimal(0)
        return _distance(albumin.when, total.when), albumin.value is not None, -value, albumin.reference

    same = [albumin for albumin in albumins if _same_specimen(albumin, total)]
    near = [albumin for albumin in albumins if _distance(albumin.when, total.when) <= gap]
    return min(same or near, key=order, default=None)


def _distance(one: When | None, other: When | None) -> timedelta:
    """The shortest time that may lie between two dates; negative without a date, which comes before all others."""
    if one is None or other is None:
        return timedelta(-1)
    if one.precision == other.precision == "day":
        return abs(one.earliest - other.earliest)
    return max(one.earliest - other.latest, other.earliest - one.latest, timedelta(0))


def _doubts(patient: Patient, albumin: Result, limits: Limits) -> str:
    """Why the Payne correction is not to be trusted here (B35), in words; empty when there is no reason."""
    found = []
    if albumin.value is not None and albumin.value < limits.albumin_unreliable_below:
        found.append(f"albumin below {limits.albumin_unreliable_below} g/L")
    found += filter(None, [_filtration_doubt(patient, limits)])
    found += ["intensive care"] if patient.intensive_care else []
    found += ["acid-base disorder"] if patient.has("acid-base-disorder", unconfirmed=True) else []
    return ", ".join(found)


def _filtration_doubt(patient: Patient, limits: Limits) -> str:
    """The newest eGFR, final or not; one that cannot be read or dated may be low. Without one, the recorded stage."""
    window = limits.span("egfr_window_days")
    rates = [r for r in patient.results.get("egfr", ()) if (age := r.age(patient.now)) is None or age <= window]
    if not rates and any(patient.has(stage) for stage in _KIDNEY_STAGES):
        return "kidney disease of stage 3 or more"
    dated = [rate for rate in rates if rate.when is not None]
    moments = [next((r.when for r in dated if early or not r.provisional), None) for early in (False, True)]
    latest = [rate for rate in dated if rate.when in moments]
    if len(dated) < len(rates) or any(rate.value is None for rate in latest):
        return "eGFR could not be read"
    edge = limits.egfr_unreliable_below
    return f"eGFR below {edge}" if any(_rate_is_low(rate, edge) for rate in latest) else ""


def _rate_is_low(rate: Result, edge: Decimal) -> bool:
    if rate.value is None or rate.comparator in AT_LEAST:
        return False
    return rate.value < edge or (rate.comparator in AT_MOST and rate.value == edge)
