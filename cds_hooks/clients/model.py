"""One EHR as the operator registers it: ``[[clients]]`` in the settings file."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Literal

from pydantic import BaseModel, ConfigDict, Field, field_validator

from cds_hooks.setting_types import Networks, Switch, Words, web_address

ANONYMOUS = "anonymous"
"""The name of whoever calls where nobody has to say so."""

KEYS_ADDRESS = re.compile(
    r"https?://[^\s?#/]+(/[^\s?#/]+)*/[A-Za-z0-9_$][A-Za-z0-9_$.\-]*(\?[A-Za-z0-9_.~%=&+:,$\-]*)?"
)
NAME = r"[a-z0-9][a-z0-9._-]{0,63}"
Algorithm = Literal["ES384", "RS384", "ES256", "RS256"]
Dialect = Literal["generic", "epic", "oracle", "athena", "sandbox"]


class Client(BaseModel):
    """What is known of one EHR: how it proves who it is, what may be fetched from it, what it can show.

    ``None`` stands for the deployment's own value. ``name`` goes into the audit as the client and keeps what one EHR
    did apart from the others.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    name: str = Field(pattern=f"^{NAME}$", description="A short name for the audit, metrics and commands.")
    issuer: str = Field("", description="The iss of its tokens, exactly.")
    tenant: str = Field("", description="The tenant claim of its tokens, where one issuer serves several.")
    jwks_urls: Words = Field((), description="Where its keys are published; also the only jku that is accepted.")
    jwks_file: Path | None = Field(None, description="Its keys as a JWK Set file, exchanged out of band.")
    algorithms: tuple[Algorithm, ...] = Field(
        ("ES384", "RS384"), description="The signatures that are accepted; ES256 and RS256 only where listed."
    )
    public_urls: Words = Field(
        (), description="Further base addresses under which this EHR reaches the service; aud is one of them + path."
    )
    audiences: Words = Field((), description="Further values of aud that are accepted as they are.")
    fhir_servers: Words = Field((), description="FHIR bases that may be asked for what was not sent.")
    fhir_open: Switch | None = Field(None, description="Ask those bases also when a call brings no access token.")
    fhir_networks: Networks = Field(
        (), description="Private networks (CIDR) in which those bases may lie; others must have public addresses."
    )
    dialect: Dialect | None = Field(None, description="What this EHR can show.")
    allowed_links: Words | None = Field(
        None, description="Beginnings of the addresses that this EHR lets through as links on cards. Empty: all."
    )
    preference_list: dict[str, str] | None = Field(
        None, description="Entries of this site's preference list for suggested orders, by system, a bar and code."
    )
    jurisdiction: Literal["us", "eu", "uk"] | None = Field(None, description="Which label rules apply.")
    expected_keys: Words | None = Field(None, description="The prefetch keys whose absence is told on a card.")
    silent: Switch | None = Field(None, description="Evaluate and audit every call, and show no card.")
    silent_rules: Words | None = Field(None, description="Rules that are evaluated and audited without a card.")
    services: Words = Field((), description="The services that this EHR may call. Default: all.")
    calls_per_second: float | None = Field(None, gt=0, description="How many calls a second are answered.")

    @field_validator("jwks_urls")
    @classmethod
    def _keys(cls, addresses: tuple[str, ...]) -> tuple[str, ...]:
        # A jku is compared as it stands: nothing is cut off here.
        if not all(KEYS_ADDRESS.fullmatch(address) for address in addresses):
            raise ValueError("expected addresses such as https://ehr.example/.well-known/jwks.json")
        return addresses

    @field_validator("public_urls", "fhir_servers")
    @classmethod
    def _addresses(cls, addresses: tuple[str, ...]) -> tuple[str, ...]:
        return tuple(web_address(address) for address in addresses)
