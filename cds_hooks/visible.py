"""Texts of unknown origin for terminals, logs and spreadsheets: what would act there without being seen is seen."""

from __future__ import annotations

import json
import re
from typing import Any

# Control signs of terminals, line ends that only some programs know, direction overrides, signs without width.
_UNSEEN = re.compile(
    "[\x00-\x08\x0b-\x1f\x7f-\x9f\u061c\u200b-\u200f\u2028-\u202e\u2060-\u206f\ufeff\ufff9-\ufffb\U000e0000-\U000e007f]"
)
# OWASP ASVS 1.2.10, full-width forms too; a blank before one does not help.
_FORMULA = re.compile(r"'*(?:[\t\r\0]|\s*[=+\-@＝＋－＠])")


def visible(value: Any) -> Any:
    """A JSON value with an escape in the place of every sign that cannot be seen; line ends and tabs stay."""
    if isinstance(value, str):
        return _UNSEEN.sub(_escape, value)
    if isinstance(value, dict):
        return {visible(name): visible(inner) for name, inner in value.items()}
    return [visible(inner) for inner in value] if isinstance(value, list) else value


def as_json(value: Any, indent: int | None = None) -> str:
    """``value`` as JSON for people and programs: the same value, with an escape for every sign that cannot be seen."""
    return _UNSEEN.sub(_escape, json.dumps(value, indent=indent, ensure_ascii=False))


def escaped(line: bytes) -> bytes:
    """One line of JSON, likewise."""
    return line if line.isascii() and b"\x7f" not in line else _UNSEEN.sub(_escape, line.decode()).encode()


def cell(text: str) -> str:
    """A text for a CSV file: one that a spreadsheet would take for a formula has an apostrophe before it."""
    return f"'{text}" if _FORMULA.match(text) else text


def from_cell(text: str) -> str:
    """The text that :func:`cell` wrote."""
    return text[1:] if text.startswith("'") and _FORMULA.match(text) else text


def _escape(found: re.Match[str]) -> str:
    return json.dumps(found[0])[1:-1] if ord(found[0]) != 0x7F else "\\u007f"
