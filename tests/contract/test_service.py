"""The service around the calls: audit states, CORS, health, metrics, descriptions, artefacts, logs."""

from __future__ import annotations

import asyncio
import time
from typing import Any

import msgspec
import pytest

from cds_hooks.audit import Entry, Feedback, StoreError, StoreHealth
from cds_hooks.service import Answer, HookCall
from tests.contract.conftest import Running, Starter, bundle, call, patient, thing
from tests.contract.toy import CARD_UUID, card, toy

CANARY = "Xanthippe-Canary-4711"
ORIGIN = "https://ehr.example"


class SickStore:
    """An audit store that fails or hangs."""

    def __init__(self, *, hangs: bool = False, raises: bool = False) -> None:
        self.hangs, self.raises = hangs, raises

    def pseudonym(self, patient_id: str, client: str) -> str:
        return "0" * 32

    def encounter_pseudonym(self, encounter_id: str, client: str) -> str:
        return ""

    def shown(self, *_: object) -> list[object]:
        raise StoreError("the disk is gone")

    async def append(self, entry: Entry) -> bool:
        if self.raises:
            raise OSError(CANARY)
        await asyncio.sleep(60 if self.hangs else 0)
        return False

    async def append_feedback(self, rows: list[Feedback]) -> bool:
        return False

    def health(self) -> StoreHealth:
        return StoreHealth(ok=False, reason="The disk is full.", failed=1)

    def close(self) -> None:
        pass


@pytest.mark.parametrize(
    ("store", "state"),
    [(SickStore(), "failed"), (SickStore(raises=True), "failed"), (SickStore(hangs=True), "pending")],
)
def test_a_sick_store_does_not_silence_the_service(start: Starter, store: Any, state: str) -> None:
    service = start(store=store, budget_ms=10)
    began = time.monotonic()
    answer = service.call(call())
    assert (answer.status_code, answer.headers["X-Audit-State"]) == (200, state)
    assert answer.json()["cards"]
    assert time.monotonic() - began < 5
    assert f'cds_audit_failures_total{{state="{state}"}} 1.0' in service.client.get("/metrics").text
    ready = service.client.get("/readyz")
    assert (ready.status_code, ready.json()["status"]) == (200, "degraded")
    assert ready.json()["reasons"] == ["The disk is full."]


def test_audit_off_is_said_everywhere(start: Starter) -> None:
    service = start(audit=False)
    assert service.call(call()).headers["X-Audit-State"] == "off"
    ready = service.client.get("/readyz").json()
    assert ready["status"] == "degraded"
    assert ready["audit"] == {"state": "off"}
    assert "DYSTONIA_CDS_AUDIT=off" in ready["reasons"][0]


def test_the_audit_holds_what_was_answered(service: Running) -> None:
    prefetch = {"patient": patient(), "things": bundle(thing("a", "Patient/p2")), "own": "x", f"<{CANARY}>": None}
    answer = service.call(call("order-sign", prefetch))
    found = service.audited(answer)
    row = found.row
    assert (row.status, row.outcome, row.service, row.hook) == (200, "answered", "toy-order-sign", "order-sign")
    assert row.hook_instance == "6f1ff3f3-8a07-4bd9-9f3b-000000000001"
    assert msgspec.json.decode(row.cards) == answer.json()["cards"]
    assert msgspec.json.decode(row.results) == answer.json()["extension"]["org.dystonia-cds"]["results"]
    assert msgspec.json.decode(found.keys) == {
        "patient": {"state": "satisfied"},
        "things": {"state": "satisfied", "foreign": 1},
        "stay": {"state": "not-asked"},
        "own": {"state": "failed", "reason": "key-failed"},
    }
    assert msgspec.json.decode(found.subjects) == [{"reference": "Thing/1", "label": "a thing"}]
    (finding,) = row.findings
    assert (finding.rule, finding.subject, finding.label) == ("T-1", "Thing/1", "a thing")
    assert (finding.indicator, finding.suppressed, finding.shown) == ("warning", "", True)
    assert found.card_uuids == (CARD_UUID,)
    assert row.patient
    assert "p1" not in row.patient


def test_cors_is_off_by_default(service: Running) -> None:
    answer = service.call(call(), Origin=ORIGIN)
    assert not [name for name in answer.headers if name.startswith("access-control")]
    preflight = service.client.options("/cds-services/toy-patient-view", headers={"Origin": ORIGIN})
    assert preflight.status_code == 204
    assert not [name for name in preflight.headers if name.startswith("access-control")]


