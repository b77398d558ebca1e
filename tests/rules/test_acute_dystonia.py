"""R-DRUG-01, drug and factors: which tier a drug has here, and what the matrix makes of the factors (B, C, D.1).

A word stands for the verdict: an indicator where the rule fired, the suppression's id where it was silenced, else the
status and its reason.
"""

from __future__ import annotations

import pytest

from tests.support.fhir import allergy, condition, family, given, lab, order, patient, taking
from tests.support.fire import Fired, sign
from tests.support.rows import MAN_60, MINOR, WOMAN_60, aged, day_before_birthday, row

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
    row("aripiprazole at 17 is medium: age and male are information", order("aripiprazole"), [aged(17, "male")], "info"),
    row("aripiprazole at 18 is low: age and male are silent", order("aripiprazole"), [aged(18, "male")], "clear"),
    row("promethazine at 17 is medium: age and male are information", order("promethazine"), [aged(17, "male")], "info"),
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
    row("cocaine screen positive 30 days ago", [lab("3397-7", 0, when="30d", valueCodeableConcept={"text": "Positive"})],
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
    row("a rule-out minor beside one sure minor", [condition("E05.90", verification="provisional"), family()], "info"),
    row("a rule-out beside what is a warning without it",
        [condition("E05.90", verification="provisional"), family(), condition("D82.1", id="c2")], "warning"),
]  # fmt: skip


@pytest.mark.parametrize(("data", "expected"), RULE_OUTS)
def test_rule_outs(data: list[dict], expected: str) -> None:
    assert sign(order("haloperidol"), WOMAN_60, *data).verdict(RULE) == expected


def factors(answer: Fired) -> set[str]:
    """The factors named on the card, without drug and route words around them."""
    return {fact["text"] for card in answer.cards for fact in card["extension"]["org.dystonia-cds"]["facts"]}


# Age and sex. Haloperidol is high: one factor is information, two are a warning.
AGE_AND_SEX = [
    row("the day before the 35th birthday counts", "haloperidol", day_before_birthday(35), "info"),
    row("the 35th birthday does not", "haloperidol", aged(35), "clear"),
    row("a man the day before his 50th birthday", "haloperidol", day_before_birthday(50, "male"), "info"),
    row("a man on his 50th birthday", "haloperidol", aged(50, "male"), "clear"),
    row("a man the day before his 35th birthday has both", "haloperidol", day_before_birthday(35, "male"), "warning"),
    row("a man on his 35th birthday keeps male", "haloperidol", aged(35, "male"), "info"),
    row("unknown gender does not count", "haloperidol", aged(40, "unknown"), "clear"),
    row("other gender does not count", "haloperidol", aged(40, "other"), "clear"),
    row("no gender does not count", "haloperidol", patient("1986-01-01", None), "clear"),
    row("gender in capitals counts", "haloperidol", patient("1986-01-01", "Male"), "info"),
    row("no birth date: age and male silent, not clear", "haloperidol", patient(None, "male"), "not-checked date-missing"),
    row("unreadable birth date", "haloperidol", patient("22.11.2004", "male"), "not-checked implausible"),
    row("birth date in the future", "haloperidol", patient("2027-01-01", "male"), "not-checked implausible"),
    row("birth year 1991: 34 at the youngest, counts", "haloperidol", patient("1991", "female"), "info"),
    row("birth year 1990: 35 at the youngest", "haloperidol", patient("1990", "female"), "clear"),
    row("birth month 1991-11: 34 at the youngest, counts", "haloperidol", patient("1991-11", "female"), "info"),
    row("birth month 1991-10: 35 at the youngest", "haloperidol", patient("1991-10", "female"), "clear"),
    row("birth year 1976, male: 49 at the youngest", "haloperidol", patient("1976", "male"), "info"),
    row("birth year 1975, male: 50 at the youngest", "haloperidol", patient("1975", "male"), "clear"),
    row("a leap-day child on the day before the 35th", "haloperidol", patient("1992-02-29", "female"), "info"),
]


@pytest.mark.parametrize(("drug", "person", "expected"), AGE_AND_SEX)
def test_age_and_sex(drug: str, person: dict, expected: str) -> None:
    assert sign(order(drug), person).verdict(RULE) == expected


