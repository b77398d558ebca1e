"""A draft order given back with one change: another drug, a shorter time, a lower dose. All else stays as it was."""

from __future__ import annotations

import re
from decimal import Decimal
from typing import Any

from plugin.text import READ_AT_MOST
from valuesets.systems import UCUM

Resource = dict[str, Any]

# What belonged to the old drug, and a narrative that told of it.
_OF_THE_DRUG = frozenset({"medicationReference", "medication", "dosageInstruction", "dispenseRequest", "substitution"})
_NO_LONGER_TRUE = frozenset({"text", "_status"})
# What of a dosage line does not depend on the dose.
_OF_THE_LINE = ("asNeededBoolean", "asNeededCodeableConcept", "route")
_BOUNDS = ("boundsDuration", "boundsPeriod", "boundsRange", "count", "countMax")
_TIME_IN_WORDS = re.compile(r"\b(?:days?|weeks?|months?|until|through|x ?\d+ ?[dw])\b", re.IGNORECASE)
# Units of time that tell how often, not how long: "3 times a day", "every 2 days".
_OFTEN = re.compile(r"\b(?:a|per|each|every|/) ?(?:\d+ )?(?:day|week|month)s?\b", re.IGNORECASE)


def other_drug(original: Resource, concept: Resource) -> Resource:
    """The draft for another drug; product, dosage and supply of the old one are gone."""
    kept = _draft(original, but=_OF_THE_DRUG)
    contained = [one for one in kept.pop("contained", []) if not _is_medication(one)]
    return {**kept, **({"contained": contained} if contained else {}), "medicationCodeableConcept": concept}


def shortened(original: Resource, days: Decimal) -> Resource | None:
    """The draft for so many days without refill; None where its words tell a time that could not be changed with it.

    The quantity to dispense is left out: how much that is depends on the product.
    """
    lines = _lines(original)
    if any(_tells_time(line) for line in lines):
        return None
    supply = {name: value for name, value in original.get("dispenseRequest", {}).items() if name != "quantity"}
    supply |= {"numberOfRepeatsAllowed": 0, "expectedSupplyDuration": _duration(days)}
    supply.pop("validityPeriod", None)
    changed = {**_draft(original), "dispenseRequest": supply}
    return {**changed, "dosageInstruction": [_bounded(line, days) for line in lines]} if lines else changed


def reduced(original: Resource) -> Resource:
    """The draft with 5 mg four times daily (B67), route, reason as needed and length as they were."""
    lines = _lines(original)
    first = lines[0] if lines else {}
    repeat = {name: value for name, value in _repeat(first).items() if name in _BOUNDS[:3]}
    milligram = {"unit": "mg", "system": UCUM, "code": "mg"}
    line: Resource = {name: first[name] for name in _OF_THE_LINE if name in first}
    line |= {
        "text": "5 mg four times daily",
        "timing": {"repeat": {**repeat, "frequency": 4, "period": 1, "periodUnit": "d"}},
        "doseAndRate": [{"doseQuantity": {"value": 5, **milligram}}],
    }
    supply = {name: value for name, value in original.get("dispenseRequest", {}).items() if name != "quantity"}
    changed = {name: value for name, value in _draft(original).items() if name != "dispenseRequest"}
    return {**changed, **({"dispenseRequest": supply} if supply else {}), "dosageInstruction": [line]}


def _is_medication(contained: Any) -> bool:
    return isinstance(contained, dict) and contained.get("resourceType") == "Medication"


def _lines(original: Resource) -> list[Resource]:
    """The dosage lines, also where one stands alone."""
    found = original.get("dosageInstruction", [])
    return found if isinstance(found, list) else [found]


def _draft(original: Resource, but: frozenset[str] = frozenset()) -> Resource:
    gone = _NO_LONGER_TRUE | but
    return {**{name: value for name, value in original.items() if name not in gone}, "status": "draft"}


def _repeat(line: Resource) -> Resource:
    found: Resource = line.get("timing", {}).get("repeat", {})
    return found


def _bounded(line: Resource, days: Decimal) -> Resource:
    """A line with its end, where it had one, moved to so many days."""
    repeat = _repeat(line)
    if not any(name in repeat for name in _BOUNDS):
        return line
    kept = {name: value for name, value in repeat.items() if name not in _BOUNDS}
    return {**line, "timing": {**line["timing"], "repeat": {**kept, "boundsDuration": _duration(days)}}}


def _tells_time(line: Resource) -> bool:
    told = (line.get("text"), line.get("patientInstruction"))
    return any(isinstance(text, str) and _is_about_time(text) for text in told)


def _is_about_time(text: str) -> bool:
    """Whether a text speaks of how long; one that is too long to be read through may."""
    return len(text) > READ_AT_MOST or bool(_TIME_IN_WORDS.search(_OFTEN.sub(" ", text)))


def _duration(days: Decimal) -> Resource:
    whole: int | Decimal = int(days) if days == int(days) else days
    return {"value": whole, "unit": "d", "system": UCUM, "code": "d"}
