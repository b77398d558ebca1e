"""What a rule is and what it may say. A rule is a pure function of a :class:`Case`; it knows no FHIR, HTTP or clock."""

from __future__ import annotations

import re
from collections.abc import Callable
from datetime import timedelta
from decimal import Decimal
from enum import IntEnum, StrEnum
from functools import wraps
from typing import TypeVar

import msgspec

from plugin.labs import State
from plugin.patient import Exposure, Medication, Order, Patient
from plugin.thresholds import Limits
from valuesets import Ingredient

R = TypeVar("R")


class Status(StrEnum):
    """The four values of a verdict; ``clear`` needs positive evidence."""

    FIRED = "fired"
    CLEAR = "clear"
    NOT_CHECKED = "not-checked"
    NOT_APPLICABLE = "not-applicable"


class Indicator(IntEnum):
    """CDS Hooks indicators, ordered by severity."""

    INFO = 1
    WARNING = 2
    CRITICAL = 3

    @property
    def word(self) -> str:
        """The word on the wire."""
        return _WORDS[self]


_WORDS = ("", "info", "warning", "critical")


class Fact(msgspec.Struct, frozen=True, gc=False):
    """One datum behind a finding, in words, and the resource that holds it."""

    text: str
    reference: str = ""


class Option(msgspec.Struct, frozen=True, gc=False):
    """Something that could be done, as data; ``plugin.suggestions`` turns it into a CDS Hooks suggestion.

    ``kind`` is ``cover``, ``alternative``, ``labs``, ``remove``, ``stop-other``, ``undosed`` (drafts without product
    and dose), ``request`` (a referral, an image or a test in words), ``reaction`` (a record of a dystonic reaction to a
    drug), ``shorten`` (the draft to ``days``), ``reduce`` (the draft to a lower dose), ``dose`` or ``advice`` (both
    words only).
    ``codes`` names drugs (ingredient names), analytes, or rows of ``plugin.suggestions``; ``reference`` the order it is
    about; ``tier`` the tier that an alternative must stay below.
    """

    kind: str
    label: str
    codes: tuple[str, ...] = ()
    reference: str = ""
    tier: str = ""
    days: Decimal | None = None


class Finding(msgspec.Struct, frozen=True):
    """What a rule found: one part of a card.

    ``summary`` has fewer than 140 characters. ``why`` tells what was found, ``watch`` what to look out for,
    ``notes`` limits of the data used. ``against`` says that the patient should rather not have this drug at all: the
    card then offers nothing that helps to give it. ``by_link`` marks a finding that is shown as a link to the rule's
    page on a card that stands for other reasons, never on its own. ``beside`` names the rules on whose card alone the
    finding appears, as one line more. ``reference`` are lines to read up, marked as no order. ``state`` are short keys
    without patient data of what would re-open an overridden card ("major:prior-dystonia", "severe:calcium").
    """

    indicator: Indicator
    summary: str
    why: tuple[str, ...] = ()
    facts: tuple[Fact, ...] = ()
    watch: tuple[str, ...] = ()
    notes: tuple[str, ...] = ()
    options: tuple[Option, ...] = ()
    against: bool = False
    by_link: bool = False
    state: tuple[str, ...] = ()
    beside: tuple[str, ...] = ()
    reference: tuple[str, ...] = ()


class Verdict(msgspec.Struct, frozen=True):
    """The answer of one rule for one order or for the patient."""

    status: Status
    reason: str = ""
    inputs: tuple[str, ...] = ()
    finding: Finding | None = None
    suppressed: str = ""
    alone: bool = False


class Policy(msgspec.Struct, frozen=True):
    """What the site decided: which labels apply, which suppressions are ``off``, and which order sets hold cover.

    ``jurisdiction`` is "us", "eu" or "uk"; ``covered_sets`` are canonical URLs of order sets with prophylaxis (S-16).
    """

    jurisdiction: str = "us"
    off: frozenset[str] = frozenset()
    covered_sets: frozenset[str] = frozenset()


class Case(msgspec.Struct, frozen=True, dict=True):
    """What a rule is asked about: the patient, and the order for order hooks (None for patient-level hooks).

    ``calcium`` and ``magnesium`` are what the results say (C-CA, C-MG), worked out once for all rules.
    ``others`` are the exposures that are not this very order: the record may hold a copy of the draft made moments ago.
    ``data_matter`` is False where no note about data is wanted, because no rule looked at this order.
    ``earlier`` are the verdicts of the rules that ran before on the same subject, which the notes about data read.
    """

    patient: Patient
    order: Order | None
    hook: str
    limits: Limits
    policy: Policy
    calcium: State
    magnesium: State
    others: tuple[Exposure, ...]
    earlier: tuple[tuple[Rule, Verdict], ...] = ()
    data_matter: bool = True

    @property
    def jurisdiction(self) -> str:
        """Whose labels apply: "us", "eu" or "uk"."""
        return self.policy.jurisdiction

    def suppresses(self, code: str) -> bool:
        """Whether the site left this suppression on."""
        return code not in self.policy.off

    @property
    def medication(self) -> Medication:
        """What the order names; nothing without an order."""
        return self.order.medication if self.order is not None else _NO_MEDICATION


