"""Entries and feedback as rows of the tables, and the statements that insert them."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Any, TypeVar

import msgspec
from sqlalchemy import Connection, Table, bindparam, exists, insert
from sqlalchemy.dialects import sqlite

from cds_hooks.audit.model import Entry, Feedback, FindingRow
from cds_hooks.audit.schema import call, card, feedback, finding

Row = tuple[Any, ...]
Record = TypeVar("Record", Entry, Feedback, FindingRow)


class _Verdict(msgspec.Struct):
    status: str = ""


class _Subject(msgspec.Struct):
    label: str = ""


_verdicts = msgspec.json.Decoder(list[_Verdict])
_subjects = msgspec.json.Decoder(list[_Subject])


def _compiled(table: Table) -> str:
    # Compiled once and handed to the driver with plain tuples: half the cost of an execution through Core.
    return str(insert(table).compile(dialect=sqlite.dialect()))


_INSERTS = [_compiled(table) for table in (call, finding, card)]
_insert_feedback = insert(feedback).values(
    known=exists().where(
        card.c.card_key == bindparam("known_key"),
        card.c.service == bindparam("known_service"),
        card.c.call_seq == call.c.seq,
        call.c.client == bindparam("known_client"),
    )
)


def timestamp(moment: datetime) -> str:
    """Return ``moment`` as the tables keep it: UTC, microseconds, offset."""
    return moment.astimezone(UTC).isoformat(timespec="microseconds")


def insert_entries(connection: Connection, entries: Sequence[Entry], first: int) -> None:
    """Insert ``entries`` under consecutive numbers from ``first`` on. Raises the driver's own errors."""
    calls: list[Row] = []
    findings: list[Row] = []
    cards: list[Row] = []
    for seq, entry in enumerate(entries, first):
        calls.append(_call_row(seq, entry))
        for position, item in enumerate(entry.findings):
            findings.append(_finding_row(seq, position, item))
        for position, uuid in enumerate(entry.card_uuids):
            cards.append((seq, position, uuid, card_key(uuid), entry.service))
    cursor = connection.connection.cursor()
    for statement, rows in zip(_INSERTS, (calls, findings, cards), strict=True):
        if rows:
            cursor.executemany(statement, rows)


def insert_feedback(connection: Connection, items: Sequence[Feedback]) -> None:
    """Insert ``items``; each learns in the database whether its service ever returned that card to its client."""
    if items:
        connection.execute(_insert_feedback, [_feedback_row(item) for item in items])


def card_key(uuid: str) -> str:
    return uuid.strip().lower()


def cleaned(item: Record) -> Record:
    """Return ``item`` with half surrogate pairs, which no database takes, replaced: its row is kept."""
    changes: dict[str, Any] = {name: _clean(getattr(item, name)) for name in item.__struct_fields__}
    if isinstance(item, Entry):
        changes["card_uuids"] = tuple(map(_clean, item.card_uuids))
        changes["findings"] = tuple(map(cleaned, item.findings))
    return msgspec.structs.replace(item, **changes)


def _clean(value: Any) -> Any:
    return value.encode("utf-8", "replace").decode() if isinstance(value, str) else value


def _call_row(seq: int, entry: Entry) -> Row:
    return (
        seq,
        entry.id,
        timestamp(entry.time),
        entry.client,
        entry.service,
        entry.hook,
        entry.hook_instance,
        entry.patient,
        entry.encounter,
        int(entry.kept_for_signing),
        entry.ruleset,
        entry.status,
        entry.outcome,
        entry.detail,
        entry.milliseconds,
        len(entry.card_uuids),
        _not_checked(entry.results),
        _labels(entry),
        _text(entry.keys),
        _text(entry.subjects),
        _text(entry.cards),
        _text(entry.results),
    )


def _text(payload: bytes) -> str:
    return payload.decode("utf-8", "replace")


def _not_checked(results: bytes) -> int:
    try:
        return sum(verdict.status == "not-checked" for verdict in _verdicts.decode(results))
    except msgspec.DecodeError:
        return 0


def _labels(entry: Entry) -> str:
    """Return the drugs the entry is about, one a line, each once."""
    try:
        labels = [subject.label for subject in _subjects.decode(entry.subjects)]
    except msgspec.DecodeError:
        labels = []
    labels += [item.label for item in entry.findings]
    return "\n".join(dict.fromkeys(filter(None, labels)))


def _finding_row(seq: int, position: int, item: FindingRow) -> Row:
    told = (item.rule, item.subject, item.label, item.indicator, item.suppressed, int(item.shown))
    return seq, position, *told, card_key(item.card), "\n".join(item.state), item.digest


def _feedback_row(item: Feedback) -> dict[str, Any]:
    key = card_key(item.card)
    return {
        "time": timestamp(item.time),
        "client": item.client,
        "service": item.service,
        "card": item.card,
        "card_key": key,
        "outcome": item.outcome,
        "outcome_timestamp": item.outcome_timestamp,
        "accepted": _text(item.accepted),
        "reason_code": item.reason_code,
        "reason_system": item.reason_system,
        "reason_display": item.reason_display,
        "comment": item.comment,
        "known_key": key,
        "known_service": item.service,
        "known_client": item.client,
    }
