"""Whether a code says anything to us or to a reader: words, or a code of a system that we hold codes of."""

from __future__ import annotations

from functools import lru_cache

import msgspec

from plugin.fhir.elements import concept_of
from plugin.fhir.types import Concept, Resource
from valuesets.systems import canonical_system

NO_CODES = frozenset({b"", b"null", b"{}"})
"""The JSON of a code that is not there."""


@lru_cache(maxsize=8192)
def says_nothing(raw: bytes) -> bool:
    """True for a missing code, and for codes of foreign systems without any word: what they mean cannot be read."""
    return raw in NO_CODES or not _says_something(concept_of(raw))


def _says_something(concept: Concept | None) -> bool:
    if concept is None:
        return False
    if concept.text or (concept.concept is not None and _says_something(concept.concept)):
        return True
    codings = concept.coding or ()
    return any(one.display or (one.code and one.system and canonical_system(one.system)) for one in codings)


def need_code(resource: Resource) -> None:
    """Raises msgspec.ValidationError where the code of a resource says nothing: it may be what a rule asks for."""
    if says_nothing(bytes(resource.raw_code or b"")):
        raise msgspec.ValidationError("no readable code")
