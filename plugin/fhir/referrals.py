"""ServiceRequests -> referrals: whom or what a request asks for, by the words of its code, category and performer."""

from __future__ import annotations

import re
from collections.abc import Iterable

from plugin.fhir.records import status_code, texts_of
from plugin.fhir.types import Concept, Resource
from plugin.patient import Referral
from plugin.text import plain
from plugin.vocabulary import terminology
from plugin.when import When, parse

_LIVE = {"active", "completed", "on-hold"}
_IN_THE_CART = {"draft", "active"}
_NOT_ORDERED = {"proposal", "plan", "option"}
# Beginnings of words; no codes of specialties or images were confirmed.
_WORDS = {
    "endocrinology": ("endocrin", "thyroid clinic", "parathyroid clinic"),
    "neurosurgery": ("neurosurg", "neurological surgery", "neuro surg", "spinal surg"),
    "neurology": ("neurolog", "movement disorder"),
    "genetics": ("genetic", "gene panel", "exome", "genome"),
    "botulinum": ("botulin", "botox", "chemodenervation"),
    "mri": ("mri", "magnetic resonance", "mr brain", "mr spine"),
    "ct": ("ct", "computed tomograph", "computerized tomograph", "computerised tomograph"),
    "eeg": ("eeg", "electroenceph"),
}
_WHOLE = frozenset({"ct", "mri", "eeg"})


def _pattern(phrases: Iterable[str]) -> re.Pattern[str]:
    alternatives = (rf"\b{words}\b" if words in _WHOLE else rf"\b{words}" for words in phrases)
    return re.compile("|".join(alternatives), re.IGNORECASE)


_TOPICS = {topic: _pattern(phrases) for topic, phrases in _WORDS.items()}
# "Neurological surgery" is another specialty than neurology.
_HIDES = {"neurology": re.compile(r"\bneurological surgery", re.IGNORECASE)}


def referral_of(resource: Resource) -> Referral | None:
    """What a ServiceRequest asks for; None when it is not ordered, or about nothing that rules ask for.

    A request that was revoked, entered in error, is a draft or forbids something is no referral.
    """
    if status_code(resource.status) not in _LIVE or resource.doNotPerform:
        return None
    if status_code(resource.intent) in _NOT_ORDERED:
        return None
    told = list(_texts(resource))
    topics = frozenset(topic for topic, words in _TOPICS.items() if any(_names(topic, words, text) for text in told))
    if not topics:
        return None
    return Referral(
        topics,
        plain(told[0], 80),
        f"ServiceRequest/{resource.id}" if resource.id else "ServiceRequest",
        status_code(resource.status),
        _when(resource),
    )


def tests_ordered(resources: Iterable[Resource]) -> frozenset[str]:
    """The analytes that draft ServiceRequests of this session ask for, by their codes."""
    found: set[str] = set()
    for resource in resources:
        if resource.resourceType != "ServiceRequest" or resource.doNotPerform:
            continue
        if status_code(resource.status) not in _IN_THE_CART or resource.code is None:
            continue
        analytes = (terminology().analyte(one.system or "", one.code or "") for one in resource.code.coding or ())
        found.update(analyte for analyte in analytes if analyte is not None)
    return frozenset(found)


def _names(topic: str, words: re.Pattern[str], text: str) -> bool:
    hidden = _HIDES.get(topic)
    return words.search(hidden.sub(" ", text) if hidden else text) is not None


def _texts(resource: Resource) -> Iterable[str]:
    """The words of the code first, then those of category and performer."""
    concepts: list[Concept | None] = [resource.code, *(resource.category or ()), resource.performerType]
    for concept in concepts:
        if concept is not None:
            yield from texts_of(concept.concept or concept)
    yield from (performer.display for performer in resource.performer or () if performer.display)


def _when(resource: Resource) -> When | None:
    text = resource.authoredOn or resource.occurrenceDateTime
    return parse(text) if text else None
