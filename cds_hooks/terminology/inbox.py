"""The inbox of what nothing resolved: counted in memory after each answer, written every few seconds."""

from __future__ import annotations

import asyncio
from collections.abc import Iterable
from datetime import datetime
from typing import TYPE_CHECKING

import msgspec
import structlog

from cds_hooks.audit import StoreError
from cds_hooks.audit.terms import UNMAPPED_LIMIT, UnmappedRow, key_of
from cds_hooks.terminology.entry import entry_of

if TYPE_CHECKING:
    from cds_hooks.audit import AuditStore
    from cds_hooks.metrics import Metrics
    from cds_hooks.terminology.desk import Desk, Unmapped

FLUSH_SECONDS = 5.0
_SPARED = 0.9
"""What is kept when the memory is full: dropping a tenth at once costs one sort for many newcomers."""

Key = tuple[str, str, str, str]
log = structlog.get_logger()


class Seen(msgspec.Struct, gc=False):
    """How often one code or text was met since the last flush."""

    text: str
    count: int
    first: datetime
    last: datetime


class Inbox:
    """Counts for one process. Without a store, or while it is sick, the counts stay in memory.

    ``limit`` bounds the memory: beyond it the least counted fall out, and a metric tells how many.
    """

    def __init__(self, metrics: Metrics, limit: int = UNMAPPED_LIMIT) -> None:
        self._metrics = metrics
        self._limit = limit
        self._seen: dict[Key, Seen] = {}
        self.stored = 0

    @property
    def size(self) -> int:
        """How many codes and texts wait in memory."""
        return len(self._seen)

    def count(self, unmapped: Iterable[Unmapped], now: datetime) -> None:
        """Count what one call met; what was understood by its text is not unmapped."""
        for item in unmapped:
            if item.understood:
                continue
            key = key_of(item.position, item.system, item.code, item.text)
            seen = self._seen.get(key)
            if seen is None:
                self._add(key, Seen(item.text, 1, now, now))
            else:
                seen.count += 1
                seen.text, seen.last = item.text or seen.text, max(seen.last, now)

    def rows(self) -> list[UnmappedRow]:
        """What waits in memory, as rows of the store."""
        return [_row(key, seen) for key, seen in self._seen.items()]

    async def flush(self, store: AuditStore | None) -> None:
        """Write what waits; a store that does not take it leaves it in memory."""
        if store is None or not self._seen:
            return
        seen, self._seen = self._seen, {}
        fallen = await store.count_unmapped([_row(key, one) for key, one in seen.items()])
        if fallen is None:
            self._put_back(seen)
            return
        self._metrics.unmapped_dropped[()] += fallen
        try:
            self.stored = await asyncio.to_thread(store.unmapped_size)
        except StoreError as error:
            log.warning("inbox-unread", error=type(error).__name__)

    def _put_back(self, seen: dict[Key, Seen]) -> None:
        for key, old in seen.items():
            newer = self._seen.get(key)
            if newer is None:
                self._add(key, old)
            else:
                newer.count, newer.first = newer.count + old.count, min(newer.first, old.first)

    def _add(self, key: Key, seen: Seen) -> None:
        if len(self._seen) >= self._limit:
            self._make_room()
        self._seen[key] = seen

    def _make_room(self) -> None:
        best = sorted(self._seen.items(), key=lambda item: (-item[1].count, item[0]))
        kept = best[: int(self._limit * _SPARED)]
        self._metrics.unmapped_dropped[()] += len(best) - len(kept)
        self._seen = dict(kept)


async def forget_known(store: AuditStore, desk: Desk) -> int:
    """Remove what the terminology in force resolves by now, such as mappings accepted since; how many that were."""
    rows = await asyncio.to_thread(store.unmapped)
    known = [row.key for row in rows if desk.knows(entry_of(row))]
    if known:
        await store.forget_unmapped(known)
    return len(known)


def _row(key: Key, seen: Seen) -> UnmappedRow:
    position, system, code, _ = key
    return UnmappedRow(
        position=position,
        system=system,
        code=code,
        text=seen.text,
        count=seen.count,
        first_seen=seen.first,
        last_seen=seen.last,
    )
