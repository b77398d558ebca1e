"""What a plugin hands to the host, and what the host hands to a plugin at each call.

A plugin is a factory ``Callable[[Site], Plugin]`` that the host finds through the entry point group
``cds_hooks.plugins`` or the setting ``DYSTONIA_CDS_PLUGIN`` (``module:NAME``). The host renders, the plugin says:
everything that people see of the clinical content comes from the values below.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from decimal import Decimal
from enum import StrEnum
from pathlib import Path
from typing import Any

import msgspec

from cds_hooks.content import Basis, Citation, ExtraPage, Question
from cds_hooks.signoff.book import NOBODY, Standing
from cds_hooks.terminology.desk import Desk, Unmapped


class KeyState(StrEnum):
    """What became of one prefetch key. An optional token that the context lacks makes a key ``NOT_ASKED``."""

    SATISFIED = "satisfied"
    NULL = "null"
    MISSING = "missing"
    FAILED = "failed"
    NOT_ASKED = "not-asked"


@dataclass(frozen=True, slots=True)
class Site:
    """What the operator configured and a plugin may need.

    ``expected_keys`` are the prefetch keys whose absence must be told (clinical specification D.6).
    ``public_url`` has no trailing slash and is the base of links to the guideline. ``thresholds`` are the clinical
    figures that the site chose, by name; ``suppressions_off`` the suppressions that it switched off and
    ``prophylaxis_order_sets`` the canonical URLs of its order sets that include prophylaxis. ``terminology`` is
    the folder of the site's own codes, ``snapshot`` that of a drug snapshot made by ``terminology build``.
    ``signoff`` is the file of the site's sign-offs; ``unsigned`` says what becomes of findings of rules that nobody
    signed off: "show" or "silent". ``silent`` keeps every card back, ``silent_rules`` those of some rules: they are
    evaluated and audited all the same.
    """

    jurisdiction: str = "us"
    public_url: str = "http://127.0.0.1:8000"
    canonical: str = "https://dystonia-cds.example/fhir"
    expected_keys: tuple[str, ...] = ("patient", "medications", "allergies", "conditions", "observations")
    thresholds: Mapping[str, Decimal] = field(default_factory=dict)
    suppressions_off: tuple[str, ...] = ()
    prophylaxis_order_sets: tuple[str, ...] = ()
    terminology: Path | None = None
    snapshot: Path | None = None
    signoff: Path | None = None
    unsigned: str = "show"
    silent: bool = False
    silent_rules: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Options:
    """What a client may ask for in ``extension["pddi-configuration-items"]`` (HL7 PDDI-CDS guide)."""

    cache_for_order_sign_filtering: bool = False
    filter_out_repeated_alerts: bool = False
    show_evidence_support: bool = True
    alert_non_serious: bool = True


@dataclass(frozen=True, slots=True)
class Unreadable:
    """A resource that was sent and could not be decoded: never the same as an absent one."""

    resource_type: str
    id: str


FETCHED = "fetched"


class Prefetched(msgspec.Struct):
    """One prefetch key as it arrived.

    ``resources`` are the readable resources that belong to the patient (structs of ``Plugin.resource``).
    ``reason`` stands with ``FAILED`` (``key-failed`` or ``truncated``) and ``MISSING`` (``key-missing``).
    ``foreign`` counts resources of someone else, which were dropped; ``merged`` those among ``resources`` that stand
    under another id of the same person, as the Patient resource says. ``full_urls`` stands beside ``resources`` in the
    Bundles of the context only: the ``fullUrl`` of each, or an empty string. ``fetch`` is a word for the audit: empty
    where nothing was to be fetched, ``fetched``, or why the EHR's FHIR server did not give what the call lacked.
    """

    state: KeyState
    reason: str = ""
    resources: list[Any] = []
    unreadable: list[Unreadable] = []
    foreign: int = 0
    full_urls: list[str] = []
    merged: int = 0
    fetch: str = ""


class Shown(msgspec.Struct, frozen=True):
    """One finding that a card of this patient showed to the same client before, and what became of that card.

    ``label`` names the drug of the order, empty for findings about the patient. ``state`` and ``digest`` are what the
    plugin asked to be remembered. ``kept_for_signing`` says that the client asked for it to be kept for order-sign;
    ``override_reason`` is the code of the newest override with a reason, or empty.
    """

    rule: str
    label: str
    indicator: str
    state: tuple[str, ...]
    digest: str
    hook: str
    time: datetime
    same_encounter: bool
    kept_for_signing: bool
    override_reason: str


class Memo(msgspec.Struct, frozen=True):
    """What a plugin wants remembered of one finding: opaque keys and a digest, without patient data."""

    subject: str
    rule: str
    state: tuple[str, ...]
    digest: str


def no_memory(since: datetime) -> Sequence[Shown]:
    """What is remembered where nothing is kept."""
    return ()


class HookCall(msgspec.Struct, frozen=True):
    """One hook call, checked and decoded: all that a plugin may look at.

    ``bundles`` holds the resources of the context's Bundles by field name (``draftOrders``, ``medications``,
    ``conditions``), each with its ``fullUrl`` in ``Prefetched.full_urls``. ``now`` is the one wall clock value
    of the call. ``deadline`` is a ``time.monotonic()`` moment after which no further rule should start. ``body`` is the
    request as it came, for the rare suggestion that must give an existing resource back whole; ``context`` is that part
    of it, so that a draft is found without reading all of a long one, and ``fetched`` are the JSON answers of the EHR's
    FHIR server, for the same reason. ``memory`` gives what was shown about this
    patient since a moment, newest first; it reads the store, so ask only when it matters.
    """

    service: Service
    client: str
    hook_instance: str
    patient_id: str
    user_id: str
    encounter_id: str
    selections: tuple[str, ...]
    bundles: Mapping[str, Prefetched]
    prefetch: Mapping[str, Prefetched]
    now: datetime
    deadline: float
    options: Options
    body: bytes = b""
    memory: Callable[[datetime], Sequence[Shown]] = no_memory
    context: bytes = b""
    fetched: tuple[bytes, ...] = ()


@dataclass(frozen=True, slots=True)
class Subject:
    """What a result is about, for people who audit: a draft order's reference and its short name ("haloperidol")."""

    reference: str
    label: str


