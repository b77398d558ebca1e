"""A rule may say "clear" only of what was found and read (D.6a): the records it names, the lists it needs whole.

What kept it from saying so is named as well.
"""

from __future__ import annotations

from typing import Any

import pytest

from plugin.rules import RULES
from tests.support.attacks import pkd, report, told, years
from tests.support.fhir import (
    DYSTONIA,
    allergy,
    bundle,
    call,
    condition,
    day,
    lab,
    order,
    patient,
    prefetch,
    referral,
    taking,
)
from tests.support.fire import Fired, fire
from tests.support.rows import WOMAN_60, aged, outcome

Json = dict[str, Any]
NEXT = {"link": [{"relation": "next", "url": "https://ehr.example/page2"}]}
DRUGS = "medications medicationStatements medicationAdministrations medicationDispenses"
HALOPERIDOL = order("haloperidol")
CA, MG, LOW = lab("ionised", 1.2), lab("magnesium", 0.9), lab("ionised", 1.0)
NEW = condition("G24.9", recorded="2d", id="new")
OLD = condition("G24.9", recorded="400d", id="old")
HYPO = condition("E20.9", id="hypo")
UNDATED, NECK = condition("G24.9", id="undated"), condition("G24.3", onset="200d", id="neck")
UNNAMED = taking("rxnorm:99999999", id="unnamed")
BENIGN = (
    told("attack duration", 30),
    told("interictal neurological examination", "normal"),
    told("response to anticonvulsant", "good"),
    report("Normal study."),
    pkd(age=years(12)),
)


def pth(value: int) -> Json:
    """A parathyroid hormone with a range of 15 to 65 pg/mL."""
    return lab("pth", value, "pg/mL", low=15, high=65)


