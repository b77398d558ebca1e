"""R-DRUG-01, drug and matrix: which tier a drug has here, and what the matrix makes of the factors (B, D.1).

A word stands for the verdict: an indicator where the rule fired, the suppression's id where it was silenced, else the
status and its reason.
"""

from __future__ import annotations

import pytest

from tests.support.fhir import allergy, condition, family, given, lab, order, taking
from tests.support.fire import sign
from tests.support.rows import MINOR, WOMAN_60, aged, row

RULE = "R-DRUG-01"
MATRIX = {
    "H": ("clear", "info", "warning", "warning"),
    "M": ("clear", "clear", "info", "warning"),
    "L": ("clear", "clear", "clear", "clear"),
    "N": ("not-applicable", "not-applicable", "not-applicable", "not-applicable"),
}

# Section B for adults: one row for each drug, and for each condition that changes its tier.
ADULT_TIERS = [
    row("haloperidol by mouth is high", order("haloperidol"), "H"),
    row("haloperidol decanoate is high", order("rxnorm:26420"), "H"),
    row("fluphenazine is high", order("fluphenazine"), "H"),
    row("trifluoperazine is high", order("rxnorm:10800"), "H"),
    row("thiothixene is high", order("rxnorm:10510"), "H"),
    row("pimozide is high", order("rxnorm:8331"), "H"),
    row("zuclopenthixol is high", order("rxnorm:114176"), "H"),
    row("flupentixol is high", order("rxnorm:4495"), "H"),
    row("droperidol 5 mg is high", order("droperidol", 5), "H"),
    row("droperidol 4.9 mg is medium", order("droperidol", 4.9), "M"),
    row("droperidol 1.25 mg is medium", order("droperidol", 1.25), "M"),
    row("droperidol of unknown dose is high", order("droperidol"), "H"),
    row("droperidol of a dose that is no number is high", order("droperidol", -1), "H"),
    row("perphenazine is medium", order("perphenazine"), "M"),
    row("perphenazine with amitriptyline is medium", order("rxnorm:282427"), "M"),
    row("loxapine is medium", order("rxnorm:6475"), "M"),
    row("molindone is medium", order("rxnorm:7019"), "M"),
    row("prochlorperazine is medium", order("prochlorperazine"), "M"),
    row("metoclopramide 10 mg is medium in an adult", order("metoclopramide", 10, 3), "M"),
    row("risperidone is medium", order("risperidone"), "M"),
    row("paliperidone is medium", order("rxnorm:679314"), "M"),
    row("lurasidone is medium", order("rxnorm:1040028"), "M"),
    row("ziprasidone is medium", order("ziprasidone"), "M"),
    row("chlorpromazine by mouth is low", order("chlorpromazine"), "L"),
    row("thioridazine is low", order("thioridazine"), "L"),
    row("olanzapine is low", order("olanzapine"), "L"),
    row("olanzapine with fluoxetine is low", order("rxnorm:403969"), "L"),
    row("aripiprazole is low in an adult", order("aripiprazole"), "L"),
    row("asenapine is low", order("rxnorm:784649"), "L"),
    row("iloperidone is low", order("rxnorm:73178"), "L"),
    row("brexpiprazole is low", order("rxnorm:1658314"), "L"),
    row("cariprazine is low", order("Cariprazine 3 mg capsule"), "L"),
    row("amisulpride is low", order("rxnorm:46303"), "L"),
    row("sulpiride is low", order("rxnorm:10239"), "L"),
    row("levomepromazine is low", order("rxnorm:6852"), "L"),
    row("promethazine by mouth is low in an adult", order("promethazine"), "L"),
    row("trimethobenzamide is low", order("rxnorm:38685"), "L"),
    row("domperidone is low", order("domperidone"), "L"),
    row("amoxapine is low", order("amoxapine"), "L"),
    row("quetiapine is none (S-05)", order("quetiapine", 400, 1), "N"),
    row("clozapine is none (S-05)", order("clozapine"), "N"),
    row("pimavanserin is none (S-05)", order("Pimavanserin 34 mg"), "N"),
    row("lumateperone is none (S-05)", order("Lumateperone 42 mg"), "N"),
    row("ondansetron is none, repeated doses too (S-06)", order("ondansetron", 8, 3, route="IV"), "N"),
    row("granisetron is none (S-06)", order("granisetron"), "N"),
    row("sertraline is none", order("sertraline"), "N"),
    row("duloxetine is none", order("rxnorm:72625"), "N"),
    row("bupropion is none", order("rxnorm:42347"), "N"),
    row("mirtazapine is none", order("rxnorm:15996"), "N"),
    row("omeprazole is no drug of ours", order("omeprazole"), "N"),
    row("a readable name that we do not know is an ordinary drug", order("Amoxicillin 500 mg capsule"), "N"),
]


