"""Codes and names that are not in the shipped data: a site's own, or those that a resolver learned."""

from collections.abc import Mapping
from typing import Final

import msgspec

from valuesets.model import Product


class Overlay(msgspec.Struct, frozen=True):
    """What further codes mean. The shipped data are asked first: no overlay changes the meaning of a shipped code.

    Keys are (system, code); the system is canonical (``valuesets.systems.canonical_system``) where it is known, else
    the text as given, stripped. ``drugs`` maps to products whose ``matched_by`` tells the source ("site map", "RxNav"),
    ``analytes`` to an analyte key ("calcium"), ``conditions`` to condition keys. ``names`` maps drug texts, as their
    words in ``valuesets.text`` joined by spaces, to the identities of ingredients; ``further`` has the names of those
    of their ingredients that are known by name only. ``version`` tells two overlays apart: two with the same version
    must have the same content.
    """

    drugs: Mapping[tuple[str, str], Product] = {}
    analytes: Mapping[tuple[str, str], str] = {}
    conditions: Mapping[tuple[str, str], frozenset[str]] = {}
    names: Mapping[str, tuple[str, ...]] = {}
    version: str = ""
    further: Mapping[str, tuple[str, ...]] = {}


EMPTY: Final = Overlay()
"""No further codes."""
