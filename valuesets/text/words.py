"""What text matching works with: the words of a text, the names of drugs, and words with a meaning of their own."""

import re
import unicodedata
from collections.abc import Iterable
from itertools import filterfalse, islice
from typing import Final, TypeVar

import msgspec

READ_AT_MOST: Final = 1024  # characters; a drug name is never longer, and the time of one match stays bounded
# Five letters and more end where a digit follows: "haloperidol5mg" is two words, "d3" and "mgso4" are one.
WORD: Final = re.compile(r"[^\W\d_]{5,}+|[^\W_]+")
_ASCII_WORD: Final = re.compile(r"[a-z]{5,}+|[a-z0-9]+")  # the same for a normalised text, in half the time
_DECOMPOSED_AT_ONCE: Final = 96  # characters; one may become eighteen, and not more than needed are decomposed
_ACCENTS: Final = re.compile("[\u0300-\u036f]+")  # those of Latin letters, which are almost all
_INVISIBLE: Final = "\u00ad\u034f\u061c\u180e\u200b\u200c\u200d\u200e\u200f\u2060\u2061\u2062\u2063\u2064\ufeff"
_MARKED: Final = re.compile(f"[®©™℠Ⓡⓡⓒ{_INVISIBLE}]")
_MARKS: Final = dict.fromkeys(map(ord, "®©™℠Ⓡⓡⓒ"), " ") | dict.fromkeys(map(ord, _INVISIBLE))


class Name(msgspec.Struct, frozen=True):
    """A drug name: its further words after the first, the ingredients it stands for, and what it implies.

    ``combined`` marks a product that holds further ingredients, which the table does not know. A name without
    ingredients is a phrase that only looks like a drug ("blood glucose").
    """

    phrase: str
    rest: tuple[str, ...]
    ingredients: tuple[str, ...]
    long_acting: bool = False
    route: str = ""
    combined: bool = False


class Word(msgspec.Struct, frozen=True):
    """A word, or several in a row, with a meaning of its own.

    ``kind`` is "rejection", "neutral" (a rejection word that is part of a product's name), "route", "route-form" (a
    dose form that suggests a route), "route-field" (read in a route field only), "long-acting", "frequency", "beside"
    (a salt, maker or form that may stand between a name and its amount), "look-alike" (a word that is no misspelling of
    a drug's name) or "not-a-drug" (holds a drug's name and means something else). ``value`` is the route
    or the frequency; ``applies_to`` limits a long-acting word to ingredients; ``parenteral_only`` words count with an
    injection.
    """

    phrase: str
    rest: tuple[str, ...]
    kind: str
    value: str = ""
    applies_to: frozenset[str] = frozenset()
    parenteral_only: bool = False


class Hit(msgspec.Struct, frozen=True, gc=False):
    """A name found in a text: its first word's place and the one behind its last, and the misspelt word, or ""."""

    name: Name
    start: int
    stop: int
    misspelt: str = ""


P = TypeVar("P", Name, Word)


def normalise(text: str) -> str:
    """Lower case, compatibility forms resolved, accents, invisible characters and trademark signs removed.

    One character may stand for many ("ffi", "mg"): of a text beyond ASCII 3,072 decomposed ones are looked at, and the
    first 1,024 of what is left of them are kept.
    """
    if text.isascii():
        return text.casefold()
    parts: list[str] = []
    wanted, room = 2 * READ_AT_MOST, READ_AT_MOST
    for start in range(0, len(text), _DECOMPOSED_AT_ONCE):
        part = text[start : start + _DECOMPOSED_AT_ONCE]
        if not part.isascii():
            part = unicodedata.normalize("NFKD", part.translate(_MARKS) if _MARKED.search(part) else part)[:wanted]
        wanted -= len(part)
        part = _without_accents(part, room)
        room -= len(part)
        parts.append(part)
        if not (wanted > 0 and room > 0):
            break
    return "".join(parts).casefold()


def _without_accents(decomposed: str, room: int) -> str:
    """The first ``room`` characters that are not combining ones."""
    plain = decomposed if decomposed.isascii() else _ACCENTS.sub("", decomposed)
    return plain[:room] if plain.isascii() else "".join(islice(filterfalse(unicodedata.combining, plain), room))


def split_words(text: str) -> list[str]:
    """The words of an already normalised text."""
    return (_ASCII_WORD if text.isascii() else WORD).findall(text)


def by_first(phrases: Iterable[P]) -> dict[str, tuple[P, ...]]:
    """Phrases by their first word, the longest first."""
    index: dict[str, list[P]] = {}
    for phrase in phrases:
        index.setdefault(phrase.phrase.split(" ", 1)[0], []).append(phrase)
    return {first: tuple(sorted(group, key=lambda entry: -len(entry.rest))) for first, group in index.items()}


def longest(candidates: tuple[P, ...], tokens: list[str], at: int) -> P | None:
    """The longest of the phrases, which share their first word, that stands at place ``at`` of a text."""
    following = tokens[at + 1] if at + 1 < len(tokens) else ""
    for phrase in candidates:
        if not phrase.rest:
            return phrase
        if phrase.rest[0] == following and tuple(tokens[at + 1 : at + 1 + len(phrase.rest)]) == phrase.rest:
            return phrase
    return None


def find_longest(index: dict[str, tuple[P, ...]], tokens: list[str]) -> list[tuple[P, int, int]]:
    """The phrases of a text from left to right, none overlapping another, and where they begin and end."""
    found: list[tuple[P, int, int]] = []
    stop = 0
    for at in [at for at, token in enumerate(tokens) if token in index]:
        if at < stop:
            continue
        candidates = index[tokens[at]]
        if not candidates[0].rest:
            found.append((candidates[0], at, at + 1))
        elif (phrase := longest(candidates, tokens, at)) is not None:
            stop = at + 1 + len(phrase.rest)
            found.append((phrase, at, stop))
    return found
