"""Ingredients of combinations that are none of ours: known by the name that RxNorm spells out, and by nothing else."""

import re
from collections import defaultdict
from collections.abc import Callable, Collection, Iterable, Iterator
from typing import Final

import msgspec

from valuesets.model import TextMatch
from valuesets.release.naming import parse
from valuesets.release.shape import BRANDED, Described, brand_of, phrase_of

_PACK_PART: Final = re.compile(r" / | and ")
# What stands before the first ingredient of a part of a pack: "{1 (480 ML) (", "10 FL OZ Nighttime (".
_BEFORE_PART: Final = re.compile(
    r"[\s{(]*(?:\d+ (?=\())?[\s(]*(?:\d+ (?:FL OZ|ML)\b\)?)?[\s(]*(?:Daytime|Nighttime)?[\s(]*"
)
_BEFORE_AMOUNT: Final = re.compile(r"(.+?) \d+(?:\.\d+)? [A-Z]+")
_ABBREVIATED_FORMS: Final = frozenset({"Chewable Tab"})
_ABBREVIATED: Final = {"apap": "acetaminophen"}
"""What old names abbreviate."""
_NAMED_BY_INGREDIENT: Final = frozenset({"MIN", "SCDF", "SCDG", "SBDF"})
"""Kinds of concepts whose names hold the ingredients as such, and not their salts."""
_SALTS: Final = frozenset({
    "acetate", "adipate", "anhydrous", "aspartate", "besylate", "bitartrate", "bromide", "camsylate", "carbonate",
    "chloride", "citrate", "dihydrate", "disodium", "edisylate", "erbumine", "fumarate", "gluconate", "hcl",
    "hemihydrate", "hydrobromide", "hydrochloride", "hyclate", "lactate", "maleate", "mesylate", "mononitrate",
    "monohydrate", "nitrate", "oxalate", "pamoate", "pentahydrate", "phosphate", "polistirex", "potassium",
    "salicylate", "sodium", "stearate", "succinate", "sulfate", "tannate", "tartrate", "tosylate", "trihydrate",
})  # fmt: skip
"""Words that part a salt from its ingredient: "codeine phosphate" is told as "codeine", as RxNorm has that as well."""
_BRAND: Final = re.compile(r"\[([^\[\]]+)\]")

Match = Callable[[str], TextMatch]


def with_further(products: Iterable[Described], match: Match) -> list[Described]:
    """The products with the names of those ingredients that ``match`` does not read as one of theirs.

    Names are in lower case, without their salts. A brand holds what all products of that name share.
    """
    every = list(products)
    forms = _ABBREVIATED_FORMS.union(one.dose_form for one in every if one.dose_form)
    spelt = {one.rxcui: list(_spelt(one, match, forms)) if one.multi else [] for one in every if one.tty != "BN"}
    plain = {name for one in every if one.tty in _NAMED_BY_INGREDIENT for name in spelt[one.rxcui]}
    told = {rxcui: _unsalted(names, plain) for rxcui, names in spelt.items()}
    of_brand = _shared(every, told)
    told |= {one.rxcui: of_brand.get(brand_of(one.name), ()) for one in every if one.tty == "BN"}
    return [_holding(one, told[one.rxcui]) for one in every]


def _holding(product: Described, names: tuple[str, ...]) -> Described:
    return msgspec.structs.replace(product, further=names, multi=True) if names else product


def components_of(name: str, forms: Collection[str]) -> list[str]:
    """The ingredients that a name spells out, as written; those of every part of a pack."""
    if not name.endswith("Pack") and "} Pack [" not in name:
        return list(parse(name, forms).components)
    parts = [_BEFORE_PART.sub("", part, count=1) for part in _PACK_PART.split(name)]
    return [found[1] for part in parts if (found := _BEFORE_AMOUNT.match(part))]


def _spelt(product: Described, match: Match, forms: Collection[str]) -> Iterator[str]:
    for component in components_of(product.name, forms):
        read = {one.rxcui for one in match(component).ingredients}
        if not read or not read.issubset(product.ingredients):
            yield phrase_of(component)


def _unsalted(names: Iterable[str], plain: Collection[str]) -> tuple[str, ...]:
    return tuple(dict.fromkeys(unsalted(name, plain) for name in names))


def unsalted(name: str, plain: Collection[str]) -> str:
    """The longest name of an ingredient with which a name begins, if only words of salts follow."""
    words = name.split(" ")
    for size in range(len(words), 0, -1):
        start = " ".join(words[:size])
        if start in plain and _SALTS.issuperset(words[size:]):
            return start
    return _ABBREVIATED.get(name, name)


def further_of_brands(products: Iterable[Described]) -> dict[str, tuple[str, ...]]:
    """The further ingredients that all ``products`` of a brand share, by the brand as text matching sees it."""
    every = list(products)
    shared = _shared(every, {one.rxcui: one.further for one in every})
    return {brand_of(one.name): one.further for one in every if one.tty == "BN" and one.further} | shared


def _shared(products: Iterable[Described], told: dict[str, tuple[str, ...]]) -> dict[str, tuple[str, ...]]:
    found: dict[str, list[tuple[str, ...]]] = defaultdict(list)
    for one in products:
        if one.tty in BRANDED:
            for brand in _BRAND.findall(one.name):
                found[brand_of(brand)].append(told[one.rxcui])
    return {brand: tuple(name for name in rows[0] if all(name in row for row in rows)) for brand, rows in found.items()}
