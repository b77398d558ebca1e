"""Servers under measurement: how they are started, what they use, how they are ended.

Errors::

    RuntimeError
    └── StartError  the server ended, or gave no good answer, before its time was up
"""

from __future__ import annotations

import os
import platform
import socket
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from http.client import HTTPConnection, HTTPException
from pathlib import Path
from typing import Any

import psutil  # type: ignore[import-untyped]

from benchmarks.load import HOST, verdict

PATIENCE = 30.0
PREFIX = "DYSTONIA_CDS_"
PLUGIN = f"{PREFIX}PLUGIN"
"""The one setting that is taken over from the caller, so that another plugin can be measured."""


class StartError(RuntimeError):
    """A server did not come up; the message holds the end of its log."""


@dataclass(frozen=True, slots=True)
class Server:
    """A running server: its process, where it listens, its first answer and how long that took from the start."""

    name: str
    process: subprocess.Popen[bytes]
    port: int
    answer: bytes
    seconds: float

    def cpu(self) -> float:
        """Seconds of processor time, user and system, of the process and its children so far."""
        return sum(map(cpu_seconds, self.tree()))

    def resident(self) -> int:
        """Bytes resident in the largest process of the tree: the worker."""
        return max(int(one.memory_info().rss) for one in self.tree())

    def tree(self) -> list[psutil.Process]:
        root = psutil.Process(self.process.pid)
        return [root, *root.children(recursive=True)]


@dataclass(frozen=True, slots=True)
class Launch:
    """How to start a server: its command, its port, its settings, and the file for what it prints."""

    name: str
    command: Sequence[str]
    port: int
    settings: Mapping[str, str]
    log: Path


def cpu_seconds(process: psutil.Process) -> float:
    if platform.system() == "Linux":
        # The POSIX clock of that process counts nanoseconds; /proc counts ticks of 10 ms, too coarse for short blocks.
        return time.clock_gettime(~process.pid << 3 | 2)
    times = process.cpu_times()
    return float(times.user + times.system)


def service_command(port: int) -> list[str]:
    return [sys.executable, "-m", "cds_hooks.cli", "serve", "--host", HOST, "--port", str(port)]


def service_settings(data: Path, *, audit: bool) -> dict[str, str]:
    """The settings of a service with a data folder of its own."""
    return {f"{PREFIX}DATA_DIR": str(data), f"{PREFIX}AUDIT": "on" if audit else "off"}


def bare_command(port: int, answer_bytes: int) -> list[str]:
    return [sys.executable, "-m", "benchmarks.bare", "--port", str(port), "--answer-bytes", str(answer_bytes)]


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind((HOST, 0))
        return int(probe.getsockname()[1])


@contextmanager
def running(launch: Launch, path: str, call: bytes) -> Iterator[Server]:
    """Starts a server and waits for its first good answer to ``call``; ends that one process at the end.

    Raises :class:`StartError` when there is none within :data:`PATIENCE` seconds.
    """
    kept = {key: value for key, value in os.environ.items() if key == PLUGIN or not key.startswith(PREFIX)}
    started = time.monotonic()
    with launch.log.open("wb") as log:
        process = subprocess.Popen(
            launch.command, env={**kept, **launch.settings}, stdin=subprocess.DEVNULL, stdout=log, stderr=log
        )
    try:
        answer = first_answer(process, launch, path, call)
        yield Server(launch.name, process, launch.port, answer, time.monotonic() - started)
    finally:
        end(process)


def first_answer(process: subprocess.Popen[bytes], launch: Launch, path: str, call: bytes) -> bytes:
    deadline = time.monotonic() + PATIENCE
    problem = "it did not listen"
    while time.monotonic() < deadline:
        if process.poll() is not None:
            problem = f"it ended with exit code {process.returncode}"
            break
        try:
            status, body = post(launch.port, path, call)
        except (OSError, HTTPException):
            time.sleep(0.005)
            continue
        if not (problem := verdict(status, body)):
            return body
        break
    raise StartError(f"{' '.join(launch.command)}: {problem}\n{tail(launch.log)}")


def post(port: int, path: str, call: bytes) -> tuple[int, bytes]:
    connection = HTTPConnection(HOST, port, timeout=10)
    try:
        connection.request("POST", path, call, {"Content-Type": "application/json"})
        response = connection.getresponse()
        return response.status, response.read()
    finally:
        connection.close()


def tail(log: Path, lines: int = 15) -> str:
    return "\n".join(log.read_text(errors="replace").splitlines()[-lines:])


def end(process: subprocess.Popen[Any]) -> None:
    """Asks the process to end, waits, and kills it only if it does not."""
    process.terminate()
    try:
        process.wait(10)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()
