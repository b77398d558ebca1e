"""The file of used tokens, shared by all processes of one data folder: each token counts for one call.

It holds hashes alone. An answer that is kept for a moment is sealed with a key that only the same call can give. For
as long as that, it also holds the public keys that one process fetched, for the others.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Sequence
from enum import StrEnum
from pathlib import Path

import msgspec

from cds_hooks.audit.location import make_file, make_folder

KEEP_SECONDS = 60.0
"""For how long the same call gets the stored answer again."""

FORGET_SECONDS = 3600.0
"""For how long a token is remembered after its end: a clock that is set back an hour brings none back to life."""

BUSY_SECONDS = 2.0

_SCHEMA = """
create table if not exists used (
    id blob primary key, call blob not null, first real not null, taken real not null, ends real not null,
    state text not null, sealed blob
);
create index if not exists used_first on used (first) where sealed is not null;
create index if not exists used_ends on used (ends);
"""


class Standing(StrEnum):
    """What a claim comes to: this call is the first of its token, was answered, is being answered, or is another."""

    FIRST = "first"
    ANSWERED = "answered"
    UNDER_WAY = "under-way"
    REPLAYED = "replayed"


class Claim(msgspec.Struct, frozen=True):
    """A use of a token: hashes of the token's name and of the call, when it is used and when the token ends.

    After ``patience`` seconds without an answer, the process that took the call first is given up.
    """

    id: bytes
    call: bytes
    now: float
    ends: float
    patience: float


class Keep(msgspec.Struct, frozen=True):
    """The sealed answer to a call; None frees the token for the same call again."""

    id: bytes
    sealed: bytes | None


class Look(msgspec.Struct, frozen=True):
    """A process wants to ask an address (its hash) for keys, at most once in ``least`` seconds over all processes.

    ``FIRST`` says that it may; ``ANSWERED`` brings what another one got, and ``UNDER_WAY`` that there is nothing yet.
    """

    id: bytes
    now: float
    least: float


class Forget(msgspec.Struct, frozen=True):
    """Answers that are too old are wiped, and tokens that ended long ago are forgotten."""

    now: float


Step = Claim | Keep | Look | Forget
Found = tuple[Standing, bytes | None]


class Used:
    """One connection to the file, or to nothing but this process's memory. Used by one thread at a time.

    All methods may raise ``sqlite3.Error``.
    """

    def __init__(self, path: Path | None) -> None:
        """Raises :class:`StoreError` too if the folder cannot be written."""
        if path is not None:
            make_folder(path.parent)
            make_file(path)
        self._connection = sqlite3.connect(
            path or ":memory:", timeout=BUSY_SECONDS, isolation_level=None, check_same_thread=False
        )
        # No write-ahead log: several processes write, and SQLite before 3.51.3 can damage one that two of them reset.
        # What a process wrote survives its end without a flush to the disk; a power cut may lose the last seconds.
        for pragma in ("journal_mode=persist", "synchronous=off", "secure_delete=on"):
            self._connection.execute(f"pragma {pragma}")
        self._connection.executescript(_SCHEMA)

    def run(self, steps: Sequence[Step]) -> list[Found | None]:
        """Do all ``steps`` in their order in one transaction; the standing of each claim."""
        self._connection.execute("begin immediate")
        try:
            found = [self._step(step) for step in steps]
        except BaseException:
            self._connection.execute("rollback")
            raise
        self._connection.execute("commit")
        return found

    def rows(self) -> list[tuple[object, ...]]:
        """Everything, for another file."""
        return self._connection.execute("select * from used").fetchall()

    def add(self, rows: Sequence[tuple[object, ...]]) -> None:
        """Take over rows of another file, without touching what is here."""
        self._connection.executemany("insert or ignore into used values (?, ?, ?, ?, ?, ?, ?)", rows)

    def close(self) -> None:
        """Let go of the file."""
        self._connection.close()

    def _step(self, step: Step) -> Found | None:
        if isinstance(step, Claim):
            return self._claim(step)
        if isinstance(step, Look):
            return self._look(step)
        if isinstance(step, Keep):
            state = Standing.ANSWERED if step.sealed is not None else Standing.FIRST
            self._connection.execute(
                "update used set state = ?, sealed = ? where id = ?", (state, step.sealed, step.id)
            )
        else:
            self._forget(step.now)
        return None

    def _claim(self, claim: Claim) -> Found:
        select = "select call, first, taken, state, sealed from used where id = ?"
        row = self._connection.execute(select, (claim.id,)).fetchone()
        if row is None:
            values = (claim.id, claim.call, claim.now, claim.now, claim.ends, Standing.UNDER_WAY)
            self._connection.execute("insert into used values (?, ?, ?, ?, ?, ?, null)", values)
            return Standing.FIRST, None
        call, first, taken, state, sealed = row
        if call != claim.call or abs(claim.now - first) > KEEP_SECONDS:
            return Standing.REPLAYED, None
        if state == Standing.ANSWERED:
            return Standing.ANSWERED, sealed
        if state == Standing.UNDER_WAY and abs(claim.now - taken) <= claim.patience:
            return Standing.UNDER_WAY, None
        take = "update used set state = ?, taken = ? where id = ?"
        self._connection.execute(take, (Standing.UNDER_WAY, claim.now, claim.id))
        return Standing.FIRST, None

    def _look(self, look: Look) -> Found:
        row = self._connection.execute("select first, sealed from used where id = ?", (look.id,)).fetchone()
        if row is not None and abs(look.now - row[0]) <= look.least:
            return (Standing.UNDER_WAY if row[1] is None else Standing.ANSWERED), row[1]
        values = (look.id, b"", look.now, look.now, look.now, Standing.UNDER_WAY)
        self._connection.execute("insert or replace into used values (?, ?, ?, ?, ?, ?, null)", values)
        return Standing.FIRST, None

    def _forget(self, now: float) -> None:
        old = "sealed is not null and (first < ? or first > ?)"
        self._connection.execute(f"update used set sealed = null where {old}", (now - KEEP_SECONDS, now + KEEP_SECONDS))
        self._connection.execute("delete from used where ends < ?", (now - FORGET_SECONDS,))
