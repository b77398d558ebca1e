"""A FHIR server that asks for SMART Backend Services tokens: what is given leads to 200, 403 or 401."""

from __future__ import annotations

import time
from collections.abc import Iterator
from typing import Any

import pytest
from cryptography.hazmat.primitives.asymmetric import ec

from tests.integration.calls import TOKEN, asked, authorization, resources, timeless, told
from tests.integration.peers import PEER_SETTINGS, UNHURRIED, audited
from tests.integration.sekmet_peer import Peer, sekmet
from tests.support.server import Service, running

Json = dict[str, Any]
HOOK, PATIENT = "order-sign", "berta-sampler"
ALL = "system/*.read"
PATIENTS_ALONE = "system/Patient.rs"
LIFETIME = 5
"""Seconds: enough to load the server, short enough to wait for."""


@pytest.fixture(scope="module")
def peer(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Peer]:
    with sekmet(tmp_path_factory.mktemp("sekmet"), lifetime=600) as started:
        status, granted = started.token("system/*.write")
        assert status == 200, granted
        started.load(resources(PATIENT), granted["access_token"])
        yield started


@pytest.fixture(scope="module")
def service(tmp_path_factory: pytest.TempPathFactory, peer: Peer) -> Iterator[Service]:
    settings = PEER_SETTINGS | UNHURRIED | {"DYSTONIA_CDS_FHIR_SERVERS": peer.base}
    with running(tmp_path_factory.mktemp("service"), **settings) as started:
        yield started


def granted(peer: Peer, scope: str) -> str:
    """An access token of the server itself."""
    status, told_of = peer.token(scope)
    assert status == 200, told_of
    return str(told_of["access_token"])


def states(service: Service, answer: Any) -> dict[str, str]:
    return {key: one["state"] for key, one in audited(service, answer)[1].items()}


def test_the_token_server_refuses_a_foreign_key(peer: Peer) -> None:
    assert peer.token(ALL, ec.generate_private_key(ec.SECP384R1()))[0] == 401


def test_a_good_token_completes_the_call(service: Service, peer: Peer) -> None:
    alone = service.fire(asked(HOOK, PATIENT, "full"))
    answer = service.fire(asked(HOOK, PATIENT, "none", peer.base, token=granted(peer, ALL)))
    assert timeless(answer) == timeless(alone)


@pytest.mark.parametrize("token", ["not-a-token", TOKEN, "x" * 4000])
def test_a_refused_token_costs_the_data_and_not_the_call(service: Service, peer: Peer, token: str) -> None:
    answer = service.fire(asked(HOOK, PATIENT, "partial", peer.base, token=token))
    without = service.fire(asked(HOOK, PATIENT, "partial"))
    assert told(answer) == told(without)
    assert [card["extension"]["org.dystonia-cds"]["missing"] for card in answer.body["cards"]]
    assert set(states(service, answer).values()) <= {"satisfied", "failed", "missing"}


def test_a_token_for_patients_alone_brings_the_patient(service: Service, peer: Peer) -> None:
    """403 for all but one type, because the client says that the token may do more than it may."""
    answer = service.fire(asked(HOOK, PATIENT, "none", peer.base, token=granted(peer, PATIENTS_ALONE)))
    found = states(service, answer)
    assert found.pop("patient") == "satisfied"
    assert set(found.values()) <= {"failed", "missing"}
    assert told(answer) == told(service.fire(only_the_patient()))


def test_a_scope_that_says_so_is_believed(service: Service, peer: Peer) -> None:
    token = granted(peer, ALL)
    call = asked(HOOK, PATIENT, "none", peer.base)
    call["fhirAuthorization"] = authorization(token, PATIENTS_ALONE)
    answer = service.fire(call)
    assert states(service, answer)["patient"] == "satisfied"
    assert told(answer) == told(service.fire(only_the_patient()))


def test_a_refused_token_harms_no_other_call(service: Service, peer: Peer) -> None:
    """A client with a bad token may not make the server look dead to those with a good one."""
    for _ in range(6):
        service.fire(asked(HOOK, PATIENT, "none", peer.base, token="not-a-token"))
    answer = service.fire(asked(HOOK, PATIENT, "none", peer.base, token=granted(peer, ALL)))
    assert told(answer) == told(service.fire(asked(HOOK, PATIENT, "full")))


def test_an_expired_token_is_a_refused_one(tmp_path_factory: pytest.TempPathFactory) -> None:
    with sekmet(tmp_path_factory.mktemp("short"), lifetime=LIFETIME) as peer:
        peer.load(resources(PATIENT), granted(peer, "system/*.write"))
        token, until = granted(peer, ALL), time.monotonic() + LIFETIME + 1
        settings = PEER_SETTINGS | UNHURRIED | {"DYSTONIA_CDS_FHIR_SERVERS": peer.base}
        with running(tmp_path_factory.mktemp("service"), **settings) as service:
            time.sleep(max(0.0, until - time.monotonic()))
            answer = service.fire(asked(HOOK, PATIENT, "none", peer.base, token=token))
            assert told(answer) == told(service.fire(asked(HOOK, PATIENT, "none")))
            assert set(states(service, answer).values()) <= {"failed", "missing", "not-asked"}


def test_no_token_is_written_anywhere(service: Service, peer: Peer) -> None:
    for token in (granted(peer, ALL), TOKEN):
        service.fire(asked(HOOK, PATIENT, "none", peer.base, token=token))
        kept = [one for one in service.folder.iterdir() if one.is_file() and token.encode() in one.read_bytes()]
        assert not kept
        assert token not in service.ask("/metrics").body.decode()


def only_the_patient() -> Json:
    """The call with nothing but the Patient sent along."""
    call = asked(HOOK, PATIENT, "none")
    call["prefetch"] = {"patient": asked(HOOK, PATIENT, "full")["prefetch"]["patient"]}
    return call
