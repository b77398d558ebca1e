"""Writes the table of settings into docs/operations.md; with --check it fails when the table is not up to date."""

from __future__ import annotations

import sys
from pathlib import Path

from cds_hooks.setting_table import describe

PAGE = Path(__file__).parent.parent / "docs" / "operations.md"
BEGIN, END = "<!-- settings -->\n", "<!-- /settings -->\n"


def table() -> str:
    """The settings as a Markdown table."""
    rows = [f"| `{name}` | {kind} | {default} | {meaning} |" for name, kind, default, meaning in describe()]
    return "\n".join(["| variable | type | default | meaning |", "|---|---|---|---|", *rows, ""])


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
