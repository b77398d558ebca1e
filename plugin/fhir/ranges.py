"""A laboratory's reference range: which of several holds for this person, and its limits in our unit."""

from __future__ import annotations

from collections.abc import Sequence
from decimal import Decimal
from functools import lru_cache

import msgspec

from plugin import units
from plugin.fhir.dose import number
from plugin.fhir.types import Quantity, Range, ReferenceRange, ranges_of
from plugin.text import plain
from valuesets.systems import UCUM

_UCUM = {"", UCUM, "urn:oid:2.16.840.1.113883.6.8"}
_AGE_UNITS = {
    **dict.fromkeys(("a", "y", "yr", "yrs", "year", "years"), "years"),
    **dict.fromkeys(("mo", "month", "months"), "months"),
    **dict.fromkeys(("wk", "week", "weeks"), "weeks"),
    **dict.fromkeys(("d", "day", "days"), "days"),
    **dict.fromkeys(("h", "hr", "hour", "hours"), "hours"),
}
_SEX_WORDS = {"male": {"male", "m"}, "female": {"female", "f"}}
# Powers of ten beyond any laboratory's: larger ones would only cost time and memory.
_WIDEST = 9
_LONGEST = 40
INFINITE = Decimal("Infinity")


class Person(msgspec.Struct, frozen=True):
    """What a reference range may depend on: sex, and age in completed years, months, weeks and days where known."""

    gender: str
    ages: dict[str, int] | None


class Bounds(msgspec.Struct, frozen=True):
    """The limits of the range in force; ``doubt_below`` is that of a range that may be in force instead.

    ``told`` is the range as the laboratory wrote it.
    """

    lower: Decimal | None = None
    upper: Decimal | None = None
    doubt_below: Decimal | None = None
    told: str = ""

    @property
    def edges(self) -> tuple[Decimal | None, Decimal | None, Decimal | None]:
        """What decides, however it is written."""
        return self.lower, self.upper, self.doubt_below

    def unreadable(self) -> Bounds:
        """The same range with a lower limit that cannot be used."""
        return Bounds(None, self.upper, INFINITE)


def amount_of(quantity: Quantity) -> Decimal | None:
    """The number of a quantity, exact; None for anything that is not a number of a size that a laboratory writes."""
    amount = number(quantity.value)
    if amount is None or (amount and not -_WIDEST <= amount.adjusted() <= _WIDEST):
        return None
    return amount


def unit_of(analyte: str, quantity: Quantity) -> units.Unit | str:
    """The conversion of a quantity, or why there is none; a code of another system than UCUM is no unit."""
    code, unit = quantity.code or "", quantity.unit or ""
    if (quantity.system or "").strip().rstrip("/") not in _UCUM and unit.strip():
        code = ""
    return units.find(analyte, code, unit)


@lru_cache(maxsize=4096)
def known_limits(analyte: str, raw: bytes, unit: units.Unit | None) -> Bounds | None:
    """The limits of a range that holds for everybody, worked out once per distinct text; None for any other."""
    ranges = ranges_of(raw) or ()
    return _bounds(analyte, ranges[0], unit) if len(ranges) == 1 and _is_plain(ranges[0]) else None


def limits_of(analyte: str, ranges: Sequence[ReferenceRange], person: Person, unit: units.Unit | None) -> Bounds:
    """The one normal range that fits this person; several different ones, or none, leave it to the default limit."""
    if not ranges:
        return _NO_RANGE
    if len(ranges) == 1 and _is_plain(ranges[0]):
        return _bounds(analyte, ranges[0], unit)
    judged = [(entry, _fits(entry, person)) for entry in ranges if _is_normal(entry)]
    fitting = [_bounds(analyte, entry, unit) for entry, fits in judged if fits]
    chosen = fitting[0] if fitting and all(one.edges == fitting[0].edges for one in fitting) else Bounds()
    maybe = [_bounds(analyte, entry, unit) for entry, fits in judged if fits is None]
    lows = [one.doubt_below if one.lower is None else one.lower for one in maybe]
    doubts = [low for low in (chosen.doubt_below, *lows) if low is not None]
    return msgspec.structs.replace(chosen, doubt_below=max(doubts, default=None))


