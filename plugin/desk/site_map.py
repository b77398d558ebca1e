"""A site's own codes: a folder of CSV and FHIR files read, checked against the codes that ship, and made an overlay."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from pathlib import Path
from typing import Final

import msgspec

from plugin.desk.problems import Problem, Problems, shown
from plugin.desk.site_csv import read_csv
from plugin.desk.site_fhir import read_json
from plugin.desk.site_files import SiteFile, read_folder
from plugin.desk.site_rows import DRUG, LAB, PROBLEM, Row
from plugin.desk.targets import MATCHED_BY, POSITIONS_OF, Meaning, NotHeld, Refused, Targets, ingredients_of, said, same
from valuesets import Overlay, Product, Terminology
from valuesets.overlay import EMPTY
from valuesets.systems import canonical_system
from valuesets.text import normalise, split_words

MOST_ROWS: Final = 200_000
_READERS: Final = {".csv": read_csv, ".json": read_json}
_SHORTEST: Final = 3  # letters of a drug's text; a shorter one stands in too many other texts


class SiteMap(msgspec.Struct, frozen=True):
    """What a folder holds: the overlay to load, and everything that is wrong with it, in the order of the files.

    The overlay must not be put into force while one of the problems is an error.
    """

    overlay: Overlay
    problems: tuple[Problem, ...]
    files: tuple[str, ...] = ()


NO_MAP: Final = SiteMap(EMPTY, ())


def read(folder: Path, shipped: Terminology) -> SiteMap:
    """Reads and checks a site's folder against ``shipped``, the terminology without it. Raises nothing."""
    problems = Problems()
    files = read_folder(folder, problems)
    rows = [row for file in files for row in _READERS[file.kind](file.name, file.content, problems)]
    if len(rows) > MOST_ROWS:
        problems.error(str(folder), "", f"holds {len(rows)} mappings; at most {MOST_ROWS} are read")
        return SiteMap(EMPTY, tuple(problems))
    table = _Table(shipped, problems)
    for row in rows:
        table.take(row)
    table.tell_left_out()
    return SiteMap(table.overlay(_version(files)), _sorted(problems), tuple(file.name for file in files))


def _sorted(problems: Problems) -> tuple[Problem, ...]:
    """By file, each file's in the order in which they were found."""
    return tuple(sorted(problems, key=lambda problem: problem.file))


def _version(files: list[SiteFile]) -> str:
    """A short hash over names and contents, and the names; empty without a file."""
    digest = hashlib.sha256()
    for file in files:
        digest.update(f"{file.name}\0{len(file.content)}\0".encode() + file.content)
    return " ".join([digest.hexdigest()[:12], *(file.name for file in files)]) if files else ""


