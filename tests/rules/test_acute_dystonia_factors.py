"""R-DRUG-01, the minor factors of section C one by one, with a patient on each side of every boundary."""

from __future__ import annotations

import pytest

from tests.support.fhir import DYSTONIA, allergy, condition, family, lab, order, patient, subject, taking
from tests.support.fire import Fired, sign
from tests.support.rows import MAN_60, MINOR, WOMAN_60, aged, day_before_birthday, row

RULE = "R-DRUG-01"


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
    row(
        "no birth date: age and male silent, not clear",
        "haloperidol",
        patient(None, "male"),
        "not-checked date-missing",
    ),
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
    row("quinidine", [taking("rxnorm:9068")], "info"),
    row("quinidine by a brand", [taking("Nuedexta 20 mg-10 mg capsule")], "info"),
    row("duloxetine is moderate", [taking("rxnorm:72625")], "clear"),
    row("sertraline is no strong inhibitor", [taking("sertraline")], "clear"),
    row("paroxetine stopped", [taking("paroxetine", status="stopped")], "clear"),
    row("low confirmed calcium", [lab("ionised", 1.0)], "info"),
    row("normal calcium", [lab("ionised", 1.2)], "clear"),
    row(
        "low calcium, preliminary: no factor, and not clear",
        [lab("ionised", 1.0, status="preliminary")],
        "not-checked no-result",
    ),
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
    row("fluphenazine, without a date", "fluphenazine", WOMAN_60, "", "not-checked date-missing"),
    row("haloperidol in an adult", "haloperidol", WOMAN_60, "3h", "clear"),
    row("haloperidol at 17: age and dehydration", "haloperidol", aged(17), "3h", "warning"),
    row("haloperidol at 18: age alone", "haloperidol", aged(18), "3h", "info"),
]


@pytest.mark.parametrize(("drug", "person", "onset", "expected"), DEHYDRATION)
def test_dehydration(drug: str, person: dict, onset: str, expected: str) -> None:
    assert sign(order(drug), person, condition("E86.0", onset=onset)).verdict(RULE) == expected


def test_a_dehydration_that_is_not_confirmed_needs_a_date_as_well() -> None:
    possible = condition("E86.0", verification="provisional")
    assert sign(order("fluphenazine"), WOMAN_60, possible).verdict(RULE) == "not-checked date-missing"


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
    row("intramuscular in words", order("haloperidol", more={"dosageInstruction": [{"route": {"text": "IM"}}]}),
        "info"),
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
    for words in (
        "Age 22 y",
        "Male",
        "Parenteral",
        "Hyperthyroidism",
        "Family history",
        "CYP2D6",
        "Hypoparathyroidism",
    ):
        assert any(words in text for text in told), words


def test_what_is_not_confirmed_is_called_possible() -> None:
    doubted = condition("E05.90", verification="provisional")
    card = sign(order("haloperidol"), WOMAN_60, doubted).card
    assert card["summary"].startswith("Haloperidol: raised acute dystonia risk (possible hyperthyroidism).")
    sure = sign(order("haloperidol"), WOMAN_60, condition("E05.90")).card
    assert sure["summary"].startswith("Haloperidol: raised acute dystonia risk (hyperthyroidism).")


def test_a_dose_in_micrograms_is_told_in_milligrams() -> None:
    assert "First-day dose 10 mg" in factors(sign(order("haloperidol", 10000, 1, unit="ug"), WOMAN_60))


# Every factor is told with the record that it was read from.
FACTS = [
    row("age", order("haloperidol"), [aged(22)], "Age 22 y", "Patient/p1"),
    row("male", order("haloperidol"), [aged(40, "male")], "Male", "Patient/p1"),
    row("a girl", order("metoclopramide"), [aged(15)], "Female", "Patient/p1"),
    row("injection", order("haloperidol", route="IM"), [], "Parenteral", "MedicationRequest/draft-1"),
    row("low calcium", order("haloperidol"), [lab("ionised", 1.0)], "Ionised Ca 1.0", "Observation/ionised-1"),
    row("low magnesium", order("haloperidol"), [lab("magnesium", 0.5)], "Mg 0.5", "Observation/magnesium-1"),
    row("hypoparathyroidism", order("haloperidol"), [condition("E20.0")], "Hypoparathyroidism", "Condition/c1"),
    row("22q11.2", order("haloperidol"), [condition("Q93.81")], "22q11.2 deletion", "Condition/c1"),
    row("hyperthyroidism", order("haloperidol"), [condition("E05.90")], "Hyperthyroidism", "Condition/c1"),
    row("hyperthyroidism by results", order("haloperidol"),
        [lab("tsh", 0.05, "mIU/L"), lab("ft4", 30, "pmol/L", low=12, high=22)], "TSH", "Observation/tsh-1"),
    row("dehydration", order("fluphenazine"), [condition("E86.0", onset="3h")], "Dehydration", "Condition/c1"),
    row("family", order("haloperidol"), [family()], "Family history", "FamilyMemberHistory/f1"),
    row("an inhibitor", order("haloperidol"), [taking("paroxetine")], "Strong CYP2D6 inhibitor: paroxetine",
        "MedicationRequest/m1"),
    row("a poor metaboliser", order("haloperidol"), [{"resourceType": "Observation", "id": "pm", "status": "final",
        "subject": subject(), "code": {"text": "CYP2D6 phenotype"}, "valueString": "Poor metabolizer"}],
        "CYP2D6 poor metaboliser recorded", "Observation/pm"),
    row("psychosis in a child", order("risperidone"), [aged(17), condition("F20.9")],
        "Schizophrenia or bipolar disorder", "Condition/c1"),
    row("a high dose", order("haloperidol", 5, 2), [], "First-day dose 10 mg", "MedicationRequest/draft-1"),
    row("a recorded reaction", order("haloperidol"), [allergy("risperidone", DYSTONIA)], "Recorded dystonic reaction",
        "AllergyIntolerance/al1"),
    row("a recorded dystonia", order("haloperidol"), [condition("G24.02")], "Drug-induced dystonia recorded",
        "Condition/c1"),
    row("cocaine", order("haloperidol"), [condition("F14.20")], "Recorded risk factor", "Condition/c1"),
    row("a positive screen", order("haloperidol"),
        [lab("3397-7", 0, when="3d", valueCodeableConcept={"text": "Positive"})], "Recorded risk factor",
        "Observation/3397-7-1"),
    row("a second blocker, in the words of R-DRUG-02", order("haloperidol"), [taking("risperidone", "90d")],
        "Risperidone: current", "MedicationRequest/m1"),
]  # fmt: skip


@pytest.mark.parametrize(("draft", "data", "words", "reference"), FACTS)
def test_every_factor_is_told_with_its_record(draft: dict, data: list[dict], words: str, reference: str) -> None:
    person = [] if any(one["resourceType"] == "Patient" for one in data) else [WOMAN_60]
    answer = sign(draft, *person, *data)
    told = [fact for card in answer.cards for fact in card["extension"]["org.dystonia-cds"]["facts"]]
    assert reference in [fact.get("reference") for fact in told if fact["text"].startswith(words)]
    assert reference in answer.result(RULE)["inputs"]
