"""The files of a site's terminology folder: which are read, which are not, and why."""

from __future__ import annotations

import stat
from collections.abc import Iterator
from pathlib import Path

import msgspec

from plugin.desk.problems import Problems

MOST_FILES = 200
MOST_BYTES = 20 * 1024 * 1024
KINDS = (".csv", ".json")
SETTING = "DYSTONIA_CDS_TERMINOLOGY"


class SiteFile(msgspec.Struct, frozen=True):
    """A file that was read whole; ``kind`` is its suffix in lower case."""

    name: str
    kind: str
    content: bytes


def read_folder(folder: Path, problems: Problems) -> list[SiteFile]:
    """The files of the folder in the order of their names; what cannot be read is a problem, and the rest is read.

    Names that start with a full stop or with ~ (locks of office programs) are passed over without a word.
    """
    try:
        names = sorted(entry.name for entry in folder.iterdir() if entry.name[0] not in ".~")
        inside = folder.resolve(strict=True)
    except OSError as error:
        problems.error(str(folder), "", f"the folder cannot be read: {words(error)}. Correct {SETTING}, or unset it")
        return []
    if len(names) > MOST_FILES:
        problems.error(str(folder), "", f"holds {len(names)} files; at most {MOST_FILES} are read. Join some of them")
        return []
    return [SiteFile(name, kind, content) for name, kind, content in _read(folder, inside, names, problems)]


def _read(folder: Path, inside: Path, names: list[str], problems: Problems) -> Iterator[tuple[str, str, bytes]]:
    for name in names:
        kind = Path(name).suffix.lower()
        try:
            path = (folder / name).resolve(strict=True)
            if path.is_dir():
                problems.warning(name, "", "is a folder and is not read; put its files beside the others")
            elif kind not in KINDS:
                problems.warning(name, "", f"is not read: expected a name that ends in {' or '.join(KINDS)}")
            elif reason := _refusal(path, inside):
                problems.error(name, "", reason)
            else:
                yield name, kind, path.read_bytes()
        except (OSError, RuntimeError) as error:
            problems.error(name, "", f"cannot be read: {words(error)}")


def _refusal(path: Path, inside: Path) -> str:
    """Why a file is not opened. Links may lead to files of the same folder only, as mounted ones do."""
    if not path.is_relative_to(inside):
        return "is a link that leads out of the folder; put the file itself there"
    status = path.stat()
    if not stat.S_ISREG(status.st_mode):
        return "is no ordinary file"
    if status.st_size > MOST_BYTES:
        return f"has {status.st_size} bytes; at most {MOST_BYTES} are read. Split it"
    return ""


def words(error: OSError | RuntimeError) -> str:
    """What the system says, in lower case and without the path."""
    said = error.strerror if isinstance(error, OSError) and error.strerror else str(error)
    return said[:1].lower() + said[1:]
