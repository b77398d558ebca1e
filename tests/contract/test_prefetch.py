"""What became of each prefetch key: the toy plugin tells what it was given."""

from __future__ import annotations

from typing import Any

import pytest

from tests.contract.conftest import Running, bundle, call, facts, patient, reason, thing

ERROR = {"resourceType": "OperationOutcome", "issue": [{"severity": "error", "code": "exception"}]}
HINT = {"resourceType": "OperationOutcome", "issue": [{"severity": "information", "code": "informational"}]}
OUTCOME = {"search": {"mode": "outcome"}}
SATISFIED, NULL = "satisfied [{}] foreign=0 unreadable=", "null [] foreign=0 unreadable="
FAILED, TRUNCATED = "failed key-failed [{}] foreign=0 unreadable=", "failed truncated [{}] foreign=0 unreadable="
BAD = thing("bad", link="wrong")

NEXT = [{"relation": "next", "url": "x"}]


def warning(*codes: Any) -> dict[str, Any]:
    return {"resourceType": "OperationOutcome", "issue": [{"severity": "warning", "code": code} for code in codes]}


VALUES: list[tuple[str, Any, str]] = [
    ("a Bundle", bundle(thing("a"), thing("b")), SATISFIED.format("a,b")),
    ("a searchset", bundle(thing("a"), type="searchset", total=1), SATISFIED.format("a")),
    ("an empty Bundle", bundle(), SATISFIED.format("")),
    ("a Bundle without entry", {"resourceType": "Bundle", "total": 0}, SATISFIED.format("")),
    ("null entries", {"resourceType": "Bundle", "entry": None}, SATISFIED.format("")),
    ("a single resource", thing("a"), SATISFIED.format("a")),
    ("null", None, NULL),
    ("an empty object", {}, FAILED.format("")),
    ("an object without resourceType", {"id": "a"}, FAILED.format("")),
    ("a string", "123", FAILED.format("")),
    ("a number", 12.5, FAILED.format("")),
    ("a boolean", True, FAILED.format("")),
    ("a list", [thing("a")], FAILED.format("")),
    ("a Patient", patient(), FAILED.format("")),
    ("an OperationOutcome", ERROR, FAILED.format("")),
    ("an OperationOutcome with a hint", HINT, FAILED.format("")),
    ("an error as entry", bundle(thing("a"), {"resource": ERROR} | OUTCOME), FAILED.format("a")),
    ("an error as entry without mode", bundle(thing("a"), ERROR), FAILED.format("a")),
    ("an outcome without issues", bundle({"resource": {"resourceType": "OperationOutcome"}}), FAILED.format("")),
    ("a hint as entry", bundle(thing("a"), {"resource": HINT} | OUTCOME), SATISFIED.format("a")),
    ("a warning as entry", bundle(thing("a"), {"resource": warning("processing")} | OUTCOME), SATISFIED.format("a")),
    ("a warning that nothing was found", bundle(warning("informational"), total=0), SATISFIED.format("")),
    ("a warning without a type", bundle(thing("a"), warning(None)), SATISFIED.format("a")),
    ("a warning that something was kept back", bundle(thing("a"), warning("suppressed")), FAILED.format("a")),
    ("the same beside another", bundle(thing("a"), warning("processing", "incomplete")), FAILED.format("a")),
    ("a warning that the patient is not known", bundle(warning("not-found"), total=0), FAILED.format("")),
    ("a warning of a wrong type", bundle(thing("a"), warning(7)), FAILED.format("a") + "OperationOutcome/"),
    ("a warning on a first page", bundle(thing("a"), warning("not-supported"), link=NEXT), FAILED.format("a")),
    ("a hint on a first page", bundle(thing("a"), HINT, link=NEXT), TRUNCATED.format("a")),
    ("a failed batch answer", bundle({"response": {"status": "404 Not Found"}}), FAILED.format("") + "/"),
    ("a good batch answer", bundle({"response": {"status": "200 OK"}}), FAILED.format("") + "/"),
    ("another type only", bundle(thing("a", kind="Condition")), FAILED.format("a")),
    ("another type too", bundle(thing("m", None, "Medication"), thing("a")), SATISFIED.format("m,a")),
    ("no owner", bundle(thing("a", None)), SATISFIED.format("a")),
    ("a next link", bundle(thing("a"), link=[{"relation": "next", "url": "x"}]), TRUNCATED.format("a")),
    ("a self link", bundle(thing("a"), link=[{"relation": "self", "url": "x"}]), SATISFIED.format("a")),
    ("links of a wrong type", bundle(thing("a"), link="next"), TRUNCATED.format("a")),
    ("a larger total", bundle(thing("a"), total=2), TRUNCATED.format("a")),
    ("a larger total as text", bundle(thing("a"), total="2"), TRUNCATED.format("a")),
    ("a total beyond ten digits", bundle(thing("a"), total="12345678901"), TRUNCATED.format("a")),
    ("a total that is no whole number", bundle(thing("a"), total=1.5), TRUNCATED.format("a")),
    ("a total beyond reason", bundle(thing("a"), BAD, total=10**30), TRUNCATED.format("a") + "Observation/bad"),
    ("a smaller total", bundle(thing("a"), thing("b"), total=1), SATISFIED.format("a,b")),
    ("a strange total", bundle(thing("a"), total={"a": 1}), SATISFIED.format("a")),
    (
        "a total that the includes fill",
        bundle(thing("a"), {"resource": thing("m", None, "Medication"), "search": {"mode": "include"}}, total=2),
        TRUNCATED.format("a,m"),
    ),
    ("entry no array", {"resourceType": "Bundle", "entry": {"resource": thing("a")}}, FAILED.format("")),
    ("an entry without resource", bundle({"resource": None}, thing("a")), FAILED.format("a") + "/"),
    ("an empty entry", {"resourceType": "Bundle", "entry": [{}]}, FAILED.format("") + "/"),
    ("an address alone", {"resourceType": "Bundle", "entry": [{"fullUrl": "u"}, {}]}, FAILED.format("") + "/,/"),
    ("holes among bad links", bundle({"resource": None}, thing("a"), link="next"), FAILED.format("a") + "/"),
    ("an unreadable resource", bundle(thing("a"), BAD, thing("b")), SATISFIED.format("a,b") + "Observation/bad"),
    ("an unreadable single resource", BAD, FAILED.format("") + "Observation/bad"),
    ("an entry that is text", {"resourceType": "Bundle", "entry": ["x", {"resource": thing("a")}]}, None),
    ("a resource that is text", bundle({"resource": "x"}, thing("a")), SATISFIED.format("a") + "/"),
    ("a type that is no name", bundle(BAD | {"resourceType": "<b>"}), SATISFIED.format("") + "/bad"),
    ("numbers where names stand", bundle(thing("a") | {"id": 7}, thing("b")), SATISFIED.format("b") + "Observation/"),
]