# Metoclopramide: under 30, girls of 12 to 19, male never. In adults it is medium, so family history stands beside.
METOCLOPRAMIDE = [
    row("the day before the 30th birthday counts", day_before_birthday(30), [family()], "info"),
    row("the 30th birthday does not", aged(30), [family()], "clear"),
    row("a young man: male does not count", aged(25, "male"), [family()], "info"),
    row("a woman of 19: age and female count", aged(19), [family()], "warning"),
    row("a woman the day before her 20th birthday", day_before_birthday(20), [family()], "warning"),
    row("a woman on her 20th birthday: age alone", aged(20), [family()], "info"),
    row("a girl on her 12th birthday: high tier, age and female", aged(12), [], "warning"),
    row("a girl the day before her 12th birthday: age alone", day_before_birthday(12), [], "info"),
    row("a boy of 15: age alone", aged(15, "male"), [], "info"),
    row("birth year 2006, female: 19 at the youngest", patient("2006", "female"), [family()], "warning"),
]


@pytest.mark.parametrize(("person", "data", "expected"), METOCLOPRAMIDE)
def test_metoclopramide(person: dict, data: list[dict], expected: str) -> None:
    assert sign(order("metoclopramide"), person, *data).verdict(RULE) == expected


@pytest.mark.parametrize("drug", ["domperidone", "rxnorm:38685"], ids=["domperidone", "trimethobenzamide"])
def test_male_sex_is_no_factor_of_two_more_antiemetics(drug: str) -> None:
    """Tier L is told through prior dystonia, whose card names all factors."""
    answer = sign(order(drug), aged(40, "male"), condition("G24.02"))
    assert answer.verdict(RULE) == "warning"
    assert not any("Male" in text for text in factors(answer))


# One minor factor at a time: haloperidol for a woman of 60, information where it counts.
MINORS = [
    row("hyperthyroidism", [condition("E05.90")], "info"),
    row("hyperthyroidism, resolved", [condition("E05.90", clinical="resolved")], "clear"),
    row("hypoparathyroidism E20.0", [condition("E20.0")], "info"),
    row("hypoparathyroidism after a procedure E89.2", [condition("E89.2")], "info"),
    row("22q11.2 deletion Q93.81", [condition("Q93.81")], "info"),
    row("DiGeorge D82.1", [condition("D82.1")], "info"),
    row("hypoparathyroidism in 22q11.2 is one factor", [condition("E20.0"), condition("D82.1", id="c2")], "info"),
    row("family history of dystonia", [family()], "info"),
    row("family history of something else", [family("Diabetes")], "clear"),
    row("paroxetine", [taking("paroxetine")], "info"),
    row("fluoxetine", [taking("rxnorm:4493")], "info"),
    row("bupropion", [taking("rxnorm:42347")], "info"),
    row("duloxetine is moderate", [taking("rxnorm:72625")], "clear"),
    row("sertraline is no strong inhibitor", [taking("sertraline")], "clear"),
    row("paroxetine stopped", [taking("paroxetine", status="stopped")], "clear"),
    row("low confirmed calcium", [lab("ionised", 1.0)], "info"),
    row("normal calcium", [lab("ionised", 1.2)], "clear"),
    row("low calcium, preliminary", [lab("ionised", 1.0, status="preliminary")], "clear"),
    row("low calcium without unit", [lab("ionised", 1.0, None)], "not-checked unit-missing"),
    row("calcium in an unknown unit", [lab("ionised", 1.0, "furlong")], "not-checked unit-unknown"),
    row("low calcium, 31 days old", [lab("ionised", 1.0, when="31d")], "clear"),
    row("low magnesium", [lab("magnesium", 0.5)], "info"),
    row("magnesium without unit", [lab("magnesium", 0.5, None)], "not-checked unit-missing"),
    row("low TSH alone", [lab("tsh", 0.01, "mIU/L")], "clear"),
    row("schizophrenia in an adult", [condition("F20.9")], "clear"),
    row("intellectual disability is not counted", [condition("F71")], "clear"),
    row("alcohol misuse is not counted", [condition("F10.20")], "clear"),
    row("depression is not counted", [condition("F32.9")], "clear"),
    row("pregnancy is not counted", [condition("Z33.1")], "clear"),
]


@pytest.mark.parametrize(("data", "expected"), MINORS)
def test_one_minor_factor(data: list[dict], expected: str) -> None:
    assert sign(order("haloperidol"), WOMAN_60, *data).verdict(RULE) == expected


