"""``GET /openapi.json``: all of the interface, described from the pydantic models."""

from __future__ import annotations

from functools import cache
from typing import Any

import msgspec
from pydantic.json_schema import models_json_schema
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from cds_hooks import models
from cds_hooks.service import Plugin
from cds_hooks.state import State

JSON = "application/json"
FHIR = "application/fhir+json"
ID = {"name": "id", "in": "path", "required": True, "schema": {"type": "string"}}
AUDIT_HEADERS = {
    "X-Audit-Id": {"description": "The audit entry of this call.", "schema": {"type": "string"}},
    "X-Audit-State": {
        "description": "Whether that entry was durable before the answer left.",
        "schema": {"enum": ["durable", "pending", "failed", "off"]},
    },
}
REFUSALS = {
    "400": "Not JSON, or a field is missing, mistyped or contradicts the service.",
    "404": "No such service.",
    "405": "Not a POST.",
    "408": "The body did not arrive in time.",
    "412": "The data belong to someone else, or none could be used.",
    "413": "The body is too large.",
    "415": "Not plain JSON.",
    "500": "A bug of the service.",
}
REQUEST = {
    "type": "object",
    "required": ["hook", "hookInstance", "context"],
    "properties": {
        "hook": {"type": "string"},
        "hookInstance": {"type": "string"},
        "fhirServer": {"type": "string"},
        "fhirAuthorization": {"type": "object"},
        "context": {
            "type": "object",
            "required": ["patientId"],
            "properties": {"patientId": {"type": "string", "minLength": 1}, "userId": {"type": "string"}},
        },
        "prefetch": {"type": "object"},
        "extension": {"type": "object"},
    },
}
FEEDBACK = {
    "type": "object",
    "required": ["feedback"],
    "properties": {
        "feedback": {
            "type": "array",
            "items": {
                "type": "object",
                "required": ["card", "outcome"],
                "properties": {
                    "card": {"type": "string"},
                    "outcome": {"enum": ["accepted", "overridden"]},
                    "outcomeTimestamp": {"type": "string"},
                    "acceptedSuggestions": {
                        "type": "array",
                        "items": {"type": "object", "properties": {"id": {"type": "string"}}},
                    },
                    "overrideReason": {"type": "object"},
                },
            },
        }
    },
}


def routes(state: State) -> list[Route]:
    @cache
    def content() -> bytes:
        return msgspec.json.encode(document(state.plugin, state.public_url))

    def openapi(_request: Request) -> Response:
        return Response(content(), media_type=JSON, headers={"X-Content-Type-Options": "nosniff"})

    return [Route("/openapi.json", openapi)]


def document(plugin: Plugin, public_url: str) -> dict[str, Any]:
    """The OpenAPI 3.1 document of the service with ``plugin``."""
    return {
        "openapi": "3.1.0",
        "info": {
            "title": plugin.name,
            "version": plugin.version,
            "description": f"A CDS Hooks 2.0 service. Rule set {plugin.ruleset}.",
        },
        "servers": [{"url": public_url}],
        "paths": _paths(plugin),
        "components": {"schemas": _schemas()},
    }


def _schemas() -> dict[str, Any]:
    sent = (models.Discovery, models.CdsResponse, models.FeedbackAnswer, models.OperationOutcome)
    _, schemas = models_json_schema(
        [(model, "serialization") for model in sent], ref_template="#/components/schemas/{model}"
    )
    found: dict[str, Any] = schemas["$defs"]
    return found


def _paths(plugin: Plugin) -> dict[str, Any]:
    ids = {**ID, "schema": {"enum": [service.id for service in plugin.services]}}
    return {
        "/cds-services": {"get": _get("Discovery", "Discovery")},
        "/cds-services/{id}": {"post": _post("A hook call", ids, REQUEST, "CdsResponse", AUDIT_HEADERS)},
        "/cds-services/{id}/feedback": {"post": _post("Feedback about cards", ids, FEEDBACK, "FeedbackAnswer", {})},
        "/healthz": {"get": _plain("Alive", JSON)},
        "/readyz": {"get": _plain("Ready, and what is in trouble", JSON)},
        "/metrics": {"get": _plain("Metrics for Prometheus", "text/plain")},
        "/guideline": {"get": _plain("The guideline for people", "text/html")},
        "/guideline/workbook": {"get": _plain("The rules with their sign-off, to be checked on paper", "text/html")},
        "/guideline/{id}/workbook": {"get": _plain("One rule to be checked on paper", "text/html", [ID])},
        "/guideline/{id}": {"get": _plain("One rule for people", "text/html", [ID])},
        "/review": {"get": _plain("Audit review for people", "text/html")},
        "/fhir/{type}": {"get": _plain("Artefacts of one type", FHIR, [ID | {"name": "type"}])},
        "/fhir/{type}/{id}": {"get": _plain("One artefact", FHIR, [ID | {"name": "type"}, ID])},
        "/fhir/ValueSet/{id}/$expand": {"get": _plain("The codes that a value set lists", FHIR, [ID])},
        "/fhir/ValueSet/{id}/$validate-code": {"get": _plain("Whether a value set holds a code", FHIR, [ID])},
        "/fhir/ValueSet/$expand": {"get": _plain("The same for a value set by its URL", FHIR)},
        "/fhir/ValueSet/$validate-code": {"get": _plain("The same for a value set by its URL", FHIR)},
        "/openapi.json": {"get": _plain("This description", JSON)},
    }


def _content(schema: str) -> dict[str, Any]:
    return {JSON: {"schema": {"$ref": f"#/components/schemas/{schema}"}}}


def _get(summary: str, schema: str) -> dict[str, Any]:
    return {"summary": summary, "responses": {"200": {"description": summary, "content": _content(schema)}}}


def _plain(summary: str, media: str, parameters: list[dict[str, Any]] | None = None) -> dict[str, Any]:
    answer = {"summary": summary, "responses": {"200": {"description": summary, "content": {media: {}}}}}
    return answer | {"parameters": parameters} if parameters else answer


def _post(
    summary: str, ids: dict[str, Any], body: dict[str, Any], schema: str, headers: dict[str, Any]
) -> dict[str, Any]:
    answers: dict[str, Any] = {"200": {"description": summary, "content": _content(schema), "headers": headers}}
    for status, meaning in REFUSALS.items():
        answers[status] = {"description": meaning, "content": _content("OperationOutcome"), "headers": headers}
    return {
        "summary": summary,
        "parameters": [ids],
        "requestBody": {"required": True, "content": {JSON: {"schema": body}}},
        "responses": answers,
    }
