"""What resolvers found out, and how it comes into force."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Protocol

import msgspec

from plugin import vocabulary
from plugin.vocabulary import terminology
from valuesets import Ingredient, Product
from valuesets.overlay import Overlay
from valuesets.systems import RXNORM


class Found(Protocol):
    """What is known of one code; see ``cds_hooks.terminology.desk.Learned``."""

    @property
    def position(self) -> str: ...
    @property
    def system(self) -> str: ...
    @property
    def code(self) -> str: ...
    @property
    def name(self) -> str: ...
    @property
    def targets(self) -> tuple[str, ...]: ...
    @property
    def source(self) -> str: ...


class Learned(msgspec.Struct, frozen=True):
    """What a source said about one code.

    ``targets`` are ingredient identities, one analyte, or condition keys; a known code without any is none of ours.
    """

    position: str
    system: str
    code: str
    name: str
    targets: tuple[str, ...]
    source: str


def identities(parts: Iterable[tuple[str, str]]) -> tuple[str, ...]:
    """Our ingredients among (RxNorm code, name) pairs of ingredients and salts, each once, in their order."""
    found: dict[str, None] = {}
    for code, name in parts:
        product = terminology().product(RXNORM, code)
        ingredients = product.ingredients if product is not None else ()
        named = terminology().ingredient(name) if name and not ingredients else None
        found.update(dict.fromkeys(item.rxcui for item in (*ingredients, *([named] if named else ()))))
    return tuple(found)


def learn(found: Iterable[Found]) -> None:
    """Add to what was learned and put all of it into force; what was worked out before is forgotten.

    A target that the data do not hold (any more) is left out: the name of the drug is then read as a text.
    """
    codes = terminology()
    drugs, analytes = dict(codes.learned.drugs), dict(codes.learned.analytes)
    conditions = dict(codes.learned.conditions)
    rows = list(found)
    for one in rows:
        key = (one.system, one.code)
        if one.position == "drug":
            drugs[key] = _product(one)
        elif one.position == "lab":
            analytes[key] = next(iter(one.targets), "")
        else:
            conditions[key] = frozenset(one.targets)
    if rows:
        version = str(int(codes.learned.version or "0") + 1)
        codes.learn(Overlay(drugs=drugs, analytes=analytes, conditions=conditions, version=version))
        vocabulary.forget()


def _product(one: Found) -> Product:
    """A drug whose form, route and strength are read from its name, where the name means the same ingredients."""
    ingredients = tuple(item for item in map(_ingredient, one.targets) if item is not None)
    match = terminology().match_text(one.name)
    same = bool(ingredients) and set(match.ingredients) == set(ingredients)
    return Product(
        rxcui=one.code,
        name=one.name,
        tty="",
        ingredients=ingredients,
        dose_form="",
        route=match.route if same else "",
        long_acting=same and match.long_acting,
        strengths=match.strengths if same else (),
        matched_by=one.source,
        further=match.further if same else (),
    )


def _ingredient(identity: str) -> Ingredient | None:
    return terminology().ingredient(identity)
