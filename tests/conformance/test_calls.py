"""Hook calls as clients send them, obedient or not: request fields, prefetched data, the contexts of the hooks."""

from __future__ import annotations

import time
from typing import Any

import pytest

from cds_hooks.request_models import CONTEXTS
from tests.conformance.golden import calls
from tests.conformance.standard import OURS
from tests.contract.conftest import Running
from tests.support.fhir import bundle, call, condition, lab, order, patient, prefetch, taking

Json = dict[str, Any]

HALOPERIDOL = order("haloperidol")
BLOCKER = taking("metoclopramide")


def fire(real: Running, body: Json, status: int = 200) -> Json:
    """Posts a call to the service of its hook and returns the body of the answer."""
    answer = real.client.post(f"/cds-services/dystonia-{body['hook']}", json=body)
    assert answer.status_code == status, answer.text
    told: Json = answer.json()
    return told


def without(body: Json, *path: str) -> Json:
    """The call without one field."""
    if len(path) == 1:
        return {name: value for name, value in body.items() if name != path[0]}
    return {**body, path[0]: without(body[path[0]], *path[1:])}


def signed(data: Json | None = None, **more: Any) -> Json:
    """An order-sign call for haloperidol in a young man."""
    return call([HALOPERIDOL], prefetch() if data is None else data, **more)


def summaries(told: Json) -> list[str]:
    return [card["summary"] for card in told["cards"]]


def verdicts(told: Json) -> dict[tuple[str, str], str]:
    """Every verdict by rule and subject, with its reason."""
    results = told["extension"][OURS]["results"]
    return {
        (one["rule"], one.get("subject", "")): f"{one['status']} {one.get('reason', '')}".strip() for one in results
    }


def reasons(told: Json) -> set[str]:
    return {one["reason"] for one in told["extension"][OURS]["results"] if "reason" in one}


def fields_of(hook: str) -> Json:
    """A whole context for any published hook."""
    every: Json = {
        "userId": "Practitioner/u1",
        "patientId": "p1",
        "encounterId": "e1",
        "selections": ["MedicationRequest/draft-1"],
        "draftOrders": bundle(HALOPERIDOL),
        "medications": bundle(HALOPERIDOL),
        "conditions": bundle(condition("49049000")),
        "dispatchedOrders": ["ServiceRequest/s1"],
        "performer": "Organization/o1",
        "fulfillmentTasks": [{"resourceType": "Task", "id": "t1"}],
        "allergyIntolerance": {"resourceType": "AllergyIntolerance", "id": "a1"},
        "medication": HALOPERIDOL,
    }
    return {name: every[name] for name in CONTEXTS[hook].model_fields}


@pytest.mark.conformance("C1", "A1", "L200")
def test_a_call_is_a_post_to_the_path_of_its_service(real: Running) -> None:
    assert summaries(fire(real, signed()))
    body = signed()
    for path in ("/cds-services/dystonia-order-sign/", "/cds-services/order-sign", "/dystonia-order-sign"):
        assert real.client.post(path, json=body).status_code in (404, 405)


# What is needed of a call, and what its refusal names.
@pytest.mark.parametrize(
    ("path", "named"),
    [
        pytest.param(("hook",), "hook:", marks=pytest.mark.conformance("C2", "L400")),
        pytest.param(("hookInstance",), "hookInstance:", marks=pytest.mark.conformance("C3", "L400")),
        pytest.param(("context",), "context:", marks=pytest.mark.conformance("C6", "L400")),
        pytest.param(("context", "patientId"), "context.patientId:", marks=pytest.mark.conformance("C6", "L400")),
        pytest.param(("context", "draftOrders"), "context.draftOrders:", marks=pytest.mark.conformance("C6", "L400")),
    ],
)
def test_what_is_missing_is_named(real: Running, path: tuple[str, ...], named: str) -> None:
    body = without(signed(), *path)
    answer = real.client.post("/cds-services/dystonia-order-sign", json=body)
    assert answer.status_code == 400
    assert answer.json()["issue"][0]["details"]["text"].startswith(named)


@pytest.mark.conformance("C2", "L400")
def test_the_hook_of_another_service_is_refused(real: Running) -> None:
    answer = real.client.post("/cds-services/dystonia-patient-view", json=signed())
    assert (answer.status_code, answer.json()["issue"][0]["code"]) == (400, "invalid")


