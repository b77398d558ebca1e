"""A snapshot from an RxNorm release: what each code becomes, whatever the order of the lines, and the round trip."""

from __future__ import annotations

import json
from functools import cache
from pathlib import Path
from random import Random
from typing import Any

import pytest

from tests.support.rxnorm_release import OLD, Release, excerpt
from valuesets import Product, Terminology, load
from valuesets.release.snapshot import build_snapshot
from valuesets.store import Resources

RXNORM = "http://www.nlm.nih.gov/research/umls/rxnorm"
RELEASE = "RxNorm_full_03022026"


def built(release: Release, folder: Path, shuffle: Random | None = None) -> tuple[Path, dict[str, str]]:
    """The snapshot of a release, and the facts that the command tells."""
    out = folder / "snapshot"
    facts = build_snapshot(
        release.write(folder / RELEASE, shuffle), out, "", Resources(), load(), lambda name, done, size: None
    )
    return out, dict(facts)


@pytest.fixture(scope="module")
def small(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, dict[str, str]]:
    return built(excerpt(), tmp_path_factory.mktemp("small"))


@cache
def loaded(folder: Path) -> Terminology:
    return load(snapshot=folder)


def told(product: Product | None) -> str:
    """A product in one line: type; ingredients ("and others" where it holds more); form; route; strengths; depot."""
    if product is None:
        return "unknown"
    strengths = [f"{one.value} {one.unit}" + (f"/{one.per_unit}" if one.per_unit else "") for one in product.strengths]
    names = "+".join(sorted(one.name for one in product.ingredients))
    names += " and others" if product.multi and len(product.ingredients) == 1 else ""
    parts = [product.tty, names, product.dose_form, product.route, ", ".join(strengths)]
    return "; ".join([*parts, "depot"] if product.long_acting else parts)


# What RxNorm describes -> what the service makes of it.
EXPECTED = {
    "ingredient": (5093, "IN; haloperidol; ; ; "),
    "salt": (26420, "PIN; haloperidol; ; ; ; depot"),
    "brand name": (151839, "BN; haloperidol; ; ; "),
    "component": (316030, "SCDC; haloperidol; ; ; 5 mg"),
    "tablet": (310672, "SCD; haloperidol; Oral Tablet; oral; 5 mg"),
    "quantified injection": (1719646, "SCD; haloperidol; Injection; parenteral; 5 mg/ml"),
    "depot injection": (859867, "SCD; haloperidol; Injectable Solution; parenteral; 50 mg/ml; depot"),
    "brand of a component": (859868, "SBDC; haloperidol; ; ; 50 mg/ml; depot"),
    "brand drug": (859869, "SBD; haloperidol; Injectable Solution; parenteral; 50 mg/ml; depot"),
    "dose form group": (1160301, "SCDG; haloperidol; Pill; oral; "),
    "combination, one ingredient ours": (214444, "MIN; promethazine and others; ; ; "),
    "pack of two strengths": (1741746, "GPCK; cariprazine; Pack; oral; "),
    "pack of one strength": (759481, "GPCK; dexamethasone; Pack; oral; 1.5 mg"),
    "ingredient that we know by name": (1667668, "SCD; cariprazine; Oral Capsule; oral; 3 mg"),
    "obsolete, without relations": (199319, "SCD; haloperidol; Oral Tablet; oral; 1.5 mg"),
    "retired twice": (OLD, "SCD; haloperidol; Oral Tablet; oral; 5 mg"),
    "retired once": (OLD + 1, "SCD; haloperidol; Oral Tablet; oral; 5 mg"),
    "split between two drugs": (OLD + 2, "unknown"),
    "retired, by the list of codes": (OLD + 5, "SCD; metoclopramide; Oral Tablet; oral; 10 mg"),
    "split, by the list of codes": (OLD + 6, "unknown"),
    "given up": (OLD + 7, "unknown"),
    "known by its unquantified form alone": (OLD + 8, "SCD; haloperidol; ; ; "),
    "strength told in two ways": (OLD + 4, "SCD; haloperidol; Oral Tablet; oral; "),
    "only in the list that ships": (314034, "SCD; haloperidol; Oral Tablet; oral; 2 mg"),
}


