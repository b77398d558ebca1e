"""The real process over HTTP: every sample call, its cards, its audit row, its feedback."""

from __future__ import annotations

import json
import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from uuid import uuid4

import pytest

from tests.clients.shapes import SHAPES
from tests.support.fhir import NOW, call, order, prefetch
from tests.support.server import Answer, Service, running
from tests.support.stories import EXPECTED

Json = dict[str, Any]
SAMPLES = os.environ.get("SAMPLES_DIR", "")
NEEDS_SAMPLES = pytest.mark.skipif(
    not SAMPLES, reason="Set SAMPLES_DIR to a folder of sample patients and client requests to run this."
)


@pytest.fixture(scope="module")
def service(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Service]:
    with running(tmp_path_factory.mktemp("service")) as started:
        yield started


def leading(answer: Answer) -> list[tuple[str, str]]:
    return [(card["indicator"], card["source"]["topic"]["code"]) for card in answer.body["cards"]]


def story_call(service: Service, patient_id: str) -> Json:
    """The call that the try-it page sends for a sample patient."""
    told = service.ask("/try-it/data").body
    sample = next(one for one in told["patients"] if one["id"] == patient_id)
    wanted = next(one for one in told["services"] if one["hook"] == sample["hook"])
    data = service.ask(f"/try-it/patients/{patient_id}").body
    context: Json = {"userId": "Practitioner/example", "patientId": data["patient"]["id"], "encounterId": "visit"}
    for field in wanted["bundles"]:
        item = next(one for one in told["items"][field] if one["id"] == sample["items"][field][0])
        own = {**item["resource"], "id": "draft-1", "subject": {"reference": f"Patient/{patient_id}"}}
        if own["resourceType"] == "MedicationRequest":
            own |= {"status": "draft", "intent": "order"}
        context[field] = {"resourceType": "Bundle", "type": "collection", "entry": [{"resource": own}]}
    if sample["hook"] == "order-select":
        context["selections"] = ["MedicationRequest/draft-1"]
    sent = {key: data[key] for key in wanted["prefetch"] if key in data}
    return {"hook": sample["hook"], "hookInstance": str(uuid4()), "context": context, "prefetch": sent}


@pytest.mark.parametrize("patient_id", EXPECTED)
def test_each_sample_patient_shows_what_its_story_says(service: Service, patient_id: str) -> None:
    answer = service.fire(story_call(service, patient_id))
    expected = EXPECTED[patient_id]
    assert answer.status == 200
    assert leading(answer) == ([expected] if expected else [])
    assert answer.headers["x-audit-state"] == "durable"


def test_every_sample_patient_has_a_story_here(service: Service) -> None:
    assert {one["id"] for one in service.ask("/try-it/data").body["patients"]} == set(EXPECTED)


@pytest.mark.parametrize("name", SHAPES)
def test_each_client_shape_is_understood(service: Service, name: str) -> None:
    asked, rule = SHAPES[name]
    answer = service.fire(asked)
    assert answer.status == 200, answer.body
    # A dialect may respell the topic's code; the extension names the rule as it is.
    rules = [card["extension"]["org.dystonia-cds"]["rules"][0]["id"] for card in answer.body["cards"]]
    assert rules == ([rule] if rule else [])


def test_discovery_lists_one_service_per_hook_inside_the_query_subset(service: Service) -> None:
    services = service.ask("/cds-services").body["services"]
    assert {one["id"]: one["hook"] for one in services} == {
        "dystonia-order-select": "order-select",
        "dystonia-order-sign": "order-sign",
        "dystonia-patient-view": "patient-view",
        "dystonia-encounter-start": "encounter-start",
        "dystonia-medication-refill": "medication-refill",
        "dystonia-problem-list-item-create": "problem-list-item-create",
    }
    for one in services:
        assert one["description"]
        assert one["title"]
        assert one["usageRequirements"]
        for template in one["prefetch"].values():
            query = template.partition("?")[2]
            names = [part.split("=")[0] for part in query.split("&") if part]
            assert len(names) == len(set(names)), template
            assert set(names) <= {"patient", "code", "_sort", "_count"}, template


def test_the_audit_holds_every_answer_as_it_went_out(service: Service) -> None:
    fired = [service.fire(asked) for asked, _ in SHAPES.values()]
    refused = service.ask("/cds-services/dystonia-order-sign", b"{")
    rows = {
        row["id"]: row
        for row in map(json.loads, service.command("audit", "list", "--json", "--limit", "500").splitlines())
    }
    for answer, (asked, _) in zip(fired, SHAPES.values(), strict=True):
        row = rows[answer.audit_id]
        assert set(row) == {"id", "time", "client", "service", "hook", "hookInstance", "cards", "results"}
        assert row["hook"] == asked["hook"]
        assert row["hookInstance"] == asked["hookInstance"]
        assert row["cards"] == answer.body["cards"]
        assert row["results"] == answer.body["extension"]["org.dystonia-cds"]["results"]
    assert refused.status == 400
    assert rows[refused.audit_id]["cards"] == []


