"""The data that rules read, as DataRequirements."""

from __future__ import annotations

from collections.abc import Iterable

from plugin.artefacts.common import Json, Release
from plugin.needs import CODED, MOST, SORT, TYPES


def requirement(key: str, release: Release) -> Json:
    """What one prefetch key asks for: its type, its value set, its order, and how many at most."""
    found: Json = {"id": key, "type": TYPES[key]}
    if key in CODED:
        found["codeFilter"] = [{"path": "code", "valueSet": release.url("ValueSet", CODED[key])}]
    if key not in ("patient", "encounter"):
        found["limit"] = MOST
    sort = SORT.get(key, "-date" if key in CODED else "")
    if sort:
        found["sort"] = [{"path": sort.removeprefix("-"), "direction": "descending"}]
    return found


def requirements(keys: Iterable[str], release: Release) -> list[Json]:
    """The requirements of several keys."""
    return [requirement(key, release) for key in keys]
