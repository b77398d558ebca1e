"""Every operation of the service as data, for ``/openapi.json``: path, parameters, answers."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from cds_hooks.artefacts.catalogue import TYPES
from cds_hooks.artefacts.operations import EXPAND, VALIDATE
from cds_hooks.artefacts.search import KNOWN
from cds_hooks.review.filters import INDICATORS, OUTCOMES
from cds_hooks.schemas import MEDIA as SCHEMA
from cds_hooks.schemas import NAMES

Json = dict[str, Any]

JSON = "application/json"
FHIR = "application/fhir+json"
HTML = "text/html"
TEXT = "text/plain"


def audited(*, always: bool) -> Json:
    """The headers about the audit entry; what never became a call is refused without them."""
    states = ["durable", "pending", "failed", "off"]
    return {
        "X-Audit-Id": {"description": "The audit entry.", "required": always, "schema": {"type": "string"}},
        "X-Audit-State": {
            "description": "Whether that entry was durable before the answer left.",
            "required": always,
            "schema": {"enum": states},
        },
    }


MEANINGS: Mapping[int, str] = {
    400: "Not JSON, or a field or parameter is missing, mistyped or contradicts the service.",
    401: "No token, or one that is not accepted. The answer is the same whatever was wrong.",
    403: "Known, but not allowed here.",
    404: "There is nothing under this id.",
    405: "Another method is expected.",
    408: "The body did not arrive in time.",
    412: "The data belong to someone else, or none could be used.",
    413: "The body is too large.",
    415: "Not plain JSON.",
    422: "Codes of a hierarchy that is not here: nobody can tell.",
    429: "Too many calls; Retry-After says how long to wait.",
    431: "More headers than there can be use for.",
    500: "A bug of the service.",
    503: "Not available now.",
}
RETRY_AFTER: Json = {
    "Retry-After": {"description": "Seconds to wait.", "required": True, "schema": {"type": "integer", "minimum": 1}}
}
CALL_REFUSALS = (400, 401, 403, 404, 405, 408, 412, 413, 415, 429, 431, 500)


@dataclass(frozen=True, slots=True)
class Operation:
    """One method of one path.

    ``schema`` and ``body`` name components. ``refusals`` answer with an OperationOutcome in the media type
    ``refusal_media``, or with a page where that is HTML. ``secured`` operations need a token where tokens are required.
    """

    path: str
    summary: str
    media: str = JSON
    schema: str = ""
    method: str = "get"
    body: str = ""
    parameters: tuple[Json, ...] = ()
    refusals: tuple[int, ...] = ()
    refusal_media: str = JSON
    headers: Json = field(default_factory=dict)
    refusal_headers: Json = field(default_factory=dict)
    secured: bool = False


def in_path(name: str, *known: str) -> Json:
    schema: Json = {"enum": list(known)} if known else {"type": "string", "minLength": 1}
    return {"name": name, "in": "path", "required": True, "schema": schema}


def in_query(name: str, *known: str, schema: Json | None = None) -> Json:
    chosen = schema or ({"enum": list(known)} if known else {"type": "string"})
    return {"name": name, "in": "query", "required": False, "schema": chosen}


_WHOLE: Json = {"type": "integer", "minimum": 0, "maximum": 2**31 - 1}
_KINDS: Mapping[str, Json] = {
    "_count": _WHOLE,
    "_offset": _WHOLE,
    "count": _WHOLE,
    "offset": _WHOLE,
    "_summary": {"enum": ["true", "false", "count"]},
    "_format": {"enum": ["json", "application/json", FHIR, "text/json"]},
    "indicator": {"enum": ["", *INDICATORS]},
    "outcome": {"enum": ["", *OUTCOMES]},
}


def _query(*names: str) -> tuple[Json, ...]:
    return tuple(in_query(name, schema=_KINDS.get(name)) for name in names)


def hook_operations(ids: tuple[str, ...]) -> list[Operation]:
    """Discovery, hook calls and feedback."""
    service = (in_path("id", *ids),)
    asked: Json = {"secured": True, "refusal_headers": audited(always=False)}
    posted: Json = {"method": "post", "parameters": service, "refusals": CALL_REFUSALS, **asked}
    posted["headers"] = audited(always=True)
    told = Operation("/cds-services", "Discovery", schema="Discovery", refusals=(401, 403, 405, 429, 500), **asked)
    call = Operation("/cds-services/{id}", "A hook call", schema="CdsResponse", body="HookCall", **posted)
    about = ("/cds-services/{id}/feedback", "Feedback about cards")
    return [told, call, Operation(*about, schema="FeedbackAnswer", body="Feedback", **posted)]


def fhir_operations() -> list[Operation]:
    """The artefacts."""
    kind, key = in_path("type", *TYPES), in_path("id")
    told: Json = {"media": FHIR, "refusal_media": FHIR}
    found: list[Operation] = [
        Operation(
            "/fhir/{type}",
            "Artefacts of one type",
            schema="Bundle",
            parameters=(kind, *_query(*KNOWN)),
            refusals=(400, 404),
            **told,
        ),
        Operation(
            "/fhir/{type}/{id}",
            "One artefact",
            schema="Resource",
            parameters=(kind, key, *_query("_summary", "_format")),
            refusals=(400, 404),
            **told,
        ),
    ]
    for name, names, summary, refusals in (
        ("$expand", EXPAND, "The codes that a value set lists", (400, 404)),
        ("$validate-code", VALIDATE, "Whether a value set holds a code", (400, 404, 422)),
    ):
        one: Json = {"schema": "Resource", "refusals": refusals, **told}
        by_id = (key, *_query(*names))
        found.append(Operation(f"/fhir/ValueSet/{{id}}/{name}", summary, parameters=by_id, **one))
        found.append(Operation(f"/fhir/ValueSet/{name}", f"{summary}, by its URL", parameters=_query(*names), **one))
    return found


REVIEW = _query("rule", "indicator", "drug", "outcome", "patient", "from", "to", "before")
PAGES: tuple[Operation, ...] = (
    Operation("/guideline", "The guideline for people", HTML),
    Operation("/guideline/workbook", "The rules with their sign-off, to be checked on paper", HTML),
    Operation(
        "/guideline/{id}/workbook",
        "One rule to be checked on paper",
        HTML,
        parameters=(in_path("id"),),
        refusals=(404,),
        refusal_media=HTML,
    ),
    Operation(
        "/guideline/{id}",
        "One rule for people",
        HTML,
        parameters=(in_path("id"), in_query("with")),
        refusals=(404,),
        refusal_media=HTML,
    ),
    Operation(
        "/review",
        "Audit review for people at this machine",
        HTML,
        parameters=REVIEW,
        refusals=(400, 403, 503),
        refusal_media=HTML,
    ),
    Operation(
        "/review/{id}",
        "One call as it was audited",
        HTML,
        parameters=(in_path("id"),),
        refusals=(403, 404, 503),
        refusal_media=HTML,
    ),
)
OPERATING: tuple[Operation, ...] = (
    Operation("/healthz", "Alive", schema="Health"),
    Operation("/readyz", "Ready, and what is in trouble", schema="Readiness"),
    Operation("/metrics", "Metrics for Prometheus", TEXT),
    Operation("/openapi.json", "This description"),
    Operation(
        "/schemas/{name}.json",
        "One part of the interface as JSON Schema",
        SCHEMA,
        parameters=(in_path("name", *NAMES),),
        refusals=(404,),
    ),
)
TRY_IT: tuple[Operation, ...] = (
    Operation("/", "The try-it page", HTML),
    Operation("/try-it/data", "What the try-it page may choose from"),
    Operation("/try-it/patients/{id}", "The record of a sample patient", parameters=(in_path("id"),), refusals=(404,)),
)
