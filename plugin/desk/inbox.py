"""What something unmapped may mean: known names ranked by how alike they are written."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING, Final

import msgspec

from plugin.fhir.specimen import is_elsewhere
from plugin.fhir.unmapped import DRUG, LAB, PROBLEM, is_drug, is_known
from plugin.vocabulary import cached, terminology
from valuesets.store import CodeSystem, Resources
from valuesets.text import normalise, split_words

if TYPE_CHECKING:
    from plugin.desk import Unmapped

LEAST_LIKENESS: Final = 0.4
_LONGEST_NAME: Final = 3  # words; longer names are compared by their first three
_PER_WORD: Final = 0.25
_PREFIX: Final = {LAB: "lab-", PROBLEM: "condition-"}


class Guess(msgspec.Struct, frozen=True):
    """A known name; ``target`` is what a mapping would have to say."""

    target: str
    name: str
    likeness: float


class _Name(msgspec.Struct, frozen=True):
    """One known name with the three-letter pieces that it is made of."""

    target: str
    name: str
    words: int
    pieces: int


class _Index:
    """Known names of one position, by their three-letter pieces."""

    def __init__(self, names: dict[str, str]) -> None:
        self._names: list[_Name] = []
        self._by_piece: defaultdict[str, list[int]] = defaultdict(list)
        for name, target in sorted(names.items()):
            words = split_words(normalise(name))[:_LONGEST_NAME]
            pieces = _pieces(" ".join(words))
            for piece in sorted(pieces):
                self._by_piece[piece].append(len(self._names))
            self._names.append(_Name(target, name, len(words), len(pieces)))

    def like(self, text: str) -> dict[str, Guess]:
        """The best guess for each target: the share of pieces in common with as many words of the text."""
        found: dict[str, Guess] = {}
        words = split_words(normalise(text))
        for size in range(1, _LONGEST_NAME + 1):
            for start in range(len(words) - size + 1):
                for guess in self._alike(" ".join(words[start : start + size]), size):
                    best = found.get(guess.target)
                    if best is None or guess.likeness > best.likeness:
                        found[guess.target] = guess
        return found

    def _alike(self, phrase: str, size: int) -> Iterator[Guess]:
        pieces = _pieces(phrase)
        shared: defaultdict[int, int] = defaultdict(int)
        for piece in pieces:
            for number in self._by_piece.get(piece, ()):
                shared[number] += 1
        for number, common in shared.items():
            one = self._names[number]
            likeness = 2 * common / (len(pieces) + one.pieces)
            if one.words == size and likeness >= LEAST_LIKENESS:
                yield Guess(one.target, one.name, round(likeness, 3))


def likely(unmapped: Unmapped, limit: int) -> Sequence[Guess]:
    """At most ``limit`` known names that the text may mean, the likeliest first.

    None for a code without a text, and none for a test of urine, of red cells or of anything else that is no blood.
    """
    if unmapped.position == LAB and is_elsewhere(unmapped.text, ""):
        return ()
    guesses = _index(unmapped.position).like(unmapped.text).values()
    return sorted(guesses, key=lambda guess: (-_weight(guess), guess.target))[:limit]


def _weight(guess: Guess) -> float:
    """Likeness, and more for a name of several words: "ionized calcium" holds "calcium", and is another test."""
    words = min(len(split_words(normalise(guess.name))), _LONGEST_NAME)
    return guess.likeness * (1 + _PER_WORD * (words - 1))


def knows(unmapped: Unmapped) -> bool:
    """Whether somebody said by now what the code means, or the text is understood."""
    if unmapped.code and is_known(unmapped.position, unmapped.system, unmapped.code):
        return True
    return unmapped.position == DRUG and is_drug(unmapped.text)


@cached(maxsize=8)
def _index(position: str) -> _Index:
    return _Index(dict(_drug_names() if position == DRUG else _set_names(_PREFIX[position])))


def _drug_names() -> Iterator[tuple[str, str]]:
    """Names, salts and brands with the ingredients that they mean."""
    data = terminology().resources()
    assert isinstance(data, Resources)
    for concept in data.decode("CodeSystem/drug-names", CodeSystem).concept:
        codes = (one.value_string for one in concept.properties if one.code == "ingredient")
        known = [item.name for code in codes if (item := terminology().ingredient(code)) is not None]
        if known:
            yield concept.code, " + ".join(known)


def _set_names(prefix: str) -> Iterator[tuple[str, str]]:
    """The keys of analytes or conditions, and the names of the codes in their sets."""
    start = f"ValueSet/{prefix}"
    for key in (key.removeprefix(start) for key in terminology().resources() if key.startswith(start)):
        displays = [coding.display for coding in terminology().members(f"{prefix}{key}") if coding.display]
        yield from ((name, key) for display in displays for name in (display, display.partition(" [")[0]))
    for key in (key.removeprefix(start) for key in terminology().resources() if key.startswith(start)):
        yield key.replace("-", " "), key


def _pieces(phrase: str) -> set[str]:
    padded = f"  {phrase} "
    return {padded[start : start + 3] for start in range(len(padded) - 2)}
