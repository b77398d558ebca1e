"""A site's own codes: each row is a folder's file, and what the service makes of it or says about it."""

from __future__ import annotations

import json
import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from cds_hooks.errors import CodesTrouble
from cds_hooks.service import Site
from plugin import vocabulary
from plugin.desk import site_files, site_map
from plugin.desk.site_map import SiteMap, read
from plugin.services import PLUGIN
from tests.support.rows import row
from valuesets import Overlay, Product, load

LOCAL = "urn:oid:1.2.3.4"
RXNORM = "http://www.nlm.nih.gov/research/umls/rxnorm"
LOINC = "http://loinc.org"
SNOMED = "http://snomed.info/sct"
ICD10CM = "http://hl7.org/fhir/sid/icd-10-cm"
ATC = "http://www.whocc.no/atc"
BASE = "https://dystonia-cds.example/fhir"
DRUGS = f"# position: drug\n# system: {LOCAL}\ncode,target\n"
LABS = f"# position: lab\n# system: {LOCAL}\ncode,target\n"
PROBLEMS = f"# position: problem\n# system: {LOCAL}\ncode,target\n"
TEXTS = "# position: drug\ntext,target\n"


def maps(target: str, *codes: tuple[str, str], source: str = LOCAL, relation: str = "equivalence", **more: Any) -> str:
    """A ConceptMap with one element for each (code, target code)."""
    elements = [{"code": code, "target": [{"code": meant, relation: "equivalent"} | more]} for code, meant in codes]
    group = {"source": source, "target": target, "element": elements}
    return json.dumps({"resourceType": "ConceptMap", "status": "active", "group": [group]})


def adds(value_set: str, *codes: str, system: str = LOCAL, **more: Any) -> str:
    """A ValueSet that adds codes to one of ours."""
    include = {"system": system, "concept": [{"code": code} for code in codes]} | more.pop("include", {})
    found = {"resourceType": "ValueSet", "status": "active", "url": f"{BASE}/ValueSet/{value_set}"}
    return json.dumps(found | {"compose": {"include": [include]} | more.pop("compose", {})} | more)


def folder_of(place: Path, files: dict[str, str | bytes]) -> Path:
    folder = place / "site"
    folder.mkdir()
    for name, content in files.items():
        (folder / name).write_bytes(content if isinstance(content, bytes) else content.encode())
    return folder


def read_files(place: Path, files: dict[str, str | bytes]) -> SiteMap:
    return read(folder_of(place, files), load())


def told(found: SiteMap) -> list[str]:
    return [f"{problem.level}: {problem.sentence()}" for problem in found.problems]


def drug(product: Product) -> str:
    """A drug in words: ingredients, route, strengths, long-acting, source."""
    names = [*(item.name for item in product.ingredients), *product.further]
    parts = [" + ".join(names) or "none", product.route]
    parts += [f"{one.value:f} {one.unit}" for one in product.strengths]
    return " / ".join([*filter(None, parts), *(["long-acting"] if product.long_acting else []), product.matched_by])


