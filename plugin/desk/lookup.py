"""Conversations with a resolver about one code: what to ask next, given what it answered so far."""

from __future__ import annotations

from collections.abc import Generator
from typing import TYPE_CHECKING

from plugin.desk import fhir_server, rxnav
from plugin.desk.learned import Learned, learn

if TYPE_CHECKING:
    from plugin.desk import Unmapped

__all__ = ["Learned", "learn", "lookup"]

_SOURCES = {"rxnav": rxnav.lookup, "fhir": fhir_server.lookup}


def lookup(unmapped: Unmapped, source: str) -> Generator[str, bytes | None, Learned | None]:
    """Yields the path and query of each request, is sent the body of each answer, returns what was learned.

    Only the code goes out, never a text; nothing is asked where the source cannot answer. An answer of an unexpected
    shape raises msgspec.ValidationError.
    """
    return _SOURCES[source](unmapped.position, unmapped.system, unmapped.code)
