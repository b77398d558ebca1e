"""The answer to a case as text: every card and verdict as a person reads them, the same on any machine."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

from cds_hooks.cases.files import Case, Step
from cds_hooks.models import EXTENSION

Json = dict[str, Any]


def readable(case: Case, answer: Json) -> str:
    """One case as Markdown: what was asked, the cards, the verdicts."""
    blocks = [f"# {case.title}", _asked(case)]
    blocks += [_earlier(step, told) for step, told in zip(case.before, answer["before"], strict=True)]
    if answer["status"] == 200:
        blocks += _cards(answer["body"]["cards"])
        blocks.append(_verdicts(answer["body"]["extension"][EXTENSION]["results"]))
    else:
        blocks.append(_refusal(answer))
    return "\n\n".join(blocks) + "\n"


def _asked(case: Case) -> str:
    settings = "".join(f", {name} = {value}" for name, value in sorted(case.settings.items()))
    return f"{case.now.isoformat().replace('+00:00', 'Z')}, {case.call['hook']}{settings}"


def _earlier(step: Step, answer: Json) -> str:
    cards = answer["body"].get("cards", [])
    shown = "; ".join(f"{card['indicator']}: {card['summary']}" for card in cards) or "no card"
    overridden = f" Overridden: {step.override}." if step.override else ""
    return f"Before, {step.now.isoformat().replace('+00:00', 'Z')}, {step.call['hook']}: {shown}{overridden}"


def _cards(cards: Sequence[Json]) -> list[str]:
    return [_card(card) for card in cards] or ["## No card"]


def _card(card: Json) -> str:
    about = card.get("extension", {}).get(EXTENSION, {}).get("subject", "the patient")
    parts = [f"## {card['indicator'].upper()}: {card['summary']}", f"About {about}", card.get("detail", "")]
    parts += [_list(title, lines) for title, lines in _lists(card) if lines]
    return "\n\n".join(part for part in parts if part)


def _lists(card: Json) -> Iterable[tuple[str, list[str]]]:
    yield "Options", [_option(one) for one in card.get("suggestions", ())]
    yield "Reasons not to follow", [one["display"] for one in card.get("overrideReasons", ())]
    yield "Links", [one["label"] for one in card.get("links", ())]


def _option(suggestion: Json) -> str:
    drafts = [f"{one['type']} {_resource(one)}".strip() for one in suggestion.get("actions", ())]
    return f"{suggestion['label']} ({', '.join(drafts)})" if drafts else str(suggestion["label"])


def _resource(action: Json) -> str:
    return str(action.get("resource", {}).get("resourceType") or action.get("resourceId", ""))


def _list(title: str, lines: Sequence[str]) -> str:
    return f"**{title}**\n\n" + "\n".join(f"- {line}" for line in lines)


def _verdicts(results: Sequence[Json]) -> str:
    """What every rule said; those with nothing to judge in one line."""
    told = [f"- {_named(one)}: {verdict(one)}" for one in results if one["status"] != "not-applicable"]
    idle = sorted({one["rule"] for one in results if one["status"] == "not-applicable"})
    told += [f"- not applicable: {', '.join(idle)}"] if idle else []
    return "## Verdicts\n\n" + "\n".join(told)


def _named(result: Json) -> str:
    return f"{result['rule']}, {result['subject']}" if "subject" in result else str(result["rule"])


def verdict(result: Json) -> str:
    """A verdict in words: "fired, warning", "fired, warning, silenced by S-02", "not checked: stale", "clear"."""
    if result["status"] == "fired":
        silenced = f", silenced by {result['suppressed']}" if "suppressed" in result else ""
        return f"fired, {result['indicator']}{silenced}"
    return str(result["status"]).replace("-", " ") + (f": {result['reason']}" if "reason" in result else "")


def _refusal(answer: Json) -> str:
    texts = [issue.get("diagnostics", "") for issue in answer["body"].get("issue", ())]
    return f"## Refused with status {answer['status']}\n\n{' '.join(texts)}".rstrip()
