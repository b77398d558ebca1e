"""What ``terminology explain`` says of a code or a text, step by step; one row is one question."""

from __future__ import annotations

import msgspec
import pytest

from plugin.desk.explain import Explanation, explain
from tests.support.rows import row
from valuesets import Overlay, Terminology, load

LOCAL = "urn:oid:1.2.3.4"
RXNORM = "http://www.nlm.nih.gov/research/umls/rxnorm"
LOINC = "http://loinc.org"
ICD10CM = "http://hl7.org/fhir/sid/icd-10-cm"
NONE_HELD, NOT_ASKED = "holds no such code", "not asked: the code is of another system"
CODES = ("RxNorm code", "NDC", "ATC code", "SNOMED CT code", "LOINC code", "ICD-10-CM code", "ICD-10 code")
CLASSES = "antipsychotic, first-generation, haloperidol, qt-alternative, qt-critical"
HALOPERIDOL = (
    ("ingredient", "haloperidol (5093)"),
    ("tier of haloperidol", "H (high)"),
    ("classes of haloperidol", CLASSES),
)
METOCLOPRAMIDE = (
    ("ingredient", "metoclopramide (6915)"),
    ("tier of metoclopramide", "M (middle); under 18 H (high)"),
    (
        "classes of metoclopramide",
        "dopamine-antiemetic, female-adolescent-risk, male-sex-not-counted, young-below-30",
    ),
)
PROMETHAZINE = (
    ("ingredient", "promethazine (8745)"),
    ("tier of promethazine", "L (low); by injection M (middle); under 18 M (middle)"),
    ("classes of promethazine", "dopamine-antiemetic, phenothiazine, promethazine"),
)
PRRT2 = (
    ("gene", "PRRT2 (HGNC:30500), proline rich transmembrane protein 2"),
    ("disorder of PRRT2", "PxMD-PRRT2"),
)


def product(route: str, form: str, strength: str, long_acting: str = "no") -> tuple[tuple[str, str], ...]:
    return ("route", route), ("dose form", form), ("strength", strength), ("long-acting", long_acting)


def own() -> Terminology:
    """The data, a site's codes and what a resolver learned."""
    shipped = load()
    tablet = shipped.product(RXNORM, "310672")
    assert tablet is not None
    held = load(
        Overlay(
            drugs={
                (LOCAL, "HAL5"): msgspec.structs.replace(tablet, matched_by="site map"),
                (LOCAL, "DEPOT"): msgspec.structs.replace(tablet, long_acting=True, matched_by="site map"),
                (RXNORM, "99999999"): msgspec.structs.replace(tablet, matched_by="site map", single_source="a list"),
                (LOCAL, "GLOVES"): msgspec.structs.replace(tablet, ingredients=(), name="", matched_by="site map"),
            },
            analytes={(LOCAL, "CA"): "calcium", ("urn:other", "CA"): "calcium-ionised", (LOINC, "99999-9"): "calcium"},
            conditions={(LOCAL, "TD"): frozenset({"tardive", "dystonia"}), (ICD10CM, "Z99.99"): frozenset({"tardive"})},
            version="1",
        )
    )
    held.learn(Overlay(drugs={(LOCAL, "H1"): msgspec.structs.replace(tablet, matched_by="RxNav")}, version="2"))
    return held


@pytest.fixture(scope="module")
def terminology() -> Terminology:
    return own()


