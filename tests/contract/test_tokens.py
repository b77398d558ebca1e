"""Calls with tokens, over HTTP: every endpoint asks for one, refuses alike, and answers each of them once."""

from __future__ import annotations

import json
import logging
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import datetime
from pathlib import Path
from typing import Any

import httpx
import pytest

from cds_hooks.audit import CallFilter
from cds_hooks.clock import utc_now
from cds_hooks.errors import Unauthorised, outcome_json
from cds_hooks.service import Answer, HookCall
from tests.contract.conftest import Running, call
from tests.contract.toy import CARD_UUID, told, toy
from tests.support.forged import forged
from tests.support.tokens import BASE, NOW, Clock, Ehr, KeyServer, key_server, public_set

SERVICE = "/cds-services/toy-order-sign"
FEEDBACK = f"{SERVICE}/feedback"
DISCOVERY = "/cds-services"
NORTH = Ehr()
BODY = json.dumps(call("order-sign")).encode()
HEARD = json.dumps(
    {"feedback": [{"card": CARD_UUID, "outcome": "accepted", "outcomeTimestamp": "2026-11-22T10:00:00Z"}]}
).encode()
REFUSED = outcome_json(Unauthorised())

Start = Callable[..., Running]


def bearer(path: str = SERVICE, ehr: Ehr = NORTH, now: datetime = NOW, **claims: Any) -> dict[str, str]:
    return {"Authorization": f"Bearer {ehr.token(BASE + path, now, **claims)}", "Content-Type": "application/json"}


def guarded(start: Start, folder: Path, *clients: Any, clock: Any = None, **settings: Any) -> Running:
    return start(
        auth="required",
        public_url=BASE,
        clients=clients or (NORTH.client(folder),),
        clock=clock or Clock(),
        **settings,
    )


def post(service: Running, headers: dict[str, str], path: str = SERVICE, body: bytes = BODY) -> httpx.Response:
    return service.client.post(path, content=body, headers=headers)


def samples(service: Running, name: str) -> dict[str, float]:
    """A metric by the values of its labels."""
    lines = service.client.get("/metrics").text.splitlines()
    found = (line.rpartition(" ") for line in lines if line.startswith(f"{name}_total{{"))
    return {",".join(part.split('"')[1::2]) if (part := head) else "": float(value) for head, _, value in found}


@pytest.mark.conformance("J1", "J2", "J5", "J9")
def test_every_endpoint_asks_for_a_token(start: Start, tmp_path: Path) -> None:
    service = guarded(start, tmp_path)
    asked = [("GET", DISCOVERY, b""), ("POST", SERVICE, BODY), ("POST", FEEDBACK, HEARD)]
    for method, path, body in asked:
        bare = {"Content-Type": "application/json"}
        answer = service.client.request(method, path, content=body, headers=bare)
        assert (answer.status_code, answer.content) == (401, REFUSED)
        assert answer.headers["www-authenticate"] == "Bearer"
        assert service.client.request(method, path, content=body, headers=bearer(path)).status_code == 200
    for method, path in (("GET", SERVICE), ("POST", DISCOVERY), ("POST", f"{DISCOVERY}/no-such"), ("HEAD", DISCOVERY)):
        assert service.client.request(method, path).status_code == 401
    assert service.client.options(SERVICE).status_code == 204
    assert service.client.get("/healthz").status_code == 200