GOOD_DRUGS = [
    row("an RxNorm product gives route and strength", DRUGS + "A,310672", "haloperidol / oral / 5 mg / site map"),
    row("an RxNorm ingredient", DRUGS + "A,5093", "haloperidol / site map"),
    row("an RxNorm code with its system", DRUGS + "A,rxnorm|5093", "haloperidol / site map"),
    row("an ATC code", DRUGS + "A,N05AD01", "haloperidol / site map"),
    row("an ATC code with its system", DRUGS + "A,atc|N05AD01", "haloperidol / site map"),
    row("the name of an ingredient, in any case", DRUGS + "A,Haloperidol", "haloperidol / site map"),
    row(
        "a salt that is long-acting",
        DRUGS + "A,haloperidol decanoate",
        "haloperidol / parenteral / long-acting / site map",
    ),
    row("a combination", DRUGS + "A,promethazine + metoclopramide", "promethazine + metoclopramide / site map"),
    row("one that is known by name only", DRUGS + "A,promethazine + Codeine", "promethazine + codeine / site map"),
    row("a drug outside the rules", DRUGS + "A,None", "none / site map"),
    row("semicolons", DRUGS.replace(",", ";") + "A;5093", "haloperidol / site map"),
    row("tabs", DRUGS.replace(",", "\t") + "A\t5093", "haloperidol / site map"),
    row("a byte order mark", "\ufeff" + DRUGS + "A,5093", "haloperidol / site map"),
    row("the line ends of Windows", (DRUGS + "A,5093\n").replace("\n", "\r\n"), "haloperidol / site map"),
    row("the line ends of old Macs", (DRUGS + "A,5093\n").replace("\n", "\r"), "haloperidol / site map"),
    row("quoted fields", DRUGS + '"A","5093"\n', "haloperidol / site map"),
    row("blanks around fields", DRUGS + " A , 5093 \n", "haloperidol / site map"),
    row("a quoted header", DRUGS.replace("code,target", '"code","target"') + "A,5093\n", "haloperidol / site map"),
    row("empty rows", DRUGS + "\n,\nA,5093\n\n", "haloperidol / site map"),
    row(
        "a third column for notes",
        DRUGS.replace("code,target", "Code,Target,Note") + 'A,5093,"tablet, 5 mg"',
        "haloperidol / site map",
    ),
    row(
        "comments as a spreadsheet saves them",
        f'"# position: drug",\n# System: {LOCAL};;\n\n# made by hand\ncode,target,\nA,5093,',
        "haloperidol / site map",
    ),
    row("a ConceptMap to RxNorm", maps(RXNORM, ("A", "310672")), "haloperidol / oral / 5 mg / site map"),
    row(
        "a ConceptMap to our names",
        maps(f"{BASE}/CodeSystem/ingredients", ("A", "haloperidol")),
        "haloperidol / site map",
    ),
    row("a target wider than the code", maps(RXNORM, ("A", "5093"), equivalence="wider"), "haloperidol / site map"),
    row(
        "a ConceptMap of R5",
        maps(RXNORM, ("A", "5093"), relation="relationship", relationship="source-is-narrower-than-target"),
        "haloperidol / site map",
    ),
    row("a source with a version", maps(RXNORM, ("A", "5093"), source=f"{LOCAL}|2.0"), "haloperidol / site map"),
    row("a ConceptMap with a byte order mark", "\ufeff" + maps(RXNORM, ("A", "5093")), "haloperidol / site map"),
]


@pytest.mark.parametrize(("content", "meaning"), GOOD_DRUGS)
def test_a_local_drug_code_is_a_drug(tmp_path: Path, content: str, meaning: str) -> None:
    name = "map.json" if content.lstrip("\ufeff").startswith("{") else "map.csv"
    found = read_files(tmp_path, {name: content})
    assert told(found) == []
    assert {key: drug(product) for key, product in found.overlay.drugs.items()} == {(LOCAL, "A"): meaning}
    assert load(found.overlay).product(LOCAL, " A ") == found.overlay.drugs[LOCAL, "A"]


def test_a_code_that_is_none_of_ours_is_known_and_empty(tmp_path: Path) -> None:
    found = read_files(tmp_path, {"map.csv": DRUGS + "A,none"})
    assert found.overlay.drugs == {(LOCAL, "A"): Product("A", "", "", (), "", "", False, (), "site map")}


GOOD_LABS = [
    row("a LOINC code", LABS + "A,2000-8", "calcium"),
    row("an analyte", LABS + "A,calcium-ionised", "calcium-ionised"),
    row("what is told of attacks", LABS + "A,attack-duration", "attack-duration"),
    row("a ConceptMap to LOINC", maps(LOINC, ("A", "19123-9")), "magnesium"),
    row("a ConceptMap to our analytes", maps(f"{BASE}/CodeSystem/analytes", ("A", "calcium")), "calcium"),
    row("a ValueSet by its url", adds("lab-calcium", "A"), "calcium"),
    row("a ValueSet by its id", adds("", "A", url="https://site.example/ValueSet/ours", id="lab-calcium"), "calcium"),
    row("none of ours", LABS + "A,none", ""),
]


@pytest.mark.parametrize(("content", "analyte"), GOOD_LABS)
def test_a_local_test_code_is_an_analyte(tmp_path: Path, content: str, analyte: str) -> None:
    found = read_files(tmp_path, {"map.json" if content.startswith("{") else "map.csv": content})
    assert told(found) == []
    assert found.overlay.analytes == {(LOCAL, "A"): analyte}
    assert (load(found.overlay).analyte(LOCAL, "A") or "") == analyte


GOOD_PROBLEMS = [
    row("an ICD-10-CM code means all its sets", PROBLEMS + "A,icd-10-cm|G24.01", {"dystonia", "tardive"}),
    row("an ICD-10-CM code without its system", PROBLEMS + "A,G24.01", {"dystonia", "tardive"}),
    row("a SNOMED CT code without its system", PROBLEMS + "A,102449007", {"tardive"}),
    row("a condition", PROBLEMS + "A,tardive", {"tardive"}),
    row("a condition that has codes and no words", PROBLEMS + "A,nms", {"nms"}),
    row(
        "a ConceptMap to our conditions",
        maps(f"{BASE}/CodeSystem/conditions", ("A", "tardive + nms")),
        {"tardive", "nms"},
    ),
    row("several conditions", PROBLEMS + "A,tardive + dementia", {"tardive", "dementia"}),
    row("a ConceptMap to ICD-10-CM", maps(ICD10CM, ("A", "G24.01")), {"dystonia", "tardive"}),
    row("a ConceptMap to SNOMED CT", maps(SNOMED, ("A", "102449007")), {"tardive"}),
    row("a ValueSet", adds("condition-tardive", "A"), {"tardive"}),
    row("a ValueSet with a version in its url", adds("condition-tardive|0.1.0", "A"), {"tardive"}),
]