@pytest.mark.conformance("C3")
@pytest.mark.parametrize("instance", ["0b2ae5a6-6a30-4f3c-9a54-000000000007", "urn:x:17", "a" * 255])
def test_any_instance_is_taken(real: Running, instance: str) -> None:
    assert summaries(fire(real, signed(instance=instance))) == summaries(fire(real, signed()))


@pytest.mark.conformance("C5", "C7", "E1", "D9")
def test_optional_fields_may_be_left_out(real: Running) -> None:
    bare = without(signed(), "prefetch")
    assert fire(real, bare)["cards"]
    assert fire(real, without(bare, "context", "userId"))["cards"]


TOKEN = {"access_token": "x", "token_type": "Bearer", "expires_in": 60, "scope": "patient/*.rs", "subject": "cds"}


@pytest.mark.conformance("C4", "F2")
@pytest.mark.parametrize("server", [{}, {"fhirServer": "https://ehr.example/fhir"}])
def test_a_token_changes_nothing_where_nothing_is_to_be_fetched(real: Running, server: Json) -> None:
    assert fire(real, signed(fhirAuthorization=TOKEN, **server)) == fire(real, signed())


@pytest.mark.conformance("F1")
@pytest.mark.parametrize(
    "token",
    [
        *({name: value for name, value in TOKEN.items() if name != gone} for gone in TOKEN),
        {**TOKEN, "access_token": ""},
        {**TOKEN, "expires_in": "soon"},
        {**TOKEN, "token_type": "MAC"},
        {},
        "x",
        [TOKEN],
        None,
    ],
)
def test_what_is_no_token_breaks_nothing(real: Running, token: Any) -> None:
    told = fire(real, signed(fhirAuthorization=token, fhirServer="https://ehr.example/fhir"))
    assert told == fire(real, signed())


PLACES: list[tuple[str, ...]] = [
    (),
    ("context",),
    ("prefetch", "patient"),
    ("prefetch", "conditions"),
    ("context", "draftOrders"),
]


@pytest.mark.conformance("C8", "K4", "N3")
@pytest.mark.parametrize("path", PLACES)
@pytest.mark.parametrize("name", ["extension", "x-unknown", "com.example.thing"])
@pytest.mark.parametrize("value", [{"com.example.a": {"b": [1, None]}}, None, "text", 7, [], [{"url": "x"}], True])
def test_what_is_unknown_is_ignored(real: Running, path: tuple[str, ...], name: str, value: Any) -> None:
    body = signed()
    inner = body
    for step in path:
        inner = inner[step]
    inner[name] = value
    if path == ("prefetch", "patient") and name == "extension":
        # FHIR's own extension of a resource is a list of objects with url; anything else makes that Patient strange.
        assert fire(real, body)["cards"]
    else:
        assert fire(real, body) == fire(real, signed())


@pytest.mark.conformance("C9")
def test_the_answer_comes_within_half_a_second(real: Running) -> None:
    took = []
    for _ in range(5):
        began = time.perf_counter()
        fire(real, signed())
        took.append(time.perf_counter() - began)
    assert min(took) < 0.5


@pytest.mark.conformance("C10")
def test_a_newer_shape_of_an_order_breaks_nothing(real: Running) -> None:
    draft = {**HALOPERIDOL}
    draft["medication"] = {"concept": draft.pop("medicationCodeableConcept")}
    assert fire(real, call([draft], prefetch()))["cards"]


# Keys that come, and what the answer says of the calcium that was asked for.
LOW = lab("calcium", 1.7, "mmol/L", "2d")
FAILED = {"resourceType": "OperationOutcome", "issue": [{"severity": "error", "code": "timeout"}]}
HINT = {"resourceType": "OperationOutcome", "issue": [{"severity": "information", "code": "informational"}]}
WARNING = {"resourceType": "OperationOutcome", "issue": [{"severity": "warning", "code": "processing"}]}
WITHHELD = {"resourceType": "OperationOutcome", "issue": [{"severity": "warning", "code": "suppressed"}]}
NORMAL = lab("calcium", 2.4, "mmol/L", "2d")
PAGED = {**bundle(LOW), "link": [{"relation": "next", "url": "https://ehr.example/fhir?page=2"}]}


def calcium(told: Json) -> str:
    """The verdict on low calcium."""
    return next(verdict for (rule, _), verdict in verdicts(told).items() if rule == "R-MET-01")