class _Table:
    """The mappings taken so far, by position, system and code."""

    def __init__(self, shipped: Terminology, problems: Problems) -> None:
        self._shipped = shipped
        self._problems = problems
        self._targets = Targets(shipped)
        self._taken: dict[tuple[str, str, str], tuple[Meaning, Row]] = {}
        self._not_held: dict[str, list[Row]] = {}
        self._odd: set[tuple[str, str]] = set()

    def take(self, row: Row) -> None:
        """Adds a row, or says why not."""
        try:
            position, meaning = self._targets.meaning(row)
            if row.system:
                self._code(row, position, meaning)
            else:
                self._text(row, meaning)
        except NotHeld as refused:
            if not row.lenient:
                self._problems.error(row.file, row.row, str(refused))
            else:
                self._not_held.setdefault(row.file, []).append(row)
        except Refused as refused:
            self._problems.error(row.file, row.row, str(refused))

    def _code(self, row: Row, position: str, meaning: Meaning) -> None:
        system = canonical_system(row.system) or row.system
        only = POSITIONS_OF.get(system, position)
        if only != position:
            raise Refused(f"the system {shown(row.system)} holds codes of the position {only}, not {position}")
        if ":" not in system and (row.file, system) not in self._odd:
            self._odd.add((row.file, system))
            told = f"the system {shown(system)} is no URI; it must be spelt as the record system sends it"
            self._problems.warning(row.file, row.row, told)
        known = self._known(position, system, row.code)
        if not known:
            self._add(row, (position, system, row.code), meaning)
        elif not (_within(meaning, known) if row.adds else same(meaning, known)):
            raise Refused(
                f"the standard code {shown(row.code)} means {said(known)} and cannot be made to mean {said(meaning)}; "
                "take the row out"
            )

    def _known(self, position: str, system: str, code: str) -> Meaning | None:
        """What the shipped data say about a code."""
        if position == DRUG:
            return self._shipped.product(system, code)
        return self._shipped.analyte(system, code) if position == LAB else self._shipped.concepts(system, code)

    def _text(self, row: Row, meaning: Meaning) -> None:
        words = split_words(normalise(row.code))
        phrase, wanted = " ".join(words), ingredients_of(meaning)
        if not wanted:
            raise Refused("a text cannot mean none: a text without a known drug is an ordinary drug already")
        if sum(char.isalpha() for char in phrase) < _SHORTEST:
            raise Refused(f"the text {shown(row.code)} is too short: it would match inside other texts")
        match = self._shipped.match_text(row.code)
        if match.rejected_by:
            raise Refused(
                f"the text {shown(row.code)} says {shown(match.rejected_by)}, so it names no drug that is taken"
            )
        if match.ingredients and not match.misspelt and set(match.ingredients) != set(wanted):
            names = " + ".join(item.name for item in match.ingredients)
            raise Refused(f"the text {shown(row.code)} names {names} and cannot be made to mean {said(meaning)}")
        if isinstance(meaning, Product) and meaning.long_acting and not match.long_acting:
            told = (
                "a text keeps the ingredients of its target only; that it is long-acting is lost. Map the code as well"
            )
            self._problems.warning(row.file, row.row, told)
        self._add(row, (DRUG, "", phrase), meaning)

    def _add(self, row: Row, key: tuple[str, str, str], meaning: Meaning) -> None:
        before = self._taken.get(key)
        if before is None:
            self._taken[key] = (meaning, row)
            return
        earlier, first = before
        if row.adds and first.adds and isinstance(earlier, frozenset) and isinstance(meaning, frozenset):
            self._taken[key] = (earlier | meaning, first)
        elif same(earlier, meaning):
            self._problems.warning(row.file, row.row, f"repeats row {first.row} of {first.file}")
        else:
            there = f"{said(earlier)} in row {first.row} of {first.file}"
            raise Refused(f"{shown(row.code)} is {said(meaning)} here and {there}; keep one")

    def tell_left_out(self) -> None:
        """One warning for each file whose targets the data do not hold: such files map far more than our drugs."""
        for file, rows in self._not_held.items():
            told = f"{shown(rows[0].code)} to {shown(rows[0].target)}"
            self._problems.warning(
                file,
                rows[0].row,
                f"{len(rows)} mappings are left out, because the data do not hold their targets; the first is {told}",
            )

    def overlay(self, version: str) -> Overlay:
        """All that was taken."""
        drugs = {
            key: msgspec.structs.replace(meaning, rxcui=key[1], matched_by=MATCHED_BY)
            for key, meaning in self._of(DRUG)
            if isinstance(meaning, Product) and key[0]
        }
        texts = {code: meaning for (system, code), meaning in self._of(DRUG) if not system}
        names = {code: _identities(meaning) for code, meaning in texts.items()}
        further = {code: meaning.further for code, meaning in texts.items() if isinstance(meaning, Product)}
        analytes = {key: meaning for key, meaning in self._of(LAB) if isinstance(meaning, str)}
        conditions = {key: meaning for key, meaning in self._of(PROBLEM) if isinstance(meaning, frozenset)}
        return Overlay(drugs, analytes, conditions, names, version, further)

    def _of(self, position: str) -> Iterator[tuple[tuple[str, str], Meaning]]:
        for (where, system, code), (meaning, _) in sorted(self._taken.items(), key=lambda item: item[0]):
            if where == position:
                yield (system, code), meaning


def _identities(meaning: Meaning) -> tuple[str, ...]:
    return tuple(item.rxcui for item in ingredients_of(meaning))


def _within(meaning: Meaning, known: Meaning) -> bool:
    """Whether what a ValueSet adds is known already."""
    if isinstance(meaning, frozenset) and isinstance(known, frozenset):
        return meaning <= known
    return same(meaning, known)