def _is_plain(entry: ReferenceRange) -> bool:
    """One range that says nothing of whom it holds for, as most laboratories send it."""
    return entry.type is None and entry.appliesTo is None and entry.age is None


_NO_RANGE = Bounds()


def _bounds(analyte: str, entry: ReferenceRange, unit: units.Unit | None) -> Bounds:
    lower, upper = _limit(analyte, entry.low, unit), _limit(analyte, entry.high, unit)
    lost = lower is None and entry.low is not None and entry.low.value is not None
    return Bounds(lower, upper, INFINITE if lost else None, _told(entry) if lower or upper else "")


def _told(entry: ReferenceRange) -> str:
    """A range in the laboratory's own figures: "15-65 pg/mL", "from 1.15 mmol/L", "up to 22 pmol/L"."""
    low, high = (amount_of(bound) if bound is not None else None for bound in (entry.low, entry.high))
    unit = next(
        (bound.unit or bound.code for bound in (entry.low, entry.high) if bound and (bound.unit or bound.code)), ""
    )
    if low is not None and high is not None:
        figures = f"{low:f}-{high:f}"
    else:
        figures = f"from {low:f}" if low is not None else f"up to {high:f}"
    return plain(f"{figures} {unit}".strip(), _LONGEST)


def _limit(analyte: str, bound: Quantity | None, unit: units.Unit | None) -> Decimal | None:
    """A limit in our unit; without a unit of its own it has that of the value."""
    amount = amount_of(bound) if bound is not None else None
    if bound is None or amount is None:
        return None
    if analyte not in units.TABLE:
        return amount
    own = unit_of(analyte, bound)
    chosen = own if not isinstance(own, str) else unit if own == "unit-missing" else None
    return chosen.convert(amount) if chosen is not None else None


def _is_normal(entry: ReferenceRange) -> bool:
    kind = entry.type
    if kind is None:
        return True
    codes = {(coding.code or "").lower() for coding in kind.coding or () if coding.code}
    words = (kind.text or "").lower()
    return "normal" in codes or (not codes and (not words or words.startswith("normal")))


def _fits(entry: ReferenceRange, person: Person) -> bool | None:
    """Whether a range holds for this person; None when that depends on what is not known of them."""
    answers = {_fits_sex(entry, person), _within(entry.age, person)}
    return False if False in answers else None if None in answers else True


def _fits_sex(entry: ReferenceRange, person: Person) -> bool | None:
    words = {
        (text or "").strip().lower().split(" (", 1)[0]
        for concept in entry.appliesTo or ()
        for text in (concept.text, *(part for coding in concept.coding or () for part in (coding.code, coding.display)))
        if text
    }
    if not words:
        return True
    if person.gender in _SEX_WORDS:
        return bool(words & _SEX_WORDS[person.gender])
    return None if any(words & known for known in _SEX_WORDS.values()) else False


def _within(age: Range | None, person: Person) -> bool | None:
    if age is None or (age.low is None and age.high is None):
        return True
    if person.ages is None:
        return None
    low, high = _bound(age.low, person.ages), _bound(age.high, person.ages)
    if low is None or high is None:
        return None
    return low[0] <= low[1] and high[1] <= high[0]


def _bound(bound: Quantity | None, ages: dict[str, int]) -> tuple[Decimal, int] | None:
    """(the edge, the person's age in the edge's unit); without an edge the two are equal; None if unreadable."""
    if bound is None:
        return Decimal(0), 0
    unit = _AGE_UNITS.get((bound.code or bound.unit or "").strip().lower())
    amount = amount_of(bound)
    if unit is None or amount is None:
        return None
    if unit == "hours":
        # A birth date tells no hour: limits between two days are not known to be reached.
        amount, rest = divmod(amount, 24)
        return None if rest else (amount, ages["days"])
    return amount, ages[unit]
