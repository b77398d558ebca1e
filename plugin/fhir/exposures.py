"""Medication records -> exposures: what the patient takes or took, when, and how sure that is (C-EXP)."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from decimal import Decimal

import msgspec

from plugin.fhir.dose import hours, is_single, of_order
from plugin.fhir.medication import of_resource
from plugin.fhir.records import status_code
from plugin.fhir.types import Concept, Dosage, Period, Resource
from plugin.patient import PROPHYLAXIS, Dose, Exposure, Medication
from plugin.text import plain
from plugin.thresholds import Limits
from plugin.vocabulary import terminology
from plugin.when import When, later, parse

_ORDERED = {"order", "original-order", "reflex-order", "filler-order", "instance-order", ""}
_ENDED = {"completed", "stopped", "ended"}
_NEVER = {"entered-in-error", "cancelled", "draft", "not-done", "not-taken", "declined", "intended", "preparation"}
_INTENTS = _ORDERED | {"proposal", "plan", "option"}
_STATUSES = _NEVER | _ENDED | {"active", "on-hold", "unknown", "in-progress", "recorded"}
_NO_DATE = datetime.min.replace(tzinfo=UTC)
_NOT_TAKING = {"not-taking", "not-taken", "not-taking-self-medication"}


def _when(text: str | None) -> When | None:
    return parse(text) if text else None


def _end(period: Period | None) -> When | None:
    return _when(period.end) if period else None


def dosages_of(resource: Resource) -> list[Dosage]:
    """The dosage lines of any medication resource."""
    instructions = resource.dosageInstruction
    if instructions is not None:
        return instructions
    return resource.dosage or []


def route_of(dosages: list[Dosage], medication: Medication) -> str:
    """The route: what the order says, else what the product's form or words say; "" when nothing says it."""
    for dosage in dosages:
        route = route_of_concept(dosage.route)
        if route:
            return route
    return medication.route


def route_of_concept(route: Concept | None) -> str:
    """A route by SNOMED CT code, else by its words."""
    if route is None:
        return ""
    for coding in route.coding or ():
        if coding.code and (found := terminology().route(coding.system or "", coding.code)):
            return found
    texts = [route.text, *(coding.display for coding in route.coding or ()), *(c.code for c in route.coding or ())]
    return next((found for text in texts if text and (found := terminology().route_text(text))), "")


def _bounds(dosages: list[Dosage]) -> tuple[When | None, When | None]:
    """The earliest start and the latest end that the dosage lines state; no end unless every line has one."""
    periods = [
        d.timing.repeat.boundsPeriod for d in dosages if d.timing and d.timing.repeat and d.timing.repeat.boundsPeriod
    ]
    if not periods:
        return None, None
    starts = [start for period in periods if (start := _when(period.start))]
    ends = [end for period in periods if (end := _when(period.end))]
    start = min(starts, key=lambda when: when.earliest, default=None)
    end = max(ends, key=lambda when: when.latest, default=None) if len(ends) == len(dosages) else None
    return start, end


def end_of_order(resource: Resource, dosages: list[Dosage], start: When | None) -> When | None:
    """When an order ends by its own words: dosage bounds, else the dispense request's validity, else bounded length."""
    end = _bounds(dosages)[1]
    if end is not None:
        return end
    request = resource.dispenseRequest
    if request is not None and (end := _end(request.validityPeriod)):
        return end
    lengths = [hours(d.timing.repeat.boundsDuration) for d in dosages if d.timing and d.timing.repeat]
    known = [length for length in lengths if length is not None]
    if start is None or not known or len(known) != len(dosages):
        return None
    finish = later(start.earliest, float(max(known)))
    return When(finish.isoformat(), finish, "time")


_NO_DOSE = Dose()


