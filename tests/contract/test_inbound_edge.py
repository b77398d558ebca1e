"""What surrounds every route: origins, security headers, TLS, and proxies that are believed."""

from __future__ import annotations

import datetime
import json
import ssl
import subprocess
import sys
from ipaddress import ip_address
from pathlib import Path
from typing import Any

import httpx
import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID
from jwt.algorithms import ECAlgorithm
from typer.testing import CliRunner

from cds_hooks.cli import app
from cds_hooks.clock import RELEASED, check_clock
from cds_hooks.errors import SettingsTrouble
from cds_hooks.serve import address_of, listen
from cds_hooks.settings import SANDBOX_ORIGINS, Settings, check_exposure, needs_proxy_tls
from cds_hooks.tls import certificate_files
from tests.contract.conftest import Running, Starter, call
from tests.support.server import environment, free_port

SANDBOX = "https://sandbox.cds-hooks.org"
VIEW = "/cds-services/toy-patient-view"
NORTH = {"name": "north", "issuer": "https://north.example"}
JSON = {"Content-Type": "application/json"}

# Method, path, headers, body, status: every route, and every way to be refused.
ROUTES: list[tuple[str, str, dict[str, str], Any, int]] = [
    ("GET", "/cds-services", {}, None, 200),
    ("POST", VIEW, JSON, call(), 200),
    ("POST", f"{VIEW}/feedback", JSON, {}, 400),
    ("POST", VIEW, JSON, {}, 400),
    ("POST", "/cds-services/none", JSON, call(), 404),
    ("GET", VIEW, {}, None, 405),
    ("POST", "/cds-services", JSON, {}, 405),
    ("POST", VIEW, JSON, call(prefetch={}), 412),
    ("POST", VIEW, JSON, call() | {"filler": "x" * 30_000}, 413),
    ("POST", VIEW, {"Content-Type": "text/plain"}, call(), 415),
    ("GET", "/healthz", {}, None, 200),
    ("GET", "/readyz", {}, None, 200),
    ("GET", "/metrics", {}, None, 200),
    ("GET", "/", {}, None, 200),
    ("GET", "/guideline", {}, None, 200),
    ("GET", "/guideline/none", {}, None, 404),
    ("GET", "/review", {}, None, 200),
    ("GET", "/fhir/ValueSet", {}, None, 200),
    ("GET", "/fhir/ValueSet/none", {}, None, 404),
    ("GET", "/openapi.json", {}, None, 200),
    ("GET", "/static/none", {}, None, 404),
    ("GET", "/none", {}, None, 404),
    ("GET", "/healthz/", {"Host": "elsewhere.example"}, None, 404),
    ("GET", "/fhir", {"Host": "elsewhere.example"}, None, 404),
    ("DELETE", "/healthz", {}, None, 405),
    ("OPTIONS", "/none", {}, None, 204),
]
IDS = [f"{method} {path} {status}" for method, path, *_, status in ROUTES]


@pytest.fixture(scope="module")
def sandbox(tmp_path_factory: pytest.TempPathFactory) -> Any:
    starter = Starter(tmp_path_factory.mktemp("sandbox"))
    yield starter(sandbox=True, body_limit=20_000)
    starter.running[0].stop()


def with_keys(folder: Path) -> dict[str, str]:
    """A client with a file of keys, so that nobody is asked for them."""
    key = ECAlgorithm.to_jwk(ec.generate_private_key(ec.SECP384R1()).public_key(), as_dict=True)
    (folder / "keys.json").write_text(json.dumps({"keys": [key | {"kid": "one"}]}), "utf-8")
    return NORTH | {"jwks_file": str(folder / "keys.json")}


def ask(service: Running, route: tuple[str, str, dict[str, str], Any, int], **more: str) -> httpx.Response:
    method, path, headers, body, _ = route
    sent = headers | {"Origin": more.pop("origin")} if "origin" in more else headers
    return (
        service.client.request(method, path, headers=sent, json=body)
        if body is not None
        else (service.client.request(method, path, headers=sent))
    )


READABLE = [route for route in ROUTES if route[1] != "/review"]  # which refuses other pages by itself


