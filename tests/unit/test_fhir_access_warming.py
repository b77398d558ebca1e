"""What a first request loads is loaded before, by asking nobody but ourselves."""

from __future__ import annotations

import asyncio
import subprocess
import sys
from collections.abc import Callable

import pytest

from cds_hooks.clients import Registry
from cds_hooks.fhir_access import FhirAccess, warming
from cds_hooks.metrics import Metrics
from cds_hooks.settings import Settings
from tests.contract.toy import toy
from tests.support.fhir_server import serving

# A request to a server, in a process that has not sent any but those of ``warm``; prints what it had to import.
FIRST = """
import asyncio, sys
from cds_hooks.addresses import Guard
from cds_hooks.fhir_access.warming import warm
from cds_hooks.outbound import Outbound

async def first():
    if {warmed}:
        await warm()
    port, before = {port}, set(sys.modules)
    outbound = Outbound(f"http://127.0.0.1:{{port}}/fhir", guard=Guard("127.0.0.1", port))
    assert (await outbound.get("Patient/p1")).status == 200
    await outbound.close()
    print(len(set(sys.modules) - before))

asyncio.run(first())
"""


def _loaded(port: int, warmed: bool) -> int:
    program = FIRST.format(port=port, warmed=warmed)
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, timeout=60, check=False)
    assert done.returncode == 0, done.stderr
    return int(done.stdout)


def test_the_first_request_loads_nothing_more() -> None:
    with serving({"resourceType": "Patient", "id": "p1"}) as server:
        port = int(server.base.rpartition(":")[2].partition("/")[0])
        assert _loaded(port, warmed=False) > 0, "nothing to warm: drop it"
        assert _loaded(port, warmed=True) == 0


def _started(*servers: str) -> bool:
    """Whether an access of these servers warms up when it is started; waits until it is done."""
    settings = Settings(fhir_servers=servers)

    async def play() -> bool:
        access = FhirAccess(settings, Registry.of(settings), toy(), Metrics())
        access.start()
        tasks = asyncio.all_tasks() - {asyncio.current_task()}
        for task in tasks:
            await task
        await access.close()
        return bool(tasks)

    return asyncio.run(play())


def test_no_registered_server_is_asked() -> None:
    with serving() as server:
        assert _started(server.base)
        assert server.asked == []


def test_nothing_is_loaded_where_nothing_can_be_fetched() -> None:
    assert not _started()


def test_where_nothing_can_listen_the_service_starts_all_the_same(monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*_: object, **__: object) -> Callable[..., None]:
        raise OSError("no sockets here")

    monkeypatch.setattr(asyncio, "start_server", refuse)
    asyncio.run(warming.warm())