@pytest.mark.parametrize(("content", "conditions"), GOOD_PROBLEMS)
def test_a_local_problem_code_is_a_condition(tmp_path: Path, content: str, conditions: set[str]) -> None:
    found = read_files(tmp_path, {"map.json" if content.startswith("{") else "map.csv": content})
    assert told(found) == []
    assert found.overlay.conditions[LOCAL, "A"] >= conditions
    assert load(found.overlay).concepts(LOCAL, "A") == found.overlay.conditions[LOCAL, "A"]


def test_two_value_sets_may_hold_one_code(tmp_path: Path) -> None:
    found = read_files(tmp_path, {"1.json": adds("condition-tardive", "A"), "2.json": adds("condition-dementia", "A")})
    assert told(found) == []
    assert found.overlay.conditions == {(LOCAL, "A"): frozenset({"tardive", "dementia"})}


def test_a_local_text_names_a_drug(tmp_path: Path) -> None:
    found = read_files(tmp_path, {"texts.csv": TEXTS + '"Hausmischung 7, Tropfen",haloperidol + promethazine\n'})
    assert told(found) == []
    assert found.overlay.drugs == {}
    match = load(found.overlay).match_text("HAUSMISCHUNG 7 Tropfen 3x täglich")
    assert [item.name for item in match.ingredients] == ["haloperidol", "promethazine"]


def test_a_local_text_keeps_what_is_known_by_name_only(tmp_path: Path) -> None:
    found = read_files(tmp_path, {"texts.csv": TEXTS + "Hausmischung 8,codeine + promethazine\n"})
    assert told(found) == []
    match = load(found.overlay).match_text("Hausmischung 8")
    assert ([item.name for item in match.ingredients], match.further) == (["promethazine"], ("codeine",))


