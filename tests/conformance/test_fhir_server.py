"""The client's FHIR server: what is asked there, with which token, and what never is."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import pytest

from tests.conformance.standard import OURS
from tests.contract.conftest import Running
from tests.support.fhir import NOW, call, condition, lab, order, patient, prefetch, taking
from tests.support.fhir_server import FhirServer, serving
from tests.support.fire import plugin

Json = dict[str, Any]
Start = Callable[..., Running]

TOKEN = "canary-token-77aa"
SIGN = "/cds-services/dystonia-order-sign"
DRAFT = order("haloperidol")
RECORD = (lab("calcium", 1.7, "mmol/L", "2d"), taking("metoclopramide"), condition("24700007"))


@pytest.fixture
def ehr() -> Iterator[FhirServer]:
    """A FHIR server with the record of the patient."""
    with serving(patient(), *RECORD) as server:
        yield server


def token(**more: Any) -> Json:
    given = {
        "access_token": TOKEN,
        "token_type": "Bearer",
        "expires_in": 300,
        "scope": "patient/*.rs",
        "subject": "cds",
    }
    return {**given, "patient": "p1", **more}


def asking(server: FhirServer, data: Json | None, **more: Any) -> Json:
    """An order-sign call that may be completed from a server."""
    return call([DRAFT], data, **{"fhirServer": server.base, "fhirAuthorization": token(), **more})


def cards(service: Running, body: Json) -> list[Json]:
    answer = service.client.post(SIGN, json=body)
    assert answer.status_code == 200, answer.text
    told: list[Json] = answer.json()["cards"]
    return told


def started(start: Start, server: FhirServer, **settings: Any) -> Running:
    # A generous time for fetching: what is asked is looked at here, not how fast.
    chosen = {"fhir_servers": (server.base,), "budget_ms": 20_000, "fhir_budget_ms": 10_000, **settings}
    return start(plugin(), clock=lambda: NOW, **chosen)


@pytest.mark.conformance("E8", "E10", "F3")
def test_sent_or_fetched_the_cards_are_the_same(start: Start, ehr: FhirServer) -> None:
    service = started(start, ehr)
    whole = cards(service, call([DRAFT], prefetch(*RECORD)))
    assert ehr.asked == []
    assert whole
    for data in ({}, None, {"patient": patient()}, prefetch(*RECORD, without=("observations",))):
        assert cards(service, asking(ehr, data)) == whole
    assert ehr.asked


@pytest.mark.conformance("E8", "E9", "L412")
def test_what_cannot_be_had_anywhere_is_412(start: Start, ehr: FhirServer) -> None:
    service = started(start, ehr)
    view = {"fhirServer": ehr.base, "fhirAuthorization": token()}
    path = "/cds-services/dystonia-patient-view"
    assert service.client.post(path, json=call(None, {}, "patient-view", **view)).status_code == 200
    ehr.fault = lambda _: {"resourceType": "OperationOutcome", "issue": [{"severity": "error", "code": "exception"}]}
    refused = service.client.post(path, json=call(None, {}, "patient-view", **view))
    assert (refused.status_code, refused.json()["resourceType"]) == (412, "OperationOutcome")


@pytest.mark.conformance("F4")
def test_every_request_carries_the_token(start: Start, ehr: FhirServer) -> None:
    cards(started(start, ehr), asking(ehr, None))
    assert len(ehr.asked) > 5
    assert {one.headers.get("Authorization") for one in ehr.asked} == {f"Bearer {TOKEN}"}


@pytest.mark.conformance("F5")
def test_the_token_is_nowhere_to_be_found(start: Start, ehr: FhirServer, capfd: pytest.CaptureFixture[str]) -> None:
    service = started(start, ehr)
    answer = service.client.post(SIGN, json=asking(ehr, None))
    broken = service.client.post(SIGN, json=asking(ehr, None) | {"context": 7})
    assert (answer.status_code, broken.status_code) == (200, 400)
    kept = b"".join(path.read_bytes() for path in service.settings.data_dir.rglob("*") if path.is_file())
    seen = answer.text + broken.text + str(answer.headers) + service.client.get("/metrics").text
    seen += service.client.get("/readyz").text + service.client.get("/review").text + "".join(capfd.readouterr())
    assert ehr.asked
    assert len(kept) > 1000
    assert TOKEN not in seen
    assert TOKEN.encode() not in kept


# (rows, the token as it comes, whether anything is asked with it)
TOKENS: list[tuple[str, Any, bool]] = [
    ("F1", token(), True),
    ("F1", token(access_token=""), False),
    ("F1", {name: value for name, value in token().items() if name != "access_token"}, False),
    ("F1", token(token_type="MAC"), False),
    ("F1", None, False),
    ("F2", {name: value for name, value in token().items() if name != "patient"}, True),
    ("F8 M1", token(scope="patient/*.read"), True),
    ("F8 M1", token(scope="patient/*.rs"), True),
    ("F8 M1", token(scope="user/Observation.read user/Patient.read"), True),
    ("F8 M1", token(scope="user/Observation.rs user/Patient.r"), True),
    ("F8 M1", token(scope="launch openid"), False),
]


@pytest.mark.parametrize(
    ("given", "is_used"),
    [
        pytest.param(*row[1:], marks=pytest.mark.conformance(*row[0].split()), id=f"{row[0]}-{n}")
        for n, row in enumerate(TOKENS)
    ],
)
def test_which_tokens_are_used(start: Start, ehr: FhirServer, given: Any, is_used: bool) -> None:
    assert cards(started(start, ehr), asking(ehr, None, fhirAuthorization=given))
    assert bool(ehr.asked) == is_used


@pytest.mark.conformance("F8", "M1")
@pytest.mark.parametrize("scope", ["patient/Observation.read", "patient/Observation.rs"])
def test_only_what_the_scopes_allow_is_asked_for(start: Start, ehr: FhirServer, scope: str) -> None:
    cards(started(start, ehr), asking(ehr, None, fhirAuthorization=token(scope=scope)))
    assert {one.path for one in ehr.asked} == {"Observation"}


@pytest.mark.conformance("F9", "C4")
def test_a_server_that_is_not_registered_is_not_asked(start: Start, ehr: FhirServer) -> None:
    with serving() as registered:
        service = started(start, registered)
        told = service.client.post(SIGN, json=asking(ehr, None)).json()
    results = told["extension"][OURS]["results"]
    assert ehr.asked == []
    assert registered.asked == []
    assert "key-missing" in {one.get("reason") for one in results}
    assert cards(service, asking(ehr, None, fhirServer=None)) == told["cards"]


@pytest.mark.conformance("E7")
def test_a_next_page_is_fetched(start: Start, ehr: FhirServer) -> None:
    service = started(start, ehr)
    sent = prefetch(*RECORD)
    url = f"{ehr.base}/Observation?patient=p1"
    cut = {**sent["observations"], "entry": [], "total": 1, "link": [{"relation": "next", "url": url}]}
    whole = cards(service, call([DRAFT], sent))
    assert cards(service, asking(ehr, sent | {"observations": cut})) == whole
    assert "Observation?patient=p1" in ehr.targets()


@pytest.mark.conformance("N2")
@pytest.mark.parametrize("hook", ["order-select", "order-sign"])
def test_drafts_are_not_looked_for_on_the_server(start: Start, ehr: FhirServer, hook: str) -> None:
    service = started(start, ehr)
    body = call([DRAFT], None, hook, fhirServer=ehr.base, fhirAuthorization=token())
    told = service.client.post(f"/cds-services/dystonia-{hook}", json=body)
    assert told.json()["cards"]
    assert ehr.asked
    assert [one for one in ehr.targets() if DRAFT["id"] in one] == []
