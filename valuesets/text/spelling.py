"""Names written with one wrong letter: an insertion, a deletion, a substitution or two letters exchanged."""

from collections.abc import Container, Iterable
from typing import Final

from valuesets.text.words import Hit, Name

SHORTEST: Final = 8  # letters of a name; one wrong letter in a shorter one makes too many other words
SHORTEST_PART: Final = 7  # letters of the misspelt word where a name has two
EXAMINED: Final = 32  # long words of one text; a drug has fewer, and the time of one match stays bounded


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
        self._after: dict[str, list[Name]] = {}
        self._before: dict[str, list[Name]] = {}
        for name in names:
            if name.ingredients and len(name.rest) < 2 and len(name.phrase) - len(name.rest) >= SHORTEST:
                self._add(name)

    def _add(self, name: Name) -> None:
        if name.rest:
            first, last = name.phrase.split(" ")
            self._after.setdefault(first, []).append(name)
            self._before.setdefault(last, []).append(name)
            return
        self._names[name.phrase] = name
        for size in range(len(name.phrase) - 1, len(name.phrase) + 2):  # of the written word
            self._thirds.setdefault(size, Thirds(size)).add(name.phrase)

    def find(self, tokens: list[str], taken: Container[int]) -> list[Hit]:
        """The misspelt names of a text; the words at the places ``taken`` are left alone."""
        search = self._search
        long = [(at, token) for at, token in enumerate(tokens) if len(token) >= SHORTEST - 1 and at not in taken]
        single = [Hit(name, at, at + 1, token) for at, token in long[:EXAMINED] if (name := search(token)) is not None]
        return [*single, *self._find_double(tokens, taken)]

    def _search(self, written: str) -> Name | None:
        """The one name, or the first of several for the same ingredients, that a word misspells."""
        thirds = self._thirds.get(len(written))
        near = thirds.near(written) if thirds is not None else None
        if not near or written in self._known:
            return None
        found = {name for name in near if one_edit(written, name)}
        return _agreed([self._names[name] for name in sorted(found)]) if found else None

    def _find_double(self, tokens: list[str], taken: Container[int]) -> list[Hit]:
        """Names of two words, one of which is right."""
        hits = []
        right = [at for at, token in enumerate(tokens) if token in self._after or token in self._before]
        for at in right[:EXAMINED]:
            if at in taken:
                continue
            for other in (at + 1, at - 1):
                if not 0 <= other < len(tokens) or other in taken:
                    continue
                name = self._search_part(tokens[at], tokens[other], other > at)
                if name is not None:
                    start = min(at, other)
                    hits.append(Hit(name, start, start + 2, tokens[other]))
        return hits

    def _search_part(self, right: str, written: str, follows: bool) -> Name | None:
        """The name of which ``right`` is one word, and ``written``, before or behind it, misspells the other."""
        if len(written) < SHORTEST_PART - 1 or written in self._known:
            return None
        names = (self._after if follows else self._before).get(right, [])
        parts = [(name.rest[0] if follows else name.phrase.split(" ")[0], name) for name in names]
        return _agreed([name for part, name in parts if len(part) >= SHORTEST_PART and one_edit(written, part)])


def _put(index: dict[str, tuple[str, ...]], key: str, name: str) -> None:
    index[key] = (*index.get(key, ()), name)


def _agreed(names: list[Name]) -> Name | None:
    """The first of the names if all stand for the same ingredients; two drugs are never guessed between."""
    return names[0] if names and len({frozenset(name.ingredients) for name in names}) == 1 else None
