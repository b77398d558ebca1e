"""Where the time of one call goes: the service in this process, without sockets, under cProfile."""

from __future__ import annotations

import asyncio
import cProfile
import os
import pstats
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, redirect_stderr
from functools import cache
from itertools import count
from pathlib import Path
from tempfile import TemporaryDirectory

from starlette.types import ASGIApp, Message

from benchmarks.load import EACH, verdict
from benchmarks.payloads import PATH, Template
from benchmarks.servers import service_settings

CHUNK = 65_536
"""Bytes of a body that uvicorn hands over at once."""

WARM_UP = 20
SHOWN = 40

_numbers = count()
_template = cache(Template)


@contextmanager
def service(*, audit: bool) -> Iterator[ASGIApp]:
    """The application as the command line makes it, with an empty data folder; what it logs is thrown away."""
    with TemporaryDirectory(prefix="benchmarks-") as folder, open(os.devnull, "w") as nowhere, redirect_stderr(nowhere):
        os.environ.update(service_settings(Path(folder), audit=audit))
        from cds_hooks import logging
        from cds_hooks.app import create_app
        from cds_hooks.audit import open_store
        from cds_hooks.plugins import load_plugin
        from cds_hooks.settings import load

        settings = load()
        logging.configure()
        plugin = load_plugin(settings.plugin, settings.site("http://127.0.0.1:8000"))
        store = open_store(settings.database, settings.data_dir) if audit else None
        try:
            yield create_app(plugin, settings, store=store)
        finally:
            if store is not None:
                store.close()


async def answer(app: ASGIApp, body: bytes) -> tuple[int, bytes]:
    """Sends one call as uvicorn would, in pieces."""
    own = b"".join(_template(body).parts(next(_numbers) // EACH))
    pieces = [own[start : start + CHUNK] for start in range(0, len(own), CHUNK)][::-1]
    sent: list[Message] = []

    async def receive() -> Message:
        piece = pieces.pop()
        return {"type": "http.request", "body": piece, "more_body": bool(pieces)}

    async def send(message: Message) -> None:
        sent.append(message)

    headers = [(b"content-type", b"application/json"), (b"content-length", str(len(own)).encode())]
    scope = {"type": "http", "method": "POST", "path": PATH, "query_string": b"", "headers": headers}
    await app(scope, receive, send)
    return sent[0]["status"], b"".join(message.get("body", b"") for message in sent[1:])


async def repeat(app: ASGIApp, body: bytes, calls: int) -> list[str]:
    """Sends ``calls`` calls, one after the other, and tells what is wrong with the answers."""
    answers = [await answer(app, body) for _ in range(calls)]
    return [wrong for wrong in (verdict(*one) for one in answers) if wrong]


def run(app: ASGIApp, body: bytes, calls: int, profiler: cProfile.Profile) -> Sequence[str]:
    """Warm up, time without the profiler, then again with it (this thread only)."""
    with asyncio.Runner() as runner:
        wrong = runner.run(repeat(app, body, WARM_UP))
        before = time.process_time()
        wrong += runner.run(repeat(app, body, calls))
        used = (time.process_time() - before) / calls
        print(f"{calls} calls of {len(body):,} bytes: {used * 1000:.3f} ms of CPU per call without the profiler")
        profiler.enable()
        wrong += runner.run(repeat(app, body, calls))
        profiler.disable()
    return wrong


def profile(body: bytes, calls: int, *, audit: bool = False) -> int:
    """Prints the functions that take most time themselves; returns the exit code, 1 if an answer was wrong."""
    profiler = cProfile.Profile()
    with service(audit=audit) as app:
        wrong = run(app, body, calls, profiler)
    pstats.Stats(profiler).strip_dirs().sort_stats("tottime").print_stats(SHOWN)
    if wrong:
        print(f"FAILED: {len(wrong)} answers: {wrong[0]}")
    return 1 if wrong else 0
