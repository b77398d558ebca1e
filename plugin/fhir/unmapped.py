"""What of a call's codes and texts nothing resolved, without anything of the patient: for the inbox and the resolver.

While the call is read, only the few that mean nothing are set aside; what they say is worked out once per distinct
code. Texts are cleaned of whatever may identify a person, and one that holds a name or an identifier of the patient of
the call is dropped.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterator, Mapping
from itertools import chain, islice, repeat
from typing import Any, Final

import msgspec

from plugin.fhir.observations import presentation_of
from plugin.fhir.types import Concept, Resource, concept_of
from plugin.vocabulary import cached, terminology
from valuesets.systems import canonical_system

DRUG: Final = "drug"
LAB: Final = "lab"
PROBLEM: Final = "problem"
LONGEST_TEXT: Final = 80
MOST: Final = 64
"""Items of one call: a client cannot fill the inbox with a single one."""

_LONG_PART = 4  # from this length on, part of a name is looked for inside words as well
_READ = 400
_ASCII_WORD = re.compile("[a-z0-9]+")
_CODE = re.compile(r"[!-~]{1,64}")
_SYSTEM = re.compile(r"[A-Za-z0-9:/._\-#?=&%+~]{0,200}")
# What may tell who somebody is: a label with all that follows, a title with a name, addresses, dates, long numbers.
_LABEL = re.compile(
    r"(?i)\b(?:name|patient|pt|dob|born|birth ?date|mrn|nhs|ssn|id|phone|tel|fax|mobile|e-?mail|address|for)\s*[:=#].*"
)
_MONTH = "(?:jan|feb|mar|apr|may|jun|jul|aug|sep|oct|nov|dec)[a-z]*"
_PERSONAL = re.compile(
    "|".join(
        (
            r"\b[a-z][a-z0-9+.\-]*://\S*",
            r"\bwww\.\S*",
            r"(?<!\S)\S+@\S+",
            r"\b(?:dr|mr|mrs|miss|prof)\b\.?\s+[^\W\d]\S*",
            r"\b\d{4}[./\-]\d{1,2}[./\-]\d{1,2}\b",
            r"\b\d{1,2}(?P<sign>[./\-])\d{1,2}(?P=sign)(?:\d{4}|\d{2})\b",
            rf"\b\d{{1,2}}\.?\s*{_MONTH}\.?,?\s*\d{{2,4}}\b",
            rf"\b{_MONTH}\.?\s*\d{{1,2}},?\s*\d{{4}}\b",
            r"\+?\d[\d\s().\-/]{7,}\d",
            r"(?<![\w\-])[\w\-]*(?:\d[\w\-]*){5,}",
        )
    ),
    re.IGNORECASE,
)


class Unmapped(msgspec.Struct, frozen=True):
    """A code or text that nothing resolved; ``understood`` where the text beside the code was.

    ``words`` and ``squashed`` are all that it says, for comparing it with the names of a person.
    """

    position: str
    system: str
    code: str
    text: str
    understood: bool = False
    words: frozenset[str] = frozenset()
    squashed: str = ""


class Strange:
    """What one call holds that nothing resolved; filled by the reader, told at the end."""

    __slots__ = ("drugs", "labs", "medications", "panels", "patient", "problems")

    def __init__(self) -> None:
        self.labs: dict[bytes, None] = {}
        self.problems: dict[bytes, None] = {}
        self.drugs: list[Resource] = []
        self.panels: list[Resource] = []
        self.medications: Mapping[str, Resource] = {}
        self.patient: Resource | None = None

    def told(self, patient_id: str) -> tuple[Unmapped, ...]:
        """The codes and texts, each once, but none that holds a name or an identifier of the patient."""
        if not (self.labs or self.panels or self.problems or self.drugs):
            return ()
        own = _own_words(patient_id, self.patient)
        found: dict[tuple[str, str, str, str], Unmapped] = {}
        items = self._items()
        while len(found) < MOST and (some := list(islice(items, MOST))):
            found.update({(one.position, one.system, one.code, one.text): one for one in _impersonal(some, own)})
        return tuple(found.values())[:MOST]

    def _items(self) -> Iterator[Unmapped]:
        of_drugs = (_of_drug(resource, self.medications) for resource in self.drugs)
        of_labs, of_problems = map(_of_raw, repeat(LAB), self.labs), map(_of_raw, repeat(PROBLEM), self.problems)
        return chain.from_iterable(chain(of_drugs, of_labs, self._of_panels(), of_problems))

    def _of_panels(self) -> Iterator[tuple[Unmapped, ...]]:
        for resource in self.panels:
            for part in _element(resource, "component") or ():
                if part.code is not None and not presentation_of(part.code):
                    yield _of_raw(LAB, msgspec.json.encode(part.code))


def _impersonal(items: list[Unmapped], own: frozenset[str]) -> list[Unmapped]:
    """Those that hold none of the patient's ``own`` words, nor a long one inside a word."""
    apart = [item for item in items if item.words.isdisjoint(own)]
    # Hardly ever does any word stand inside another, so that one look at all of them will mostly do.
    every = "\n".join([item.squashed for item in apart])
    inside = [word for word in own if len(word) >= _LONG_PART and word in every]
    return [item for item in apart if not any(word in item.squashed for word in inside)] if inside else apart


