"""The layout of data files: JSON that a person can read and a version control system can compare."""

import json
from typing import Any

Json = dict[str, Any]


def render(resource: Json) -> bytes:
    """The resource as UTF-8 JSON: one line per field, and one line per concept, element or include."""
    fields = [f"  {_compact(key)}: {_field(value, 2)}" for key, value in resource.items()]
    return ("{\n" + ",\n".join(fields) + "\n}\n").encode()


def _compact(value: Any) -> str:
    return json.dumps(value, ensure_ascii=False, separators=(",", ":"))


def _field(value: Any, indent: int) -> str:
    pad = " " * indent
    if isinstance(value, list) and value and isinstance(value[0], dict):
        lines = [f"{pad}  {_entry(one, indent + 2)}" for one in value]
        return "[\n" + ",\n".join(lines) + f"\n{pad}]"
    if isinstance(value, dict):
        lines = [f"{pad}  {_compact(key)}: {_field(one, indent + 2)}" for key, one in value.items()]
        return "{\n" + ",\n".join(lines) + f"\n{pad}}}"
    return _compact(value)


def _entry(value: Json, indent: int) -> str:
    """A list entry: one line, unless it holds the concepts of an include or the elements of a group."""
    holds_list = "element" in value or ("system" in value and "concept" in value)
    return _field(value, indent) if holds_list else _compact(value)
