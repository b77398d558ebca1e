"""Which registered FHIR base an address means: it must be that base, letter for letter where letters count."""

from __future__ import annotations

import re
from collections.abc import Iterable
from urllib.parse import urljoin

# ASCII without user, query, fragment, percent or backslash; what it does not match is nobody's base.
BASE = re.compile(
    r"(?P<scheme>https?)://(?P<host>[a-z0-9](?:[a-z0-9.-]*[a-z0-9])?|\[[0-9a-f:.]+\])(?::(?P<port>[1-9][0-9]{0,4}))?"
    r"(?P<path>(?:/[a-z0-9._~$@!*'(),;=+:&-]+)*)/?",
    re.IGNORECASE | re.ASCII,
)
PORTS = {"http": "80", "https": "443"}
# What an address on the way from page to page may be made of: printable ASCII without what parsers quarrel about.
SOUND = re.compile(r"[!$-;=?-Z\[\]_a-z|~]+", re.ASCII)
LONGEST = 4096

Place = tuple[str, str, str, str]


def place_of(address: str) -> Place | None:
    """Scheme, host, port and path of a base; None for whatever is not plainly one."""
    found = BASE.fullmatch(address) if len(address) <= LONGEST else None
    if found is None:
        return None
    scheme, path = found["scheme"].lower(), found["path"]
    if any(step in (".", "..") for step in path.split("/")):
        return None
    return scheme, found["host"].lower(), found["port"] or PORTS[scheme], path


class Bases:
    """The registered bases of one client, found by any spelling that means the same."""

    def __init__(self, registered: Iterable[str]) -> None:
        self._by_place = {place: base for base in registered if (place := place_of(base)) is not None}

    def __bool__(self) -> bool:
        return bool(self._by_place)

    def find(self, address: str) -> str | None:
        """The registered spelling: nothing else is ever called."""
        place = place_of(address)
        return self._by_place.get(place) if place is not None else None


def target_below(base: str, address: str) -> str | None:
    """Path and query of ``address`` below ``base``; None where it leads anywhere else.

    ``address`` may be absolute or relative to ``base``. Origin and path prefix must be those of the base.
    """
    if len(address) > LONGEST or not SOUND.fullmatch(address):
        return None
    path, question, query = urljoin(f"{base}/", address).partition("?")
    home, found = place_of(base), place_of(path)
    if home is None or found is None or found[:3] != home[:3]:
        return None
    below = found[3].removeprefix(home[3]) if found[3].startswith(home[3]) else "?"
    if below and not below.startswith("/"):
        return None
    return (below[1:] + question + query) or None
