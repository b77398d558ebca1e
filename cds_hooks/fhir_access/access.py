"""Completes the data of a call from the EHR's FHIR server, where that is registered and allowed."""

from __future__ import annotations

from cds_hooks.clients import Client
from cds_hooks.prefetch import Plan, Received
from cds_hooks.settings import Settings
from cds_hooks.wire import Call


class FhirAccess:
    """Fetches what is missing or failed, all keys at once, under one deadline."""

    def __init__(self, settings: Settings) -> None:
        self._settings = settings

    async def close(self) -> None:
        """Lets go of the connections."""

    async def complete(self, plan: Plan, call: Call, received: Received, client: Client, deadline: float) -> Received:
        """``received`` with every key fetched that could be; ``deadline`` is a monotonic moment."""
        return received
