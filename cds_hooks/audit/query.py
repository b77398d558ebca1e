"""A filter as SQL. The index that narrows most is named first; the newest entries come first."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from sqlalchemy import ColumnElement, Select, exists, func, select

from cds_hooks.audit.model import CallFilter
from cds_hooks.audit.rows import timestamp
from cds_hooks.audit.schema import call, card, feedback, finding

FEEDBACK_OUTCOMES = ("accepted", "overridden")
OUTCOMES = ("answered", "refused", "silent", "fired", "not-checked", *FEEDBACK_OUTCOMES, "no-feedback")
SAME_CARD = (
    (card.c.card_key == feedback.c.card_key)
    & (card.c.service == feedback.c.service)
    & (card.c.call_seq == call.c.seq)
    & (feedback.c.client == call.c.client)
)
"""Feedback counts for the cards of the client that sent it, and for no other's."""
_EXACT = ("service", "client", "patient")


def page(where: CallFilter) -> Select[Any]:
    """Return the query for one page, newest first."""
    query = matching(where, *call.c)
    if where.before:
        query = query.where(call.c.seq < select(call.c.seq).where(call.c.id == where.before).scalar_subquery())
    return query.order_by(call.c.seq.desc()).limit(max(where.limit, 0))


def matching(where: CallFilter, *columns: ColumnElement[Any]) -> Select[Any]:
    """Return the query for all entries that match, whatever ``limit`` and ``before``."""
    return select(*columns).where(*_conditions(where))


def _conditions(where: CallFilter) -> Iterator[ColumnElement[bool]]:
    for name in _EXACT:
        if wanted := getattr(where, name):
            yield call.c[name] == wanted
    if where.since:
        yield call.c.time >= timestamp(where.since)
    if where.until:
        yield call.c.time < timestamp(where.until)
    if where.drug:
        yield func.lower(call.c.labels).contains(where.drug.lower(), autoescape=True)
    if where.rule or where.indicator:
        yield _found(where)
    if where.outcome:
        yield _outcome(where.outcome)


def _found(where: CallFilter) -> ColumnElement[bool]:
    wanted = []
    if where.rule:
        wanted.append(finding.c.rule == where.rule)
    if where.indicator:
        wanted.append(finding.c.indicator == where.indicator)
    # A list, not a correlated "exists": a rare rule is then found by its index, without reading every entry.
    return call.c.seq.in_(select(finding.c.call_seq).where(*wanted))


def _outcome(name: str) -> ColumnElement[bool]:
    answered = call.c.outcome == "answered"
    match name:
        case "silent":
            return answered & (call.c.card_count == 0)
        case "not-checked":
            return call.c.not_checked > 0
        case "fired":
            return exists().where(finding.c.call_seq == call.c.seq)
        case "no-feedback":
            return answered & (call.c.card_count > 0) & ~exists().where(SAME_CARD)
        case "accepted" | "overridden":
            return call.c.seq.in_(select(card.c.call_seq).where(SAME_CARD, feedback.c.outcome == name))
    return call.c.outcome == name
