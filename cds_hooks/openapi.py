"""``GET /openapi.json``: all of the interface, described from the pydantic models and the list of operations."""

from __future__ import annotations

from typing import Any

from cds_hooks import schemas
from cds_hooks.operations import (
    HTML,
    JSON,
    MEANINGS,
    OPERATING,
    PAGES,
    RETRY_AFTER,
    TRY_IT,
    Operation,
    fhir_operations,
    hook_operations,
)
from cds_hooks.state import State

Json = dict[str, Any]

TOKEN = "clientToken"
SCHEMES: Json = {
    TOKEN: {
        "type": "http",
        "scheme": "bearer",
        "bearerFormat": "JWT",
        "description": "The client's own signed token, as CDS Hooks describes it.",
    }
}
UNAVAILABLE = 503
TOO_MANY = 429


def document(state: State) -> Json:
    """The OpenAPI 3.1 document of the service as it is set up."""
    plugin = state.plugin
    return {
        "openapi": "3.1.0",
        "info": {
            "title": plugin.name,
            "version": plugin.version,
            "description": f"A CDS Hooks 2.0 service. Rule set {plugin.ruleset}.",
        },
        "servers": [{"url": state.public_url}],
        "paths": _paths(operations(state), required=state.settings.auth == "required"),
        "components": {"schemas": schemas.components(plugin), "securitySchemes": SCHEMES},
    }


def operations(state: State) -> list[Operation]:
    """Every operation that the service offers as it is set up."""
    offered = TRY_IT if state.settings.offers_try_it(state.host) else ()
    ids = tuple(service.id for service in state.plugin.services)
    return [*hook_operations(ids), *OPERATING, *fhir_operations(), *PAGES, *offered]


def _paths(every: list[Operation], *, required: bool) -> Json:
    return {one.path: {one.method: _described(one, required=required)} for one in every}


def _described(one: Operation, *, required: bool) -> Json:
    answers = {"200": _answer(one.summary, one.media, one.schema, one.headers)}
    if one.path == "/readyz":
        answers[str(UNAVAILABLE)] = _answer("Rules or value sets are not loaded.", one.media, one.schema, {})
    answers |= {str(status): _refusal(one, status) for status in one.refusals}
    told: Json = {"summary": one.summary, "responses": answers}
    if one.parameters:
        told["parameters"] = list(one.parameters)
    if one.body:
        told["requestBody"] = {"required": True, "content": _content(JSON, one.body)}
    if one.secured:
        told["security"] = [{TOKEN: []}] if required else [{}, {TOKEN: []}]
    return told


def _refusal(one: Operation, status: int) -> Json:
    schema = "" if one.refusal_media == HTML else "OperationOutcome"
    headers = one.refusal_headers | (RETRY_AFTER if status == TOO_MANY else {})
    return _answer(MEANINGS[status], one.refusal_media, schema, headers)


def _answer(description: str, media: str, schema: str, headers: Json) -> Json:
    answer: Json = {"description": description, "content": _content(media, schema)}
    return answer | ({"headers": headers} if headers else {})


def _content(media: str, schema: str) -> Json:
    return {media: {"schema": {"$ref": f"#/components/schemas/{schema}"}} if schema else {}}
