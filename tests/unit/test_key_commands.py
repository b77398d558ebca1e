"""The commands ``keys …`` and ``fire --token-key``, held against a service that asks for tokens."""

from __future__ import annotations

import json
import stat
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import jwt
import pytest
from typer.testing import CliRunner

from cds_hooks.auth.jwks import read_set
from cds_hooks.auth.maker import make_key
from cds_hooks.cli import app
from cds_hooks.errors import CallTrouble
from tests.contract.conftest import call
from tests.support.server import Service, running

Json = dict[str, Any]
ISSUER = "https://north.example/oauth2"
TOY = {"DYSTONIA_CDS_PLUGIN": "tests.contract.toy:PLUGIN"}


def keys(*arguments: str, expected: type[BaseException] | None = None) -> str:
    """What a command prints; its sentence where it is refused."""
    result = CliRunner().invoke(app, ["keys", *arguments])
    if expected is not None:
        assert isinstance(result.exception, expected), result.output
        return str(result.exception)
    assert result.exit_code == 0, result.output
    return result.output


@pytest.mark.parametrize("algorithm", ["ES384", "RS384", "ES256", "RS256"])
def test_a_made_key_signs_and_its_public_part_can_be_registered(tmp_path: Path, algorithm: str) -> None:
    file = tmp_path / "private.jwk.json"
    assert str(file) in keys("make", "--algorithm", algorithm, "--out", str(file))
    private = json.loads(file.read_text("utf-8"))
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    shown = keys("show", str(file))
    assert private["d"] not in shown
    assert list(read_set(shown.encode()).keys) == [private["kid"]]
    arguments = ("--issuer", ISSUER, "--audience", "https://cds.example/cds-services", "--tenant", "ward-7")
    first, second = (keys("token", str(file), *arguments).strip() for _ in range(2))
    public = jwt.PyJWK(json.loads(shown)["keys"][0], algorithm)
    claims = jwt.decode(first, public, [algorithm], audience="https://cds.example/cds-services", issuer=ISSUER)
    assert (claims["exp"] - claims["iat"], claims["tenant"]) == (300, "ward-7")
    assert claims["jti"] != jwt.decode(second, public, [algorithm], audience=claims["aud"])["jti"]
    assert "tenant" not in jwt.decode(
        keys("token", str(file), *arguments[:4], "--seconds", "60").strip(), public, [algorithm], audience=claims["aud"]
    )


def test_a_key_is_never_overwritten(tmp_path: Path) -> None:
    file = tmp_path / "key.json"
    file.write_text("mine", "utf-8")
    assert "exists and is not overwritten" in keys("make", "--out", str(file), expected=CallTrouble)
    assert file.read_text("utf-8") == "mine"


BAD_FILES: list[tuple[str, Any, str]] = [
    ("no JSON", "-----BEGIN EC PRIVATE KEY-----", "holds no private key with kid and alg"),
    ("a list", [1], "holds no private key"),
    ("a public key", {"kty": "EC", "kid": "a", "alg": "ES384"}, "holds no private key"),
    ("no kid", {"kty": "EC", "alg": "ES384", "d": "secret-d"}, "holds no private key"),
    ("no numbers", {"kty": "EC", "crv": "P-384", "kid": "a", "alg": "ES384", "d": "secret-d"}, "cannot sign"),
    ("another alg", make_key("ES384") | {"alg": "RS384"}, "cannot sign"),
    ("an unknown alg", make_key("ES384") | {"alg": "XX1"}, "cannot sign"),
]


@pytest.mark.parametrize(("content", "sentence"), [row[1:] for row in BAD_FILES], ids=[row[0] for row in BAD_FILES])
def test_a_file_that_is_no_private_key(tmp_path: Path, content: Any, sentence: str) -> None:
    file = tmp_path / "key.json"
    file.write_text(content if isinstance(content, str) else json.dumps(content), "utf-8")
    told = keys("token", str(file), "--issuer", ISSUER, "--audience", "https://x.example", expected=CallTrouble)
    assert sentence in told
    assert "secret-d" not in told


@pytest.mark.parametrize("arguments", [("show", "nowhere.json"), ("make", "--out", "nowhere/key.json")])
def test_a_file_that_is_not_there(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, arguments: Sequence[str]) -> None:
    monkeypatch.chdir(tmp_path)
    assert "No such file or directory" in keys(*arguments, expected=CallTrouble)


@pytest.fixture(scope="module")
def guarded(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Service, Path]]:
    """A service that asks for tokens, set up as an integrator would, and the private key of its only client."""
    folder = tmp_path_factory.mktemp("guarded")
    file, jwks, settings = (folder / name for name in ("private.jwk.json", "north.jwks.json", "settings.toml"))
    keys("make", "--out", str(file))
    jwks.write_text(keys("show", str(file)), "utf-8")
    added = CliRunner().invoke(
        app, ["client", "add", "north", f"issuer={ISSUER}", f"jwks_file={jwks.name}", "--file", str(settings)]
    )
    assert added.exit_code == 0, added.output
    more = {"DYSTONIA_CDS_CONFIG": str(settings), "DYSTONIA_CDS_AUTH": "required"}
    with running(folder, **TOY, **more) as service:
        yield service, file


def fired(service: Service, folder: Path, *arguments: str) -> tuple[int, str]:
    """Exit code and output of ``fire`` against ``service``."""
    file = folder / "call.json"
    file.write_text(json.dumps(call()), "utf-8")
    result = CliRunner().invoke(app, ["fire", str(file), "--url", service.url, *arguments])
    return result.exit_code, str(result.exception) if isinstance(result.exception, CallTrouble) else result.output


@pytest.mark.parametrize("service_named", [(), ("--service", "toy-patient-view")])
def test_fire_signs_a_token_for_each_request(
    guarded: tuple[Service, Path], tmp_path: Path, service_named: Sequence[str]
) -> None:
    service, key = guarded
    for _ in range(2):
        code, told = fired(service, tmp_path, "--token-key", str(key), "--issuer", ISSUER, *service_named)
        assert code == 0, told
        assert "A toy" in told


FIRES: list[tuple[str, Sequence[str], str]] = [
    ("without a token", (), "Status 401: This service needs a token"),
    ("of another issuer", ("--token-key", "KEY", "--issuer", "https://south.example"), "Status 401"),
    ("of an unknown tenant", ("--token-key", "KEY", "--issuer", ISSUER, "--tenant", "ward-7"), "Status 401"),
    ("without an issuer", ("--token-key", "KEY"), "--token-key needs --issuer"),
]


@pytest.mark.parametrize(("arguments", "sentence"), [row[1:] for row in FIRES], ids=[row[0] for row in FIRES])
def test_fire_with_a_token_that_is_not_accepted(
    guarded: tuple[Service, Path], tmp_path: Path, arguments: Sequence[str], sentence: str
) -> None:
    service, key = guarded
    code, told = fired(service, tmp_path, *(str(key) if one == "KEY" else one for one in arguments))
    assert code == 1
    assert sentence in told


def test_a_key_without_an_address_is_told(tmp_path: Path) -> None:
    result = CliRunner().invoke(app, ["fire", "call.json", "--token-key", "key.json", "--issuer", ISSUER])
    assert "--token-key needs --url" in str(result.exception)


def test_a_printed_token_opens_discovery(guarded: tuple[Service, Path]) -> None:
    service, key = guarded
    address = f"{service.url}/cds-services"
    token = keys("token", str(key), "--issuer", ISSUER, "--audience", address).strip()
    assert service.ask("/cds-services", None, Authorization=f"Bearer {token}").status == 200
    assert service.ask("/cds-services").status == 401