@pytest.mark.parametrize(("value", "told"), [row[1:] for row in VALUES], ids=[row[0] for row in VALUES])
def test_the_state_of_a_key(service: Running, value: Any, told: str | None) -> None:
    answer = service.call(call("order-sign", {"patient": patient(), "things": value}))
    assert facts(answer)["things"] == (told or SATISFIED.format("a") + "/")


def test_a_key_that_was_not_sent_is_missing(service: Running) -> None:
    told = facts(service.call(call("order-sign", {})))
    assert told["patient"].startswith("missing key-missing")
    assert told["things"].startswith("missing key-missing")


def test_a_key_whose_token_the_context_lacks_was_not_asked_for(service: Running) -> None:
    assert facts(service.call(call()))["stay"].startswith("not-asked")
    told = facts(service.call(call(context={"encounterId": "e1"})))
    assert told["stay"].startswith("missing key-missing")


@pytest.mark.parametrize("prefetch", [[], "x", 7, True])
def test_a_prefetch_of_a_wrong_type_fails_every_key(service: Running, prefetch: Any) -> None:
    told = facts(service.call(call("order-sign") | {"prefetch": prefetch}))
    assert told["patient"].startswith("failed key-failed")
    assert told["things"].startswith("failed key-failed")


@pytest.mark.parametrize("body", [call("order-sign") | {"prefetch": None}, call("order-sign", {})])
def test_an_order_is_judged_without_prefetch(service: Running, body: dict[str, Any]) -> None:
    assert facts(service.call(body))["patient"].startswith("missing key-missing")
    del body["prefetch"]
    assert facts(service.call(body))["patient"].startswith("missing key-missing")


