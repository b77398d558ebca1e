"""The codes that a site runs with, and all that is wrong with them; how many there are; cells for spreadsheets."""

from __future__ import annotations

import json
import re
from pathlib import Path

import pytest

from cds_hooks.terminology.entry import Entry
from plugin.desk.accepting import accept
from plugin.desk.cells import cell, from_cell
from plugin.desk.loading import check_codes, load_codes
from plugin.desk.problems import WARNING, Problem
from plugin.desk.stats import stats
from tests.support.rows import row
from tests.support.rxnorm_release import excerpt
from valuesets import Overlay, load
from valuesets.manifest import MANIFEST, make_manifest, read_manifest, render_manifest
from valuesets.release.snapshot import build_snapshot
from valuesets.store import DATA, Resources

LOCAL, RXNORM = "urn:oid:1.2.3.4", "http://www.nlm.nih.gov/research/umls/rxnorm"
SYSTEMS = {"LOINC": "http://loinc.org", "SNOMED CT": "http://snomed.info/sct"}
GOOD = f"# position: drug\n# system: {LOCAL}\ncode,target\nHAL5,310672\n"
BAD = f"# position: drug\n# system: {LOCAL}\ncode,target\nHAL5,nonsense-drug\n"


@pytest.fixture(scope="module")
def snapshot(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A snapshot of a small release, built over the data that ship."""
    place = tmp_path_factory.mktemp("snapshot")
    release = excerpt().write(place / "release")
    build_snapshot(release, place / "out", "2026-03-02", Resources(), load(), lambda name, done, size: None)
    return place / "out"


def site(place: Path, content: str) -> Path:
    """A folder with one file."""
    folder = place / "site"
    folder.mkdir()
    (folder / "drugs.csv").write_text(content, "utf-8")
    return folder


def damaged(snapshot: Path, place: Path) -> Path:
    """A copy of the snapshot with one byte too many."""
    copy = place / "damaged"
    copy.mkdir()
    for path in snapshot.iterdir():
        (copy / path.name).write_bytes(path.read_bytes())
    victim = next(path for path in sorted(copy.iterdir()) if "manifest" not in path.name.lower())
    victim.write_bytes(victim.read_bytes() + b"x")
    return copy


def test_without_folder_and_snapshot_the_codes_that_ship_are_in_force() -> None:
    assert check_codes(None, None) == ()
    found = load_codes(None, None)
    assert found.problems == ()
    assert found.terminology is not None
    assert found.terminology.content_hash == load().content_hash


def test_a_sites_codes_lie_over_those_of_the_snapshot(tmp_path: Path, snapshot: Path) -> None:
    folder = site(tmp_path, GOOD)
    found = load_codes(folder, snapshot).terminology
    assert found is not None
    assert found.content_hash not in {load().content_hash, load(snapshot=snapshot).content_hash}
    product = found.product(LOCAL, "HAL5")
    assert product is not None
    assert (product.rxcui, product.matched_by) == ("HAL5", "site map")
    assert found.product(RXNORM, "199319") == load(snapshot=snapshot).product(RXNORM, "199319")
    assert check_codes(folder, snapshot) == ()


def test_what_is_wrong_with_a_folder_stands_in_the_way(tmp_path: Path) -> None:
    folder = site(tmp_path, BAD)
    found = load_codes(folder, None)
    assert found.terminology is None
    assert [(one.level, one.file, one.row) for one in found.problems] == [("error", "drugs.csv", "4")]
    assert check_codes(folder, None) == found.problems


def test_a_damaged_snapshot_is_told_once_beside_nothing_else(tmp_path: Path, snapshot: Path) -> None:
    place = damaged(snapshot, tmp_path)
    (problem,) = load_codes(None, place).problems
    assert (problem.level, problem.file, problem.row) == ("error", str(place), "")
    assert problem.reason.strip() not in {"", "None"}
    assert check_codes(None, place) == (problem,)


def copied(snapshot: Path, place: Path, **changed: str) -> Path:
    """A copy of the snapshot whose manifest says something else, and is whole in itself."""
    manifest = read_manifest(snapshot)
    files = {name: (snapshot / name).read_bytes() for name in manifest.files}
    told = {"ingredients": manifest.ingredients, "base": manifest.base} | changed
    new = make_manifest(files, manifest.version, manifest.made_by, manifest.source, told["ingredients"], told["base"])
    copy = place / "copy"
    copy.mkdir()
    for name, content in (*files.items(), (MANIFEST, render_manifest(new))):
        (copy / name).write_bytes(content)
    return copy


OUTDATED = [
    row("over other data", {"base": "0" * 64},
        "built over the data of another version: products that came with this one are not in it"),
    row("for other ingredients", {"ingredients": "0" * 64},
        "built for another list of ingredients: products of drugs that came since are not in it"),
]  # fmt: skip


@pytest.mark.parametrize(("changed", "why"), OUTDATED)
def test_an_outdated_snapshot_can_be_used_and_is_told(
    tmp_path: Path, snapshot: Path, changed: dict[str, str], why: str
) -> None:
    place = copied(snapshot, tmp_path, **changed)
    assert load_codes(None, place).problems == ()
    reason = f"{why}; build it again with `dystonia-cds terminology build`"
    assert check_codes(None, place) == (Problem(WARNING, str(place), "", reason),)
    assert check_codes(None, snapshot) == ()


def test_what_is_wrong_with_folder_and_snapshot_is_told_together(tmp_path: Path, snapshot: Path) -> None:
    place = copied(snapshot, tmp_path, base="0" * 64)
    levels = [(one.level, one.file) for one in check_codes(site(tmp_path, BAD), place)]
    assert levels == [("error", "drugs.csv"), ("warning", str(place))]


def test_the_codes_are_counted_by_kind_and_system(snapshot: Path) -> None:
    tablet = load(snapshot=snapshot).product(RXNORM, "310672")
    assert tablet is not None
    own = Overlay(
        drugs={(LOCAL, "HAL5"): tablet, (RXNORM, "99999999"): tablet},
        analytes={(LOCAL, "CA"): "calcium", (LOCAL, "MG"): "magnesium"},
        conditions={("http://snomed.info/sct", "990000001"): frozenset({"tardive"})},
        names={"hausmischung": ("5093",)},
        version="abc site.csv",
    )
    codes = load(own, snapshot)
    codes.learn(Overlay(drugs={(RXNORM, "99999998"): tablet}, version="1"))
    found = stats(codes, snapshot)
    told = dict(found)
    manifests = read_manifest(DATA), read_manifest(snapshot)
    assert len(told) == len(found)
    assert [told[name] for name in ("codes that ship", "snapshot")] == [
        f"{one.version}, {one.content_hash[:12]}" for one in manifests
    ]
    assert told["content hash of all"] == codes.content_hash
    assert told["site map version"] == "abc site.csv"
    assert found[-6:] == [
        ("site map, drugs: RxNorm", "1"),
        (f"site map, drugs: {LOCAL}", "1"),
        (f"site map, labs: {LOCAL}", "2"),
        ("site map, problems: SNOMED CT", "1"),
        ("site map, drugs: texts", "1"),
        ("resolver, drugs: RxNorm", "1"),
    ]


def test_the_codes_that_ship_are_counted() -> None:
    told = dict(stats(load(), None))
    assert (told["snapshot"], told["site map version"]) == ("none", "no site map")
    products = json.loads(load().resources()["CodeSystem/rxnorm-products"])["concept"]
    assert told["rxnorm products"] == str(len(products))
    for kind, prefix, system in (("labs", "lab-", "LOINC"), ("problems", "condition-", "SNOMED CT")):
        names = [key.removeprefix(f"ValueSet/{prefix}") for key in load().resources() if f"ValueSet/{prefix}" in key]
        assert told[f"{kind} that are known"] == ", ".join(sorted(names))
        sets = [json.loads(load().resources()[f"ValueSet/{prefix}{name}"])["compose"]["include"] for name in names]
        parts = [part for one in sets for part in one if part["system"] == SYSTEMS[system]]
        assert told[f"{kind}: {system}"] == str(
            sum(len(part.get("concept", ())) + len(part.get("filter", ())) for part in parts)
        )
    assert not any(name.startswith(("site map, ", "resolver, ")) for name in told)


CELLS = [
    ("haloperidol", "haloperidol"),
    ("=1+1", "'=1+1"),
    (" @SUM(A1)", "' @SUM(A1)"),
    ("'=1+1", "''=1+1"),
    ("'tis", "'tis"),
    ("", ""),
]


@pytest.mark.parametrize(("text", "written"), CELLS)
def test_a_cell_is_no_formula_and_is_read_back_as_it_was(text: str, written: str) -> None:
    assert cell(text) == written
    assert from_cell(written) == text


NOT_ACCEPTED = [
    row("a code with a character that cannot be seen", Entry("drug", LOCAL, "A\u200b", ""), "haloperidol",
        "the code 'A\\u200b' holds a character that cannot be seen (U+200B)"),
    row("a text that is too long", Entry("drug", "", "", "x" * 201), "haloperidol",
        "the text has 201 characters; at most 200 are read"),
    row("a system that is too long", Entry("drug", "urn:" + "x" * 200, "A", ""), "haloperidol",
        "the system has 204 characters; at most 200 are read"),
    row("no target", Entry("drug", LOCAL, "A", ""), " ", "the target is empty"),
]  # fmt: skip


@pytest.mark.parametrize(("unmapped", "target", "reason"), NOT_ACCEPTED)
def test_what_cannot_be_mapped_is_refused_and_nothing_is_written(
    tmp_path: Path, unmapped: Entry, target: str, reason: str
) -> None:
    folder = site(tmp_path, GOOD)
    with pytest.raises(ValueError, match=f"^{re.escape(reason)}$"):
        accept(folder, None, unmapped, target, "Jo")
    assert [path.name for path in folder.iterdir()] == ["drugs.csv"]
