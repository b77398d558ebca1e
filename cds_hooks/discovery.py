"""``GET /cds-services``: which services there are."""

from __future__ import annotations

from time import monotonic

from starlette.types import Receive, Scope, Send

from cds_hooks.asgi import SECURITY, respond, send_answer
from cds_hooks.audit import new_id
from cds_hooks.errors import Refusal, WrongMethod, outcome_json
from cds_hooks.models import DiscoveredService, Discovery
from cds_hooks.recording import Trace, record
from cds_hooks.service import Plugin, Service
from cds_hooks.state import State

METHODS = ("GET", "HEAD")


class DiscoveryEndpoint:
    """Tells which services there are to whoever may call them; audits what it refuses like a refused call."""

    def __init__(self, state: State) -> None:
        self._state = state
        self._document = discovery_json(state.plugin)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        try:
            await self._check(scope)
        except Refusal as refusal:
            await self._refuse(refusal, receive, send)
        else:
            await respond(send, 200, self._document, list(SECURITY))

    async def _check(self, scope: Scope) -> None:
        """The token may come again for a moment: the answer is the same whoever asks, and nothing is decided."""
        caller = self._state.auth.caller(scope)
        if scope["method"] not in METHODS:
            refusal = WrongMethod("Discovery is a GET.")
            refusal.headers = ((b"allow", b"GET, HEAD, OPTIONS"),)
            raise refusal
        if await self._state.auth.claim(caller, b"") is None:
            with self._state.auth.answering(caller, ""):
                pass

    async def _refuse(self, refusal: Refusal, receive: Receive, send: Send) -> None:
        now = self._state.clock()
        trace = Trace(new_id(now), now, monotonic(), ruleset=self._state.plugin.ruleset)
        trace.refused(refusal, "Discovery: ")
        state = await record(self._state.store, trace, trace.started + self._state.settings.budget)
        await send_answer(send, receive, outcome_json(refusal), (trace.id, state), refusal)


def discovery_json(plugin: Plugin) -> bytes:
    """The discovery document; it does not change while the service runs."""
    discovery = Discovery(services=[_discovered(service) for service in plugin.services])
    return discovery.model_dump_json(exclude_none=True).encode()


def _discovered(service: Service) -> DiscoveredService:
    return DiscoveredService(
        id=service.id,
        hook=service.hook,
        description=service.description,
        title=service.title or None,
        prefetch=dict(service.prefetch) or None,
        usageRequirements=service.usage_requirements or None,
    )
