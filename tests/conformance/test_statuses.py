"""Every status of the contract, with its OperationOutcome, without anything of the call; strict JSON both ways."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest
from fhir.resources.R4B.operationoutcome import OperationOutcome

from cds_hooks.service import Answer, HookCall
from tests.conformance.standard import VERSIONS, empties, faults
from tests.contract.conftest import Running
from tests.contract.toy import toy
from tests.support.fhir import call, order, patient, prefetch

Json = dict[str, Any]

CANARY = "Xanthippe-Canary-4711"
SIGN = "/cds-services/dystonia-order-sign"
VIEW = "/cds-services/dystonia-patient-view"
JSON = {"Content-Type": "application/json"}
OTHERS = {"resourceType": "Patient", "id": CANARY}

# (rows, method, path, headers, body, status)
REFUSALS: list[tuple[str, str, str, dict[str, str], bytes, int]] = [
    ("L400 A1", "POST", SIGN, JSON, CANARY.encode(), 400),
    ("L400 A1", "POST", SIGN, JSON, b'{"hook": NaN}', 400),
    ("L400 A6", "POST", SIGN, JSON, b'{"hook": "order-sign", /* %s */ "x": 1}' % CANARY.encode(), 400),
    ("L400 A6", "POST", SIGN, JSON, b'{"hook": "order-sign",}', 400),
    ("L400", "POST", SIGN, JSON, json.dumps({"hook": CANARY, "hookInstance": CANARY, "context": {}}).encode(), 400),
    ("L404", "POST", f"/cds-services/{CANARY}", JSON, json.dumps(call([], {})).encode(), 404),
    ("L404", "POST", "/cds-services/dystonia-order-dispatch", JSON, b"{}", 404),
    ("L405", "GET", SIGN, {}, b"", 405),
    ("L405", "PUT", SIGN, JSON, b"{}", 405),
    ("L412", "POST", VIEW, JSON, json.dumps(call(None, {}, "patient-view", instance=CANARY)).encode(), 412),
    ("L412", "POST", VIEW, JSON, json.dumps(call(None, {"patient": OTHERS}, "patient-view")).encode(), 412),
    ("L413", "POST", SIGN, JSON, json.dumps({"x": CANARY * 300_000}).encode(), 413),
    ("L415", "POST", SIGN, {"Content-Type": "text/plain"}, json.dumps(call([order()], prefetch())).encode(), 415),
    ("L415", "POST", SIGN, {"Content-Type": "application/xml"}, b"<a/>", 415),
]


def strict(text: str) -> Any:
    """JSON as RFC 8259 has it: no NaN, no key twice."""

    def once(pairs: list[tuple[str, Any]]) -> Json:
        assert len({name for name, _ in pairs}) == len(pairs)
        return dict(pairs)

    def refuse(name: str) -> None:
        raise AssertionError(name)

    return json.loads(text, parse_constant=refuse, object_pairs_hook=once)


def valid(body: Json) -> bool:
    return [fault for version in VERSIONS for fault in faults("response", body, version)] == []


@pytest.mark.parametrize(
    ("method", "path", "headers", "body", "status"),
    [
        pytest.param(*row[1:], marks=pytest.mark.conformance(*row[0].split(), "G6", "G7", "M2"), id=f"{row[5]}-{place}")
        for place, row in enumerate(REFUSALS)
    ],
)
def test_refusals(real: Running, method: str, path: str, headers: dict[str, str], body: bytes, status: int) -> None:
    answer = real.client.request(method, path, headers=headers, content=body)
    assert answer.status_code == status
    told = strict(answer.text)
    OperationOutcome.model_validate(told)
    assert list(empties(told)) == []
    assert CANARY not in answer.text
    assert CANARY not in str(answer.headers)
    assert ("Allow" in answer.headers) == (status == 405)


@pytest.mark.conformance("L500", "G7")
def test_a_bug_of_ours_tells_nothing_of_the_call(
    start: Callable[..., Running], monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    def broken(*_: object) -> None:
        raise RuntimeError(CANARY)

    service = start()
    monkeypatch.setattr("cds_hooks.hooks.assess", broken)
    answer = service.client.post(
        "/cds-services/toy-patient-view", json=call(None, {"patient": patient()}, "patient-view")
    )
    assert answer.status_code == 500
    OperationOutcome.model_validate(strict(answer.text))
    assert CANARY not in answer.text
    assert CANARY not in "".join(capfd.readouterr())


@pytest.mark.conformance("L200", "L500")
def test_a_rule_set_that_fails_is_said_on_a_card(start: Callable[..., Running]) -> None:
    def failing(_: HookCall) -> Answer:
        raise RuntimeError(CANARY)

    service = start(toy(failing))
    answer = service.client.post(
        "/cds-services/toy-patient-view", json=call(None, {"patient": patient()}, "patient-view")
    )
    assert answer.status_code == 200
    (card,) = answer.json()["cards"]
    assert "internal error" in card["summary"]
    assert CANARY not in answer.text
    assert valid(answer.json())


@pytest.mark.conformance("L200", "M8")
def test_a_call_that_was_not_judged_is_said_on_a_valid_card(start: Callable[..., Running]) -> None:
    service = start(calls_per_second=0.01, overload="note")
    body = call(None, {"patient": patient()}, "patient-view")
    answers = [service.client.post("/cds-services/toy-patient-view", json=body) for _ in range(4)]
    assert {answer.status_code for answer in answers} == {200}
    assert all(valid(answer.json()) for answer in answers)
    (card,) = answers[-1].json()["cards"]
    assert "Do not read this as an all-clear" in card["summary"]


@pytest.mark.conformance("A1", "A6")
@pytest.mark.parametrize("path", ["/cds-services", "/healthz", "/readyz", "/openapi.json", "/schemas/request.json"])
def test_what_is_asked_for_is_strict_json(real: Running, path: str) -> None:
    answer = real.client.get(path)
    assert answer.status_code == 200
    assert "json" in answer.headers["content-type"]
    assert strict(answer.text)


@pytest.mark.conformance("A1", "A6", "L200")
def test_answers_and_feedback_are_strict_json(real: Running) -> None:
    answer = real.client.post(SIGN, json=call([order("haloperidol")], prefetch()))
    told = strict(answer.text)
    assert answer.headers["content-type"] == "application/json"
    assert told["cards"]
    feedback = real.client.post(f"{SIGN}/feedback", json={"feedback": []})
    assert feedback.headers["content-type"] == "application/json"
    assert strict(feedback.text) == {}


@pytest.mark.conformance("A7")
@pytest.mark.parametrize(
    ("method", "path", "body"),
    [
        ("GET", "/cds-services", None),
        ("POST", SIGN, call([order("haloperidol")], prefetch())),
        ("POST", SIGN, {}),
        ("POST", f"{SIGN}/feedback", {"feedback": []}),
    ],
)
def test_headers_that_protect(real: Running, method: str, path: str, body: Json | None) -> None:
    headers = real.client.request(method, path, json=body).headers
    assert headers["Cache-Control"] == "no-store"
    assert headers["X-Content-Type-Options"] == "nosniff"
    assert "frame-ancestors 'none'" in headers["Content-Security-Policy"]
    assert "Set-Cookie" not in headers


@pytest.mark.conformance("L200")
def test_a_service_answers_without_a_card(start: Callable[..., Running]) -> None:
    silent = replace(toy(lambda _: Answer()))
    answer = start(silent).client.post(
        "/cds-services/toy-patient-view", json=call(None, {"patient": patient()}, "patient-view")
    )
    assert (answer.status_code, answer.json()["cards"]) == (200, [])
