"""The body of a feedback request. Nothing of it is dropped or cut in silence: what cannot be kept whole is refused."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from decimal import Decimal
from typing import Any

import msgspec

from cds_hooks.audit import Feedback
from cds_hooks.errors import BadCall
from cds_hooks.loose import MISFIT

OUTCOMES = ("accepted", "overridden")
LONGEST_COMMENT = 4000
LONGEST_TEXT = 255
SITES_REASON = ("reasonDisplay", "reasonTitle")
"""How the extension ends in which Epic names a reason of the site's own list."""
KINDS = {type(None): "nothing", bool: "a boolean", str: "a string", list: "an array", dict: "an object"}

_ANYTHING = msgspec.json.Decoder(float_hook=Decimal)


def read_feedback(body: bytes, now: datetime, client: str, service: str) -> list[Feedback]:
    """The entries of one feedback request; raises :class:`BadCall` naming the entry and field that cannot be read.

    ``null`` is taken for absent.
    """
    content = _decode(body)
    entries = content.get("feedback") if isinstance(content, dict) else None
    if not isinstance(entries, list):
        raise BadCall(f"feedback: expected an array, got {_kind(entries)}.")
    return [_row(entry, f"feedback[{index}]", now, client, service) for index, entry in enumerate(entries)]


def _decode(body: bytes) -> Any:
    try:
        return _ANYTHING.decode(body)
    except RecursionError:
        raise BadCall("The body is nested too deeply.") from None
    except MISFIT:
        raise BadCall("The body holds a number that is out of range.") from None
    except (msgspec.DecodeError, UnicodeDecodeError):
        raise BadCall("The body is not JSON.") from None


def _row(entry: object, path: str, now: datetime, client: str, service: str) -> Feedback:
    if not isinstance(entry, dict):
        raise BadCall(f"{path}: expected an object, got {_kind(entry)}.")
    override, below = _override(entry, path)
    reason, coding = _object(override, "reason", below), f"{below}.reason"
    return Feedback(
        time=now,
        client=client,
        service=service,
        card=_card(entry, path),
        outcome=_outcome(entry, path),
        outcome_timestamp=_text(entry, "outcomeTimestamp", path),
        accepted=msgspec.json.encode(_suggestions(entry, f"{path}.acceptedSuggestions")),
        reason_code=_text(reason, "code", coding),
        reason_system=_text(reason, "system", coding),
        reason_display=_text(reason, "display", coding) or ("" if reason else _sites_reason(override)),
        comment=_text(override, "userComment", below, LONGEST_COMMENT),
    )


def _override(entry: Mapping[str, Any], path: str) -> tuple[Mapping[str, Any], str]:
    """Why a card was overridden, and where that stands: Epic's examples spell it in the plural, still one object."""
    spelt = "overrideReason"
    if entry.get(spelt) is None and isinstance(entry.get("overrideReasons"), dict):
        spelt = "overrideReasons"
    return _object(entry, spelt, path), f"{path}.{spelt}"


def _sites_reason(override: Mapping[str, Any]) -> str:
    extension = override.get("extension")
    members = extension if isinstance(extension, dict) else {}
    named = (text for end in SITES_REASON for name, text in members.items() if name.rpartition(".")[2] == end)
    return next((text for text in named if isinstance(text, str) and 0 < len(text) <= LONGEST_TEXT), "")


def _card(entry: Mapping[str, Any], path: str) -> str:
    card = entry.get("card")
    if not isinstance(card, str) or not card.strip():
        raise BadCall(f"{path}.card: expected the uuid of a card, got {_kind(card)}.")
    return _text(entry, "card", path).strip()


def _outcome(entry: Mapping[str, Any], path: str) -> str:
    outcome = entry.get("outcome")
    if not isinstance(outcome, str) or outcome not in OUTCOMES:
        got = "another string" if isinstance(outcome, str) else _kind(outcome)
        raise BadCall(f"{path}.outcome: expected accepted or overridden, got {got}.")
    return outcome


def _suggestions(entry: Mapping[str, Any], path: str) -> list[str]:
    given = entry.get("acceptedSuggestions")
    if given is None:
        return []
    if not isinstance(given, list):
        raise BadCall(f"{path}: expected an array of objects with id, got {_kind(given)}.")
    return [_suggestion(item, f"{path}[{index}]") for index, item in enumerate(given)]


def _suggestion(item: object, path: str) -> str:
    if not isinstance(item, dict):
        raise BadCall(f"{path}: expected an object with id, got {_kind(item)}.")
    if not item.get("id"):
        got = "an empty string" if item.get("id") == "" else _kind(item.get("id"))
        raise BadCall(f"{path}.id: expected a string, got {got}.")
    return _text(item, "id", path)


def _object(holder: Mapping[str, Any], key: str, path: str) -> Mapping[str, Any]:
    value = holder.get(key)
    if value is None:
        return {}
    if not isinstance(value, dict):
        raise BadCall(f"{path}.{key}: expected an object, got {_kind(value)}.")
    return value


def _text(holder: Mapping[str, Any], key: str, path: str, longest: int = LONGEST_TEXT) -> str:
    value = holder.get(key)
    if value is None:
        return ""
    if not isinstance(value, str):
        raise BadCall(f"{path}.{key}: expected a string, got {_kind(value)}.")
    if len(value) > longest:
        raise BadCall(f"{path}.{key}: expected at most {longest} characters, got {len(value)}.")
    return value


def _kind(value: object) -> str:
    return KINDS.get(type(value), "a number")
