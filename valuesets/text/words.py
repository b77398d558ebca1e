"""What text matching works with: the words of a text, the names of drugs, and words with a meaning of their own."""

import re
import unicodedata
from collections.abc import Iterable, Mapping
from itertools import filterfalse, islice
from typing import Final, Generic, TypeVar

import msgspec

READ_AT_MOST: Final = 704  # characters; the longest name of a product in RxNorm has 659, and one match stays short
WORDS_AT_MOST: Final = 144  # of those; the longest name has 133
_DECOMPOSED_AT_MOST: Final = 3 * READ_AT_MOST // 2
# Five letters and more end where a digit follows: "haloperidol5mg" is two words, "d3" and "mgso4" are one.
WORD: Final = re.compile(r"[^\W\d_]{5,}+|[^\W_]+")
_BLANKS: Final = {code: " " for code in range(128) if not chr(code).isalnum()}
_SHORTEST_PARTED: Final = 6  # characters: five letters and a digit
_EXPANDING: Final = re.compile("[\u3200-\u33ff\ufdfa\ufdfb]")  # all others become four characters at most
_DECOMPOSED_AT_ONCE: Final = 96  # of those, which become up to eighteen; not more than needed are decomposed
_ACCENTS: Final = re.compile("[\u0300-\u036f]+")  # those of Latin letters, which are almost all
_SIGN: Final = re.compile(r"[^\w\s]")  # among these are all combining characters
_SIGNS_AT_ONCE: Final = 16  # different ones of a text; each takes a pass of its own
_INVISIBLE: Final = "\u00ad\u034f\u061c\u180e\u200b\u200c\u200d\u200e\u200f\u2060\u2061\u2062\u2063\u2064\ufeff"
_TRADE_MARKS: Final = "®©™℠Ⓡⓡⓒ"
_MARKED: Final = re.compile(f"[{_TRADE_MARKS}{_INVISIBLE}]")


class Name(msgspec.Struct, frozen=True):
    """A drug name: its further words after the first, the ingredients it stands for, and what it implies.

    ``combined`` marks a product that holds further ingredients; ``further`` names those that the table knows by name
    alone. A name without ingredients is a phrase that only looks like a drug ("blood glucose").
    """

    phrase: str
    rest: tuple[str, ...]
    ingredients: tuple[str, ...]
    long_acting: bool = False
    route: str = ""
    combined: bool = False
    further: tuple[str, ...] = ()


