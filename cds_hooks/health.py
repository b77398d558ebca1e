"""``/healthz``, ``/readyz`` and ``/metrics``: for those who operate the service."""

from __future__ import annotations

from typing import Any

from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from cds_hooks.state import State
from cds_hooks.terminology.breaker import CLOSED, STATES

HEADERS = {"Cache-Control": "no-store", "X-Content-Type-Options": "nosniff"}


def routes(state: State) -> list[Route]:
    def healthz(_request: Request) -> Response:
        return JSONResponse({"status": "ok"}, headers=HEADERS)

    async def readyz(_request: Request) -> Response:
        body = readiness(state)
        return JSONResponse(body, 503 if body["status"] == "unavailable" else 200, headers=HEADERS)

    async def metrics(_request: Request) -> Response:
        media = "text/plain; version=0.0.4; charset=utf-8"
        measure(state)
        return Response(state.metrics.render(), media_type=media, headers=HEADERS)

    return [Route("/healthz", healthz), Route("/readyz", readyz), Route("/metrics", metrics)]


def measure(state: State) -> None:
    """Sets the gauges: what is counted at the moment that somebody asks."""
    gauges, codes = state.metrics, state.codes
    gauges.unmapped[()] = codes.inbox.size + codes.inbox.stored
    if codes.resolver is not None:
        gauges.resolver_queue[()] = codes.resolver.waiting
        gauges.resolver_breaker.update({(one,): int(one == codes.resolver.state) for one in STATES})
    states = [server.state for server in state.access.servers]
    if states:
        gauges.fhir_servers.update({(one,): states.count(one) for one in STATES})


def readiness(state: State) -> dict[str, Any]:
    """Whether calls can be answered, and what is in trouble although they can."""
    plugin = state.plugin
    reasons = [*_troubles(state), *_resolver_trouble(state), *_fhir_troubles(state), *state.auth.troubles()]
    status = "degraded" if reasons else "ok"
    body: dict[str, Any] = {
        "status": status if plugin.services else "unavailable",
        "ruleset": plugin.ruleset,
        "plugin": {"name": plugin.name, "version": plugin.version},
        "audit": _audit(state),
        "codes": dict(plugin.codes),
        "terminology": state.codes.report(),
    }
    return body | ({"reasons": reasons} if reasons else {})


def _resolver_trouble(state: State) -> list[str]:
    """Calls are answered as before without the resolver, but what nothing here knows stays unknown."""
    resolver = state.codes.resolver
    if resolver is None or resolver.state == CLOSED:
        return []
    return [f"The resolver {resolver.source} does not answer; codes that nothing here knows wait ({resolver.waiting})."]


def _fhir_troubles(state: State) -> list[str]:
    return [
        f"The FHIR server {server.host} does not answer as it should; nothing is asked of it for some seconds, and "
        "what calls lack stays missing."
        for server in state.access.servers
        if not server.is_well
    ]


def _audit(state: State) -> dict[str, Any]:
    if state.store is None:
        return {"state": "off"}
    health = state.store.health()
    audit: dict[str, Any] = {
        "state": "ok" if health.ok else "failing",
        "written": health.written,
        "pending": health.pending,
        "failed": health.failed,
    }
    if health.last_error_time is not None:
        audit["lastErrorTime"] = health.last_error_time.isoformat()
    return audit


def _troubles(state: State) -> list[str]:
    if not state.plugin.services:
        return ["The plugin offers no service."]
    if state.store is None:
        return ["The audit is off (DYSTONIA_CDS_AUDIT=off): no call is recorded."]
    health = state.store.health()
    return [] if health.ok else [health.reason]
