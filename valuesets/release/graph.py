"""The concepts of a release and how they hang together: which ingredients of ours each of them holds, by relation."""

from array import array
from collections import defaultdict
from collections.abc import Iterator, Mapping
from typing import Final

import msgspec

from valuesets.release.rrf import Release

# What a concept consists of, by term type and relation; a later type builds on the earlier ones. A brand drug is not
# read through its brand name: the brand may be that of other recipes as well.
_WAYS: Final[tuple[tuple[str, tuple[str, ...]], ...]] = (
    ("PIN", ("form_of",)),
    ("MIN", ("has_part",)),
    ("BN", ("tradename_of", "has_precise_ingredient")),
    ("SCDC", ("has_ingredient", "has_precise_ingredient")),
    ("SBDC", ("tradename_of",)),
    ("SCDF", ("has_ingredient", "has_ingredients")),
    ("SCDG", ("has_ingredient", "has_ingredients")),
    ("SBDF", ("tradename_of",)),
    ("SBDG", ("tradename_of",)),
    ("SCD", ("consists_of", "has_ingredients", "isa")),
    ("SBD", ("tradename_of", "consists_of", "isa")),
    ("GPCK", ("contains",)),
    ("BPCK", ("contains", "tradename_of")),
)
_UNQUANTIFIED: Final = "quantified_form_of"
_HAS_FORM: Final = ("has_dose_form", "has_doseformgroup")
TYPES: Final = ("IN", *(tty for tty, _ in _WAYS))
_FORMS: Final = ("DF", "DFG")
_RELATIONS: Final = frozenset({rela for _, ways in _WAYS for rela in ways} | {_UNQUANTIFIED, *_HAS_FORM})
OTHER: Final = ""
"""What stands for every ingredient that is none of ours."""

_NOTHING: Final[frozenset[str]] = frozenset()
_STRENGTH_FROM: Final = ("SBDC", "SCD", "SBD", "GPCK", "BPCK")
_PARTS: Final = frozenset({"tradename_of", "consists_of", "contains"})


class Node(msgspec.Struct, frozen=True, gc=False, order=True):
    """One concept; ``suppressed`` where the release keeps it for recognition only."""

    suppressed: bool
    tty: str
    name: str


class Graph:
    """All RxNorm concepts of the term types read here, with their relations as pairs of numbers.

    Holds some 300,000 names and a million pairs for a full release, about 150 MB.
    """

    def __init__(self, release: Release) -> None:
        self.nodes: dict[int, Node] = {}
        self.forms: dict[int, str] = {}
        for rxcui, tty, name, suppress in release.rows("RXNCONSO", 11, 0, 12, 14, 16):
            if tty in TYPES and rxcui.isdecimal():
                node = Node(suppress not in ("", "N"), tty, name)
                self.nodes[int(rxcui)] = min(node, self.nodes.get(int(rxcui), node))
            elif tty in _FORMS and rxcui.isdecimal():
                self.forms[int(rxcui)] = min(name, self.forms.get(int(rxcui), name))
        self._pairs: dict[str, array[int]] = {rela: array("I") for rela in _RELATIONS}
        self._read_relations(release)

    def _read_relations(self, release: Release) -> None:
        """A line says what its second concept is or has with regard to its first: RXCUI2 has_ingredient RXCUI1."""
        for first, second, rela in release.rows("RXNREL", 10, 0, 4, 7):
            if rela in _RELATIONS and first.isdecimal() and second.isdecimal():
                source, target = int(second), int(first)
                if source in self.nodes and (target in self.nodes or target in self.forms):
                    self._pairs[rela].extend((source, target))

    def _edges(self, rela: str, tty: str) -> Iterator[tuple[int, int]]:
        pairs = self._pairs[rela]
        for source, target in zip(pairs[::2], pairs[1::2], strict=True):
            if self.nodes[source].tty == tty:
                yield source, target

    def holding(self, ours: Mapping[int, str]) -> dict[int, frozenset[str]]:
        """What each concept with an ingredient of ours holds; ``ours`` are identities by the codes of ingredients.

        All other ingredients count as one, ``OTHER``: a combination with a drug that is none of ours shows as such.
        """
        found = {rxcui: frozenset((ours.get(rxcui, OTHER),)) for rxcui, node in self.nodes.items() if node.tty == "IN"}
        pool: dict[frozenset[str], frozenset[str]] = {}
        for tty, ways in _WAYS:
            added = self._joined(tty, ways, found, pool)
            found |= added
            whole = self._joined(tty, (_UNQUANTIFIED,), added, pool)
            found |= {rxcui: held for rxcui, held in whole.items() if rxcui not in added}
        return {rxcui: held for rxcui, held in found.items() if held != {OTHER}}

    def _joined(
        self,
        tty: str,
        ways: tuple[str, ...],
        found: Mapping[int, frozenset[str]],
        pool: dict[frozenset[str], frozenset[str]],
    ) -> dict[int, frozenset[str]]:
        """What the concepts of a type hold by relation to those already found; equal sets are one object."""
        added: dict[int, frozenset[str]] = {}
        for rela in ways:
            for source, target in self._edges(rela, tty):
                if target in found:
                    held = added.get(source, _NOTHING) | found[target]
                    added[source] = pool.setdefault(held, held)
        return added

    def strengths(self, components: Mapping[int, tuple[str, str]]) -> dict[int, dict[str, set[str]]]:
        """Amounts by identity for everything made of ``components``, which are (identity, amount) by component."""
        found = {rxcui: {identity: {amount}} for rxcui, (identity, amount) in components.items()}
        for tty in _STRENGTH_FROM:
            added: dict[int, dict[str, set[str]]] = {}
            for rela in sorted(_PARTS):
                for source, target in self._edges(rela, tty):
                    for identity, amounts in found.get(target, {}).items():
                        added.setdefault(source, {}).setdefault(identity, set()).update(amounts)
            found |= added
        return found

    def dose_forms(self) -> dict[int, str]:
        """The dose form, or group of dose forms, of each concept that has just one."""
        every: dict[int, set[str]] = defaultdict(set)
        for rela in _HAS_FORM:
            pairs = self._pairs[rela]
            for source, target in zip(pairs[::2], pairs[1::2], strict=True):
                if target in self.forms:
                    every[source].add(self.forms[target])
        return {rxcui: next(iter(names)) for rxcui, names in every.items() if len(names) == 1}

    def unrelated(self) -> Iterator[tuple[int, Node]]:
        """The concepts of which no relation tells anything; most are obsolete. Ingredients are not among them."""
        related = {source for pairs in self._pairs.values() for source in pairs[::2]}
        return ((rxcui, node) for rxcui, node in self.nodes.items() if node.tty != "IN" and rxcui not in related)

    def ingredients(self) -> Iterator[tuple[int, Node]]:
        """The concepts that are ingredients."""
        return ((rxcui, node) for rxcui, node in self.nodes.items() if node.tty == "IN")
