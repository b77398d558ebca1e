"""Resources of the call as they came, for suggestions that give one back with a change."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from decimal import Decimal
from typing import Any

import msgspec

Resource = dict[str, Any]


class _Call(msgspec.Struct):
    """The two parts of a call that hold resources, unread: they are long, and few suggestions need them."""

    prefetch: msgspec.Raw = msgspec.Raw()
    context: msgspec.Raw = msgspec.Raw()


class Originals:
    """Existing resources of the call, whole, for suggestions that must give one back; parsed when asked for."""

    def __init__(self, body: bytes, context: bytes = b"", fetched: Sequence[bytes] = ()) -> None:
        """``body`` is the request as it came; ``context`` that part of it, where it was cut out already; ``fetched``
        the Bundles that a FHIR server gave, as they came."""
        self._body = body
        self._context = context
        self._fetched = fetched
        self._kept: dict[str, list[Resource]] = {}

    def get(self, reference: str, patient_id: str) -> Resource | None:
        """The patient's resource on record with this reference (``MedicationRequest/m1``).

        Without what is empty in it, and without its narrative; all else is as the client sent it. None unless there is
        exactly one, and one that can be given back as it is. Of one that came and was fetched as well, what was
        fetched counts, as it does for the rules.
        """
        fetched = [one for one in self._part("fetched") if _name(one) == reference]
        return _the_one(fetched or self._part("prefetch"), reference, patient_id)

    def draft(self, reference: str, patient_id: str) -> Resource | None:
        """As ``get``, of the drafts that the call is about."""
        return _the_one(self._part("context"), reference, patient_id)

    def _part(self, name: str) -> list[Resource]:
        if name not in self._kept:
            self._kept[name] = _entries(self._read(name))
        return self._kept[name]

    def _read(self, name: str) -> Any:
        """One part of a call; None where it holds what no computer can hold, so that nothing of it is given back."""
        known = self._context if name == "context" else b""
        try:
            if name == "fetched":
                return {str(place): _DECODER.decode(raw) for place, raw in enumerate(self._fetched)}
            raw = known or getattr(_CALL.decode(self._body), name)
            return _DECODER.decode(raw) if raw else None
        except (ValueError, ArithmeticError, RecursionError):
            return None


def _name(resource: Resource) -> str:
    return f"{resource.get('resourceType')}/{resource.get('id')}"


def _the_one(resources: list[Resource], reference: str, patient_id: str) -> Resource | None:
    found = [one for one in resources if _name(one) == reference and _is_about(one, patient_id)]
    if not found or any(one != found[0] for one in found[1:]):
        return None
    try:
        return _without_narrative(_without_empties(found[0]) if _holds_empties(found[0]) else found[0])
    except _NullInList:
        return None


def _without_narrative(resource: Resource) -> Resource:
    """The resource without the HTML that tells of it, or of one contained in it: that may no longer be true."""
    kept = {name: value for name, value in resource.items() if name != "text"}
    inner = kept.get("contained")
    if isinstance(inner, list):
        kept["contained"] = [_without_narrative(one) if isinstance(one, dict) else one for one in inner]
    return kept


# Numbers exact, because a resource that is given back must be what it was.
_DECODER = msgspec.json.Decoder(float_hook=Decimal)
_CALL = msgspec.json.Decoder(_Call)


def _entries(part: Any) -> list[Resource]:
    """The resources of every Bundle among the values of an object."""
    bundles = [value for value in part.values() if isinstance(value, dict)] if isinstance(part, dict) else []
    lists = [bundle["entry"] for bundle in bundles if isinstance(bundle.get("entry"), list)]
    resources = [entry.get("resource") for entries in lists for entry in entries if isinstance(entry, dict)]
    return [resource for resource in resources if isinstance(resource, dict)]


def _is_about(resource: Mapping[str, Any], patient_id: str) -> bool:
    subject = resource.get("subject")
    reference = subject.get("reference") if isinstance(subject, dict) else None
    return isinstance(reference, str) and f"/{reference}".split("/_history/", 1)[0].endswith(f"/Patient/{patient_id}")


class _NullInList(Exception):
    """Lists of primitives and of their extensions belong together place by place: a null there must not go."""


def _holds_empties(resource: Resource) -> bool:
    """False for most resources, which then need not be taken apart; True may be wrong for the sake of a text."""
    written = msgspec.json.encode(resource)
    return b"null" in written or b'""' in written or b"[]" in written or b"{}" in written


def _without_empties(value: Any) -> Any:
    """The value without nulls, empty strings, lists and objects, which FHIR forbids and our answers never hold."""
    if isinstance(value, dict):
        kept: Resource = {}
        for name, inner in value.items():
            whole = _without_empties(inner) if isinstance(inner, (dict, list)) else inner
            if whole or not _is_empty(whole):
                kept[name] = whole
        return kept
    if None in value:
        raise _NullInList
    inners = [_without_empties(one) if isinstance(one, (dict, list)) else one for one in value]
    return [one for one in inners if one or not _is_empty(one)]


def _is_empty(value: Any) -> bool:
    return value is None or value in ("", [], {})
