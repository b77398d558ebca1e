"""What the laboratory results say: calcium (C-CA), magnesium (C-MG), thyroid. Unreadable never means normal."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import timedelta
from decimal import Decimal

import msgspec

from plugin.patient import Patient, Result
from plugin.thresholds import Limits
from plugin.when import ago

UNREADABLE = frozenset({"unit-missing", "unit-unknown", "implausible"})
_NAMES = {
    "calcium-ionised": "Ionised Ca",
    "calcium-corrected": "Corrected Ca (laboratory)",
    "calcium": "Total Ca",
    "albumin": "Albumin",
    "magnesium": "Mg",
    "egfr": "eGFR",
}


class State(msgspec.Struct, frozen=True):
    """Grade of an analyte and how sure it is.

    ``grade`` is ``normal``, ``low``, ``severe`` or ``unknown`` with ``reason``. ``confirmed`` is False for an
    unconfirmed, provisional or unit-inferred result: information only, never a factor. ``actionable`` is magnesium's
    step between low and severe. ``value`` is in mmol/L, corrected where ``corrected``. ``results`` are all results
    used, ``notes`` what a reader must be told.
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

    @property
    def is_low(self) -> bool:
        """Low or severe."""
        return self.grade in {"low", "severe"}


def fresh_for(patient: Patient, limits: Limits) -> timedelta:
    """How long a result is acted on: 72 h in acute encounters, else 30 days."""
    if patient.acute_encounter:
        return timedelta(hours=float(limits.lab_fresh_hours_acute))
    return timedelta(days=float(limits.lab_fresh_days))


def fresh(patient: Patient, analyte: str, limits: Limits) -> list[Result]:
    """Results new enough to act on, newest first; those dated in the future or not at all are among the problems."""
    limit = fresh_for(patient, limits)
    return [
        result
        for result in patient.results.get(analyte, ())
        if (age := result.age(patient.now)) is not None and age <= limit
    ]


def newest(patient: Patient, analytes: Iterable[str]) -> Result | None:
    """The newest dated, readable result of any age, for telling "last ..."."""
    found = [
        result
        for analyte in analytes
        for result in patient.results.get(analyte, ())
        if result.when is not None and result.value is not None
    ]
    return max(found, key=lambda result: result.when.earliest if result.when else patient.now, default=None)


def describe(result: Result, patient: Patient) -> str:
    """One line for a card: name, value and unit as reported, date, age and a status that is not final."""
    parts = [f"{_NAMES.get(result.analyte, result.analyte)} {result.shown}"]
    if result.when is not None:
        parts.append(f"{result.when.short()}, {ago(result.when.age(patient.now))}")
    if result.provisional:
        parts.append(f"status {result.status or 'not stated'}")
    if result.inferred:
        parts.append("unit taken from the reference range")
    return f"{parts[0]} ({'; '.join(parts[1:])})" if parts[1:] else parts[0]


def _grade(result: Result, low: Decimal, severe: Decimal) -> str:
    """Grade one readable result; a comparator decides only in the direction in which it bounds the value."""
    value = result.value
    if value is None:
        return "unknown"
    limit = result.lower_limit if result.lower_limit is not None else low
    if result.comparator in {"<", "<="}:
        return "severe" if value <= severe else "low" if value <= limit else "unknown"
    if result.comparator in {">", ">="}:
        return "normal" if value >= limit else "unknown"
    if value < severe:
        return "severe"
    return "low" if value < limit else "normal"


def _infant_without_range(patient: Patient, result: Result) -> bool:
    return patient.age is not None and patient.age.years < 1 and result.lower_limit is None


def calcium(patient: Patient, limits: Limits) -> State:
    """The calcium state C-CA: ionised, then laboratory-corrected, then total with albumin, then total alone."""
    final = _calcium_from(patient, limits, provisional=False)
    if final.is_low:
        return final
    early = _calcium_from(patient, limits, provisional=True)
    if early.is_low:
        return msgspec.structs.replace(early, confirmed=False)
    if final.grade == "unknown" and final.reason == "no-result" and early.grade != "unknown":
        return State("unknown", "no-result", results=early.results)
    if final.grade == "unknown" and not final.results and early.reason not in {"", "no-result"}:
        return early
    return final