@pytest.mark.conformance("J6", "J8", "J11")
def test_all_refusals_are_the_same_and_nobody_is_asked(start: Start, tmp_path: Path) -> None:
    with key_server(public_set([NORTH.key])) as keys, key_server(public_set([Ehr("stranger").key])) as canary:
        ehr = Ehr(jku=keys.url)
        service = guarded(start, tmp_path, ehr.client(tmp_path), queue_limit=1000)
        kinds, heads = 0, set()
        for name, headers in forged(ehr, canary.url):
            sent = [("Authorization", one) for one in headers]
            try:
                answer = service.client.post(
                    SERVICE, content=BODY, headers=[*sent, ("Content-Type", "application/json")]
                )
            except (httpx.LocalProtocolError, UnicodeEncodeError):
                continue  # HTTP has no way to send this one
            if answer.status_code == 400 and not answer.headers.get("x-audit-id"):
                continue  # refused by the HTTP parser, before us
            kinds += 1
            assert (name, answer.status_code, answer.content) == (name, 401, REFUSED)
            heads.add(tuple(pair for pair in answer.headers.items() if pair[0] not in ("date", "x-audit-id")))
        assert len(heads) == 1
        assert kinds > 250
        assert (keys.asked, canary.asked) == (1, 0)
        assert service.client.post(SERVICE, content=BODY, headers=bearer()).status_code == 200


def test_what_the_audit_notes_of_a_refusal(start: Start, tmp_path: Path) -> None:
    service = guarded(start, tmp_path)
    cases = [
        ({}, "", "Token refused: no-token."),
        (bearer(iss="https://nobody.example"), "", "Token refused: unknown-issuer."),
        (bearer(exp=1), "north", "Token refused: lifetime, key "),
    ]
    for headers, client, detail in cases:
        row = service.audited(post(service, headers)).row
        assert (row.status, row.outcome, row.client, row.hook_instance) == (401, "refused", client, "")
        assert row.detail.startswith(detail)
        assert NORTH.key["kid"] not in row.detail
    assert service.audited(service.client.get(DISCOVERY)).row.detail == "Discovery: Token refused: no-token."
    answer = post(service, {"Content-Type": "application/json"}, FEEDBACK, HEARD)
    assert service.audited(answer).row.detail == "Feedback: Token refused: no-token."
    assert samples(service, "cds_tokens") == {
        "unknown,no-token": 3.0,
        "unknown,unknown-issuer": 1.0,
        "north,lifetime": 1.0,
    }


@pytest.mark.conformance("J5")
@pytest.mark.parametrize(
    "spoof",
    [
        {"Host": "evil.example"},
        {"X-Forwarded-Host": "evil.example"},
        {"X-Forwarded-Host": "evil.example", "X-Forwarded-Proto": "https", "X-Forwarded-For": "127.0.0.1"},
        {"Forwarded": "host=evil.example;proto=https"},
        {"X-Forwarded-Prefix": "/evil", "X-Original-URL": "/cds-services/toy-patient-view"},
    ],
)
def test_the_audience_is_never_taken_from_the_call(start: Start, tmp_path: Path, spoof: dict[str, str]) -> None:
    service = guarded(start, tmp_path)
    hosts = ("https://evil.example", "http://evil.example", "https://evil.example/evil", service.address)
    for base in hosts:
        headers = {"Authorization": f"Bearer {NORTH.token(base + SERVICE)}", "Content-Type": "application/json"}
        assert post(service, headers | spoof).status_code == 401
    assert post(service, bearer() | spoof).status_code == 200


def test_without_a_public_url_the_address_served_counts(start: Start, tmp_path: Path) -> None:
    service = start(auth="required", clients=(NORTH.client(tmp_path),))
    token = NORTH.token(service.address + SERVICE, utc_now())
    assert post(service, {"Authorization": f"Bearer {token}"} | {"Content-Type": "application/json"}).status_code == 200
    assert post(service, bearer(now=utc_now())).status_code == 401


class Counted:
    """Evaluates as the toy does, after a while, and counts how often."""

    def __init__(self, seconds: float = 0.0) -> None:
        self.seconds = seconds
        self.times = 0

    def __call__(self, asked: HookCall) -> Answer:
        self.times += 1
        time.sleep(self.seconds)
        return told(asked)


