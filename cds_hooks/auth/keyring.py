"""The keys of one client, from its file and from its addresses, as long as they are fresh enough to be believed."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

import structlog

from cds_hooks.auth.jwks import SIZE_LIMIT, Key, KeysTrouble, read_set
from cds_hooks.clients import Client
from cds_hooks.errors import SettingsTrouble

STALE_SECONDS = 24 * 3600.0
"""For how long keys are believed that could not be fetched anew."""

Seconds = Callable[[], float]
"""A monotonic clock."""

log = structlog.get_logger()


class Published:
    """The keys at one address, kept by :class:`cds_hooks.auth.refresh.Refresher`.

    ``wanted`` is set when a token named a key that is not here. ``trouble`` is a word for why the last attempt failed.
    ``filed`` says how many keys the client's file holds.
    """

    def __init__(self, client: str, url: str, clock: Seconds, filed: int = 0) -> None:
        self.client = client
        self.url = url
        self.filed = filed
        self.wanted = asyncio.Event()
        self.trouble = ""
        self._clock = clock
        self._keys: Mapping[str, Key] = {}
        self._fetched = clock()

    @property
    def keys(self) -> Mapping[str, Key]:
        """The keys as last fetched; none once they are a day old."""
        return self._keys if self._clock() - self._fetched <= STALE_SECONDS else {}

    def fetched(self, keys: Mapping[str, Key]) -> None:
        """Take over what was fetched: a key that is gone from there is no longer believed."""
        self._keys, self._fetched, self.trouble = keys, self._clock(), ""


class Keyring:
    """All keys of one client. The same ``kid`` in several places means the one in the first: the file, then the
    addresses in their order."""

    def __init__(self, client: Client, clock: Seconds) -> None:
        """Raises :class:`SettingsTrouble` if the client has no keys, or a file of keys that cannot be used."""
        if client.jwks_file is None and not client.jwks_urls:
            raise SettingsTrouble(
                f"[[clients]] {client.name}: got an issuer without keys; expected jwks_urls (where the EHR publishes "
                "its keys) or jwks_file (a JWK Set file that it gave you)."
            )
        self._filed = _read_file(client.name, client.jwks_file) if client.jwks_file is not None else {}
        self.published: Sequence[Published] = [
            Published(client.name, url, clock, len(self._filed)) for url in client.jwks_urls
        ]

    def find(self, kid: str) -> Key | None:
        """The key of exactly this name; an unknown one is looked for later, in the background."""
        for keys in (self._filed, *(one.keys for one in self.published)):
            if kid in keys:
                return keys[kid]
        for one in self.published:
            one.wanted.set()
        return None


def _read_file(name: str, path: Path) -> Mapping[str, Key]:
    try:
        with path.open("rb") as file:
            found = read_set(file.read(SIZE_LIMIT + 1))
    except OSError as error:
        raise SettingsTrouble(
            f"[[clients]] {name}: jwks_file names {path}, which cannot be read: {error.strerror}."
        ) from None
    except KeysTrouble as trouble:
        raise SettingsTrouble(f"[[clients]] {name}: jwks_file {path}: {trouble}") from None
    for flaw in found.flaws:
        log.warning("key-left-out", client=name, flaw=flaw)
    return found.keys
