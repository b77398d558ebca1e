"""R-DQ-01 to R-DQ-08: what could not be checked, told as one line each (D.6).

One room for all eight: each is a line about data, made from gaps that the reader found, and none judges the patient.
``alone`` on a verdict says that its line may stand on a card of its own for an order of a tier H or M drug.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable

import msgspec

from plugin import labs
from plugin.drug_risk import blocker_of, weight_kg
from plugin.patient import CUT_OFF, NOT_SUPPLIED, PARTLY_READ, UNANSWERED, UNREAD, UNREADABLE, Gap, Result
from plugin.rule import (
    NOT_APPLICABLE,
    Case,
    Fact,
    Finding,
    Indicator,
    Rule,
    Status,
    Verdict,
    clear,
    fired,
)
from plugin.text import plain
from plugin.thresholds import TABLE

# Between the short words of several lines; a card's summary holds as many of them as fit.
SEPARATOR = "; "
_HOOKS = (
    "order-select",
    "order-sign",
    "patient-view",
    "encounter-start",
    "medication-refill",
    "problem-list-item-create",
)
_SUPPLY = {"key-missing", "key-failed", "truncated"}
_TOGETHER = (NOT_SUPPLIED, UNREAD, PARTLY_READ, CUT_OFF)
_MOST_NAMES = 2
_WITHIN = {"time": "time ran out", "overload": "too many calls at once", "internal": "an internal error"}
_PROBLEM_WORDS = {
    "unit-missing": "has no unit",
    "unit-unknown": "has a unit that is not known",
    "implausible": "is implausible or unreadable",
}
_MAGNESIUM = ("magnesium",)
# Clients may name keys of their own: no more of them than a reader can use.
_MOST_KEYS, _LONGEST_KEY = 5, 40
# The name under which the host tells of an access (CDS Hooks: fhirAuthorization) for somebody else.
_ACCESS = "fhirAuthorization"
_SHORT = {"albumin": "albumin", "egfr": "eGFR"}
_JUDGED = {*labs.CALCIUM, *_MAGNESIUM, "albumin"}


class Line(msgspec.Struct, frozen=True):
    """One line about data: ``short`` for a summary, ``text`` for the detail."""

    short: str
    text: str
    alone: bool
    reference: str = ""


def _verdict(lines: Iterable[Line]) -> Verdict:
    told = list(dict.fromkeys(lines))
    if not told:
        return clear()
    told.sort(key=lambda line: not line.alone)
    shorts = dict.fromkeys(line.short for line in told if line.alone) or {told[0].short: None}
    finding = Finding(
        Indicator.INFO,
        SEPARATOR.join(shorts),
        notes=tuple(line.text for line in told),
        facts=tuple(Fact(line.text, line.reference) for line in told if line.reference),
    )
    verdict = fired(finding, tuple(line.reference for line in told if line.reference))
    return msgspec.structs.replace(verdict, alone=any(line.alone for line in told))


def matter(case: Case) -> bool:
    """Notes concern orders that rules looked at, or would have, had they known the drug; and open records."""
    if case.order is None:
        return not case.patient.deceased
    if not case.order.active or case.patient.deceased:
        return False
    medication = case.medication
    if medication.recognised == "unrecognised" or medication.stem or medication.named:
        return True
    return any(verdict.status is not Status.NOT_APPLICABLE for _, verdict in case.earlier)


def _drug(case: Case) -> Iterable[Line]:
    medication, order = case.medication, case.order
    if order is None:
        return
    if medication.label == UNREADABLE:
        text = "The order could not be read: dystonia rules not run for this order."
        yield Line("the order could not be read", text, True, order.reference)
    elif medication.recognised == "unrecognised":
        yield Line(
            "drug not recognised",
            "Drug not recognised (a code or reference without a name): dystonia rules not run for this order.",
            True,
            order.reference,
        )
    elif medication.stem:
        yield Line(
            "drug not recognised",
            f'Drug text "{plain(medication.label, 60)}" not recognised: dystonia rules not run for this order.',
            True,
            order.reference,
        )
    for reference in case.patient.unresolved_drugs[:3]:
        yield Line(
            "a current drug not recognised",
            f"A medication on record has no recognisable name ({plain(reference)}).",
            True,
            reference,
        )


def _labs(case: Case) -> Iterable[Line]:
    """Calcium and magnesium, and what they are judged with, that are there and cannot be used."""
    for name, analytes, state in (("calcium", labs.CALCIUM, case.calcium), ("magnesium", _MAGNESIUM, case.magnesium)):
        for result in _candidates(case, analytes, state):
            yield from _lab_lines(case, name, result, state)
        if state.reason == "stale" and not _is_told(case, state.results[0]):
            yield Line(f"last {name} too old", state.notes[0], False, state.results[0].reference)
        if state.reason == "no-result" and any(result.comparator for result in state.results):
            told = labs.describe(state.results[0], case.patient)
            yield Line(
                f"{name} not decided", f"{told}: a limit that decides nothing.", False, state.results[0].reference
            )


def _is_told(case: Case, result: Result) -> bool:
    """Whether a finding tells the result already."""
    found = (verdict.finding for _, verdict in case.earlier if verdict.finding is not None and not verdict.suppressed)
    return any(fact.reference == result.reference for finding in found for fact in finding.facts)


def _candidates(case: Case, analytes: tuple[str, ...], state: labs.State) -> Iterable[Result]:
    """The newest result of each kind, those that might be the newest, and what the state was held up by."""
    every: list[Result] = []
    for analyte in analytes:
        if case.patient.results.get(analyte):
            every += labs.fresh(case.patient, analyte, case.limits)[:1]
            every += labs.undated(case.patient, analyte, case.limits)
    if state.doubt:
        every += state.results
    found: list[Result] = []
    for result in every:
        if result not in found:
            found.append(result)
    return found


def _lab_lines(case: Case, name: str, result: Result, state: labs.State) -> Iterable[Line]:
    held_up = state.grade == "unknown" and result in state.results
    problem = _problem_words(case, result)
    if problem and state.is_low and result in state.results:
        told = labs.describe(result, case.patient)
        text = f"{told} {problem}: counted as possibly low only because the laboratory flags it as low."
        yield Line(f"{name} {problem}", text, False, result.reference)
        return
    if not (problem or result.provisional or (held_up and result.inferred)):
        return
    told, short = labs.describe(result, case.patient), _SHORT.get(result.analyte, name)
    if problem:
        text = f"{told} {problem}: not used.{_last_readable(case, result)}"
        yield Line(f"{short} {problem}", text, held_up, result.reference)
    elif held_up and result.inferred:
        text = f"{told}: the number has no unit of its own, so it is not known to be normal."
        yield Line(f"{short} has no unit", text, True, result.reference)
    elif result.provisional:
        yield Line(f"{short} not final", f"{told}: not final, so not counted as a factor.", False, result.reference)


def _problem_words(case: Case, result: Result) -> str:
    if result.when is not None and result.problem == "implausible" and result.when.earliest > case.patient.now:
        return "is dated in the future"
    if result.problem:
        return _PROBLEM_WORDS[result.problem]
    dated = labs.has_date(case.patient, result, case.limits)
    return "" if dated or result.analyte not in _JUDGED else "has no usable date"


def _last_readable(case: Case, result: Result) -> str:
    earlier = labs.newest(case.patient, labs.CALCIUM if result.analyte in labs.CALCIUM else (result.analyte,))
    return f" Last readable: {labs.describe(earlier, case.patient)}." if earlier is not None else ""


def _birth_date(case: Case) -> Iterable[Line]:
    reference = f"Patient/{case.patient.id}"
    for gap in case.patient.gaps.get("patient", ()):
        if gap.reason in {"date-missing", "implausible"}:
            yield Line(
                "birth date unreadable" if gap.alone else "birth date missing", f"{gap.text}.", gap.alone, reference
            )
    age = case.patient.age
    if age is not None and age.uncertain:
        text = f"Birth date only {age.birth_date}: age uncertain, the youngest possible age was used."
        yield Line("age uncertain", text, False, reference)


def _weight(case: Case) -> Iterable[Line]:
    """Prochlorperazine has a weight limit in small children (R-DRUG-05b)."""
    age, limits = case.patient.age, case.limits
    named = any(item.name == "prochlorperazine" for item in case.medication.ingredients)
    if age is None or age.years >= limits.weight_needed_below or age.oldest_years < limits.prochlorperazine_from:
        return
    if named and weight_kg(case) is None:
        last = labs.newest(case.patient, ("weight",))
        old = f" Last {last.shown} ({last.when.short()})." if last is not None and last.when is not None else ""
        yield Line("weight needed", f"Weight needed (label limit 20 lb, 9.07 kg): no recent one.{old}", True)


def _supply(case: Case) -> Iterable[Line]:
    """What came not at all or not whole: one line for all that lack the same way, and for each lost resource one."""
    gaps = [gap for told in case.patient.gaps.values() for gap in told if gap.reason in _SUPPLY]
    yield from _unanswered([gap for gap in gaps if gap.lack == UNANSWERED])
    for lack in _TOGETHER:
        yield from _together([gap for gap in gaps if gap.alone and gap.lack == lack], lack)
    for gap in gaps:
        if gap.alone and not gap.lack:
            yield Line(_short(gap.text), f"Not available to this service: {gap.text}.", True, gap.reference)
    others = [gap for gap in gaps if not gap.alone and gap.lack != UNANSWERED]
    if unasked := [_short(gap.name) for gap in others if gap.lack == NOT_SUPPLIED]:
        yield Line("some data not supplied", f"Not supplied to this service: {', '.join(unasked)}.", False)
    if unread := [gap.text for gap in others if gap.lack != NOT_SUPPLIED]:
        yield Line("some data not readable", f"{'; '.join(unread)}.", False)


def _unanswered(gaps: list[Gap]) -> Iterable[Line]:
    if gaps:
        names = _joined([_short(gap.name) for gap in gaps])
        text = f"The FHIR server did not answer. Not read: {names}."
        yield Line("the FHIR server did not answer", text, any(gap.alone for gap in gaps))


def _together(gaps: list[Gap], lack: str) -> Iterable[Line]:
    if gaps:
        names, said = [gap.name for gap in gaps], lack.removesuffix(" to this service")
        text = f"Not available to this service: {_joined([names[0], *map(_short, names[1:])])} {said}."
        first = [_short(name) for name in names[:_MOST_NAMES]]
        more = [f"{len(names) - _MOST_NAMES} more"] if len(names) > _MOST_NAMES else []
        yield Line(f"{_joined([*first, *more])} {said}", text, True)


def _joined(names: list[str]) -> str:
    return f"{', '.join(names[:-1])} and {names[-1]}" if len(names) > 1 else names[0]


def _short(text: str) -> str:
    return text[:1].lower() + text[1:]


def _contradictions(case: Case) -> Iterable[Line]:
    if case.medication.conflict and case.order is not None:
        named = f" ({case.medication.named} is named as well)" if case.medication.named else ""
        used = "code" if case.medication.recognised == "code" else "first text"
        yield Line(
            f"drug code and text differ{named}",
            f"The order's code and text name different drugs{named}; the {used} was used.",
            bool(case.medication.named),
            case.order.reference,
        )
    for text in case.patient.contradictions:
        yield Line("records contradict", f"Records contradict: {text}", False)


def _other_patient(case: Case) -> Iterable[Line]:
    foreign = dict(case.patient.foreign)
    if foreign.pop(_ACCESS, 0):
        whose = "The access that came with the call is for a different patient"
        text = f"{whose}, and was not used. See whose chart is open."
        yield Line("the access is for a different patient", text, True)
    total = sum(foreign.values())
    if total:
        keys = ", ".join(plain(name, _LONGEST_KEY) for name in sorted(foreign)[:_MOST_KEYS])
        yield Line(
            "data of a different patient left out",
            f"Data of a different patient were received and left out ({total} in {keys}).",
            True,
        )


def _merged_records(case: Case) -> Iterable[Line]:
    total = sum(case.patient.merged.values())
    if total:
        keys = ", ".join(plain(name, _LONGEST_KEY) for name in sorted(case.patient.merged)[:_MOST_KEYS])
        yield Line(
            "data of a merged record used",
            f"Data under another id of this patient were used ({total} in {keys}): the record says they were merged.",
            False,
        )


def _internal(case: Case) -> Iterable[Line]:
    for reason, words in _WITHIN.items():
        lost = [rule.id for rule, told in case.earlier if told.status is Status.NOT_CHECKED and told.reason == reason]
        if lost:
            count = "1 rule" if len(lost) == 1 else f"{len(lost)} rules"
            yield Line(f"{count} not evaluated, {words}", f"Not evaluated, {words}: {', '.join(lost)}.", True)


def _rule(number: int, lines: Callable[[Case], Iterable[Line]], thresholds: tuple[str, ...] = ()) -> Rule:
    def evaluate(case: Case) -> Verdict:
        return _verdict(lines(case)) if case.data_matter else NOT_APPLICABLE

    return Rule(
        f"R-DQ-{number:02d}", "1.0.0", _HOOKS, (), Indicator.INFO, 100 + _RANKS[number], evaluate, thresholds, True
    )


# A result outside the bounds of its analyte is unreadable.
_PLAUSIBLE = tuple(name for name in TABLE if name.endswith("_plausible"))

_WEIGHT_FIGURES = (
    "weight_needed_below",
    "prochlorperazine_from",
    "weight_days_infant",
    "weight_days_toddler",
    "weight_days_child",
)

# Which line leads a card that holds notes only: what nothing could be said about first.
_RANKS = {1: 0, 7: 1, 8: 2, 5: 3, 2: 4, 3: 5, 4: 6, 6: 7}

RULES = (
    _rule(1, _drug),
    _rule(2, _labs, ("lab_fresh_hours_acute", "lab_fresh_days", "lab_shown_days", "future_minutes", *_PLAUSIBLE)),
    _rule(3, _birth_date),
    _rule(4, _weight, _WEIGHT_FIGURES),
    _rule(5, _supply, ("record_window_days", "administration_window_days", "dispense_window_days")),
    _rule(6, _contradictions),
    _rule(7, lambda case: (*_other_patient(case), *_merged_records(case))),
    _rule(8, _internal),
)


def may_stand_alone(case: Case) -> bool:
    """D.6: for a tier H or M drug, or an order whose drug could not be recognised."""
    if case.order is None:
        return False
    if case.medication.recognised == "unrecognised" or case.medication.stem or case.medication.named:
        return True
    blocker = blocker_of(case)
    return blocker is not None and blocker.tier in {"H", "M"}
