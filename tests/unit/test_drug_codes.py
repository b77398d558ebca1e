"""Which drug a code means: RxNorm, NDC, ATC and SNOMED CT in every spelling, near misses, and which code counts."""

from __future__ import annotations

import csv
import json
from decimal import Decimal
from pathlib import Path

import pytest

from plugin.fhir.medication import of_concept
from plugin.fhir.types import concept_of
from plugin.patient import Medication
from tests.support.fhir import Json, order
from tests.support.fire import sign
from tests.support.rows import aged, row
from valuesets import Overlay, Product, Strength, Terminology, load
from valuesets.ndc import readings

SOURCE = Path(__file__).resolve().parents[2] / "scripts" / "valuesets" / "source"
RXNORM = "http://www.nlm.nih.gov/research/umls/rxnorm"
NDC = "http://hl7.org/fhir/sid/ndc"
ATC = "http://www.whocc.no/atc"
SNOMED = "http://snomed.info/sct"


@pytest.fixture(scope="module")
def codes() -> Terminology:
    return load()


def names(product: Product | Medication | None) -> list[str]:
    """The ingredients, sorted; empty for None."""
    return sorted(item.name for item in product.ingredients) if product else []


def table(name: str) -> list[dict[str, str]]:
    with (SOURCE / f"{name}.csv").open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))


# system, code, ingredients, how it was matched
RESOLVED = [
    row("RxNorm ingredient", RXNORM, "5093", ["haloperidol"], "RxNorm code"),
    row("RxNorm salt", RXNORM, "26420", ["haloperidol"], "RxNorm code"),
    row("RxNorm product", RXNORM, "310672", ["haloperidol"], "RxNorm code"),
    row("RxNorm branded product", RXNORM, "1998453", ["aripiprazole"], "RxNorm code"),
    row("RxNorm component", RXNORM, "385511", ["haloperidol"], "RxNorm code"),
    row("RxNorm form", RXNORM, "1719668", ["haloperidol"], "RxNorm code"),
    row("RxNorm dose form group", RXNORM, "1151159", ["dicobalt edetate"], "RxNorm code"),
    row("RxNorm brand name", RXNORM, "114265", ["alendronate"], "RxNorm code"),
    row("RxNorm combination", RXNORM, "214444", ["promethazine"], "RxNorm code"),
    row("RxNorm pack", RXNORM, "754508", ["aprepitant"], "RxNorm code"),
    row("RxNorm branded pack", RXNORM, "1741747", ["cariprazine"], "RxNorm code"),
    row("RxNorm by OID", "urn:oid:2.16.840.1.113883.6.88", "5093", ["haloperidol"], "RxNorm code"),
    row("RxNorm with a slash", f"{RXNORM}/", "5093", ["haloperidol"], "RxNorm code"),
    row("RxNorm in capitals", RXNORM.upper(), "5093", ["haloperidol"], "RxNorm code"),
    row("RxNorm with spaces", f" {RXNORM} ", " 5093 ", ["haloperidol"], "RxNorm code"),
    row("an ingredient that no product list holds", RXNORM, "1731071", ["fosaprepitant"], "RxNorm code"),
    row("the public wrong code is what it is", RXNORM, "205489", ["bumetanide"], "RxNorm code"),
    row("the antidote is not the drug", RXNORM, "349326", ["digoxin antibodies fab fragments"], "RxNorm code"),
    row("calcium edetate does not lower calcium", RXNORM, "847703", ["edetate calcium disodium"], "RxNorm code"),
    row("NDC 4-4-2", NDC, "0143-9319-01", ["haloperidol"], "NDC"),
    row("NDC 5-3-2", NDC, "17478-110-10", ["haloperidol"], "NDC"),
    row("NDC 5-4-1", NDC, "10147-0911-1", ["haloperidol"], "NDC"),
    row("NDC 5-4-2", NDC, "00143-9319-01", ["haloperidol"], "NDC"),
    row("NDC of eleven digits", NDC, "17478011010", ["haloperidol"], "NDC"),
    row("NDC of ten digits, 4-4-2", NDC, "0143931901", ["haloperidol"], "NDC"),
    row("NDC of ten digits, 5-3-2", NDC, "1747811010", ["haloperidol"], "NDC"),
    row("NDC of ten digits, 5-4-1", NDC, "1014709111", ["haloperidol"], "NDC"),
    row("NDC without its package, 4-4", NDC, "0143-9319", ["haloperidol"], "NDC"),
    row("NDC without its package, 5-3", NDC, "17478-110", ["haloperidol"], "NDC"),
    row("NDC without its package, 5-4", NDC, "10147-0911", ["haloperidol"], "NDC"),
    row("NDC with stray spaces", NDC, " 0143 - 9319-01", ["haloperidol"], "NDC"),
    row("NDC by OID", "urn:oid:2.16.840.1.113883.6.69", "0143-9319-01", ["haloperidol"], "NDC"),
    row("NDC of a combination", NDC, "0002-3230-30", ["fluoxetine", "olanzapine"], "NDC"),
    row("two readings of one drug", NDC, "1054405120", ["promethazine"], "NDC"),
    row("ATC", ATC, "N05AD01", ["haloperidol"], "ATC code"),
    row("ATC in small letters", ATC, "n05ad01", ["haloperidol"], "ATC code"),
    row("ATC by OID", "urn:oid:2.16.840.1.113883.6.73", "A03FA01", ["metoclopramide"], "ATC code"),
    row("ATC of a combination", ATC, "A04AA55", ["netupitant", "palonosetron"], "ATC code"),
    row("ATC of a drug that RxNorm does not code", ATC, "N05AL07", ["levosulpiride"], "ATC code"),
    row("SNOMED CT substance, wrongly called fentanyl in public", SNOMED, "386837002", ["haloperidol"],
        "SNOMED CT code"),
    row("SNOMED CT product of older releases", SNOMED, "10756001", ["haloperidol"], "SNOMED CT code"),
    row("SNOMED CT by OID", "urn:oid:2.16.840.1.113883.6.96", "372776000", ["metoclopramide"], "SNOMED CT code"),
    row("SNOMED CT edition", f"{SNOMED}/731000124108", "372776000", ["metoclopramide"], "SNOMED CT code"),
]  # fmt: skip


