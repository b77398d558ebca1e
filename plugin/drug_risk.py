"""The dopamine blocker of an order: which ingredient, which tier here, and how it relates to what is taken already."""

from __future__ import annotations

from datetime import timedelta
from decimal import Decimal

import msgspec

from plugin.patient import PROPHYLAXIS, Exposure, Order, Result
from plugin.rule import TIERS, Case, Fact, per_case, tier_of
from plugin.text import matched
from valuesets import Ingredient

LOCAL_ROUTES = frozenset({"topical", "ophthalmic", "nasal"})
"""Routes by which a drug is not meant for the whole body."""
_GIVEN = "MedicationAdministration"
_EVENTS = {_GIVEN: "given", "MedicationDispense": "dispensed"}
_EXACT = frozenset({"day", "time"})


class Blocker(msgspec.Struct, frozen=True):
    """The ordered ingredient with the highest tier, and that tier for this patient, route and dose."""

    ingredient: Ingredient
    tier: str

    @property
    def name(self) -> str:
        """Generic name."""
        return self.ingredient.name

    @property
    def title(self) -> str:
        """Generic name to begin a sentence with."""
        return self.ingredient.name[:1].upper() + self.ingredient.name[1:]


@per_case
def blocker_of(case: Case) -> Blocker | None:
    """The dopamine blocker that the order holds (tier N included, for which most rules are silent); None without."""
    order = case.order
    if order is None:
        return None
    found = [Blocker(item, _tier(item, case, order)) for item in order.medication.ingredients if item.tier]
    return max(found, key=lambda blocker: TIERS[blocker.tier], default=None)


def _tier(ingredient: Ingredient, case: Case, order: Order) -> str:
    """Section B with its conditions; a dose that is not computable leaves the higher tier."""
    age = case.patient.age
    tier = tier_of(ingredient, order.route, age.years if age else None)
    each = order.dose.of(ingredient).each_mg
    if ingredient.low_dose_mg is not None and each is not None and each < ingredient.low_dose_mg:
        return ingredient.tier_low_dose
    if ingredient.high_dose_mg_per_kg is not None:
        per_kg = _per_kg(case, order, each)
        if per_kg is not None and per_kg >= ingredient.high_dose_mg_per_kg:
            return max((tier, ingredient.tier_high_dose), key=lambda name: TIERS[name])
    return tier


def _per_kg(case: Case, order: Order, each: Decimal | None) -> Decimal | None:
    if order.dose.each_mg_per_kg is not None:
        return order.dose.each_mg_per_kg
    weight = weight_kg(case)
    return each / weight if each is not None and weight else None


def weight_kg(case: Case) -> Decimal | None:
    """The newest usable weight inside the window for this age (R-DRUG-05), in kg."""
    result = weight_of(case)
    return result.value if result is not None else None


def weight_of(case: Case) -> Result | None:
    """The newest usable weight inside the window for this age (R-DRUG-05)."""
    limits, age = case.limits, case.patient.age
    window = "weight_days_adult"
    if age is not None and age.years < 18:
        window = "weight_days_child"
        if age.years < 2:
            window = "weight_days_toddler" if age.years >= 1 else "weight_days_infant"
    for result in case.patient.results.get("weight", ()):
        old = result.age(case.patient.now)
        usable = result.value and not result.problem and not result.comparator
        if old is not None and old <= limits.span(window) and usable:
            return result
    return None


def weight_doubt(case: Case) -> tuple[str, str] | None:
    """(reason, reference) of a weight that cannot be used and may be newer than the one that is; None without."""
    used = weight_of(case)
    for result in case.patient.results.get("weight", ()):
        exact = result.when is not None and result.when.precision in _EXACT
        reason = result.problem or ("" if exact else "date-missing") or ("no-result" if result.comparator else "")
        older = used and used.when and result.when and result.when.latest < used.when.earliest
        if reason and not older:
            return reason, result.reference
    return None


def palliative(case: Case) -> bool:
    """S-10: comfort care or hospice."""
    return bool(case.patient.palliative) or case.patient.has("palliative") is not None


def exposure_tier(exposure: Exposure, case: Case) -> str:
    """The tier of something that the patient takes."""
    age = case.patient.age
    return tier_of(exposure.ingredient, exposure.route, age.years if age else None)


def blockers_taken(case: Case, but: frozenset[str]) -> list[Exposure]:
    """Other dopamine blockers (tier L and above) that are current, ordered beside this one, or on hold."""
    return [
        exposure
        for exposure in case.others
        if (exposure.current or exposure.on_hold)
        and exposure.ingredient.name not in but
        and TIERS[exposure_tier(exposure, case)] >= TIERS["L"]
    ]


def taken_fact(exposure: Exposure) -> Fact:
    """Another drug of the patient as a fact: since when, until when, and how it was recognised."""
    how = matched(exposure.matched_by)
    name = f"{exposure.ingredient.name[:1].upper()}{exposure.ingredient.name[1:]}"
    return Fact(f"{name}: {_when_taken(exposure)}{f', {how}' if how else ''}", exposure.reference)


def _when_taken(exposure: Exposure) -> str:
    start = exposure.start
    if exposure.draft:
        return "ordered together"
    if exposure.kind in _EVENTS:
        return f"{_EVENTS[exposure.kind]}{f' {start.short()}' if start is not None else ', no date'}"
    until = f", until {exposure.ends.date().isoformat()}" if exposure.ends is not None else ""
    return f"{'on hold' if exposure.on_hold else 'current'}{f' since {start.short()}' if start else ''}{until}"


