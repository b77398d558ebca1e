"""Codes as data: FHIR ValueSets and CodeSystems of the dystonia rules, with a small typed loader."""

from valuesets.genes import Gene
from valuesets.loader import Terminology, load
from valuesets.model import Coding, Ingredient, Product, Strength, TextMatch
from valuesets.overlay import Overlay

__all__ = ["Coding", "Gene", "Ingredient", "Overlay", "Product", "Strength", "Terminology", "TextMatch", "load"]
