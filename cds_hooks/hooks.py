"""``POST /cds-services/{id}``: the way of one hook call from its bytes to its answer."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime
from functools import partial
from time import monotonic

import msgspec
import structlog
from starlette.types import Receive, Scope, Send

from cds_hooks.answers import Outgoing, Unchecked, broken, prepare, unjudged, unshown
from cds_hooks.asgi import ARRIVED, Head, read_body, send_answer
from cds_hooks.audit import new_id
from cds_hooks.auth import Caller, Kept
from cds_hooks.clients import Client
from cds_hooks.dialects import Choice, Showing, shaped
from cds_hooks.errors import (
    ClientGone,
    InternalError,
    NotForClient,
    Overloaded,
    Refusal,
    UnknownService,
    WrongMethod,
    outcome_json,
)
from cds_hooks.glance import glanced, unread
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
from cds_hooks.service import Answer, HookCall, Plugin
from cds_hooks.state import State
from cds_hooks.wire import Call, make_decoder

ROUTE = "/cds-services/{id}"

log = structlog.get_logger()


class Bound:
    """One plugin with what is prepared of it at start."""

    def __init__(self, plugin: Plugin) -> None:
        self.plugin = plugin
        self.plans = {service.id: Plan.of(service) for service in plugin.services}
        self.unchecked = {service.id: Unchecked.of(plugin, service.hook) for service in plugin.services}
        self.decode = make_decoder(plugin.resource).decode


class HookEndpoint:
    """Answers hook calls: who calls, decode once, complete and judge the data, evaluate, shape, check, audit, send."""

    def __init__(self, state: State) -> None:
        self._state = state
        self._bound = Bound(state.plugin)
        self._others = {name: Bound(plugin) for name, plugin in state.others.items()}
        self._dialects = Choice(state.settings)
        self._log = CallLog()

    async def __call__(self, scope: Scope, receive: Receive, send: Send, service_id: str) -> None:
        started, now = monotonic(), self._state.clock()
        trace = Trace(new_id(now), now, started, ruleset=self._state.plugin.ruleset)
        refusal: Refusal | None = None
        answered: Outgoing | Kept | None = None
        try:
            answered = await self._answer(scope, receive, service_id, trace)
            body = answered.body
        except ClientGone:
            log.info("client-gone", route=ROUTE, audit=trace.id)
            return
        except Refusal as error:
            refusal, body = error.alone(), outcome_json(error)
        except Exception as error:
            refusal = self._internal(error, trace)
            body = outcome_json(refusal)
        if refusal is not None:
            trace.refused(refusal)
        elif isinstance(answered, Kept):
            trace.re_sent(answered.status, answered.audit_id)
        if trace.held_until:
            await self._state.admission.outlast(trace.held_until)
        state = await record(self._state.store, trace, started + self._state.settings.budget)
        await send_answer(send, receive, body, (trace.id, state), refusal, trace.status)
        self._note(trace, state, answered if isinstance(answered, Outgoing) else None)

    async def _answer(self, scope: Scope, receive: Receive, service_id: str, trace: Trace) -> Outgoing | Kept:
        caller = self._state.auth.caller(scope)
        trace.client = caller.client.name
        bound = self._others.get(trace.client, self._bound)
        plan = self._plan(bound, caller.client, service_id, trace)
        if scope["method"] != "POST":
            raise WrongMethod("A hook call is a POST.")
        head = Head.of(scope)
        head.check_media()
        body: bytes | None = None
        try:
            with self._state.shares.held(caller.client):
                body = await read_body(head, receive, self._state.settings)
                return await self._admitted(bound, plan, caller, body, self._arrived(scope, trace), trace)
        except Overloaded as error:
            trace.held_until = self._state.admission.until(error, self._arrived(scope, trace))
            return self._overloaded(error, bound, plan, caller, body, trace)

    def _arrived(self, scope: Scope, trace: Trace) -> float:
        """The monotonic moment from which the budget of a call runs."""
        arrived: float = scope.get(ARRIVED, trace.started)
        return max(arrived, self._state.admission.opened)

    async def _admitted(
        self, bound: Bound, plan: Plan, caller: Caller, body: bytes, arrived: float, trace: Trace
    ) -> Outgoing | Kept:
        auth, admission = self._state.auth, self._state.admission
        admission.check(arrived)  # before the token counts as used, which costs more
        kept = await auth.claim(caller, body)
        if kept is not None:
            return kept
        with auth.answering(caller, trace.id) as reply:
            async with admission.enter(caller.client, arrived):
                deadline = arrived + self._state.settings.budget
                outgoing = await self._judge(bound, plan, caller, body, deadline, trace)
            reply.body = outgoing.body
        return outgoing

    def _overloaded(
        self, error: Overloaded, bound: Bound, plan: Plan, caller: Caller, body: bytes | None, trace: Trace
    ) -> Outgoing:
        """The answer to a call that is not judged, and whose body may not be read: raises ``error`` where the operator
        wants it refused."""
        self._state.metrics.overload[error.kind,] += 1
        if self._state.settings.overload == "refuse":
            raise error
        if body is None:
            call = unread(plan.service, client=trace.client, id=trace.id, now=trace.time)
        else:
            call = glanced(body, plan.service, bound.decode, client=trace.client, now=trace.time)
            self._identify(call, trace)
        trace.detail, trace.unhurried = error.text, error.before_reading
        showing = self._dialects.of(caller.client, ())
        shape = partial(shaped, showing=showing)
        outgoing = unjudged(call, bound.plugin, bound.unchecked[plan.service.id], shape)
        if showing.silent:
            outgoing = unshown(outgoing, bound.plugin, ())
        trace.showed(outgoing)
        return outgoing

    async def _judge(
        self, bound: Bound, plan: Plan, caller: Caller, body: bytes, deadline: float, trace: Trace
    ) -> Outgoing:
        call = bound.decode(body, plan.service)
        self._identify(call, trace)
        received = assess(plan, call)
        received = await self._state.access.complete(plan, call, received, caller.client, deadline)
        if self._state.store is not None:
            trace.keys = keys_json(received.prefetch, plan.service.prefetch)
        received = check(plan, received, self._state.settings.failed_keys)
        memory = memory_of(self._state, trace, trace.client)
        made = hook_call(plan, call, received, body, deadline, now=trace.time, client=trace.client, memory=memory)
        showing = self._dialects.of(caller.client, call.extensions)
        return self._evaluate(bound.plugin, in_brief(made) if showing.dialect.brief else made, showing, trace)

    def _plan(self, bound: Bound, client: Client, service_id: str, trace: Trace) -> Plan:
        trace.ruleset = bound.plugin.ruleset
        plan = bound.plans.get(service_id)
        if plan is None:
            trace.service = service_id if SERVICE_NAME.fullmatch(service_id) else "?"
            raise UnknownService("There is no such service. GET /cds-services lists those there are.")
        trace.service, trace.hook = plan.service.id, plan.service.hook
        if client.services and service_id not in client.services:
            raise NotForClient("This client may not call this service.")
        return plan

    def _identify(self, call: Call | HookCall, trace: Trace) -> None:
        trace.hook_instance = call.hook_instance
        if self._state.store is not None:
            trace.patient = self._state.store.pseudonym(call.patient_id, trace.client)
            trace.encounter = self._state.store.encounter_pseudonym(call.encounter_id, trace.client)
        trace.kept_for_signing = call.options.cache_for_order_sign_filtering

    def _evaluate(self, plugin: Plugin, call: HookCall, showing: Showing, trace: Trace) -> Outgoing:
        answer, shape = Answer(), partial(shaped, showing=showing)
        try:
            answer = call.service.evaluate(call)
            outgoing = prepare(answer, call, plugin, shape)
        except Exception as error:
            self._state.metrics.evaluate_errors[call.service.id,] += 1
            log.error("evaluate-failed", incident=trace.id, error=type(error).__name__, where=where(error))
            outgoing = broken(call, plugin, shape)
        if showing.silent:
            outgoing = unshown(outgoing, plugin, answer.unsigned)
        trace.unmapped = answer.unmapped
        trace.showed(outgoing)
        if self._state.store is not None:
            trace.subjects = subjects_json(answer.subjects)
            trace.findings = findings_of(outgoing.results, outgoing.cards, answer)
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
        service = trace.service if trace.service in self._bound.plans else "unknown"
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
    plan: Plan,
    call: Call,
    received: Received,
    body: bytes,
    deadline: float,
    *,
    now: datetime,
    client: str,
    memory: Memory,
) -> HookCall:
    return HookCall(
        service=plan.service,
        client=client,
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
        fetched=received.answers,
    )


def in_brief(call: HookCall) -> HookCall:
    """The call with evidence and sources left to the guideline page, for an EHR that has no room for them."""
    return msgspec.structs.replace(call, options=replace(call.options, show_evidence_support=False))