class Reader:
    """Reads medication resources for one call; collects what could not be resolved and what contradicts."""

    def __init__(self, now: datetime, limits: Limits, medications: dict[str, Resource]) -> None:
        """``medications`` are the Medication resources of the call by reference."""
        self.now = now
        self.limits = limits
        self.medications = medications
        self.exposures: list[Exposure] = []
        self.not_taken: list[tuple[str, When | None, str]] = []
        self.asserted: dict[str, When] = {}
        self.unresolved: list[str] = []
        self.uncoded: list[Resource] = []

    def read(self, resource: Resource) -> None:
        """Add what one medication resource tells.

        Raises msgspec.ValidationError where a status or date that decides whether it counts cannot be read.
        """
        medication = of_resource(resource, self.medications)
        if medication.recognised != "code":
            self.uncoded.append(resource)
        if medication.recognised in {"unrecognised", "none"} or medication.stem:
            self._note_unresolved(resource, status_code(resource.status))
            return
        if not medication.ingredients or not any(item.tier or item.classes for item in medication.ingredients):
            return
        status = status_code(resource.status)
        if resource.resourceType in {"MedicationStatement", "MedicationUsage"} and self._is_not_taken(resource, status):
            when = _when(resource.dateAsserted) or _when(resource.effectiveDateTime) or _start(resource.effectivePeriod)
            self.not_taken += [(item.name, when, _reference(resource)) for item in medication.ingredients]
            return
        if status not in _STATUSES or (resource.intent or "") not in _INTENTS:
            raise msgspec.ValidationError("status or intent missing or not known")
        span = _SPANS[resource.resourceType](self, resource, status)
        if span is not None:
            stated = _when(resource.dateAsserted)
            if stated is not None:
                self.asserted[_reference(resource)] = stated
            self._add(resource, medication, span)

    def _note_unresolved(self, resource: Resource, status: str) -> None:
        planned = resource.resourceType == "MedicationRequest" and resource.intent in _INTENTS - _ORDERED
        over = status in _ENDED and not self._still_acts(resource, status)
        if status not in _NEVER and not over and not resource.doNotPerform and not planned:
            self.unresolved.append(_reference(resource))

    def _still_acts(self, resource: Resource, status: str) -> bool:
        """Whether what was given or handed out is current for some days more."""
        if resource.resourceType not in {"MedicationAdministration", "MedicationDispense"}:
            return False
        span = _SPANS[resource.resourceType](self, resource, status)
        return span is not None and span.current

    @staticmethod
    def _is_not_taken(resource: Resource, status: str) -> bool:
        adherence = resource.adherence.code if resource.adherence else None
        codes = {coding.code for coding in adherence.coding or ()} if adherence else set()
        return status in _NOT_TAKING or bool(codes & _NOT_TAKING)

    def _add(self, resource: Resource, medication: Medication, span: Span) -> None:
        dosages = span.dosages if span.dosages is not None else dosages_of(resource)
        wanted = any(item.tier or item.classes & PROPHYLAXIS for item in medication.ingredients)
        said = dosages or resource.raw_dispenseRequest
        dose = of_order(resource, medication, self.limits.single_dose_hours) if said and wanted else _NO_DOSE
        supply = hours(resource.daysSupply)
        for ingredient in medication.ingredients:
            if not (ingredient.tier or ingredient.classes):
                continue
            self.exposures.append(
                Exposure(
                    ingredient,
                    plain(medication.label) or ingredient.name,
                    _reference(resource),
                    resource.resourceType,
                    span.current,
                    span.on_hold,
                    span.start,
                    span.last,
                    span.ends,
                    dose.as_needed,
                    medication.long_acting,
                    route_of(dosages, medication),
                    dose.of(ingredient).per_day_mg,
                    medication.matched_by,
                    dose_unread=dose.unreadable,
                    length_days=supply / 24 if supply is not None else dose.length_days,
                    stopped=status_code(resource.status) == "stopped",
                )
            )

    def request(self, resource: Resource, status: str) -> Span | None:
        """A MedicationRequest: current while active and within its bounds."""
        if status in _NEVER or resource.doNotPerform or (resource.intent or "") not in _ORDERED:
            return None
        dosages = dosages_of(resource)
        start = _bounds(dosages)[0] or _when(resource.authoredOn)
        end = end_of_order(resource, dosages, start)
        if self._is_forgotten(resource, end):
            return None
        over = (end is not None and end.latest < self.now) or self._was_once(resource, dosages, start)
        if status == "on-hold":
            return Span(False, True, start, start, None, dosages)
        if status == "active" and not over:
            return Span(True, False, start, None, end.latest if end else None, dosages)
        if status in _ENDED or over:
            last = end if end is not None and end.earliest <= self.now else start
            return Span(False, False, start, last, None, dosages)
        return None

    def _is_forgotten(self, resource: Resource, end: When | None) -> bool:
        """Records leave orders active for years: beyond the window of D.0 one counts only with an end still to come."""
        authored = _when(resource.authoredOn)
        if authored is None or (end is not None and end.latest >= self.now):
            return False
        return authored.youngest(self.now) > self.limits.span("record_window_days")

    def _was_once(self, resource: Resource, dosages: list[Dosage], start: When | None) -> bool:
        """A single dose ordered more than a day ago is over, whatever its status says."""
        if start is None or not dosages or start.age(self.now) <= self.limits.span("single_dose_hours"):
            return False
        return is_single(resource, self.limits.single_dose_hours)

    def statement(self, resource: Resource, status: str) -> Span | None:
        """A MedicationStatement: current while active and within its period; ``unknown`` is not current."""
        if status in _NEVER or status == "unknown":
            return None
        start = _start(resource.effectivePeriod) or _when(resource.effectiveDateTime)
        end = _end(resource.effectivePeriod)
        over = end is not None and end.latest < self.now
        if status in {"active", "recorded"} and not over:
            return Span(True, False, start or _when(resource.dateAsserted), None, end.latest if end else None)
        if status == "on-hold":
            return Span(False, True, start, end or start, None)
        return Span(False, False, start, end or start, None)

    def administration(self, resource: Resource, status: str) -> Span | None:
        """A MedicationAdministration: current for 7 days, a long-acting one for its interval and 14 days."""
        if status in _NEVER:
            return None
        period = resource.effectivePeriod or resource.occurencePeriod
        when = _when(resource.effectiveDateTime or resource.occurenceDateTime) or _start(period)
        last = _end(period) or when
        if status == "in-progress":
            return Span(True, False, when, None, None)
        if status not in _ENDED:
            return None
        if last is None:
            raise msgspec.ValidationError("no readable date")
        medication = of_resource(resource, self.medications)
        days = self.limits.administration_days
        if medication.long_acting:
            days = self.limits.long_acting_interval_days + self.limits.long_acting_extra_days
        return self._within(when, last, days)

    def dispense(self, resource: Resource, status: str) -> Span | None:
        """A MedicationDispense: current for the days supplied and 7 more."""
        when = _when(resource.whenHandedOver) or _when(resource.whenPrepared)
        if status in _NEVER or status in {"on-hold", "unknown"}:
            return None
        if when is None:
            if resource.whenHandedOver or resource.whenPrepared:
                raise msgspec.ValidationError("no readable date")
            return None
        supply = hours(resource.daysSupply)
        days = (supply / 24 if supply is not None else Decimal(0)) + self.limits.dispense_extra_days
        return self._within(when, when, days)

    def _within(self, start: When | None, last: When, days: Decimal) -> Span:
        span = timedelta(days=float(days))
        until = later(last.latest, span)
        current = last.age(self.now) <= span
        if not current and last.youngest(self.now) <= span:
            raise msgspec.ValidationError("a month or a year leaves open whether it counts")
        return Span(current, False, start, None if current else last, until if current else None)

    def settled(self) -> tuple[list[Exposure], list[str]]:
        """The exposures without those that a newer "not taken" removes, and the contradictions met (R-DQ-06)."""
        contradictions: list[str] = []
        kept = []
        for exposure in self.exposures:
            denial = self._denial(exposure.ingredient.name)
            if denial is None or not exposure.current or exposure.kind == "MedicationAdministration":
                kept.append(exposure)
                continue
            name, when, reference = denial
            said = self.asserted.get(exposure.reference) or exposure.start
            newer = when is not None and (said is None or when.latest >= said.earliest)
            outcome = "taken as not current" if newer else "still counted as current"
            contradictions.append(f"{name}: {exposure.reference} is active but {reference} says not taken; {outcome}.")
            if not newer:
                kept.append(exposure)
        return kept, contradictions

    def _denial(self, name: str) -> tuple[str, When | None, str] | None:
        """The newest statement that a drug is not taken, whatever the order of the entries."""
        denials = [entry for entry in self.not_taken if entry[0] == name]
        return max(denials, key=lambda entry: (entry[1].latest if entry[1] else _NO_DATE, entry[2]), default=None)


class Span:
    """Whether a record is current, on hold, and what it tells of start and end."""

    __slots__ = ("current", "dosages", "ends", "last", "on_hold", "start")

    def __init__(
        self,
        current: bool,
        on_hold: bool,
        start: When | None,
        last: When | None,
        ends: datetime | None,
        dosages: list[Dosage] | None = None,
    ) -> None:
        """``last`` is the last known exposure of one that is not current; ``ends`` the planned end of a current one.

        ``dosages`` are the dosage lines where they were read already.
        """
        self.current, self.on_hold, self.start, self.last, self.ends = current, on_hold, start, last, ends
        self.dosages = dosages


def _start(period: Period | None) -> When | None:
    return _when(period.start) if period else None


def _reference(resource: Resource) -> str:
    return f"{resource.resourceType}/{resource.id}" if resource.id else resource.resourceType


_SPANS = {
    "MedicationRequest": Reader.request,
    "MedicationStatement": Reader.statement,
    "MedicationUsage": Reader.statement,
    "MedicationAdministration": Reader.administration,
    "MedicationDispense": Reader.dispense,
}
