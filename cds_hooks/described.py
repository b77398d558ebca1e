"""``/openapi.json`` and ``/schemas/{name}.json``: the interface as machines read it.

What describes it is loaded when somebody first asks, in a worker thread: a service that answers calls needs none of it,
and it would take 40 ms of every start.
"""

from __future__ import annotations

from functools import cache

import msgspec
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from cds_hooks.errors import UnknownArtefact, outcome_json
from cds_hooks.state import State

JSON = "application/json"
OPENAPI_HEADERS = {"X-Content-Type-Options": "nosniff"}
SCHEMA_HEADERS = OPENAPI_HEADERS | {"Cache-Control": "no-cache"}


def routes(state: State) -> list[Route]:
    """The OpenAPI document, and a schema each for discovery, request, response, feedback and error."""

    @cache
    def interface() -> bytes:
        from cds_hooks.openapi import document

        return msgspec.json.encode(document(state))

    def openapi(_request: Request) -> Response:
        return Response(interface(), media_type=JSON, headers=OPENAPI_HEADERS)

    @cache
    def content(name: str) -> bytes:
        from cds_hooks.schemas import document

        return msgspec.json.encode(document(name, state.plugin, state.public_url))

    def schema(request: Request) -> Response:
        from cds_hooks.schemas import MEDIA, NAMES

        name: str = request.path_params["name"]
        if name in NAMES:
            return Response(content(name), media_type=MEDIA, headers=SCHEMA_HEADERS)
        expected = ", ".join(f"/schemas/{one}.json" for one in NAMES)
        refusal = UnknownArtefact(f"There is no such schema; expected {expected}.")
        return Response(outcome_json(refusal), refusal.status, media_type=JSON, headers=SCHEMA_HEADERS)

    return [Route("/openapi.json", openapi), Route("/schemas/{name}.json", schema)]
