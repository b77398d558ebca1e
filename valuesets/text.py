"""Finding drugs in free text: whole-word names, words that reject a text, route and long-acting forms."""

import re
import unicodedata
from collections.abc import Iterable, Mapping
from itertools import chain
from typing import Final, TypeVar

import msgspec

from valuesets.model import Ingredient, TextMatch

READ_AT_MOST: Final = 1536  # characters; a drug name is never longer, and the time of one match stays bounded
_WORD: Final = re.compile(r"[^\W_]+")
_MARKS: Final = dict.fromkeys(map(ord, "®©™℠"), " ") | dict.fromkeys(map(ord, "\u00ad\u200b\u200c\u200d\u2060\ufeff"))
_NEGATED: Final = re.compile(r"\b(no|not|without)\s+([^\W_]+)")


class Name(msgspec.Struct, frozen=True):
    """A drug name: its further words after the first, the ingredients it stands for, and what it implies."""

    phrase: str
    rest: tuple[str, ...]
    ingredients: tuple[str, ...]
    long_acting: bool = False
    route: str = ""


class Word(msgspec.Struct, frozen=True):
    """A word with a meaning of its own.

    ``kind`` is "rejection", "neutral" (a rejection word that is part of a product's name), "route", "route-form" (a
    dose form that suggests a route), "route-field" (read in a route field only) or "long-acting". ``value`` is the
    route; ``applies_to`` limits a long-acting word to ingredients; ``parenteral_only`` words count with an injection.
    """

    phrase: str
    rest: tuple[str, ...]
    kind: str
    value: str = ""
    applies_to: frozenset[str] = frozenset()
    parenteral_only: bool = False


def normalise(text: str) -> str:
    """Lower case, compatibility forms resolved, accents and trademark signs removed."""
    if not text.isascii():
        decomposed = unicodedata.normalize("NFKD", text.translate(_MARKS))
        text = "".join(char for char in decomposed if not unicodedata.combining(char))
    return text.casefold()


def split_words(text: str) -> list[str]:
    """The words of an already normalised text."""
    return _WORD.findall(text)


