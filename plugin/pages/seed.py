"""The seed document, sentence by sentence, beside the rules that serve it; read from ``guideline/seed.json``."""

from __future__ import annotations

from itertools import groupby

import msgspec

from plugin.guideline_text import SEED_DOCUMENT
from plugin.pages.model import Cell, ExtraPage, Section, Table, load, sources_of
from plugin.rules import RULES

_COLUMNS = ("The document says", "Rules", "What we say")
_CONTESTED_COLUMNS = ("The document says", "What is wrong with it", "What we say instead")
_LEAD = (
    "The rules began with one document. Each of its sentences stands here, word for word, beside the rules that serve "
    "it. It is the origin of the rules, not their evidence: its references 1 and 3 are secondary summaries."
)
_NOTHING = "No rule is needed for this sentence."


class SeedRow(msgspec.Struct, frozen=True):
    """One sentence of the document: where it stands, which reference it cites, which rules serve it.

    ``problem`` is what is wrong with it, ``says`` what we say (instead), ``sources`` why.
    """

    section: str
    quote: str
    reference: str
    rules: tuple[str, ...]
    problem: str
    says: str
    sources: tuple[str, ...]


ROWS: tuple[SeedRow, ...] = load("seed", tuple[SeedRow, ...])
"""Every sentence of the document, in its order."""


class _Shared(msgspec.Struct, frozen=True):
    seed_references: dict[str, str]


def seed_page() -> ExtraPage:
    """The page, contested sentences first."""
    sections = [Section("Contested or wrong", (), None, Table(_CONTESTED_COLUMNS, _contested()))]
    for title, rows in groupby(ROWS, lambda row: row.section):
        table = Table(_COLUMNS, tuple((_quoted(row), _rules(row), Cell(row.says)) for row in rows))
        sections.append(Section(title, (), None, table))
    sections.append(Section("What the document cites", _references()))
    evidence = sources_of(key for row in ROWS for key in row.sources)
    return ExtraPage("seed", "The seed document, sentence by sentence", _LEAD, tuple(sections), evidence)


def _contested() -> tuple[tuple[Cell, ...], ...]:
    return tuple(
        (_quoted(row), Cell(row.problem, (), row.sources), Cell(row.says, _known(row))) for row in ROWS if row.problem
    )


def _quoted(row: SeedRow) -> Cell:
    cited = f" (cites {row.reference})" if row.reference else ""
    return Cell(f"“{row.quote}”{cited}")


def _rules(row: SeedRow) -> Cell:
    return Cell("" if row.rules else _NOTHING, _known(row))


def _known(row: SeedRow) -> tuple[str, ...]:
    known = {rule.id for rule in RULES}
    return tuple(rule for rule in row.rules if rule in known)


def _references() -> tuple[str, ...]:
    told = (f"{number}: {words}." for number, words in load("guideline", _Shared).seed_references.items())
    return (f"Quoted from {SEED_DOCUMENT}. Its references:", *told)
