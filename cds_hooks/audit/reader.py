"""Looking entries up, over connections that can only read and never hold the writer back."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from datetime import datetime
from pathlib import Path
from typing import Any

import msgspec
from sqlalchemy import Connection, Row, RowMapping, func, select
from sqlalchemy.exc import SQLAlchemyError

from cds_hooks.audit.errors import StoreError
from cds_hooks.audit.memory import Memory
from cds_hooks.audit.model import CallDetail, CallFilter, CallRow, FeedbackRow, FindingRow
from cds_hooks.audit.query import SAME_CARD, matching, page
from cds_hooks.audit.schema import call, card, feedback, finding, unmapped
from cds_hooks.audit.sqlite import check_readable, reader_engine
from cds_hooks.audit.terms import LearnedRow, UnmappedRow, read_learned, read_unmapped
from cds_hooks.service import Shown

_GRAVITY = {"critical": 3, "warning": 2, "info": 1}


class _Card(msgspec.Struct):
    indicator: str = ""


_cards = msgspec.json.Decoder(list[_Card])


class Reader:
    """Read-only access; each answer is one snapshot. All methods block, and raise :class:`StoreError`."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self._engine = reader_engine(path)
        self._memory = Memory(path)

    def check(self) -> None:
        """Raise :class:`StoreError` unless the database can be read by this version."""
        with self._snapshot() as connection:
            check_readable(connection, self.path)

    def calls(self, where: CallFilter | None = None) -> list[CallRow]:
        """Return the newest entries that match, at most ``where.limit``."""
        with self._snapshot() as connection:
            return _rows(connection, connection.execute(page(where or CallFilter())).all())

    def call(self, id: str) -> CallDetail | None:
        """Return one entry with everything known about it, or None."""
        with self._snapshot() as connection:
            found = connection.execute(select(call).where(call.c.id == id)).one_or_none()
            if found is None:
                return None
            return CallDetail(
                row=_rows(connection, [found])[0],
                keys=found.keys.encode(),
                subjects=found.subjects.encode(),
                card_uuids=tuple(_uuids(connection, found.seq)),
                feedback=tuple(_feedback(connection, found.seq)),
            )

    def count(self, where: CallFilter | None = None, cap: int | None = None) -> int:
        """Return how many entries match, whatever ``limit`` and ``before``; counting stops at ``cap``."""
        matches = matching(where or CallFilter(), call.c.seq).limit(cap).subquery()
        with self._snapshot() as connection:
            return connection.scalar(select(func.count()).select_from(matches)) or 0

    def unmapped(self, position: str = "") -> Sequence[UnmappedRow]:
        """Return what nothing resolved, the most counted first; of one position or of all."""
        with self._snapshot() as connection:
            return read_unmapped(connection, position)

    def unmapped_size(self) -> int:
        """Return how many rows ``unmapped`` would give."""
        with self._snapshot() as connection:
            return connection.scalar(select(func.count()).select_from(unmapped)) or 0

    def shown(self, patient: str, client: str, encounter: str, since: datetime) -> Sequence[Shown]:
        """Return what cards of this patient showed to this client since a moment; arguments are pseudonyms."""
        return self._memory.shown(patient, client, encounter, since)

    def learned(self) -> Sequence[LearnedRow]:
        """Return what a resolver explained, the oldest first."""
        with self._snapshot() as connection:
            return read_learned(connection)

    def close(self) -> None:
        """Let go of what the engine keeps; reading afterwards opens anew."""
        self._engine.dispose()
        self._memory.close()

    @contextmanager
    def _snapshot(self) -> Iterator[Connection]:
        try:
            with self._engine.connect() as connection, connection.begin():
                yield connection
        except SQLAlchemyError as error:
            reason = getattr(error, "orig", None) or type(error).__name__
            raise StoreError(f"The audit database {self.path} cannot be read ({reason}).") from error


def _rows(connection: Connection, found: Sequence[Row[Any]]) -> list[CallRow]:
    numbers = [row.seq for row in found]
    findings, heard = _findings(connection, numbers), _outcomes(connection, numbers)
    return [_row(row, findings[row.seq], heard[row.seq]) for row in found]


def _row(found: Row[Any], findings: Sequence[FindingRow], heard: Iterable[str]) -> CallRow:
    return CallRow(
        id=found.id,
        time=datetime.fromisoformat(found.time),
        client=found.client,
        service=found.service,
        hook=found.hook,
        hook_instance=found.hook_instance,
        patient=found.patient,
        ruleset=found.ruleset,
        status=found.status,
        outcome=found.outcome,
        detail=found.detail,
        milliseconds=found.milliseconds,
        cards=found.cards.encode(),
        results=found.results.encode(),
        card_count=found.card_count,
        not_checked=found.not_checked,
        indicator=_gravest(found.cards),
        labels=tuple(found.labels.split("\n")) if found.labels else (),
        findings=tuple(findings),
        feedback=tuple(heard),
    )


def _gravest(cards: str) -> str:
    try:
        indicators = [item.indicator for item in _cards.decode(cards)]
    except msgspec.DecodeError:
        return ""
    return max(indicators, key=lambda name: _GRAVITY.get(name, 0), default="")


def _findings(connection: Connection, numbers: Sequence[int]) -> Mapping[int, list[FindingRow]]:
    grouped: defaultdict[int, list[FindingRow]] = defaultdict(list)
    query = select(finding).where(finding.c.call_seq.in_(numbers)).order_by(finding.c.call_seq, finding.c.position)
    for item in connection.execute(query):
        grouped[item.call_seq].append(
            FindingRow(item.rule, item.subject, item.label, item.indicator, item.suppressed, bool(item.shown))
        )
    return grouped


def _outcomes(connection: Connection, numbers: Sequence[int]) -> Mapping[int, list[str]]:
    grouped: defaultdict[int, list[str]] = defaultdict(list)
    query = select(card.c.call_seq, feedback.c.outcome).distinct().where(SAME_CARD)
    for number, outcome in connection.execute(query.where(card.c.call_seq.in_(numbers)).order_by(feedback.c.outcome)):
        grouped[number].append(outcome)
    return grouped


def _uuids(connection: Connection, number: int) -> Iterable[str]:
    return connection.scalars(select(card.c.uuid).where(card.c.call_seq == number).order_by(card.c.position))


def _feedback(connection: Connection, number: int) -> Iterator[FeedbackRow]:
    about = select(card.c.card_key).where(card.c.call_seq == number)
    mine = (feedback.c.service == call.c.service) & (feedback.c.client == call.c.client)
    query = select(feedback).where(feedback.c.card_key.in_(about), mine, call.c.seq == number)
    for item in connection.execute(query.order_by(feedback.c.seq)).mappings():
        yield feedback_row(item)


def feedback_row(item: RowMapping) -> FeedbackRow:
    values = {name: item[name] for name in FeedbackRow.__struct_fields__}
    values |= {"time": datetime.fromisoformat(item["time"]), "accepted": item["accepted"].encode()}
    return FeedbackRow(**values | {"known": bool(item["known"])})
