"""Hands requests to the whole service in this process and says what was wrong with each answer."""

from __future__ import annotations

import asyncio
import json
import sys
import tempfile
from collections import Counter
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager
from io import BytesIO, TextIOWrapper
from pathlib import Path
from time import process_time
from typing import Any

from structlog._config import BoundLoggerLazyProxy

from cds_hooks import logging
from cds_hooks.app import create_app
from cds_hooks.audit import AuditStore, open_store
from cds_hooks.metrics import Metrics
from cds_hooks.recording import FAILED
from cds_hooks.service import Plugin, Site
from cds_hooks.settings import Settings
from cds_hooks.state import State
from plugin.services import PLUGIN
from tests.fuzz.mutations import Request
from tests.fuzz.odd import CANARY

EXPECTED = frozenset({200, 204, 400, 401, 403, 404, 405, 408, 412, 413, 415, 422, 429, 431})
LONGEST_SECONDS = 1.0
MEMORY = "/dev/shm" if Path("/dev/shm").is_dir() else None
"""A folder that is no disk: what is tried here is not how long a disk takes."""

TROUBLE = ("evaluate_errors", "internal_errors", "invalid_cards", "memory_failures")


class Driver:
    """One application with a store of its own, and what its answers were."""

    def __init__(self, app: Any, metrics: Metrics, log: BytesIO) -> None:
        self._app, self._metrics, self.log = app, metrics, log
        self.statuses: Counter[int] = Counter()
        self.slowest = 0.0

    async def wrong(self, request: Request) -> list[str]:
        """What is wrong with the answer to a request: nothing, if the service is well."""
        before = self._troubles()
        began = process_time()  # of this process alone: others may keep the machine busy
        status, headers, body, error = await self.ask(request)
        seconds = process_time() - began
        self.slowest = max(self.slowest, seconds)
        self.statuses[status] += 1
        found = [f"raised {type(error).__name__}"] if error is not None else []
        if status not in EXPECTED and not (request.cut_off and status == 0):
            found.append(f"status {status}")
        if seconds > LONGEST_SECONDS:
            found.append(f"took {seconds:.2f} s")
        if CANARY.encode() in self.log.getvalue():
            found.append("the canary is in the log")
        self.log.seek(0)
        self.log.truncate()
        found += [name for name, count in self._troubles().items() if count != before[name]]
        return found + (_wrong_body(status, headers, body, request.method) if status else [])

    def _troubles(self) -> dict[str, int]:
        counts = {name: sum(getattr(self._metrics, name).values()) for name in TROUBLE}
        # An entry that is only late says that the machine is busy; one that the store refuses is a fault.
        return counts | {"audit_failures": self._metrics.audit_failures[FAILED,]}

    async def ask(self, request: Request) -> tuple[int, dict[bytes, bytes], bytes, Exception | None]:
        """Status, headers and body of the answer, and what the application raised."""
        sent: list[Any] = []
        pieces = [{"type": "http.request", "body": one, "more_body": True} for one in request.pieces]
        pieces[-1]["more_body"] = False
        if request.cut_off:
            pieces[-1] = {"type": "http.disconnect"}
        waiting = iter(pieces)

        async def receive() -> Any:
            return next(waiting, {"type": "http.disconnect"})

        async def send(message: Any) -> None:
            sent.append(message)

        scope = {
            "type": "http",
            "asgi": {"version": "3.0"},
            "http_version": "1.1",
            "method": request.method,
            "scheme": "http",
            "path": request.path,
            "raw_path": request.path.encode(),
            "query_string": b"",
            "root_path": "",
            "headers": list(request.headers),
            "client": ("127.0.0.1", 4711),
            "server": ("127.0.0.1", 8000),
            "state": {},
        }
        error = None
        try:
            await self._app(scope, receive, send)
        except Exception as raised:
            error = raised
        start: dict[str, Any] = next((one for one in sent if one["type"] == "http.response.start"), {})
        body = b"".join(one.get("body", b"") for one in sent if one["type"] == "http.response.body")
        return start.get("status", 0), dict(start.get("headers", ())), body, error


def _wrong_body(status: int, headers: dict[bytes, bytes], body: bytes, method: str) -> list[str]:
    if b"json" not in headers.get(b"content-type", b"") or method == "HEAD":
        return []
    try:
        content = json.loads(body)
    except ValueError:
        return ["the answer is not JSON"]
    if status != 200:
        told = content.get("resourceType") == "OperationOutcome"
        return [] if told and CANARY not in body.decode() else ["no OperationOutcome, or one that repeats the call"]
    results = content.get("extension", {}).get("org.dystonia-cds", {}).get("results", ())
    if any(one.get("reason") == "internal" for one in results):
        return ["a rule failed"]
    return [] if len(content.get("cards", ())) <= 3 else ["more than three cards"]


def loaded() -> Plugin:
    """The real plugin as a site without settings has it."""
    return PLUGIN(Site())


@asynccontextmanager
async def driving(plugin: Plugin, *, audit: bool = True, **chosen: Any) -> AsyncIterator[Driver]:
    """A service with a store in a folder of its own, which is gone afterwards."""
    with tempfile.TemporaryDirectory(dir=MEMORY) as folder, _captured() as log:
        settings = Settings(**{"data_dir": Path(folder), "audit": audit} | chosen)
        store: AuditStore | None = open_store(settings.database, settings.data_dir) if audit else None
        with _kept_states() as states:
            app = create_app(plugin, settings, store=store)
        try:
            yield Driver(app, states[0].metrics, log)
        finally:
            if store is not None:
                store.close()


@contextmanager
def _kept_states() -> Iterator[list[State]]:
    """The states that applications are made with, for their counters."""
    made: list[State] = []
    original = State.__post_init__

    def keep(state: State) -> None:
        original(state)
        made.append(state)

    State.__post_init__ = keep  # type: ignore[method-assign]
    try:
        yield made
    finally:
        State.__post_init__ = original  # type: ignore[method-assign]


@contextmanager
def _captured() -> Iterator[BytesIO]:
    """What would go to standard error."""
    log, stream = BytesIO(), sys.stderr
    sys.stderr = TextIOWrapper(log, write_through=True)
    logging.configure()
    forget_loggers()
    try:
        yield log
    finally:
        sys.stderr.detach()  # type: ignore[union-attr]
        sys.stderr = stream
        logging.configure()
        forget_loggers()


def forget_loggers() -> None:
    """Has every module's logger look anew for where it writes to: each keeps what it found at its first line."""
    for module in [one for name, one in sys.modules.items() if name.startswith("cds_hooks")]:
        for held in vars(module).values():
            if isinstance(held, BoundLoggerLazyProxy):
                vars(held).pop("bind", None)


def run(coroutine: Any) -> Any:
    """Runs to its end; a hang of the service ends it with an error."""
    return asyncio.run(coroutine)
