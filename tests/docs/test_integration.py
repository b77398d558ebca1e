"""The integrator's guide: its settings load, its table of errors lacks nothing, its example gives its card."""

from __future__ import annotations

import json
import re
import tomllib
from pathlib import Path
from typing import Any

import pytest
from typer.main import get_command

from cds_hooks import errors
from cds_hooks.bounds import LONGEST_STRING, MOST_DRAFTS
from cds_hooks.cli import app
from cds_hooks.clients import Client, Registry
from cds_hooks.errors import HeadTooLarge
from cds_hooks.settings import Settings, check_exposure, load
from tests.support.fire import plugin
from tests.support.server import running
from tests.support.tokens import Ehr, door

ROOT = Path(__file__).parents[2]
GUIDE = (ROOT / "docs" / "integration.md").read_text("utf-8")
EXAMPLE = (ROOT / "docs" / "example-settings.toml").read_text("utf-8")
OPTIONAL = re.compile(r"^#(?=[a-z_\"][^#]* = )", re.MULTILINE)
HERE = ("fhirServer", "http://127.0.0.1:8090/fhir")


@pytest.fixture
def loaded(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Any:
    """Loads a text as the settings file of a machine without settings of its own."""

    def load_text(text: str) -> Settings:
        file = tmp_path / "settings.toml"
        file.write_text(text, "utf-8")
        monkeypatch.setenv("DYSTONIA_CDS_CONFIG", str(file))
        return load()

    return load_text


def test_the_example_is_a_deployment_that_may_start(loaded: Any) -> None:
    settings = loaded(EXAMPLE)
    check_exposure(settings, "0.0.0.0")
    assert [one.name for one in Registry.of(settings).clients] == ["hospital-epic", "clinic-athena"]
    assert settings.clients[1].jwks_file.name == "clinic-athena.jwks.json"


def test_every_line_of_the_example_may_be_used(loaded: Any) -> None:
    whole, lines = OPTIONAL.subn("", EXAMPLE)
    assert lines > 40
    settings = loaded(whole)
    named = set(settings.model_fields_set)
    assert set(Settings.model_fields) - named == set(), "settings that the example does not name"
    clients = {name for one in settings.clients for name in one.model_fields_set}
    assert set(Client.model_fields) - clients == set(), "fields of a client that the example does not name"


def test_lines_that_say_default_say_the_default(loaded: Any) -> None:
    given, usual = loaded(OPTIONAL.sub("", EXAMPLE)), Settings.model_fields
    for name in ("budget_ms", "body_limit", "body_seconds", "queue_limit", "fhir_pages", "fhir_budget_ms", "database"):
        assert getattr(given, name) == usual[name].default
    for name in ("overload", "failed_keys", "unsigned", "resolver", "dialect", "expected_keys", "canonical"):
        assert getattr(given, name) == usual[name].default


def tables() -> list[str]:
    return re.findall(r"```toml\n(.+?)```", GUIDE, re.DOTALL)


@pytest.mark.parametrize("text", tables(), ids=lambda text: re.sub(r"\W+", "-", text)[:40])
def test_each_settings_file_of_the_guide_is_accepted(loaded: Any, text: str) -> None:
    Registry.of(loaded(text))


def test_the_sandbox_is_let_in_as_it_signs(loaded: Any, tmp_path: Path) -> None:
    text = next(text for text in tables() if "sandbox.cds-hooks.org" in text)
    assert "https://sandbox.cds-hooks.org" in loaded(text).origins
    (table,) = tomllib.loads(text)["clients"]
    ehr = Ehr("sandbox", "https://sandbox.cds-hooks.org", jku="https://sandbox.cds-hooks.org/.well-known/jwks.json")
    service = door(tmp_path, table | {"jwks_file": ehr.client(tmp_path)["jwks_file"]})
    for host in ("localhost", "127.0.0.1"):
        for path in (
            "/cds-services",
            "/cds-services/dystonia-order-sign",
            "/cds-services/dystonia-order-sign/feedback",
        ):
            caller = service.bearer(ehr.token(f"http://{host}:8000{path}"), path)
            assert (caller.client.name, caller.client.dialect) == ("cds-hooks-sandbox", "sandbox")


def refusals() -> set[int]:
    """Every status with which a call can be refused."""
    kinds = [one for one in vars(errors).values() if isinstance(one, type) and issubclass(one, errors.Refusal)]
    return {kind.status for kind in kinds if kind is not errors.Refusal}


def test_each_status_is_explained_with_what_to_do() -> None:
    rows = re.findall(r"^\| (\d{3}) \| ([^|]+) \| ([^|]+) \|$", GUIDE, re.MULTILINE)
    assert len(refusals()) > 12
    assert refusals() - {int(status) for status, _, _ in rows} == set()
    assert {int(status) for status, _, _ in rows} - refusals() == {200}
    assert all(meaning.strip() and advice.strip() for _, meaning, advice in rows)


def test_figures_of_the_table_are_those_in_force() -> None:
    rows = dict(re.findall(r"^\| (\d{3}) \| (.+) \|$", GUIDE, re.MULTILINE))
    assert f"more than {MOST_DRAFTS} drafts" in rows["413"]
    assert LONGEST_STRING == 1024 * 1024
    assert "more than 1 MiB" in rows["413"]
    assert HeadTooLarge().text.rpartition(" larger than ")[2].rstrip(".") in rows["431"]
    named = set(re.findall(r"DYSTONIA_CDS_([A-Z_]+)", GUIDE)) - {"CONFIG"}
    assert {name for name in named if name.lower() not in Settings.model_fields} == set()


def test_the_scopes_of_the_guide_are_what_the_templates_ask_for() -> None:
    (told,) = re.findall(r"each for reading and searching: ([^;]+);", GUIDE)
    templates = [template for service in plugin().services for template in service.prefetch.values()]
    asked = {re.split("[/?]", template)[0] for template in templates}
    assert {" ".join(one.split()) for one in told.split(",")} == asked | {"Medication"}


def test_each_command_that_the_guide_names_is_one() -> None:
    known = get_command(app).commands  # type: ignore[attr-defined]
    named = set(re.findall(r"dystonia-cds ([a-z-]+(?: [a-z]+)?)", GUIDE))
    assert len(named) > 8
    for words in (one.split() for one in named):
        assert words[0] in known, words
        inner = getattr(known[words[0]], "commands", None)
        assert inner is None or (len(words) > 1 and words[1] in inner), words


def example() -> Any:
    """The hook call of the guide."""
    (found,) = (text for text in re.findall(r"```json\n(.+?)```", GUIDE, re.DOTALL) if '"hook"' in text)
    return json.loads(found)


def test_the_call_of_the_guide_gives_the_card_of_the_guide(tmp_path: Path) -> None:
    """With what its FHIR server would have brought as prefetch."""
    (bundle,) = (json.loads(text) for text in re.findall(r"```json\n(.+?)```", GUIDE, re.DOTALL) if '"batch"' in text)
    patient, request = (entry["resource"] for entry in bundle["entry"])
    call = example()
    assert call["fhirServer"] == HERE[1]
    found = {"resourceType": "Bundle", "type": "searchset", "total": 1, "entry": [{"resource": request}]}
    with running(tmp_path) as service:
        answer = service.fire(call | {"prefetch": {"patient": patient, "medications": found}})
    assert answer.status == 200
    (card,) = answer.body["cards"]
    assert f"\n> {card['summary']}\n" in GUIDE


def test_the_schemas_that_the_guide_names_are_served(tmp_path: Path) -> None:
    named = re.findall(r"`(/(?:schemas|openapi)[^`]*)`", GUIDE)
    assert len(named) > 3
    with running(tmp_path) as service:
        assert {path: service.ask(path).status for path in named} == dict.fromkeys(named, 200)
