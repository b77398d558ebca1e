"""Records that nobody here wrote, on a FHIR server that nobody here wrote: sent or fetched, they are judged alike."""

from __future__ import annotations

import json
import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.integration.calls import HOOKS, authorization, results, timeless, told
from tests.integration.peers import PEER_SETTINGS, UNHURRIED
from tests.integration.sekmet_peer import Peer, sekmet
from tests.support.fhir import ABOUT, condition, order
from tests.support.server import Service, running

Json = dict[str, Any]
SAMPLES = Path(os.environ.get("SAMPLES_DIR") or "/nonexistent")
FILES = sorted(one for one in SAMPLES.glob("*-r4/*.json"))
ALWAYS = ("patient-1134281", "patient-765583", "pt-437212bbee29")
INSTANCE = "1f5f3ad4-5f1c-4b7a-8a5e-2f9f3c0d9e11"

pytestmark = pytest.mark.skipif(
    not FILES, reason="Set SAMPLES_DIR to a folder of sample patients and client requests to run this."
)


def record(file: Path) -> list[Json]:
    """The resources of a file, with references inside it by type and id."""
    text = file.read_text("utf-8")
    for entry in json.loads(text)["entry"]:
        url, resource = entry.get("fullUrl", ""), entry["resource"]
        if url.startswith("urn:"):
            text = text.replace(f'"{url}"', f'"{resource["resourceType"]}/{resource["id"]}"')
    return [entry["resource"] for entry in json.loads(text)["entry"]]


def patient_of(file: Path) -> str:
    return next(one["id"] for one in record(file) if one["resourceType"] == "Patient")


@pytest.fixture(scope="module")
def peer(tmp_path_factory: pytest.TempPathFactory, request: pytest.FixtureRequest) -> Iterator[Peer]:
    chosen = {item.callspec.params.get("file") for item in request.session.items if hasattr(item, "callspec")}
    with sekmet(tmp_path_factory.mktemp("sekmet")) as started:
        for file in sorted(chosen & {*FILES}):
            started.load(record(file))
        yield started


@pytest.fixture(scope="module")
def service(tmp_path_factory: pytest.TempPathFactory, peer: Peer) -> Iterator[Service]:
    settings = PEER_SETTINGS | UNHURRIED | {"DYSTONIA_CDS_FHIR_SERVERS": peer.base}
    with running(tmp_path_factory.mktemp("service"), **settings) as started:
        yield started


def call(hook: str, patient: str) -> Json:
    """A call without data: an order of haloperidol, or a dystonia that is being entered."""
    context: Json = {"userId": "Practitioner/example", "patientId": patient}
    if hook in ABOUT:
        about = condition("G24.02", id="draft-1") if ABOUT[hook] == "conditions" else order("haloperidol")
        mine = about | {"subject": {"reference": f"Patient/{patient}"}}
        context[ABOUT[hook]] = {"resourceType": "Bundle", "type": "collection", "entry": [{"resource": mine}]}
    if hook == "order-select":
        context["selections"] = ["MedicationRequest/draft-1"]
    return {"hook": hook, "hookInstance": INSTANCE, "context": context}


@pytest.mark.parametrize("hook", HOOKS)
@pytest.mark.parametrize(
    "file", [pytest.param(one, id=one.stem, marks=() if one.stem in ALWAYS else pytest.mark.chaos) for one in FILES]
)
def test_a_record_of_others_is_judged_alike_sent_or_fetched(
    service: Service, peer: Peer, file: Path, hook: str
) -> None:
    patient = patient_of(file)
    sent = peer.prefetched(hook, call(hook, patient)["context"])
    back = {"fhirServer": peer.base, "fhirAuthorization": authorization()}
    full = service.fire(call(hook, patient) | back | {"prefetch": sent})
    assert full.status == 200
    some = {key: sent[key] for key in ("patient", "medications")}
    for prefetch in (some, {}):
        answer = service.fire(call(hook, patient) | back | {"prefetch": prefetch})
        assert told(answer) == told(full)
        assert timeless(answer) == timeless(full)
    assert not [one for one in results(full) if one.get("reason") in ("internal", "key-failed", "truncated")]