@pytest.mark.conformance("J10")
def test_200_parallel_replays_are_one_evaluation(start: Start, tmp_path: Path) -> None:
    counted = Counted(0.2)
    service = guarded(start, tmp_path, plugin=toy(counted), budget_ms=5000, queue_limit=500)
    headers = bearer()
    with ThreadPoolExecutor(50) as crowd:
        answers = list(crowd.map(lambda _: post(service, headers), range(200)))
    assert {answer.status_code for answer in answers} == {200}
    assert len({answer.content for answer in answers}) == 1
    assert counted.times == 1
    rows = service.store.calls(CallFilter(limit=500))
    assert sorted({row.outcome for row in rows}) == ["answered", "re-sent"]
    first = next(row for row in rows if row.outcome == "answered")
    assert first.card_count == 1
    again = [row for row in rows if row.outcome == "re-sent"]
    assert {(row.detail, row.card_count, row.results) for row in again} == {
        (f"Re-sent: the answer of {first.id}.", 0, b"[]")
    }
    assert samples(service, "cds_tokens") == {"north,accepted": 1.0, "north,re-sent": 199.0}


def test_a_token_used_for_another_call_is_refused_and_told(
    start: Start, tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    service = guarded(start, tmp_path)
    headers = bearer()
    assert post(service, headers).status_code == 200
    answer = post(service, headers, body=BODY + b" ")
    assert (answer.status_code, answer.content) == (401, REFUSED)
    row = service.audited(answer).row
    assert (row.client, row.detail) == ("north", "Token refused: replayed.")
    assert samples(service, "cds_tokens")["north,replayed"] == 1.0
    written = capfd.readouterr()
    assert "token-replayed" in written.out + written.err


def test_a_minute_later_the_answer_is_gone(start: Start, tmp_path: Path) -> None:
    clock, counted = Clock(), Counted()
    service = guarded(start, tmp_path, clock=clock, plugin=toy(counted))
    headers = bearer()
    first = post(service, headers)
    clock.move(60)
    assert post(service, headers).content == first.content
    clock.move(1)
    assert post(service, headers).status_code == 401
    assert counted.times == 1


def test_a_refusal_is_sent_again_as_it_was(start: Start, tmp_path: Path) -> None:
    service = guarded(start, tmp_path)
    other = json.dumps(call("order-sign", {"patient": {"resourceType": "Patient", "id": "p2"}})).encode()
    for body, status in ((b"{}", 400), (b"no json", 400), (other, 412)):
        headers = bearer()
        first, again = post(service, headers, body=body), post(service, headers, body=body)
        assert (first.status_code, again.status_code) == (status, status)
        assert first.content == again.content
        row = service.audited(again).row
        assert (row.outcome, row.status) == ("re-sent", status)
        assert row.detail == f"Re-sent: the answer of {first.headers['x-audit-id']}."


def test_a_call_that_failed_may_be_tried_again(start: Start, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    service = guarded(start, tmp_path)
    headers = bearer()
    with monkeypatch.context() as broken:
        broken.setattr("cds_hooks.hooks.check", lambda *_: 1 / 0)
        assert post(service, headers).status_code == 500
    assert post(service, headers).json()["cards"][0]["summary"] == "A toy"


def test_feedback_is_kept_once(start: Start, tmp_path: Path) -> None:
    service = guarded(start, tmp_path)
    shown = post(service, bearer())
    headers = bearer(FEEDBACK)
    answers = [post(service, headers, FEEDBACK, HEARD) for _ in range(3)]
    assert [(answer.status_code, answer.content) for answer in answers] == [(200, b"{}")] * 3
    assert len(service.audited(shown).feedback) == 1
    assert (
        service.audited(answers[1]).row.detail
        == f"Feedback: Re-sent: the answer of {answers[0].headers['x-audit-id']}."
    )
    assert post(service, headers, FEEDBACK, HEARD + b" ").status_code == 401
    assert post(service, headers, SERVICE, HEARD).status_code == 401


def test_discovery_may_be_asked_again_for_a_minute(start: Start, tmp_path: Path) -> None:
    clock = Clock()
    service = guarded(start, tmp_path, clock=clock)
    headers = bearer(DISCOVERY)
    for _ in range(3):
        assert service.client.get(DISCOVERY, headers=headers).json()["services"]
    clock.move(61)
    assert service.client.get(DISCOVERY, headers=headers).status_code == 401


def test_keys_that_cannot_be_fetched_degrade_the_service_and_do_not_stop_it(start: Start, tmp_path: Path) -> None:
    down = Ehr("down", "https://down.example")
    lost = {"name": "down", "issuer": down.issuer, "jwks_urls": ["http://127.0.0.1:9/keys.json"]}
    service = guarded(start, tmp_path, NORTH.client(tmp_path), lost)
    ready = service.client.get("/readyz")
    assert ready.status_code == 200
    assert ready.json()["reasons"] == ["The keys of the client down cannot be fetched (unreachable); none are known."]
    assert post(service, bearer()).status_code == 200
    assert post(service, bearer(ehr=down)).status_code == 401
    assert samples(service, "cds_key_fetches") == {"down,unreachable": 1.0}


def test_a_file_of_tokens_that_is_no_file_degrades_the_service(start: Start, tmp_path: Path) -> None:
    (tmp_path / "0").mkdir()
    (tmp_path / "0" / "tokens.db").write_bytes(b"no database " * 1000)
    service = guarded(start, tmp_path)
    (reason,) = service.client.get("/readyz").json()["reasons"]
    assert reason.startswith("The file of used tokens")
    headers = bearer()
    first, again = post(service, headers), post(service, headers)
    assert (first.status_code, again.content) == (200, first.content)
    assert post(service, headers, body=BODY + b" ").status_code == 401


@pytest.fixture
def published() -> Iterator[KeyServer]:
    with key_server(public_set([NORTH.key])) as server:
        yield server


def test_keys_come_from_the_address_alone(start: Start, published: KeyServer) -> None:
    client = {"name": "north", "issuer": NORTH.issuer, "jwks_urls": [published.url]}
    service = start(auth="required", public_url=BASE, clients=[client], clock=Clock())
    ehr = Ehr(jku=published.url)
    for number in range(1000):
        assert post(service, bearer(ehr=ehr) | _unknown_key(ehr, number)).status_code == 401
    assert post(service, bearer(ehr=ehr)).status_code == 200
    assert published.asked == 1


def _unknown_key(ehr: Ehr, number: int) -> dict[str, str]:
    return {"Authorization": f"Bearer {ehr.token(header={'kid': f'unknown-{number}'})}"}


@pytest.mark.conformance("J11")
def test_no_token_is_in_a_log_a_metric_or_a_file(
    start: Start, tmp_path: Path, capfd: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    seen: list[str] = []

    class Everything(logging.Handler):
        def emit(self, record: logging.LogRecord) -> None:
            seen.append(f"{record.getMessage()} {record.args} {record.exc_info}")

    root = logging.getLogger()
    monkeypatch.setattr(root, "level", logging.DEBUG)
    handler = Everything()
    root.addHandler(handler)
    try:
        service = guarded(start, tmp_path)
        good, bad = NORTH.token(jti="canary-jti"), NORTH.token(exp=1, jti="canary-jti")
        sent = [good, good, bad, good[:-4], f"{good}.x", "canary-token"]
        for token in sent:
            post(service, {"Authorization": f"Bearer {token}", "Content-Type": "application/json"})
        post(service, {"Authorization": f"Bearer {good}", "Content-Type": "application/json"}, body=b"{}")
        with monkeypatch.context() as broken:
            broken.setattr("cds_hooks.hooks.check", lambda *_: 1 / 0)
            post(service, bearer(jti="canary-broken"))
        metrics = service.client.get("/metrics").text
        service.stop()
    finally:
        root.removeHandler(handler)
    written = capfd.readouterr()
    # The client's own library is not the service.
    mine = [line for line in seen if "send_request_headers" not in line]
    files = [path.read_bytes() for path in tmp_path.rglob("*") if path.is_file() and "jwks" not in path.name]
    everything = "\n".join([*mine, written.out, written.err, metrics]).encode() + b"".join(files)
    for one in ("canary-jti", "canary-token", "canary-broken", *(part for part in good.split(".")), NORTH.key["kid"]):
        assert one.encode() not in everything, one
    assert "token-refused" in written.out + written.err