DRUG_TARGETS = "expected an RxNorm or ATC code, the name of an ingredient (several with + between them), or none"
LAB_TARGETS = "expected a LOINC code, an analyte such as calcium, or none"
RELATIONS = (
    "disjoint, equal, equivalent, inexact, narrower, not-related-to, related-to, relatedto, "
    "source-is-broader-than-target, source-is-narrower-than-target, specializes, subsumes, unmatched, wider"
)
AT = "row group[0].element[0].target[0]"
IN = "row compose.include[0]"
BAD = [
    row("no header", "a.csv", "# position: drug\n", "a.csv: holds no header; expected code,target or text,target"),
    row("an empty file", "a.csv", "", "a.csv: holds no header; expected code,target or text,target"),
    row(
        "another header",
        "a.csv",
        "# position: drug\nnumber;name\nA;5093",
        "a.csv: row 2: got the header 'number;name', expected code,target or text,target",
    ),
    row(
        "no position",
        "a.csv",
        f"# system: {LOCAL}\ncode,target\nA,5093",
        "a.csv: has no line # position:, expected one of drug, lab, problem",
    ),
    row(
        "another position",
        "a.csv",
        DRUGS.replace("drug", "drugs") + "A,5093",
        "a.csv: got # position: 'drugs', expected one of drug, lab, problem",
    ),
    row(
        "no system",
        "a.csv",
        "# position: drug\ncode,target\nA,5093",
        "a.csv: has no line # system: with the coding.system that the record system sends",
    ),
    row(
        "two systems",
        "a.csv",
        "# system: urn:oid:1\n" + DRUGS + "A,5093",
        "a.csv: row 3: says # system: a second time; put the other codes into a file of their own",
    ),
    row(
        "texts of problems",
        "a.csv",
        TEXTS.replace("drug", "problem") + "Zucken,tardive",
        "a.csv: texts are mapped for drugs only, got # position: problem; map the code beside the text",
    ),
    row(
        "texts with a system",
        "a.csv",
        f"# system: {LOCAL}\n" + TEXTS + "Mixtur,haloperidol",
        "a.csv: texts have no code system; remove the line # system:",
    ),
    row(
        "another word for unknown targets",
        "a.csv",
        "# unknown targets: ignore\n" + DRUGS + "A,5093",
        "a.csv: got # unknown targets: 'ignore', expected leave out, or no such line",
    ),
    row("an empty code", "a.csv", DRUGS + ",5093", "a.csv: row 4: the code is empty"),
    row("an empty target", "a.csv", DRUGS + "A,", "a.csv: row 4: the target is empty"),
    row(
        "one field",
        "a.csv",
        DRUGS + "A",
        "a.csv: row 4: got 1 fields, expected 2; put quotes around a field that holds the separator",
    ),
    row(
        "a separator in a field",
        "a.csv",
        DRUGS + "A,haloperidol,5 mg",
        "a.csv: row 4: got 3 fields, expected 2; put quotes around a field that holds the separator",
    ),
    row(
        "quotes that do not end, told with the row where they start",
        "a.csv",
        DRUGS + 'A,5093\nB,"5093\nC,5093\n',
        "a.csv: row 5: cannot be split into fields: unexpected end of data; check the quotes",
    ),
    row(
        "another encoding",
        "a.csv",
        (DRUGS + "A,5093\nÄ,5093\n").encode("latin-1"),
        "a.csv: row 5: is not UTF-8; save the file as CSV UTF-8",
    ),
    row(
        "a long code",
        "a.csv",
        DRUGS + "A" * 201 + ",5093",
        "a.csv: row 4: the code has 201 characters; at most 200 are read",
    ),
    row(
        "a character that cannot be seen",
        "a.csv",
        DRUGS + "A\u200b1,5093",
        "a.csv: row 4: the code 'A\\u200b1' holds a character that cannot be seen (U+200B)",
    ),
    row(
        "a target that is not known",
        "a.csv",
        DRUGS + "A,xyz",
        f"a.csv: row 4: the target 'xyz' is not known; {DRUG_TARGETS}",
    ),
    row(
        "a code that the data do not hold",
        "a.csv",
        DRUGS + "A,99999999",
        f"a.csv: row 4: the target '99999999' is not known; {DRUG_TARGETS}",
    ),
    row(
        "a brand for a target",
        "a.csv",
        DRUGS + "A,Haldol",
        f"a.csv: row 4: the target 'Haldol' is not known; it names haloperidol, so write that; {DRUG_TARGETS}",
    ),
    row(
        "half a combination",
        "a.csv",
        DRUGS + "A,haloperidol+xyz",
        f"a.csv: row 4: the target 'haloperidol+xyz' is not known; it names haloperidol, so write that; {DRUG_TARGETS}",
    ),
    row(
        "a test for a drug",
        "a.csv",
        DRUGS + "A,2000-8",
        f"a.csv: row 4: the target '2000-8' is calcium, a lab; {DRUG_TARGETS}",
    ),
    row(
        "a drug for a test",
        "a.csv",
        LABS + "A,haloperidol",
        f"a.csv: row 4: the target 'haloperidol' is haloperidol, a drug; {LAB_TARGETS}",
    ),
    row(
        "a brand for a test",
        "a.csv",
        LABS + "A,Haldol",
        f"a.csv: row 4: the target 'Haldol' is not known; {LAB_TARGETS}",
    ),
    row(
        "two conditions for one code",
        "a.csv",
        PROBLEMS + "A,tardive\nA,dementia",
        "a.csv: row 5: 'A' is dementia here and tardive in row 4 of a.csv; keep one",
    ),
    row(
        "a target system that we do not read",
        "a.csv",
        PROBLEMS + "A,icd-9|333.82",
        "a.csv: row 4: the target system 'icd-9' is none that we read; expected one of ",
    ),
    row(
        "two rows that contradict",
        "a.csv",
        DRUGS + "A,haloperidol\nA,metoclopramide",
        "a.csv: row 5: 'A' is metoclopramide here and haloperidol in row 4 of a.csv; keep one",
    ),
    row(
        "a strength that another row does not have",
        "a.csv",
        DRUGS + "A,haloperidol\nA,310672",
        "a.csv: row 5: 'A' is haloperidol 5 MG Oral Tablet here and haloperidol in row 4 of a.csv; keep one",
    ),
    row(
        "a standard drug code made another drug",
        "a.csv",
        DRUGS.replace(LOCAL, RXNORM) + "5093,metoclopramide",
        "a.csv: row 4: the standard code '5093' means haloperidol and cannot be made to mean metoclopramide; "
        "take the row out",
    ),
    row(
        "a standard drug code made none, by the OID of its system",
        "a.csv",
        DRUGS.replace(LOCAL, "urn:oid:2.16.840.1.113883.6.88") + "5093,none",
        "a.csv: row 4: the standard code '5093' means haloperidol and cannot be made to mean none; take the row out",
    ),
    row(
        "a standard test code made another test",
        "a.csv",
        LABS.replace(LOCAL, LOINC) + "2000-8,magnesium",
        "a.csv: row 4: the standard code '2000-8' means calcium and cannot be made to mean magnesium; take the row out",
    ),
    row(
        "a drug among LOINC codes",
        "a.csv",
        DRUGS.replace(LOCAL, LOINC) + "1-1,haloperidol",
        "a.csv: row 4: the system 'http://loinc.org' holds codes of the position lab, not drug",
    ),
    row(
        "a text that names another drug",
        "a.csv",
        TEXTS + "Haldol Tropfen,metoclopramide",
        "a.csv: row 3: the text 'Haldol Tropfen' names haloperidol and cannot be made to mean metoclopramide",
    ),
    row(
        "a text that denies",
        "a.csv",
        TEXTS + "allergy to Haldol,haloperidol",
        "a.csv: row 3: the text 'allergy to Haldol' says 'allerg', so it names no drug that is taken",
    ),
    row(
        "a short text",
        "a.csv",
        TEXTS + "H 5,haloperidol",
        "a.csv: row 3: the text 'H 5' is too short: it would match inside other texts",
    ),
    row(
        "a text for none",
        "a.csv",
        TEXTS + "Pflaster,none",
        "a.csv: row 3: a text cannot mean none: a text without a known drug is an ordinary drug already",
    ),
    row(
        "a code that two systems understand differently",
        "a.csv",
        PROBLEMS + "A,N18.6",
        "a.csv: row 4: the target 'N18.6' means ckd + esrd in ICD-10-CM and ckd in ICD-10 of the WHO; "
        "write icd-10-cm|N18.6 or icd-10|N18.6",
    ),
    row(
        "JSON in another encoding",
        "a.json",
        maps(RXNORM, ("A", "5093")).encode("utf-16"),
        "a.json: is not readable as FHIR JSON: JSON is malformed: invalid character (byte 0)",
    ),
    row(
        "JSON that is nested without end",
        "a.json",
        '{"a":' * 100_000 + "1" + "}" * 100_000,
        "a.json: is not readable as FHIR JSON: it is nested too deeply",
    ),
    row("no JSON", "a.json", "{", "a.json: is not readable as FHIR JSON: Input data was truncated"),
    row(
        "JSON of another shape",
        "a.json",
        '{"resourceType": "ConceptMap", "group": [{"source": 7}]}',
        "a.json: is not readable as FHIR JSON: Expected `str`, got `int` - at `$.group[0].source`",
    ),
    row(
        "another resource",
        "a.json",
        '{"resourceType": "Bundle"}',
        "a.json: has the resourceType 'Bundle', expected ConceptMap or ValueSet",
    ),
    row("no resource", "a.json", "{}", "a.json: has no resourceType, expected ConceptMap or ValueSet"),
    row(
        "a ConceptMap without source",
        "a.json",
        maps(RXNORM, ("A", "5093"), source=""),
        "a.json: row group[0]: has no source; expected the URI of a code system",
    ),
    row(
        "a ConceptMap to a system that we do not read",
        "a.json",
        maps("http://hl7.org/fhir/sid/icd-9-cm", ("A", "333.82")),
        f"a.json: {AT}: the target system 'http://hl7.org/fhir/sid/icd-9-cm' is none that we read; expected ",
    ),
    row(
        "a ConceptMap to a name that is not ours",
        "a.json",
        maps(f"{BASE}/CodeSystem/ingredients", ("A", "xyz")),
        f"a.json: {AT}: the target '{BASE}/CodeSystem/ingredients|xyz' is not known; {DRUG_TARGETS}",
    ),
    row(
        "an element without a code",
        "a.json",
        maps(RXNORM, ("", "5093")),
        "a.json: row group[0].element[0]: the code is empty",
    ),
    row("a target without a code", "a.json", maps(RXNORM, ("A", "")), f"a.json: {AT}: the target is empty"),
    row(
        "no equivalence",
        "a.json",
        maps(RXNORM, ("A", "5093"), equivalence=""),
        f"a.json: {AT}: has no equivalence, expected one of {RELATIONS}",
    ),
    row(
        "another equivalence",
        "a.json",
        maps(RXNORM, ("A", "5093"), equivalence="same"),
        f"a.json: {AT}: got the equivalence 'same', expected one of {RELATIONS}",
    ),
    row(
        "a ValueSet that is none of ours",
        "a.json",
        adds("condition-xyz", "A"),
        f"a.json: {IN}.concept[0]: codes cannot be added to the value set 'condition-xyz': expected a url that ends in "
        "/ValueSet/lab-… or /ValueSet/condition-…",
    ),
    row(
        "a ValueSet of drugs",
        "a.json",
        adds("drug-ssri", "A"),
        f"a.json: {IN}.concept[0]: codes cannot be added to the value set 'drug-ssri': a class of drugs does not say "
        "which drug a code is; map the code to an ingredient in a ConceptMap or CSV",
    ),
    row(
        "a ValueSet without codes",
        "a.json",
        adds("lab-calcium"),
        "a.json: adds no code: compose.include[].concept is empty",
    ),
    row(
        "a ValueSet with an empty code",
        "a.json",
        adds("lab-calcium", ""),
        f"a.json: {IN}.concept[0]: the code is empty",
    ),
    row(
        "a ValueSet without system",
        "a.json",
        adds("lab-calcium", "A", system=""),
        f"a.json: {IN}: has no system; expected the coding.system that the record system sends",
    ),
    row(
        "a ValueSet with a filter",
        "a.json",
        adds("lab-calcium", "A", include={"filter": [{"property": "concept", "op": "is-a", "value": "A"}]}),
        f"a.json: {IN}: holds a filter or another value set; list every code under concept",
    ),
    row(
        "a ValueSet that takes codes away",
        "a.json",
        adds("lab-calcium", "A", compose={"exclude": [{"system": LOINC}]}),
        "a.json: row compose.exclude: a site's ValueSet adds codes and removes none; take this part out",
    ),
    row(
        "a ValueSet that makes a standard code another test",
        "a.json",
        adds("lab-magnesium", "2000-8", system=LOINC),
        f"a.json: {IN}.concept[0]: the standard code '2000-8' means calcium and cannot be made to mean magnesium; "
        "take the row out",
    ),
]


