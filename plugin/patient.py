"""The patient as the rules see it: drugs, results, conditions and reactions, each known or a gap with a reason.

Values here are immutable and hold no FHIR. ``plugin.fhir`` makes them; rules only read them.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from datetime import datetime, timedelta
from decimal import Decimal
from functools import cached_property
from typing import Protocol

import msgspec

from plugin.presentation import Presentation
from plugin.when import When
from valuesets import Gene, Ingredient

PROPHYLAXIS = frozenset({"anticholinergic", "antihistamine-cover"})
"""Drug classes that cover against acute dystonia when they are taken regularly."""


UNREADABLE = "(unreadable order)"
"""Label of an order that could not be decoded."""


NOT_SUPPLIED, UNREAD, PARTLY_READ = "not supplied to this service", "could not be read", "could not all be read"
CUT_OFF, UNANSWERED = "incomplete (further pages were not sent)", "not read: the FHIR server did not answer"
"""How the text of a gap ends that is about a whole kind of data, whose name stands before it."""


class Gap(msgspec.Struct, frozen=True, gc=False):
    """Something that could not be read or was not supplied.

    ``input`` is the prefetch key, ``reason`` one of the contract's reasons, ``text`` what a clinician reads.
    ``alone`` says that it was unreadable, or expected and not supplied, so that a note about it may stand alone.
    ``reaches`` is the age of the oldest entry of a list that was cut off. Where a whole kind of data is lacking,
    ``name`` is what it is called and ``lack`` one of the words above for how; ``text`` is made of both.
    """

    input: str
    reason: str
    text: str
    alone: bool = False
    reference: str = ""
    reaches: timedelta | None = None
    name: str = ""
    lack: str = ""


class Medication(msgspec.Struct, frozen=True, cache_hash=True):
    """What an order or a record names: every ingredient known to us, and how it was recognised.

    ``recognised`` is ``code``, ``text``, ``ordinary`` (a readable name that holds no known drug), ``none`` (nothing was
    ordered yet) or ``unrecognised`` (a code or reference without any name). ``stem`` is the H/M drug whose name stands
    in a text that was not accepted as a match; ``named`` the one that the text names although the code means another
    drug (R-DQ-06). ``matched_by`` says what it was recognised by: "RxNorm code", "NDC", "ATC code", "SNOMED CT code",
    "site map", "RxNav", "terminology server", "text", "misspelt text", or "" where no known drug was. ``strengths`` are
    those of the product, for each ingredient: identity, value, unit, and what it is per. ``several`` says that it holds
    further active substances, known to us or not, so that a dose in mg does not tell of which; ``further`` names those
    that are known by name only and that no rule looks at. ``single_source`` is the only source that gives the code by
    which it was recognised, "" where there are more.
    """

    recognised: str
    label: str = ""
    ingredients: tuple[Ingredient, ...] = ()
    route: str = ""
    long_acting: bool = False
    conflict: bool = False
    stem: str = ""
    named: str = ""
    strengths: tuple[tuple[str, Decimal, str, Decimal | None, str], ...] = ()
    matched_by: str = ""
    dose_form: str = ""
    several: bool = False
    further: tuple[str, ...] = ()
    single_source: str = ""


class IngredientDose(msgspec.Struct, frozen=True, gc=False):
    """Doses in mg of one ingredient: each, per day and within the first 24 hours; None is not computable, never zero.

    Each is the most that the order allows; the first 24 hours without a readable schedule hold one dose at least.
    ``steps`` are the daily doses that follow each other in one order, each after the hours at which it begins.
    """

    each_mg: Decimal | None = None
    per_day_mg: Decimal | None = None
    first_day_mg: Decimal | None = None
    steps: tuple[tuple[Decimal, Decimal], ...] = ()


_NO_DOSE = IngredientDose()


class Dose(msgspec.Struct, frozen=True):
    """Doses of an order: ``parts`` for each ingredient by its identity, mg per kg where it is ordered by body weight.

    ``unreadable`` says that a dose or a schedule is stated, in figures or in words, that does not come out in mg; an
    order without any is not unreadable. ``reason`` is why there is no daily dose, in words, "" where there is one or
    none is meant. ``length_days`` is the planned length with all repeats. Of a long-acting injection the daily dose is
    the dose over ``interval_days``, and there is none of the first 24 hours: it is released over the whole interval.
    """

    parts: tuple[tuple[str, IngredientDose], ...] = ()
    each_mg_per_kg: Decimal | None = None
    per_day_mg_per_kg: Decimal | None = None
    single: bool = False
    as_needed: bool = False
    unreadable: bool = False
    reason: str = ""
    length_days: Decimal | None = None
    long_acting: bool = False
    interval_days: Decimal | None = None

    def of(self, ingredient: Ingredient) -> IngredientDose:
        """The doses of one ingredient of the order."""
        for identity, part in self.parts:
            if identity == ingredient.rxcui:
                return part
        return _NO_DOSE

    @property
    def each_mg(self) -> Decimal | None:
        """Each dose of the only ingredient; None for a product of several."""
        return self._sole.each_mg

    @property
    def per_day_mg(self) -> Decimal | None:
        """The daily dose of the only ingredient; None for a product of several."""
        return self._sole.per_day_mg

    @property
    def first_day_mg(self) -> Decimal | None:
        """The first 24 hours of the only ingredient; None for a product of several."""
        return self._sole.first_day_mg

    @property
    def _sole(self) -> IngredientDose:
        return self.parts[0][1] if len(self.parts) == 1 else _NO_DOSE

    def gap(self, reference: str) -> Gap | None:
        """Why the order's dose cannot be worked out; None where it can, and where no dose is stated at all."""
        if not self.reason:
            return None
        return Gap("draftOrders", "dose-not-computable", f"Dose not computable: {self.reason}", False, reference)


