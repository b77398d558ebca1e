"""Every ingredient of a combination is kept, by name where no code is confirmed, and none of these fires a rule."""

from __future__ import annotations

import csv
from pathlib import Path

import pytest

from plugin.desk.explain import explain
from tests.support.fhir import Json, order
from tests.support.fire import sign
from tests.support.rows import aged, row
from valuesets import Terminology, load
from valuesets.release.further import components_of, with_further
from valuesets.release.shape import Described

SOURCE = Path(__file__).resolve().parents[2] / "scripts" / "valuesets" / "source"
RXNORM = "http://www.nlm.nih.gov/research/umls/rxnorm"
NDC = "http://hl7.org/fhir/sid/ndc"


@pytest.fixture(scope="module")
def codes() -> Terminology:
    return load()


# system, code, ingredients with a code of ours, further ingredients
CODED = [
    row("combination of ingredients", RXNORM, "214444", {"promethazine"}, {"codeine"}),
    row("three", RXNORM, "214449", {"promethazine"}, {"codeine", "phenylephrine"}),
    row("salts", RXNORM, "996757", {"promethazine"}, {"codeine", "phenylephrine"}),
    row("three, and one that is no salt of another", RXNORM, "689513", {"promethazine"},
        {"aspirin", "caffeine", "dihydrocodeine"}),
    row("brand with its ingredients", RXNORM, "998183", {"diphenhydramine"}, {"codeine", "phenylephrine"}),
    row("brand alone", RXNORM, "85783", {"hydrochlorothiazide"}, {"lisinopril"}),
    row("brand of two recipes: what they share", RXNORM, "29115", {"magnesium hydroxide"}, {"aluminum hydroxide"}),
    row("pack", RXNORM, "2681010", {"diphenhydramine"}, {"acetaminophen"}),
    row("pack with volumes", RXNORM, "1371966", {"doxylamine"}, {"acetaminophen", "dextromethorphan", "phenylephrine"}),
    row("pack in an old spelling", RXNORM, "1242561", {"doxylamine"},
        {"acetaminophen", "dextromethorphan", "phenylephrine"}),
    row("an old name without a form", RXNORM, "374752", {"calcium carbonate", "magnesium hydroxide"}, {"simethicone"}),
    row("known ingredients only", RXNORM, "61381", {"olanzapine"}, set()),
    row("NDC", NDC, "50383-804", {"promethazine"}, {"codeine"}),
]  # fmt: skip


@pytest.mark.parametrize(("system", "code", "ours", "further"), CODED)
def test_codes_of_combinations(codes: Terminology, system: str, code: str, ours: set[str], further: set[str]) -> None:
    found = codes.product(system, code)
    assert found is not None
    assert ({one.name for one in found.ingredients}, set(found.further)) == (ours, further)
    assert found.multi == bool(further or len(ours) > 1)


# text -> ingredients of ours, further ones
WORDED = [
    row("both names", "promethazine-codeine 6.25-10 mg/5 mL", {"promethazine"}, ("codeine",)),
    row("capitals and salts", "PROMETHAZINE HCL/CODEINE PHOSPHATE SYRUP", {"promethazine"}, ("codeine",)),
    row("a brand that holds one", "Lybalvi 10 mg-10 mg tablet", {"olanzapine"}, ("samidorphan",)),
    row("a brand of RxNorm", "Zestoretic 20-12.5 mg", {"hydrochlorothiazide"}, ("lisinopril",)),
    row("denied", "promethazine, no codeine", {"promethazine"}, ()),
    row("none of ours beside it", "codeine 30 mg tablet", set(), ()),
    row("one of ours whose name holds another", "sodium chloride and potassium phosphate, calcium carbonate",
        {"calcium carbonate"}, ("sodium chloride", "potassium phosphate")),
    row("one drug", "haloperidol 5 mg tablet", {"haloperidol"}, ()),
]  # fmt: skip


@pytest.mark.parametrize(("text", "ours", "further"), WORDED)
def test_texts_of_combinations(codes: Terminology, text: str, ours: set[str], further: tuple[str, ...]) -> None:
    found = codes.match_text(text)
    assert ({one.name for one in found.ingredients}, found.further) == (ours, further)


def test_no_combination_of_the_table_lacks_an_ingredient(codes: Terminology) -> None:
    """A row that holds several names at least two; the codes of nine hundred brands alone stand for their products."""
    with (SOURCE / "products.csv").open(encoding="utf-8", newline="") as file:
        rows = [line for line in csv.DictReader(file) if line["multi"] == "yes"]
    found = {line["rxcui"]: codes.product(RXNORM, line["rxcui"]) for line in rows}
    bare = [code for code, one in found.items() if one is None or len(one.ingredients) + len(one.further) < 2]
    assert len(rows) > 4000
    assert bare == []


