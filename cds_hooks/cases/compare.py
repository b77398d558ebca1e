"""The difference between two sets of rules, on the same cases: cards gained, lost and changed, by rule."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

import msgspec

from cds_hooks.cases.text import verdict
from cds_hooks.models import EXTENSION

Json = dict[str, Any]

GAINED, LOST, CHANGED, VERDICT, ANSWER = "gained", "lost", "changed", "verdict", "answer"
# What a rule says where it does not exist: a new one that has nothing to judge is no difference.
_NOTHING = "not applicable"
KINDS = (GAINED, LOST, CHANGED, VERDICT, ANSWER)


class Difference(msgspec.Struct, frozen=True, omit_defaults=True):
    """One difference in one case.

    ``kind`` is a card ``gained``, ``lost`` or ``changed``, a ``verdict`` that changed without a card of this subject
    that did, or an ``answer`` of another status. ``rule`` leads the card; ``subject`` is the order, empty for the
    patient; ``changed`` names what of a card differs; ``before`` and ``after`` are summaries, verdicts or statuses.
    """

    case: str
    kind: str
    rule: str
    subject: str = ""
    before: str = ""
    after: str = ""
    changed: tuple[str, ...] = ()


class Comparison(msgspec.Struct, frozen=True):
    """Two runs of the same cases: how many, what differs, and the cases that neither would answer."""

    cases: int
    differences: list[Difference]
    refused: list[str]


def compared(before: Mapping[str, Json], after: Mapping[str, Json]) -> Comparison:
    """Both runs of the same cases, compared."""
    refused = [case for case in before if before[case]["status"] != 200 and after[case]["status"] != 200]
    return Comparison(len(before), differences(before, after), refused)


def differences(before: Mapping[str, Json], after: Mapping[str, Json]) -> list[Difference]:
    """All differences between two runs of the same cases, by case and rule."""
    found = [one for case in before for one in _of_case(case, before[case], after[case])]
    return sorted(found, key=lambda one: (one.case, KINDS.index(one.kind), one.rule, one.subject))


def _of_case(case: str, before: Json, after: Json) -> Iterator[Difference]:
    if before["status"] != after["status"]:
        yield Difference(case, ANSWER, "", "", str(before["status"]), str(after["status"]))
        return
    if before["status"] != 200:
        return
    cards = list(_of_cards(case, _cards(before), _cards(after)))
    yield from cards
    yield from _of_verdicts(case, _results(before), _results(after), {one.subject for one in cards})


def _cards(answer: Json) -> dict[str, Json]:
    """The cards by what they are about: there is one for each order, and one for the patient."""
    return {_ours(card).get("subject", ""): card for card in answer["body"]["cards"]}


def _ours(card: Json) -> Json:
    found: Json = card.get("extension", {}).get(EXTENSION, {})
    return found


def _leader(card: Json) -> str:
    return str(card.get("source", {}).get("topic", {}).get("code", "") or "no rule")


def _of_cards(case: str, before: dict[str, Json], after: dict[str, Json]) -> Iterator[Difference]:
    for subject in sorted(before.keys() | after.keys()):
        old, new = before.get(subject), after.get(subject)
        if old is None and new is not None:
            yield Difference(case, GAINED, _leader(new), subject, "", _told(new))
        elif new is None and old is not None:
            yield Difference(case, LOST, _leader(old), subject, _told(old), "")
        elif old is not None and new is not None and (parts := _parts(old, new)):
            yield Difference(case, CHANGED, _leader(new), subject, _told(old), _told(new), parts)


def _told(card: Json) -> str:
    return f"{card['indicator']}: {card['summary']}"


def _parts(old: Json, new: Json) -> tuple[str, ...]:
    """What of a card differs, in words."""
    first, second = _read(old), _read(new)
    return tuple(name for name in first if first[name] != second[name])


def _read(card: Json) -> Json:
    """What a person reads of a card, and the drafts behind its options, without identifiers made for one call."""
    options = card.get("suggestions", ())
    return {
        "level": card["indicator"],
        "summary": card["summary"],
        "rules": [(rule["id"], rule["indicator"]) for rule in _ours(card).get("rules", ())],
        "versions": [(rule["id"], rule["version"]) for rule in _ours(card).get("rules", ())],
        "detail": card.get("detail", ""),
        "options": [one["label"] for one in options],
        "drafts": [[_draft(action) for action in one.get("actions", ())] for one in options],
        "override reasons": [one.get("code") for one in card.get("overrideReasons", ())],
        "links": [(one["label"], one["url"]) for one in card.get("links", ())],
    }


def _draft(action: Json) -> Json:
    kept = {name: value for name, value in action.items() if name != "resource"}
    resource = action.get("resource", {})
    return {**kept, "resource": {name: value for name, value in resource.items() if name not in ("id", "identifier")}}


def _results(answer: Json) -> dict[tuple[str, str], str]:
    results = answer["body"].get("extension", {}).get(EXTENSION, {}).get("results", ())
    return {(one["rule"], one.get("subject", "")): verdict(one) for one in results}


def _of_verdicts(
    case: str, before: dict[tuple[str, str], str], after: dict[tuple[str, str], str], told: set[str]
) -> Iterator[Difference]:
    for rule, subject in sorted(before.keys() | after.keys()):
        old, new = before.get((rule, subject), _NOTHING), after.get((rule, subject), _NOTHING)
        if old != new and subject not in told:
            yield Difference(case, VERDICT, rule, subject, old, new)
