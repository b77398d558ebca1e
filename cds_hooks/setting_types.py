"""How settings may be spelt: switches, lists of words, addresses."""

from __future__ import annotations

import re
from ipaddress import ip_network
from typing import Annotated, Any

import msgspec
from pydantic import AfterValidator, BeforeValidator
from pydantic_settings import NoDecode

ADDRESS = re.compile(r"https?://[^\s?#/@]+(/[^\s?#]*)?")
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


def _networks(networks: tuple[str, ...]) -> tuple[str, ...]:
    for network in networks:
        try:
            ip_network(network)
        except ValueError:
            raise ValueError("expected addresses or networks such as 10.0.0.5 or 10.0.0.0/24") from None
    return networks


def web_address(address: str) -> str:
    """``address`` without a trailing slash; :class:`ValueError` unless it is http or https without query and user."""
    if not ADDRESS.fullmatch(address):
        raise ValueError("expected an http or https address without query, user or password")
    return address.rstrip("/")


Switch = Annotated[bool, BeforeValidator(_switch)]
Words = Annotated[tuple[str, ...], NoDecode, BeforeValidator(_words)]
Networks = Annotated[tuple[str, ...], NoDecode, BeforeValidator(_words), AfterValidator(_networks)]


def where(steps: tuple[Any, ...], prefix: str) -> str:
    """The setting that an error is about; clients are counted as the tables of the file are."""
    if steps[0] == "clients" and len(steps) > 1:
        return ", ".join([f"[[clients]] number {steps[1] + 1}", *map(str, steps[2:])])
    return prefix + ".".join([str(steps[0]).upper(), *map(str, steps[1:])])
