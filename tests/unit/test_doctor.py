"""``dystonia-cds doctor``: each check with the files, sockets and servers that it looks at."""

from __future__ import annotations

import json
import os
import socket
import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner

from cds_hooks.audit import open_store
from cds_hooks.auth.maker import make_key
from cds_hooks.cli import app
from cds_hooks.clients import Client
from cds_hooks.doctor import Ground, machine, setup
from cds_hooks.doctor.cli import examine
from cds_hooks.settings import Given
from tests.support.doctor import ISSUER, NOW, TOY, certificate, expect, ground, told
from tests.support.fhir_server import serving
from tests.support.server import Service, free_port, running

Json = dict[str, Any]


# the machine


def test_python_and_sqlite_are_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    expect(machine.python(ground(tmp_path)), "ok python: Python 3.")
    monkeypatch.setattr("sys.version_info", (3, 10, 4))
    expect(machine.python(ground(tmp_path)), "wrong python: Python 3.10. Run the service with Python 3.11")


@pytest.mark.parametrize(("version", "warned"), [((3, 6, 9), False), ((3, 7, 0), True), ((3, 51, 2), True)])
def test_a_sqlite_that_could_damage_a_log_is_told(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, version: tuple[int, int, int], warned: bool
) -> None:
    monkeypatch.setattr(sqlite3, "sqlite_version_info", version)
    (check,) = machine.sqlite(ground(tmp_path))
    assert ("can damage a log" in check.found) is warned
    assert sqlite3.sqlite_version in check.found


@pytest.mark.parametrize(
    ("now", "said"),
    [(NOW, "ok clock: The clock says 2026-11-22 10:00 UTC."), (datetime(2020, 1, 1, tzinfo=UTC), "wrong clock: ")],
)
def test_the_clock(tmp_path: Path, now: datetime, said: str) -> None:
    expect(machine.clock(ground(tmp_path, now=now)), said)


@pytest.mark.parametrize(("free", "said"), [(10**12, "ok"), (500 * 1024**2, "warn"), (10 * 1024**2, "wrong")])
def test_room_in_the_data_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, free: int, said: str) -> None:
    monkeypatch.setattr("shutil.disk_usage", lambda _: type("Usage", (), {"free": free}))
    expect(machine.disk(ground(tmp_path / "not-yet-there")), f"{said} data folder: {tmp_path}/not-yet-there can be")


