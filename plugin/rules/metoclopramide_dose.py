"""R-DRUG-07: a daily dose of metoclopramide above what its label allows this patient."""

from __future__ import annotations

from collections.abc import Sequence
from decimal import Decimal

import msgspec

from plugin import metoclopramide
from plugin.drug_risk import weight_of
from plugin.factors import age_fact
from plugin.kidney import Kidney, kidney_of
from plugin.lab_results import inside
from plugin.metabolic import problem_fact
from plugin.metoclopramide import INHIBITOR, NAME, Cap, Further, Indication, Reason, allowed_mg, caps_of, further_of
from plugin.offers import remove
from plugin.patient import Order
from plugin.rule import (
    NOT_APPLICABLE,
    Case,
    Fact,
    Finding,
    Indicator,
    Option,
    Rule,
    Status,
    Verdict,
    clear,
    fired,
    gap_verdict,
    not_checked,
    order_problem,
)
from valuesets import Ingredient

_MEDICATIONS = ("medications", "medicationStatements", "medicationAdministrations", "medicationDispenses")
_KEYS = ("patient", "conditions", "observations", "encounter", *_MEDICATIONS)
_REDUCED_MG = Decimal(20)
_WARNING, _INFO = Indicator.WARNING, Indicator.INFO
_TO_CHECK = Option("advice", "Check the daily dose against the limit"), Option("advice", "Write the dose in figures")


class _Subject(msgspec.Struct, frozen=True):
    """The dose that is judged: that of the order, or that of the metoclopramide taken beside an inhibitor ordered."""

    ingredient: Ingredient
    daily: Decimal | None
    fact: Fact
    indication: Indication
    kidney: Kidney
    reasons: tuple[Reason, ...]
    own: bool = True


def evaluate(case: Case) -> Verdict:
    """Judge an order of metoclopramide; or one of a strong CYP2D6 inhibitor beside metoclopramide (R-DRUG-09b)."""
    problem = order_problem(case)
    if problem is not None or case.order is None:
        return problem or NOT_APPLICABLE
    own = next((item for item in case.medication.ingredients if item.name == NAME), None)
    if own is not None:
        return _judge(case, _ordered(case, case.order, own))
    if any(INHIBITOR in item.classes for item in case.medication.ingredients):
        return _beside(case)
    return NOT_APPLICABLE


def _ordered(case: Case, order: Order, drug: Ingredient) -> _Subject:
    daily = daily_mg(case, order, drug)
    text = f"Metoclopramide {_mg(daily)} mg/day ordered" if daily is not None else "Metoclopramide ordered"
    kidney = kidney_of(case)
    reasons = tuple(metoclopramide.reasons_of(case, kidney))
    indication = metoclopramide.indication_of(case, order)
    return _Subject(drug, daily, Fact(text, order.reference), indication, kidney, reasons)


def daily_mg(case: Case, order: Order, drug: Ingredient) -> Decimal | None:
    """The daily dose in mg, of a single dose that dose; per kg it needs a recent weight. None if not computable."""
    part = order.dose.of(drug)
    if part.per_day_mg is not None or not (order.dose.single or order.dose.per_day_mg_per_kg is not None):
        return part.per_day_mg
    if order.dose.single and part.first_day_mg is not None:
        return part.first_day_mg
    per_kg, weight = order.dose.per_day_mg_per_kg, weight_of(case)
    if order.dose.single and per_kg is None:
        per_kg = order.dose.each_mg_per_kg
    return per_kg * weight.value if per_kg is not None and weight is not None and weight.value is not None else None


def _beside(case: Case) -> Verdict:
    """The metoclopramide that the patient takes, or that is ordered together with the inhibitor."""
    taken = [e for e in case.others if e.ingredient.name == NAME and e.current]
    if not taken:
        return gap_verdict(case, _MEDICATIONS) or NOT_APPLICABLE
    highest = max(taken, key=lambda exposure: exposure.per_day_mg or Decimal(0))
    kidney = kidney_of(case)
    reasons = tuple(metoclopramide.reasons_of(case, kidney))
    how = "ordered together" if highest.draft else "current"
    daily = highest.per_day_mg
    text = f"Metoclopramide {_mg(daily)} mg/day ({how})" if daily is not None else f"Metoclopramide ({how})"
    indication = metoclopramide.indication_of(case, None)
    fact = Fact(text, highest.reference)
    verdict = _judge(case, _Subject(highest.ingredient, daily, fact, indication, kidney, reasons, False))
    unread = tuple(exposure.reference for exposure in taken if exposure.per_day_mg is None)
    return not_checked("dose-not-computable", unread) if unread and verdict.status is Status.CLEAR else verdict


