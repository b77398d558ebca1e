"""What goes on about codes beside the calls: the inbox is written, the resolver asks, its findings come into force."""

from __future__ import annotations

import asyncio
import random
from collections.abc import Iterable, Sequence
from contextlib import suppress
from typing import TYPE_CHECKING, Any

import structlog

from cds_hooks.clock import Clock, utc_now
from cds_hooks.errors import SettingsTrouble
from cds_hooks.logging import where
from cds_hooks.terminology.breaker import Breaker
from cds_hooks.terminology.inbox import FLUSH_SECONDS, Inbox, forget_known
from cds_hooks.terminology.resolver import Resolver, Trouble

if TYPE_CHECKING:
    from cds_hooks.audit import AuditStore
    from cds_hooks.audit.terms import LearnedRow
    from cds_hooks.metrics import Metrics
    from cds_hooks.outbound import Answer, Outbound
    from cds_hooks.settings import Settings
    from cds_hooks.terminology.desk import Desk, Unmapped

PUBLIC_RXNAV = "https://rxnav.nlm.nih.gov/REST"
# A FHIR server says in many ways that it does not know a code; RxNav says it with an empty answer or a 404.
ACCEPTED = {"rxnav": frozenset({200, 404}), "fhir": frozenset({200, 400, 404, 422})}

log = structlog.get_logger()


class Background:
    """The inbox and, where one is configured, the resolver of one application. ``start`` and ``stop`` frame its life.

    Raises :class:`SettingsTrouble` for a resolver without a usable address.
    """

    def __init__(self, desk: Desk | None, settings: Settings, metrics: Metrics, clock: Clock = utc_now) -> None:
        self.inbox = Inbox(metrics)
        self.resolver: Resolver | None = None
        self._desk = desk
        self._clock = clock
        self._store: AuditStore | None = None
        self._outbound: Outbound | None = None
        self._tasks: list[asyncio.Task[None]] = []
        if settings.resolver != "none" and desk is not None:
            self._outbound = _outbound(settings, clock)
            breaker = Breaker(random.random)
            self.resolver = Resolver(desk, settings.resolver, self._keep, metrics, breaker, clock=clock)

    def note(self, unmapped: Sequence[Unmapped]) -> None:
        """Take in what a call met that nothing resolved; called when its answer has left."""
        self.inbox.count(unmapped, self._clock())
        if self.resolver is not None:
            self.resolver.offer(unmapped)

    async def start(self, store: AuditStore | None) -> None:
        """Load what was learned before, and begin."""
        self._store = store
        if store is not None:
            try:
                await self._load(store)
            except Exception as error:  # notes that cannot be read must not keep the service from answering
                log.error("terminology-notes-unread", error=type(error).__name__, where=where(error))
        self._tasks.append(asyncio.create_task(self._flush_for_ever()))
        if self.resolver is not None and self._outbound is not None:
            self._tasks.append(asyncio.create_task(self.resolver.run(self._get)))

    async def stop(self) -> None:
        """Stop asking, and write what is still in memory."""
        for task in self._tasks:
            task.cancel()
            with suppress(asyncio.CancelledError):
                await task
        self._tasks.clear()
        if self.resolver is not None:
            await self.resolver.publish()
        if self._outbound is not None:
            await self._outbound.close()
        await self.inbox.flush(self._store)

    def report(self) -> dict[str, Any]:
        """How it goes, for ``/readyz``."""
        told: dict[str, Any] = {"unmapped": self.inbox.size + self.inbox.stored}
        if self.resolver is not None:
            told["resolver"] = {
                "source": self.resolver.source,
                "state": self.resolver.state,
                "queue": self.resolver.waiting,
            }
        return told

    async def _load(self, store: AuditStore) -> None:
        if self.resolver is not None and self._desk is not None:
            rows = await asyncio.to_thread(store.learned)
            self._desk.learn(row for row in rows if row.known)
            self.resolver.settle(rows)
        if self._desk is not None:
            await forget_known(store, self._desk)
        self.inbox.stored = await asyncio.to_thread(store.unmapped_size)

    async def _keep(self, rows: Sequence[LearnedRow]) -> None:
        known: Iterable[LearnedRow] = [row for row in rows if row.known]
        if known and self._desk is not None:
            self._desk.learn(known)
        if self._store is not None and not await self._store.keep_learned(rows):
            log.error("learned-not-stored", codes=len(rows))

    async def _get(self, target: str) -> Answer:
        from cds_hooks.outbound import OutboundTrouble

        assert self._outbound is not None
        try:
            return await self._outbound.get(target)
        except OutboundTrouble as trouble:
            raise Trouble(trouble.kind, trouble.wait.total_seconds() if trouble.wait else 0.0) from None

    async def _flush_for_ever(self) -> None:
        while True:
            await asyncio.sleep(FLUSH_SECONDS)
            try:
                await self.inbox.flush(self._store)
            except Exception as error:
                log.error("inbox-flush-failed", error=type(error).__name__, where=where(error))


def _outbound(settings: Settings, clock: Clock) -> Outbound:
    # Imported here, because an HTTP client takes long to load and most services ask nobody.
    from cds_hooks.outbound import Outbound

    base = settings.resolver_url or (PUBLIC_RXNAV if settings.resolver == "rxnav" else "")
    if not base:
        raise SettingsTrouble(
            "DYSTONIA_CDS_RESOLVER=fhir needs the address of a terminology server: set DYSTONIA_CDS_RESOLVER_URL to "
            "its base, such as https://terminology.example/fhir."
        )
    return Outbound(base, accepted=ACCEPTED[settings.resolver], clock=clock)
