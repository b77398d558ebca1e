"""Writes the table of settings into docs/operations.md; with --check it fails when the table is not up to date."""

from __future__ import annotations

import sys
from pathlib import Path

from cds_hooks.setting_table import describe
from scripts.marked import write

PAGE = Path(__file__).parent.parent / "docs" / "operations.md"


def table() -> str:
    """The settings as a Markdown table."""
    rows = [f"| `{name}` | {kind} | {default} | {meaning} |" for name, kind, default, meaning in describe()]
    return "\n".join(["| variable | type | default | meaning |", "|---|---|---|---|", *rows, ""])


if __name__ == "__main__":
    sys.exit(write(PAGE, "settings", table()))
