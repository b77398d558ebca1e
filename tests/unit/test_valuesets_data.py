"""The data files: valid FHIR R4, built from the tables, licensed, and faithful to them."""

import importlib.util
import json
import re
import subprocess
import sys
from pathlib import Path
from types import ModuleType

import pytest
from fhir.resources.R4B.codesystem import CodeSystem
from fhir.resources.R4B.conceptmap import ConceptMap
from fhir.resources.R4B.valueset import ValueSet

from valuesets import load
from valuesets.manifest import MANIFEST
from valuesets.store import DATA

ROOT = Path(__file__).resolve().parents[2]
BUILD = ROOT / "scripts" / "valuesets" / "build.py"
KINDS = {"CodeSystem": CodeSystem, "ConceptMap": ConceptMap, "ValueSet": ValueSet}
FILES = sorted(path for path in DATA.glob("*.json") if path.name != MANIFEST)
needs_scripts = pytest.mark.skipif(not BUILD.exists(), reason="the build scripts are not part of this package")


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.stem)
def test_valid_fhir(path: Path) -> None:
    kind, _, key = path.stem.partition("-")
    content = path.read_bytes()
    KINDS[kind].model_validate_json(content)
    fields = json.loads(content)
    assert (fields["resourceType"], fields["id"]) == (kind, key)
    assert fields["url"] == f"https://dystonia-cds.example/fhir/{kind}/{key}"
    assert re.fullmatch(r"[A-Z][A-Za-z0-9_]{0,254}", fields["name"])
    for wanted in ("version", "title", "status", "date", "publisher", "description", "purpose", "copyright"):
        assert fields[wanted], wanted


@needs_scripts
def test_data_files_are_those_of_the_tables() -> None:
    done = subprocess.run([sys.executable, str(BUILD), "--check"], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr


@needs_scripts
def test_check_names_what_differs(tmp_path: Path) -> None:
    build = _script("build")
    files = {path.name: path.read_bytes() for path in [*FILES, DATA / MANIFEST]}
    name = FILES[0].name
    assert build.differences(files) == []
    assert build.differences(files | {name: b"{}"}) == [f"differs: {name}"]
    assert build.differences(files | {"ValueSet-new.json": b"{}"}) == ["missing: ValueSet-new.json"]
    assert build.differences({one: content for one, content in files.items() if one != name}) == [
        f"not from the tables: {name}"
    ]


@needs_scripts
@pytest.mark.parametrize(
    ("check", "code", "right"),
    [
        ("loinc_ok", "17861-6", True),
        ("loinc_ok", "17861-7", False),
        ("loinc_ok", "17816-6", False),
        ("loinc_ok", "29463-7", True),
        ("loinc_ok", "98979-8", True),
        ("loinc_ok", "98979", False),
        ("snomed_ok", "15802004", True),
        ("snomed_ok", "15802005", False),
        ("snomed_ok", "15820004", False),
        ("snomed_ok", "15736441000119108", True),
        ("snomed_ok", "G24", False),
    ],
)
def test_check_digits(check: str, code: str, right: bool) -> None:
    assert getattr(_script("checks"), check)(code) is right


def test_every_file_is_published_and_hashed() -> None:
    codes = load()
    resources = codes.resources()
    assert len(resources) == len(FILES)
    assert json.loads(resources["ValueSet/dopamine-antagonists"])["id"] == "dopamine-antagonists"
    assert re.fullmatch(r"[0-9a-f]{64}", codes.content_hash)
    assert {json.loads(resources[key])["version"] for key in resources} == {codes.version}
    with pytest.raises(KeyError):
        resources["ValueSet/none"]


def test_licence_limits() -> None:
    """SNOMED CT and WHO ICD-10 are listed without names."""
    for path in FILES:
        for include in json.loads(path.read_bytes()).get("compose", {}).get("include", []):
            if include["system"] in ("http://snomed.info/sct", "http://hl7.org/fhir/sid/icd-10"):
                assert not any("display" in concept for concept in include.get("concept", [])), path.stem


def test_products_name_known_ingredients_only() -> None:
    codes = load()
    concepts = json.loads(codes.resources()["CodeSystem/rxnorm-products"])["concept"]
    products = [codes.product("http://www.nlm.nih.gov/research/umls/rxnorm", one["code"]) for one in concepts]
    assert len(products) > 11_000
    for product in products:
        assert product is not None
        assert product.ingredients
        rxcuis = {one.rxcui for one in product.ingredients}
        assert {one.ingredient_rxcui for one in product.strengths} <= rxcuis
        assert all(one.value > 0 and one.unit == one.unit.lower() for one in product.strengths)
        assert not product.long_acting or product.route in ("parenteral", "")


def test_text_finds_what_the_code_says() -> None:
    """The two ways to a drug must not contradict each other: at least 99 in 100 product names agree with the code."""
    codes = load()
    concepts = json.loads(codes.resources()["CodeSystem/rxnorm-products"])["concept"]
    agreeing, tiered_missed = 0, []
    for one in concepts:
        product = codes.product("http://www.nlm.nih.gov/research/umls/rxnorm", one["code"])
        assert product is not None
        match = codes.match_text(product.name)
        same = {i.rxcui for i in match.ingredients} == {i.rxcui for i in product.ingredients}
        agreeing += same
        if not same and any(i.tier in ("H", "M", "L") for i in product.ingredients):
            tiered_missed.append(product.name)
    assert agreeing / len(concepts) >= 0.99
    assert tiered_missed == []


def _script(name: str) -> ModuleType:
    folder = str(BUILD.parent)
    if folder not in sys.path:
        sys.path.insert(0, folder)
    spec = importlib.util.spec_from_file_location(name, BUILD.parent / f"{name}.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module
