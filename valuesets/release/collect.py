"""From a release to the products that hold an ingredient of ours, described the way the shipped list describes them."""

from array import array
from collections import defaultdict
from collections.abc import Collection, Iterable, Mapping
from typing import Final

import msgspec

from valuesets.ndc import readings
from valuesets.release.graph import OTHER, Graph, Node
from valuesets.release.moved import retired
from valuesets.release.naming import amount, named, parse, written_amount
from valuesets.release.rrf import Release, ReleaseError
from valuesets.release.shape import LOCAL, PACK, Described, Kept, phrase_of

_BOSS: Final = tuple(f"RXN_BOSS_STRENGTH_{part}" for part in ("NUM_VALUE", "NUM_UNIT", "DENOM_VALUE", "DENOM_UNIT"))
_STRENGTH: Final = "RXN_STRENGTH"
_STATED: Final = frozenset({*_BOSS, _STRENGTH})
_NDC: Final = "NDC"
_NDC_DIGITS: Final = 11
_NDC_NUMBER: Final = 9
_PACKS: Final = frozenset({"GPCK", "BPCK"})


class Collected(msgspec.Struct):
    """What a release says of our ingredients.

    ``products`` are in the order of their codes, those that stand for a retired code among them. ``ndc`` gives the
    products of each NDC number (nine digits, without the package), alike in ingredients. ``foreign_brands`` are branded
    products that hold none of our ingredients: they tell which brands name more than one recipe. The other fields are
    counts for the report.
    """

    products: list[Described]
    ndc: dict[str, list[str]]
    foreign_brands: list[Described]
    suppressed: int = 0
    by_name: int = 0
    moved: int = 0
    contradicted: int = 0
    ambiguous_ndc: int = 0


def collect(release: Release, ours: Mapping[str, Kept], names: Mapping[str, str]) -> Collected:
    """Read the release once, file by file.

    ``ours`` are our ingredients by identity and ``names`` their generic and salt names as phrases. Raises
    ReleaseError where a file cannot be read or holds nothing of ours.
    """
    graph = Graph(release)
    moved = retired(release)
    ingredients = _ingredients(graph, moved, ours)
    holding = graph.holding(ingredients)
    if not holding:  # not even the ingredients themselves
        raise ReleaseError(f"{release.folder} holds no product of our ingredients. Is it a release of RxNorm?")
    described = _by_name(graph, dict(names) | _names_of(graph, holding), holding)
    found = Collected([], {}, [], by_name=len(described))
    attributes = _Attributes(release, graph, holding.keys() | described.keys())
    amounts = graph.strengths(_components(graph, holding, attributes, found))
    forms = graph.dose_forms()
    for rxcui, identities in holding.items():
        node, form = graph.nodes[rxcui], forms.get(rxcui, "")
        described[rxcui] = _described(rxcui, node, identities, form, amounts.get(rxcui, {}))
    found.suppressed = sum(graph.nodes[rxcui].suppressed for rxcui in described)
    found.foreign_brands = [
        Described(str(rxcui), node.tty, node.name, ())
        for rxcui, node in graph.nodes.items()
        if node.tty in ("SBD", "SBDC", "SBDF") and rxcui not in described
    ]
    found.ndc, found.ambiguous_ndc = attributes.packages(described)
    _add_moved(moved, graph, described, found)
    found.products = [described[rxcui] for rxcui in sorted(described)]
    return found


def _names_of(graph: Graph, holding: Mapping[int, frozenset[str]]) -> dict[str, str]:
    """The names that the release has for our ingredients and their salts, as phrases."""
    return {
        phrase_of(graph.nodes[rxcui].name): next(iter(identities))
        for rxcui, identities in sorted(holding.items())
        if graph.nodes[rxcui].tty in ("IN", "PIN") and len(identities) == 1 and OTHER not in identities
    }


def _ingredients(graph: Graph, moved: Mapping[int, int], ours: Mapping[str, Kept]) -> dict[int, str]:
    """Our identities by the ingredient codes of the release.

    An ingredient whose code RxNorm has retired is found by the new code, and one of our own without a code by its name.
    """
    by_name = {one.name.casefold(): identity for identity, one in ours.items() if identity.startswith(LOCAL)}
    found = {}
    for rxcui, node in graph.ingredients():
        identity = str(rxcui) if str(rxcui) in ours else by_name.get(node.name.casefold())
        if identity is not None:
            found[rxcui] = identity
    for identity in ours:
        new = moved.get(int(identity)) if identity.isdecimal() and int(identity) not in found else None
        if new is not None and new in graph.nodes and graph.nodes[new].tty == "IN":
            found.setdefault(new, identity)
    return found


