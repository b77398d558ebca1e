"""One call at a server: every lacking key at once, then what the resources refer to, under one deadline."""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import Coroutine, Iterable, Mapping, Sequence
from time import monotonic
from typing import Any

import msgspec
import structlog

from cds_hooks.fhir_access.authorization import Authorization
from cds_hooks.fhir_access.errand import Errand
from cds_hooks.fhir_access.finding import Found, read, search
from cds_hooks.fhir_access.judging import judged, told, unanswered
from cds_hooks.fhir_access.queries import Query, query_of
from cds_hooks.fhir_access.referring import Wanted, wanted_of
from cds_hooks.fhir_access.scopes import READ, SEARCH, Grant
from cds_hooks.fhir_access.server import Server
from cds_hooks.identity import Owner
from cds_hooks.logging import where
from cds_hooks.loose import LooseReader
from cds_hooks.metrics import Metrics
from cds_hooks.prefetch import TRUNCATED, Key, Plan, Reader, Received
from cds_hooks.service import FETCHED, Plugin, Unreadable
from cds_hooks.shapes import BROKEN, WrongShape
from cds_hooks.wire import Call

GRACE_SECONDS = 0.02
"""How long requests that were cut off may take to let go of their connections."""

Job = Coroutine[Any, Any, None]
log = structlog.get_logger()


class Visit:
    """What one call fetches from one server."""

    def __init__(
        self,
        server: Server,
        authorization: Authorization,
        reader: LooseReader,
        metrics: Metrics,
        pages: int,
        plugin: Plugin,
    ) -> None:
        self._server = server
        self._metrics = metrics
        self._plugin = plugin
        self._errand = Errand(server, authorization, reader, metrics, pages)

    async def complete(
        self, plan: Plan, call: Call, received: Received, lacking: Sequence[Key], until: float
    ) -> Received:
        """``received`` with what could be fetched of the ``lacking`` keys until the moment ``until``."""
        asked = {key: query for key in lacking if (query := self._query(plan, key, call, received)) is not None}
        if not asked and not self._wanted(received):
            return received
        if not self._server.enter():
            return self._unasked(asked, received)
        try:
            received = await self._keys(asked, call, received, until)
            await self._references(self._wanted(received), call, until)
        finally:
            self._leave()
        return msgspec.structs.replace(received, answers=tuple(self._errand.bodies))

    def _query(self, plan: Plan, key: Key, call: Call, received: Received) -> Query | None:
        """What to ask for a key; None, with the reason in ``received``, where that may not be asked."""
        query = query_of(plan.service.prefetch[key.name], key, call)
        if query is None:
            told(received.prefetch[key.name], "bad-id")
        elif self._grant(key) is Grant.NO:
            told(received.prefetch[key.name], "scope")
            self._metrics.fhir_requests["scope",] += 1
            query = None
        return query

    def _grant(self, key: Key) -> Grant:
        return self._errand.grants.of(key.resource_type, SEARCH if key.search else READ)

    def _unasked(self, asked: Iterable[Key], received: Received) -> Received:
        """A server that is known to be dead was as good as asked in vain: what is said does not change with that."""
        self._metrics.fhir_requests["open-circuit",] += 1
        for key in asked:
            unanswered(received.prefetch[key.name], "open-circuit")
        return received

    async def _keys(self, asked: dict[Key, Query], call: Call, received: Received, until: float) -> Received:
        found = await self._ask(asked, call, received, until)
        searched = {key: asked[key] for key, one in found.items() if key.search and one.pages}
        if searched and self._server.doubts(any(found[key].entries for key in searched)):
            # Nothing at all in the spelling that found something before: the server may have changed its mind. What
            # does not depend on that stays as it came, because there may be no time left.
            found = {**found, **await self._ask(searched, call, received, until)}
        sent = {} if isinstance(call.prefetch, WrongShape) else call.prefetch
        fetched = [one for each in found.values() for one in (each.value, each.bundle())]
        reader = Reader(Owner(call.patient_id, call.fhir_server, (*fetched, *sent.values(), *call.bundles.values())))
        now = {
            key.name: judged(reader, key, one, received.prefetch[key.name], restricted=self._is_restricted(key))
            for key, one in found.items()
        }
        return Received({**received.prefetch, **now}, received.bundles)

    async def _ask(
        self, asked: Mapping[Key, Query], call: Call, received: Received, until: float
    ) -> Mapping[Key, Found]:
        found = {key: Found() for key in asked}
        await _run([self._job(key, query, found[key], call, received) for key, query in asked.items()], until)
        return found

    def _is_restricted(self, key: Key) -> bool:
        return key.search and self._grant(key) is Grant.PART

    def _job(self, key: Key, query: Query, found: Found, call: Call, received: Received) -> Job:
        if not key.search:
            return read(self._errand, query, found)
        is_cut_off = received.prefetch[key.name].reason == TRUNCATED
        sent = call.prefetch[key.name] if is_cut_off and not isinstance(call.prefetch, WrongShape) else None
        return search(self._errand, query, found, sent)

    def _wanted(self, received: Received) -> Sequence[Wanted]:
        holders = (*received.prefetch.values(), *received.bundles.values())
        wanted = wanted_of(holders, self._plugin.references, self._server.base)
        return [one for one in wanted if self._errand.grants.of(one.kind, READ) is not Grant.NO]

    async def _references(self, wanted: Sequence[Wanted], call: Call, until: float) -> None:
        owner = Owner(call.patient_id, call.fhir_server, ())
        found = [Found() for _ in wanted]
        jobs = [read(self._errand, Query(one.reference), each) for one, each in zip(wanted, found, strict=True)]
        await _run(jobs, until)
        for one, each in zip(wanted, found, strict=True):
            if each.word == FETCHED and _is_ours(each.value, owner):
                one.add(each.value)

    def _leave(self) -> None:
        words, rest = self._errand.words, self._errand.rest
        self._server.leave(worked=self._errand.answered > 0 if words else None, rest=rest)
        trouble = Counter({word: count for word, count in words.items() if word != "answered"})
        if trouble:
            log.warning("fhir-trouble", server=self._server.host, words=dict(trouble))


def _is_ours(resource: Any, owner: Owner) -> bool:
    """Whether a target can be read and is nobody else's."""
    try:
        return not isinstance(resource, Unreadable) and owner.owns(resource)
    except BROKEN:
        return False


async def _run(jobs: Iterable[Job], until: float) -> None:
    """Lets all ``jobs`` run until the moment ``until``; what is not done by then is cut off."""
    tasks = [asyncio.create_task(job) for job in jobs]
    if not tasks:
        return
    try:
        done, late = await asyncio.wait(tasks, timeout=max(0.0, until - monotonic()))
    finally:
        for task in tasks:
            task.cancel()
    if late:
        await asyncio.wait(late, timeout=GRACE_SECONDS)
    for task in done:
        if (error := task.exception()) is not None:
            log.error("fhir-fetch-failed", error=type(error).__name__, where=where(error))
