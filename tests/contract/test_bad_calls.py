"""Calls that are none: the status, and words that name the field and never a value."""

from __future__ import annotations

import http.client
import json
import time
from collections.abc import Iterator
from typing import Any

import pytest

from tests.contract.conftest import Running, Starter, bundle, call, reason, thing

CANARY = "Xanthippe-Canary-4711"


def without(body: dict[str, Any], *path: str) -> dict[str, Any]:
    """The body without one member."""
    inner = body
    for name in path[:-1]:
        inner = inner[name]
    del inner[path[-1]]
    return body


def patient_id(value: Any) -> dict[str, Any]:
    return call(context={"patientId": value})


def orders(value: Any) -> dict[str, Any]:
    return call("order-sign", context={"draftOrders": value})


DEEP = 100_000
BODIES: list[tuple[str, bytes, str]] = [
    ("empty", b"", "not JSON"),
    ("text", b"hello", "not JSON"),
    ("cut off", b'{"hook": "patient-view"', "not JSON"),
    ("trailing comma", b'{"hook": "patient-view",}', "not JSON"),
    ("something after", b"{} {}", "not JSON"),
    ("NaN where it is skipped", b'{"unknown": NaN}', "not JSON"),
    ("NaN in prefetch", b'{"prefetch": {"a": NaN}}', "not JSON"),
    ("infinity", b'{"unknown": -Infinity}', "not JSON"),
    ("bad UTF-8 in a skipped string", b'{"unknown": "\xff"}', "not UTF-8"),
    ("bad UTF-8 in a name", b'{"hook": "\xc3\x28"}', "not UTF-8"),
    ("byte order mark", b"\xef\xbb\xbf{}", "not JSON"),
    ("lone surrogate", b'{"hook": "\\ud800"}', "not JSON"),
    ("an array", b"[]", "the body: expected an object, got array"),
    ("a string", b'"x"', "the body: expected an object, got string"),
    ("null", b"null", "the body: expected an object, got null"),
    ("arrays in a skipped place", b'{"x":' + b"[" * DEEP + b"]" * DEEP + b"}", "nested too deeply"),
    ("objects in a skipped place", b'{"x":' + b'{"a":' * DEEP + b"1" + b"}" * DEEP + b"}", "nested too deeply"),
    ("arrays in context", b'{"context":' + b"[" * DEEP + b"]" * DEEP + b"}", "nested too deeply"),
    ("objects in extension", b'{"extension":' + b'{"a":' * DEEP + b"1" + b"}" * DEEP + b"}", "nested too deeply"),
    ("arrays in prefetch", b'{"prefetch":{"a":' + b"[" * DEEP + b"]" * DEEP + b"}}", "nested too deeply"),
    ("contained", b'{"prefetch":{"a":' + b'{"contained":[' * DEEP + b"]}" * DEEP + b"}}", "nested too deeply"),
    ("unclosed", b'{"prefetch":{"a":{"x":' + b"[" * DEEP, "nested too deeply"),
]


@pytest.mark.parametrize(("body", "text"), [row[1:] for row in BODIES], ids=[row[0] for row in BODIES])
def test_what_is_no_call_gets_400(service: Running, body: bytes, text: str) -> None:
    answer = service.call(body, "patient-view")
    assert answer.status_code == 400
    assert text in reason(answer)
    assert answer.headers["X-Audit-State"] == "durable"
    assert service.call(call()).status_code == 200


