"""One dosage line, read once: what it says about dose and schedule, before the product is known."""

from __future__ import annotations

from decimal import Decimal
from functools import lru_cache

import msgspec

from plugin.fhir.dosing import words as plain
from plugin.fhir.dosing.amounts import Amount, Stated, amount_of, stated
from plugin.fhir.dosing.numbers import DAY, hours, in_hours, number, positive
from plugin.fhir.dosing.timing import Schedule, schedule_of
from plugin.fhir.dosing.words import Words
from plugin.fhir.types import Dosage, Repeat, Resource, dosages_of

D = Decimal

UNREAD_TEXT = "dosage text cannot be read"
NO_DURATION = "infusion rate without a duration"


class Line(msgspec.Struct, frozen=True):
    """What one Dosage says. ``said`` is None without any words, and False where they are not plain.

    ``caps`` are limits with the hours that each is for.
    """

    amounts: Stated
    schedule: Schedule
    caps: tuple[tuple[Amount, Decimal], ...]
    sequence: Decimal | None
    said: bool | None

    @property
    def silent(self) -> bool:
        """Neither a dose nor words: a route, say."""
        return not self.amounts.any and self.said is None and not self.caps


def source_of(resource: Resource) -> bytes:
    """The bytes that hold the dosage lines of any medication resource; empty for none."""
    for raw in (resource.raw_dosageInstruction, resource.raw_dosage):
        if raw and (found := bytes(raw)) != _NOTHING:
            return found
    return b""


_NOTHING = b"null"


def lines_of(source: bytes) -> tuple[Line, ...]:
    """The dosage lines in ``source``, each distinct text of them read once."""
    if not source:
        return ()
    return _lines(source) if len(source) <= KEPT else _lines.__wrapped__(source)


KEPT = 8192
"""Dosage of more bytes than any real order has is read, but not kept."""


@lru_cache(maxsize=4096)
def _lines(source: bytes) -> tuple[Line, ...]:
    return tuple([line_of(dosage) for dosage in dosages_of(source) or ()])


def line_of(dosage: Dosage) -> Line:
    """One Dosage; its text tells what its elements leave open."""
    text = (dosage.text or "").strip()
    words = plain.read(text) if text else None
    schedule = schedule_of(dosage, words)
    amounts = stated(dosage)
    if not amounts.any and words is not None and (words.doses or words.problem):
        amounts = _worded(words)
    repeat = dosage.timing.repeat if dosage.timing is not None else None
    amounts = _rates_as_doses(amounts, schedule, repeat)
    caps = _caps(dosage) or (words.caps if words is not None else ())
    return Line(amounts, schedule, caps, number(dosage.sequence), (words is not None) if text else None)


def _worded(words: Words) -> Stated:
    rates = tuple([amount for amount in words.doses if amount.unit.hours is not None])
    doses = tuple([amount for amount in words.doses if amount.unit.hours is None])
    return Stated(doses, rates, words.problem, words.fixed, True)


def _rates_as_doses(amounts: Stated, schedule: Schedule, repeat: Repeat | None) -> Stated:
    """A rate for a known time is a dose, and so is a daily amount that is given in so many doses a day."""
    if not amounts.rates or amounts.doses:
        return amounts
    times, lasting = schedule.often.times, _lasting(repeat)
    doses = []
    for rate in amounts.rates:
        span = rate.unit.hours or DAY
        if lasting is not None:
            doses.append(_dose(rate, lasting / span))
        elif times is not None and span == DAY:
            doses.append(_dose(rate, 1 / times))
    if doses:
        return msgspec.structs.replace(amounts, doses=tuple(doses), rates=())
    if times is not None or schedule.once:
        return msgspec.structs.replace(amounts, problem=NO_DURATION)
    return amounts


def _dose(rate: Amount, times: Decimal) -> Amount:
    return Amount(rate.value * times, msgspec.structs.replace(rate.unit, hours=None))


def _lasting(repeat: Repeat | None) -> Decimal | None:
    """How long one infusion takes, in hours; of a range the longer."""
    if repeat is None:
        return None
    found = [positive(value) for value in (repeat.duration, repeat.durationMax) if value is not None]
    known = [value for value in found if value is not None]
    if not known or len(known) < len(found):
        return None
    return in_hours(max(known), repeat.durationUnit or "")


def _caps(dosage: Dosage) -> tuple[tuple[Amount, Decimal], ...]:
    """The limits that the order itself states (maxDosePerPeriod); one that cannot be read limits nothing."""
    ratios = dosage.maxDosePerPeriod
    found = []
    for ratio in ratios if isinstance(ratios, list) else (ratios,) if ratios is not None else ():
        most = amount_of(ratio.numerator) if ratio.numerator is not None else ""
        span = hours(ratio.denominator)
        if not isinstance(most, str) and most.unit.hours is None and span:
            found.append((most, span))
    return tuple(found)
