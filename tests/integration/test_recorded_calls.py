"""Calls as the sandbox, Epic and the Da Vinci request generator send them, with a FHIR server behind them."""

from __future__ import annotations

import json
import os
import re
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from tests.clients.shapes import SHAPES, before_a_drug_is_chosen, keys_of_its_own, reference_with_display
from tests.integration.calls import authorization, results, told
from tests.integration.faulty import FaultServer, Place, sound
from tests.integration.peers import PEER_SETTINGS, UNHURRIED, audited
from tests.integration.record import Record
from tests.support.fhir import allergy, medication, order, patient, taking
from tests.support.server import Answer, Service, running

Json = dict[str, Any]
SAMPLES_DIR = os.environ.get("SAMPLES_DIR", "")
NEEDS_SAMPLES = pytest.mark.skipif(
    not SAMPLES_DIR, reason="Set SAMPLES_DIR to a folder of sample patients and client requests to run this."
)
RECORDED = ("epic-order-select-2021", "sandbox-order-select", "sandbox-patient-view")


@dataclass
class Scene:
    """A service that may ask ``place`` and may not ask ``stranger``."""

    service: Service
    place: Place
    stranger: Place

    def fire(self, call: Json, at: Place | None = None, **more: Any) -> Answer:
        """Fires a call whose FHIR server is ``at``."""
        return self.service.fire(call | {"fhirServer": (at or self.place).base} | more)


def chart() -> list[Json]:
    """What the server holds of the invented patient of the shapes."""
    drugs = {"eX1": "haloperidol", "eX2": "ondansetron"}
    held = [{"resourceType": "Medication", "id": id, "code": medication(drug)} for id, drug in drugs.items()]
    return [patient(), taking("olanzapine", id="olanzapine"), allergy("metoclopramide"), *held]


@pytest.fixture(scope="module")
def scene(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Scene]:
    with _scene(tmp_path_factory) as made:
        yield made


@pytest.fixture(scope="module")
def open_scene(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Scene]:
    """The same for a server that asks for no token, as public test servers are."""
    with _scene(tmp_path_factory, DYSTONIA_CDS_FHIR_OPEN="on") as made:
        yield made


@contextmanager
def _scene(folders: pytest.TempPathFactory, **more: str) -> Iterator[Scene]:
    server = FaultServer(folders.mktemp("places"))
    place, stranger = (server.open(sound, Record(chart())) for _ in range(2))
    settings = PEER_SETTINGS | UNHURRIED | {"DYSTONIA_CDS_FHIR_SERVERS": place.base} | more
    try:
        with running(folders.mktemp("service"), **settings) as service:
            yield Scene(service, place, stranger)
    finally:
        server.close()


def fired(answer: Answer) -> set[str]:
    """The rules that fired."""
    return {one["rule"] for one in results(answer) if one["status"] == "fired"}


def test_an_order_before_its_drug_is_chosen_gets_no_card(open_scene: Scene) -> None:
    answer = open_scene.fire(before_a_drug_is_chosen())
    assert (answer.status, answer.body["cards"]) == (200, [])


@pytest.mark.parametrize("name", SHAPES)
def test_a_server_adds_to_what_a_client_sent_and_takes_nothing_away(open_scene: Scene, name: str) -> None:
    call, _ = SHAPES[name]
    alone = open_scene.service.fire({key: value for key, value in call.items() if key != "fhirServer"})
    answer = open_scene.fire(call)
    assert answer.status == 200
    assert fired(alone) - fired(answer) <= {"R-DQ-05"}
    assert len(answer.body["cards"]) <= 3


def test_the_reference_of_a_draft_is_followed_and_its_display_is_enough_without(scene: Scene) -> None:
    call = reference_with_display()
    for draft in call["context"]["draftOrders"]["entry"]:
        del draft["resource"]["medicationReference"]["display"]
    blind = scene.service.fire(call)
    seen = scene.fire(call, fhirAuthorization=authorization())
    assert "R-DRUG-01" not in fired(blind)
    assert "R-DRUG-01" in fired(seen)
    assert [one.target for one in scene.place.requests if one.target.startswith("Medication/")]
    shown = scene.service.fire(reference_with_display())
    assert "R-DRUG-01" in fired(shown)


def test_epic_gets_what_epic_can_show(scene: Scene) -> None:
    """Its extensions say who it is: there a topic has letters and digits alone, and a suggestion one action."""
    (card,) = scene.fire(reference_with_display(), fhirAuthorization=authorization()).body["cards"]
    assert re.fullmatch(r"[A-Za-z0-9]{1,100}", card["source"]["topic"]["code"])
    assert card.get("selectionBehavior", "any") == "any"
    assert all(len(one.get("actions", [])) <= 1 for one in card.get("suggestions", []))


def test_an_empty_token_is_none(scene: Scene) -> None:
    before = scene.place.connections
    call = keys_of_its_own()
    assert call["fhirAuthorization"]["access_token"] == ""
    answer = scene.fire(call)
    assert scene.place.connections == before
    assert "R-DRUG-02" in fired(answer), "the client's own keys are read"


def test_the_same_hook_instance_with_another_order_is_another_call(scene: Scene) -> None:
    call = keys_of_its_own()
    other = json.loads(json.dumps(call))
    other["context"]["draftOrders"]["entry"][0]["resource"] = order("ondansetron", status="active")
    first, second = scene.fire(call), scene.fire(other)
    assert call["hookInstance"] == other["hookInstance"]
    assert told(first) != told(second)
    assert told(scene.fire(call)) == told(first)
    assert first.audit_id != second.audit_id


@pytest.mark.parametrize("shape", ["{}/", "{}//", "{}?x=1", "{}#f", "http://user@{host}/fhir", "http://{host}/other"])
def test_a_server_that_nobody_registered_is_never_asked(scene: Scene, shape: str) -> None:
    base = scene.stranger.base
    call = SHAPES["contained medication"][0] | {"fhirAuthorization": authorization()}
    spelt = shape.format(base, host=base.split("/")[2])
    answer = scene.service.fire(call | {"fhirServer": spelt})
    assert answer.status == 200
    assert scene.stranger.connections == 0


@NEEDS_SAMPLES
@pytest.mark.parametrize("name", RECORDED)
@pytest.mark.parametrize("token", [None, "a-token"])
def test_a_recorded_call_is_answered_without_its_server(scene: Scene, name: str, token: str | None) -> None:
    recorded = json.loads((Path(SAMPLES_DIR) / "client-requests" / f"{name}.json").read_text("utf-8"))
    call = recorded.get("body", recorded) | ({"fhirAuthorization": authorization(token)} if token else {})
    answer = scene.service.fire(call)
    assert (answer.status, answer.body["cards"]) == (200, [])
    row, _ = audited(scene.service, answer)
    assert row.hook_instance == call["hookInstance"]


@NEEDS_SAMPLES
@pytest.mark.parametrize("name", RECORDED)
def test_a_recorded_call_is_answered_with_its_server(open_scene: Scene, name: str) -> None:
    """The same with a server that knows nothing of that patient: 404 for the Patient, empty searches."""
    recorded = json.loads((Path(SAMPLES_DIR) / "client-requests" / f"{name}.json").read_text("utf-8"))
    answer = open_scene.fire(recorded.get("body", recorded))
    assert answer.status == 200
    assert answer.body["cards"] == []
