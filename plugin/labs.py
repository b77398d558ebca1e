"""What the laboratory results say: calcium (C-CA), magnesium (C-MG), thyroid. Unreadable never means normal.

Every kind of result is read on its own (``plugin.grading``), the newest first; here the kinds are weighed.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import timedelta
from decimal import Decimal

import msgspec

from plugin.grading import AT_LEAST, Kind, Read, is_below, reader, total_reader
from plugin.lab_results import State, describe, evidence, fresh, fresh_for, newest, undated
from plugin.patient import Patient, Result
from plugin.thresholds import Limits

__all__ = [
    "CALCIUM",
    "UNREADABLE",
    "State",
    "calcium",
    "describe",
    "evidence",
    "fresh",
    "fresh_for",
    "magnesium",
    "newest",
    "thyroid_excess",
    "undated",
]

CALCIUM = ("calcium-ionised", "calcium-corrected", "calcium")
UNREADABLE = frozenset({"unit-missing", "unit-unknown", "implausible", "date-missing"})
_WORST = {"severe": 0, "low": 1, "unknown": 2, "normal": 3}
_TOTAL = 2

_States = list[State | None]


def calcium(patient: Patient, limits: Limits) -> State:
    """The calcium state C-CA: ionised, then laboratory-corrected, then total with albumin, then total alone."""
    ionised = Kind("calcium-ionised", limits.ionised_low, limits.ionised_severe, True)
    corrected, total = (Kind(analyte, limits.calcium_low, limits.calcium_severe, True) for analyte in CALCIUM[1:])
    albumins = patient.results.get("albumin", ())
    with_final = total_reader(patient, total, limits, [r for r in albumins if not r.provisional])
    with_any = total_reader(patient, total, limits, albumins)
    simple = [(kind.analyte, reader(patient, kind, limits)) for kind in (ionised, corrected)]
    finals = [_newest_state(patient, *read, limits, False) for read in (*simple, ("calcium", with_final))]
    earlies = [_newest_state(patient, *read, limits, True) for read in (*simple, ("calcium", with_any))]
    if earlies[_TOTAL] is None and any(albumin.provisional for albumin in albumins):
        earlies[_TOTAL] = _with_provisional_albumin(patient, with_any, limits)
    return _decide(finals, earlies, limits) or _absent(patient, CALCIUM, limits)


def _with_provisional_albumin(patient: Patient, read: Read, limits: Limits) -> State | None:
    """A final total beside an albumin that is not final: what the pair says is provisional."""
    state = _newest_state(patient, "calcium", read, limits, False)
    return _early(state) if state is not None and any(r.provisional for r in state.results) else None


def magnesium(patient: Patient, limits: Limits) -> State:
    """The magnesium state C-MG: low, actionable below 0.60 mmol/L, severe below 0.50 mmol/L."""
    read = reader(patient, Kind("magnesium", limits.magnesium_low, limits.magnesium_severe, False), limits)
    final, early = (_newest_state(patient, "magnesium", read, limits, provisional) for provisional in (False, True))
    state = _decide([final], [early], limits) or _absent(patient, ("magnesium",), limits)
    acts = state.grade != "unknown" and is_below(state, limits.magnesium_actionable)
    return msgspec.structs.replace(state, actionable=acts)


def _newest_state(patient: Patient, analyte: str, read: Read, limits: Limits, provisional: bool) -> State | None:
    """The newest result of one kind; of several that may be the newest, the worst counts."""
    if not patient.results.get(analyte):
        return None
    mine = [r for r in fresh(patient, analyte, limits) if r.provisional is provisional]
    lost = [r for r in undated(patient, analyte, limits) if r.provisional is provisional]
    top = mine[0].when if mine else None
    near = [r for r in mine if top is not None and r.when is not None and r.when.latest >= top.earliest]
    states = [read(result) for result in (*near, *lost)]
    if not states:
        return None
    worst = min(states, key=lambda state: (_WORST[state.grade], not state.confirmed, state.value or Decimal(0)))
    doubt = worst.doubt or next((state.doubt for state in states if state.doubt), "")
    found = msgspec.structs.replace(worst, doubt=doubt)
    return _early(found) if provisional else found


def _early(state: State) -> State:
    """What a result that is not final says is information only."""
    doubt = state.doubt or ("" if state.grade == "normal" else "no-result")
    return msgspec.structs.replace(state, confirmed=False, doubt=doubt)


def _decide(finals: _States, earlies: _States, limits: Limits) -> State | None:
    """One state out of several kinds, best kind first, final and not final; None without any result."""
    settled = _settle(finals, earlies, limits)
    if settled is not None:
        return settled
    unread = next((state for state in finals if state is not None), None)
    early = _settle(earlies, finals, limits)
    if early is not None and early.is_low:
        return early
    if early is not None and early.grade == "normal" and unread is None:
        return State("unknown", "no-result", results=early.results)
    return unread or early or next((state for state in earlies if state is not None), None)


def _settle(states: _States, others: _States, limits: Limits) -> State | None:
    """The first known state, unless one that is better or newer speaks against "normal"; None if none is known."""
    known = ((rank, state) for rank, state in enumerate(states) if state is not None and state.grade != "unknown")
    rank, holder = next(known, (0, None))
    if holder is None:
        return None
    rivals = [
        rival
        for group in (states, others)
        for place, rival in enumerate(group)
        if rival is not None and rival is not holder and _overrules(place, rival, rank, holder, limits)
    ]
    worse = [rival for rival in rivals if _WORST[rival.grade] < _WORST[holder.grade] or rival.grade == "unknown"]
    if holder.is_low:
        doubt = next((rival.doubt or "no-result" for rival in worse), "")
        return msgspec.structs.replace(holder, doubt=holder.doubt or doubt)
    return next((rival for rival in worse if rival.is_low), None) or next(iter(worse), holder)


def _overrules(place: int, rival: State, rank: int, holder: State, limits: Limits) -> bool:
    """A better kind always does, the same kind when it is not older, a worse one when newer by more than a day."""
    own, other = holder.results[0].when, rival.results[0].when
    if place < rank or own is None or other is None:
        return True
    later = other.latest - own.earliest
    if place == rank:
        return later >= timedelta(0)
    return later > timedelta(hours=float(limits.albumin_pair_hours))


def _absent(patient: Patient, analytes: Sequence[str], limits: Limits) -> State:
    """No result to act on: only old ones, which are shown, or none at all."""
    shown = timedelta(days=float(limits.lab_shown_days))
    every = [r for name in analytes for r in (*patient.results.get(name, ()), *patient.earlier.get(name))]
    old = [(r.when.earliest, r) for r in every if r.when is not None and r.when.age(patient.now) <= shown]
    if not old:
        return State("unknown", "no-result")
    last: Result = max(old, key=lambda pair: pair[0])[1]
    return State("unknown", "stale", results=(last,), notes=(f"Last {describe(last, patient)}: too old to use.",))


def thyroid_excess(patient: Patient, limits: Limits) -> tuple[Result, ...]:
    """A suppressed TSH with free T4 or free T3 above the laboratory's range, both recent and final; else empty."""
    tsh = next((r for r in fresh(patient, "tsh", limits) if not r.provisional), None)
    if tsh is None or tsh.problem or tsh.value is None or tsh.value >= limits.tsh_low or tsh.comparator in AT_LEAST:
        return ()
    for analyte in ("ft4", "ft3"):
        for result in fresh(patient, analyte, limits):
            above = result.upper_limit is not None and result.value is not None and result.value > result.upper_limit
            if above and not result.provisional:
                return tsh, result
    return ()
