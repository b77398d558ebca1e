"""Connections to the SQLite file: the one that writes, and those that only read."""

from __future__ import annotations

import sqlite3
from datetime import UTC, datetime
from pathlib import Path

from sqlalchemy import Connection, Engine, create_engine, event
from sqlalchemy.exc import DBAPIError
from sqlalchemy.pool import NullPool

from cds_hooks.audit.errors import StoreError
from cds_hooks.audit.location import make_file
from cds_hooks.audit.making import make_tables, migrate
from cds_hooks.audit.schema import HEAD, REVISIONS

_BUSY_SECONDS = 2.0
_WRITER_PRAGMAS = (
    "synchronous=FULL",  # NORMAL loses acknowledged rows at a power cut
    "secure_delete=ON",
    f"journal_size_limit={64 * 1024 * 1024}",
    "temp_store=MEMORY",
)


def writer_engine(path: Path) -> Engine:
    """Return an engine whose transactions take the write lock at once."""

    def connect() -> sqlite3.Connection:
        connection = sqlite3.connect(path, timeout=_BUSY_SECONDS, isolation_level=None, check_same_thread=False)
        for pragma in _WRITER_PRAGMAS:
            connection.execute(f"pragma {pragma}")
        return connection

    engine = create_engine("sqlite://", creator=connect, poolclass=NullPool, hide_parameters=True)
    event.listen(engine, "begin", lambda connection: connection.exec_driver_sql("begin immediate"))
    return engine


def reader_engine(path: Path) -> Engine:
    """Return an engine that can only read, and reads each transaction from one snapshot without blocking the writer."""
    engine = create_engine("sqlite://", creator=lambda: connect_to_read(path), poolclass=NullPool, hide_parameters=True)
    event.listen(engine, "begin", lambda connection: connection.exec_driver_sql("begin"))
    return engine


def connect_to_read(path: Path) -> sqlite3.Connection:
    """Return a connection that can only read, for one thread at a time; each statement sees one snapshot."""
    return sqlite3.connect(
        f"{path.as_uri()}?mode=ro", uri=True, timeout=_BUSY_SECONDS, isolation_level=None, check_same_thread=False
    )


def open_writer(engine: Engine, path: Path) -> Connection:
    """Open the connection that writes: file made, tables at head, a row written to prove that it can.

    Raises :class:`StoreError` for what an operator must mend; other database errors as they are.
    """
    make_file(path)
    connection = engine.connect()
    try:
        _require_wal(connection, path)
        with connection.begin():
            _ensure_schema(connection, path)
            touch(connection, "opened")
    except BaseException:
        connection.close()
        raise
    return connection


def touch(connection: Connection, key: str) -> None:
    """Write the time under ``key``, which proves that the store can be written."""
    connection.exec_driver_sql(
        "insert into audit_meta (key, value) values (?, ?) on conflict (key) do update set value = excluded.value",
        (key, datetime.now(UTC).isoformat()),
    )


def check_readable(connection: Connection, path: Path) -> None:
    """Raise :class:`StoreError` unless the database has exactly the tables this version reads."""
    revision = _revision(connection, path)
    if revision != HEAD:
        raise StoreError(
            f"The audit database {path} is at revision {revision or 'none'}, expected {HEAD}. "
            "Start the service of this version once: it brings the tables up to date."
        )


def run_pragma(connection: Connection, pragma: str) -> str:
    """Run ``pragma`` outside any transaction, where SQLAlchemy would begin one, and return its first value."""
    row = connection.connection.cursor().execute(f"pragma {pragma}").fetchone()
    return str(row[0])


def _require_wal(connection: Connection, path: Path) -> None:
    mode = run_pragma(connection, "journal_mode=wal")
    if mode != "wal":
        raise StoreError(
            f"The audit database {path} cannot keep a write-ahead log (got journal mode {mode!r}). "
            "Expected a local disk: network file systems cannot hold it."
        )


def unusable(path: Path, error: BaseException) -> StoreError:
    """Return what to tell an operator whose database does not open because of ``error``."""
    origin = error.orig if isinstance(error, DBAPIError) else error
    if getattr(origin, "sqlite_errorcode", 0) == sqlite3.SQLITE_NOTADB:
        return StoreError(
            f"The file {path} is not an SQLite database. Expected the audit store: restore it from a backup, "
            "or move the file away to start with an empty one."
        )
    return StoreError(
        f"The audit database {path} cannot be opened for writing ({origin}). Expected a sound SQLite file on a "
        "disk with free space: see to the disk, or restore the file from a backup."
    )


def _ensure_schema(connection: Connection, path: Path) -> None:
    revision = _revision(connection, path)
    if not revision:
        make_tables(connection)
    elif revision != HEAD:
        migrate(connection)


def _revision(connection: Connection, path: Path) -> str:
    """Return the revision the tables are at, empty for a new file, by plain SQL: Alembic takes long to import."""
    tables = set(connection.exec_driver_sql("select name from sqlite_master where type = 'table'").scalars())
    if "alembic_version" not in tables:
        if tables:
            raise StoreError(
                f"The database {path} holds something else than the audit (tables {', '.join(sorted(tables))}). "
                "Expected an audit store or a new file: name another file with DYSTONIA_CDS_DATABASE."
            )
        return ""
    revision = str(connection.exec_driver_sql("select version_num from alembic_version").scalar() or "")
    if revision and revision not in REVISIONS:
        raise StoreError(
            f"The audit database {path} was written by a newer version (got revision {revision}, expected {HEAD} or "
            "older). Install that newer version, or restore the backup made before the upgrade."
        )
    return revision
