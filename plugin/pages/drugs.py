"""One page for each class of drugs: tiers from the value sets, rates and label points from ``guideline/drugs.json``."""

from __future__ import annotations

import msgspec

from plugin.pages.model import Cell, ExtraPage, Section, Table, load, sources_of
from plugin.rule import TIERS
from plugin.vocabulary import terminology
from valuesets import Ingredient

_TIERED = ("Drug", "Tier", "Published acute dystonia", "Label points (US unless said)")
_PLAIN = ("Drug", "What is known", "Label points (US unless said)")
_TIER_WORDS = {"H": "H (high)", "M": "M (middle)", "L": "L (low)", "N": "N (none)"}
_WHAT_TIERS_ARE = (
    "Tiers are judgement [J]: synthesised from potency, published rates and the effect of the class. A pharmacist of "
    "the site signs them off. Rates come from different populations and cannot be compared line by line.",
)
_CHANGED = "Tier for an adult by mouth; where it differs, the reason stands beside it."


class DrugText(msgspec.Struct, frozen=True):
    """What was published about one drug, and what its label says."""

    published: str
    published_sources: tuple[str, ...]
    label: str
    label_sources: tuple[str, ...]


class _Class(msgspec.Struct, frozen=True):
    id: str
    title: str
    lead: str
    sets: tuple[str, ...]
    tiered: bool
    but: tuple[str, ...] = ()


class Drugs(msgspec.Struct, frozen=True):
    """The classes, and the drugs by name."""

    classes: tuple[_Class, ...]
    drugs: dict[str, DrugText]


DRUGS = load("drugs", Drugs)
_NO_TEXT = DrugText("", (), "", ())


def drug_pages() -> tuple[ExtraPage, ...]:
    """The pages of all classes."""
    return tuple(_page(one) for one in DRUGS.classes)


def _page(told: _Class) -> ExtraPage:
    members = _members(told)
    shown = [drug for drug in members if drug.tier] if told.tiered else members
    others = ", ".join(drug.name for drug in members if drug not in shown)
    sections = [
        Section("Tiers" if told.tiered else "Drugs", (_CHANGED,) if told.tiered else (), None, _table(told, shown))
    ]
    if told.tiered:
        sections.append(Section("What the tiers are", _WHAT_TIERS_ARE))
    if others:
        sections.append(Section("Without a tier", (f"Recognised, but not judged by the rules: {others}.",)))
    texts = [DRUGS.drugs.get(drug.name, _NO_TEXT) for drug in shown]
    evidence = sources_of(key for text in texts for key in (*text.published_sources, *text.label_sources))
    return ExtraPage(f"drugs/{told.id}", told.title, told.lead, tuple(sections), evidence)


def _members(told: _Class) -> list[Ingredient]:
    """The ingredients of the value sets, those with the highest tier first."""
    left_out = {coding.code for key in told.but for coding in terminology().members(key)}
    codes = {coding.code for key in told.sets for coding in terminology().members(key)} - left_out
    found = [drug for code in codes if (drug := terminology().ingredient(code)) is not None]
    return sorted(found, key=lambda drug: (-TIERS[drug.tier], drug.name))


def _table(told: _Class, drugs: list[Ingredient]) -> Table:
    return Table(_TIERED if told.tiered else _PLAIN, tuple(_row(told, drug) for drug in drugs))


def _row(told: _Class, drug: Ingredient) -> tuple[Cell, ...]:
    text = DRUGS.drugs.get(drug.name, _NO_TEXT)
    name = Cell(drug.name[:1].upper() + drug.name[1:])
    tier = (Cell(tier_words(drug)),) if told.tiered else ()
    return (name, *tier, Cell(text.published, (), text.published_sources), Cell(text.label, (), text.label_sources))


def tier_words(drug: Ingredient) -> str:
    """The tier of a drug with its exceptions: "M (middle); under 18 years H"."""
    told = [_TIER_WORDS[drug.tier]]
    if drug.tier_parenteral:
        told.append(f"by injection {drug.tier_parenteral}")
    if drug.tier_under_18:
        told.append(f"under 18 years {drug.tier_under_18}")
    if drug.tier_low_dose:
        told.append(f"below {drug.low_dose_mg} mg a dose {drug.tier_low_dose}")
    if drug.tier_high_dose:
        told.append(f"from {drug.high_dose_mg_per_kg} mg/kg a dose {drug.tier_high_dose}")
    return "; ".join(told)
