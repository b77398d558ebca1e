"""Honest tokens at every edge: times by an injected clock, audiences, issuers and tenants, the shapes of real EHRs."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from cds_hooks.auth.claims import LEEWAY, LONGEST_LIFE
from cds_hooks.auth.verifier import spellings
from cds_hooks.errors import Unauthorised
from tests.support.tokens import BASE, DROP, NOW, PATH, Door, Ehr, compact, door

SECOND = int(NOW.timestamp())
JKU = "https://north.example/keys/jwks.json"


def answer(gate: Door, token: str, path: str = PATH) -> str:
    """The client's name, or the reason why not."""
    try:
        return str(gate.bearer(token, path).client.name)
    except Unauthorised as refusal:
        return refusal.reason


@pytest.fixture
def gate(tmp_path: Path) -> Door:
    return door(tmp_path, Ehr(jku=JKU).client(tmp_path))


# How far from now exp, iat and nbf lie, in seconds -> what comes of it. The leeway is 60 s to either side.
TIMES: list[tuple[str, int, int, int | None, str]] = [
    ("ended 59 s ago", -59, -300, None, "north"),
    ("ended 60 s ago", -60, -300, None, "expired"),
    ("ended 61 s ago", -61, -300, None, "expired"),
    ("ends in 1 s", 1, -299, None, "north"),
    ("made in 59 s", 300, 59, None, "north"),
    ("made in 60 s", 300, 60, None, "north"),
    ("made in 61 s", 300, 61, None, "too-early"),
    ("begins in 59 s", 300, 0, 59, "north"),
    ("begins in 60 s", 300, 0, 60, "north"),
    ("begins in 61 s", 300, 0, 61, "too-early"),
    ("made in 61 s, began long ago", 300, 61, -300, "too-early"),
    ("began five minutes before it was made", 900, 0, -300, "north"),
    ("lives 3600 s", LONGEST_LIFE, 0, None, "north"),
    ("lives 3601 s", LONGEST_LIFE + 1, 0, None, "lifetime"),
    ("lives 1 s", 1, 0, None, "north"),
    ("lives 0 s", 0, 0, None, "lifetime"),
    ("lives a day", 86400, 0, None, "lifetime"),
    ("as old as can be", -59, -59 - LONGEST_LIFE, None, "north"),
]


@pytest.mark.conformance("J4")
@pytest.mark.parametrize(("name", "ends", "made", "starts", "expected"), TIMES, ids=[row[0] for row in TIMES])
def test_times(gate: Door, name: str, ends: int, made: int, starts: int | None, expected: str) -> None:
    begins = {} if starts is None else {"nbf": SECOND + starts}
    assert answer(gate, Ehr().token(exp=SECOND + ends, iat=SECOND + made, **begins)) == expected


@pytest.mark.parametrize(("seconds", "expected"), [(0, "north"), (359, "north"), (360, "expired"), (361, "expired")])
def test_the_clock_is_the_injected_one(gate: Door, seconds: int, expected: str) -> None:
    token = Ehr().token()
    gate.clock.move(seconds)
    assert answer(gate, token) == expected
    assert LEEWAY == 60


URL = BASE + PATH
SERVED: list[tuple[str, Any, str]] = [
    (PATH, URL, "north"),
    (PATH, [URL], "north"),
    (PATH, ["https://elsewhere.example", URL], "north"),
    (PATH, "https://inside.example/cds" + PATH, "north"),
    (PATH, "urn:dystonia", "north"),
    (PATH, ["urn:dystonia"], "north"),
    (PATH, BASE + "/cds-services", "audience"),
    (PATH, URL + "/feedback", "audience"),
    (PATH, "https://north.example/cds" + PATH, "audience"),
    (PATH, "urn:dystonia:", "audience"),
    ("/cds-services", BASE + "/cds-services", "north"),
    ("/cds-services", BASE, "audience"),
    ("/cds-services", URL, "audience"),
    (PATH + "/feedback", URL + "/feedback", "north"),
    (PATH + "/feedback", URL, "north"),
    (PATH + "/feedback", BASE + "/cds-services", "audience"),
    (PATH + "/feedback", BASE + "/cds-services/toy-patient-view", "audience"),
]


