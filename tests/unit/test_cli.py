"""The command line as people use it: a process, its output and its exit code."""

from __future__ import annotations

import json
import os
import re
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import httpx
import pytest

from cds_hooks.cli import moment
from cds_hooks.errors import CallTrouble
from tests.contract.conftest import bundle, call, patient, thing

ROOT = Path(__file__).parents[2]
CLI = [sys.executable, "-m", "cds_hooks.cli"]


@pytest.fixture
def environment(tmp_path: Path) -> dict[str, str]:
    kept = {name: value for name, value in os.environ.items() if not name.startswith("DYSTONIA_CDS_")}
    ours = {"DYSTONIA_CDS_PLUGIN": "tests.contract.toy:PLUGIN", "DYSTONIA_CDS_DATA_DIR": str(tmp_path / "data")}
    return kept | ours | {"PYTHONPATH": str(ROOT), "COLUMNS": "200", "NO_COLOR": "1"}


def run(environment: dict[str, str], *arguments: str, text: str = "") -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [*CLI, *arguments],
        env=environment,
        cwd=ROOT,
        input=text,
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )


@pytest.fixture
def served(environment: dict[str, str]) -> Iterator[tuple[subprocess.Popen[str], str]]:
    """A service started by ``serve``, and the address that it printed."""
    with subprocess.Popen(
        [*CLI, "serve", "--port", "0"],
        env=environment,
        cwd=ROOT,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    ) as process:
        assert process.stdout is not None
        line = process.stdout.readline()
        found = re.fullmatch(r"Toy is ready: try it at (http://127\.0\.0\.1:\d+)/\n", line)
        assert found, line
        yield process, found[1]
        if process.poll() is None:
            process.send_signal(signal.SIGINT)
        process.wait(20)


def file_with(folder: Path, content: Any) -> str:
    file = folder / "call.json"
    file.write_text(content if isinstance(content, str) else json.dumps(content))
    return str(file)


def refused(answer: subprocess.CompletedProcess[str], *parts: str) -> None:
    """One sentence on standard error, no traceback, exit code 1."""
    assert answer.returncode == 1, answer.stdout + answer.stderr
    assert "Traceback" not in answer.stderr
    for part in parts:
        assert part in answer.stderr


@pytest.mark.parametrize("stop", [signal.SIGINT, signal.SIGTERM])
def test_serve_answers_and_stops_cleanly(served: tuple[subprocess.Popen[str], str], stop: signal.Signals) -> None:
    process, address = served
    answer = httpx.post(f"{address}/cds-services/toy-patient-view", json=call(), trust_env=False)
    assert answer.status_code == 200
    assert "server" not in answer.headers
    process.send_signal(stop)
    assert process.wait(20) == 0
    assert process.stderr is not None
    lines = [json.loads(line) for line in process.stderr.read().splitlines()]
    assert [line["event"] for line in lines] == ["call"]
    assert lines[0]["audit"] == answer.headers["X-Audit-Id"]


def test_fire_and_audit_beside_a_running_service(
    served: tuple[subprocess.Popen[str], str], environment: dict[str, str], tmp_path: Path
) -> None:
    _, address = served
    file = file_with(tmp_path, {"headers": {}, "body": call("order-sign")})
    fired = run(environment, "fire", file, "--url", address)
    assert fired.returncode == 0, fired.stderr
    for text in ("warning", "A toy", "patient: satisfied", "Not checked: T-2 (no-result)", "1 fired", "(durable)"):
        assert text in fired.stdout
    listed = run(environment, "audit", "list", "--json", "--since", "1h")
    (entry,) = [json.loads(line) for line in listed.stdout.splitlines()]
    assert list(entry) == ["id", "time", "client", "service", "hook", "hookInstance", "cards", "results"]
    assert (entry["service"], entry["cards"][0]["summary"]) == ("toy-order-sign", "A toy")
    assert entry["id"] in run(environment, "audit", "list").stdout
    shown = json.loads(run(environment, "audit", "show", entry["id"]).stdout)
    assert shown["keys"]["patient"] == {"state": "satisfied"}
    beside = run(environment, "fire", file)
    assert beside.returncode == 0
    assert "This call is not audited" in beside.stderr
    assert "(off)" in beside.stdout


def test_fire_in_process_is_audited(environment: dict[str, str], tmp_path: Path) -> None:
    file = file_with(tmp_path, call())
    fired = run(environment, "fire", file, "--json")
    assert fired.returncode == 0, fired.stderr
    assert json.loads(fired.stdout)["cards"][0]["summary"] == "A toy"
    assert len(run(environment, "audit", "list", "--json").stdout.splitlines()) == 1
    assert "(durable)" in run(environment, "fire", "-", text=json.dumps(call())).stdout