def test_a_key_that_nobody_declared_is_handed_over(service: Running) -> None:
    told = facts(service.call(call(prefetch={"patient": patient(), "own": bundle(thing("a")), "none": None})))
    assert told["own"] == SATISFIED.format("a")
    assert told["none"] == NULL


def test_a_key_that_nobody_declared_satisfies_no_other(service: Running) -> None:
    answer = service.call(call(prefetch={"own": bundle(thing("a"))}))
    assert answer.status_code == 412
    assert "None of the prefetch keys could be used" in reason(answer)


@pytest.mark.parametrize(
    ("prefetch", "status"),
    [
        ({}, 412),
        ({"things": "x"}, 412),
        ({"patient": ERROR, "things": ERROR}, 412),
        ({"things": None}, 200),
        ({"patient": None}, 200),
        ({"things": bundle()}, 200),
    ],
)
def test_a_patient_level_service_needs_one_usable_key(service: Running, prefetch: Any, status: int) -> None:
    assert service.call(call(prefetch=prefetch)).status_code == status


READS: list[tuple[str, Any, str]] = [
    ("a Bundle with it", bundle(thing("e1", kind="Encounter")), SATISFIED.format("e1")),
    ("an empty Bundle", bundle(), NULL),
    ("something else", thing("a"), FAILED.format("")),
]


@pytest.mark.parametrize(("value", "told"), [row[1:] for row in READS], ids=[row[0] for row in READS])
def test_a_key_that_asks_for_one_resource(service: Running, value: Any, told: str) -> None:
    assert facts(service.call(call(prefetch={"patient": patient(), "stay": value})))["stay"] == told


ORDERS: list[tuple[str, Any, str]] = [
    ("no type", bundle(thing("d1")), SATISFIED.format("d1")),
    ("empty", bundle(), SATISFIED.format("")),
    ("no entry", {"resourceType": "Bundle"}, SATISFIED.format("")),
    ("an entry without resource", bundle({"resource": None}, thing("d1")), SATISFIED.format("d1")),
    ("empty entries", {"resourceType": "Bundle", "entry": [{}, {"fullUrl": "u"}]}, SATISFIED.format("")),
    ("unreadable", bundle(BAD, thing("d1")), SATISFIED.format("d1") + "Observation/bad"),
]


@pytest.mark.parametrize(("value", "told"), [row[1:] for row in ORDERS], ids=[row[0] for row in ORDERS])
@pytest.mark.parametrize("hook", ["order-sign", "order-select"])
def test_drafts_are_read_leniently(service: Running, hook: str, value: Any, told: str) -> None:
    assert facts(service.call(call(hook, context={"draftOrders": value})))["draftOrders"] == told


@pytest.mark.parametrize("hook", ["order-select", "order-sign", "medication-refill", "problem-list-item-create"])
def test_every_hook_has_its_bundle(service: Running, hook: str) -> None:
    names = {"medication-refill": "medications", "problem-list-item-create": "conditions"}
    assert facts(service.call(call(hook)))[names.get(hook, "draftOrders")].startswith("satisfied")