# A patient for whom a rule is clear when the draft is signed, or the record opened; the records that the verdict names;
# the lists that must be whole; the lists of which what was found is enough, but that must have come.
CLEAR: list[tuple[str, str, Json | None, list[Json], str, str, str]] = [
    ("no factor", "R-DRUG-01", HALOPERIDOL, [WOMAN_60, CA, MG], "Patient/p1",
        f"{DRUGS} allergies conditions observations familyHistory", "patient"),
    ("quetiapine is no second one", "R-DRUG-02", order("risperidone"), [WOMAN_60, taking("quetiapine")],
        "MedicationRequest/m1", DRUGS, ""),
    ("a reaction to another drug", "R-DRUG-03", HALOPERIDOL, [WOMAN_60, allergy("sertraline", DYSTONIA)], "",
        "allergies conditions", ""),
    ("no tardive dyskinesia", "R-DRUG-04", HALOPERIDOL, [WOMAN_60, HYPO], "", "conditions", ""),
    ("old enough", "R-DRUG-05a", order("promethazine"), [aged(5)], "Patient/p1", "", "patient"),
    ("old enough", "R-DRUG-05b", order("prochlorperazine"), [aged(5)], "Patient/p1", "procedures", "patient"),
    ("heavy enough", "R-DRUG-05b", order("prochlorperazine"), [aged(3), lab("weight", 20, "kg")],
        "Patient/p1 Observation/weight-1", "procedures", "patient observations"),
    ("old enough", "R-DRUG-05c", order("metoclopramide"), [aged(5)], "Patient/p1", "", "patient"),
    ("old enough", "R-DRUG-05d", HALOPERIDOL, [aged(5)], "Patient/p1", "", "patient"),
    ("old enough", "R-DRUG-05e", order("benztropine"), [aged(5)], "Patient/p1", "", "patient"),
    ("25 days", "R-DRUG-06", order("metoclopramide", 10, 3, days=5), [WOMAN_60, taking("metoclopramide", "20d", 10, 3)],
        "MedicationRequest/draft-1 MedicationRequest/m1", DRUGS, ""),
    ("good kidneys", "R-DRUG-07", order("metoclopramide", 10, 4), [WOMAN_60, lab("egfr", 90, "mL/min/{1.73_m2}")],
        "MedicationRequest/draft-1 Observation/egfr-1", f"{DRUGS} conditions observations", ""),
    ("another disease", "R-DRUG-08", HALOPERIDOL, [WOMAN_60, HYPO], "", "conditions", ""),
    ("no reaction", "R-DRUG-09", order("sertraline"), [WOMAN_60], "", "allergies conditions", ""),
    ("90 days", "R-DRUG-10", None, [WOMAN_60, taking("benztropine", day(90), 1, 2, id="cover"),
        taking("risperidone", day(90), 2, 1)], "MedicationRequest/cover", DRUGS, ""),
    ("another disease", "R-DRUG-11", order("benztropine"), [WOMAN_60, HYPO], "", "conditions", ""),
    ("calcium normal", "R-MET-01", HALOPERIDOL, [WOMAN_60, CA, MG], "Observation/ionised-1", "observations", ""),
    ("measured", "R-MET-02", None, [WOMAN_60, NEW, CA, MG], "Condition/new Observation/ionised-1", "",
        "conditions observations"),
    ("calcium normal", "R-MET-03", None, [WOMAN_60, CA, MG], "Observation/ionised-1", "observations", ""),
    ("magnesium normal", "R-MET-03", order("calcium carbonate", 500, 2), [WOMAN_60, LOW, MG],
        "Observation/ionised-1 Observation/magnesium-1", "observations", ""),
    ("measured", "R-MET-04", HALOPERIDOL, [WOMAN_60, condition("Q93.81"), lab("calcium-sc", 2.3, when="100d")],
        "Condition/c1 Observation/calcium-sc-1", "medications", "conditions observations"),
    ("calcium normal", "R-MET-05", None, [WOMAN_60, HYPO, CA], "Observation/ionised-1", "observations", ""),
    ("PTH raised", "R-MET-05", None, [WOMAN_60, LOW, pth(66)], "Observation/ionised-1 Observation/pth-1",
        "conditions observations", ""),
    ("treated", "R-MET-05", None, [WOMAN_60, LOW, HYPO, taking("calcium carbonate")],
        "Observation/ionised-1 Condition/hypo MedicationRequest/m1", "", "conditions observations medications"),
    ("calcium normal", "R-MET-06", None, [aged(30), CA], "Observation/ionised-1", "observations", "patient"),
    ("PTH raised", "R-MET-06", None, [aged(30), LOW, pth(66)], "Observation/ionised-1 Observation/pth-1",
        "observations", "patient"),
    ("no sign", "R-MET-06", None, [aged(30), LOW, pth(10)], "Observation/ionised-1 Observation/pth-1",
        "conditions observations", "patient"),
    ("TSH normal", "R-MET-07", None, [WOMAN_60, OLD, lab("tsh", 1, "m[IU]/L")], "Observation/tsh-1",
        "conditions observations", ""),
    ("free T4 normal", "R-MET-07", None,
        [WOMAN_60, OLD, lab("tsh", 0.05, "m[IU]/L"), lab("ft4", 20, "pmol/L", low=12, high=22)],
        "Observation/tsh-1 Observation/ft4-1", "conditions observations", ""),
    ("glucose normal", "R-MET-08", None, [WOMAN_60, NEW, lab("glucose", 5)], "Condition/new Observation/glucose-1",
        "conditions glucose", ""),
    ("calcium normal", "R-MET-09", None, [WOMAN_60, CA], "Observation/ionised-1", "observations", ""),
    ("phosphate normal", "R-MET-09", None, [WOMAN_60, LOW, lab("phosphate", 1.5, low=0.8, high=1.5), pth(10)],
        "Observation/ionised-1 Observation/phosphate-1 Observation/pth-1", "observations", ""),
    ("no red flag", "R-DX-01", None, [WOMAN_60, *BENIGN], "Condition/pkd", "conditions observations diagnosticReports",
        ""),
    ("impaired awareness", "R-DX-02", None, [WOMAN_60, pkd(), told("awareness during attack", "impaired")],
        "Condition/pkd Observation/awareness-during-attack", "conditions", ""),
    ("no cause", "R-DX-03", None, [WOMAN_60, NEW, report("Normal study.")], "Condition/new",
        "conditions diagnosticReports", ""),
    ("no sign of a tethered cord", "R-DX-04", None, [aged(9), condition(text="Leg dystonia", id="leg")],
        "Condition/leg", "conditions", ""),
    ("no attacks", "R-DX-05", None, [WOMAN_60, condition("Q04.3", id="cortex"), OLD], "Condition/cortex",
        "conditions observations diagnosticReports", ""),
    ("no drug", "R-DX-08", None, [WOMAN_60, NEW], "Condition/new", f"{DRUGS} conditions", ""),
    ("ceruloplasmin measured", "R-DX-09", None, [aged(30), NEW, lab("2064-4", 25, "mg/dL", "10d", id="cp")],
        "Condition/new Observation/cp", "", "patient conditions observations"),
    ("100 days", "R-TX-02", None, [aged(20), NEW, condition("G24.3", onset="100d", id="neck")], "Condition/neck",
        "conditions", ""),
    ("one class failed", "R-TX-03", None,
        [aged(20), condition(text="Generalised dystonia, failed trihexyphenidyl", id="all")], "Condition/all",
        "conditions", ""),
    ("levodopa", "R-TX-04", None, [aged(20), {**condition(text="Leg dystonia", id="leg"), "onsetAge": years(12)},
        taking("carbidopa / levodopa")], "Condition/leg MedicationRequest/m1", "", "conditions medications"),
    ("no PKD", "R-TX-05", order("rxnorm:2002"), [WOMAN_60, condition("G40.909")], "", "conditions", ""),
    ("asked", "R-TX-06", None, [aged(9), condition("Q06.8", recorded="10d"), referral("Neurosurgery", "90d")],
        "ServiceRequest/sr1", "", "conditions serviceRequests"),
    ("no genetic form", "R-TX-07", None, [WOMAN_60, OLD], "", "conditions observations", ""),
]  # fmt: skip
IDS = [f"{rule} {sentence}" for sentence, rule, *_ in CLEAR]
LISTS = [
    pytest.param(rule, draft, data, key, key in whole.split(), id=f"{rule} {sentence}, {key}")
    for sentence, rule, draft, data, _, whole, enough in CLEAR
    for key in f"{whole} {enough}".split()
]


