"""What was shown about a patient before, and how it was answered: one query over calls, findings and feedback.

It is asked on most calls, so its connection stays open: opening one costs as much as judging a call.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Sequence
from datetime import datetime
from pathlib import Path
from threading import Lock
from typing import Any

from sqlalchemy import Select, bindparam, func, select
from sqlalchemy.dialects import sqlite

from cds_hooks.audit.errors import StoreError
from cds_hooks.audit.location import identity
from cds_hooks.audit.rows import timestamp
from cds_hooks.audit.schema import call, feedback, finding
from cds_hooks.audit.sqlite import connect_to_read
from cds_hooks.service import Shown

MOST = 200
"""Findings looked back at, the newest first: what more was shown about one patient no longer matters."""

OVERRIDDEN = "overridden"


def _query() -> Select[Any]:
    answered = feedback.alias("answered")
    same = (answered.c.card_key == finding.c.card_key, answered.c.service == call.c.service)
    newest = select(func.max(answered.c.seq)).where(*same, answered.c.client == call.c.client).scalar_subquery()
    return (
        select(
            *(finding.c[name] for name in ("rule", "label", "indicator", "state", "digest")),
            *(call.c[name] for name in ("hook", "time", "encounter", "kept_for_signing")),
            *(feedback.c[name] for name in ("outcome", "reason_code", "reason_display")),
        )
        .join(call, call.c.seq == finding.c.call_seq)
        .outerjoin(feedback, feedback.c.seq == newest)
        .where(call.c.patient == bindparam("patient"), call.c.client == bindparam("client"))
        .where(call.c.time >= bindparam("since"), finding.c.shown == 1)
        .order_by(call.c.seq.desc(), finding.c.position)
        .limit(bindparam("most"))
    )


# As text, made once: the layers above the driver cost more than the query itself.
_COMPILED = _query().compile(dialect=sqlite.dialect(paramstyle="named"))
_QUERY, _GIVEN = str(_COMPILED), _COMPILED.params


class Memory:
    """Reads over one connection, which is opened anew after trouble and when the file was replaced."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._lock = Lock()
        self._connection: sqlite3.Connection | None = None
        self._file = (0, 0)

    def shown(self, patient: str, client: str, encounter: str, since: datetime) -> Sequence[Shown]:
        """Return the findings that cards of this patient showed to this client since a moment, newest first.

        ``patient`` and ``encounter`` are pseudonyms. An override without a coded reason counts as ``other``. Raises
        :class:`StoreError`.
        """
        where = {**_GIVEN, "patient": patient, "client": client, "since": timestamp(since), "most": MOST}
        with self._lock:
            try:
                found = self._open().execute(_QUERY, where).fetchall()
            except (sqlite3.Error, OSError) as error:
                self._discard()
                raise StoreError(f"The audit database {self._path} cannot be read ({error}).") from error
        return [_shown(row, encounter) for row in found]

    def close(self) -> None:
        with self._lock:
            self._discard()

    def _open(self) -> sqlite3.Connection:
        if self._connection is not None and self._file != identity(self._path):
            self._discard()
        if self._connection is None:
            self._file = identity(self._path)
            self._connection = connect_to_read(self._path)
        return self._connection

    def _discard(self) -> None:
        connection, self._connection = self._connection, None
        if connection is not None:
            connection.close()


def _shown(row: Sequence[Any], here: str) -> Shown:
    """A row of the query as the plugin sees it; ``here`` is the pseudonym of the present encounter."""
    rule, label, indicator, state, digest, hook, time, encounter, kept_for_signing, outcome, code, display = row
    return Shown(
        rule,
        label,
        indicator,
        tuple(state.split("\n")) if state else (),
        digest,
        hook,
        datetime.fromisoformat(time),
        bool(here) and encounter == here,
        bool(kept_for_signing),
        (code or ("other" if display else "")) if outcome == OVERRIDDEN else "",
    )
