"""What checks tokens where they are required. Only there is it loaded: the libraries for signatures take 9 MB."""

from __future__ import annotations

from time import monotonic

import msgspec

from cds_hooks.auth.keyring import Keyring
from cds_hooks.auth.model import Caller, Kept
from cds_hooks.auth.refresh import Refresher
from cds_hooks.auth.replays import Replays
from cds_hooks.auth.sealed import Use, token_hash
from cds_hooks.auth.verifier import Verifier
from cds_hooks.clients import Registry
from cds_hooks.clock import Clock
from cds_hooks.metrics import Metrics
from cds_hooks.settings import Settings

TOKENS_FILE = "tokens.db"


class Guard(msgspec.Struct, frozen=True):
    """The signatures, the keys and how they are kept fresh, and the memory of used tokens."""

    verifier: Verifier
    refresher: Refresher
    replays: Replays

    async def start(self) -> None:
        await self.replays.start()
        await self.refresher.start()

    async def stop(self) -> None:
        await self.refresher.stop()
        await self.replays.stop()

    async def claim(self, caller: Caller, body: bytes) -> Kept | None:
        """Marks the caller's token as used; raises as :meth:`cds_hooks.auth.replays.Replays.claim` does."""
        return await self.replays.claim(Use(caller.client.issuer, caller.token_id, caller.path, body, caller.expires))

    def keep(self, caller: Caller, kept: Kept) -> None:
        """Stores the answer to a call whose token was claimed; without a claim nothing is stored."""
        self.replays.keep(token_hash(caller.client.issuer, caller.token_id), kept)

    def troubles(self) -> list[str]:
        return [*self.refresher.troubles(), *filter(None, [self.replays.trouble])]


def keys_of(
    registry: Registry, metrics: Metrics, settings: Settings, replays: Replays | None = None
) -> tuple[dict[str, Keyring], Refresher]:
    """The keys of every client by its name; raises :class:`SettingsTrouble` where they cannot be used."""
    keyrings = {client.name: Keyring(client, monotonic) for client in registry.clients if client.issuer}
    published = [one for keyring in keyrings.values() for one in keyring.published]
    refresher = Refresher(published, metrics, authorities=settings.fhir_authorities, others=replays)
    return keyrings, refresher


def make_guard(settings: Settings, registry: Registry, public_url: str, metrics: Metrics, clock: Clock) -> Guard:
    """Raises :class:`SettingsTrouble` for a client whose keys cannot be used."""
    replays = Replays(settings.data_dir / TOKENS_FILE, clock, settings.budget)
    keyrings, refresher = keys_of(registry, metrics, settings, replays)
    return Guard(Verifier(registry, keyrings, public_url), refresher, replays)
