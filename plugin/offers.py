"""What cards that speak against a drug offer in its place, as data for ``plugin.suggestions``."""

from __future__ import annotations

from plugin.rule import Option
from valuesets import Ingredient

_ANTIEMETIC = frozenset({"dopamine-antiemetic", "male-sex-not-counted"})


def remove(ingredient: Ingredient) -> Option:
    """Take the draft away."""
    return Option("remove", f"Remove the {ingredient.name} order")


def instead(ingredient: Ingredient, candidates: tuple[str, ...] = ()) -> Option:
    """Another drug: ondansetron for an antiemetic, else one of the candidates (ingredient names).

    Which of them may be offered to this patient is decided by ``plugin.alternatives``.
    """
    if ingredient.classes & _ANTIEMETIC:
        return Option("alternative", "Use a non-dopamine antiemetic", ("ondansetron",), tier=ingredient.tier or "L")
    return Option("alternative", "Use another drug", candidates, tier=ingredient.tier or "L")
