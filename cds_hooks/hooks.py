"""``POST /cds-services/{id}``: the way of one hook call from its bytes to its answer."""

from __future__ import annotations

from datetime import datetime
from time import monotonic

import structlog
from starlette.types import Receive, Scope, Send

from cds_hooks.answers import Outgoing, broken, prepare
from cds_hooks.asgi import Head, read_body, send_answer
from cds_hooks.audit import new_id
from cds_hooks.errors import ClientGone, InternalError, Refusal, UnknownService, WrongMethod, outcome_json
from cds_hooks.logging import CallLog, where
from cds_hooks.memory import Memory, memory_of
from cds_hooks.prefetch import Plan, Received, assess, check
from cds_hooks.recording import (
    DURABLE,
    OFF,
    SERVICE_NAME,
    Trace,
    findings_of,
    keys_json,
    record,
    subjects_json,
)
from cds_hooks.service import Answer, HookCall
from cds_hooks.state import State
from cds_hooks.wire import Call, make_decoder

ROUTE = "/cds-services/{id}"
CLIENT = "anonymous"
"""Who calls, as long as nobody has to say so."""

log = structlog.get_logger()


class HookEndpoint:
    """Answers hook calls: decode once, judge the data, let the plugin evaluate, check, audit, send."""

    def __init__(self, state: State) -> None:
        self._state = state
        self._plans = {service.id: Plan.of(service) for service in state.plugin.services}
        self._decode = make_decoder(state.plugin.resource).decode
        self._log = CallLog()

    async def __call__(self, scope: Scope, receive: Receive, send: Send, service_id: str) -> None:
        started, now = monotonic(), self._state.clock()
        trace = Trace(new_id(now), now, started, client=CLIENT, ruleset=self._state.plugin.ruleset)
        refusal: Refusal | None = None
        outgoing: Outgoing | None = None
        try:
            outgoing = await self._answer(scope, receive, service_id, trace)
            body = outgoing.body
        except ClientGone:
            log.info("client-gone", route=ROUTE, audit=trace.id)
            return
        except Refusal as error:
            refusal, body = error, outcome_json(error)
        except Exception as error:
            refusal = self._internal(error, trace)
            body = outcome_json(refusal)
        if refusal is not None:
            trace.status, trace.detail = refusal.status, refusal.text
        state = await record(self._state.store, trace.entry(), started + self._state.settings.budget)
        await send_answer(send, receive, body, (trace.id, state), refusal)
        self._note(trace, state, outgoing)

    async def _answer(self, scope: Scope, receive: Receive, service_id: str, trace: Trace) -> Outgoing:
        plan = self._plan(service_id, trace)
        if scope["method"] != "POST":
            raise WrongMethod("A hook call is a POST.")
        head = Head.of(scope)
        head.check_media()
        body = await read_body(head, receive, self._state.settings.body_limit)
        deadline = monotonic() + self._state.settings.budget
        call = self._decode(body, plan.service)
        self._identify(call, trace)
        received = assess(plan, call)
        trace.keys = keys_json(received.prefetch, plan.service.prefetch)
        check(plan, received)
        memory = memory_of(self._state, trace, CLIENT)
        return self._evaluate(hook_call(plan, call, received, body, deadline, now=trace.time, memory=memory), trace)

    def _plan(self, service_id: str, trace: Trace) -> Plan:
        plan = self._plans.get(service_id)
        if plan is None:
            trace.service = service_id if SERVICE_NAME.fullmatch(service_id) else "?"
            raise UnknownService("There is no such service. GET /cds-services lists those there are.")
        trace.service, trace.hook = plan.service.id, plan.service.hook
        return plan

    def _identify(self, call: Call, trace: Trace) -> None:
        trace.hook_instance = call.hook_instance
        if self._state.store is not None:
            trace.patient = self._state.store.pseudonym(call.patient_id)
            trace.encounter = self._state.store.encounter_pseudonym(call.encounter_id)
        trace.kept_for_signing = call.options.cache_for_order_sign_filtering

    def _evaluate(self, call: HookCall, trace: Trace) -> Outgoing:
        plugin = self._state.plugin
        answer = Answer()
        try:
            answer = call.service.evaluate(call)
            outgoing = prepare(answer, call, plugin)
        except Exception as error:
            self._state.metrics.evaluate_errors[call.service.id,] += 1
            log.error("evaluate-failed", incident=trace.id, error=type(error).__name__, where=where(error))
            outgoing = broken(call, plugin)
        trace.unmapped = answer.unmapped
        trace.cards, trace.results = outgoing.cards_json, outgoing.results_json
        trace.subjects = subjects_json(answer.subjects)
        trace.findings = findings_of(outgoing.results, outgoing.cards, answer)
        trace.card_uuids = tuple(card["uuid"] for card in outgoing.cards)
        return outgoing

    def _internal(self, error: Exception, trace: Trace) -> InternalError:
        self._state.metrics.internal_errors[trace.service,] += 1
        log.error("call-failed", incident=trace.id, error=type(error).__name__, where=where(error))
        return InternalError(f"An internal error; nothing was checked. Incident {trace.id}.")

    def _note(self, trace: Trace, state: str, outgoing: Outgoing | None) -> None:
        """Counts and logs the call, without anything that came with it; the answer has left."""
        if trace.unmapped:
            self._state.codes.note(trace.unmapped)
        seconds = monotonic() - trace.started
        metrics = self._state.metrics
        service = trace.service if trace.service in self._plans else "unknown"
        metrics.call(service, trace.status, seconds)
        if state not in (DURABLE, OFF):
            metrics.audit_failures[state,] += 1
            log.error("audit-not-durable", audit=trace.id, state=state)
        counts = {}
        if outgoing is not None:
            metrics.answered(outgoing.cards, outgoing.results)
            counts = {"cards": len(outgoing.cards), "results": len(outgoing.results)}
            if outgoing.faults:
                metrics.invalid_cards[service,] += len(outgoing.faults)
                log.error("invalid-cards", audit=trace.id, service=service, faults=outgoing.faults)
        self._log(
            "call",
            route=ROUTE,
            service=service,
            status=trace.status,
            ms=round(seconds * 1000, 2),
            audit=trace.id,
            audit_state=state,
            **counts,
        )


def hook_call(
    plan: Plan, call: Call, received: Received, body: bytes, deadline: float, *, now: datetime, memory: Memory
) -> HookCall:
    return HookCall(
        service=plan.service,
        client=CLIENT,
        hook_instance=call.hook_instance,
        patient_id=call.patient_id,
        user_id=call.user_id,
        encounter_id=call.encounter_id,
        selections=call.selections,
        bundles=received.bundles,
        prefetch=received.prefetch,
        now=now,
        deadline=deadline,
        options=call.options,
        body=body,
        memory=memory,
        context=call.context,
    )
