"""Runs cases on the rules of one tree. Started as a script it takes the packages from the folder it is started in.

It is run on older versions of this repository as well, so it uses little of the host and nothing of its own package.
"""

from __future__ import annotations

import asyncio
import json
import os
import sys
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from datetime import datetime
from pathlib import Path
from typing import Any

Json = dict[str, Any]

PREFIX = "DYSTONIA_CDS_"
PATIENCE_MS = 60_000
"""Time for one call: a busy machine must not change what a rule says."""


def run(cases: Mapping[str, Json], plugin: str | None = None) -> dict[str, Json]:
    """The answer to each case by its name: ``status``, ``body``, and ``before`` with the earlier answers.

    Settings are the defaults and those of the case; those of this machine do not count.
    """
    with _no_settings(), tempfile.TemporaryDirectory() as folder:
        site = _Site(Path(folder), plugin)
        return {name: site.answer(case) for name, case in cases.items()}


@contextmanager
def _no_settings() -> Iterator[None]:
    kept = {name: os.environ.pop(name) for name in list(os.environ) if name.startswith(PREFIX)}
    try:
        yield
    finally:
        os.environ.update(kept)


class _Site:
    """The host with one plugin for each set of settings that the cases ask for."""

    def __init__(self, folder: Path, plugin: str | None) -> None:
        self._folder = folder
        self._plugin = plugin
        self._made: dict[str, Any] = {}
        self._count = 0

    def answer(self, case: Json) -> Json:
        steps = [*case.get("before", ()), case]
        answers = asyncio.run(self._answers(case.get("settings", {}), steps))
        return {**answers[-1], "before": answers[:-1]}

    async def _answers(self, chosen: Json, steps: Sequence[Json]) -> list[Json]:
        """Only a case with earlier calls needs the store, which remembers them: one of its own."""
        from cds_hooks.app import create_app

        self._count += 1
        data = self._folder / f"case-{self._count}"
        settings = _settings(data, chosen, remember=len(steps) > 1)
        plugin, now = self._plugin_for(settings, chosen), _Now()
        async with _Running(create_app(plugin, settings, clock=now)) as app:
            services = {service.hook: service.id for service in plugin.services}
            return [await _step(app, services, step, now) for step in steps]

    def _plugin_for(self, settings: Any, chosen: Json) -> Any:
        from cds_hooks.plugins import load_plugin

        key = json.dumps(chosen, sort_keys=True)
        if key not in self._made:
            self._made[key] = load_plugin(self._plugin or settings.plugin, settings.site("http://127.0.0.1:8000"))
        return self._made[key]


def _settings(data: Path, chosen: Json, *, remember: bool) -> Any:
    from cds_hooks.settings import Settings

    fixed: Json = {"data_dir": data, "audit": remember, "budget_ms": PATIENCE_MS}
    return Settings(**{**chosen, **fixed})


class _Now:
    """The clock of a case: it stands still."""

    def __init__(self) -> None:
        self.moment = datetime.min

    def __call__(self) -> datetime:
        return self.moment


async def _step(app: _Running, services: Mapping[str, str], step: Json, now: _Now) -> Json:
    now.moment = datetime.fromisoformat(step["now"].replace("Z", "+00:00"))
    hook = step["call"]["hook"]
    if hook not in services:
        return {"status": 404, "body": {}}
    path = f"/cds-services/{services[hook]}"
    status, body = await app.post(path, step["call"])
    if step.get("override"):
        told = [_override(card, step["override"], step["now"]) for card in body.get("cards", ())]
        await app.post(f"{path}/feedback", {"feedback": told})
    return {"status": status, "body": body}


def _override(card: Json, reason: str, now: str) -> Json:
    return {
        "card": card["uuid"],
        "outcome": "overridden",
        "outcomeTimestamp": now,
        "overrideReason": {"reason": {"code": reason}},
    }


class _Running:
    """An ASGI application between its start and its end."""

    def __init__(self, app: Any) -> None:
        self._app = app
        self._to: asyncio.Queue[Json] = asyncio.Queue()
        self._from: asyncio.Queue[Json] = asyncio.Queue()

    async def __aenter__(self) -> _Running:
        scope = {"type": "lifespan", "asgi": {"version": "3.0"}}
        self._life = asyncio.ensure_future(self._app(scope, self._to.get, self._from.put))
        await self._to.put({"type": "lifespan.startup"})
        if (await self._from.get())["type"] != "lifespan.startup.complete":
            await self._life
        return self

    async def __aexit__(self, *_failure: object) -> None:
        await self._to.put({"type": "lifespan.shutdown"})
        await self._life

    async def post(self, path: str, content: Json) -> tuple[int, Json]:
        """The status and the JSON of an answer."""
        body, sent = json.dumps(content).encode(), list[Json]()

        async def receive() -> Json:
            return {"type": "http.request", "body": body, "more_body": False}

        async def send(message: Json) -> None:
            sent.append(message)

        headers = [(b"content-type", b"application/json"), (b"content-length", str(len(body)).encode())]
        scope = {"type": "http", "method": "POST", "path": path, "query_string": b"", "headers": headers}
        await self._app(scope, receive, send)
        text = b"".join(message.get("body", b"") for message in sent[1:])
        return sent[0]["status"], json.loads(text) if text else {}


def main(cases: str, out: str, plugin: str) -> int:
    """Run the cases of one JSON file and write their answers into another."""
    import cds_hooks

    if not Path(cds_hooks.__file__).is_relative_to(Path.cwd()):
        print(
            f"The packages were taken from {Path(cds_hooks.__file__).parent}, not from {Path.cwd()}.", file=sys.stderr
        )
        return 1
    answers = run(json.loads(Path(cases).read_bytes()), plugin or None)
    Path(out).write_text(json.dumps(answers), "utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
