"""Fires a hook call at the service without a socket: decode, prefetch, identity, rules, cards, checks - all of it."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from functools import cache
from time import monotonic
from typing import Any

import msgspec

from cds_hooks.answers import prepare
from cds_hooks.prefetch import Plan, assess, check
from cds_hooks.service import Answer, HookCall, Plugin, Prefetched, Shown, Site
from cds_hooks.terminology.desk import Unmapped
from cds_hooks.wire import Decoder, make_decoder
from plugin.services import PLUGIN
from tests.support.fhir import NOW, call, prefetch

Json = dict[str, Any]


@cache
def plugin(jurisdiction: str = "us") -> Plugin:
    """The plugin as a site with default settings loads it."""
    return PLUGIN(Site(jurisdiction=jurisdiction))


@cache
def _decoder() -> Decoder:
    return make_decoder(plugin().resource)


@dataclass
class Fired:
    """An answer with short ways to what tests ask for."""

    body: Json
    cards: list[Json] = field(init=False)
    results: list[Json] = field(init=False)

    def __post_init__(self) -> None:
        self.cards = self.body["cards"]
        self.results = self.body["extension"]["org.dystonia-cds"]["results"]

    @property
    def card(self) -> Json:
        """The only card."""
        assert len(self.cards) == 1, [card["summary"] for card in self.cards]
        return self.cards[0]

    def result(self, rule: str, subject: str = "MedicationRequest/draft-1") -> Json:
        """The verdict of a rule."""
        found = [r for r in self.results if r["rule"] == rule and r.get("subject", subject) == subject]
        assert len(found) == 1, (rule, subject, self.results)
        return found[0]

    def verdict(self, rule: str, subject: str = "MedicationRequest/draft-1") -> str:
        """A verdict in one word or two: "warning", "clear", "not-checked stale", "S-02"."""
        result = self.result(rule, subject)
        if result["status"] == "fired":
            return str(result.get("suppressed") or result["indicator"])
        return f"{result['status']} {result['reason']}" if "reason" in result else str(result["status"])


def fire(body: Json | bytes, *, now: datetime = NOW, jurisdiction: str = "us", memory: Sequence[Shown] = ()) -> Fired:
    """The answer to a hook call at a given moment, with what was shown before."""
    loaded = plugin(jurisdiction)
    asked = msgspec.structs.replace(_asked(body, loaded, now), memory=lambda since: memory)
    outgoing = prepare(asked.service.evaluate(asked), asked, loaded)
    assert not outgoing.faults, outgoing.faults
    return Fired(json.loads(outgoing.body))


def fire_keys(body: Json, keys: Mapping[str, Prefetched]) -> Fired:
    """The answer to a hook call some of whose keys are in a state of their own, as after fetching in vain."""
    loaded = plugin()
    asked = _asked(body, loaded, NOW)
    asked = msgspec.structs.replace(asked, prefetch={**asked.prefetch, **keys})
    outgoing = prepare(asked.service.evaluate(asked), asked, loaded)
    assert not outgoing.faults, outgoing.faults
    return Fired(json.loads(outgoing.body))


def answer_of(body: Json) -> Answer:
    """The answer as the plugin gives it to the host, with what it wants to be remembered."""
    asked = _asked(body, plugin(), NOW)
    return asked.service.evaluate(asked)


def unmapped_of(body: Json | bytes) -> Sequence[Unmapped]:
    """What of a hook call nothing resolved."""
    asked = _asked(body, plugin(), NOW)
    return asked.service.evaluate(asked).unmapped


def _asked(body: Json | bytes, loaded: Plugin, now: datetime) -> HookCall:
    raw = body if isinstance(body, bytes) else json.dumps(body).encode()
    hook = re.search(rb'"hook": *"([a-z-]+)"', raw)
    assert hook is not None
    service = next(service for service in loaded.services if service.hook == hook[1].decode())
    plan = Plan.of(service)
    decoded = _decoder().decode(raw, service)
    received = assess(plan, decoded)
    check(plan, received)
    return HookCall(
        service,
        "test",
        decoded.hook_instance,
        decoded.patient_id,
        decoded.user_id,
        decoded.encounter_id,
        decoded.selections,
        received.bundles,
        received.prefetch,
        now,
        monotonic() + 60,
        decoded.options,
        raw,
    )


def sign(
    order: Json,
    *data: Json,
    hook: str = "order-sign",
    jurisdiction: str = "us",
    also: tuple[Json, ...] = (),
    without: tuple[str, ...] = (),
    **replaced: Any,
) -> Fired:
    """Fires an order hook for one draft (and the drafts ``also``) with all prefetch keys filled."""
    filled = prefetch(*data, without=without, **replaced)
    selections = [f"MedicationRequest/{order['id']}"]
    return fire(call([order, *also], filled, hook, selections=selections), jurisdiction=jurisdiction)
