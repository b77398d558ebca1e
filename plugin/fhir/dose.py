"""Doses of an order in mg of each ingredient: each, per day and within the first 24 hours, and how long it goes on.

What cannot be computed is None with the reason in words, never zero. A range counts with its high end, an interval
with its short one: the dose that can do harm.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from decimal import ROUND_CEILING, Decimal
from functools import lru_cache
from typing import Any

import msgspec

from plugin.fhir.dosing.amounts import Amount, amount_of, milligrams
from plugin.fhir.dosing.lines import KEPT, UNREAD_TEXT, Line, lines_of, source_of
from plugin.fhir.dosing.numbers import DAY, hours, number
from plugin.fhir.dosing.units import PATCH
from plugin.fhir.types import DispenseRequest, Resource, supply_of
from plugin.patient import Dose, IngredientDose, Medication

__all__ = ["hours", "is_single", "number", "of_order"]

D = Decimal
Parts = Mapping[str, Decimal]

NO_FREQUENCY = "no frequency"
NO_DOSE = "no dose stated beside the schedule"
PER_KILOGRAM = "dose per kg without a weight"


class _Figures(msgspec.Struct, frozen=True):
    """One line in mg per ingredient; None where it cannot be computed. ``single`` for no daily dose at all."""

    line: Line
    each: Parts | None
    daily: Parts | None
    reason: str
    unreadable: bool
    per_kg: Decimal | None
    per_kg_daily: Decimal | None
    cap: Parts | None

    def first(self, span: Decimal) -> Parts | None:
        """The most within the first ``span`` hours of the line: a whole dose at least, and no more than the limit."""
        schedule = self.line.schedule
        if self.each is None:
            lasting = span if schedule.length is None else min(span, schedule.length)
            return _times(self.daily, lasting / DAY) if self.line.amounts.rates else self.cap
        if schedule.once:
            return self.each
        most = self.cap
        if schedule.often.times is not None:
            found = {name: value * schedule.doses_in(span) for name, value in self.each.items()}
            most = found if most is None else _least(found, most)
        return self.each if most is None else {name: max(value, most[name]) for name, value in self.each.items()}


def of_order(resource: Resource, medication: Medication, limit_hours: Decimal) -> Dose:
    """The doses of one order; ``limit_hours`` is how long a course may be to count as a single dose.

    Lines of one sequence number, or of none, are taken together; those of different ones follow each other. Raises
    msgspec.ValidationError where an element is of a wrong shape.
    """
    found: Dose = _worked_out(_dose, resource, medication, limit_hours)
    return found


def is_single(resource: Resource, limit_hours: Decimal) -> bool:
    """One dose and no more, or a course of at most ``limit_hours`` (S-08). Raises as ``of_order``."""
    found: bool = _worked_out(_single, resource, limit_hours)
    return found


def _worked_out(work: Callable[..., Any], resource: Resource, *more: Any) -> Any:
    """The same order comes several times in a call and in the calls that follow: what was worked out is kept."""
    source, supply = source_of(resource), bytes(resource.raw_dispenseRequest or b"")
    kept = work if len(source) + len(supply) <= KEPT else work.__wrapped__  # type: ignore[attr-defined]
    return kept(source, supply, *more)


@lru_cache(maxsize=4096)
def _single(source: bytes, supply: bytes, limit_hours: Decimal) -> bool:
    return _is_single(lines_of(source), supply_of(supply) if supply else None, limit_hours)


@lru_cache(maxsize=4096)
def _dose(source: bytes, supply: bytes, medication: Medication, limit_hours: Decimal) -> Dose:
    lines, request = lines_of(source), supply_of(supply) if supply else None
    if len(lines) > 1:
        lines = tuple([line for line in lines if not line.silent]) or lines
    if not lines:
        return Dose(single=_short_supply(request, limit_hours), length_days=_supplied(request, [], medication))
    figures = [_figures(line, medication) for line in lines]
    groups = _groups(figures)
    sole = figures[0] if len(figures) == 1 else None
    each, daily = (
        (sole.each, sole.daily) if sole is not None else (_highest([one.each for one in figures]), _daily(groups))
    )
    first = None
    if not medication.long_acting:
        first = sole.first(DAY) if sole is not None else _first(groups)
    steps = _steps(groups) if len(groups) > 1 and not medication.long_acting else ()
    names = [item.rxcui for item in medication.ingredients] or [""]
    told = max(figures, key=lambda found: (found.unreadable, bool(found.reason)))
    return Dose(
        tuple(
            [
                (name, IngredientDose(_of(each, name), _of(daily, name), _of(first, name), _of_each(steps, name)))
                for name in names
            ]
        ),
        max([found.per_kg for found in figures if found.per_kg is not None], default=None),
        _sum([found.per_kg_daily for found in figures]),
        _is_single(lines, request, limit_hours),
        all(line.schedule.as_needed for line in lines),
        told.unreadable,
        told.reason,
        _length(groups, request, medication),
        medication.long_acting,
        _interval(lines) if medication.long_acting else None,
    )


def _figures(line: Line, medication: Medication) -> _Figures:
    amounts, schedule = line.amounts, line.schedule
    each, why = _in_mg(amounts.doses, medication, amounts.problem)
    times = schedule.often.times
    if times is not None and any(amount.unit.kind == PATCH for amount in amounts.doses):
        # A patch is worn until the next one: it gives off its daily amount however seldom it is changed.
        times = max(times, D(1))
    daily = None if schedule.once or each is None or times is None else _times(each, times)
    if each is None and amounts.rates and not amounts.doses:
        daily, why = _in_mg(amounts.rates, medication, amounts.problem, DAY)
    per_kg = _per_kg(amounts.doses, medication, amounts.problem)
    per_kg_daily = per_kg * times if per_kg is not None and times is not None and not schedule.once else None
    if amounts.rates and not amounts.doses:
        per_kg_daily = _per_kg(amounts.rates, medication, amounts.problem, DAY)
    cap = _cap(line, medication, DAY) if line.caps else None
    if cap is not None and not schedule.once:
        daily = cap if daily is None else _least(daily, cap)
    first_cap = _cap(line, medication, None) if line.caps else None
    reason, unreadable = _reason(line, each, daily, why)
    return _Figures(line, each, daily, reason, unreadable, per_kg, per_kg_daily, first_cap)


def _reason(line: Line, each: Parts | None, daily: Parts | None, why: str) -> tuple[str, bool]:
    """Why a daily dose cannot be told, and whether that is because something stated cannot be read."""
    problem = line.schedule.often.problem
    if each is None and not (daily and line.amounts.rates):
        if line.amounts.any:
            return why, True
        return (NO_DOSE if line.said else UNREAD_TEXT, True) if line.said is not None else ("", False)
    if daily is not None or line.schedule.once:
        return "", False
    if problem or line.said is False:
        return problem or UNREAD_TEXT, True
    return NO_FREQUENCY, False


def _in_mg(
    amounts: Sequence[Amount], medication: Medication, problem: str, span: Decimal | None = None
) -> tuple[Parts | None, str]:
    """The highest of what the amounts are in mg, rates over ``span`` hours; or None and the reason."""
    found: dict[str, Decimal] = {}
    why = problem
    for amount in () if problem else amounts:
        if amount.unit.per_kg:
            why = why or PER_KILOGRAM
            continue
        parts = milligrams(amount, medication)
        if isinstance(parts, str):
            why = why or parts
            continue
        share = span / (amount.unit.hours or DAY) if span is not None else 1
        for name, value in parts.items():
            found[name] = max(found.get(name, D(0)), value * share)
    return (found, "") if found else (None, why)


def _per_kg(
    amounts: Sequence[Amount], medication: Medication, problem: str, span: Decimal | None = None
) -> Decimal | None:
    """The highest dose per kg of body weight in mg, of a product of one ingredient."""
    by_weight = [amount for amount in amounts if amount.unit.per_kg]
    if not by_weight:
        return None
    plain = [Amount(amount.value, msgspec.structs.replace(amount.unit, per_kg=False)) for amount in by_weight]
    found, _ = _in_mg(plain, medication, problem, span)
    return next(iter(found.values())) if found is not None and len(found) == 1 else None


def _cap(line: Line, medication: Medication, span: Decimal | None) -> Parts | None:
    """The lowest limit that the line states, a day on average, or for its first 24 hours without ``span``."""
    lowest: Parts | None = None
    for amount, per in line.caps:
        most = milligrams(amount, medication)
        if isinstance(most, str) or amount.unit.per_kg:
            continue
        share = span / per if span is not None else (DAY / per).to_integral_value(ROUND_CEILING)
        limit = {name: value * share for name, value in most.items()}
        lowest = limit if lowest is None else _least(lowest, limit)
    return lowest


def _least(one: Parts, other: Parts) -> Parts:
    return {name: min(value, other.get(name, value)) for name, value in {**other, **one}.items()}


def _times(parts: Parts | None, times: Decimal) -> Parts | None:
    return None if parts is None else {name: value * times for name, value in parts.items()}


def _of(parts: Parts | None, name: str) -> Decimal | None:
    return parts.get(name) if parts is not None else None


def _sum(parts: Iterable[Decimal | None]) -> Decimal | None:
    total = D(0)
    for part in parts:
        if part is None:
            return None
        total += part
    return total


def _added(parts: Sequence[Parts | None]) -> Parts | None:
    """The sum per ingredient; one that any of them lacks has none, and None makes the whole None."""
    return _joined(parts, lambda found: sum(found, D(0)))


def _highest(parts: Sequence[Parts | None]) -> Parts | None:
    """The highest per ingredient, on the same terms as the sum."""
    return _joined(parts, max)


def _joined(parts: Sequence[Parts | None], join: Callable[[list[Decimal]], Decimal]) -> Parts | None:
    known = [part for part in parts if part is not None]
    if not known or len(known) < len(parts):
        return None
    if len(known) == 1:
        return known[0]
    found = {name: [part[name] for part in known if name in part] for name in known[0]}
    return {name: join(values) for name, values in found.items() if len(values) == len(known)}


Group = list[_Figures]


def _groups(figures: Sequence[_Figures]) -> list[Group]:
    """Lines that are taken together, in the order in which they follow each other.

    Lines without a sequence number go with every one that has it, and so they do with the first.
    """
    numbers = [] if len(figures) == 1 else sorted({at for one in figures if (at := one.line.sequence) is not None})
    if len(numbers) < 2:
        return [list(figures)]
    loose = [one for one in figures if one.line.sequence is None]
    return [[one for one in figures if one.line.sequence == at] + loose for at in numbers]


def _daily(groups: Sequence[Group]) -> Parts | None:
    """The highest daily dose of what follows each other; lines of a single dose have none and count for none."""
    found = []
    for group in groups:
        lasting = [one.daily for one in group if not one.line.schedule.once]
        if lasting:
            found.append(_added(lasting))
    return _highest(found)


def _first(groups: Sequence[Group]) -> Parts | None:
    """The first 24 hours: what is given together, and what follows it within that time (a loading dose, say)."""
    passed, found = D(0), []
    loose: set[int] = set()
    for group in groups:
        found += [one.first(DAY - passed) for one in group if id(one) not in loose]
        loose |= {id(one) for one in group if one.line.sequence is None}
        passed += max([_wait(one.line) for one in group if one.line.sequence is not None], default=DAY)
        if passed >= DAY:
            break
    return _added(found)


def _steps(groups: Sequence[Group]) -> tuple[tuple[Decimal, Parts], ...]:
    """The daily doses of what follows each other, with the hours at which each begins at the earliest."""
    passed, found = D(0), []
    for group in groups:
        daily = _added([one.daily for one in group if not one.line.schedule.once])
        if daily is not None:
            found.append((passed, daily))
        passed += max([_wait(one.line) for one in group if one.line.sequence is not None], default=DAY)
    return tuple(found)


def _of_each(steps: Sequence[tuple[Decimal, Parts]], name: str) -> tuple[tuple[Decimal, Decimal], ...]:
    return tuple([(begins, parts[name]) for begins, parts in steps if name in parts])


def _span(line: Line) -> Decimal | None:
    """How long a line lasts, in hours; a single dose no time at all."""
    return D(0) if line.schedule.once else line.schedule.length


def _wait(line: Line) -> Decimal:
    """How long a line surely keeps the next one waiting, in hours: without any end stated, a whole day."""
    span = _span(line)
    return span if span is not None else D(0) if line.schedule.open_end else DAY


def _is_single(lines: Sequence[Line], request: DispenseRequest | None, limit_hours: Decimal) -> bool:
    """All lines short, and those that follow each other short together; a line without a length by its supply."""
    lengths = [_span(line) for line in lines]
    known = [length for length in lengths if length is not None]
    if (len(known) < len(lengths) or not lines) and not _short_supply(request, limit_hours):
        return False
    follow = len(lines) > 1 and len({line.sequence for line in lines}) > 1
    return (sum(known, D(0)) if follow else max(known, default=D(0))) <= limit_hours


def _interval(lines: Sequence[Line]) -> Decimal | None:
    """Days from one dose to the next, of several lines the shortest; None where it is not known."""
    times = [line.schedule.often.times for line in lines if not line.schedule.once]
    known = [often for often in times if often]
    return 1 / max(known) if known else None


def _short_supply(request: DispenseRequest | None, limit_hours: Decimal) -> bool:
    if request is None or (length := hours(request.expectedSupplyDuration)) is None:
        return False
    return length <= limit_hours and _repeats(request) == 0


def _repeats(request: DispenseRequest) -> Decimal | None:
    """How often the supply may be repeated; None where that cannot be read."""
    stated = request.numberOfRepeatsAllowed
    repeats = number(stated)
    return D(0) if stated is None else repeats if repeats is not None and repeats >= 0 else None


def _length(groups: Sequence[Group], request: DispenseRequest | None, medication: Medication) -> Decimal | None:
    """The planned length in days: what the lines say, one group after the other, else what is supplied."""
    found = []
    for group in groups:
        lengths = [one.line.schedule.length or (DAY if one.line.schedule.once else None) for one in group]
        found.append(None if None in lengths else max(length for length in lengths if length is not None))
    total = _sum(found)
    if total is not None:
        return total / DAY
    return _supplied(request, groups[0] if len(groups) == 1 else [], medication)


def _supplied(request: DispenseRequest | None, figures: Sequence[_Figures], medication: Medication) -> Decimal | None:
    """Days of supply with every repeat; the quantity decides where the order says no length and the use is fixed."""
    if request is None:
        return None
    length = hours(request.expectedSupplyDuration)
    days = length / DAY if length is not None else _days_of(request, figures, medication)
    repeats = _repeats(request)
    return days * (1 + repeats) if days is not None and repeats is not None else None


def _days_of(request: DispenseRequest, figures: Sequence[_Figures], medication: Medication) -> Decimal | None:
    """How many days the quantity to dispense lasts, where every dose and its frequency are fixed."""
    if request.quantity is None or not figures:
        return None
    quantity = amount_of(request.quantity)
    if isinstance(quantity, str) or quantity.unit.per_kg or quantity.unit.hours is not None:
        return None
    used = [_used(one.line, quantity, medication) for one in figures]
    total = _sum(used)
    return quantity.value / total if total else None


def _used(line: Line, quantity: Amount, medication: Medication) -> Decimal | None:
    """How much of what is dispensed a line uses in a day, in the quantity's own unit."""
    schedule, amounts = line.schedule, line.amounts
    times = schedule.often.times
    if times is None or schedule.once or schedule.as_needed or not schedule.often.fixed or not amounts.fixed:
        return None
    for amount in amounts.doses:
        if amount.unit.kind == quantity.unit.kind and not amount.unit.per_kg:
            return amount.value * amount.unit.factor / quantity.unit.factor * times
    dose, _ = _in_mg(amounts.doses, medication, amounts.problem)
    whole = milligrams(Amount(D(1), quantity.unit), medication)
    if dose is None or isinstance(whole, str):
        return None
    return next((dose[name] / whole[name] * times for name in whole if name in dose), None)
