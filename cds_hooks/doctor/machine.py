"""Checks of the machine: Python, SQLite, clock, disk, and the port."""

from __future__ import annotations

import os
import shutil
import socket
import sqlite3
import sys
from collections.abc import Iterable
from pathlib import Path

from cds_hooks.clock import check_clock
from cds_hooks.doctor.model import Check, Ground, ok, warn, wrong
from cds_hooks.errors import SettingsTrouble

PYTHONS = ((3, 11), (3, 14))
LEAST_BYTES, FEW_BYTES = 100 * 1024**2, 1024**3
RESET_BUG = ((3, 7, 0), (3, 51, 3))
"""From the first of these versions of SQLite up to, not including, the last, two connections that write or checkpoint
at once can damage a write-ahead log (SQLite's notes on the WAL-reset bug)."""


def python(_ground: Ground) -> Iterable[Check]:
    """The version of Python."""
    here = sys.version_info[:2]
    text = f"Python {here[0]}.{here[1]}."
    lowest, highest = PYTHONS
    if lowest <= here <= highest:
        yield ok("python", text)
    else:
        yield wrong("python", text, "Run the service with Python 3.11 to 3.14.")


def sqlite(_ground: Ground) -> Iterable[Check]:
    """The version of SQLite, and whether it has the error that can damage a log."""
    first, mended = RESET_BUG
    text = f"SQLite {sqlite3.sqlite_version}"
    if first <= sqlite3.sqlite_version_info < mended:
        yield ok(
            "sqlite",
            f"{text}: it can damage a log that two connections write at once. This service has one connection that "
            "writes and locks out a second process, so it is not affected; let no other program write to its files.",
        )
    else:
        yield ok("sqlite", f"{text}.")


def clock(ground: Ground) -> Iterable[Check]:
    """Whether the clock can be right."""
    try:
        check_clock(ground.now)
    except SettingsTrouble as trouble:
        yield wrong("clock", str(trouble), "Set the clock, and keep it set by NTP.")
    else:
        yield ok("clock", f"The clock says {ground.now:%Y-%m-%d %H:%M} UTC.")


def disk(ground: Ground) -> Iterable[Check]:
    """Whether the data folder can be written and has room."""
    folder = ground.settings.data_dir
    there = next(one for one in (folder, *folder.parents) if one.exists())
    if not os.access(there, os.W_OK | os.X_OK):
        yield wrong(
            "data folder",
            f"{there} cannot be written.",
            "Correct its permissions, or name another folder with DYSTONIA_CDS_DATA_DIR.",
        )
        return
    yield _room(folder, shutil.disk_usage(there).free)


def _room(folder: Path, free: int) -> Check:
    text = f"{folder} can be written; {free / 1024**3:.1f} GiB are free."
    advice = "Free some space: a full disk means answers whose audit is not kept."
    if free < LEAST_BYTES:
        return wrong("data folder", text, advice)
    return warn("data folder", text, advice) if free < FEW_BYTES else ok("data folder", text)


def port(ground: Ground) -> Iterable[Check]:
    """Whether the port is free, or held by somebody, which may be this very service."""
    try:
        family, kind, protocol, _, place = socket.getaddrinfo(ground.host, ground.port, type=socket.SOCK_STREAM)[0]
        with socket.socket(family, kind, protocol) as probe:
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            probe.bind(place)
    except OSError as error:
        yield warn(
            "port",
            f"Port {ground.port} on {ground.host} cannot be opened ({error.strerror}).",
            "If this service is running there, all is well; else stop the other program or choose another --port.",
        )
    else:
        yield ok("port", f"Port {ground.port} on {ground.host} is free.")