class Order(msgspec.Struct, frozen=True):
    """A draft order that a card can be about.

    ``suggested_by`` are the rules whose suggestion the draft is; ``order_sets`` those it says it came from.
    ``perioperative`` says that its words speak of an operation. ``reasons`` are the conditions that its reason means,
    ``reason_references`` those of the record that it points to; ``reason_stated`` is True where it gives any reason.
    """

    reference: str
    id: str
    medication: Medication
    status: str
    active: bool
    route: str
    dose: Dose
    ends: datetime | None
    encounter: str
    suggested_by: frozenset[str] = frozenset()
    order_sets: tuple[str, ...] = ()
    perioperative: bool = False
    reasons: frozenset[str] = frozenset()
    reason_references: tuple[str, ...] = ()
    reason_stated: bool = False


class Exposure(msgspec.Struct, frozen=True):
    """One record of a drug taken or ordered, for one ingredient.

    ``current`` follows C-EXP. ``start`` and ``last`` bound the known exposure; ``last`` of a current one is None.
    ``dose_unread`` says that a dose is stated which cannot be worked out. ``length_days`` is how long it lasts by the
    record, repeats counted; ``stopped`` says that it was, nobody knows when; ``given_up`` that a draft ends it.
    """

    ingredient: Ingredient
    label: str
    reference: str
    kind: str
    current: bool
    on_hold: bool
    start: When | None
    last: When | None
    ends: datetime | None
    as_needed: bool
    long_acting: bool
    route: str
    per_day_mg: Decimal | None
    matched_by: str
    draft: bool = False
    dose_unread: bool = False
    length_days: Decimal | None = None
    stopped: bool = False
    given_up: bool = False


class Result(msgspec.Struct, frozen=True):
    """One laboratory result in the analyte's canonical unit, or the reason why it cannot be used.

    ``problem`` is "" or a reason of the contract; ``low_flag`` is the laboratory's own L/LL; ``lower_limit`` and
    ``upper_limit`` are the laboratory's range; ``shown`` and ``range_shown`` are value and range as the laboratory told
    them. ``doubt_below`` is the limit of a range that may hold for this person, but could not be read or applied;
    infinite when not even that is known. A value below it is not known to be normal.
    """

    analyte: str
    reference: str
    value: Decimal | None
    problem: str
    comparator: str
    provisional: bool
    inferred: bool
    low_flag: bool
    when: When | None
    lower_limit: Decimal | None
    upper_limit: Decimal | None
    specimen: str
    status: str
    shown: str
    doubt_below: Decimal | None = None
    range_shown: str = ""

    def age(self, now: datetime) -> timedelta | None:
        """How old the result is; None without a date."""
        return self.when.age(now) if self.when else None


class EarlierResults(Protocol):
    """Results too old to act on, by analyte, in no order."""

    def get(self, analyte: str) -> tuple[Result, ...]:
        """All of one analyte."""

    def newest_first(self, analyte: str) -> Iterator[Result]:
        """Those that have a date, one after the other, each read when it is asked for."""


class Problem(msgspec.Struct, frozen=True):
    """A coded or worded condition: the concepts it means, whether it counts now, and how sure it is.

    ``state`` is ``active``, ``past`` or ``refuted``; ``unconfirmed`` is a rule-out (info cards only). ``entered`` marks
    one that is being added to the problem list in this very call. ``worded`` are the concepts that only words tell, and
    ``by_text`` says that a drug-induced dystonia is among them. ``onset`` is the onset, else the day it was recorded;
    ``recorded`` and ``updated`` are when it was recorded and when the record last changed. ``began`` is the onset where
    it is told as a date, ``onset_age`` where it is told as an age in years. ``noted`` are the concepts that its notes
    name beside it.
    """

    concepts: frozenset[str]
    label: str
    reference: str
    state: str
    unconfirmed: bool
    by_text: bool
    onset: When | None
    drugs: tuple[Ingredient, ...] = ()
    entered: bool = False
    worded: frozenset[str] = frozenset()
    recorded: When | None = None
    updated: When | None = None
    began: When | None = None
    onset_age: Decimal | None = None
    noted: frozenset[str] = frozenset()

    @property
    def in_words(self) -> bool:
        """Whether words alone tell what it is."""
        return self.worded >= self.concepts