@pytest.mark.parametrize(("draft", "tier"), ADULT_TIERS)
@pytest.mark.parametrize("count", range(4), ids=["no factor", "1 minor", "2 minor", "3 minor"])
def test_matrix_by_number_of_minor_factors(draft: dict, tier: str, count: int) -> None:
    assert sign(draft, WOMAN_60, *MINOR[:count]).verdict(RULE) == MATRIX[tier][count]


# Where the tier depends on age, route or weight, the row tells the factors that these bring with them.
CONDITIONAL_TIERS = [
    row("metoclopramide at 17 is high: age alone is information", order("metoclopramide"), [aged(17, "male")], "info"),
    row("metoclopramide at 18 is medium: age alone is silent", order("metoclopramide"), [aged(18, "male")], "clear"),
    row(
        "aripiprazole at 17 is medium: age and male are information", order("aripiprazole"), [aged(17, "male")], "info"
    ),
    row("aripiprazole at 18 is low: age and male are silent", order("aripiprazole"), [aged(18, "male")], "clear"),
    row(
        "promethazine at 17 is medium: age and male are information", order("promethazine"), [aged(17, "male")], "info"
    ),
    row("promethazine at 18 is low: age and male are silent", order("promethazine"), [aged(18, "male")], "clear"),
    row(
        "promethazine injected is medium: injection and one more are information",
        order("promethazine", route="IM"),
        [WOMAN_60, family()],
        "info",
    ),
    row(
        "chlorpromazine injected is medium: injection and one more are information",
        order("chlorpromazine", route="IM"),
        [WOMAN_60, family()],
        "info",
    ),
    row("chlorpromazine by mouth stays low", order("chlorpromazine"), [WOMAN_60, *MINOR], "clear"),
    row(
        "metoclopramide 0.99 mg/kg is medium",
        order("metoclopramide", 69.3),
        [WOMAN_60, lab("weight", 70, "kg"), family()],
        "clear",
    ),
    row(
        "metoclopramide 1 mg/kg is high",
        order("metoclopramide", 70),
        [WOMAN_60, lab("weight", 70, "kg"), family()],
        "info",
    ),
    row(
        "metoclopramide ordered as 1 mg/kg is high without a weight",
        order("metoclopramide", 1, unit="mg/kg"),
        [WOMAN_60, family()],
        "info",
    ),
    row(
        "metoclopramide ordered as 0.99 mg/kg is medium",
        order("metoclopramide", 0.99, unit="mg/kg"),
        [WOMAN_60, family()],
        "clear",
    ),
    row(
        "a weight of 365 days ago counts",
        order("metoclopramide", 70),
        [WOMAN_60, lab("weight", 70, "kg", "365d"), family()],
        "info",
    ),
    row(
        "a weight of more than a year ago does not count",
        order("metoclopramide", 70),
        [WOMAN_60, lab("weight", 70, "kg", "366d"), family()],
        "clear",
    ),
]


@pytest.mark.parametrize(("draft", "data", "expected"), CONDITIONAL_TIERS)
def test_tier_by_age_route_and_dose(draft: dict, data: list[dict], expected: str) -> None:
    assert sign(draft, *data).verdict(RULE) == expected


# D.1: one major factor alone. The patient is 60, so nothing else counts.
MAJORS = [
    row("a coded dystonic reaction to another drug", [allergy("risperidone")], "prior"),
    row("a dystonic reaction, unconfirmed allergy", [allergy("risperidone", verification="unconfirmed")], "prior"),
    row("a dystonic reaction without statuses", [allergy("risperidone", clinical="", verification="")], "prior"),
    row("an oculogyric crisis in words", [allergy("risperidone", "Oculogyric crisis")], "prior"),
    row("a torticollis in words", [allergy("risperidone", "acute torticollis")], "prior"),
    row("a lockjaw in words", [allergy("risperidone", "lockjaw")], "prior"),
    row("acute drug-induced dystonia G24.02", [condition("G24.02")], "prior"),
    row("other drug-induced dystonia G24.09", [condition("G24.09")], "prior"),
    row("drug-induced dystonia G24.0", [condition("G24.0")], "prior"),
    row("drug-induced dystonia, resolved", [condition("G24.02", clinical="resolved")], "prior"),
    row("drug-induced dystonia in words", [condition(text="Acute dystonia due to haloperidol")], "prior"),
    row("cocaine abuse F14.10", [condition("F14.10")], "other"),
    row("cocaine dependence F14.20", [condition("F14.20")], "other"),
    row("cocaine screen positive 30 days ago", [lab("3397-7", 0, when="30d",
        valueCodeableConcept={"text": "Positive"})],
        "other"),
    row("a second dopamine blocker, current", [taking("risperidone", "2d")], "other"),
    row("a second dopamine blocker given 7 days ago", [given("risperidone", "7d")], "other"),
]  # fmt: skip

