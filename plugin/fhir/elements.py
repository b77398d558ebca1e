"""Elements that come again and again: each distinct text of them is decoded once and shared, and never changed."""

from __future__ import annotations

from collections.abc import Callable
from decimal import Decimal
from functools import lru_cache
from typing import TypeVar

import msgspec

from plugin.fhir.datatypes import Concept, DispenseRequest, Dosage, ReferenceRange

R = TypeVar("R")


@lru_cache(maxsize=8192)
def concept_of(raw: bytes) -> Concept | None:
    """The CodeableConcept in ``raw``. The same few concepts come in every call, so each is parsed once and shared."""
    return _CONCEPT.decode(raw)


_CONCEPT: msgspec.json.Decoder[Concept | None] = msgspec.json.Decoder(Concept | None, float_hook=Decimal)


@lru_cache(maxsize=4096)
def ranges_of(raw: bytes) -> list[ReferenceRange] | None:
    """The reference ranges in ``raw``: a laboratory sends the same ones with all its results."""
    return _RANGES.decode(raw)


_RANGES: msgspec.json.Decoder[list[ReferenceRange] | None] = msgspec.json.Decoder(
    list[ReferenceRange] | None, float_hook=Decimal
)


@lru_cache(maxsize=4096)
def interpretation_of(raw: bytes) -> list[Concept] | Concept | None:
    """The flags in ``raw``, each distinct text read once."""
    return _FLAGS.decode(raw)


_FLAGS: msgspec.json.Decoder[list[Concept] | Concept | None] = msgspec.json.Decoder(
    list[Concept] | Concept | None, float_hook=Decimal
)


# A longer element than any real order has is read, but not kept.
_KEPT = 8192


def _shared(decode: Callable[[bytes], R]) -> Callable[[bytes], R]:
    """Decode each distinct text once; raises msgspec.ValidationError for one that cannot be read."""
    kept = lru_cache(maxsize=4096)(decode)

    def read(raw: bytes) -> R:
        try:
            return kept(raw) if len(raw) <= _KEPT else decode(raw)
        except (ValueError, ArithmeticError, RecursionError):
            raise msgspec.ValidationError("an element of the dosage cannot be read") from None

    return read


_DOSAGES: msgspec.json.Decoder[list[Dosage] | Dosage | None] = msgspec.json.Decoder(
    list[Dosage] | Dosage | None, float_hook=Decimal
)
_SUPPLY: msgspec.json.Decoder[DispenseRequest | None] = msgspec.json.Decoder(DispenseRequest | None, float_hook=Decimal)


@_shared
def dosages_of(raw: bytes) -> list[Dosage] | None:
    """The dosage lines in ``raw``, also where one stands alone; None for none. A call asks several times for them."""
    found = _DOSAGES.decode(raw)
    return [found] if isinstance(found, Dosage) else found


@_shared
def supply_of(raw: bytes) -> DispenseRequest | None:
    """The dispense request in ``raw``."""
    return _SUPPLY.decode(raw)
