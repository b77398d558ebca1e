"""What an operator can set: environment variables ``DYSTONIA_CDS_*``, or a TOML file named by ``DYSTONIA_CDS_CONFIG``.

The file holds the names in lower case without the prefix (``jurisdiction = "eu"``); the environment wins.
"""

from __future__ import annotations

import os
import re
import tomllib
from collections.abc import Mapping
from decimal import Decimal
from ipaddress import ip_address
from pathlib import Path
from typing import Annotated, Any, Literal, get_args, get_origin

import msgspec
from pydantic import BeforeValidator, Field, ValidationError, field_validator
from pydantic_settings import BaseSettings, NoDecode, PydanticBaseSettingsSource, SettingsConfigDict

from cds_hooks.errors import SettingsTrouble
from cds_hooks.service import Site

PREFIX = "DYSTONIA_CDS_"
CONFIG = f"{PREFIX}CONFIG"
APPLICATION = "dystonia-cds"
ORIGIN = re.compile(r"https?://[^/\s]+")
TRUE = {"on", "true", "yes", "1"}
FALSE = {"off", "false", "no", "0"}


def _switch(value: object) -> object:
    text = str(value).strip().lower()
    if text in TRUE | FALSE:
        return text in TRUE
    raise ValueError("expected on or off")


def _words(value: object) -> object:
    """A list written as JSON, or with commas or spaces between its items."""
    if not isinstance(value, str):
        return value
    if value.lstrip().startswith("["):
        try:
            return msgspec.json.decode(value)
        except msgspec.DecodeError:
            raise ValueError("expected a JSON list, or items with commas or spaces between them") from None
    return [word for word in re.split(r"[,\s]+", value) if word]


def _default_folder() -> Path:
    from platformdirs import user_data_dir

    return Path(user_data_dir(APPLICATION))


Switch = Annotated[bool, BeforeValidator(_switch)]
Words = Annotated[tuple[str, ...], NoDecode, BeforeValidator(_words)]


class Settings(BaseSettings):
    """All settings of the service. ``None`` stands for a default that depends on the address served."""

    model_config = SettingsConfigDict(env_prefix=PREFIX, extra="ignore", frozen=True, env_ignore_empty=True)

    jurisdiction: Literal["us", "eu", "uk"] = Field("us", description="Which label rules apply.")
    auth: Literal["off", "required"] = Field(
        "off",
        description="Whether clients must present a token. off is for loopback; a start on any other address without "
        "required is refused unless DYSTONIA_CDS_ALLOW_OPEN=true. This version has no token check yet and refuses to "
        "start with required.",
    )
    allow_open: Switch = Field(
        False, description="Serve beyond loopback without authentication: whoever reaches the address may call."
    )
    public_url: str | None = Field(
        None,
        description="Where clients reach the service, for links in cards. Default: the address served.",
    )
    canonical: str = Field(
        "https://dystonia-cds.example/fhir",
        description="Base of the canonical URLs of artefacts, code systems and topics; never changes with the address.",
    )
    cors_origins: Words = Field(
        (), description="Origins that browsers may call from, on every route, with commas or spaces between them."
    )
    try_it: Switch | None = Field(None, description="The try-it page. Default: on for loopback, else off.")
    audit: Switch = Field(
        True, description="Whether calls are audited. off is for measuring only: a warning at start, shown by /readyz."
    )
    budget_ms: float = Field(500, gt=0, description="Time for one call, in milliseconds.")
    body_limit: int = Field(5 * 1024 * 1024, gt=0, description="Larger bodies get 413 while streaming, in bytes.")
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
        if address is not None and not re.fullmatch(r"https?://[^\s?#]+", address):
            raise ValueError("expected an http or https address without query")
        return address.rstrip("/") if address is not None else None

    @field_validator("data_dir", "terminology", "snapshot", "signoff")
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
    def budget(self) -> float:
        """Seconds for one call."""
        return self.budget_ms / 1000

    def offers_try_it(self, host: str) -> bool:
        return is_loopback(host) if self.try_it is None else self.try_it

    def site(self, address: str) -> Site:
        """What a plugin learns of the settings; ``address`` is the one served."""
        return Site(
            jurisdiction=self.jurisdiction,
            public_url=(self.public_url or address).rstrip("/"),
            canonical=self.canonical,
            expected_keys=self.expected_keys,
            thresholds=self.thresholds,
            suppressions_off=self.suppressions_off,
            prophylaxis_order_sets=self.prophylaxis_order_sets,
            terminology=self.terminology_folder,
            snapshot=self.snapshot,
            signoff=self.signoff_file,
            unsigned=self.unsigned,
        )

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
        return usual if usual.is_dir() else None


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
    for key in values:
        if key not in known:
            raise SettingsTrouble(
                f"The settings file {path} holds the unknown key {key!r}. Known keys: {', '.join(sorted(known))}."
            )
    return values


def load() -> Settings:
    """Reads environment and file; raises :class:`SettingsTrouble` with one sentence for each bad value."""
    try:
        return Settings()
    except ValidationError as error:
        raise SettingsTrouble(" ".join(_sentence(one) for one in error.errors())) from None


def _sentence(error: Any) -> str:
    name = PREFIX + str(error["loc"][0]).upper()
    expected = error["msg"].removeprefix("Value error, ").removeprefix("Input should be ").rstrip(".")
    expected = expected if expected.startswith("expected") else f"expected {expected}"
    return f"{name}: got {error['input']!r}, {expected}."


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
    if settings.auth == "required":
        raise SettingsTrouble(
            "DYSTONIA_CDS_AUTH=required: this version cannot check tokens yet, so it does not start rather than seem "
            "to check them. Serve on loopback behind a proxy that authenticates clients, with DYSTONIA_CDS_AUTH=off."
        )
    if not is_loopback(host) and not settings.allow_open:
        raise SettingsTrouble(
            f"Refusing to serve on {host} without authentication: anyone who reaches that address could call. Serve on "
            "127.0.0.1, or set DYSTONIA_CDS_ALLOW_OPEN=true if something else guards that address."
        )


def describe() -> list[tuple[str, str, str, str]]:
    """Every setting as (variable, type, default, meaning), for the command line and the documentation."""
    rows = [(CONFIG, "file", "none", "A TOML file with settings in lower case without the prefix.")]
    for name, field in Settings.model_fields.items():
        kind = _kind(field.annotation, field.metadata)
        rows.append((PREFIX + name.upper(), kind, _default(field), field.description or ""))
    return rows


def _kind(annotation: Any, metadata: Any) -> str:
    if get_origin(annotation) is Literal:
        return ", ".join(get_args(annotation))
    text = str(annotation)
    if annotation is bool or "bool" in text:
        return "on, off"
    if "tuple" in text:
        return "list"
    if "dict" in text:
        return "table"
    return {int: "whole number", float: "number", Path: "folder"}.get(annotation, "text")


def _default(field: Any) -> str:
    value = field.default
    if isinstance(value, bool):
        return "on" if value else "off"
    if isinstance(value, tuple):
        return ", ".join(value) or "empty"
    return "depends" if value is None or field.default_factory else str(value)