@pytest.mark.parametrize(("name", "content", "reason"), BAD)
def test_a_bad_file_is_refused_with_row_and_reason(
    tmp_path: Path, name: str, content: str | bytes, reason: str
) -> None:
    found = told(read_files(tmp_path, {name: content}))
    assert len(found) == 1
    # A list of what could stand there, which grows with the code systems that are read, is not repeated here.
    assert found[0].startswith(f"error: {reason}") if reason.endswith(" ") else found == [f"error: {reason}"]


SAID_MORE = "Map it to what it surely means, as equivalent or wider"
LEFT_OUT = [
    row("no mapping", "a.json", maps(RXNORM, ("A", "5093"), equivalence="unmatched"), []),
    row("a disjoint one", "a.json", maps(RXNORM, ("A", "5093"), equivalence="disjoint"), []),
    row(
        "no mapping in R5",
        "a.json",
        maps(RXNORM, ("A", "5093"), relation="relationship", relationship="not-related-to"),
        [],
    ),
    row(
        "a target that says more",
        "a.json",
        maps(RXNORM, ("A", "310672"), equivalence="narrower"),
        [f"a.json: {AT}: 'A' is left out: the target says more than the local code (narrower). {SAID_MORE}"],
    ),
    row(
        "a target that overlaps",
        "a.json",
        maps(RXNORM, ("A", "5093"), equivalence="inexact"),
        [f"a.json: {AT}: 'A' is left out: the target overlaps with the local code only (inexact). {SAID_MORE}"],
    ),
    row(
        "a target that holds on a condition",
        "a.json",
        maps(RXNORM, ("A", "5093"), dependsOn=[{"property": "route", "value": "oral"}]),
        [f"a.json: {AT}: 'A' is left out: it holds on a condition only"],
    ),
    row(
        "a catalogue with targets that the data do not hold",
        "a.json",
        maps(RXNORM, ("A", "99999999"), ("B", "99999998")),
        [
            f"a.json: {AT}: 2 mappings are left out, because the data do not hold their targets; "
            "the first is 'A' to '99999999'"
        ],
    ),
    row(
        "the same from a CSV that says so",
        "a.csv",
        "# unknown targets: leave out\n" + DRUGS + "A,99999999\n",
        [
            "a.csv: row 5: 1 mappings are left out, because the data do not hold their targets; "
            "the first is 'A' to '99999999'"
        ],
    ),
    row(
        "a retired map",
        "a.json",
        '{"resourceType": "ConceptMap", "status": "retired"}',
        ["a.json: is retired and is not read"],
    ),
    row("another type of file", "a.xlsx", b"PK", ["a.xlsx: is not read: expected a name that ends in .csv or .json"]),
    row("a hidden file", ".a.csv", "nonsense", []),
    row("the lock of an office program", "~$a.csv", "nonsense", []),
    row("a standard code that says what is known", "a.csv", DRUGS.replace(LOCAL, RXNORM) + "5093,haloperidol", []),
    row("a test of ours in its own set", "a.json", adds("lab-calcium", "2000-8", system=LOINC), []),
    row("a code of ours in its own set", "a.json", adds("condition-tardive", "102449007", system=SNOMED), []),
]