FOUND = [
    row("an RxNorm product", "rxnorm|310672", "drug: haloperidol 5 MG Oral Tablet", "RxNorm code", (
        ("drug by RxNorm code", f"{RXNORM}|310672"), ("name", "haloperidol 5 MG Oral Tablet"), *HALOPERIDOL,
        *product("oral", "Oral Tablet", "haloperidol 5 mg"))),
    row("by the system's address", f" {RXNORM} | 310672 ", "drug: haloperidol 5 MG Oral Tablet", "RxNorm code", None),
    row("in capitals", "RXNORM|310672", "drug: haloperidol 5 MG Oral Tablet", "RxNorm code", None),
    row("without a system", " 204416 ", "drug: haloperidol 5 MG/ML Injectable Solution", "RxNorm code", (
        ("drug by RxNorm code", f"{RXNORM}|204416"), ("name", "haloperidol 5 MG/ML Injectable Solution"),
        *HALOPERIDOL, *product("parenteral", "Injectable Solution", "haloperidol 5 mg/1 ml"))),
    row("an ATC code", "atc|N05AD01", "drug: haloperidol", "ATC code", (
        ("drug by ATC code", "http://www.whocc.no/atc|N05AD01"), ("name", "haloperidol"), *HALOPERIDOL,
        *product("not told", "not told", "not told"))),
    row("a LOINC code", "loinc|17861-6", "lab: calcium", "LOINC code", (
        ("lab by LOINC code", f"{LOINC}|17861-6"), ("analyte", "calcium"))),
    row("a SNOMED CT code", "snomed|15802004", "problem: dystonia", "SNOMED CT code", (
        ("problem by SNOMED CT code", "http://snomed.info/sct|15802004"), ("conditions", "dystonia"))),
    row("a site's drug", f"{LOCAL}|HAL5", "drug: haloperidol 5 MG Oral Tablet", "site map", (
        ("drug by site map", f"{LOCAL}|HAL5"), ("name", "haloperidol 5 MG Oral Tablet"), *HALOPERIDOL,
        *product("oral", "Oral Tablet", "haloperidol 5 mg"))),
    row("a site's depot", f"{LOCAL}|DEPOT", "drug: haloperidol 5 MG Oral Tablet", "site map", (
        ("drug by site map", f"{LOCAL}|DEPOT"), ("name", "haloperidol 5 MG Oral Tablet"), *HALOPERIDOL,
        *product("oral", "Oral Tablet", "haloperidol 5 mg", "yes"))),
    row("a standard drug that only the site knows", "rxnorm|99999999", "drug: haloperidol 5 MG Oral Tablet", "site map",
        (("drug by site map", f"{RXNORM}|99999999"), ("name", "haloperidol 5 MG Oral Tablet"), *HALOPERIDOL,
        *product("oral", "Oral Tablet", "haloperidol 5 mg"), ("confirmed by", "a single source: a list"))),
    row("a drug whose tier hangs on route and age", "rxnorm|8745", "drug: promethazine", "RxNorm code", (
        ("drug by RxNorm code", f"{RXNORM}|8745"), ("name", "Promethazine"), *PROMETHAZINE,
        *product("not told", "not told", "not told"))),
    row("two strengths", "rxnorm|150923", "drug: Calcium Carbonate 1250 MG / Cholecalciferol 0.005 MG Oral Tablet",
        "RxNorm code", (
        ("drug by RxNorm code", f"{RXNORM}|150923"),
        ("name", "Calcium Carbonate 1250 MG / Cholecalciferol 0.005 MG Oral Tablet"),
        ("ingredient", "calcium carbonate (1897)"), ("tier of calcium carbonate", "- (not in the risk table)"),
        ("classes of calcium carbonate", "calcium"),
        ("ingredient", "cholecalciferol (2418)"), ("tier of cholecalciferol", "- (not in the risk table)"),
        ("classes of cholecalciferol", "vitamin-d"),
        *product("oral", "Oral Tablet", "calcium carbonate 1250 mg, cholecalciferol 0.005 mg"))),
    row("a site's supply", f"{LOCAL}|GLOVES", "drug: none", "site map", (
        ("drug by site map", f"{LOCAL}|GLOVES"), ("ingredients", "none that the rules look at"))),
    row("a site's test", f"{LOCAL}|CA", "lab: calcium", "site map", (
        ("lab by site map", f"{LOCAL}|CA"), ("analyte", "calcium"))),
    row("a site's problem", "TD", "problem: dystonia + tardive", "site map", (
        ("problem by site map", f"{LOCAL}|TD"), ("conditions", "dystonia + tardive"))),
    row("a standard code that only the site knows", "loinc|99999-9", "lab: calcium", "site map", (
        ("lab by site map", f"{LOINC}|99999-9"), ("analyte", "calcium"))),
    row("a standard problem that only the site knows", "icd-10-cm|Z99.99", "problem: tardive", "site map", (
        ("problem by site map", f"{ICD10CM}|Z99.99"), ("conditions", "tardive"))),
    row("what a resolver learned", f"{LOCAL}|H1", "drug: haloperidol 5 MG Oral Tablet", "resolver", (
        ("drug by RxNav", f"{LOCAL}|H1"), ("name", "haloperidol 5 MG Oral Tablet"), *HALOPERIDOL,
        *product("oral", "Oral Tablet", "haloperidol 5 mg"))),
    row("a gene's identifier", "hgnc|HGNC:30500", "gene: PRRT2", "gene", PRRT2),
    row("a gene's identifier without its system", "HGNC:30500", "gene: PRRT2", "gene", PRRT2),
    row("a gene's name", "PRRT2", "gene: PRRT2", "gene", PRRT2),
    row("a long-acting injection in words", "Haldol decanoate 50 mg IM", "drug: haloperidol", "text of a drug", (
        ("drug by text", "haldol decanoate"), *HALOPERIDOL, ("route", "parenteral"),
        ("strength", "haloperidol 50 mg"), ("long-acting", "yes"))),
    row("how often, in words", "metoclopramid 10 mg po tid", "drug: metoclopramide", "text of a drug", (
        ("drug by text", "metoclopramid"), *METOCLOPRAMIDE, ("route", "oral"), ("strength", "metoclopramide 10 mg"),
        ("frequency", "TID"), ("long-acting", "no"))),
    row("two drugs, one misspelt", "halperidol and Reglan 5 mg/mL inj", "drug: haloperidol + metoclopramide",
        "text of a drug", (
        ("drug by text", "haloperidol, reglan"), ("misspelt", "halperidol"), *HALOPERIDOL, *METOCLOPRAMIDE,
        ("route", "parenteral"), ("strength", "not told"), ("long-acting", "no"))),
    row("a drug in words and nothing else", "haloperidol", "drug: haloperidol", "text of a drug", (
        ("drug by text", "haloperidol"), *HALOPERIDOL, ("route", "not told"), ("strength", "not told"),
        ("long-acting", "no"))),
    row("a drug beside one that is known by name alone", "promethazine-codeine syrup",
        "drug: promethazine + codeine", "text of a drug", (
        ("drug by text", "promethazine"), *PROMETHAZINE,
        ("further ingredient", "codeine (known by name only, judged by no rule)"),
        ("route", "oral"), ("strength", "not told"), ("long-acting", "no"))),
    row("a problem in words", "tardive dyskinesia", "problem: tardive", "text of a problem", (
        ("conditions by text", "tardive"),)),
]  # fmt: skip