def _of_drug(resource: Resource, medications: Mapping[str, Resource]) -> tuple[Unmapped, ...]:
    if resource.raw_medicationCodeableConcept:
        return _of_raw(DRUG, bytes(resource.raw_medicationCodeableConcept))
    inner = resource.medication
    concept = (inner.concept or inner) if inner is not None else None
    if concept is not None and (concept.coding or concept.text):
        return _of_raw(DRUG, msgspec.json.encode(concept))
    reference = resource.medicationReference or (inner.reference if inner is not None else None)
    if reference is None:
        return ()
    target = medications.get((reference.reference or "").split("/_history/", 1)[0])
    if target is None and (reference.reference or "").startswith("#"):
        target = next((one for one in resource.contained or () if f"#{one.id}" == reference.reference), None)
    if target is not None and target.raw_code:
        return _of_raw(DRUG, bytes(target.raw_code))
    return _of_text(reference.display or "")


@cached(maxsize=8192)
def _of_raw(position: str, raw: bytes) -> tuple[Unmapped, ...]:
    """What the JSON of a CodeableConcept says that nothing resolved, worked out once per distinct concept."""
    try:
        concept = concept_of(raw)
    except (ValueError, ArithmeticError, RecursionError):
        return ()
    return tuple(_of_concept(position, concept)) if concept is not None else ()


def _of_concept(position: str, concept: Concept) -> Iterator[Unmapped]:
    codings = [coding for coding in concept.coding or () if coding.code and coding.code.strip()]
    if any(is_known(position, coding.system or "", coding.code or "") for coding in codings):
        return
    texts = [text for text in (concept.text, *(coding.display for coding in concept.coding or ())) if text]
    understood = position == DRUG and any(is_drug(text) for text in texts)
    for coding in codings:
        system, code = clean_system(coding.system or ""), (coding.code or "").strip()
        if _CODE.fullmatch(code) and _SYSTEM.fullmatch(system):
            yield _made(position, system, code, coding.display or concept.text or "", understood)
    if not codings and texts and not understood:
        item = _made(position, "", "", texts[0])
        if item.text:
            yield item


@cached(maxsize=4096)
def _of_text(text: str) -> tuple[Unmapped, ...]:
    if not text.strip() or is_drug(text):
        return ()
    item = _made(DRUG, "", "", text)
    return (item,) if item.text else ()


def is_drug(text: str) -> bool:
    """Whether a text names a drug of ours that is taken."""
    match = terminology().match_text(text)
    return bool(match.ingredients) and not match.rejected_by


def _made(position: str, system: str, code: str, text: str, understood: bool = False) -> Unmapped:
    cleaned = clean(text)
    words = _words(f"{system} {code} {cleaned}")
    return Unmapped(position, system, code, cleaned, understood, frozenset(words), "".join(words))


def is_known(position: str, system: str, code: str) -> bool:
    """Whether anybody said what the code means, even that it is none of ours."""
    codes, canonical = terminology(), clean_system(system)
    if position == DRUG:
        return codes.product(system, code) is not None
    key = (canonical, code.strip())
    if position == LAB:
        overlays = (codes.overlay.analytes, codes.learned.analytes)
        return codes.analyte(system, code) is not None or any(key in overlay for overlay in overlays)
    overlaid = (codes.overlay.conditions, codes.learned.conditions)
    return bool(codes.concepts(system, code)) or any(key in overlay for overlay in overlaid)


def clean_system(system: str) -> str:
    """The canonical identifier of a code system, or the text as it came."""
    return canonical_system(system) or system.strip()


def clean(text: str) -> str:
    """``text`` in one line of at most 80 characters, without what may tell who somebody is."""
    line = " ".join(unicodedata.normalize("NFKC", text[:_READ]).split())[:_READ]
    kept = " ".join(_PERSONAL.sub(" ", _LABEL.sub(" ", line)).split())
    visible = "".join(sign for sign in kept if sign.isprintable())
    return visible[:LONGEST_TEXT].strip(" ,;:|-")


def _words(text: str) -> list[str]:
    if text.isascii():
        return _ASCII_WORD.findall(text.lower())
    plain = unicodedata.normalize("NFKD", text.casefold())
    return re.findall(r"[^\W_]+", "".join(sign for sign in plain if not unicodedata.combining(sign)))


def _own_words(patient_id: str, patient: Resource | None) -> frozenset[str]:
    """The words of the patient's names and identifiers; whole identifiers also without what separates their parts."""
    said = [patient_id]
    if patient is not None:
        said += [patient.birthDate or "", *_names(_element(patient, "name"))]
        said += [one.value for one in _listed(_element(patient, "identifier")) if one.value]
    found = set()
    for text in said:
        words = _words(text)
        found.update(words)
        found.add("".join(words))
    return frozenset(found - {""})


def _element(resource: Resource, name: str) -> Any:
    try:
        return getattr(resource, name)
    except msgspec.ValidationError:
        return None


def _listed(value: Any) -> list[Any]:
    if value is None:
        return []
    return value if isinstance(value, list) else [value]


def _names(value: Any) -> Iterator[str]:
    """The names among the JSON of ``Patient.name``; its titles, uses and dates are no names."""
    for name in _listed(value):
        if isinstance(name, dict):
            parts = (one for key in ("family", "text", "given") for one in _listed(name.get(key)))
            yield from (part for part in parts if isinstance(part, str))