@pytest.mark.parametrize(("system", "code", "expected", "how"), RESOLVED)
def test_codes_that_resolve(codes: Terminology, system: str, code: str, expected: list[str], how: str) -> None:
    found = codes.product(system, code)
    assert (names(found), found and found.matched_by) == (expected, how)


UNRESOLVED = [
    row("an RxNorm code that nobody gave out", RXNORM, "99999999"),
    row("the name in place of the code", RXNORM, "haloperidol"),
    row("an identity of our own", RXNORM, "local:cariprazine"),
    row("no system", "", "5093"),
    row("another system", "http://example.org/drugs", "5093"),
    row("nothing at all", RXNORM, ""),
    row("NDC of another product", NDC, "0143-9999-01"),
    row("NDC with three digits too few", NDC, "0143-931"),
    row("NDC of nine digits", NDC, "001439319"),
    row("NDC of twelve digits", NDC, "000143931901"),
    row("NDC of a shape that does not exist", NDC, "014-39319-01"),
    row("NDC with a letter", NDC, "0143-931A-01"),
    row("NDC in other digits", NDC, "０143-9319-01"),
    row("NDC with a package in other digits", NDC, "0143-9319-0１"),
    row("NDC with a letter in its package", NDC, "0143-9319-0A"),
    row("NDC with a package of one digit where two are due", NDC, "0143-9319-1"),
    row("NDC with a package of three digits", NDC, "0143-9319-001"),
    row("NDC 5-4 with a package of three digits", NDC, "10147-0911-001"),
    row("two products of different drugs under one number", NDC, "11673-012-01"),
    row("ten digits that may be promethazine or prochlorperazine", NDC, "1054405110"),
    row("a homeopathic product with the word chlorpromazine", NDC, "64578-0060"),
    row("ATC of the 4th level", ATC, "N05AD"),
    row("ATC of the 3rd level", ATC, "N05A"),
    row("ATC of another drug", ATC, "C10AA05"),
    row("an ATC combination that does not say with what", ATC, "N06CA01"),
    row("SNOMED CT with a wrong check digit", SNOMED, "386837003"),
    row("SNOMED CT of a finding", SNOMED, "9713002"),
    row("a SNOMED CT code that one source alone gives", SNOMED, "409356003"),
]


