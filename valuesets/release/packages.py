"""NDC products of a release: what a package's number means, by the RxNorm products that it names."""

import json
from collections.abc import Iterable, Mapping
from typing import Final

from valuesets.ndc import readings
from valuesets.release.layout import Json
from valuesets.store import Resources

_NDC: Final = "CodeSystem/ndc-products"
_LABELLER: Final = 5  # digits
_OWN: Final = frozenset({"tty", "long-acting", "single-source"})
"""What is said of an RxNorm code and not of its packages; a depot is told where one of the products is one."""
_OPEN: Final = frozenset({"dose-form", "route", "strength"})
"""Left open where the products of one number differ; what they hold never differs, and one depot counts for all."""


def ndc_products(ndc: Mapping[str, Iterable[str]], products: Json, resources: Resources) -> Json:
    """The code system of NDC products: those of the release, and the shipped ones whose number it does not have.

    ``ndc`` gives the RxNorm codes of each number of nine digits, ``products`` the code system that holds them.
    """
    fields: Json = json.loads(resources[_NDC])
    by_code = {concept["code"]: concept for concept in products["concept"]}
    every = {readings(concept["code"])[0]: concept for concept in fields["concept"]}
    every |= {number: _concept(number, [by_code[code] for code in codes]) for number, codes in ndc.items()}
    return fields | {"concept": [every[number] for number in sorted(every)]}


def _concept(number: str, products: list[Json]) -> Json:
    first = products[0]
    told = [{json.dumps(one, sort_keys=True) for one in product["property"]} for product in products]
    shared, any_depot = set.intersection(*told), _depot(products)
    kept = [
        one
        for one in first["property"]
        if one["code"] not in _OWN and (one["code"] not in _OPEN or json.dumps(one, sort_keys=True) in shared)
    ]
    code = f"{number[:_LABELLER]}-{number[_LABELLER:]}"
    return {"code": code, "display": first["display"], "property": kept + any_depot}


def _depot(products: list[Json]) -> list[Json]:
    return [one for product in products for one in product["property"] if one["code"] == "long-acting"][:1]
