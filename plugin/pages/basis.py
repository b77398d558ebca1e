"""What stands on each rule's page for independent review, and the minimum information of interactions."""

from __future__ import annotations

from collections.abc import Mapping

import msgspec

from plugin.guideline_text import TEXTS
from plugin.pages.figures import figures_of
from plugin.pages.model import Basis, load
from plugin.rule import Rule
from plugin.rules import acute_dystonia_treatment
from plugin.thresholds import Limits

_INPUTS: Mapping[str, str] = {
    "patient": "Birth date and gender",
    "medications": "Medication orders",
    "medicationStatements": "Medication statements",
    "medicationAdministrations": "Medication administrations",
    "medicationDispenses": "Medication dispenses",
    "allergies": "Allergies and intolerances",
    "conditions": "Conditions",
    "observations": "Laboratory results and other observations",
    "familyHistory": "Family history",
    "encounter": "The current encounter",
    "serviceRequests": "Referrals and requests",
    "procedures": "Procedures",
    "diagnosticReports": "Reports of images",
    "glucose": "Glucose results",
}
_LINES: Mapping[str, tuple[str, ...]] = {acute_dystonia_treatment.RULE.id: acute_dystonia_treatment.REFERENCE}
_ORDER_HOOKS = frozenset({"order-select", "order-sign", "medication-refill"})


class _Shared(msgspec.Struct, frozen=True):
    intended_use: str
    population: dict[str, str]


class Interactions(msgspec.Struct, frozen=True):
    """The items of the minimum information and, for each interaction rule, what stands under them."""

    items: tuple[str, ...]
    rules: dict[str, tuple[str, ...]]


_SHARED = load("basis", _Shared)
INTERACTIONS = load("interactions", Interactions)


def basis_of(rule: Rule, limits: Limits) -> Basis:
    """For whom the rule is meant, what it reads, and what is drawn on its page."""
    population = _SHARED.population
    told = population.get(rule.id) or population[TEXTS[rule.id].group]
    order = ("The order itself: drug, dose, route, time",) if _ORDER_HOOKS.intersection(rule.hooks) else ()
    needed = tuple(_INPUTS[key] for key in _INPUTS if key in rule.needs)
    items = INTERACTIONS.rules.get(rule.id, ())
    interaction = tuple(zip(INTERACTIONS.items, items, strict=True)) if items else ()
    return Basis(
        _SHARED.intended_use, told, (*order, *needed), interaction, figures_of(rule.id, limits), _LINES.get(rule.id, ())
    )
