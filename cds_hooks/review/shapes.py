"""The stored JSON, as far as the pages show it. Every field may be absent."""

from __future__ import annotations

import msgspec

from cds_hooks.review.words import FETCH_WORDS, KEY_STATES, REASONS


class Source(msgspec.Struct):
    """Who stands behind a card."""

    label: str = ""
    url: str = ""


class Action(msgspec.Struct):
    """What a suggestion would do."""

    type: str = ""
    description: str = ""


class Suggestion(msgspec.Struct, rename="camel"):
    """A suggestion as it was offered."""

    label: str = ""
    uuid: str = ""
    is_recommended: bool = False
    actions: list[Action] = []


class Reason(msgspec.Struct):
    """A reason for not following a card, as it was offered."""

    code: str = ""
    display: str = ""


class Link(msgspec.Struct):
    """A link of a card."""

    label: str = ""
    url: str = ""


class Card(msgspec.Struct, rename="camel"):
    """A card, as far as a page shows it."""

    uuid: str = ""
    summary: str = ""
    detail: str = ""
    indicator: str = ""
    source: Source = msgspec.field(default_factory=Source)
    suggestions: list[Suggestion] = []
    override_reasons: list[Reason] = []
    links: list[Link] = []


class Verdict(msgspec.Struct):
    """What one rule said."""

    rule: str = ""
    subject: str = ""
    status: str = ""
    reason: str = ""
    suppressed: str = ""
    indicator: str = ""
    inputs: list[str] = []

    @property
    def why(self) -> str:
        if self.suppressed:
            return f"silenced by {self.suppressed}"
        return REASONS.get(self.reason, self.reason)


class Key(msgspec.Struct):
    """What became of one prefetch key."""

    state: str = ""
    reason: str = ""
    foreign: int = 0
    unreadable: int = 0
    fetched: bool = False
    fetch: str = ""

    @property
    def complete(self) -> bool:
        return self.state in ("satisfied", "null", "not-asked") and not self.foreign and not self.unreadable

    @property
    def words(self) -> str:
        said = [KEY_STATES.get(self.state, self.state)]
        if self.reason:
            said.append(REASONS.get(self.reason, self.reason))
        if self.foreign:
            said.append(f"{self.foreign} of another patient left out")
        if self.unreadable:
            said.append(f"{self.unreadable} not readable")
        if self.fetched:
            said.append("fetched from the FHIR server")
        if self.fetch:
            said.append(f"not fetched: {FETCH_WORDS.get(self.fetch, self.fetch)}")
        return "; ".join(said)


class Subject(msgspec.Struct):
    """What a verdict can be about."""

    reference: str = ""
    label: str = ""
