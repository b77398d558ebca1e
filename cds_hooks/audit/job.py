"""What waits to be written: an entry, the feedback of a request or notes about codes, and who waits for it."""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Callable, Iterable, Sequence

from sqlalchemy import Connection

from cds_hooks.audit.model import Entry, Feedback
from cds_hooks.audit.rows import cleaned

A_FEW = 4
"""How many of those who can wait are told in one turn of the loop."""


class Job:
    """One transaction's worth; made in the event loop, written in the writer thread, resolved in the loop."""

    __slots__ = ("entry", "feedback", "future", "loop", "stored", "upkeep")

    def __init__(
        self,
        entry: Entry | None,
        feedback: Sequence[Feedback] = (),
        upkeep: Callable[[Connection], None] | None = None,
    ) -> None:
        """``upkeep`` changes what is no audit; it is called in the writer thread, in the batch's transaction."""
        self.entry = entry
        self.feedback = feedback
        self.upkeep = upkeep
        self.loop = asyncio.get_running_loop()
        self.future: asyncio.Future[bool] = self.loop.create_future()
        self.stored = False

    @property
    def rows(self) -> int:
        return len(self.feedback) + (self.entry is not None)

    @property
    def unhurried(self) -> bool:
        return self.entry is not None and self.entry.unhurried

    def clean(self) -> None:
        self.entry = cleaned(self.entry) if self.entry else None
        self.feedback = [cleaned(item) for item in self.feedback]


def resolve(jobs: Sequence[Job]) -> None:
    """Tell every waiter, with one wake-up for each event loop."""
    for loop in {job.loop for job in jobs}:
        mine = [job for job in jobs if job.loop is loop]
        try:
            loop.call_soon_threadsafe(_tell, mine)
        except RuntimeError:  # that loop is closed: nobody waits there any more
            continue


def _tell(jobs: Sequence[Job]) -> None:
    """Those who are in a hurry at once, the others a few in each turn of the loop: their answers are work, too."""
    _settle([job for job in jobs if not job.unhurried])
    _tell_slowly(deque(job for job in jobs if job.unhurried))


def _tell_slowly(jobs: deque[Job]) -> None:
    _settle([jobs.popleft() for _ in range(min(A_FEW, len(jobs)))])
    if jobs:
        jobs[0].loop.call_soon(_tell_slowly, jobs)


def _settle(jobs: Iterable[Job]) -> None:
    for job in jobs:
        if not job.future.done():
            job.future.set_result(job.stored)