VIEW, SIGN, REFILL, PROBLEM = "patient-view", "order-sign", "medication-refill", "problem-list-item-create"
TEXT = "expected a non-empty string, got"
FIELDS: list[tuple[str, str, dict[str, Any], str]] = [
    ("no hook", VIEW, without(call(), "hook"), f"hook: {TEXT} nothing"),
    ("empty hook", VIEW, call() | {"hook": ""}, f"hook: {TEXT} an empty string"),
    ("null hook", VIEW, call() | {"hook": None}, f"hook: {TEXT} null"),
    ("number for hook", VIEW, call() | {"hook": 7}, f"hook: {TEXT} number"),
    (
        "other hook",
        VIEW,
        call(SIGN),
        "the service 'toy-patient-view' answers the hook 'patient-view', got 'order-sign'",
    ),
    ("no hook's name", VIEW, call() | {"hook": f"<{CANARY}>"}, "got another hook"),
    (
        "a hook that nobody published",
        VIEW,
        call() | {"hook": "mrs-xanthippe-smith"},
        "answers the hook 'patient-view', got another hook.",
    ),
    ("a hook that others answer", VIEW, call() | {"hook": "medication-verify"}, "got 'medication-verify'"),
    ("no hookInstance", VIEW, without(call(), "hookInstance"), f"hookInstance: {TEXT} nothing"),
    ("boolean hookInstance", VIEW, call() | {"hookInstance": True}, f"hookInstance: {TEXT} boolean"),
    ("long hookInstance", VIEW, call() | {"hookInstance": CANARY * 20}, "hookInstance: expected at most 255"),
    ("NUL in hookInstance", VIEW, call() | {"hookInstance": "a\0b"}, "hookInstance: expected at most 255"),
    ("no context", VIEW, without(call(), "context"), "context: expected an object, got nothing"),
    ("null context", VIEW, call() | {"context": None}, "context: expected an object, got null"),
    ("string context", VIEW, call() | {"context": CANARY}, "context: expected an object, got string"),
    ("array context", VIEW, call() | {"context": [CANARY]}, "context: expected an object, got array"),
    ("no patientId", VIEW, without(call(), "context", "patientId"), f"context.patientId: {TEXT} nothing"),
    ("empty patientId", VIEW, patient_id(""), f"context.patientId: {TEXT} nothing"),
    ("blank patientId", VIEW, patient_id("  "), f"context.patientId: {TEXT} a string without an id"),
    ("type only", VIEW, patient_id("Patient/"), f"context.patientId: {TEXT} a string without an id"),
    ("null patientId", VIEW, patient_id(None), f"context.patientId: {TEXT} null"),
    ("number patientId", VIEW, patient_id(4711), f"context.patientId: {TEXT} number"),
    ("object patientId", VIEW, patient_id({"a": CANARY}), f"context.patientId: {TEXT} object"),
    ("NUL in patientId", VIEW, patient_id(f"{CANARY}\0"), "context.patientId: expected at most 255"),
    ("no orders", SIGN, without(call(SIGN), "context", "draftOrders"), "draftOrders: expected a Bundle, got nothing"),
    ("null orders", SIGN, orders(None), "context.draftOrders: expected a Bundle, got null"),
    ("list of orders", SIGN, orders([thing(CANARY)]), "context.draftOrders: expected a Bundle, got array"),
    ("one order", SIGN, orders(thing(CANARY)), "context.draftOrders: expected a Bundle, got another object"),
    ("no resourceType", SIGN, orders({"entry": []}), "context.draftOrders: expected a Bundle, got another object"),
    ("entry no array", SIGN, orders(bundle() | {"entry": {}}), "draftOrders: expected a Bundle, got another object"),
    ("no refills", REFILL, without(call(REFILL), "context", "medications"), "context.medications: expected a Bundle"),
    ("no problems", PROBLEM, without(call(PROBLEM), "context", "conditions"), "context.conditions: expected a Bundle"),
]


@pytest.mark.parametrize(("hook", "body", "text"), [row[1:] for row in FIELDS], ids=[row[0] for row in FIELDS])
def test_a_field_is_named_with_what_was_got(service: Running, hook: str, body: dict[str, Any], text: str) -> None:
    answer = service.call(body, hook)
    assert answer.status_code == 400
    assert text in reason(answer)
    assert CANARY not in answer.text
    assert "4711" not in answer.text


DUPLICATES = [
    ('{"patientId":"p1","patientId":"p2"}', True),
    ('{"patientId":"p1","pati\\u0065ntId":"p2"}', True),
    ('{"patientId":"p1","draftOrders":{"resourceType":"Bundle","entry":[{"resource":{"id":"a","id":"b"}}]}}', True),
    ('{ "patientId" : "p1" , "x" : [ { "a" : 1.10 , "b" : 1e5 } , { "a" : 2 } ] }', False),
    ('{"patientId":"p1","x":"say \\"patientId\\": twice","y":"\\u00e9/\\/","z":12345678.1234567890123456}', False),
]


