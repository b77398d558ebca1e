"""The parts of a page. The host has the same shapes; ``plugin.services`` turns one into the other."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path
from typing import TypeVar

import msgspec

from plugin.evidence import BIBLIOGRAPHY, Source

FOLDER = Path(__file__).parents[1] / "guideline"

T = TypeVar("T")


class Part(msgspec.Struct, frozen=True):
    """One box of a band: its words, how grave it is, how many columns it takes."""

    text: str
    level: str = ""
    span: int = 1


class Band(msgspec.Struct, frozen=True):
    """One row of boxes; ``edges`` are words below the borders between them."""

    label: str
    parts: tuple[Part, ...]
    note: str = ""
    edges: tuple[str, ...] = ()


class Figure(msgspec.Struct, frozen=True):
    """A drawing of bands under common columns; ``description`` says in words what it shows."""

    id: str
    title: str
    description: str
    bands: tuple[Band, ...]
    columns: tuple[str, ...] = ()


class Cell(msgspec.Struct, frozen=True):
    """One cell of a table; ``pages`` are ids of rules or pages, ``sources`` keys of the bibliography."""

    text: str
    pages: tuple[str, ...] = ()
    sources: tuple[str, ...] = ()


class Table(msgspec.Struct, frozen=True):
    """A table whose first column names the row."""

    columns: tuple[str, ...]
    rows: tuple[tuple[Cell, ...], ...]


class Section(msgspec.Struct, frozen=True):
    """One part of a page."""

    title: str
    paragraphs: tuple[str, ...] = ()
    figure: Figure | None = None
    table: Table | None = None


class ExtraPage(msgspec.Struct, frozen=True):
    """A page that belongs to no single rule."""

    id: str
    title: str
    lead: str
    sections: tuple[Section, ...]
    evidence: tuple[Source, ...] = ()


class Topic(msgspec.Struct, frozen=True):
    """One answer to a question; ``pages`` are ids of rules or pages."""

    title: str
    text: str
    pages: tuple[str, ...]


class Question(msgspec.Struct, frozen=True):
    """A question by which people look for their page."""

    title: str
    topics: tuple[Topic, ...]


class Basis(msgspec.Struct, frozen=True):
    """What lets a reader judge a rule for himself; ``interaction`` are the items of the minimum information."""

    intended_use: str
    population: str
    inputs: tuple[str, ...]
    interaction: tuple[tuple[str, str], ...]
    figures: tuple[Figure, ...]
    reference: tuple[str, ...] = ()


def load(name: str, kind: type[T]) -> T:
    """A data file of the folder ``guideline``; raises msgspec.ValidationError where it does not fit."""
    return msgspec.json.decode((FOLDER / f"{name}.json").read_bytes(), type=kind)


def sources_of(keys: Iterable[str]) -> tuple[Source, ...]:
    """The sources of the bibliography in its order, each once; an unknown key is a KeyError."""
    wanted = {BIBLIOGRAPHY[key].key for key in keys}
    return tuple(source for key, source in BIBLIOGRAPHY.items() if key in wanted)