@pytest.mark.parametrize(
    ("method", "path", "status"),
    [
        ("GET", "/cds-services", 200),
        ("POST", "/cds-services/toy-patient-view", 400),
        ("POST", "/cds-services/unknown", 404),
        ("GET", "/cds-services/toy-patient-view", 405),
        ("POST", "/cds-services/toy-patient-view/feedback", 400),
        ("GET", "/healthz", 200),
        ("GET", "/readyz", 200),
        ("GET", "/fhir/ValueSet", 200),
        ("GET", "/nowhere", 404),
        ("GET", "/openapi.json", 200),
    ],
)
def test_cors_on_every_route(start: Starter, method: str, path: str, status: int) -> None:
    service = start(cors_origins=f"https://other.example {ORIGIN}")
    sent = {"Origin": ORIGIN, "Content-Type": "application/json"}
    answer = service.client.request(method, path, headers=sent, content=b"{}" if method == "POST" else None)
    assert answer.status_code == status
    assert answer.headers["Access-Control-Allow-Origin"] == ORIGIN
    assert answer.headers["Access-Control-Expose-Headers"] == "X-Audit-Id, X-Audit-State, Retry-After"
    assert "Origin" in answer.headers["Vary"]
    assert "Access-Control-Allow-Credentials" not in answer.headers
    stranger = service.client.request(method, path, headers=sent | {"Origin": "https://evil.example"})
    assert "Access-Control-Allow-Origin" not in stranger.headers
    assert "Origin" in stranger.headers["Vary"]


@pytest.mark.parametrize("path", ["/review", "/review/x"])
def test_no_other_page_may_read_the_review(start: Starter, path: str) -> None:
    local = "http://localhost:3000"
    service = start(cors_origins=local)
    answer = service.client.get(path, headers={"Origin": local})
    assert answer.status_code == 403
    assert answer.headers["Access-Control-Allow-Origin"] == local
    assert service.client.get("/review", headers={"Origin": service.address}).status_code == 200


def test_preflight(start: Starter) -> None:
    service = start(cors_origins=ORIGIN)
    asked = {
        "Origin": ORIGIN,
        "Access-Control-Request-Method": "POST",
        "Access-Control-Request-Headers": "authorization,content-type",
    }
    for path in ("/cds-services", "/cds-services/toy-patient-view", "/cds-services/x/feedback", "/readyz", "/nowhere"):
        answer = service.client.options(path, headers=asked)
        assert (answer.status_code, answer.content) == (204, b"")
        assert answer.headers["Access-Control-Allow-Origin"] == ORIGIN
        assert "POST" in answer.headers["Access-Control-Allow-Methods"]
        assert answer.headers["Access-Control-Allow-Headers"] == "authorization, content-type"
        stranger = service.client.options(path, headers=asked | {"Origin": "https://evil.example"})
        assert stranger.status_code == 204
        assert "Access-Control-Allow-Origin" not in stranger.headers


def test_health(service: Running) -> None:
    assert service.client.get("/healthz").json() == {"status": "ok"}
    ready = service.client.get("/readyz").json()
    assert ready["status"] == "ok"
    assert ready["plugin"] == {"name": "Toy", "version": "1"}
    assert ready["codes"] == {"toys": 3}
    assert ready["audit"]["state"] == "ok"


def test_metrics_count_calls_verdicts_and_cards(start: Starter) -> None:
    service = start()
    service.call(call())
    service.call(b"{", "patient-view")
    service.call(call(), CANARY)
    text = service.client.get("/metrics").text
    for line in (
        'cds_calls_total{service="toy-patient-view",status="200"} 1.0',
        'cds_calls_total{service="toy-patient-view",status="400"} 1.0',
        'cds_calls_total{service="unknown",status="404"} 1.0',
        'cds_call_seconds_count{service="toy-patient-view"} 2.0',
        'cds_verdicts_total{reason="",rule="T-1",status="fired"} 1.0',
        'cds_verdicts_total{reason="no-result",rule="T-2",status="not-checked"} 1.0',
        'cds_cards_total{indicator="warning"} 1.0',
        "process_resident_memory_bytes",
    ):
        assert line in text
    assert CANARY not in text


def test_the_description_names_every_route(service: Running) -> None:
    document = service.client.get("/openapi.json").json()
    assert document["openapi"] == "3.1.0"
    assert "/cds-services/{id}" in document["paths"]
    schemas = document["components"]["schemas"]
    assert schemas["Card"]["properties"]["summary"]["maxLength"] == 139
    assert {"Discovery", "CdsResponse", "OperationOutcome"} <= set(schemas)
    references = [part.partition('"')[0] for part in str(document).replace("'", '"').split("#/components/schemas/")[1:]]
    assert set(references) <= set(schemas)


