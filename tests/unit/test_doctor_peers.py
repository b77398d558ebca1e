"""``dystonia-cds doctor``: what it says of the registered EHRs, their keys and their FHIR servers."""

from __future__ import annotations

import asyncio
import json
import os
import socketserver
import sqlite3
import ssl
import threading
from collections.abc import Iterator, Sequence
from contextlib import closing, contextmanager, suppress
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime
from pathlib import Path
from typing import Any

import pytest

from cds_hooks.auth.maker import make_key, public_set
from cds_hooks.clients import Client
from cds_hooks.doctor import Check, Ground, peers, registered
from cds_hooks.settings import Given
from tests.contract.toy import PLUGIN
from tests.support.doctor import ISSUER, NOW, TOY, certificate, expect, ground, told
from tests.support.fhir_server import Reply, serving
from tests.support.server import free_port
from tests.support.tokens import KeyServer, key_server

Json = dict[str, Any]


# the registered EHRs

PRIVATE = make_key("ES384")
CLIENTS: list[tuple[str, Json, Json, Json | str | None, Sequence[str]]] = [
    (
        "a good file",
        {"issuer": ISSUER, "jwks_file": "k"},
        {},
        public_set([PRIVATE]),
        ["ok north keys", "keys that can be used: 1,"],
    ),
    ("no issuer", {}, {}, None, ["warn north: It has no issuer"]),
    (
        "the public sandbox",
        {"issuer": "https://sandbox.cds-hooks.org", "jwks_file": "k"},
        {},
        public_set([PRIVATE]),
        ["warn north: It is the public sandbox, whose private key is published", "ok north keys"],
    ),
    ("no keys", {"issuer": ISSUER}, {}, None, ["wrong north keys: It has an issuer and no keys."]),
    ("no file", {"issuer": ISSUER, "jwks_file": "k"}, {}, None, ["wrong north keys", "No such file"]),
    ("no JSON", {"issuer": ISSUER, "jwks_file": "k"}, {}, "-----BEGIN", ["wrong north keys", "Expected a JWK Set"]),
    ("a private key", {"issuer": ISSUER, "jwks_file": "k"}, {}, {"keys": [PRIVATE]}, ["wrong north keys", "private"]),
    (
        "one key of two",
        {"issuer": ISSUER, "jwks_file": "k"},
        {},
        {"keys": [*public_set([make_key()])["keys"], PRIVATE]},
        ["warn north keys", "Key 2 of 2 is left out"],
    ),
    (
        "another algorithm",
        {"issuer": ISSUER, "jwks_file": "k", "algorithms": ["RS384"]},
        {},
        public_set([PRIVATE]),
        ["wrong north keys", "for RS384: 0."],
    ),
    (
        "no tokens asked for",
        {"issuer": ISSUER, "jwks_urls": "https://n.example/k"},
        {},
        None,
        ["warn clients: No token"],
    ),
    (
        "no public address",
        {"issuer": ISSUER, "jwks_urls": "https://n.example/k"},
        {"auth": "required"},
        None,
        ["warn clients: DYSTONIA_CDS_PUBLIC_URL is not set", "on port 8000"],
    ),
]


@pytest.mark.parametrize(
    ("client", "settings", "keys", "said"), [row[1:] for row in CLIENTS], ids=[row[0] for row in CLIENTS]
)
def test_the_table_of_a_client(
    tmp_path: Path, client: Json, settings: Json, keys: Json | str | None, said: Sequence[str]
) -> None:
    file = tmp_path / "north.jwks.json"
    if keys is not None:
        file.write_text(keys if isinstance(keys, str) else json.dumps(keys), "utf-8")
    table = {"name": "north", **client} | ({"jwks_file": file} if "jwks_file" in client else {})
    checks = list(registered.clients(ground(tmp_path, clients=(table,), **settings)))
    expect(checks, *said)
    assert PRIVATE["d"] not in told(checks)


def test_clients_that_cannot_be_told_apart(tmp_path: Path) -> None:
    expect(registered.clients(ground(tmp_path, clients=({"name": "a"}, {"name": "a"}))), "wrong clients: ", "same name")
    assert told(registered.clients(ground(tmp_path))) == ""


def test_nothing_to_warn_of_where_audiences_are_spelt_out(tmp_path: Path) -> None:
    client = {"name": "north", "issuer": ISSUER, "jwks_urls": "https://n.example/k"}
    for more in ({"public_urls": ["https://cds.example"]}, {"audiences": ["dystonia"]}):
        assert told(registered.clients(ground(tmp_path, auth="required", clients=(client | more,)))) == ""
    asked = ground(tmp_path, auth="required", public_url="https://cds.example", clients=(client,))
    assert told(registered.clients(asked)) == ""


