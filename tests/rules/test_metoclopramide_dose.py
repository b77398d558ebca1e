"""R-DRUG-07: a daily dose of metoclopramide above what its label allows this patient (D.2), and R-DRUG-09b."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import pytest
from fhir.resources.R4B.medicationrequest import MedicationRequest

from plugin.kidney import Kidney
from tests.support.fhir import (
    UCUM,
    Json,
    at,
    bundle,
    call,
    concept,
    condition,
    encounter,
    lab,
    order,
    patient,
    prefetch,
    statement,
    subject,
    taking,
)
from tests.support.fire import fire, sign
from tests.support.rows import WOMAN_60, aged, day_before_birthday, outcome, row

RULE = "R-DRUG-07"
GASTROPARESIS = condition("K31.84", id="gp")
EGFR = "mL/min/{1.73_m2}"


def egfr(value: float, when: str = "10d", **more: Any) -> Json:
    """An eGFR in mL/min per 1.73 m2."""
    return lab("egfr", value, EGFR, when, **more)


def creatinine(value: float, unit: str = "mg/dL", when: str = "10d", **more: Any) -> Json:
    """A creatinine."""
    return lab("2160-0", value, unit, when, id="cr", **more)


WELL = egfr(95)

# mg a day by indication, with good kidneys: both sides of each limit.
USUAL = [
    row("60 mg", order("metoclopramide", 15, 4), [WELL], "clear"),
    row("above 60 mg", order("metoclopramide", 15.1, 4), [WELL], "warning"),
    row("40 mg in gastroparesis", order("metoclopramide", 10, 4), [WELL, GASTROPARESIS], "clear"),
    row("above 40 mg in gastroparesis", order("metoclopramide", 10.1, 4), [WELL, GASTROPARESIS], "warning"),
    row("gastroparesis in words", order("metoclopramide", 15, 4), [WELL, condition(text="Diabetic gastroparesis")],
        "warning"),
    row("gastroparesis that is a rule-out", order("metoclopramide", 15, 4),
        [WELL, condition("K31.84", verification="provisional")], "info"),
    row("a rule-out hides nothing that is sure", order("metoclopramide", 20, 4),
        [WELL, condition("K31.84", verification="provisional")], "warning"),
    row("gastroparesis refuted", order("metoclopramide", 15, 4), [WELL, condition("K31.84", verification="refuted")],
        "clear"),
    row("gastroparesis resolved", order("metoclopramide", 15, 4), [WELL, condition("K31.84", clinical="resolved")],
        "clear"),
    row("the order's own reason: gastroparesis", order("metoclopramide", 15, 4,
        more={"reasonCode": [concept("http://hl7.org/fhir/sid/icd-10-cm", "K31.84")]}), [WELL], "warning"),
    row("the order's own reason in words", order("metoclopramide", 15, 4,
        more={"reasonCode": [{"text": "gastroparesis"}]}), [WELL], "warning"),
    row("the order points to the condition", order("metoclopramide", 15, 4,
        more={"reasonReference": [{"reference": "Condition/gp"}]}), [WELL, GASTROPARESIS], "warning"),
    row("the reason as R5 tells it, a concept", order("metoclopramide", 15, 4,
        more={"reason": [{"concept": {"text": "gastroparesis"}}]}), [WELL], "warning"),
    row("the reason as R5 tells it, a reference", order("metoclopramide", 15, 4,
        more={"reason": [{"reference": {"reference": "Condition/gp"}}]}), [WELL, GASTROPARESIS], "warning"),
    row("another reason as R5 tells it", order("metoclopramide", 15, 4,
        more={"reason": [{"concept": {"text": "Nausea after chemotherapy"}}]}), [WELL, GASTROPARESIS], "clear"),
    row("another reason on the order", order("metoclopramide", 15, 4,
        more={"reasonCode": [{"text": "Nausea after chemotherapy"}]}), [WELL, GASTROPARESIS], "clear"),
    row("as needed by its limit", order("metoclopramide", more={"dosageInstruction": [{"asNeededBoolean": True,
        "doseAndRate": [{"doseQuantity": {"value": 10, "unit": "mg", "system": UCUM, "code": "mg"}}],
        "timing": {"repeat": {"frequency": 8, "period": 1, "periodUnit": "d"}},
        "maxDosePerPeriod": {"numerator": {"value": 60, "unit": "mg", "system": UCUM, "code": "mg"},
                             "denominator": {"value": 1, "unit": "d", "system": UCUM, "code": "d"}}}]}),
        [WELL], "clear"),
    row("as needed by its frequency", order("metoclopramide", 10, 8, prn=True), [WELL], "warning"),
    row("a single dose of 10 mg", order("metoclopramide", 10, once=True), [WELL], "clear"),
    row("a single dose of 100 mg", order("metoclopramide", 100, once=True), [WELL], "warning"),
    row("haloperidol", order("haloperidol", 100, 1), [WELL], "not-applicable"),
]  # fmt: skip


@pytest.mark.parametrize(("draft", "data", "expected"), USUAL)
def test_usual_limits(draft: Json, data: list[Json], expected: str) -> None:
    assert sign(draft, WOMAN_60, *data).verdict(RULE) == expected


def per_day(mg: float) -> Json:
    """An order of so many mg a day in four doses."""
    return order("metoclopramide", mg / 4, 4)


# Why less is allowed: each at 20, 30 and above. The columns are 30 mg and 30.4 mg for nausea, 20 and 20.4 mg otherwise.
REDUCED = [
    row("eGFR 60", [egfr(60)]),
    row("eGFR 16", [egfr(16)]),
    row("paroxetine", [WELL, taking("paroxetine")]),
    row("fluoxetine by name, a statement", [WELL, statement("Prozac 20 mg")]),
    row("a poor metaboliser", [WELL, {"resourceType": "Observation", "id": "pm", "status": "final",
        "subject": subject(), "code": {"text": "CYP2D6 phenotype"}, "valueString": "Poor metabolizer"}]),
    row("Child-Pugh B", [WELL, {"resourceType": "Observation", "id": "cp", "status": "final", "subject": subject(),
        "code": {"text": "Child-Pugh class"}, "valueString": "B"}]),
    row("Child-Pugh C by concept", [WELL, {"resourceType": "Observation", "id": "cp", "status": "final",
        "subject": subject(), "code": {"text": "Child-Pugh score"}, "valueCodeableConcept": {"text": "Class C"}}]),
    row("Child-Pugh B in a condition", [WELL, condition(text="Cirrhosis, Child-Pugh class B")]),
]  # fmt: skip


@pytest.mark.parametrize("data", REDUCED)
def test_reduced_limits(data: list[Json]) -> None:
    verdicts = [sign(per_day(mg), WOMAN_60, *data).verdict(RULE) for mg in (30, 30.4)]
    verdicts += [sign(per_day(mg), WOMAN_60, GASTROPARESIS, *data).verdict(RULE) for mg in (20, 20.4)]
    assert verdicts == ["clear", "warning", "clear", "warning"]


NOT_REDUCED = [
    row("eGFR 61", [egfr(61)]),
    row("eGFR above 60", [egfr(60, comparator=">")]),
    row("sertraline", [WELL, taking("sertraline")]),
    row("duloxetine is moderate", [WELL, taking("duloxetine 60 mg")]),
    row("paroxetine, stopped", [WELL, taking("paroxetine", status="stopped")]),
    row("paroxetine, not taken", [WELL, statement("paroxetine", "not-taken")]),
    row("a normal metaboliser", [WELL, {"resourceType": "Observation", "id": "pm", "status": "final",
        "subject": subject(), "code": {"text": "CYP2D6 phenotype"}, "valueString": "Normal metabolizer"}]),
    row("Child-Pugh A", [WELL, {"resourceType": "Observation", "id": "cp", "status": "final", "subject": subject(),
        "code": {"text": "Child-Pugh class"}, "valueString": "A"}]),
    row("Child-Pugh B entered in error", [WELL, {"resourceType": "Observation", "id": "cp",
        "status": "entered-in-error", "subject": subject(), "code": {"text": "Child-Pugh class"},
        "valueString": "B"}]),
    row("Child-Pugh A after B", [WELL, *({"resourceType": "Observation", "id": f"cp{when}", "status": "final",
        "subject": subject(), "code": {"text": "Child-Pugh class"}, "valueString": value, "effectiveDateTime": when}
        for when, value in (("2026-01-01", "B"), ("2026-09-01", "A")))]),
]  # fmt: skip


@pytest.mark.parametrize("data", NOT_REDUCED)
def test_what_reduces_nothing(data: list[Json]) -> None:
    assert sign(per_day(30.4), WOMAN_60, *data).verdict(RULE) == "clear"


# Kidney failure: 20 mg, 10 mg in gastroparesis.
FAILURE = [
    row("eGFR 14.9", [egfr(14.9)]),
    row("eGFR below 15", [egfr(15, comparator="<")]),
    row("N18.6", [condition("N18.6")]),
    row("dialysis Z99.2", [condition("Z99.2")]),
    row("dialysis beside a good eGFR", [condition("Z99.2"), WELL]),
]


@pytest.mark.parametrize("data", FAILURE)
def test_kidney_failure(data: list[Json]) -> None:
    verdicts = [sign(per_day(mg), WOMAN_60, *data).verdict(RULE) for mg in (20, 20.4)]
    verdicts += [sign(per_day(mg), WOMAN_60, GASTROPARESIS, *data).verdict(RULE) for mg in (10, 10.4)]
    assert verdicts == ["clear", "warning", "clear", "warning"]


def test_an_egfr_below_sixty_may_be_kidney_failure() -> None:
    below = egfr(60, comparator="<")
    assert sign(per_day(30.4), WOMAN_60, below).verdict(RULE) == "warning"
    assert sign(per_day(30), WOMAN_60, below).verdict(RULE) == "not-checked no-result"
    assert sign(per_day(20), WOMAN_60, below).verdict(RULE) == "clear"


def test_fifteen_is_not_below_fifteen() -> None:
    assert sign(per_day(20.4), WOMAN_60, egfr(15)).verdict(RULE) == "clear"


NOT_SURE = [
    row("an eGFR that is not final", [egfr(48, status="preliminary")], "info"),
    row("an eGFR with an unknown status", [egfr(48, status="unknown")], "info"),
    row("a final one beside it", [egfr(48, status="preliminary", id="a"), egfr(48, "20d", id="b")], "warning"),
    row("kidney failure that is a rule-out", [WELL, condition("N18.6", verification="provisional")], "info"),
    row("Child-Pugh B, not final", [WELL, {"resourceType": "Observation", "id": "cp", "status": "preliminary",
        "subject": subject(), "code": {"text": "Child-Pugh class"}, "valueString": "B"}], "info"),
]  # fmt: skip


@pytest.mark.parametrize(("data", "expected"), NOT_SURE)
def test_what_is_not_sure_is_information_only(data: list[Json], expected: str) -> None:
    assert sign(per_day(40), WOMAN_60, *data).verdict(RULE) == expected


# Creatinine clearance: (140 - 60) x 66 kg x 0.85 / (72 x creatinine in mg/dL) = 62.33 / creatinine for a woman of 60.
KG = lab("weight", 66, "kg", "100d")
CLEARANCE = [
    row("1.03 mg/dL: 60.5", [KG, creatinine(1.03)], "clear"),
    row("1.04 mg/dL: 59.9", [KG, creatinine(1.04)], "warning"),
    row("91 umol/L: 60.6", [KG, creatinine(91, "umol/L")], "clear"),
    row("92 umol/L: 59.9", [KG, creatinine(92, "umol/L")], "warning"),
    row("it goes before the eGFR: low", [KG, creatinine(1.04), WELL], "warning"),
    row("it goes before the eGFR: good", [KG, creatinine(0.8), egfr(48)], "clear"),
    row("without a weight the eGFR counts", [creatinine(2.0), WELL], "clear"),
    row(
        "a weight without a date is in doubt",
        [lab("weight", 66, "kg", None), creatinine(2.0), WELL],
        "not-checked date-missing",
    ),
    row(
        "a newer weight without a unit",
        [lab("weight", 66, None, "1d", id="new"), lab("weight", 120, "kg", "5d"), creatinine(1.0)],
        "not-checked unit-missing",
    ),
    row("an old weight is none", [lab("weight", 66, "kg", "366d"), creatinine(2.0), WELL], "clear"),
    row("a weight of a year ago", [lab("weight", 66, "kg", "365d"), creatinine(2.0), WELL], "warning"),
    row("without weight and eGFR nothing is known", [creatinine(2.0)], "not-checked no-result"),
    row("a weight that is not final", [lab("weight", 66, "kg", "2d", status="preliminary"), creatinine(2.0)], "info"),
]


@pytest.mark.parametrize(("data", "expected"), CLEARANCE)
def test_creatinine_clearance(data: list[Json], expected: str) -> None:
    assert sign(per_day(40), patient("1966-05-01", "female"), *data).verdict(RULE) == expected


WHOSE = [
    row("a man has more", patient("1966-05-01", "male"), "clear"),
    row("sex not known: the eGFR counts", patient("1966-05-01", None), "clear"),
    row("under 18: the eGFR counts", patient("2010-05-01", "female"), "clear"),
    row("age not known: the eGFR counts", patient(None, "female"), "clear"),
    row("the oldest possible age", patient("1966", "female"), "warning"),
]


@pytest.mark.parametrize(("person", "expected"), WHOSE)
def test_whose_clearance_can_be_worked_out(person: Json, expected: str) -> None:
    assert sign(per_day(40), person, KG, creatinine(1.04), WELL).verdict(RULE) == expected


WINDOWS = [
    row("90 days", egfr(48, "90d"), None, "warning"),
    row("91 days", egfr(48, "91d"), None, "not-checked stale"),
    row("an inpatient, 7 days", egfr(48, "7d"), "IMP", "warning"),
    row("an inpatient, 8 days", egfr(48, "8d"), "IMP", "not-checked stale"),
    row("an outpatient, 8 days", egfr(48, "8d"), "AMB", "warning"),
    row("creatinine alone, 91 days", creatinine(2, when="91d"), None, "not-checked stale"),
    row("no unit", lab("egfr", 48, None, "10d"), None, "not-checked unit-missing"),
    row("an unknown unit", lab("egfr", 48, "furlong", "10d"), None, "not-checked unit-unknown"),
    row("a limit that decides nothing", egfr(30, comparator=">"), None, "not-checked no-result"),
]


@pytest.mark.parametrize(("result", "kind", "expected"), WINDOWS)
def test_how_old_a_result_may_be(result: Json, kind: str | None, expected: str) -> None:
    more = [encounter(kind)] if kind else []
    assert sign(per_day(40), WOMAN_60, result, *more).verdict(RULE) == expected


def test_a_newer_result_that_cannot_be_read_keeps_the_older_from_being_good() -> None:
    unread = lab("egfr", 20, None, "2d", id="new")
    assert sign(per_day(40), WOMAN_60, WELL, unread).verdict(RULE) == "not-checked unit-missing"
    assert sign(per_day(40), WOMAN_60, egfr(48), unread).verdict(RULE) == "warning"


# Without kidney results: told at 65 years, or with kidney disease, where the dose depends on them.
UNKNOWN = [
    row("64 years", day_before_birthday(65), [], 30, "not-checked no-result"),
    row("65 years", aged(65), [], 30, "info"),
    row("perhaps 65 years", patient("1961", "female"), [], 30, "info"),
    row("a low dose does not depend on them", aged(70), [], 20, "clear"),
    row("just above it", aged(70), [], 20.4, "info"),
    row("gastroparesis, a low dose", aged(70), [GASTROPARESIS], 10, "clear"),
    row("gastroparesis, just above it", aged(70), [GASTROPARESIS], 10.4, "info"),
    row("kidney disease", aged(40), [condition("N18.9")], 30, "info"),
    row("kidney disease, not confirmed", aged(40), [condition("N18.9", verification="provisional")], 30, "info"),
    row("kidney disease of the third stage", aged(40), [condition("N18.30")], 30, "info"),
    row("an old eGFR", aged(70), [egfr(48, "91d")], 30, "info"),
    row("a dose that is too high anyway", aged(70), [], 64, "warning"),
    row("no birth date", patient(None, "female"), [], 30, "not-checked no-result"),
]


@pytest.mark.parametrize(("person", "data", "mg", "expected"), UNKNOWN)
def test_unknown_kidney_function(person: Json, data: list[Json], mg: float, expected: str) -> None:
    assert sign(per_day(mg), person, *data).verdict(RULE) == expected


# The same where the dose stands in words that cannot be read: it may depend on them.
WORDED_UNKNOWN = [
    row("64 years", day_before_birthday(65), [], "not-checked dose-not-computable"),
    row("65 years", aged(65), [], "info"),
    row("kidney disease", aged(40), [condition("N18.9")], "info"),
    row("good kidneys", aged(70), [WELL], "not-checked dose-not-computable"),
    row("a result that cannot be read", aged(70), [lab("egfr", 48, "furlong", "10d")], "info"),
]


@pytest.mark.parametrize(("person", "data", "expected"), WORDED_UNKNOWN)
def test_unknown_kidney_function_and_a_dose_in_words(person: Json, data: list[Json], expected: str) -> None:
    assert sign(worded(), person, *data).verdict(RULE) == expected


def test_a_dose_in_words_is_said_beside_the_unknown_kidneys() -> None:
    card = sign(worded(), aged(70)).card
    assert card["summary"] == "Metoclopramide depends on the renal function, which is unknown."
    assert "Dose not computable" in card["detail"]
    assert card["suggestions"][0]["label"] == "Check creatinine"


def test_the_last_result_is_told_where_it_is_too_old() -> None:
    card = sign(per_day(30), aged(70), egfr(48, "100d")).card
    assert card["summary"] == "Metoclopramide 30 mg/day depends on the renal function, which is unknown."
    assert "eGFR 48" in card["detail"]
    assert {"Age 70 y", "Metoclopramide 30 mg/day ordered"} <= {
        fact["text"] for fact in card["extension"]["org.dystonia-cds"]["facts"]
    }


@pytest.mark.parametrize("verification", ["confirmed", "provisional"])
def test_the_kidney_disease_is_told_beside_kidneys_that_are_not_known(verification: str) -> None:
    disease = condition("N18.9", text="Chronic kidney disease", verification=verification)
    facts = sign(per_day(30), aged(40), disease).card["extension"]["org.dystonia-cds"]["facts"]
    assert ["Chronic kidney disease" in fact["text"] for fact in facts if fact.get("reference") == "Condition/c1"] == [
        True
    ]


# The EU and the UK: 30 mg a day or 0.5 mg/kg, whichever is lower.
EUROPE = [
    row("30 mg, 70 kg", 30, [WELL, lab("weight", 70, "kg", "5d")], "clear"),
    row("30.4 mg, 70 kg", 30.4, [WELL, lab("weight", 70, "kg", "5d")], "warning"),
    row("22.4 mg, 45 kg", 22.4, [WELL, lab("weight", 45, "kg", "5d")], "clear"),
    row("22.8 mg, 45 kg", 22.8, [WELL, lab("weight", 45, "kg", "5d")], "warning"),
    row("a weight that is not final", 22.8, [WELL, lab("weight", 45, "kg", "5d", status="preliminary")], "info"),
    row("no weight", 22.8, [WELL], "not-checked no-result"),
    row("no weight, above the other limit", 30.4, [WELL], "warning"),
    row("gastroparesis and kidneys are lower still", 20.4,
        [GASTROPARESIS, egfr(48), lab("weight", 70, "kg", "5d")], "warning"),
]  # fmt: skip


@pytest.mark.parametrize(("mg", "data", "expected"), EUROPE)
@pytest.mark.parametrize("jurisdiction", ["eu", "uk"])
def test_europe(jurisdiction: str, mg: float, data: list[Json], expected: str) -> None:
    assert sign(per_day(mg), WOMAN_60, *data, jurisdiction=jurisdiction).verdict(RULE) == expected


ONCE = {"count": 1}
PER_KG = [
    row("0.15 mg/kg three times", 0.15, "clear", "clear"),
    row("0.17 mg/kg three times", 0.17, "warning", "clear"),
]


@pytest.mark.parametrize(("dose", "europe", "us"), PER_KG)
def test_a_dose_by_weight(dose: float, europe: str, us: str) -> None:
    draft, kg = order("metoclopramide", dose, 3, unit="mg/kg"), lab("weight", 60, "kg", "5d")
    assert sign(draft, WOMAN_60, WELL, kg, jurisdiction="eu").verdict(RULE) == europe
    assert sign(draft, WOMAN_60, WELL, kg).verdict(RULE) == us


def test_a_single_dose_in_mg_counts_before_one_by_weight() -> None:
    """100 mg and 0.1 mg/kg at 60 kg: the order says both, and the sixth of it is not what counts."""
    doses = [{"doseQuantity": {"value": value, "unit": unit, "system": UCUM, "code": unit}}
             for value, unit in ((100, "mg"), (0.1, "mg/kg"))]  # fmt: skip
    draft = order("metoclopramide", more={"dosageInstruction": [{"doseAndRate": doses, "timing": {"repeat": ONCE}}]})
    answer = sign(draft, WOMAN_60, WELL, lab("weight", 60, "kg", "5d"))
    assert answer.verdict(RULE) == "warning"
    assert answer.card["summary"].startswith("Metoclopramide 100 mg/day ")


def test_a_dose_by_weight_without_a_weight() -> None:
    high = sign(order("metoclopramide", 0.2, 3, unit="mg/kg"), WOMAN_60, WELL, jurisdiction="uk")
    assert high.verdict(RULE) == "warning"
    assert high.card["summary"] == "Metoclopramide 0.6 mg/kg a day exceeds the limit of 0.5 mg/kg (EMA/MHRA)."
    assert "Metoclopramide 0.6 mg/kg a day ordered" in high.card["detail"]
    low = sign(order("metoclopramide", 0.1, 3, unit="mg/kg"), WOMAN_60, WELL, jurisdiction="uk")
    assert low.verdict(RULE) == "not-checked dose-not-computable"


def worded(text: str = "Take as directed by the clinic") -> Json:
    """An order whose dose stands in words that mean no figure."""
    return order("metoclopramide", more={"dosageInstruction": [{"text": text}]})


NOT_COMPUTABLE = [
    row("words, nothing else", worded(), [WELL], "not-checked dose-not-computable"),
    row("words, low eGFR", worded(), [egfr(48)], "info"),
    row("words, paroxetine", worded(), [taking("paroxetine")], "info"),
    row("no dose stated, low eGFR", order("metoclopramide"), [egfr(48)], "not-checked dose-not-computable"),
    row("words that are figures", worded("15 mg four times a day"), [egfr(48)], "warning"),
]


@pytest.mark.parametrize(("draft", "data", "expected"), NOT_COMPUTABLE)
def test_a_dose_that_cannot_be_computed(draft: Json, data: list[Json], expected: str) -> None:
    assert sign(draft, aged(70), *data).verdict(RULE) == expected


# R-DRUG-09b: a strong CYP2D6 inhibitor ordered beside metoclopramide that is taken.
def with_metoclopramide(mg: float = 10, times: int = 4, **more: Any) -> Json:
    """Metoclopramide on record."""
    return taking("metoclopramide", "20d", mg, times, **more)


BESIDE = [
    row("paroxetine beside 40 mg", "paroxetine", [WELL, with_metoclopramide()], "warning"),
    row("paroxetine beside 30 mg", "paroxetine", [WELL, with_metoclopramide(10, 3)], "clear"),
    row(
        "and beside more of it, no dose stated",
        "paroxetine",
        [WELL, with_metoclopramide(10, 3), statement("metoclopramide")],
        "not-checked dose-not-computable",
    ),
    row(
        "and beside a drug that nobody can name",
        "paroxetine",
        [
            WELL,
            with_metoclopramide(10, 3),
            taking("x", id="x", more={"medicationCodeableConcept": {"coding": [{"system": "urn:x", "code": "1"}]}}),
        ],
        "not-checked drug-unrecognised",
    ),
    row("in gastroparesis beside 30 mg", "paroxetine", [WELL, GASTROPARESIS, with_metoclopramide(10, 3)], "warning"),
    row("bupropion by name", "Wellbutrin 150 mg", [WELL, with_metoclopramide()], "warning"),
    row("sertraline is no strong inhibitor", "sertraline", [WELL, with_metoclopramide()], "not-applicable"),
    row("metoclopramide stopped", "paroxetine", [WELL, with_metoclopramide(status="stopped")], "not-applicable"),
    row("no metoclopramide", "paroxetine", [WELL], "not-applicable"),
    row("no dose on record", "paroxetine", [WELL, taking("metoclopramide", "20d")], "info"),
]


@pytest.mark.parametrize(("drug", "data", "expected"), BESIDE)
def test_an_inhibitor_beside_metoclopramide(drug: str, data: list[Json], expected: str) -> None:
    assert sign(order(drug, 20, 1), WOMAN_60, *data).verdict(RULE) == expected


def test_an_inhibitor_ordered_together_with_metoclopramide() -> None:
    both = [order("paroxetine", 20, 1), order("metoclopramide", 10, 4, id="draft-2")]
    answer = fire(call(both, prefetch(WOMAN_60, WELL)))
    assert answer.verdict(RULE, "MedicationRequest/draft-1") == "warning"
    assert answer.verdict(RULE, "MedicationRequest/draft-2") == "warning"


SUMMARIES = [
    row("kidneys and gastroparesis", per_day(40), [GASTROPARESIS, egfr(48)],
        "Metoclopramide 40 mg/day exceeds the 20 mg/day limit for eGFR 48 (gastroparesis)."),
    row("the usual limit", per_day(80), [WELL], "Metoclopramide 80 mg/day exceeds the 60 mg/day limit."),
    row("an inhibitor", per_day(40), [WELL, taking("paroxetine")],
        "Metoclopramide 40 mg/day exceeds the 30 mg/day limit with paroxetine."),
    row("dialysis", per_day(40), [condition("Z99.2")],
        "Metoclopramide 40 mg/day exceeds the 20 mg/day limit in kidney failure or dialysis."),
    row("clearance", per_day(40), [KG, creatinine(1.5)],
        "Metoclopramide 40 mg/day exceeds the 30 mg/day limit for creatinine clearance 41.6 mL/min."),
    row("words", worded(), [egfr(48)],
        "Metoclopramide dose not computable; the limit is 30 mg/day for eGFR 48."),
    row("the other way round", order("paroxetine", 20, 1), [WELL, with_metoclopramide()],
        "Paroxetine beside metoclopramide 40 mg/day, which exceeds the 30 mg/day limit with paroxetine."),
]  # fmt: skip


@pytest.mark.parametrize(("draft", "data", "summary"), SUMMARIES)
def test_summaries(draft: Json, data: list[Json], summary: str) -> None:
    assert sign(draft, WOMAN_60, *data).card["summary"] == summary


# Of the reasons why less is allowed only the sure ones are told beside a warning.
TOLD = [
    row("a result that is not final beside the usual limit", [egfr(48, status="preliminary")], 80, set()),
    row(
        "and beside an inhibitor", [egfr(48, status="preliminary"), taking("paroxetine")], 80, {"MedicationRequest/m1"}
    ),
    row("a result that is not final alone", [egfr(48, status="preliminary")], 40, {"Observation/egfr-1"}),
    row("a final one", [egfr(48)], 40, {"Observation/egfr-1"}),
]


@pytest.mark.parametrize(("data", "mg", "expected"), TOLD)
def test_only_what_decides_is_told(data: list[Json], mg: float, expected: set[str]) -> None:
    facts = sign(per_day(mg), WOMAN_60, *data).card["extension"]["org.dystonia-cds"]["facts"]
    assert {fact["reference"] for fact in facts} - {"MedicationRequest/draft-1"} == expected


def reduced(draft: Json, person: Json, *data: Json, **more: Any) -> tuple[list[str], Json | None]:
    """(labels, updated draft of the suggestion to reduce)."""
    suggestions = sign(draft, person, *data, **more).card["suggestions"]
    changed = [
        action["resource"]
        for one in suggestions
        for action in one.get("actions", [])
        if action["type"] == "update" and "dosageInstruction" in action["resource"]
    ]
    return [one["label"] for one in suggestions], changed[0] if changed else None


def test_reducing_gives_the_whole_draft_back() -> None:
    draft = {
        **order("metoclopramide", 10, 4, prn=True, days=20),
        "requester": {"display": "Dr N"},
        "dispenseRequest": {"quantity": {"value": 80}, "numberOfRepeatsAllowed": 1},
    }
    labels, changed = reduced(draft, WOMAN_60, egfr(48))
    assert "Reduce to 5 mg four times daily" in labels
    assert changed is not None
    (line,) = changed["dosageInstruction"]
    assert line["doseAndRate"][0]["doseQuantity"]["value"] == 5
    assert line["timing"]["repeat"] == {
        "boundsDuration": {"value": 20, "unit": "d", "system": UCUM, "code": "d"},
        "frequency": 4, "period": 1, "periodUnit": "d",
    }  # fmt: skip
    assert line["asNeededBoolean"] is True
    assert changed["requester"] == {"display": "Dr N"}
    assert changed["dispenseRequest"] == {"numberOfRepeatsAllowed": 1}
    MedicationRequest.model_validate(changed)
    assert sign(changed, WOMAN_60, egfr(48)).verdict(RULE) == "clear"


NOT_FILLED = [
    row("17 years", order("metoclopramide", 10, 4), patient("2008-11-23", "female")),
    row("65 years", order("metoclopramide", 10, 4), aged(65)),
    row("age uncertain", order("metoclopramide", 10, 4), patient("1980", "female")),
    row("injected", order("metoclopramide", 10, 4, route="IV"), aged(60)),
]


@pytest.mark.parametrize(("draft", "person"), NOT_FILLED)
def test_no_dose_is_filled_in(draft: Json, person: Json) -> None:
    labels, changed = reduced(draft, person, egfr(48))
    assert "Reduce the dose (dose left to the prescriber)" in labels
    assert changed is None


def test_no_dose_above_the_limit_is_proposed() -> None:
    labels, changed = reduced(order("metoclopramide", 10, 4), WOMAN_60, GASTROPARESIS, condition("N18.6"))
    assert "Reduce to at most 10 mg a day" in labels
    assert changed is None


MISSING = [
    row("results missing", 30, {"without": ("observations",)}, "not-checked key-missing"),
    row("results missing, a dose too high anyway", 64, {"without": ("observations",)}, "warning"),
    row("results missing at 70 years are no unknown kidneys", 30, {"without": ("observations",)},
        "not-checked key-missing"),
    row("conditions missing", 15, {"without": ("conditions",)}, "not-checked key-missing"),
    row("conditions missing, a low dose", 10, {"without": ("conditions",)}, "clear"),
    row("orders missing", 40, {"without": ("medications",), "observations": bundle(WELL)}, "not-checked key-missing"),
    row("orders missing, a low dose", 30, {"without": ("medications",), "observations": bundle(WELL)}, "clear"),
    row("results failed", 30, {"observations": outcome()}, "not-checked key-failed"),
    row("a drug that nobody can name", 40,
        {"observations": bundle(WELL), "medications": bundle(taking("rxnorm:99999999", "5d"))},
        "not-checked drug-unrecognised"),
]  # fmt: skip


@pytest.mark.parametrize(("mg", "changes", "expected"), MISSING)
def test_missing_data(mg: float, changes: Json, expected: str) -> None:
    assert sign(per_day(mg), aged(70), **changes).verdict(RULE) == expected


def test_excluded_orders() -> None:
    assert sign(per_day(80), patient(deceasedBoolean=True)).verdict(RULE) == "not-applicable"
    assert sign({**per_day(80), "status": "cancelled"}, WOMAN_60).verdict(RULE) == "not-applicable"
    assert sign(order("rxnorm:99999999"), WOMAN_60).verdict(RULE) == "not-checked drug-unrecognised"
    assert RULE not in {result["rule"] for result in sign(per_day(80), WOMAN_60, hook="order-select").results}


def test_a_refill() -> None:
    answer = fire(call([{**per_day(80), "id": "m1"}], prefetch(WOMAN_60, WELL), "medication-refill"))
    assert answer.verdict(RULE, "MedicationRequest/m1") == "warning"


COMPARED = [
    row("equal", "15", "", True, False), row("less", "14", "", True, True), row("more", "16", "", False, False),
    row("less than", "15", "<", True, True), row("at most", "15", "<=", True, None),
    row("more than", "15", ">", False, False), row("at least", "15", ">=", False, False),
    row("less than more", "20", "<", None, None), row("more than less", "10", ">", None, None),
    row("about", "14", "~", None, None),
]  # fmt: skip


@pytest.mark.parametrize(("value", "sign_", "at_most", "below"), COMPARED)
def test_comparing_with_fifteen(value: str, sign_: str, at_most: bool | None, below: bool | None) -> None:
    kidney = Kidney("eGFR", Decimal(value), sign_)
    assert kidney.is_at_most(Decimal(15)) is at_most
    assert kidney.is_below(Decimal(15)) is below
    assert Kidney().is_below(Decimal(15)) is None


def _oral(dose: float, times: int) -> Json:
    found = order("metoclopramide", dose, times)
    found["dosageInstruction"][0]["route"] = concept("http://snomed.info/sct", "26643006")
    return found


def _second(dose: float, times: int, **more: Any) -> Json:
    return {**order("metoclopramide", dose, times, **more), "id": "draft-2"}


# The limit holds for the whole day: 60 mg here, 30 mg with an eGFR of 48.
TOGETHER = [
    row("two drafts up to the limit", order("metoclopramide", 10, 3), [_second(10, 3)], [WELL], "clear"),
    row("two drafts above the limit", order("metoclopramide", 10, 4), [_second(10, 3)], [WELL], "warning"),
    row("two drafts above a reduced limit", order("metoclopramide", 5, 3), [_second(10, 2)], [egfr(48)], "warning"),
    row("the limit reduced by a result that is not final", order("metoclopramide", 5, 3), [_second(10, 2)],
        [egfr(48, status="preliminary")], "info"),
    row("two drafts whose sum depends on the kidneys", order("metoclopramide", 5, 2), [_second(10, 2)], [],
        "not-checked no-result"),
    row("one of them as needed", order("metoclopramide", 10, 4), [_second(10, 3, prn=True)], [WELL], "info"),
    row("a draft whose dose cannot be worked out", order("metoclopramide", 10, 4),
        [{**_second(10, 3), "dosageInstruction": [{"text": "two spoons when sick"}]}], [WELL],
        "not-checked dose-not-computable"),
    row("current by another route", _oral(10, 4), [],
        [WELL, taking("metoclopramide", "2d", 10, 3, route="IV")], "info"),
    row("current by the same route: renewed or changed", _oral(10, 4), [],
        [WELL, {**_oral(10, 3), "id": "m1", "status": "active", "authoredOn": at("2d")}], "clear"),
    row("stopped, by another route", _oral(10, 4), [],
        [WELL, taking("metoclopramide", "2d", 10, 3, route="IV", status="stopped")], "clear"),
]  # fmt: skip


@pytest.mark.parametrize(("draft", "others", "data", "expected"), TOGETHER)
def test_all_orders_of_a_day_together(draft: Json, others: list[Json], data: list[Json], expected: str) -> None:
    found = fire(call([draft, *others], prefetch(WOMAN_60, *data)))
    assert found.verdict(RULE) == expected


def test_the_card_tells_the_sum_and_both_orders() -> None:
    found = fire(call([order("metoclopramide", 10, 4), _second(10, 3)], prefetch(WOMAN_60, WELL)))
    first = next(card for card in found.cards if card["extension"]["org.dystonia-cds"]["subject"].endswith("draft-1"))
    assert first["summary"] == "Metoclopramide 70 mg/day in all: exceeds the 60 mg/day limit."
    facts = [fact["text"] for fact in first["extension"]["org.dystonia-cds"]["facts"]]
    assert facts[:2] == [
        "Metoclopramide 40 mg/day ordered, 70 mg/day with what is beside it",
        "Metoclopramide 30 mg/day (ordered together)",
    ]
