"""What was shown about a patient before, and how it was answered: one query over calls, findings and feedback."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, Row, Select, bindparam, select

from cds_hooks.audit.rows import timestamp
from cds_hooks.audit.schema import call, feedback, finding
from cds_hooks.service import Shown

MOST = 200
"""Findings looked back at, the newest first: what more was shown about one patient no longer matters."""

OVERRIDDEN = "overridden"


def read_shown(connection: Connection, patient: str, client: str, encounter: str, since: datetime) -> Sequence[Shown]:
    """Return the findings that cards of this patient showed to this client since a moment, newest first.

    ``patient`` and ``encounter`` are pseudonyms. An override without a coded reason counts as ``other``.
    """
    where = {"patient": patient, "client": client, "since": timestamp(since), "most": MOST}
    found = connection.execute(_QUERY, where).all()
    return [_shown(row, encounter) for row in found]


def _query() -> Select[Any]:
    """Made once: building the statement costs more than running it."""
    newest = (
        select(feedback.c.seq)
        .where(feedback.c.card_key == finding.c.card_key, feedback.c.service == call.c.service)
        .order_by(feedback.c.seq.desc())
        .limit(1)
        .scalar_subquery()
    )
    answered = feedback.alias("answered")
    return (
        select(
            *(finding.c[name] for name in ("rule", "label", "indicator", "state", "digest")),
            *(call.c[name] for name in ("hook", "time", "encounter", "kept_for_signing")),
            *(answered.c[name] for name in ("outcome", "reason_code", "reason_display")),
        )
        .join(call, call.c.seq == finding.c.call_seq)
        .outerjoin(answered, answered.c.seq == newest)
        .where(call.c.patient == bindparam("patient"), call.c.client == bindparam("client"))
        .where(call.c.time >= bindparam("since"))
        .where(finding.c.shown == 1)
        .order_by(call.c.seq.desc(), finding.c.position)
        .limit(bindparam("most"))
    )


_QUERY = _query()


def _shown(row: Row[Any], encounter: str) -> Shown:
    overridden = row.outcome == OVERRIDDEN
    reason = (row.reason_code or ("other" if row.reason_display else "")) if overridden else ""
    return Shown(
        row.rule,
        row.label,
        row.indicator,
        tuple(row.state.split("\n")) if row.state else (),
        row.digest,
        row.hook,
        datetime.fromisoformat(row.time),
        bool(encounter) and row.encounter == encounter,
        bool(row.kept_for_signing),
        reason,
    )