def per_case(work: Callable[[Case], R]) -> Callable[[Case], R]:
    """Keeps what ``work`` makes of a case with the case, because many rules ask for it."""
    name = f"{work.__module__}.{work.__qualname__}"

    @wraps(work)
    def kept(case: Case) -> R:
        made: dict[str, R] = case.__dict__
        if name not in made:
            made[name] = work(case)
        return made[name]

    return kept


def others_of(patient: Patient, order: Order | None, limits: Limits) -> tuple[Exposure, ...]:
    """The exposures beside an order, without other drugs that are being given up; without an order, all of them."""
    if order is None:
        return patient.exposures
    own, drugs = order.reference, order.medication.ingredients
    kept = (e for e in patient.exposures if not e.given_up or e.ingredient in drugs)
    return tuple([e for e in kept if e.reference != own or not _is_copy(e, patient, limits)])


def _is_copy(exposure: Exposure, patient: Patient, limits: Limits) -> bool:
    if exposure.draft or exposure.start is None:
        return True
    return exposure.start.age(patient.now) < limits.span("reorder_hours")


class Rule(msgspec.Struct, frozen=True, cache_hash=True):
    """One clinical rule.

    ``hooks`` names the hooks it runs on; ``needs`` the prefetch keys it reads; ``ceiling`` the highest indicator it
    may give; ``thresholds`` the names of the figures it compares with; ``rank`` decides which rule leads a card
    among equals (lower first). ``about_data`` marks the notes about data, which judge no patient and run last.
    """

    id: str
    version: str
    hooks: tuple[str, ...]
    needs: tuple[str, ...]
    ceiling: Indicator
    rank: int
    evaluate: Callable[[Case], Verdict]
    thresholds: tuple[str, ...] = ()
    about_data: bool = False


SUGGESTION_MARK = "/NamingSystem/suggestion"
"""How the system of the identifiers ends that mark drafts made from our suggestions."""

_AGO = re.compile(r"(?:less than )?\d+ [hd] ago")


def evidence_of(rule: Rule, verdict: Verdict) -> list[str]:
    """The evidence behind a finding as sorted text: the same until a value, a level or the rule itself changes.

    How long ago a value was measured is left out, so that the same call gives the same answer later.
    """
    finding = verdict.finding
    if finding is None:
        return []
    told = [f"{rule.id}@{rule.version}:{finding.indicator.word}:{','.join(sorted(verdict.inputs))}", finding.summary]
    told += [fact.text for fact in finding.facts]
    return sorted([_AGO.sub("", text) if " ago" in text else text for text in told])


NOT_APPLICABLE = Verdict(Status.NOT_APPLICABLE)
_CLEAR = Verdict(Status.CLEAR)
_NO_MEDICATION = Medication("none")


def not_checked(reason: str, inputs: tuple[str, ...] = ()) -> Verdict:
    """The verdict of a rule that could not be evaluated."""
    return Verdict(Status.NOT_CHECKED, reason, inputs)


def clear(inputs: tuple[str, ...] = ()) -> Verdict:
    """The verdict of a rule whose input was found and read, and is as it should be."""
    return Verdict(Status.CLEAR, "", inputs) if inputs else _CLEAR


def fired(finding: Finding, inputs: tuple[str, ...], suppressed: str = "") -> Verdict:
    """A finding, perhaps one that is not shown."""
    return Verdict(Status.FIRED, "", inputs, finding, suppressed)


@per_case
def order_problem(case: Case) -> Verdict | None:
    """Why a drug rule cannot or need not look at this order at all; None when it should."""
    order = case.order
    if order is None or not order.active or case.patient.deceased:
        return NOT_APPLICABLE
    medication = order.medication
    if medication.recognised == "unrecognised" or medication.stem:
        return not_checked("drug-unrecognised", (order.reference,))
    return None if medication.ingredients else NOT_APPLICABLE


def gap_verdict(case: Case, keys: tuple[str, ...], back: timedelta | None = None) -> Verdict | None:
    """Not-checked with the reason of the first key that has a gap; None without one.

    A list that was cut off is no gap for a rule that looks no further ``back`` than what came reaches.

    "Clear" is said only where the input was found and read, so a key that was not sent is a gap as well, even where
    the site does not expect it and no card tells of it.
    """
    for key in keys:
        for gap in case.patient.gaps.get(key, ()):
            if back is not None and gap.reaches is not None and gap.reaches >= back:
                continue
            return not_checked(gap.reason, (gap.reference,) if gap.reference else ())
    return None


TIERS = {"": 0, "N": 0, "L": 1, "M": 2, "H": 3}


def tier_of(ingredient: Ingredient, route: str, age_years: int | None) -> str:
    """The tier of an ingredient for this route and age, without its dose (section B)."""
    found = [ingredient.tier]
    if route == "parenteral" and ingredient.tier_parenteral:
        found.append(ingredient.tier_parenteral)
    if age_years is not None and age_years < 18 and ingredient.tier_under_18:
        found.append(ingredient.tier_under_18)
    return max(found, key=lambda tier: TIERS.get(tier, 0)) if len(found) > 1 else found[0]