def test_a_data_folder_that_cannot_be_written(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("", "utf-8")
    said = f"wrong data folder: {tmp_path}/file cannot be written. Correct its permissions, or name another folder"
    expect(machine.disk(ground(tmp_path / "file" / "data")), said)


def test_the_port(tmp_path: Path) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        expect(machine.port(ground(tmp_path, port=port)), f"warn port: Port {port} on 127.0.0.1 cannot be opened")
    expect(machine.port(ground(tmp_path, port=free_port())), "ok port: Port ")
    expect(machine.port(ground(tmp_path, host="192.0.2.1", port=port)), "warn port: ")


# what was configured


def test_variables_that_are_no_setting(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DYSTONIA_CDS_JURISDICTON", "canary-eu")
    expect(setup.variables(ground(tmp_path)), "warn settings: DYSTONIA_CDS_JURISDICTON is no setting.")
    assert "canary" not in told(setup.variables(ground(tmp_path)))


TOKENS = {"auth": "required", "clients": ({"name": "north", "issuer": ISSUER, "jwks_urls": "https://n.example/k"},)}
EXPOSED: list[tuple[str, str, Json, str]] = [
    ("loopback", "127.0.0.1", {}, "ok exposure: On 127.0.0.1, tokens not asked for."),
    ("tokens", "127.0.0.1", TOKENS, "ok exposure: On 127.0.0.1, tokens required."),
    ("open", "0.0.0.0", {"allow_open": True}, "warn exposure: On 0.0.0.0, tokens not asked for. Whoever reaches"),
    ("refused", "0.0.0.0", {}, "wrong exposure: Refusing to serve on 0.0.0.0 without authentication"),
    ("no TLS", "0.0.0.0", TOKENS, "wrong exposure: Refusing to serve on 0.0.0.0 without TLS"),
    ("no clients", "127.0.0.1", {"auth": "required"}, "wrong exposure: DYSTONIA_CDS_AUTH=required needs at least one"),
]


@pytest.mark.parametrize(("host", "settings", "said"), [row[1:] for row in EXPOSED], ids=[row[0] for row in EXPOSED])
def test_who_can_reach_the_service(tmp_path: Path, host: str, settings: Json, said: str) -> None:
    expect(setup.exposure(ground(tmp_path, host=host, **settings)), said)


@pytest.mark.parametrize(
    ("days", "said"),
    [
        (200, "ok tls: The certificate cds.pem holds until 2027-06-10."),
        (20, "warn tls: The certificate cds.pem holds until 2026-12-12. Renew it soon."),
        (-1, "wrong tls: The certificate cds.pem holds until 2026-11-21. Renew it: every client refuses"),
    ],
)
def test_how_long_the_certificate_holds(tmp_path: Path, days: int, said: str) -> None:
    expect(setup.tls(ground(tmp_path, **certificate(tmp_path, days))), said)


def test_the_authorities_of_the_hospital(tmp_path: Path) -> None:
    assert list(setup.authorities(ground(tmp_path))) == []
    path = certificate(tmp_path, 100)["tls_certificate"]
    expect(setup.authorities(ground(tmp_path, fhir_authorities=path)), "ok authorities: cds.pem holds 1.")
    path.write_text("nothing", "utf-8")
    expect(setup.authorities(ground(tmp_path, fhir_authorities=path)), "wrong authorities: ", "holds no certificate")
    gone = tmp_path / "gone.pem"
    expect(setup.authorities(ground(tmp_path, fhir_authorities=gone)), "wrong authorities: ", "gone.pem", "(PEM)")


def test_certificates_that_cannot_be_used(tmp_path: Path) -> None:
    expect(setup.tls(ground(tmp_path)), "ok tls: Plain HTTP")
    files = certificate(tmp_path, 100)
    expect(setup.tls(ground(tmp_path, tls_key=files["tls_key"])), "wrong tls: DYSTONIA_CDS_TLS_KEY is set and")
    files["tls_certificate"].write_text("-----BEGIN CERTIFICATE-----\nnothing\n", "utf-8")
    expect(setup.tls(ground(tmp_path, **files)), "wrong tls: DYSTONIA_CDS_TLS_CERTIFICATE and")


def test_the_audit_store(tmp_path: Path) -> None:
    expect(setup.store(ground(tmp_path)), "is made at the first start.")
    assert list(tmp_path.iterdir()) == [], "looking changes nothing"
    expect(setup.store(ground(tmp_path, audit=False)), "warn audit: The audit is off")
    expect(setup.store(ground(tmp_path, database="postgresql://me:canary@db/x")), "wrong audit: Got a postgresql")
    assert "canary" not in told(setup.store(ground(tmp_path, database="postgresql://me:canary@db/x")))
    store = open_store("sqlite:///dystonia-cds.db", tmp_path)
    expect(setup.store(ground(tmp_path)), "dystonia-cds.db holds 0 calls.", "ok audit: A running service writes")
    store.close()
    assert "running" not in told(setup.store(ground(tmp_path)))
    (tmp_path / "dystonia-cds.db").write_bytes(b"no database " * 1000)
    expect(setup.store(ground(tmp_path)), "wrong audit: ", "cannot be read")


KEY_FILES: list[tuple[str, bytes | None, int, str]] = [
    ("not yet there", None, 0, "ok pseudonym key: It is made at the first start."),
    ("whole", b"ab" * 32, 0o600, "ok pseudonym key: It is whole"),
    ("for all to read", b"ab" * 32, 0o644, "warn pseudonym key: Others than its owner may read"),
    ("short", b"ab" * 31, 0o600, "wrong pseudonym key: "),
    ("no digits", b"zz" * 32, 0o600, "Restore it from a backup."),
    ("no text", b"\xff" * 64, 0o600, "is damaged"),
]


@pytest.mark.parametrize(("content", "mode", "said"), [row[1:] for row in KEY_FILES], ids=[row[0] for row in KEY_FILES])
def test_the_key_of_the_pseudonyms(tmp_path: Path, content: bytes | None, mode: int, said: str) -> None:
    if content is not None:
        (tmp_path / "pseudonym.key").write_bytes(content)
        (tmp_path / "pseudonym.key").chmod(mode)
    expect(setup.keys(ground(tmp_path)), said)
    assert "abab" not in told(setup.keys(ground(tmp_path)))


def test_the_clinical_content(tmp_path: Path) -> None:
    expect(setup.plugin(ground(tmp_path)), "ok rules and codes: Toy")
    whole = Given(data_dir=tmp_path, plugin="plugin.services:PLUGIN")
    expect(setup.plugin(Ground(whole, "127.0.0.1", 8000, NOW)), "ok rules and codes: ", "rule set")
    codes = tmp_path / "terminology"
    codes.mkdir()
    (codes / "labs.csv").write_text("code,loinc\nCA,nothing\n", "utf-8")
    expect(setup.plugin(Ground(whole, "127.0.0.1", 8000, NOW)), "wrong rules and codes: ", "labs.csv")
    gone = Given(data_dir=tmp_path, plugin="nowhere:PLUGIN")
    expect(setup.plugin(Ground(gone, "127.0.0.1", 8000, NOW)), "wrong rules and codes: The plugin nowhere:PLUGIN")
    misspelt = Given(data_dir=tmp_path, plugin=TOY, clients=(Client(name="north", services=("toy-order-sing",)),))
    expect(setup.plugin(Ground(misspelt, "127.0.0.1", 8000, NOW)), "wrong rules and codes: [[clients]] north: services")


# the command


def doctor(folder: Path, monkeypatch: pytest.MonkeyPatch, *arguments: str, **settings: str) -> tuple[int, str]:
    """Exit code and output of the command, with these settings alone."""
    for name in [name for name in os.environ if name.startswith("DYSTONIA_CDS_")]:
        monkeypatch.delenv(name)
    given = {"PLUGIN": TOY, "DATA_DIR": str(folder), **settings}
    for name, value in given.items():
        monkeypatch.setenv(f"DYSTONIA_CDS_{name}", value)
    result = CliRunner().invoke(app, ["doctor", "--port", str(free_port()), *arguments])
    assert result.exception is None or isinstance(result.exception, SystemExit), result.exception
    return result.exit_code, result.output


def test_all_is_well(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    code, output = doctor(tmp_path, monkeypatch)
    assert code == 0, output
    assert "WRONG" not in output
    for part in ("settings", "exposure", "tls", "audit", "pseudonym key", "rules and codes", "python", "sqlite"):
        assert f"ok    {part}: " in output
    assert list(tmp_path.iterdir()) == [], "looking changes nothing"


def test_one_thing_wrong_ends_with_code_1(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    code, output = doctor(tmp_path, monkeypatch, AUTH="required")
    assert code == 1
    assert "WRONG exposure: DYSTONIA_CDS_AUTH=required needs" in output
    assert "\n      → Change the setting that the sentence names." in output


def test_settings_that_cannot_be_read_end_it(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    code, output = doctor(tmp_path, monkeypatch, "--json", BUDGET_MS="soon")
    assert code == 1
    (only,) = [json.loads(line) for line in output.splitlines()]
    assert (only["part"], only["state"]) == ("settings", "wrong")
    assert "DYSTONIA_CDS_BUDGET_MS: got 'soon'" in only["found"]


def test_each_line_of_json_has_four_members(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    code, output = doctor(tmp_path, monkeypatch, "--json", FHIR_SERVERS=f"http://127.0.0.1:{free_port()}/fhir")
    rows = [json.loads(line) for line in output.splitlines()]
    assert code == 1
    assert all(list(row) == ["part", "state", "found", "advice"] for row in rows)
    assert [row["part"] for row in rows if row["state"] == "wrong"] == ["setting FHIR server"]


def test_offline_asks_nobody(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with serving(fault=lambda _: {"resourceType": "CapabilityStatement", "fhirVersion": "4.0.1"}) as server:
        code, output = doctor(tmp_path, monkeypatch, "--offline", FHIR_SERVERS=server.base)
        assert server.asked == []
        assert code == 0, output
        assert "FHIR server" not in output
        code, output = doctor(tmp_path, monkeypatch, FHIR_SERVERS=server.base)
        assert [one.path for one in server.asked] == ["metadata"]
    assert "ok    setting FHIR server: " in output
    assert "warn  setting FHIR server: It does not name these searches: Observation?patient." in output
    assert code == 0, "a warning does not end the command with an error"


@contextmanager
def nobody() -> Iterator[None]:
    """As a user without rights, also where the tests run as root."""
    if os.geteuid():
        yield
        return
    os.seteuid(65534)
    try:
        yield
    finally:
        os.seteuid(0)


def test_folders_that_may_not_be_looked_into(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    assert doctor(tmp_path, monkeypatch, "--offline", AUTH="off")[0] == 0, "and all that is needed is loaded"
    locked = tmp_path / "locked"
    locked.mkdir()
    monkeypatch.setenv("DYSTONIA_CDS_DATA_DIR", str(locked / "data"))
    locked.chmod(0)
    with nobody():
        found = list(examine("127.0.0.1", free_port(), offline=True))
    locked.chmod(0o700)
    expect(found, "wrong store: ", "wrong keys: ", "wrong disk: ", "cannot be looked at: Permission denied.")
    expect(found, "Run this as the user of the service", "ok python: ")


CANARY = "canary-b4d1"


def test_no_secret_is_shown(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    key = make_key("RS256")
    (tmp_path / "pseudonym.key").write_text(CANARY, "utf-8")
    (tmp_path / "cds.pem").write_text(f"-----BEGIN CERTIFICATE-----\n{CANARY}", "utf-8")
    (tmp_path / "cds.key").write_text(f"-----BEGIN PRIVATE KEY-----\n{CANARY}", "utf-8")
    (tmp_path / "keys.json").write_text(json.dumps({"keys": [key]}), "utf-8")
    (tmp_path / "settings.toml").write_text(
        f'[[clients]]\nname = "north"\nissuer = "{ISSUER}"\njwks_file = "keys.json"\n', "utf-8"
    )
    settings = {
        "CONFIG": str(tmp_path / "settings.toml"),
        "TLS_CERTIFICATE": str(tmp_path / "cds.pem"),
        "TLS_KEY": str(tmp_path / "cds.key"),
        "DATABASE": f"postgresql://me:{CANARY}@db.example/audit",
        "SECRET": CANARY,
    }
    code, output = doctor(tmp_path, monkeypatch, "--offline", **settings)
    assert code == 1
    assert all(f"WRONG {part}" in output for part in ("tls", "audit", "pseudonym key", "north keys"))
    assert CANARY not in output
    assert not any(key[name] in output for name in ("d", "p", "q"))


@pytest.mark.parametrize("name", ["RESOLVER_URL", "PUBLIC_URL", "FHIR_SERVERS", "CLIENTS"])
def test_a_password_in_an_address_is_not_repeated(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, name: str) -> None:
    address = f"https://me:{CANARY}@fhir.example/r4"
    value = json.dumps([{"name": "north", "fhir_servers": [address]}]) if name == "CLIENTS" else address
    code, output = doctor(tmp_path, monkeypatch, **{name: value})
    assert code == 1
    assert "//***@fhir.example" in output
    assert CANARY not in output


@pytest.fixture(scope="module")
def service(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Service]:
    with running(tmp_path_factory.mktemp("doctor"), DYSTONIA_CDS_PLUGIN=TOY) as started:
        yield started


def test_beside_a_running_service(service: Service) -> None:
    port = service.url.rpartition(":")[2]
    output = service.command("doctor", "--port", port, DYSTONIA_CDS_PLUGIN=TOY)
    assert "ok    audit: A running service writes to the store." in output
    assert f"warn  port: Port {port} on 127.0.0.1 cannot be opened" in output
    assert service.ask("/readyz").body["status"] == "ok", "the service is not disturbed"
