"""The rules as FHIR artefacts: every resource valid under R4B, and what it says is what the rule says."""

from __future__ import annotations

import json
import subprocess
import sys
from decimal import Decimal
from functools import cache
from importlib import import_module
from pathlib import Path
from typing import Any

import pytest

from cds_hooks.artefacts.files import bundle, written
from cds_hooks.errors import CallTrouble
from cds_hooks.service import Site
from cds_hooks.signoff.book import Book, Signature, add
from plugin.evidence import BIBLIOGRAPHY
from plugin.guideline_text import TEXTS
from plugin.needs import TYPES, keys_of
from plugin.rule import Rule
from plugin.rules import RULES
from plugin.services import PLUGIN
from plugin.thresholds import TABLE
from tests.support.rows import row
from tests.support.server import environment

Json = dict[str, Any]
BASE = "https://rules.hospital.example/fhir"
SITE = Site(canonical=BASE, public_url="https://cds.hospital.example")
MADE = ("PlanDefinition", "Library", "ImplementationGuide", "StructureDefinition")


@cache
def artefacts() -> dict[str, Json]:
    """Every artefact of a site with a canonical address of its own."""
    return {key: json.loads(content, parse_float=Decimal) for key, content in PLUGIN(SITE).artefacts().items()}


def plan(rule: Rule) -> Json:
    return artefacts()[f"PlanDefinition/{rule.id}"]


def model(kind: str) -> Any:
    return getattr(import_module(f"fhir.resources.R4B.{kind.lower()}"), kind)


@pytest.mark.parametrize("key", sorted(artefacts()))
def test_every_resource_is_valid(key: str) -> None:
    found = artefacts()[key]
    kind, _, name = key.partition("/")
    model(kind).model_validate(found)
    assert (found["resourceType"], found["id"], found["url"]) == (kind, name, f"{BASE}/{key}")
    assert found["version"]
    assert found["copyright"]
    assert "dystonia-cds.example" not in json.dumps(found, default=str)


def test_there_is_one_plan_for_each_rule() -> None:
    assert {key for key in artefacts() if key.startswith("PlanDefinition/")} == {
        f"PlanDefinition/{rule.id}" for rule in RULES
    }


@pytest.mark.parametrize("rule", RULES, ids=lambda rule: rule.id)
def test_a_plan_says_what_the_rule_says(rule: Rule) -> None:
    found, text = plan(rule), TEXTS[rule.id]
    action = found["action"][0]
    assert found["type"]["coding"][0]["code"] == "eca-rule"
    assert found["version"] == rule.version
    assert [(one["type"], one["name"]) for one in action["trigger"]] == [("named-event", hook) for hook in rule.hooks]
    assert [one["title"] for one in action.get("action", [])] == list(text.options)
    condition = action["condition"][0]["expression"]
    assert condition["description"] == " ".join(text.looks_for)
    assert [condition["reference"]] == found["library"] == [library_url()]
    assert all(line in found["description"] for _, line in text.levels)
    assert set(rule.needs) <= {one["id"] for one in action["input"]}


def library_url() -> str:
    return f"{BASE}/Library/dystonia-cds|{PLUGIN(SITE).ruleset}"


@pytest.mark.parametrize("rule", RULES, ids=lambda rule: rule.id)
def test_sources_are_cited_by_their_labels(rule: Rule) -> None:
    cited = [one for one in plan(rule)["relatedArtifact"] if one["type"] == "citation"]
    sources = [BIBLIOGRAPHY[key] for key in TEXTS[rule.id].sources]
    assert [(one["label"], one.get("url", "")) for one in cited] == [(one.label, one.url) for one in sources]
    if sources:
        assert plan(rule)["lastReviewDate"] == max(one.date_read for one in sources)
        assert plan(rule)["effectivePeriod"] == {"end": min(one.review_by for one in sources)}


@pytest.mark.parametrize("rule", [rule for rule in RULES if rule.thresholds], ids=lambda rule: rule.id)
def test_figures_in_force_are_told_exactly(rule: Rule) -> None:
    told = {}
    for extension in plan(rule)["extension"]:
        assert extension["url"] == f"{BASE}/StructureDefinition/threshold"
        parts = {part["url"]: part for part in extension["extension"]}
        name = parts["name"]["valueCode"].replace("-", "_")
        told[name] = tuple(Decimal(parts[part]["valueQuantity"]["value"]) for part in ("value", "lowest", "highest"))
    assert told == {name: (TABLE[name].value, TABLE[name].lowest, TABLE[name].highest) for name in rule.thresholds}


def test_a_figure_of_the_site_is_the_one_in_force() -> None:
    site = Site(canonical=BASE, thresholds={"age_below_antipsychotic": Decimal(40)})
    found = json.loads(PLUGIN(site).artefacts()["PlanDefinition/R-DRUG-01"])
    assert "age below antipsychotic: 40 years ([V] B43, B17, B14)" in found["description"]
    assert "age below antipsychotic: 40 years" in found["text"]["div"]


