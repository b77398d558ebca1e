"""How well the kidneys work, as the label of metoclopramide asks: creatinine clearance, else the reported eGFR.

Clearance after Cockcroft and Gault (Nephron 1976;16:31-41), for adults whose age, sex and weight are known:
(140 - age) x weight in kg / (72 x serum creatinine in mg/dL), times 0.85 in women.
"""

from __future__ import annotations

from collections.abc import Iterable
from datetime import timedelta
from decimal import Decimal

import msgspec

from plugin.drug_risk import weight_doubt, weight_of
from plugin.grading import AT_LEAST, AT_MOST
from plugin.lab_results import describe
from plugin.patient import Result
from plugin.rule import Case, Fact

D = Decimal
_MICROMOL_IN_MG_PER_DL = D("88.40")
_AGE_AT_ZERO, _DIVISOR, _WOMEN = D(140), D(72), D("0.85")
_GENDERS = {"male": D(1), "female": _WOMEN}


class Kidney(msgspec.Struct, frozen=True):
    """The kidney function known now: ``value`` in mL/min (of eGFR per 1.73 m2), or ``problem``, why it is not known.

    ``name`` is "creatinine clearance" or "eGFR"; ``comparator`` belongs to a reported eGFR. ``sure`` is False for
    results that are not final or have no unit of their own. ``doubt`` is the problem of a newer result that cannot be
    read. ``facts`` are the results behind it; without a value, the last one that was found, if any.
    """

    name: str = ""
    value: Decimal | None = None
    comparator: str = ""
    sure: bool = True
    problem: str = ""
    doubt: str = ""
    facts: tuple[Fact, ...] = ()

    @property
    def told(self) -> str:
        """Name and value as a card tells them: "eGFR 48", "creatinine clearance 32.5 mL/min"."""
        if self.value is None:
            return "kidney function unknown"
        unit = "" if self.name == "eGFR" else " mL/min"
        return f"{self.name} {self.comparator}{self.shown}{unit}"

    @property
    def shown(self) -> str:
        """The value, a computed one with one decimal; empty without one."""
        if self.value is None:
            return ""
        rounded = self.value.quantize(D("0.1")) if self.name != "eGFR" else self.value
        return f"{rounded.normalize():f}"

    def is_at_most(self, limit: Decimal) -> bool | None:
        """Whether it is ``limit`` or less; None where that is not known."""
        if self.value is None or (self.comparator and self.comparator not in AT_MOST | AT_LEAST):
            return None
        if self.comparator in AT_MOST:
            return True if self.value <= limit else None
        if self.comparator in AT_LEAST:
            return False if self.value >= limit else None
        return self.value <= limit

    def is_below(self, limit: Decimal) -> bool | None:
        """Whether it is less than ``limit``; None where that is not known."""
        if self.value != limit or self.comparator in AT_LEAST:
            return self.is_at_most(limit)
        return {"<": True, "": False}.get(self.comparator)


def kidney_of(case: Case) -> Kidney:
    """The newest kidney function in the window (90 days, inpatients 7): clearance where it can be worked out."""
    creatinine, egfr = _newest(case, "creatinine"), _newest(case, "egfr")
    clearance = _clearance(case, creatinine)
    if clearance is not None:
        return clearance
    if egfr is not None and egfr.value is not None:
        doubt = _doubt(case, egfr) or (_weight_doubt(case) if creatinine is not None else "")
        facts = _facts(case, egfr)
        return Kidney("eGFR", egfr.value, egfr.comparator, _is_sure(egfr), doubt=doubt, facts=facts)
    return _unknown(case, creatinine)


def _doubt(case: Case, used: Result) -> str:
    """The problem of a result of the same kind that cannot be read and may be newer than the one used."""
    for result in case.patient.results.get(used.analyte, ()):
        if result.problem and (result.when is None or used.when is None or result.when.latest >= used.when.earliest):
            return result.problem
    return ""


def _weight_doubt(case: Case) -> str:
    """Why a weight that may be the newest one cannot be used."""
    doubt = weight_doubt(case)
    return doubt[0] if doubt is not None else ""


def _newest(case: Case, analyte: str) -> Result | None:
    """The newest result of the window that can be read; a final one before one that is not."""
    window = case.limits.span("kidney_days_acute" if case.patient.acute_encounter else "kidney_days")
    found = [one for one in case.patient.results.get(analyte, ()) if _is_usable(case, one, window)]
    return next((one for one in found if _is_sure(one)), found[0] if found else None)


def _is_usable(case: Case, result: Result, window: timedelta) -> bool:
    if result.problem or result.value is None or result.when is None:
        return False
    return result.when.age(case.patient.now) <= window


def _is_sure(result: Result) -> bool:
    return not (result.provisional or result.inferred)


def _clearance(case: Case, creatinine: Result | None) -> Kidney | None:
    """Cockcroft-Gault at the oldest possible age, which gives the lowest clearance."""
    age, weight, share = case.patient.age, weight_of(case), _GENDERS.get(case.patient.gender)
    if age is None or age.years < case.limits.adult_from or share is None or weight is None or weight.value is None:
        return None
    if creatinine is None or not creatinine.value or creatinine.comparator:
        return None
    years = max(_AGE_AT_ZERO - age.oldest_years, D(0))
    value = years * weight.value * share * _MICROMOL_IN_MG_PER_DL / (_DIVISOR * creatinine.value)
    sure = _is_sure(creatinine) and _is_sure(weight)
    doubt = _doubt(case, creatinine) or _weight_doubt(case)
    found = Kidney("creatinine clearance", value, sure=sure, doubt=doubt)
    told = Fact(f"Creatinine clearance {found.shown} mL/min (Cockcroft-Gault)", creatinine.reference)
    return msgspec.structs.replace(found, facts=(told, *_facts(case, creatinine, weight)))


def _facts(case: Case, *results: Result) -> tuple[Fact, ...]:
    return tuple(Fact(describe(result, case.patient), result.reference) for result in results)


def _unknown(case: Case, creatinine: Result | None) -> Kidney:
    """Why nothing is known: a result that cannot be read, one that is too old, one without what it needs, or none."""
    recent = [*case.patient.results.get("creatinine", ()), *case.patient.results.get("egfr", ())]
    unread = next((one for one in recent if one.problem), None)
    if unread is not None:
        return Kidney(problem=unread.problem, facts=_facts(case, unread))
    if creatinine is not None:
        return Kidney(problem="no-result", facts=_facts(case, creatinine))
    old = max(_old(case), key=lambda one: one.when.earliest if one.when else case.patient.now, default=None)
    return Kidney(problem="stale", facts=_facts(case, old)) if old is not None else Kidney(problem="no-result")


def _old(case: Case) -> Iterable[Result]:
    for analyte in ("creatinine", "egfr"):
        for result in (*case.patient.results.get(analyte, ()), *case.patient.earlier.get(analyte)):
            if result.when is not None and result.value is not None:
                yield result