@pytest.mark.parametrize(("given", "meaning", "step", "facts"), FOUND)
def test_what_is_found(
    terminology: Terminology, given: str, meaning: str, step: str, facts: tuple[tuple[str, str], ...] | None
) -> None:
    found = explain(given, terminology)
    outcomes = {one.name: one.outcome for one in found.steps}
    assert (found.given, found.resolved, found.meaning) == (given, True, meaning)
    assert facts is None or found.facts == facts
    assert outcomes[step] == TOLD.get(given, meaning)
    others = {name: outcome for name, outcome in outcomes.items() if name != step}
    assert set(others.values()) <= {
        NONE_HELD,
        NOT_ASKED,
        "no gene that is known",
        "not asked: a code was given",
        "names no known drug",
        "names no known problem",
    }


# What the step says, where it is more than the meaning.
TOLD = {
    "haloperidol": "drug: 'haloperidol' names haloperidol",
    "promethazine-codeine syrup": "drug: 'promethazine' names promethazine + codeine",
    "Haldol decanoate 50 mg IM": "drug: 'haldol decanoate' names haloperidol",
    "metoclopramid 10 mg po tid": "drug: 'metoclopramid' names metoclopramide",
    "halperidol and Reglan 5 mg/mL inj": ("drug: 'haloperidol', 'reglan' name haloperidol + metoclopramide (misspelt)"),
}


def steps(found: Explanation) -> list[tuple[str, str]]:
    return [(one.name, one.outcome) for one in found.steps]


def test_every_step_of_a_text(terminology: Terminology) -> None:
    found = explain("flat foot", terminology)
    assert (found.resolved, found.meaning, found.facts) == (False, "nothing that is known", ())
    assert steps(found) == [
        *((name, NONE_HELD) for name in (*CODES, "site map", "resolver")),
        ("gene", "no gene that is known"),
        ("text of a drug", "names no known drug"),
        ("text of a problem", "names no known problem"),
    ]


@pytest.mark.parametrize(
    ("given", "asked"),
    [
        ("rxnorm|none", "RxNorm code"),
        ("NDC|0", "NDC"),
        ("atc|0", "ATC code"),
        ("SNOMED|0", "SNOMED CT code"),
        ("loinc|0", "LOINC code"),
        ("icd-10-cm|0", "ICD-10-CM code"),
        ("icd-10|0", "ICD-10 code"),
        ("urn:nobody|0", ""),
    ],
)
def test_a_code_is_asked_in_its_own_system_alone(terminology: Terminology, given: str, asked: str) -> None:
    found = explain(given, terminology)
    assert not found.resolved
    assert steps(found) == [
        *((name, NONE_HELD if name == asked else NOT_ASKED) for name in CODES),
        ("site map", NONE_HELD),
        ("resolver", NONE_HELD),
        ("gene", "no gene that is known"),
        ("text", "not asked: a code was given"),
    ]


def test_a_bare_code_is_looked_up_in_every_system_of_the_site(terminology: Terminology) -> None:
    found = explain("CA", terminology)
    assert found.meaning == "lab: calcium; lab: calcium-ionised"
    assert [value for name, value in found.facts if name == "lab by site map"] == [f"{LOCAL}|CA", "urn:other|CA"]


def test_a_text_may_name_a_drug_and_a_problem(terminology: Terminology) -> None:
    found = explain("haloperidol for tardive dyskinesia", terminology)
    assert found.meaning == "drug: haloperidol; problem: tardive"
    assert found.facts[0] == ("drug by text", "haloperidol")
    assert found.facts[-1] == ("conditions by text", "tardive")


def test_a_text_that_denies_means_nothing(terminology: Terminology) -> None:
    found = explain("no haloperidol", terminology)
    assert (found.resolved, found.facts) == (False, ())
    said = "'haloperidol' names haloperidol, but 'no' says that it is not taken"
    assert ("text of a drug", said) in steps(found)


def test_a_number_is_no_gene(terminology: Terminology) -> None:
    assert ("gene", "no gene that is known") in steps(explain("30500", terminology))
