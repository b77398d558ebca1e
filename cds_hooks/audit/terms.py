"""What the store keeps about codes: those that nothing resolved, counted, and those that a resolver explained.

Unlike the audit these are working notes without any data of a patient: rows are counted up, replaced and removed.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import datetime
from typing import Any

import msgspec
from sqlalchemy import Connection, Table, bindparam, delete, func, select
from sqlalchemy.dialects.sqlite import insert

from cds_hooks.audit.rows import timestamp
from cds_hooks.audit.schema import learned, unmapped

UNMAPPED_LIMIT = 10_000
LEARNED_LIMIT = 50_000


class UnmappedRow(msgspec.Struct, frozen=True, kw_only=True):
    """A code or text that nothing resolved: how often it was seen, and when first and last.

    One code is one row, whatever is written beside it; ``text`` is what stood there last. A text without a code is a
    row of its own.
    """

    position: str
    system: str
    code: str
    text: str
    count: int
    first_seen: datetime
    last_seen: datetime

    @property
    def key(self) -> tuple[str, str, str, str]:
        """What makes two rows the same."""
        return key_of(self.position, self.system, self.code, self.text)


class LearnedRow(msgspec.Struct, frozen=True, kw_only=True):
    """What a resolver said about one code, and until when that counts.

    ``known`` is False where the source does not know the code. ``targets`` are the plugin's identities; a known code
    without any is none of the plugin's.
    """

    position: str
    system: str
    code: str
    name: str
    targets: tuple[str, ...]
    source: str
    known: bool
    time: datetime
    expires: datetime


def key_of(position: str, system: str, code: str, text: str) -> tuple[str, str, str, str]:
    """The identity of something unmapped: its code, or its words where it has none."""
    return position, system, code, "" if code else text.casefold()


def count_unmapped(connection: Connection, rows: Iterable[UnmappedRow], limit: int = UNMAPPED_LIMIT) -> int:
    """Add ``rows`` to the counts; beyond ``limit`` rows the least counted are let go, and their number returned."""
    values = [_unmapped_values(row) for row in rows]
    if not values:
        return 0
    statement = insert(unmapped)
    new = statement.excluded
    connection.execute(
        statement.on_conflict_do_update(
            index_elements=["position", "system", "code", "words"],
            set_={
                "text": new.text,
                "count": unmapped.c.count + new.count,
                "first_seen": func.min(unmapped.c.first_seen, new.first_seen),
                "last_seen": func.max(unmapped.c.last_seen, new.last_seen),
            },
        ),
        values,
    )
    return _keep_best(connection, unmapped, limit, unmapped.c["count"].desc(), unmapped.c.last_seen.desc())


def forget_unmapped(connection: Connection, keys: Iterable[tuple[str, str, str, str]]) -> None:
    """Remove rows that something resolves by now."""
    names = ("position", "system", "code", "words")
    values = [dict(zip((f"old_{name}" for name in names), key, strict=True)) for key in keys]
    if values:
        same = (unmapped.c[name] == bindparam(f"old_{name}") for name in names)
        connection.execute(delete(unmapped).where(*same), values)


def keep_learned(connection: Connection, rows: Iterable[LearnedRow], limit: int = LEARNED_LIMIT) -> None:
    """Keep what was learned, in place of what was known of the same codes; at most the ``limit`` newest."""
    values = [_learned_values(row) for row in rows]
    if not values:
        return
    statement = insert(learned)
    changed = {name: statement.excluded[name] for name in ("name", "targets", "source", "known", "time", "expires")}
    connection.execute(
        statement.on_conflict_do_update(index_elements=["position", "system", "code"], set_=changed), values
    )
    _keep_best(connection, learned, limit, learned.c.known.desc(), learned.c.time.desc())


def read_unmapped(connection: Connection, position: str = "") -> Sequence[UnmappedRow]:
    """Every row, of one position or of all, the most counted first."""
    query = select(unmapped).order_by(unmapped.c["count"].desc(), *unmapped.primary_key.columns)
    if position:
        query = query.where(unmapped.c.position == position)
    return [_unmapped_row(item) for item in connection.execute(query).mappings()]


def read_learned(connection: Connection) -> Sequence[LearnedRow]:
    """Every row, the oldest first."""
    query = select(learned).order_by(learned.c.time, *learned.primary_key.columns)
    return [_learned_row(item) for item in connection.execute(query).mappings()]


def _keep_best(connection: Connection, table: Table, limit: int, *order: Any) -> int:
    excess = (connection.scalar(select(func.count()).select_from(table)) or 0) - limit
    if excess > 0:
        kept = select(table.c.seq).order_by(*order, table.c.seq).limit(limit)
        connection.execute(delete(table).where(table.c.seq.not_in(kept)))
    return max(excess, 0)


def _unmapped_values(row: UnmappedRow) -> dict[str, Any]:
    position, system, code, words = row.key
    return {
        "position": position,
        "system": system,
        "code": code,
        "words": words,
        "text": row.text,
        "count": row.count,
        "first_seen": timestamp(row.first_seen),
        "last_seen": timestamp(row.last_seen),
    }


def _unmapped_row(item: Any) -> UnmappedRow:
    values = {name: item[name] for name in ("position", "system", "code", "text", "count")}
    values |= {name: datetime.fromisoformat(item[name]) for name in ("first_seen", "last_seen")}
    return UnmappedRow(**values)


def _learned_values(row: LearnedRow) -> dict[str, Any]:
    return {
        "position": row.position,
        "system": row.system,
        "code": row.code,
        "name": row.name,
        "targets": msgspec.json.encode(row.targets).decode(),
        "source": row.source,
        "known": int(row.known),
        "time": timestamp(row.time),
        "expires": timestamp(row.expires),
    }


def _learned_row(item: Any) -> LearnedRow:
    values = {name: item[name] for name in ("position", "system", "code", "name", "source")}
    values |= {name: datetime.fromisoformat(item[name]) for name in ("time", "expires")}
    values |= {"targets": msgspec.json.decode(item["targets"], type=tuple[str, ...]), "known": bool(item["known"])}
    return LearnedRow(**values)