@pytest.mark.parametrize(("code", "expected"), EXPECTED.values(), ids=EXPECTED)
def test_what_a_code_becomes(small: tuple[Path, dict[str, str]], code: int, expected: str) -> None:
    assert told(loaded(small[0]).product(RXNORM, str(code))) == expected


# A package in the release -> what the service makes of its NDC.
PACKAGES = {
    "one product": ("99990-0001-01", "; haloperidol; Oral Tablet; oral; 5 mg"),
    "a package of it that the release does not list": ("99990000109", "; haloperidol; Oral Tablet; oral; 5 mg"),
    "generic and brand": ("99990-0002-01", "; haloperidol; Injectable Solution; parenteral; 50 mg/ml; depot"),
    "given to another drug": ("99990-0003-01", "; metoclopramide; Oral Tablet; oral; 10 mg"),
    "said of two drugs": ("99990-0004-01", "unknown"),
    "said of our drug and another": ("99990-0005-01", "unknown"),
    "given to a drug that is none of ours": ("99990-0006-01", "unknown"),
    "off the market": ("99990-0007-01", "; haloperidol; Oral Tablet; oral; 5 mg"),
    "not of eleven digits": ("99990-0008-01", "unknown"),
    "of another source": ("99990-0009-01", "unknown"),
    "a tablet and a depot": ("99990-0000-01", "; haloperidol; ; ; ; depot"),
    "only in the list that ships": ("0002-3230", "; fluoxetine+olanzapine; Capsule; oral; 3 mg, 25 mg"),
}


def test_what_a_release_spells_out_beside_our_ingredients_is_kept_by_name(small: tuple[Path, dict[str, str]]) -> None:
    found = loaded(small[0]).product(RXNORM, "214444")
    assert found is not None
    assert ([one.name for one in found.ingredients], found.further) == (["promethazine"], ("codeine",))


@pytest.mark.parametrize(("code", "expected"), PACKAGES.values(), ids=PACKAGES)
def test_what_a_package_becomes(small: tuple[Path, dict[str, str]], code: str, expected: str) -> None:
    assert told(loaded(small[0]).product("http://hl7.org/fhir/sid/ndc", code)) == expected


def test_a_combination_keeps_the_strength_of_our_ingredient(small: tuple[Path, dict[str, str]]) -> None:
    products = json.loads(loaded(small[0]).resources()["CodeSystem/rxnorm-products"])["concept"]
    name = "codeine phosphate 2 MG/ML / promethazine hydrochloride 1.25 MG/ML Oral Solution"
    code = next(one["code"] for one in products if one["display"] == name)
    expected = "SCD; promethazine and others; Oral Solution; oral; 1.25 mg/ml"
    assert told(loaded(small[0]).product(RXNORM, code)) == expected
    assert not any(one["display"].startswith("codeine phosphate 2 MG/ML Oral") for one in products)


def test_only_names_of_the_source_rxnorm_are_kept(small: tuple[Path, dict[str, str]]) -> None:
    assert b"another source" not in b"".join(path.read_bytes() for path in small[0].iterdir())
    assert b"old spelling" not in b"".join(path.read_bytes() for path in small[0].iterdir())


def test_new_brands_are_read_in_texts(small: tuple[Path, dict[str, str]]) -> None:
    """Not a brand that stands for other recipes as well: its name alone does not say what is in it."""
    codes = loaded(small[0])
    assert [one.name for one in codes.match_text("Gastrovane 10 mg").ingredients] == ["metoclopramide"]
    assert codes.match_text("Tussarin syrup").ingredients == ()
    assert small[1]["further brand names"] == "gastrovane"


