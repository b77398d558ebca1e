"""Writes the table of rules into docs/guide.md; with --check it fails when the table is not up to date."""

from __future__ import annotations

import sys
from pathlib import Path

from plugin.guideline_text import TEXTS
from plugin.rule import Rule
from plugin.rules import RULES

PAGE = Path(__file__).parent.parent / "docs" / "guide.md"
BEGIN, END = "<!-- rules -->\n", "<!-- /rules -->\n"
GROUPS = ("R-DRUG", "R-MET", "R-DX", "R-TX", "R-DQ")


def _order(rule: Rule) -> tuple[int, str]:
    return GROUPS.index(rule.id.rpartition("-")[0]), rule.id


def table() -> str:
    """The rules as a Markdown table."""
    hooks = {rule.id: "all" if rule.about_data else ", ".join(rule.hooks) for rule in RULES}
    rows = [f"| {rule.id} | {TEXTS[rule.id].title} | {hooks[rule.id]} |" for rule in sorted(RULES, key=_order)]
    return "\n".join(["| rule | about | hooks |", "|---|---|---|", *rows, ""])


def page(text: str) -> str:
    """The page with its table replaced."""
    before, rest = text.split(BEGIN)
    return before + BEGIN + table() + END + rest.split(END)[1]


def main() -> int:
    """Write the page, or check it."""
    text = PAGE.read_text("utf-8")
    if "--check" in sys.argv:
        return 0 if page(text) == text else 1
    PAGE.write_text(page(text), "utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main())
