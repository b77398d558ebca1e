"""Which dialect a call is answered in: its client's own, else that of its extensions, else the deployment's."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING

from cds_hooks.dialects.model import NAMES, dialect
from cds_hooks.dialects.shaping import Showing

if TYPE_CHECKING:
    from cds_hooks.clients import Client
    from cds_hooks.settings import Settings


class Choice:
    """What can be shown to each client, prepared once."""

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        self._prefixes = {prefix: name for name in NAMES if (prefix := dialect(name).extension_prefix)}
        self._known: dict[tuple[str, str], Showing] = {}

    def of(self, client: Client, extensions: Iterable[str]) -> Showing:
        """What a call of ``client`` can be shown; ``extensions`` are the names of the call's extension members."""
        name = client.dialect or self._told(extensions) or self._settings.dialect
        key = client.name, name
        if key not in self._known:
            self._known[key] = self._showing(client, name)
        return self._known[key]

    def _told(self, extensions: Iterable[str]) -> str:
        """The dialect whose prefix one of the names has; empty where none says anything."""
        found = (one for name in extensions for prefix, one in self._prefixes.items() if name.startswith(prefix))
        return next(found, "")

    def _showing(self, client: Client, name: str) -> Showing:
        links, entries = client.allowed_links, client.preference_list
        return Showing(
            dialect(name),
            self._settings.allowed_links if links is None else links,
            self._settings.preference_list if entries is None else entries,
            self._settings.silent if client.silent is None else client.silent,
        )
