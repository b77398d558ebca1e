"""Elements that come again and again: each distinct text of them is decoded once and shared, and never changed."""

from __future__ import annotations

from decimal import Decimal
from functools import lru_cache

import msgspec

from plugin.fhir.datatypes import Concept, DispenseRequest, Dosage, ReferenceRange


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


# Longer dosage than any real order has is read, but not kept.
_KEPT_DOSAGE = 8192


def dosages_of(raw: bytes) -> list[Dosage] | None:
    """The dosage lines in ``raw``, also where one stands alone; None for none. A call asks several times for them."""
    return _dosages(raw) if len(raw) <= _KEPT_DOSAGE else _dosages.__wrapped__(raw)


@lru_cache(maxsize=4096)
def _dosages(raw: bytes) -> list[Dosage] | None:
    found = _DOSAGES.decode(raw)
    return [found] if isinstance(found, Dosage) else found


_DOSAGES: msgspec.json.Decoder[list[Dosage] | Dosage | None] = msgspec.json.Decoder(
    list[Dosage] | Dosage | None, float_hook=Decimal
)


@lru_cache(maxsize=4096)
def supply_of(raw: bytes) -> DispenseRequest | None:
    """The dispense request in ``raw``."""
    return _SUPPLY.decode(raw)


_SUPPLY: msgspec.json.Decoder[DispenseRequest | None] = msgspec.json.Decoder(DispenseRequest | None, float_hook=Decimal)