@pytest.mark.parametrize(("name", "content", "warnings"), LEFT_OUT)
def test_what_maps_nothing_is_left_out(tmp_path: Path, name: str, content: str | bytes, warnings: list[str]) -> None:
    found = read_files(tmp_path, {name: content})
    assert told(found) == [f"warning: {warning}" for warning in warnings]
    assert found.overlay == Overlay(version=found.overlay.version)


KEPT = [
    row("the same row twice", DRUGS + "A,5093\nA,haloperidol\n", "a.csv: row 5: repeats row 4 of a.csv"),
    row(
        "a system that is no URI",
        DRUGS.replace(LOCAL, "PHARMACY") + "A,5093\nB,5093\n",
        "a.csv: row 4: the system 'PHARMACY' is no URI; it must be spelt as the record system sends it",
    ),
    row(
        "a text that loses its form",
        TEXTS + "Depot Hal,haloperidol decanoate\n",
        "a.csv: row 3: a text keeps the ingredients of its target only; that it is long-acting is lost. "
        "Map the code as well",
    ),
]


@pytest.mark.parametrize(("content", "warning"), KEPT)
def test_what_is_odd_is_kept_with_a_warning(tmp_path: Path, content: str, warning: str) -> None:
    found = read_files(tmp_path, {"a.csv": content})
    assert told(found) == [f"warning: {warning}"]
    assert found.overlay.drugs or found.overlay.names


