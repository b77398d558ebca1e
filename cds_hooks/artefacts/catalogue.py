"""The plugin's artefacts, to be found by type, id and canonical URL."""

from __future__ import annotations

from functools import cached_property
from typing import Any

import msgspec

from cds_hooks.errors import UnknownArtefact
from cds_hooks.state import State

Json = dict[str, Any]

TYPES = (
    "CodeSystem",
    "ConceptMap",
    "ImplementationGuide",
    "Library",
    "PlanDefinition",
    "StructureDefinition",
    "ValueSet",
)
# The bulk of a resource, which FHIR leaves out of a summary as well.
_BULK = ("action", "compose", "concept", "dataRequirement", "definition", "differential", "expansion", "group", "text")
_SUBSETTED = {"system": "http://terminology.hl7.org/CodeSystem/v3-ObservationValue", "code": "SUBSETTED"}
_LONGEST_SHOWN = 200


class Artefact(msgspec.Struct, frozen=True, rename={"type": "resourceType"}):
    """What one artefact says about itself, as far as it can be searched for."""

    type: str
    id: str
    url: str = ""
    version: str = ""
    name: str = ""
    title: str = ""
    status: str = ""


_ARTEFACT = msgspec.json.Decoder(Artefact)


class Catalogue:
    """Every artefact of the plugin, in the order of type and id; read at the first request.

    Raises UnknownArtefact (404) for a type, id or URL that there is none of.
    """

    def __init__(self, state: State) -> None:
        """``state`` is that of the application: plugin, public address and clock."""
        self.state = state
        self.base = f"{state.public_url}/fhir"
        self._summaries: dict[str, Json] = {}

    @cached_property
    def _content(self) -> dict[str, bytes]:
        return dict(sorted(self.state.plugin.artefacts().items()))

    @cached_property
    def _artefacts(self) -> tuple[Artefact, ...]:
        return tuple(_ARTEFACT.decode(content) for content in self._content.values())

    def of_type(self, kind: str) -> list[Artefact]:
        """All artefacts of one FHIR type."""
        if kind not in TYPES:
            raise UnknownArtefact(f"This service publishes {', '.join(TYPES)}; got the type {shown(kind)}.")
        return [one for one in self._artefacts if one.type == kind]

    def content(self, kind: str, key: str) -> bytes:
        """The JSON of one artefact."""
        found = self._content.get(f"{kind}/{key}")
        if found is None:
            self.of_type(kind)
            raise UnknownArtefact(f"There is no {kind} with the id {shown(key)}; GET /fhir/{kind} lists all of them.")
        return found

    def by_url(self, kind: str, canonical: str) -> Artefact:
        """The artefact with a canonical URL, which may end in ``|version``."""
        url, _, version = canonical.partition("|")
        for one in self.of_type(kind):
            if one.url == url and version in ("", one.version):
                return one
        raise UnknownArtefact(
            f"There is no {kind} with the URL {shown(canonical)}; GET /fhir/{kind} lists all that there are."
        )

    def summary(self, one: Artefact) -> Json:
        """The artefact without its codes, marked as a subset; a code system tells how many it has."""
        reference = f"{one.type}/{one.id}"
        if reference not in self._summaries:
            self._summaries[reference] = _summary(msgspec.json.decode(self._content[reference]))
        return self._summaries[reference]


def shown(text: str) -> str:
    """What a caller sent, short enough to be repeated to them."""
    return repr(text if len(text) <= _LONGEST_SHOWN else text[:_LONGEST_SHOWN] + "…")


def _summary(resource: Json) -> Json:
    meta = resource.get("meta", {})
    marked = {**meta, "tag": [*meta.get("tag", []), _SUBSETTED]}
    first = {"resourceType": resource["resourceType"], "id": resource["id"], "meta": marked}
    kept = first | {name: value for name, value in resource.items() if name not in {*first, *_BULK}}
    if resource["resourceType"] == "CodeSystem":
        kept["count"] = len(resource.get("concept", []))
    return kept
