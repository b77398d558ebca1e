"""What was tested: a result of something else than blood, serum or plasma is no result of ours."""

from __future__ import annotations

import re
from functools import lru_cache
from typing import Any

from plugin.fhir.types import Concept, Reference, Resource
from plugin.text import READ_AT_MOST

# Whole blood in English, and serum and plasma as LOINC abbreviates them.
_BLOOD = re.compile(r"blood|serum|plasma|\bser(?:/?pl|\b)|\bbld", re.I)
_CELLS = re.compile(r"erythrocyt|red (?:blood )?cell|\brbc", re.I)
_OTHER = re.compile(
    r"\b(?:urin|ur\b|csf|cerebrospinal|spinal|liquor|saliva|stool|fa?ec|sweat|pleur|ascit|periton|amnio|synovia|vitre"
    r"|sputum|semen|interstitial|(?:body|gastric|drain\w*) fluid|dialysa|dialysis fl)|^\s*dialys",
    re.I,
)
# Tests that are not done on blood, or on nothing that is taken.
_ANYWHERE = {"cocaine-screen", "weight"}


def is_elsewhere(words: str, analyte: str) -> bool:
    """True where the words of a code say that something else than blood, serum or plasma was tested for it."""
    return analyte not in _ANYWHERE and _is_not_blood(words)


def words_of(concept: Concept | None) -> str:
    """Text, displays and codes of a concept, as far as they may name a specimen."""
    if concept is None:
        return ""
    return " ".join([concept.text or "", *(coding.display or "" for coding in concept.coding or ())])


def wrong_specimen(resource: Resource, reference: Reference | None) -> bool:
    """True when the specimen is said to be something else than blood, serum or plasma."""
    if reference is None:
        return False
    words = reference.display or ""
    if reference.reference and reference.reference.startswith("#"):
        inner = next((r for r in resource.contained or () if r.id == reference.reference[1:]), None)
        words += f" {_told(inner.type)}" if inner is not None else ""
    return _is_not_blood(words)


@lru_cache(maxsize=4096)
def _is_not_blood(words: str) -> bool:
    words = words[:READ_AT_MOST]
    return bool(_CELLS.search(words) or (_OTHER.search(words) and not _BLOOD.search(words)))


def _told(kind: Any) -> str:
    """Every text of a specimen's type, which is undecoded JSON: words and codes, such as UR and CSF, but no URL."""
    if isinstance(kind, dict):
        return " ".join(_told(value) for name, value in kind.items() if name != "system")
    if isinstance(kind, list):
        return " ".join(map(_told, kind))
    return kind if isinstance(kind, str) else ""
