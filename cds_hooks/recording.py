"""What goes into the audit about one call, and how sure it is that it is there."""

from __future__ import annotations

import re
from collections.abc import Container, Iterable, Mapping, Sequence
from datetime import datetime
from time import monotonic
from typing import Any

import msgspec
import structlog

from cds_hooks.answers import Outgoing
from cds_hooks.audit import AuditStore, Entry, FindingRow
from cds_hooks.errors import Refusal
from cds_hooks.limits import within
from cds_hooks.models import EXTENSION
from cds_hooks.service import FETCHED, Answer, KeyState, Memo, Prefetched, Subject
from cds_hooks.terminology.desk import Unmapped

DURABLE, PENDING, FAILED, OFF = "durable", "pending", "failed", "off"
LEAST_WAIT = 0.25
KEY_NAME = re.compile(r"[A-Za-z0-9_.\-]{1,64}")
SERVICE_NAME = re.compile(r"[a-z0-9-]{1,64}")

_encode = msgspec.json.Encoder().encode
log = structlog.get_logger()


class Trace(msgspec.Struct):
    """What is known of a call so far; an audit entry can be made of it at any moment."""

    id: str
    time: datetime
    started: float
    service: str = ""
    hook: str = ""
    hook_instance: str = ""
    patient: str = ""
    client: str = ""
    ruleset: str = ""
    status: int = 200
    detail: str = ""
    keys: bytes = b"{}"
    cards: bytes = b"[]"
    results: bytes = b"[]"
    subjects: bytes = b"[]"
    findings: tuple[FindingRow, ...] = ()
    card_uuids: tuple[str, ...] = ()
    encounter: str = ""
    kept_for_signing: bool = False
    unmapped: Sequence[Unmapped] = ()
    outcome: str = "answered"
    unhurried: bool = False
    held_until: float = 0.0

    def refused(self, refusal: Refusal, about: str = "") -> None:
        """The call was refused; ``about`` is what the audit says before the reason."""
        self.status, self.outcome, self.detail = refusal.status, "refused", about + refusal.noted
        self.client = self.client or refusal.client
        self.unhurried = refusal.before_reading

    def re_sent(self, status: int, audit_id: str, about: str = "") -> None:
        """The same call came a moment ago: its answer went out once more, and nothing was decided again."""
        self.status, self.outcome, self.detail = status, "re-sent", f"{about}Re-sent: the answer of {audit_id}."

    def showed(self, outgoing: Outgoing) -> None:
        """Keeps what went out."""
        self.cards, self.results = outgoing.cards_json, outgoing.results_json
        self.card_uuids = tuple(card["uuid"] for card in outgoing.cards)

    def entry(self) -> Entry:
        return Entry(
            id=self.id,
            time=self.time,
            client=self.client,
            service=self.service,
            hook=self.hook,
            hook_instance=self.hook_instance,
            patient=self.patient,
            ruleset=self.ruleset,
            status=self.status,
            outcome=self.outcome,
            detail=self.detail,
            milliseconds=round((monotonic() - self.started) * 1000, 3),
            keys=self.keys,
            cards=self.cards,
            results=self.results,
            subjects=self.subjects,
            findings=self.findings,
            card_uuids=self.card_uuids,
            encounter=self.encounter,
            kept_for_signing=self.kept_for_signing,
            unhurried=self.unhurried,
        )


async def record(store: AuditStore | None, trace: Trace, deadline: float) -> str:
    """Writes the entry of ``trace`` and says how far it came before ``deadline``, or a quarter of a second if that is
    later."""
    if store is None:
        return OFF
    entry = trace.entry()
    try:
        durable = await within(max(LEAST_WAIT, deadline - monotonic()), store.append(entry))
    except TimeoutError:
        return PENDING
    except Exception as error:
        log.error("audit-append-raised", audit=entry.id, error=type(error).__name__)
        return FAILED
    return DURABLE if durable else FAILED


def keys_json(prefetch: Mapping[str, Prefetched], declared: Container[str]) -> bytes:
    """The state of every key. A key that the client made up is kept only if it looks like a name."""
    return _encode({key: _key(one) for key, one in prefetch.items() if key in declared or KEY_NAME.fullmatch(key)})


_GOOD = {"state": KeyState.SATISFIED.value}


def _key(one: Prefetched) -> dict[str, Any]:
    if one.state is KeyState.SATISFIED and not one.foreign and not one.unreadable and not one.fetch and not one.merged:
        return _GOOD
    state: dict[str, Any] = {"state": one.state.value}
    if one.reason:
        state["reason"] = one.reason
    if one.foreign:
        state["foreign"] = one.foreign
    if one.merged:
        state["merged"] = one.merged
    if one.unreadable:
        state["unreadable"] = len(one.unreadable)
    if one.fetch:
        state |= {"fetched": True} if one.fetch == FETCHED else {"fetch": one.fetch}
    return state


def subjects_json(subjects: Iterable[Subject]) -> bytes:
    return _encode([{"reference": one.reference, "label": one.label} for one in subjects])


def findings_of(
    results: Iterable[dict[str, Any]], cards: Iterable[dict[str, Any]], answer: Answer
) -> tuple[FindingRow, ...]:
    """The verdicts that fired, each with the name of its order, the card that showed it and what to remember of it."""
    fired = [one for one in results if one.get("status") == "fired"]
    if not fired:
        return ()
    labels = {one.reference: one.label for one in answer.subjects}
    shown = {pair: str(card.get("uuid", "")) for card in cards for pair in _shown_by(card)}
    memos = {(memo.rule, memo.subject): memo for memo in answer.memos}
    return tuple(_finding(one, labels, shown, memos) for one in fired)


def _finding(
    result: dict[str, Any],
    labels: Mapping[str, str],
    shown: Mapping[tuple[str, str], str],
    memos: Mapping[tuple[str, str], Memo],
) -> FindingRow:
    rule, subject = result.get("rule", ""), result.get("subject", "")
    memo = memos.get((rule, subject))
    return FindingRow(
        rule=rule,
        subject=subject,
        label=labels.get(subject, ""),
        indicator=result.get("indicator", ""),
        suppressed=result.get("suppressed", ""),
        shown=(rule, subject) in shown,
        card=shown.get((rule, subject), ""),
        state=memo.state if memo is not None else (),
        digest=memo.digest if memo is not None else "",
    )


def _shown_by(card: dict[str, Any]) -> Iterable[tuple[str, str]]:
    ours = card.get("extension", {}).get(EXTENSION, {})
    subject = ours.get("subject", "")
    return ((rule.get("id", ""), subject) for rule in ours.get("rules", ()))
