"""What all artefacts share: who publishes them, where, and which version of the rules they describe."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Protocol

import msgspec

from plugin.rule import Policy
from plugin.thresholds import Limits

Json = dict[str, Any]

DATE = "2026-11-22"
PUBLISHER = "Dystonia CDS contributors"
COPYRIGHT = (
    "Names of the project's own; Apache License 2.0. The value sets named here carry the notices of their code "
    "systems; the sources cited belong to their owners."
)
GUIDE = "dystonia-cds"
USAGE = (
    "For clinicians, as decision support to be judged independently; not for emergencies. No card never means safe. "
    "Figures marked J need the approval of a named clinician and pharmacist at the site."
)
JURISDICTIONS: Mapping[str, Json] = {
    "us": {"system": "urn:iso:std:iso:3166", "code": "US", "display": "United States of America"},
    "eu": {"system": "http://unstats.un.org/unsd/methods/m49/m49.htm", "code": "150", "display": "Europe"},
    "uk": {"system": "urn:iso:std:iso:3166", "code": "GB", "display": "United Kingdom"},
}


class Standing(Protocol):
    """How a rule stands with the clinicians of the site."""

    @property
    def signed(self) -> bool: ...
    @property
    def since(self) -> str: ...


class Release(msgspec.Struct, frozen=True):
    """The rules of one site as they are in force: what the artefacts describe.

    ``canonical`` is the base of the canonical URLs and ``public_url`` that of the guideline pages, both without a
    trailing slash; ``version`` is the rule set's. ``standings`` tells by rule who signed it off.
    """

    canonical: str
    public_url: str
    version: str
    limits: Limits
    policy: Policy
    standings: Mapping[str, Standing]

    def url(self, kind: str, key: str, version: str = "") -> str:
        """The canonical URL of an artefact of ours."""
        return f"{self.canonical}/{kind}/{key}" + (f"|{version}" if version else "")


def head(kind: str, key: str, release: Release, version: str, *, name: str, title: str) -> Json:
    """The elements that begin every artefact; ``status`` is set by those who know it better."""
    return {
        "resourceType": kind,
        "id": key,
        "url": release.url(kind, key),
        "version": version,
        "name": name,
        "title": title,
        "status": "active",
        "experimental": False,
        "date": DATE,
        "publisher": PUBLISHER,
    }


def concept(system: str, code: str, display: str = "") -> Json:
    """A CodeableConcept of one coding."""
    return {"coding": [{"system": system, "code": code, **({"display": display} if display else {})}]}


def bullets(title: str, lines: Sequence[str]) -> str:
    """A list in Markdown under a title; empty without lines."""
    return f"**{title}**\n\n" + "\n".join(f"- {line}" for line in lines) if lines else ""


def paragraphs(*blocks: str) -> str:
    """Markdown of the blocks that say something."""
    return "\n\n".join(block for block in blocks if block)
