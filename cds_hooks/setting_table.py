"""The settings as a table, for the command line and the documentation."""

from __future__ import annotations

from pathlib import Path
from typing import Any, Literal, get_args, get_origin

from cds_hooks.settings import CONFIG, PREFIX, Settings


def describe() -> list[tuple[str, str, str, str]]:
    """Every setting as (variable, type, default, meaning), for the command line and the documentation."""
    rows = [(CONFIG, "file", "none", "A TOML file with settings in lower case without the prefix.")]
    for name, field in Settings.model_fields.items():
        kind = _kind(field.annotation, field.metadata)
        rows.append((PREFIX + name.upper(), kind, _default(field), field.description or ""))
    return rows


def _kind(annotation: Any, metadata: Any) -> str:
    if get_origin(annotation) is Literal:
        return ", ".join(get_args(annotation))
    text = str(annotation)
    if annotation is bool or "bool" in text:
        return "on, off"
    if "tuple" in text:
        return "list"
    if "dict" in text:
        return "table"
    return {int: "whole number", float: "number", Path: "folder"}.get(annotation, "text")


def _default(field: Any) -> str:
    value = field.default
    if isinstance(value, bool):
        return "on" if value else "off"
    if isinstance(value, tuple):
        return ", ".join(value) or "empty"
    return "depends" if value is None or field.default_factory else str(value)