def test_the_facts_that_are_told(small: tuple[Path, dict[str, str]]) -> None:
    out, facts = small
    shipped = {one["code"] for one in json.loads(load().resources()["CodeSystem/rxnorm-products"])["concept"]}
    described = {line.partition("|")[0] for line in excerpt().tables["RXNCONSO"]}
    manifest = Resources(snapshot=out).manifests[-1]
    assert facts["version"] == manifest.version == "2026-03-02" == loaded(out).version
    assert facts["content hash"] == manifest.content_hash
    assert facts["of these suppressed or obsolete in the release"] == "2"
    assert facts["of these read by their names, for want of relations"] == "1"
    assert facts["of these retired codes that stand for another"] == "3"
    assert facts["strengths left out because the release contradicts itself"] == "1"
    carried = int(facts["of these not in the release, kept from the list that ships"])
    assert 0 < carried == len(shipped - described)
    assert facts["NDC products in the release"] == "5"
    assert facts["NDCs left out because they name different drugs"] == "2"


@pytest.mark.parametrize("seed", range(5))
def test_the_order_of_lines_does_not_matter(small: tuple[Path, dict[str, str]], tmp_path: Path, seed: int) -> None:
    out, facts = built(excerpt(), tmp_path, Random(seed))
    assert facts == small[1]
    assert {path.name: path.read_bytes() for path in out.iterdir()} == {
        path.name: path.read_bytes() for path in small[0].iterdir()
    }


def test_the_same_release_gives_the_same_snapshot_wherever_it_lies(
    small: tuple[Path, dict[str, str]], tmp_path: Path
) -> None:
    """The root of the release or its folder rrf; a version that is given outweighs the folder's name."""
    release = excerpt().write(tmp_path / "elsewhere")
    out = tmp_path / "out"
    build_snapshot(release / "rrf", out, "2026-03-02", Resources(), load(), lambda name, done, size: None)
    assert Resources(snapshot=out).content_hash == Resources(snapshot=small[0]).content_hash


# -- the round trip ----------------------------------------------------------------------------------------------


MISTYPED = {"1903", "203223", "288331", "1248009", "1248037", "1248067", "1248074"}
"""Ingredients that our list calls salts of themselves, and mouthwashes of several components that it calls one."""


def test_our_own_list_written_as_a_release_comes_back(tmp_path: Path) -> None:
    """Every shipped product, described by relations as RxNorm would and read again, is the product that ships."""
    shipped = load()
    concepts = json.loads(shipped.resources()["CodeSystem/rxnorm-products"])["concept"]
    out, facts = built(as_release(concepts), tmp_path)
    assert facts["of these not in the release, kept from the list that ships"] == "0"
    again = load(snapshot=out)
    differing = {
        one["code"]: (before, after)
        for one in concepts
        if (before := compared(shipped.product(RXNORM, one["code"])))
        != (after := compared(again.product(RXNORM, one["code"])))
    }
    assert differing.keys() <= MISTYPED
    assert len(concepts) > 10_000


def compared(product: Product | None) -> tuple[Any, ...]:
    assert product is not None
    held = {one.rxcui for one in product.ingredients}, product.multi
    return product.tty, held, product.dose_form, product.route, product.long_acting, set(product.strengths)


def as_release(concepts: list[dict[str, Any]]) -> Release:
    """A release that says with components, brands and packs what our own list says in one line each."""
    writer = _Writer()
    for one in concepts:
        writer.write(one)
    return writer.release


