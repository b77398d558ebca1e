"""Completes the data of a call from the EHR's FHIR server, where that is registered and allowed."""

from __future__ import annotations

import asyncio
from collections.abc import Iterable, Mapping, Sequence
from time import monotonic

import structlog

from cds_hooks.clients import Client, Registry
from cds_hooks.errors import SettingsTrouble
from cds_hooks.fhir_access.authorization import Authorization, patient_of, read_authorization
from cds_hooks.fhir_access.bases import Bases, place_of
from cds_hooks.fhir_access.judging import told
from cds_hooks.fhir_access.queries import FHIR_ID
from cds_hooks.fhir_access.server import Server, connect
from cds_hooks.loose import LooseReader
from cds_hooks.metrics import Metrics
from cds_hooks.prefetch import OTHER_PATIENT, Key, Plan, Received
from cds_hooks.service import KeyState, Plugin, Prefetched
from cds_hooks.settings import Settings
from cds_hooks.wire import Call

RESERVE_SECONDS = 0.1
"""What is left of a call's time for the rules, the audit and the answer."""

ACCESS = "fhirAuthorization"
"""Under this name, beside the prefetch keys, an access for another patient is told."""

LACKING = (KeyState.MISSING, KeyState.FAILED)

log = structlog.get_logger()


class FhirAccess:
    """Fetches what is missing or failed, all keys at once, under one deadline.

    Raises :class:`SettingsTrouble` for a registered base or network that cannot be used.
    """

    def __init__(self, settings: Settings, registry: Registry, plugin: Plugin, metrics: Metrics) -> None:
        self._settings = settings
        self._plugin = plugin
        self._metrics = metrics
        self._reader = LooseReader(plugin.resource)
        clients = (*registry.clients, registry.anonymous)
        self._bases = {client.name: Bases(_plain(client.fhir_servers)) for client in clients}
        self._servers = _servers(clients, settings)
        self._warming: asyncio.Task[None] | None = None

    @property
    def servers(self) -> Iterable[Server]:
        """Every registered server."""
        return dict.fromkeys(self._servers.values())

    def start(self) -> None:
        """Loads in the background what the first call that fetches would wait for; nothing where none can."""
        if self._servers:
            from cds_hooks.fhir_access.warming import warm

            self._warming = asyncio.create_task(warm())

    async def close(self) -> None:
        """Lets go of the connections."""
        if self._warming is not None:
            self._warming.cancel()
        for server in self.servers:
            await server.outbound.close()

    async def complete(self, plan: Plan, call: Call, received: Received, client: Client, deadline: float) -> Received:
        """``received`` with every key fetched that could be; ``deadline`` is a monotonic moment.

        An access for another patient is told as data of someone else, unless keys that it left missing tell it.
        """
        done = await self._complete(plan, call, received, client, deadline)
        is_foreign = bool(call.authorization) and patient_of(call.authorization) not in ("", call.patient_id)
        if is_foreign and all(one.reason != OTHER_PATIENT for one in done.prefetch.values()):
            done.prefetch[ACCESS] = Prefetched(KeyState.FAILED, OTHER_PATIENT, foreign=1)
        return done

    async def _complete(self, plan: Plan, call: Call, received: Received, client: Client, deadline: float) -> Received:
        prefetch = received.prefetch
        lacking = [key for key in plan.keys if prefetch[key.name].state in LACKING]
        if not call.fhir_server:
            return received
        bases = self._bases.get(client.name)
        if not lacking and not (bases and self._refers(received)):
            return received
        lacking = [key for key in lacking if all(getattr(call, field) for field in key.needs)]
        base = bases.find(call.fhir_server) if bases else None
        if base is None:
            return self._refuse(lacking, received, "not-registered", client)
        authorization = self._authorization(call, client)
        if isinstance(authorization, str):
            return self._refuse(lacking, received, authorization, client)
        from cds_hooks.fhir_access.visit import Visit

        until = min(deadline - RESERVE_SECONDS, monotonic() + self._settings.fhir_budget_ms / 1000)
        server = self._servers[client.name, base]
        visit = Visit(server, authorization, self._reader, self._metrics, self._settings.fhir_pages, self._plugin)
        return await visit.complete(plan, call, received, lacking, until)

    def _refers(self, received: Received) -> bool:
        """Whether anything refers to a resource that may have to be read."""
        references = self._plugin.references
        holders = (*received.prefetch.values(), *received.bundles.values())
        return any(True for one in holders if one.resources for _ in references(one.resources))

    def _authorization(self, call: Call, client: Client) -> Authorization | str:
        """What the call allows, or the word for why nothing may be asked."""
        authorization = read_authorization(call.authorization)
        is_open = self._settings.fhir_open if client.fhir_open is None else client.fhir_open
        if authorization.token is None and not is_open:
            return "no-token"
        if authorization.patient not in ("", call.patient_id):
            return OTHER_PATIENT
        return authorization if FHIR_ID.fullmatch(call.patient_id) else "bad-id"

    def _refuse(self, lacking: Sequence[Key], received: Received, word: str, client: Client) -> Received:
        """Nothing is asked, and the audit says why; a token of another patient makes that the reason."""
        if not lacking:
            return received
        self._metrics.fhir_requests[word,] += 1
        if self._bases.get(client.name):
            log.warning("fhir-not-asked", client=client.name, reason=word)
        for key in lacking:
            one = told(received.prefetch[key.name], word)
            if word == OTHER_PATIENT and one.state is KeyState.MISSING:
                one.state, one.reason = KeyState.FAILED, OTHER_PATIENT
        return received


def _plain(bases: Iterable[str]) -> Sequence[str]:
    for base in bases:
        if place_of(base) is None:
            raise SettingsTrouble(
                "A FHIR base cannot be used: expected https://<host>/<path> in plain letters, without user, query, "
                "percent signs or empty steps."
            )
    return tuple(bases)


def _servers(clients: Iterable[Client], settings: Settings) -> Mapping[tuple[str, str], Server]:
    """The server of each client and base; clients with the same base and networks share what is known of it."""
    made: dict[tuple[str, tuple[str, ...]], Server] = {}
    found: dict[tuple[str, str], Server] = {}
    for client in clients:
        for base in client.fhir_servers:
            same = base, client.fhir_networks
            if same not in made:
                made[same] = connect(base, client.fhir_networks, settings)
            found[client.name, base] = made[same]
    return found
