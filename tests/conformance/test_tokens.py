"""Tokens of clients at every endpoint of CDS Hooks; what is forged in every way stands in tests/unit/test_auth_*."""

from __future__ import annotations

import hashlib
import hmac
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from cds_hooks.errors import SettingsTrouble
from cds_hooks.settings import Settings, check_exposure
from tests.contract.conftest import Running, call, patient
from tests.support.tokens import DROP, NOW, Ehr, compact, key_server

Json = dict[str, Any]
Start = Callable[..., Running]

BASE = "https://cds.example/dystonia"
CALL = "/cds-services/toy-patient-view"
DISCOVERY = "/cds-services"
NORTH = Ehr("north", "https://north.example/fhir")
SOUTH = Ehr("south", "https://south.example/fhir", algorithm="RS384")


@pytest.fixture
def guarded(start: Start, tmp_path: Path) -> Running:
    """A service that asks for tokens and knows one EHR with ES384 and one with RS384."""
    return secured(start, NORTH.client(tmp_path), SOUTH.client(tmp_path, services=["toy-order-sign"]))


def secured(start: Start, *clients: Json, **settings: Any) -> Running:
    return start(auth="required", clients=clients, public_url=BASE, clock=lambda: NOW, **settings)


def send(service: Running, path: str, token: str | None, body: Json | None = None) -> Any:
    """GET discovery, or POST a call or feedback, with a token or without."""
    headers = {"Authorization": f"Bearer {token}"} if token is not None else {}
    if path == DISCOVERY:
        return service.client.get(path, headers=headers)
    default = {"feedback": []} if path.endswith("/feedback") else call(prefetch={"patient": patient()})
    return service.client.post(path, json=body or default, headers=headers)


ENDPOINTS = [DISCOVERY, CALL, f"{CALL}/feedback"]


@pytest.mark.conformance("J1", "J2", "H8", "L401")
@pytest.mark.parametrize("path", ENDPOINTS)
def test_every_endpoint_asks_for_a_token(guarded: Running, path: str) -> None:
    refused = send(guarded, path, None)
    assert refused.status_code == 401
    assert refused.headers["WWW-Authenticate"] == "Bearer"
    assert refused.json()["resourceType"] == "OperationOutcome"
    assert send(guarded, path, NORTH.token(BASE + path)).status_code == 200


@pytest.mark.conformance("J1")
def test_no_start_beyond_loopback_without_tokens() -> None:
    with pytest.raises(SettingsTrouble, match="without authentication"):
        check_exposure(Settings(), "0.0.0.0")


# (rows, changes to the claims, changes to the header, accepted)
CHANGES: list[tuple[str, Json, Json, bool]] = [
    ("J3", {}, {}, True),
    ("J3 J13", {}, {"kid": DROP}, False),
    ("J13", {}, {"kid": "another"}, False),
    ("J3", {}, {"typ": "at+jwt"}, False),
    ("J4", {"iss": DROP}, {}, False),
    ("J4", {"aud": DROP}, {}, False),
    ("J4", {"exp": DROP}, {}, False),
    ("J4", {"iat": DROP}, {}, False),
    ("J4", {"jti": DROP}, {}, False),
    ("J4", {"exp": int(NOW.timestamp()) - 120}, {}, False),
    ("J4", {"sub": "someone", "nbf": int(NOW.timestamp()) - 10, "fhirUser": "Practitioner/1"}, {}, True),
    ("J5", {"aud": BASE + CALL}, {}, True),
    ("J5", {"aud": ["https://elsewhere.example", BASE + CALL]}, {}, True),
    ("J5", {"aud": BASE}, {}, False),
    ("J5", {"aud": BASE + DISCOVERY}, {}, False),
    ("J5", {"aud": f"https://evil.example{CALL}"}, {}, False),
    ("J5", {"aud": []}, {}, False),
    ("J8", {"iss": "https://stranger.example/fhir"}, {}, False),
]


