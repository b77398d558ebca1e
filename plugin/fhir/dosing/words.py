"""Dosage in plain words: "1 tab by mouth twice daily", "10 mg IM once", "every 6-8 hours as needed for nausea".

A text is read from its first to its last word, or not at all: one word that is not understood may turn its meaning.
"""

from __future__ import annotations

import re
import unicodedata
from decimal import Decimal
from functools import lru_cache
from typing import Any

import msgspec

from plugin.fhir.dosing.amounts import Amount
from plugin.fhir.dosing.grammar import BETWEEN, NO_REASON, PER_DAY, SCANNER, SHARES, SMALL, TWO_WAYS
from plugin.fhir.dosing.numbers import DAY, in_hours
from plugin.fhir.dosing.units import MASS, MISSING, PIECE, unit_of
from plugin.text import READ_AT_MOST

D = Decimal
_LONGEST = 240
_MEALS_A_DAY = 3


class Words(msgspec.Struct, frozen=True):
    """What a plain text says: ``times`` a day at most, ``caps`` as amount and hours, ``length`` in hours.

    ``problem`` is why an amount that stands there is none; ``fixed`` is False where amount or times are a range.
    """

    doses: tuple[Amount, ...] = ()
    problem: str = ""
    times: Decimal | None = None
    once: bool = False
    as_needed: bool = False
    count: Decimal | None = None
    length: Decimal | None = None
    caps: tuple[tuple[Amount, Decimal], ...] = ()
    fixed: bool = True


@lru_cache(maxsize=4096)
def read(text: str) -> Words | None:
    """What a text says, or None when any of it is not understood; a blank one says nothing."""
    if len(text) > READ_AT_MOST:
        return None
    text = _normal(text)
    if len(text) > _LONGEST or TWO_WAYS.search(text):
        return None
    reading = _Reading()
    place = BETWEEN.match(text).end()  # type: ignore[union-attr]
    while place < len(text):
        match = SCANNER.match(text, place)
        if match is None or match.end() == place or not reading.take(match, text):
            return None
        between = BETWEEN.match(text, match.end())
        place = between.end() if between else match.end()
    return reading.words()


# Some record systems write a number in figures and again in words, and the sum behind the count: "2 (two) tablets",
# "1 tablet (5 mg total)".
_SAID_TWICE = re.compile(r"(?<![\w.])(?P<figure>\d+) \((?P<word>[a-z]+)\)|(?P<sum>\(\d[\d.]* ?(?:mg|mcg|g)) total\)")


def _once_only(match: re.Match[str]) -> str:
    """The figure alone where the word says the same; the text as it stands where it does not."""
    if match["sum"]:
        return f"{match['sum']})"
    return match["figure"] if SMALL.get(match["word"]) == D(match["figure"]) else match[0]


_FRACTIONS = (("½", " 1/2"), ("¼", " 1/4"), ("¾", " 3/4"), ("⁄", "/"))


def _normal(text: str) -> str:
    # "1½" would become "11/2".
    for sign, words in _FRACTIONS:
        text = text.replace(sign, words)
    text = unicodedata.normalize("NFKC", text).replace("–", "-").replace("μ", "u")
    text = _SAID_TWICE.sub(_once_only, " ".join(text.lower().split()))
    return re.sub(r"\b([a-z])\.([a-z])\.(?:([a-z])\.?)?(?=\W|$)", r"\1\2\3", text)