@pytest.mark.parametrize(("context", "twice"), DUPLICATES)
def test_a_key_that_stands_twice_in_context_gets_400(service: Running, context: str, twice: bool) -> None:
    body = f'{{"hook":"patient-view","hookInstance":"i","context":{context},"prefetch":{{"patient":null}}}}'
    answer = service.call(body.encode(), VIEW)
    assert answer.status_code == (400 if twice else 200), answer.text
    assert not twice or "the same key stands twice" in reason(answer)


@pytest.mark.parametrize("number", ["1e999", "9" * 5000, "1e99999999999999999999"])
@pytest.mark.parametrize("where", ["unknown", "extension", "context", "prefetch", "resource"])
def test_numbers_beyond_reason_never_break_the_service(service: Running, number: str, where: str) -> None:
    members = {
        "unknown": f'"x":{number},"context":{{"patientId":"p1"}}',
        "extension": f'"extension":{{"pddi-configuration-items":{number}}},"context":{{"patientId":"p1"}}',
        "context": f'"context":{{"patientId":"p1","x":{number}}}',
        "prefetch": f'"context":{{"patientId":"p1"}},"prefetch":{{"things":{number}}}',
        "resource": f'"context":{{"patientId":"p1"}},"prefetch":{{"things":{{"resourceType":"X","value":{number}}}}}',
    }
    body = f'{{"hook":"order-sign","hookInstance":"i",{members[where]}}}'
    body = body.replace('"patientId":"p1"', '"patientId":"p1","draftOrders":{"resourceType":"Bundle"}')
    answer = service.call(body.encode(), SIGN)
    assert answer.status_code in (200, 400), answer.text


TRANSPORT = [
    ("GET", "/cds-services/toy-patient-view", {}, 405, "A hook call is a POST."),
    ("HEAD", "/cds-services/toy-patient-view", {}, 405, ""),
    ("PUT", "/cds-services/toy-patient-view", {}, 405, "A hook call is a POST."),
    ("POST", "/cds-services", {}, 405, "Discovery is a GET."),
    ("POST", "/cds-services/unknown", {}, 404, "There is no such service."),
    ("POST", "/cds-services/", {}, 404, "There is no such service."),
    ("POST", f"/cds-services/{CANARY}", {}, 404, "There is no such service."),
    ("GET", "/cds-services/unknown", {}, 404, "There is no such service."),
    ("POST", "/cds-services/toy-patient-view", {"Content-Type": "text/plain"}, 415, "Content-Type: expected applic"),
    ("POST", "/cds-services/toy-patient-view", {"Content-Type": ""}, 415, "Content-Type: expected application/json."),
    ("POST", "/cds-services/toy-patient-view", {"Content-Type": "application/xml"}, 415, "Content-Type: expected"),
    ("POST", "/cds-services/toy-patient-view", {"Content-Encoding": "gzip"}, 415, "Content-Encoding: expected none"),
]


@pytest.mark.parametrize(("method", "path", "headers", "status", "text"), TRANSPORT)
def test_transport(service: Running, method: str, path: str, headers: dict[str, str], status: int, text: str) -> None:
    sent = {"Content-Type": "application/json"} | headers
    answer = service.client.request(method, path, content=json.dumps(call()), headers=sent)
    assert answer.status_code == status
    assert CANARY not in answer.text
    if text:
        assert text in reason(answer)
    if status == 405:
        assert answer.headers["Allow"]


def test_a_missing_content_type_gets_415(service: Running) -> None:
    answer = service.client.post("/cds-services/toy-patient-view", content=json.dumps(call()))
    assert answer.status_code == 415


@pytest.mark.parametrize(
    "media", ["application/json", "application/json; charset=utf-8", "APPLICATION/JSON", "application/fhir+json"]
)
def test_media_types_of_json(service: Running, media: str) -> None:
    assert service.call(json.dumps(call()).encode(), VIEW, **{"Content-Type": media}).status_code == 200


def test_a_body_over_the_limit_gets_413_before_it_is_read(start: Starter) -> None:
    service = start(body_limit=10_000)
    filler = call() | {"filler": "x" * 20_000}
    answer = service.call(filler)
    assert answer.status_code == 413
    assert "larger than 10000 bytes" in reason(answer)
    assert service.call(call() | {"filler": "x" * 9_000}).status_code == 200