@pytest.mark.conformance("J5")
@pytest.mark.parametrize(("path", "aud", "expected"), SERVED)
def test_audiences(tmp_path: Path, path: str, aud: Any, expected: str) -> None:
    client = Ehr().client(tmp_path, public_urls=["https://inside.example/cds/"], audiences=["urn:dystonia"])
    assert answer(door(tmp_path, client), Ehr().token(aud), path) == expected


# header changes, claim changes -> accepted although it is not what we would send
TOLERATED: list[tuple[dict[str, Any], dict[str, Any]]] = [
    ({"typ": DROP}, {}),
    ({"typ": "jwt"}, {}),
    ({"jku": DROP}, {}),
    ({"jku": JKU}, {}),
    ({"jwk": {"kty": "oct", "k": "AAAA"}}, {}),
    ({"x5u": "http://127.0.0.1:9/x", "x5c": ["AAAA"]}, {}),
    ({"cty": "x", "zip": "DEF"}, {}),
    ({}, {"sub": "north-app"}),
    ({}, {"sub": None}),
    ({}, {"sub": 7}),
    ({}, {"jti": "x" * 255}),
    ({}, {"jti": "\ud800"}),
    ({}, {"more": {"a": [1.5, None]}}),
]


@pytest.mark.parametrize(("header", "claims"), TOLERATED)
def test_what_is_tolerated(gate: Door, header: dict[str, Any], claims: dict[str, Any]) -> None:
    assert answer(gate, Ehr().token(header=header, **claims)) == "north"


def test_the_scheme_may_be_spelt_in_any_case(gate: Door) -> None:
    assert gate.caller(f"bearer {Ehr().token()}").client.name == "north"
    assert gate.caller(f"BEARER {Ehr().token()}").client.name == "north"


@pytest.mark.conformance("J3", "J4", "J5", "J7")
def test_the_token_of_the_official_sandbox(tmp_path: Path) -> None:
    """ES384, a jku, five minutes; discovery, call and feedback each with their own address as audience."""
    issuer = "https://sandbox.cds-hooks.org"
    sandbox = Ehr("sandbox", issuer, jku=f"{issuer}/.well-known/jwks.json")
    gate = door(tmp_path, sandbox.client(tmp_path))
    for path in ("/cds-services", PATH, f"{PATH}/feedback"):
        token = sandbox.token(BASE + path)
        assert sandbox.header() == {"alg": "ES384", "typ": "JWT", "kid": sandbox.key["kid"], "jku": sandbox.jku}
        assert answer(gate, token, path) == "sandbox"


@pytest.mark.conformance("J3", "J4", "J7")
def test_the_token_of_epic(tmp_path: Path) -> None:
    """RS384, a jku, a subject, begun five minutes before it was made, a quarter of an hour of life."""
    epic = Ehr("epic", "https://epic.example/api/oauth2", algorithm="RS384", jku="https://epic.example/api/jwks")
    gate = door(tmp_path, epic.client(tmp_path))
    claims = {"sub": "dystonia", "nbf": SECOND - 300, "exp": SECOND + 900}
    assert answer(gate, epic.token(**claims)) == "epic"
    assert answer(gate, epic.token([URL], **claims)) == "epic"


def test_the_token_of_the_request_generator_lives_too_long(tmp_path: Path) -> None:
    """A day of RS256: both must be refused, the second although the setting allows RS256."""
    generator = Ehr("generator", "https://generator.example", algorithm="RS256")
    token = generator.token(exp=SECOND + 86400)
    assert answer(door(tmp_path, generator.client(tmp_path)), token) == "algorithm"
    allowed = door(tmp_path, generator.client(tmp_path, algorithms=["RS256"]))
    assert answer(allowed, token) == "lifetime"
    assert answer(allowed, generator.token()) == "generator"


