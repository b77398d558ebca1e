"""A record as a FHIR server would answer from it: reads, searches by patient and code, and nothing else."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any
from urllib.parse import parse_qs, urlsplit

Json = dict[str, Any]


def resources_of(value: Any) -> list[Json]:
    """The resources of one prefetch value: a Bundle, one resource, or null."""
    if value is None:
        return []
    return [one["resource"] for one in value.get("entry", ())] if value["resourceType"] == "Bundle" else [value]


def searchset(found: Iterable[Json], **more: Any) -> Json:
    """The answer to a search."""
    entries = [{"resource": one, "search": {"mode": "match"}} for one in found]
    return {"resourceType": "Bundle", "type": "searchset", "total": len(entries), "entry": entries, **more}


def outcome(text: str, severity: str = "error", code: str = "processing") -> Json:
    """An OperationOutcome with one issue."""
    return {"resourceType": "OperationOutcome", "issue": [{"severity": severity, "code": code, "diagnostics": text}]}


class Record:
    """Resources of any number of patients, found by ``Type/id`` or ``Type?patient=...&code=...``.

    ``spellings`` are the spellings of ``patient=`` that this server knows: "{}" for the bare id, "Patient/{}".
    """

    def __init__(self, resources: Iterable[Json], spellings: tuple[str, ...] = ("{}", "Patient/{}")) -> None:
        self.resources = list({(one["resourceType"], one["id"]): one for one in resources}.values())
        self.spellings = spellings

    def answer(self, target: str, base: str) -> tuple[int, Json]:
        """Status and body for the part of an address below ``base``."""
        parts = urlsplit(target)
        kind, _, wanted = parts.path.strip("/").partition("/")
        if wanted:
            found = [one for one in self.resources if (one["resourceType"], one["id"]) == (kind, wanted)]
            return (200, found[0]) if found else (404, outcome("There is no such resource.", code="not-found"))
        itself = [{"relation": "self", "url": f"{base}/{target}"}]
        return 200, searchset(self._search(kind, parse_qs(parts.query)), link=itself)

    def _search(self, kind: str, query: dict[str, list[str]]) -> list[Json]:
        asked, codes = query.get("patient", [""])[0], ",".join(query.get("code", ())).split(",")
        return [
            one
            for one in self.resources
            if one["resourceType"] == kind and self._is_of(one, asked) and (codes == [""] or _is_coded(one, codes))
        ]

    def _is_of(self, resource: Json, asked: str) -> bool:
        owner = (resource.get("subject") or resource.get("patient") or {}).get("reference", "")
        return asked in [spelling.format(owner.removeprefix("Patient/")) for spelling in self.spellings]


def _is_coded(resource: Json, codes: list[str]) -> bool:
    return any(f"{one.get('system')}|{one['code']}" in codes for one in resource.get("code", {}).get("coding", ()))
