"""What a plugin says on pages of its own: questions, tables and figures as data. The host draws them."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Citation:
    """One source behind a statement; ``label`` is author and year (or product and date), never a title."""

    key: str
    label: str
    url: str
    strength: str
    supports: str
    mark: str
    date_read: str
    review_by: str


@dataclass(frozen=True, slots=True)
class Part:
    """One box of a band: words, how grave they are (an indicator, ``good`` or empty), how many columns it takes."""

    text: str
    level: str = ""
    span: int = 1


@dataclass(frozen=True, slots=True)
class Band:
    """One row of boxes under its label; ``edges`` are words below the borders between the boxes, from left to right."""

    label: str
    parts: tuple[Part, ...]
    note: str = ""
    edges: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Figure:
    """A drawing of bands under common columns; ``description`` says for readers of words what it shows."""

    id: str
    title: str
    description: str
    bands: tuple[Band, ...]
    columns: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Cell:
    """One cell of a table; ``pages`` are ids of rules or pages, ``sources`` keys of the page's evidence."""

    text: str
    pages: tuple[str, ...] = ()
    sources: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Table:
    """A table whose first column names the row."""

    columns: tuple[str, ...]
    rows: tuple[tuple[Cell, ...], ...]


@dataclass(frozen=True, slots=True)
class Section:
    """One part of a page: words, then a figure, then a table."""

    title: str
    paragraphs: tuple[str, ...] = ()
    figure: Figure | None = None
    table: Table | None = None


@dataclass(frozen=True, slots=True)
class ExtraPage:
    """A page at ``/guideline/{id}`` that belongs to no single rule; the id may hold a slash."""

    id: str
    title: str
    lead: str
    sections: tuple[Section, ...]
    evidence: tuple[Citation, ...] = ()


@dataclass(frozen=True, slots=True)
class Topic:
    """One answer to a question: ``pages`` are ids of rules or pages."""

    title: str
    text: str
    pages: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Question:
    """A question by which people look for their page, with its answers."""

    title: str
    topics: tuple[Topic, ...]


@dataclass(frozen=True, slots=True)
class Basis:
    """What lets a reader judge a rule independently: what and whom it is for, and what it reads.

    ``interaction`` are the items of the minimum information about an interaction, as (item, content).
    ``reference`` are lines to read up, marked as no order.
    """

    intended_use: str = ""
    population: str = ""
    inputs: tuple[str, ...] = ()
    interaction: tuple[tuple[str, str], ...] = ()
    figures: tuple[Figure, ...] = ()
    reference: tuple[str, ...] = ()