class _Reading:
    """Collects what the parts of one text say; a part that does not fit the others makes the text not plain."""

    def __init__(self) -> None:
        self.doses: list[Amount] = []
        self.problem = ""
        self.exact: list[Decimal] = []
        self.moments = 0
        self.last_moment = -1
        self.meals = self.soft = self.is_once = self.needed = self.ranged = False
        self.count: Decimal | None = None
        self.length: Decimal | None = None
        self.caps: list[tuple[Amount, Decimal]] = []
        self.amounts = 0

    def take(self, match: re.Match[str], text: str) -> bool:
        """Take one part; False when it does not fit."""
        name = next(key for key, found in match.groupdict().items() if key[0] == "_" and found is not None)
        result: Any = getattr(self, name)(match, text)
        return result is not False

    def _range(self, text: str) -> tuple[Decimal, Decimal]:
        low, _, high = _RANGE.sub("|", text.strip()).partition("|")
        first = _value(low)
        last = _value(high) if high else first
        self.ranged = self.ranged or first != last
        return min(first, last), max(first, last)

    def _cap(self, match: re.Match[str], _: str) -> bool:
        """A limit for a day, which is said either in its unit ("mg/day") or after it."""
        unit = unit_of("", match["most_unit"])
        if isinstance(unit, str) or (unit.hours is None) == (match["most_per"] is None):
            return False
        span, unit = unit.hours or DAY, msgspec.structs.replace(unit, hours=None)
        self.caps.append((Amount(self._range(match["most"])[1], unit), span))
        return True

    def _times(self, match: re.Match[str], _: str) -> bool:
        """As "2 daily" may mean two at once or two times a day, it is not plain; "1 daily" is the same either way."""
        often = self._range(match["n"])[1]
        if match["n"][0].isdigit() and not match["x"]:
            self.problem = MISSING
            if often != 1 or self.amounts:
                return False
        self.exact.append(often / (7 if "week" in match["n_per"] else 1))
        return True

    def _every(self, match: re.Match[str], _: str) -> bool:
        step = self._range(match["step"])[0] if match["step"] else D(1)
        span = in_hours(step, match["step_unit"])
        if not span:
            return False
        self.exact.append(DAY / span)
        return True

    def _word(self, match: re.Match[str], _: str) -> None:
        self.exact.append(PER_DAY[match["word"]])

    def _daily(self, _match: re.Match[str], _: str) -> None:
        self.soft = True

    def _doses(self, match: re.Match[str], _: str) -> bool:
        self.count, before = _value(match["doses"]), self.count
        return before is None

    def _length(self, match: re.Match[str], _: str) -> bool:
        return self._lasts(_value(match["long"]), match["long_unit"])

    def _share(self, match: re.Match[str], _: str) -> bool:
        return self._lasts(D(match["share"]), SHARES[match["share_of"]])

    def _lasts(self, many: Decimal, unit: str) -> bool:
        self.length, before = in_hours(many, unit), self.length
        return before is None

    def _once(self, _match: re.Match[str], _: str) -> None:
        self.is_once = True

    def _amount(self, match: re.Match[str], text: str) -> bool:
        """One amount; a second one only in brackets, where it says the first in another way."""
        self.amounts += 1
        low, high = self._range(match["much"])
        unit = unit_of("", match["unit"])
        told_again = match[0].startswith("(") or text[: match.start()].rstrip().endswith(("(", "="))
        if self.amounts > 1 and (self.amounts > 2 or not told_again):
            return False
        if isinstance(unit, str):
            self.problem = unit
        elif unit.kind == MASS and self.doses and self.doses[0].unit.kind == PIECE and self.doses[0].value != 1:
            # "2 tablets (5 mg)" may mean 5 mg each or in all: the count stands, with the product's own strength.
            return True
        else:
            self.doses.append(Amount(high, unit))
        return low > 0

    def _needed(self, _match: re.Match[str], _: str) -> None:
        self.needed = True

    def _meal(self, _match: re.Match[str], _: str) -> None:
        self.meals = True

    def _moment(self, match: re.Match[str], text: str) -> None:
        """Count a moment of the day: "every evening at bedtime" is one, "in the morning and at night" are two."""
        joined = self.last_moment >= 0 and not text[self.last_moment : match.start()].strip()
        self.moments += 0 if joined else 1
        self.last_moment = match.end()

    def _filler(self, _match: re.Match[str], _: str) -> None:
        """Route, verb or food: nothing about how much or how often."""

    def _follows(self, _match: re.Match[str], _: str) -> None:
        """A line that follows another one, as its sequence number says."""

    def _bare(self, _match: re.Match[str], _: str) -> None:
        self.amounts += 1
        self.problem = MISSING

    def _reason(self, match: re.Match[str], _: str) -> bool:
        """What an as-needed dose is for; before "as needed" only with "for"."""
        return (self.needed or match[0].startswith("for ")) and not NO_REASON.search(match[0])

    def words(self) -> Words | None:
        """All of it together; None when it does not say one thing."""
        times = self._often()
        if times is _UNCLEAR or (self.is_once and (times is not None or self.count not in {None, D(1)})):
            return None
        once = self.is_once or (self.count == 1 and times is None)
        return Words(
            tuple(self.doses) if not self.problem else (),
            self.problem,
            times,
            once,
            self.needed,
            self.count,
            self.length,
            tuple(self.caps),
            not self.ranged,
        )

    def _often(self) -> Decimal | None:
        moments = D(self.moments + (_MEALS_A_DAY if self.meals else 0))
        if len(self.exact) > 1 or (self.exact and self.soft):
            return _UNCLEAR
        if not self.exact:
            return moments or (D(1) if self.soft else None)
        often = self.exact[0]
        if often <= 0 or self.moments > often >= 1:
            return _UNCLEAR
        return _UNCLEAR if self.meals and self.moments and often != moments else often


_UNCLEAR = D(-1)
_RANGE = re.compile(r"(?<=[\w.])\s*(?:-(?!half)|\bto\b|\bor\b)\s*(?=[\w.])")


def _value(text: str) -> Decimal:
    text = " ".join(text.split())
    return SMALL[text] if text in SMALL else D(text)
