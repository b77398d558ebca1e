"""The documentation names everything that there is: settings, commands, metrics, rules, endpoints."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from typer.main import get_command

from cds_hooks.cli import app
from cds_hooks.metrics import Metrics
from cds_hooks.settings import describe
from plugin.rules import RULES

ROOT = Path(__file__).parents[2]
OPERATIONS = (ROOT / "docs" / "operations.md").read_text("utf-8")
GUIDE = (ROOT / "docs" / "guide.md").read_text("utf-8")


def commands() -> list[str]:
    """Every command of the command line, with its group."""
    found = []
    for name, command in get_command(app).commands.items():  # type: ignore[attr-defined]
        inner = getattr(command, "commands", None)
        found += [f"{name} {one}" for one in inner] if inner else [name]
    return found


def test_the_settings_table_is_the_one_that_the_code_gives() -> None:
    for name, kind, default, meaning in describe():
        assert f"| `{name}` | {kind} | {default} | {meaning} |" in OPERATIONS


@pytest.mark.parametrize("command", commands())
def test_each_command_is_documented(command: str) -> None:
    assert f"dystonia-cds {command}" in OPERATIONS


def test_each_metric_is_documented() -> None:
    served = set(re.findall(r"# HELP (cds_\w+)", Metrics().render().decode()))
    assert served
    assert {name for name in served if f"`{name}`" not in OPERATIONS} == set()


def test_each_rule_is_in_the_guide() -> None:
    named = [rule.id for rule in RULES if not rule.id.startswith("R-DQ")]
    assert [rule for rule in named if rule not in GUIDE] == []
    assert "R-DQ-01 to R-DQ-08" in GUIDE


@pytest.mark.parametrize(
    "page", sorted(ROOT.glob("*.md")) + sorted((ROOT / "docs").rglob("*.md")), ids=lambda p: p.name
)
def test_links_between_pages_lead_somewhere(page: Path) -> None:
    for target in re.findall(r"\]\((?!https?:)([^)#]+)", page.read_text("utf-8")):
        assert (page.parent / target).exists(), f"{page.name} links to {target}"
