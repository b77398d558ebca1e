"""Which dopamine blocker may be behind a dystonia that began at a given time (R-DX-08)."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import datetime, timedelta

import msgspec

from plugin.diagnosis import elapsed
from plugin.drug_risk import exposure_tier
from plugin.patient import Exposure
from plugin.rule import TIERS, Case
from plugin.when import When
from valuesets import Ingredient

GIVEN = "MedicationAdministration"
_HANDED = frozenset({GIVEN, "MedicationDispense"})
_ACUTE = frozenset({"start", "increase"})


class Suspect(msgspec.Struct, frozen=True):
    """One drug in suspicion: what happened ``after`` which the dystonia began, on which record, and what still runs.

    ``event`` is "start", "increase" or "administration", or "exposure" of the tardive form, where ``after`` is how long
    the drug had been taken. ``active`` is a record of the drug that is current; ``exact`` says that both times are told
    to the minute, not by the day.
    """

    ingredient: Ingredient
    event: str
    after: timedelta
    exposure: Exposure
    active: Exposure | None
    exact: bool = False

    @property
    def tardive(self) -> bool:
        """Whether long exposure is what points to the drug."""
        return self.event == "exposure"


class Suspicion(msgspec.Struct, frozen=True):
    """All drugs in suspicion, the nearest in time first, and the records whose dates or doses leave it open."""

    suspects: tuple[Suspect, ...]
    unsure: tuple[str, ...] = ()


def suspicion(case: Case, onset: When) -> Suspicion:
    """Every blocker of tier L and above that was started, raised or given shortly before, or taken for long."""
    taken = [e for e in case.others if not e.draft and TIERS[exposure_tier(e, case)] >= TIERS["L"]]
    names = sorted({e.ingredient.name for e in taken})
    found = [_of(case, onset, [e for e in taken if e.ingredient.name == name]) for name in names]
    suspects = [one for one in found if isinstance(one, Suspect)]
    unsure = tuple(reference for one in found if isinstance(one, tuple) for reference in one)
    suspects.sort(key=lambda one: (one.tardive, one.after, one.ingredient.name))
    return Suspicion(tuple(suspects), unsure)


def _of(case: Case, onset: When, records: list[Exposure]) -> Suspect | tuple[str, ...]:
    """What one drug had to do with it; else the records that leave that open."""
    active = _active(case, records)
    dated = sorted((e for e in records if e.start is not None), key=_begins)
    spells = list(_spells(case, dated))
    events = [event for spell in spells for event in _events(case, onset, spell)]
    sudden = [event for event in events if event[0] in _ACUTE]
    long = next((found for spell in spells if (found := _long(case, onset, spell)) is not None), None)
    if sudden or (events and long is None):
        event, after, exposure = min(sudden or events, key=lambda one: (one[1], one[0], one[2].reference))
        exact = onset.precision == "time" and exposure.start is not None and exposure.start.precision == "time"
        return Suspect(exposure.ingredient, event, after, exposure, active, exact)
    if long is not None:
        return Suspect(long[0].ingredient, "exposure", long[1], long[0], active)
    return tuple(e.reference for e in records if _is_open(case, onset, e, records))


def _active(case: Case, records: Sequence[Exposure]) -> Exposure | None:
    """What is current; an order before other records of it, because an order can be stopped.

    What was given or handed out counts for days after, but not where the drug was stopped or held since.
    """
    current = [e for e in records if e.current and not (e.kind in _HANDED and _is_halted(case, e, records))]
    return min(current, key=lambda e: (e.kind != "MedicationRequest", e.kind, e.reference), default=None)


def _is_halted(case: Case, dose: Exposure, records: Iterable[Exposure]) -> bool:
    """Whether another record says that the drug was stopped or held after a dose.

    Most do not tell when: one that began within the gap before a new start is taken to have run until the dose.
    """
    given = _begins(dose)[0]
    earliest = given - case.limits.span("new_start_days")
    return any(
        one.last.latest >= given if one.last is not None and one.last != one.start else _begins(one)[0] >= earliest
        for one in records
        if one.stopped or one.on_hold
    )


def _begins(exposure: Exposure) -> tuple[datetime, str]:
    return (exposure.start.earliest if exposure.start else datetime.max, exposure.reference)


def _spells(case: Case, dated: Sequence[Exposure]) -> Iterable[list[Exposure]]:
    """Records joined over gaps that are too short for the next one to be a new start."""
    gap = case.limits.span("new_start_days")
    spell: list[Exposure] = []
    reached: datetime | None = None
    for exposure in dated:
        start, end = _begins(exposure)[0], _ends(case, exposure)
        if reached is not None and start - reached > gap:
            yield spell
            spell, reached = [], None
        spell.append(exposure)
        reached = end if reached is None else max(reached, end)
    if spell:
        yield spell


def _ends(case: Case, exposure: Exposure) -> datetime:
    if exposure.current:
        return case.patient.now
    last = exposure.last or exposure.start
    return last.latest if last is not None else case.patient.now


def _events(case: Case, onset: When, spell: Sequence[Exposure]) -> Iterable[tuple[str, timedelta, Exposure]]:
    """The start, each increase and each administration within the days before the onset."""
    window = case.limits.span("drug_dystonia_days")
    before = None
    for place, exposure in enumerate(spell):
        dose = exposure.per_day_mg
        raised = before is not None and dose is not None and dose > before
        before = dose if dose is not None else before
        event = "start" if place == 0 else "increase" if raised else "administration" if exposure.kind == GIVEN else ""
        after = elapsed(exposure.start, onset) if exposure.start is not None else None
        if event and after is not None and timedelta(0) <= after <= window:
            yield event, after, exposure


def _long(case: Case, onset: When, spell: Sequence[Exposure]) -> tuple[Exposure, timedelta] | None:
    """The first record of a spell that was long enough for the tardive form and reached the onset, or nearly so."""
    window = case.limits.span("drug_dystonia_days")
    first = spell[0].start
    if first is None or onset.precision not in {"time", "day"}:
        return None
    reached = max(_ends(case, exposure) for exposure in spell)
    taken = timedelta(days=(onset.earliest.date() - first.latest.date()).days)
    if onset.earliest - reached > window or taken < _needed(case):
        return None
    return spell[0], taken


def _needed(case: Case) -> timedelta:
    """The exposure after which a dystonia may be tardive, shorter in older people (B76)."""
    age = case.patient.age
    older = age is not None and age.years >= case.limits.tardive_older_from
    return case.limits.span("tardive_exposure_days_older" if older else "tardive_exposure_days")


def _is_open(case: Case, onset: When, exposure: Exposure, records: Sequence[Exposure]) -> bool:
    """Whether a record may hide a start or an increase shortly before: no exact date, or no dose to compare."""
    if exposure.start is None or exposure.start.precision not in {"time", "day"}:
        return True
    after = elapsed(exposure.start, onset)
    recent = after is not None and timedelta(0) <= after <= case.limits.span("drug_dystonia_days")
    return recent and len(records) > 1 and exposure.per_day_mg is None