def test_fire_says_why_a_call_was_refused(environment: dict[str, str], tmp_path: Path) -> None:
    strange = call("order-sign", {"patient": patient("p2"), "things": bundle(thing())})
    answer = run(environment, "fire", file_with(tmp_path, strange))
    assert answer.returncode == 1
    assert "Status 412: The Patient resource in prefetch belongs to someone other" in answer.stdout
    other = run(environment, "fire", file_with(tmp_path, call()), "--service", "toy-order-sign")
    assert other.returncode == 1
    assert "answers the hook 'order-sign', got 'patient-view'" in other.stdout


CALLS = [
    ("[1]", "holds no JSON object"),
    ("{", "is not JSON"),
    ('{"hook": "patient-view", "x": NaN}', "is not JSON"),
    ('{"hook": "patient-view", "x": -Infinity}', "is not JSON"),
    ('{"hook":' + "[" * 100_000 + "]" * 100_000 + "}", "is nested too deeply"),
    ('{"x":' + '{"a":' * 100_000 + "1" + "}" * 100_001, "is nested too deeply"),
    ('{"hook": []}', "The call names no hook. Hooks answered: medication-refill"),
    ('{"body": {"hook": 7}}', "The call names no hook."),
    ("{}", "The call names no hook."),
    (json.dumps(call(hook="encounter-discharge")), "The call's hook is 'encounter-discharge', and no service answers"),
]


@pytest.mark.parametrize(("content", "sentence"), CALLS)
def test_a_call_that_cannot_be_sent(environment: dict[str, str], tmp_path: Path, content: str, sentence: str) -> None:
    answer = run(environment, "fire", file_with(tmp_path, content))
    refused(answer, sentence)
    assert len(answer.stderr.splitlines()) == 1


@pytest.mark.parametrize("wrapped", [False, True])
def test_a_call_is_sent_byte_by_byte(environment: dict[str, str], tmp_path: Path, wrapped: bool) -> None:
    twice = '{"hook": "patient-view", "hookInstance": "i", "context": {"patientId": "p1", "patientId": "p2"}}'
    answer = run(environment, "fire", file_with(tmp_path, f'{{"body": {twice}}}' if wrapped else twice))
    assert answer.returncode == 1
    assert "Status 400: context: the same key stands twice" in answer.stdout


def test_a_refusal_is_seen_in_the_list_and_alone(environment: dict[str, str], tmp_path: Path) -> None:
    run(environment, "fire", file_with(tmp_path, call(prefetch={"patient": patient("p2")})))
    (line,) = run(environment, "audit", "list", "--json").stdout.splitlines()
    entry = json.loads(line)
    assert len(entry) == 8
    table = run(environment, "audit", "list").stdout
    assert "Status" in table
    assert "412 refused" in table
    assert entry["id"] in table
    assert entry["client"] in table
    shown = json.loads(run(environment, "audit", "show", entry["id"]).stdout)
    assert (shown["status"], shown["outcome"], shown["detail"][:20]) == (412, "refused", "The Patient resource")


def test_a_file_that_is_not_there(environment: dict[str, str], tmp_path: Path) -> None:
    refused(run(environment, "fire", str(tmp_path / "none.json")), "none.json cannot be read: No such file")


def test_no_service_at_the_url(environment: dict[str, str], tmp_path: Path) -> None:
    answer = run(environment, "fire", file_with(tmp_path, call()), "--url", "http://127.0.0.1:1")
    refused(answer, "No CDS service answers at http://127.0.0.1:1")
    answer = run(environment, "fire", file_with(tmp_path, call()), "--url", "127.0.0.1:1")
    refused(answer, "missing an 'http://' or 'https://' protocol. Start one, or correct --url.")


def test_a_port_in_use(environment: dict[str, str]) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = str(taken.getsockname()[1])
        answer = run(environment, "serve", "--port", port)
    refused(answer, f"Port {port} on 127.0.0.1 is in use by another program.")
    assert answer.stdout == ""


