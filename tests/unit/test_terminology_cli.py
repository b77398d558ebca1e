"""``terminology check``, ``explain`` and ``stats`` as people use them, and a service with a site's own codes."""

from __future__ import annotations

import json
import subprocess
import sys
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from cds_hooks.terminology.looking import flaw_sentence
from plugin.desk.problems import Problem
from tests.support.fhir import call, lab, order, prefetch
from tests.support.rows import row
from tests.support.server import Service, environment, running

LOCAL = "urn:oid:1.2.3.4"
FILES = {
    "drugs.csv": f"# position: drug\n# system: {LOCAL}\ncode,target\nHAL5,310672\nMCP,metoclopramide\nGLOVES,none\n",
    "labs.csv": f"# position: lab\n# system: {LOCAL}\ncode,target\nCA,17861-6\n",
    "problems.csv": f"# position: problem\n# system: {LOCAL}\ncode,target\nTD,icd-10-cm|G24.01\n",
    "readme.txt": "Exported by the pharmacy.\n",
}


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A data folder whose folder ``terminology`` is found without a setting."""
    data = tmp_path_factory.mktemp("data")
    write(data / "terminology", FILES)
    return data


def write(folder: Path, files: dict[str, str]) -> Path:
    folder.mkdir()
    for name, content in files.items():
        (folder / name).write_text(content)
    return folder


def run(data: Path, *arguments: str, **settings: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "cds_hooks.cli", "terminology", *arguments],
        env=environment(data, COLUMNS="80", NO_COLOR="1", **settings),
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )


def test_check_finds_what_is_odd(place: Path) -> None:
    found = run(place, "check")
    assert (found.returncode, found.stderr) == (0, "")
    assert found.stdout.splitlines() == [
        "warning: readme.txt: is not read: expected a name that ends in .csv or .json",
        "no errors, 1 warning.",
    ]


def test_check_tells_every_error_where_the_service_does_not_start(tmp_path: Path) -> None:
    bad = write(tmp_path / "bad", {"a.csv": FILES["drugs.csv"] + ",5093\nMCP,haloperidol\n", "b.json": "{}"})
    found = run(tmp_path, "check", DYSTONIA_CDS_TERMINOLOGY=str(bad))
    assert (found.returncode, found.stderr) == (1, "")
    assert found.stdout.splitlines() == [
        "error: a.csv, row 7: the code is empty",
        "error: a.csv, row 8: 'MCP' is haloperidol here and metoclopramide in row 5 of a.csv; keep one",
        "error: b.json: has no resourceType, expected ConceptMap or ValueSet",
        "3 errors, no warnings.",
    ]
    other = run(tmp_path, "stats", DYSTONIA_CDS_TERMINOLOGY=str(bad))
    assert other.returncode == 1
    assert other.stdout == ""
    assert other.stderr.splitlines()[:2] == [
        "The codes cannot be used; `dystonia-cds terminology check` lists all that is wrong.",
        "  a.csv: row 7: the code is empty",
    ]


def test_check_tells_a_folder_that_is_not_there(tmp_path: Path) -> None:
    found = run(tmp_path, "check", DYSTONIA_CDS_TERMINOLOGY=str(tmp_path / "nowhere"))
    assert found.returncode == 1
    assert f"error: {tmp_path / 'nowhere'}: the folder cannot be read: no such file or directory." in found.stdout


def test_check_tells_a_snapshot_that_cannot_be_read(tmp_path: Path) -> None:
    found = run(tmp_path, "check", DYSTONIA_CDS_SNAPSHOT=str(tmp_path))
    assert found.returncode == 1
    assert found.stdout.startswith(f"error: {tmp_path}: ")
    assert found.stdout.endswith("1 error, no warnings.\n")


def test_a_flaw_is_one_line() -> None:
    assert (
        flaw_sentence(Problem("error", "a.csv", "4", "the code is empty")) == "error: a.csv, row 4: the code is empty"
    )
    assert flaw_sentence(Problem("warning", "a.txt", "", "is not read")) == "warning: a.txt: is not read"


EXPLAINED = [
    row(
        "a local drug code with its system",
        f"{LOCAL}|HAL5",
        "drug: haloperidol 5 MG Oral Tablet",
        ("site map", "drug: haloperidol 5 MG Oral Tablet"),
        {
            "drug by site map": f"{LOCAL}|HAL5",
            "tier of haloperidol": "H (high)",
            "route": "oral",
            "dose form": "Oral Tablet",
            "strength": "haloperidol 5 mg",
        },
    ),
    row(
        "a local drug code alone",
        "HAL5",
        "drug: haloperidol 5 MG Oral Tablet",
        ("RxNorm code", "holds no such code"),
        {},
    ),
    row("a code that the site maps to none", "GLOVES", "drug: none", ("site map", "drug: none"), {}),
    row(
        "an RxNorm code, by a short name of its system",
        "rxnorm|5093",
        "drug: haloperidol",
        ("site map", "holds no such code"),
        {"ingredient": "haloperidol (5093)", "strength": "not told"},
    ),
    row("an ATC code", "N05AD01", "drug: haloperidol", ("ATC code", "drug: haloperidol"), {"route": "not told"}),
    row("a local test code", "CA", "lab: calcium", ("site map", "lab: calcium"), {"analyte": "calcium"}),
    row("a LOINC code", "2000-8", "lab: calcium", ("LOINC code", "lab: calcium"), {"analyte": "calcium"}),
    row("a local problem code", "TD", "problem: dystonia + tardive", ("site map", "problem: dystonia + tardive"), {}),
    row("an ICD code", "G24.01", "problem: dystonia + tardive", ("ICD-10-CM code", "problem: dystonia + tardive"), {}),
    row(
        "a text",
        "Haldol decanoate 50 mg IM",
        "drug: haloperidol",
        ("text of a drug", "drug: 'haldol decanoate' names haloperidol"),
        {"route": "parenteral", "long-acting": "yes", "strength": "haloperidol 50 mg"},
    ),
    row("a gene", "HGNC:30500", "gene: PRRT2", ("gene", "gene: PRRT2"), {"disorder of PRRT2": "PxMD-PRRT2"}),
]


@pytest.mark.parametrize(("given", "meaning", "step", "facts"), EXPLAINED)
def test_explain_says_what_it_means_and_why(
    place: Path, given: str, meaning: str, step: tuple[str, str], facts: dict[str, str]
) -> None:
    found = run(place, "explain", given, "--json")
    assert (found.returncode, found.stderr) == (0, "")
    told = json.loads(found.stdout)
    assert (told["given"], told["resolved"], told["meaning"].split("; ")[0]) == (given, True, meaning)
    assert {"name": step[0], "outcome": step[1]} in told["steps"]
    assert facts.items() <= {fact["name"]: fact["value"] for fact in told["facts"]}.items()


NOTHING = [
    row("an unknown code", "ZZ-9", "site map", "holds no such code"),
    row("a code in another system", "urn:oid:9|HAL5", "RxNorm code", "not asked: the code is of another system"),
    row(
        "a text that denies",
        "no haloperidol",
        "text of a drug",
        "'haloperidol' names haloperidol, but 'no' says that it is not taken",
    ),
]


@pytest.mark.parametrize(("given", "step", "outcome"), NOTHING)
def test_explain_ends_with_1_where_nothing_resolves(place: Path, given: str, step: str, outcome: str) -> None:
    found = run(place, "explain", given, "--json")
    told = json.loads(found.stdout)
    assert (found.returncode, told["resolved"], told["meaning"]) == (1, False, "nothing that is known")
    assert {"name": step, "outcome": outcome} in told["steps"]


def test_tables_fit_into_80_columns(place: Path) -> None:
    for arguments in (("explain", "HAL5"), ("stats",)):
        found = run(place, *arguments)
        assert found.returncode == 0
        assert max(map(len, found.stdout.splitlines())) <= 80
    first, *_, steps = run(place, "explain", "CA").stdout.partition("Why:")
    assert first.startswith("CA: lab: calcium\n")
    assert "site map" in steps


def test_stats_counts_by_kind_and_system(place: Path) -> None:
    found = json.loads(run(place, "stats", "--json").stdout)
    assert found["snapshot"] == "none"
    assert found["site map version"].endswith(" drugs.csv labs.csv problems.csv")
    own = {name: value for name, value in found.items() if name.startswith("site map, ")}
    assert own == {
        f"site map, drugs: {LOCAL}": "3",
        f"site map, labs: {LOCAL}": "1",
        f"site map, problems: {LOCAL}": "1",
    }
    assert {"labs: LOINC", "problems: ICD-10-CM", "problems: SNOMED CT", "rxnorm products"} <= found.keys()
    assert "calcium" in found["labs that are known"].split(", ")


def coded(code: str, name: str = "") -> dict[str, Any]:
    return {"coding": [{"system": LOCAL, "code": code, **({"display": name} if name else {})}]}


def local_order(code: str) -> dict[str, Any]:
    return {**order("haloperidol"), "medicationCodeableConcept": coded(code)}


def local_calcium(value: float) -> dict[str, Any]:
    when = datetime.now(UTC).isoformat()
    return {**lab("calcium", value, when=when), "code": coded("CA")}


def verdicts(service: Service, sent: dict[str, Any]) -> dict[str, str]:
    answer = service.fire(sent)
    assert answer.status == 200, answer.body
    results = answer.body["extension"]["org.dystonia-cds"]["results"]
    return {result["rule"]: result["status"] for result in results}


@pytest.fixture(scope="module")
def mapped(place: Path) -> Any:
    with running(place) as service:
        yield service


@pytest.fixture(scope="module")
def unmapped(tmp_path_factory: pytest.TempPathFactory) -> Any:
    with running(tmp_path_factory.mktemp("bare")) as service:
        yield service


def test_an_order_with_a_local_code_alone_is_judged_with_the_map(mapped: Service, unmapped: Service) -> None:
    sent = call([local_order("HAL5")], prefetch())
    with_map, without = verdicts(mapped, sent), verdicts(unmapped, sent)
    assert (with_map["R-DRUG-01"], with_map["R-DQ-01"]) == ("fired", "clear")
    assert (without["R-DRUG-01"], without["R-DQ-01"]) == ("not-checked", "fired")
    card = mapped.fire(sent).body["cards"][0]
    assert "matched by site map" in card["detail"]


def test_a_local_calcium_is_a_calcium_with_the_map(mapped: Service, unmapped: Service) -> None:
    sent = call([order("haloperidol")], prefetch(local_calcium(1.5)))
    assert verdicts(mapped, sent)["R-MET-01"] == "fired"
    assert verdicts(unmapped, sent)["R-MET-01"] != "fired"


def test_a_code_that_is_none_of_ours_is_an_ordinary_drug(mapped: Service) -> None:
    answer = mapped.fire(call([local_order("GLOVES")], prefetch()))
    assert answer.body["cards"] == []
    found = verdicts(mapped, call([local_order("GLOVES")], prefetch()))
    assert (found["R-DRUG-01"], found["R-DQ-01"]) == ("not-applicable", "not-applicable")


def test_readiness_and_log_name_the_map(mapped: Service, unmapped: Service) -> None:
    ready = mapped.ask("/readyz").body
    assert ready["codes"]["siteMap"] == 5
    assert ready["codes"]["siteMapVersion"].endswith(" drugs.csv labs.csv problems.csv")
    lines = [json.loads(line) for line in (mapped.folder / "serve.log").read_text().splitlines() if line[0] == "{"]
    (line,) = [line for line in lines if line["event"] == "codes"]
    assert line["siteMapVersion"] == ready["codes"]["siteMapVersion"]
    assert "siteMapVersion" not in unmapped.ask("/readyz").body["codes"]
    assert ready["ruleset"] != unmapped.ask("/readyz").body["ruleset"]
