"""Which drug an order names: every shape a medication arrives in, code before text, all ingredients kept (C-TXT)."""

from __future__ import annotations

import pytest

from plugin.fhir.medication import of_concept, of_resource
from plugin.fhir.types import Concept
from plugin.patient import Medication
from tests.support.fhir import DRUGS, RXNORM, SNOMED, call, concept, order, prefetch
from tests.support.fire import fire, sign
from tests.support.rows import aged, resource, row

HALDOL = concept(RXNORM, DRUGS["haloperidol"])
STORED = {"resourceType": "Medication", "id": "med1", "code": HALDOL}
MADE_UP = {
    "resourceType": "Medication",
    "id": "med1",
    "ingredient": [
        {"itemCodeableConcept": concept(RXNORM, DRUGS["haloperidol"])},
        {"itemCodeableConcept": concept(RXNORM, DRUGS["promethazine"])},
    ],
}


def named(shape: dict, *stored: dict) -> Medication:
    """What a MedicationRequest in this shape names, with these Medication resources in the call."""
    found = {"resourceType": "MedicationRequest", "id": "d", **shape}
    by_reference = {f"Medication/{one['id']}": resource(one) for one in stored}
    return of_resource(resource(found), by_reference)


def names(medication: Medication) -> list[str]:
    """The ingredients, sorted."""
    return sorted(item.name for item in medication.ingredients)


SHAPES = [
    row("codeable concept", {"medicationCodeableConcept": HALDOL}, (), "code"),
    row("contained Medication", {"contained": [STORED], "medicationReference": {"reference": "#med1"}}, (), "code"),
    row("contained by an id with a sign", {"contained": [{**STORED, "id": "#med1"}],
        "medicationReference": {"reference": "#med1"}}, (), "code"),
    row("referenced Medication", {"medicationReference": {"reference": "Medication/med1"}}, (STORED,), "code"),
    row("referenced by an absolute address",
        {"medicationReference": {"reference": "https://ehr.example/fhir/Medication/med1"}}, (STORED,), "code"),
    row("referenced in a version", {"medicationReference": {"reference": "Medication/med1/_history/3"}}, (STORED,),
        "code"),
    row("display of a reference to nothing",
        {"medicationReference": {"reference": "Medication/gone", "display": "haloperidol 5 mg tablet"}}, (), "text"),
    row("display only", {"medicationReference": {"display": "Haldol 5 mg"}}, (), "text"),
    row("text only", {"medicationCodeableConcept": {"text": "HALOPERIDOL 5 MG PO TABS"}}, (), "text"),
    row("display of an unknown code",
        {"medicationCodeableConcept": concept(RXNORM, "99999999", "haloperidol 7.77 mg")}, (), "text"),
    row("a local code beside RxNorm", {"medicationCodeableConcept": {"coding": [
        {"system": "urn:local", "code": "H5"}, {"system": RXNORM, "code": DRUGS["haloperidol"]}]}}, (), "code"),
    row("system as an OID", {"medicationCodeableConcept": concept("urn:oid:2.16.840.1.113883.6.88", "5093")}, (),
        "code"),
    row("R5 medication.concept", {"medication": {"concept": HALDOL}}, (), "code"),
    row("R5 medication.reference", {"medication": {"reference": {"reference": "Medication/med1"}}}, (STORED,), "code"),
    row("R5 medication.reference, contained",
        {"contained": [STORED], "medication": {"reference": {"reference": "#med1"}}}, (), "code"),
    row("bare medication concept", {"medication": HALDOL}, (), "code"),
    row("Medication without a code, by its ingredient", {"medicationReference": {"reference": "Medication/med1"}},
        ({**STORED, "code": None, "ingredient": [{"itemCodeableConcept": HALDOL}]},), "code"),
    row("R5 Medication by its ingredient", {"medicationReference": {"reference": "Medication/med1"}},
        ({**STORED, "code": None, "ingredient": [{"item": {"concept": HALDOL}}]},), "code"),
    row("Medication whose code names no drug of ours, display on the reference",
        {"medicationReference": {"reference": "Medication/med1", "display": "Haldol"}},
        ({**STORED, "code": {"text": "Product 4711"}},), "text"),
    row("Medication without code, display on the reference",
        {"medicationReference": {"reference": "Medication/med1", "display": "Haldol"}}, ({**STORED, "code": None},),
        "text"),
]  # fmt: skip


