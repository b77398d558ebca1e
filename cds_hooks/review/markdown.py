"""The little of Markdown that cards need, as data: a template prints it, so that nothing escapes its escaping.

Paragraphs, bullets, headings (printed bold), bold, backslash escapes, and links that the card itself lists.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Iterator
from dataclasses import dataclass, field

_ITEM = re.compile(r"\s{0,3}[-*+]\s+")
_HEADING = re.compile(r"#{1,6}\s+")
_ESCAPED = re.compile(r"\\([!-/:-@\[-`{-~])")
# Each alternative starts with a character that the others cannot start with, and none repeats within a repetition.
_TOKEN = re.compile(r"\\[!-/:-@\[-`{-~]|\*\*|\[(?P<label>[^\[\]]{1,300})\]\((?P<url>[^\s()]{1,2000})\)|[^\\*\[]+|.")


@dataclass(frozen=True, slots=True)
class Span:
    """A piece of text of one look; ``url`` is set on links only."""

    text: str
    strong: bool = False
    url: str = ""


@dataclass(slots=True)
class Block:
    """A paragraph (one item) or a list of bullets."""

    bullets: bool
    items: list[list[Span]] = field(default_factory=list)


def blocks(text: str, known: Collection[str] = ()) -> list[Block]:
    """Return ``text`` as blocks. Only addresses in ``known`` become links."""
    made: list[Block] = []
    for bullets, line in _joined(text):
        if not (bullets and made and made[-1].bullets):
            made.append(Block(bullets))
        made[-1].items.append(spans(line, known))
    return made


def spans(line: str, known: Collection[str] = ()) -> list[Span]:
    """Return one line as pieces; two asterisks without their fellow are just asterisks."""
    tokens = list(_TOKEN.finditer(line))
    marks = [index for index, token in enumerate(tokens) if token[0] == "**"]
    lone = marks[-1] if len(marks) % 2 else -1
    made: list[Span] = []
    strong = False
    for index, token in enumerate(tokens):
        if token[0] == "**" and index != lone:
            strong = not strong
        elif token["url"] in known:
            made.append(Span(_plain(token["label"]), strong, token["url"]))
        else:
            _extend(made, _plain(token[0]), strong)
    return made


def _extend(made: list[Span], text: str, strong: bool) -> None:
    if made and made[-1].strong == strong and not made[-1].url:
        text = made.pop().text + text
    made.append(Span(text, strong))


def _plain(text: str) -> str:
    return _ESCAPED.sub(r"\1", text)


def _joined(text: str) -> Iterator[tuple[bool, str]]:
    """Yield (is it a bullet, text) with the lines of one paragraph or bullet joined."""
    bullets, parts = False, list[str]()
    for line in [*text.splitlines(), ""]:
        bullet, heading = _ITEM.match(line), _HEADING.match(line)
        if parts and (bullet or heading or not line.strip() or (bullets and not line.startswith(" "))):
            yield bullets, " ".join(parts)
            parts = []
        if heading:
            yield False, f"**{line[heading.end() :].strip()}**"
        elif line.strip():
            bullets = bool(bullet) if not parts else bullets
            parts.append(line[bullet.end() if bullet else 0 :].strip())
