"""The routes under ``/fhir``; whatever goes wrong is told in an OperationOutcome."""

from __future__ import annotations

from collections.abc import Callable, Mapping

import msgspec
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from cds_hooks.artefacts import operations, search
from cds_hooks.artefacts.catalogue import TYPES, Catalogue, shown
from cds_hooks.artefacts.parameters import choice
from cds_hooks.errors import Refusal, UnknownArtefact, WrongMethod, outcome_json
from cds_hooks.state import State

FHIR_JSON = "application/fhir+json"
HEADERS = {"X-Content-Type-Options": "nosniff", "Cache-Control": "no-cache"}
_READ = ("GET", "HEAD")
_WRITE = ("POST", "PUT", "PATCH", "DELETE")
_ALLOWED = {"Allow": ", ".join(_READ)}
_FORMATS = ("json", "application/json", FHIR_JSON, "text/json")
_OPERATIONS = {"$expand": operations.expand, "$validate-code": operations.validate_code}

Reader = Callable[[Request], bytes]


def routes(state: State) -> list[Route]:
    """``/fhir/{type}``, ``/fhir/{type}/{id}``, and the operations of ValueSet."""
    catalogue = Catalogue(state)

    def found(request: Request) -> bytes:
        return search.bundle(catalogue, request, request.path_params["kind"])

    def read(request: Request) -> bytes:
        kind, key = request.path_params["kind"], request.path_params["id"]
        content = catalogue.content(kind, key)
        if choice(request, "_summary", ("true", "false")) != "true":
            return content
        one = next(one for one in catalogue.of_type(kind) if one.id == key)
        return msgspec.json.encode(catalogue.summary(one))

    def operation(name: str) -> Reader:
        return lambda request: _OPERATIONS[name](catalogue, request)

    def other(request: Request) -> bytes:
        offered = ", ".join(f"/fhir/ValueSet/{{id}}/{name}" for name in _OPERATIONS)
        raise UnknownArtefact(
            f"There is nothing at {shown(request.url.path)}; expected /fhir/{{type}} or /fhir/{{type}}/{{id}} with one "
            f"of {', '.join(TYPES)}, or {offered}."
        )

    every: list[tuple[str, Reader]] = [("/fhir/{kind}", found)]
    for name in _OPERATIONS:
        every += [(f"/fhir/ValueSet/{name}", operation(name)), (f"/fhir/ValueSet/{{id}}/{name}", operation(name))]
    every += [("/fhir/{kind}/{id}", read), ("/fhir/{rest:path}", other)]
    return [Route(path, _told(reader), methods=[*_READ, *_WRITE]) for path, reader in every]


def _told(reader: Reader) -> Callable[[Request], Response]:
    def answer(request: Request) -> Response:
        if request.method not in _READ:
            return _fhir(outcome_json(WrongMethod("Artefacts are read with GET.")), WrongMethod.status, _ALLOWED)
        try:
            choice(request, "_format", _FORMATS)
            return _fhir(reader(request))
        except Refusal as refusal:
            return _fhir(outcome_json(refusal), refusal.status)

    return answer


def _fhir(content: bytes, status: int = 200, more: Mapping[str, str] = {}) -> Response:
    return Response(content, status, media_type=FHIR_JSON, headers={**HEADERS, **more})