@pytest.mark.parametrize("route", READABLE, ids=[name for name in IDS if "/review" not in name])
def test_every_answer_may_be_read_by_an_allowed_origin_alone(sandbox: Running, route: Any) -> None:
    answer = ask(sandbox, route, origin=SANDBOX)
    assert answer.status_code == route[-1], answer.text
    assert answer.headers["Access-Control-Allow-Origin"] == SANDBOX
    assert "Access-Control-Allow-Credentials" not in answer.headers
    assert "Origin" in answer.headers["Vary"]
    for stranger in ("https://evil.example", f"{SANDBOX}.evil.example", "null", "http://sandbox.cds-hooks.org"):
        assert "Access-Control-Allow-Origin" not in ask(sandbox, route, origin=stranger).headers


@pytest.mark.parametrize("route", ROUTES, ids=IDS)
def test_every_answer_has_security_headers(sandbox: Running, route: Any) -> None:
    headers = ask(sandbox, route).headers
    assert headers["X-Content-Type-Options"] == "nosniff"
    assert "default-src 'none'" in headers["Content-Security-Policy"]
    assert "frame-ancestors 'none'" in headers["Content-Security-Policy"]
    assert headers["Referrer-Policy"] == "no-referrer"
    assert "Strict-Transport-Security" not in headers
    assert "Server" not in headers


def test_a_missing_token_is_told_to_the_page_as_well(start: Starter, tmp_path: Path) -> None:
    service = start(auth="required", clients=(with_keys(tmp_path),), cors_origins=(SANDBOX,))
    for path in ("/cds-services", VIEW):
        answer = service.client.request("GET" if path == "/cds-services" else "POST", path, headers={"Origin": SANDBOX})
        assert (answer.status_code, answer.headers["Access-Control-Allow-Origin"]) == (401, SANDBOX)


def test_too_many_calls_are_told_to_the_page_as_well(start: Starter) -> None:
    service = start(calls_per_second=0.1, overload="refuse", cors_origins=(SANDBOX,))
    service.call(call())
    answer = service.call(call(), Origin=SANDBOX)
    assert (answer.status_code, answer.headers["Access-Control-Allow-Origin"]) == (429, SANDBOX)
    assert "Retry-After" in answer.headers["Access-Control-Expose-Headers"]


def preflight(service: Running, origin: str, **more: str) -> httpx.Headers:
    asked = {"Access-Control-Request-Method": "POST", "Access-Control-Request-Headers": "authorization,content-type"}
    answer = service.client.options(VIEW, headers={"Origin": origin, **asked, **more})
    assert answer.status_code == 204
    return answer.headers


@pytest.mark.parametrize("origin", SANDBOX_ORIGINS)
def test_the_preflight_of_the_sandbox(sandbox: Running, origin: str) -> None:
    headers = preflight(sandbox, origin)
    assert headers["Access-Control-Allow-Origin"] == origin
    assert "POST" in headers["Access-Control-Allow-Methods"]
    assert {"authorization", "content-type"} <= set(headers["Access-Control-Allow-Headers"].split(", "))
    assert "Access-Control-Allow-Private-Network" not in headers


def test_a_public_page_may_reach_loopback_where_its_origin_is_allowed(sandbox: Running) -> None:
    asked = {"Access-Control-Request-Private-Network": "true"}
    assert preflight(sandbox, SANDBOX, **asked)["Access-Control-Allow-Private-Network"] == "true"
    assert "Access-Control-Allow-Private-Network" not in preflight(sandbox, "https://evil.example", **asked)


def test_the_sandbox_is_one_setting_away_and_off_by_default() -> None:
    assert Settings().origins == ()
    assert Settings(sandbox=True, cors_origins=("https://ehr.example",)).origins == (
        "https://ehr.example",
        *SANDBOX_ORIGINS,
    )


# Settings, host, and what the refusal says; empty where the start is allowed.
EXPOSURE: list[tuple[dict[str, Any], str, str]] = [
    ({}, "127.0.0.1", ""),
    ({}, "::1", ""),
    ({}, "0.0.0.0", "without authentication"),
    ({"plain_http": True}, "0.0.0.0", "without authentication"),
    ({"tls_certificate": "/c", "tls_key": "/k"}, "0.0.0.0", "without authentication"),
    ({"allow_open": True}, "0.0.0.0", ""),
    ({"auth": "required", "clients": (NORTH,)}, "127.0.0.1", ""),
    ({"auth": "required", "clients": (NORTH,)}, "0.0.0.0", "without TLS"),
    ({"auth": "required", "clients": (NORTH,)}, "::", "without TLS"),
    ({"auth": "required", "clients": (NORTH,), "plain_http": True}, "0.0.0.0", ""),
    ({"auth": "required", "clients": (NORTH,), "allow_open": True}, "0.0.0.0", ""),
    ({"auth": "required", "clients": (NORTH,), "tls_certificate": "/c", "tls_key": "/k"}, "0.0.0.0", ""),
    ({"auth": "required", "clients": (NORTH,), "trusted_proxies": ("10.0.0.1",)}, "0.0.0.0", ""),
]


