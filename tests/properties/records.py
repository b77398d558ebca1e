"""Invented conditions, results, drugs and other records, by the theme that the rules read them for."""

from __future__ import annotations

from collections.abc import Sequence
from random import Random
from typing import Any

from tests.support.attacks import GENES, MEANS, report, told, variant, years
from tests.support.fhir import (
    DYSTONIA,
    SNOMED,
    allergy,
    condition,
    day,
    dispensed,
    encounter,
    family,
    given,
    lab,
    patient,
    referral,
    statement,
    subject,
    taking,
)

Json = dict[str, Any]
# Values around every boundary, in the unit that goes with them.
VALUES = {
    "ionised": [(0.8, "mmol/L"), (0.95, "mmol/L"), (1.14, "mmol/L"), (1.2, "mmol/L"), (3.5, "mg/dL"), (2.4, "meq/L")],
    "corrected": [(1.85, "mmol/L"), (2.0, "mmol/L"), (2.3, "mmol/L"), (9.4, "mg/dL")],
    "calcium-sc": [(1.25, "mmol/L"), (1.8, "mmol/L"), (2.05, "mmol/L"), (2.15, "mmol/L"), (8.1, "mg/dL")],
    "albumin": [(18, "g/L"), (30, "g/L"), (40, "g/L"), (52, "g/L"), (3.1, "g/dL")],
    "magnesium": [(0.45, "mmol/L"), (0.58, "mmol/L"), (0.65, "mmol/L"), (0.9, "mmol/L"), (1.3, "mg/dL")],
    "egfr": [(12, "mL/min"), (45, "mL/min"), (60, "mL/min"), (90, "mL/min/1.73m2")],
    "2160-0": [(0.7, "mg/dL"), (1.1, "mg/dL"), (2.4, "mg/dL"), (150, "umol/L")],
    "weight": [(4.2, "kg"), (9, "kg"), (9.1, "kg"), (20, "[lb_av]"), (55, "kg"), (80, "kg")],
    "pth": [(10, "pg/mL"), (40, "pg/mL"), (90, "pg/mL")],
    "phosphate": [(1.2, "mmol/L"), (2.0, "mmol/L")],
    "tsh": [(0.05, "mIU/L"), (2, "mIU/L")],
    "ft4": [(15, "pmol/L"), (30, "pmol/L")],
    "ft3": [(4, "pmol/L"), (9, "pmol/L")],
    "glucose": [(2.5, "mmol/L"), (3.0, "mmol/L"), (6, "mmol/L"), (20, "mmol/L"), (300, "mg/dL")],
    "ceruloplasmin": [(12, "mg/dL"), (30, "mg/dL")],
}
NAMED = {"ceruloplasmin": "2064-4"}
CALCIUM = ("ionised", "corrected", "calcium-sc", "albumin", "magnesium")
TIMES = ("1h", "4h", "20h", "30h", "80h", "6d", "10d", "40d", "100d", "400d", day(0), day(2), "2026-11")
FLAGS = ("", "", "", "L")
SIGNS = ("", "", "", "", "<", ">")
STATUSES = ("final", "final", "final", "amended", "preliminary", "unknown", "cancelled")
LOW = {"ionised": 1.16, "corrected": 2.2, "calcium-sc": 2.2, "albumin": 35, "magnesium": 0.75, "egfr": 60,
       "pth": 15, "phosphate": 0.8, "tsh": 0.4, "ft4": 12, "ft3": 3, "glucose": 4}  # fmt: skip
HIGH = {"pth": 65, "phosphate": 1.5, "ft4": 22, "ft3": 7}
APPLIES: tuple[Json, ...] = ({}, {}, {"appliesTo": [{"text": "male"}]}, {"age": {"low": {"value": 18, "code": "a"}}})


def result(dice: Random, names: Sequence[str], neat: bool = False) -> Json:
    """One laboratory result, readable or not quite; a neat one is fresh, final and beside its range."""
    name = dice.choice(names)
    value, unit = dice.choice(VALUES[name])
    odd = (
        {} if neat else {"status": dice.choice(STATUSES), "flag": dice.choice(FLAGS), "comparator": dice.choice(SIGNS)}
    )
    found = lab(
        NAMED.get(name, name),
        value,
        unit if neat or dice.random() < 0.85 else None,
        dice.choice(TIMES[:5] if neat else TIMES),
        id=f"{name}-{dice.randint(1, 3)}",
        **odd,
    )
    if name in LOW and unit == VALUES[name][0][1] and (neat or dice.random() < 0.3):
        ends = {"high": {"value": HIGH[name], "unit": unit}} if name in HIGH else {}
        found["referenceRange"] = [{"low": {"value": LOW[name], "unit": unit}, **ends, **dice.choice(APPLIES)}]
    if name in CALCIUM and dice.random() < 0.4:
        found["specimen"] = {"reference": f"Specimen/{dice.randint(1, 2)}"}
    return found


