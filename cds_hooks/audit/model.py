"""What goes into the audit store and what comes out of it.

Nothing here holds a name, a birth date or free text of a patient: the patient is a pseudonym, refusals name a class of
error, and the JSON payloads are what the service itself answered.
"""

from __future__ import annotations

from datetime import datetime

import msgspec


class FindingRow(msgspec.Struct, frozen=True):
    """One fired verdict, kept beside the entry so that entries can be found by it.

    ``subject`` is the draft order's reference, ``label`` its drug; both empty on findings about the patient.
    ``suppressed`` names the suppression that silenced it; ``shown`` says whether it reached a card, ``card`` which one.
    ``state`` and ``digest`` are what the plugin wants remembered: short keys and a hash, without patient data.
    """

    rule: str
    subject: str
    label: str
    indicator: str
    suppressed: str
    shown: bool
    card: str = ""
    state: tuple[str, ...] = ()
    digest: str = ""


class Entry(msgspec.Struct, frozen=True):
    """One hook call, answered or refused.

    ``id`` comes from :func:`cds_hooks.audit.new_id`; ``time`` is aware UTC; ``patient`` is what
    :meth:`AuditStore.pseudonym` returned, or empty. ``outcome`` is ``answered``, ``refused`` or ``re-sent`` (the
    stored answer of the entry that ``detail`` names went out once more); ``detail`` names the class of a refusal,
    never patient data. ``keys``, ``cards``, ``results`` and ``subjects`` are JSON as UTF-8 bytes: prefetch key to
    ``{"state", "reason", "foreign"}``; the cards exactly as sent; every verdict with its inputs; and
    ``[{"reference", "label"}]``. ``findings`` are the fired verdicts only, ``card_uuids`` one per card.
    ``encounter`` is a pseudonym too; ``kept_for_signing`` says that the client asked to keep what was shown.
    ``unhurried`` is no column: nothing was judged, and the row may wait a moment for others to be written with.
    """

    id: str
    time: datetime
    client: str
    service: str
    hook: str
    hook_instance: str
    patient: str
    ruleset: str
    status: int
    outcome: str
    detail: str
    milliseconds: float
    keys: bytes
    cards: bytes
    results: bytes
    subjects: bytes
    findings: tuple[FindingRow, ...] = ()
    card_uuids: tuple[str, ...] = ()
    encounter: str = ""
    kept_for_signing: bool = False
    unhurried: bool = False


class Feedback(msgspec.Struct, frozen=True, kw_only=True):
    """One feedback about one card, as the client sent it. ``accepted`` is a JSON list of suggestion ids."""

    time: datetime
    client: str
    service: str
    card: str
    outcome: str
    outcome_timestamp: str = ""
    accepted: bytes = b"[]"
    reason_code: str = ""
    reason_system: str = ""
    reason_display: str = ""
    comment: str = ""


class FeedbackRow(Feedback, frozen=True, kw_only=True):
    """A stored feedback; ``known`` says whether that service had returned that card before."""

    known: bool


class CallFilter(msgspec.Struct, frozen=True, kw_only=True):
    """Which entries to list; an empty field does not filter.

    ``since`` is inclusive, ``until`` exclusive. ``rule`` and ``indicator`` together mean one verdict that has both.
    ``drug`` is a part of an order's label, whatever the case. ``outcome`` is ``answered``, ``refused``,
    ``re-sent``, ``silent`` (answered without a card), ``fired``, ``not-checked``, ``accepted``, ``overridden`` or
    ``no-feedback`` (cards were shown and nobody answered them). ``before`` is the id of the last entry of the page
    before.
    """

    since: datetime | None = None
    until: datetime | None = None
    rule: str = ""
    indicator: str = ""
    drug: str = ""
    outcome: str = ""
    service: str = ""
    client: str = ""
    patient: str = ""
    limit: int = 50
    before: str = ""


class CallRow(msgspec.Struct, frozen=True, kw_only=True):
    """One entry as a list shows it. ``indicator`` is the gravest of its cards; ``feedback`` the outcomes heard."""

    id: str
    time: datetime
    client: str
    service: str
    hook: str
    hook_instance: str
    patient: str
    ruleset: str
    status: int
    outcome: str
    detail: str
    milliseconds: float
    cards: bytes
    results: bytes
    card_count: int
    not_checked: int
    indicator: str
    labels: tuple[str, ...]
    findings: tuple[FindingRow, ...]
    feedback: tuple[str, ...]


class CallDetail(msgspec.Struct, frozen=True, kw_only=True):
    """One entry with everything that is known about it."""

    row: CallRow
    keys: bytes
    subjects: bytes
    card_uuids: tuple[str, ...]
    feedback: tuple[FeedbackRow, ...]


class StoreHealth(msgspec.Struct, frozen=True, kw_only=True):
    """How the store is: ``failed`` rows could not be written since the start, ``pending`` ones wait to be.

    ``reason`` says in a sentence why ``ok`` is false; ``last_error_time`` stays after a recovery.
    """

    ok: bool
    reason: str = ""
    failed: int = 0
    written: int = 0
    pending: int = 0
    last_error_time: datetime | None = None
