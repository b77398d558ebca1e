"""Writes the table of rules into docs/guide.md; with --check it fails when the table is not up to date."""

from __future__ import annotations

import sys
from pathlib import Path

from plugin.guideline_text import TEXTS
from plugin.rule import Rule
from plugin.rules import RULES
from scripts.marked import write

PAGE = Path(__file__).parent.parent / "docs" / "guide.md"
GROUPS = ("R-DRUG", "R-MET", "R-DX", "R-TX", "R-DQ")


def _order(rule: Rule) -> tuple[int, str]:
    return GROUPS.index(rule.id.rpartition("-")[0]), rule.id


def table() -> str:
    """The rules as a Markdown table."""
    hooks = {rule.id: "all" if rule.about_data else ", ".join(rule.hooks) for rule in RULES}
    rows = [f"| {rule.id} | {TEXTS[rule.id].title} | {hooks[rule.id]} |" for rule in sorted(RULES, key=_order)]
    return "\n".join(["| rule | about | hooks |", "|---|---|---|", *rows, ""])


if __name__ == "__main__":
    sys.exit(write(PAGE, "rules", table()))