@pytest.mark.parametrize(
    ("observations", "verdict"),
    [
        pytest.param(bundle(LOW), "fired", marks=pytest.mark.conformance("E1"), id="sent"),
        pytest.param(bundle(), "not-checked no-result", marks=pytest.mark.conformance("E4"), id="empty"),
        pytest.param(None, "not-checked no-result", marks=pytest.mark.conformance("E4"), id="null"),
        pytest.param(..., "not-checked key-missing", marks=pytest.mark.conformance("E1", "E4", "E8"), id="left out"),
        pytest.param(FAILED, "not-checked key-failed", marks=pytest.mark.conformance("E3", "E5", "E6"), id="failed"),
        pytest.param(
            bundle(FAILED), "not-checked key-failed", marks=pytest.mark.conformance("E5", "E6"), id="failed entry"
        ),
        pytest.param(bundle(LOW, HINT), "fired", marks=pytest.mark.conformance("E6"), id="a hint"),
        pytest.param(bundle(LOW, WARNING), "fired", marks=pytest.mark.conformance("E6"), id="a warning"),
        pytest.param(
            bundle(NORMAL, WITHHELD),
            "not-checked key-failed",
            marks=pytest.mark.conformance("E6"),
            id="a part kept back",
        ),
        pytest.param("123", "not-checked key-failed", marks=pytest.mark.conformance("E11"), id="a bare string"),
        pytest.param(
            {**bundle(), "link": PAGED["link"]},
            "not-checked truncated",
            marks=pytest.mark.conformance("E7"),
            id="a first page",
        ),
    ],
)
def test_keys_are_told_apart(real: Running, observations: Any, verdict: str) -> None:
    data = prefetch() | {"observations": observations}
    data = {key: value for key, value in data.items() if value is not ...}
    assert calcium(fire(real, signed(data))) == verdict


@pytest.mark.conformance("E7")
def test_what_stands_on_a_first_page_is_used(real: Running) -> None:
    whole, paged = fire(real, signed(prefetch(LOW))), fire(real, signed(prefetch() | {"observations": PAGED}))
    assert calcium(whole) == "fired"
    assert calcium(paged) in ("fired", "not-checked truncated")


@pytest.mark.conformance("E2")
def test_what_belongs_to_someone_else_is_dropped(real: Running) -> None:
    theirs = {**LOW, "subject": {"reference": "Patient/p2"}}
    assert calcium(fire(real, signed(prefetch(theirs)))) == "not-checked other-patient"


@pytest.mark.conformance("E9", "L412", "E4")
def test_nothing_to_judge_by_is_412(real: Running) -> None:
    for data in ({}, {"patient": FAILED}, None):
        told = fire(real, call(None, data, "patient-view"), 412)
        assert (told["resourceType"], told["issue"][0]["code"]) == ("OperationOutcome", "incomplete")
    assert fire(real, call(None, {"conditions": None}, "patient-view"))["cards"] is not None


@pytest.mark.conformance("E9", "D9")
def test_order_hooks_need_no_prefetch(real: Running) -> None:
    told = fire(real, call([HALOPERIDOL], None))
    assert told["cards"]
    assert "key-missing" in reasons(told)


@pytest.mark.conformance("D9", "E1")
@pytest.mark.parametrize("gone", [*prefetch()])
def test_every_single_key_may_be_missing(real: Running, gone: str) -> None:
    assert fire(real, signed(prefetch(without=(gone,))))["cards"]


@pytest.mark.conformance("E11")
def test_a_bare_string_under_a_strange_key_changes_nothing(real: Running) -> None:
    assert fire(real, signed({**prefetch(), "user": "123"})) == fire(real, signed())


# The fields that each hook's page requires and those that it allows.
HOOKS = {
    "patient-view": ("userId patientId", "encounterId"),
    "order-select": ("userId patientId selections draftOrders", "encounterId"),
    "order-sign": ("userId patientId draftOrders", "encounterId"),
    "order-dispatch": ("patientId dispatchedOrders performer", "fulfillmentTasks"),
    "encounter-start": ("userId patientId encounterId", ""),
    "encounter-discharge": ("userId patientId encounterId", ""),
    "medication-refill": ("patientId medications", "userId encounterId"),
    "allergyintolerance-create": ("userId patientId allergyIntolerance", "encounterId"),
    "problem-list-item-create": ("userId patientId conditions", "encounterId"),
    "medication-verify": ("userId patientId medication", "encounterId"),
}
BY_HOOK = [
    pytest.param(hook, *fields, marks=pytest.mark.conformance(f"N.{hook}"), id=hook) for hook, fields in HOOKS.items()
]


