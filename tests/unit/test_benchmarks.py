"""The benchmarks' calls and arithmetic; nothing here measures time."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from io import StringIO
from pathlib import Path
from typing import Any

import pytest
from rich.console import Console

from benchmarks import report
from benchmarks.bare import application, fixed_answer
from benchmarks.load import Block, Order, Result, verdict
from benchmarks.payloads import HOOK_INSTANCE, SHAPES, payload
from benchmarks.rounds import BARE, Cell, Plan, Sample, Tally

NOW = datetime(2026, 3, 1, 12, tzinfo=UTC)
READ = {"17861-6", "1751-7", "19123-9", "33914-3"}
BUNDLES = {
    "medications": "MedicationRequest",
    "medicationStatements": "MedicationStatement",
    "medicationAdministrations": "MedicationAdministration",
    "medicationDispenses": "MedicationDispense",
    "allergies": "AllergyIntolerance",
    "conditions": "Condition",
    "observations": "Observation",
    "familyHistory": "FamilyMemberHistory",
}

every_size = pytest.mark.parametrize("name", SHAPES)


def resources(call: dict[str, Any]) -> Iterator[dict[str, Any]]:
    yield call["prefetch"]["patient"]
    yield call["prefetch"]["encounter"]
    for key in BUNDLES:
        yield from (entry["resource"] for entry in call["prefetch"][key].get("entry", ()))
    yield from (entry["resource"] for entry in call["context"]["draftOrders"]["entry"])


@every_size
def test_size_is_what_the_name_says(name: str) -> None:
    assert len(payload(name, NOW)) == pytest.approx(SHAPES[name].size, rel=0.1)


@every_size
def test_same_moment_gives_the_same_bytes(name: str) -> None:
    assert payload(name, NOW) == payload(name, NOW)


@every_size
def test_counts(name: str) -> None:
    prefetch = json.loads(payload(name, NOW))["prefetch"]
    shape = SHAPES[name]
    counts = {key: prefetch[key]["total"] for key in BUNDLES}
    assert counts == dict.fromkeys(BUNDLES, 0) | {
        "medications": shape.drugs,
        "observations": shape.observations,
        "conditions": shape.conditions,
    }


@every_size
def test_bundles_are_complete_searchsets_of_their_type(name: str) -> None:
    prefetch = json.loads(payload(name, NOW))["prefetch"]
    assert set(prefetch) == {"patient", "encounter", *BUNDLES}
    for key, kind in BUNDLES.items():
        bundle = prefetch[key]
        entries = bundle.get("entry", [])
        assert (bundle["resourceType"], bundle["type"], bundle["total"]) == ("Bundle", "searchset", len(entries))
        assert "link" not in bundle
        assert {entry["resource"]["resourceType"] for entry in entries} <= {kind}


@every_size
def test_everything_belongs_to_one_patient_and_has_an_id_of_its_own(name: str) -> None:
    call = json.loads(payload(name, NOW))
    patient = f"Patient/{call['context']['patientId']}"
    ids = [f"{one['resourceType']}/{one['id']}" for one in resources(call)]
    assert len(ids) == len(set(ids))
    assert ids[0] == patient
    assert {one["subject"]["reference"] for one in resources(call) if "subject" in one} == {patient}


def test_young_man_with_haloperidol_into_a_muscle() -> None:
    call = json.loads(payload("5KB", NOW))
    patient, (entry,) = call["prefetch"]["patient"], call["context"]["draftOrders"]["entry"]
    born = datetime.fromisoformat(patient["birthDate"]).replace(tzinfo=UTC)
    assert patient["gender"] == "male"
    assert 22 * 365.25 < (NOW - born).days < 23 * 365.25 - 1
    order = entry["resource"]
    (dosage,) = order["dosageInstruction"]
    assert order["status"] == "draft"
    assert order["medicationCodeableConcept"]["coding"][0]["code"] == "204416"
    assert dosage["route"]["coding"][0]["code"] == "78421000"
    assert dosage["doseAndRate"][0]["doseQuantity"]["value"] == 5


@pytest.mark.parametrize("name", ["60KB", "1.2MB"])
def test_results_are_normal_spread_and_half_of_them_are_read(name: str) -> None:
    call = json.loads(payload(name, NOW))
    found = [one for one in resources(call) if one["resourceType"] == "Observation"]
    read = [one for one in found if one["code"]["coding"][0]["code"] in READ]
    ages = [NOW - datetime.fromisoformat(one["effectiveDateTime"]) for one in found]
    assert len(read) / len(found) == pytest.approx(0.5, abs=0.05)
    assert timedelta(0) < min(ages) < timedelta(days=1)
    assert timedelta(days=200) < max(ages) < timedelta(days=301)
    for one in found:
        (limits,) = one["referenceRange"]
        assert limits["low"]["value"] <= one["valueQuantity"]["value"] <= limits["high"]["value"]


@every_size
def test_hook_instance_is_replaced_at_each_call(name: str, tmp_path: Path) -> None:
    body = tmp_path / "call.json"
    body.write_bytes(payload(name, NOW))
    block = Block(Order(port=1, path="/", body=str(body), connections=1, seconds=60, calls=2))
    sent = [b"".join(parts) for parts in iter(block.next_request, None)]
    calls = [json.loads(one.partition(b"\r\n\r\n")[2]) for one in sent]
    assert len({HOOK_INSTANCE, *(call["hookInstance"] for call in calls)}) == 3
    assert f"Content-Length: {len(body.read_bytes())}".encode() in sent[0]


@pytest.mark.parametrize(
    ("status", "body", "wrong"),
    [
        (200, b'{"cards":[{"indicator":"warning"}]}', ""),
        (200, b'{"cards": [ {"indicator": "critical"}]}', ""),
        (200, b'{"cards":[{"indicator":"info"}]}', "no warning card"),
        (200, b'{"cards":[]}', "no warning card"),
        (200, b'{"cards":[{"indicator":"warning"}],"results":[{"reason":"internal"}]}', "rule failed"),
        (500, b'{"cards":[{"indicator":"warning"}]}', "status 500"),
    ],
)
def test_only_a_card_that_warns_is_a_good_answer(status: int, body: bytes, wrong: str) -> None:
    assert wrong in verdict(status, body)
    assert bool(verdict(status, body)) == bool(wrong)


def test_answers_without_all_rules_are_counted() -> None:
    block = Block(Order(port=1, path="/", body="", connections=1, seconds=1, calls=1))
    block.take(200, b'{"cards":[{"indicator":"warning"}],"results":[{"reason":"overload"}]}')
    assert (block.result.calls, block.result.cut_short, block.result.failures) == (1, 1, 0)


@pytest.mark.parametrize("size", [500, 3_000, 20_000])
def test_bare_application_drains_the_body_and_answers_a_card_of_that_size(size: int) -> None:
    parts = [{"body": b"a", "more_body": True}, {"body": b"b", "more_body": False}]
    sent: list[Any] = []

    async def receive() -> dict[str, Any]:
        return parts.pop(0)

    async def send(message: Any) -> None:
        sent.append(message)

    async def run() -> None:
        await application(size)({}, receive, send)

    asyncio.run(run())
    assert parts == []
    assert len(sent[1]["body"]) == size == len(fixed_answer(size))
    assert not verdict(sent[0]["status"], sent[1]["body"])


def figures(failures: int = 0) -> report.Figures:
    """Three rounds in which the machine was slow, normal and fast, for all servers alike."""
    speeds = (2.0, 1.0, 0.5)
    costs = {BARE: 1.0, report.OFF: 3.0, report.ON: 5.0}
    samples = {name: [Sample(cost * speed, 1 / (cost * speed)) for speed in speeds] for name, cost in costs.items()}
    tally = Tally(calls=9, failures=failures, notes=["audit on, 60KB: status 500"] if failures else [])
    plan = Plan(["60KB"], (1,), 3, 1.0)
    memory = {BARE: 30.0, report.OFF: 90.0, report.ON: 130.0}
    return report.Figures(plan, [Cell("60KB", 1, samples)], tally, [1.4, 1.6, 1.2], memory, 3_000, {"60KB": 60_000})


def printed(of: report.Figures) -> str:
    console = Console(file=StringIO(), width=130)
    report.show(of, console)
    assert isinstance(console.file, StringIO)
    return console.file.getvalue()


def test_ratios_are_taken_within_a_round() -> None:
    (cell,) = figures().cells
    assert cell.cpu_ratio(report.OFF) == pytest.approx(3)
    assert cell.rate_ratio(report.ON) == pytest.approx(1 / 5)


def test_goals_stand_beside_the_figures() -> None:
    text = printed(figures())
    assert "3.00×" in text
    assert "≤ 4× met" in text
    assert "≤ 1.5 s met" in text
    assert "≤ 120 MB MISSED" in text
    assert "FAILED" not in text


def test_failures_are_told() -> None:
    text = printed(figures(failures=1))
    assert "FAILED: 1 of 9 calls" in text
    assert "audit on, 60KB: status 500" in text


def test_json_holds_every_round() -> None:
    data = json.loads(json.dumps(report.as_json(figures())))
    (cell,) = data["cells"]
    assert len(cell["samples"]["audit off"]) == 3
    assert cell["cpu_ratio"]["audit on"] == pytest.approx(5)
    assert data["tally"]["failures"] == 0


def test_tally_adds_blocks() -> None:
    tally = Tally()
    tally.add("bare", Result(calls=3, seconds=1.0))
    tally.add("service", Result(calls=2, seconds=1.0, failures=1, cut_short=1, note="status 500"))
    assert (tally.calls, tally.failures, tally.cut_short) == (5, 1, 1)
    assert tally.notes == ["service: status 500"]


@every_size
def test_a_visit_brings_a_few_calls_about_one_patient_and_then_comes_another(name: str, tmp_path: Path) -> None:
    body = tmp_path / "call.json"
    body.write_bytes(payload(name, NOW))
    block = Block(Order(port=1, path="/", body=str(body), connections=1, seconds=60, calls=6, each=3))
    sent = [b"".join(parts).partition(b"\r\n\r\n")[2] for parts in iter(block.next_request, None)]
    calls = [json.loads(one) for one in sent]
    owners = [{one["subject"]["reference"] for one in resources(call) if "subject" in one} for call in calls]
    patients = [call["context"]["patientId"] for call in calls]
    assert {len(one) for one in sent} == {len(body.read_bytes())}
    assert owners == [{f"Patient/{one}"} for one in patients]
    assert [call["prefetch"]["patient"]["id"] for call in calls] == patients
    assert 2 <= len(set(patients)) <= 3  # the first may have had calls in an earlier block
