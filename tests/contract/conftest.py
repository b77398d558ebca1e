"""The host with a toy plugin behind real HTTP on a free port of the loopback interface."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import httpx
import pytest
import uvicorn

from cds_hooks.app import create_app
from cds_hooks.audit import CallDetail, open_store
from cds_hooks.clock import Clock, utc_now
from cds_hooks.serve import address_of, configuration, listen
from cds_hooks.service import Plugin
from cds_hooks.settings import Settings
from tests.contract.toy import toy

Json = dict[str, Any]
PATIENT = "p1"


@dataclass
class Running:
    """A served application, its HTTP client and its audit store."""

    client: httpx.Client
    store: Any
    address: str
    server: uvicorn.Server
    thread: threading.Thread
    settings: Settings

    def call(self, body: Any, hook: str = "", **headers: str) -> httpx.Response:
        """Posts a hook call to the toy service of its hook."""
        name = hook or body["hook"]
        content = body if isinstance(body, bytes) else None
        json = None if content is not None else body
        headers = {"Content-Type": "application/json"} | headers
        return self.client.post(f"/cds-services/toy-{name}", content=content, json=json, headers=headers)

    def audited(self, answer: httpx.Response) -> CallDetail:
        found = self.store.call(answer.headers["X-Audit-Id"])
        assert found is not None
        return found

    def stop(self) -> None:
        self.client.close()
        self.server.should_exit = True
        self.thread.join(10)


@dataclass
class Starter:
    """Starts services and stops them all at the end of a test."""

    folder: Path
    running: list[Running] = field(default_factory=list)

    def __call__(
        self,
        plugin: Plugin | None = None,
        store: Any = None,
        clock: Clock = utc_now,
        others: Mapping[str, Plugin] | None = None,
        host: str = "127.0.0.1",
        files: tuple[Path, Path] | None = None,
        **settings: Any,
    ) -> Running:
        folder = self.folder / str(len(self.running))
        chosen = Settings(data_dir=folder, **settings)
        if store is None and chosen.audit:
            store = open_store(chosen.database, folder)
        listener = listen("127.0.0.1", 0)
        address = address_of("127.0.0.1", listener, "https" if files else "http")
        app = create_app(plugin or toy(), chosen, host=host, address=address, store=store, clock=clock, others=others)
        server = uvicorn.Server(configuration(app, files=files))
        thread = threading.Thread(target=server.run, kwargs={"sockets": [listener]}, daemon=True)
        thread.start()
        _wait(server)
        client = httpx.Client(base_url=address, timeout=30, trust_env=False)
        self.running.append(Running(client, store, address, server, thread, chosen))
        return self.running[-1]


def _wait(server: uvicorn.Server) -> None:
    for _ in range(500):
        if server.started:
            return
        time.sleep(0.01)
    raise AssertionError("the service did not start")


@pytest.fixture(scope="module")
def service(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Running]:
    """One service for the tests of a module."""
    starter = Starter(tmp_path_factory.mktemp("service"))
    yield starter()
    starter.running[0].stop()


UNHURRIED = {"budget_ms": 5000, "fhir_budget_ms": 3000}
"""For tests that are not about time: a busy machine may take some."""


@pytest.fixture
def start(tmp_path: Path) -> Iterator[Callable[..., Running]]:
    """Starts services with settings or a plugin of their own."""
    starter = Starter(tmp_path)
    yield starter
    for one in starter.running:
        one.stop()


def patient(id: str = PATIENT, **more: Any) -> Json:
    return {"resourceType": "Patient", "id": id, **more}


def thing(id: str = "t1", subject: Any = f"Patient/{PATIENT}", kind: str = "Observation", **more: Any) -> Json:
    """A resource; ``subject`` is a reference, a whole Reference, or None for no such element."""
    owner = {} if subject is None else {"subject": {"reference": subject} if isinstance(subject, str) else subject}
    return {"resourceType": kind, "id": id, **owner, **more}


def bundle(*resources: Json, **more: Any) -> Json:
    entries = [one if "resource" in one or "response" in one else {"resource": one} for one in resources]
    return {"resourceType": "Bundle", "entry": entries, **more}


def call(hook: str = "patient-view", prefetch: Any = None, context: Json | None = None, **more: Any) -> Json:
    """A hook call with a Patient in its prefetch, unless ``prefetch`` says otherwise."""
    orders = {"order-sign": "draftOrders", "order-select": "draftOrders", "medication-refill": "medications"}
    given = {"patientId": PATIENT, "userId": "Practitioner/u1"}
    if hook in orders:
        given[orders[hook]] = bundle(thing("d1", kind="MedicationRequest"))  # type: ignore[assignment]
    if hook == "problem-list-item-create":
        given["conditions"] = bundle(thing("c1", kind="Condition"))  # type: ignore[assignment]
    body = {"hook": hook, "hookInstance": "6f1ff3f3-8a07-4bd9-9f3b-000000000001", "context": given | (context or {})}
    filled = {"patient": patient()} if prefetch is None else prefetch
    return body | {"prefetch": filled} | more


def facts(answer: httpx.Response) -> dict[str, str]:
    """What the toy plugin says it was given, by key."""
    assert answer.status_code == 200, answer.text
    lines = answer.json()["cards"][0]["extension"]["org.dystonia-cds"]["facts"]
    return {name: rest for name, _, rest in (line["text"].partition(": ") for line in lines)}


def reason(answer: httpx.Response) -> str:
    """The text of an OperationOutcome."""
    content = answer.json()
    assert content["resourceType"] == "OperationOutcome"
    assert answer.headers["content-type"] == "application/json"
    text: str = content["issue"][0]["details"]["text"]
    assert text == content["issue"][0]["diagnostics"]
    return text
