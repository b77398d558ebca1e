"""Names written with one wrong letter: an insertion, a deletion, a substitution or two letters exchanged."""

from collections.abc import Container, Iterable
from typing import Final

from valuesets.text.words import Hit, Name, places

SHORTEST: Final = 8  # letters of a name; one wrong letter in a shorter one makes too many other words
SHORTEST_PART: Final = 7  # letters of the misspelt word where a name has two
WHOLE: Final = 3  # letters at one end of a misspelt word of two; one edit spares one end at least
EXAMINED: Final = 32  # long words of one text; a drug has fewer, and the time of one match stays bounded

Parts = dict[int, list[tuple[str, Name]]]
"""The other word of names of two, with the name, by the length of the written word that may misspell it."""


def one_edit(written: str, name: str) -> bool:
    """True if one insertion, deletion, substitution or exchange of neighbours makes one word of the other."""
    shorter, longer = (written, name) if len(written) <= len(name) else (name, written)
    if len(longer) - len(shorter) > 1:
        return False
    at = 0
    for one, other in zip(shorter, longer, strict=False):
        if one != other:
            break
        at += 1
    if len(shorter) < len(longer):
        return shorter[at:] == longer[at + 1 :]
    if shorter[at + 1 :] == longer[at + 1 :]:
        return at < len(shorter)
    return shorter[at : at + 2] == longer[at : at + 2][::-1] and shorter[at + 2 :] == longer[at + 2 :]


class Thirds:
    """The names that a written word of one length may misspell, by each pair of that word's thirds."""

    def __init__(self, size: int) -> None:
        self._size = size
        self._one, self._two = size // 3, size - size // 3
        self._starts: dict[str, tuple[str, ...]] = {}
        self._ends: dict[str, tuple[str, ...]] = {}
        self._frames: dict[str, tuple[str, ...]] = {}
        self._exchanged: dict[str, tuple[str, ...]] = {}

    def add(self, name: str) -> None:
        """Keep a name whose length differs by one letter at most."""
        one, two, behind = self._one, self._two, len(name) - self._size
        _put(self._starts, name[:two], name)
        _put(self._ends, name[one + behind :], name)
        _put(self._frames, name[:one] + name[two + behind :], name)
        if not behind:
            for at in (one, two):
                _put(self._exchanged, name[: at - 1] + name[at] + name[at - 1] + name[at + 1 :], name)

    def near(self, written: str) -> tuple[str, ...]:
        """Names that share two thirds with a written word, or differ by two letters exchanged across a border."""
        one, two = self._one, self._two
        return (
            self._starts.get(written[:two], ())
            + self._ends.get(written[one:], ())
            + self._frames.get(written[:one] + written[two:], ())
            + self._exchanged.get(written, ())
        )


class Speller:
    """Names of eight letters or more, found when one letter of them is wrong.

    One edit leaves two of a word's three thirds whole, except for an exchange across their borders; so names are kept
    by each pair of thirds, and only those that share a pair with the written word are compared.
    """

    def __init__(self, names: Iterable[Name], known: Container[str]) -> None:
        self._known = known
        self._names: dict[str, Name] = {}
        self._thirds: dict[int, Thirds] = {}
        self._beside: dict[str, tuple[Parts, Parts]] = {}
        for name in names:
            if name.ingredients and len(name.rest) < 2 and len(name.phrase) - len(name.rest) >= SHORTEST:
                self._add(name)

    def _add(self, name: Name) -> None:
        if name.rest:
            first, last = name.phrase.split(" ")
            _put_part(self._beside.setdefault(first, ({}, {}))[0], last, name)
            _put_part(self._beside.setdefault(last, ({}, {}))[1], first, name)
            return
        self._names[name.phrase] = name
        for size in range(len(name.phrase) - 1, len(name.phrase) + 2):  # of the written word
            self._thirds.setdefault(size, Thirds(size)).add(name.phrase)

    def find(self, tokens: list[str], free: list[str], unique: frozenset[str]) -> list[Hit]:
        """The misspelt names of a text; in ``free`` there is nothing where a word is left alone."""
        search = self._search
        long = [at for at, size in enumerate(map(len, free)) if size >= SHORTEST - 1][:EXAMINED]
        single = [Hit(name, at, at + 1, free[at]) for at in long if (name := search(free[at])) is not None]
        return [*single, *self._find_double(tokens, free, unique)]

    def _search(self, written: str) -> Name | None:
        """The one name, or the first of several for the same ingredients, that a word misspells."""
        thirds = self._thirds.get(len(written))
        near = thirds.near(written) if thirds is not None else None
        if not near or written in self._known:
            return None
        found = {name for name in near if one_edit(written, name)}
        return _agreed([self._names[name] for name in sorted(found)]) if found else None

    def _find_double(self, tokens: list[str], free: list[str], unique: frozenset[str]) -> list[Hit]:
        """Names of two words, one of which is right."""
        hits = []
        for at in places(self._beside, tokens, unique)[:EXAMINED]:
            if not free[at]:
                continue
            for parts, other in zip(self._beside[tokens[at]], (at + 1, at - 1), strict=True):
                if not parts or not 0 <= other < len(tokens):
                    continue
                name = self._search_part(parts, free[other])
                if name is not None:
                    start = min(at, other)
                    hits.append(Hit(name, start, start + 2, tokens[other]))
        return hits

    def _search_part(self, parts: Parts, written: str) -> Name | None:
        """The name whose other word ``written`` misspells."""
        if len(written) not in parts or written in self._known:
            return None
        start, end = written[:WHOLE], written[-WHOLE:]
        near = [(part, name) for part, name in parts[len(written)] if part.startswith(start) or part.endswith(end)]
        return _agreed([name for part, name in near if one_edit(written, part)])


def _put_part(parts: Parts, part: str, name: Name) -> None:
    if len(part) >= SHORTEST_PART:
        for size in range(len(part) - 1, len(part) + 2):
            parts.setdefault(size, []).append((part, name))


def _put(index: dict[str, tuple[str, ...]], key: str, name: str) -> None:
    index[key] = (*index.get(key, ()), name)


def _agreed(names: list[Name]) -> Name | None:
    """The first of the names if all stand for the same ingredients; two drugs are never guessed between."""
    return names[0] if names and len({frozenset(name.ingredients) for name in names}) == 1 else None