@pytest.mark.parametrize(("system", "code"), UNRESOLVED)
def test_codes_that_do_not_resolve(codes: Terminology, system: str, code: str) -> None:
    assert codes.product(system, code) is None


READINGS = [
    row("4-4-2", "0143-9319-01", ("001439319",)),
    row("5-3-2", "17478-110-10", ("174780110",)),
    row("5-4-1", "10147-0911-1", ("101470911",)),
    row("5-4-2", "00143-9319-01", ("001439319",)),
    row("eleven digits", "00143931901", ("001439319",)),
    row("ten digits", "1054405120", ("010544051", "105440051", "105440512")),
    row("no digits", "-", ()),
]


@pytest.mark.parametrize(("code", "expected"), READINGS)
def test_readings_of_an_ndc(code: str, expected: tuple[str, ...]) -> None:
    assert readings(code) == expected


def _several(line: dict[str, str], found: Product) -> bool:
    """A brand holds several, too, where all of its products share an ingredient that is known by name only."""
    return line["multi"] == "yes" or (line["tty"] == "BN" and bool(found.further))


def test_every_row_of_the_product_table_resolves_to_its_ingredients(codes: Terminology) -> None:
    wrong = [
        line["rxcui"]
        for line in table("products")
        if (found := codes.product(RXNORM, line["rxcui"])) is None
        or [item.rxcui for item in found.ingredients] != line["ingredients"].split()
        or (found.tty, found.dose_form, found.multi) != (line["tty"], line["dose_form"], _several(line, found))
        or len(found.strengths) != len(line["strengths"].split(";") if line["strengths"] else [])
    ]
    assert wrong == []


def test_every_row_of_the_ndc_table_resolves_to_its_ingredients(codes: Terminology) -> None:
    wrong = [
        line["product"]
        for line in table("ndc")
        for package in ("", "-1" if len(line["product"]) == len("12345-1234") else "-01")
        if (found := codes.product(NDC, line["product"] + package)) is None
        or [item.rxcui for item in found.ingredients] != line["ingredients"].split()
        or found.route != line["route"]
    ]
    assert wrong == []


@pytest.mark.parametrize(("system", "name"), [(ATC, "atc"), (SNOMED, "drug_snomed")])
def test_every_row_of_the_other_tables_resolves_to_its_ingredients(codes: Terminology, system: str, name: str) -> None:
    for line in table(name):
        assert names(codes.product(system, line["code"])) == sorted(line["ingredients"].split("; ")), line


def test_a_product_tells_form_route_and_strength_of_every_ingredient(codes: Terminology) -> None:
    symbyax = codes.product(NDC, "0002-3230-30")
    assert symbyax is not None
    assert (symbyax.dose_form, symbyax.route, symbyax.multi) == ("Capsule", "oral", True)
    assert set(symbyax.strengths) == {
        Strength("61381", Decimal(3), "mg"),
        Strength("4493", Decimal(25), "mg"),
    }


PRODUCTS = [
    row("volume other than one", NDC, "50458-560-01", "parenteral", True, [("39", "mg", "0.25", "ml")]),
    row("decanoate", NDC, "25021-831-01", "parenteral", True, [("50", "mg", "1", "ml")]),
    row("lactate", NDC, "0143-9319-01", "parenteral", False, [("5", "mg", "1", "ml")]),
    row("tablets of extended release are no depot", NDC, "0378-3979-93", "oral", False, [("3", "mg", None, "")]),
    row("an ATC code tells no strength", ATC, "N05AD01", "", False, []),
    row("an ATC code of the skin", ATC, "D04AA10", "topical", False, []),
    row("strength per hour", RXNORM, "2265729", "transdermal", False, [("0.158", "mg", "1", "h")]),
]


@pytest.mark.parametrize(("system", "code", "route", "long_acting", "strengths"), PRODUCTS)
def test_what_a_product_tells(
    codes: Terminology, system: str, code: str, route: str, long_acting: bool, strengths: list[tuple[str, ...]]
) -> None:
    found = codes.product(system, code)
    assert found is not None
    assert (found.route, found.long_acting) == (route, long_acting)
    expected = [
        (Decimal(value), unit, Decimal(per) if per else None, per_unit) for value, unit, per, per_unit in strengths
    ]
    assert [(one.value, one.unit, one.per_value, one.per_unit) for one in found.strengths] == expected