def test_feedback_of_every_kind_is_kept(service: Service) -> None:
    answer = service.fire(call([order(route="IM")], prefetch(), instance=str(uuid4())))
    card = answer.body["cards"][0]
    reason = card["overrideReasons"][0]
    stamp = NOW.isoformat()
    accepted = {
        "card": card["uuid"],
        "outcome": "accepted",
        "outcomeTimestamp": stamp,
        "acceptedSuggestions": [{"id": card["suggestions"][0]["uuid"]}],
    }
    overridden = {
        "card": card["uuid"],
        "outcome": "overridden",
        "outcomeTimestamp": stamp,
        "overrideReason": {"reason": reason, "userComment": "seen"},
    }
    plain = {"card": card["uuid"], "outcome": "overridden", "outcomeTimestamp": stamp}
    unknown = {"card": str(uuid4()), "outcome": "overridden", "outcomeTimestamp": stamp}
    path = "/cds-services/dystonia-order-sign/feedback"
    for sent in ([accepted], [overridden, plain], [overridden], [unknown]):
        told = service.ask(path, {"feedback": sent})
        assert (told.status, told.body) == (200, {})
    assert service.ask(path, {"feedback": [{"card": card["uuid"]}]}).status == 400
    shown = json.loads(service.command("audit", "show", answer.audit_id, "--json"))
    kept = [(entry["outcome"], (entry.get("overrideReason") or {}).get("code")) for entry in shown["feedback"]]
    assert sorted(kept, key=str) == sorted(
        [("accepted", None), ("overridden", reason["code"]), ("overridden", None), ("overridden", reason["code"])],
        key=str,
    )


def test_pages_and_probes_answer(service: Service) -> None:
    for path in (
        "/",
        "/guideline",
        "/guideline/R-DRUG-01",
        "/guideline/R-DQ-08",
        "/review",
        "/healthz",
        "/metrics",
        "/openapi.json",
        "/fhir/ValueSet",
        "/fhir/ValueSet/dopamine-antagonists",
    ):
        assert service.ask(path).status == 200, path
    assert service.ask("/readyz").body["status"] == "ok"
    assert service.ask("/guideline/R-NONE-99").status == 404


def test_every_link_of_a_card_to_this_service_leads_somewhere(service: Service) -> None:
    answer = service.fire(story_call(service, "berta-sampler"))
    own = [
        link["url"] for card in answer.body["cards"] for link in card["links"] if link["url"].startswith(service.url)
    ]
    assert own
    for url in own:
        assert service.ask(url.removeprefix(service.url)).status == 200


@NEEDS_SAMPLES
@pytest.mark.parametrize("name", ["epic-order-select-2021", "sandbox-order-select", "sandbox-patient-view"])
def test_calls_as_real_clients_sent_them_get_200(service: Service, name: str) -> None:
    told = json.loads((Path(SAMPLES) / "client-requests" / f"{name}.json").read_text("utf-8"))
    answer = service.fire(told.get("body", told))
    assert answer.status == 200
    assert answer.body["cards"] == []


# Sample patient -> (order, leading rule).
RECORDS = {
    "smart-r4/patient-1134281": ("prochlorperazine", "R-DRUG-02"),
    "smart-r4/patient-765583": ("haloperidol", "R-DRUG-02"),
    "smart-r4/patient-2354220": ("metoclopramide", "R-DRUG-02"),
    "clinosim-r4/pt-437212bbee29": ("haloperidol", None),
}


@NEEDS_SAMPLES
@pytest.mark.parametrize("name", RECORDS)
def test_whole_records_of_others_are_read(service: Service, name: str) -> None:
    drug, _ = RECORDS[name]
    told = json.loads((Path(SAMPLES) / f"{name}.json").read_text("utf-8"))
    resources = [entry["resource"] for entry in told["entry"]]
    patient = next(one for one in resources if one["resourceType"] == "Patient")
    kinds = {
        "medications": "MedicationRequest",
        "medicationStatements": "MedicationStatement",
        "observations": "Observation",
        "conditions": "Condition",
        "allergies": "AllergyIntolerance",
        "medicationDispenses": "MedicationDispense",
    }
    data: Json = {
        key: {
            "resourceType": "Bundle",
            "type": "searchset",
            "entry": [{"resource": one} for one in resources if one["resourceType"] == kind],
        }
        for key, kind in kinds.items()
    }
    draft = {**order(drug), "subject": {"reference": f"Patient/{patient['id']}"}}
    asked = call([draft], {"patient": patient, **data}, instance=str(uuid4()))
    asked["context"]["patientId"] = patient["id"]
    answer = service.fire(asked)
    assert answer.status == 200
    results = answer.body["extension"]["org.dystonia-cds"]["results"]
    assert not [one for one in results if one.get("reason") in {"internal", "other-patient"}]
    assert RECORDS[name][1] is None or RECORDS[name][1] in {one["rule"] for one in results if one["status"] == "fired"}
