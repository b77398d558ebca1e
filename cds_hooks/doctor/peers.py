"""Checks of the other side: the keys that an EHR publishes, and what its FHIR server says of itself."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any
from urllib.parse import parse_qsl, urlsplit

import msgspec

from cds_hooks.addresses import Guard
from cds_hooks.auth.jwks import SIZE_LIMIT, KeysTrouble, read_set
from cds_hooks.clients import Client
from cds_hooks.clock import seconds_ahead, utc_now
from cds_hooks.doctor.model import Check, Ground, ok, warn, wrong
from cds_hooks.doctor.registered import usable
from cds_hooks.errors import SettingsTrouble
from cds_hooks.outbound import Answer, Outbound, OutboundTrouble
from cds_hooks.service import Plugin

SECONDS = 10.0
METADATA_SIZE = 32 * 1024 * 1024
FAR_APART = 60.0
"""Seconds between two clocks; tokens are refused beyond."""

_OURS = frozenset({"_sort", "_count"})
_VERSIONS = ("4.0.", "4.3.")


async def client(ground: Ground, one: Client, plugin: Plugin) -> Sequence[Check]:
    """What another machine must answer for one registered EHR: its published keys, its FHIR servers."""
    found: list[Check] = []
    for url in one.jwks_urls:
        found += await _keys(ground, url, one)
    for base in one.fhir_servers:
        found += await server(ground, one.name, base, one.fhir_networks, plugin)
    if not one.fhir_servers:
        found.append(ok(one.name, "No FHIR server is registered: what a call does not bring is told, never fetched."))
    return found


async def _keys(ground: Ground, url: str, one: Client) -> Sequence[Check]:
    part, authorities = f"{one.name} keys", ground.settings.fhir_authorities
    base, _, name = url.rpartition("/")
    try:
        outbound = Outbound(base, deadline=SECONDS, size_limit=SIZE_LIMIT, authorities=authorities)
        answer = await _asked(outbound, name)
        return [usable(part, url, read_set(answer.body), one), *_clock(part, answer)]
    except (OutboundTrouble, SettingsTrouble) as trouble:
        advice = "Try the address from this machine; ask for a way through the network."
        return [wrong(part, f"{url}: {trouble}", advice)]
    except KeysTrouble as trouble:
        return [wrong(part, f"{url}: {trouble}", "Ask the EHR's team what is published there.")]


async def _asked(outbound: Outbound, target: str) -> Answer:
    try:
        return await outbound.get(target)
    finally:
        await outbound.close()


def _clock(part: str, answer: Answer) -> Iterable[Check]:
    """How far the other machine's clock is from ours, where it says what time it has."""
    ahead = seconds_ahead(answer.date, utc_now())
    if ahead is None:
        return
    if abs(ahead) > FAR_APART:
        yield warn(
            part,
            f"Its clock is {abs(ahead):.0f} s {'ahead of' if ahead > 0 else 'behind'} ours.",
            "Set the clock that is wrong, and keep both set by NTP: tokens are refused more than 60 s off.",
        )
    else:
        yield ok(part, "Its clock and ours agree.")


async def server(ground: Ground, name: str, base: str, networks: Sequence[str], plugin: Plugin) -> Sequence[Check]:
    """What a FHIR server says of itself, held against what is asked for; ``name`` is whose server it is."""
    part = f"{name} FHIR server"
    parts = urlsplit(base)
    try:
        guard = Guard(parts.hostname or "", parts.port or (443 if parts.scheme == "https" else 80), networks)
        authorities = ground.settings.fhir_authorities
        outbound = Outbound(base, deadline=SECONDS, size_limit=METADATA_SIZE, guard=guard, authorities=authorities)
        answer = await _asked(outbound, "metadata")
        statement = msgspec.json.decode(answer.body)
    except (OutboundTrouble, SettingsTrouble, ValueError) as trouble:
        advice = "Try <base>/metadata from this machine; check fhir_networks, and DYSTONIA_CDS_FHIR_AUTHORITIES."
        return [wrong(part, f"{base}: {trouble}", advice)]
    if not isinstance(statement, dict) or statement.get("resourceType") != "CapabilityStatement":
        return [wrong(part, f"{base}/metadata is no CapabilityStatement.", "Check the base address.")]
    return [_version(part, base, statement), *_searches(part, statement, plugin), *_clock(part, answer)]


def _version(part: str, base: str, statement: Mapping[str, Any]) -> Check:
    version = statement.get("fhirVersion")
    text = f"{base} speaks FHIR {version if isinstance(version, str) else 'of an unknown version'}."
    if isinstance(version, str) and version.startswith(_VERSIONS):
        return ok(part, text)
    return wrong(part, text, "Register the base of its R4 data.")


def _searches(part: str, statement: Mapping[str, Any], plugin: Plugin) -> Iterable[Check]:
    """The searches of the prefetch templates that the server does not name."""
    named = _named(statement)
    missing = {
        f"{kind}?{parameter}"
        for service in plugin.services
        for template in service.prefetch.values()
        for kind, parameter in _parameters(template)
        if parameter not in named.get(kind, frozenset())
    }
    if missing:
        yield warn(
            part,
            f"It does not name these searches: {', '.join(sorted(missing))}.",
            "What they would bring is told as not checked, unless it comes as prefetch.",
        )
    else:
        yield ok(part, "It names every search that is asked for.")


def _parameters(template: str) -> Iterable[tuple[str, str]]:
    kind, _, query = template.partition("?")
    for name, _ in parse_qsl(query, keep_blank_values=True):
        if name not in _OURS:
            yield kind, name.partition(":")[0]


def _named(statement: Mapping[str, Any]) -> Mapping[str, frozenset[str]]:
    """The search parameters of each resource type; whatever is not shaped as it should be names nothing."""
    found: dict[str, frozenset[str]] = {}
    for rest in _objects(statement.get("rest")):
        for resource in _objects(rest.get("resource")):
            names = {str(one.get("name")) for one in _objects(resource.get("searchParam"))}
            found[str(resource.get("type"))] = frozenset(names)
    return found


def _objects(value: object) -> list[Mapping[str, Any]]:
    return [one for one in value if isinstance(one, dict)] if isinstance(value, list) else []
