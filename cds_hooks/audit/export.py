"""Entries as JSON for other programs, read beside a running service."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any, Protocol

import msgspec

from cds_hooks.audit.errors import StoreError
from cds_hooks.audit.location import database_path
from cds_hooks.audit.model import CallDetail, CallFilter, CallRow, FeedbackRow
from cds_hooks.audit.reader import Reader

_PAGE = 500


class Listing(Protocol):
    """Anything that lists entries: the store or a reader."""

    def calls(self, where: CallFilter | None = None) -> list[CallRow]: ...


def open_reader(url: str, data_dir: Path) -> Reader:
    """Open the store at ``url`` for reading only; works while the service runs. Raises :class:`StoreError`."""
    path = database_path(url, data_dir)
    if not path.is_file():
        raise StoreError(f"There is no audit database at {path} yet. Start the service once, or name its data folder.")
    reader = Reader(path)
    reader.check()
    return reader


def every(listing: Listing, where: CallFilter, limit: int | None = None) -> Iterator[CallRow]:
    """Yield the entries that match, newest first, page by page: memory stays small however many there are."""
    left = limit
    while left is None or left > 0:
        size = _PAGE if left is None else min(_PAGE, left)
        rows = listing.calls(msgspec.structs.replace(where, limit=size))
        yield from rows
        if len(rows) < size:
            return
        left = None if left is None else left - size
        where = msgspec.structs.replace(where, before=rows[-1].id)


def as_json(item: CallRow | CallDetail) -> dict[str, Any]:
    """Return ``item`` JSON-ready: a row with the eight fields of a listing, a detail with all there is."""
    if isinstance(item, CallRow):
        return _listed(item)
    row = item.row
    return _listed(row) | {
        "status": row.status,
        "outcome": row.outcome,
        "detail": row.detail,
        "patient": row.patient,
        "ruleset": row.ruleset,
        "milliseconds": row.milliseconds,
        "keys": parsed(item.keys),
        "subjects": parsed(item.subjects),
        "feedback": [_feedback(heard) for heard in item.feedback],
    }


def parsed(payload: bytes) -> Any:
    """Return the JSON value, or the text itself where it is not JSON: an audit hides nothing."""
    try:
        return msgspec.json.decode(payload)
    except msgspec.DecodeError:
        return payload.decode("utf-8", "replace")


def _listed(row: CallRow) -> dict[str, Any]:
    return {
        "id": row.id,
        "time": row.time.isoformat(),
        "client": row.client,
        "service": row.service,
        "hook": row.hook,
        "hookInstance": row.hook_instance,
        "cards": parsed(row.cards),
        "results": parsed(row.results),
    }


def _feedback(heard: FeedbackRow) -> dict[str, Any]:
    reason = {"code": heard.reason_code, "system": heard.reason_system, "display": heard.reason_display}
    optional = {
        "outcomeTimestamp": heard.outcome_timestamp,
        "acceptedSuggestions": parsed(heard.accepted),
        "overrideReason": _with_value(reason | {"userComment": heard.comment}),
    }
    certain = {"time": heard.time.isoformat(), "client": heard.client, "card": heard.card, "known": heard.known}
    return certain | {"outcome": heard.outcome} | _with_value(optional)


def _with_value(fields: dict[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in fields.items() if value}
