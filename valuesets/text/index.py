"""All names and words of text matching, and what they make of one text."""

import re
from collections.abc import Iterable, Mapping
from functools import cached_property
from itertools import chain
from typing import Final

from valuesets.model import Ingredient, TextMatch
from valuesets.text.sig import SigReader
from valuesets.text.spelling import Speller
from valuesets.text.words import (
    READ_AT_MOST,
    WORDS_AT_MOST,
    Hit,
    Index,
    Name,
    Word,
    by_first,
    find_longest,
    normalise,
    places,
    split_words,
    standing,
)

_DENIALS: Final = frozenset({"no", "not", "without"})
# A word boundary before "no", "not" and "without", written so that only places with an "n" or a "w" are tried.
_DENIED: Final = re.compile(r"(n(?<=\bn)ot?|w(?<=\bw)ithout)\s++([^\W_]++)")
_ASCII_DENIED: Final = re.compile(r"(n(?<=\bn)ot?|w(?<=\bw)ithout)\s++([a-z0-9]++)")
_NOTHING: Final = TextMatch((), "", (), False, "")


class TextIndex:
    """All names and words, by their first word; one pass over the words of a text finds them."""

    def __init__(
        self,
        names: Iterable[Name],
        words: Iterable[Word],
        ingredients: Mapping[str, Ingredient],
        injected_is_long_acting: frozenset[str] = frozenset(),
        further: Iterable[str] = (),
    ) -> None:
        """``further`` are ingredients of combinations that are known by name only."""
        kinds: dict[str, list[Word]] = {}
        for word in words:
            kinds.setdefault("stem" if word.kind == "rejection" and not word.rest else word.kind, []).append(word)
        others = [Name(word.phrase, word.rest, ()) for word in kinds.pop("not-a-drug", [])]
        self._all_names = [*names, *others]
        self._names = by_first(self._all_names)
        self._stems = [word.phrase for word in kinds.pop("stem", [])]
        self._stem_of_word = re.compile(f" ({'|'.join(map(re.escape, self._stems))})")
        self._field_routes = {word.phrase: word.value for word in kinds.pop("route-field", [])}
        self._begun = by_first(kinds.pop("rejection-first", []))
        self._ended = by_first([_turned(word) for word in kinds.pop("rejection-last", [])])
        self._look_alikes = frozenset(word.phrase for word in kinds.pop("look-alike", []))
        frequencies, beside = kinds.pop("frequency", []), kinds.pop("beside", [])
        self._words = by_first(chain.from_iterable(kinds.values()))
        self._sig = SigReader(frequencies, frozenset(word.phrase for word in beside) | self._words.keys())
        self._ingredients = ingredients
        self._injected = injected_is_long_acting
        self._further_names = tuple(further)

    @cached_property
    def _further(self) -> Index[Name]:
        return by_first([Name(name, tuple(name.split(" ")[1:]), ()) for name in self._further_names])

    @cached_property
    def _speller(self) -> Speller:
        known = self._look_alikes | self._words.keys() | self._names.keys()
        return Speller(self._all_names, known)

    def match(self, text: str) -> TextMatch:
        """See ``Terminology.match_text``."""
        plain = normalise(text[:READ_AT_MOST])[:READ_AT_MOST]
        tokens = split_words(plain)[:WORDS_AT_MOST]
        unique = frozenset(tokens)
        hits = self._find_names(tokens, unique)
        if not hits:
            return _NOTHING
        words, neutral = self._find_words(tokens, unique)
        rejected = _rejected(words) or self._stem(plain, tokens, hits, neutral) or self._at_ends(tokens, hits)
        if not rejected and not _DENIALS.isdisjoint(unique):
            hits, rejected = _without_denied(plain, tokens, hits)
        return self._result(plain, tokens, unique, hits, words, rejected)

    def route(self, text: str) -> str | None:
        """The route that a route field's text names, or None."""
        tokens = split_words(normalise(text[:READ_AT_MOST]))
        exact = self._field_routes.get(" ".join(tokens))
        if exact is not None:
            return exact
        words, _ = self._find_words(tokens, frozenset(tokens))
        return _one_route(words) or None

    def _find_names(self, tokens: list[str], unique: frozenset[str]) -> list[Hit]:
        """The names, well written or misspelt, in the order of the text."""
        exact = find_longest(self._names, tokens, unique)
        hits = [Hit(name, start, stop) for name, start, stop in exact if name.ingredients]
        free = tokens.copy()
        for _, start, stop in exact:
            if stop - start == 1:
                free[start] = ""
            else:
                free[start:stop] = [""] * (stop - start)
        misspelt = self._speller.find(tokens, free, unique)
        return sorted([*hits, *misspelt], key=lambda hit: hit.start) if misspelt else hits

    def _find_words(self, tokens: list[str], unique: frozenset[str]) -> tuple[list[Word], list[range]]:
        """The words with a meaning, each once, and where the neutral ones stand."""
        words: dict[int, Word] = {}
        neutral: list[range] = []
        padded = [*tokens, ""]
        for at in places(self._words, tokens, unique):
            node = self._words[tokens[at]]
            for word in standing(node, padded, at) if padded[at + 1] in node.further else node.ends:
                words[id(word)] = word
                if word.kind == "neutral":
                    neutral.append(range(at, at + 1 + len(word.rest)))
        return list(words.values()), neutral

    def _stem(self, plain: str, tokens: list[str], hits: list[Hit], neutral: list[range]) -> str:
        """The stem of a rejection with which a word begins that is part of no name and of nothing neutral."""
        if not [stem for stem in self._stems if stem in plain]:
            return ""
        skipped = set(chain.from_iterable([*(range(hit.start, hit.stop) for hit in hits), *neutral]))
        joined = " " + " ".join(tokens)
        at = -1
        seen = 0
        for found in self._stem_of_word.finditer(joined):
            at += joined.count(" ", seen, found.end())
            seen = found.end()
            if at not in skipped:
                return found[1]
        return ""

    def _at_ends(self, tokens: list[str], hits: list[Hit]) -> str:
        """The words that tell that a drug is not ordered: "stop haloperidol", "haloperidol 5 mg tablet discontinued".

        They stand before a name that begins the text, or end it. Elsewhere they are part of an order: "haloperidol 5
        mg, stop if drowsy", "stop smoking: Zyban".
        """
        if tokens[0] in self._begun:
            found = standing(self._begun[tokens[0]], [*tokens, ""], 0)
            return next((word.phrase for word in found if len(word.rest) + 1 == hits[0].start), "")
        if tokens[-1] in self._ended and hits[-1].stop < len(tokens):
            found = standing(self._ended[tokens[-1]], [*tokens[::-1], ""], 0)
            return _turned(found[0]).phrase if found else ""
        return ""

    def _result(
        self,
        plain: str,
        tokens: list[str],
        unique: frozenset[str],
        hits: list[Hit],
        words: list[Word],
        rejected: str,
    ) -> TextMatch:
        names = list({id(hit.name): hit.name for hit in hits}.values())
        found = tuple(dict.fromkeys(chain.from_iterable([name.ingredients for name in names])))
        route = _one_route(words) or _only({name.route for name in names if name.route})
        long_acting = bool([name for name in names if name.long_acting]) or any(
            word.kind == "long-acting"
            and not word.applies_to.isdisjoint(found)
            and (route == "parenteral" or not word.parenteral_only)
            for word in words
        )
        if long_acting and not route:
            route = "parenteral"
        return TextMatch(
            ingredients=tuple([self._ingredients[rxcui] for rxcui in found]),
            rejected_by=rejected,
            words=tuple(dict.fromkeys([name.phrase for name in names])),
            long_acting=long_acting or (route == "parenteral" and not self._injected.isdisjoint(found)),
            route=route,
            misspelt=tuple(dict.fromkeys([hit.misspelt for hit in hits if hit.misspelt])),
            strengths=self._sig.strengths(plain, tokens, hits, found[0]) if len(found) == 1 else (),
            frequency=self._sig.frequency(tokens, unique),
            further=() if rejected else self._find_further(tokens, unique, hits, names),
        )

    def _find_further(
        self, tokens: list[str], unique: frozenset[str], hits: list[Hit], names: list[Name]
    ) -> tuple[str, ...]:
        """The further ingredients that the names imply, and those that stand beside them and are not denied."""
        found = list(chain.from_iterable([name.further for name in names]))
        if not self._further.keys().isdisjoint(unique):
            taken = set(chain.from_iterable([range(hit.start, hit.stop) for hit in hits]))
            for name, start, _ in find_longest(self._further, tokens, unique):
                if start not in taken and not (start and tokens[start - 1] in _DENIALS):
                    found.append(name.phrase)
        return tuple(dict.fromkeys(found))


def _without_denied(plain: str, tokens: list[str], hits: list[Hit]) -> tuple[list[Hit], str]:
    """The names that no "no", "not" or "without" precedes; if none is left, all of them and the word."""
    denied = {word: no for no, word in (_ASCII_DENIED if plain.isascii() else _DENIED).findall(plain)}
    kept = [hit for hit in hits if tokens[hit.start] not in denied]
    if kept:
        return kept, ""
    firsts = {tokens[hit.start] for hit in hits}
    return hits, next(no for word, no in denied.items() if word in firsts)


def _turned(word: Word) -> Word:
    """The same words, the last one first."""
    turned = word.phrase.split(" ")[::-1]
    return Word(" ".join(turned), tuple(turned[1:]), word.kind)


def _rejected(words: list[Word]) -> str:
    return next((word.phrase for word in words if word.kind == "rejection"), "")


def _only(values: set[str]) -> str:
    return next(iter(values)) if len(values) == 1 else ""


def _one_route(words: list[Word]) -> str:
    """The route that the words agree on; a named route outweighs a dose form, and two named routes are none."""
    named = {word.value for word in words if word.kind == "route"}
    return _only(named or {word.value for word in words if word.kind == "route-form"})
