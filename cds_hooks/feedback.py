"""``POST /cds-services/{id}/feedback``: what became of cards, kept as it comes."""

from __future__ import annotations

from datetime import datetime
from typing import Any

import msgspec
import structlog
from starlette.types import Receive, Scope, Send

from cds_hooks.asgi import SECURITY, Head, Headers, read_body, respond, respond_and_drain
from cds_hooks.audit import Feedback
from cds_hooks.errors import (
    BadCall,
    ClientGone,
    InternalError,
    Refusal,
    TooLarge,
    UnknownService,
    WrongMethod,
    outcome_json,
)
from cds_hooks.hooks import CLIENT
from cds_hooks.limits import within
from cds_hooks.logging import where
from cds_hooks.recording import DURABLE, FAILED, OFF, PENDING
from cds_hooks.state import State

ROUTE = "/cds-services/{id}/feedback"
OUTCOMES = ("accepted", "overridden")
LONGEST_COMMENT = 4000
LONGEST_TEXT = 255
WAIT_SECONDS = 2.0

log = structlog.get_logger()


class FeedbackEndpoint:
    """Reads feedback, writes it into the audit store, answers ``{}``."""

    def __init__(self, state: State) -> None:
        self._state = state
        self._services = frozenset(service.id for service in state.plugin.services)

    async def __call__(self, scope: Scope, receive: Receive, send: Send, service_id: str) -> None:
        headers: Headers = list(SECURITY)
        try:
            rows = await self._read(scope, receive, service_id)
            audit_state = await self._store(rows)
        except ClientGone:
            return
        except Refusal as refusal:
            await _refuse(send, receive, refusal, headers)
            return
        except Exception as error:
            log.error("feedback-failed", error=type(error).__name__, where=where(error))
            await _refuse(send, receive, InternalError("An internal error; the feedback was not kept."), headers)
            return
        headers.append((b"x-audit-state", audit_state.encode()))
        await respond(send, 200, b"{}", headers)
        log.info("feedback", route=ROUTE, service=service_id, entries=len(rows), audit_state=audit_state)

    async def _read(self, scope: Scope, receive: Receive, service_id: str) -> list[Feedback]:
        if service_id not in self._services:
            raise UnknownService("There is no such service. GET /cds-services lists those there are.")
        if scope["method"] != "POST":
            raise WrongMethod("Feedback is a POST.")
        head = Head.of(scope)
        head.check_media()
        body = await read_body(head, receive, self._state.settings.body_limit)
        return read_feedback(body, self._state.clock(), service_id)

    async def _store(self, rows: list[Feedback]) -> str:
        for row in rows:
            self._state.metrics.feedback[row.service, row.outcome] += 1
        if self._state.store is None:
            return OFF
        try:
            durable = await within(WAIT_SECONDS, self._state.store.append_feedback(rows))
        except TimeoutError:
            return PENDING
        return DURABLE if durable else FAILED


async def _refuse(send: Send, receive: Receive, refusal: Refusal, headers: Headers) -> None:
    headers += refusal.headers
    if isinstance(refusal, TooLarge):
        await respond_and_drain(send, receive, refusal.status, outcome_json(refusal), headers)
    else:
        await respond(send, refusal.status, outcome_json(refusal), headers)


def read_feedback(body: bytes, now: datetime, service: str) -> list[Feedback]:
    """The entries of one feedback request; raises :class:`BadCall` naming the entry and field that cannot be read."""
    try:
        content = msgspec.json.decode(body)
    except RecursionError:
        raise BadCall("The body is nested too deeply.") from None
    except (msgspec.DecodeError, UnicodeDecodeError):
        raise BadCall("The body is not JSON.") from None
    entries = content.get("feedback") if isinstance(content, dict) else None
    if not isinstance(entries, list):
        raise BadCall(f"feedback: expected an array, got {_kind(entries)}.")
    return [_row(entry, f"feedback[{index}]", now, service) for index, entry in enumerate(entries)]


def _row(entry: object, path: str, now: datetime, service: str) -> Feedback:
    if not isinstance(entry, dict):
        raise BadCall(f"{path}: expected an object, got {_kind(entry)}.")
    card, outcome = entry.get("card"), entry.get("outcome")
    if not isinstance(card, str) or not card.strip():
        raise BadCall(f"{path}.card: expected the uuid of a card, got {_kind(card)}.")
    if outcome not in OUTCOMES:
        raise BadCall(f"{path}.outcome: expected accepted or overridden, got {_kind(outcome)}.")
    reason = _object(_object(entry, "overrideReason"), "reason")
    return Feedback(
        time=now,
        client=CLIENT,
        service=service,
        card=card.strip()[:LONGEST_TEXT],
        outcome=outcome,
        outcome_timestamp=_text(entry, "outcomeTimestamp"),
        accepted=msgspec.json.encode(_suggestions(entry)),
        reason_code=_text(reason, "code"),
        reason_system=_text(reason, "system"),
        reason_display=_text(reason, "display"),
        comment=_text(_object(entry, "overrideReason"), "userComment", LONGEST_COMMENT),
    )


def _suggestions(entry: dict[str, Any]) -> list[str]:
    given = entry.get("acceptedSuggestions")
    items = given if isinstance(given, list) else []
    return [text for item in items if isinstance(item, dict) and (text := _text(item, "id"))]


def _object(holder: dict[str, Any], key: str) -> dict[str, Any]:
    value = holder.get(key)
    return value if isinstance(value, dict) else {}


def _text(holder: dict[str, Any], key: str, longest: int = LONGEST_TEXT) -> str:
    value = holder.get(key)
    return value[:longest] if isinstance(value, str) else ""


def _kind(value: object) -> str:
    kinds = {type(None): "nothing", bool: "a boolean", str: "another string", list: "an array", dict: "an object"}
    return kinds.get(type(value), "a number")