@pytest.mark.parametrize(("chosen", "host", "text"), EXPOSURE)
def test_what_may_be_served_where(chosen: dict[str, Any], host: str, text: str) -> None:
    if not text:
        check_exposure(Settings(**chosen), host)
        return
    with pytest.raises(SettingsTrouble, match=text):
        check_exposure(Settings(**chosen), host)


def test_only_a_proxy_that_ends_tls_is_answered_where_nothing_else_encrypts(start: Starter, tmp_path: Path) -> None:
    trusting = {"auth": "required", "clients": (with_keys(tmp_path),), "trusted_proxies": ("127.0.0.0/8",)}
    assert needs_proxy_tls(Settings(**trusting), "0.0.0.0")
    assert not needs_proxy_tls(Settings(**trusting), "127.0.0.1")
    assert not needs_proxy_tls(Settings(**trusting, plain_http=True), "0.0.0.0")
    service = start(host="192.0.2.1", **trusting)
    statuses = {
        scheme: service.client.get("/cds-services", headers={"X-Forwarded-Proto": scheme}).status_code
        for scheme in ("https", "http", "HTTPS", "https,http", "")
    }
    assert statuses == {"https": 401, "http": 403, "HTTPS": 403, "https,http": 403, "": 403}
    assert service.client.get("/healthz").status_code == 200


@pytest.mark.parametrize(
    ("proxies", "believed"), [(("127.0.0.1",), True), (("127.0.0.0/8",), True), (("10.0.0.0/8",), False), ((), False)]
)
def test_forwarded_headers_are_believed_from_listed_proxies_alone(start: Starter, proxies: Any, believed: bool) -> None:
    service = start(trusted_proxies=proxies)
    answer = service.client.get("/healthz", headers={"X-Forwarded-Proto": "https", "X-Forwarded-For": "203.0.113.9"})
    assert ("Strict-Transport-Security" in answer.headers) == believed


@pytest.mark.parametrize("proxy", ["*", "10.0.0.0/33", "proxy.example", "10.0.0.1/8"])
def test_a_proxy_is_named_by_address(proxy: str) -> None:
    with pytest.raises(ValueError, match="expected addresses or networks"):
        Settings(trusted_proxies=(proxy,))


def test_a_clock_before_the_release_refuses_the_start() -> None:
    check_clock(RELEASED)
    with pytest.raises(SettingsTrouble, match=r"^The clock of this machine says 1970-01-01, .* Set the clock"):
        check_clock(datetime.datetime(1970, 1, 1, tzinfo=datetime.UTC))


def written(folder: Path, name: str, password: bytes = b"") -> tuple[Path, Path]:
    """A certificate for 127.0.0.1 and its key, made for this test."""
    key = ec.generate_private_key(ec.SECP256R1())
    subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)])
    now = datetime.datetime.now(datetime.UTC)
    builder = x509.CertificateBuilder(subject, subject, key.public_key(), x509.random_serial_number())
    builder = builder.not_valid_before(now - datetime.timedelta(days=1)).not_valid_after(
        now + datetime.timedelta(days=2)
    )
    alternative = x509.SubjectAlternativeName([x509.IPAddress(ip_address("127.0.0.1"))])
    certificate = builder.add_extension(alternative, critical=False).sign(key, hashes.SHA256())
    encryption = serialization.BestAvailableEncryption(password) if password else serialization.NoEncryption()
    paths = folder / f"{name}.pem", folder / f"{name}.key"
    paths[0].write_bytes(certificate.public_bytes(serialization.Encoding.PEM))
    paths[1].write_bytes(key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, encryption))
    return paths


