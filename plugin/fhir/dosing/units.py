"""Units of a dose: mass, volume, pieces, actuations and patches, each perhaps per kg of body weight and per time.

The table is closed. A unit that is not in it, or whose code and text differ, makes a dose not computable.
"""

from __future__ import annotations

import re
from decimal import Decimal
from functools import lru_cache

import msgspec

from plugin.fhir.dosing.numbers import in_hours
from valuesets.systems import UCUM

D = Decimal

MASS, VOLUME, PIECE, ACTUATION, PATCH = "mass", "volume", "piece", "actuation", "patch"
UNKNOWN = "dose unit unknown"
MISSING = "dose without a unit"
DIFFER = "the dose's unit and its code differ"
SURFACE = "dose per body surface"
ACTIVITY = "dose in units of activity (IU)"
MOLES = "dose in mmol or mEq"

# Factors: to mg, to mL; a piece, an actuation and a patch count as themselves.
_SPELLINGS: dict[tuple[str, Decimal], str] = {
    (MASS, D(1)): "mg mgs milligram milligrams milligramme milligrammes",
    (MASS, D(1000)): "g gm gms gram grams gramme grammes",
    (MASS, D("0.001")): "ug mcg mcgs microgram micrograms microgramme microgrammes",
    (MASS, D("0.000001")): "ng nanogram nanograms",
    (VOLUME, D(1)): "ml mls milliliter milliliters millilitre millilitres cc",
    (VOLUME, D(10)): "cl",
    (VOLUME, D(100)): "dl",
    (VOLUME, D(1000)): "l liter liters litre litres",
    (PIECE, D(1)): (
        "1 each ea tbl tab tabs tablet tablets cap caps capsule capsules pill pills caplet caplets sup supp "
        "suppository suppositories lozenge lozenges film films strip strips sachet sachets packet packets"
    ),
    (ACTUATION, D(1)): "puff puffs spray sprays actuation actuations actuat inhalation inhalations",
    (PATCH, D(1)): "patch patches",
}
_TABLE = {word: kind for kind, words in _SPELLINGS.items() for word in words.split()}
_REASONS = {
    **dict.fromkeys("iu [iu] unit units unt [usp'u] usp'u u miu kiu [iu]s".split(), ACTIVITY),  # noqa: SIM905
    **dict.fromkeys("mmol mmols meq meqs umol mol eq".split(), MOLES),  # noqa: SIM905
}
WORDS = tuple(sorted({*_TABLE, *_REASONS, "drop", "drops"} - {"1", "a", "u", "l"}, key=len, reverse=True))
"""Spellings that plain text may use, longest first; drops are known to be no measure of mass."""
_PER_TIME = re.compile(r"(\d{0,3})([a-z]+)")
_ANNOTATION = re.compile(r"\{[^{}]*\}")


class Unit(msgspec.Struct, frozen=True, gc=False):
    """``kind`` with the factor to mg or mL; ``per_kg`` of body weight; ``hours`` is the time that a rate is per."""

    kind: str
    factor: Decimal
    per_kg: bool = False
    hours: Decimal | None = None


Read = Unit | str
"""A unit, or the reason why there is none."""


@lru_cache(maxsize=4096)
def unit_of(code: str, text: str, system: str = "") -> Read:
    """What a Quantity's code and unit text mean.

    A text that means nothing beside a known code does not matter ("milligrams by mouth"); nor does a code that is not
    UCUM's beside a known text. Both known and different is a reason, never a choice.
    """
    if not code.strip() and not text.strip():
        return MISSING
    coded = _read(code) if code.strip() else None
    worded = _read(text) if text.strip() else None
    if coded is None or (coded == UNKNOWN and system != UCUM):
        return worded if worded is not None else UNKNOWN
    if worded is None or worded in (UNKNOWN, coded):
        return coded
    return UNKNOWN if coded == UNKNOWN else DIFFER


def _read(text: str) -> Read:
    head, *rest = _plain(text).split("/")
    kind = _TABLE.get(head)
    if kind is None:
        return _REASONS.get(head, UNKNOWN)
    per_kg, length = False, None
    for part in rest:
        if part == "kg" and not per_kg:
            per_kg = True
        elif part in {"m2", "m^2"}:
            return SURFACE
        elif (span := _span(part)) is not None and length is None:
            length = span
        elif part != "dose":
            return UNKNOWN
    return Unit(*kind, per_kg, length)


def _plain(text: str) -> str:
    """Lower case, without blanks, with one sign for micro and "/" for "per"; "{tablet}" and "tablet(s)" as "tablet"."""
    text = text.lower().replace("µ", "u").replace("μ", "u").replace("(s)", "").replace("²", "2")
    text = "".join(text.replace(" per ", "/").split()).rstrip(".")
    if text.startswith("{") and text.endswith("}"):
        return text[1:-1]
    return _ANNOTATION.sub("", text)


def _span(text: str) -> Decimal | None:
    match = _PER_TIME.fullmatch(text)
    return in_hours(D(match[1] or 1), match[2]) or None if match else None
