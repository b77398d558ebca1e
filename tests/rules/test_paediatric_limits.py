"""R-DRUG-05a to e: limits of age and weight below which a label says no (D.2). Today is 2026-11-22."""

from __future__ import annotations

from typing import Any

import pytest

from tests.support.fhir import Json, at, bundle, encounter, lab, order, patient, subject
from tests.support.fire import sign
from tests.support.rows import outcome, row

DRUGS = {
    "R-DRUG-05a": "promethazine",
    "R-DRUG-05b": "prochlorperazine",
    "R-DRUG-05c": "metoclopramide",
    "R-DRUG-05d": "haloperidol",
    "R-DRUG-05e": "benztropine",
}
HEAVY = lab("weight", 13, "kg", "2d")

# Both sides of each birthday, and birth dates that are not whole: the youngest possible age decides.
AGES = [
    row("a: 2 years today", "R-DRUG-05a", "2024-11-22", "clear"),
    row("a: 2 years tomorrow", "R-DRUG-05a", "2024-11-23", "critical"),
    row("a: a month of birth, perhaps not yet 2", "R-DRUG-05a", "2024-11", "critical"),
    row("a: a month of birth, 2 surely", "R-DRUG-05a", "2024-10", "clear"),
    row("a: a year of birth, perhaps not yet 2", "R-DRUG-05a", "2024", "critical"),
    row("a: a year of birth, 2 surely", "R-DRUG-05a", "2023", "clear"),
    row("a: newborn", "R-DRUG-05a", "2026-11-22", "critical"),
    row("b: 2 years today", "R-DRUG-05b", "2024-11-22", "clear"),
    row("b: 2 years tomorrow", "R-DRUG-05b", "2024-11-23", "critical"),
    row("b: a year of birth, perhaps not yet 2", "R-DRUG-05b", "2024", "critical"),
    row("c: 1 year today", "R-DRUG-05c", "2025-11-22", "clear"),
    row("c: 1 year tomorrow", "R-DRUG-05c", "2025-11-23", "warning"),
    row("c: a year of birth, perhaps not yet 1", "R-DRUG-05c", "2025", "warning"),
    row("d: 3 years today", "R-DRUG-05d", "2023-11-22", "clear"),
    row("d: 3 years tomorrow", "R-DRUG-05d", "2023-11-23", "warning"),
    row("d: a year of birth, perhaps not yet 3", "R-DRUG-05d", "2023", "warning"),
    row("e: 3 years today", "R-DRUG-05e", "2023-11-22", "clear"),
    row("e: 3 years tomorrow", "R-DRUG-05e", "2023-11-23", "critical"),
    row("e: a month of birth, perhaps not yet 3", "R-DRUG-05e", "2023-11", "critical"),
    row("an adult", "R-DRUG-05a", "1980-01-01", "clear"),
    *(row(f"{rule[-1]}: no birth date", rule, None, "not-checked date-missing") for rule in DRUGS),
    *(row(f"{rule[-1]}: a birth date to come", rule, "2027-01-01", "not-checked implausible") for rule in DRUGS),
]


@pytest.mark.parametrize(("rule", "birth", "expected"), AGES)
@pytest.mark.parametrize("hook", ["order-select", "order-sign"])
def test_ages(hook: str, rule: str, birth: str | None, expected: str) -> None:
    assert sign(order(DRUGS[rule]), patient(birth), HEAVY, hook=hook).verdict(rule) == expected


def test_an_uncertain_age_is_said() -> None:
    card = sign(order("promethazine"), patient("2024")).card
    assert "age uncertain" in card["detail"]
    assert "Age uncertain: the youngest possible age was used." in card["detail"]


JURISDICTIONS = [row("us", "us", "warning"), row("eu", "eu", "critical"), row("uk", "uk", "critical")]


@pytest.mark.parametrize(("jurisdiction", "expected"), JURISDICTIONS)
def test_metoclopramide_by_jurisdiction(jurisdiction: str, expected: str) -> None:
    infant = patient("2026-03-01")
    assert sign(order("metoclopramide"), infant, jurisdiction=jurisdiction).verdict("R-DRUG-05c") == expected
    for rule in ("R-DRUG-05a", "R-DRUG-05e"):
        assert sign(order(DRUGS[rule]), infant, jurisdiction=jurisdiction).verdict(rule) == "critical"
    assert sign(order("haloperidol"), infant, jurisdiction=jurisdiction).verdict("R-DRUG-05d") == "warning"


