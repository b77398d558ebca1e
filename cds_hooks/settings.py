"""What an operator can set: environment variables ``DYSTONIA_CDS_*``, or a TOML file named by ``DYSTONIA_CDS_CONFIG``.

The file holds the names in lower case without the prefix (``jurisdiction = "eu"``); the environment wins.
"""

from __future__ import annotations

import os
import re
import tomllib
from collections.abc import Mapping
from dataclasses import replace
from decimal import Decimal
from ipaddress import ip_address
from pathlib import Path
from typing import Any, Literal

from pydantic import Field, ValidationError, field_validator
from pydantic_settings import BaseSettings, PydanticBaseSettingsSource, SettingsConfigDict

from cds_hooks.clients.model import Client, Dialect
from cds_hooks.errors import SettingsTrouble
from cds_hooks.service import Site
from cds_hooks.setting_types import Networks, Switch, Words, web_address, where

PREFIX = "DYSTONIA_CDS_"
CONFIG = f"{PREFIX}CONFIG"
APPLICATION = "dystonia-cds"
ORIGIN = re.compile(r"https?://[^/\s]+")
USER = re.compile(r"//[^/\s]*@")
"""A user and a password in an address, which are not repeated."""
SANDBOX_ORIGINS = ("https://sandbox.cds-hooks.org", "http://localhost:8080", "http://127.0.0.1:8080")
"""The official sandbox, and a copy of it that runs on the machine of the browser."""

OWN = ("jurisdiction", "expected_keys", "silent", "silent_rules")
"""What a client may have of its own among the things that a plugin learns."""


def _default_folder() -> Path:
    from platformdirs import user_data_dir

    return Path(user_data_dir(APPLICATION))


