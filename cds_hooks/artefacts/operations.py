"""The operations of a value set: ``$expand`` and ``$validate-code``, without any hierarchy of others' code systems."""

from __future__ import annotations

from datetime import datetime
from typing import Any
from uuid import NAMESPACE_URL, uuid5

import msgspec
from starlette.requests import Request

from cds_hooks.artefacts.catalogue import Catalogue, Json, shown
from cds_hooks.artefacts.parameters import refuse_unknown, text, whole
from cds_hooks.artefacts.value_set import Listed, ValueSet
from cds_hooks.errors import BadCall, Undecided

EXPAND = ("url", "valueSetVersion", "filter", "offset", "count", "_format")
VALIDATE = ("url", "valueSetVersion", "system", "systemVersion", "code", "display", "_format")
_UNCLOSED = {"url": "http://hl7.org/fhir/StructureDefinition/valueset-unclosed", "valueBoolean": True}


def expand(catalogue: Catalogue, request: Request) -> bytes:
    """The value set with the codes that it lists.

    ``filter`` keeps the codes whose code or display holds every word of it, in any case; ``offset`` and ``count``
    choose a page. A set that holds codes below listed ones is marked unclosed and says so in words.
    """
    refuse_unknown(request, EXPAND)
    content = _chosen(catalogue, request)
    value_set = ValueSet(catalogue, content)
    words, offset, count = text(request, "filter"), whole(request, "offset") or 0, whole(request, "count")
    found = [one for one in value_set.codes if _matches(one, words)]
    page = found[offset:] if count is None else found[offset : offset + count]
    now = catalogue.state.clock()
    expansion: Json = {
        "identifier": _identifier(value_set, words, offset, count, now),
        "timestamp": now.isoformat(timespec="seconds"),
        "total": len(found),
        "offset": offset,
    }
    if value_set.open:
        expansion = {"extension": [_UNCLOSED], **expansion}
    if given := _parameters(value_set, words, offset, count):
        expansion["parameter"] = given
    if page:
        expansion["contains"] = page
    resource = msgspec.json.decode(content)
    resource.pop("compose", None)
    return msgspec.json.encode(resource | {"expansion": expansion})


def validate_code(catalogue: Catalogue, request: Request) -> bytes:
    """Parameters: whether a code belongs to a value set, as the rules would take it, and why.

    Raises BadCall where system or code is missing, and Undecided (422) where a set is open and nobody knows more.
    """
    refuse_unknown(request, VALIDATE)
    value_set = ValueSet(catalogue, _chosen(catalogue, request))
    system, code = text(request, "system"), text(request, "code")
    if not system or not code:
        got = "neither" if not system and not code else "no code" if not code else "no system"
        raise BadCall(f"Expected the parameters system and code; got {got}. Other forms of a code are not read here.")
    answer = value_set.holds(system, code)
    if answer is None:
        raise Undecided(f"{value_set.definition.id} holds codes below {', '.join(value_set.systems)}: cannot tell.")
    listed = value_set.find(system, code)
    told = [{"name": "result", "valueBoolean": answer}]
    if message := _message(value_set, system, code, text(request, "display"), answer, listed):
        told.append({"name": "message", "valueString": message})
    if answer and listed is not None and listed.display:
        told.append({"name": "display", "valueString": listed.display})
    return msgspec.json.encode({"resourceType": "Parameters", "parameter": told})


def _chosen(catalogue: Catalogue, request: Request) -> bytes:
    """The ValueSet that the path or the parameter url names; the two must not name different ones."""
    url, version, key = text(request, "url"), text(request, "valueSetVersion"), request.path_params.get("id", "")
    if version and url and "|" not in url:
        url = f"{url}|{version}"
    if not url and not key:
        raise BadCall(
            "Expected the parameter url, the canonical URL of a ValueSet, or its id in the path; got neither."
        )
    named = catalogue.by_url("ValueSet", url).id if url else key
    if key and named != key:
        raise BadCall(
            f"The path names the ValueSet {shown(key)} and the parameter url another one; expected one of them."
        )
    return catalogue.content("ValueSet", named)


def _matches(one: Listed, words: str) -> bool:
    text = f"{one.code} {one.display}".casefold()
    return all(word in text for word in words.casefold().split())


def _identifier(value_set: ValueSet, words: str, offset: int, count: int | None, now: datetime) -> str:
    asked = "\n".join([value_set.definition.canonical, words, str(offset), str(count), now.isoformat()])
    return uuid5(NAMESPACE_URL, asked).urn


def _parameters(value_set: ValueSet, words: str, offset: int, count: int | None) -> list[Json]:
    given: list[tuple[str, str, Any]] = [
        ("filter", "valueString", words),
        ("offset", "valueInteger", offset),
        ("count", "valueInteger", count),
        ("warning", "valueString", _warning(value_set)),
    ]
    return [{"name": name, kind: value} for name, kind, value in given if value or (name == "count" and value == 0)]


def _warning(value_set: ValueSet) -> str:
    if not value_set.open:
        return ""
    systems = ", ".join(value_set.below or value_set.systems)
    out = f" Codes at and below {', '.join(value_set.excluded)} do not belong to it." if value_set.excluded else ""
    return (
        f"Not closed: the set also holds every code below the listed codes of {systems}, whose hierarchies are not "
        f"shipped.{out} Ask $validate-code about a single code."
    )


def _message(value_set: ValueSet, system: str, code: str, display: str, answer: bool, listed: Listed | None) -> str:
    if not answer:
        held = "" if system in value_set.systems else f" The set lists codes of {', '.join(value_set.systems)}."
        named = value_set.definition.title or value_set.definition.id
        return f"The code {shown(code)} of {shown(system)} is not in {named} ({value_set.definition.canonical}).{held}"
    if listed is None:
        return "Not listed itself: it belongs through a listed code above it, or through the site's own map."
    if display and listed.display and " ".join(display.split()).casefold() != listed.display.casefold():
        return f"The display is listed as {listed.display!r}; the one given was not judged."
    return ""
