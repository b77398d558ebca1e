"""Codes as data: FHIR ValueSets and CodeSystems of the dystonia rules, with a small typed loader."""

from valuesets.loader import Terminology, load
from valuesets.model import Coding, Ingredient, Product, Strength, TextMatch

__all__ = ["Coding", "Ingredient", "Product", "Strength", "Terminology", "TextMatch", "load"]