def answer(draft: Json | None, data: list[Json], without: Any = (), **changed: Any) -> Fired:
    """The answer as the draft is signed, or as the record is opened."""
    sent = prefetch(*data, without=without, **changed)
    return fire(call([draft], sent) if draft else call(None, sent, "patient-view"))


def test_every_rule_that_may_be_clear_has_a_row() -> None:
    """R-DX-06, R-DX-07, R-DX-10 and R-TX-01 find something or do not apply; the notes on data judge no patient."""
    without_a_row = {rule.id for rule in RULES if not rule.about_data} - {rule for _, rule, *_ in CLEAR}
    assert without_a_row == {"R-DX-06", "R-DX-07", "R-DX-10", "R-TX-01"}


@pytest.mark.parametrize(("rule", "draft", "data", "inputs"), [case[1:5] for case in CLEAR], ids=IDS)
def test_the_records_that_it_rests_on(rule: str, draft: Json | None, data: list[Json], inputs: str) -> None:
    found = answer(draft, data)
    assert found.verdict(rule) == "clear"
    assert found.result(rule).get("inputs", []) == inputs.split()


@pytest.mark.parametrize(("rule", "draft", "data", "key", "whole"), LISTS)
def test_the_lists_that_it_needs(rule: str, draft: Json | None, data: list[Json], key: str, whole: bool) -> None:
    assert answer(draft, data, without=(key,)).verdict(rule) == "not-checked key-missing"
    assert answer(draft, data, **{key: outcome()}).verdict(rule) == "not-checked key-failed"
    if key != "patient":
        cut = {**(prefetch(*data)[key] or bundle()), **NEXT}
        assert answer(draft, data, **{key: cut}).verdict(rule) == ("not-checked truncated" if whole else "clear")