# Promethazine counts by any route and in any combination.
PROMETHAZINE = [
    row("syrup by name", order("Phenergan syrup"), "critical"),
    row("promethazine with codeine by name", order("promethazine with codeine oral solution"), "critical"),
    row("a product with codeine by its code", order("rxnorm:214444"), "critical"),
    row("on the skin", order("promethazine", more={"dosageInstruction": [{"route": {"text": "topical"}}]}), "critical"),
    row("a suppository", order("promethazine", more={"dosageInstruction": [{"route": {"text": "rectal"}}]}),
        "critical"),
    row("injected", order("promethazine", 5, 1, route="IM"), "critical"),
    row("as needed", order("promethazine", 5, 1, prn=True), "critical"),
    row("haloperidol", order("haloperidol"), "not-applicable"),
    row("omeprazole", order("omeprazole"), "not-applicable"),
    row("a code without a name", order("rxnorm:99999999"), "not-checked drug-unrecognised"),
]  # fmt: skip


@pytest.mark.parametrize(("draft", "expected"), PROMETHAZINE)
def test_promethazine_in_all_its_forms(draft: Json, expected: str) -> None:
    assert sign(draft, patient("2025-11-23")).verdict("R-DRUG-05a") == expected


# Prochlorperazine and weight: 20 lb are 9.07 kg. A child of 3 years, unless said.
THREE = patient("2023-05-01")
WEIGHTS = [
    row("9.07 kg", THREE, [lab("weight", 9.07, "kg", "2d")], "clear"),
    row("no unit, though old enough for the label", patient("2016-05-01"), [lab("weight", 9, None, "2d")],
        "not-checked unit-missing"),
    row("9.06 kg", THREE, [lab("weight", 9.06, "kg", "2d")], "critical"),
    row("20 lb", THREE, [lab("weight", 20, "[lb_av]", "2d")], "clear"),
    row("19.9 lb", THREE, [lab("weight", 19.9, "[lb_av]", "2d")], "critical"),
    row("8,900 g", THREE, [lab("weight", 8900, "g", "2d")], "critical"),
    row("the newest one counts", THREE, [lab("weight", 8.9, "kg", "20d", id="a"), lab("weight", 10, "kg", "2d")],
        "clear"),
    row("not final: information only", THREE, [lab("weight", 8.9, "kg", "2d", status="preliminary")], "info"),
    row("no unit", THREE, [lab("weight", 8.9, None, "2d")], "not-checked unit-missing"),
    row("an unknown unit", THREE, [lab("weight", 8.9, "stone", "2d")], "not-checked unit-unknown"),
    row("implausible", THREE, [lab("weight", 8900, "kg", "2d")], "not-checked implausible"),
    row("a comparator", THREE, [lab("weight", 10, "kg", "2d", comparator="<")], "not-checked no-result"),
    row("none", THREE, [], "not-checked no-result"),
    row("none at 4 years", patient("2022-11-22"), [], "clear"),
    row("none one day before", patient("2022-11-23"), [], "not-checked no-result"),
    row("light at 5 years", patient("2021-05-01"), [lab("weight", 8.9, "kg", "100d")], "critical"),
    row("heavy at 1 year: the age decides", patient("2025-05-01"), [lab("weight", 10, "kg", "2d")], "critical"),
    row("no birth date, light", patient(None), [lab("weight", 8.9, "kg", "2d")], "critical"),
]  # fmt: skip


@pytest.mark.parametrize(("person", "data", "expected"), WEIGHTS)
def test_weights(person: Json, data: list[Json], expected: str) -> None:
    assert sign(order("prochlorperazine"), person, *data).verdict("R-DRUG-05b") == expected


