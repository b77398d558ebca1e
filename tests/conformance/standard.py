"""The shapes of CDS Hooks 2.0.1 and 3.0 in our own JSON Schema, written apart from the models that the service uses.

:func:`faults` returns all that is wrong with a body under one version, :data:`INVARIANTS` what the logical models of
3.0 add in words. A top-level name that the version does not know is a fault.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from functools import cache
from typing import Any

import jsonschema_rs

Json = dict[str, Any]

TWO, THREE = "2.0.1", "3.0"
VERSIONS = (TWO, THREE)
OURS = "org.dystonia-cds"
TEXT: Json = {"type": "string", "minLength": 1}
FLAG: Json = {"type": "boolean"}
URL: Json = {"type": "string", "pattern": "^https?://[^\\s]+$"}
UUID: Json = {
    "type": "string",
    "pattern": "^[0-9a-fA-F]{8}-[0-9a-fA-F]{4}-[0-9a-fA-F]{4}-[0-9a-fA-F]{4}-[0-9a-fA-F]{12}$",
}
# A name in an extension is a reverse domain: at least one dot.
EXTENSION: Json = {"type": "object", "minProperties": 1, "propertyNames": {"pattern": "^[a-z0-9-]+(\\.[a-z0-9-]+)+$"}}
RESOURCE: Json = {"type": "object", "required": ["resourceType"], "properties": {"resourceType": TEXT}}
REFERENCE: Json = {"type": "string", "pattern": "^[A-Za-z]+/[A-Za-z0-9.\\-]{1,64}$"}


def closed(required: str, **properties: Json) -> Json:
    """An object with these fields, an extension, and nothing else."""
    return {
        "type": "object",
        "required": required.split(),
        "properties": {**properties, "extension": EXTENSION},
        "additionalProperties": False,
    }


def several(item: Json) -> Json:
    return {"type": "array", "items": item, "minItems": 1}


CODING = closed("code system", code=TEXT, system=TEXT, display=TEXT)
REASON = closed("code system display", code=TEXT, system=TEXT, display=TEXT)
SOURCE = closed("label", label=TEXT, url=URL, icon=URL, topic=CODING)
LINK = closed(
    "label url type", label=TEXT, url=URL, type={"enum": ["absolute", "smart"]}, appContext=TEXT, autolaunchable=FLAG
)
_KIND: Json = {"enum": ["create", "update", "delete"]}
# In 2.0 a system action is an action like any other; in 3.0 its description may be left out.
_RESOURCE: Json = {"anyOf": [RESOURCE, TEXT]}
ACTION = closed("type description", type=_KIND, description=TEXT, resource=_RESOURCE, resourceId=REFERENCE)
SYSTEM_ACTION = closed("type", type=_KIND, description=TEXT, resource=_RESOURCE, resourceId=REFERENCE)
NEW_IN_3: dict[str, Json] = {"actionSelectionBehavior": {"enum": ["all", "any", "at-most-one"]}}


def suggestion(**more: Json) -> Json:
    return closed("label", label=TEXT, uuid=UUID, isRecommended=FLAG, actions=several(ACTION), **more)


def response(one_suggestion: Json, system_action: Json) -> Json:
    card = closed(
        "summary indicator source",
        uuid=UUID,
        summary={"type": "string", "minLength": 1, "maxLength": 139},
        detail=TEXT,
        indicator={"enum": ["info", "warning", "critical"]},
        source=SOURCE,
        suggestions=several(one_suggestion),
        selectionBehavior={"enum": ["at-most-one", "any"]},
        overrideReasons=several(REASON),
        links=several(LINK),
    )
    return closed("cards", cards={"type": "array", "items": card}, systemActions=several(system_action))


def discovery(**more: Json) -> Json:
    prefetch: Json = {"type": "object", "minProperties": 1, "additionalProperties": TEXT}
    service = closed(
        "hook description id",
        hook=TEXT,
        description=TEXT,
        id={"type": "string", "pattern": "^[^/?#\\s]+$"},
        title=TEXT,
        prefetch=prefetch,
        usageRequirements=TEXT,
        **more,
    )
    return closed("services", services={"type": "array", "items": service})


FEEDBACK = closed(
    "feedback",
    feedback={
        "type": "array",
        "items": closed(
            "card outcome outcomeTimestamp",
            card=UUID,
            outcome={"enum": ["accepted", "overridden"]},
            outcomeTimestamp={"type": "string", "pattern": "^\\d{4}-\\d\\d-\\d\\dT\\d\\d:\\d\\d:\\d\\d(\\.\\d+)?Z$"},
            acceptedSuggestions=several(closed("id", id=UUID)),
            overrideReason=closed("", reason=CODING, userComment=TEXT),
        ),
    },
)
TOKEN: Json = {
    "type": "object",
    "required": ["access_token", "token_type", "expires_in", "scope", "subject"],
    "properties": {
        "access_token": TEXT,
        "token_type": {"const": "Bearer"},
        "expires_in": {"type": "integer"},
        "scope": TEXT,
        "subject": TEXT,
        "patient": TEXT,
    },
}
REQUEST: Json = {
    "type": "object",
    "required": ["hook", "hookInstance", "context"],
    "properties": {
        "hook": TEXT,
        "hookInstance": UUID,
        "fhirServer": URL,
        "fhirAuthorization": TOKEN,
        "context": {"type": "object", "minProperties": 1},
        "prefetch": {"type": "object", "additionalProperties": {"anyOf": [RESOURCE, {"type": "null"}]}},
        "extension": {"type": "object"},
    },
}
SHAPES: dict[tuple[str, str], Json] = {
    ("response", TWO): response(suggestion(), ACTION),
    ("response", THREE): response(suggestion(**NEW_IN_3), SYSTEM_ACTION),
    ("discovery", TWO): discovery(),
    ("discovery", THREE): discovery(
        version={"type": "string", "pattern": "^\\d+\\.\\d+\\.\\d+(-[0-9A-Za-z.-]+)?$"}, hookVersion=TEXT
    ),
    ("feedback", TWO): FEEDBACK,
    ("feedback", THREE): FEEDBACK,
    ("request", TWO): REQUEST,
    ("request", THREE): REQUEST,
}


@cache
def _validator(kind: str, version: str) -> Any:
    return jsonschema_rs.Draft202012Validator(SHAPES[kind, version])


def faults(kind: str, body: Json, version: str) -> list[str]:
    """All that is wrong with a body: its shape, its empty fields, the invariants of the version."""
    found = [
        f"{'/'.join(map(str, one.instance_path))}: {one.message}" for one in _validator(kind, version).iter_errors(body)
    ]
    if kind != "request":
        found += [f"{path}: empty" for path in empties(body)]
    return found + [name for name, (about, broken) in INVARIANTS.items() if about == kind and broken(body)]


ALLOWED_EMPTY = re.compile(rf"/(cards|services|feedback|extension/{re.escape(OURS)}/results)")


def empties(value: object, path: str = "") -> Iterator[str]:
    """Where null or something empty stands that may not be empty."""
    if value in (None, "", [], {}) and not isinstance(value, bool | int) and not ALLOWED_EMPTY.fullmatch(path) and path:
        yield path
    inner = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    for name, one in inner:
        yield from empties(one, f"{path}/{name}")


def cards_of(body: Json) -> list[Json]:
    return [one for one in body.get("cards", []) if isinstance(one, dict)]


def suggestions_of(body: Json) -> list[Json]:
    return [one for card in cards_of(body) for one in card.get("suggestions", [])]


def actions_of(body: Json) -> list[Json]:
    return [one for given in suggestions_of(body) for one in given.get("actions", [])]


def links_of(body: Json) -> list[Json]:
    return [one for card in cards_of(body) for one in card.get("links", [])]


def _entries(body: Json) -> list[Json]:
    found = body.get("feedback")
    return [one for one in found if isinstance(one, dict)] if isinstance(found, list) else []


def _several_recommended(card: Json) -> bool:
    recommended = [one for one in card.get("suggestions", []) if one.get("isRecommended") is True]
    return card.get("selectionBehavior") == "at-most-one" and len(recommended) > 1


def _bad_delete(action: Json) -> bool:
    return action.get("type") == "delete" and ("resourceId" not in action or "resource" in action)


def _silent_override(entry: Json) -> bool:
    given = entry.get("overrideReason")
    return given is not None and not ({"reason", "userComment"} & set(given))


def _without_patient(body: Json) -> bool:
    token = body.get("fhirAuthorization") or {}
    return "patient/" in str(token.get("scope")) and "patient" not in token


def _choices(body: Json) -> set[str]:
    return {str(one["actionSelectionBehavior"]) for one in suggestions_of(body) if "actionSelectionBehavior" in one}


def _bad_selections(body: Json) -> bool:
    selections = (body.get("context") or {}).get("selections") or []
    return any(not re.fullmatch(r"[A-Za-z]+/[\w.\-]+", str(one)) for one in selections)


INVARIANTS: dict[str, tuple[str, Callable[[Json], bool]]] = {
    "cds-resp-1": ("response", lambda body: any(_several_recommended(card) for card in cards_of(body))),
    "cds-resp-2": ("response", lambda body: any(_bad_delete(one) for one in actions_of(body))),
    "cds-resp-3": (
        "response",
        lambda body: any("appContext" in one and one.get("type") != "smart" for one in links_of(body)),
    ),
    "cds-resp-4": (
        "response",
        lambda body: any("display" not in one for card in cards_of(body) for one in card.get("overrideReasons", [])),
    ),
    "cds-resp-5": ("response", lambda body: any("description" not in one for one in actions_of(body))),
    "cds-resp-6": (
        "response",
        lambda body: any("suggestions" in card and "selectionBehavior" not in card for card in cards_of(body)),
    ),
    "cds-resp-7": ("response", lambda body: bool(_choices(body) - {"all", "any", "at-most-one"})),
    "cds-fb-1": (
        "feedback",
        lambda body: any(one.get("outcome") not in ("accepted", "overridden") for one in _entries(body)),
    ),
    "cds-fb-2": (
        "feedback",
        lambda body: any(
            one.get("outcome") == "accepted" and "acceptedSuggestions" not in one for one in _entries(body)
        ),
    ),
    "cds-fb-3": ("feedback", lambda body: any(_silent_override(one) for one in _entries(body))),
    "cds-r-1": ("request", lambda body: "fhirAuthorization" in body and "fhirServer" not in body),
    "cds-r-2": ("request", _without_patient),
    "ord-1": ("request", _bad_selections),
}
"""What the logical models of 3.0 say in expressions, as (which body, whether it is broken)."""