def test_unmapped_of_a_group_is_not_followed(tmp_path: Path) -> None:
    content = json.loads(maps(RXNORM, ("A", "5093")))
    content["group"][0]["unmapped"] = {"mode": "fixed", "code": "5093"}
    found = read_files(tmp_path, {"a.json": json.dumps(content)})
    reason = "is not followed: a code without a mapping stays unmapped"
    assert told(found) == [f"warning: a.json: row group[0].unmapped: {reason}"]
    assert list(found.overlay.drugs) == [(LOCAL, "A")]


def test_a_standard_code_newer_than_the_data_may_be_added(tmp_path: Path) -> None:
    found = read_files(tmp_path, {"a.csv": DRUGS.replace(LOCAL, f"{RXNORM}/") + "99999999,haloperidol"})
    assert told(found) == []
    product = load(found.overlay).product(RXNORM, "99999999")
    assert product is not None
    assert (product.matched_by, product.ingredients[0].name) == ("site map", "haloperidol")


def test_the_target_systems_of_a_concept_map_are_named(tmp_path: Path) -> None:
    (reason,) = told(read_files(tmp_path, {"a.json": maps("urn:oid:9", ("A", "1"))}))
    assert "expected rxnorm, ndc, atc, loinc, snomed, icd-10-cm, icd-10, …/CodeSystem/ingredients, " in reason
    assert reason.endswith("…/CodeSystem/analytes, …/CodeSystem/conditions")


def test_an_empty_folder_is_no_map(tmp_path: Path) -> None:
    assert read_files(tmp_path, {}) == SiteMap(Overlay(), ())


def test_every_error_of_every_file_is_told(tmp_path: Path) -> None:
    files = {"b.csv": LABS + "A,xyz\n,calcium\n", "a.csv": DRUGS + "A,5093\nA,6915\n", "c.json": "{}"}
    found = read_files(tmp_path, files)
    assert [(problem.file, problem.row) for problem in found.problems] == [
        ("a.csv", "5"),
        ("b.csv", "5"),
        ("b.csv", "4"),
        ("c.json", ""),
    ]


def test_a_contradiction_between_files_is_told(tmp_path: Path) -> None:
    found = read_files(tmp_path, {"a.csv": DRUGS + "A,haloperidol\n", "b.json": maps(RXNORM, ("A", "6915"))})
    assert told(found) == [
        f"error: b.json: {AT}: 'A' is metoclopramide here and haloperidol in row 4 of a.csv; keep one"
    ]


def test_a_missing_folder_is_told(tmp_path: Path) -> None:
    found = read(tmp_path / "nowhere", load())
    place = tmp_path / "nowhere"
    reason = "the folder cannot be read: no such file or directory. Correct DYSTONIA_CDS_TERMINOLOGY, or unset it"
    assert told(found) == [f"error: {place}: {reason}"]


