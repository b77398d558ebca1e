"""Runs cases in a process of its own, on the code of another folder."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import msgspec

from cds_hooks.cases import run
from cds_hooks.cases.files import Case
from cds_hooks.errors import CallTrouble

Json = dict[str, Any]

_LINES = 3


def answers(folder: Path, name: str, cases: Mapping[str, Case], plugin: str) -> dict[str, Json]:
    """What the rules in a folder answer to each case; ``name`` is what the user called it.

    Raises CallTrouble with the last lines of the process where it failed.
    """
    with TemporaryDirectory(prefix="clinical-diff-") as made:
        asked, told = Path(made) / "cases.json", Path(made) / "answers.json"
        asked.write_bytes(msgspec.json.encode(cases))
        done = subprocess.run(
            [sys.executable, "-P", str(Path(run.__file__)), str(asked), str(told), plugin],
            cwd=folder,
            env={**os.environ, "PYTHONPATH": str(folder), "PYTHONDONTWRITEBYTECODE": "1"},
            capture_output=True,
            text=True,
            check=False,
        )
        if done.returncode:
            last = " ".join(done.stderr.strip().splitlines()[-_LINES:]) or f"exit code {done.returncode}"
            raise CallTrouble(f"The cases cannot be run on {name}: {last}")
        found: dict[str, Json] = msgspec.json.decode(told.read_bytes())
        return found