@pytest.mark.parametrize(
    ("jurisdiction", "code"), [row("US", "us", "US"), row("EU", "eu", "150"), row("UK", "uk", "GB")]
)
def test_the_jurisdiction_is_told_where_it_matters(jurisdiction: str, code: str) -> None:
    found = PLUGIN(Site(canonical=BASE, jurisdiction=jurisdiction)).artefacts()
    by_label, everywhere = (json.loads(found[f"PlanDefinition/{rule}"]) for rule in ("R-DRUG-03", "R-MET-02"))
    assert by_label["jurisdiction"][0]["coding"][0]["code"] == code
    assert "jurisdiction" not in everywhere


def test_approval_is_that_of_the_site(tmp_path: Path) -> None:
    rule = RULES[0].id
    page = PLUGIN(SITE).guideline[0]
    path = tmp_path / "signoff.json"
    add(path, Book(), Signature(rule, page.version, page.fingerprint, "A. Example", "pharmacist", "2026-01-31"))
    found = json.loads(PLUGIN(Site(canonical=BASE, signoff=path)).artefacts()[f"PlanDefinition/{rule}"])
    assert (found["status"], found["approvalDate"]) == ("active", "2026-01-31")
    unsigned = artefacts()[f"PlanDefinition/{rule}"]
    assert (unsigned["status"], "approvalDate" in unsigned) == ("draft", False)
    assert unsigned["_approvalDate"]["extension"][0]["valueCode"] == "not-performed"


def test_the_library_needs_what_the_hooks_ask_for() -> None:
    found = artefacts()["Library/dystonia-cds"]
    asked = {key for rule in RULES for hook in rule.hooks for key in keys_of(hook)}
    told = {one["id"]: one for one in found["dataRequirement"]}
    assert set(told) == asked
    assert all(one["type"] == TYPES[key] for key, one in told.items())
    assert told["observations"]["codeFilter"] == [{"path": "code", "valueSet": f"{BASE}/ValueSet/observations"}]
    depends = {one["resource"] for one in found["relatedArtifact"]}
    assert {f"{BASE}/PlanDefinition/{rule.id}|{rule.version}" for rule in RULES} <= depends
    assert {f"{BASE}/{key}" for key in artefacts() if key.startswith("ValueSet/")} <= depends


def test_the_guide_lists_everything() -> None:
    listed = [
        one["reference"]["reference"]
        for one in artefacts()["ImplementationGuide/dystonia-cds"]["definition"]["resource"]
    ]
    assert listed == sorted(set(artefacts()) - {"ImplementationGuide/dystonia-cds"})


def test_the_codes_of_cards_are_published() -> None:
    rules, reasons = artefacts()["CodeSystem/rules"], artefacts()["CodeSystem/override-reasons"]
    assert {one["code"] for one in rules["concept"]} == {rule.id for rule in RULES}
    assert {one["code"] for one in reasons["concept"]} >= {code for rule in RULES for code in TEXTS[rule.id].overrides}


def test_the_bundle_holds_everything() -> None:
    made = PLUGIN(SITE).artefacts()
    found = json.loads(bundle(made))
    assert found["type"] == "collection"
    assert found["entry"][0]["fullUrl"] == f"{BASE}/ImplementationGuide/dystonia-cds"
    keys = {f"{entry['resource']['resourceType']}/{entry['resource']['id']}" for entry in found["entry"]}
    assert keys == set(made)
    small = {key: content for key, content in made.items() if key.startswith(MADE)}
    model("Bundle").model_validate(json.loads(bundle(small)))


def export(folder: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "cds_hooks.cli", "artefacts", "export", *arguments],
        env=environment(folder, DYSTONIA_CDS_CANONICAL=BASE),
        capture_output=True,
        text=True,
        check=False,
    )


def test_export_by_command(tmp_path: Path) -> None:
    folder = tmp_path / "new" / "out"
    done = export(tmp_path, str(folder))
    assert done.returncode == 0, done.stderr
    files = {path.name for path in folder.iterdir()}
    assert files == {f"{key.replace('/', '-')}.json" for key in artefacts()} | {"bundle.json"}
    text = (folder / "PlanDefinition-R-DRUG-01.json").read_text("utf-8")
    assert text.startswith('{\n  "resourceType": "PlanDefinition",\n')
    again = export(tmp_path, str(folder))
    assert again.returncode == 1
    assert again.stderr.startswith(f"The folder {folder} is not empty: ")
    (folder / "note.txt").write_text("kept")
    assert export(tmp_path, str(folder), "--force").returncode == 0
    assert (folder / "note.txt").read_text() == "kept"


def test_folders_that_cannot_be_written(tmp_path: Path) -> None:
    file = tmp_path / "file"
    file.write_text("")
    with pytest.raises(CallTrouble, match="is a file, expected a folder"):
        written({}, file)
    with pytest.raises(CallTrouble, match="cannot be written"):
        written({}, file / "below")
