"""Whose resource is it: every spelling of a reference, and what becomes of a stranger's."""

from __future__ import annotations

from typing import Any

import pytest

from tests.contract.conftest import PATIENT, Running, bundle, call, facts, patient, reason, thing

SERVER = "https://ehr.example/r4"
MRN = {"system": "urn:mrn", "value": "77"}
OTHER_MRN = {"system": "urn:mrn", "value": "78"}
ME = patient(identifier=[MRN, {"system": "urn:x"}])


def contained(*identifiers: Any, id: str = "c", kind: str = "Patient") -> dict[str, Any]:
    return {"contained": [{"resourceType": kind, "id": id, "identifier": list(identifiers)}]}


# What the reference says, more elements of the resource, whether the resource is the patient's.
SPELLINGS: list[tuple[Any, dict[str, Any], bool]] = [
    ("Patient/p1", {}, True),
    ("Patient/p1/_history/3", {}, True),
    (f"{SERVER}/Patient/p1", {}, True),
    (f"{SERVER}/Patient/p1/_history/3", {}, True),
    ("HTTPS://EHR.example/r4/Patient/p1", {}, True),
    ("urn:uuid:p1", {}, True),
    ("urn:uuid:0f4f1a3c-0000-4000-8000-00000000000a", {}, True),
    ("urn:uuid:0F4F1A3C-0000-4000-8000-00000000000A", {}, True),
    ("#c", contained(MRN), True),
    ({"identifier": MRN}, {}, True),
    ({"identifier": MRN, "type": "Patient"}, {}, True),
    ({"display": "Somebody"}, {}, True),
    ({}, {}, True),
    (None, {}, True),
    (None, {"patient": {"reference": "Patient/p1"}}, True),
    ("Patient/p1", {"patient": {"reference": "Patient/p1"}}, True),
    (None, {"beneficiary": {"reference": "Patient/p1"}}, True),
    ("Patient/p2", {}, False),
    ("Patient/p11", {}, False),
    ("Patient/P1", {}, False),
    ("Patient/p2/_history/p1", {}, False),
    ("Patient/", {}, False),
    ("p1", {}, False),
    ("Group/p1", {}, False),
    ("Group/Patient/p1", {}, False),
    ("Practitioner/p1", {}, False),
    (f"{SERVER}/Patient/p2", {}, False),
    ("https://elsewhere.example/r4/Patient/p1", {}, False),
    ("https://ehr.example/Patient/p1", {}, False),
    (f"{SERVER}/Patient/p1?x=1", {}, False),
    (f"{SERVER}/Patient/p2#Patient/p1", {}, False),
    ("urn:uuid:p2", {}, False),
    ("urn:oid:1.2.3", {}, False),
    ("#c", contained(OTHER_MRN), False),
    ("#c", contained({"value": "77"}), False),
    ("#c", contained(), False),
    ("#c", contained(MRN, id="d"), False),
    ("#c", contained(MRN, kind="Group"), False),
    ("#c", {}, False),
    ("#", {}, False),
    ({"identifier": OTHER_MRN}, {}, False),
    ({"identifier": {"value": "77"}}, {}, False),
    ({"identifier": MRN, "type": "Group"}, {}, False),
    ({"type": "Patient"}, {}, False),
    ({"type": "Group", "display": "A family"}, {}, False),
    (None, {"patient": {"reference": "Patient/p2"}}, False),
    ("Patient/p1", {"patient": {"reference": "Patient/p2"}}, False),
    (None, {"beneficiary": {"reference": "Patient/p2"}}, False),
]


@pytest.mark.parametrize(("reference", "more", "mine"), SPELLINGS)
def test_spellings(service: Running, reference: Any, more: dict[str, Any], mine: bool) -> None:
    mother = {"resource": patient(), "fullUrl": "urn:uuid:0f4f1a3c-0000-4000-8000-00000000000a"}
    prefetch = {"patient": ME, "things": bundle(thing("a", reference, **more), thing("b")), "own": bundle(mother)}
    told = facts(service.call(call("order-sign", prefetch, fhirServer=f"{SERVER}/")))["things"]
    assert told == f"satisfied [{'a,' if mine else ''}b] foreign={0 if mine else 1} unreadable="


def test_without_a_server_any_base_will_do(service: Running) -> None:
    prefetch = {"patient": ME, "things": bundle(thing("a", "https://any.example/Patient/p1"))}
    assert "[a] foreign=0" in facts(service.call(call("order-sign", prefetch)))["things"]


def test_a_single_foreign_resource_is_dropped_as_well(service: Running) -> None:
    prefetch = {"patient": ME, "things": thing("a", "Patient/p2")}
    assert "[] foreign=1" in facts(service.call(call("order-sign", prefetch)))["things"]


def test_a_foreign_patient_in_another_key_is_dropped(service: Running) -> None:
    prefetch = {"patient": ME, "things": bundle(patient("p2"), thing("a")), "mother": patient("p2")}
    told = facts(service.call(call("order-sign", prefetch)))
    assert "[a] foreign=1" in told["things"]
    assert "[] foreign=1" in told["mother"]


@pytest.mark.parametrize("given", ["p1", "Patient/p1", " p1 "])
def test_the_patient_id_may_carry_its_type(service: Running, given: str) -> None:
    body = call("order-sign", {"patient": patient(), "things": bundle(thing("a"))}, {"patientId": given})
    assert "[a] foreign=0" in facts(service.call(body))["things"]


REFUSED: list[tuple[str, dict[str, Any], str]] = [
    ("the Patient", call("patient-view", {"patient": patient("p2")}), "The Patient resource in prefetch"),
    ("the Patient at an order", call("order-sign", {"patient": patient("p2")}), "The Patient resource in prefetch"),
    ("the Patient in a Bundle", call("order-sign", {"patient": bundle(patient("p2"))}), "The Patient resource"),
    ("an unreadable Patient", call("order-sign", {"patient": patient("p2", link=7)}), "The Patient resource"),
    ("a draft", call("order-sign", context={"draftOrders": bundle(thing("d", "Patient/p2"))}), "context.draftOrders"),
    (
        "one of two drafts",
        call("order-select", context={"draftOrders": bundle(thing("c"), thing("d", "Patient/p2"))}),
        "context.draftOrders",
    ),
    (
        "a refill",
        call("medication-refill", context={"medications": bundle(thing("d", "Group/p1"))}),
        "context.medications",
    ),
]


@pytest.mark.parametrize(("body", "text"), [row[1:] for row in REFUSED], ids=[row[0] for row in REFUSED])
def test_a_stranger_refuses_the_call(service: Running, body: dict[str, Any], text: str) -> None:
    answer = service.call(body)
    assert answer.status_code == 412
    assert text in reason(answer)
    assert "p2" not in answer.text
    assert PATIENT not in reason(answer)
    found = service.audited(answer)
    assert found.row.patient
    assert found.row.detail == reason(answer)
