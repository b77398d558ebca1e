"""Habits of the house: each rule is complete, rooms stay small, the project speaks of itself."""

from __future__ import annotations

import re
import subprocess
from pathlib import Path

import pytest

from plugin.guideline_text import TEXTS
from plugin.hooks import HOOKS
from plugin.pages.silences import FIGURES
from plugin.rule import Rule
from plugin.rules import RULES
from plugin.services import TYPES, keys_of, template
from plugin.thresholds import TABLE
from tests.support.fire import plugin

ROOT = Path(__file__).parents[2]
SOURCES = [
    path
    for room in ("cds_hooks", "plugin", "valuesets", "benchmarks", "scripts")
    for path in (ROOT / room).rglob("*.py")
]


@pytest.mark.parametrize("rule", RULES, ids=lambda rule: rule.id)
def test_each_rule_is_complete(rule: Rule) -> None:
    pages = {page.id: page for page in plugin().guideline}
    page = pages[rule.id]
    assert TEXTS[rule.id].title == page.title
    assert page.looks_for
    assert page.levels
    assert page.missing_data
    assert page.override_reasons
    assert set(rule.thresholds) <= set(TABLE)
    assert set(rule.needs) <= set(TYPES)
    assert re.fullmatch(r"\d+\.\d+\.\d+", rule.version)


def test_rule_ids_are_unique() -> None:
    assert len({rule.id for rule in RULES}) == len(RULES)


def test_every_figure_stands_on_a_guideline_page() -> None:
    shown = {name for rule in RULES for name in rule.thresholds}
    shown |= {name for names in FIGURES.values() for name in names}
    assert set(TABLE) - shown == set()


def test_every_figure_is_used() -> None:
    """Used beside the lists that put it on a page; the bounds of plausible results are found by their analyte."""
    listed = re.compile(r'^\s+"\w+",$|^\s+_rule\(.*$|^\s*\(?"\w+", "\w+".*$', re.MULTILINE)
    code = "".join(listed.sub("", path.read_text("utf-8")) for path in SOURCES if path.name != "thresholds.py")
    unused = {name for name in TABLE if not re.search(rf"\b{name}\b", code)}
    assert {name for name in unused if not name.endswith("_plausible")} == set()


@pytest.mark.parametrize("hook", HOOKS)
def test_every_prefetch_template_is_read_by_a_rule(hook: str) -> None:
    needed = {key for rule in RULES if hook in rule.hooks for key in rule.needs} | {"patient", "encounter"}
    assert set(keys_of(hook)) <= needed | {"medicationStatements", "medicationAdministrations", "medicationDispenses"}
    assert all("{{context.patientId}}" in template(key) or key == "encounter" for key in keys_of(hook))


@pytest.mark.parametrize("path", SOURCES, ids=lambda path: str(path.relative_to(ROOT)))
def test_modules_stay_small(path: Path) -> None:
    assert len(path.read_text("utf-8").splitlines()) <= 400


def test_no_committed_file_names_a_package_download_or_a_path_of_a_machine() -> None:
    listed = subprocess.run(["git", "ls-files"], cwd=ROOT, capture_output=True, text=True, check=False)
    if listed.returncode:
        pytest.skip("not a git checkout: the list of committed files is not known")
    download = re.compile(r"https?://\S+\.(whl|tgz|deb|tar\.gz)\b")
    home = re.compile(r"(?<![\w.\-])/(home|root|Users|work|opt|var/tmp)/[A-Za-z]")
    for name in listed.stdout.split():
        path = ROOT / name
        if path.suffix in {".png", ".ico"} or not path.is_file():
            continue
        text = path.read_text("utf-8")
        assert not download.search(text), name
        assert not home.search(text), name