def test_files_that_cannot_be_served_with_are_told_in_a_sentence(tmp_path: Path) -> None:
    one, other = written(tmp_path, "one"), written(tmp_path, "other")
    locked, rubbish, missing = (
        written(tmp_path, "locked", b"secret"),
        tmp_path / "rubbish.pem",
        tmp_path / "missing.pem",
    )
    rubbish.write_bytes(b"hello")
    broken = tmp_path / "broken.pem"
    broken.write_bytes(one[0].read_bytes()[:200])
    rows: list[tuple[Path | None, Path | None, str]] = [
        (one[0], None, "DYSTONIA_CDS_TLS_CERTIFICATE is set and DYSTONIA_CDS_TLS_KEY is not"),
        (None, one[1], "DYSTONIA_CDS_TLS_KEY is set and DYSTONIA_CDS_TLS_CERTIFICATE is not"),
        (one[0], other[1], "is not the key of"),
        (locked[0], locked[1], "a key without password"),
        (rubbish, one[1], "which is not PEM"),
        (one[0], missing, "cannot be read: No such file"),
        (tmp_path, one[1], "cannot be read: Is a directory"),
        (broken, one[1], "cannot be used"),
    ]
    for certificate, key, text in rows:
        with pytest.raises(SettingsTrouble, match=text) as caught:
            certificate_files(Settings(tls_certificate=certificate, tls_key=key))
        assert str(caught.value).endswith(".")
    assert certificate_files(Settings(tls_certificate=one[0], tls_key=one[1])) == one
    assert certificate_files(Settings()) is None


@pytest.mark.filterwarnings("ignore:ssl.TLSVersion")
def test_the_service_over_tls(start: Starter, tmp_path: Path) -> None:
    files = written(tmp_path, "served")
    trust = ssl.create_default_context(cafile=str(files[0]))
    service = start(files=files)
    assert service.address.startswith("https://")
    with httpx.Client(base_url=service.address, verify=trust, trust_env=False) as client:
        answer = client.post(VIEW, json=call())
        assert answer.status_code == 200
        assert answer.headers["Strict-Transport-Security"] == "max-age=31536000"
        assert client.get("/none").headers["Strict-Transport-Security"]
    old = ssl.create_default_context(cafile=str(files[0]))
    old.minimum_version = ssl.TLSVersion.TLSv1
    old.maximum_version = ssl.TLSVersion.TLSv1_1
    old.set_ciphers("ALL:@SECLEVEL=0")
    with (
        httpx.Client(base_url=service.address, verify=old, trust_env=False) as client,
        pytest.raises(httpx.ConnectError),
    ):
        client.get("/healthz")


def test_a_call_is_fired_over_tls_where_the_authority_is_named(start: Starter, tmp_path: Path) -> None:
    files = written(tmp_path, "served")
    service = start(files=files)
    (tmp_path / "call.json").write_text(json.dumps(call()), "utf-8")
    told = ["fire", str(tmp_path / "call.json"), "--url", f"{service.address}/cds-services"]
    refused = CliRunner().invoke(app, told)
    assert str(refused.exception).endswith("Name the authority that signed its certificate with --authorities.")
    answered = CliRunner().invoke(app, [*told, "--authorities", str(files[0])])
    assert (answered.exit_code, "(durable)" in answered.output) == (0, True), answered.output
    unknown = CliRunner().invoke(app, [*told, "--authorities", str(files[1])])
    assert "holds no certificate authorities" in str(unknown.exception)


def test_the_address_served_says_https() -> None:
    listener = listen("127.0.0.1", 0)
    with listener:
        assert address_of("127.0.0.1", listener, "https").startswith("https://127.0.0.1:")


def test_a_start_with_unusable_files_ends_with_one_sentence(tmp_path: Path) -> None:
    (tmp_path / "c.pem").write_bytes(b"hello")
    told = environment(
        tmp_path, DYSTONIA_CDS_TLS_CERTIFICATE=str(tmp_path / "c.pem"), DYSTONIA_CDS_TLS_KEY=str(tmp_path / "c.pem")
    )
    command = [sys.executable, "-m", "cds_hooks.cli", "serve", "--port", str(free_port())]
    done = subprocess.run(command, env=told, capture_output=True, text=True, timeout=60, check=False)
    assert done.returncode == 1
    assert "which is not PEM" in done.stderr
    assert "Traceback" not in done.stderr