class Settings(BaseSettings):
    """All settings of the service. ``None`` stands for a default that depends on the address served."""

    model_config = SettingsConfigDict(env_prefix=PREFIX, extra="ignore", frozen=True, env_ignore_empty=True)

    jurisdiction: Literal["us", "eu", "uk"] = Field("us", description="Which label rules apply.")
    auth: Literal["off", "required"] = Field(
        "off",
        description="Whether clients must present a token. off is for loopback; a start on any other address without "
        "required is refused unless DYSTONIA_CDS_ALLOW_OPEN=true. required needs at least one of [[clients]].",
    )
    allow_open: Switch = Field(
        False, description="Serve beyond loopback without authentication: whoever reaches the address may call."
    )
    public_url: str | None = Field(
        None,
        description="Where clients reach the service: for links in cards, and the beginning of the aud of tokens. "
        "Default: the address served.",
    )
    canonical: str = Field(
        "https://dystonia-cds.example/fhir",
        description="Base of the canonical URLs of artefacts, code systems and topics; never changes with the address.",
    )
    cors_origins: Words = Field(
        (), description="Origins that browsers may call from, on every route, with commas or spaces between them."
    )
    sandbox: Switch = Field(
        False, description="Let the official CDS Hooks sandbox call from a browser: its origins, as in cors_origins."
    )
    try_it: Switch | None = Field(None, description="The try-it page. Default: on for loopback, else off.")
    audit: Switch = Field(
        True, description="Whether calls are audited. off is for measuring only: a warning at start, shown by /readyz."
    )
    budget_ms: float = Field(500, gt=0, description="Time for one call, in milliseconds.")
    body_limit: int = Field(5 * 1024 * 1024, gt=0, description="Larger bodies get 413 while streaming, in bytes.")
    body_seconds: float = Field(2, gt=0, description="A body must have arrived whole after so many seconds, else 408.")
    plugin: str | None = Field(
        None, description="Which plugin to load, as module:NAME. Default: the one installed under its entry point."
    )
    database: str = Field(
        "sqlite:///dystonia-cds.db", description="Where the audit is stored; a relative file lies in the data folder."
    )
    data_dir: Path = Field(
        default_factory=_default_folder,
        description="Where the embedded store and generated keys live. Default: the user's data folder.",
    )
    expected_keys: Words = Field(
        ("patient", "medications", "allergies", "conditions", "observations"),
        description="The prefetch keys whose absence is told on a card.",
    )
    thresholds: dict[str, Decimal] = Field(
        default_factory=dict,
        description="Clinical figures that differ from their defaults, by name, in the units of the guideline pages: "
        "a table in the settings file ([thresholds]) or a JSON object. Unknown names and figures out of bounds are "
        "refused.",
    )
    suppressions_off: Words = Field(
        (), description="Suppressions that this site switches off, such as S-08: what they would silence is shown."
    )
    prophylaxis_order_sets: Words = Field(
        (), description="Canonical URLs of this site's order sets that include prophylaxis against dystonia (S-16)."
    )
    terminology: Path | None = Field(
        None,
        description="A folder of the site's own codes (ConceptMap and ValueSet JSON, two-column CSV). Default: the "
        "folder terminology in the data folder, where it exists.",
    )
    snapshot: Path | None = Field(
        None, description="A drug snapshot made by terminology build. Default: the one that ships with the service."
    )
    signoff: Path | None = Field(
        None,
        description="The file in which this site keeps who signed off which rule (JSON, or CSV by its ending). "
        "Default: signoff.json in the data folder.",
    )
    unsigned: Literal["show", "silent"] = Field(
        "show",
        description="What becomes of a finding of a rule that nobody signed off as it is: shown and marked, or "
        "evaluated and audited without a card. Notes about what could not be checked are always shown.",
    )
    resolver: Literal["none", "rxnav", "fhir"] = Field(
        "none",
        description="Who is asked, in the background and never on the path of a call, about codes that nothing here "
        "knows: RxNav or a FHIR terminology server.",
    )
    resolver_url: str | None = Field(
        None,
        description="Base address of the resolver. Default for rxnav: the public service; fhir needs one.",
    )

    clients: tuple[Client, ...] = Field(
        (), description="The EHRs that may call, one [[clients]] table each in the settings file."
    )
    dialect: Dialect = Field(
        "generic",
        description="What the calling EHR can show, unless its client or the extensions of its calls say otherwise.",
    )
    allowed_links: Words = Field(
        (), description="Beginnings of the addresses that EHRs let through as links on cards. Default: all."
    )
    preference_list: dict[str, str] = Field(
        default_factory=dict,
        description="Entries of the site's preference list for suggested orders, by system and code with a bar between "
        "them, or by the words of an order without code: a table in the settings file or a JSON object. Where a "
        "dialect needs them, a suggestion without an entry is told in words.",
    )
    silent: Switch = Field(False, description="Evaluate and audit every call, and show no card.")
    silent_rules: Words = Field((), description="Rules that are evaluated and audited without a card.")
    fhir_servers: Words = Field(
        (), description="FHIR bases that may be asked for what was not sent, besides those of [[clients]]."
    )
    fhir_open: Switch = Field(False, description="Ask registered FHIR bases also when a call brings no access token.")
    fhir_networks: Networks = Field(
        (),
        description="Private networks (CIDR) in which the bases of DYSTONIA_CDS_FHIR_SERVERS may lie; others must have "
        "public addresses. A loopback address that is written out as the base needs no network.",
    )
    fhir_authorities: Path | None = Field(
        None,
        description="A file (PEM) of certificate authorities that are trusted beside the public ones for FHIR servers "
        "and published keys, such as the hospital's own.",
    )
    fhir_budget_ms: float = Field(300, gt=0, description="Time for everything that is fetched in one call, in ms.")
    fhir_pages: int = Field(10, ge=1, le=100, description="How many pages of one search are followed.")
    failed_keys: Literal["note", "omit", "fail"] = Field(
        "note",
        description="What becomes of a prefetch key that failed and could not be fetched: told on a card, treated as "
        "not sent, or the whole call refused with 412.",
    )
    overload: Literal["note", "refuse"] = Field(
        "note",
        description="The answer to a call that cannot be judged in time because there are too many: 200 with a card "
        "that says so, or 429 with Retry-After.",
    )
    overload_wait_ms: float | None = Field(
        None,
        ge=0,
        description="When such a call is told so, in milliseconds from its arrival: who asks again at once then takes "
        "little of the machine. Default: the time for one call.",
    )
    queue_limit: int = Field(
        1_000, ge=1, description="How many calls may be in progress or waiting for their turn at one time."
    )
    client_limit: int = Field(
        200, ge=1, description="How many calls of one registered client may be in progress at one time."
    )
    calls_per_second: float | None = Field(
        None, gt=0, description="How many calls a second one client may make. Default: no limit."
    )
    trusted_proxies: Networks = Field(
        (), description="Addresses or networks of proxies whose X-Forwarded-For and -Proto are believed."
    )
    tls_certificate: Path | None = Field(None, description="The certificate chain (PEM) to serve HTTPS with.")
    tls_key: Path | None = Field(None, description="The private key (PEM) of that certificate.")
    plain_http: Switch = Field(
        False, description="Serve beyond loopback without TLS, because a proxy before the service ends it."
    )

    @field_validator("fhir_servers")
    @classmethod
    def _bases(cls, addresses: tuple[str, ...]) -> tuple[str, ...]:
        return tuple(web_address(address) for address in addresses)

    @field_validator("cors_origins")
    @classmethod
    def _exact_origins(cls, origins: tuple[str, ...]) -> tuple[str, ...]:
        cleaned = tuple(origin.rstrip("/").lower() for origin in origins)
        if not all(ORIGIN.fullmatch(origin) for origin in cleaned):
            raise ValueError("expected exact origins such as https://ehr.example (a star is not accepted)")
        return cleaned

    @field_validator("public_url", "canonical", "resolver_url")
    @classmethod
    def _web_address(cls, address: str | None) -> str | None:
        return web_address(address) if address is not None else None

    @field_validator("data_dir", "terminology", "snapshot", "signoff", "fhir_authorities", "tls_certificate", "tls_key")
    @classmethod
    def _home(cls, folder: Path | None) -> Path | None:
        return folder.expanduser().absolute() if folder is not None else None

    @classmethod
    def settings_customise_sources(
        cls,
        settings_cls: type[BaseSettings],
        init_settings: PydanticBaseSettingsSource,
        env_settings: PydanticBaseSettingsSource,
        dotenv_settings: PydanticBaseSettingsSource,
        file_secret_settings: PydanticBaseSettingsSource,
    ) -> tuple[PydanticBaseSettingsSource, ...]:
        return init_settings, env_settings, _File(settings_cls)

    @property
    def origins(self) -> tuple[str, ...]:
        """The origins that browsers may call from."""
        return (*self.cors_origins, *SANDBOX_ORIGINS) if self.sandbox else self.cors_origins

    @property
    def budget(self) -> float:
        """Seconds for one call."""
        return self.budget_ms / 1000

    def offers_try_it(self, host: str) -> bool:
        return is_loopback(host) if self.try_it is None else self.try_it

    def site(self, address: str, client: Client | None = None) -> Site:
        """What a plugin learns of the settings, with a client's own values if one is given; ``address`` is the one
        served."""
        general = Site(
            jurisdiction=self.jurisdiction,
            public_url=(self.public_url or address).rstrip("/"),
            canonical=self.canonical,
            expected_keys=self.expected_keys,
            silent=self.silent,
            silent_rules=self.silent_rules,
            thresholds=self.thresholds,
            suppressions_off=self.suppressions_off,
            prophylaxis_order_sets=self.prophylaxis_order_sets,
            terminology=self.terminology_folder,
            snapshot=self.snapshot,
            signoff=self.signoff_file,
            unsigned=self.unsigned,
        )
        own = {name: value for name in OWN if (value := getattr(client, name, None)) is not None}
        return replace(general, **own)

    @property
    def signoff_file(self) -> Path:
        """The file of the site's sign-offs, whether it exists or not."""
        return self.signoff or self.data_dir / "signoff.json"

    @property
    def terminology_folder(self) -> Path | None:
        """The folder of the site's own codes: the one set, or the one in the data folder where it exists."""
        if self.terminology is not None:
            return self.terminology
        usual = self.data_dir / "terminology"
        # Unlike Path.is_dir, this says no for a folder that may not be looked into; the audit store tells of it.
        return usual if os.path.isdir(usual) else None