def test_the_file_of_used_tokens(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    asked = ground(tmp_path, auth="required")
    assert told(registered.tokens(ground(tmp_path))) == "", "nobody asks for tokens"
    expect(registered.tokens(asked), "ok used tokens: tokens.db is made at the first start.")
    file = tmp_path / "tokens.db"
    with closing(sqlite3.connect(file)) as connection:
        connection.execute("CREATE TABLE used (id)")
    expect(registered.tokens(asked), "ok used tokens: tokens.db is well.")
    with monkeypatch.context() as denied:
        denied.setattr(os, "access", lambda *_: False)
        expect(registered.tokens(asked), "wrong used tokens: ", "cannot be written")
    file.write_bytes(b"no database " * 1000)
    expect(registered.tokens(asked), "wrong used tokens: ", "is damaged or cannot be read")


# the other side


def asked(one: Json, **settings: Any) -> list[Check]:
    """What the machines of a client answer."""
    site = Ground(Given(plugin=TOY, **settings), "127.0.0.1", 8000, NOW)
    made = PLUGIN(site.settings.site("http://127.0.0.1:8000"))
    return list(asyncio.run(peers.client(site, Client(**one), made)))


@pytest.fixture
def published() -> Iterator[KeyServer]:
    with key_server(public_set([PRIVATE])) as server:
        yield server


KEY_ANSWERS: list[tuple[str, Json, Sequence[str]]] = [
    ("well", {}, ["ok north keys: http://127.0.0.1", "keys that can be used: 1,", "Its clock and ours agree."]),
    ("404", {"status": 404}, ["wrong north keys", "127.0.0.1 answered 404."]),
    ("redirect", {"status": 302, "location": "https://elsewhere.example"}, ["wrong north keys", "answered 302"]),
    ("no JSON", {"document": b"<html>"}, ["wrong north keys", "is not whole JSON"]),
    ("no set", {"document": {"x": 1}}, ["wrong north keys", "Expected a JWK Set", "what is published there"]),
    ("private", {"document": {"keys": [PRIVATE]}}, ["wrong north keys", "it is private or symmetric"]),
    ("too large", {"document": {"x": "y" * 100_000}}, ["wrong north keys", "larger than 65536 bytes"]),
]


@pytest.mark.parametrize(("habits", "said"), [row[1:] for row in KEY_ANSWERS], ids=[row[0] for row in KEY_ANSWERS])
def test_published_keys(published: KeyServer, habits: Json, said: Sequence[str]) -> None:
    for name, value in habits.items():
        setattr(published, name, value)
    checks = asked({"name": "north", "issuer": ISSUER, "jwks_urls": [published.url]})
    expect(checks, *said)
    assert PRIVATE["d"] not in told(checks)


def test_nobody_at_the_address_of_the_keys() -> None:
    url = f"http://127.0.0.1:{free_port()}/jwks.json"
    expect(asked({"name": "north", "issuer": ISSUER, "jwks_urls": [url]}), "wrong north keys", "cannot be reached")


SEARCHES = [{"type": "Observation", "searchParam": [{"name": "patient"}]}]
STATEMENT = {"resourceType": "CapabilityStatement", "fhirVersion": "4.0.1", "rest": [{"resource": SEARCHES}]}
HEAD = {"Content-Type": "application/fhir+json"}
METADATA: list[tuple[str, Any, Sequence[str]]] = [
    ("well", STATEMENT, ["speaks FHIR 4.0.1.", "ok north FHIR server: It names every search", "ours agree"]),
    ("R4B", STATEMENT | {"fhirVersion": "4.3.0"}, ["ok north FHIR server", "speaks FHIR 4.3.0."]),
    ("R5", STATEMENT | {"fhirVersion": "5.0.0"}, ["wrong north FHIR server", "speaks FHIR 5.0.0."]),
    ("DSTU2", STATEMENT | {"fhirVersion": "1.0.2"}, ["wrong north FHIR server", "Register the base of its R4 data."]),
    ("no version", {"resourceType": "CapabilityStatement"}, ["wrong", "of an unknown version"]),
    ("no searches", STATEMENT | {"rest": [{}, 3]}, ["warn north FHIR server", "Observation?patient", "as prefetch"]),
    ("odd shapes", STATEMENT | {"rest": {"resource": 1}}, ["warn north FHIR server", "Observation?patient"]),
    ("another resource", {"resourceType": "Patient"}, ["wrong", "/metadata is no CapabilityStatement."]),
    ("a list", [1], ["wrong north FHIR server", "is no CapabilityStatement"]),
    ("no JSON", Reply(b"<html>", 200, {"Content-Type": "text/html"}), ["wrong", "something else than JSON"]),
    ("broken JSON", Reply(b'{"a":', 200), ["wrong north FHIR server", "is not whole JSON"]),
    ("401", Reply(b"{}", 401), ["wrong north FHIR server", "answered 401"]),
]


@pytest.mark.parametrize(("answer", "said"), [row[1:] for row in METADATA], ids=[row[0] for row in METADATA])
def test_what_a_fhir_server_says_of_itself(answer: Any, said: Sequence[str]) -> None:
    reply = answer if isinstance(answer, Reply) else Reply(json.dumps(answer).encode())
    with serving(fault=lambda _: reply) as server:
        checks = asked({"name": "north", "fhir_servers": [server.base]})
        assert [one.path for one in server.asked] == ["metadata"]
    expect(checks, *said)


@pytest.mark.parametrize(
    ("seconds", "said"),
    [
        (300, "s ahead of ours."),
        (-300, "s behind ours. Set the clock that is wrong, and keep both set by NTP"),
        (20, "ok north FHIR server: Its clock and ours agree."),
    ],
)
def test_a_server_whose_clock_is_off(seconds: int, said: str) -> None:
    date = format_datetime(datetime.now(UTC) + timedelta(seconds=seconds), usegmt=True)
    body = json.dumps(STATEMENT).encode()
    answer = b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nConnection: close\r\n"
    answer += f"Date: {date}\r\nContent-Length: {len(body)}\r\n\r\n".encode() + body
    with raw_server(answer) as base:
        expect(asked({"name": "north", "fhir_servers": [base]}), said)


@pytest.mark.parametrize("head", [b"", b"Date: yesterday\r\n"])
def test_a_server_that_does_not_tell_the_time(head: bytes) -> None:
    body = json.dumps(STATEMENT).encode()
    answer = b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nConnection: close\r\n" + head
    with raw_server(answer + f"Content-Length: {len(body)}\r\n\r\n".encode() + body) as base:
        checks = asked({"name": "north", "fhir_servers": [base]})
    expect(checks, "speaks FHIR 4.0.1")
    assert "clock" not in told(checks)


@contextmanager
def raw_server(answer: bytes, tls: ssl.SSLContext | None = None) -> Iterator[str]:
    """A server that gives one and the same answer, byte by byte, and ends the connection; its base address."""

    class Handler(socketserver.BaseRequestHandler):
        def handle(self) -> None:
            with suppress(ssl.SSLError):
                connection = tls.wrap_socket(self.request, server_side=True) if tls else self.request
                connection.recv(65536)
                connection.sendall(answer)

    with socketserver.ThreadingTCPServer(("127.0.0.1", 0), Handler) as server:
        thread = threading.Thread(target=server.serve_forever, args=(0.02,), daemon=True)
        thread.start()
        try:
            yield f"http://127.0.0.1:{server.server_address[1]}/fhir"
        finally:
            server.shutdown()
            thread.join(5)


def test_a_certificate_of_the_hospitals_own(tmp_path: Path) -> None:
    """It is believed where its authority is named, and nowhere else."""
    files = certificate(tmp_path, 10, datetime.now(UTC))
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(files["tls_certificate"], files["tls_key"])
    body = json.dumps(STATEMENT).encode()
    head = f"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: {len(body)}\r\n\r\n"
    with raw_server(head.encode() + body, context) as base:
        one = {"name": "north", "fhir_servers": [base.replace("http://127.0.0.1", "https://localhost")]}
        expect(asked(one), "wrong north FHIR server", "cannot be reached", "DYSTONIA_CDS_FHIR_AUTHORITIES")
        expect(asked(one, fhir_authorities=files["tls_certificate"]), "ok north FHIR server", "speaks FHIR 4.0.1.")


ADDRESSES: list[tuple[str, Json, str]] = [
    ("nobody there", {"fhir_servers": [f"http://127.0.0.1:{free_port()}/fhir"]}, "cannot be reached"),
    ("not encrypted", {"fhir_servers": ["http://fhir.example/r4"]}, "without encryption"),
    ("a private network", {"fhir_servers": ["https://10.255.255.1/r4"]}, "neither public nor allowed"),
]


@pytest.mark.parametrize(("client", "said"), [row[1:] for row in ADDRESSES], ids=[row[0] for row in ADDRESSES])
def test_addresses_that_nothing_is_asked_at(client: Json, said: str) -> None:
    expect(asked({"name": "north", **client}), "wrong north FHIR server", said, "check fhir_networks")


def test_a_client_without_a_fhir_server() -> None:
    expect(asked({"name": "north"}), "ok north: No FHIR server is registered")