# When a condition began, was recorded and last changed.
DATED: tuple[Json, ...] = (
    {},
    {"recorded": "2d"},
    {"onset": "20h", "recorded": "3h"},
    {"onset": "6d"},
    {"onset": day(1)},
    {"recorded": "29d"},
    {"onset": "200d"},
    {"recorded": "400d"},
    {"onset": "2026-11"},
    {"onset": "2024", "updated": "3d"},
    {"onset": "2012-03-01", "recorded": "100d"},
    {"updated": "10d"},
)
STATES: tuple[Json, ...] = (
    {},
    {},
    {},
    {},
    {"clinical": "resolved"},
    {"verification": "provisional"},
    {"verification": "refuted"},
    {"clinical": "", "verification": ""},
)
NOTES = (
    "attacks of less than 30 seconds after sudden movement, awareness preserved",
    "left leg dystonia, attacks last 5 minutes, no response to carbamazepine",
    "after haloperidol; treatment with trihexyphenidyl and botulinum toxin failed",
)
AGES = (years(9), years(15), years(33), years(7, "mo"))

MOVEMENTS = (
    ("G24.9", ""), ("G24.02", ""), ("G24.3", ""), ("G24.01", ""), ("R29.0", ""),
    ("G24.9", "Dystonia of the left leg"), ("", "Paroxysmal kinesigenic dyskinesia"), ("", "Paroxysmal dystonia"),
    ("", "Paroxysmal exertional dyskinesia"), ("", "Focal dystonia of the foot"), ("", "Generalised dystonia"),
    ("", "Oculogyric crisis"), ("", "Opisthotonos"), ("", "Hemidystonia"), ("", "Dystonia due to risperidone"),
    ("9748009", "Dyskinesia"), ("G24.1", ""),
)  # fmt: skip
ATTACKING = tuple(kind for kind in MOVEMENTS if kind[1].startswith("Paroxysmal"))
LEGS = (
    ("", "Leg dystonia"), ("", "Dystonia of the foot"), ("", "Toe walking"), ("Q66.00", ""), ("G24.1", ""),
    ("", "Segmental dystonia"), ("", "Focal dystonia of the foot"),
)  # fmt: skip
METABOLIC = (
    ("E20.9", ""), ("D82.1", ""), ("Q93.81", ""), ("E89.2", ""), ("Q21.3", ""), ("F70", ""), ("R56.9", ""),
    ("F20.9", ""), ("E05.90", ""), ("Z33.1", ""), ("E83.51", ""), ("N18.3", ""), ("", "Hypoparathyroidism"),
    ("Q35.9", ""),
)  # fmt: skip
NEUROLOGICAL = (
    ("I63.9", "Thalamic infarct"), ("G35", ""), ("S06.9X0A", ""), ("G23.9", ""), ("Q04.3", "Polymicrogyria"),
    ("N31.9", ""), ("Q05.9", ""), ("M41.9", ""), ("", "Toe walking"), ("", "Foot deformity"),
    ("Q06.8", "Tethered cord"), ("E74.810", ""), ("", "Wilson disease"), ("G40.909", ""), ("F44.4", ""),
    ("F95.2", "Tics"), ("Q66.00", ""), ("K21.9", ""),
)  # fmt: skip
CALCIUM_LOW = (
    ("E20.9", ""), ("D82.1", ""), ("Q93.81", ""), ("E83.51", ""), ("", "Hypoparathyroidism"),
)  # fmt: skip
HAZARDS = (
    ("G20.A1", ""), ("G31.83", ""), ("G23.9", ""), ("F03.90", ""), ("H40.211", ""), ("K56.7", ""), ("I45.81", ""),
    ("K31.84", ""), ("N18.6", ""), ("N18.3", ""), ("Z51.5", ""), ("E86.0", ""), ("", "Tardive dyskinesia"),
    ("G20.C", ""), ("", "Child-Pugh class C cirrhosis"), ("F20.9", ""), ("F14.10", ""),
    ("G25.71", "Akathisia on sertraline"),
)  # fmt: skip


def problem(dice: Random, kinds: Sequence[tuple[str, str]], prefix: str = "c") -> Json:
    """One condition: by code or words, with its dates, its state, and sometimes an age at onset or a note."""
    code, text = dice.choice(kinds)
    system = {"system": SNOMED} if code.isdigit() else {}
    made = {**dice.choice(DATED), **dice.choice(STATES), **system}
    found = condition(code, text=text, id=f"{prefix}{dice.randint(1, 9)}", **made)
    more = dice.random()
    if more < 0.1:
        found["note"] = [{"text": dice.choice(NOTES)}]
    elif more < 0.2:
        found["onsetAge"] = dice.choice(AGES)
    return found


