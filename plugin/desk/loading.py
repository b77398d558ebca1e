"""Loading the codes that a site runs with: those that ship or a snapshot, and the site's own over them."""

from __future__ import annotations

from pathlib import Path
from typing import Final

import msgspec

from plugin.desk.problems import ERROR, WARNING, Problem, errors_of
from plugin.desk.site_map import NO_MAP, read
from valuesets import Product, Terminology, load
from valuesets.manifest import TerminologyDataError
from valuesets.store import CodeSystem
from valuesets.systems import RXNORM

_PRODUCTS: Final = "CodeSystem/rxnorm-products"
SHIPPED: Final = "shipped codes"


class Loaded(msgspec.Struct, frozen=True):
    """What was loaded, or None where an error stands in the way, and everything that is wrong."""

    terminology: Terminology | None
    problems: tuple[Problem, ...]


def load_codes(folder: Path | None, snapshot: Path | None) -> Loaded:
    """The terminology of a site; ``folder`` holds its own codes, ``snapshot`` the drugs in place of those that ship."""
    try:
        shipped = load(snapshot=snapshot)
    except TerminologyDataError as error:
        return Loaded(None, (_damaged(error, snapshot),))
    found = read(folder, shipped) if folder is not None else NO_MAP
    if errors_of(found.problems):
        return Loaded(None, found.problems)
    terminology = load(found.overlay, snapshot) if found.overlay.version else shipped
    return Loaded(terminology, found.problems)


def check_codes(folder: Path | None, snapshot: Path | None) -> tuple[Problem, ...]:
    """Everything that is wrong, with each product of the data built once: they are built on first use otherwise."""
    from plugin.desk.release import outdated

    found = load_codes(folder, snapshot).problems
    try:
        _build_all(load(snapshot=snapshot))
    except TerminologyDataError as error:
        return tuple(dict.fromkeys((_damaged(error, snapshot), *found)))
    why = outdated(snapshot) if snapshot is not None else ""
    return (*found, Problem(WARNING, str(snapshot), "", why)) if why else found


def _build_all(terminology: Terminology) -> list[Product | None]:
    data = msgspec.json.decode(terminology.resources()[_PRODUCTS], type=CodeSystem)
    return [terminology.product(RXNORM, concept.code) for concept in data.concept]


def _damaged(error: TerminologyDataError, snapshot: Path | None) -> Problem:
    return Problem(ERROR, str(snapshot) if snapshot is not None else SHIPPED, "", str(error))
