"""Remembers which tokens were used for which call, across processes and restarts, without holding up the event loop."""

from __future__ import annotations

import asyncio
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from pathlib import Path
from time import monotonic

from cds_hooks.auth.ledger import Ledger
from cds_hooks.auth.model import Kept
from cds_hooks.auth.sealed import Use
from cds_hooks.auth.used import Claim, Forget, Found, Keep, Look, Standing, Step
from cds_hooks.clock import Clock
from cds_hooks.errors import Overloaded, Unauthorised
from cds_hooks.limits import within

WIPE_SECONDS = 5.0
POLL_SECONDS = 0.02
LEAST_PATIENCE = 3.0
PASSING = frozenset({408, 429, 500, 503})
"""Answers that are no answer to the call: the same call may be tried again with its token."""


class Replays:
    """All claims that wait go into one transaction, so that many at once cost little more than one.

    ``wait`` is how many seconds a call waits for the answer to the same call.
    """

    def __init__(self, path: Path, clock: Clock, wait: float) -> None:
        self._ledger = Ledger(path)
        self._clock = clock
        self._wait = wait
        self._thread = ThreadPoolExecutor(1, "tokens")
        self._steps: list[tuple[Step, asyncio.Future[Found | None]]] = []
        self._under_way: dict[bytes, tuple[Use, asyncio.Event]] = {}
        self._draining: asyncio.Task[None] | None = None
        self._wiping: asyncio.Task[None] | None = None

    @property
    def trouble(self) -> str:
        """Why used tokens are remembered by this process alone; empty while all is well."""
        return self._ledger.trouble

    async def start(self) -> None:
        """Open the file, and wipe and forget from then on."""
        await self._do(Forget(self._now()))
        self._wiping = asyncio.create_task(self._wipe())

    async def stop(self) -> None:
        """Write what is still to be written, and close the file."""
        if self._wiping is not None:
            self._wiping.cancel()
            with suppress(asyncio.CancelledError):
                await self._wiping
        if self._draining is not None:
            await self._draining
        await asyncio.to_thread(self._thread.shutdown)
        self._ledger.close()

    async def claim(self, use: Use) -> Kept | None:
        """None for the first use of a token, or the stored answer to the same call.

        Raises :class:`Unauthorised` for another call, or for the same one too late; :class:`Overloaded` while the same
        call is being answered for too long.
        """
        until = monotonic() + self._wait
        while True:
            claim = Claim(use.id, use.call, self._now(), use.ends, max(LEAST_PATIENCE, 2 * self._wait))
            standing, sealed = await self._standing(claim)
            if standing is Standing.FIRST:
                self._under_way[use.id] = use, asyncio.Event()
                return None
            if standing is Standing.REPLAYED:
                raise Unauthorised("replayed")
            if sealed is not None:
                return use.unseal(sealed)
            await self._answer_of_other(use, until)

    def keep(self, token: bytes, kept: Kept) -> None:
        """Store the answer to a call that was the first use of ``token`` (:func:`token_hash`); others are ignored."""
        if token in self._under_way:
            use, answered = self._under_way.pop(token)
            self._do(Keep(token, None if kept.status in PASSING else use.seal(kept)))
            answered.set()

    async def look(self, address: bytes, least: float) -> Found:
        """Whether this process may ask an address for keys (:class:`cds_hooks.auth.used.Look`)."""
        return await self._do(Look(address, self._now(), least)) or (Standing.FIRST, None)

    def looked(self, address: bytes, document: bytes) -> None:
        """Let the other processes have what came from an address."""
        self._do(Keep(address, document))

    async def _standing(self, claim: Claim) -> Found:
        try:
            return await within(self._wait, self._do(claim)) or (Standing.REPLAYED, None)
        except TimeoutError:
            raise Overloaded("The memory of used tokens does not answer in time. Nothing was checked.") from None

    async def _answer_of_other(self, use: Use, until: float) -> None:
        left = until - monotonic()
        if left <= 0:
            raise Overloaded("The same call is still being answered.")
        here = self._under_way.get(use.id)
        if here is None:  # another process has it
            await asyncio.sleep(POLL_SECONDS)
            return
        with suppress(TimeoutError):
            await within(left, here[1].wait())

    def _do(self, step: Step) -> asyncio.Future[Found | None]:
        future: asyncio.Future[Found | None] = asyncio.get_running_loop().create_future()
        self._steps.append((step, future))
        if self._draining is None:
            self._draining = asyncio.create_task(self._drain())
        return future

    async def _drain(self) -> None:
        loop = asyncio.get_running_loop()
        while self._steps:
            batch, self._steps = self._steps, []
            found = await loop.run_in_executor(self._thread, self._ledger.run, [step for step, _ in batch])
            for (_, future), one in zip(batch, found, strict=True):
                if not future.done():  # whoever asked may have given up
                    future.set_result(one)
        self._draining = None

    async def _wipe(self) -> None:
        while True:
            await asyncio.sleep(WIPE_SECONDS)
            await self._do(Forget(self._now()))

    def _now(self) -> float:
        return self._clock().timestamp()
