"""The real service as its own process, for tests that talk to it as a client would."""

from __future__ import annotations

import json
import os
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any


@dataclass
class Answer:
    """Status, headers (lower case) and decoded body of one answer."""

    status: int
    headers: dict[str, str]
    body: Any

    @property
    def audit_id(self) -> str:
        """The id of the audit entry."""
        return self.headers["x-audit-id"]


@dataclass
class Service:
    """A running service: its address, its data folder and its process id."""

    url: str
    folder: Path
    process: int = 0

    def ask(self, path: str, body: Any = None, **headers: str) -> Answer:
        """GET without a body, else POST it as JSON (bytes go out as they are)."""
        raw = body if isinstance(body, bytes) or body is None else json.dumps(body).encode()
        sent = {"Content-Type": "application/json", **headers} if raw is not None else headers
        request = urllib.request.Request(self.url + path, raw, sent)
        try:
            with urllib.request.urlopen(request, timeout=30) as response:
                return _answer(response)
        except urllib.error.HTTPError as error:
            with error:
                return _answer(error)

    def fire(self, call: dict[str, Any]) -> Answer:
        """Posts a hook call to the service of its hook."""
        return self.ask(f"/cds-services/dystonia-{call['hook']}", call)

    def command(self, *arguments: str, **settings: str) -> str:
        """Runs dystonia-cds against the same data folder and returns what it prints."""
        done = subprocess.run(
            [sys.executable, "-m", "cds_hooks.cli", *arguments],
            env=environment(self.folder, **settings),
            capture_output=True,
            text=True,
            timeout=60,
            check=False,
        )
        assert done.returncode == 0, done.stdout + done.stderr
        return done.stdout


def _answer(response: Any) -> Answer:
    text = response.read()
    headers = {name.lower(): value for name, value in response.headers.items()}
    is_json = "json" in headers.get("content-type", "")
    return Answer(response.status, headers, json.loads(text) if is_json and text else text)


def environment(folder: Path, **more: str) -> dict[str, str]:
    """The environment of the service: the caller's without settings of ours, and a data folder of its own."""
    clean = {name: value for name, value in os.environ.items() if not name.startswith("DYSTONIA_CDS_")}
    plugin = {"DYSTONIA_CDS_PLUGIN": "plugin.services:PLUGIN", "DYSTONIA_CDS_DATA_DIR": str(folder)}
    return {**clean, **plugin, "PYTHONPATH": str(Path(__file__).parents[2]), **more}


def free_port() -> int:
    """A port of the loopback interface that nobody listens on."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


COMMAND = ("-m", "cds_hooks.cli")


@contextmanager
def running(folder: Path, port: int = 0, command: tuple[str, ...] = COMMAND, **settings: str) -> Iterator[Service]:
    """Starts ``dystonia-cds serve``, on any port unless one is given, and ends it by its own process id."""
    port = port or free_port()
    log = folder / "serve.log"
    with log.open("wb") as output:
        process = subprocess.Popen(
            [sys.executable, *command, "serve", "--host", "127.0.0.1", "--port", str(port)],
            env=environment(folder, **settings),
            stdout=output,
            stderr=output,
        )
        service = Service(f"http://127.0.0.1:{port}", folder, process.pid)
        try:
            _wait(service, process, log)
            yield service
        finally:
            process.terminate()
            process.wait(20)


def _wait(service: Service, process: subprocess.Popen[bytes], log: Path) -> None:
    until = time.monotonic() + 60
    while time.monotonic() < until and process.poll() is None:
        try:
            if service.ask("/readyz").status == 200:
                return
        except OSError:
            time.sleep(0.05)
    raise AssertionError(f"The service did not start:\n{log.read_text('utf-8', 'replace')[-3000:]}")
