"""What the laboratory results say: calcium (C-CA), magnesium (C-MG), thyroid. Unreadable never means normal.

Every kind of result is read on its own (``plugin.grading``), the newest first; here the kinds are weighed.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from datetime import datetime, timedelta
from decimal import Decimal
from functools import lru_cache
from itertools import islice

import msgspec

from plugin.grading import AT_LEAST, AT_MOST, Kind, Read, is_below, reader, total_reader
from plugin.lab_results import (
    State,
    describe,
    evidence,
    fresh,
    fresh_for,
    fresh_of,
    has_date,
    inside,
    newest,
    undated,
    undated_of,
)
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
    "has_date",
    "magnesium",
    "newest",
    "potassium_may_be_low",
    "thyroid_excess",
    "undated",
]

CALCIUM = ("calcium-ionised", "calcium-corrected", "calcium")
UNREADABLE = frozenset({"unit-missing", "unit-unknown", "implausible", "date-missing"})
_WORST = {"severe": 0, "low": 1, "unknown": 2, "normal": 3}
_TOTAL = 2

_NO_RESULT = State("unknown", "no-result")

# For each kind of result, best kind first, what may be its newest results, worst first.
_Kinds = list[list[State]]


def calcium(patient: Patient, limits: Limits) -> State:
    """The calcium state C-CA: ionised, then laboratory-corrected, then total with albumin, then total alone."""
    if not any(patient.results.get(analyte) for analyte in CALCIUM):
        return _absent(patient, CALCIUM, limits)
    ionised, corrected, total = _calcium_kinds(limits)
    albumins = patient.results.get("albumin", ())
    with_final = total_reader(patient, total, limits, [r for r in albumins if not r.provisional])
    with_any = total_reader(patient, total, limits, albumins)
    simple = [(kind.analyte, reader(patient, kind, limits)) for kind in (ionised, corrected)]
    finals = [_newest_states(patient, *read, limits, False) for read in (*simple, ("calcium", with_final))]
    earlies = [_newest_states(patient, *read, limits, True) for read in (*simple, ("calcium", with_any))]
    if any(albumin.provisional for albumin in albumins):
        earlies[_TOTAL] += _with_provisional_albumin(patient, with_any, limits)
    state = _decide(finals, earlies, limits) or _absent(patient, CALCIUM, limits)
    return _older_low(patient, (*simple, ("calcium", with_final)), state, limits)


def _older_low(patient: Patient, reads: Iterable[tuple[str, Read]], state: State, limits: Limits) -> State:
    """An older low result that is still recent is told, unconfirmed, where the newest one cannot be used."""
    if state.grade != "unknown":
        return state
    for analyte, read in reads:
        final = [result for result in patient.results.get(analyte, ()) if not result.provisional]
        for result in fresh_of(final, patient, limits):
            low = read(result)
            if low.is_low:
                note = "A newer result could not be used; this is the last one that could."
                used = (*low.results, *(other for other in state.results if other not in low.results))
                doubt = state.doubt or state.reason
                return msgspec.structs.replace(
                    low, confirmed=False, doubt=doubt, results=used, notes=(*low.notes, note)
                )
    return state


@lru_cache(maxsize=16)
def _calcium_kinds(limits: Limits) -> tuple[Kind, Kind, Kind]:
    return (
        Kind("calcium-ionised", limits.ionised_low, limits.ionised_severe, True),
        Kind("calcium-corrected", limits.calcium_low, limits.calcium_severe, True),
        Kind("calcium", limits.calcium_low, limits.calcium_severe, True),
    )


def _with_provisional_albumin(patient: Patient, read: Read, limits: Limits) -> list[State]:
    """A final total beside an albumin that is not final: what the pair says is provisional."""
    states = _newest_states(patient, "calcium", read, limits, False)
    return [_early(state) for state in states if any(result.provisional for result in state.results)]


def magnesium(patient: Patient, limits: Limits) -> State:
    """The magnesium state C-MG: low, actionable below 0.60 mmol/L, severe below 0.50 mmol/L."""
    if not patient.results.get("magnesium"):
        return _absent(patient, ("magnesium",), limits)
    read = reader(patient, Kind("magnesium", limits.magnesium_low, limits.magnesium_severe, False), limits)
    final, early = (_newest_states(patient, "magnesium", read, limits, provisional) for provisional in (False, True))
    state = _decide([final], [early], limits) or _absent(patient, ("magnesium",), limits)
    state = _older_low(patient, (("magnesium", read),), state, limits)
    acts = state.grade != "unknown" and is_below(state, limits.magnesium_actionable)
    return msgspec.structs.replace(state, actionable=acts)


def _newest_states(patient: Patient, analyte: str, read: Read, limits: Limits, provisional: bool) -> list[State]:
    """What the newest result of one kind says, and any other that may be the newest; the worst first."""
    kind = [r for r in patient.results.get(analyte, ()) if r.provisional is provisional]
    if not kind:
        return []
    mine, lost = fresh_of(kind, patient, limits), undated_of(kind, patient, limits)
    top = mine[0].when if mine else None
    near = [r for r in mine if top is not None and r.when is not None and r.when.latest >= top.earliest]
    states = sorted((read(result) for result in (*near, *lost)), key=_severity)
    return [_early(state) for state in states] if provisional else states


def _severity(state: State) -> tuple[int, bool, Decimal]:
    return _WORST[state.grade], not state.confirmed, state.value or Decimal(0)


def _early(state: State) -> State:
    """What a result that is not final says is information only."""
    doubt = state.doubt or ("" if state.grade == "normal" else "no-result")
    return msgspec.structs.replace(state, confirmed=False, doubt=doubt)


def _decide(finals: _Kinds, earlies: _Kinds, limits: Limits) -> State | None:
    """One state out of several kinds, best kind first, final and not final; None without any result."""
    settled = _settle(finals, earlies, limits)
    if settled is not None:
        return settled
    unread = next((states[0] for states in finals if states), None)
    early = _settle(earlies, finals, limits)
    if early is not None and early.is_low:
        return early
    if early is not None and early.grade == "normal" and unread is None:
        return State("unknown", "no-result", results=early.results)
    return unread or early or next((states[0] for states in earlies if states), None)


def _settle(kinds: _Kinds, others: _Kinds, limits: Limits) -> State | None:
    """The first known state, unless one that is better or newer speaks against "normal"; None if none is known."""
    known = ((rank, states[0]) for rank, states in enumerate(kinds) if states and states[0].grade != "unknown")
    rank, holder = next(known, (0, None))
    if holder is None:
        return None
    rivals = [
        rival
        for group in (kinds, others)
        for place, states in enumerate(group)
        for rival in states
        if rival is not holder and _is_worse(rival, holder) and _overrules(place, rival, rank, holder, limits)
    ]
    low = holder if holder.is_low else next((rival for rival in rivals if rival.is_low), None)
    if low is None:
        return next(iter(rivals), holder)
    doubt = next((rival.doubt or "no-result" for rival in rivals if rival is not low), "")
    # What a provisional result contradicts is told beside it (C-CA).
    beside = (*low.results, *(result for result in holder.results if result not in low.results))
    return msgspec.structs.replace(low, doubt=low.doubt or doubt, results=beside)


def _is_worse(rival: State, holder: State) -> bool:
    """Lower, or not known well enough to say that it is not."""
    unread = rival.grade == "unknown" or (rival.is_low and rival.doubt not in {"", "no-result"})
    return unread or _WORST[rival.grade] < _WORST[holder.grade]


def _overrules(place: int, rival: State, rank: int, holder: State, limits: Limits) -> bool:
    """A better kind always does, the same kind when it is not older, a worse one when newer by more than a day."""
    own, other = holder.results[0].when, rival.results[0].when
    if place < rank or own is None or other is None:
        return True
    later = other.latest - own.earliest
    if place == rank:
        return later >= timedelta(0)
    return later > limits.span("albumin_pair_hours")


def _absent(patient: Patient, analytes: Sequence[str], limits: Limits) -> State:
    """No result to act on: only old ones, which are shown, or none at all."""
    shown = limits.span("lab_shown_days")

    def worth_telling(results: Iterable[Result]) -> Iterator[tuple[datetime, Result]]:
        return ((r.when.earliest, r) for r in results if r.when is not None and r.when.age(patient.now) <= shown)

    old: list[tuple[datetime, Result]] = []
    for name in analytes:
        old += worth_telling(patient.results.get(name, ()))
        # Of the many old ones of a long record only as many are read as it takes to find the last.
        old += islice(worth_telling(patient.earlier.newest_first(name)), 1)
    if not old:
        return _NO_RESULT
    last = max(old, key=lambda pair: pair[0])[1]
    return State(
        "unknown", "stale", results=(last,), notes=(f"Last {inside(describe(last, patient))}: too old to use.",)
    )


def potassium_may_be_low(patient: Patient, limits: Limits) -> bool:
    """A recent potassium below the laboratory's limit (or the default one), or one that cannot be read."""
    newest_one = next(iter(fresh(patient, "potassium", limits)), None)
    if undated(patient, "potassium", limits):
        return True
    if newest_one is None:
        return False
    if newest_one.problem or newest_one.value is None or newest_one.comparator or newest_one.inferred:
        return True
    limit = newest_one.lower_limit if newest_one.lower_limit is not None else limits.potassium_low
    return newest_one.value < limit


def thyroid_excess(patient: Patient, limits: Limits) -> tuple[Result, ...]:
    """A suppressed TSH with free T4 or free T3 above the laboratory's range, both recent and final; else empty."""
    tsh = next((r for r in fresh(patient, "tsh", limits) if not r.provisional), None)
    if tsh is None or tsh.problem or tsh.value is None or tsh.value >= limits.tsh_low or tsh.comparator in AT_LEAST:
        return ()
    if tsh.inferred:
        return ()
    for analyte in ("ft4", "ft3"):
        for result in fresh(patient, analyte, limits):
            above = result.upper_limit is not None and result.value is not None and result.value > result.upper_limit
            if above and not (result.provisional or result.inferred or result.comparator in AT_MOST):
                return tsh, result
    return ()
