"""The audit store: append, look up, say how it is."""

from __future__ import annotations

import os
import sqlite3
from collections.abc import Sequence
from datetime import datetime
from functools import partial
from pathlib import Path

from sqlalchemy.exc import DBAPIError

from cds_hooks.audit.job import Job
from cds_hooks.audit.location import database_path, hold, make_folder, pseudonym_key
from cds_hooks.audit.model import CallDetail, CallFilter, CallRow, Entry, Feedback, StoreHealth
from cds_hooks.audit.pseudonym import client_key, pseudonym
from cds_hooks.audit.reader import Reader
from cds_hooks.audit.sqlite import unusable
from cds_hooks.audit.terms import LearnedRow, UnmappedRow, count_unmapped, forget_unmapped, keep_learned
from cds_hooks.audit.writer import Writer
from cds_hooks.service import Shown


class AuditStore:
    """An append-only store with one writer thread; :func:`open_store` makes it.

    ``append`` and ``append_feedback`` are for coroutines of any event loop; they never raise for a sick store. The
    reading methods block and belong into a worker thread; they raise :class:`StoreError`.
    """

    def __init__(self, path: Path, key: bytes, lock: int) -> None:
        self.path = path
        self._key = key
        self._keys: dict[str, bytes] = {}
        self._lock = lock
        self._writer = Writer(path)
        self._reader = Reader(path)

    def pseudonym(self, patient_id: str, client: str = "") -> str:
        """Return the pseudonym of a patient's logical id at ``client``: 32 hexadecimal digits, empty for an empty id.

        ``client`` is the name of a registered one: a key is kept for each.
        """
        return pseudonym(self._key_of(client), patient_id)

    def encounter_pseudonym(self, encounter_id: str, client: str = "") -> str:
        """Return the pseudonym of an encounter's logical id, never that of a patient with the same id."""
        return pseudonym(self._key_of(client), f"Encounter/{encounter_id}") if encounter_id else ""

    def _key_of(self, client: str) -> bytes:
        if client not in self._keys:
            self._keys[client] = client_key(self._key, client)
        return self._keys[client]

    async def append(self, entry: Entry) -> bool:
        """Return true once ``entry`` is on the disk, false when it could not be written.

        A caller that stops waiting (cancellation, timeout) does not take the entry back.
        """
        return await self._submit(Job(entry))

    async def append_feedback(self, rows: Sequence[Feedback]) -> bool:
        """Return true once all ``rows`` are on the disk, known cards or not; false when none could be written."""
        return not rows or await self._submit(Job(None, tuple(rows)))

    async def count_unmapped(self, rows: Sequence[UnmappedRow]) -> int | None:
        """Add ``rows`` to the counts; how many of the least counted fell out, None when nothing could be written."""
        fallen: list[int] = []
        stored = await self._submit(Job(None, upkeep=lambda at: fallen.append(count_unmapped(at, rows))))
        return fallen[-1] if stored and fallen else None

    async def forget_unmapped(self, keys: Sequence[tuple[str, str, str, str]]) -> bool:
        """Return true once the rows with these keys are gone, because something resolves them by now."""
        return await self._submit(Job(None, upkeep=partial(forget_unmapped, keys=keys)))

    async def keep_learned(self, rows: Sequence[LearnedRow]) -> bool:
        """Return true once what a resolver explained is on the disk."""
        return await self._submit(Job(None, upkeep=partial(keep_learned, rows=rows)))

    async def _submit(self, job: Job) -> bool:
        return self._writer.submit(job) and await job.future

    def health(self) -> StoreHealth:
        """Return how the store is, at the cost of a few attribute reads."""
        return self._writer.health()

    def calls(self, where: CallFilter | None = None) -> list[CallRow]:
        """Return the newest entries that match, at most ``where.limit``."""
        return self._reader.calls(where)

    def call(self, id: str) -> CallDetail | None:
        """Return one entry with its verdicts and the feedback on its cards."""
        return self._reader.call(id)

    def count(self, where: CallFilter | None = None, cap: int | None = None) -> int:
        """Return how many entries match, whatever ``limit`` and ``before``; counting stops at ``cap``."""
        return self._reader.count(where, cap)

    def unmapped(self, position: str = "") -> Sequence[UnmappedRow]:
        """Return what nothing resolved, the most counted first; of one position or of all."""
        return self._reader.unmapped(position)

    def unmapped_size(self) -> int:
        """Return how many codes and texts the inbox holds."""
        return self._reader.unmapped_size()

    def shown(self, patient: str, client: str, encounter: str, since: datetime) -> Sequence[Shown]:
        """Return what cards of this patient showed to this client since a moment; arguments are pseudonyms."""
        return self._reader.shown(patient, client, encounter, since)

    def learned(self) -> Sequence[LearnedRow]:
        """Return what a resolver explained, the oldest first."""
        return self._reader.learned()

    def close(self) -> None:
        """Write what waits, fold the log in, close, and let another process have the store."""
        self._reader.close()
        self._writer.close()
        lock, self._lock = self._lock, -1
        if lock >= 0:
            os.close(lock)


def open_store(url: str, data_dir: Path) -> AuditStore:
    """Open the audit store at ``url`` (``sqlite:///file``, relative to ``data_dir``), made and migrated if need be.

    Starts the writer thread. Raises :class:`StoreError` when the folder cannot be written, the file is not an audit
    database or a newer version's, the pseudonym key is damaged, or another process writes to the store.
    """
    path = database_path(url, data_dir)
    make_folder(data_dir)
    make_folder(path.parent)
    lock = hold(path)
    try:
        return AuditStore(path, pseudonym_key(data_dir), lock)
    except BaseException as error:
        os.close(lock)
        if isinstance(error, (DBAPIError, sqlite3.Error)):
            raise unusable(path, error) from error
        raise