class TextIndex:
    """All names and words, by their first word; one pass over the words of a text finds them."""

    def __init__(
        self,
        names: Iterable[Name],
        words: Iterable[Word],
        ingredients: Mapping[str, Ingredient],
        injected_is_long_acting: frozenset[str] = frozenset(),
    ) -> None:
        self._names = _by_first(names)
        kinds: dict[str, list[Word]] = {}
        for word in words:
            kinds.setdefault("stem" if word.kind == "rejection" and not word.rest else word.kind, []).append(word)
        self._stems = tuple(word.phrase for word in kinds.pop("stem", []))
        self._field_routes = {word.phrase: word.value for word in kinds.pop("route-field", [])}
        self._words = _by_first(word for group in kinds.values() for word in group)
        self._stem_pattern = re.compile("|".join(map(re.escape, self._stems)) or r"(?!)")
        self._ingredients = ingredients
        self._injected = injected_is_long_acting

    def match(self, text: str) -> TextMatch:
        """See ``Terminology.match_text``."""
        plain = normalise(text[:READ_AT_MOST])
        tokens = split_words(plain)
        names, name_spans = self._find_names(tokens)
        if not names:
            return _NOTHING
        words, neutral_spans = self._find_words(tokens)
        rejected = self._rejection(plain, tokens, words, name_spans + neutral_spans)
        negated = {word: no for no, word in _NEGATED.findall(plain)}
        if negated and not rejected:
            kept = [name for name in names if name.phrase.split(" ", 1)[0] not in negated]
            rejected = "" if kept else next(no for word, no in negated.items() if word in _first_words(names))
            names = kept or names
        found = dict.fromkeys(rxcui for name in names for rxcui in name.ingredients)
        return self._result(names, found, words, rejected)

    def route(self, text: str) -> str | None:
        """The route that a route field's text names, or None."""
        tokens = split_words(normalise(text[:READ_AT_MOST]))
        exact = self._field_routes.get(" ".join(tokens))
        if exact is not None:
            return exact
        words, _ = self._find_words(tokens)
        return _one_route(words) or None

    def _find_names(self, tokens: list[str]) -> tuple[list[Name], list[range]]:
        """The names, each once and in the order of the text, and where they stand."""
        names: dict[str, Name] = {}
        spans: list[range] = []
        stop = 0
        for at in [at for at, token in enumerate(tokens) if token in self._names]:
            name = _longest(self._names[tokens[at]], tokens, at) if at >= stop else None
            if name is not None:
                stop = at + 1 + len(name.rest)
                names[name.phrase] = name
                spans.append(range(at, stop))
        return list(names.values()), spans

    def _find_words(self, tokens: list[str]) -> tuple[list[Word], list[range]]:
        """The words with a meaning, and where the neutral ones stand."""
        words: list[Word] = []
        neutral: list[range] = []
        for at in [at for at, token in enumerate(tokens) if token in self._words]:
            for word in self._words[tokens[at]]:
                if not word.rest or tuple(tokens[at + 1 : at + 1 + len(word.rest)]) == word.rest:
                    words.append(word)
                    if word.kind == "neutral":
                        neutral.append(range(at, at + 1 + len(word.rest)))
        return words, neutral

    def _rejection(self, plain: str, tokens: list[str], words: list[Word], skip: list[range]) -> str:
        for word in words:
            if word.kind == "rejection":
                return word.phrase
        if self._stem_pattern.search(plain) is None:
            return ""
        skipped = set(chain.from_iterable(skip))
        for at, token in enumerate(tokens):
            if token.startswith(self._stems) and at not in skipped:
                return next(stem for stem in self._stems if token.startswith(stem))
        return ""

    def _result(self, names: list[Name], found: Iterable[str], words: list[Word], rejected: str) -> TextMatch:
        rxcuis = frozenset(found)
        route = _one_route(words) or _only({name.route for name in names if name.route})
        long_acting = any(name.long_acting for name in names) or any(
            word.kind == "long-acting"
            and not word.applies_to.isdisjoint(rxcuis)
            and (route == "parenteral" or not word.parenteral_only)
            for word in words
        )
        if long_acting and not route:
            route = "parenteral"
        return TextMatch(
            ingredients=tuple(self._ingredients[rxcui] for rxcui in found),
            rejected_by=rejected,
            words=tuple(name.phrase for name in names),
            long_acting=long_acting or (route == "parenteral" and not self._injected.isdisjoint(rxcuis)),
            route=route,
        )


_NOTHING: Final = TextMatch((), "", (), False, "")
P = TypeVar("P", Name, Word)


def _by_first(phrases: Iterable[P]) -> dict[str, tuple[P, ...]]:
    index: dict[str, list[P]] = {}
    for phrase in phrases:
        index.setdefault(phrase.phrase.split(" ", 1)[0], []).append(phrase)
    return {first: tuple(sorted(group, key=lambda entry: -len(entry.rest))) for first, group in index.items()}


def _longest(candidates: tuple[Name, ...], tokens: list[str], at: int) -> Name | None:
    following = tokens[at + 1] if at + 1 < len(tokens) else ""
    for name in candidates:
        if not name.rest:
            return name
        if name.rest[0] == following and tuple(tokens[at + 1 : at + 1 + len(name.rest)]) == name.rest:
            return name
    return None


def _first_words(names: list[Name]) -> set[str]:
    return {name.phrase.split(" ", 1)[0] for name in names}


def _only(values: set[str]) -> str:
    return next(iter(values)) if len(values) == 1 else ""


def _one_route(words: list[Word]) -> str:
    """The route that the words agree on; a named route outweighs a dose form, and two named routes are none."""
    named = {word.value for word in words if word.kind == "route"}
    return _only(named or {word.value for word in words if word.kind == "route-form"})