@pytest.mark.parametrize(("hook", "required", "optional"), BY_HOOK)
def test_the_context_of_each_hook(hook: str, required: str, optional: str) -> None:
    schema = CONTEXTS[hook].model_json_schema()
    assert set(schema["required"]) == set(required.split())
    assert set(schema["properties"]) == {*required.split(), *optional.split()}
    CONTEXTS[hook].model_validate(fields_of(hook))


@pytest.mark.parametrize(("hook", "required", "optional"), BY_HOOK)
def test_each_hook_is_answered_or_refused(real: Running, hook: str, required: str, optional: str) -> None:
    body = {"hook": hook, "hookInstance": "i", "context": fields_of(hook), "prefetch": {"patient": patient()}}
    answer = real.client.post(f"/cds-services/dystonia-{hook}", json=body)
    served = {one["hook"] for one in real.client.get("/cds-services").json()["services"]}
    assert answer.status_code == (200 if hook in served else 404)
    least = {**body, "context": {name: fields_of(hook)[name] for name in required.split()}}
    again = real.client.post(f"/cds-services/dystonia-{hook}", json=least)
    assert again.status_code == answer.status_code
    if hook not in served:
        other = real.client.post("/cds-services/dystonia-order-sign", json=body)
        assert other.status_code == 400


@pytest.mark.conformance("N.medication-refill")
def test_refills_stand_under_a_name_of_their_own(real: Running) -> None:
    refill = call([BLOCKER], prefetch(), "medication-refill")
    assert fire(real, refill)["extension"][OURS]["results"]
    moved = {**refill, "context": {"patientId": "p1", "draftOrders": refill["context"]["medications"]}}
    assert "context.medications" in fire(real, moved, 400)["issue"][0]["details"]["text"]


@pytest.mark.conformance("N.problem-list-item-create")
def test_problems_come_in_a_bundle(real: Running) -> None:
    entered = calls()["R-DX-02/entered"]["call"]
    assert fire(real, entered)["cards"]
    (only,) = entered["context"]["conditions"]["entry"]
    single = {**entered, "context": {**entered["context"], "conditions": only["resource"]}}
    fire(real, single, 400)


@pytest.mark.conformance("N1")
def test_an_early_draft_may_lack_nearly_everything(real: Running) -> None:
    bare = {
        "resourceType": "MedicationRequest",
        "id": "draft-9",
        "status": "draft",
        "subject": {"reference": "Patient/p1"},
    }
    told = fire(real, call([bare, HALOPERIDOL], prefetch(), "order-select", selections=["MedicationRequest/draft-1"]))
    assert {subject for _, subject in verdicts(told)} <= {"MedicationRequest/draft-1", ""}
    assert told["cards"]
    assert fire(real, call([bare], prefetch(), "order-select"))["cards"] is not None


@pytest.mark.conformance("N4")
@pytest.mark.parametrize("selection", ["MedicationRequest/draft-1", "draft-1"])
def test_selections_by_reference_or_id(real: Running, selection: str) -> None:
    other = order("ondansetron", id="draft-2")
    told = fire(real, call([HALOPERIDOL, other], prefetch(), "order-select", selections=[selection]))
    assert {subject for _, subject in verdicts(told)} - {""} == {"MedicationRequest/draft-1"}


@pytest.mark.conformance("N4")
@pytest.mark.parametrize("user", ["Practitioner/u1", "PractitionerRole/r1", "u1"])
def test_users_by_reference_or_id(real: Running, user: str) -> None:
    body = signed()
    body["context"]["userId"] = user
    assert summaries(fire(real, body)) == summaries(fire(real, signed()))


@pytest.mark.conformance("N5")
@pytest.mark.parametrize("kind", ["collection", "searchset", None])
def test_a_bundle_of_any_type(real: Running, kind: str | None) -> None:
    body = signed()
    body["context"]["draftOrders"]["type"] = kind
    if kind is None:
        del body["context"]["draftOrders"]["type"]
    assert fire(real, body) == fire(real, signed())