@dataclass(frozen=True, slots=True)
class Answer:
    """What a plugin answers: cards and verdicts as JSON-ready dictionaries in the shapes of ``contract.md``.

    ``results`` go into the response extension and the audit; ``subjects`` only into the audit. ``unmapped`` are the
    codes and texts that nothing resolved, for the inbox; they hold no data of the patient. ``memos`` are kept beside
    the findings, for later calls. ``unsigned`` are the rules that found something and that nobody of the
    site signed off.
    """

    cards: Sequence[dict[str, Any]] = ()
    results: Sequence[dict[str, Any]] = ()
    subjects: Sequence[Subject] = ()
    unmapped: Sequence[Unmapped] = ()
    memos: Sequence[Memo] = ()
    unsigned: Sequence[str] = ()


@dataclass(frozen=True, slots=True)
class Service:
    """One CDS service: discovery data and the function that judges a call.

    ``prefetch`` maps key to template; ``resource_types`` maps key to the resource type that the template asks for;
    ``context_bundles`` are the context fields that hold a Bundle this service needs (``draftOrders``).
    ``patient_level`` services answer 412 when not a single key is usable.
    """

    id: str
    hook: str
    title: str
    description: str
    usage_requirements: str
    prefetch: Mapping[str, str]
    resource_types: Mapping[str, str]
    evaluate: Callable[[HookCall], Answer]
    context_bundles: tuple[str, ...] = ()
    patient_level: bool = False


