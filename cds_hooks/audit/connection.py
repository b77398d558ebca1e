"""The connection that writes: whole batches in one durable transaction, opened anew after each trouble."""

from __future__ import annotations

import contextlib
import sqlite3
from collections.abc import Sequence
from pathlib import Path

from sqlalchemy import Connection, exc, func, select

from cds_hooks.audit.job import Job
from cds_hooks.audit.location import identity
from cds_hooks.audit.rows import insert_entries, insert_feedback
from cds_hooks.audit.schema import call
from cds_hooks.audit.sqlite import open_writer, run_pragma, touch, writer_engine

# Errors of one row, not of the disk: the other rows of its batch can still be kept.
ROW_ERRORS = (
    *(exc.IntegrityError, exc.DataError, exc.InterfaceError, exc.ProgrammingError),
    *(sqlite3.IntegrityError, sqlite3.DataError, sqlite3.InterfaceError, sqlite3.ProgrammingError),
    *(ValueError, TypeError, AttributeError, ArithmeticError),
)


class WriteConnection:
    """Used by one thread at a time. All methods may raise database errors, OSError and :class:`StoreError`."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._engine = writer_engine(path)
        self._connection: Connection | None = None
        self._file = (0, 0)
        self._next = 1

    def open(self) -> Connection:
        """Return the open connection; SQLite would go on writing into a removed file, so that is looked for first."""
        if self._connection is not None and self._file != identity(self._path):
            raise FileNotFoundError("the database file was removed or replaced")
        if self._connection is None:
            self._connection = open_writer(self._engine, self._path)
            self._file = identity(self._path)
            with self._connection.begin():
                self._next = (self._connection.scalar(select(func.max(call.c.seq))) or 0) + 1
        return self._connection

    def write(self, jobs: Sequence[Job]) -> None:
        """Make all of ``jobs`` durable, or none of them."""
        connection = self.open()
        with connection.begin():
            following = _insert(connection, jobs, self._next)
        self._next = following

    def write_singly(self, jobs: Sequence[Job]) -> list[Job]:
        """Make durable those of ``jobs`` that the database takes, and return them."""
        connection = self.open()
        following, taken = self._next, []
        with connection.begin():
            for job in jobs:
                with contextlib.suppress(*ROW_ERRORS), connection.begin_nested():
                    job.clean()
                    following = _insert(connection, [job], following)
                    taken.append(job)
        self._next = following
        return taken

    def probe(self) -> None:
        """Write something small, to see whether the disk takes it."""
        connection = self.open()
        with connection.begin():
            touch(connection, "recovered")

    def checkpoint(self, mode: str) -> None:
        """Move the write-ahead log into the database file as far as readers allow."""
        run_pragma(self.open(), f"wal_checkpoint({mode})")

    def discard(self) -> None:
        """Close the connection, whatever state it is in; the next use opens a new one."""
        connection, self._connection = self._connection, None
        if connection is not None:
            with contextlib.suppress(Exception):
                connection.close()


def _insert(connection: Connection, jobs: Sequence[Job], first: int) -> int:
    """Insert calls, then feedback, which may be about a card of this very batch; return the next free number."""
    entries = [job.entry for job in jobs if job.entry is not None]
    insert_entries(connection, entries, first)
    insert_feedback(connection, [item for job in jobs for item in job.feedback])
    for job in jobs:
        if job.upkeep is not None:
            job.upkeep(connection)
    return first + len(entries)
