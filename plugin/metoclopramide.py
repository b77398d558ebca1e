"""The highest daily doses of metoclopramide that labels allow this patient (R-DRUG-07), and why each applies."""

from __future__ import annotations

from collections.abc import Iterable
from decimal import Decimal

import msgspec

from plugin.drug_risk import weight_of
from plugin.kidney import Kidney
from plugin.lab_results import describe
from plugin.patient import Exposure, Order, Problem
from plugin.rule import Case, Fact
from plugin.text import matched

NAME = "metoclopramide"
INHIBITOR = "strong-cyp2d6-inhibitor"
_CHILD_PUGH = frozenset({"child-pugh-a", "child-pugh-b-c"})
# The figures by how much is allowed, for gastroparesis and otherwise.
_FIGURES = {
    "usual": ("metoclopramide_gastroparesis_mg", "metoclopramide_most_mg"),
    "reduced": ("metoclopramide_gastroparesis_reduced_mg", "metoclopramide_reduced_mg"),
    "failure": ("metoclopramide_gastroparesis_kidney_failure_mg", "metoclopramide_kidney_failure_mg"),
}
FIGURES = (
    *(name for pair in _FIGURES.values() for name in pair),
    "metoclopramide_eu_mg",
    "metoclopramide_eu_mg_per_kg",
    "kidney_reduced_at",
    "kidney_failure_below",
    "kidney_days",
    "kidney_days_acute",
    "weight_days_adult",
    "adult_from",
    "elderly_from",
)


class Reason(msgspec.Struct, frozen=True):
    """Why less than usual is allowed: ``level`` "reduced" or "failure"; ``words`` follow "the 20 mg/day limit"."""

    level: str
    words: str
    facts: tuple[Fact, ...]
    sure: bool = True


class Cap(msgspec.Struct, frozen=True):
    """One highest daily dose in mg; ``sure`` is False where the reason is a rule-out or a result that is not final."""

    mg: Decimal
    words: str
    facts: tuple[Fact, ...] = ()
    sure: bool = True


class Indication(msgspec.Struct, frozen=True):
    """What it is given for: gastroparesis or something else, from the order's reason or else from the problem list."""

    gastroparesis: bool
    sure: bool = True
    fact: Fact | None = None


def indication_of(case: Case, order: Order | None) -> Indication:
    """The indication of an order of metoclopramide; of what is taken already (no order) that on the problem list."""
    if order is not None and order.reason_stated:
        pointed = [p for p in case.patient.problems if p.reference in order.reason_references]
        named = "gastroparesis" in order.reasons or any("gastroparesis" in p.concepts for p in pointed)
        return Indication(named, True, Fact("Given for gastroparesis", order.reference) if named else None)
    found = case.patient.has("gastroparesis") or case.patient.has("gastroparesis", unconfirmed=True)
    if found is None:
        return Indication(False)
    return Indication(True, not found.unconfirmed, _problem_fact(found, "gastroparesis"))


def _problem_fact(problem: Problem, name: str) -> Fact:
    since = f", since {problem.onset.short()}" if problem.onset else ""
    doubt = ", not confirmed" if problem.unconfirmed else ""
    how = ", matched by text" if problem.in_words else ""
    return Fact(f"Condition: {problem.label or name}{since}{doubt}{how}", problem.reference)


class Further(msgspec.Struct, frozen=True):
    """Metoclopramide beside the order that is judged: the limits hold for all of it together.

    ``sure`` is False where it may be meant in place of the order and not beside it. ``unread`` are the drafts whose
    dose cannot be worked out.
    """

    mg: Decimal = Decimal(0)
    facts: tuple[Fact, ...] = ()
    sure: bool = True
    unread: tuple[str, ...] = ()


def further_of(case: Case, order: Order) -> Further:
    """The other drafts of the session, and what is current by another route.

    An order on record by the same route is what this one renews or changes. One as needed is often another route for
    the same dose.
    """
    taken = [e for e in case.others if e.ingredient.name == NAME and e.current and e.kind == "MedicationRequest"]
    unread = tuple(e.reference for e in taken if e.draft and e.dose_unread and not e.per_day_mg)
    drafts = [e for e in taken if e.draft and e.per_day_mg]
    elsewhere = [e for e in taken if not e.draft and e.per_day_mg and e.route and order.route not in ("", e.route)]
    most = max(elsewhere, key=lambda e: e.per_day_mg or 0, default=None)
    found = [*drafts, *((most,) if most is not None else ())]
    sure = most is None and not (order.dose.as_needed or any(e.as_needed for e in drafts))
    return Further(
        sum((e.per_day_mg or Decimal(0) for e in found), Decimal(0)), tuple(map(_beside, found)), sure, unread
    )


