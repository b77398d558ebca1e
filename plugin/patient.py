"""The patient as the rules see it: drugs, results, conditions and reactions, each known or a gap with a reason.

Values here are immutable and hold no FHIR. ``plugin.fhir`` makes them; rules only read them.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Protocol

import msgspec

from plugin.when import When
from valuesets import Ingredient

PROPHYLAXIS = frozenset({"anticholinergic", "antihistamine-cover"})
"""Drug classes that cover against acute dystonia when they are taken regularly."""


UNREADABLE = "(unreadable order)"
"""Label of an order that could not be decoded."""


class Gap(msgspec.Struct, frozen=True, gc=False):
    """Something that could not be read or was not supplied.

    ``input`` is the prefetch key, ``reason`` one of the contract's reasons, ``text`` what a clinician reads.
    ``alone`` says that it was unreadable, or expected and not supplied, so that a note about it may stand alone.
    """

    input: str
    reason: str
    text: str
    alone: bool = False
    reference: str = ""


class Medication(msgspec.Struct, frozen=True):
    """What an order or a record names: every ingredient known to us, and how it was recognised.

    ``recognised`` is ``code``, ``text``, ``ordinary`` (a readable name that holds no known drug), ``none`` (nothing was
    ordered yet) or ``unrecognised`` (a code or reference without any name). ``stem`` is the H/M drug whose name stands
    in a text that was not accepted as a match; ``named`` the one that the text names although the code means another
    drug (R-DQ-06). ``matched_by`` says what it was recognised by: "RxNorm code", "NDC", "ATC code", "SNOMED CT code",
    "site map", "RxNav", "terminology server", "text", "misspelt text", or "" where no known drug was.
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


class Dose(msgspec.Struct, frozen=True):
    """Doses in mg of the product as ordered; None is not computable, never zero.

    ``each_mg_per_kg`` is set when the order gives the dose per kilogram. ``unreadable`` says that a dose or
    a schedule is stated, in figures or in words, that does not come out in mg; an order without any is not unreadable.
    """

    each_mg: Decimal | None = None
    each_mg_per_kg: Decimal | None = None
    per_day_mg: Decimal | None = None
    first_day_mg: Decimal | None = None
    single: bool = False
    as_needed: bool = False
    unreadable: bool = False


class Order(msgspec.Struct, frozen=True):
    """A draft order that a card can be about."""

    reference: str
    id: str
    medication: Medication
    status: str
    active: bool
    route: str
    dose: Dose
    ends: datetime | None
    encounter: str


class Exposure(msgspec.Struct, frozen=True):
    """One record of a drug taken or ordered, for one ingredient.

    ``current`` follows C-EXP. ``start`` and ``last`` bound the known exposure; ``last`` of a current one is None.
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


class Result(msgspec.Struct, frozen=True):
    """One laboratory result in the analyte's canonical unit, or the reason why it cannot be used.

    ``problem`` is "" or a reason of the contract; ``low_flag`` is the laboratory's own L/LL; ``lower_limit`` and
    ``upper_limit`` are the laboratory's range; ``shown`` is the result as the laboratory wrote it. ``doubt_below`` is
    the limit of a range that may hold for this person, but could not be read or applied; infinite when not even that
    is known. A value below it is not known to be normal.
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
    has_range: bool
    specimen: str
    status: str
    shown: str
    doubt_below: Decimal | None = None

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
    one that is being added to the problem list in this very call.
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


class DystoniaReaction(msgspec.Struct, frozen=True):
    """A recorded dystonic reaction to a drug.

    ``drug_by_text`` and ``reaction_by_text`` tell what was matched by words only: such a match caps at warning.
    """

    ingredients: tuple[Ingredient, ...]
    label: str
    reference: str
    when: When | None
    drug_by_text: bool
    reaction_by_text: bool


class Age(msgspec.Struct, frozen=True):
    """Age today; a partial birth date gives an interval, and rules use the youngest possible age.

    ``years`` and ``months`` are completed ones at the youngest possible age.
    """

    years: int
    months: int
    oldest_years: int
    uncertain: bool
    birth_date: str


class Patient(msgspec.Struct, frozen=True):
    """Everything that rules may know, at one moment. ``results`` are newest first and recent enough to matter."""

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

    def has(self, concept: str, *, past: bool = False, unconfirmed: bool = False) -> Problem | None:
        """The first problem that means the concept: active ones, and past or rule-out ones when asked for."""
        for problem in self.problems:
            if concept not in problem.concepts or problem.state == "refuted":
                continue
            if (past or problem.state == "active") and (unconfirmed or not problem.unconfirmed):
                return problem
        return None