def test_readings_that_agree_on_the_drug_leave_open_what_they_do_not_agree_on(codes: Terminology) -> None:
    """Two promethazine tablets of 12.5 mg: all agree. Two strengths of one drug: the strength is open."""
    same = codes.product(NDC, "1054405120")
    assert same is not None
    assert same.strengths == (Strength("8745", Decimal("12.5"), "mg"),)
    others = _of_two_strengths(codes)
    assert others.strengths == ()
    assert len(others.ingredients) == 1


def _of_two_strengths(codes: Terminology) -> Product:
    """The first ten digits of the table that are two products of one drug with different strengths."""
    numbers = {readings(line["product"])[0]: line for line in table("ndc")}
    for line in table("ndc"):
        digits = line["product"].replace("-", "")
        for last in range(100):
            code = f"{digits}{last:02d}"[:10] if len(digits) == 8 else f"{digits}{last % 10}"
            found = [numbers[one] for one in readings(code) if one in numbers]
            if len({one["strengths"] for one in found}) > 1 and len({one["ingredients"] for one in found}) == 1:
                product = codes.product(NDC, code)
                assert product is not None
                return product
    raise AssertionError("the table holds no such pair")


# The site's codes come after all that ships, and what was learned after the site's.
def test_the_order_of_the_sources() -> None:
    def drug(name: str, by: str) -> Product:
        found = load().ingredient(name)
        assert found is not None
        return Product("x", name, "", (found,), "", "", False, (), by)

    site = Overlay(
        drugs={(RXNORM, "5093"): drug("olanzapine", "site map"), ("urn:h", "7"): drug("olanzapine", "site map")}
    )
    own = load(site)
    own.learn(Overlay(drugs={("urn:h", "7"): drug("pimozide", "RxNav"), ("urn:h", "8"): drug("pimozide", "RxNav")}))
    told = [own.product(*key) for key in ((RXNORM, "5093"), ("urn:h", "7"), ("urn:h", "8"), ("urn:h", "9"))]
    assert [one and (one.ingredients[0].name, one.matched_by) for one in told] == [
        ("haloperidol", "RxNorm code"),
        ("olanzapine", "site map"),
        ("pimozide", "RxNav"),
        None,
    ]
    own.learn(Overlay())
    assert own.product("urn:h", "8") is None


def test_a_site_s_name_of_a_drug_is_found_in_texts() -> None:
    own = load(Overlay(names={"kit seven": ("5093",)}, version="1"))
    assert [item.name for item in own.match_text("Kit-Seven PRN").ingredients] == ["haloperidol"]
    assert load().match_text("Kit-Seven PRN").ingredients == ()
    assert own.content_hash != load().content_hash


# Several codings of one concept, as (system, code, display).
def read(*codings: tuple[str, str, str], text: str = "") -> Medication:
    coded = [{"system": s, "code": c, "display": d} for s, c, d in codings]
    raw: Json = {"coding": [{key: value for key, value in one.items() if value} for one in coded], "text": text}
    concept = concept_of(json.dumps(raw).encode())
    assert concept is not None
    return of_concept(concept)


CODINGS = [
    row("RxNorm before NDC where they tell as much", [(NDC, "0093-2203-01", ""), (RXNORM, "311666", "")],
        ["metoclopramide"], "RxNorm code", ""),
    row("an NDC with strength before a bare ingredient", [(RXNORM, "6915", ""), (NDC, "0093-2203-01", "")],
        ["metoclopramide"], "NDC", ""),
    row("ATC before SNOMED CT", [(SNOMED, "386837002", ""), (ATC, "N05AD01", "")], ["haloperidol"], "ATC code", ""),
    row("a code that nobody knows beside one that we know", [(RXNORM, "99999999", ""), (ATC, "N05AD01", "")],
        ["haloperidol"], "ATC code", ""),
    row("an unknown code with a name", [(RXNORM, "99999999", "Reglan 10 MG")], ["metoclopramide"], "text", ""),
    row("a number without a system is not trusted, its display is",
        [("", "5093", "metoclopramide 10 MG")], ["metoclopramide"], "text", ""),
    row("a public wrong code: judged by the code, the hidden drug is named",
        [(RXNORM, "205489", "Metoclopramide 10 MG Oral Tablet")], ["bumetanide"], "RxNorm code", "metoclopramide"),
    row("haloperidol labelled fentanyl", [(SNOMED, "386837002", "fentanyl")], ["haloperidol"], "SNOMED CT code", ""),
    row("two codes of two drugs", [(ATC, "N05AD01", ""), (RXNORM, "1808", "")], ["bumetanide"], "RxNorm code",
        "haloperidol"),
    row("a text with a further tier M drug", [(RXNORM, "704", "perphenazine / amitriptyline")], ["amitriptyline"],
        "RxNorm code", "perphenazine"),
]  # fmt: skip