def test_artefacts(service: Running) -> None:
    one = service.client.get("/fhir/ValueSet/toys")
    assert (one.status_code, one.headers["content-type"]) == (200, "application/fhir+json")
    all_of_them = service.client.get("/fhir/ValueSet").json()
    assert (all_of_them["type"], all_of_them["total"]) == ("searchset", 1)
    assert all_of_them["entry"][0]["fullUrl"] == f"{service.address}/fhir/ValueSet/toys"
    assert all_of_them["entry"][0]["resource"] == one.json()
    assert "entry" not in service.client.get("/fhir/Library").json()
    for path in ("/fhir/ValueSet/none", "/fhir/Patient", "/fhir/Patient/p1"):
        missing = service.client.get(path)
        assert (missing.status_code, missing.json()["resourceType"]) == (404, "OperationOutcome")
    assert service.client.post("/fhir/ValueSet", json={}).status_code == 405


def test_pages_are_served(service: Running) -> None:
    for path in ("/guideline", "/review", "/"):
        assert service.client.get(path).status_code == 200
    for path in ("/cds-services/", "/cds-services-toy-patient-view", "/nowhere"):
        assert service.client.get(path).status_code == 404


def test_the_try_it_page_can_be_switched_off(start: Starter) -> None:
    assert start(try_it=False).client.get("/").status_code == 404
    assert start(try_it=True).client.get("/").status_code == 200


BROWSER = "text/html,application/xhtml+xml,*/*;q=0.8"
LOST = [
    ("a person finds no page", "GET", "/nowhere", BROWSER, 404, "There is no page at this address"),
    ("a person finds the try-it page switched off", "GET", "/", BROWSER, 404, "There is no page at this address"),
    ("a person sends a form", "POST", "/guideline", BROWSER, 405, "This page can only be read"),
    ("a program finds no page", "GET", "/nowhere", "application/json", 404, "Not Found"),
    ("a program sends to a page", "POST", "/guideline", "*/*", 405, "Method Not Allowed"),
]


@pytest.mark.parametrize(("method", "path", "accept", "status", "told"), [pytest.param(*r[1:], id=r[0]) for r in LOST])
def test_where_there_is_no_page(start: Starter, method: str, path: str, accept: str, status: int, told: str) -> None:
    answer = start(try_it=False).client.request(method, path, headers={"Accept": accept})
    kind = "text/html" if accept == BROWSER else "text/plain"
    assert (answer.status_code, answer.headers["content-type"]) == (status, f"{kind}; charset=utf-8")
    assert told in answer.text
    assert "nowhere" not in answer.text
    assert set(answer.headers.get("allow", "").split(", ")) == ({"GET", "HEAD"} if status == 405 else {""})
    if accept == BROWSER:
        assert "'self'" in answer.headers["content-security-policy"]
        assert 'href="/guideline"' in answer.text
        assert 'href="/"' not in answer.text


def test_nothing_of_a_call_is_logged(start: Starter, capfd: pytest.CaptureFixture[str]) -> None:
    service = start()
    body = call("order-sign", {"patient": patient(identifier=[{"value": CANARY}])}, hookInstance=CANARY)
    service.call(body)
    service.call(body | {"hook": CANARY}, "order-sign")
    service.call(call(context={"patientId": CANARY}))
    service.call(CANARY.encode(), "order-sign")
    printed = "".join(capfd.readouterr())
    assert "audit" in printed
    assert CANARY not in printed


def test_the_deadline_starts_when_the_call_is_there(start: Starter) -> None:
    heard: list[float] = []

    def listening(heard_call: HookCall) -> Answer:
        heard.append(heard_call.deadline - time.monotonic())
        return Answer([card()])

    start(toy(listening), budget_ms=2000).call(call())
    assert 1.5 < heard[0] <= 2.0


def test_calls_at_once_do_not_mix(service: Running) -> None:
    from concurrent.futures import ThreadPoolExecutor

    bodies = [call("order-sign", {"things": bundle(thing(f"t{number}"))}) for number in range(40)]
    with ThreadPoolExecutor(8) as pool:
        answers = list(pool.map(service.call, bodies))
    for number, answer in enumerate(answers):
        assert f"[t{number}]" in answer.text
    assert len({answer.headers["X-Audit-Id"] for answer in answers}) == 40
