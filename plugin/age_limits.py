"""The ages below which a label says no to a drug (R-DRUG-05), by ingredient."""

from __future__ import annotations

from decimal import Decimal

from plugin.rule import Case

AGE_LIMITS = {
    "promethazine": "promethazine_from",
    "prochlorperazine": "prochlorperazine_from",
    "metoclopramide": "metoclopramide_from",
    "haloperidol": "haloperidol_from",
    "benztropine": "cover_from",
}
"""Ingredient to the threshold, in years."""


def too_young(case: Case, ingredient: str) -> bool:
    """Whether the patient is, or may be, below the age limit of a drug; an unknown age may be."""
    figure = AGE_LIMITS.get(ingredient)
    if figure is None:
        return False
    limit: Decimal = getattr(case.limits, figure)
    return case.patient.age is None or case.patient.age.years < limit
