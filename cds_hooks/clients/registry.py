"""All registered EHRs, found by what their tokens say."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from cds_hooks.clients.model import ANONYMOUS, Client
from cds_hooks.errors import SettingsTrouble

if TYPE_CHECKING:
    from cds_hooks.settings import Settings


class Registry:
    """The clients of one deployment.

    ``anonymous`` is who calls while no token is asked for: its FHIR bases are all that are registered.
    """

    def __init__(self, clients: Sequence[Client], anonymous: Client) -> None:
        """Raises :class:`SettingsTrouble` if two clients share a name, or an issuer and tenant."""
        self.clients = tuple(clients)
        self.anonymous = anonymous
        self._by_token = {(one.issuer, one.tenant): one for one in self.clients if one.issuer}
        _refuse_twice([one.name for one in (*self.clients, anonymous)], "name")
        _refuse_twice([f"{one.issuer} {one.tenant}".strip() for one in self.clients if one.issuer], "issuer and tenant")

    @classmethod
    def of(cls, settings: Settings) -> Registry:
        """The registry that ``settings`` describe."""
        bases = {base: None for one in settings.clients for base in one.fhir_servers}
        networks = {network: None for one in settings.clients for network in one.fhir_networks}
        anonymous = Client(
            name=ANONYMOUS,
            fhir_servers=(*settings.fhir_servers, *bases),
            fhir_networks=(*settings.fhir_networks, *networks),
        )
        return cls(settings.clients, anonymous)

    def of_token(self, issuer: str, tenant: str) -> Client | None:
        """The client whose tokens say this, if one is registered."""
        return self._by_token.get((issuer, tenant))

    def issuers(self) -> frozenset[str]:
        """Every registered ``iss``."""
        return frozenset(one.issuer for one in self.clients if one.issuer)


def _refuse_twice(values: Sequence[str], what: str) -> None:
    twice = sorted({one for one in values if values.count(one) > 1})
    if twice:
        raise SettingsTrouble(f"[[clients]]: two clients have the same {what} ({', '.join(twice)}); expected one each.")
