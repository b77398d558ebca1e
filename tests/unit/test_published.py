"""What the service publishes: every resource under the site's address, and which codes the rules take for what."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

import pytest

from cds_hooks.service import Plugin, Site
from plugin import vocabulary
from plugin.services import PLUGIN
from tests.support.fhir import ICD10CM, LOINC, RXNORM
from tests.support.rows import row

CANONICAL = "https://rules.hospital.example/fhir"
LOCAL = "urn:oid:1.2.3.4"
ICD10WHO = "http://hl7.org/fhir/sid/icd-10"


@pytest.fixture(scope="module")
def plugin(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Plugin]:
    """The plugin of a site with an address and a laboratory code of its own."""
    folder = tmp_path_factory.mktemp("codes")
    (folder / "labs.csv").write_text(f"# position: lab\n# system: {LOCAL}\ncode,target\nCA,calcium\n", "utf-8")
    before = vocabulary.terminology()
    yield PLUGIN(Site(canonical=f"{CANONICAL}/", terminology=folder))
    vocabulary.use(before)


MEMBERS = [
    row("an ICD-10-CM code of the set", "condition-tardive", ICD10CM, "G24.01", True),
    row("one of another set", "condition-tardive", ICD10CM, "G24.02", False),
    row("an ICD-10 code below one of the set", "condition-parkinson", ICD10WHO, "G20.1", True),
    row("a test", "lab-calcium", LOINC, "17861-6", True),
    row("another test", "lab-magnesium", LOINC, "17861-6", False),
    row("a site's test", "lab-calcium", LOCAL, "CA", True),
    row("a site's test in another set", "lab-magnesium", LOCAL, "CA", False),
    row("a drug", "drug-antipsychotic", RXNORM, "5093", True),
    row("a drug of another class", "drug-phenothiazine", RXNORM, "5093", False),
    row("a drug by the OID of its system", "drug-antipsychotic", "urn:oid:2.16.840.1.113883.6.88", "5093", True),
    row("a code with blanks", "drug-antipsychotic", RXNORM, " 5093 ", True),
    row("an ingredient of ours, under the site's address", "drug-botulinum-toxin",
        f"{CANONICAL}/CodeSystem/ingredients", "botulinum-toxin", True),
    row("the same under another address", "drug-botulinum-toxin", "https://other.example/fhir/CodeSystem/ingredients",
        "botulinum-toxin", False),
    row("the right code in the wrong system", "drug-antipsychotic", LOINC, "5093", False),
    row("no such set", "drug-nonsense", RXNORM, "5093", None),
]  # fmt: skip


@pytest.mark.parametrize(("value_set", "system", "code", "expected"), MEMBERS)
def test_whether_the_rules_take_a_code_for_one_of_a_set(
    plugin: Plugin, value_set: str, system: str, code: str, expected: bool | None
) -> None:
    assert plugin.member(value_set, system, code) is expected


def test_everything_is_published_under_the_sites_address(plugin: Plugin) -> None:
    published = plugin.artefacts()
    assert {"CodeSystem/ingredients", "ValueSet/drug-botulinum-toxin", "ConceptMap/icd-10-cm-to-conditions"} & set(
        published
    )
    for key, content in published.items():
        assert b"dystonia-cds.example" not in content, key
        resource = json.loads(content)
        assert f"{resource['resourceType']}/{resource['id']}" == key
        assert resource["url"] == f"{CANONICAL}/{key}"


def test_what_is_loaded_is_counted(plugin: Plugin) -> None:
    sets = list(vocabulary.terminology().resources())
    assert plugin.codes["rules"] == len(plugin.guideline)
    assert plugin.codes["valuesets"] == len(sets)
    assert plugin.codes["siteMap"] == 1
    assert str(plugin.codes["siteMapVersion"]).endswith(" labs.csv")
    assert Path(str(plugin.codes["siteMapVersion"]).split(" ")[1]).suffix == ".csv"