NO_KEYS = '[{"name": "north", "issuer": "https://north.example"}]'
STARTS: list[tuple[str, dict[str, str], tuple[str, ...], str]] = [
    ("open", {}, ("--host", "0.0.0.0"), "Refusing to serve on 0.0.0.0 without authentication"),
    ("auth", {"AUTH": "required"}, (), "DYSTONIA_CDS_AUTH=required needs at least one client with an issuer"),
    ("keys", {"AUTH": "required", "CLIENTS": NO_KEYS}, (), "[[clients]] north: got an issuer without keys"),
    ("keys of workers", {"AUTH": "required", "CLIENTS": NO_KEYS, "AUDIT": "off"}, ("--workers", "2"), "without keys"),
    (
        "a service of a client that there is not",
        {"CLIENTS": '[{"name": "north", "services": ["dystonia-order-sing"]}]'},
        (),
        "[[clients]] north: services names dystonia-order-sing, which there is not. Expected any of toy-patient-view",
    ),
    (
        "a field of a client",
        {"CLIENTS": '[{"name": "north", "colour": "canary"}]'},
        (),
        "[[clients]] number 1, colour: there is no such field",
    ),
    ("workers", {}, ("--workers", "2"), "--workers 2 needs an audit store that several processes may write"),
    ("setting", {"BUDGET_MS": "x"}, (), "DYSTONIA_CDS_BUDGET_MS: got 'x'"),
    ("foreign address", {"ALLOW_OPEN": "true"}, ("--host", "192.0.2.1"), "This machine has no address 192.0.2.1"),
    ("plugin spelling", {"PLUGIN": "nothing"}, (), "got 'nothing', expected module:NAME"),
    ("plugin module", {"PLUGIN": "nowhere:PLUGIN"}, (), "The plugin nowhere:PLUGIN cannot be imported"),
    ("plugin name", {"PLUGIN": "tests.contract.toy:NONE"}, (), "the module has no NONE"),
    ("plugin kind", {"PLUGIN": "tests.contract.toy:KEYS"}, (), "is a dict, expected a factory"),
    ("plugin result", {"PLUGIN": "builtins:repr"}, (), "made a str, expected a cds_hooks.service.Plugin"),
    ("plugin that is no factory", {"PLUGIN": "os:getcwd"}, (), "The plugin os:getcwd cannot be made: TypeError"),
    ("plugin of a strange module", {"PLUGIN": ".:x"}, (), "The plugin .:x cannot be imported: TypeError"),
    ("folder", {"DATA_DIR": "/proc/none"}, (), "/proc/none"),
]


@pytest.mark.parametrize(
    ("settings", "arguments", "sentence"), [row[1:] for row in STARTS], ids=[row[0] for row in STARTS]
)
def test_a_start_that_cannot_be(
    environment: dict[str, str], settings: dict[str, str], arguments: tuple[str, ...], sentence: str
) -> None:
    changed = environment | {f"DYSTONIA_CDS_{name}": value for name, value in settings.items()}
    answer = run(changed, "serve", "--port", "0", *arguments)
    refused(answer, sentence)
    assert len(answer.stderr.splitlines()) == 1
    assert answer.stdout == ""


def test_settings_lists_all(environment: dict[str, str]) -> None:
    answer = run(environment, "settings")
    assert answer.returncode == 0
    for name in ("JURISDICTION", "AUTH", "CORS_ORIGINS", "EXPECTED_KEYS", "CONFIG"):
        assert f"DYSTONIA_CDS_{name}" in answer.stdout


def test_help_and_version(environment: dict[str, str]) -> None:
    assert run(environment, "--version").stdout.startswith("dystonia-cds")
    listed = run(environment, "--help").stdout
    for command in ("serve", "fire", "audit", "settings"):
        assert command in listed


def test_audit_of_nothing(environment: dict[str, str]) -> None:
    refused(run(environment, "audit", "list"), "There is no audit database at")


def test_since() -> None:
    now = datetime(2026, 11, 22, 12, tzinfo=UTC)
    assert moment("2h", now) == now - timedelta(hours=2)
    assert moment("30m", now) == now - timedelta(minutes=30)
    assert moment("7d", now) == now - timedelta(days=7)
    assert moment("2026-11-01", now) == datetime(2026, 11, 1, tzinfo=UTC)
    assert moment("2026-11-01T10:00:00+01:00", now) == datetime(2026, 11, 1, 9, tzinfo=UTC)


@pytest.mark.parametrize(
    "text",
    ["yesterday", "", "d", "²d", "٣d", "-1d", "99999999999999d", "9" * 5000 + "s", "0001-01-01T00:00+14:00", "1e3d"],
    ids=lambda text: text[:15],
)
def test_a_since_that_cannot_be_read(text: str) -> None:
    with pytest.raises(CallTrouble, match="expected a date") as raised:
        moment(text, datetime(2026, 11, 22, tzinfo=UTC))
    assert len(str(raised.value)) < 150


def test_the_first_answer_comes_soon(environment: dict[str, str]) -> None:
    began = time.monotonic()
    with subprocess.Popen(
        [*CLI, "serve", "--port", "0"], env=environment, cwd=ROOT, stdout=subprocess.PIPE, text=True
    ) as p:
        assert p.stdout is not None
        address = p.stdout.readline().rpartition(" ")[2].strip()
        assert httpx.get(f"{address}cds-services", trust_env=False).status_code == 200
        took = time.monotonic() - began
        p.terminate()
        p.wait(20)
    assert took < 6, "a start takes about a second; this machine may be busy, but not that busy"
