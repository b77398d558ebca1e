"""Settings from the environment and from a file, and the sentences about those that cannot be used."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from cds_hooks.clients import Client
from cds_hooks.errors import SettingsTrouble
from cds_hooks.setting_table import describe
from cds_hooks.settings import Settings, check_exposure, is_loopback, load, unknown_variables


@pytest.fixture(autouse=True)
def clean(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in list(os.environ):
        if name.startswith("DYSTONIA_CDS_"):
            monkeypatch.delenv(name)


def test_defaults() -> None:
    settings = load()
    assert (settings.jurisdiction, settings.auth, settings.budget_ms) == ("us", "off", 500)
    assert (settings.body_limit, settings.cors_origins, settings.audit) == (5 * 1024 * 1024, (), True)
    assert settings.database == "sqlite:///dystonia-cds.db"
    assert settings.data_dir.name == "dystonia-cds"
    assert settings.site("http://127.0.0.1:8000").public_url == "http://127.0.0.1:8000"


VALUES = [
    ("JURISDICTION", "eu", "jurisdiction", "eu"),
    ("PUBLIC_URL", "https://cds.example/", "public_url", "https://cds.example"),
    ("CANONICAL", "https://a.example/fhir/", "canonical", "https://a.example/fhir"),
    (
        "CORS_ORIGINS",
        "https://a.example, https://b.example",
        "cors_origins",
        ("https://a.example", "https://b.example"),
    ),
    (
        "CORS_ORIGINS",
        "https://a.example https://B.example/",
        "cors_origins",
        ("https://a.example", "https://b.example"),
    ),
    ("CORS_ORIGINS", '["https://a.example"]', "cors_origins", ("https://a.example",)),
    ("CORS_ORIGINS", "", "cors_origins", ()),
    ("TRY_IT", "on", "try_it", True),
    ("TRY_IT", "off", "try_it", False),
    ("AUDIT", "OFF", "audit", False),
    ("ALLOW_OPEN", "true", "allow_open", True),
    ("BUDGET_MS", "250.5", "budget_ms", 250.5),
    ("BODY_LIMIT", "1000", "body_limit", 1000),
    ("PLUGIN", "a.b:C", "plugin", "a.b:C"),
    ("DATABASE", "postgresql://h/d", "database", "postgresql://h/d"),
    ("DATA_DIR", "/data", "data_dir", Path("/data")),
    ("EXPECTED_KEYS", "patient,things", "expected_keys", ("patient", "things")),
]


@pytest.mark.parametrize(("name", "text", "field", "value"), VALUES)
def test_the_environment(monkeypatch: pytest.MonkeyPatch, name: str, text: str, field: str, value: object) -> None:
    monkeypatch.setenv(f"DYSTONIA_CDS_{name}", text)
    assert getattr(load(), field) == value


BAD = [
    ("JURISDICTION", "mars", "got 'mars', expected 'us', 'eu' or 'uk'"),
    ("AUTH", "maybe", "got 'maybe'"),
    ("AUDIT", "perhaps", "got 'perhaps', expected on or off"),
    ("BUDGET_MS", "soon", "got 'soon'"),
    ("BUDGET_MS", "0", "got '0'"),
    ("BODY_LIMIT", "5 MiB", "got '5 MiB'"),
    ("CORS_ORIGINS", "*", "expected exact origins"),
    ("CORS_ORIGINS", "ehr.example", "expected exact origins"),
    ("CORS_ORIGINS", "[1", "expected a JSON list"),
    ("PUBLIC_URL", "cds.example", "expected an http or https address"),
]


@pytest.mark.parametrize(("name", "text", "sentence"), BAD)
def test_a_bad_value_is_named(monkeypatch: pytest.MonkeyPatch, name: str, text: str, sentence: str) -> None:
    monkeypatch.setenv(f"DYSTONIA_CDS_{name}", text)
    with pytest.raises(SettingsTrouble) as trouble:
        load()
    assert str(trouble.value).startswith(f"DYSTONIA_CDS_{name}: ")
    assert sentence in str(trouble.value)


def test_a_file(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    file = tmp_path / "cds.toml"
    file.write_text('jurisdiction = "uk"\ncors_origins = ["https://a.example"]\naudit = false\ntry_it = "off"\n')
    monkeypatch.setenv("DYSTONIA_CDS_CONFIG", str(file))
    settings = load()
    assert (settings.jurisdiction, settings.cors_origins) == ("uk", ("https://a.example",))
    assert (settings.audit, settings.try_it) == (False, False)
    monkeypatch.setenv("DYSTONIA_CDS_JURISDICTION", "eu")
    assert load().jurisdiction == "eu"


@pytest.mark.parametrize(
    ("content", "sentence"),
    [
        ('jurisdicton = "eu"', "unknown key 'jurisdicton'"),
        ("budget_ms = ", "is not TOML"),
        (None, "cannot be read"),
        ("budget_ms = -1", "DYSTONIA_CDS_BUDGET_MS: got -1"),
    ],
)
def test_a_bad_file_is_named(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, content: str | None, sentence: str
) -> None:
    file = tmp_path / "cds.toml"
    if content is not None:
        file.write_text(content)
    monkeypatch.setenv("DYSTONIA_CDS_CONFIG", str(file))
    with pytest.raises(SettingsTrouble) as trouble:
        load()
    assert sentence in str(trouble.value)
    assert str(file) in str(trouble.value) or "BUDGET" in sentence


def test_a_misspelt_variable_is_noticed(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DYSTONIA_CDS_JURISDICTON", "eu")
    assert unknown_variables() == ["DYSTONIA_CDS_JURISDICTON"]


@pytest.mark.parametrize(
    ("host", "local"),
    [("127.0.0.1", True), ("127.9.9.9", True), ("::1", True), ("localhost", True), ("0.0.0.0", False), ("::", False)],
)
def test_loopback(host: str, local: bool) -> None:
    assert is_loopback(host) == local
    assert Settings().offers_try_it(host) == local


def test_an_open_address_is_refused_unless_allowed() -> None:
    check_exposure(Settings(), "127.0.0.1")
    with pytest.raises(SettingsTrouble, match=r"Refusing to serve on 0\.0\.0\.0 without authentication"):
        check_exposure(Settings(), "0.0.0.0")
    check_exposure(Settings(allow_open=True), "0.0.0.0")


def test_a_token_check_is_never_pretended() -> None:
    for clients in ((), ({"name": "north"},)):
        with pytest.raises(SettingsTrouble, match="needs at least one client with an issuer"):
            check_exposure(Settings(auth="required", clients=clients), "127.0.0.1")
    north = ({"name": "north", "issuer": "https://north.example"},)
    check_exposure(Settings(auth="required", clients=north, plain_http=True), "0.0.0.0")


def test_a_file_of_keys_lies_beside_the_settings_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    names = ("keys.json", "sub/keys.json", "/etc/keys.json")
    tables = [f'[[clients]]\nname = "c{number}"\njwks_file = "{name}"\n' for number, name in enumerate(names)]
    (tmp_path / "site.toml").write_text("".join(tables), "utf-8")
    monkeypatch.setenv("DYSTONIA_CDS_CONFIG", str(tmp_path / "site.toml"))
    found = [client.jwks_file for client in load().clients]
    assert found == [tmp_path / "keys.json", tmp_path / "sub" / "keys.json", Path("/etc/keys.json")]


@pytest.mark.parametrize(
    "address",
    ["ehr.example/keys.json", "https://ehr.example", "https://ehr.example/", "https://ehr.example/a b", "file:///keys",
     "data:application/json,{}", "https://ehr.example/keys.json#x"],
)  # fmt: skip
def test_an_address_of_keys_is_a_whole_one(address: str) -> None:
    with pytest.raises(ValueError, match=r"expected addresses such as https://ehr\.example"):
        Client(name="c", jwks_urls=(address,))
    kept = "https://ehr.example/.well-known/jwks.json?policy=a"
    assert Client(name="c", jwks_urls=(kept,)).jwks_urls == (kept,)


def test_every_setting_is_described() -> None:
    rows = describe()
    assert [row[0] for row in rows[1:]] == [f"DYSTONIA_CDS_{name.upper()}" for name in Settings.model_fields]
    assert all(text for row in rows for text in row)
    kinds = {row[0].removeprefix("DYSTONIA_CDS_"): row[1:3] for row in rows}
    assert kinds["JURISDICTION"] == ("us, eu, uk", "us")
    assert kinds["AUDIT"] == ("on, off", "on")
    assert kinds["CORS_ORIGINS"] == ("list", "empty")
    assert kinds["BODY_LIMIT"] == ("whole number", "5242880")


@pytest.mark.parametrize("networks", ["hospital", "10.0.0.0/99", "10.0.0.1/8"])
@pytest.mark.parametrize("where", ["fhir_networks", "trusted_proxies"])
def test_a_network_is_one(where: str, networks: str) -> None:
    with pytest.raises(ValueError, match="expected addresses or networks"):
        Settings(**{where: networks})
    with pytest.raises(ValueError, match="expected addresses or networks"):
        Settings(clients=({"name": "north", "fhir_networks": networks},))
