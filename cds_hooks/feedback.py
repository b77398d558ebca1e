"""``POST /cds-services/{id}/feedback``: what became of cards, kept as it comes."""

from __future__ import annotations

from time import monotonic

import structlog
from starlette.types import Receive, Scope, Send

from cds_hooks.asgi import Head, read_body, send_answer
from cds_hooks.audit import Feedback, new_id
from cds_hooks.auth import Caller, Kept
from cds_hooks.errors import ClientGone, InternalError, Refusal, UnknownService, WrongMethod, outcome_json
from cds_hooks.feedback_body import read_feedback
from cds_hooks.limits import within
from cds_hooks.logging import where
from cds_hooks.recording import DURABLE, FAILED, OFF, PENDING, SERVICE_NAME, Trace, record
from cds_hooks.state import State

ROUTE = "/cds-services/{id}/feedback"
WAIT_SECONDS = 2.0

log = structlog.get_logger()


class FeedbackEndpoint:
    """Reads feedback, writes it into the audit store, answers ``{}``; audits what it refuses like a refused call."""

    def __init__(self, state: State) -> None:
        self._state = state
        self._services = frozenset(service.id for service in state.plugin.services)

    async def __call__(self, scope: Scope, receive: Receive, send: Send, service_id: str) -> None:
        now = self._state.clock()
        trace = Trace(new_id(now), now, monotonic(), ruleset=self._state.plugin.ruleset)
        trace.service = service_id if SERVICE_NAME.fullmatch(service_id) else "?"
        refusal: Refusal | None = None
        rows: list[Feedback] = []
        kept: Kept | None = None
        audit_state = OFF
        try:
            caller, sent = await self._read(scope, receive, service_id, trace)
            kept = await self._state.auth.claim(caller, sent)
            if kept is None:
                with self._state.auth.answering(caller, trace.id):
                    rows = read_feedback(sent, trace.time, trace.client, service_id)
                    audit_state = await self._store(rows)
        except ClientGone:
            return
        except Refusal as error:
            refusal = error.alone()
        except Exception as error:
            log.error("feedback-failed", audit=trace.id, error=type(error).__name__, where=where(error))
            refusal = InternalError("An internal error; the feedback was not kept.")
        body = b"{}"
        if refusal is not None:
            trace.refused(refusal, "Feedback: ")
            body = outcome_json(refusal)
        elif kept is not None:
            trace.re_sent(kept.status, kept.audit_id, "Feedback: ")
            body = kept.body
        if refusal is not None or kept is not None:
            audit_state = await record(self._state.store, trace, trace.started + WAIT_SECONDS)
        await send_answer(send, receive, body, (trace.id, audit_state), refusal, trace.status)
        self._log(trace, len(rows), audit_state)

    async def _read(self, scope: Scope, receive: Receive, service_id: str, trace: Trace) -> tuple[Caller, bytes]:
        caller = self._state.auth.caller(scope)
        trace.client = caller.client.name
        if service_id not in self._services:
            raise UnknownService("There is no such service. GET /cds-services lists those there are.")
        if scope["method"] != "POST":
            raise WrongMethod("Feedback is a POST.")
        head = Head.of(scope)
        head.check_media()
        with self._state.shares.held(caller.client):
            return caller, await read_body(head, receive, self._state.settings)

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

    def _log(self, trace: Trace, entries: int, audit_state: str) -> None:
        service = trace.service if trace.service in self._services else "unknown"
        told = {"status": trace.status, "entries": entries, "audit": trace.id, "audit_state": audit_state}
        log.info("feedback", route=ROUTE, service=service, **told)
