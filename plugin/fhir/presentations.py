"""Observations by name, notes of conditions and reports of images -> presentations. What cannot be read is neither."""

from __future__ import annotations

import re
from collections.abc import Iterable
from datetime import datetime
from decimal import Decimal

from plugin.fhir.observations import plain_comparator, presentation_of, when_of
from plugin.fhir.ranges import amount_of
from plugin.fhir.records import concepts_of, notes_of, texts_of, words_for
from plugin.fhir.types import Component, Quantity, Resource, concept_of
from plugin.patient import Problem
from plugin.presentation import Presentation
from plugin.text import plain
from plugin.thresholds import Limits
from plugin.vocabulary import cached, terminology

# "Completed" is a QuestionnaireResponse's word.
_FINAL = {"final", "amended", "corrected", "appended", "completed"}
_EXCLUDED = {"registered", "cancelled", "entered-in-error"}
_UNREADABLE = "implausible"
_LONGEST = 40
_READ_AT_MOST = 1536
_NOTHING: frozenset[str] = frozenset()
_SECONDS = {
    **dict.fromkeys(("s", "sec", "secs", "second", "seconds"), Decimal(1)),
    **dict.fromkeys(("min", "mins", "minute", "minutes"), Decimal(60)),
    **dict.fromkeys(("h", "hr", "hour", "hours"), Decimal(3600)),
}
_VALUES = {
    "attack-awareness": ("preserved", "impaired"),
    "interictal-examination": ("normal", "abnormal"),
    "anticonvulsant-response": ("good", "poor", "none"),
    "attack-aura": ("present", "absent"),
    "hla-b-1502": ("positive", "negative"),
}
_KINESIGENIC = re.compile(
    r"(?<!non[\s-])\bkinesigenic|\bsudden (?:voluntary )?movements?\b|\bstanding up\b|\bstartled? to move\b"
)
_DRUGS = r"(?:anticonvulsants?|antiepileptics?|carbamazepine|oxcarbazepine|phenytoin)"
# What notes say in free text, each with the value that it means.
_NOTED = (
    ("attack-trigger", "kinesigenic", _KINESIGENIC),
    (
        "attack-awareness",
        "preserved",
        re.compile(
            r"\b(?:awareness|consciousness)(?: is| was| fully)* (?:preserved|retained|intact)"
            r"|\b(?:preserved|retained|intact) (?:awareness|consciousness)"
        ),
    ),
    (
        "attack-awareness",
        "impaired",
        re.compile(
            r"\b(?:awareness|consciousness)(?: is| was)? (?:impaired|lost|reduced)"
            r"|\bimpaired (?:awareness|consciousness)|\bloss of (?:awareness|consciousness)"
        ),
    ),
    ("interictal-examination", "abnormal", re.compile(r"\babnormal interictal|\binterictal [a-z ]*abnormal")),
    ("interictal-examination", "normal", re.compile(r"\bnormal interictal|\binterictal [a-z ]*\bnormal")),
    ("anticonvulsant-response", "none", re.compile(rf"\b(?:no response|unresponsive|refractory) to {_DRUGS}")),
    ("anticonvulsant-response", "poor", re.compile(rf"\b(?:poor|little|partial) response to {_DRUGS}")),
    ("anticonvulsant-response", "good", re.compile(rf"\bgood response to {_DRUGS}|\bresponds well to {_DRUGS}")),
    ("attack-aura", "present", re.compile(r"\baura\b")),
)
_LASTING = re.compile(
    r"\b(?:last(?:s|ing|ed)?|duration)(?: of| is| was|:)?(?: about| around| up to| under| less than| approximately)?"
    r" ?(?:\d+(?:\.\d+)? ?(?:-|to) ?)?(\d+(?:\.\d+)?) ?([a-z]+)\b"
)
# The movement disorders whose notes tell of attacks; an aura in the note of a migraine is another one.
_MOVEMENTS = frozenset(
    {
        "dystonia",
        "dyskinesia",
        "paroxysmal-kinesigenic",
        "paroxysmal-nonkinesigenic",
        "paroxysmal-exertional",
        "paroxysmal-dyskinesia",
    }
)
_MODALITIES = (
    ("mri", re.compile(r"\bmri\b|\bmr\b|magnetic resonance")),
    ("ct", re.compile(r"\bct\b|computed tomograph|computeri[sz]ed tomograph")),
    ("eeg", re.compile(r"\beeg\b|electroenceph")),
)
_REGIONS = (
    ("brain", re.compile(r"\bbrain|\bhead\b|\bcrani|\bcerebr|\bintracrani|\bneurocrani|\bthalam|\bbasal gangli")),
    ("spine", re.compile(r"\bspin(?:e|al)\b|\blumb|\bsacr|\bcord\b|\bconus\b|\bfilum\b")),
)
_ABNORMAL = re.compile(
    r"\babnormal|\blesions?\b|\binfarct|\bha?emorrhag|\bischa?emi|\bdemyelinat|\bcalcif|\batroph"
    r"|\btumou?r|\bmass\b|\bmalformation|\bpolymicrogyr|\bdysplas|\bheterotop|\bgliosis|\bencephalomalac"
    r"|\bhyperintens|\btethered|\blow[\s-]lying conus|\bsyrin|\bstroke|\bepileptiform"
)
_NORMAL = re.compile(r"\bnormal\b|\bunremarkable\b|\bno (?:significant |focal |structural |other )*abnormalit")


