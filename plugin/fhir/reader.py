"""One pass over the resources of a call; each goes to the part that understands its type."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from datetime import datetime
from decimal import Decimal
from itertools import repeat
from operator import attrgetter

import msgspec

from plugin.fhir import genes, observations, presentations, records, referrals
from plugin.fhir.adverse_events import reactions_of_event
from plugin.fhir.age import age_of
from plugin.fhir.earlier import Earlier
from plugin.fhir.exposures import Reader as MedicationReader
from plugin.fhir.gaps import Key, gaps_of, returned
from plugin.fhir.liver import child_pugh_of
from plugin.fhir.observed import asked, movements_of
from plugin.fhir.orders import as_exposures, given_up, order_of, unreadable_order
from plugin.fhir.procedures import operation_today
from plugin.fhir.questionnaires import presentations_of
from plugin.fhir.ranges import Person
from plugin.fhir.readable import NO_CODES, need_code, says_nothing
from plugin.fhir.types import Resource
from plugin.fhir.unmapped import Strange
from plugin.patient import Age, DystoniaReaction, Exposure, Gap, Order, Patient, Problem, Referral, Result
from plugin.presentation import Presentation
from plugin.thresholds import Limits

_MEDICATION_TYPES = frozenset(
    {"MedicationRequest", "MedicationStatement", "MedicationUsage", "MedicationAdministration", "MedicationDispense"}
)
_KIND = attrgetter("resourceType")


class _Found:
    """What the pass collects."""

    __slots__ = (
        "acute",
        "age",
        "allergens",
        "cart",
        "cocaine",
        "earlier",
        "family",
        "family_attacks",
        "genomic",
        "intensive",
        "medications",
        "observed",
        "palliative",
        "patient",
        "poor",
        "presentations",
        "problems",
        "reactions",
        "referrals",
        "results",
        "strange",
        "surgery",
    )

    def __init__(self, medications: MedicationReader, earlier: Earlier, strange: Strange) -> None:
        self.medications = medications
        self.earlier = earlier
        self.strange = strange
        self.patient: Resource | None = None
        self.age: Age | None = None
        self.results: dict[str, list[Result]] = {}
        self.problems: list[Problem] = []
        self.observed: list[Problem] = []
        self.reactions: list[DystoniaReaction] = []
        self.referrals: list[Referral] = []
        self.presentations: list[Presentation] = []
        self.allergens: set[str] = set()
        self.family: list[str] = []
        self.family_attacks: list[str] = []
        self.genomic: list[tuple[str, genes.Report]] = []
        self.cocaine: list[Result] = []
        self.cart: frozenset[str] = frozenset()
        self.poor = ""
        self.acute = False
        self.palliative = ""
        self.intensive = False
        self.surgery = ""


def read(
    patient_id: str,
    now: datetime,
    prefetch: Mapping[str, Key],
    drafts: Key | None,
    limits: Limits,
    *,
    types: Mapping[str, str],
    expected: Collection[str],
    entered: Key | None = None,
) -> tuple[Patient, list[Order], Strange]:
    """The patient and the draft orders of one call, and what in it nothing resolved.

    ``types`` maps each declared prefetch key to its resource type; ``expected`` are the keys whose absence must be
    told. ``entered`` are the conditions that are being added to the problem list. Every resource has been checked by
    the host to be this patient's.
    """
    medications = _medications(prefetch, drafts)
    subject = _patient_resource(patient_id, prefetch)
    person, age = _person(subject, now)

    def read_old(resource: Resource) -> list[Result]:
        return observations.results_of(resource, observations.meaning_of(resource), now, limits, person)

    earlier = Earlier(now, limits, read_old)
    strange = Strange()
    strange.patient, strange.medications = subject, medications
    found = _Found(MedicationReader(now, limits, medications), earlier, strange)
    found.patient, found.age = subject, age
    found.cart = referrals.tests_ordered(drafts.resources) if drafts is not None else frozenset()
    held = [(name, key) for name, key in prefetch.items() if key.resources or key.unreadable]
    lost = {name: _take_all(key, found, now, limits, person) for name, key in held}
    if entered is not None:
        lost["conditions"] = [*lost.get("conditions", ()), *_take_entered(entered, found, now, limits, person)]
    orders = list(_orders(drafts, limits, medications, strange)) if drafts is not None else []
    strange.drugs += found.medications.uncoded
    gaps = gaps_of(prefetch, lost, subject, age, now, limits, types=types, expected=expected)
    whole = frozenset([name for name, key in prefetch.items() if returned(name, key, now, limits)])
    foreign = {name: key.foreign for name, key in prefetch.items() if key.foreign}
    patient = _assemble(patient_id, now, found, orders, gaps=gaps, foreign=foreign, returned=whole)
    merged = {name: key.merged for name, key in prefetch.items() if key.merged}
    return msgspec.structs.replace(patient, merged=merged) if merged else patient, orders, strange


def _take_all(key: Key, found: _Found, now: datetime, limits: Limits, person: Person) -> list[tuple[str, str]]:
    """Read every resource of a key; returns (type, id) of those that cannot be read, found now or by the host."""
    lost: list[tuple[str, str]] = []
    known, uncoded, is_old = observations.meaning, observations.UNCODED, found.earlier.keeps
    for resource in key.resources:
        kind = resource.resourceType
        try:
            # The many that mean nothing to any rule are told apart here, without a further call for each.
            if kind == "Observation":
                code = bytes(resource.raw_code or b"")
                meaning = known(code) if code else uncoded
                if resource.raw_component or meaning.rare:
                    _take_observation(resource, meaning, found, now, limits, person)
                elif meaning is uncoded or not meaning.ours:
                    _take_strange(resource, code, found)
                elif not (meaning.analyte and is_old(meaning.analyte, resource)):
                    _take_current(resource, meaning, found, now, limits, person)
            elif kind in _MEDICATION_TYPES:
                found.medications.read(resource)
            elif kind != "Condition":
                _take(resource, found)
            else:
                _take_problem(resource, found)
        except msgspec.ValidationError:
            lost.append((kind, resource.id or ""))
    if key.unreadable:
        lost += [(item.resource_type, item.id) for item in key.unreadable]
    return lost


def _take_entered(entered: Key, found: _Found, now: datetime, limits: Limits, person: Person) -> list[tuple[str, str]]:
    """Read the conditions being entered; the record may hold a copy of one, which is then the same condition."""
    before, found.problems = found.problems, []
    lost = _take_all(entered, found, now, limits, person)
    new = [msgspec.structs.replace(problem, entered=True) for problem in found.problems]
    known = {problem.reference for problem in new}
    found.problems = [problem for problem in before if problem.reference not in known] + new
    return lost


def _orders(drafts: Key, limits: Limits, medications: dict[str, Resource], strange: Strange) -> Iterable[Order]:
    lost = [(item.resource_type, item.id) for item in drafts.unreadable]
    for index, resource in enumerate(drafts.resources):
        if resource.resourceType != "MedicationRequest":
            continue
        try:
            order = order_of(resource, index, limits, medications)
            if order.medication.recognised != "code":
                strange.drugs.append(resource)
            yield order
        except msgspec.ValidationError:
            lost.append((resource.resourceType, resource.id or ""))
    unreadable = (unreadable_order(*item, index) for index, item in enumerate(lost))
    yield from (order for order in unreadable if order is not None)


def _medications(prefetch: Mapping[str, Key], drafts: Key | None) -> dict[str, Resource]:
    found: dict[str, Resource] = {}
    for key in (drafts, *prefetch.values()):
        # Hardly any key holds one, and there are many resources.
        if key is None or "Medication" not in map(_KIND, key.resources):
            continue
        for resource, url in zip(key.resources, key.full_urls or repeat(""), strict=False):
            if resource.resourceType == "Medication":
                names = [f"Medication/{resource.id}", f"urn:uuid:{resource.id}"] if resource.id else []
                found |= dict.fromkeys([*names, url] if url else names, resource)
    return found


def _patient_resource(patient_id: str, prefetch: Mapping[str, Key]) -> Resource | None:
    for key in (prefetch.get("patient"), *prefetch.values()):
        for resource in key.resources if key is not None else ():
            if resource.resourceType == "Patient" and resource.id == patient_id:
                return resource
    return None


def _person(resource: Resource | None, now: datetime) -> tuple[Person, Age | None]:
    birth = (resource.birthDate or "") if resource is not None else ""
    gender = (resource.gender or "").lower() if resource is not None else ""
    lived = age_of(birth, now) if birth else None
    if lived is None:
        return Person(gender, None), None
    age, days = lived
    return Person(gender, {"years": age.years, "months": age.months, "weeks": days // 7, "days": days}), age


def _take(resource: Resource, found: _Found) -> None:
    kind = resource.resourceType
    if kind == "AllergyIntolerance":
        found.reactions += records.reactions_of(resource)
        found.allergens |= records.allergens_of(resource)
    elif kind == "AdverseEvent":
        found.reactions += reactions_of_event(resource, found.strange.medications)
    elif kind == "ServiceRequest":
        need_code(resource)
        referral = referrals.referral_of(resource)
        found.referrals += [referral] if referral is not None else []
    elif kind in {"DiagnosticReport", "QuestionnaireResponse"}:
        found.presentations += _told(resource, found)
    elif kind == "FamilyMemberHistory":
        found.family += filter(None, [records.family_dystonia(resource)])
        found.family_attacks += filter(None, [records.family_attacks(resource)])
    elif kind == "Encounter":
        found.acute = found.acute or records.is_acute(resource)
        found.intensive = found.intensive or records.is_intensive(resource)
        if records.is_palliative(resource):
            reference = f"Encounter/{resource.id}"
            found.palliative = min(found.palliative or reference, reference)
    if kind in {"Procedure", "Encounter"} and (operation := operation_today(resource, found.medications.now)):
        found.surgery = min(found.surgery or operation, operation)


def _told(resource: Resource, found: _Found) -> list[Presentation]:
    if resource.resourceType == "QuestionnaireResponse":
        return presentations_of(resource, found.medications.now, found.medications.limits)
    need_code(resource)
    return presentations.of_report(resource)


def _take_strange(resource: Resource, code: bytes, found: _Found) -> None:
    """A result of another kind, which searches by code do not return; one without any code may be of ours."""
    if code in NO_CODES:
        if resource.status not in observations.EXCLUDED:
            need_code(resource)
        return
    valued = resource.raw_valueCodeableConcept and resource.valueCodeableConcept is not None
    seen = movements_of(resource) if asked(code) or valued else None
    if seen:
        found.observed += seen
    else:
        found.strange.labs[code] = None


def _take_problem(resource: Resource, found: _Found) -> None:
    code = bytes(resource.raw_code or b"")
    meant = records.meaning(code) if code else None
    if meant is None:
        if code:
            found.strange.problems[code] = None
        if says_nothing(code) and not records.is_refuted(resource):
            need_code(resource)
        return
    problem = records.problem_of(resource, meant)
    found.problems.append(problem)
    if resource.raw_note:
        found.presentations += presentations.of_notes(resource, problem)


def _take_observation(
    resource: Resource, meaning: observations.Meaning, found: _Found, now: datetime, limits: Limits, person: Person
) -> None:
    """One of the few that hold several results, or that are about genes or attacks."""
    if meaning.presentation:
        found.presentations += presentations.of_observation(resource, meaning.presentation, now, limits)
    elif meaning.genomic:
        report = genes.report_of(resource)
        found.genomic += [(meaning.genomic, report)] if report is not None else []
    elif resource.raw_component:
        found.strange.panels.append(resource)
        parts = resource.component or []
        found.presentations += presentations.of_components(resource, parts, now, limits)
        found.observed += movements_of(resource, parts)
        _take_results(resource, meaning, found, now, limits, person)
    elif meaning.analyte and found.earlier.keeps(meaning.analyte, resource):
        return
    elif meaning.ours:
        _take_current(resource, meaning, found, now, limits, person)
    if meaning.liver and (problem := child_pugh_of(resource)) is not None:
        found.problems.append(problem)
    if meaning.metaboliser and observations.is_poor_metaboliser(resource):
        reference = f"Observation/{resource.id}"
        found.poor = min(found.poor or reference, reference)


def _take_current(
    resource: Resource, meaning: observations.Meaning, found: _Found, now: datetime, limits: Limits, person: Person
) -> None:
    if meaning.analyte != "cocaine-screen":
        _take_results(resource, meaning, found, now, limits, person)
    elif observations.is_positive(resource):
        found.cocaine.append(observations.screen(resource))


def _take_results(
    resource: Resource, meaning: observations.Meaning, found: _Found, now: datetime, limits: Limits, person: Person
) -> None:
    for result in observations.results_of(resource, meaning, now, limits, person):
        found.results.setdefault(result.analyte, []).append(result)


def _newest_first(results: list[Result]) -> tuple[Result, ...]:
    """Each result once: one that was sent twice stands beside itself."""
    if len(results) == 1:
        return (results[0],)
    ordered = sorted(results, key=_by_time)
    return tuple([one for place, one in enumerate(ordered) if not place or one != ordered[place - 1]])


def _by_time(result: Result) -> tuple[float, int, Decimal, str, str, str]:
    moment = result.when.earliest.timestamp() if result.when else float("-inf")
    value = result.value if result.value is not None else Decimal(0)
    return (-moment, result.value is None, value, result.reference, result.shown, result.status)


def _assemble(
    patient_id: str,
    now: datetime,
    found: _Found,
    orders: list[Order],
    *,
    gaps: Mapping[str, tuple[Gap, ...]],
    foreign: Mapping[str, int],
    returned: frozenset[str],
) -> Patient:
    resource = found.patient
    exposures, contradictions = found.medications.settled()
    exposures = given_up(exposures, orders)
    exposures += [exposure for order in orders if order.active for exposure in as_exposures(order)]
    reactions = sorted(found.reactions, key=_reaction_order)
    return Patient(
        patient_id,
        now,
        found.age,
        (resource.gender or "").lower() if resource is not None else "",
        bool(resource is not None and (resource.deceasedBoolean or resource.deceasedDateTime)),
        tuple(sorted(exposures, key=_exposure_order)),
        {analyte: _newest_first(results) for analyte, results in found.results.items()},
        found.earlier,
        tuple(dict.fromkeys(sorted(found.problems, key=_problem_order))),
        tuple(one for one in reactions if one.kind == "dystonia"),
        frozenset(found.allergens),
        tuple(sorted(found.family)),
        tuple(sorted(found.cocaine, key=_by_time)),
        found.poor,
        found.acute,
        found.palliative,
        gaps,
        tuple(sorted(set(contradictions))),
        tuple(sorted(set(found.medications.unresolved))),
        foreign,
        returned,
        found.surgery,
        variants=genes.variants_of(found.genomic),
        referrals=tuple(dict.fromkeys(sorted(found.referrals, key=lambda one: (one.reference, one.label)))),
        other_reactions=tuple(one for one in reactions if one.kind != "dystonia"),
        presentations=tuple(dict.fromkeys(sorted(found.presentations, key=presentations.order))),
        tests_in_cart=found.cart,
        family_attacks=tuple(sorted(found.family_attacks)),
        intensive_care=found.intensive,
        observed=tuple(dict.fromkeys(sorted(found.observed, key=_problem_order))),
    )


def _problem_order(problem: Problem) -> tuple[bool, str, str, list[str]]:
    return (problem.unconfirmed, problem.reference, problem.label, sorted(problem.concepts))


def _exposure_order(exposure: Exposure) -> tuple[str, bool, float, str]:
    moment = exposure.start.earliest.timestamp() if exposure.start else float("inf")
    return (exposure.ingredient.name, not exposure.current, moment, exposure.reference)


def _reaction_order(reaction: DystoniaReaction) -> tuple[bool, str, str, str]:
    return (reaction.drug_by_text or reaction.reaction_by_text, reaction.reference, reaction.label, reaction.kind)
