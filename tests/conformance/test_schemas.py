"""The published schemas: sound by themselves, true of what is sent, and fair about what clients send."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from typing import Any

import jsonschema_rs
import pytest

from cds_hooks.app import page_routes
from cds_hooks.errors import Refusal
from cds_hooks.schemas import NAMES
from cds_hooks.settings import Settings
from cds_hooks.state import State
from tests.clients.shapes import SHAPES
from tests.conformance import golden, wrong
from tests.conformance.standard import OURS
from tests.contract.conftest import Running
from tests.support.fire import plugin
from tests.support.stories import EXPECTED

Json = dict[str, Any]

# Fixtures that are no conformant calls on purpose, and what is wrong with each.
NOT_CONFORMANT = {"a bare string as data", "keys of the client's own"}


@pytest.fixture(scope="module")
def published(real: Running) -> dict[str, Json]:
    """Every schema as it is served."""
    return {name: real.client.get(f"/schemas/{name}.json").json() for name in NAMES}


@pytest.fixture(scope="module")
def described(real: Running) -> Json:
    """The OpenAPI document as it is served."""
    told: Json = real.client.get("/openapi.json").json()
    return told


def references(value: object) -> Iterator[str]:
    if isinstance(value, dict):
        if isinstance(value.get("$ref"), str):
            yield value["$ref"]
        value = list(value.values())
    if isinstance(value, list):
        for one in value:
            yield from references(one)


def problems(schema: Json, body: Any) -> list[str]:
    found = jsonschema_rs.Draft202012Validator(schema).iter_errors(body)
    return [f"{'/'.join(map(str, one.instance_path))}: {one.message[:200]}" for one in found]


@pytest.mark.parametrize("name", NAMES)
def test_a_schema_is_sound_and_names_no_other_host(real: Running, published: dict[str, Json], name: str) -> None:
    schema = published[name]
    jsonschema_rs.meta.validate(schema)
    assert schema["$schema"] == "https://json-schema.org/draft/2020-12/schema"
    assert schema["$id"] == f"{real.address}/schemas/{name}.json"
    assert real.client.get(schema["$id"]).json() == schema
    rest = {name: value for name, value in schema.items() if name not in ("$schema", "$id")}
    assert "//" not in re.sub(r"\^https\?://", "", json.dumps(rest))
    assert all(one.startswith("#/$defs/") and one.split("/")[-1] in schema["$defs"] for one in references(schema))


def test_the_media_type_and_an_unknown_name(real: Running) -> None:
    assert real.client.get("/schemas/response.json").headers["content-type"] == "application/schema+json"
    missing = real.client.get("/schemas/other.json")
    assert (missing.status_code, missing.json()["resourceType"]) == (404, "OperationOutcome")


@pytest.mark.conformance("M8")
def test_what_is_sent_is_as_the_schemas_say(real: Running, published: dict[str, Json]) -> None:
    assert problems(published["discovery"], real.client.get("/cds-services").json()) == []
    told = [body for dialect in golden.DIALECTS for body in golden.bodies(dialect)]
    assert len(told) > 500
    assert [one for body in told for one in problems(published["response"], body)] == []
    refused = real.client.post("/cds-services/dystonia-order-sign", json={})
    assert problems(published["error"], refused.json()) == []


def test_the_calls_of_the_golden_cases_are_conformant(published: dict[str, Json]) -> None:
    for name, case in golden.calls().items():
        assert (name, problems(published["request"], case["call"])) == (name, [])


def test_the_calls_of_the_sample_patients_are_conformant(real: Running, published: dict[str, Json]) -> None:
    assert len(EXPECTED) > 20
    told = real.client.get("/try-it/data").json()
    for sample in told["patients"]:
        data = real.client.get(f"/try-it/patients/{sample['id']}").json()
        context: Json = {"userId": "Practitioner/example", "patientId": data["patient"]["id"], "encounterId": "visit"}
        wanted = next(one for one in told["services"] if one["hook"] == sample["hook"])
        for field in wanted["bundles"]:
            context[field] = {"resourceType": "Bundle", "type": "collection"}
        if sample["hook"] == "order-select":
            context["selections"] = ["MedicationRequest/draft-1"]
        instance = "4f9a6b8e-1d8b-4a1e-9f0a-0b6c1c1d2e3f"
        sent = {key: data[key] for key in wanted["prefetch"] if key in data}
        body = {"hook": sample["hook"], "hookInstance": instance, "context": context, "prefetch": sent}
        assert (sample["id"], problems(published["request"], body)) == (sample["id"], [])


@pytest.mark.parametrize("name", SHAPES)
def test_the_service_forgives_more_than_the_schema(real: Running, published: dict[str, Json], name: str) -> None:
    body, _ = SHAPES[name]
    assert real.client.post(f"/cds-services/dystonia-{body['hook']}", json=body).status_code == 200
    assert bool(problems(published["request"], body)) == (name in NOT_CONFORMANT)


def test_the_description_holds_the_same_definitions(published: dict[str, Json], described: Json) -> None:
    components = described["components"]["schemas"]
    for schema in published.values():
        for name, definition in schema["$defs"].items():
            moved = json.loads(json.dumps(definition).replace("#/$defs/", "#/components/schemas/"))
            assert components[name] == moved
    assert {one.rsplit("/", 1)[-1] for one in references(described)} <= components.keys()


def subclasses(kind: type) -> list[Any]:
    return [one for direct in kind.__subclasses__() for one in (direct, *subclasses(direct))]


# What has no place in a description of the interface: files of the pages.
UNTOLD = {"/static", "/static/review", "/static/try-it", "/fhir/{}"}


def shape_of(path: str) -> str:
    """A path with its parameters nameless."""
    return re.sub(r"\{[^}]*\}", "{}", path)


def test_every_route_is_described(described: Json) -> None:
    state = State(plugin(), Settings(), "127.0.0.1", "http://127.0.0.1:8000")
    routes = {shape_of(route.path) for route in page_routes(state)}  # type: ignore[attr-defined]
    told = {shape_of(path) for path in described["paths"]}
    assert routes - told - UNTOLD == set()
    assert told - routes == {"/cds-services", "/cds-services/{}", "/cds-services/{}/feedback"}


# Every status with which the host refuses something; 422 is about codes.
REFUSALS = {one.status for one in subclasses(Refusal)}


@pytest.mark.conformance("L400", "L401", "L403", "L404", "L405", "L412", "L413", "L415", "L429", "L500", "G7")
def test_every_refusal_is_described(described: Json) -> None:
    for path in ("/cds-services/{id}", "/cds-services/{id}/feedback"):
        answers = described["paths"][path]["post"]["responses"]
        assert set(map(str, REFUSALS)) - {"422"} | {"200"} == set(answers)
        for status, answer in answers.items():
            (content,) = answer["content"].values()
            assert status == "200" or content["schema"]["$ref"].endswith("/OperationOutcome")
    assert "Retry-After" in described["paths"]["/cds-services/{id}"]["post"]["responses"]["429"]["headers"]


# What a reader of our extension may rely on: one thing changed -> no longer valid.
BROKEN = [
    ("no rule set", ("ruleset",), wrong.GONE),
    ("no results", ("results",), wrong.GONE),
    ("an unknown status", ("results", 0, "status"), "maybe"),
    ("no rule", ("results", 0, "rule"), wrong.GONE),
    ("an unknown reason", ("results", 0, "reason"), "forgotten"),
    ("not checked without a reason", ("results", 0, "reason"), wrong.GONE),
    ("a reason for what fired", ("results", 1, "reason"), "stale"),
]
TOLD: Json = {
    "ruleset": "1+0",
    "results": [
        {"rule": "R-1", "status": "not-checked", "reason": "no-result"},
        {"rule": "R-2", "status": "fired", "indicator": "info"},
    ],
}


@pytest.mark.parametrize(("path", "value"), [row[1:] for row in BROKEN], ids=[row[0] for row in BROKEN])
def test_our_extension_is_described(published: dict[str, Json], path: wrong.Path, value: Any) -> None:
    body = {"cards": [], "extension": {OURS: TOLD}}
    assert problems(published["response"], body) == []
    assert problems(published["response"], wrong.changed(body, ("extension", OURS, *path), value))
