"""The sign-off file of a site: JSON, or CSV with a header, one row for each rule and person. Rows are only added.

A row holds ``rule``, ``version``, ``hash`` (that of the rule's content on that day), ``who``, ``role``, ``date`` and
``note``. A rule is signed while the content that runs has the hash of a row; after a change its rows are outdated.
"""

from __future__ import annotations

import csv
import io
import os
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import Any

import msgspec

from cds_hooks.errors import SignOffTrouble
from cds_hooks.visible import cell, from_cell

SIGNED, UNSIGNED, OUTDATED = "signed", "unsigned", "outdated"
_EXPECTED = "Expected rows with rule, version, hash, who, role, date (such as 2026-01-31) and note"


class Signature(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """One row: a person who stands behind a rule with this content."""

    rule: str
    version: str
    hash: str
    who: str
    role: str
    date: str
    note: str = ""


@dataclass(frozen=True, slots=True)
class Standing:
    """How a rule stands: ``signed``, ``unsigned``, or ``outdated`` because it changed since.

    ``signatures`` are those that hold, or the earlier ones that no longer do.
    """

    state: str = UNSIGNED
    signatures: tuple[Signature, ...] = ()

    @property
    def signed(self) -> bool:
        """Whether somebody stands behind the rule as it runs."""
        return self.state == SIGNED

    @property
    def since(self) -> str:
        """The day of the first signature that holds; empty without one."""
        return min((one.date for one in self.signatures), default="") if self.signed else ""


NOBODY = Standing()
"""How a rule stands that nobody signed."""


@dataclass(frozen=True, slots=True)
class Book:
    """All rows of a site."""

    rows: tuple[Signature, ...] = ()

    def standing(self, rule: str, fingerprint: str) -> Standing:
        """How a rule with this content stands."""
        rows = tuple(row for row in self.rows if row.rule == rule)
        holding = tuple(row for row in rows if row.hash == fingerprint)
        if holding:
            return Standing(SIGNED, holding)
        return Standing(OUTDATED, rows) if rows else NOBODY


def read_book(path: Path | None) -> Book:
    """The rows of a sign-off file; without a file nobody signed.

    Raises SignOffTrouble naming the file, the row and what is wrong: a row that cannot be read must not look like a
    rule that nobody signed.
    """
    try:
        text = path.read_text("utf-8") if path is not None else ""
    except FileNotFoundError:
        text = ""
    except (OSError, UnicodeDecodeError) as error:
        raise SignOffTrouble(f"The sign-off file {path} cannot be read: {error}.") from None
    if path is None or not text.strip():
        return Book()
    return Book(tuple(_row(path, number, row) for number, row in enumerate(_rows(path, text), 1)))


def _rows(path: Path, text: str) -> list[dict[str, Any]]:
    if path.suffix.lower() == ".csv":
        found = csv.DictReader(io.StringIO(text), restkey="more", strict=True)
        return [{name: from_cell(one) if isinstance(one, str) else one for name, one in row.items()} for row in found]
    try:
        return msgspec.json.decode(text, type=list[dict[str, Any]])
    except (msgspec.DecodeError, RecursionError) as error:
        raise SignOffTrouble(f"The sign-off file {path} is not a JSON list: {error}. {_EXPECTED}.") from None


def _row(path: Path, number: int, found: dict[str, Any]) -> Signature:
    try:
        row = msgspec.convert(found, Signature)
        date.fromisoformat(row.date)
        empty = [name for name in ("rule", "version", "hash", "who", "role") if not getattr(row, name).strip()]
    except ValueError as error:
        raise SignOffTrouble(f"The sign-off file {path}, row {number}: {error}. {_EXPECTED}.") from None
    if empty:
        raise SignOffTrouble(f"The sign-off file {path}, row {number}: {', '.join(empty)} is empty. {_EXPECTED}.")
    return row


def add(path: Path, book: Book, row: Signature) -> Book:
    """The book with one more row, written to the file whole, so that a crash leaves the old or the new one.

    Raises SignOffTrouble where the file cannot be written.
    """
    longer = Book((*book.rows, row))
    draft = path.with_name(path.name + ".new")
    try:
        path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        with draft.open("w", encoding="utf-8", newline="") as file:
            file.write(_csv(longer) if path.suffix.lower() == ".csv" else _json(longer))
            file.flush()
            os.fsync(file.fileno())
        draft.replace(path)
    except OSError as error:
        raise SignOffTrouble(f"The sign-off file {path} cannot be written: {error.strerror}.") from None
    return longer


def _json(book: Book) -> str:
    return msgspec.json.format(msgspec.json.encode(book.rows), indent=1).decode() + "\n"


def _csv(book: Book) -> str:
    text = io.StringIO()
    writer = csv.DictWriter(text, Signature.__struct_fields__, lineterminator="\n")
    writer.writeheader()
    writer.writerows({name: cell(one) for name, one in msgspec.to_builtins(row).items()} for row in book.rows)
    return text.getvalue()
