"""SMART scopes, version 1 (``patient/Observation.read``) and 2 (``patient/Observation.rs?category=laboratory``)."""

from __future__ import annotations

import re
from enum import Enum

SCOPE = re.compile(
    r"(?:patient|user|system)/(?P<kind>[A-Za-z]{1,64}|\*)\.(?P<how>read|write|\*|c?r?u?d?s?)(?P<query>\?\S*)?"
)
WORDS = {"read": "rs", "write": "cud", "*": "cruds"}
READ, SEARCH = "r", "s"


class Grant(Enum):
    """Whether something may be asked, and whether the answer can be the whole of it."""

    NO = 0
    PART = 1
    WHOLE = 2


class Grants:
    """What the scopes of a token allow. Without any scope nothing is forbidden: the server decides."""

    __slots__ = ("_by_kind", "_said")

    def __init__(self, scopes: str) -> None:
        self._said = bool(scopes.strip())
        self._by_kind: dict[tuple[str, str], Grant] = {}
        for text in scopes.split():
            scope = SCOPE.fullmatch(text)
            if scope is not None:
                self._add(scope["kind"], WORDS.get(scope["how"], scope["how"]), restricted=bool(scope["query"]))

    def _add(self, kind: str, letters: str, *, restricted: bool) -> None:
        grant = Grant.PART if restricted else Grant.WHOLE
        for letter in letters:
            if self._by_kind.get((kind, letter)) is not Grant.WHOLE:
                self._by_kind[kind, letter] = grant

    def of(self, kind: str, letter: str) -> Grant:
        """What is granted for a resource type and ``READ`` or ``SEARCH``."""
        if not self._said:
            return Grant.WHOLE
        found = (self._by_kind.get((one, letter), Grant.NO) for one in (kind, "*"))
        return max(found, key=lambda grant: grant.value)
