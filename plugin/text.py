"""Words that come from a record, made harmless for a card that may be rendered as Markdown or as plain text."""

from __future__ import annotations

import re
import unicodedata
from functools import lru_cache

_MARKUP = re.compile(r"[<>\[\]*_`#|\\!~{}]")
# What makes an address; a colon alone does not, for "allergy: Reglan" would become "Reglan".
_LINK = re.compile(
    r"(?i)(?:\b[a-z][a-z0-9+.-]*)?:/+|\bwww\."
    r"|\b(?:javascript|vbscript|data|blob|file|about|mailto|tel|sms|xmpp|https?|ftp):"
)
_HIDDEN = {"Cc", "Cf", "Cs", "Co", "Cn", "Zl", "Zp"}
LONGEST = 120
_EXPECTED = frozenset({"", "RxNorm code"})


@lru_cache(maxsize=4096)
def plain(text: str, longest: int = LONGEST) -> str:
    """One line of at most ``longest`` characters without control, bidirectional or zero-width characters or markup."""
    normal = unicodedata.normalize("NFC", text[: longest * 4])
    visible = "".join(" " if unicodedata.category(sign) in _HIDDEN else sign for sign in normal)
    single = " ".join(_LINK.sub(" ", _MARKUP.sub(" ", visible)).split())
    return single if len(single) <= longest else single[: longest - 1].rstrip() + "…"


def matched(by: str) -> str:
    """How a drug was recognised, to stand after its name; nothing for an RxNorm code, which is what is expected."""
    return "" if by in _EXPECTED else f"matched by {by}"