class _Writer:
    def __init__(self) -> None:
        self.release = Release()
        self.other = self.release.concept(self.release.new(), "IN", "something else")
        self.ingredients: dict[str, int] = {}
        for ingredient in json.loads(load().resources()["CodeSystem/rxnorm-ingredients"])["concept"]:
            code = int(ingredient["code"])
            self.ingredients[ingredient["code"]] = self.release.concept(code, "IN", ingredient["display"])
        for ingredient in json.loads(load().resources()["CodeSystem/ingredients"])["concept"]:
            new = self.release.concept(self.release.new(), "IN", ingredient["display"])
            self.ingredients["local:" + ingredient["code"]] = new

    def write(self, concept: dict[str, Any]) -> None:
        rxcui, name = int(concept["code"]), concept["display"]
        values: dict[str, list[str]] = {}
        for one in concept["property"]:
            code = "ingredient" if one["code"] == "local-ingredient" else one["code"]
            told = str(next(value for key, value in one.items() if key.startswith("value")))
            values.setdefault(code, []).append("local:" + told if one["code"] == "local-ingredient" else told)
        tty, form = values["tty"][0], values.get("dose-form", [""])[0]
        codes = [self.ingredients[one] for one in values["ingredient"]]
        codes += [self.other] if "multi" in values and len(codes) == 1 else []
        self.release.concept(rxcui, tty, name)
        if tty == "IN":
            return
        getattr(self, f"_{tty.lower()}")(rxcui, codes, values.get("strength", []))
        if form and tty not in ("GPCK", "BPCK"):
            group = tty == "SCDG"
            self.release.relation(
                rxcui, "has_doseformgroup" if group else "has_dose_form", self.release.form(form, group)
            )

    def _pin(self, rxcui: int, codes: list[int], strengths: list[str]) -> None:
        self.release.relation(rxcui, "form_of", codes[0])

    def _min(self, rxcui: int, codes: list[int], strengths: list[str]) -> None:
        for code in codes:
            self.release.relation(rxcui, "has_part", code)

    def _bn(self, rxcui: int, codes: list[int], strengths: list[str]) -> None:
        for code in codes:
            self.release.relation(rxcui, "tradename_of", code)

    def _scdf(self, rxcui: int, codes: list[int], strengths: list[str]) -> None:
        for code in codes:
            self.release.relation(rxcui, "has_ingredient", code)

    _scdg = _scdf

    def _sbdf(self, rxcui: int, codes: list[int], strengths: list[str]) -> None:
        generic = self.release.concept(self.release.new(), "SCDF", "made up")
        self._scdf(generic, codes, strengths)
        self.release.relation(rxcui, "tradename_of", generic)

    def _scdc(self, rxcui: int, codes: list[int], strengths: list[str]) -> None:
        """A component of the list may hold several ingredients, which RxNorm's never do: then it is told as a drug."""
        for code in codes:
            self.release.relation(rxcui, "has_ingredient", code)
        for strength in strengths if len(codes) == 1 else []:
            self._strength(rxcui, strength)

    def _strength(self, rxcui: int, strength: str) -> None:
        amount, _, per = strength.partition("=")[2].partition("/")
        value, _, unit = amount.partition(" ")
        per_value, _, per_unit = per.rpartition(" ")
        self.release.boss(rxcui, value, unit.upper(), per_value or "1", per_unit.upper() or "EACH")

    def _components(self, codes: list[int], strengths: list[str]) -> list[int]:
        by_code = {self.ingredients[one.partition("=")[0]]: one for one in strengths}
        made = [self.release.component(self.release.new(), "made up", code) for code in codes]
        for component, code in zip(made, codes, strict=True):
            if code in by_code:
                self._strength(component, by_code[code])
        return made

    def _scd(self, rxcui: int, codes: list[int], strengths: list[str]) -> None:
        for component in self._components(codes, strengths):
            self.release.relation(rxcui, "consists_of", component)

    def _sbdc(self, rxcui: int, codes: list[int], strengths: list[str]) -> None:
        for component in self._components(codes, strengths):
            self.release.relation(rxcui, "tradename_of", component)

    def _sbd(self, rxcui: int, codes: list[int], strengths: list[str]) -> None:
        generic = self.release.concept(self.release.new(), "SCD", "made up")
        self._scd(generic, codes, strengths)
        self.release.relation(rxcui, "tradename_of", generic)

    def _gpck(self, rxcui: int, codes: list[int], strengths: list[str]) -> None:
        part = self.release.concept(self.release.new(), "SCD", "made up")
        self._scd(part, codes, strengths)
        self.release.relation(rxcui, "contains", part)

    _bpck = _gpck
