"""``terminology unmapped`` and ``accept``: what they print, write and refuse."""

from __future__ import annotations

import asyncio
import json
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner

from cds_hooks.audit import open_store
from cds_hooks.audit.terms import UnmappedRow
from cds_hooks.cli import app
from cds_hooks.errors import CallTrouble
from plugin import vocabulary
from plugin.desk import TerminologyDesk
from tests.support.fhir import NOW, RXNORM

LOCAL = "urn:oid:1.2.3.4"
ROWS = (
    ("drug", LOCAL, "HAL5", "Local hal 5", 7),
    ("drug", "", "", "Halloperidone tab", 4),
    ("lab", LOCAL, "CA", "Kalzium", 3),
    ("problem", LOCAL, "TD", "", 2),
    ("lab", LOCAL, "BOTH", "", 1),
    ("drug", LOCAL, "BOTH", "", 1),
)


@pytest.fixture
def site(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Any:
    """A data folder whose inbox holds ROWS; the terminology of the process is put back afterwards."""
    monkeypatch.setenv("DYSTONIA_CDS_DATA_DIR", str(tmp_path))
    monkeypatch.setenv("DYSTONIA_CDS_PLUGIN", "plugin.services:PLUGIN")

    async def fill() -> None:
        store = open_store("sqlite:///dystonia-cds.db", tmp_path)
        await store.count_unmapped(
            [
                UnmappedRow(
                    position=position, system=system, code=code, text=text, count=count, first_seen=NOW, last_seen=NOW
                )
                for position, system, code, text, count in ROWS
            ]
        )
        store.close()

    asyncio.run(fill())
    before = vocabulary.terminology()
    yield tmp_path
    vocabulary.use(before)


def run(*arguments: str) -> str:
    done = CliRunner().invoke(app, ["terminology", *arguments], catch_exceptions=False)
    assert done.exit_code == 0, done.output
    return done.output


def listed(*arguments: str) -> list[dict[str, Any]]:
    return [json.loads(line) for line in run("unmapped", "--json", *arguments).splitlines()]


def test_the_list_as_json(site: Path) -> None:
    found = listed()
    assert {(row["position"], row["system"], row["code"], row["text"], row["count"]) for row in found} == set(ROWS)
    halloperidone = next(row for row in found if row["text"] == "Halloperidone tab")
    assert halloperidone["likely"]["target"] == "haloperidol"
    assert halloperidone["firstSeen"] == NOW.isoformat()
    assert "likely" not in next(row for row in found if row["code"] == "TD")


def test_the_list_can_be_narrowed(site: Path) -> None:
    assert {row["position"] for row in listed("--position", "lab")} == {"lab"}
    assert len(listed("--limit", "2")) == 2


def test_the_list_as_a_table(site: Path) -> None:
    told = run("unmapped")
    assert "Halloperidone tab" in told
    assert "haloperidol (" in told


# what is accepted, its target, options -> the file, its last line, what the code or text means afterwards
ACCEPTED = [
    (f"{LOCAL}|HAL5", "haloperidol", [], "drug", "HAL5,haloperidol,Local hal 5,", "haloperidol"),
    (f"{LOCAL}|HAL5", "310672", [], "drug", "HAL5,310672,Local hal 5,", "haloperidol"),
    (f"{LOCAL}|HAL5", "haloperidol + promethazine", [], "drug", "HAL5,haloperidol + promethazine,", "promethazine"),
    (f"{LOCAL}|HAL5", "none", [], "drug", "HAL5,none,Local hal 5,", "drug: none"),
    (f"{LOCAL}|CA", "calcium", [], "lab", "CA,calcium,Kalzium,", "calcium"),
    (f"{LOCAL}|TD", "tardive", [], "problem", "TD,tardive,,", "tardive"),
    (f"{LOCAL}|BOTH", "calcium", ["--position", "lab"], "lab", "BOTH,calcium,,", "calcium"),
    (f"{LOCAL}|NEW", "haloperidol", ["--position", "drug"], "drug", "NEW,haloperidol,,", "haloperidol"),
    ("halloperidone TAB", "haloperidol", [], "drug", "Halloperidone tab,haloperidol,", "haloperidol"),
]


@pytest.mark.parametrize(("what", "target", "options", "position", "line", "meaning"), ACCEPTED)
def test_an_accepted_mapping(
    site: Path, what: str, target: str, options: list[str], position: str, line: str, meaning: str
) -> None:
    told = run("accept", what, target, "--by", "reviewer", *options)
    assert "The site map was empty and is" in told
    assert "Restart the service to use it." in told
    [written] = list((site / "terminology").iterdir())
    assert written.name.startswith(f"accepted-{position}-")
    assert line in written.read_text("utf-8").splitlines()[-1]
    explained = CliRunner().invoke(app, ["terminology", "explain", what])
    assert meaning in explained.output
    assert not any(row["code"] == what.rpartition("|")[2] and row["position"] == position for row in listed())


def test_further_mappings_go_into_the_same_file_and_make_a_new_version(site: Path) -> None:
    first = run("accept", f"{LOCAL}|HAL5", "haloperidol")
    second = run("accept", f"{LOCAL}|BOTH", "none", "--position", "drug")
    assert first.split(" and is ")[1].split(".")[0] == second.split("The site map was ")[1].split(" ")[0]
    [written] = list((site / "terminology").iterdir())
    assert len(written.read_text("utf-8").splitlines()) == len(["position", "system", "header", "HAL5", "BOTH"])


# what, target, options -> words of the refusal
REFUSED = [
    (f"{LOCAL}|HAL5", "aspirinium", [], "is not known"),
    (f"{LOCAL}|CA", "haloperidol", [], "expected"),
    (f"{LOCAL}|BOTH", "calcium", [], "was seen as drug and as lab: say --position"),
    (f"{LOCAL}|NEW", "haloperidol", [], "is not among the unmapped: say --position"),
    (f"{RXNORM}|5093", "promethazine", ["--position", "drug"], "cannot be made to mean"),
    ("Halloperidone tab", "none", [], "a text cannot mean none"),
    ("Flat foot", "tardive", ["--position", "problem"], "texts are mapped for drugs only"),
    (f"{LOCAL}|{'x' * 300}", "haloperidol", ["--position", "drug"], "at most"),
    ("|HAL5", "haloperidol", ["--position", "drug"], "system"),
]


@pytest.mark.parametrize(("what", "target", "options", "words"), REFUSED)
def test_a_refused_mapping_leaves_everything_as_it_was(
    site: Path, what: str, target: str, options: list[str], words: str
) -> None:
    with pytest.raises(CallTrouble, match=words):
        run("accept", what, target, *options)
    folder = site / "terminology"
    assert not folder.exists() or list(folder.iterdir()) == []


def test_a_mapping_that_contradicts_an_earlier_one_is_refused(site: Path) -> None:
    run("accept", f"{LOCAL}|HAL5", "haloperidol")
    [written] = list((site / "terminology").iterdir())
    before = written.read_bytes()
    with pytest.raises(CallTrouble, match="keep one"):
        run("accept", f"{LOCAL}|HAL5", "promethazine", "--position", "drug")
    assert written.read_bytes() == before


def test_mapping_needs_no_inbox(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DYSTONIA_CDS_DATA_DIR", str(tmp_path / "new"))
    before = vocabulary.terminology()
    try:
        assert "now means" in run("accept", f"{LOCAL}|HAL5", "haloperidol", "--position", "drug")
    finally:
        vocabulary.use(before)


def test_a_text_from_the_wire_is_no_formula_in_a_spreadsheet(site: Path) -> None:
    item = _Item()
    item.text = "=HYPERLINK(1)"
    (site / "terminology").mkdir()
    TerminologyDesk(site / "terminology").accept(item, "haloperidol", "@reviewer")
    [written] = list((site / "terminology").iterdir())
    assert written.read_text("utf-8").splitlines()[-1].startswith("HAL5,haloperidol,'=HYPERLINK(1),'@reviewer,")


def test_a_desk_without_a_folder_says_so() -> None:
    with pytest.raises(ValueError, match="no folder"):
        TerminologyDesk().accept(_Item(), "haloperidol", "")


class _Item:
    """A local drug code."""

    position, system, code, text, understood = "drug", LOCAL, "HAL5", "", False
