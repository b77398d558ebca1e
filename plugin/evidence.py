"""The bibliography: one entry per source in ``evidence.json``, with the keys of the clinical specification, B1 to B91.

A new source is one object in that file. Labels name author and year, or a product and a date, never a title: a title
may name what the reader of a card must not see.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, fields
from datetime import date, timedelta
from pathlib import Path
from types import MappingProxyType

import msgspec

FILE = Path(__file__).with_name("evidence.json")

GRACE = timedelta(days=90)
"""How long after its review-by date a source may still stand before a release is blocked."""

MARKS: Mapping[str, str] = MappingProxyType(
    {
        "V": "read in the source named, usually its abstract or an excerpt",
        "V abstract": "read in the abstract only",
        "V in part": "read in part; some details of the reference still need a check",
        "V secondary": "read in another text that reports it; a person has to read the original before it is quoted",
        "V weak": "read in a damaged or unstable text",
        "B": "background knowledge, not checked yet",
        "J": "engineering judgement, without a published value; a named clinician or pharmacist has to confirm it",
    }
)
"""What each mark says about how far a statement was checked."""

STRENGTHS: frozenset[str] = frozenset(
    {
        "guideline",
        "expert consensus",
        "systematic review",
        "pooled analysis",
        "prospective trial, small",
        "prospective study, small",
        "trials of akathisia",
        "observational study",
        "retrospective study, small",
        "reporting rates",
        "case series",
        "case reports",
        "review",
        "method paper",
        "reference data",
        "product label",
        "regulator notice",
        "law or regulation",
        "specification",
        "teaching page",
        "secondary text",
    }
)
"""The kinds of evidence that a source can be."""


class EvidenceError(ValueError):
    """``evidence.json`` cannot be read as a bibliography; the message names the entry and the field."""


@dataclass(frozen=True, slots=True)
class Source:
    """One source behind a statement.

    ``url`` is https or empty, ``mark`` is one of :data:`MARKS`, ``strength`` one of :data:`STRENGTHS`; ``date_read``
    and ``review_by`` are ISO dates.
    """

    key: str
    label: str
    url: str
    strength: str
    supports: str
    mark: str
    date_read: str
    review_by: str


FIELDS = tuple(f.name for f in fields(Source))


def parse(data: bytes) -> Mapping[str, Source]:
    """Read the bytes of a bibliography; raise :class:`EvidenceError` for anything missing, unknown or repeated."""
    try:
        rows = msgspec.json.decode(data, type=list[dict[str, str]])
    except msgspec.MsgspecError as error:
        raise EvidenceError(
            f"{FILE.name}: expected a list of objects whose values are all text, got: {error}"
        ) from error
    found: dict[str, Source] = {}
    for row in rows:
        entry = _source(row)
        if entry.key in found:
            raise EvidenceError(f"{FILE.name}: {entry.key} stands twice; each key may stand once")
        found[entry.key] = entry
    return MappingProxyType(found)


def _source(row: dict[str, str]) -> Source:
    name = row.get("key", "an entry without key")
    if wrong := sorted(row.keys() ^ set(FIELDS)):
        raise EvidenceError(
            f"{FILE.name}, {name}: missing or unknown: {', '.join(wrong)}; expected {', '.join(FIELDS)}"
        )
    if row["mark"] not in MARKS:
        raise EvidenceError(f"{FILE.name}, {name}: unknown mark {row['mark']!r}; known are {', '.join(MARKS)}")
    if row["strength"] not in STRENGTHS:
        raise EvidenceError(f"{FILE.name}, {name}: unknown strength {row['strength']!r}; see STRENGTHS in evidence.py")
    return Source(**row)


BIBLIOGRAPHY: Mapping[str, Source] = parse(FILE.read_bytes())


def source(key: str) -> Source:
    """The source with this key; ``KeyError`` says what to do about an unknown one."""
    try:
        return BIBLIOGRAPHY[key]
    except KeyError:
        raise KeyError(f"no source {key!r} in the bibliography: correct the key or add an entry to {FILE}") from None


def overdue(today: date, sources: Iterable[Source] = BIBLIOGRAPHY.values(), grace: timedelta = GRACE) -> list[Source]:
    """The sources whose review-by date passed more than ``grace`` before ``today``."""
    return [entry for entry in sources if date.fromisoformat(entry.review_by) + grace < today]