@dataclass(frozen=True, slots=True)
class GuidelinePage:
    """One rule as people read it at ``/guideline/{id}``.

    ``sections`` are (heading, paragraphs); ``thresholds`` are (name, value, unit, source); ``levels`` are
    (indicator, when); ``override_reasons`` are the displays that a card offers. ``fingerprint`` is the hash of the
    rule's content, ``signoff`` how it stands; ``bounds`` are (default, lowest, highest) of each threshold, ``meanings``
    what each is for. ``basis`` is what a reader needs to judge the rule independently.
    """

    id: str
    version: str
    title: str
    group: str
    question: str
    indicator: str
    hooks: tuple[str, ...]
    summary_example: str
    looks_for: tuple[str, ...]
    levels: tuple[tuple[str, str], ...]
    thresholds: tuple[tuple[str, str, str, str], ...]
    missing_data: tuple[str, ...]
    suppressions: tuple[tuple[str, str], ...]
    options: tuple[str, ...]
    override_reasons: tuple[str, ...]
    evidence: tuple[Citation, ...]
    strength: str
    seed: tuple[str, ...]
    not_covered: tuple[str, ...]
    reviewed: str
    review_by: str
    fingerprint: str = ""
    signoff: Standing = NOBODY
    bounds: tuple[tuple[str, str, str], ...] = ()
    basis: Basis = field(default_factory=Basis)
    meanings: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class SampleOrder:
    """An order that the try-it page can put before a hook: a search name and a MedicationRequest without subject.

    ``fields`` are the fields of a hook's context in which the page offers it: ``draftOrders`` takes new orders,
    ``medications`` prescriptions to refill.
    """

    id: str
    name: str
    resource: Mapping[str, Any]
    fields: tuple[str, ...] = ("draftOrders",)


@dataclass(frozen=True, slots=True)
class SampleCondition:
    """A problem that the try-it page can enter on the problem list: a search name and a Condition without subject."""

    id: str
    name: str
    resource: Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class SamplePatient:
    """An invented patient of the try-it page: FHIR data by prefetch key, and what to expect of it.

    ``orders`` and ``refills`` are ids of :class:`SampleOrder` and ``conditions`` of :class:`SampleCondition`; the first
    one is chosen by default. ``build`` is called with "now", so that ages and windows stay what the story says on any
    day. The page shows a patient under an id of its own for each visit, so that no earlier visit is remembered: the id
    stands in ``Patient.id`` and in references to it, and nowhere else with a meaning.
    """

    id: str
    name: str
    story: str
    shows: str
    hook: str
    orders: tuple[str, ...]
    build: Callable[[datetime], Mapping[str, Any]]
    refills: tuple[str, ...] = ()
    conditions: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class OverrideReason:
    """One coded reason for not following a card."""

    code: str
    display: str


def _no_references(resources: Iterable[Any]) -> Iterable[str]:
    return ()


def _unknown_member(value_set: str, system: str, code: str) -> bool | None:
    return None


@dataclass(frozen=True, slots=True)
class Plugin:
    """A set of clinical rules as the host sees it.

    ``resource`` is the msgspec Struct that one FHIR resource is decoded into; it must have at least the attributes
    of :class:`cds_hooks.shapes.ResourceLike`. ``ruleset`` is ``<version>+<first 12 hex digits of the content hash>``.
    ``artefacts`` are FHIR resources as JSON by ``<type>/<id>``; ``member`` tells whether the value set with an id holds
    the code of a system, as the rules read it, and None where it cannot tell. ``references`` names the relative
    references (``Medication/m1``) of decoded resources whose targets the rules need beside them. ``incomplete`` are the
    source, links and extension of the cards by which the host itself says that something was not checked.
    ``codes`` counts and names what was loaded, for ``/readyz`` and the log. ``terminology`` answers questions about
    codes, if there are any. ``suppressions`` say in a sentence what each value of ``suppressed`` in a result means.
    ``questions`` lead to pages from the index of the guideline; ``pages`` belong to no single rule.
    """

    name: str
    version: str
    ruleset: str
    resource: type
    services: tuple[Service, ...]
    guideline: tuple[GuidelinePage, ...] = ()
    intro: tuple[str, ...] = ()
    disclaimer: tuple[str, ...] = ()
    samples: tuple[SamplePatient, ...] = ()
    orders: tuple[SampleOrder, ...] = ()
    override_reasons: tuple[OverrideReason, ...] = ()
    codes: Mapping[str, int | str] = field(default_factory=dict)
    artefacts: Callable[[], Mapping[str, bytes]] = dict
    terminology: Desk | None = None
    member: Callable[[str, str, str], bool | None] = _unknown_member
    conditions: tuple[SampleCondition, ...] = ()
    suppressions: Mapping[str, str] = field(default_factory=dict)
    questions: tuple[Question, ...] = ()
    pages: tuple[ExtraPage, ...] = ()
    references: Callable[[Iterable[Any]], Iterable[str]] = _no_references
    incomplete: Mapping[str, Any] = field(default_factory=dict)


PluginFactory = Callable[[Site], Plugin]
