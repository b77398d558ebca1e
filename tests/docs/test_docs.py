"""The documentation names everything that there is: settings, commands, metrics, rules, endpoints."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import pytest
from typer.main import get_command

from cds_hooks.cli import app
from cds_hooks.metrics import Metrics
from cds_hooks.setting_table import describe
from cds_hooks.settings import load
from plugin.guideline_text import TEXTS
from plugin.rule import Rule
from plugin.rules import RULES
from plugin.samples import PATIENTS
from plugin.thresholds import Limits
from scripts import rules_page
from scripts.marked import replaced
from tests.support.stories import fired

ROOT = Path(__file__).parents[2]
OPERATIONS = (ROOT / "docs" / "operations.md").read_text("utf-8")
README = (ROOT / "README.md").read_text("utf-8")
GUIDE = (ROOT / "docs" / "guide.md").read_text("utf-8")


def commands() -> dict[str, Any]:
    """Every command of the command line, by its name with its group."""
    found: dict[str, Any] = {}
    for name, command in get_command(app).commands.items():  # type: ignore[attr-defined]
        inner = getattr(command, "commands", None)
        found |= {f"{name} {one}": part for one, part in inner.items()} if inner else {name: command}
    return found


def test_the_settings_table_is_the_one_that_the_code_gives() -> None:
    for name, kind, default, meaning in describe():
        assert f"| `{name}` | {kind} | {default} | {meaning} |" in OPERATIONS


@pytest.mark.parametrize("command", commands())
def test_each_command_is_documented_with_its_options(command: str) -> None:
    row = re.search(rf"^\| `dystonia-cds {command}\b.+$", OPERATIONS, re.MULTILINE)
    assert row is not None
    options = {option for one in commands()[command].params for option in one.opts if option.startswith("--")}
    assert {option for option in options - {"--help"} if option not in row[0]} == set()


def test_each_metric_is_documented() -> None:
    served = set(re.findall(r"# HELP (cds_\w+)", Metrics().render().decode()))
    assert served
    assert {name for name in served if f"`{name}`" not in OPERATIONS} == set()


@pytest.mark.parametrize("rule", [rule for rule in RULES if not rule.about_data], ids=lambda rule: rule.id)
def test_the_guide_names_each_rule_with_its_hooks(rule: Rule) -> None:
    assert f"| {rule.id} | {TEXTS[rule.id].title} | {', '.join(rule.hooks)} |" in GUIDE


def test_the_table_of_rules_is_the_one_that_the_rules_give() -> None:
    made = replaced(GUIDE, "rules", rules_page.table())
    assert made == GUIDE, "run PYTHONPATH=. .venv/bin/python scripts/rules_page.py"


def test_the_settings_file_of_the_guide_is_accepted(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (example,) = re.findall(r"```toml\n(.+?)```", GUIDE, re.DOTALL)
    (tmp_path / "site.toml").write_text(example, "utf-8")
    monkeypatch.setenv("DYSTONIA_CDS_CONFIG", str(tmp_path / "site.toml"))
    site = load().site("http://127.0.0.1:8000")
    assert site.jurisdiction == "uk"
    assert site.suppressions_off == ("S-08",)
    assert {str(value) for value in Limits(**site.thresholds).as_dict().values()} >= {"14", "2.1"}


def test_the_card_of_the_readme_is_the_one_that_the_service_gives() -> None:
    (card,) = fired(next(sample for sample in PATIENTS if sample.id == "adam-testa")).cards
    quoted = "\n".join(line.removeprefix(">").strip() for line in README.splitlines() if line.startswith(">"))
    told, rest = (" ".join(part.split()) for part in quoted.split("*Options:*"))
    assert told.startswith(f"⚠ **{card['summary']}**")
    assert told.endswith(" ".join(card["detail"].split()))
    options, links = rest.split("*Links:*")
    assert options.strip() == " · ".join(one["label"] for one in card["suggestions"])
    assert links.strip() == " · ".join(one["label"] for one in card["links"])


@pytest.mark.parametrize(
    "page", sorted(ROOT.glob("*.md")) + sorted((ROOT / "docs").rglob("*.md")), ids=lambda p: p.name
)
def test_links_between_pages_lead_somewhere(page: Path) -> None:
    for target in re.findall(r"\]\((?!https?:)([^)#]+)", page.read_text("utf-8")):
        assert (page.parent / target).exists(), f"{page.name} links to {target}"


def anchor(heading: str) -> str:
    """The address of a heading within its page."""
    return re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-")


@pytest.mark.parametrize(
    "page", sorted(ROOT.glob("*.md")) + sorted((ROOT / "docs").rglob("*.md")), ids=lambda p: p.name
)
def test_links_to_headings_lead_to_one(page: Path) -> None:
    for target, heading in re.findall(r"\]\((?!https?:)([^)#]*)#([^)]+)\)", page.read_text("utf-8")):
        text = (page.parent / target if target else page).read_text("utf-8")
        known = {anchor(one) for one in re.findall(r"^#+ (.+)$", text, re.MULTILINE)}
        assert heading in known, f"{page.name} links to {target}#{heading}"


def test_the_settings_file_of_the_page_about_tokens_is_accepted(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    page = (ROOT / "docs" / "tokens.md").read_text("utf-8")
    (example,) = re.findall(r"```toml\n(.+?)```", page, re.DOTALL)
    (tmp_path / "site.toml").write_text(example, "utf-8")
    monkeypatch.setenv("DYSTONIA_CDS_CONFIG", str(tmp_path / "site.toml"))
    settings = load()
    assert [client.name for client in settings.clients] == ["north", "south-ward-7"]
    assert settings.clients[1].jwks_file == tmp_path / "south.jwks.json"


def test_each_class_of_refused_tokens_is_documented() -> None:
    sources = [path.read_text("utf-8") for path in (ROOT / "cds_hooks" / "auth").glob("*.py")]
    words = {word for text in sources for word in re.findall(r'Unauthorised\("([a-z-]+)"\)', text)}
    words |= {word for text in sources for word in re.findall(r'Error, "([a-z-]+)"\)', text)}
    page = (ROOT / "docs" / "tokens.md").read_text("utf-8")
    assert len(words) > 12
    assert {word for word in words if f"`{word}`" not in page} == set()