def test_an_operation_is_told_beside_a_weight_that_is_only_information() -> None:
    light = lab("weight", 9, "kg", "2d", status="preliminary")
    operated = {"resourceType": "Procedure", "id": "op", "status": "completed", "subject": {"reference": "Patient/p1"},
                "code": {"text": "Appendectomy"}, "performedDateTime": "2026-11-22"}  # fmt: skip
    assert sign(order("prochlorperazine"), THREE, light).verdict("R-DRUG-05b") == "info"
    assert sign(order("prochlorperazine"), THREE, light, operated).verdict("R-DRUG-05b") == "warning"


# How old a weight may be: under 1 year 14 days, under 2 years 30 days, then 180 days.
WINDOWS = [
    row("3 years, 180 days", THREE, "180d", "clear"),
    row("3 years, 181 days", THREE, "181d", "not-checked stale"),
    row("2 years, 180 days", patient("2024-11-22"), "180d", "clear"),
    row("2 years, 181 days", patient("2024-11-22"), "181d", "not-checked stale"),
]


@pytest.mark.parametrize(("person", "when", "expected"), WINDOWS)
def test_how_old_a_weight_may_be(person: Json, when: str, expected: str) -> None:
    answer = sign(order("prochlorperazine"), person, lab("weight", 12, "kg", when))
    assert answer.verdict("R-DRUG-05b") == expected
    assert answer.result("R-DRUG-05b")["inputs"][-1] == "Observation/weight-1"
    assert (answer.verdict("R-DQ-04") == "info") is (expected != "clear")


# Under 2 years the age fires whatever the weight; which weights are shown follows the shorter windows.
SHOWN = [
    row("1 year, 30 days", patient("2025-05-01"), "30d", True),
    row("1 year, 31 days", patient("2025-05-01"), "31d", False),
    row("1 month, 14 days", patient("2026-10-01"), "14d", True),
    row("1 month, 15 days", patient("2026-10-01"), "15d", False),
]


def test_a_weight_is_shown_in_the_unit_of_the_record() -> None:
    card = sign(order("prochlorperazine"), THREE, lab("weight", 19.5, "[lb_av]", "2d")).card
    assert "Weight 19.5 lb (2026-11-20, 2 d ago; status final)" in card["detail"]


@pytest.mark.parametrize(("person", "when", "shown"), SHOWN)
def test_which_weight_of_an_infant_is_used(person: Json, when: str, shown: bool) -> None:
    card = sign(order("prochlorperazine"), person, lab("weight", 8, "kg", when)).card
    assert ("Weight 8 kg" in card["detail"]) is shown


def procedure(status: str = "completed", when: str = "2026-11-22", *, category: str = "Surgical procedure",
              code: str = "Appendectomy", **more: Any) -> Json:  # fmt: skip
    """A Procedure."""
    return {
        "resourceType": "Procedure",
        "id": "pr1",
        "status": status,
        "subject": subject(),
        "category": {"text": category},
        "code": {"text": code},
        **({"performedDateTime": at(when)} if when else {}),
        **more,
    }


SURGICAL = {**encounter("AMB"), "serviceType": {"text": "Day surgery"}}
SURGERY = [
    row("an operation today at 17", "2008-11-23", procedure(), "warning"),
    row("an operation today at 18", "2008-11-22", procedure(), "clear"),
    row("an operation today, year of birth only", "2008", procedure(), "warning"),
    row("being prepared", "2015-05-01", procedure("preparation", ""), "warning"),
    row("under way", "2015-05-01", procedure("in-progress", ""), "warning"),
    row("prepared for tomorrow", "2015-05-01", procedure("preparation", "2026-11-23"), "clear"),
    row("yesterday", "2015-05-01", procedure(when="2026-11-21"), "clear"),
    row("not done", "2015-05-01", procedure("not-done"), "clear"),
    row("stopped", "2015-05-01", procedure("stopped"), "clear"),
    row("entered in error", "2015-05-01", procedure("entered-in-error"), "clear"),
    row("no operation", "2015-05-01", procedure(category="Imaging", code="Chest X-ray"), "clear"),
    row("an encounter for surgery", "2015-05-01", SURGICAL, "warning"),
    row("an encounter for something else", "2015-05-01", encounter("AMB"), "clear"),
]