def _judge(case: Case, subject: _Subject) -> Verdict:
    inputs = _inputs(subject)
    if subject.daily is None:
        return _per_kg(case, subject) or _not_computable(case, subject, inputs)
    exceeded = [cap for cap in caps_of(case, subject.indication, subject.reasons) if subject.daily > cap.mg]
    if exceeded:
        return fired(_finding(case, subject, exceeded), inputs)
    further = further_of(case, case.order) if subject.own and case.order is not None else Further()
    return _in_all(case, subject, further, inputs)


def _in_all(case: Case, subject: _Subject, further: Further, inputs: tuple[str, ...]) -> Verdict:
    """The limit holds for all metoclopramide of a day, also where no order alone is above it."""
    whole = _with(subject, further)
    inputs = tuple(dict.fromkeys((*inputs, *(fact.reference for fact in further.facts))))
    caps = caps_of(case, subject.indication, subject.reasons)
    exceeded = [cap for cap in caps if whole.daily is not None and whole.daily > cap.mg]
    if exceeded:
        return fired(_too_much(whole, exceeded, further), inputs)
    if further.unread:
        return not_checked("dose-not-computable", further.unread)
    if subject.own and (whole.daily or 0) <= _strictest(case, subject) and not _weight_missing(case):
        return clear(inputs)
    return _unknown(case, whole, inputs) or clear(inputs)


def _with(subject: _Subject, further: Further) -> _Subject:
    if subject.daily is None or not further.facts:
        return subject
    total = subject.daily + further.mg
    fact = Fact(f"{subject.fact.text}, {_mg(total)} mg/day with what is beside it", subject.fact.reference)
    return msgspec.structs.replace(subject, daily=total, fact=fact)


def _too_much(whole: _Subject, exceeded: Sequence[Cap], further: Further) -> Finding:
    sure = [cap for cap in exceeded if cap.sure]
    cap = min(sure or exceeded, key=lambda one: one.mg)
    most = "" if further.sure else "up to "
    notes = (
        () if further.sure else ("One of the orders is as needed or by another route, perhaps in place of the other.",)
    )
    return Finding(
        _WARNING if sure and further.sure else _INFO,
        f"Metoclopramide {most}{_mg(whole.daily)} mg/day in all: exceeds the {_mg(cap.mg)} mg/day limit{cap.words}.",
        (f"{_allowed(cap)}, all orders together.",),
        (whole.fact, *further.facts, *cap.facts),
        (),
        (*notes, *_gastroparesis_notes(cap)),
        (
            remove(whole.ingredient),
            Option("stop-other", "End the other metoclopramide order", (NAME,), further.facts[0].reference),
            Option("advice", "Lower the doses so that the day's total fits"),
        ),
        state=(f"major:limit-{_mg(cap.mg)}",),
    )


def _inputs(subject: _Subject) -> tuple[str, ...]:
    facts = [subject.fact, *(fact for reason in subject.reasons for fact in reason.facts), *subject.kidney.facts]
    facts += [subject.indication.fact] if subject.indication.fact is not None else []
    return tuple(dict.fromkeys(fact.reference for fact in facts if fact.reference))


def _strictest(case: Case, subject: _Subject) -> Decimal:
    """What would be allowed at the worst of all that is not known."""
    unknown = bool(case.patient.gaps.get("conditions"))
    return allowed_mg(case, "failure", subject.indication.gastroparesis or unknown)


def _weight_missing(case: Case) -> bool:
    return case.jurisdiction != "us" and weight_of(case) is None


