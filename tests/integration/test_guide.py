"""The integrator's guide, done as it is written: its commands, files and settings, on ports of our own."""

from __future__ import annotations

import os
import re
import subprocess
import sys
import time
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from tests.support.server import environment, free_port

ROOT = Path(__file__).parents[2]
PAGE = (ROOT / "docs" / "integration.md").read_text("utf-8")
CARD = "Haloperidol + metoclopramide: two dopamine blockers (label: avoid)."


def blocks(page: str, kind: str) -> list[str]:
    """The code of one kind in the page, in order."""
    return re.findall(rf"```{kind}\n(.+?)```", page, re.DOTALL)


class Walk:
    """A folder in which the guide is followed, and the ports that stand for those of the guide."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.service, self.fhir = free_port(), free_port()
        self.page = PAGE.replace("8000", str(self.service)).replace("8090", str(self.fhir))
        self.shell = blocks(self.page, "sh")
        for name, kind, place in (("call.json", "json", 0), ("patient.json", "json", 1), ("sekmet.yaml", "yaml", 0)):
            (folder / name).write_text(blocks(self.page, kind)[place], "utf-8")
        own = {"DYSTONIA_CDS_CONFIG": "settings.toml", "DYSTONIA_CDS_DATA_DIR": "data", "DYSTONIA_CDS_AUTH": "required"}
        paths = f"{Path(sys.executable).parent}:{os.environ['PATH']}"
        self.environment = environment(folder, PATH=paths, COLUMNS="120", **own)

    def run(self, script: str) -> str:
        """What a block of commands prints, errors included."""
        command = ["bash", "-c", script]
        done = subprocess.run(
            command, cwd=self.folder, env=self.environment, capture_output=True, text=True, timeout=120, check=False
        )
        return done.stdout + done.stderr

    @contextmanager
    def beside(self, *command: str, ready: str) -> Iterator[None]:
        """A server that runs until the block ends."""
        with (self.folder / "log").open("wb") as log:
            started = [sys.executable, "-m", *command]
            process = subprocess.Popen(started, cwd=self.folder, env=self.environment, stdout=log, stderr=log)
        try:
            _wait(ready, process, self.folder / "log")
            yield
        finally:
            process.terminate()
            process.wait(20)


def _wait(url: str, process: subprocess.Popen[bytes], log: Path) -> None:
    until = time.monotonic() + 60
    while time.monotonic() < until and process.poll() is None:
        try:
            with urllib.request.urlopen(url, timeout=5):
                return
        except OSError:
            time.sleep(0.1)
    raise AssertionError(log.read_text("utf-8", "replace")[-2000:])


@pytest.fixture
def walk(tmp_path: Path) -> Walk:
    return Walk(tmp_path)


def test_an_ehr_of_our_own_and_a_fhir_server(walk: Walk) -> None:
    first, second, _, third, *_ = walk.shell
    assert first.rstrip().endswith("dystonia-cds serve")
    prepared = walk.run(first.replace("dystonia-cds serve", f"dystonia-cds doctor --offline --port {walk.service}"))
    assert "WRONG" not in prepared, prepared
    assert (walk.folder / "settings.toml").read_text("utf-8") == blocks(walk.page, "toml")[0]
    serve = ("cds_hooks.cli", "serve", "--port", str(walk.service))
    with walk.beside(*serve, ready=f"http://127.0.0.1:{walk.service}/readyz"):
        alone = walk.run(second)
        assert "Status 401" in alone
        assert "Dystonia check incomplete for haloperidol" in alone
        assert re.search(r"^eyJ[\w.-]+$", alone, re.MULTILINE)
        sekmet = ("sekmet.cli", "serve", "--config", "sekmet.yaml")
        with walk.beside(*sekmet, ready=f"http://127.0.0.1:{walk.fhir}/fhir/metadata"):
            told = " ".join(walk.run(third).replace("│", " ").split())
    assert "It does not name these searches: FamilyMemberHistory?patient." in told
    assert "WRONG" not in told
    assert CARD in told
    shown = walk.run("dystonia-cds audit show $(dystonia-cds audit list --json --limit 1 | cut -d'\"' -f4)")
    assert '"fetched": true' in shown
