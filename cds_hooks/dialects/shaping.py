"""Cards as one EHR can show them: what it cannot show is left out, the message never."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import Any

import msgspec

from cds_hooks.answers import check
from cds_hooks.dialects.model import Dialect
from cds_hooks.dialects.offers import Offers

Json = dict[str, Any]

_OPTIONS = "Options"
_READING = "Further reading, not linked here"
_ONE_AT_MOST = "Accept at most one of the suggestions that change the same order."
_NO_SIGN = re.compile(r"[^A-Za-z0-9]+")
_BOLD = re.compile(r"\*\*(?=\S)(.+?)(?<=\S)\*\*")
_ESCAPED = re.compile(r"\\([!-/:-@\[-`{-~])")


class Showing(msgspec.Struct, frozen=True):
    """What one client can show.

    ``links`` are the prefixes of the addresses that its EHR lets through (none: all); ``entries`` maps a code that a
    suggestion orders (``system|code``, or the words of one without code) to the site's preference list. ``silent`` says
    that it is shown nothing at all.
    """

    dialect: Dialect
    links: tuple[str, ...] = ()
    entries: Mapping[str, str] = {}
    silent: bool = False

    @property
    def unbounded(self) -> bool:
        """Whether every card can be shown as it is."""
        return self.dialect.whole and not self.links


def shaped(cards: Sequence[Json], showing: Showing) -> Sequence[Json]:
    """The cards in the shape that ``showing`` says; the given ones are not changed.

    A card that is not valid stays as it is: it is found out, dropped and told where all cards are checked.
    """
    if showing.unbounded:
        return cards
    return [card if check(card)[0] else _card(card, showing) for card in cards]


def _card(card: Json, showing: Showing) -> Json:
    dialect, made = showing.dialect, dict(card)
    blocks = [_suggestions(made, showing), _links(made, showing)]
    _topic(made, dialect)
    if not dialect.override_reasons:
        made.pop("overrideReasons", None)
    detail = "\n\n".join(text for text in (made.get("detail", ""), *blocks) if text)
    if detail:
        made["detail"] = _plain(detail) if dialect.detail == "text" else detail
    return made


def _suggestions(made: Json, showing: Showing) -> str:
    """Leaves what can be accepted; returns the rest in words."""
    given, behaviour = made.pop("suggestions", []), made.pop("selectionBehavior", "")
    offers = Offers(showing.dialect, showing.entries)
    for suggestion in given:
        offers.add(suggestion)
    if offers.kept:
        wanted = behaviour if behaviour in showing.dialect.selection else showing.dialect.selection[0]
        loosened = behaviour == "at-most-one" and wanted != behaviour
        made["suggestions"] = _recommending_one(offers.kept) if loosened else offers.kept
        made["selectionBehavior"] = wanted
        if loosened and offers.several:
            offers.lines.append(_ONE_AT_MOST)
    return _block(_OPTIONS, offers.lines)


def _recommending_one(suggestions: list[Json]) -> list[Json]:
    """At most one of those that exclude one another is recommended, whatever the client lets people choose."""
    found, made = False, []
    for one in suggestions:
        kept = {name: value for name, value in one.items() if name != "isRecommended" or not found}
        found = found or bool(one.get("isRecommended"))
        made.append(kept)
    return made


def _links(made: Json, showing: Showing) -> str:
    """Leaves the links that get through; returns what the others say."""
    given = made.pop("links", [])
    kept = [link for link in given if _gets_through(link, showing)]
    if kept:
        made["links"] = kept
    return _block(_READING, [link["label"] for link in given if link not in kept])


def _gets_through(link: Json, showing: Showing) -> bool:
    if link["type"] != "absolute" and not showing.dialect.smart_links:
        return False
    return not showing.links or any(_is_below(link["url"], prefix) for prefix in showing.links)


def _is_below(address: str, prefix: str) -> bool:
    """Whether an address starts with a prefix that ends where a part of it ends: a.example is not a.example.net."""
    rest = address.removeprefix(prefix)
    return address.startswith(prefix) and (not rest or prefix.endswith("/") or rest[0] in "/?#")


def _topic(made: Json, dialect: Dialect) -> None:
    source = made["source"]
    if "topic" not in source or (dialect.topic_characters == "any" and not dialect.topic_longest):
        return
    code = source["topic"]["code"]
    if dialect.topic_characters == "alphanumeric":
        code = _NO_SIGN.sub("", code)
    code = code[: dialect.topic_longest or None]
    others = {name: value for name, value in source.items() if name != "topic"}
    made["source"] = {**others, "topic": {**source["topic"], "code": code}} if code else others


def _block(title: str, lines: Sequence[str]) -> str:
    return f"**{title}**\n\n" + "\n".join([f"- {line}" for line in lines]) if lines else ""


def _plain(detail: str) -> str:
    """The detail without the marks of Markdown; its bullets read as they are."""
    return _ESCAPED.sub(r"\1", _BOLD.sub(r"\1", detail))
