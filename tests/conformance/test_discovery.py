"""Discovery and the prefetch templates that it publishes, of the real rules and of a plugin without a service."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any
from urllib.parse import parse_qsl

import pytest

from cds_hooks.request_models import CONTEXTS
from plugin.needs import keys_of
from plugin.rules import RULES
from tests.conformance.standard import THREE, TWO, empties, faults
from tests.contract.conftest import Running
from tests.contract.toy import toy
from tests.support.fire import plugin

Json = dict[str, Any]
ROOT = Path(__file__).parents[2]

# Fields that the hook pages mark as prefetch tokens.
TOKENS = {
    hook: {"patientId", "userId", "encounterId"} & set(context.model_fields) for hook, context in CONTEXTS.items()
}
# Search parameters that FHIR R4 defines for each type, as far as templates may use them.
PARAMETERS = {
    "MedicationRequest": {"patient", "authoredon"},
    "MedicationStatement": {"patient", "effective"},
    "MedicationAdministration": {"patient", "effective-time"},
    "MedicationDispense": {"patient", "whenhandedover"},
    "AllergyIntolerance": {"patient"},
    "Condition": {"patient"},
    "Observation": {"patient", "code", "date"},
    "FamilyMemberHistory": {"patient"},
    "ServiceRequest": {"patient", "authored"},
    "Procedure": {"patient", "date"},
    "DiagnosticReport": {"patient", "date"},
}
DATES = {"date", "authored", "authoredon", "effective", "effective-time", "whenhandedover"}
SHAPING = {"_count", "_sort"}


def listed(real: Running) -> list[Json]:
    services: list[Json] = real.client.get("/cds-services").json()["services"]
    assert len(services) == 6
    return services


def templates() -> list[Any]:
    """Every template as (service, key, template)."""
    return [
        pytest.param(service.hook, key, template, id=f"{service.hook}-{key}")
        for service in plugin().services
        for key, template in service.prefetch.items()
    ]


def searched(template: str) -> tuple[str, list[tuple[str, str]]]:
    """The type of a template and its parameters; none for a read."""
    kind, _, query = template.partition("?")
    return kind, parse_qsl(query.replace("{{", "").replace("}}", ""), keep_blank_values=True) if query else []


@pytest.mark.conformance("B1", "B2")
def test_discovery_answers_the_same_each_time(real: Running) -> None:
    answers = [real.client.get("/cds-services") for _ in range(3)]
    assert {answer.status_code for answer in answers} == {200}
    assert len({answer.content for answer in answers}) == 1
    assert isinstance(answers[0].json()["services"], list)


@pytest.mark.conformance("B3")
def test_without_a_service_the_list_is_empty(start: Callable[..., Running]) -> None:
    answer = start(replace(toy(), services=())).client.get("/cds-services")
    assert (answer.status_code, answer.json()) == (200, {"services": []})


@pytest.mark.conformance("B4", "B5", "B6", "B7", "A4", "M8")
@pytest.mark.parametrize("version", [TWO, THREE])
def test_discovery_is_valid(real: Running, version: str) -> None:
    told = real.client.get("/cds-services").json()
    assert faults("discovery", told, version) == []
    assert list(empties(told)) == []
    for service in told["services"]:
        assert service["title"].strip()
        assert service["usageRequirements"].strip()
        assert all(isinstance(template, str) for template in service["prefetch"].values())


@pytest.mark.conformance("B4", "C1")
def test_each_service_answers_under_its_id(real: Running) -> None:
    for service in listed(real):
        answer = real.client.post(f"/cds-services/{service['id']}", json={})
        assert answer.status_code == 400
        assert "hook: expected a non-empty string" in answer.text


@pytest.mark.conformance("B8")
def test_each_hook_has_an_id_of_its_own(real: Running) -> None:
    services = listed(real)
    assert len({one["id"] for one in services}) == len(services)
    assert len({one["hook"] for one in services}) == len(services)


@pytest.mark.conformance("B9", "L405")
@pytest.mark.parametrize("method", ["POST", "PUT", "DELETE", "PATCH"])
def test_discovery_asked_for_in_another_way(real: Running, method: str) -> None:
    answer = real.client.request(method, "/cds-services")
    assert answer.status_code == 405
    assert "GET" in answer.headers["Allow"]
    assert answer.json()["resourceType"] == "OperationOutcome"


@pytest.mark.conformance("B12")
def test_descriptions_are_markdown_without_html(real: Running) -> None:
    for service in listed(real):
        assert not re.search(r"<[A-Za-z/!]", service["description"])


@pytest.mark.conformance("B14")
def test_hooks_are_documented(real: Running) -> None:
    guide = (ROOT / "docs" / "guide.md").read_text("utf-8")
    described = real.client.get("/openapi.json").text
    for service in listed(real):
        assert service["hook"] in guide
        assert service["id"] in described


@pytest.mark.conformance("C10")
def test_the_fhir_version_is_said(real: Running) -> None:
    assert all(re.search(r"\bR4\b", service["usageRequirements"]) for service in listed(real))


@pytest.mark.conformance("D1", "D2", "D3", "D4", "D8", "B13")
@pytest.mark.parametrize(("hook", "key", "template"), templates())
def test_tokens(hook: str, key: str, template: str) -> None:
    tokens = re.findall(r"\{\{([^{}]*)\}\}", template)
    assert tokens
    rest = re.sub(r"\{\{[^{}]*\}\}", "", template)
    assert not set("{}%()") & set(rest)
    for token in tokens:
        field = re.fullmatch(r"context\.(\w+)", token)
        assert field is not None
        assert field[1] in TOKENS[hook]


@pytest.mark.conformance("D5", "D6", "D7")
@pytest.mark.parametrize(("hook", "key", "template"), templates())
def test_templates_stay_within_the_subset(hook: str, key: str, template: str) -> None:
    kind, parameters = searched(template)
    if not parameters:
        assert re.fullmatch(r"(Patient|Encounter)/\{\{context\.\w+\}\}", template)
        return
    allowed = PARAMETERS[kind]
    for name, value in parameters:
        assert name in allowed | SHAPING
        assert value
        if name == "_sort":
            assert value.lstrip("-") in allowed
        if name == "_count":
            assert value.isdecimal()
        if name == "code":
            assert all(re.fullmatch(r"[^|,]+\|[^|,]+", code) for code in value.split(","))


@pytest.mark.conformance("D10")
@pytest.mark.parametrize(("hook", "key", "template"), templates())
def test_no_date_is_bounded_twice(hook: str, key: str, template: str) -> None:
    names = [name for name, _ in searched(template)[1]]
    assert len(names) == len(set(names))
    assert sum(name in DATES for name in names) <= 1


@pytest.mark.conformance("D10")
def test_each_key_is_read_by_a_rule_of_its_hook() -> None:
    """What no rule declares by itself goes with what one does: the place of a result, the other records of a drug."""
    for service in plugin().services:
        declared = {key for rule in RULES if service.hook in rule.hooks for key in rule.needs}
        beside = {"patient"}
        beside |= {"encounter"} if "observations" in declared else set()
        beside |= (
            {key for key in service.prefetch if key.startswith("medication")} if "medications" in declared else set()
        )
        assert set(service.prefetch) == (declared | beside)
        assert tuple(service.prefetch) == keys_of(service.hook)
