"""What a service loads, as Python itself tells: a start is quick and small because most libraries are not in it."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from benchmarks.payloads import PATH, payload
from tests.support.server import Service, running
from tests.support.tokens import key, public_set

TOLD = {"PYTHONPROFILEIMPORTTIME": "1"}
NEEDLESS = ("alembic.", "cryptography.", "httpx.", "jwt.", "mako.")
"""Libraries by their modules: Python tells of a package also where it was looked for in vain."""
DESCRIPTIONS = frozenset({"cds_hooks.openapi", "cds_hooks.request_models", "cds_hooks.schemas"})


def loaded(service: Service) -> set[str]:
    """The modules that a service started with ``TOLD`` has loaded so far."""
    lines = (service.folder / "serve.log").read_text("utf-8", "replace").splitlines()
    return {line.rpartition("|")[2].strip() for line in lines if line.startswith("import time:")}


def settings_with(folder: Path, lines: str) -> dict[str, str]:
    (folder / "settings.toml").write_text(lines)
    return TOLD | {"DYSTONIA_CDS_CONFIG": str(folder / "settings.toml")}


def test_a_service_without_clients_loads_no_library_that_it_does_not_need(tmp_path: Path) -> None:
    for _new_store_then_old in range(2):
        with running(tmp_path, **TOLD) as service:
            answer = service.ask(PATH, payload("5KB"))
            assert (answer.status, answer.headers["x-audit-state"]) == (200, "durable")
            modules = loaded(service)
            assert "cds_hooks.serve" in modules
            assert not [name for name in modules if name.startswith(NEEDLESS)]
            assert not modules & DESCRIPTIONS


def test_nothing_is_left_for_the_first_call_to_load(tmp_path: Path) -> None:
    with running(tmp_path, **TOLD) as service:
        before = loaded(service)
        assert service.ask(PATH, payload("60KB")).status == 200
        assert loaded(service) == before


def test_the_descriptions_are_loaded_when_they_are_asked_for(tmp_path: Path) -> None:
    with running(tmp_path, **TOLD) as service:
        assert service.ask("/schemas/request.json").status == 200
        assert service.ask("/openapi.json").status == 200
        assert loaded(service) >= DESCRIPTIONS


@pytest.mark.parametrize(
    ("lines", "module"),
    [
        ('fhir_servers = ["http://127.0.0.1:9/fhir"]\n', "httpx._client"),
        ('resolver = "fhir"\nresolver_url = "http://127.0.0.1:9/fhir"\n', "httpx._client"),
        (
            'auth = "required"\n[[clients]]\nname = "north"\nissuer = "https://north.example"\njwks_file = "{jwks}"\n',
            "jwt.api_jwk",
        ),
    ],
)
def test_what_the_settings_call_for_is_loaded_before_the_first_call(tmp_path: Path, lines: str, module: str) -> None:
    (tmp_path / "keys.json").write_text(json.dumps(public_set([key("north")])))
    with running(tmp_path, **settings_with(tmp_path, lines.format(jwks=tmp_path / "keys.json"))) as service:
        assert module in loaded(service)