@pytest.mark.parametrize(
    ("claims", "header", "is_accepted"),
    [
        pytest.param(*row[1:], marks=pytest.mark.conformance(*row[0].split()), id=f"{row[0]}-{n}")
        for n, row in enumerate(CHANGES)
    ],
)
def test_what_a_token_must_say(guarded: Running, claims: Json, header: Json, is_accepted: bool) -> None:
    told = {"aud": BASE + CALL, **claims}
    token = NORTH.token(told.pop("aud"), header=header, **told)
    assert send(guarded, CALL, token).status_code == (200 if is_accepted else 401)


@pytest.mark.conformance("J6")
@pytest.mark.parametrize("name", ["none", "None", "HS256", "HS384", "HS512"])
def test_unsigned_and_symmetric_tokens(guarded: Running, name: str) -> None:
    public = json.dumps({part: NORTH.key[part] for part in ("kty", "crv", "x", "y")}).encode()

    def signed(text: bytes) -> bytes:
        return b"" if name.lower() == "none" else hmac.new(public, text, getattr(hashlib, f"sha{name[2:]}")).digest()

    token = compact(NORTH.header(alg=name), NORTH.claims(BASE + CALL), signed)
    assert send(guarded, CALL, token).status_code == 401


@pytest.mark.conformance("J7")
@pytest.mark.parametrize("ehr", [NORTH, SOUTH], ids=lambda ehr: ehr.algorithm)
def test_both_recommended_signatures(guarded: Running, ehr: Ehr) -> None:
    assert send(guarded, DISCOVERY, ehr.token(BASE + DISCOVERY)).status_code == 200


@pytest.mark.conformance("J8")
def test_an_unlisted_address_of_keys_is_not_asked(start: Start, tmp_path: Path) -> None:
    with key_server({"keys": []}) as strange:
        service = secured(start, NORTH.client(tmp_path))
        token = NORTH.token(BASE + CALL, header={"jku": strange.url})
        assert send(service, CALL, token).status_code == 401
        assert strange.asked == 0


@pytest.mark.conformance("J9")
def test_keys_come_as_a_file(start: Start, tmp_path: Path) -> None:
    record = NORTH.client(tmp_path)
    assert "jwks_urls" not in record
    assert send(secured(start, record), CALL, NORTH.token(BASE + CALL)).status_code == 200


@pytest.mark.conformance("J10")
def test_a_token_serves_for_one_call(guarded: Running) -> None:
    token = NORTH.token(BASE + CALL)
    first = send(guarded, CALL, token)
    again = send(guarded, CALL, token)
    other = send(guarded, CALL, token, call(prefetch={"patient": patient()}, hookInstance="another"))
    assert (first.status_code, again.status_code, other.status_code) == (200, 200, 401)
    assert first.json() == again.json()


@pytest.mark.conformance("J11", "L401")
def test_all_refusals_are_the_same(guarded: Running, capfd: pytest.CaptureFixture[str]) -> None:
    tokens = [
        NORTH.token(f"https://evil.example{CALL}"),
        NORTH.token(BASE + CALL, exp=1),
        NORTH.token(BASE + CALL, header={"kid": "another"}),
        Ehr("east", "https://east.example").token(BASE + CALL),
        "not-a-token-4711",
    ]
    refused = [send(guarded, CALL, token) for token in tokens]
    assert {answer.status_code for answer in refused} == {401}
    assert len({answer.content for answer in refused}) == 1
    printed = "".join(capfd.readouterr())
    assert "token-refused" in printed
    assert [token for token in tokens if token in printed or token.split(".")[-1] in printed] == []


@pytest.mark.conformance("L403")
def test_a_known_client_at_a_service_that_is_not_its_own(guarded: Running) -> None:
    refused = send(guarded, CALL, SOUTH.token(BASE + CALL))
    assert refused.status_code == 403
    assert (refused.json()["resourceType"], refused.json()["issue"][0]["code"]) == ("OperationOutcome", "forbidden")


@pytest.mark.conformance("J2")
def test_the_description_says_where_a_token_is_needed(guarded: Running, start: Start) -> None:
    def needed(service: Running) -> set[str]:
        paths = service.client.get("/openapi.json").json()["paths"].items()
        return {
            path for path, methods in paths for one in methods.values() if one.get("security") == [{"clientToken": []}]
        }

    assert needed(guarded) == {"/cds-services", "/cds-services/{id}", "/cds-services/{id}/feedback"}
    assert needed(start()) == set()
