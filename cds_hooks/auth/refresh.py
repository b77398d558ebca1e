"""Fetches the keys of clients in the background: never on the path of a call, and never often.

After the start, processes that share a data folder take turns: one asks, and the others take over what came.
"""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from contextlib import suppress
from hashlib import sha256
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

import msgspec
import structlog

from cds_hooks.auth.jwks import SIZE_LIMIT, KeysTrouble, read_set
from cds_hooks.auth.keyring import Published
from cds_hooks.auth.replays import Replays
from cds_hooks.auth.used import Standing
from cds_hooks.clock import seconds_ahead, utc_now
from cds_hooks.logging import where

if TYPE_CHECKING:
    from cds_hooks.metrics import Metrics
    from cds_hooks.outbound import Outbound

FETCH_SECONDS = 3.0
START_SECONDS = 4.0
POLL_SECONDS = 1.0
"""Between two looks at whether another process has fetched by now."""

log = structlog.get_logger()


class Pace(msgspec.Struct, frozen=True):
    """Seconds between two attempts at one address: ``usual``, or ``least`` after a failure or for an unknown key."""

    least: float = 60.0
    usual: float = 600.0


USUAL = Pace()


class Refresher:
    """One task for each address, so that never two attempts at it are under way."""

    def __init__(
        self,
        published: Sequence[Published],
        metrics: Metrics,
        pace: Pace = USUAL,
        authorities: Path | None = None,
        others: Replays | None = None,
    ) -> None:
        """``authorities`` is a file (PEM) of certificate authorities that are trusted beside the public ones;
        ``others`` is what is shared with other processes of the same data folder.

        Raises :class:`SettingsTrouble` for an address that is neither https nor on this machine.
        """
        self._metrics = metrics
        self._pace = pace
        self._others = others
        self._asked = [(one, _outbound(one.url, authorities)) for one in published]
        self._tasks: list[asyncio.Task[None]] = []

    async def start(self) -> None:
        """Load all keys, or wait for them no longer than a few seconds; they are then tried for in the background."""
        if self._asked:
            first = [asyncio.create_task(self._fetch(one, outbound)) for one, outbound in self._asked]
            await asyncio.wait(first, timeout=START_SECONDS)
            pairs = zip(self._asked, first, strict=True)
            self._tasks = [asyncio.create_task(self._run(*asked, begun)) for asked, begun in pairs]

    async def stop(self) -> None:
        """Stop fetching."""
        for task in self._tasks:
            task.cancel()
            with suppress(asyncio.CancelledError):
                await task
        self._tasks.clear()
        for _, outbound in self._asked:
            await outbound.close()

    def troubles(self) -> list[str]:
        """A sentence for each address whose keys could not be fetched."""
        return [
            f"The keys of the client {one.client} cannot be fetched ({one.trouble}); {_left(one)}"
            for one, _ in self._asked
            if one.trouble
        ]

    async def _run(self, one: Published, outbound: Outbound, begun: asyncio.Task[None]) -> None:
        await begun
        while True:
            await asyncio.sleep(self._pace.least)
            if not one.trouble:
                with suppress(TimeoutError):
                    await asyncio.wait_for(one.wanted.wait(), self._pace.usual - self._pace.least)
            await self._look(one, outbound)

    async def _look(self, one: Published, outbound: Outbound) -> None:
        """Fetch, or take over what another process fetched a moment ago."""
        standing, document = await self._turn(one)
        while standing is Standing.UNDER_WAY:
            await asyncio.sleep(min(POLL_SECONDS, self._pace.least / 10))
            standing, document = await self._turn(one)
        if document is None:
            await self._fetch(one, outbound)
        else:
            one.wanted.clear()
            self._take(one, document, "shared")

    async def _turn(self, one: Published) -> tuple[Standing, bytes | None]:
        return (Standing.FIRST, None) if self._others is None else await self._others.look(_name(one), self._pace.least)

    async def _fetch(self, one: Published, outbound: Outbound) -> None:
        from cds_hooks.outbound import OutboundTrouble

        one.wanted.clear()
        try:
            answer = await outbound.get(one.url.rpartition("/")[2])
            ahead = seconds_ahead(answer.date, utc_now())
            if ahead is not None:
                self._metrics.clock_offset_seconds[urlsplit(one.url).netloc,] = ahead
            if self._take(one, answer.body, "fetched") and self._others is not None:
                self._others.looked(_name(one), answer.body)
        except OutboundTrouble as trouble:
            self._failed(one, trouble.kind, str(trouble))
        except Exception as error:  # one strange answer must not end the task that would try again
            self._failed(one, "internal", f"{type(error).__name__} {where(error)}")

    def _take(self, one: Published, document: bytes, outcome: str) -> bool:
        """Whether there were keys in what came, which then count; the log tells only what changed."""
        try:
            found = read_set(document)
        except KeysTrouble as trouble:
            self._failed(one, "unusable", str(trouble))
            return False
        if one.trouble or one.keys.keys() != found.keys.keys():
            log.info("keys-fetched", client=one.client, keys=len(found.keys), flaws=found.flaws)
        one.fetched(found.keys)
        self._metrics.key_fetches[one.client, outcome] += 1
        return True

    def _failed(self, one: Published, kind: str, said: str) -> None:
        if one.trouble != kind:
            log.warning("keys-not-fetched", client=one.client, kind=kind, said=said)
        one.trouble = kind
        self._metrics.key_fetches[one.client, kind] += 1


def _left(one: Published) -> str:
    """What a client is known by whose keys cannot be fetched."""
    if one.keys:
        return f"the {len(one.keys)} fetched before hold for a day."
    return f"the {one.filed} of its file hold on." if one.filed else "none are known."


def _name(one: Published) -> bytes:
    """What stands for an address in the file that processes share."""
    return sha256(f"keys {one.url}".encode()).digest()


def _outbound(url: str, authorities: Path | None) -> Outbound:
    # Imported here, because an HTTP client takes long to load and many services ask nobody.
    from cds_hooks.outbound import Outbound

    return Outbound(url.rpartition("/")[0], deadline=FETCH_SECONDS, size_limit=SIZE_LIMIT, authorities=authorities)