class History(msgspec.Struct, frozen=True):
    """How the order relates to earlier use of the same ingredient.

    ``new``: none in 30 days; ``increase``: at least 1.5 times the current daily dose; ``stable``: current for 30 days
    (long-acting 90); ``reordered``: same ingredient started or ended within 24 hours; ``fast``: an increase within 72
    hours. An order that starts later than tomorrow is no earlier use. ``unsure`` are the references of order and record
    where a dose that is stated but cannot be worked out leaves open whether there is an increase; ``undated`` those of
    records whose date is missing or partial and leaves open whether they are stable, or new.
    """

    new: bool
    increase: bool
    stable: Exposure | None
    reordered: Exposure | None
    fast: bool
    unsure: tuple[str, ...] = ()
    undated: tuple[str, ...] = ()


def history_of(case: Case, ingredient: Ingredient) -> History:
    """Earlier use of the ordered ingredient, drafts of this session left out."""
    limits, now = case.limits, case.patient.now
    same = [e for e in case.others if e.ingredient.name == ingredient.name and not e.draft]
    recent = limits.span("new_start_days")
    begun = [e for e in same if e.start is None or -e.start.age(now) <= _reorder(case)]
    taken = [e for e in begun if e.current or (e.last is not None and e.last.age(now) <= recent)]
    current = [e for e in begun if e.current]
    increase = any(_is_increase(case, e) for e in current)
    fast_window = limits.span("fast_titration_hours")
    fast = any(_is_increase(case, e) and e.start is not None and e.start.age(now) <= fast_window for e in current)
    fast = fast or _is_titrated(case, ingredient)
    return History(
        not taken,
        increase,
        next((e for e in current if _is_stable(case, e)), None),
        next((e for e in taken if _reordered(case, e)), None),
        fast,
        () if increase else _unsure(case, current),
        tuple(dict.fromkeys(e.reference for e in taken if e.start is None or e.start.precision not in _EXACT)),
    )


def raised_from(case: Case, ingredient: Ingredient) -> Exposure | None:
    """The use on record whose daily dose this order raises at least 1.5 times; None without."""
    same = (e for e in case.others if e.ingredient.name == ingredient.name and e.current and not e.draft)
    return next((e for e in same if _is_increase(case, e)), None)


def _unsure(case: Case, current: list[Exposure]) -> tuple[str, ...]:
    """C-EXP: stable is said only where the daily doses can be compared, or where none is stated."""
    order = case.order
    if order is None or not current:
        return ()
    if order.dose.unreadable:
        return (order.reference, *(exposure.reference for exposure in current))
    if order.dose.of(current[0].ingredient).per_day_mg is None:
        return ()
    unread = tuple(e.reference for e in current if e.dose_unread and e.per_day_mg is None)
    return (order.reference, *unread) if unread else ()


def _is_increase(case: Case, exposure: Exposure) -> bool:
    draft = case.order.dose.of(exposure.ingredient).per_day_mg if case.order else None
    before = exposure.per_day_mg
    return (
        draft is not None and before is not None and before > 0 and draft >= before * case.limits.dose_increase_factor
    )


def _is_titrated(case: Case, ingredient: Ingredient) -> bool:
    """Whether the order itself raises the daily dose so far within 72 hours."""
    steps = case.order.dose.of(ingredient).steps if case.order is not None else ()
    hours, factor = case.limits.fast_titration_hours, case.limits.dose_increase_factor
    return any(
        later >= lower * factor and lower > 0
        for place, (begins, lower) in enumerate(steps)
        for follows, later in steps[place + 1 :]
        if follows - begins <= hours
    )


def _is_stable(case: Case, exposure: Exposure) -> bool:
    enough = case.limits.span("stable_days_long_acting" if exposure.long_acting else "stable_days")
    return exposure.start is not None and exposure.start.youngest(case.patient.now) >= enough


def _reorder(case: Case) -> timedelta:
    return case.limits.span("reorder_hours")


def _reordered(case: Case, exposure: Exposure) -> bool:
    """S-04: the same ingredient was started, or ended, within 24 hours (a transfer, a substitution)."""
    edges = (exposure.start, None if exposure.current else exposure.last)
    return any(edge is not None and edge.age(case.patient.now) <= _reorder(case) for edge in edges)


def prophylaxis(case: Case) -> tuple[Exposure | None, Exposure | None]:
    """(scheduled, other) anticholinergic or antihistamine cover that is current or ordered with this drug.

    Only an order is a schedule: what is taken as needed, or was given some day of the last week, is cover of the other
    kind, which lowers a warning and does not silence it (S-02).
    """
    cover = [e for e in case.others if e.current and e.ingredient.classes & PROPHYLAXIS and e.route not in LOCAL_ROUTES]
    scheduled = next((e for e in cover if not e.as_needed and e.kind != _GIVEN), None)
    return scheduled, next(iter(cover), None) if scheduled is None else None


def exempt_partner(case: Case, ingredient: Ingredient) -> Exposure | None:
    """The other half of the haloperidol and promethazine pair, when this order is one half of it."""
    for own, partner in (("haloperidol", "promethazine"), ("promethazine", "haloperidol")):
        if own in ingredient.classes:
            return next(
                (
                    e
                    for e in case.others
                    if e.current and partner in e.ingredient.classes and e.route not in LOCAL_ROUTES
                ),
                None,
            )
    return None
