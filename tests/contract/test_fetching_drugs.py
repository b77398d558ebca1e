"""With the rules of this house: drugs that are written in a Medication of their own are known once that is fetched."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import pytest

from tests.contract.conftest import UNHURRIED, Running
from tests.support.fhir import NOW, call, order, patient, prefetch
from tests.support.fhir_server import FhirServer, serving
from tests.support.fire import plugin

Json = dict[str, Any]
Start = Callable[..., Running]
SIGN = "/cds-services/dystonia-order-sign"
MEDICATION: Json = {"resourceType": "Medication", "id": "m1"}


def _written_elsewhere(draft: Json, reference: str) -> tuple[Json, Json]:
    """A draft whose drug stands in a Medication, and that Medication."""
    concept = draft["medicationCodeableConcept"]
    rest = {name: value for name, value in draft.items() if name != "medicationCodeableConcept"}
    return {**rest, "medicationReference": {"reference": reference}}, {**MEDICATION, "code": concept}


def _results(service: Running, body: Json) -> list[Json]:
    answer = service.client.post(SIGN, json=body)
    assert answer.status_code == 200, answer.text
    told: list[Json] = answer.json()["extension"]["org.dystonia-cds"]["results"]
    return [{name: one[name] for name in ("rule", "status", "reason") if name in one} for one in told]


def _from(server: FhirServer) -> Json:
    return {"fhirServer": server.base, "fhirAuthorization": {"access_token": "t", "token_type": "Bearer"}}


@pytest.mark.parametrize("reference", ["Medication/m1", "{base}/Medication/m1", "Medication/m1/_history/2"])
def test_a_draft_whose_drug_is_on_the_server_is_judged_as_if_it_were_coded(start: Start, reference: str) -> None:
    coded = order("haloperidol")
    with serving(patient()) as server:
        service = start(plugin(), clock=lambda: NOW, fhir_servers=(server.base,), **UNHURRIED)
        draft, medication = _written_elsewhere(coded, reference.format(base=server.base))
        server.resources.append(medication)
        sent = prefetch()
        expected = _results(service, call([coded], sent))
        unknown = _results(service, call([draft], sent))
        assert server.asked == []
        assert _results(service, call([draft], sent, **_from(server))) == expected
        assert server.targets() == ["Medication/m1"]
    assert unknown != expected
    assert {one["reason"] for one in unknown if one["status"] == "not-checked"} == {"drug-unrecognised"}


def test_a_drug_that_the_server_does_not_know_either_stays_unrecognised(start: Start) -> None:
    draft, _ = _written_elsewhere(order("haloperidol"), "Medication/m1")
    with serving() as server:
        service = start(plugin(), clock=lambda: NOW, fhir_servers=(server.base,), **UNHURRIED)
        body = call([draft], prefetch())
        assert _results(service, body | _from(server)) == _results(service, body)
        assert server.targets() == ["Medication/m1"]


def test_with_access_to_another_patient_nothing_is_asked_and_the_card_says_what_is_missing(start: Start) -> None:
    with serving(patient()) as server:
        service = start(plugin(), clock=lambda: NOW, fhir_servers=(server.base,), **UNHURRIED)
        access = {"access_token": "t", "token_type": "Bearer", "patient": "p2"}
        body = call([order("haloperidol")], {}, fhirServer=server.base, fhirAuthorization=access)
        answer = service.client.post(SIGN, json=body).json()
        assert server.asked == []
    (card,) = answer["cards"]
    missing = "Patient data, medication orders, allergies, conditions and results not supplied."
    assert f"Not available to this service: {missing}" in card["detail"]
    assert {"input": "medications", "reason": "other-patient"} in card["extension"]["org.dystonia-cds"]["missing"]
    results = answer["extension"]["org.dystonia-cds"]["results"]
    clear = {one["rule"] for one in results if one["status"] == "clear"}
    assert {rule for rule in clear if not rule.startswith("R-DQ")} == set()
    assert "other-patient" in {one.get("reason") for one in results}


# whose data the access is for -> whether the card tells
WHOSE: list[tuple[str, dict[str, Any], bool]] = [
    ("somebody else", {"patient": "p2"}, True),
    ("somebody else, without a token", {"patient": "p2", "access_token": ""}, True),
    ("somebody else, spelt as a reference", {"patient": "Patient/p2"}, True),
    ("the patient", {"patient": "p1"}, False),
    ("the patient, spelt as a reference", {"patient": "Patient/p1"}, False),
    ("nobody said", {}, False),
    ("no text", {"patient": 7}, False),
]


@pytest.mark.parametrize(("name", "said", "told"), WHOSE, ids=[row[0] for row in WHOSE])
def test_access_to_another_patient_is_told_beside_complete_data(
    start: Start, name: str, said: dict[str, Any], told: bool
) -> None:
    """What came is the patient's own and judged as ever; the access is not used, and the card says so."""
    with serving(patient()) as server:
        service = start(plugin(), clock=lambda: NOW, fhir_servers=(server.base,), **UNHURRIED)
        whole = call([order("haloperidol")], prefetch())
        plain = service.client.post(SIGN, json=whole).json()
        access = {"access_token": "t", "token_type": "Bearer"} | said
        answer = service.client.post(SIGN, json={**whole, "fhirServer": server.base, "fhirAuthorization": access})
        assert server.asked == []
    kept = json.loads(service.audited(answer).keys)
    assert ("fhirAuthorization" in kept) is told
    found = answer.json()
    if not told:
        assert found == plain
        return
    assert kept["fhirAuthorization"] == {"state": "failed", "reason": "other-patient", "foreign": 1}
    sentence = (
        "The access that came with the call is for a different patient, and was not used. See whose chart is open."
    )
    assert any(sentence in card["detail"] for card in found["cards"])
    before, after = ({rule["id"] for card in one["cards"] for rule in _ours(card)["rules"]} for one in (plain, found))
    assert after == before | {"R-DQ-07"}


def _ours(card: Any) -> Any:
    return card["extension"]["org.dystonia-cds"]


def test_access_to_another_patient_is_told_where_no_server_is_registered(start: Start) -> None:
    service = start(plugin(), clock=lambda: NOW, **UNHURRIED)
    access = {"access_token": "t", "token_type": "Bearer", "patient": "p2"}
    body = call([order("haloperidol")], {}, fhirServer="https://ehr.example/fhir", fhirAuthorization=access)
    assert any(
        "for a different patient" in card["detail"] for card in service.client.post(SIGN, json=body).json()["cards"]
    )