@pytest.mark.parametrize("algorithm", ["ES384", "RS384", "ES256", "RS256"])
def test_algorithms_are_those_of_the_client(tmp_path: Path, algorithm: str) -> None:
    ehr = Ehr("other", algorithm=algorithm)
    assert answer(door(tmp_path, ehr.client(tmp_path, algorithms=[algorithm])), ehr.token()) == "other"
    usual = answer(door(tmp_path, ehr.client(tmp_path)), ehr.token())
    assert usual == ("other" if algorithm.endswith("384") else "algorithm")


HOSPITALS = [
    Ehr("a", "https://one.example", "ward-a"),
    Ehr("b", "https://one.example", "ward-b"),
    Ehr("c", "https://one.example"),
    Ehr("d", "https://two.example"),
    Ehr("e", "https://two.example", "ward-a"),
]


@pytest.mark.parametrize("signer", HOSPITALS, ids=lambda ehr: ehr.name)
@pytest.mark.parametrize("named", HOSPITALS, ids=lambda ehr: ehr.name)
def test_no_client_speaks_for_another(tmp_path: Path, signer: Ehr, named: Ehr) -> None:
    """5 x 5: a token signed with the keys of one that names another, with either one's name of the key."""
    gate = door(tmp_path, *(ehr.client(tmp_path) for ehr in HOSPITALS))
    for kid in (signer.key["kid"], named.key["kid"]):
        token = signer.token(iss=named.issuer, tenant=named.tenant or DROP, header={"kid": kid})
        expected = {named.name} if signer is named else {"unknown-key", "signature"}
        assert answer(gate, token) in expected


@pytest.mark.parametrize("tenant", ["ward-c", "WARD-A", "ward-a ", "", None, 1, ["ward-a"], "*"])
def test_an_unknown_tenant_is_nobody(tmp_path: Path, tenant: Any) -> None:
    gate = door(tmp_path, *(ehr.client(tmp_path) for ehr in HOSPITALS))
    for ehr in HOSPITALS:
        assert answer(gate, ehr.token(tenant=tenant)) == "unknown-tenant"


def test_an_issuer_with_tenants_alone_takes_no_token_without(tmp_path: Path) -> None:
    gate = door(tmp_path, HOSPITALS[0].client(tmp_path))
    assert answer(gate, HOSPITALS[0].token(tenant=DROP)) == "unknown-tenant"


def test_names_may_have_letters_of_any_language(tmp_path: Path) -> None:
    ward = Ehr("ward", tenant="Süd-Nord № 7")
    gate = door(tmp_path, ward.client(tmp_path))
    plain = json.dumps(ward.claims(), ensure_ascii=False).encode()
    assert answer(gate, compact(ward.header(), plain, ward.sign)) == "ward"
    assert answer(gate, ward.token()) == "ward"
    assert answer(gate, compact(ward.header(), plain.decode().encode("latin-1", "replace"), ward.sign)) == "malformed"


def test_refusals_are_counted_by_client_and_class(gate: Door) -> None:
    assert [answer(gate, token) for token in (Ehr().token(exp=1), Ehr().token(iss="x"), "x")] == [
        "lifetime",
        "unknown-issuer",
        "malformed",
    ]
    expected = {("north", "lifetime"): 1, ("unknown", "unknown-issuer"): 1, ("unknown", "malformed"): 1}
    assert dict(gate.metrics.tokens) == expected


SPELLINGS = [
    ("http://127.0.0.1:8000", ("http://127.0.0.1:8000", "http://localhost:8000", "http://[::1]:8000")),
    ("http://localhost", ("http://localhost", "http://127.0.0.1", "http://[::1]")),
    ("https://[::1]:8443/cds", ("https://[::1]:8443/cds", "https://127.0.0.1:8443/cds", "https://localhost:8443/cds")),
    ("https://cds.hospital.example", ("https://cds.hospital.example",)),
    ("https://localhost.hospital.example", ("https://localhost.hospital.example",)),
]


@pytest.mark.parametrize(("address", "expected"), SPELLINGS)
def test_an_address_of_this_machine_may_be_spelt_by_name_and_by_number(address: str, expected: tuple[str, ...]) -> None:
    assert spellings(address) == expected
