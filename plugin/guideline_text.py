"""What people read about each rule, apart from its thresholds: the typed face of the folder ``guideline``.

A new rule is one more file in that folder, named by its id; every field has to stand, an empty list where the rule has
nothing to say. ``guideline.json`` beside them holds what all pages share: what stands under ``not_covered`` for a group
is shown on each of its pages, after the rule's own. Threshold figures are settings of the rules and never stand here.

The files are read once, at import. Anything missing, unknown, repeated or not in the bibliography is an error that
names the rule and the field.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, fields
from pathlib import Path
from types import MappingProxyType
from typing import Any, TypeVar

import msgspec

from plugin.evidence import BIBLIOGRAPHY, MARKS

FOLDER = Path(__file__).with_name("guideline")
FILE = FOLDER / "guideline.json"

SEED_DOCUMENT = "seed-what-causes-leg-dystonia.txt"
"""The document that the rules started from, as the pages name it."""

LEVELS = ("critical", "warning", "info", "no card")
TOP_LEVEL = {"intro", "disclaimer", "override_reasons", "suppressions", "seed_references", "not_covered"}
SUPPRESSIONS = frozenset(f"S-{n:02}" for n in range(1, 19))

T = TypeVar("T")


class GuidelineError(ValueError):
    """The folder cannot be read as a guideline; the message names the rule and the field."""


@dataclass(frozen=True, slots=True)
class SeedStatement:
    """A row of the seed document that a rule serves, word for word, with our comment.

    ``reference`` is the number that the seed document cites at the end of the row, or empty; ``cites`` says in words
    what that is.
    """

    section: str
    quote: str
    reference: str
    comment: str
    cites: str = ""

    @property
    def text(self) -> str:
        """The statement as one paragraph, for pages that show plain text."""
        cited = f" Cited there: reference {self.reference} ({self.cites})." if self.reference else ""
        return f"{SEED_DOCUMENT}, {self.section}: “{self.quote}”.{cited} Our comment: {self.comment}"


@dataclass(frozen=True, slots=True)
class RuleText:
    """One rule in words.

    ``levels`` are (indicator, when) with an indicator of :data:`LEVELS`; ``suppressions`` are (id, what happens);
    ``overrides`` are keys of :data:`OVERRIDE_REASONS`. ``evidence`` are the keys of the sources behind the rule,
    ``background`` those behind its factors, limits and suppressions. ``marks`` are (mark, what it holds for).
    """

    id: str
    title: str
    group: str
    question: str
    looks_for: tuple[str, ...]
    levels: tuple[tuple[str, str], ...]
    missing_data: tuple[str, ...]
    suppressions: tuple[tuple[str, str], ...]
    options: tuple[str, ...]
    overrides: tuple[str, ...]
    evidence: tuple[str, ...]
    background: tuple[str, ...]
    strength: str
    seed: tuple[SeedStatement, ...]
    not_covered: tuple[str, ...]
    summary_example: str
    marks: tuple[tuple[str, str], ...]

    @property
    def sources(self) -> tuple[str, ...]:
        """All keys that the page cites: the rule's own evidence first, then its background."""
        return self.evidence + self.background


@dataclass(frozen=True, slots=True)
class Guideline:
    """The whole file."""

    intro: tuple[str, ...]
    disclaimer: tuple[str, ...]
    override_reasons: Mapping[str, str]
    suppressions: Mapping[str, str]
    rules: Mapping[str, RuleText]


def parse(shared: bytes, rules: Iterable[bytes]) -> Guideline:
    """Read a guideline from the JSON that its pages share and that of each rule.

    Raises :class:`GuidelineError` for anything that does not fit.
    """
    document = _decode(shared)
    _same_names("top level", document, TOP_LEVEL)
    guideline = Guideline(
        intro=_convert("intro", document["intro"], tuple[str, ...]),
        disclaimer=_convert("disclaimer", document["disclaimer"], tuple[str, ...]),
        override_reasons=MappingProxyType(_convert("override_reasons", document["override_reasons"], dict[str, str])),
        suppressions=MappingProxyType(_convert("suppressions", document["suppressions"], dict[str, str])),
        rules=_rules(document, [_decode(rule) for rule in rules]),
    )
    for rule in guideline.rules.values():
        _check_references(rule, guideline.override_reasons)
    return guideline


