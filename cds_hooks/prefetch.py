"""What became of each prefetch key, and which of its resources are the patient's.

Missing, null, failed and never asked for are four different things, and none of them is "no finding". What belongs to
someone else is dropped and counted; a Patient resource or an order of someone else refuses the call.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from decimal import Decimal
from typing import Any

import msgspec

from cds_hooks.errors import NothingToJudge
from cds_hooks.identity import Owner
from cds_hooks.loose import RESOURCE_ID, TYPE_NAME, safe
from cds_hooks.service import KeyState, Prefetched, Service, Unreadable
from cds_hooks.shapes import BROKEN, ReadBundle, Value, WrongShape
from cds_hooks.wire import Call

KEY_MISSING = "key-missing"
KEY_FAILED = "key-failed"
TRUNCATED = "truncated"
OTHER_PATIENT = "other-patient"
TOKEN = re.compile(r"\{\{\s*context\.(\w+)")
CONTEXT_FIELDS = {"patientId": "patient_id", "userId": "user_id", "encounterId": "encounter_id"}
OUTCOME = "OperationOutcome"
HARMLESS = frozenset({"information", "warning", "success"})
WITHHELD = frozenset(
    {"incomplete", "suppressed", "not-found"}
    | {"forbidden", "security", "login", "expired", "unknown"}
    | {"timeout", "throttled", "too-costly", "transient", "lock-error", "no-store", "exception"}
)
"""What a mere warning may say and still mean that data were left out, by the issue types of FHIR."""
UNFETCHED = {
    "": "the call names no FHIR server to fetch them from",
    "not-registered": "its fhirServer is not registered here for this client",
    "no-token": "it brings no access token to fetch them with",
    OTHER_PATIENT: "its access token is for another patient",
    "scope": "its access token does not allow them to be fetched",
    "bad-id": "its ids cannot stand in a FHIR address",
    "open-circuit": "its FHIR server has not answered lately",
}
"""Why nothing was fetched, by the word for it, as the 412 tells it."""


class Key(msgspec.Struct, frozen=True):
    """One declared key: the resource type it asks for, whether by search, and the context fields it cannot do without.

    ``needs`` names fields of :class:`Call`; tokens that it has no field for are taken to be there.
    """

    name: str
    resource_type: str
    search: bool
    needs: tuple[str, ...]


class Plan(msgspec.Struct, frozen=True):
    """The declared keys of one service, prepared at start."""

    service: Service
    keys: tuple[Key, ...]
    patient_keys: tuple[str, ...]

    @classmethod
    def of(cls, service: Service) -> Plan:
        keys = [
            Key(name, service.resource_types.get(name, ""), "?" in template, _needs(template))
            for name, template in service.prefetch.items()
        ]
        return cls(service, tuple(keys), tuple(key.name for key in keys if key.resource_type == "Patient"))


def _needs(template: str) -> tuple[str, ...]:
    return tuple(CONTEXT_FIELDS[token] for token in TOKEN.findall(template) if token in CONTEXT_FIELDS)


class Received(msgspec.Struct, frozen=True):
    """All data of one call, judged key by key; ``answers`` are those of a FHIR server, as they came."""

    prefetch: dict[str, Prefetched]
    bundles: dict[str, Prefetched]
    answers: tuple[bytes, ...] = ()


def assess(plan: Plan, call: Call) -> Received:
    """Says what became of every key and every Bundle of the context."""
    sent: Mapping[str, Value] = {} if isinstance(call.prefetch, WrongShape) else call.prefetch
    owner = Owner(call.patient_id, call.fhir_server, (*sent.values(), *call.bundles.values()))
    reader = Reader(owner)
    prefetch = {key.name: reader.key(key, call, sent) for key in plan.keys}
    for name, value in sent.items():
        if name not in prefetch:
            prefetch[name] = reader.value(value, "", search=True)
    bundles = {name: reader.context_bundle(value) for name, value in call.bundles.items()}
    return Received(prefetch, bundles)


def check(plan: Plan, received: Received, failed_keys: str = "note") -> Received:
    """What the plugin gets to see; raises :class:`NothingToJudge` where the contract answers 412.

    ``failed_keys`` says what becomes of a declared key that failed: ``note`` leaves it as it is, ``omit`` makes it one
    that was not sent, ``fail`` refuses the call. A truncated key holds data, which ``omit`` does not throw away.
    """
    _refuse_other_patient(plan, received.prefetch)
    _refuse_other_orders(received.bundles)
    if plan.service.patient_level:
        _refuse_nothing_usable(plan, received.prefetch)
    if failed_keys == "fail":
        _refuse_failed(plan, received.prefetch)
    return _without_failed(plan, received) if failed_keys == "omit" else received


class Reader:
    """Sorts the resources of one call by owner and says what state each key is in."""

    __slots__ = ("owner",)

    def __init__(self, owner: Owner) -> None:
        self.owner = owner

    def key(self, key: Key, call: Call, sent: Mapping[str, Value]) -> Prefetched:
        if key.name in sent:
            found = self.value(sent[key.name], key.resource_type, search=key.search)
            if found.reason == TRUNCATED and is_warned(getattr(sent[key.name], "entry", None)):
                # A part of a result tells of a time only where the server did all that was asked, sorting too.
                found.reason = KEY_FAILED
            return found
        if isinstance(call.prefetch, WrongShape):
            return Prefetched(KeyState.FAILED, KEY_FAILED)
        if not all(getattr(call, field) for field in key.needs):
            return Prefetched(KeyState.NOT_ASKED)
        return Prefetched(KeyState.MISSING, KEY_MISSING)

    def value(self, value: Any, asked: str, *, search: bool) -> Prefetched:
        """One value; ``asked`` is the resource type that the template asks for, empty if nobody asked."""
        if value is None:
            return Prefetched(KeyState.NULL)
        kind = getattr(value, "resourceType", "")
        if kind == "Bundle":
            return self._bundle(value, asked, search=search)
        if isinstance(value, Unreadable) or kind:
            return self._single(value, asked)
        return Prefetched(KeyState.FAILED, KEY_FAILED)

    def context_bundle(self, bundle: Any) -> Prefetched:
        """The resources of a Bundle of the context, with the ``fullUrl`` of each."""
        found = self._bundle(bundle, "", search=True, holes=True)
        urls = {id(entry.resource): entry.fullUrl or "" for entry in bundle.entry or ()}
        found.full_urls.extend(urls[id(resource)] for resource in found.resources)
        found.foreign += found.merged  # what is ordered or entered must name the patient of the call
        return found

    def _single(self, value: Any, asked: str) -> Prefetched:
        try:
            if not self.owner.owns(value):
                return Prefetched(KeyState.SATISFIED, foreign=1)
        except BROKEN:
            value = _unread(value)
        if isinstance(value, Unreadable):
            return Prefetched(KeyState.FAILED, KEY_FAILED, unreadable=[value])
        if value.resourceType == OUTCOME or (asked and value.resourceType != asked):
            return Prefetched(KeyState.FAILED, KEY_FAILED)
        return Prefetched(KeyState.SATISFIED, resources=[value], merged=self._merged([value]))

    def _merged(self, resources: list[Any]) -> int:
        return sum(map(self.owner.is_merged, resources)) if self.owner.merged else 0

    def _bundle(self, bundle: Any, asked: str, *, search: bool, holes: bool = False) -> Prefetched:
        """A Bundle; with ``holes`` its entries need not hold a resource."""
        found = Prefetched(KeyState.SATISFIED)
        entries = bundle.entry or ()
        if isinstance(bundle, ReadBundle):
            found.unreadable = [entry.resource for entry in entries if isinstance(entry.resource, Unreadable)]
            entries = [entry for entry in entries if not isinstance(entry.resource, Unreadable)]
        failed = self._sort(entries, found, holes=holes) if entries else False
        if found.unreadable:
            failed = failed or any(one.resource_type == OUTCOME for one in found.unreadable)
        resources = found.resources
        if failed or (asked and resources and resources[0].resourceType != asked and not _has_type(resources, asked)):
            found.state, found.reason = KeyState.FAILED, KEY_FAILED
        elif _is_truncated(bundle):
            found.state, found.reason = KeyState.FAILED, TRUNCATED
        elif not (search or resources or found.foreign or found.unreadable):
            found.state = KeyState.NULL
        return found

    def _sort(self, entries: Any, found: Prefetched, *, holes: bool) -> bool:
        """Keeps the patient's resources and counts the others; returns whether an entry says that the search failed.

        This loop sees every resource of a call, over a thousand in a large one: the usual case comes first.
        """
        is_known, keep, failed, foreign, lost = self.owner.known.get, found.resources.append, False, 0, 0
        for entry in entries:
            resource = entry.resource
            if resource is None:
                failed = failed or not holes or _is_failed_response(entry)
                lost += not holes
                continue
            try:
                subject = resource.subject
                if subject is not None and is_known(subject.reference) and resource.patient is None:
                    keep(resource)
                elif resource.resourceType == OUTCOME:
                    failed = failed or is_error(resource)
                elif self.owner.owns(resource):
                    keep(resource)
                else:
                    foreign += 1
            except BROKEN:
                found.unreadable.append(_unread(resource))
        found.foreign, found.merged = foreign, self._merged(found.resources)
        found.unreadable.extend([Unreadable("", "")] * lost)
        return failed


def is_error(outcome: Any) -> bool:
    """Whether an OperationOutcome says that data are not there; one without readable issues is taken for an error."""
    try:
        issues = outcome.issue or ()
    except BROKEN:
        return True
    return not issues or any(issue.severity not in HARMLESS or _is_withheld(issue) for issue in issues)


def _is_withheld(issue: Any) -> bool:
    """Some servers put a warning into every result, so it is the type that says whether something was left out."""
    return issue.severity == "warning" and issue.code in WITHHELD


def is_warned(entries: Iterable[Any] | None) -> bool:
    """Whether an OperationOutcome among the entries says that not all went as was asked."""
    outcomes = (one.resource for one in entries or () if getattr(one.resource, "resourceType", "") == OUTCOME)
    return any(map(_warns, outcomes))


def _warns(outcome: Any) -> bool:
    try:
        return is_error(outcome) or any(issue.severity == "warning" for issue in outcome.issue or ())
    except BROKEN:
        return True


def _unread(resource: Any) -> Unreadable:
    if isinstance(resource, Unreadable):
        return resource
    return Unreadable(safe(resource.resourceType or "", TYPE_NAME), safe(resource.id or "", RESOURCE_ID))


def _is_failed_response(entry: Any) -> bool:
    status = getattr(getattr(entry, "response", None), "status", None)
    return bool(status) and not str(status).startswith("2")


def _is_truncated(bundle: Any) -> bool:
    """Whether there is more than was sent; a link or total that cannot be read is taken for a sign of it."""
    try:
        links, total = bundle.link, _count(bundle.total)
    except BROKEN:
        return True
    if links and any(link.relation == "next" for link in links):
        return True
    if total == 0:
        return False
    entries = bundle.entry or ()
    return total > len(entries) or total > len(entries) - sum(
        [1 for entry in entries if (search := entry.search) is not None and search.mode not in (None, "match")]
    )


def _count(total: object) -> int | Decimal:
    if isinstance(total, int):
        return total
    if isinstance(total, str):
        return Decimal(total) if total.isascii() and total.isdigit() else 0
    return Decimal(total) if isinstance(total, float | Decimal) else 0


def _has_type(resources: list[Any], asked: str) -> bool:
    return any(one.resourceType == asked for one in resources)


def _refuse_other_patient(plan: Plan, prefetch: Mapping[str, Prefetched]) -> None:
    for key in plan.patient_keys:
        if prefetch[key].foreign:
            place = "that the FHIR server gave" if prefetch[key].fetch else "in prefetch"
            raise NothingToJudge(
                f"The Patient resource {place} belongs to someone other than context.patientId. Nothing was checked."
            )


def _refuse_other_orders(bundles: Mapping[str, Prefetched]) -> None:
    for name, bundle in bundles.items():
        if bundle.foreign:
            raise NothingToJudge(
                f"A resource in context.{name} belongs to someone other than context.patientId. Nothing was checked."
            )


def _refuse_nothing_usable(plan: Plan, prefetch: Mapping[str, Prefetched]) -> None:
    usable = (KeyState.SATISFIED, KeyState.NULL)
    states = [prefetch[key.name] for key in plan.keys]
    if not any(one.state in usable for one in states):
        word = next((one.fetch for one in states if one.fetch), "")
        keys = ", ".join(key.name for key in plan.keys)
        why = UNFETCHED.get(word, "none could be fetched from the FHIR server")
        raise NothingToJudge(f"None of the prefetch keys could be used, and {why}. This service asks for: {keys}.")


def _refuse_failed(plan: Plan, prefetch: Mapping[str, Prefetched]) -> None:
    failed = [key.name for key in plan.keys if prefetch[key.name].state is KeyState.FAILED]
    if failed:
        raise NothingToJudge(
            f"These prefetch keys failed or are incomplete, and could not be fetched: {', '.join(failed)}. "
            "This service is set to judge nothing then."
        )


def _without_failed(plan: Plan, received: Received) -> Received:
    failed = [key.name for key in plan.keys if received.prefetch[key.name].reason == KEY_FAILED]
    unsent = {name: Prefetched(KeyState.MISSING, KEY_MISSING) for name in failed}
    return msgspec.structs.replace(received, prefetch=received.prefetch | unsent)