def test_a_body_without_length_is_cut_off_at_the_limit(start: Starter) -> None:
    service = start(body_limit=1_000_000)
    sent = 0

    def endless() -> Iterator[bytes]:
        nonlocal sent
        for _ in range(400):
            sent += 100_000
            yield b"x" * 100_000

    answer = service.client.post(
        "/cds-services/toy-patient-view", content=endless(), headers={"Content-Type": "application/json"}
    )
    assert answer.status_code == 413


@pytest.mark.parametrize(("chosen", "seconds"), [({"body_seconds": 0.3}, 0.3), ({}, 2.0)], ids=["set", "default"])
def test_a_body_that_does_not_come_gets_408(start: Starter, chosen: dict[str, float], seconds: float) -> None:
    service = start(**chosen)
    host, _, port = service.address.removeprefix("http://").partition(":")
    connection = http.client.HTTPConnection(host, int(port), timeout=10)
    connection.putrequest("POST", "/cds-services/toy-patient-view")
    connection.putheader("Content-Type", "application/json")
    connection.putheader("Content-Length", "1000")
    connection.endheaders()
    began = time.monotonic()
    connection.send(b'{"hook":')
    answer = connection.getresponse()
    assert answer.status == 408
    assert seconds - 0.05 <= time.monotonic() - began < seconds + 2
    assert json.loads(answer.read())["resourceType"] == "OperationOutcome"


def test_a_client_that_hangs_up_leaves_the_service_well(service: Running) -> None:
    host, _, port = service.address.removeprefix("http://").partition(":")
    connection = http.client.HTTPConnection(host, int(port), timeout=10)
    connection.putrequest("POST", "/cds-services/toy-patient-view")
    connection.putheader("Content-Type", "application/json")
    connection.putheader("Content-Length", "1000")
    connection.endheaders()
    connection.close()
    assert service.call(call()).status_code == 200


def test_refusals_are_audited_by_class_and_without_values(service: Running) -> None:
    found = service.audited(service.call(call() | {"hook": CANARY}, VIEW))
    assert (found.row.outcome, found.row.status, found.row.service) == ("refused", 400, "toy-patient-view")
    assert CANARY not in str(found)
    unknown = service.audited(service.call(call(), f"{CANARY}/x"))
    assert (unknown.row.status, unknown.row.service) == (404, "?")
    named = service.audited(service.call(call(), "elsewhere"))
    assert (named.row.status, named.row.service) == (404, "toy-elsewhere")


@pytest.mark.parametrize(
    ("member", "spelt"),
    [("context", "context"), ("prefetch", "prefetch"), ("context", r"\u0063ontext"), ("prefetch", r"prefet\u0063h")],
)
@pytest.mark.parametrize("order", ["{%s, %s}", "{%s,%s}"])
@pytest.mark.parametrize("last", [True, False])
def test_a_member_that_says_whose_data_it_is_stands_once(
    service: Running, member: str, spelt: str, order: str, last: bool
) -> None:
    parts = [json.dumps({"prefetch": {}} | call())[1:-1], f'"{spelt}": {{"patientId": "p2"}}']
    answer = service.call((order % tuple(parts if last else parts[::-1])).encode(), VIEW)
    assert answer.status_code == 400, answer.text
    assert reason(answer) == f"{member}: this member stands twice in the body; expected it once."


@pytest.mark.parametrize("separators", [(",", ":"), (", ", ": ")])
def test_an_element_of_a_resource_may_have_the_name_of_a_member(service: Running, separators: tuple[str, str]) -> None:
    """As those of a MedicationAdministration and a DocumentReference do."""
    patient = {"resourceType": "Patient", "id": "p1", "context": {"prefetch": "\u00e9\n"}}
    body = json.dumps(call(prefetch={"patient": patient}), separators=separators)
    assert service.call(body.encode(), VIEW).status_code == 200


def test_a_member_may_have_the_name_of_another_deeper_down(service: Running) -> None:
    whole = {"prefetch": {"patient": None}} | call(extension={"context": {"prefetch": 1}})
    assert service.call(json.dumps(whole).encode(), VIEW).status_code == 200
