"""What the host reads of a FHIR resource, whatever struct the plugin decodes resources into."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Protocol

import msgspec

from cds_hooks.service import Unreadable


class ReferenceLike(Protocol):
    """A FHIR Reference."""

    reference: str | None
    type: str | None
    identifier: Any
    display: str | None


class ResourceLike(Protocol):
    """The attributes that ``Plugin.resource`` must have at least, each ``None`` where the resource has no such element.

    One struct serves every resource type. ``identifier`` may be a list of identifiers or a single one; ``total`` may
    be untyped. A struct that also has ``beneficiary`` gets that element checked as an owner like ``subject``. An
    attribute may be read late and raise :data:`BROKEN`: the resource is then unreadable, never absent.

    Of what lies in them the host reads: ``system`` and ``value`` of an identifier, ``relation`` and ``url`` of a link,
    ``severity`` and ``code`` of an issue; of an entry ``fullUrl``, ``resource``, ``mode`` of ``search`` and, where
    there is one, ``status`` of ``response``.
    """

    resourceType: str
    id: str | None
    type: Any
    total: Any
    link: Sequence[Any] | None
    entry: Sequence[Any] | None
    issue: Sequence[Any] | None
    contained: Sequence[Any] | None
    subject: Any
    patient: Any
    identifier: Any


class Link(msgspec.Struct, gc=False):
    """A link of a Bundle that was read entry by entry."""

    relation: str | None = None
    url: str | None = None


class Search(msgspec.Struct, gc=False):
    """The search part of an entry that was read alone."""

    mode: str | None = None


class Response(msgspec.Struct, gc=False):
    """The response part of an entry that was read alone."""

    status: str | None = None


class ReadEntry(msgspec.Struct, gc=False):
    """An entry that was read alone, because something in its Bundle has a wrong type."""

    fullUrl: str | None = None
    resource: Any = None
    search: Search | None = None
    response: Response | None = None


class ReadBundle(msgspec.Struct, gc=False):
    """A Bundle whose entries were read one by one; ``resource`` of an entry may be :class:`Unreadable`."""

    entry: list[ReadEntry]
    link: list[Link] | None = None
    total: Any = None
    resourceType: str = "Bundle"


class WrongShape(msgspec.Struct, frozen=True):
    """A value that is no resource at all: a string, a number, a list."""

    kind: str


BROKEN = (ValueError, ArithmeticError, RecursionError)
"""What reading an attribute of a resource may raise, where the plugin's struct decodes an element only when asked."""

Value = ResourceLike | ReadBundle | Unreadable | WrongShape | None
"""One prefetch key or context field as it was read; ``None`` stands for JSON ``null``."""

KINDS = {
    ord('"'): "string",
    ord("{"): "object",
    ord("["): "array",
    ord("t"): "boolean",
    ord("f"): "boolean",
    ord("n"): "null",
}


def kind_of(raw: bytes) -> str:
    """The JSON type of a value by its first byte; never the value."""
    text = raw.lstrip(b" \t\r\n")
    return KINDS.get(text[0], "number") if text else "nothing"