def test_links_stay_inside_the_folder(tmp_path: Path) -> None:
    """Mounted files are links to a hidden folder beside them; a link to anywhere else is refused."""
    folder = folder_of(tmp_path, {})
    (folder / "..data").mkdir()
    (folder / "..data" / "a.csv").write_text(DRUGS + "A,5093")
    (folder / "a.csv").symlink_to(Path("..data", "a.csv"))
    (tmp_path / "outside.csv").write_text(DRUGS + "B,5093")
    (folder / "b.csv").symlink_to(tmp_path / "outside.csv")
    (folder / "c.csv").symlink_to(folder / "nowhere.csv")
    (folder / "d.csv").symlink_to("d.csv")
    found = read(folder, load())
    assert list(found.overlay.drugs) == [(LOCAL, "A")]
    assert [(problem.file, problem.level) for problem in found.problems] == [(f"{name}.csv", "error") for name in "bcd"]
    assert found.problems[0].reason == "is a link that leads out of the folder; put the file itself there"
    assert found.problems[1].reason == "cannot be read: no such file or directory"


def test_what_is_no_file_is_told(tmp_path: Path) -> None:
    folder = folder_of(tmp_path, {})
    os.mkfifo(folder / "a.csv")
    (folder / "more").mkdir()
    assert told(read(folder, load())) == [
        "error: a.csv: is no ordinary file",
        "warning: more: is a folder and is not read; put its files beside the others",
    ]


LIMITS = [
    row("a large file", site_files, "MOST_BYTES", 90, "a.csv: has 91 bytes; at most 90 are read. Split it"),
    row("many files", site_files, "MOST_FILES", 1, "site: holds 2 files; at most 1 are read. Join some of them"),
    row("many mappings", site_map, "MOST_ROWS", 1, "site: holds 2 mappings; at most 1 are read"),
]


@pytest.mark.parametrize(("module", "name", "limit", "reason"), LIMITS)
def test_limits(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, module: Any, name: str, limit: int, reason: str
) -> None:
    folder = folder_of(tmp_path, {"a.csv": (DRUGS + "A,5093\n").ljust(91), "b.csv": DRUGS + "B,5093\n"})
    monkeypatch.setattr(module, name, limit)
    found = read(folder, load())
    assert told(found) == [f"error: {reason}".replace(" site:", f" {folder}:")]


def test_the_version_is_the_hash_of_the_files_with_their_names(tmp_path: Path) -> None:
    one = read_files(tmp_path, {"b.csv": LABS + "A,calcium", "a.csv": DRUGS + "A,5093"})
    short, *names = one.overlay.version.split(" ")
    assert (len(short), names) == (12, ["a.csv", "b.csv"])
    (tmp_path / "site" / "a.csv").write_text(DRUGS + "A,6915")
    other = read(tmp_path / "site", load())
    assert other.overlay.version != one.overlay.version
    (tmp_path / "site" / "a.csv").write_text(DRUGS + "A,5093")
    assert read(tmp_path / "site", load()) == one


@pytest.fixture
def codes_as_they_were() -> Iterator[None]:
    """Puts the codes in force back after a test that loads a plugin with others."""
    before = vocabulary.terminology()
    yield
    vocabulary.use(before)


@pytest.mark.usefixtures("codes_as_they_were")
def test_the_map_is_part_of_the_rule_set_and_of_the_prefetch(tmp_path: Path) -> None:
    folder = folder_of(tmp_path, {"a.csv": LABS + "CA 1|2,calcium\nX,none\n"})
    bare, own = PLUGIN(Site()), PLUGIN(Site(terminology=folder))
    assert bare.ruleset != own.ruleset
    assert "siteMapVersion" not in bare.codes
    assert own.codes["siteMap"] == 2
    assert str(own.codes["siteMapVersion"]).endswith(" a.csv")
    queries = [service.prefetch["observations"] for service in own.services if "observations" in service.prefetch]
    assert queries
    assert all(f",{LOCAL}|CA%201%5C|2&_sort=-date" in query for query in queries)


@pytest.mark.usefixtures("codes_as_they_were")
def test_the_start_is_refused_with_all_that_is_wrong(tmp_path: Path) -> None:
    folder = folder_of(tmp_path, {"a.csv": DRUGS + "".join(f"A{n},xyz\n" for n in range(25)) + ",5093\n"})
    before = vocabulary.terminology()
    with pytest.raises(CodesTrouble) as caught:
        PLUGIN(Site(terminology=folder))
    lines = str(caught.value).splitlines()
    assert lines[0] == (
        "The codes cannot be used; `dystonia-cds terminology check` lists all that is wrong. The first 20 of 26:"
    )
    assert len(lines) == 21
    assert lines[1] == "  a.csv: row 29: the code is empty"
    assert len(caught.value.flaws) == 26
    assert vocabulary.terminology() is before


@pytest.mark.usefixtures("codes_as_they_were")
def test_a_damaged_snapshot_is_refused(tmp_path: Path) -> None:
    with pytest.raises(CodesTrouble) as caught:
        PLUGIN(Site(snapshot=tmp_path))
    (flaw,) = caught.value.flaws
    assert (flaw.level, flaw.file) == ("error", str(tmp_path))
