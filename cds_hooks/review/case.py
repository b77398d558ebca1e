"""One audit entry as its page shows it: typed where it can be read, verbatim where it cannot."""

from __future__ import annotations

from collections.abc import Container, Iterable, Sequence
from dataclasses import dataclass, field
from typing import TypeVar

import msgspec

from cds_hooks.audit import CallDetail, FeedbackRow
from cds_hooks.review.markdown import Block, blocks
from cds_hooks.review.shapes import Card, Key, Subject, Verdict
from cds_hooks.review.words import GROUPS

Kind = TypeVar("Kind")


@dataclass(slots=True)
class Payloads:
    """Decodes stored JSON and keeps, by name, the text of what does not have the expected shape."""

    unreadable: dict[str, str] = field(default_factory=dict)

    def decode(self, name: str, payload: bytes, kind: type[Kind]) -> Kind:
        try:
            return msgspec.json.decode(payload, type=kind)
        except msgspec.DecodeError:
            self.unreadable[name] = payload.decode("utf-8", "replace")
            return kind()


@dataclass(frozen=True, slots=True)
class Heard:
    """A feedback in words; ``accepted`` are the labels of the suggestions taken."""

    row: FeedbackRow
    reason: str
    accepted: list[str]


@dataclass(frozen=True, slots=True)
class Shown:
    """A card as the clinician saw it, and the feedback on it."""

    card: Card
    detail: list[Block]
    feedback: list[Heard]


@dataclass(frozen=True, slots=True)
class Case:
    """Everything for one page. ``unreadable`` holds stored JSON that does not have the expected shape."""

    entry: CallDetail
    cards: list[Shown]
    groups: list[tuple[str, list[Verdict]]]
    keys: dict[str, Key]
    labels: dict[str, str]
    unreadable: dict[str, str]

    def about(self, subject: str) -> str:
        return self.labels.get(subject) or subject or "the patient"

    @property
    def incomplete(self) -> bool:
        return any(not key.complete for key in self.keys.values())


def case_of(entry: CallDetail) -> Case:
    """Return ``entry`` ready to be shown."""
    payloads = Payloads()
    cards = payloads.decode("cards", entry.row.cards, list[Card])
    verdicts = payloads.decode("results", entry.row.results, list[Verdict])
    subjects = payloads.decode("subjects", entry.subjects, list[Subject])
    return Case(
        entry=entry,
        cards=[_shown(card, entry.feedback) for card in cards],
        groups=_grouped(verdicts, {(item.rule, item.subject) for item in entry.row.findings if not item.shown}),
        keys=payloads.decode("keys", entry.keys, dict[str, Key]),
        labels={subject.reference: subject.label for subject in subjects},
        unreadable=payloads.unreadable,
    )


def _shown(card: Card, feedback: Iterable[FeedbackRow]) -> Shown:
    mine = [row for row in feedback if row.card.strip().lower() == card.uuid.strip().lower()]
    known = {link.url for link in card.links}
    return Shown(card, blocks(card.detail, known), [_heard(card, row) for row in mine])


def _heard(card: Card, row: FeedbackRow) -> Heard:
    offered = {reason.code: reason.display for reason in card.override_reasons if reason.code}
    labels = {suggestion.uuid: suggestion.label for suggestion in card.suggestions}
    try:
        ids = msgspec.json.decode(row.accepted, type=list[str])
    except msgspec.DecodeError:
        ids = []
    reason = row.reason_display or offered.get(row.reason_code, row.reason_code)
    return Heard(row, reason, [labels.get(id) or id for id in ids])


def _grouped(verdicts: Sequence[Verdict], unshown: Container[tuple[str, str]]) -> list[tuple[str, list[Verdict]]]:
    """Return the verdicts by what a reviewer asks first; a status of another version comes last, under its own name."""
    groups: dict[str, list[Verdict]] = {heading: [] for heading in GROUPS.values()}
    for verdict in verdicts:
        group = _group(verdict, unshown)
        groups.setdefault(GROUPS.get(group, group), []).append(verdict)
    return [(heading, members) for heading, members in groups.items() if members]


def _group(verdict: Verdict, unshown: Container[tuple[str, str]]) -> str:
    if verdict.suppressed:
        return "suppressed"
    if verdict.status == "fired" and (verdict.rule, verdict.subject) in unshown:
        return "unshown"
    return verdict.status