@pytest.mark.parametrize(("shape", "stored", "how"), SHAPES)
def test_every_shape(shape: dict, stored: tuple[dict, ...], how: str) -> None:
    medication = named(shape, *stored)
    assert names(medication) == ["haloperidol"]
    assert medication.recognised == how


# In a whole call the referenced Medication stands among the prefetch or the drafts.
def test_a_referenced_medication_in_the_prefetch() -> None:
    draft = {**order("x"), "medicationReference": {"reference": "Medication/med1"}}
    del draft["medicationCodeableConcept"]
    data = prefetch(aged(22, "male"))
    data["medications"] = {
        "resourceType": "Bundle",
        "type": "searchset",
        "entry": [{"resource": STORED, "search": {"mode": "include"}}],
    }
    assert fire(call([draft], data)).verdict("R-DRUG-01") == "warning"


def test_a_referenced_medication_among_the_drafts() -> None:
    draft = {**order("x"), "medicationReference": {"reference": "Medication/med1"}}
    del draft["medicationCodeableConcept"]
    assert fire(call([draft, STORED], prefetch(aged(22, "male")))).verdict("R-DRUG-01") == "warning"


COMBINATIONS = [
    row("amitriptyline with perphenazine", "rxnorm:282427", ["amitriptyline", "perphenazine"]),
    row("olanzapine with fluoxetine", "rxnorm:403969", ["fluoxetine", "olanzapine"]),
    row("Symbyax in words", "Symbyax 6/25", ["fluoxetine", "olanzapine"]),
    row("words with a slash", "Perphenazine/amitriptyline 4-25 mg", ["amitriptyline", "perphenazine"]),
    row("promethazine with codeine keeps what we know", "rxnorm:214444", ["promethazine"]),
]


@pytest.mark.parametrize(("drug", "expected"), COMBINATIONS)
def test_every_ingredient_is_kept(drug: str, expected: list[str]) -> None:
    assert names(named({"medicationCodeableConcept": order(drug)["medicationCodeableConcept"]})) == expected


def test_a_compounded_medication_keeps_every_ingredient() -> None:
    shape = {"medicationReference": {"reference": "Medication/med1"}}
    assert names(named(shape, MADE_UP)) == ["haloperidol", "promethazine"]


def test_a_coded_medication_keeps_a_dopamine_blocker_of_its_ingredients_but_no_excipient() -> None:
    listed = [{"itemCodeableConcept": {"text": name}} for name in ("promethazine", "haloperidol", "magnesium stearate")]
    made = {**STORED, "code": concept(RXNORM, DRUGS["promethazine"]), "ingredient": listed}
    assert names(named({"medicationReference": {"reference": "Medication/med1"}}, made)) == [
        "haloperidol",
        "promethazine",
    ]