# A patient for whom a rule is not checked, the reason, and the record that is to blame.
OPEN: list[tuple[str, str, Json | None, list[Json], str, str]] = [
    ("a drug without a name", "R-DRUG-01", HALOPERIDOL, [WOMAN_60, UNNAMED], "drug-unrecognised",
        "MedicationRequest/unnamed"),
    ("calcium without a unit", "R-DRUG-01", HALOPERIDOL, [WOMAN_60, lab("ionised", 1.2, None)], "unit-missing",
        "Observation/ionised-1"),
    ("magnesium without a unit", "R-DRUG-01", HALOPERIDOL, [WOMAN_60, lab("magnesium", 0.9, None)], "unit-missing",
        "Observation/magnesium-1"),
    ("dehydration without a date", "R-DRUG-01", order("fluphenazine"), [WOMAN_60, condition("E86.0")],
        "date-missing", "Condition/c1"),
    ("taken since nobody knows when", "R-DRUG-01", HALOPERIDOL,
        [aged(22, "male"), taking("haloperidol", more={"authoredOn": None})], "date-missing", "MedicationRequest/m1"),
    ("a drug without a name", "R-DRUG-02", order("risperidone"), [WOMAN_60, UNNAMED], "drug-unrecognised",
        "MedicationRequest/unnamed"),
    ("taken since nobody knows when", "R-DRUG-02", order("risperidone"),
        [WOMAN_60, taking("haloperidol"), taking("risperidone", id="own", more={"authoredOn": None})], "date-missing",
        "MedicationRequest/own"),
    ("a weight without a unit", "R-DRUG-05b", order("prochlorperazine"), [aged(3), lab("weight", 20, None)],
        "unit-missing", "Observation/weight-1"),
    ("an old weight", "R-DRUG-05b", order("prochlorperazine"), [aged(3), lab("weight", 20, "kg", "200d")], "stale",
        "Observation/weight-1"),
    ("taken since nobody knows when", "R-DRUG-06", order("metoclopramide", 10, 3, days=5),
        [WOMAN_60, taking("metoclopramide", more={"authoredOn": None})], "date-missing", "MedicationRequest/m1"),
    ("an eGFR without a unit", "R-DRUG-07", order("metoclopramide", 10, 4), [WOMAN_60, lab("egfr", 48, None)],
        "unit-missing", "Observation/egfr-1"),
    ("an old eGFR", "R-DRUG-07", order("metoclopramide", 10, 4),
        [WOMAN_60, lab("egfr", 48, "mL/min/{1.73_m2}", "100d")], "stale", "Observation/egfr-1"),
    ("a drug without a name", "R-DRUG-07", order("metoclopramide", 10, 4),
        [WOMAN_60, lab("egfr", 90, "mL/min/{1.73_m2}"), UNNAMED], "drug-unrecognised", "MedicationRequest/unnamed"),
    ("a reaction to a drug without a name", "R-DRUG-09", order("sertraline"),
        [WOMAN_60, {**allergy("x", DYSTONIA), "code": {"coding": [{"system": "urn:x", "code": "1"}]}}],
        "drug-unrecognised", "AllergyIntolerance/al1"),
    ("cover since nobody knows when", "R-DRUG-10", None,
        [WOMAN_60, taking("benztropine", id="cover", more={"authoredOn": None}), taking("risperidone", day(90), 2, 1)],
        "date-missing", "MedicationRequest/cover"),
    ("a blocker since some day of a year", "R-DRUG-10", None,
        [WOMAN_60, taking("benztropine", day(91), 1, 2, id="cover"), taking("risperidone", "2026", 2, 1)],
        "date-missing", "MedicationRequest/m1"),
    ("a drug without a name", "R-DRUG-10", None, [WOMAN_60, UNNAMED], "drug-unrecognised",
        "MedicationRequest/unnamed"),
    ("without a unit", "R-MET-01", HALOPERIDOL, [WOMAN_60, lab("ionised", 1.2, None)], "unit-missing",
        "Observation/ionised-1"),
    ("an old calcium", "R-MET-01", HALOPERIDOL, [WOMAN_60, lab("ionised", 1.2, when="40d")], "stale",
        "Observation/ionised-1"),
    ("perhaps a child", "R-MET-01", order("aripiprazole"), [patient(None), LOW], "date-missing",
        "Observation/ionised-1"),
    ("a dystonia without a date", "R-MET-02", None, [WOMAN_60, UNDATED], "date-missing", "Condition/undated"),
    ("without a unit", "R-MET-02", None, [WOMAN_60, NEW, lab("ionised", 1.2, None)], "unit-missing",
        "Observation/ionised-1"),
    ("without a unit", "R-MET-03", None, [WOMAN_60, lab("ionised", 1.2, None)], "unit-missing",
        "Observation/ionised-1"),
    ("without a unit", "R-MET-04", HALOPERIDOL, [WOMAN_60, condition("Q93.81"), lab("calcium-sc", 2.3, None)],
        "unit-missing", "Observation/calcium-sc-1"),
    ("without a unit", "R-MET-05", None, [WOMAN_60, HYPO, lab("ionised", 1.2, None)], "unit-missing",
        "Observation/ionised-1"),
    ("PTH without a unit", "R-MET-05", None, [WOMAN_60, LOW, lab("pth", 66, None, high=65)], "unit-missing",
        "Observation/pth-1"),
    ("a total without albumin", "R-MET-06", None, [aged(30), lab("calcium-sc", 1.9), pth(10)], "no-result",
        "Observation/calcium-sc-1"),
    ("PTH without a range", "R-MET-06", None, [aged(30), LOW, lab("pth", 66, "pg/mL")], "no-result",
        "Observation/pth-1"),
    ("seizures since nobody knows when", "R-MET-06", None, [aged(30), LOW, pth(10), condition("G40.909")],
        "date-missing", "Condition/c1"),
    ("TSH without a unit", "R-MET-07", None, [WOMAN_60, OLD, lab("tsh", 0.05, None)], "unit-missing",
        "Observation/tsh-1"),
    ("free T4 without a range", "R-MET-07", None,
        [WOMAN_60, OLD, lab("tsh", 0.05, "m[IU]/L"), lab("ft4", 30, "pmol/L")], "no-result", "Observation/ft4-1"),
    ("a dystonia without a date", "R-MET-08", None, [WOMAN_60, UNDATED, lab("glucose", 2)], "date-missing",
        "Condition/undated"),
    ("without a unit", "R-MET-08", None, [WOMAN_60, NEW, lab("glucose", 5, None)], "unit-missing",
        "Observation/glucose-1"),
    ("an old glucose", "R-MET-08", None, [WOMAN_60, NEW, lab("glucose", 5, when="8d")], "stale",
        "Observation/glucose-1"),
    ("phosphate without a unit", "R-MET-09", None, [WOMAN_60, LOW, lab("phosphate", 2, None, high=1.5), pth(10)],
        "unit-missing", "Observation/phosphate-1"),
    ("a duration without a unit", "R-DX-01", None, [WOMAN_60, pkd(), told("attack duration", 30, None)],
        "unit-missing", "Observation/attack-duration"),
    ("a duration without a unit", "R-DX-02", None, [WOMAN_60, told("attack duration", 30, None)], "unit-missing",
        "Observation/attack-duration"),
    ("a report without a conclusion", "R-DX-03", None, [WOMAN_60, NEW, report("")], "no-result",
        "DiagnosticReport/dr1"),
    ("a dystonia without a date", "R-DX-03", None, [WOMAN_60, UNDATED], "date-missing", "Condition/undated"),
    ("a duration without a unit", "R-DX-05", None,
        [WOMAN_60, condition("Q04.3"), told("attack duration", 30, None)], "unit-missing",
        "Observation/attack-duration"),
    ("a dystonia without a date", "R-DX-08", None, [WOMAN_60, UNDATED, taking("haloperidol", "2d")], "date-missing",
        "Condition/undated"),
    ("a drug since some day of the month", "R-DX-08", None, [WOMAN_60, NEW, taking("haloperidol", "2026-11")],
        "date-missing", "MedicationRequest/m1"),
    ("a drug without a name", "R-DX-08", None, [WOMAN_60, NEW, UNNAMED], "drug-unrecognised",
        "MedicationRequest/unnamed"),
    ("a dystonia without a date", "R-DX-09", None, [aged(30), UNDATED], "date-missing", "Condition/undated"),
    ("a focal dystonia without a date", "R-TX-02", None, [aged(20), NEW, condition("G24.3", id="neck")],
        "date-missing", "Condition/neck"),
    ("a referral without a date", "R-TX-02", None, [aged(20), NEW, NECK, referral("Neurology", None)],
        "date-missing", "ServiceRequest/sr1"),
    ("without age at onset", "R-TX-04", None, [patient(None), condition(text="Leg dystonia", id="leg")],
        "date-missing", "Condition/leg"),
    ("a referral without a date", "R-TX-06", None,
        [aged(9), condition("Q06.8", recorded="10d"), referral("Neurosurgery", None)], "date-missing",
        "ServiceRequest/sr1"),
]  # fmt: skip
OPEN_IDS = [f"{rule} {sentence}" for sentence, rule, *_ in OPEN]


@pytest.mark.parametrize(("rule", "draft", "data", "reason", "culprit"), [case[1:] for case in OPEN], ids=OPEN_IDS)
def test_what_kept_it_from_being_checked_is_named(
    rule: str, draft: Json | None, data: list[Json], reason: str, culprit: str
) -> None:
    found = answer(draft, data)
    assert found.verdict(rule) == f"not-checked {reason}"
    assert culprit in found.result(rule)["inputs"]
