"""The published value sets over HTTP: valid FHIR R4, searched, expanded, and asked about single codes."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any
from urllib.parse import quote, urlencode

import pytest
from fhir.resources.R4B.bundle import Bundle
from fhir.resources.R4B.codesystem import CodeSystem
from fhir.resources.R4B.conceptmap import ConceptMap
from fhir.resources.R4B.library import Library
from fhir.resources.R4B.operationoutcome import OperationOutcome
from fhir.resources.R4B.parameters import Parameters
from fhir.resources.R4B.plandefinition import PlanDefinition
from fhir.resources.R4B.valueset import ValueSet

from tests.support.rows import row
from tests.support.server import Service, running

Json = dict[str, Any]
KINDS = {
    "CodeSystem": CodeSystem,
    "ConceptMap": ConceptMap,
    "Library": Library,
    "PlanDefinition": PlanDefinition,
    "ValueSet": ValueSet,
}
BASE = "https://codes.hospital.example/fhir"
CM = "http://hl7.org/fhir/sid/icd-10-cm"
WHO = "http://hl7.org/fhir/sid/icd-10"
LOINC = "http://loinc.org"
RXNORM = "http://www.nlm.nih.gov/research/umls/rxnorm"
SNOMED = "http://snomed.info/sct"
SUBSETTED = {"system": "http://terminology.hl7.org/CodeSystem/v3-ObservationValue", "code": "SUBSETTED"}
UNCLOSED = {"url": "http://hl7.org/fhir/StructureDefinition/valueset-unclosed", "valueBoolean": True}


@pytest.fixture(scope="module")
def service(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Service]:
    """The real service, at a site with a canonical address of its own."""
    with running(tmp_path_factory.mktemp("artefacts"), DYSTONIA_CDS_CANONICAL=BASE, DYSTONIA_CDS_AUDIT="off") as one:
        yield one


def get(service: Service, path: str, status: int = 200, **query: str) -> Json:
    """The FHIR resource at a path."""
    answer = service.ask(f"/fhir/{quote(path, safe='/$')}" + (f"?{urlencode(query)}" if query else ""))
    assert (answer.status, answer.headers["content-type"]) == (status, "application/fhir+json"), answer.body
    found: Json = answer.body
    return found


def refusal(service: Service, path: str, status: int, **query: str) -> str:
    """What an OperationOutcome says."""
    content = get(service, path, status, **query)
    OperationOutcome.model_validate(content)
    text: str = content["issue"][0]["diagnostics"]
    return text


@pytest.mark.parametrize("kind", sorted(KINDS))
def test_everything_that_is_listed_can_be_read(service: Service, kind: str) -> None:
    found = get(service, kind)
    Bundle.model_validate(found)
    assert found["total"] == len(found["entry"])
    for entry in found["entry"]:
        listed = entry["resource"]
        assert entry["fullUrl"] == f"{service.url}/fhir/{kind}/{listed['id']}"
        one = get(service, f"{kind}/{listed['id']}")
        KINDS[kind].model_validate(one)
        assert one["url"] == listed["url"] == f"{BASE}/{kind}/{listed['id']}"
        assert one["copyright"]
        assert one["purpose"]
        assert "dystonia-cds.example" not in str(one)


def test_the_large_code_system_is_summed_up_in_a_search(service: Service) -> None:
    listed = {entry["resource"]["id"]: entry["resource"] for entry in get(service, "CodeSystem")["entry"]}
    products = listed["rxnorm-products"]
    assert products["meta"]["tag"] == [SUBSETTED]
    assert products["count"] > 11_000
    assert not any("concept" in one for one in listed.values())
    whole = get(service, "CodeSystem/rxnorm-products")
    assert len(whole["concept"]) == products["count"]
    assert "meta" not in whole
    summary = get(service, "CodeSystem/rxnorm-products", _summary="true")
    assert summary == products
    every = get(service, "CodeSystem", _id="routes", _summary="false")
    assert every["entry"][0]["resource"] == get(service, "CodeSystem/routes")


# query, ids found, total
SEARCHES = [
    row("by id", {"_id": "lab-pth"}, ["lab-pth"], 1),
    row("by two ids", {"_id": "lab-pth,lab-tsh"}, ["lab-pth", "lab-tsh"], 2),
    row("by URL", {"url": f"{BASE}/ValueSet/lab-pth"}, ["lab-pth"], 1),
    row("by URL and another id", {"url": f"{BASE}/ValueSet/lab-pth", "_id": "lab-tsh"}, [], 0),
    row("by name", {"name": "labpth"}, ["lab-pth"], 1),
    row("by title", {"title": "intact parathyroid"}, ["lab-pth"], 1),
    row("a page", {"_id": "lab-pth,lab-tsh,lab-ft4", "_count": "2"}, ["lab-ft4", "lab-pth"], 3),
    row("the next page", {"_id": "lab-pth,lab-tsh,lab-ft4", "_count": "2", "_offset": "2"}, ["lab-tsh"], 3),
    row("the count alone", {"_id": "lab-pth,lab-tsh", "_summary": "count"}, [], 2),
    row("a page of nothing", {"_id": "lab-pth", "_count": "0"}, [], 1),
    row("a parameter that is not known is passed over", {"_id": "lab-pth", "colour": "red"}, ["lab-pth"], 1),
    row("nothing found", {"_id": "lab-none"}, [], 0),
]


@pytest.mark.parametrize(("query", "ids", "total"), SEARCHES)
def test_searches(service: Service, query: dict[str, str], ids: list[str], total: int) -> None:
    found = get(service, "ValueSet", **query)
    Bundle.model_validate(found)
    assert [entry["resource"]["id"] for entry in found.get("entry", [])] == ids
    assert found["total"] == total


def test_pages_lead_through_everything(service: Service) -> None:
    every = [entry["resource"]["id"] for entry in get(service, "ValueSet")["entry"]]
    found, page = [], get(service, "ValueSet", _count="25", _summary="true")
    while True:
        found += [entry["resource"]["id"] for entry in page["entry"]]
        assert all("compose" not in entry["resource"] for entry in page["entry"])
        following = [link["url"] for link in page["link"] if link["relation"] == "next"]
        if not following:
            break
        page = service.ask(following[0].removeprefix(service.url)).body
    assert found == every


def test_the_self_link_tells_what_was_used(service: Service) -> None:
    found = get(service, "ValueSet", _id="lab-pth", colour="red")
    assert found["link"] == [{"relation": "self", "url": f"{service.url}/fhir/ValueSet?_id=lab-pth"}]


# value set, query, codes listed, total
EXPANSIONS = [
    row("all", "lab-magnesium", {}, ["2593-2", "2601-3", "19123-9", "21377-7"], 4),
    row("a word of the display", "lab-albumin", {"filter": "PURPLE"}, ["61152-5"], 1),
    row("two words", "lab-albumin", {"filter": "bromocresol moles"}, ["62235-7"], 1),
    row("a part of the code", "lab-magnesium", {"filter": "9123"}, ["19123-9"], 1),
    row("no match", "lab-magnesium", {"filter": "urine"}, [], 0),
    row("a page", "lab-magnesium", {"offset": "1", "count": "2"}, ["2601-3", "19123-9"], 4),
    row("past the end", "lab-magnesium", {"offset": "9"}, [], 4),
    row("the total alone", "lab-magnesium", {"count": "0"}, [], 4),
]


@pytest.mark.parametrize(("key", "query", "codes", "total"), EXPANSIONS)
def test_expansions(service: Service, key: str, query: dict[str, str], codes: list[str], total: int) -> None:
    found = get(service, f"ValueSet/{key}/$expand", **query)
    ValueSet.model_validate(found)
    expansion = found["expansion"]
    assert [one["code"] for one in expansion.get("contains", [])] == codes
    assert (expansion["total"], expansion["offset"]) == (total, int(query.get("offset", 0)))
    assert {
        one["name"]: str(one.get("valueString", one.get("valueInteger"))) for one in expansion.get("parameter", [])
    } == query
    assert "extension" not in expansion
    assert "compose" not in found
    assert found["copyright"]
    same = get(service, "ValueSet/$expand", url=f"{BASE}/ValueSet/{key}", **query)
    volatile = {"identifier": "", "timestamp": ""}
    assert same["expansion"] | volatile == expansion | volatile


def test_a_set_with_codes_below_others_says_that_its_expansion_is_not_closed(service: Service) -> None:
    found = get(service, "ValueSet/condition-stroke/$expand")
    ValueSet.model_validate(found)
    expansion = found["expansion"]
    assert expansion["extension"] == [UNCLOSED]
    warning = next(one["valueString"] for one in expansion["parameter"] if one["name"] == "warning")
    assert "every code below the listed codes" in warning
    assert "$validate-code" in warning
    assert expansion["contains"]


def test_every_expansion_is_valid_and_lists_members_only(service: Service) -> None:
    for entry in get(service, "ValueSet", _summary="true")["entry"]:
        key = entry["resource"]["id"]
        found = get(service, f"ValueSet/{key}/$expand")
        ValueSet.model_validate(found)
        listed = found["expansion"].get("contains", [])
        assert listed, key
        assert len({(one["system"], one["code"]) for one in listed}) == len(listed) == found["expansion"]["total"]
        for one in listed[:2]:
            told = get(service, f"ValueSet/{key}/$validate-code", system=one["system"], code=one["code"])
            assert told["parameter"][0] == {"name": "result", "valueBoolean": True}, (key, one)


# value set, system, code, whether it belongs, words of the message
CODES = [
    row("a listed code", "lab-calcium", LOINC, "17861-6", True, ""),
    row("red-cell magnesium", "lab-magnesium", LOINC, "2597-3", False, "is not in Total magnesium"),
    row("a listed code of another set", "lab-calcium", LOINC, "2601-3", False, "is not in"),
    row("a right code under another system", "lab-calcium", SNOMED, "17861-6", False, f"lists codes of {LOINC}"),
    row("the OID of LOINC", "lab-calcium", "urn:oid:2.16.840.1.113883.6.1", "17861-6", True, ""),
    row("a listed ICD code", "condition-tardive", CM, "G24.01", True, ""),
    row("a code below a listed one", "condition-stroke", CM, "I63.9", True, "through a listed code above it"),
    row("without the dot", "condition-stroke", CM, "I639", True, "through a listed code above it"),
    row("a code far away", "condition-stroke", CM, "J45.0", False, "is not in"),
    row("an ingredient", "drug-haloperidol", RXNORM, "5093", True, ""),
    row("an ingredient without an RxNorm code", "drug-antipsychotic", f"{BASE}/CodeSystem/ingredients", "cariprazine",
        True, ""),
    row("no code at all", "lab-calcium", LOINC, "haloperidol", False, "is not in"),
]  # fmt: skip


@pytest.mark.parametrize(("key", "system", "code", "belongs", "words"), CODES)
def test_single_codes(service: Service, key: str, system: str, code: str, belongs: bool, words: str) -> None:
    for found in (
        get(service, f"ValueSet/{key}/$validate-code", system=system, code=code),
        get(service, "ValueSet/$validate-code", url=f"{BASE}/ValueSet/{key}", system=system, code=code),
    ):
        Parameters.model_validate(found)
        told = {one["name"]: one.get("valueString", one.get("valueBoolean")) for one in found["parameter"]}
        assert told["result"] is belongs
        assert words in told.get("message", "")


def test_a_display_is_told_and_not_judged(service: Service) -> None:
    query = {"system": LOINC, "code": "2593-2"}
    listed = "Magnesium [Moles/volume] in Blood"
    for display, words in ((listed.upper(), ""), ("Mg", "was not judged")):
        found = get(service, "ValueSet/lab-magnesium/$validate-code", **query, display=display)
        told = {one["name"]: one.get("valueString", one.get("valueBoolean")) for one in found["parameter"]}
        assert (told["result"], told["display"]) == (True, listed)
        assert words in told.get("message", "")


# path, query, status, what the answer names
REFUSALS = [
    row("another type", "Patient", {}, 404, "publishes CodeSystem, ConceptMap"),
    row("another type, by id", "Patient/p1", {}, 404, "got the type 'Patient'"),
    row("no such id", "ValueSet/none", {}, 404, "no ValueSet with the id 'none'"),
    row("expand: no such id", "ValueSet/none/$expand", {}, 404, "'none'"),
    row("expand: no such URL", "ValueSet/$expand", {"url": "http://x.example/v"}, 404, "'http://x.example/v'"),
    row("expand: no such version", "ValueSet/$expand", {"url": f"{BASE}/ValueSet/lab-pth|99"}, 404, "|99"),
    row("expand: no URL", "ValueSet/$expand", {}, 400, "Expected the parameter url"),
    row("expand: two sets", "ValueSet/lab-pth/$expand", {"url": f"{BASE}/ValueSet/lab-tsh"}, 400, "another one"),
    row("expand: count", "ValueSet/lab-pth/$expand", {"count": "many"}, 400, "count is 'many'; expected"),
    row("expand: offset", "ValueSet/lab-pth/$expand", {"offset": "-1"}, 400, "offset is '-1'"),
    row("expand: a huge number", "ValueSet/lab-pth/$expand", {"count": "9" * 400}, 400, "expected a whole number"),
    row("validate: no code", "ValueSet/lab-pth/$validate-code", {"system": LOINC}, 400, "got no code"),
    row("validate: no system", "ValueSet/lab-pth/$validate-code", {"code": "1"}, 400, "got no system"),
    row("validate: nothing", "ValueSet/lab-pth/$validate-code", {}, 400, "got neither"),
    row("search: count", "ValueSet", {"_count": "1.5"}, 400, "_count is '1.5'"),
    row("search: summary", "ValueSet", {"_summary": "short"}, 400, "expected one of true, false, count"),
    row("read: summary", "ValueSet/lab-pth", {"_summary": "count"}, 400, "expected one of true, false"),
    row("XML", "ValueSet/lab-pth", {"_format": "xml"}, 400, "_format is 'xml'"),
    row("an operation of another type", "CodeSystem/routes/$lookup", {}, 404, "/fhir/ValueSet/{id}/$expand"),
    row("a long id is cut", "ValueSet/" + "x" * 5000, {}, 404, "x…"),
]  # fmt: skip


@pytest.mark.parametrize(("path", "query", "status", "words"), REFUSALS)
def test_refusals(service: Service, path: str, query: dict[str, str], status: int, words: str) -> None:
    said = refusal(service, path, status, **query)
    assert words in said
    assert len(said) < 700


def test_a_strict_caller_is_told_of_an_unknown_parameter(service: Service) -> None:
    for path in ("ValueSet", "ValueSet/lab-pth/$expand", "ValueSet/lab-pth/$validate-code"):
        answer = service.ask(f"/fhir/{path}?colour=red", Prefer="handling=strict")
        assert answer.status == 400
        assert "Unknown parameter 'colour'" in answer.body["issue"][0]["diagnostics"]


@pytest.mark.parametrize(
    "path", ["ValueSet", "ValueSet/lab-pth", "ValueSet/lab-pth/$expand", "ValueSet/$validate-code"]
)
def test_nothing_can_be_written(service: Service, path: str) -> None:
    answer = service.ask(f"/fhir/{path}", {"resourceType": "Parameters"})
    assert (answer.status, answer.headers["content-type"]) == (405, "application/fhir+json")
    assert answer.headers["allow"] == "GET, HEAD"
    OperationOutcome.model_validate(answer.body)


NOTICES = {
    LOINC: "LOINC(R) is a registered United States trademark of Regenstrief Institute",
    RXNORM: "NLM is not responsible for the product and does not endorse",
    SNOMED: "International Health Terminology Standards Development Organisation",
    CM: "National Center for Health Statistics",
    WHO: "World Health Organization",
    "http://www.whocc.no/atc": "WHO Collaborating Centre for Drug Statistics Methodology",
    "http://hl7.org/fhir/sid/ndc": "Food and Drug Administration",
    "http://www.genenames.org": "HUGO Gene Nomenclature Committee",
}


@pytest.mark.parametrize("kind", sorted(KINDS))
def test_each_resource_carries_the_notice_of_every_code_system_in_it(service: Service, kind: str) -> None:
    for entry in get(service, kind, _summary="false")["entry"]:
        resource = entry["resource"]
        used = [system for system in NOTICES if f"'{system}'" in str(resource)]
        assert used or "Names of the project's own" in resource["copyright"], resource["id"]
        for system in used:
            assert NOTICES[system] in resource["copyright"], (resource["id"], system)