class Given(Settings):
    """Settings of the values given alone: neither the environment nor the file that it names is read."""

    @classmethod
    def settings_customise_sources(
        cls,
        settings_cls: type[BaseSettings],
        init_settings: PydanticBaseSettingsSource,
        env_settings: PydanticBaseSettingsSource,
        dotenv_settings: PydanticBaseSettingsSource,
        file_secret_settings: PydanticBaseSettingsSource,
    ) -> tuple[PydanticBaseSettingsSource, ...]:
        return (init_settings,)


class _File(PydanticBaseSettingsSource):
    """The TOML file that ``DYSTONIA_CDS_CONFIG`` names, if it names one."""

    def get_field_value(self, field: Any, field_name: str) -> tuple[Any, str, bool]:
        return None, field_name, False

    def __call__(self) -> dict[str, Any]:
        name = os.environ.get(CONFIG, "")
        return read_file(Path(name), self.settings_cls.model_fields) if name else {}


def read_file(path: Path, known: Mapping[str, Any]) -> dict[str, Any]:
    """The settings of a TOML file; a key that is no setting is an error, because it is most likely misspelt."""
    try:
        values = tomllib.loads(path.read_text("utf-8"))
    except OSError as error:
        raise SettingsTrouble(f"{CONFIG} names the file {path}, which cannot be read: {error.strerror}.") from None
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise SettingsTrouble(f"The settings file {path} is not TOML: {error}.") from None
    return read_values(path, values, known)


