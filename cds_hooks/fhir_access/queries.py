"""From a prefetch template and a call to what is asked of the server: ids checked, tokens filled, all encoded."""

from __future__ import annotations

import re
from collections.abc import Mapping
from urllib.parse import quote

import msgspec

from cds_hooks.prefetch import CONTEXT_FIELDS, Key
from cds_hooks.wire import Call

FHIR_ID = re.compile(r"(?!\.+\Z)[A-Za-z0-9.\-]{1,64}")
TYPED_ID = re.compile(r"[A-Z][A-Za-z]{1,63}/(?!\.+\Z)[A-Za-z0-9.\-]{1,64}")
HOLE = re.compile(r"\{\{\s*([\w.]+)\s*\}\}")
OWNERS = frozenset({"patient", "subject"})
BARE, TYPED = "", "Patient/"
"""The two spellings of an id in a search for a patient's data."""


class Query(msgspec.Struct, frozen=True):
    """A template with its tokens filled. ``owner`` names the parameter that holds the patient's id, if one does."""

    path: str
    parameters: tuple[tuple[str, str], ...] = ()
    owner: str = ""

    @property
    def names(self) -> frozenset[str]:
        """The names of the parameters."""
        return frozenset(name for name, _ in self.parameters)

    def target(self, spelling: str = BARE, *, plain: bool = False) -> str:
        """Path and query, the patient's id in ``spelling``; ``plain`` leaves out how the result should be arranged."""
        told = "&".join(
            f"{quote(name, safe=':-_.')}={quote(spelling + value if name == self.owner else value, safe=',:$')}"
            for name, value in self.parameters
            if not (plain and name.startswith("_"))
        )
        return f"{self.path}?{told}" if told else self.path


def query_of(template: str, key: Key, call: Call) -> Query | None:
    """What a key asks for in this call; None where an id of the call has no business in an address."""
    values = {f"context.{field}": getattr(call, name) for field, name in CONTEXT_FIELDS.items()}
    path, _, rest = template.partition("?")
    filled = _filled(path, values)
    if filled is None or not filled.startswith(key.resource_type) or ".." in filled:
        return None
    parameters: list[tuple[str, str]] = []
    owner = ""
    for part in rest.split("&") if rest else ():
        name, _, value = part.partition("=")
        if name in OWNERS and HOLE.fullmatch(value):
            owner = name
        text = _filled(value, values)
        if text is None:
            return None
        parameters.append((name, text))
    return Query(filled, tuple(parameters), owner)


def _filled(text: str, values: Mapping[str, str]) -> str | None:
    """``text`` with its tokens filled; None where a token is unknown, or its value is no id."""
    for token in HOLE.findall(text):
        value = values.get(token, "")
        if not FHIR_ID.fullmatch(value) and not TYPED_ID.fullmatch(value):
            return None
    filled = HOLE.sub(lambda hole: values[hole[1]], text)
    return None if "{{" in filled else filled
