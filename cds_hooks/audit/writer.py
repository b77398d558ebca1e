"""The one thread that writes: it takes all that waits, commits it once, and then tells everybody who waited."""

from __future__ import annotations

import queue
import sqlite3
import threading
from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path

import structlog
from sqlalchemy.exc import DBAPIError

from cds_hooks.audit.connection import ROW_ERRORS, WriteConnection
from cds_hooks.audit.errors import StoreError
from cds_hooks.audit.job import Job, resolve
from cds_hooks.audit.model import StoreHealth

log = structlog.get_logger()

BATCH_LIMIT = 512
# A hung disk must not fill the memory: past this, callers are told at once that their row is lost.
BACKLOG_LIMIT = 20_000
GATHER_SECONDS = 0.05
"""How long rows of calls that were not judged may wait to be written together: a commit costs as much as thirty rows,
and whoever floods the service with refusals shall not pay a commit out of its pocket with each."""

_PAUSE_SECONDS = 1.0
_CLOSE_SECONDS = 10.0


class Writer:
    """Group commit without a timer: the longer a commit takes, the more rows the next one carries."""

    def __init__(self, path: Path) -> None:
        """Open the store at ``path``, in the caller's thread, so that trouble is raised to the caller."""
        self._connection = WriteConnection(path)
        self._connection.open()
        self._queue: queue.SimpleQueue[Job | None] = queue.SimpleQueue()
        self._lock = threading.Lock()
        self._closed = False
        self._gathered: list[Job] = []
        self._in_hand = 0
        self._unsettled = False
        self._reason = ""
        self._failed = 0
        self._written = 0
        self._last_error: datetime | None = None
        self._thread = threading.Thread(target=self._run, name="audit-writer", daemon=True)
        self._thread.start()

    def submit(self, job: Job) -> bool:
        """Queue ``job``; false, counted as failed, when the store is closed or hopelessly behind."""
        with self._lock:
            if not self._closed and self._waiting() < BACKLOG_LIMIT:
                self._gather(job)
                return True
        self._count_failed(job.rows, "closed" if self._closed else "backlog full")
        return False

    def _waiting(self) -> int:
        return self._queue.qsize() + len(self._gathered)

    def _gather(self, job: Job) -> None:
        """Hand ``job`` over, with all that waits; or let it wait for others, where it may."""
        self._gathered.append(job)
        if not job.unhurried:
            self._hand_over()
        elif len(self._gathered) == 1:
            job.loop.call_later(GATHER_SECONDS, self._end_of_gathering)

    def _end_of_gathering(self) -> None:
        with self._lock:
            self._hand_over()

    def _hand_over(self) -> None:
        gathered, self._gathered = self._gathered, []
        for job in gathered:
            self._queue.put(job)

    def health(self) -> StoreHealth:
        return StoreHealth(
            ok=not self._reason and not self._closed,
            reason=self._reason or ("The audit store is closed." if self._closed else ""),
            failed=self._failed,
            written=self._written,
            pending=self._waiting() + self._in_hand,
            last_error_time=self._last_error,
        )

    def close(self) -> None:
        """Write what waits, checkpoint and close; returns after ten seconds even from a disk that hangs."""
        with self._lock:
            closing, self._closed = not self._closed, True
            self._hand_over()
        if closing:
            self._queue.put(None)
            self._thread.join(_CLOSE_SECONDS)
            if self._thread.is_alive():
                log.error("audit.close-timeout", pending=self._queue.qsize() + self._in_hand)

    def _run(self) -> None:
        while (jobs := self._take()) is not None:
            self._in_hand = len(jobs)
            if jobs:
                self._write(jobs)
                resolve(jobs)
            else:
                self._rest()
            self._in_hand = 0
        self._finish()

    def _take(self) -> list[Job] | None:
        """Wait for work and return all there is; empty after a pause with something to see to, None at the end."""
        pause = _PAUSE_SECONDS if self._reason or self._unsettled else None
        jobs: list[Job] = []
        try:
            job = self._queue.get(timeout=pause)
            while job is not None:
                jobs.append(job)
                if len(jobs) == BATCH_LIMIT:
                    return jobs
                job = self._queue.get_nowait()
        except queue.Empty:
            return jobs
        if jobs:
            self._queue.put(None)  # the end, met again after this batch
            return jobs
        return None

    def _write(self, jobs: list[Job]) -> None:
        try:
            self._connection.write(jobs)
            self._count_stored(jobs)
        except ROW_ERRORS as error:
            log.warning("audit.batch-refused", rows=_rows(jobs), error=_say(error))
            self._write_singly(jobs)
        except Exception as error:
            self._refuse(jobs, error)

    def _write_singly(self, jobs: list[Job]) -> None:
        try:
            taken = self._connection.write_singly(jobs)
        except Exception as error:
            self._refuse(jobs, error)
            return
        self._count_stored(taken)
        lost = _rows(jobs) - _rows(taken)
        if lost:
            self._count_failed(lost, "row refused by the database")
        if not taken:
            self._connection.discard()

    def _refuse(self, jobs: Sequence[Job], error: Exception) -> None:
        """Give the batch up: a failed sync is never tried again, because the kernel may have dropped the pages."""
        self._connection.discard()
        before, self._reason = self._reason, f"The audit store cannot be written: {_say(error)}."
        if jobs or self._reason != before:  # a probe that fails again is no news
            self._count_failed(_rows(jobs), _say(error))

    def _rest(self) -> None:
        """See to the store while nobody waits: is a sick disk well again, can the log be folded in."""
        try:
            if self._reason:
                self._connection.probe()
                self._recovered()
            else:
                self._connection.checkpoint("passive")
                self._unsettled = False
        except Exception as error:
            self._refuse((), error)

    def _recovered(self) -> None:
        if self._reason:
            self._reason = ""
            log.info("audit.recovered", failed=self._failed)

    def _count_stored(self, jobs: Sequence[Job]) -> None:
        for job in jobs:
            job.stored = True
        if jobs:
            self._written += _rows(jobs)
            self._unsettled = True
            self._recovered()

    def _count_failed(self, rows: int, reason: str) -> None:
        with self._lock:
            self._failed += rows
            self._last_error = datetime.now(UTC)
        log.error("audit.write-failed", rows=rows, failed=self._failed, reason=reason)

    def _finish(self) -> None:
        try:
            self._connection.checkpoint("truncate")
        except Exception as error:
            log.error("audit.close-failed", reason=_say(error))
        self._connection.discard()


def _rows(jobs: Sequence[Job]) -> int:
    return sum(job.rows for job in jobs)


def _say(error: BaseException) -> str:
    """Return what happened without statement and parameters, which hold what patients were told."""
    if isinstance(error, DBAPIError):
        return str(error.orig)
    if isinstance(error, OSError):
        return error.strerror or str(error)
    return str(error) if isinstance(error, (StoreError, sqlite3.Error)) else type(error).__name__
