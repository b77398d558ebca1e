"""One pass over the resources of a call; each goes to the part that understands its type."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from typing import Protocol

from plugin.fhir import observations, records
from plugin.fhir.exposures import Reader as MedicationReader
from plugin.fhir.orders import as_exposures, order_of, unreadable_order
from plugin.fhir.types import Resource
from plugin.patient import Age, DystoniaReaction, Exposure, Gap, Order, Patient, Problem, Result
from plugin.thresholds import Limits
from plugin.when import When, parse

WINDOW_DAYS = {
    "medications": "record_window_days",
    "medicationStatements": "record_window_days",
    "medicationAdministrations": "administration_window_days",
    "medicationDispenses": "dispense_window_days",
    "observations": "record_window_days",
}
_MEDICATION_TYPES = frozenset(
    {"MedicationRequest", "MedicationStatement", "MedicationUsage", "MedicationAdministration", "MedicationDispense"}
)


class Unreadable(Protocol):
    """A resource that could not be decoded."""

    @property
    def resource_type(self) -> str:
        """Its type, or "" when even that could not be read."""

    @property
    def id(self) -> str:
        """Its id, or ""."""


class Key(Protocol):
    """One prefetch key as the host hands it over."""

    reason: str
    resources: list[Resource]
    foreign: int

    @property
    def state(self) -> str:
        """satisfied, null, missing, failed or not-asked."""

    @property
    def unreadable(self) -> Iterable[Unreadable]:
        """Resources of this key that could not be decoded."""


class _Found:
    """What the pass collects."""

    __slots__ = (
        "acute",
        "allergens",
        "cocaine",
        "encounters",
        "family",
        "medications",
        "palliative",
        "patient",
        "poor",
        "problems",
        "reactions",
        "results",
    )

    def __init__(self, medications: MedicationReader) -> None:
        self.medications = medications
        self.patient: Resource | None = None
        self.results: dict[str, list[Result]] = {}
        self.problems: list[Problem] = []
        self.reactions: list[DystoniaReaction] = []
        self.allergens: set[str] = set()
        self.family: list[str] = []
        self.cocaine: list[Result] = []
        self.poor = ""
        self.acute = False
        self.palliative = ""


def read(
    patient_id: str,
    now: datetime,
    prefetch: Mapping[str, Key],
    drafts: Iterable[Resource],
    unreadable_drafts: Iterable[Unreadable],
    limits: Limits,
    types: Mapping[str, str],
    expected: Iterable[str],
) -> tuple[Patient, list[Order]]:
    """The patient and the draft orders of one call.

    ``types`` maps each declared prefetch key to its resource type; ``expected`` are the keys whose absence must be
    told. Every resource has been checked by the host to be this patient's.
    """
    drafts = list(drafts)
    medications = _medications(prefetch, drafts)
    found = _Found(MedicationReader(now, limits, medications))
    found.patient = _patient_resource(patient_id, prefetch)
    person = _person(found.patient, now)
    for key in prefetch.values():
        for resource in key.resources:
            _take(resource, found, now, limits, person)
    orders = [
        order_of(resource, index, limits, medications)
        for index, resource in enumerate(drafts)
        if resource.resourceType == "MedicationRequest"
    ]
    lost = (unreadable_order(item.resource_type, item.id, index) for index, item in enumerate(unreadable_drafts))
    orders += [order for order in lost if order is not None]
    return _assemble(
        patient_id, now, found, orders, _gaps(prefetch, found, now, limits, types, expected), prefetch
    ), orders


def _medications(prefetch: Mapping[str, Key], drafts: list[Resource]) -> dict[str, Resource]:
    found: dict[str, Resource] = {}
    for resources in (drafts, *(key.resources for key in prefetch.values())):
        for resource in resources:
            if resource.resourceType == "Medication" and resource.id:
                found[f"Medication/{resource.id}"] = resource
                found[f"urn:uuid:{resource.id}"] = resource
    return found


def _patient_resource(patient_id: str, prefetch: Mapping[str, Key]) -> Resource | None:
    for key in prefetch.values():
        for resource in key.resources:
            if resource.resourceType == "Patient" and resource.id == patient_id:
                return resource
    return None


def _person(resource: Resource | None, now: datetime) -> observations.Person:
    age = age_of(resource.birthDate, now) if resource is not None and resource.birthDate else None
    gender = (resource.gender or "").lower() if resource is not None else ""
    return observations.Person(gender, age.years if age else None)


def _take(resource: Resource, found: _Found, now: datetime, limits: Limits, person: observations.Person) -> None:
    kind = resource.resourceType
    if kind == "Observation":
        _take_observation(resource, found, now, limits, person)
    elif kind in _MEDICATION_TYPES:
        found.medications.read(resource)
    elif kind == "Condition":
        problem = records.problem_of(resource)
        if problem is not None:
            found.problems.append(problem)
    elif kind == "AllergyIntolerance":
        found.reactions += records.reactions_of(resource)
        found.allergens |= records.allergens_of(resource)
    elif kind == "FamilyMemberHistory":
        reference = records.family_dystonia(resource)
        if reference:
            found.family.append(reference)
    elif kind == "Encounter":
        found.acute = found.acute or records.is_acute(resource)
        if records.is_palliative(resource):
            found.palliative = f"Encounter/{resource.id}"


def _take_observation(
    resource: Resource, found: _Found, now: datetime, limits: Limits, person: observations.Person
) -> None:
    for result in observations.results_of(resource, now, limits, person):
        if result.analyte == "cocaine-screen":
            continue
        found.results.setdefault(result.analyte, []).append(result)
    if observations.analyte_of(resource.code) == "cocaine-screen" and observations.is_positive(resource):
        found.cocaine.append(observations.screen(resource))
    if not found.poor and observations.is_poor_metaboliser(resource):
        found.poor = f"Observation/{resource.id}"


def _by_time(result: Result) -> tuple[float, int, Decimal, str]:
    moment = result.when.earliest.timestamp() if result.when else float("-inf")
    return (-moment, result.value is None, result.value or Decimal(0), result.reference)


def age_of(birth: str, now: datetime) -> Age | None:
    """The age at ``now``; a partial date gives an interval and the youngest age counts. None when unreadable."""
    when = parse(birth)
    if when is None or when.earliest > now:
        return None
    today = now.astimezone(UTC).date()
    latest = min(when.latest.date(), today)
    years = _years(latest, today)
    oldest = _years(when.earliest.date(), today)
    months = years * 12 + (today.month - latest.month - (today.day < latest.day)) % 12
    return Age(years, months, oldest, when.precision not in {"day", "time"}, birth)


def _years(birth: date, today: date) -> int:
    return today.year - birth.year - ((today.month, today.day) < (birth.month, birth.day))


def _assemble(
    patient_id: str,
    now: datetime,
    found: _Found,
    orders: list[Order],
    gaps: Mapping[str, tuple[Gap, ...]],
    prefetch: Mapping[str, Key],
) -> Patient:
    resource = found.patient
    exposures, contradictions = found.medications.settled()
    exposures += [exposure for order in orders if order.active for exposure in as_exposures(order)]
    palliative = found.palliative
    return Patient(
        patient_id,
        now,
        age_of(resource.birthDate, now) if resource is not None and resource.birthDate else None,
        (resource.gender or "").lower() if resource is not None else "",
        bool(resource is not None and (resource.deceasedBoolean or resource.deceasedDateTime)),
        tuple(sorted(exposures, key=_exposure_order)),
        {analyte: tuple(sorted(results, key=_by_time)) for analyte, results in found.results.items()},
        tuple(sorted(found.problems, key=lambda problem: (problem.unconfirmed, problem.reference, problem.label))),
        tuple(sorted(found.reactions, key=_reaction_order)),
        frozenset(found.allergens),
        tuple(sorted(found.family)),
        tuple(sorted(found.cocaine, key=_by_time)),
        found.poor,
        found.acute,
        palliative,
        gaps,
        tuple(sorted(set(contradictions))),
        tuple(sorted(set(found.medications.unresolved))),
        {name: key.foreign for name, key in prefetch.items() if key.foreign},
        frozenset(name for name, key in prefetch.items() if key.state in {"satisfied", "null"}),
    )


def _exposure_order(exposure: Exposure) -> tuple[str, bool, float, str]:
    moment = exposure.start.earliest.timestamp() if exposure.start else float("inf")
    return (exposure.ingredient.name, not exposure.current, moment, exposure.reference)


def _reaction_order(reaction: DystoniaReaction) -> tuple[bool, str, str]:
    return (reaction.drug_by_text or reaction.reaction_by_text, reaction.reference, reaction.label)


def _gaps(
    prefetch: Mapping[str, Key],
    found: _Found,
    now: datetime,
    limits: Limits,
    types: Mapping[str, str],
    expected: Iterable[str],
) -> Mapping[str, tuple[Gap, ...]]:
    wanted = set(expected)
    gaps = {
        name: tuple(_key_gaps(name, prefetch.get(name), name in wanted, kind, now, limits))
        for name, kind in types.items()
    }
    if not gaps.get("patient") and "patient" in types:
        gaps["patient"] = tuple(_patient_gaps(found.patient, now))
    return {name: told for name, told in gaps.items() if told}


def _key_gaps(name: str, key: Key | None, expected: bool, kind: str, now: datetime, limits: Limits) -> Iterable[Gap]:
    if key is None or key.state == "missing":
        yield Gap(name, "key-missing", f"{_words(name)} not supplied to this service", expected)
        return
    if key.state == "failed" and not (key.reason == "truncated" and _covers(name, key, now, limits)):
        text = "incomplete (further pages were not sent)" if key.reason == "truncated" else "could not be read"
        yield Gap(name, key.reason or "key-failed", f"{_words(name)} {text}", True)
    if key.foreign:
        yield Gap(name, "other-patient", f"{_words(name)}: data of a different patient were left out", True)
    for lost in key.unreadable:
        if lost.resource_type in {kind, "", "Medication"}:
            reference = f"{lost.resource_type or kind}/{lost.id}" if lost.id else lost.resource_type or kind
            yield Gap(name, "key-failed", f"{reference} in {_words(name).lower()} could not be read", True, reference)


def _words(name: str) -> str:
    return KEY_WORDS.get(name, name)


KEY_WORDS = {
    "patient": "Patient data",
    "medications": "Medication orders",
    "medicationStatements": "Medication statements",
    "medicationAdministrations": "Medication administrations",
    "medicationDispenses": "Medication dispenses",
    "allergies": "Allergies",
    "conditions": "Conditions",
    "observations": "Results",
    "familyHistory": "Family history",
    "encounter": "Encounter",
}


def _covers(name: str, key: Key, now: datetime, limits: Limits) -> bool:
    """A truncated list is whole enough when the oldest entry received is older than the window of the rules."""
    if name not in WINDOW_DAYS:
        return False
    moments = [when for resource in key.resources if (when := _dated(resource)) is not None]
    if not moments:
        return False
    days: Decimal = getattr(limits, WINDOW_DAYS[name])
    return max(when.age(now) for when in moments) > timedelta(days=float(days))


def _dated(resource: Resource) -> When | None:
    if resource.resourceType == "Observation":
        return observations.when_of(resource)
    period = resource.effectivePeriod
    text = resource.authoredOn or resource.effectiveDateTime or (period.start if period else None)
    text = text or resource.whenHandedOver or resource.dateAsserted
    return parse(text) if text else None


def _patient_gaps(resource: Resource | None, now: datetime) -> Iterable[Gap]:
    if resource is None or not resource.birthDate:
        yield Gap("patient", "date-missing", "Birth date not recorded: age not counted")
        return
    age = age_of(resource.birthDate, now)
    if age is None:
        yield Gap("patient", "implausible", "Birth date unreadable: age not counted", True)