def of_components(resource: Resource, parts: Iterable[Component], now: datetime, limits: Limits) -> list[Presentation]:
    """What the components of an Observation say of attacks, each as an Observation of its own would."""
    kinds = ((part, presentation_of(part.code)) for part in parts if part.code is not None)
    return [one for part, kind in kinds if kind for one in of_observation(resource, kind, now, limits, part)]


def of_observation(
    resource: Resource, kind: str, now: datetime, limits: Limits, part: Component | None = None
) -> list[Presentation]:
    """What an Observation, or one part of it, says of attacks; a problem when that cannot be read, empty for nothing.

    Raises msgspec.ValidationError when an element is of a wrong shape.
    """
    told = resource if part is None else part
    if resource.status in _EXCLUDED or told.dataAbsentReason is not None:
        return []
    when = when_of(resource)
    future = when is not None and when.earliest > now + limits.span("future_minutes")
    value, shown, problem, seconds, comparator = _read(told, kind)
    if future or resource.modifierExtension:
        problem = _UNREADABLE
    found = Presentation(
        kind,
        "" if problem else value,
        shown,
        f"{resource.resourceType}/{resource.id}" if resource.id else resource.resourceType,
        when,
        None if problem else seconds,
        comparator,
        status=plain(resource.status or "", 20),
        provisional=resource.status not in _FINAL,
        problem=problem,
    )
    return [found]


def _read(told: Resource | Component, kind: str) -> tuple[str, str, str, Decimal | None, str]:
    """(value, how it is shown, problem, seconds, comparator)."""
    if kind == "attack-duration":
        return _duration(told.valueQuantity)
    texts = [text for text in (told.valueString, *texts_of(told.valueCodeableConcept)) if text and text.strip()]
    shown = plain(texts[0], _LONGEST) if texts else "(no readable value)"
    value = _trigger(texts) if kind == "attack-trigger" else _answer(texts, _VALUES[kind])
    return value, shown, "" if value else _UNREADABLE, None, ""


def _duration(quantity: Quantity | None) -> tuple[str, str, str, Decimal | None, str]:
    amount = amount_of(quantity) if quantity is not None else None
    if quantity is None or amount is None or amount < 0:
        return "", "(no readable value)", _UNREADABLE, None, ""
    unit = (quantity.code or quantity.unit or "").strip().lower()
    sign = plain_comparator(quantity)
    shown = f"{sign}{amount:f} {plain(unit, 20)}".strip()
    if unit not in _SECONDS:
        return "", shown, "unit-unknown" if unit else "unit-missing", None, sign
    return "", shown, "", amount * _SECONDS[unit], sign


def _trigger(texts: list[str]) -> str:
    if not texts:
        return ""
    return "kinesigenic" if any(terminology().condition_words.says(_KINESIGENIC, text) for text in texts) else "other"


