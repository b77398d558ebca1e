"""One dialect: what the cards of an EHR may hold, read from the data file of its name beside this module."""

from __future__ import annotations

import tomllib
from collections.abc import Mapping
from functools import cache
from importlib.resources import files
from typing import Any, Literal

import msgspec

Known = Literal[
    "specification",
    "captured call",
    "client source",
    "vendor page",
    "vendor draft",
    "copy of the vendor's page",
    "second hand",
    "not known",
]


class Fact(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """One thing that is known of an EHR, how it is known, and where and when it was read."""

    says: str
    known: Known
    source: str = ""


class Dialect(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What one vendor's EHR can show. The defaults are the whole of CDS Hooks.

    ``hooks`` are those that the EHR is known to have (none: not known); calls of others are answered all the same.
    ``extension_prefix`` is what the names of its requests' extensions begin with, where it can be told by them.
    ``suggestions`` says whether any can be accepted, ``suggestions_in_words`` whether one without an action is shown;
    ``actions`` are the resource types that an action of each kind may have (None: all), ``actions_per_suggestion`` how
    many there may be (0: any number), and ``selection`` the values of selectionBehavior, the first for all others.
    ``description_shown`` says that the words of the action stand in for the label. ``mapped_as`` is the code system
    under which a created order must name an entry of the site's preference list. ``detail`` is how the detail is
    rendered; ``brief`` leaves evidence and sources to the guideline page. ``facts`` are what all this rests on.
    """

    title: str
    facts: tuple[Fact, ...]
    hooks: tuple[str, ...] = ()
    extension_prefix: str = ""
    suggestions: bool = True
    suggestions_in_words: bool = True
    actions: Mapping[str, tuple[str, ...]] | None = None
    actions_per_suggestion: int = 0
    selection: tuple[Literal["at-most-one", "any"], ...] = ("at-most-one", "any")
    description_shown: bool = False
    mapped_as: str = ""
    topic_characters: Literal["any", "alphanumeric"] = "any"
    topic_longest: int = 0
    smart_links: bool = True
    detail: Literal["markdown", "text"] = "markdown"
    brief: bool = False
    override_reasons: bool = True

    @property
    def whole(self) -> bool:
        """Whether it leaves every card as it is."""
        return msgspec.structs.replace(self, **_NOT_ABOUT_CARDS) == _WHOLE


_NOT_ABOUT_CARDS: dict[str, Any] = {"title": "", "facts": (), "hooks": (), "extension_prefix": "", "brief": False}
_WHOLE = Dialect("", ())
NAMES = ("generic", "epic", "oracle", "athena", "sandbox")


@cache
def dialect(name: str) -> Dialect:
    """The dialect of that name, one of :data:`NAMES`."""
    text = (files(__package__) / f"{name}.toml").read_text("utf-8")
    return msgspec.convert(tomllib.loads(text), Dialect)