# Dehydration: at most 72 hours old, in children or with a phenothiazine.
DEHYDRATION = [
    row("fluphenazine, 72 h ago", "fluphenazine", WOMAN_60, "72h", "info"),
    row("fluphenazine, 73 h ago", "fluphenazine", WOMAN_60, "73h", "clear"),
    row("fluphenazine, dated 3 days ago", "fluphenazine", WOMAN_60, "2026-11-19", "info"),
    row("fluphenazine, dated 4 days ago", "fluphenazine", WOMAN_60, "2026-11-18", "clear"),
    row("fluphenazine, dated this month only", "fluphenazine", WOMAN_60, "2026-11", "info"),
    row("fluphenazine, dated last month only", "fluphenazine", WOMAN_60, "2026-10", "clear"),
    row("fluphenazine, without a date", "fluphenazine", WOMAN_60, "", "clear"),
    row("haloperidol in an adult", "haloperidol", WOMAN_60, "3h", "clear"),
    row("haloperidol at 17: age and dehydration", "haloperidol", aged(17), "3h", "warning"),
    row("haloperidol at 18: age alone", "haloperidol", aged(18), "3h", "info"),
]


@pytest.mark.parametrize(("drug", "person", "onset", "expected"), DEHYDRATION)
def test_dehydration(drug: str, person: dict, onset: str, expected: str) -> None:
    assert sign(order(drug), person, condition("E86.0", onset=onset)).verdict(RULE) == expected


# Schizophrenia or bipolar disorder counts under 18, with an antipsychotic. A boy of 17 has age (and male) anyway.
CHILD_PSYCHOSIS = [
    row("risperidone at 17 with schizophrenia", "risperidone", aged(17), "F20.9", "info"),
    row("risperidone at 17 with schizoaffective disorder", "risperidone", aged(17), "F25.0", "info"),
    row("risperidone at 17 with bipolar disorder", "risperidone", aged(17), "F31.9", "info"),
    row("risperidone at 18 with schizophrenia", "risperidone", aged(18), "F20.9", "clear"),
    row("an antiemetic at 17 with schizophrenia", "metoclopramide", aged(17, "male"), "F20.9", "info"),
]


@pytest.mark.parametrize(("drug", "person", "code", "expected"), CHILD_PSYCHOSIS)
def test_child_psychosis(drug: str, person: dict, code: str, expected: str) -> None:
    assert sign(order(drug), person, condition(code)).verdict(RULE) == expected


# Route: coded, by the product's form, by its words; absent is not counted.
ROUTES = [
    row("IM", order("haloperidol", route="IM"), "info"),
    row("IV", order("haloperidol", route="IV"), "info"),
    row("SC", order("haloperidol", route="SC"), "info"),
    row("no route", order("haloperidol"), "clear"),
    row("no route, injectable product", order("rxnorm:204416"), "info"),
    row("no route, tablet product", order("rxnorm:310672"), "clear"),
    row("no route, injection in words", order("Haloperidol 5 mg/mL injection"), "info"),
    row("no route, tablet in words", order("Haloperidol 5 mg tablet"), "clear"),
    row("oral route beats an injectable product",
        order("rxnorm:204416", more={"dosageInstruction": [{"route": {"text": "oral"}}]}), "clear"),
    row("intramuscular in words", order("haloperidol", more={"dosageInstruction": [{"route": {"text": "IM"}}]}), "info"),
]  # fmt: skip


@pytest.mark.parametrize(("draft", "expected"), ROUTES)
def test_route(draft: dict, expected: str) -> None:
    assert sign(draft, WOMAN_60).verdict(RULE) == expected


def test_substance_use_is_never_named() -> None:
    answer = sign(order("haloperidol"), MAN_60, condition("F14.20", text="Cocaine dependence"))
    assert "cocaine" not in str(answer.body["cards"]).lower()
    assert "Recorded risk factor" in factors(answer)


def test_the_card_names_every_factor_and_never_a_score() -> None:
    answer = sign(order("haloperidol", 5, 2, route="IM"), aged(22, "male"), *MINOR, taking("paroxetine"))
    assert answer.card["indicator"] == "warning"
    assert len(answer.card["summary"]) < 140
    told = factors(answer)
    for words in ("Age 22 y", "Male", "Parenteral", "Hyperthyroidism", "Family history", "CYP2D6", "Hypoparathyroidism"):
        assert any(words in text for text in told), words