def _beside(exposure: Exposure) -> Fact:
    daily = f"{round(exposure.per_day_mg or Decimal(0), 2).normalize():f}"
    how = "ordered together" if exposure.draft else "current"
    return Fact(
        f"Metoclopramide {daily} mg/day{f' {exposure.route}' if exposure.route else ''} ({how})", exposure.reference
    )


def reasons_of(case: Case, kidney: Kidney) -> list[Reason]:
    """Everything on record for which the label allows less."""
    return [*_kidneys(case, kidney), *_cyp2d6(case), *_liver(case)]


def _kidneys(case: Case, kidney: Kidney) -> Iterable[Reason]:
    limits, patient = case.limits, case.patient
    failure = patient.has("esrd") or patient.has("esrd", unconfirmed=True)
    if failure is not None:
        fact = _problem_fact(failure, "kidney failure or dialysis")
        yield Reason("failure", "in kidney failure or dialysis", (fact,), not failure.unconfirmed)
    if kidney.is_below(limits.kidney_failure_below):
        yield Reason("failure", f"for {kidney.told}", kidney.facts, kidney.sure)
    elif kidney.is_at_most(limits.kidney_reduced_at):
        yield Reason("reduced", f"for {kidney.told}", kidney.facts, kidney.sure)


def _cyp2d6(case: Case) -> Iterable[Reason]:
    for item in case.medication.ingredients:
        if INHIBITOR in item.classes and case.order is not None:
            yield Reason("reduced", f"with {item.name}", (_inhibitor(item.name, "this order", case.order.reference),))
            return
    inhibitor = next((e for e in case.others if e.current and INHIBITOR in e.ingredient.classes), None)
    if inhibitor is not None:
        yield Reason("reduced", f"with {inhibitor.ingredient.name}", (_taken(inhibitor),))
    if case.patient.poor_metaboliser:
        fact = Fact("CYP2D6 poor metaboliser recorded", case.patient.poor_metaboliser)
        yield Reason("reduced", "for CYP2D6 poor metabolisers", (fact,))


def _taken(exposure: Exposure) -> Fact:
    how = "ordered together" if exposure.draft else "current"
    told = matched(exposure.matched_by)
    return _inhibitor(exposure.ingredient.name, f"{how}, {told}" if told else how, exposure.reference)


def _inhibitor(name: str, how: str, reference: str) -> Fact:
    return Fact(f"Strong CYP2D6 inhibitor: {name} ({how})", reference)


def _liver(case: Case) -> Iterable[Reason]:
    """The newest Child-Pugh class on record."""
    found = [p for p in case.patient.problems if p.concepts & _CHILD_PUGH and p.state == "active"]
    dated = [p for p in found if p.onset is not None]
    newest = max(
        dated, key=lambda p: p.onset.earliest if p.onset else case.patient.now, default=next(iter(found), None)
    )
    if newest is not None and "child-pugh-b-c" in newest.concepts:
        yield Reason("reduced", "for Child-Pugh class B or C", (_problem_fact(newest, ""),), not newest.unconfirmed)


def caps_of(case: Case, indication: Indication, reasons: Iterable[Reason]) -> list[Cap]:
    """Every highest daily dose that applies; outside the US that of EMA and MHRA as well."""
    told = [Reason("usual", "", ()), *reasons]
    caps = [_cap(case, reason, indication) for reason in told]
    if indication.gastroparesis and not indication.sure:
        caps += [_cap(case, reason, Indication(False)) for reason in told]
    return caps if case.jurisdiction == "us" else [*caps, *_european(case)]


def _cap(case: Case, reason: Reason, indication: Indication) -> Cap:
    facts = reason.facts + ((indication.fact,) if indication.fact is not None else ())
    words = f" {reason.words}" if reason.words else ""
    words += " (gastroparesis)" if indication.gastroparesis else ""
    return Cap(allowed_mg(case, reason.level, indication.gastroparesis), words, facts, reason.sure and indication.sure)


def allowed_mg(case: Case, level: str, gastroparesis: bool) -> Decimal:
    """The label's highest daily dose in mg: ``level`` is "usual", "reduced" or "failure"."""
    figure: Decimal = getattr(case.limits, _FIGURES[level][0 if gastroparesis else 1])
    return figure


def _european(case: Case) -> Iterable[Cap]:
    yield Cap(case.limits.metoclopramide_eu_mg, " (EMA/MHRA)")
    weight = weight_of(case)
    if weight is not None and weight.value is not None:
        per_kg = case.limits.metoclopramide_eu_mg_per_kg
        fact = Fact(describe(weight, case.patient), weight.reference)
        words = f": {per_kg} mg/kg (EMA/MHRA)"
        yield Cap(per_kg * weight.value, words, (fact,), not (weight.provisional or weight.inferred))