@pytest.mark.parametrize(("birth", "record", "expected"), SURGERY)
def test_surgery_today(birth: str, record: Json, expected: str) -> None:
    assert sign(order("prochlorperazine"), patient(birth), record).verdict("R-DRUG-05b") == expected


def test_the_age_goes_before_the_operation() -> None:
    answer = sign(order("prochlorperazine"), patient("2025-05-01"), procedure())
    assert answer.verdict("R-DRUG-05b") == "critical"
    assert sign(order("promethazine"), patient("2015-05-01"), procedure()).verdict("R-DRUG-05a") == "clear"


MISSING = [
    row("procedures missing", "2015-05-01", {"without": ("procedures",)}, "not-checked key-missing"),
    row("procedures failed", "2015-05-01", {"procedures": outcome()}, "not-checked key-failed"),
    row("the encounter failed", "2015-05-01", {"encounter": outcome()}, "not-checked key-failed"),
    row("procedures null", "2015-05-01", {"procedures": None}, "clear"),
    row("procedures missing, an adult", "1990-05-01", {"without": ("procedures",)}, "clear"),
    row("results missing at 3 years", "2023-05-01", {"without": ("observations",)}, "not-checked key-missing"),
    row("results missing at 10 years", "2016-05-01", {"without": ("observations",)}, "clear"),
    row("results failed at 1 year", "2025-05-01", {"observations": outcome()}, "critical"),
]


# A list that was cut off is whole where its oldest entry is a day old: an operation of today would stand in it.
CUT_OFF = [
    row("back to yesterday at this time", "24h", "clear"),
    row("back to 23 hours ago", "23h", "not-checked truncated"),
]


@pytest.mark.parametrize(("oldest", "expected"), CUT_OFF)
def test_procedures_that_were_cut_off(oldest: str, expected: str) -> None:
    bath = procedure(when=oldest, category="Nursing", code="Bed bath")
    cut = {**bundle(bath), "link": [{"relation": "next", "url": "https://ehr.example/page2"}]}
    assert sign(order("prochlorperazine"), patient("2015-05-01"), procedures=cut).verdict("R-DRUG-05b") == expected


@pytest.mark.parametrize(("birth", "changes", "expected"), MISSING)
def test_missing_data(birth: str, changes: Json, expected: str) -> None:
    assert sign(order("prochlorperazine"), patient(birth), **changes).verdict("R-DRUG-05b") == expected


def test_without_the_patient_nothing_is_clear() -> None:
    for rule, drug in DRUGS.items():
        assert sign(order(drug), without=("patient",)).verdict(rule) == "not-checked key-missing"


@pytest.mark.parametrize(("rule", "drug"), DRUGS.items())
def test_excluded_orders(rule: str, drug: str) -> None:
    infant = patient("2026-03-01")
    assert sign(order(drug, status="cancelled"), infant).verdict(rule) == "not-applicable"
    assert sign(order(drug, more={"doNotPerform": True}), infant).verdict(rule) == "not-applicable"
    assert sign(order(drug), {**infant, "deceasedBoolean": True}).verdict(rule) == "not-applicable"
    other = next(name for name in DRUGS.values() if name != drug)
    assert sign(order(other), infant).verdict(rule) == "not-applicable"


SUMMARIES = {
    "promethazine": "Promethazine under 2 years: boxed warning (fatal respiratory depression), also dystonia.",
    "prochlorperazine": "Prochlorperazine under 2 years or 20 lb (9 kg) is contraindicated.",
    "metoclopramide": "Metoclopramide under 1 year: contraindicated (EMA/MHRA); not recommended (US label).",
    "haloperidol": "Haloperidol under 3 years: use not established (label); high dystonia risk.",
    "benztropine": "Benztropine under 3 years: contraindicated by the label.",
}


@pytest.mark.parametrize(("drug", "summary"), SUMMARIES.items())
def test_summaries(drug: str, summary: str) -> None:
    card = sign(order(drug), patient("2026-03-01"), jurisdiction="eu").card
    assert card["summary"] == summary
    assert card["suggestions"][0]["actions"][0]["type"] == "delete"
    assert not any("mg" in one["label"] for one in card["suggestions"])
