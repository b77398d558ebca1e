"""Strength and frequency in a drug's text, read only where they are plain."""

import re
from bisect import bisect_right
from collections.abc import Iterable
from decimal import Decimal
from itertools import islice
from typing import Final

from valuesets.model import Strength
from valuesets.text.words import Hit, Word, by_first, find_longest, split_words

# A number with its unit and what it is per. The Greek letter is the micro sign in its compatibility form.
# What must not stand before it is looked at behind the first digit: only places with a digit are tried then.
_AMOUNT: Final = re.compile(
    r"([0-9](?<![\w.,][0-9])[0-9.,]*+)\s*+"
    r"(mg|mcg|\u03bcg|ug|g|gm|grams?|milligrams?|micrograms?|meq|units?|unt|iu|usp units?)\b"
    r"(?:\s*+(?:/|per\b)\s*+([0-9][0-9.,]*+)?\s*+([^\W\d_]+[0-9]?)?)?"
)
# What makes a number the second of a range, a combination or a fraction: "5-10 mg", "5 mg to 10 mg", "1/2 mg", "<5 mg".
_SECOND: Final = re.compile(
    r"[0-9.,%]\s*+(?:mg|mcg|g)?\s*+(?:[-+x\u00d7\u2010-\u2015\u2212]|to|bis|or)\s*+$|[<>\u2264\u2265~\u2044/\u2212-]\s*+$"
)
_AMOUNTS_AT_MOST: Final = 8  # a text with more is a list, not a drug
_LOOK_BACK: Final = 16  # characters before a number in which the first number of a range stands
_TO_MG: Final = (
    dict.fromkeys(("mg", "milligram", "milligrams"), Decimal(1))
    | dict.fromkeys(("mcg", "\u03bcg", "ug", "microgram", "micrograms"), Decimal("0.001"))
    | dict.fromkeys(("g", "gm", "gram", "grams"), Decimal(1000))
)
_EACH: Final = frozenset({"tablet", "tab", "tabs", "cap", "caps", "capsule", "supp", "suppository", "patch", "each"})
_PER: Final = {
    "ml": ("ml", 1), "l": ("ml", 1000), "h": ("h", 1), "hr": ("h", 1), "hour": ("h", 1), "hours": ("h", 1),
    "hrs": ("h", 1), "actuat": ("actuat", 1), "actuation": ("actuat", 1), "spray": ("actuat", 1),
}  # fmt: skip
_PRN: Final = "PRN"


class SigReader:
    """Reads strengths and frequencies; ``beside`` are the words that may stand between a name and its amount."""

    def __init__(self, frequencies: Iterable[Word], beside: frozenset[str]) -> None:
        self._frequencies = by_first(frequencies)
        self._beside = beside

    def frequency(self, tokens: list[str], unique: frozenset[str]) -> str:
        """The one frequency of a text ("BID", "Q6H", "QHS PRN"), or "" where there is none or several."""
        values = {word.value for word, *_ in find_longest(self._frequencies, tokens, unique)}
        needed = [_PRN] if _PRN in values else []
        values.discard(_PRN)
        if len(values) > 1:
            values.discard("QD")  # "once daily at bedtime" is at bedtime
        return " ".join([*values, *needed]) if len(values) < 2 else ""

    def strengths(self, plain: str, tokens: list[str], hits: list[Hit], rxcui: str) -> tuple[Strength, ...]:
        """The one strength of the text's only ingredient, or nothing where text or drug leave a doubt."""
        amounts = list(islice(_AMOUNT.finditer(plain), _AMOUNTS_AT_MOST + 1))
        if not 0 < len(amounts) <= _AMOUNTS_AT_MOST or any(hit.name.combined for hit in hits):
            return ()
        if not self._all_follow(plain, tokens, hits, amounts):
            return ()
        found: dict[tuple[Decimal, str, str], Strength] = {}
        for amount in amounts:
            try:
                strength = _strength(amount, rxcui)
            except ValueError:
                return ()
            if strength is not None:
                _keep_simplest(found, strength)
        return tuple(found.values()) if len(found) == 1 else ()

    def _all_follow(self, plain: str, tokens: list[str], hits: list[Hit], amounts: list[re.Match[str]]) -> bool:
        """True if each amount belongs to a name before it: no unknown word parts it from the name or amount before."""
        stops = sorted([hit.stop for hit in hits])
        seen = start = end = 0  # places of characters: what is counted, and where the last amount ends
        at = behind = 0  # places of words: that of the amount, and the one behind the last amount
        for amount in amounts:
            seen, start = start, amount.start()
            at += len(split_words(plain[seen:start]))
            names = bisect_right(stops, at)
            stop = stops[names - 1] if names else 0
            between = tokens[stop:at] if stop >= behind else split_words(plain[end:start])
            if not (stop or behind) or _SECOND.search(plain, max(start - _LOOK_BACK, 0), start):
                return False
            if any(map(str.isalpha, set(between).difference(self._beside))):
                return False
            end, behind = amount.end(), at + len(split_words(amount[0]))
        return True


def _strength(match: re.Match[str], rxcui: str) -> Strength | None:
    """The strength of one match, None for a rate by weight, area, day or dose; ValueError for a doubtful number."""
    number, unit, per_number, per_unit = match.groups()
    value = _number(number) * _TO_MG.get(unit, 1)
    unit = "mg" if unit in _TO_MG else "meq" if unit == "meq" else "unt"
    if per_number is None and (per_unit is None or per_unit in _EACH):
        return Strength(rxcui, _plain(value), unit)
    if per_unit in _PER:
        name, times = _PER[per_unit]
        return Strength(rxcui, _plain(value), unit, _plain(_number(per_number or "1") * times), name)
    if per_number is not None:
        raise ValueError(f"expected millilitres, hours or actuations after {per_number}")
    return None


def _number(text: str) -> Decimal:
    """A number with a decimal point or comma; ValueError where a comma may as well part thousands."""
    text = text.rstrip(".,")
    whole, mark, part = text.partition("." if "." in text else ",")
    if "," in part or "." in part or (mark and len(part) == 3 and whole != "0"):
        raise ValueError(f"{text}: cannot tell the decimal mark from a thousands mark")
    value = Decimal(f"{whole}.{part}" if mark else whole)
    if not value:
        raise ValueError("expected an amount above zero")
    return value


def _plain(value: Decimal) -> Decimal:
    """Without trailing zeros and without an exponent."""
    return value.quantize(Decimal(1)) if value == value.to_integral_value() else value.normalize()


def _keep_simplest(found: dict[tuple[Decimal, str, str], Strength], strength: Strength) -> None:
    """Keep one spelling of each strength: "10 mg/2 ml (5 mg/ml)" is 5 mg per 1 ml."""
    key = (strength.value / (strength.per_value or 1), strength.unit, strength.per_unit)
    if key not in found or strength.per_value == 1:
        found[key] = strength
