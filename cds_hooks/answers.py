"""From what the plugin answered to what goes out: every card checked on its own, at most three, one JSON document."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any
from uuid import NAMESPACE_URL, uuid5

import msgspec
from pydantic import ValidationError

from cds_hooks.card_shape import is_surely_valid
from cds_hooks.models import EXTENSION, MOST_CARDS, Card
from cds_hooks.service import Answer, HookCall, Plugin

Json = dict[str, Any]
Shape = Callable[[Sequence[Json]], Sequence[Json]]
"""Cards as one EHR can show them."""

FIRED = "fired"
NOT_CHECKED = "not-checked"
INTERNAL = "internal"
OVERLOAD = "overload"
WHY = {INTERNAL: "an internal error", OVERLOAD: "too many calls"}
SILENT_MODE = "silent-mode"
EMPTIES = (b"null", b'""', b"[]", b"{}")
FINDING_FIELDS = ("indicator", "suppressed")

_validate = Card.__pydantic_validator__.validate_python
_encode = msgspec.json.Encoder(decimal_format="number").encode


@dataclass(slots=True)
class Outgoing:
    """One answer, ready to be sent and audited. ``invalid`` counts the cards that were dropped."""

    body: bytes
    cards: list[Json]
    cards_json: bytes
    results: list[Json]
    results_json: bytes
    invalid: int = 0
    faults: list[str] = field(default_factory=list)


def as_they_are(cards: Sequence[Json]) -> Sequence[Json]:
    """The shape of an EHR that can show everything."""
    return cards


def prepare(answer: Answer, call: HookCall, plugin: Plugin, shape: Shape = as_they_are) -> Outgoing:
    """Shapes, checks and encodes; a card that is not valid is dropped, and the rules behind it become not-checked."""
    cards: list[Json] = []
    encoded: list[msgspec.Raw] = []
    results = list(answer.results)
    faults: list[str] = []
    for card in shape(answer.cards):
        fault, raw = check(card)
        if fault:
            faults.append(fault)
            results = without_finding(results, card)
        elif len(cards) < MOST_CARDS:
            cards.append(card)
            encoded.append(raw)
    if faults and len(cards) < MOST_CARDS:
        cards += shape([incomplete_card(call, plugin, "A finding could not be shown because of an internal error.")])
        encoded.append(msgspec.Raw(_encode(cards[-1])))
    return _outgoing(cards, encoded, results, plugin, faults, answer.unsigned)


def broken(call: HookCall, plugin: Plugin, shape: Shape = as_they_are) -> Outgoing:
    """The answer when the plugin failed as a whole: one card that says so, because an error reads as "all clear"."""
    (card,) = shape([incomplete_card(call, plugin, "Nothing was checked because of an internal error.")])
    return _outgoing([card], [msgspec.Raw(_encode(card))], [], plugin, [], ())


@dataclass(slots=True, frozen=True)
class Unchecked:
    """What every answer of one hook says of its rules when none was checked; made once, because it counts then."""

    results: list[Json]
    results_json: bytes

    @classmethod
    def of(cls, plugin: Plugin, hook: str) -> Unchecked:
        rules = [page.id for page in plugin.guideline if hook in page.hooks]
        results = [{"rule": rule, "status": NOT_CHECKED, "reason": OVERLOAD} for rule in rules]
        return cls(results, _encode(results))


def unjudged(call: HookCall, plugin: Plugin, unchecked: Unchecked, shape: Shape = as_they_are) -> Outgoing:
    """The answer to a call that was not looked at because there were too many: no rule of its hook was checked."""
    sentence = "Nothing was checked because too many calls came at once."
    (card,) = shape([incomplete_card(call, plugin, sentence, OVERLOAD)])
    encoded = [msgspec.Raw(_encode(card))]
    return _outgoing([card], encoded, unchecked.results, plugin, [], (), results_json=unchecked.results_json)


def unshown(outgoing: Outgoing, plugin: Plugin, unsigned: Sequence[str]) -> Outgoing:
    """The answer in silent mode, whatever the plugin knows of it: no card, and what fired says why it is on none."""
    results = [
        one | {"suppressed": SILENT_MODE} if one.get("status") == FIRED and "suppressed" not in one else one
        for one in outgoing.results
    ]
    return _outgoing([], [], results, plugin, outgoing.faults, unsigned)


def check(card: Json) -> tuple[str, msgspec.Raw]:
    """What is wrong with a card (field and kind, never a value; empty if nothing is) and its JSON."""
    try:
        if not is_surely_valid(card):
            _validate(card)
        raw = _encode(card)
    except ValidationError as error:
        first = error.errors(include_url=False, include_input=False, include_context=False)[0]
        return ".".join(map(str, ("card", *first["loc"]))) + ": " + first["type"], msgspec.Raw()
    except (TypeError, ValueError, RecursionError):
        return "card: not JSON", msgspec.Raw()
    if any(raw.rfind(empty) >= 0 for empty in EMPTIES) and has_empty(card):  # twice as quick as "empty in raw"
        return "card: an empty value", msgspec.Raw()
    return "", msgspec.Raw(raw)


def has_empty(value: object) -> bool:
    """Whether ``null`` or an empty string, list or object stands anywhere inside."""
    if isinstance(value, Mapping):
        return not value or any(has_empty(one) for one in value.values())
    if isinstance(value, list | tuple):
        return not value or any(has_empty(one) for one in value)
    return value is None or value == ""


def without_finding(results: Sequence[Json], card: object) -> list[Json]:
    """The results after a card was lost: what its rules found was not shown, so they count as not checked."""
    extension = _ours(card)
    rules = {rule.get("id") for rule in extension.get("rules") or () if isinstance(rule, dict)}
    subject = extension.get("subject")
    return [_as_not_checked(one) if _is_behind(one, rules, subject) else one for one in results]


def _ours(card: object) -> Json:
    extension = card.get("extension") if isinstance(card, dict) else None
    ours = extension.get(EXTENSION) if isinstance(extension, dict) else None
    return ours if isinstance(ours, dict) else {}


def _is_behind(result: Json, rules: set[Any], subject: object) -> bool:
    # A card too broken to name its rules may hold any finding: then none that fired is certain to have been shown.
    named = not rules or (result.get("rule") in rules and (subject is None or result.get("subject") == subject))
    return named and result.get("status") == FIRED


def _as_not_checked(result: Json) -> Json:
    kept = {name: value for name, value in result.items() if name not in FINDING_FIELDS}
    return kept | {"status": NOT_CHECKED, "reason": INTERNAL}


def incomplete_card(call: HookCall, plugin: Plugin, sentence: str, reason: str = INTERNAL) -> Json:
    """An info card that says that something was not checked; the same call gives the same card."""
    seed = "|".join((call.client, call.service.id, call.hook_instance, call.patient_id, reason, sentence))
    return {
        "uuid": str(uuid5(NAMESPACE_URL, seed)),
        "summary": f"Check incomplete: {WHY[reason]}. Do not read this as an all-clear.",
        "indicator": "info",
        "detail": sentence,
        "source": {"label": plugin.name},
        **plugin.incomplete,
    }


def _outgoing(
    cards: list[Json],
    encoded: list[msgspec.Raw],
    results: list[Json],
    plugin: Plugin,
    faults: list[str],
    unsigned: Sequence[str],
    *,
    results_json: bytes = b"",
) -> Outgoing:
    cards_json, results_json = _encode(encoded), results_json or _encode(results)
    told: Json = {"ruleset": plugin.ruleset, "results": msgspec.Raw(results_json)}
    extension = {EXTENSION: told | ({"unsigned": list(unsigned)} if unsigned else {})}
    body = _encode({"cards": msgspec.Raw(cards_json), "extension": extension})
    return Outgoing(body, cards, cards_json, results, results_json, len(faults), faults)