# C-TXT: generic names and brand stems as whole words.
WORDS = [
    row("generic name", "haloperidol", ["haloperidol"]),
    row("capitals and strength", "HALOPERIDOL 5MG", ["haloperidol"]),
    row("haldol", "Haldol", ["haloperidol"]),
    row("prolixin", "Prolixin", ["fluphenazine"]),
    row("stelazine", "Stelazine", ["trifluoperazine"]),
    row("navane", "Navane", ["thiothixene"]),
    row("orap", "Orap", ["pimozide"]),
    row("inapsine", "Inapsine", ["droperidol"]),
    row("reglan", "Reglan", ["metoclopramide"]),
    row("gimoti", "Gimoti", ["metoclopramide"]),
    row("maxolon", "Maxolon", ["metoclopramide"]),
    row("primperan", "Primperan", ["metoclopramide"]),
    row("compazine", "Compazine", ["prochlorperazine"]),
    row("compro", "Compro", ["prochlorperazine"]),
    row("stemetil", "Stemetil", ["prochlorperazine"]),
    row("phenergan", "Phenergan", ["promethazine"]),
    row("thorazine", "Thorazine", ["chlorpromazine"]),
    row("largactil", "Largactil", ["chlorpromazine"]),
    row("trilafon", "Trilafon", ["perphenazine"]),
    row("risperdal", "Risperdal", ["risperidone"]),
    row("invega", "Invega", ["paliperidone"]),
    row("zyprexa", "Zyprexa", ["olanzapine"]),
    row("abilify", "Abilify", ["aripiprazole"]),
    row("geodon", "Geodon", ["ziprasidone"]),
    row("latuda", "Latuda", ["lurasidone"]),
    row("saphris", "Saphris", ["asenapine"]),
    row("fanapt", "Fanapt", ["iloperidone"]),
    row("rexulti", "Rexulti", ["brexpiprazole"]),
    row("vraylar", "Vraylar", ["cariprazine"]),
    row("seroquel", "Seroquel", ["quetiapine"]),
    row("clozaril", "Clozaril", ["clozapine"]),
    row("zofran", "Zofran", ["ondansetron"]),
    row("cogentin", "Cogentin", ["benztropine"]),
    row("artane", "Artane", ["trihexyphenidyl"]),
    row("akineton", "Akineton", ["biperiden"]),
    row("kemadrin", "Kemadrin", ["procyclidine"]),
    row("benadryl", "Benadryl", ["diphenhydramine"]),
    row("lybalvi keeps olanzapine", "Lybalvi", ["olanzapine"]),
]


@pytest.mark.parametrize(("text", "expected"), WORDS)
def test_words(text: str, expected: list[str]) -> None:
    medication = named({"medicationCodeableConcept": {"text": text}})
    assert medication.recognised == "text"
    assert names(medication) == expected


# A text that does not say "given": no drug of ours, and for a tier H or M name a stem that asks to be looked at.
NOT_A_MATCH = [
    row("allergy", "Allergy to haloperidol", "haloperidol"),
    row("allergic", "allergic: metoclopramide", "metoclopramide"),
    row("intolerance", "Haloperidol intolerance", "haloperidol"),
    row("avoid", "AVOID haloperidol", "haloperidol"),
    row("refused", "haloperidol refused by patient", "haloperidol"),
    row("history of", "history of haloperidol use", "haloperidol"),
    row("not taking", "haloperidol - not taking", "haloperidol"),
    row("part of a longer word", "haloperidolum", "haloperidol"),
    row("a brand that is denied", "Reglan (no known allergies)", "metoclopramide"),
    row("a misspelt name that is denied", "avoid haloperidl", "haloperidol"),
    row("a lower tier that is denied", "Seroquel allergy", ""),
    row("an ordinary name", "Amoxicillin 500 mg", ""),
    row("an ordinary name with 'no'", "No medication", ""),
]


@pytest.mark.parametrize(("text", "stem"), NOT_A_MATCH)
def test_words_that_do_not_count(text: str, stem: str) -> None:
    medication = named({"medicationCodeableConcept": {"text": text}})
    assert (medication.recognised, medication.ingredients, medication.stem) == ("ordinary", (), stem)


NOBODY_CAN_NAME = [
    row("unknown RxNorm code", {"medicationCodeableConcept": concept(RXNORM, "99999999")}, "unrecognised"),
    row("local code alone", {"medicationCodeableConcept": concept("urn:local", "H5")}, "unrecognised"),
    row("code without a system", {"medicationCodeableConcept": {"coding": [{"code": "H5"}]}}, "unrecognised"),
    row("reference to nothing", {"medicationReference": {"reference": "Medication/gone"}}, "unrecognised"),
    row("reference by identifier", {"medicationReference": {"identifier": {"value": "42"}}}, "unrecognised"),
    row("empty concept", {"medicationCodeableConcept": {}}, "none"),
    row("blank text", {"medicationCodeableConcept": {"text": "  "}}, "none"),
    row("no medication", {}, "none"),
]


@pytest.mark.parametrize(("shape", "expected"), NOBODY_CAN_NAME)
def test_what_nobody_can_name(shape: dict, expected: str) -> None:
    assert named(shape).recognised == expected


