"""R-DRUG-06: metoclopramide for longer than its label allows, what was taken before counted in."""

from __future__ import annotations

from datetime import timedelta
from decimal import Decimal

import msgspec

from plugin.courses import Course, course_of
from plugin.drug_risk import palliative
from plugin.offers import remove
from plugin.patient import Exposure
from plugin.rule import (
    NOT_APPLICABLE,
    Case,
    Fact,
    Finding,
    Indicator,
    Option,
    Rule,
    Verdict,
    clear,
    fired,
    gap_verdict,
    not_checked,
    order_problem,
)
from valuesets import Ingredient

_KEYS = ("medications", "medicationStatements", "medicationAdministrations", "medicationDispenses")
_NAME = "metoclopramide"


class _Time(msgspec.Struct, frozen=True):
    """The course so far, what the order adds in days (None where it does not say), and the label's limit in days."""

    drug: Ingredient
    course: Course
    planned: Decimal | None
    limit: Decimal

    @property
    def sure(self) -> Decimal:
        """Days in all that are certain."""
        return _days(self.course.lasting) + (self.planned or 0)

    @property
    def most(self) -> Decimal:
        """Days in all at the most."""
        return _days(self.course.longest) + (self.planned or 0)


def evaluate(case: Case) -> Verdict:
    """Judge one order of metoclopramide by its planned length and the course before it."""
    problem = order_problem(case)
    if problem is not None or case.order is None:
        return problem or NOT_APPLICABLE
    drug = next((item for item in case.medication.ingredients if item.name == _NAME), None)
    if drug is None:
        return NOT_APPLICABLE
    limits = case.limits
    limit = limits.metoclopramide_weeks_days if case.jurisdiction == "us" else limits.metoclopramide_days_eu
    time = _Time(drug, course_of(case, _NAME), case.order.dose.length_days, limit)
    finding = _finding(case, time)
    if finding is not None:
        inputs = (case.order.reference, *time.course.references)
        return fired(finding, inputs, "S-10" if palliative(case) else "")
    return _unknown(case, time) or clear((case.order.reference, *time.course.references))


def _finding(case: Case, time: _Time) -> Finding | None:
    if time.planned is None:
        reached = time.sure >= time.limit
        return _told(case, time, Indicator.INFO, _open_ended(time)) if reached else None
    return _told(case, time, Indicator.WARNING, _too_long(time)) if time.sure > time.limit else None


def _unknown(case: Case, time: _Time) -> Verdict | None:
    """Why the time in all is not known to be short enough."""
    order = case.order.reference if case.order is not None else ""
    undated = tuple(e.reference for e in case.others if e.ingredient.name == _NAME and not e.draft and _is_open(e))
    if time.most > time.limit or time.planned is None or undated:
        return not_checked("date-missing", tuple(dict.fromkeys((order, *time.course.references, *undated))))
    gap = gap_verdict(case, _KEYS)
    if gap is None and case.patient.unresolved_drugs:
        return not_checked("drug-unrecognised", case.patient.unresolved_drugs)
    return gap


def _is_open(exposure: Exposure) -> bool:
    """Whether the record does not say when it began, or no more than the year."""
    return not exposure.on_hold and (exposure.start is None or exposure.start.precision == "year")


def _days(span: timedelta) -> Decimal:
    return Decimal(span.days)


def _shown(days: Decimal) -> str:
    return f"{round(days, 1).normalize():f}"


def _too_long(time: _Time) -> str:
    before = _days(time.course.lasting)
    if not before:
        return f"Metoclopramide planned {_shown(time.sure)} days"
    return f"Metoclopramide {_shown(before)} days so far, {_shown(time.planned or Decimal(0))} more planned"


def _open_ended(time: _Time) -> str:
    return f"Metoclopramide {_shown(_days(time.course.lasting))} days so far, no end stated"


def _told(case: Case, time: _Time, level: Indicator, beginning: str) -> Finding:
    american = case.jurisdiction == "us"
    weeks = f"{time.limit / 7:.0f} weeks"
    rule = f"avoid >{weeks} (tardive dyskinesia boxed warning)" if american else f"limit {time.limit} days (EMA/MHRA)"
    why = f"{_shown(time.sure)} days in all{' at least' if time.planned is None else ''}"
    source = "the label's boxed warning on tardive dyskinesia limits" if american else "EMA and MHRA limit"
    newer = f"Newer labels (2026) name {weeks} for diabetic gastroparesis: the label of the product decides."
    return Finding(
        level,
        f"{beginning}: {rule}.",
        (f"{why}; {source} how long it is taken.",),
        _facts(case, time),
        (),
        (newer,) if american else (),
        _options(time),
        state=(f"major:over-{time.limit}-days",),
    )


def _facts(case: Case, time: _Time) -> tuple[Fact, ...]:
    order = case.order.reference if case.order is not None else ""
    length = f"{_shown(time.planned)} days, repeats counted" if time.planned is not None else "length not stated"
    facts = [Fact(f"Metoclopramide ordered: {length}", order)]
    since, days = time.course.since, _shown(_days(time.course.lasting))
    if since is not None:
        gap = case.limits.exposure_gap_days
        joined = f" (records joined over gaps of up to {gap} days)" if len(time.course.references) > 1 else ""
        facts.append(Fact(f"Metoclopramide since {since.short()}: {days} days{joined}", time.course.first))
    return tuple(facts)


def _options(time: _Time) -> tuple[Option, ...]:
    left = time.limit - _days(time.course.longest)
    shorten = Option("shorten", f"Shorten to {_shown(left)} days, no refill", (_NAME,), days=left)
    return (
        *((shorten,) if left > 0 else ()),
        Option("advice", "Set a stop date"),
        remove(time.drug),
        Option("request", "Refer for assessment of gastroparesis", ("gastroenterology",)),
    )


RULE = Rule(
    "R-DRUG-06",
    "1.0.0",
    ("order-sign", "medication-refill"),
    _KEYS,
    Indicator.WARNING,
    21,
    evaluate,
    ("metoclopramide_weeks_days", "metoclopramide_days_eu", "exposure_gap_days"),
)
