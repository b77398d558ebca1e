"""Reading a call piece by piece, after the typed decode met an element of a wrong type."""

from __future__ import annotations

import re
import sys
from collections.abc import Mapping
from decimal import Decimal, InvalidOperation
from typing import Any

import msgspec

from cds_hooks.errors import BadCall
from cds_hooks.service import Unreadable
from cds_hooks.shapes import Link, ReadBundle, ReadEntry, Response, Search, Value, WrongShape, kind_of

TYPE_NAME = re.compile(r"[A-Za-z]{1,64}")
RESOURCE_ID = re.compile(r"[A-Za-z0-9.\-]{1,64}")
NOTHING = msgspec.Raw()
MISFIT = (msgspec.ValidationError, InvalidOperation)
"""JSON that is sound but does not fit: an element of another type, or a number beyond what can be computed with."""


class Shell(msgspec.Struct, gc=False):
    """The elements of a resource that tell what it is."""

    resourceType: msgspec.Raw = NOTHING
    id: msgspec.Raw = NOTHING
    entry: msgspec.Raw = NOTHING
    link: msgspec.Raw = NOTHING
    total: msgspec.Raw = NOTHING


class EntryShell(msgspec.Struct, gc=False):
    """The elements of an entry, unread."""

    fullUrl: msgspec.Raw = NOTHING
    resource: msgspec.Raw = NOTHING
    search: msgspec.Raw = NOTHING
    response: msgspec.Raw = NOTHING


_TEXT = msgspec.json.Decoder(str)
_COUNT = msgspec.json.Decoder(int, strict=False)
_RAW_LIST = msgspec.json.Decoder(list[msgspec.Raw])
_RAW_FIELDS = msgspec.json.Decoder(dict[str, msgspec.Raw])
_SHELL = msgspec.json.Decoder(Shell)
_ENTRY = msgspec.json.Decoder(EntryShell)
_LINKS = msgspec.json.Decoder(list[Link] | None)
_SEARCH = msgspec.json.Decoder(Search | None)
_RESPONSE = msgspec.json.Decoder(Response | None)


def attempt(decoder: msgspec.json.Decoder[Any], raw: msgspec.Raw | bytes, otherwise: Any = None) -> Any:
    """What ``decoder`` makes of ``raw``; ``otherwise`` if it is missing or of another type."""
    if not raw:
        return otherwise
    try:
        return decoder.decode(raw)
    except MISFIT:
        return otherwise


def json_text(raw: msgspec.Raw | bytes) -> str:
    text: str = attempt(_TEXT, raw, "")
    return text


def _total(raw: msgspec.Raw) -> int | None:
    """A number beyond what can be computed with is more than any Bundle holds; what is no number says nothing."""
    beyond = sys.maxsize if raw and kind_of(bytes(raw)) == "number" else None
    total: int | None = attempt(_COUNT, raw, beyond)
    return total


def safe(text: str, pattern: re.Pattern[str]) -> str:
    """``text`` if it looks like a name, else nothing: it is shown to people later."""
    return text if pattern.fullmatch(text) else ""


class LooseReader:
    """Reads what can be read and says of the rest that it was there."""

    def __init__(self, resource_type: type) -> None:
        self._resource: msgspec.json.Decoder[Any] = msgspec.json.Decoder(resource_type, float_hook=Decimal)

    def fields(self, raw: bytes, path: str) -> Mapping[str, msgspec.Raw]:
        """The members of an object, unread; raises :class:`BadCall` if it is none."""
        fields: dict[str, msgspec.Raw] | None = attempt(_RAW_FIELDS, raw)
        if fields is None:
            raise BadCall(f"{path}: expected an object, got {kind_of(raw)}.")
        return fields

    def texts(self, raw: msgspec.Raw | bytes) -> list[str]:
        """The strings of a list; anything else is passed over."""
        return [text for item in attempt(_RAW_LIST, raw, []) if (text := json_text(item))]

    def value(self, raw: msgspec.Raw | bytes) -> Value:
        kind = kind_of(bytes(raw))
        if kind == "null":
            return None
        return self.resource(raw) if kind == "object" else WrongShape(kind)

    def resource(self, raw: msgspec.Raw | bytes) -> Value:
        try:
            resource: Value = self._resource.decode(raw)
        except MISFIT:
            return self._unread(raw)
        return resource

    def _unread(self, raw: msgspec.Raw | bytes) -> Value:
        shell: Shell = _SHELL.decode(raw)
        name = json_text(shell.resourceType)
        if name == "Bundle":
            return self._bundle(shell)
        if not name:
            return WrongShape("an object without resourceType")
        return Unreadable(safe(name, TYPE_NAME), safe(json_text(shell.id), RESOURCE_ID))

    def _bundle(self, shell: Shell) -> Value:
        if kind_of(bytes(shell.entry)) not in {"array", "null", "nothing"}:
            return WrongShape("a Bundle whose entry is no array")
        entries = [self._entry(raw) for raw in attempt(_RAW_LIST, shell.entry, [])]
        # Links that cannot be read may hold a next page: take them for one.
        links = attempt(_LINKS, shell.link, [Link(relation="next")]) if shell.link else None
        return ReadBundle(entry=entries, link=links, total=_total(shell.total))

    def _entry(self, raw: msgspec.Raw) -> ReadEntry:
        shell = attempt(_ENTRY, raw)
        if shell is None:
            return ReadEntry(resource=Unreadable("", ""))
        return ReadEntry(
            fullUrl=json_text(shell.fullUrl) or None,
            resource=self._entry_resource(shell.resource),
            search=attempt(_SEARCH, shell.search),
            response=attempt(_RESPONSE, shell.response),
        )

    def _entry_resource(self, raw: msgspec.Raw) -> Value:
        value = self.value(raw) if raw else None
        if isinstance(value, ReadBundle):  # a Bundle among resources: whose it is cannot be told piece by piece
            return Unreadable("Bundle", "")
        return Unreadable("", "") if isinstance(value, WrongShape) else value
