"""The command ``doctor``."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Callable, Iterable
from typing import Annotated

import typer

from cds_hooks.doctor.model import Check, Ground, State

MARKS = {State.OK: "ok   ", State.WARN: "warn ", State.WRONG: "WRONG"}


def doctor(
    host: Annotated[str, typer.Option(help="The address that is to be served.")] = "127.0.0.1",
    port: Annotated[int, typer.Option(min=1, max=65535, help="The port that is to be served.")] = 8000,
    offline: Annotated[bool, typer.Option("--offline", help="Ask no other machine.")] = False,
    as_json: Annotated[bool, typer.Option("--json", help="One JSON object a line.")] = False,
) -> None:
    """Check this installation and say what is wrong and what to do. Exit code 1 if anything is wrong."""
    found = list(examine(host, port, offline=offline))
    for check in found:
        if as_json:
            print(json.dumps({"part": check.part, "state": check.state, "found": check.found, "advice": check.advice}))
        else:
            print(line(check))
    if any(check.state is State.WRONG for check in found):
        raise typer.Exit(1)


def line(check: Check) -> str:
    """A finding as a person reads it."""
    advice = f"\n      → {check.advice}" if check.advice else ""
    return f"{MARKS[check.state]} {check.part}: {check.found}{advice}"


def examine(host: str, port: int, *, offline: bool) -> Iterable[Check]:
    """Every check, those of the other side last; settings that cannot be read end it."""
    from cds_hooks.clock import utc_now
    from cds_hooks.doctor import machine, registered, setup
    from cds_hooks.doctor.model import ok, wrong
    from cds_hooks.errors import Trouble
    from cds_hooks.settings import load

    try:
        settings = load()
    except Trouble as trouble:
        yield wrong(
            "settings", str(trouble), "Correct the setting; `dystonia-cds settings` lists what may stand there."
        )
        return
    yield ok("settings", f"They can be read. Registered clients: {len(settings.clients)}.")
    ground = Ground(settings, host, port, utc_now())
    local = (
        (setup.variables, setup.exposure, setup.tls, setup.authorities, setup.store, setup.keys, setup.plugin),
        (registered.clients, registered.tokens),
        (machine.python, machine.sqlite, machine.clock, machine.disk, machine.port),
    )
    for check in (check for group in local for check in group):
        yield from _looked(check, ground)
    if not offline:
        yield from asyncio.run(_peers(ground))


def _looked(check: Callable[[Ground], Iterable[Check]], ground: Ground) -> Iterable[Check]:
    """What a check finds, or that it may not look."""
    from cds_hooks.doctor.model import wrong

    try:
        yield from check(ground)
    except OSError as error:
        yield wrong(
            check.__name__,
            f"{error.filename} cannot be looked at: {error.strerror}.",
            "Run this as the user of the service, and correct the permissions of the file and its folders.",
        )


async def _peers(ground: Ground) -> list[Check]:
    from cds_hooks.doctor import peers
    from cds_hooks.errors import Trouble
    from cds_hooks.plugins import load_plugin

    settings = ground.settings
    try:
        plugin = load_plugin(settings.plugin, settings.site(f"http://{ground.host}:{ground.port}"))
    except Trouble:
        return []  # told already
    checks = [peers.client(ground, one, plugin) for one in settings.clients]
    checks += [peers.server(ground, "setting", base, settings.fhir_networks, plugin) for base in settings.fhir_servers]
    return [check for group in await asyncio.gather(*checks) for check in group]