class Word(msgspec.Struct, frozen=True):
    """A word, or several in a row, with a meaning of its own.

    ``kind`` is "rejection", "rejection-first" and "rejection-last" (at the beginning or the end of a text), "neutral"
    (a rejection word that is part of a product's name), "route", "route-form" (a dose form that suggests a route),
    "route-field" (read in a route field only), "long-acting", "frequency", "beside" (a salt, maker or form that may
    stand between a name and its amount), "look-alike" (a word that is no misspelling of a drug's name) or "not-a-drug"
    (holds a drug's name and means something else). ``value`` is the route or the frequency; ``applies_to`` limits a
    long-acting word to ingredients; ``parenteral_only`` words count with an injection.
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


class Node(Generic[P]):
    """A word of phrases: ``ends`` are the phrases of which it is the last, ``further`` their next words."""

    __slots__ = ("ends", "further")

    def __init__(self) -> None:
        self.ends: tuple[P, ...] = ()
        self.further: dict[str, Node[P]] = {}


Index = dict[str, Node[P]]
"""Phrases by their first word."""


def normalise(text: str) -> str:
    """Lower case, compatibility forms resolved, accents, invisible characters and trademark signs removed.

    One character may stand for many ("ffi", "mg"): of a text beyond ASCII 1,056 decomposed ones are looked at, and the
    first 704 of what is left of them are kept.
    """
    if text.isascii():
        return text.casefold()
    parts: list[str] = []
    wanted, room = _DECOMPOSED_AT_MOST, READ_AT_MOST
    at_once = _DECOMPOSED_AT_ONCE if _EXPANDING.search(text) else READ_AT_MOST
    for start in range(0, len(text), at_once):
        part = text[start : start + at_once]
        if not part.isascii():
            part = unicodedata.normalize("NFKD", _without_marks(part))[:wanted]
        wanted -= len(part)
        part = _without_accents(part, room)
        room -= len(part)
        parts.append(part)
        if not (wanted > 0 and room > 0):
            break
    return "".join(parts).casefold()


def _without_marks(text: str) -> str:
    """Blanks for trademark signs, and nothing for invisible characters."""
    if _MARKED.search(text):
        for sign in _TRADE_MARKS:
            text = text.replace(sign, " ")
        for sign in _INVISIBLE:
            text = text.replace(sign, "")
    return text


def _without_accents(decomposed: str, room: int) -> str:
    """The first ``room`` characters that are not combining ones."""
    plain = decomposed if decomposed.isascii() else _ACCENTS.sub("", decomposed)
    start = plain[:room]
    if start.isascii() or not any(map(unicodedata.combining, set(_SIGN.findall(start)))):
        return start
    return "".join(islice(filterfalse(unicodedata.combining, plain), room))


def split_words(text: str) -> list[str]:
    """The words of an already normalised text: what ``WORD`` finds, in less time."""
    tokens = (text.translate(_BLANKS) if text.isascii() else _without_signs(text)).split()
    mixed = {token for token in set(tokens) if len(token) >= _SHORTEST_PARTED and not token.isalpha()}
    for at in reversed([at for at, token in enumerate(tokens) if token in mixed] if mixed else []):
        tokens[at : at + 1] = WORD.findall(tokens[at])
    return tokens


def _without_signs(text: str) -> str:
    """Blanks for all that is no letter, digit or blank."""
    signs = {"_", *_SIGN.findall(text)}
    if len(signs) > _SIGNS_AT_ONCE:
        return _SIGN.sub(" ", text.replace("_", " "))
    for sign in signs:
        text = text.replace(sign, " ")
    return text


def by_first(phrases: Iterable[P]) -> Index[P]:
    """Phrases by their first word, and so on by each further one."""
    index: Index[P] = {}
    for phrase in phrases:
        node = index.setdefault(phrase.phrase.split(" ", 1)[0], Node())
        for word in phrase.rest:
            node = node.further.setdefault(word, Node())
        node.ends += (phrase,)
    return index


def places(index: Mapping[str, object], tokens: list[str], unique: frozenset[str]) -> list[int]:
    """Where a text has words of the index; ``unique`` are all its words, which mostly tell that there are none."""
    return [] if index.keys().isdisjoint(unique) else [at for at, token in enumerate(tokens) if token in index]


def find_longest(index: Index[P], tokens: list[str], unique: frozenset[str]) -> list[tuple[P, int, int]]:
    """The phrases of a text from left to right, none overlapping another, and where they begin and end."""
    found: list[tuple[P, int, int]] = []
    padded = [*tokens, ""]
    stop = 0
    for at in places(index, tokens, unique):
        if at < stop:
            continue
        node: Node[P] | None = index[tokens[at]]
        ends: tuple[P, ...] = ()
        place = at
        while node is not None:
            place += 1
            if node.ends:
                ends, stop = node.ends, place
            node = node.further.get(padded[place])
        if ends:
            found.append((ends[0], at, stop))
    return found


def standing(node: Node[P], padded: list[str], at: int) -> tuple[P, ...]:
    """The phrases that begin with the word of ``node`` at place ``at`` of a text, the longest first.

    Behind the last word ``padded`` holds an empty one.
    """
    found = node.ends
    while (following := node.further.get(padded[at := at + 1])) is not None:
        node = following
        found = node.ends + found
    return found
