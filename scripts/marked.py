"""A table that a script writes between two marks of a page."""

from __future__ import annotations

import sys
from pathlib import Path


def replaced(text: str, name: str, table: str) -> str:
    """``text`` with ``table`` between ``<!-- name -->`` and ``<!-- /name -->``; both marks must stand there once."""
    begin, end = f"<!-- {name} -->\n", f"<!-- /{name} -->\n"
    before, rest = text.split(begin)
    _, after = rest.split(end)
    return before + begin + table + end + after


def write(page: Path, name: str, table: str) -> int:
    """Write the table into ``page``; with --check only tell by 1 that the page is not up to date."""
    text = page.read_text("utf-8")
    made = replaced(text, name, table)
    if "--check" in sys.argv:
        return int(made != text)
    page.write_text(made, "utf-8")
    return 0
