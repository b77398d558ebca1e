"""Searches: a Bundle of one type, filtered, paged and in summary."""

from __future__ import annotations

from typing import Any
from urllib.parse import urlencode

import msgspec
from starlette.requests import Request

from cds_hooks.artefacts.catalogue import Artefact, Catalogue, Json
from cds_hooks.artefacts.parameters import choice, refuse_unknown, text, whole

_SUMMARIES = ("true", "false", "count")
FILTERS = ("_id", "url", "version", "name", "title", "status")
KNOWN = (*FILTERS, "_count", "_offset", "_summary", "_format")


def bundle(catalogue: Catalogue, request: Request, kind: str) -> bytes:
    """The searchset Bundle that a search for one type asks for.

    ``_id``, ``url``, ``version`` and ``status`` take one value or several with commas; ``name`` and ``title`` the
    start of one, in any case. Code systems come without their concepts, marked SUBSETTED, unless ``_summary=false``
    asks for all of them; other types come whole unless ``_summary=true`` asks otherwise. Raises BadCall for a value
    that cannot be read, and UnknownArtefact for another type.
    """
    refuse_unknown(request, KNOWN)
    every = catalogue.of_type(kind)
    wanted = {name: value for name in FILTERS if (value := text(request, name))}
    found = [one for one in every if all(_fits(one, name, value) for name, value in wanted.items())]
    summary = choice(request, "_summary", _SUMMARIES) or ("true" if kind == "CodeSystem" else "")
    count, offset = whole(request, "_count"), whole(request, "_offset") or 0
    if count == 0:
        summary = "count"
    page = [] if summary == "count" else found[offset:] if count is None else found[offset : offset + count]
    used = {**wanted, **({"_summary": summary} if summary else {}), **({"_count": str(count)} if count else {})}
    links = [_link(catalogue, kind, "self", used, offset)]
    if count and summary != "count" and offset + count < len(found):
        links.append(_link(catalogue, kind, "next", used, offset + count))
    answer: Json = {"resourceType": "Bundle", "type": "searchset", "total": len(found), "link": links}
    entries = [_entry(catalogue, one, summary == "true") for one in page]
    return msgspec.json.encode(answer | {"entry": entries} if entries else answer)


def _fits(one: Artefact, name: str, value: str) -> bool:
    own: str = getattr(one, name.removeprefix("_"))
    if name in ("name", "title"):
        return own.casefold().startswith(value.casefold())
    return own in value.split(",")


def _link(catalogue: Catalogue, kind: str, relation: str, used: dict[str, str], offset: int) -> Json:
    query = urlencode(used | ({"_offset": str(offset)} if offset else {}))
    return {"relation": relation, "url": f"{catalogue.base}/{kind}" + (f"?{query}" if query else "")}


def _entry(catalogue: Catalogue, one: Artefact, summary: bool) -> Json:
    whole_one = msgspec.Raw(catalogue.content(one.type, one.id))
    resource: Any = catalogue.summary(one) if summary else whole_one
    return {"fullUrl": f"{catalogue.base}/{one.type}/{one.id}", "resource": resource, "search": {"mode": "match"}}
