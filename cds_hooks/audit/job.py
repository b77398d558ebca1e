"""What waits to be written: an entry, the feedback of a request or notes about codes, and who waits for it."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence

from sqlalchemy import Connection

from cds_hooks.audit.model import Entry, Feedback
from cds_hooks.audit.rows import cleaned


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
    for job in jobs:
        if not job.future.done():
            job.future.set_result(job.stored)
