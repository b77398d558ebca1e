"""Genes of the rules: by HGNC identifier, and by symbol or other name in a text."""

import re
from collections.abc import Iterable
from typing import Final

import msgspec

from valuesets.store import CodeSystem, Concept

READ_AT_MOST: Final = 300  # characters: a gene is named in a short field
_HGNC: Final = re.compile(r"(?:HGNC:)?(\d+)", re.I)


class Gene(msgspec.Struct, frozen=True):
    """One gene; two are the same if their ``hgnc`` is.

    ``hgnc`` is the identifier as HGNC writes it ("HGNC:30500"), ``mds_name`` the name by which the movement disorder
    of the gene is known ("PxMD-PRRT2"; empty where the sources give none), ``inheritance`` the modes of the diseases
    with dystonia, else of all ("AD", "AR", "XL", "XLD", "XLR"), ``names`` its aliases and previous symbols, without
    those that mean something else as well.
    """

    hgnc: str
    symbol: str
    name: str
    group: str
    mds_name: str = ""
    inheritance: frozenset[str] = frozenset()
    names: tuple[str, ...] = ()


class GeneIndex:
    """All genes. A symbol with a digit counts in any case, one of letters alone ("TH", "EGF") only as it is written."""

    def __init__(self, genes: Iterable[Gene]) -> None:
        self._by_hgnc: dict[str, Gene] = {}
        self._by_name: dict[str, Gene] = {}
        for gene in genes:
            self._by_hgnc[gene.hgnc] = gene
            for name in (gene.symbol, *gene.names):
                self._by_name[_key(name)] = gene
        names = sorted(self._by_name, key=lambda name: (-len(name), name))
        # SLC2A1-AS1 is another gene than SLC2A1.
        whole = r"(?<![A-Za-z0-9])(?:{})(?![A-Za-z0-9]|-(?i:AS)\d)"
        patterns = (f"(?i:{re.escape(name)})" if _in_any_case(name) else re.escape(name) for name in names)
        self._pattern = re.compile(whole.format("|".join(patterns) or r"(?!)"))

    def find(self, code: str) -> Gene | None:
        """The gene with this HGNC identifier, with or without its prefix, or with this symbol in its place."""
        number = _HGNC.fullmatch(code.strip())
        return self._by_hgnc.get(f"HGNC:{number[1]}") if number else self._by_name.get(_key(code.strip()))

    def in_text(self, text: str) -> tuple[Gene, ...]:
        """The genes that a text names, each once and in the order of the text."""
        named = (self._by_name[_key(match[0])] for match in self._pattern.finditer(text[:READ_AT_MOST]))
        return tuple(dict.fromkeys(named))


def read_genes(system: CodeSystem) -> GeneIndex:
    """The genes of the data."""
    return GeneIndex(map(_gene, system.concept))


def _gene(concept: Concept) -> Gene:
    single = {one.code: one.text for one in concept.properties}
    return Gene(
        concept.code,
        concept.display,
        single["name"],
        single["group"],
        single.get("mds-name", ""),
        frozenset(one.text for one in concept.properties if one.code == "inheritance"),
        tuple(one.text for one in concept.properties if one.code in ("alias", "previous")),
    )


def _in_any_case(name: str) -> bool:
    return any(sign.isdigit() for sign in name)


def _key(name: str) -> str:
    return name.upper() if _in_any_case(name) else name