SPELT = [
    row("amounts", "Codeine 2 MG/ML / Promethazine 1.25 MG/ML Oral Solution", ["Codeine", "Promethazine"]),
    row("no amounts", "Codeine / Promethazine Oral Solution", ["Codeine", "Promethazine"]),
    row("pack of one", "{6 (cariprazine 3 MG Oral Capsule [Vraylar]) } Pack [Vraylar]", ["cariprazine"]),
    row("pack of two, with volumes", "{1 (480 ML) (Magnesium Sulfate 0.03 MEQ/ML / 5-HTP 4 MG/ML Oral Solution) / "
        "1 (2000 ML) (Sodium Chloride 5 MG/ML Oral Solution) } Pack",
        ["Magnesium Sulfate", "5-HTP", "Sodium Chloride"]),
]  # fmt: skip


@pytest.mark.parametrize(("name", "expected"), SPELT)
def test_what_a_name_spells_out(name: str, expected: list[str]) -> None:
    assert components_of(name, {"Oral Solution"}) == expected


def test_a_salt_is_told_as_its_ingredient_where_that_has_a_name_of_its_own(codes: Terminology) -> None:
    products = [
        Described("1", "SCD", "codeine phosphate 2 MG/ML / promethazine 1 MG/ML Oral Solution", ("8745",), multi=True),
        Described("2", "SCDF", "codeine / promethazine Oral Solution", ("8745",), "Oral Solution", multi=True),
        Described("3", "SCD", "zinc acetate 1 MG/ML / promethazine 1 MG/ML Oral Solution", ("8745",), multi=True),
        Described(
            "4", "SBDF", "codeine / promethazine Oral Solution [Brandex]", ("8745",), "Oral Solution", multi=True
        ),
        Described("5", "BN", "Brandex", ("8745",)),
    ]
    told = with_further(products, codes.match_text)
    assert [one.further for one in told] == [("codeine",), ("codeine",), ("zinc acetate",), ("codeine",), ("codeine",)]
    assert [one.multi for one in told] == [True] * 5


def _worded(text: str) -> Json:
    return order(more={"medicationCodeableConcept": {"text": text}})


def test_further_ingredients_are_listed_where_the_ingredients_are(codes: Terminology) -> None:
    told = explain("rxnorm|214444", codes)
    assert told.meaning == "drug: promethazine + codeine"
    assert ("further ingredient", "codeine (known by name only, judged by no rule)") in told.facts
    card = sign(_worded("codeine phosphate / promethazine hcl 10-6.25 mg/5 mL"), aged(1)).card
    facts = [one["text"] for one in card["extension"]["org.dystonia-cds"]["facts"]]
    assert "Promethazine matched by text; further ingredients, judged by no rule: codeine" in facts


def test_a_further_ingredient_alone_is_an_ordinary_drug(codes: Terminology) -> None:
    assert not explain("codeine 30 mg tablet", codes).resolved
    assert sign(_worded("codeine 30 mg tablet"), aged(1)).cards == []


def test_what_a_medication_lists_is_kept_by_name() -> None:
    drug = {
        "resourceType": "Medication",
        "id": "m1",
        "code": {"text": "cough mixture of the ward"},
        "ingredient": [{"itemCodeableConcept": {"text": one}} for one in ("promethazine", "codeine <b>phosphate</b>")],
    }
    draft = order(more={"contained": [drug], "medicationReference": {"reference": "#m1"}})
    del draft["medicationCodeableConcept"]
    facts = [one["text"] for one in sign(draft, aged(1)).card["extension"]["org.dystonia-cds"]["facts"]]
    assert "Promethazine matched by text; further ingredients, judged by no rule: codeine b phosphate /b" in facts


def test_the_names_are_published(codes: Terminology) -> None:
    assert b'"codeine"' in codes.resources()["CodeSystem/further-ingredients"]
    assert b'"further-ingredient","valueString":"codeine"' in codes.resources()["CodeSystem/rxnorm-products"]


def test_codes_that_a_single_source_gives_are_marked(codes: Terminology) -> None:
    with (SOURCE / "single_sources.csv").open(encoding="utf-8", newline="") as file:
        rows = list(csv.DictReader(file))
    marked = {line["rxcui"]: codes.product(RXNORM, line["rxcui"]) for line in rows}
    assert {code: one.single_source for code, one in marked.items() if one} == {
        line["rxcui"]: line["source"] for line in rows
    }
    assert codes.product(RXNORM, "310672").single_source == ""  # type: ignore[union-attr]
