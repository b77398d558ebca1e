"""``/fhir/{type}`` and ``/fhir/{type}/{id}``: the plugin's rules and value sets as FHIR artefacts, read only."""

from __future__ import annotations

from functools import cached_property

import msgspec
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from cds_hooks.errors import outcome
from cds_hooks.state import State

FHIR_JSON = "application/fhir+json"
HEADERS = {"X-Content-Type-Options": "nosniff", "Cache-Control": "no-cache"}
TYPES = frozenset({"ValueSet", "CodeSystem", "ConceptMap", "PlanDefinition", "Library"})


class Artefacts:
    """The plugin's artefacts by ``Type/id``, made at the first request."""

    def __init__(self, state: State) -> None:
        self._state = state

    @cached_property
    def by_reference(self) -> dict[str, bytes]:
        return dict(sorted(self._state.plugin.artefacts().items()))

    def of_type(self, kind: str) -> bytes:
        """A searchset Bundle of one type."""
        base = f"{self._state.public_url}/fhir"
        entries = [
            {"fullUrl": f"{base}/{reference}", "resource": msgspec.Raw(content), "search": {"mode": "match"}}
            for reference, content in self.by_reference.items()
            if reference.partition("/")[0] == kind
        ]
        bundle = {
            "resourceType": "Bundle",
            "type": "searchset",
            "total": len(entries),
            "link": [{"relation": "self", "url": f"{base}/{kind}"}],
        }
        return msgspec.json.encode(bundle | {"entry": entries} if entries else bundle)


def routes(state: State) -> list[Route]:
    artefacts = Artefacts(state)

    def search(request: Request) -> Response:
        kind = request.path_params["kind"]
        if kind not in TYPES:
            return _missing(f"This service publishes {', '.join(sorted(TYPES))} and no other type.")
        return _fhir(artefacts.of_type(kind))

    def read(request: Request) -> Response:
        found = artefacts.by_reference.get("{kind}/{id}".format(**request.path_params))
        return _missing("There is no such artefact.") if found is None else _fhir(found)

    return [Route("/fhir/{kind}", search), Route("/fhir/{kind}/{id}", read)]


def _fhir(content: bytes, status: int = 200) -> Response:
    return Response(content, status, media_type=FHIR_JSON, headers=HEADERS)


def _missing(text: str) -> Response:
    return _fhir(msgspec.json.encode(outcome("not-found", text)), 404)
