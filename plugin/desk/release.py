"""Refreshing the drug data from RxNorm, and what a refresh changes for the rules."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

import msgspec

from plugin.desk.reads import Reads, reads
from plugin.rule import Rule
from plugin.rules import RULES
from valuesets import Ingredient, Terminology, load
from valuesets.manifest import TerminologyDataError
from valuesets.release.diff import Change, changes
from valuesets.release.rrf import Progress, ReleaseError
from valuesets.release.snapshot import build_snapshot
from valuesets.store import Resources

_UNRECOGNISED = "unrecognised"


class Difference(msgspec.Struct, frozen=True):
    """One code that two sets of data treat differently, and the rules that may read it."""

    kind: str
    what: str
    code: str
    name: str
    before: str
    after: str
    rules: tuple[str, ...]


def build(release: Path, out: Path, version: str, progress: Progress) -> Sequence[tuple[str, str]]:
    """Make a snapshot of the RxNorm release in ``release``; raises ReleaseError with a sentence for the operator."""
    with _told():
        return build_snapshot(release, out, version, Resources(), load(), progress)


def diff(old: Path | None, new: Path | None) -> Sequence[Difference]:
    """What two snapshots treat differently; None is the data that ship. Raises ReleaseError for a damaged one."""
    with _told():
        before, after = Resources(snapshot=old), Resources(snapshot=new)
        known = (load(snapshot=new), load(snapshot=old))
        return [_difference(change, known) for change in changes(before, after)]


@contextmanager
def _told() -> Iterator[None]:
    """Damaged data as trouble for the operator."""
    try:
        yield
    except TerminologyDataError as error:
        raise ReleaseError(f"{error}.") from None


def outdated(snapshot: Path) -> str:
    """Why a snapshot should be built again, in a sentence; "" where it was built over the data that ship.

    It can be used all the same. Raises TerminologyDataError for a damaged one.
    """
    shipped, manifest = Resources(), Resources(snapshot=snapshot).manifests[-1]
    remedy = "build it again with `dystonia-cds terminology build`"
    if manifest.ingredients != shipped.manifests[0].ingredients:
        return f"built for another list of ingredients: products of drugs that came since are not in it; {remedy}"
    if manifest.base != shipped.content_hash:
        return f"built over the data of another version: products that came with this one are not in it; {remedy}"
    return ""


def _difference(change: Change, known: tuple[Terminology, ...]) -> Difference:
    touched = tuple(rule.id for rule in RULES if _touches(change, rule, known))
    return Difference(change.kind, change.what, change.code, change.name, change.before, change.after, touched)


def _touches(change: Change, rule: Rule, known: tuple[Terminology, ...]) -> bool:
    what = reads(rule)
    if change.value_set:
        return _reads_set(what, change.value_set)
    if rule.about_data and change.kind != "changed" and _UNRECOGNISED in what.words:
        return True
    found = (_ingredient(identity, known) for identity in change.ingredients)
    return any(one is not None and _reads_drug(what, one) for one in found)


def _ingredient(identity: str, known: tuple[Terminology, ...]) -> Ingredient | None:
    return next((found for one in known if (found := one.ingredient(identity)) is not None), None)


def _reads_drug(what: Reads, ingredient: Ingredient) -> bool:
    return (
        (what.tiers and bool(ingredient.tier))
        or not what.classes.isdisjoint(ingredient.classes)
        or ingredient.name in what.words
    )


def _reads_set(what: Reads, value_set: str) -> bool:
    kind, _, key = value_set.partition("-")
    return key in (what.classes if kind == "drug" else what.words) or value_set in what.words
