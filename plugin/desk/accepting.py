"""Adding one mapping to the site's folder: checked as a whole first, then written in one step."""

from __future__ import annotations

import csv
import hashlib
import io
import os
import shutil
from datetime import UTC, datetime
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING, Final

from plugin.desk.cells import cell
from plugin.desk.problems import errors_of
from plugin.desk.site_csv import fault
from plugin.desk.site_map import read
from valuesets import Terminology, load

if TYPE_CHECKING:
    from plugin.desk import Unmapped

_TEXTS: Final = "text"
_COLUMNS: Final = ("target", "name", "by", "date")


def accept(folder: Path | None, snapshot: Path | None, unmapped: Unmapped, target: str, by: str) -> str:
    """Map a code, or a drug's text where it has none, to ``target``; returns what was written and the new version.

    Raises ValueError with the reason when the folder would not be usable with the mapping; then nothing is changed.
    """
    if folder is None:
        raise ValueError("there is no folder for the site's codes")
    what = unmapped.code or unmapped.text
    system = fault(unmapped.system, "system") if unmapped.code else ""
    if reason := system or fault(what, "code" if unmapped.code else _TEXTS) or fault(target, "target"):
        raise ValueError(reason)
    shipped = load(snapshot=snapshot)
    before = read(folder, shipped)
    name = _file_name(unmapped)
    content = _with_row(folder / name, unmapped, (what, target, unmapped.text, by, _today()))
    after = _checked(folder, name, content, shipped)
    _replace(folder / name, content)
    return (
        f"{what} now means {target}: written to {folder / name}. The site map was {_version(before.overlay.version)} "
        f"and is {_version(after)}."
    )


def _file_name(unmapped: Unmapped) -> str:
    """One file for each position and system, because a file of the site says once whose codes it holds."""
    if not unmapped.code:
        return f"accepted-{unmapped.position}-text.csv"
    return f"accepted-{unmapped.position}-{hashlib.sha256(unmapped.system.encode()).hexdigest()[:8]}.csv"


def _with_row(path: Path, unmapped: Unmapped, row: tuple[str, ...]) -> bytes:
    written = io.StringIO(newline="")
    lines = csv.writer(written, lineterminator="\n")
    if path.exists():
        old = path.read_text("utf-8")
        written.write(old if old.endswith("\n") else f"{old}\n")
    else:
        written.write(f"# position: {unmapped.position}\n")
        written.write(f"# system: {unmapped.system.strip()}\n" if unmapped.code else "")
        lines.writerow(("code" if unmapped.code else _TEXTS, *_COLUMNS))
    lines.writerow(map(cell, row))
    return written.getvalue().encode()


def _checked(folder: Path, name: str, content: bytes, shipped: Terminology) -> str:
    """The version that the folder will have; the folder is tried out aside, so that a mistake never lies in it."""
    with TemporaryDirectory(prefix="codes-") as aside:
        trial = Path(aside) / "terminology"
        shutil.copytree(folder, trial)
        (trial / name).write_bytes(content)
        found = read(trial, shipped)
    errors = errors_of(found.problems)
    if errors:
        raise ValueError(errors[0].sentence())
    return found.overlay.version


def _replace(path: Path, content: bytes) -> None:
    draft = path.with_name(f".{path.name}.new")
    with draft.open("wb") as file:
        file.write(content)
        file.flush()
        os.fsync(file.fileno())
    draft.replace(path)


def _version(version: str) -> str:
    return version.partition(" ")[0] or "empty"


def _today() -> str:
    return datetime.now(UTC).date().isoformat()
