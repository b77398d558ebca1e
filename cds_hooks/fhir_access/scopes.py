"""SMART scopes, version 1 (``patient/Observation.read``) and 2 (``patient/Observation.rs?category=laboratory``)."""

from __future__ import annotations

import re
from enum import Enum

SCOPE = re.compile(
    r"(?:patient|user|system)/(?P<kind>[A-Za-z]{1,64}|\*)\.(?P<how>read|write|\*|c?r?u?d?s?)(?P<query>\?\S*)?"
)
WORDS = {"read": "rs", "write": "cud", "*": "cruds"}
ASIDE = re.compile(r"openid|profile|fhirUser|launch(?:/\S*)?|(?:on|off)line_access")
"""SMART's scopes that are about no resource."""
PLACES = ("patient/", "user/", "system/")
READ, SEARCH = "r", "s"


class Grant(Enum):
    """Whether something may be asked, and whether the answer can be the whole of it."""

    NO = 0
    PART = 1
    WHOLE = 2


class Grants:
    """What the scopes of a token allow.

    Without any scope nothing is forbidden: the server decides. So it is with scopes that are not SMART's: some EHRs
    name their own interfaces there (``Observation.Search (Labs) (R4)``).
    """

    __slots__ = ("_by_kind", "_said")

    def __init__(self, scopes: str) -> None:
        words = scopes.split()
        is_smart = any(word.startswith(PLACES) for word in words) or all(map(ASIDE.fullmatch, words))
        self._said = bool(words) and is_smart
        self._by_kind: dict[tuple[str, str], Grant] = {}
        for text in words:
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