def _unknown(case: Case, subject: _Subject, inputs: tuple[str, ...]) -> Verdict | None:
    """What was not known although the dose depends on it; without kidney results some patients are told of it."""
    gap = gap_verdict(case, ("conditions",))
    if gap is not None:
        return gap
    daily = subject.daily or Decimal(0)
    if daily > _strictest(case, subject) and not _is_decided(case, subject.kidney):
        return _without_kidney(case, subject, inputs)
    if not subject.own or daily > allowed_mg(case, "reduced", subject.indication.gastroparesis):
        unread = gap_verdict(case, ("observations", *_MEDICATIONS)) or _unnamed(case)
        if unread is not None:
            return unread
    if _weight_missing(case):
        return gap_verdict(case, ("observations",)) or not_checked("no-result", inputs)
    return None


def _without_kidney(case: Case, subject: _Subject, inputs: tuple[str, ...]) -> Verdict:
    unread = gap_verdict(case, ("observations",))
    if unread is None and _at_risk(case):
        return fired(_kidney_unknown(case, subject), inputs)
    return unread or not_checked(subject.kidney.problem or subject.kidney.doubt or "no-result", inputs)


def _unnamed(case: Case) -> Verdict | None:
    """A current drug that nobody can name might be the inhibitor."""
    unknown = case.patient.unresolved_drugs
    return not_checked("drug-unrecognised", unknown) if unknown else None


def _is_decided(case: Case, kidney: Kidney) -> bool:
    """Whether it is known which of the label's limits for the kidneys applies."""
    if case.patient.has("esrd") is not None:
        return True
    answers = kidney.is_at_most(case.limits.kidney_reduced_at), kidney.is_below(case.limits.kidney_failure_below)
    return None not in answers and not kidney.doubt


def _at_risk(case: Case) -> bool:
    """65 years or more at the oldest possible age, or a chronic kidney disease on record."""
    age = case.patient.age
    old = age is not None and age.oldest_years >= case.limits.elderly_from
    return old or case.patient.has("ckd", unconfirmed=True) is not None


def _finding(case: Case, subject: _Subject, exceeded: Sequence[Cap]) -> Finding:
    sure = [cap for cap in exceeded if cap.sure]
    cap = min(sure or exceeded, key=lambda one: one.mg)
    facts = [subject.fact, *(fact for one in sorted(sure or exceeded, key=lambda one: one.mg) for fact in one.facts)]
    notes = [] if sure else ["Not confirmed, or a result that is not final: information only."]
    return Finding(
        _WARNING if sure else _INFO,
        _summary(case, subject, f"exceeds the {_mg(cap.mg)} mg/day limit{cap.words}"),
        (f"{_allowed(cap)}.",),
        tuple(dict.fromkeys(facts)),
        (),
        (*notes, *_gastroparesis_notes(cap)),
        _options(subject, cap.mg),
        state=(f"major:limit-{_mg(cap.mg)}",),
    )


def _allowed(cap: Cap) -> str:
    """The limit and whose it is: those for gastroparesis come from drug references."""
    whose = "Drug references allow" if cap.words.endswith("(gastroparesis)") else "The label allows"
    return f"{whose} up to {_mg(cap.mg)} mg a day{cap.words}"


def _gastroparesis_notes(cap: Cap) -> tuple[str, ...]:
    if not cap.words.endswith("(gastroparesis)"):
        return ()
    return ("Lower limits for gastroparesis come from drug references; the label of the product decides.",)


def _summary(case: Case, subject: _Subject, tail: str) -> str:
    dose = f"etoclopramide {_mg(subject.daily)} mg/day" if subject.daily is not None else "etoclopramide"
    if subject.own:
        return f"M{dose} {tail}."
    inhibitor = next(item.name for item in case.medication.ingredients if INHIBITOR in item.classes)
    return f"{inhibitor[:1].upper()}{inhibitor[1:]} beside m{dose}, which {tail}."