def _answer(texts: Iterable[str], allowed: tuple[str, ...]) -> str:
    """The one answer that every text gives; two that differ are unreadable."""
    found = {" ".join(text.lower().split()) for text in texts} & set(allowed)
    return found.pop() if len(found) == 1 else ""


def of_notes(resource: Resource, problem: Problem) -> list[Presentation]:
    """What the notes of a movement disorder say of its attacks."""
    if not problem.concepts & _MOVEMENTS or problem.state != "active":
        return []
    notes = notes_of(resource)
    words = terminology().condition_words
    found = [
        _noted(kind, value, value, problem)
        for kind, value, pattern in _NOTED
        if any(words.says(pattern, note) for note in notes)
    ]
    told = (length for note in notes for length in _LASTING.findall(note.lower()[:_READ_AT_MOST]))
    lengths = [length for length in told if length[1] in _SECONDS]
    if lengths:
        amount, unit = max(lengths, key=lambda length: Decimal(length[0]) * _SECONDS[length[1]])
        seconds = Decimal(amount) * _SECONDS[unit]
        found.append(_noted("attack-duration", "", f"{amount} {unit}", problem, seconds))
    return found


def _noted(kind: str, value: str, shown: str, problem: Problem, seconds: Decimal | None = None) -> Presentation:
    return Presentation(kind, value, shown, problem.reference, problem.recorded or problem.onset, seconds, noted=True)


def of_report(resource: Resource) -> list[Presentation]:
    """What the conclusion of a CT, MRI or EEG report says, a problem without one; empty for a report of another kind.

    Raises msgspec.ValidationError when an element is of a wrong shape.
    """
    about, label = _imaging(bytes(resource.raw_code)) if resource.raw_code else (_NOTHING, "")
    if not about or resource.status in _EXCLUDED:
        return []
    told = [text for text in (resource.conclusion, *_conclusions(resource)) if text and text.strip()]
    coded = frozenset[str]().union(*(concepts_of(one.concept or one) for one in resource.conclusionCode or ()))
    if not about & {"brain", "spine"}:
        about |= {region for region, pattern in _REGIONS if any(pattern.search(text.lower()) for text in told)}
    value = "abnormal" if coded else _verdict(told)
    concepts = coded.union(*(_concepts_in(text) for text in told)) if value == "abnormal" else coded
    return [
        Presentation(
            "imaging",
            value,
            label,
            f"DiagnosticReport/{resource.id}" if resource.id else "DiagnosticReport",
            when_of(resource),
            about=about,
            concepts=concepts,
            status=plain(resource.status or "", 20),
            provisional=resource.status not in _FINAL,
            problem="" if told or coded else "no-result",
        )
    ]


@cached(maxsize=4096)
def _imaging(raw: bytes) -> tuple[frozenset[str], str]:
    """(what kind of image of which region, its name), worked out once per distinct code; nothing for other reports."""
    texts = texts_of(concept_of(raw))
    words = " ".join(texts).lower()
    kinds = {name for name, pattern in _MODALITIES if pattern.search(words)}
    regions = {name for name, pattern in _REGIONS if pattern.search(words)} | ({"brain"} if "eeg" in kinds else set())
    return (frozenset(kinds | regions), plain(texts[0], 60)) if kinds else (_NOTHING, "")


def _conclusions(resource: Resource) -> list[str]:
    return [text for one in resource.conclusionCode or () for text in texts_of(one.concept or one)]


def _verdict(texts: Iterable[str]) -> str:
    words = terminology().condition_words
    every = list(texts)
    if any(words.says(_ABNORMAL, text) for text in every):
        return "abnormal"
    return "normal" if any(words.says(_NORMAL, text) for text in every) else ""


def _concepts_in(text: str) -> frozenset[str]:
    return words_for(text) | terminology().condition_words.site(text)


def order(one: Presentation) -> tuple[str, bool, float, bool, str, str, str]:
    """Newest first within a kind, Observations before notes; of two of one time, what speaks against a benign form."""
    moment = one.when.earliest.timestamp() if one.when is not None else float("-inf")
    harmless = one.value in ("normal", "good", "kinesigenic", "preserved")
    return (one.kind, one.noted, -moment, harmless, one.reference, one.shown, one.value)
