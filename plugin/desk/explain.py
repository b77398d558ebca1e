"""What a code or a text means and why: every step of the resolution order, with what came of it."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import Final

import msgspec

from plugin.desk.site_rows import DRUG, LAB, PROBLEM
from plugin.desk.targets import SHORT, Meaning, listed, said
from valuesets import Ingredient, Overlay, Product, Strength, Terminology, TextMatch
from valuesets.genes import Gene
from valuesets.systems import ATC, HGNC, ICD10_NATIONAL, ICD10CM, ICD10WHO, LOINC, NDC, RXNORM, SNOMED, canonical_system

_TIERS: Final = {"H": "high", "M": "middle", "L": "low", "N": "none", "": "not in the risk table"}
_ORDER: Final = (
    ("RxNorm code", (RXNORM,), (DRUG,)),
    ("NDC", (NDC,), (DRUG,)),
    ("ATC code", (ATC,), (DRUG,)),
    ("SNOMED CT code", (SNOMED,), (DRUG, PROBLEM)),
    ("LOINC code", (LOINC,), (LAB,)),
    ("ICD-10-CM code", (ICD10CM,), (PROBLEM,)),
    ("ICD-10 code", (ICD10WHO, *sorted(ICD10_NATIONAL)), (PROBLEM,)),
)
"""The steps for codes: what each is called, its systems (a bare code is looked up in the first), what it may find."""
_NAMED: Final = {**SHORT, "hgnc": HGNC}
_NONE_HELD: Final = "holds no such code"
_NOT_ASKED: Final = "not asked: the code is of another system"


class Step(msgspec.Struct, frozen=True):
    """One step of the resolution order."""

    name: str
    outcome: str


class Explanation(msgspec.Struct, frozen=True):
    """What something resolves to; ``facts`` are (label, value), in the order in which they are read."""

    given: str
    resolved: bool
    meaning: str
    steps: tuple[Step, ...]
    facts: tuple[tuple[str, str], ...]


class _Found(msgspec.Struct, frozen=True):
    """A meaning in one position, and what it was found by."""

    position: str
    meaning: Meaning
    matched_by: str
    system: str
    code: str


def explain(given: str, terminology: Terminology) -> Explanation:
    """Explains ``system|code``, a bare code (tried in every system) or a text."""
    system, code = _split(given)
    steps: list[Step] = []
    found = list(_by_code(system, code, terminology, steps))
    genes = _genes(system, code, terminology)
    steps.append(Step("gene", _gene_outcome(genes)))
    worded = _by_text("" if system else given, terminology, steps)
    meanings = [_sentence(one) for one in found] + [f"gene: {gene.symbol}" for gene in genes] + worded.meanings
    facts = [*(fact for one in found for fact in _facts(one)), *_gene_facts(genes), *worded.facts]
    meaning = "; ".join(dict.fromkeys(meanings)) or "nothing that is known"
    return Explanation(given, bool(meanings), meaning, tuple(steps), tuple(dict.fromkeys(facts)))


def _split(given: str) -> tuple[str, str]:
    """(system or "", code); short names such as ``rxnorm`` stand for their systems."""
    system, bar, code = given.partition("|")
    if not bar:
        return "", given.strip()
    system = system.strip()
    return _NAMED.get(system.casefold()) or canonical_system(system) or system, code.strip()


def _by_code(system: str, code: str, terminology: Terminology, steps: list[Step]) -> Iterator[_Found]:
    """The meanings of a code in the order in which they are looked for; each step is written down."""
    for name, systems, positions in _ORDER:
        if system and system not in systems:
            steps.append(Step(name, _NOT_ASKED))
            continue
        own = system or systems[0]
        found = [one for position in positions if (one := _shipped(position, name, own, code, terminology))]
        steps.append(Step(name, _outcome(found)))
        yield from found
    for name, overlay in (("site map", terminology.overlay), ("resolver", terminology.learned)):
        found = list(_local(name, system, code, overlay))
        steps.append(Step(name, _outcome(found)))
        yield from found


def _shipped(position: str, name: str, system: str, code: str, terminology: Terminology) -> _Found | None:
    """What the data say; what only a site's map or a resolver says of a standard code is not theirs."""
    if position == DRUG:
        product = terminology.product(system, code)
        ours = product is not None and product.matched_by == name
        return _Found(position, product, name, system, code) if product is not None and ours else None
    if position == LAB:
        known: Meaning | None = terminology.analyte(system, code)
    else:
        known = terminology.concepts(system, code)
    local = any((system, code) in part for one in (terminology.overlay, terminology.learned) for part in _parts(one))
    return _Found(position, known, name, system, code) if known and not local else None


def _parts(overlay: Overlay) -> tuple[Mapping[tuple[str, str], Meaning], ...]:
    return overlay.analytes, overlay.conditions


def _local(name: str, system: str, code: str, overlay: Overlay) -> Iterator[_Found]:
    """What an overlay says of a code, in its system or, without one, in every system."""
    parts: tuple[tuple[str, Mapping[tuple[str, str], Meaning]], ...] = (
        (DRUG, overlay.drugs),
        (LAB, overlay.analytes),
        (PROBLEM, overlay.conditions),
    )
    for position, part in parts:
        keys = [(system, code)] if system else sorted(key for key in part if key[1] == code)
        for key in keys:
            if key in part:
                meaning = part[key]
                source = meaning.matched_by if isinstance(meaning, Product) else name
                yield _Found(position, meaning, source, *key)


def _outcome(found: Iterable[_Found]) -> str:
    return "; ".join(_sentence(one) for one in found) or _NONE_HELD


