"""What surrounds the calls: encryption, browsers, too many calls."""

from __future__ import annotations

import ssl
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from ipaddress import ip_address
from pathlib import Path

import httpx
import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from cds_hooks.errors import SettingsTrouble
from cds_hooks.settings import Settings, check_exposure
from tests.contract.conftest import Running, call, patient
from tests.support.fhir import call as ask
from tests.support.fhir import order, prefetch
from tests.support.server import environment, free_port

Start = Callable[..., Running]

EHR = "https://ehr.example"
SIGN = "/cds-services/dystonia-order-sign"
ENDPOINTS = [("GET", "/cds-services"), ("POST", SIGN), ("POST", f"{SIGN}/feedback")]


@pytest.mark.conformance("K1")
@pytest.mark.parametrize(("method", "path"), ENDPOINTS)
def test_a_listed_origin_may_call(real: Running, method: str, path: str) -> None:
    asked = {
        "Origin": EHR,
        "Access-Control-Request-Method": method,
        "Access-Control-Request-Headers": "authorization,content-type" if method == "POST" else "authorization",
    }
    preflight = real.client.options(path, headers=asked)
    assert preflight.status_code in (200, 204)
    assert preflight.headers["Access-Control-Allow-Origin"] == EHR
    assert method in preflight.headers["Access-Control-Allow-Methods"]
    allowed = {name.strip().lower() for name in preflight.headers["Access-Control-Allow-Headers"].split(",")}
    assert {"authorization", "content-type"} <= allowed
    bodies = {"/cds-services": None, SIGN: ask([order()], prefetch()), f"{SIGN}/feedback": {"feedback": []}}
    answer = real.client.request(method, path, json=bodies[path], headers={"Origin": EHR})
    assert answer.status_code == 200
    for one in (preflight, answer):
        assert one.headers["Access-Control-Allow-Origin"] == EHR
        assert "Access-Control-Allow-Credentials" not in one.headers


@pytest.mark.conformance("K1")
@pytest.mark.parametrize(("method", "path"), ENDPOINTS)
@pytest.mark.parametrize("origin", ["https://evil.example", "https://ehr.example.evil.example", "null"])
def test_another_origin_may_not(real: Running, method: str, path: str, origin: str) -> None:
    asked = {"Origin": origin, "Access-Control-Request-Method": method}
    answers = [real.client.options(path, headers=asked), real.client.request(method, path, headers={"Origin": origin})]
    assert [one for one in answers if "Access-Control-Allow-Origin" in one.headers] == []


@pytest.mark.conformance("L429", "G7")
def test_too_many_calls(start: Start) -> None:
    service = start(calls_per_second=1, overload="refuse")
    answers = [service.call(call(prefetch={"patient": patient()})) for _ in range(5)]
    refused = [one for one in answers if one.status_code == 429]
    assert answers[0].status_code == 200
    assert refused
    for one in refused:
        assert int(one.headers["Retry-After"]) >= 1
        assert (one.json()["resourceType"], one.json()["issue"][0]["code"]) == ("OperationOutcome", "throttled")


def certificate(folder: Path) -> tuple[Path, Path]:
    """A certificate for 127.0.0.1, signed by itself, and its key."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "127.0.0.1")])
    now = datetime.now(UTC)
    made = x509.CertificateBuilder().subject_name(name).issuer_name(name).public_key(key.public_key())
    made = made.serial_number(x509.random_serial_number())
    made = made.not_valid_before(now - timedelta(days=1)).not_valid_after(now + timedelta(days=1))
    made = made.add_extension(x509.SubjectAlternativeName([x509.IPAddress(ip_address("127.0.0.1"))]), critical=False)
    chain, private = folder / "chain.pem", folder / "key.pem"
    chain.write_bytes(made.sign(key, hashes.SHA256()).public_bytes(serialization.Encoding.PEM))
    form = serialization.PrivateFormat.PKCS8
    private.write_bytes(key.private_bytes(serialization.Encoding.PEM, form, serialization.NoEncryption()))
    return chain, private


@contextmanager
def serving(folder: Path, port: int, **settings: str) -> Iterator[subprocess.Popen[bytes]]:
    """The command line's own server, ended by its own process id."""
    arguments = [sys.executable, "-m", "cds_hooks.cli", "serve", "--host", "127.0.0.1", "--port", str(port)]
    with (folder / "serve.log").open("wb") as log:
        process = subprocess.Popen(arguments, env=environment(folder, **settings), stdout=log, stderr=log)
        try:
            yield process
        finally:
            process.terminate()
            process.wait(20)


def when_ready(client: httpx.Client, process: subprocess.Popen[bytes]) -> httpx.Response:
    """The first answer to discovery."""
    for _ in range(150):
        assert process.poll() is None, "the service did not start"
        try:
            return client.get("/cds-services")
        except httpx.ConnectError:
            time.sleep(0.2)
    raise AssertionError("the service does not answer over HTTPS")


@pytest.mark.conformance("A2")
def test_no_start_beyond_loopback_in_the_open(tmp_path: Path) -> None:
    guarded = {"auth": "required", "clients": [{"name": "north", "issuer": "https://north.example"}]}
    with pytest.raises(SettingsTrouble, match="without TLS"):
        check_exposure(Settings(**guarded), "0.0.0.0")
    chain, key = certificate(tmp_path)
    for way in ({"tls_certificate": chain, "tls_key": key}, {"plain_http": True}, {"trusted_proxies": "10.0.0.1"}):
        check_exposure(Settings(**guarded, **way), "0.0.0.0")


@pytest.mark.conformance("A2")
def test_the_service_serves_https_and_nothing_else_there(tmp_path: Path) -> None:
    chain, key = certificate(tmp_path)
    port = free_port()
    trusted = ssl.create_default_context(cafile=str(chain))
    settings = {"DYSTONIA_CDS_TLS_CERTIFICATE": str(chain), "DYSTONIA_CDS_TLS_KEY": str(key)}
    with (
        serving(tmp_path, port, **settings) as process,
        httpx.Client(base_url=f"https://127.0.0.1:{port}", verify=trusted, trust_env=False) as client,
    ):
        assert when_ready(client, process).status_code == 200
        assert client.post(SIGN, json=ask([order("haloperidol")], prefetch())).json()["cards"]
        with pytest.raises(httpx.HTTPError):
            httpx.get(f"http://127.0.0.1:{port}/cds-services", trust_env=False, timeout=5)
