"""Cells of the CSV files that we write, so that no spreadsheet takes one for a formula (OWASP ASVS 1.2.10)."""

from __future__ import annotations

import re

_FORMULA = re.compile(r"'*(?:[\t\r\0]|\s*[=+\-@＝＋－＠])")


def cell(text: str) -> str:
    """The text, with an apostrophe before one that a spreadsheet would take for a formula."""
    return f"'{text}" if _FORMULA.match(text) else text


def from_cell(text: str) -> str:
    """The text that :func:`cell` wrote."""
    return text[1:] if text.startswith("'") and _FORMULA.match(text) else text
