"""Whose data are these? Every reference to an owner is held against ``context.patientId``, in every spelling.

A resource without an owner element, or whose reference only has a display, makes no claim and is accepted. Everything
that names an owner must name the patient of the call; what cannot be resolved counts as someone else. Where the
supplied Patient resource itself says that another record is the same person's, data under that id are the patient's;
they are counted, so that the card can tell.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Any
from urllib.parse import urlsplit

from cds_hooks.loose import RESOURCE_ID
from cds_hooks.service import Unreadable
from cds_hooks.shapes import BROKEN, ReadBundle, ReferenceLike, ResourceLike

Identifier = tuple[str, str]

MERGING = frozenset({"replaces", "replaced-by", "seealso"})
"""The types of ``Patient.link`` by which another record's data are the same person's."""


class Owner:
    """The patient of one call. ``me`` is the usual spelling, ``known`` what was found out about the others."""

    __slots__ = ("_aliases", "_identifiers", "_server", "_urns", "_values", "known", "me", "merged", "patient_id")

    def __init__(self, patient_id: str, fhir_server: str, values: Iterable[Any]) -> None:
        """``values`` is everything that came with the call; it is looked through only when a spelling needs it."""
        self.patient_id = patient_id
        self.me = f"Patient/{patient_id}"
        self.known: dict[str, bool] = {self.me: True}
        self._server = fhir_server
        self._values = values
        self._identifiers: frozenset[Identifier] | None = None
        self._urns: frozenset[str] | None = None
        self._aliases: frozenset[str] | None = None
        self.merged: set[str] = set()
        """The spellings met so far that lead to another record of the same person."""

    def owns(self, resource: ResourceLike | Unreadable) -> bool:
        """Whether nothing in ``resource`` says that it is someone else's."""
        if isinstance(resource, Unreadable):
            return not (resource.resource_type == "Patient" and resource.id not in ("", self.patient_id))
        if resource.resourceType == "Patient" and resource.id and resource.id != self.patient_id:
            return False
        for reference in (resource.subject, resource.patient, getattr(resource, "beneficiary", None)):
            if reference is not None and not self._accepts(reference, resource):
                return False
        return True

    def _accepts(self, reference: ReferenceLike, resource: ResourceLike) -> bool:
        spelling = reference.reference
        if spelling:
            return self._is_me_contained(spelling, resource) if spelling[0] == "#" else self.is_me(spelling)
        if reference.identifier is not None:
            typed = reference.type in (None, "", "Patient")
            return typed and bool(self.identifiers & frozenset(identifiers_of(reference)))
        return not reference.type

    def is_me(self, spelling: str) -> bool:
        """Whether a relative, absolute or ``urn:`` reference leads to the patient; remembered for the next entry."""
        verdict = self.known.get(spelling)
        if verdict is None:
            verdict = self.known[spelling] = self._resolve(spelling)
        return verdict

    def _resolve(self, spelling: str) -> bool:
        if spelling.startswith("urn:"):
            return self._is_my_urn(spelling)
        address = spelling.partition("/_history/")[0]
        if self._leads_to(address, self.me):
            return True
        if any(self._leads_to(address, alias) for alias in self.aliases):
            self.merged.add(spelling)
            return True
        return False

    def _leads_to(self, address: str, record: str) -> bool:
        if address == record:
            return True
        base, slash, _ = address.rpartition(f"/{record}")
        if not slash or not address.endswith(f"/{record}") or "://" not in base:
            return False
        return not self._server or normal_base(base) == normal_base(self._server)

    def is_merged(self, resource: ResourceLike) -> bool:
        """Whether ``resource``, which is the patient's, names another record of the same person."""
        owners = (resource.subject, resource.patient, getattr(resource, "beneficiary", None))
        return any(one is not None and one.reference in self.merged for one in owners)

    def _is_my_urn(self, spelling: str) -> bool:
        urn = spelling.lower()
        return urn == f"urn:uuid:{self.patient_id.lower()}" or urn in self.urns

    def _is_me_contained(self, spelling: str, resource: ResourceLike) -> bool:
        found = [one for one in resource.contained or () if one.id == spelling[1:] and one.resourceType == "Patient"]
        return bool(found) and all(self.identifiers & frozenset(identifiers_of(one)) for one in found)

    @property
    def identifiers(self) -> frozenset[Identifier]:
        """The business identifiers of the supplied Patient resource."""
        if self._identifiers is None:
            self._identifiers = frozenset(pair for _, one in self._patients() for pair in _readable_identifiers(one))
        return self._identifiers

    @property
    def urns(self) -> frozenset[str]:
        """The ``urn:`` addresses under which the patient's own Patient resource was sent."""
        if self._urns is None:
            self._urns = frozenset(url.lower() for url, _ in self._patients() if url.startswith("urn:"))
        return self._urns

    @property
    def aliases(self) -> frozenset[str]:
        """Other records of the same person (``Patient/old-id``), as the supplied Patient resource tells."""
        if self._aliases is None:
            self._aliases = frozenset(self._relative(one) for _, person in self._patients() for one in _merges(person))
            self._aliases -= {"", self.me}
        return self._aliases

    def _relative(self, spelling: str) -> str:
        address = spelling.partition("/_history/")[0]
        base, slash, name = address.rpartition("/Patient/")
        record = f"Patient/{name}" if slash else address
        kind, _, name = record.partition("/")
        sound = kind == "Patient" and RESOURCE_ID.fullmatch(name) is not None
        return record if sound and (not slash or normal_base(base) == normal_base(self._server)) else ""

    def _patients(self) -> Iterator[tuple[str, ResourceLike]]:
        for url, resource in _every_resource(self._values):
            if getattr(resource, "resourceType", "") == "Patient" and resource.id == self.patient_id:
                yield url, resource


def _every_resource(values: Iterable[Any]) -> Iterator[tuple[str, Any]]:
    for value in values:
        if isinstance(value, ReadBundle) or getattr(value, "resourceType", "") == "Bundle":
            yield from ((entry.fullUrl or "", entry.resource) for entry in value.entry or ())
        else:
            yield "", value


def identifiers_of(holder: Any) -> Iterator[Identifier]:
    """The complete (system, value) pairs of a resource or reference; ``identifier`` may be one or a list."""
    given = holder.identifier
    for one in given if isinstance(given, list) else [given]:
        if one is not None and one.system and one.value:
            yield one.system, one.value


def _merges(patient: Any) -> list[str]:
    """The references of a Patient resource to other records of the same person."""
    try:
        links = patient.link or ()
    except BROKEN:
        return []
    told = [getattr(link, "other", None) for link in links if getattr(link, "type", None) in MERGING]
    return [other.reference for other in told if other is not None and other.reference]


def _readable_identifiers(patient: Any) -> list[Identifier]:
    try:
        return list(identifiers_of(patient))
    except BROKEN:
        return []


def normal_base(address: str) -> str:
    """A FHIR base with scheme and host in lower case and without a slash at its end."""
    if not address:
        return ""
    try:
        parts = urlsplit(address.strip())
    except ValueError:
        return address
    return f"{parts.scheme.lower()}://{parts.netloc.lower()}{parts.path.rstrip('/')}"