def read_values(path: Path, values: dict[str, Any], known: Mapping[str, Any]) -> dict[str, Any]:
    """What the file at ``path`` sets, with paths in it made whole; raises :class:`SettingsTrouble` for unknown keys."""
    for key in values:
        if key not in known:
            raise SettingsTrouble(
                f"The settings file {path} holds the unknown key {key!r}. Known keys: {', '.join(sorted(known))}."
            )
    _find_beside(path, values.get("clients"))
    return values


def _find_beside(path: Path, clients: Any) -> None:
    """A client's file of keys lies beside the settings file, unless its path says where."""
    for client in clients if isinstance(clients, list) else ():
        if isinstance(client, dict) and isinstance(client.get("jwks_file"), str):
            client["jwks_file"] = str(path.absolute().parent / Path(client["jwks_file"]).expanduser())


def load() -> Settings:
    """Reads environment and file; raises :class:`SettingsTrouble` with one sentence for each bad value."""
    try:
        return Settings()
    except ValidationError as error:
        raise SettingsTrouble(" ".join(sentence(one) for one in error.errors())) from None


def sentence(error: Any) -> str:
    """What pydantic found wrong with a setting, in a sentence."""
    name = where(error["loc"], PREFIX)
    if error["type"] == "extra_forbidden":
        return f"{name}: there is no such field; `dystonia-cds client fields` lists those there are."
    expected = error["msg"].removeprefix("Value error, ").removeprefix("Input should be ").rstrip(".")
    expected = expected if expected.startswith("expected") else f"expected {expected}"
    got = USER.sub("//***@", repr(error["input"]))
    return f"{name}: got {got}, {expected}."


def unknown_variables() -> list[str]:
    """Variables with our prefix that are no setting: most likely misspelt."""
    known = {PREFIX + name.upper() for name in Settings.model_fields} | {CONFIG}
    return sorted(name for name in os.environ if name.startswith(PREFIX) and name not in known)


def is_loopback(host: str) -> bool:
    if host == "localhost":
        return True
    try:
        return ip_address(host.strip("[]")).is_loopback
    except ValueError:
        return False


def check_exposure(settings: Settings, host: str) -> None:
    """Refuses a start that would leave patients' data open, or that would promise a check that is not there."""
    if settings.auth == "required" and not any(client.issuer for client in settings.clients):
        raise SettingsTrouble(
            "DYSTONIA_CDS_AUTH=required needs at least one client with an issuer: a [[clients]] table in the file "
            "that DYSTONIA_CDS_CONFIG names. `dystonia-cds client add` writes one."
        )
    if is_loopback(host) or settings.allow_open:
        return
    if settings.auth != "required":
        raise SettingsTrouble(
            f"Refusing to serve on {host} without authentication: anyone who reaches that address could call. Serve on "
            "127.0.0.1, or set DYSTONIA_CDS_ALLOW_OPEN=true if something else guards that address."
        )
    if settings.tls_certificate is None and not settings.plain_http and not settings.trusted_proxies:
        raise SettingsTrouble(
            f"Refusing to serve on {host} without TLS: tokens and patients' data would travel in the open. Set "
            "DYSTONIA_CDS_TLS_CERTIFICATE and DYSTONIA_CDS_TLS_KEY, or name the proxy that ends TLS in "
            "DYSTONIA_CDS_TRUSTED_PROXIES, or set DYSTONIA_CDS_PLAIN_HTTP=true if something else encrypts the way."
        )


def needs_proxy_tls(settings: Settings, host: str) -> bool:
    """Whether only a trusted proxy over TLS may be answered: beyond loopback, with nothing else that encrypts."""
    encrypted = settings.tls_certificate is not None or settings.plain_http
    return bool(settings.trusted_proxies) and not (encrypted or settings.allow_open or is_loopback(host))