def operation(text: str, when: str, status: str = "completed", *, id: str = "op1") -> Json:
    """A Procedure."""
    found: Json = {"resourceType": "Procedure", "id": id, "status": status, "subject": subject()}
    return {**found, "code": {"text": text}, "performedDateTime": when}


ORDERING = (
    allergy("metoclopramide", DYSTONIA, id="a1"),
    allergy("haloperidol", "acute dystonia", id="a2"),
    allergy("sertraline", "akathisia", id="a3"),
    taking("olanzapine", "5d", 10, 1, id="m1"),
    taking("haloperidol", "60d", 5, 1, id="m2"),
    taking("paroxetine", id="m3"),
    taking("benztropine", "3d", 1, 2, id="m4"),
    taking("magnesium oxide", id="m5"),
    taking("benztropine", "3d", 1, id="m6", prn=True),
    taking("calcium carbonate", id="m7"),
    taking("Depot from the clinic", id="m8"),
    {**taking("x", id="m9"), "medicationCodeableConcept": {"coding": [{"system": "urn:x", "code": "4711"}]}},
    statement("haloperidol", "not-taken", "10d", id="s2"),
    statement("risperidone", id="s1"),
    given("droperidol", "5h", id="g1"),
    family(),
    encounter("IMP"),
    referral("Endocrinology", id="r1"),
)
METOCLOPRAMIDE = (
    taking("metoclopramide", "90d", 10, 4, id="m1"),
    taking("metoclopramide", "40d", 10, 3, id="m2", days=30),
    taking("metoclopramide", "130d", 5, 3, id="m3", status="completed", days=80),
    taking("metoclopramide", "2026-08", 5, 3, id="m4", status="stopped"),
    taking("paroxetine", id="m5"),
    statement("metoclopramide", id="s1", since="20d"),
    dispensed("metoclopramide", "50d", 30, id="d1"),
    statement("fluoxetine", "not-taken", id="s2"),
    encounter("IMP"),
)
LASTING = (
    taking("benztropine", "120d", 1, 2, id="m1"),
    taking("trihexyphenidyl", "2026-07", 2, 2, id="m2"),
    taking("haloperidol", "200d", 5, 1, id="m3"),
    taking("risperidone", "100d", 2, 1, id="m4"),
    taking("risperidone", "10d", 4, 1, id="m5"),
    statement("benztropine", since="95d", id="s1"),
    given("haloperidol", "20h", id="g1"),
    given("metoclopramide", day(2), id="g2"),
    allergy("haloperidol", DYSTONIA, when="2026-10-02", id="a1"),
)
ATTACKS = (
    told("attack duration", 20),
    told("attack duration", 5, "min", "3d", id="long"),
    told("attack duration", 60, comparator="<", id="under"),
    told("attack duration", 30, None, "2d", id="bare"),
    told("attack trigger", "sudden movement"),
    told("attack trigger", "coffee", when="3d", id="coffee"),
    told("awareness during attack", "preserved"),
    told("awareness during attack", "impaired", when="2d", status="preliminary", id="lost"),
    told("interictal neurological examination", "normal"),
    told("interictal neurological examination", "abnormal", when="5d", id="found"),
    told("response to anticonvulsant", "good"),
    told("response to anticonvulsant", "none", id="failed"),
    told("aura", "present"),
    told("HLA-B*15:02", "negative", id="hla"),
    report("Normal brain."),
    report("Lesion of the left putamen.", id="dr2"),
    report("Low-lying conus, tethered cord.", "MRI spine", id="dr3"),
    report("Bilateral polymicrogyria.", "CT head", id="dr4", status="preliminary"),
    *(variant(gene, means) for gene in GENES for means in MEANS),
    family(),
)
ASKED = (
    referral("Neurosurgery clinic", id="r1"),
    referral("Refer to neurology", "500d", id="r2"),
    referral("Botulinum toxin clinic", None, id="r3"),
    referral("Endocrinology", "100d", id="r4"),
    referral("MRI of the spine", id="r5", status="completed"),
    operation("Appendectomy", day(0)),
    operation("Thyroidectomy", "2026-11-22T08:00:00Z", "in-progress", id="op2"),
    operation("Tonsillectomy", day(30), id="op3"),
    taking("levodopa", id="m1"),
    taking("carbamazepine", "100d", 100, 2, id="m2"),
    statement("calcitriol", id="s1"),
    statement("methimazole", id="s2"),
    encounter("EMER"),
    encounter("AMB"),
)
ADULTS = (
    patient("2004-03-01"),
    patient("1966-05-01", "female"),
    patient("1948-05-01"),
    patient("1990", "female"),
    patient(None, "male"),
)
CHILDREN = (
    patient("2010-03-01", "female"),
    patient("2026-05-01"),
    patient("2025-06"),
    patient("2024-11-22", "female"),
    patient("2023-02-01"),
    patient("2016-09-01"),
    patient("2009", None),
)
