"""Words that come from a record, made harmless for cards that may be rendered as Markdown, HTML or plain text."""

from __future__ import annotations

import re
import unicodedata
from functools import lru_cache

_TAG = re.compile(r"<(/?[A-Za-z!?][^<>]*)>")
# Signs that say how a number is meant, told in words before they go as markup.
_COMPARED = re.compile(r"(<=|>=|<|>|~)(?=\s*\.?\d)")
_COMPARATORS = {"<": " below ", ">": " above ", "<=": " ≤", ">=": " ≥", "~": " about "}
# UCUM writes powers of ten as 10*3 or as 10^3.
_POWER = re.compile(r"(?<=\b10)\*(?=[-+]?\d)")
_MARKUP = re.compile(r"[<>\[\]*_`#|\\!~{}]")
# What makes an address; a colon alone does not, for "allergy: Reglan" would become "Reglan".
_LINK = re.compile(
    r"(?i)(?:\b[a-z][a-z0-9+.-]*)?:/+|\bwww\."
    r"|\b(?:javascript|vbscript|data|blob|file|about|mailto|tel|sms|xmpp|https?|ftp):"
)
# What renderers take for an address without a scheme: //host, name@host, host.org; and &lt; for a sign.
_SLASHES = re.compile(r"/{2,}")
_DOMAIN = re.compile(r"(?<=[^\s.])\.(?=[^\W\d_]{2})")
_ENTITY = re.compile(r"&(?=#?\w{1,32};)")
# What begins a list, a quotation or a rule at the beginning of a line.
_BULLET = re.compile(r"\A(?:[-+=:]+(?: |$)|[-=]{2,} ?)+")
_NUMBERED = re.compile(r"(\d{1,9}[.)]) ")
_HIDDEN = {"Cc", "Cf", "Cs", "Co", "Cn", "Zl", "Zp"}
# Letters and marks that show nothing, and marks that choose how a letter looks.
_BLANK = frozenset(map(chr, [0x34F, 0x115F, 0x1160, 0x17B4, 0x17B5, 0x2800, 0x3164, 0xFFA0])) | frozenset(
    map(chr, [*range(0x180B, 0x1810), *range(0xFE00, 0xFE10), *range(0xE0100, 0xE01F0)])
)
_MOST_MARKS = 2
LONGEST = 120

READ_AT_MOST = 1_536
"""Characters of one text of a record in which words are looked for; nobody writes a longer one about one thing."""
_EXPECTED = frozenset({"", "RxNorm code"})
_IDENTIFIER = re.compile(r"[A-Za-z0-9._~:+=$-]{1,120}")
# An order without id is named by its place: draftOrders.entry[0].
_REFERENCE = re.compile(rf"[A-Za-z]+(?:/{_IDENTIFIER.pattern}|\.[a-z]+\[\d+\])?")


@lru_cache(maxsize=4096)
def plain(text: str, longest: int = LONGEST) -> str:
    """One line of at most ``longest`` characters that no renderer takes for anything but words.

    Control, bidirectional and invisible characters, markup and whatever makes an address are gone; what compares a
    number stays, in words.
    """
    normal = unicodedata.normalize("NFC", text[: longest * 4])
    powers = _TAG.sub(r" \1 ", _POWER.sub("^", _visible(normal)))
    said = _COMPARED.sub(lambda found: _COMPARATORS[found[1]], powers)
    bare = _LINK.sub(" ", _MARKUP.sub(" ", said))
    apart = _ENTITY.sub("& ", _DOMAIN.sub(". ", _SLASHES.sub("/", bare.replace("@", " at "))))
    single = _BULLET.sub("", " ".join(apart.split()), count=1)
    cut = single if len(single) <= longest else single[: longest - 1].rstrip() + "…"
    # The space after a number at the beginning becomes one that makes no list.
    return _NUMBERED.sub("\\1\u00a0", cut, count=1) if _NUMBERED.match(cut) else cut


def _visible(text: str) -> str:
    """The text with a space for what cannot be seen, and without marks that are stacked on one letter."""
    if text.isascii() and text.isprintable():
        return text
    made: list[str] = []
    marks = 0
    for sign in text:
        kind = unicodedata.category(sign)
        marks = marks + 1 if kind in ("Mn", "Me") else 0
        if marks <= _MOST_MARKS:
            made.append(" " if kind in _HIDDEN or sign in _BLANK else sign)
    return "".join(made)


def is_identifier(text: str) -> bool:
    """Whether an id is one that can be given back: FHIR's letters, digits, hyphens and dots, or nearly so."""
    return _IDENTIFIER.fullmatch(text) is not None


def reference_of(text: str) -> str:
    """A relative reference whose id can be given back; "" for any other."""
    return text if _REFERENCE.fullmatch(text) else ""


def matched(by: str) -> str:
    """How a drug was recognised, to stand after its name; nothing for an RxNorm code, which is what is expected."""
    return "" if by in _EXPECTED else f"matched by {by}"