def _decode(data: bytes) -> dict[str, Any]:
    try:
        return msgspec.json.decode(data, type=dict[str, Any])
    except msgspec.MsgspecError as error:
        raise GuidelineError(f"{FOLDER.name}: {error}") from error


def _rules(document: dict[str, Any], rows: Iterable[dict[str, Any]]) -> Mapping[str, RuleText]:
    found: dict[str, RuleText] = {}
    for row in rows:
        rule = _rule(row, document["not_covered"], document["seed_references"])
        if rule.id in found:
            raise GuidelineError(f"{FOLDER.name}: {rule.id} stands twice; each rule may stand once")
        found[rule.id] = rule
    return MappingProxyType(found)


def _rule(row: dict[str, Any], not_covered: Mapping[str, list[str]], references: Mapping[str, str]) -> RuleText:
    name = str(row.get("id", "a rule without id"))
    _same_names(name, row, {f.name for f in fields(RuleText)})
    _known(name, "group", [row["group"]], not_covered)
    seed = [_seed(name, statement, references) for statement in row["seed"]]
    rest = [*row["not_covered"], *not_covered[row["group"]]]
    return _convert(name, row | {"seed": seed, "not_covered": rest}, RuleText)


def _seed(name: str, statement: dict[str, Any], references: Mapping[str, str]) -> dict[str, Any]:
    _same_names(f"{name}, seed", statement, {f.name for f in fields(SeedStatement)} - {"cites"})
    number = statement["reference"]
    _known(name, "seed reference", [number] if number else [], references)
    return statement | {"cites": references.get(number, "")}


def _check_references(rule: RuleText, override_reasons: Mapping[str, str]) -> None:
    _known(rule.id, "override reason", rule.overrides, override_reasons)
    _known(rule.id, "source", rule.sources, BIBLIOGRAPHY)
    _known(rule.id, "suppression", [code for code, _ in rule.suppressions], SUPPRESSIONS)
    _known(rule.id, "level", [indicator for indicator, _ in rule.levels], LEVELS)
    _known(rule.id, "mark", [mark for mark, _ in rule.marks], MARKS)


def _same_names(where: str, row: Mapping[str, Any], expected: set[str]) -> None:
    if missing := sorted(expected - row.keys()):
        raise GuidelineError(f"{FOLDER.name}, {where}: missing {', '.join(missing)} (an empty list is allowed)")
    if unknown := sorted(row.keys() - expected):
        raise GuidelineError(
            f"{FOLDER.name}, {where}: unknown {', '.join(unknown)}; known are {', '.join(sorted(expected))}"
        )


def _known(where: str, what: str, used: Iterable[str], known: Iterable[str]) -> None:
    if unknown := sorted(set(used) - set(known)):
        raise GuidelineError(f"{FOLDER.name}, {where}: unknown {what}: {', '.join(unknown)}")


def _convert(where: str, value: object, kind: type[T]) -> T:
    try:
        return msgspec.convert(value, kind)
    except msgspec.ValidationError as error:
        raise GuidelineError(f"{FOLDER.name}, {where}: {error}") from error


GUIDELINE = parse(FILE.read_bytes(), [file.read_bytes() for file in sorted(FOLDER.glob("R-*.json"))])

TEXTS: Mapping[str, RuleText] = GUIDELINE.rules
"""Every rule in words, by its id."""

OVERRIDE_REASONS: Mapping[str, str] = GUIDELINE.override_reasons
"""Code to display of every reason for not following a card."""

SILENCES: Mapping[str, str] = GUIDELINE.suppressions
"""What each value of ``suppressed`` in a verdict means, in a sentence."""

INTRO: tuple[str, ...] = GUIDELINE.intro
DISCLAIMER: tuple[str, ...] = GUIDELINE.disclaimer

SOURCES_USED: frozenset[str] = frozenset(key for rule in TEXTS.values() for key in rule.sources)
"""The keys of the bibliography that the rules of this version cite."""
