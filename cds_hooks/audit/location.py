"""Where the store lives: its file, its folder, its pseudonym key, and the lock that says who writes."""

from __future__ import annotations

import fcntl
import os
import secrets
from pathlib import Path

from sqlalchemy import make_url
from sqlalchemy.exc import ArgumentError

from cds_hooks.audit.errors import StoreError

KEY_FILE = "pseudonym.key"
_KEY_BYTES = 32
_PRIVATE_FILE = 0o600
_PRIVATE_FOLDER = 0o700
_EXPECTED = (
    "Expected DYSTONIA_CDS_DATABASE to be sqlite:///<file>, for example sqlite:///dystonia-cds.db (a relative file "
    "lies in the data folder)."
)


def database_path(url: str, data_dir: Path) -> Path:
    """Return the file that ``url`` names; a relative one lies in ``data_dir``. Raises :class:`StoreError`."""
    try:
        parsed = make_url(url)
    except ArgumentError as error:
        raise StoreError(f"The audit store's address is not a database URL. {_EXPECTED}") from error
    if parsed.get_backend_name() == "postgresql":
        raise StoreError(f"Got a postgresql address, but this version keeps its audit in SQLite. {_EXPECTED}")
    if parsed.get_backend_name() != "sqlite":
        raise StoreError(f"Got an audit store address of the kind {parsed.drivername!r}. {_EXPECTED}")
    if not parsed.database or parsed.database == ":memory:":
        raise StoreError(f"The audit must outlive the process and cannot be kept in memory. {_EXPECTED}")
    if parsed.query or parsed.host or parsed.database.startswith("file:"):
        raise StoreError(f"The audit store's address has parts beyond the file. {_EXPECTED}")
    return (data_dir / parsed.database).expanduser().absolute()


def make_folder(folder: Path) -> None:
    """Create ``folder`` for this user alone; an existing one keeps the permissions its owner chose."""
    try:
        folder.mkdir(mode=_PRIVATE_FOLDER, parents=True, exist_ok=True)
        if not os.access(folder, os.W_OK | os.X_OK):
            raise PermissionError("not writable")
    except OSError as error:
        raise unwritable(folder, error) from error


def unwritable(folder: Path, error: OSError) -> StoreError:
    reason = error.strerror or str(error)
    return StoreError(
        f"The audit store cannot write in the folder {folder} ({reason}). Expected a folder that this user may write "
        "to: correct its permissions, or name another one with DYSTONIA_CDS_DATA_DIR."
    )


def make_file(path: Path) -> None:
    """Create an empty database file for this user alone; SQLite gives its side files the same permissions."""
    # Opening and closing an existing file would drop the locks that this process's readers hold on it.
    if path.exists():
        return
    try:
        os.close(os.open(path, os.O_CREAT | os.O_RDWR | os.O_CLOEXEC, _PRIVATE_FILE))
    except OSError as error:
        raise unwritable(path.parent, error) from error


def identity(path: Path) -> tuple[int, int]:
    """Return what tells the file at ``path`` from another one that took its place. Raises OSError if there is none."""
    status = os.stat(path)
    return status.st_dev, status.st_ino


def hold(path: Path) -> int:
    """Lock the store for this process and return the lock's descriptor; the lock ends with the process.

    SQLite before 3.51.3 can damage a file when two connections write or checkpoint it at once, so that a second
    writer is refused rather than let in.
    """
    lock_path = path.with_name(path.name + ".lock")
    try:
        descriptor = os.open(lock_path, os.O_CREAT | os.O_RDWR | os.O_CLOEXEC, _PRIVATE_FILE)
    except OSError as error:
        raise unwritable(path.parent, error) from error
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError as error:
        os.close(descriptor)
        raise StoreError(
            f"The audit store {path} is in use by another process that writes to it. Expected to be the only one: "
            "stop the other service, or give this one its own DYSTONIA_CDS_DATA_DIR."
        ) from error
    return descriptor


def pseudonym_key(data_dir: Path) -> bytes:
    """Return the key that turns patient ids into pseudonyms, made at the first start. Raises :class:`StoreError`.

    A damaged key is never replaced: new pseudonyms would part each patient from the older entries.
    """
    path = data_dir / KEY_FILE
    try:
        if not path.exists():
            _make_key(path)
        path.chmod(_PRIVATE_FILE)
        key = bytes.fromhex(path.read_text("ascii"))
    except OSError as error:
        raise unwritable(data_dir, error) from error
    except ValueError:
        key = b""
    if len(key) != _KEY_BYTES:
        raise StoreError(
            f"The pseudonym key {path} is damaged: expected {2 * _KEY_BYTES} hexadecimal digits. Restore it from a "
            "backup; if there is none, move it away to start with a new key (older entries keep their old pseudonyms)."
        )
    return key


def _make_key(path: Path) -> None:
    # Written aside and renamed, so that a crash cannot leave half a key behind.
    draft = path.with_name(path.name + ".new")
    with open(os.open(draft, os.O_CREAT | os.O_WRONLY | os.O_TRUNC | os.O_CLOEXEC, _PRIVATE_FILE), "w") as file:
        file.write(secrets.token_hex(_KEY_BYTES) + "\n")
        file.flush()
        os.fsync(file.fileno())
    draft.replace(path)
    _sync_folder(path.parent)


def _sync_folder(folder: Path) -> None:
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
