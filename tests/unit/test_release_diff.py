"""What two sets of drug data treat differently, and the rules that this touches."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import pytest
from typer.testing import CliRunner

from cds_hooks.cli import app
from plugin.desk import release
from plugin.desk.reads import reads
from plugin.desk.release import Difference, diff, outdated
from plugin.rules import RULES
from tests.support.rxnorm_release import INVENTED, Release, excerpt
from valuesets import load
from valuesets.manifest import fingerprint, make_manifest, read_manifest, render_manifest
from valuesets.release.diff import Change
from valuesets.release.snapshot import build_snapshot
from valuesets.store import DATA, Resources

PRODUCTS = "CodeSystem-rxnorm-products.json"
UNRECOGNISED = "R-DQ-01"
TIERED = ("R-DRUG-01", "R-DRUG-02", "R-DRUG-03", "R-MET-01")


def snapshot(folder: Path, edit: Callable[[str], str], ingredients: str = "") -> Path:
    """A snapshot of the shipped products with some lines changed, as another release would have them."""
    folder.mkdir()
    content = edit((DATA / PRODUCTS).read_text("utf-8")).encode()
    (folder / PRODUCTS).write_bytes(content)
    shipped = read_manifest(DATA)
    made = make_manifest(
        {PRODUCTS: content}, "1", "test", "test", ingredients or shipped.ingredients, shipped.content_hash
    )
    (folder / "manifest.json").write_bytes(render_manifest(made))
    return folder


def without(code: str) -> Callable[[str], str]:
    return lambda text: "".join(line for line in text.splitlines(True) if f'{{"code":"{code}",' not in line)


def replaced(code: str, old: str, new: str) -> Callable[[str], str]:
    """The text with one change in the line of one code, which must be possible."""

    def edit(text: str) -> str:
        lines = text.splitlines(True)
        at = next(at for at, line in enumerate(lines) if f'{{"code":"{code}",' in line)
        assert old in lines[at]
        lines[at] = lines[at].replace(old, new)
        return "".join(lines)

    return edit


def only(found: list[Difference]) -> Difference:
    assert len(found) == 1
    return found[0]


def has(one: Difference, rules: tuple[str, ...]) -> None:
    assert set(rules) <= set(one.rules)


def test_nothing_differs_from_itself(tmp_path: Path) -> None:
    assert list(diff(None, None)) == []
    assert list(diff(None, snapshot(tmp_path / "same", str))) == []


def test_a_lost_code_and_the_same_code_gained(tmp_path: Path) -> None:
    folder = snapshot(tmp_path / "fewer", without("310672"))
    lost, gained = only(list(diff(None, folder))), only(list(diff(folder, None)))
    assert (lost.kind, lost.what, lost.code, lost.after) == ("lost", "RxNorm", "310672", "")
    assert lost.before == "ingredients haloperidol; route oral; strength haloperidol 5 mg"
    assert (gained.kind, gained.after, gained.before) == ("gained", lost.before, "")
    has(lost, (*TIERED, UNRECOGNISED))


# What changes in the line of a product -> how that is told, and which rules may read the code.
CHANGES = {
    "strength": (
        "310672",
        "5093=5 mg",
        "5093=50 mg",
        "strength haloperidol 5 mg",
        "strength haloperidol 50 mg",
        TIERED,
    ),
    "route": ("311666", '"valueCode":"oral"', '"valueCode":"rectal"', "route oral", "route rectal", TIERED),
    "ingredient": (
        "310672",
        '"ingredient","valueCode":"5093"',
        '"ingredient","valueCode":"6915"',
        "ingredients haloperidol",
        "ingredients metoclopramide",
        TIERED,
    ),
    "long-acting": (
        "859867",
        ',{"code":"long-acting","valueBoolean":true}',
        "",
        "long-acting yes",
        "long-acting none",
        TIERED,
    ),
}


@pytest.mark.parametrize(("code", "old", "new", "before", "after", "rules"), CHANGES.values(), ids=CHANGES)
def test_a_changed_code(
    tmp_path: Path, code: str, old: str, new: str, before: str, after: str, rules: tuple[str, ...]
) -> None:
    found = only(list(diff(None, snapshot(tmp_path / "other", replaced(code, old, new)))))
    assert (found.kind, found.code, found.before, found.after) == ("changed", code, before, after)
    assert UNRECOGNISED not in found.rules
    has(found, rules)


def test_a_name_that_is_spelt_otherwise_is_no_change(tmp_path: Path) -> None:
    edit = replaced("310672", "haloperidol 5 MG", "Haloperidol 5 MG")
    assert list(diff(None, snapshot(tmp_path / "other", edit))) == []


# An ingredient or a value set -> rules that must be among those told, and rules that must not.
TOUCHED = {
    "high tier": ("ingredient", "haloperidol", TIERED, ("R-MET-03",)),
    "calcium": ("ingredient", "calcium carbonate", ("R-MET-03",), ("R-DRUG-01", "R-DRUG-02")),
    "cover": ("ingredient", "benztropine", ("R-DRUG-01",), ("R-MET-01",)),
    "lowers magnesium": ("ingredient", "omeprazole", ("R-MET-03",), ("R-DRUG-02",)),
    "ordinary drug": ("ingredient", "dexamethasone", (), TIERED),
}


@pytest.mark.parametrize(("what", "name", "rules", "others"), TOUCHED.values(), ids=TOUCHED)
def test_the_rules_that_an_ingredient_touches(
    tmp_path: Path, what: str, name: str, rules: tuple[str, ...], others: tuple[str, ...]
) -> None:
    ingredient = load().ingredient(name)
    assert ingredient is not None
    found = only(list(diff(None, snapshot(tmp_path / "fewer", without(ingredient.rxcui)))))
    has(found, rules)
    assert not set(others) & set(found.rules)


# The value set to which a code came -> a rule that reads it, and one that does not.
SETS = [
    ("drug-first-generation", "R-DRUG-01", "R-DRUG-04"),
    ("drug-strong-cyp2d6-inhibitor", "R-DRUG-07", "R-MET-01"),
    ("drug-pkd-anticonvulsant", "R-TX-05", "R-DRUG-01"),
    ("condition-deletion-22q11", "R-MET-05", "R-DRUG-02"),
    ("lab-calcium-ionised", "R-MET-01", "R-DRUG-02"),
]


@pytest.mark.parametrize(("value_set", "reads", "other"), SETS)
def test_the_rules_that_a_value_set_touches(value_set: str, reads: str, other: str) -> None:
    change = Change("gained", value_set, "4711", "a code", "", "included", (), value_set)
    found = release._difference(change, ())
    assert (reads in found.rules, other in found.rules) == (True, False)


def test_every_class_that_the_rules_name_is_known(tmp_path: Path) -> None:
    """What is read from the code of the rules fits the value sets: no class is missed by being misspelt there."""
    classes = {key.removeprefix("ValueSet/drug-") for key in load().resources() if key.startswith("ValueSet/drug-")}
    named = {word for rule in RULES for word in reads(rule).classes} & classes
    assert {"antipsychotic", "dopamine-antiemetic", "anticholinergic", "magnesium", "young-below-30"} <= named
    assert all(reads(rule).tiers for rule in RULES if rule.id in TIERED)


def test_a_release_is_compared_with_the_data_that_ship(tmp_path: Path) -> None:
    """New codes and brands are gained; nothing is lost, because what a release leaves out stays as it ships."""
    found = list(diff(None, _built(excerpt(), tmp_path)))
    kinds = {(one.kind, one.what) for one in found}
    assert kinds <= {("gained", "RxNorm"), ("gained", "NDC"), ("gained", "name"), ("changed", "RxNorm")}
    brand = only([one for one in found if one.what == "name"])
    assert (brand.code, brand.after) == ("gastrovane", "ingredients metoclopramide")
    assert all(int(one.code) > INVENTED for one in found if (one.kind, one.what) == ("gained", "RxNorm"))
    order = [("gained", "lost", "changed").index(one.kind) for one in found]
    assert order == sorted(order)


def _built(release: Release, folder: Path) -> Path:
    out = folder / "snapshot"
    build_snapshot(release.write(folder / "release"), out, "1", Resources(), load(), lambda name, done, size: None)
    return out


def test_a_snapshot_for_another_list_of_ingredients(tmp_path: Path) -> None:
    """It loads: an ingredient that is no longer ours is an ordinary drug. The check says to build it again."""
    edit = replaced("310672", "5093", "77")
    folder = snapshot(tmp_path / "old", edit, fingerprint(["77"]))
    product = load(snapshot=folder).product("http://www.nlm.nih.gov/research/umls/rxnorm", "310672")
    assert product is not None
    assert (product.ingredients, product.strengths) == ((), ())
    assert "built for another list of ingredients" in outdated(folder)
    assert outdated(snapshot(tmp_path / "new", str)) == ""


def test_a_snapshot_over_the_data_of_another_version(tmp_path: Path) -> None:
    folder = snapshot(tmp_path / "old", str)
    shipped, content = read_manifest(DATA), (folder / PRODUCTS).read_bytes()
    made = make_manifest({PRODUCTS: content}, "1", "test", "test", shipped.ingredients, "0" * 64)
    (folder / "manifest.json").write_bytes(render_manifest(made))
    assert "built over the data of another version" in outdated(folder)


# -- the commands ------------------------------------------------------------------------------------------------


def run(*arguments: str) -> tuple[int, str]:
    done = CliRunner().invoke(app, ["terminology", *arguments])
    return done.exit_code, done.output if done.exception is None else str(done.exception)


@pytest.fixture(autouse=True)
def _own_data_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DYSTONIA_CDS_DATA_DIR", str(tmp_path / "data"))


def test_build_and_diff_by_command(tmp_path: Path) -> None:
    release = excerpt().write(tmp_path / "RxNorm_full_03022026")
    code, output = run("build", "--rxnorm", str(release))
    out = tmp_path / "data" / "snapshots" / "RxNorm_full_03022026"
    assert code == 0
    assert "version: 2026-03-02" in output
    assert f"written to: {out}" in output
    code, output = run("diff", "shipped", str(out), "--json")
    rows = [json.loads(line) for line in output.splitlines()]
    assert code == 0
    assert {"kind", "what", "code", "name", "before", "after", "rules"} == rows[0].keys()
    assert "gastrovane" in {row["code"] for row in rows}
    code, output = run("diff", "shipped", str(out))
    assert f"gained: {sum(row['kind'] == 'gained' for row in rows)}" in output
    assert "R-DRUG-01" in output


def test_no_difference_is_told(tmp_path: Path) -> None:
    assert run("diff", "shipped", "shipped") == (0, "No difference.\n")


def test_trouble_is_one_sentence(tmp_path: Path) -> None:
    folder = snapshot(tmp_path / "edited", str)
    (folder / PRODUCTS).write_text("{}")
    code, told = run("diff", "shipped", str(folder))
    assert code == 1
    assert f"{folder / PRODUCTS} is not as its manifest says" in told
    code, told = run("diff", str(tmp_path / "nowhere"), "shipped")
    assert code == 1
    assert "nowhere/manifest.json cannot be read (No such file or directory)" in told
    code, told = run("build", "--rxnorm", str(tmp_path), "--version", "1")
    assert code == 1
    assert told.startswith(f"{tmp_path} holds no RXNCONSO.RRF.")