def _sentence(found: _Found) -> str:
    return f"{found.position}: {said(found.meaning)}"


def _facts(found: _Found) -> Iterator[tuple[str, str]]:
    yield f"{found.position} by {found.matched_by}", f"{found.system}|{found.code}"
    if isinstance(found.meaning, Product):
        yield from _product_facts(found.meaning)
    elif isinstance(found.meaning, str):
        yield "analyte", said(found.meaning)
    else:
        yield "conditions", said(found.meaning)


def _product_facts(product: Product) -> Iterator[tuple[str, str]]:
    if not product.ingredients:
        yield "ingredients", "none that the rules look at"
        return
    yield "name", product.name
    yield from _ingredient_facts(product.ingredients)
    yield from _further_facts(product.further)
    yield "route", product.route or "not told"
    yield "dose form", product.dose_form or "not told"
    yield "strength", _strengths(product.strengths, product.ingredients)
    yield "long-acting", "yes" if product.long_acting else "no"
    if product.single_source:
        yield "confirmed by", f"a single source: {product.single_source}"


def _ingredient_facts(ingredients: tuple[Ingredient, ...]) -> Iterator[tuple[str, str]]:
    for item in ingredients:
        yield "ingredient", f"{item.name} ({item.rxcui})"
        yield f"tier of {item.name}", _tier(item)
        if item.classes:
            yield f"classes of {item.name}", ", ".join(sorted(item.classes))


def _further_facts(names: tuple[str, ...]) -> Iterator[tuple[str, str]]:
    for name in names:
        yield "further ingredient", f"{name} (known by name only, judged by no rule)"


def _tier(item: Ingredient) -> str:
    other = {"by injection": item.tier_parenteral, "under 18": item.tier_under_18}
    more = [f"{where} {tier} ({_TIERS[tier]})" for where, tier in other.items() if tier]
    return "; ".join([f"{item.tier or '-'} ({_TIERS[item.tier]})", *more])


def _strengths(strengths: tuple[Strength, ...], ingredients: tuple[Ingredient, ...]) -> str:
    names = {item.rxcui: item.name for item in ingredients}
    told = [f"{names.get(one.ingredient_rxcui, one.ingredient_rxcui)} {_amount(one)}" for one in strengths]
    return ", ".join(told) or "not told"


def _amount(strength: Strength) -> str:
    per = f"/{strength.per_value:f} {strength.per_unit}" if strength.per_value is not None else ""
    return f"{strength.value:f} {strength.unit}{per}"


def _genes(system: str, code: str, terminology: Terminology) -> tuple[Gene, ...]:
    """The gene of an identifier, else those that a text names; a bare number is not taken for an identifier."""
    found = terminology.gene(system or HGNC, code) if system or not code.isdecimal() else None
    return (found,) if found is not None else () if system else terminology.gene_text(code)


def _gene_outcome(genes: tuple[Gene, ...]) -> str:
    return "; ".join(f"gene: {gene.symbol}" for gene in genes) or "no gene that is known"


def _gene_facts(genes: tuple[Gene, ...]) -> Iterator[tuple[str, str]]:
    for gene in genes:
        yield "gene", f"{gene.symbol} ({gene.hgnc}), {gene.name}"
        if gene.mds_name:
            yield f"disorder of {gene.symbol}", gene.mds_name


class _Worded(msgspec.Struct, frozen=True):
    """What a text was found to mean."""

    meanings: list[str]
    facts: list[tuple[str, str]]


def _by_text(text: str, terminology: Terminology, steps: list[Step]) -> _Worded:
    """What a text means as a drug and as a problem; an empty text stands for one that was not given."""
    if not text:
        steps.append(Step("text", "not asked: a code was given"))
        return _Worded([], [])
    match, conditions = terminology.match_text(text), terminology.condition_words.find(text)
    steps.append(Step("text of a drug", _text_outcome(match)))
    steps.append(
        Step("text of a problem", f"{PROBLEM}: {listed(conditions)}" if conditions else "names no known problem")
    )
    meanings: list[str] = []
    facts: list[tuple[str, str]] = []
    if match.ingredients and not match.rejected_by:
        meanings.append(f"{DRUG}: {_names(match)}")
        facts += _text_facts(match)
    if conditions:
        meanings.append(f"{PROBLEM}: {listed(conditions)}")
        facts.append(("conditions by text", listed(conditions)))
    return _Worded(meanings, facts)


def _text_outcome(match: TextMatch) -> str:
    if not match.ingredients:
        return "names no known drug"
    words = ", ".join(repr(word) for word in match.words)
    named = f"{words} {'name' if len(match.words) > 1 else 'names'} {_names(match)}"
    if match.rejected_by:
        return f"{named}, but {match.rejected_by!r} says that it is not taken"
    return f"{DRUG}: {named}{' (misspelt)' if match.misspelt else ''}"


def _text_facts(match: TextMatch) -> Iterator[tuple[str, str]]:
    yield "drug by text", ", ".join(match.words)
    if match.misspelt:
        yield "misspelt", ", ".join(match.misspelt)
    yield from _ingredient_facts(match.ingredients)
    yield from _further_facts(match.further)
    yield "route", match.route or "not told"
    yield "strength", _strengths(match.strengths, match.ingredients)
    if match.frequency:
        yield "frequency", match.frequency
    yield "long-acting", "yes" if match.long_acting else "no"


def _names(match: TextMatch) -> str:
    return " + ".join([*(item.name for item in match.ingredients), *match.further])
