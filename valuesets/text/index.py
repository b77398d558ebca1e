"""All names and words of text matching, and what they make of one text."""

import re
from collections.abc import Iterable, Mapping
from functools import cached_property
from itertools import chain
from typing import Final

from valuesets.model import Ingredient, TextMatch
from valuesets.text.sig import SigReader
from valuesets.text.spelling import Speller
from valuesets.text.words import READ_AT_MOST, Hit, Name, Word, by_first, find_longest, normalise, split_words

_DENIALS: Final = frozenset({"no", "not", "without"})
# A word boundary before "no", "not" and "without", written so that only places with an "n" or a "w" are tried.
_DENIED: Final = re.compile(r"(n(?<=\bn)ot?|w(?<=\bw)ithout)\s+([^\W_]+)")
_NOTHING: Final = TextMatch((), "", (), False, "")


class TextIndex:
    """All names and words, by their first word; one pass over the words of a text finds them."""

    def __init__(
        self,
        names: Iterable[Name],
        words: Iterable[Word],
        ingredients: Mapping[str, Ingredient],
        injected_is_long_acting: frozenset[str] = frozenset(),
    ) -> None:
        kinds: dict[str, list[Word]] = {}
        for word in words:
            kinds.setdefault("stem" if word.kind == "rejection" and not word.rest else word.kind, []).append(word)
        others = [Name(word.phrase, word.rest, ()) for word in kinds.pop("not-a-drug", [])]
        self._names = by_first([*names, *others])
        self._stems = tuple(word.phrase for word in kinds.pop("stem", []))
        self._field_routes = {word.phrase: word.value for word in kinds.pop("route-field", [])}
        self._look_alikes = frozenset(word.phrase for word in kinds.pop("look-alike", []))
        frequencies, beside = kinds.pop("frequency", []), kinds.pop("beside", [])
        self._words = by_first(chain.from_iterable(kinds.values()))
        self._sig = SigReader(frequencies, frozenset(word.phrase for word in beside) | self._words.keys())
        self._ingredients = ingredients
        self._injected = injected_is_long_acting

    @cached_property
    def _speller(self) -> Speller:
        known = self._look_alikes | self._words.keys() | self._names.keys()
        return Speller(chain.from_iterable(self._names.values()), known)

    def match(self, text: str) -> TextMatch:
        """See ``Terminology.match_text``."""
        plain = normalise(text[:READ_AT_MOST])[:READ_AT_MOST]
        tokens = split_words(plain)
        hits = self._find_names(tokens)
        if not hits:
            return _NOTHING
        words, neutral = self._find_words(tokens)
        rejected = self._rejection(plain, tokens, words, hits, neutral)
        if not rejected and not _DENIALS.isdisjoint(tokens):
            hits, rejected = _without_denied(plain, tokens, hits)
        return self._result(plain, tokens, hits, words, rejected)

    def route(self, text: str) -> str | None:
        """The route that a route field's text names, or None."""
        tokens = split_words(normalise(text[:READ_AT_MOST]))
        exact = self._field_routes.get(" ".join(tokens))
        if exact is not None:
            return exact
        words, _ = self._find_words(tokens)
        return _one_route(words) or None

    def _find_names(self, tokens: list[str]) -> list[Hit]:
        """The names, well written or misspelt, in the order of the text."""
        exact = find_longest(self._names, tokens)
        taken = {at for _, start, stop in exact for at in range(start, stop)}
        hits = [Hit(name, start, stop) for name, start, stop in exact if name.ingredients]
        misspelt = self._speller.find(tokens, taken)
        return sorted([*hits, *misspelt], key=lambda hit: hit.start) if misspelt else hits

    def _find_words(self, tokens: list[str]) -> tuple[list[Word], list[range]]:
        """The words with a meaning, and where the neutral ones stand."""
        words: list[Word] = []
        neutral: list[range] = []
        for at in [at for at, token in enumerate(tokens) if token in self._words]:
            following = tokens[at + 1] if at + 1 < len(tokens) else ""
            for word in self._words[tokens[at]]:
                rest = word.rest
                if not rest or (rest[0] == following and tuple(tokens[at + 1 : at + 1 + len(rest)]) == rest):
                    words.append(word)
                    if word.kind == "neutral":
                        neutral.append(range(at, at + 1 + len(word.rest)))
        return words, neutral

    def _rejection(
        self, plain: str, tokens: list[str], words: list[Word], hits: list[Hit], neutral: list[range]
    ) -> str:
        for word in words:
            if word.kind == "rejection":
                return word.phrase
        if not any(stem in plain for stem in self._stems):
            return ""
        stems = self._stems
        places = [at for at, token in enumerate(tokens) if token.startswith(stems)]
        if not places:
            return ""
        skipped = set(chain.from_iterable([*(range(hit.start, hit.stop) for hit in hits), *neutral]))
        token = next((tokens[at] for at in places if at not in skipped), "")
        return next((stem for stem in stems if token.startswith(stem)), "")

    def _result(self, plain: str, tokens: list[str], hits: list[Hit], words: list[Word], rejected: str) -> TextMatch:
        names = list({id(hit.name): hit.name for hit in hits}.values())
        found = tuple(dict.fromkeys(chain.from_iterable(name.ingredients for name in names)))
        route = _one_route(words) or _only({name.route for name in names if name.route})
        long_acting = any(name.long_acting for name in names) or any(
            word.kind == "long-acting"
            and not word.applies_to.isdisjoint(found)
            and (route == "parenteral" or not word.parenteral_only)
            for word in words
        )
        if long_acting and not route:
            route = "parenteral"
        return TextMatch(
            ingredients=tuple(self._ingredients[rxcui] for rxcui in found),
            rejected_by=rejected,
            words=tuple(dict.fromkeys(name.phrase for name in names)),
            long_acting=long_acting or (route == "parenteral" and not self._injected.isdisjoint(found)),
            route=route,
            misspelt=tuple(dict.fromkeys([hit.misspelt for hit in hits if hit.misspelt])),
            strengths=self._sig.strengths(plain, hits, found[0]) if len(found) == 1 else (),
            frequency=self._sig.frequency(tokens),
        )


def _without_denied(plain: str, tokens: list[str], hits: list[Hit]) -> tuple[list[Hit], str]:
    """The names that no "no", "not" or "without" precedes; if none is left, all of them and the word."""
    denied = {word: no for no, word in _DENIED.findall(plain)}
    kept = [hit for hit in hits if tokens[hit.start] not in denied]
    if kept:
        return kept, ""
    firsts = {tokens[hit.start] for hit in hits}
    return hits, next(no for word, no in denied.items() if word in firsts)


def _only(values: set[str]) -> str:
    return next(iter(values)) if len(values) == 1 else ""


def _one_route(words: list[Word]) -> str:
    """The route that the words agree on; a named route outweighs a dose form, and two named routes are none."""
    named = {word.value for word in words if word.kind == "route"}
    return _only(named or {word.value for word in words if word.kind == "route-form"})