@pytest.mark.parametrize(("codings", "expected", "how", "hidden"), CODINGS)
def test_which_coding_counts(codings: list[tuple[str, str, str]], expected: list[str], how: str, hidden: str) -> None:
    for order_of in (codings, codings[::-1]):
        found = read(*order_of)
        assert (names(found), found.matched_by, found.named) == (expected, how, hidden)


def test_a_combination_keeps_what_a_code_of_its_part_leaves_out() -> None:
    """The part is coded as a product with strength, the combination without: both ingredients are kept."""
    found = read((RXNORM, "856834", ""), (RXNORM, "282427", ""))
    assert "perphenazine" in names(found)


DIFFERENCES = [
    row("vitamin D is not said which", [(RXNORM, "2418", "Vitamin D 1000 units")], False),
    row("calcium is not said which", [(RXNORM, "1897", "calcium 500 mg")], False),
    row("calcium coded, magnesium in words", [(RXNORM, "1897", "magnesium oxide")], True),
    row("a longer text of the same drug", [(RXNORM, "6375", "carbidopa / levodopa 25/100")], False),
    row("two texts of two drugs", [("", "", "olanzapine 5 mg"), ("", "", "Haldol 5 mg")], True),
]


@pytest.mark.parametrize(("codings", "conflict"), DIFFERENCES)
def test_what_contradicts(codings: list[tuple[str, str, str]], conflict: bool) -> None:
    assert read(*codings).conflict is conflict


def test_a_misspelt_name_is_marked() -> None:
    found = read(text="haloperidole 5 mg")
    assert (names(found), found.recognised, found.matched_by) == (["haloperidol"], "text", "misspelt text")


# What the card says of how the drug was recognised.
def by(*codings: tuple[str, str, str], text: str = "") -> Json:
    coded = [{"system": s, "code": c} | ({"display": d} if d else {}) for s, c, d in codings]
    return {**order("haloperidol"), "medicationCodeableConcept": {"coding": coded} | ({"text": text} if text else {})}


TOLD = [
    row("RxNorm", by((RXNORM, "5093", "")), "Haloperidol matched by RxNorm code", ""),
    row("NDC", by((NDC, "0121-0581-04", "")), "Haloperidol matched by NDC", "Drug matched by NDC"),
    row("ATC", by((ATC, "N05AD01", "")), "Haloperidol matched by ATC code", "Drug matched by ATC code"),
    row("SNOMED CT", by((SNOMED, "386837002", "")), "Haloperidol matched by SNOMED CT code",
        "Drug matched by SNOMED CT code"),
    row("text", by(text="Haldol 5 mg"), "Haloperidol matched by text", "Drug matched by text: Haldol 5 mg."),
    row("misspelt", by(text="haloperidole 5 mg"), "Haloperidol matched by misspelt text",
        "Drug matched by misspelt text: haloperidole 5 mg."),
]  # fmt: skip


@pytest.mark.parametrize(("draft", "fact", "note"), TOLD)
def test_the_card_tells_how_the_drug_was_recognised(draft: Json, fact: str, note: str) -> None:
    card = sign(draft, aged(22, "male")).card
    facts = [one["text"] for one in card["extension"]["org.dystonia-cds"]["facts"]]
    assert facts.count(fact) == 1
    assert note in card["detail"]
    assert note or "Drug matched by" not in card["detail"]


def test_a_wrong_code_does_not_hide_the_drug_that_the_text_names() -> None:
    draft = by((RXNORM, "205489", "Metoclopramide 10 MG Oral Tablet"))
    card = sign(draft, aged(22, "male")).card
    assert card["source"]["topic"]["code"] == "R-DQ-06"
    assert "metoclopramide is named as well" in card["detail"]
