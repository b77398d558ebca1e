"""The quick look at a card: the shape of ``models.Card`` as structs, which say yes in a fifth of the time.

Whatever passes here passes there too; whatever does not is put to ``models.Card``, which decides and says why. Patterns
end in ``\\Z`` because Python's ``$`` would let a line break through.
"""

from __future__ import annotations

from typing import Annotated, Any, Literal

import msgspec
from msgspec import UNSET, Meta, UnsetType

Text = Annotated[str, Meta(min_length=1)]
Summary = Annotated[str, Meta(min_length=1, max_length=139)]
Uuid = Annotated[str, Meta(pattern=r"^[0-9A-Fa-f]{8}(-[0-9A-Fa-f]{4}){3}-[0-9A-Fa-f]{12}\Z")]
Url = Annotated[str, Meta(pattern=r"^https?://[^\s]+\Z")]
Extension = Annotated[dict[str, Any], Meta(min_length=1)]


class _Coding(msgspec.Struct, forbid_unknown_fields=True):
    code: Text
    system: Text
    display: Text | UnsetType = UNSET


class _Reason(msgspec.Struct, forbid_unknown_fields=True):
    code: Text
    system: Text
    display: Text


class _Source(msgspec.Struct, forbid_unknown_fields=True):
    label: Text
    url: Url | UnsetType = UNSET
    icon: Url | UnsetType = UNSET
    topic: _Coding | UnsetType = UNSET


class _Link(msgspec.Struct, forbid_unknown_fields=True):
    label: Text
    url: Url
    type: Literal["absolute"]


class _Draft(msgspec.Struct):
    resourceType: Any


class _Create(msgspec.Struct, tag_field="type", tag="create", forbid_unknown_fields=True):
    description: Text
    resource: _Draft


class _Update(msgspec.Struct, tag_field="type", tag="update", forbid_unknown_fields=True):
    description: Text
    resource: _Draft


class _Delete(msgspec.Struct, tag_field="type", tag="delete", forbid_unknown_fields=True):
    description: Text
    resourceId: Text


class _Suggestion(msgspec.Struct, forbid_unknown_fields=True):
    label: Text
    uuid: Uuid
    actions: Annotated[list[_Create | _Update | _Delete], Meta(min_length=1)] | UnsetType = UNSET


class _Card(msgspec.Struct, forbid_unknown_fields=True):
    uuid: Uuid
    summary: Summary
    indicator: Literal["info", "warning", "critical"]
    source: _Source
    detail: Text | UnsetType = UNSET
    suggestions: Annotated[list[_Suggestion], Meta(min_length=1)] | UnsetType = UNSET
    selectionBehavior: Literal["at-most-one", "any"] | UnsetType = UNSET
    overrideReasons: Annotated[list[_Reason], Meta(min_length=1)] | UnsetType = UNSET
    links: Annotated[list[_Link], Meta(min_length=1)] | UnsetType = UNSET
    extension: Extension | UnsetType = UNSET


def is_surely_valid(card: dict[str, Any]) -> bool:
    """Whether ``models.Card`` would accept the card; False says nothing."""
    try:
        shape = msgspec.convert(card, _Card)
    except (msgspec.ValidationError, TypeError, ValueError, RecursionError):
        return False
    choice = shape.suggestions is UNSET or shape.selectionBehavior is not UNSET
    return choice and _has_lists(card)


def _has_lists(card: dict[str, Any]) -> bool:
    """The structs take a tuple for a list."""
    suggestions = card.get("suggestions", [])
    lists = [suggestions, card.get("links", []), card.get("overrideReasons", [])]
    lists += [one.get("actions", []) for one in suggestions]
    return all(type(one) is list for one in lists)