class DystoniaReaction(msgspec.Struct, frozen=True):
    """A recorded dystonic reaction to a drug, or with another ``kind``, "akathisia" or "extrapyramidal", one of these.

    ``drug_by_text`` and ``reaction_by_text`` tell what was matched by words only: such a match caps at warning.
    """

    ingredients: tuple[Ingredient, ...]
    label: str
    reference: str
    when: When | None
    drug_by_text: bool
    reaction_by_text: bool
    kind: str = "dystonia"


class Variant(msgspec.Struct, frozen=True):
    """A germline variant of one gene of ours that a laboratory reported as present.

    ``gene`` is None where the report says that there is a variant but not, in a way we can read, of which gene, or
    whether it is present: ``problem`` is then a reason of the contract, and no rule may take it for a finding or for
    its absence. ``significance`` is "pathogenic", "likely-pathogenic", "uncertain" (information at most), "benign" or
    "not-stated"; ``zygosity`` is "heterozygous", "homozygous", "hemizygous" or "". ``by_text`` says that the gene was
    named by words.
    """

    gene: Gene | None
    significance: str
    zygosity: str
    reference: str
    when: When | None
    by_text: bool = False
    problem: str = ""

    @property
    def causal(self) -> bool:
        """Whether the laboratory holds it for (likely) pathogenic."""
        return not self.problem and self.significance in ("pathogenic", "likely-pathogenic")


class Referral(msgspec.Struct, frozen=True, gc=False):
    """A request for a specialist, an image or a test that stands (ordered, on hold or done), known by its words.

    ``topics`` are "endocrinology", "neurology", "neurosurgery", "genetics", "botulinum", "mri", "ct" and "eeg".
    """

    topics: frozenset[str]
    label: str
    reference: str
    status: str
    when: When | None


class Age(msgspec.Struct, frozen=True):
    """Age today; a partial birth date gives an interval, and rules use the youngest possible age.

    ``years`` and ``months`` are completed ones at the youngest possible age.
    """

    years: int
    months: int
    oldest_years: int
    uncertain: bool
    birth_date: str


class Patient(msgspec.Struct, frozen=True, dict=True):
    """Everything that rules may know, at one moment. ``results`` are newest first and recent enough to matter.

    ``tests_in_cart`` are the analytes that drafts of this session ask for; ``observed`` are the movement disorders that
    observations state, which stand on no problem list.
    """

    id: str
    now: datetime
    age: Age | None
    gender: str
    deceased: bool
    exposures: tuple[Exposure, ...]
    results: Mapping[str, tuple[Result, ...]]
    earlier: EarlierResults
    problems: tuple[Problem, ...]
    reactions: tuple[DystoniaReaction, ...]
    allergies: frozenset[str]
    family_dystonia: tuple[str, ...]
    cocaine_positive: tuple[Result, ...]
    poor_metaboliser: str
    acute_encounter: bool
    palliative: str
    gaps: Mapping[str, tuple[Gap, ...]]
    contradictions: tuple[str, ...]
    unresolved_drugs: tuple[str, ...]
    foreign: Mapping[str, int]
    returned: frozenset[str]
    surgery_today: str = ""
    variants: tuple[Variant, ...] = ()
    referrals: tuple[Referral, ...] = ()
    other_reactions: tuple[DystoniaReaction, ...] = ()
    presentations: tuple[Presentation, ...] = ()
    tests_in_cart: frozenset[str] = frozenset()
    family_attacks: tuple[str, ...] = ()
    intensive_care: bool = False
    observed: tuple[Problem, ...] = ()
    merged: Mapping[str, int] = {}

    @cached_property
    def _meaning(self) -> Mapping[str, list[Problem]]:
        """The problems that are not refuted by each concept that they mean: every rule asks for several."""
        found: dict[str, list[Problem]] = {}
        for problem in self.problems:
            for concept in problem.concepts if problem.state != "refuted" else ():
                found.setdefault(concept, []).append(problem)
        return found

    def has(self, concept: str, *, past: bool = False, unconfirmed: bool = False) -> Problem | None:
        """The first problem that means the concept, by code before words: active, past or a rule-out when asked for."""
        worded: Problem | None = None
        for problem in self._meaning.get(concept, ()):
            if (past or problem.state == "active") and (unconfirmed or not problem.unconfirmed):
                if concept not in problem.worded and (worded is None or worded.unconfirmed == problem.unconfirmed):
                    return problem
                worded = worded or problem
        return worded
