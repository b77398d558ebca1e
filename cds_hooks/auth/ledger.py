"""The used tokens, in the file as long as it can be written, else in the memory of this process."""

from __future__ import annotations

import sqlite3
from collections.abc import Sequence
from pathlib import Path
from time import monotonic

import structlog

from cds_hooks.audit import StoreError
from cds_hooks.auth.used import Found, Step, Used

RETRY_SECONDS = 30.0

log = structlog.get_logger()


class Ledger:
    """Never fails: a full disk must not keep patients from being judged. ``trouble`` is a sentence while it is in
    trouble. Used by one thread at a time; opens at its first use."""

    def __init__(self, path: Path) -> None:
        self.trouble = ""
        self._path = path
        self._file: Used | None = None
        self._spare: Used | None = None
        self._again = 0.0

    def run(self, steps: Sequence[Step]) -> list[Found | None]:
        """Do ``steps`` in one transaction; the standing of each claim."""
        if self._spare is None or monotonic() >= self._again:
            try:
                return self._open().run(steps)
            except (sqlite3.Error, OSError, StoreError) as error:
                self._fall_back(error)
        assert self._spare is not None
        return self._spare.run(steps)

    def close(self) -> None:
        """Let go of the file."""
        for one in (self._file, self._spare):
            if one is not None:
                one.close()
        self._file = self._spare = None

    def _open(self) -> Used:
        if self._file is None:
            self._file = Used(self._path)
        if self._spare is not None:
            self._file.add(self._spare.rows())
            self._spare.close()
            self._spare, self.trouble = None, ""
            log.info("tokens-file-well-again")
        return self._file

    def _fall_back(self, error: Exception) -> None:
        broken, self._file = self._file, None
        if broken is not None:
            broken.close()
        self._spare = self._spare or Used(None)
        self._again = monotonic() + RETRY_SECONDS
        self.trouble = (
            f"The file of used tokens ({self._path.name} in the data folder) cannot be written ({error}): a token that "
            "another process accepted could be used twice. See to the disk and the file; it is tried again every half "
            "minute."
        )
        log.error("tokens-file-failing", error=type(error).__name__)