WITH_MAJOR = {
    ("H", "prior"): "warning",
    ("H", "other"): "warning",
    ("M", "prior"): "warning",
    ("M", "other"): "warning",
    ("L", "prior"): "warning",
    ("L", "other"): "info",
    ("N", "prior"): "not-applicable",
    ("N", "other"): "not-applicable",
}


@pytest.mark.parametrize(("data", "kind"), MAJORS)
@pytest.mark.parametrize(
    ("drug", "tier"), [("haloperidol", "H"), ("metoclopramide", "M"), ("olanzapine", "L"), ("quetiapine", "N")]
)
def test_one_major_factor(drug: str, tier: str, data: list[dict], kind: str) -> None:
    assert sign(order(drug), WOMAN_60, *data).verdict(RULE) == WITH_MAJOR[tier, kind]


# Not a major factor: haloperidol for a woman of 60 stays without a finding.
NOT_MAJOR = [
    row("refuted allergy", [allergy("risperidone", verification="refuted")]),
    row("allergy entered in error", [allergy("risperidone", verification="entered-in-error")]),
    row("inactive allergy", [allergy("risperidone", clinical="inactive")]),
    row("resolved allergy", [allergy("risperidone", clinical="resolved")]),
    row("allergy without a manifestation", [allergy("risperidone", None)]),
    row("allergy with another manifestation", [allergy("risperidone", "Urticaria")]),
    row("refuted drug-induced dystonia", [condition("G24.02", verification="refuted")]),
    row("drug-induced dystonia entered in error", [condition("G24.02", verification="entered-in-error")]),
    row("genetic torsion dystonia G24.1", [condition("G24.1")]),
    row("spasmodic torticollis G24.3", [condition("G24.3")]),
    row("cervical dystonia in words, no drug named", [condition(text="Cervical dystonia")]),
    row("cocaine abuse in remission F14.11", [condition("F14.11")]),
    row("cocaine dependence in remission F14.21", [condition("F14.21")]),
    row("cocaine use in remission F14.91", [condition("F14.91")]),
    row("cocaine abuse, inactive", [condition("F14.10", clinical="inactive")]),
    row("cocaine abuse as a rule-out", [condition("F14.10", verification="provisional")]),
    row("cocaine screen positive 31 days ago",
        [lab("3397-7", 0, when="31d", valueCodeableConcept={"text": "Positive"})]),
    row("cocaine screen negative, without a date",
        [lab("3397-7", 0, when=None, valueCodeableConcept={"text": "Negative"})]),
    row("cocaine screen negative", [lab("3397-7", 0, valueCodeableConcept={"text": "Negative"})]),
    row("cocaine screen not detected", [lab("3397-7", 0, valueCodeableConcept={"text": "Not detected"})]),
    row("cocaine screen preliminary",
        [lab("3397-7", 0, status="preliminary", valueCodeableConcept={"text": "Positive"})]),
    row("cocaine screen entered in error",
        [lab("3397-7", 0, status="entered-in-error", valueCodeableConcept={"text": "Positive"})]),
    row("quetiapine beside it: tier N is no second blocker", [taking("quetiapine")]),
    row("ondansetron beside it", [taking("ondansetron")]),
    row("sertraline beside it", [taking("sertraline")]),
    row("a second dopamine blocker on hold", [taking("risperidone", status="on-hold")]),
    row("a second dopamine blocker given 8 days ago", [given("risperidone", "8d")]),
]  # fmt: skip


@pytest.mark.parametrize("data", NOT_MAJOR)
def test_no_major_factor(data: list[dict]) -> None:
    assert sign(order("haloperidol"), WOMAN_60, *data).verdict(RULE) == "clear"


# A rule-out diagnosis lifts silence to information and no further.
RULE_OUTS = [
    row("a rule-out of drug-induced dystonia alone", [condition("G24.02", verification="provisional")], "info"),
    row("a differential diagnosis", [condition("G24.02", verification="differential")], "info"),
    row("a rule-out beside one sure minor factor", [condition("G24.02", verification="unconfirmed"), family()], "info"),
    row("a rule-out minor factor alone", [condition("E05.90", verification="provisional")], "info"),
    row("a rule-out of 22q11.2 deletion", [condition("D82.1", verification="provisional")], "info"),
    row("a rule-out of hypoparathyroidism", [condition("E20.9", verification="differential")], "info"),
    row("a rule-out minor beside one sure minor", [condition("E05.90", verification="provisional"), family()], "info"),
    row("a rule-out beside what is a warning without it",
        [condition("E05.90", verification="provisional"), family(), condition("D82.1", id="c2")], "warning"),
]  # fmt: skip


@pytest.mark.parametrize(("data", "expected"), RULE_OUTS)
def test_rule_outs(data: list[dict], expected: str) -> None:
    assert sign(order("haloperidol"), WOMAN_60, *data).verdict(RULE) == expected
