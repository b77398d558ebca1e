"""The commands ``client …``: what they write can be loaded, what they refuse is left as it was."""

from __future__ import annotations

import json
import stat
import tomllib
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner

from cds_hooks.auth.maker import make_key, public_set
from cds_hooks.cli import app
from cds_hooks.clients import Client
from cds_hooks.errors import SettingsTrouble
from cds_hooks.settings import load
from tests.support.doctor import ISSUER, TOY
from tests.support.fhir_server import serving
from tests.support.tokens import key_server

Json = dict[str, Any]
STATEMENT = {
    "resourceType": "CapabilityStatement",
    "fhirVersion": "4.0.1",
    "rest": [{"resource": [{"type": "Observation", "searchParam": [{"name": "patient"}]}]}],
}


@pytest.fixture
def file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The settings file that the environment names; it is not there yet."""
    path = tmp_path / "settings.toml"
    monkeypatch.setenv("DYSTONIA_CDS_CONFIG", str(path))
    monkeypatch.setenv("DYSTONIA_CDS_PLUGIN", TOY)
    monkeypatch.setenv("COLUMNS", "200")
    return path


def client(*arguments: str, code: int = 0) -> str:
    """What the command prints; a sentence where it is refused."""
    result = CliRunner().invoke(app, ["client", *arguments])
    if isinstance(result.exception, SettingsTrouble):
        assert code == 1, result.exception
        return str(result.exception)
    assert result.exit_code == code, result.output
    return result.output


ADDED: list[tuple[str, Sequence[str], Json]] = [
    ("a name alone", (), {}),
    ("one address", ("issuer=" + ISSUER,), {"issuer": ISSUER}),
    ("a list", ("fhir_servers=https://a.example/r4,https://b.example/r4",), {"fhir_servers": ("https://a.example/r4", "https://b.example/r4")}),
    ("a switch", ("silent=on", "fhir_open=off"), {"silent": True, "fhir_open": False}),
    ("a number", ("calls_per_second=2.5",), {"calls_per_second": 2.5}),
    ("a choice", ("dialect=epic", "jurisdiction=uk"), {"dialect": "epic", "jurisdiction": "uk"}),
    ("algorithms", ("algorithms=RS384,RS256",), {"algorithms": ("RS384", "RS256")}),
    ("no keys at all", ("expected_keys=",), {"expected_keys": ()}),
    ("equals in it", ("audiences=a=b",), {"audiences": ("a=b",)}),
    ("quotes and signs", ('issuer=urn:"ä\\',), {"issuer": 'urn:"ä\\'}),
]  # fmt: skip


@pytest.mark.parametrize(("fields", "expected"), [row[1:] for row in ADDED], ids=[row[0] for row in ADDED])
def test_what_is_written_is_what_is_loaded(file: Path, fields: Sequence[str], expected: Json) -> None:
    assert "client check north" in client("add", "north", *fields)
    assert load().clients == (Client(name="north", **expected),)


def test_the_rest_of_the_file_stays(file: Path) -> None:
    before = '# ours\njurisdiction = "uk"  # since May\n\n[thresholds]\noverride_days = 14\n'
    file.write_text(before, "utf-8")
    file.chmod(0o640)
    client("add", "north", f"issuer={ISSUER}")
    client("add", "south", "dialect=athena")
    assert file.read_text("utf-8").startswith(before)
    assert stat.S_IMODE(file.stat().st_mode) == 0o640
    assert [one.name for one in load().clients] == ["north", "south"]
    assert [one.name for one in file.parent.iterdir()] == ["settings.toml"]


def test_a_dry_run_prints_and_writes_nothing(file: Path) -> None:
    printed = client("add", "north", f"issuer={ISSUER}", "dialect=epic", "--dry-run")
    assert tomllib.loads(printed) == {"clients": [{"name": "north", "issuer": ISSUER, "dialect": "epic"}]}
    assert not file.exists()


def test_another_file_may_be_named(file: Path) -> None:
    other = file.with_name("other.toml")
    client("add", "north", "--file", str(other))
    assert not file.exists()
    assert tomllib.loads(other.read_text("utf-8")) == {"clients": [{"name": "north"}]}


REFUSED: list[tuple[str, str, Sequence[str], str]] = [
    ("an unknown field", "", ("issuers=x",), "Got 'issuers', expected FIELD=VALUE."),
    ("no value", "", ("issuer",), "Got 'issuer', expected FIELD=VALUE."),
    ("a name twice", "", ("name=south",), "Got 'name', expected FIELD=VALUE."),
    ("a table", "", ("preference_list=x",), "Got 'preference_list', which is a table of its own"),
    ("a long word", "", ("x" * 500,), "x…', expected FIELD=VALUE."),
    ("a dialect", "", ("dialect=meditech",), "[[clients]] number 1, dialect: got 'meditech', expected"),
    ("an algorithm", "", ("algorithms=HS256",), "got 'HS256', expected"),
    ("an address", "", ("fhir_servers=fhir.example",), "expected an http or https address"),
    ("a password", "", ("fhir_servers=https://me:canary@fhir.example",), "//***@fhir.example"),
    ("a service that there is not", "", ("services=dystonia-order-sing",), "services names dystonia-order-sing, which"),
    ("a number", "", ("calls_per_second=many",), "got 'many', expected"),
    ("a second of its name", '[[clients]]\nname = "north"\n', (), "two clients have the same name (north)"),
    ("not TOML", "jurisdiction = uk\n", (), "is not TOML"),
    ("a key that is none", "jurisdicton = 'uk'\n", (), "holds the unknown key 'jurisdicton'"),
]


@pytest.mark.parametrize(
    ("before", "fields", "sentence"), [row[1:] for row in REFUSED], ids=[row[0] for row in REFUSED]
)
def test_what_cannot_be_written(file: Path, before: str, fields: Sequence[str], sentence: str) -> None:
    file.write_text(before, "utf-8")
    told = client("add", "north", *fields, code=1)
    assert sentence in told
    assert "canary" not in told
    assert len(told) < 1200
    assert file.read_text("utf-8") == before


@pytest.mark.parametrize("name", ["North", "", "a b", "-north", "n" * 65])
def test_names_that_are_none(file: Path, name: str) -> None:
    assert "[[clients]] number 1, name: got" in client("add", "--", name, code=1)
    assert not file.exists()


def test_a_settings_file_must_be_named(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.delenv("DYSTONIA_CDS_CONFIG", raising=False)
    assert "Which settings file?" in client("add", "north", code=1)
    told = client("add", "north", "--file", str(tmp_path / "nowhere" / "settings.toml"), code=1)
    assert "cannot be written: No such file or directory" in told


def test_every_field_is_explained() -> None:
    printed = client("fields")
    for name, field in Client.model_fields.items():
        assert field.description
        assert f"{name} " in printed
        assert field.description in printed


def test_a_client_that_can_be_reached(file: Path) -> None:
    private = make_key()
    with key_server(public_set([private])) as keys, serving(fault=lambda _: STATEMENT) as fhir:
        client("add", "north", f"issuer={ISSUER}", f"jwks_urls={keys.url}", f"fhir_servers={fhir.base}")
        printed = client("check", "north")
        assert (keys.asked, [one.path for one in fhir.asked]) == (1, ["metadata"])
    assert "ok    north keys: " in printed
    assert "ok    north FHIR server: It names every search that is asked for." in printed
    assert "WRONG north keys" in client("check", "north", code=1), "both servers are gone"


def test_keys_in_a_file_are_checked(file: Path) -> None:
    jwks = file.with_name("north.json")
    jwks.write_text(json.dumps(public_set([make_key()])), "utf-8")
    client("add", "north", f"issuer={ISSUER}", "jwks_file=north.json")
    assert f"ok    north keys: {jwks}: keys that can be used: 1," in client("check", "north")
    jwks.unlink()
    assert "WRONG north keys" in client("check", "north", code=1)


def test_an_unknown_client(file: Path) -> None:
    client("add", "north")
    assert "There is no client 'south'. Registered: north." in client("check", "south", code=1)


LACKING: list[tuple[str, Sequence[str], str]] = [
    ("no issuer", (), "warn  north: It has no issuer"),
    ("no keys", (f"issuer={ISSUER}",), "WRONG north keys: It has an issuer and no keys."),
    ("no file", (f"issuer={ISSUER}", "jwks_file=none.json"), "none.json cannot be read: No such file"),
    ("no set of keys", (f"issuer={ISSUER}", "jwks_file=settings.toml"), "WRONG north keys"),
]


@pytest.mark.parametrize(("fields", "told"), [row[1:] for row in LACKING], ids=[row[0] for row in LACKING])
def test_what_a_new_table_lacks_is_told(file: Path, fields: Sequence[str], told: str) -> None:
    file.write_text("silent = true\n", "utf-8")
    assert told in client("add", "north", *fields)


def test_names_and_addresses_of_the_list_are_whole(file: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("COLUMNS", "80")
    client("add", "north-of-the-river", f"issuer={ISSUER}", "jwks_urls=https://north.example/oauth2/keys")
    printed = client("list")
    assert all(whole in printed for whole in ("north-of-the-river", ISSUER, "https://north.example/oauth2/keys"))


def test_help_names_what_is_written() -> None:
    assert "[]" not in client("--help")


def test_a_list_of_nobody_says_so(file: Path) -> None:
    file.write_text("", "utf-8")
    assert client("list").strip() == "No client is registered; `client add` writes the table of one."


def test_the_list(file: Path) -> None:
    client("add", "north", f"issuer={ISSUER}", "jwks_file=north.json", "dialect=epic", "silent=on")
    client("add", "south", "tenant=ward-7", "jwks_urls=https://south.example/keys")
    north, south = (line for line in client("list").splitlines() if "north" in line or "south" in line)
    assert all(part in north for part in (ISSUER, "north.json", "epic", "us", "silent"))
    assert all(part in south for part in ("ward-7", "https://south.example/keys", "generic", "us", "shown"))