class _Attributes:
    """The attributes of RXNSAT.RRF that we keep: strengths of components, and packages of products."""

    def __init__(self, release: Release, graph: Graph, ours: Collection[int]) -> None:
        self._strengths: dict[int, dict[str, set[str]]] = {}
        self._packages: dict[str, tuple[set[int], set[int]]] = {}
        self._foreign = array("Q"), array("Q")  # numbers of other drugs, in current use and old
        for code, kind, value, suppress in release.rows("RXNSAT", 9, 0, 8, 10, 11):
            if not code.isdecimal():
                continue
            if kind == _NDC:
                for number in readings(value) if len(value) == _NDC_DIGITS else ():
                    self._add_package(int(code), number, suppress not in ("", "N"), ours)
            elif kind in _STATED and int(code) in ours and graph.nodes[int(code)].tty == "SCDC":
                self._strengths.setdefault(int(code), {}).setdefault(kind, set()).add(value)

    def _add_package(self, rxcui: int, number: str, old: bool, ours: Collection[int]) -> None:
        if rxcui in ours:
            self._packages.setdefault(number, (set(), set()))[old].add(rxcui)
        else:
            self._foreign[old].append(int(number))

    def amounts(self, rxcui: int) -> set[str]:
        """Every amount that the attributes state for a component."""
        stated = self._strengths.get(rxcui, {})
        found = {written_amount(value) for value in stated.get(_STRENGTH, ())}
        parts = [stated.get(part, {""}) for part in _BOSS]
        if stated.get(_BOSS[0]):
            single = [next(iter(values)) for values in parts if len(values) == 1]
            found.add(amount(*single) if len(single) == len(_BOSS) else "")
        return found - {""}

    def packages(self, described: Mapping[int, Described]) -> tuple[dict[str, list[str]], int]:
        """The products of each NDC number, and how many numbers were left out because they name different drugs.

        Packages in current use outweigh old ones; a reused number whose products differ in ingredients means nothing.
        """
        written = [(f"{number:0{_NDC_NUMBER}d}" for number in numbers) for numbers in self._foreign]
        others = [{number for number in numbers if number in self._packages} for numbers in written]
        found, ambiguous = {}, 0
        for number, (current, old) in sorted(self._packages.items()):
            if not current and number in others[0]:
                continue
            products = current or old
            recipes = {(described[rxcui].ingredients, described[rxcui].multi) for rxcui in products}
            if len(recipes) == 1 and number not in others[not current]:
                found[number] = [str(rxcui) for rxcui in sorted(products)]
            else:
                ambiguous += 1
        return found, ambiguous


def _components(
    graph: Graph, holding: Mapping[int, frozenset[str]], attributes: _Attributes, found: Collected
) -> dict[int, tuple[str, str]]:
    """Ingredient and amount of each component; a component of which two places say different amounts has none."""
    components = {}
    for rxcui, identities in holding.items():
        node = graph.nodes[rxcui]
        if node.tty != "SCDC" or len(identities) != 1 or OTHER in identities:
            continue
        stated = attributes.amounts(rxcui) | (set(parse(node.name, ()).amounts) - {""})
        if len(stated) == 1:
            components[rxcui] = (next(iter(identities)), next(iter(stated)))
        found.contradicted += len(stated) > 1
    return components


def _described(
    rxcui: int, node: Node, identities: Iterable[str], dose_form: str, amounts: Mapping[str, set[str]]
) -> Described:
    """A concept in the form of the shipped list; an ingredient with several amounts (a pack, two layers) has none."""
    held = set(identities)
    ordered = tuple(sorted(held - {OTHER}, key=_order))
    single = [(one, amounts[one]) for one in ordered if len(amounts.get(one, ())) == 1]
    strengths = tuple(f"{identity}={written}" for identity, (written,) in single if written)
    form = PACK if node.tty in _PACKS else dose_form
    return Described(str(rxcui), node.tty, node.name, ordered, form, strengths, len(held) > 1)


def _order(identity: str) -> tuple[bool, int, str]:
    return identity.startswith(LOCAL), int(identity) if identity.isdecimal() else 0, identity


def _by_name(graph: Graph, names: Mapping[str, str], holding: Mapping[int, frozenset[str]]) -> dict[int, Described]:
    """Obsolete concepts lose their relations; their names still say what they were, in RxNorm's own grammar."""
    forms = frozenset(graph.forms.values())
    described = {}
    for rxcui, node in graph.unrelated():
        if rxcui in holding or node.tty in _PACKS or node.tty == "BN":
            continue
        parsed = parse(node.name, forms)
        components = named(parsed, names)
        if components:
            held = [*components, *[OTHER] * (len(parsed.components) > len(components))]
            described[rxcui] = _described(rxcui, node, held, parsed.dose_form, components)
    return described


def _add_moved(moved: Mapping[int, int], graph: Graph, described: dict[int, Described], found: Collected) -> None:
    by_target: dict[int, list[int]] = defaultdict(list)
    for old, new in moved.items():
        if new in described and old not in graph.nodes:
            by_target[new].append(old)
    for new, olds in by_target.items():
        for old in olds:
            described[old] = msgspec.structs.replace(described[new], rxcui=str(old))
            found.moved += 1