# Code and text that disagree: the code counts, and the conflict is told (R-DQ-06).
CONFLICTS = [
    row("same drug", {**HALDOL, "text": "Haldol 5 mg"}, False),
    row("ordinary text", {**HALDOL, "text": "as discussed"}, False),
    row("another drug in the text", {**HALDOL, "text": "olanzapine 5 mg"}, True),
    row("two codes of two drugs", {"coding": [{"system": RXNORM, "code": "5093"}, {"system": RXNORM, "code": "61381"}]},
        True),
    row("ingredient and product of one drug",
        {"coding": [{"system": RXNORM, "code": "5093"}, {"system": RXNORM, "code": "310672"}]}, False),
    row("combination and one of its parts",
        {"coding": [{"system": RXNORM, "code": "8076"}, {"system": RXNORM, "code": "282427"}]}, False),
    row("a foreign system's code", {"coding": [{"system": RXNORM, "code": "5093"}, {"system": SNOMED, "code": "1"}]},
        False),
]  # fmt: skip


@pytest.mark.parametrize(("found", "conflict"), CONFLICTS)
def test_code_and_text(found: dict, conflict: bool) -> None:
    assert named({"medicationCodeableConcept": found}).conflict is conflict


def test_a_conflict_is_judged_by_the_code_and_told() -> None:
    draft = {**order("haloperidol"), "medicationCodeableConcept": {**HALDOL, "text": "olanzapine 5 mg"}}
    answer = sign(draft, aged(22, "male"))
    assert "Haloperidol" in answer.card["summary"]
    assert "name different drugs; the code was used" in answer.card["detail"]


def test_a_match_by_text_is_said_on_the_card() -> None:
    assert "Drug matched by text" in sign(order("Haldol 5 mg"), aged(22, "male")).card["detail"]


LONG_ACTING = [
    row("decanoate by code", "rxnorm:26420", True),
    row("decanoate in words", "Haloperidol decanoate 100 mg IM", True),
    row("Invega Sustenna", "Invega Sustenna 156 mg", True),
    row("Risperdal Consta", "Risperdal Consta 25 mg", True),
    row("haloperidol injection", "Haloperidol 5 mg/mL injection", False),
    row("haloperidol", "haloperidol", False),
    row("paliperidone tablets, extended release", "Paliperidone ER 6 mg oral tablet", False),
]


@pytest.mark.parametrize(("drug", "expected"), LONG_ACTING)
def test_long_acting(drug: str, expected: bool) -> None:
    concept_of = order(drug)["medicationCodeableConcept"]
    assert named({"medicationCodeableConcept": concept_of}).long_acting is expected


def test_an_ingredient_code_without_a_name_is_recognised() -> None:
    """Every ingredient of the table, also one that no product list holds by itself."""
    assert names(named({"medicationCodeableConcept": concept(RXNORM, "1658314")})) == ["brexpiprazole"]


# The text of a concept, the display of the reference to it -> the drugs, and what the drug is called.
DISPLAYS = [
    row("the display names what the text does not", "Hausmischung", "Haldol 5 mg", ["haloperidol"], "Haldol 5 mg"),
    row("both name it", "haloperidol", "Haldol 5 mg", ["haloperidol"], "haloperidol"),
    row("the display alone", "", "Haldol 5 mg", ["haloperidol"], "Haldol 5 mg"),
    row("blanks for a display", "haloperidol", "  ", ["haloperidol"], "haloperidol"),
    row("neither names a drug of ours", "Hausmischung", "Amoxicillin", [], "Hausmischung"),
]


@pytest.mark.parametrize(("text", "display", "drugs", "label"), DISPLAYS)
def test_the_display_of_a_reference_is_read_as_well(text: str, display: str, drugs: list[str], label: str) -> None:
    found = of_concept(Concept(text=text or None), display)
    assert ([item.name for item in found.ingredients], found.label) == (drugs, label)


@pytest.mark.parametrize("codes", [("310672", "372377"), ("372377", "310672")])
def test_of_two_codes_of_a_drug_the_one_that_tells_the_strength_counts(codes: tuple[str, str]) -> None:
    found = named({"medicationCodeableConcept": {"coding": [{"system": RXNORM, "code": code} for code in codes]}})
    assert (names(found), found.route, len(found.strengths)) == (["haloperidol"], "oral", 1)