def _calcium_from(patient: Patient, limits: Limits, *, provisional: bool) -> State:
    candidates = {
        analyte: [r for r in fresh(patient, analyte, limits) if r.provisional is provisional]
        for analyte in ("calcium-ionised", "calcium-corrected", "calcium")
    }
    states = [
        _ionised(patient, candidates["calcium-ionised"], limits),
        _laboratory_corrected(patient, candidates["calcium-corrected"], limits),
        _total(patient, candidates["calcium"], limits),
    ]
    decided = next((state for state in states if state.grade != "unknown"), None)
    if decided is None:
        told = [state for state in states if state.reason]
        return next((state for state in told if state.reason != "no-result"), None) or _nothing(patient, limits)
    decided = _newer_low(decided, states, limits)
    if decided.grade == "normal":
        unread = _unread_rival(decided, states)
        if unread is not None:
            return unread
    return decided


def _newer_low(decided: State, states: list[State], limits: Limits) -> State:
    """A low result that is newer by more than a day is not overruled by an older normal one of a better kind."""
    if decided.grade != "normal" or not decided.results[0].when:
        return decided
    gap = timedelta(hours=float(limits.albumin_pair_hours))
    moment = decided.results[0].when.earliest
    for state in states:
        when = state.results[0].when if state.results else None
        if state.is_low and when is not None and when.earliest - moment > gap:
            return state
    return decided


def _unread_rival(decided: State, states: list[State]) -> State | None:
    """An unreadable result of a better kind, or a newer one, keeps a normal result from clearing the patient."""
    rank = states.index(decided) if decided in states else len(states)
    moment = decided.results[0].when
    for index, state in enumerate(states):
        if state.grade != "unknown" or not state.results:
            continue
        when = state.results[0].when
        if index < rank or (when and moment and when.earliest >= moment.earliest):
            return state
    return None


def _nothing(patient: Patient, limits: Limits) -> State:
    """No result to act on: none at all, undated ones only, or only old ones."""
    every = [r for a in ("calcium-ionised", "calcium-corrected", "calcium") for r in patient.results.get(a, ())]
    return _absent(patient, every, limits)


def _absent(patient: Patient, every: list[Result], limits: Limits) -> State:
    shown = timedelta(days=float(limits.lab_shown_days))
    problems = [r for r in every if r.when is None]
    old = [r for r in every if (age := r.age(patient.now)) is not None and age <= shown]
    if problems:
        return State("unknown", problems[0].problem or "date-missing", results=(problems[0],))
    if old:
        return State(
            "unknown", "stale", results=(old[0],), notes=(f"Last {describe(old[0], patient)}: too old to use.",)
        )
    return State("unknown", "no-result")


def _first(patient: Patient, results: list[Result]) -> Result | State:
    """The newest result, or the state that says why it cannot be used."""
    if not results:
        return State("unknown", "no-result")
    result = results[0]
    if result.problem:
        low = result.low_flag and result.problem == "unit-missing"
        if low:
            note = f"{describe(result, patient)}: reported low without a unit, unconfirmed."
            return State("low", "", False, name=_NAMES[result.analyte], results=(result,), notes=(note,))
        return State("unknown", result.problem, results=(result,))
    if _infant_without_range(patient, result):
        note = "Under 1 year a result counts only with the laboratory's own range."
        return State("unknown", "no-result", results=(result,), notes=(note,))
    return result


def _single(patient: Patient, results: list[Result], low: Decimal, severe: Decimal) -> State:
    result = _first(patient, results)
    if isinstance(result, State):
        return result
    grade = _grade(result, low, severe)
    reason = "no-result" if grade == "unknown" else ""
    return State(grade, reason, not result.inferred, name=_NAMES[result.analyte], value=result.value, results=(result,))


def _ionised(patient: Patient, results: list[Result], limits: Limits) -> State:
    return _single(patient, results, limits.ionised_low, limits.ionised_severe)


def _laboratory_corrected(patient: Patient, results: list[Result], limits: Limits) -> State:
    return _single(patient, results, limits.calcium_low, limits.calcium_severe)


def _total(patient: Patient, results: list[Result], limits: Limits) -> State:
    result = _first(patient, results)
    if isinstance(result, State):
        return result
    alone = _total_alone(result, limits)
    albumin = None if result.comparator else _paired_albumin(patient, result, limits)
    if albumin is None or albumin.value is None or result.value is None:
        return alone
    value = result.value + limits.calcium_per_albumin * (limits.albumin_reference - albumin.value)
    grade = _grade(msgspec.structs.replace(result, value=value), limits.calcium_low, limits.calcium_severe)
    doubts = _doubts(patient, albumin, limits)
    if doubts and grade == "normal" and alone.is_low:
        note = f"Albumin correction would give {value:.2f} mmol/L but is unreliable here ({doubts}); confirm with ionised Ca."
        return msgspec.structs.replace(alone, confirmed=False, results=(result, albumin), notes=(note,))
    notes = (f"Albumin correction is unreliable here ({doubts}); confirm with ionised Ca.",) if doubts else ()
    confirmed = not (result.inferred or albumin.inferred)
    return State(grade, "", confirmed, False, "Corrected Ca", value, True, (result, albumin), notes)


