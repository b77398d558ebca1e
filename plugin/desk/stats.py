"""How much is known: counts by kind and system, versions and hashes of the codes in force."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Final

import msgspec

from valuesets import Terminology
from valuesets.manifest import read_manifest
from valuesets.store import DATA, ValueSet
from valuesets.systems import ATC, ICD10CM, ICD10WHO, LOINC, NDC, RXNORM, SNOMED

_NAMES: Final = {
    RXNORM: "RxNorm",
    NDC: "NDC",
    ATC: "ATC",
    LOINC: "LOINC",
    SNOMED: "SNOMED CT",
    ICD10CM: "ICD-10-CM",
    ICD10WHO: "ICD-10",
}
_SETS: Final = {"lab-": "labs", "condition-": "problems"}


class _Listed(msgspec.Struct):
    """A CodeSystem or ConceptMap, as far as it is counted."""

    url: str = ""
    concept: list[msgspec.Raw] = []


def stats(terminology: Terminology, snapshot: Path | None) -> list[tuple[str, str]]:
    """(what, how much or which) of the codes in force, in a fixed order."""
    return [*_versions(terminology, snapshot), *_shipped(terminology), *_own(terminology)]


def _versions(terminology: Terminology, snapshot: Path | None) -> Iterator[tuple[str, str]]:
    for name, folder in (("codes that ship", DATA), ("snapshot", snapshot)):
        manifest = read_manifest(folder) if folder is not None else None
        yield name, f"{manifest.version}, {manifest.content_hash[:12]}" if manifest is not None else "none"
    yield "content hash of all", terminology.content_hash
    yield "site map version", terminology.overlay.version or "no site map"


def _shipped(terminology: Terminology) -> Iterator[tuple[str, str]]:
    resources = terminology.resources()
    for key in sorted(resources):
        if key.startswith("CodeSystem/"):
            listed = msgspec.json.decode(resources[key], type=_Listed)
            yield f"{key.removeprefix('CodeSystem/').replace('-', ' ')}", str(len(listed.concept))
    for prefix, kind in _SETS.items():
        keys = [key for key in sorted(resources) if key.startswith(f"ValueSet/{prefix}")]
        yield f"{kind} that are known", ", ".join(key.removeprefix(f"ValueSet/{prefix}") for key in keys)
        yield from _by_system(kind, [msgspec.json.decode(resources[key], type=ValueSet) for key in keys])


def _by_system(kind: str, value_sets: list[ValueSet]) -> Iterator[tuple[str, str]]:
    counts: Counter[str] = Counter()
    for value_set in value_sets:
        for include in value_set.compose.include:
            counts[include.system] += len(include.concept) + len(include.filter)
    for system in sorted(counts):
        yield f"{kind}: {_NAMES.get(system, system)}", str(counts[system])


def _own(terminology: Terminology) -> Iterator[tuple[str, str]]:
    for source, overlay in (("site map", terminology.overlay), ("resolver", terminology.learned)):
        for kind, part in (("drugs", overlay.drugs), ("labs", overlay.analytes), ("problems", overlay.conditions)):
            counts = Counter(system for system, _ in part)
            for system in sorted(counts):
                yield f"{source}, {kind}: {_NAMES.get(system, system)}", str(counts[system])
        if overlay.names:
            yield f"{source}, drugs: texts", str(len(overlay.names))
