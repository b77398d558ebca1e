"""Reading the files of an RxNorm release (RRF): lines of fields ended by a bar, hundreds of megabytes, one by one."""

import re
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Final

Progress = Callable[[str, int, int], None]
"""Called with the name of the file that is being read, the bytes read and the bytes there are."""

SOURCE: Final = b"RXNORM"
"""Only what RxNorm itself states (SAB=RXNORM) may be kept; other sources have licences of their own."""

_COLUMNS: Final = {"RXNCONSO": 18, "RXNREL": 16, "RXNSAT": 13, "RXNATOMARCHIVE": 16, "RXNCUI": 5}
_REPORT_EVERY: Final = 1 << 22  # bytes; seldom enough to cost nothing
_DATE: Final = re.compile(r"(?<!\d)(\d{2})(\d{2})(\d{4})(?!\d)")
_MONTH_FIRST_YEAR: Final = 2004  # of the first release


class ReleaseError(ValueError):
    """A release cannot be read or a snapshot not be written; one sentence that says what to do."""


class Release:
    """A folder with an official RxNorm release: the root of the unpacked archive, or its folder ``rrf``.

    Raises ReleaseError where one of RXNCONSO.RRF, RXNREL.RRF and RXNSAT.RRF is missing.
    """

    def __init__(self, folder: Path, progress: Progress) -> None:
        self.folder = folder
        self._progress = progress
        self._rrf = next((one for one in (folder, folder / "rrf", folder / "RRF") if _file(one, "RXNCONSO")), folder)
        for table in ("RXNCONSO", "RXNREL", "RXNSAT"):
            if _file(self._rrf, table) is None:
                raise ReleaseError(
                    f"{folder} holds no {table}.RRF. Give the folder of an unpacked RxNorm release, or its folder rrf."
                )

    def rows(self, table: str, source: int | None, *columns: int) -> Iterator[tuple[str, ...]]:
        """The fields at ``columns`` of every line whose field ``source`` is RXNORM (every line for None).

        Raises ReleaseError, with file and line, for another number of columns or text that is not UTF-8.
        """
        path = _file(self._rrf, table)
        if path is None:
            return
        expected = _COLUMNS[table]
        for number, line in enumerate(self._lines(path), 1):
            if source is not None and SOURCE not in line:
                if line.count(b"|") != expected:
                    raise _bad_line(path, number, line, expected)
                continue
            fields = line.split(b"|")
            if len(fields) != expected + 1:
                raise _bad_line(path, number, line, expected)
            if source is None or fields[source] == SOURCE:
                try:
                    yield tuple([fields[column].decode() for column in columns])
                except UnicodeDecodeError:
                    told = f"{path.name}, line {number}: not UTF-8. Unpack the release again and leave its files alone."
                    raise ReleaseError(told) from None

    def _lines(self, path: Path) -> Iterator[bytes]:
        try:
            with path.open("rb") as file:
                size, done, told = path.stat().st_size, 0, 0
                for line in file:
                    done += len(line)
                    if done - told >= _REPORT_EVERY:
                        told = done
                        self._progress(path.name, done, size)
                    yield line
                self._progress(path.name, size, size)
        except OSError as error:
            raise ReleaseError(f"{path.name} cannot be read: {error.strerror}.") from None

    def version(self) -> str:
        """The day of the release as YYYY-MM-DD, from the folder's name or RXNSAB.RRF; "" where neither tells."""
        for name in (self.folder.resolve().name, self.folder.resolve().parent.name):
            found = _day(name)
            if found:
                return found
        path = _file(self._rrf, "RXNSAB")
        for line in self._lines(path) if path is not None else ():
            found = _short_day(line.split(b"|")) if b"|RXNORM|" in line else ""
            if found:
                return found
        return ""


def _file(folder: Path, table: str) -> Path | None:
    path = folder / f"{table}.RRF"
    return path if path.is_file() else None


def _bad_line(path: Path, number: int, line: bytes, expected: int) -> ReleaseError:
    got = line.count(b"|")
    return ReleaseError(
        f"{path.name}, line {number}: got {got} columns, expected {expected}, each ended by a bar. "
        "The file is cut off, or not of RxNorm's RRF format; unpack the release again."
    )


def _day(name: str) -> str:
    """RxNorm_full_03022026 is the release of 2 March 2026."""
    for month, day, year in _DATE.findall(name):
        if 1 <= int(month) <= 12 and 1 <= int(day) <= 31 and int(year) >= _MONTH_FIRST_YEAR:
            return f"{year}-{month}-{day}"
    return ""


def _short_day(fields: list[bytes]) -> str:
    """RXNSAB names RxNorm's own version 20AA_260302F: the release of 2 March 2026."""
    for field in fields:
        found = re.fullmatch(rb"(?:RXNORM_)?\d{2}A[AB]_(\d{2})(\d{2})(\d{2})F", field)
        if found:
            year, month, day = (part.decode() for part in found.groups())
            return f"20{year}-{month}-{day}"
    return ""