def _per_kg(case: Case, subject: _Subject) -> Verdict | None:
    """A dose by body weight can exceed the European limit without a weight on record."""
    dose = case.order.dose if case.order is not None and subject.own else None
    per_kg = (dose.per_day_mg_per_kg or (dose.each_mg_per_kg if dose.single else None)) if dose is not None else None
    limit = case.limits.metoclopramide_eu_mg_per_kg
    if case.jurisdiction == "us" or per_kg is None or per_kg <= limit:
        return None
    tail = f"{_mg(per_kg)} mg/kg a day exceeds the limit of {limit} mg/kg (EMA/MHRA)"
    finding = Finding(
        _WARNING,
        f"Metoclopramide {tail}.",
        (f"EMA and MHRA allow up to {limit} mg/kg a day.",),
        (Fact(f"Metoclopramide {_mg(per_kg)} mg/kg a day ordered", subject.fact.reference),),
        options=(Option("dose", f"Reduce to at most {limit} mg/kg a day"), remove(subject.ingredient)),
    )
    return fired(finding, _inputs(subject))


def _not_computable(case: Case, subject: _Subject, inputs: tuple[str, ...]) -> Verdict:
    """Told only where a dose is stated and something on record lowers what is allowed."""
    stated = case.order is not None and case.order.dose.unreadable if subject.own else True
    if stated and not subject.reasons and _is_kidney_wanted(case, subject):
        return fired(_kidney_unknown(case, subject), inputs)
    if not subject.reasons or not stated:
        return not_checked("dose-not-computable", inputs)
    caps = [cap for cap in caps_of(case, subject.indication, subject.reasons) if cap.words]
    cap = min(caps, key=lambda one: one.mg)
    finding = Finding(
        _INFO,
        _summary(case, subject, f"dose not computable; the limit is {_mg(cap.mg)} mg/day{cap.words}")
        if subject.own
        else _summary(case, subject, f"has no computable dose; its limit is {_mg(cap.mg)} mg/day{cap.words}"),
        (f"{_allowed(cap)}.",),
        (subject.fact, *cap.facts),
        (),
        ("Dose not computable: it was not compared with the limit.",),
        _TO_CHECK,
    )
    return fired(finding, inputs)


def _is_kidney_wanted(case: Case, subject: _Subject) -> bool:
    """Whether a result that was looked for and is not there would decide, in somebody whose kidneys may be weak."""
    return not _is_decided(case, subject.kidney) and gap_verdict(case, ("observations",)) is None and _at_risk(case)


def _kidney_unknown(case: Case, subject: _Subject) -> Finding:
    limit = _strictest(case, subject)
    notes = [f"Last {inside(fact.text)}: not usable." for fact in subject.kidney.facts]
    notes += ["Dose not computable: it was not compared with a limit."] if subject.daily is None else []
    options = _options(subject, _REDUCED_MG) if subject.daily is not None else _TO_CHECK
    elderly = case.limits.elderly_from
    return Finding(
        _INFO,
        _summary(case, subject, "depends on the renal function, which is unknown"),
        (
            f"At {elderly} years or over, or with kidney disease, doses above {_mg(limit)} mg a day depend on the "
            "renal function; no usable creatinine or eGFR was found.",
        ),
        (subject.fact, *_risk_facts(case)),
        (),
        tuple(notes),
        (Option("labs", "Check creatinine", ("creatinine",)), *options),
    )


def _risk_facts(case: Case) -> tuple[Fact, ...]:
    disease = case.patient.has("ckd", unconfirmed=True)
    known = problem_fact(disease, "kidney disease") if disease is not None else None
    return (age_fact(case), *((known,) if known is not None else ()))


def _options(subject: _Subject, most: Decimal) -> tuple[Option, ...]:
    if not subject.own:
        return Option("advice", "Lower the metoclopramide dose"), Option("advice", "Use another drug in its place")
    if most >= _REDUCED_MG:
        reduce = Option("reduce", "Reduce to 5 mg four times daily", (NAME,))
    else:
        reduce = Option("dose", f"Reduce to at most {_mg(most)} mg a day")
    return reduce, remove(subject.ingredient), Option("advice", "Keep the dose and monitor")


def _mg(value: Decimal | None) -> str:
    """An amount as short as it can be told exactly to two places."""
    return f"{round(value, 2).normalize():f}" if value is not None else ""


RULE = Rule(
    "R-DRUG-07",
    "1.0.0",
    ("order-sign", "medication-refill"),
    _KEYS,
    Indicator.WARNING,
    20,
    evaluate,
    metoclopramide.FIGURES,
)