def _total_alone(result: Result, limits: Limits) -> State:
    """Without albumin only a very low total is certain; below the limit it is unconfirmed."""
    grade = _grade(result, limits.calcium_low, limits.calcium_severe)
    certain = result.value is not None and result.value < limits.calcium_severe_total_alone
    confirmed = not result.inferred and (grade in {"normal", "unknown"} or certain)
    notes = (
        ()
        if confirmed or grade in {"normal", "unknown"}
        else ("No albumin within 24 h: unconfirmed; ionised Ca decides.",)
    )
    reason = "no-result" if grade == "unknown" else ""
    return State(grade, reason, confirmed, name=_NAMES["calcium"], value=result.value, results=(result,), notes=notes)


def _paired_albumin(patient: Patient, total: Result, limits: Limits) -> Result | None:
    """The albumin of the same specimen, else the nearest within 24 hours."""
    if total.when is None:
        return None
    gap = timedelta(hours=float(limits.albumin_pair_hours))
    usable = [
        r
        for r in patient.results.get("albumin", ())
        if not r.problem
        and r.value is not None
        and not r.comparator
        and r.when is not None
        and (not r.provisional or total.provisional)
    ]
    same = [r for r in usable if r.specimen and r.specimen == total.specimen]
    near = [r for r in usable if r.when is not None and abs(r.when.earliest - total.when.earliest) <= gap]
    moment = total.when.earliest
    return min(same or near, key=lambda r: (abs(r.when.earliest - moment) if r.when else gap, r.value), default=None)


def _doubts(patient: Patient, albumin: Result, limits: Limits) -> str:
    """Why the Payne correction is not to be trusted here (B35), in words; empty when there is no reason."""
    found = []
    if albumin.value is not None and albumin.value < limits.albumin_unreliable_below:
        found.append(f"albumin below {limits.albumin_unreliable_below} g/L")
    window = timedelta(days=float(limits.egfr_window_days))
    rate = next(
        (
            r
            for r in patient.results.get("egfr", ())
            if not r.problem and not r.provisional and (age := r.age(patient.now)) is not None and age <= window
        ),
        None,
    )
    if (
        rate is not None
        and rate.value is not None
        and rate.value < limits.egfr_unreliable_below
        and rate.comparator not in {">", ">="}
    ):
        found.append(f"eGFR below {limits.egfr_unreliable_below}")
    return ", ".join(found)


def magnesium(patient: Patient, limits: Limits) -> State:
    """The magnesium state C-MG: low, actionable below 0.60 mmol/L, severe below 0.50 mmol/L."""
    every = fresh(patient, "magnesium", limits)
    final = _single(patient, [r for r in every if not r.provisional], limits.magnesium_low, limits.magnesium_severe)
    if final.grade == "unknown" and final.reason == "no-result":
        early = _single(patient, [r for r in every if r.provisional], limits.magnesium_low, limits.magnesium_severe)
        if early.is_low:
            return _with_action(msgspec.structs.replace(early, confirmed=False), limits)
        if not final.results:
            return _absent(patient, list(patient.results.get("magnesium", ())), limits)
    return _with_action(final, limits)


def _with_action(state: State, limits: Limits) -> State:
    acts = state.is_low and state.value is not None and state.value < limits.magnesium_actionable
    return msgspec.structs.replace(state, actionable=acts)


def thyroid_excess(patient: Patient, limits: Limits) -> tuple[Result, ...]:
    """A suppressed TSH with free T4 or free T3 above the laboratory's range, both recent and final; else empty."""
    tsh = next((r for r in fresh(patient, "tsh", limits) if not r.provisional), None)
    if tsh is None or tsh.problem or tsh.value is None or tsh.value >= limits.tsh_low or tsh.comparator in {">", ">="}:
        return ()
    for analyte in ("ft4", "ft3"):
        for result in fresh(patient, analyte, limits):
            above = result.upper_limit is not None and result.value is not None and result.value > result.upper_limit
            if above and not result.provisional:
                return tsh, result
    return ()
