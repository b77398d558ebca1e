"""The running service does what its description says, whatever is sent to it: schemathesis, with a fixed seed."""

from __future__ import annotations

import random
from collections.abc import Callable, Iterator
from typing import Any

import pytest
import schemathesis
from hypothesis import HealthCheck, given, seed, settings
from schemathesis import Case, GenerationMode
from schemathesis.checks import not_a_server_error
from schemathesis.specs.openapi.checks import (
    content_type_conformance,
    response_headers_conformance,
    response_schema_conformance,
    status_code_conformance,
)

from cds_hooks import openapi
from cds_hooks.settings import Settings
from cds_hooks.state import State
from plugin.rules import RULES
from tests.support.fire import plugin
from tests.support.server import Service, running

EXAMPLES = 20
SEED = 20260601
CHECKS = [
    not_a_server_error,
    status_code_conformance,
    content_type_conformance,
    response_headers_conformance,
    response_schema_conformance,
]
LABELS = [
    f"{one.method.upper()} {one.path}"
    for one in openapi.operations(State(plugin(), Settings(), "127.0.0.1", "http://127.0.0.1:8000"))
]
# Operations without parameters: nothing about them can be wrong, so no faulty case can be made.
FIXED = {label for label in LABELS if "{" not in label and "$" not in label and label != "GET /review"}
# Any text is an id here, so a faulty one cannot be made either.
ANY_ID = {"GET /guideline/{id}/workbook", "GET /review/{id}", "GET /try-it/patients/{id}"}


@pytest.fixture(scope="module")
def service(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Service]:
    with running(tmp_path_factory.mktemp("schemathesis")) as started:
        yield started


@pytest.fixture(scope="module")
def schema(service: Service) -> Any:
    loaded = schemathesis.openapi.from_url(f"{service.url}/openapi.json")
    loaded.validate()
    return loaded


def to_its_service(case: Case) -> None:
    """A call goes to the service of its hook, so that it gets past the first question."""
    if isinstance(case.body, dict) and isinstance(case.body.get("hook"), str):
        case.path_parameters["id"] = f"dystonia-{case.body['hook']}"


def known(field: str, *values: str) -> Callable[[Case], None]:
    """Every other case asks for something that is there."""

    def chosen(case: Case) -> None:
        chance = random.Random(str(case.path_parameters))
        if chance.random() < 0.5:
            case.path_parameters[field] = chance.choice(values)

    return chosen


RULE = known("id", *(rule.id for rule in RULES))
VALUE_SET = known("id", "calcium", "antipsychotics", "observations", "lab-calcium", "lab-glucose")
STEERED: dict[str, Callable[[Case], None]] = {
    "POST /cds-services/{id}": to_its_service,
    "GET /guideline/{id}": RULE,
    "GET /guideline/{id}/workbook": RULE,
    "GET /fhir/ValueSet/{id}/$expand": VALUE_SET,
    "GET /fhir/ValueSet/{id}/$validate-code": VALUE_SET,
    "GET /try-it/patients/{id}": known("id", "adam-testa", "berta-sampler"),
}


def drive(schema: Any, service: Service, label: str, mode: GenerationMode) -> dict[int, int]:
    """Sends the cases of one operation and checks each answer; returns how often each status came."""
    seen: dict[int, int] = {}
    operation = schema.find_operation_by_label(label)

    @seed(SEED)
    @settings(max_examples=EXAMPLES, deadline=None, database=None, suppress_health_check=list(HealthCheck))
    @given(case=operation.as_strategy(generation_mode=mode))
    def each(case: Case) -> None:
        if mode is GenerationMode.POSITIVE and label in STEERED:
            STEERED[label](case)
        answer = case.call(base_url=service.url)
        seen[answer.status_code] = seen.get(answer.status_code, 0) + 1
        case.validate_response(answer, CHECKS)

    each()
    return seen


@pytest.mark.parametrize("label", LABELS)
def test_what_is_described_is_answered_as_described(schema: Any, service: Service, label: str) -> None:
    seen = drive(schema, service, label, GenerationMode.POSITIVE)
    by_url_or_id = "$" in label or label in ("GET /fhir/{type}/{id}", "GET /review/{id}")
    assert 200 in seen or by_url_or_id


@pytest.mark.parametrize("label", [label for label in LABELS if label not in FIXED | ANY_ID])
def test_what_is_not_described_is_refused_as_described(schema: Any, service: Service, label: str) -> None:
    assert sum(drive(schema, service, label, GenerationMode.NEGATIVE).values()) >= EXAMPLES / 2
