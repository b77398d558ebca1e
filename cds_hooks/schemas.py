"""The interface as JSON Schema (2020-12), made from the pydantic models: ``/schemas/{name}.json``.

What is sent is described exactly. What is received is described as a conformant client sends it; the service itself
accepts more. The same definitions stand in ``/openapi.json``.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import cache
from typing import Any, Literal

from pydantic import BaseModel, create_model
from pydantic.json_schema import GenerateJsonSchema, JsonSchemaMode, JsonSchemaValue, models_json_schema
from pydantic_core import core_schema

from cds_hooks import models, request_models
from cds_hooks.extension_models import EXTENSIONS
from cds_hooks.service import Plugin

Json = dict[str, Any]
Models = Sequence[type[BaseModel]]

DIALECT = "https://json-schema.org/draft/2020-12/schema"
MEDIA = "application/schema+json"
SENT: Mapping[str, type[BaseModel]] = {
    "discovery": models.Discovery,
    "response": models.CdsResponse,
    "error": models.OperationOutcome,
}
NAMES = ("discovery", "request", "response", "feedback", "error")


class WireSchema(GenerateJsonSchema):
    """JSON Schema without the titles that repeat names, and without null for a field that is simply left out."""

    def default_schema(self, schema: core_schema.WithDefaultSchema) -> JsonSchemaValue:
        inner = schema["schema"]
        if schema.get("default", ...) is None and inner["type"] == "nullable":
            return self.generate_inner(inner["schema"])
        return super().default_schema(schema)

    def field_title_should_be_set(self, schema: Any) -> bool:
        return False


def document(name: str, plugin: Plugin, public_url: str) -> Json:
    """One schema of :data:`NAMES` by itself, with an ``$id`` under ``public_url``."""
    received: Mapping[str, Models] = {"request": request_types(plugin), "feedback": [request_models.Feedback]}
    mode: JsonSchemaMode = "validation" if name in received else "serialization"
    roots = received.get(name) or [SENT[name]]
    references = [{"$ref": f"#/$defs/{root.__name__}"} for root in roots]
    head: Json = {
        "$schema": DIALECT,
        "$id": f"{public_url}/schemas/{name}.json",
        "title": f"CDS Hooks {name}",
        **(references[0] if len(references) == 1 else {"oneOf": references}),
    }
    return head | {"$defs": _definitions(_named(roots, mode), "#/$defs/{model}")}


def components(plugin: Plugin) -> Json:
    """All definitions by name, for the components of the OpenAPI document; ``HookCall`` is any call to the plugin."""
    sent: Models = (*SENT.values(), models.FeedbackAnswer, models.Health, models.Readiness)
    requests = request_types(plugin)
    received: Models = (*requests, request_models.Feedback)
    found = _definitions(_named(sent, "serialization") + _named(received, "validation"), "#/components/schemas/{model}")
    return found | {"HookCall": {"oneOf": [{"$ref": f"#/components/schemas/{one.__name__}"} for one in requests]}}


def request_types(plugin: Plugin) -> Models:
    """One model of a hook call for each hook that the plugin answers; the general one where it answers none."""
    hooks = dict.fromkeys(service.hook for service in plugin.services)
    return [_request_type(hook) for hook in hooks] or [request_models.HookRequest]


@cache
def _request_type(hook: str) -> type[BaseModel]:
    context = request_models.CONTEXTS.get(hook, request_models.Context)
    name = "".join(part.capitalize() for part in hook.split("-")) + "Request"
    fields: Any = {"hook": (Literal[hook], ...), "context": (context, ...)}
    return create_model(name, __base__=request_models.HookRequest, __doc__=f"A call of the hook {hook}.", **fields)


def _named(roots: Models, mode: JsonSchemaMode) -> list[tuple[type[BaseModel], JsonSchemaMode]]:
    return [(root, mode) for root in roots]


def _definitions(named: list[tuple[type[BaseModel], JsonSchemaMode]], template: str) -> Json:
    """The definitions of these models and of all that they hold; ours of the extensions beside an answer."""
    if any(model is models.CdsResponse for model, _ in named):
        named = [*named, *_named([*EXTENSIONS.values()], "serialization")]
    _, schemas = models_json_schema(named, ref_template=template, schema_generator=WireSchema)
    found: Json = schemas["$defs"]
    for name in EXTENSIONS.keys() & found.keys():
        found[name]["properties"]["extension"] = {"$ref": template.format(model=EXTENSIONS[name].__name__)}
    return found
