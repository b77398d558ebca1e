"""Where the code of a set of rules lies: the working tree, another folder, or a revision taken out of git."""

from __future__ import annotations

import io
import subprocess
import tarfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory

from cds_hooks.errors import CallTrouble

HOST = "cds_hooks"


@contextmanager
def tree(name: str) -> Iterator[Path]:
    """The folder with the code of ``name``: a folder, or a revision of the repository around the current folder.

    A revision is unpacked into a temporary folder, and the repository is only read. Raises CallTrouble for a name that
    is neither, and for code that holds no rules service.
    """
    folder = Path(name)
    if folder.is_dir():
        yield _checked(folder.absolute(), name)
        return
    content = _archive(name)
    with TemporaryDirectory(prefix="clinical-diff-") as made:
        with tarfile.open(fileobj=io.BytesIO(content)) as packed:
            packed.extractall(made, filter="data")
        yield _checked(Path(made).resolve(), name)


def _checked(folder: Path, name: str) -> Path:
    if not (folder / HOST / "__init__.py").is_file():
        raise CallTrouble(f"{name} holds no folder {HOST}: expected the top folder of this repository, or a revision.")
    return folder


def _archive(name: str) -> bytes:
    """The files of a revision, as a tar archive."""
    top = _git("rev-parse", "--show-toplevel")
    if top.returncode:
        raise CallTrouble(
            f"{name!r} is no folder, and the current folder is in no git repository in which it could be a revision."
        )
    root = top.stdout.decode().strip()
    found = _git("rev-parse", "--verify", "--quiet", "--end-of-options", f"{name}^{{commit}}")
    if found.returncode:
        raise CallTrouble(
            f"{name!r} is neither a folder nor a revision of {root}: expected a commit, branch or tag, or . for the "
            "files as they are."
        )
    packed = _git("-C", root, "archive", "--format=tar", found.stdout.decode().strip())
    if packed.returncode:
        raise CallTrouble(f"Git cannot unpack {name!r}: {packed.stderr.decode(errors='replace').strip()}")
    return packed.stdout


def _git(*arguments: str) -> subprocess.CompletedProcess[bytes]:
    try:
        return subprocess.run(["git", *arguments], capture_output=True, check=False)
    except FileNotFoundError:
        raise CallTrouble("Git is not installed; compare two folders instead of revisions.") from None
