"""What RxNav says about a drug code, read from its answers: old codes are followed to what they mean today."""

from __future__ import annotations

import re
from collections.abc import Generator, Iterable
from typing import Final, TypeVar

import msgspec

from plugin.desk.learned import Learned, identities
from valuesets.systems import NDC, RXNORM

SOURCE: Final = "RxNav"
_RXCUI = re.compile(r"[0-9]{1,8}")
_NDC = re.compile(r"[0-9][0-9\-]{8,12}")
_HOPS: Final = 4  # a code that was remapped may lead to one that was remapped as well
_GONE: Final = {"", "unknown"}

Talk = Generator[str, bytes | None, Learned | None]
Part = Generator[str, bytes | None, "Concept | None"]
Some = TypeVar("Some")


class Attributes(msgspec.Struct):
    """The concept itself."""

    name: str = ""


class Base(msgspec.Struct, rename={"rxcui": "baseRxcui", "name": "baseName"}):
    """One ingredient of a product."""

    rxcui: str = ""
    name: str = ""


class Remapped(msgspec.Struct, rename={"rxcui": "remappedRxCui"}):
    """What a retired concept became."""

    rxcui: str = ""


class Quantified(msgspec.Struct, rename={"rxcui": "quantifiedRxcui"}):
    """The same product with its quantity."""

    rxcui: str = ""


class Features(msgspec.Struct):
    """What the concept is made of."""

    ingredientAndStrength: list[Base] | Base | None = None


class Derived(msgspec.Struct):
    """Where the concept leads."""

    remappedConcept: list[Remapped] | Remapped | None = None
    quantifiedConcept: list[Quantified] | Quantified | None = None


class Meta(msgspec.Struct):
    """What became of the concept."""

    status: str = ""


class History(msgspec.Struct):
    """One concept with its history."""

    metaData: Meta | None = None
    attributes: Attributes | None = None
    definitionalFeatures: Features | None = None
    derivedConcepts: Derived | None = None


class HistoryAnswer(msgspec.Struct):
    """``historystatus.json``."""

    rxcuiStatusHistory: History | None


class Property(msgspec.Struct):
    """One related concept."""

    rxcui: str = ""
    name: str = ""


class Group(msgspec.Struct):
    """Related concepts of one kind; a kind without any has no properties."""

    tty: str = ""
    conceptProperties: list[Property] | None = None


class Related(msgspec.Struct):
    """Related concepts by kind."""

    conceptGroup: list[Group] | None = None


class RelatedAnswer(msgspec.Struct):
    """``related.json``."""

    relatedGroup: Related | None


class NdcStatus(msgspec.Struct):
    """What a package code stands for."""

    rxcui: str | None = ""
    conceptName: str | None = ""


class NdcAnswer(msgspec.Struct):
    """``ndcstatus.json``."""

    ndcStatus: NdcStatus | None


class Concept(msgspec.Struct, frozen=True):
    """What was found out: a name, and the identities of our ingredients."""

    name: str
    targets: tuple[str, ...]


def lookup(position: str, system: str, code: str) -> Talk:
    """The conversation about one drug code; nothing is asked about other codes. Raises msgspec.ValidationError."""
    found: Concept | None = None
    if position == "drug" and system == RXNORM and _RXCUI.fullmatch(code):
        found = yield from _concept(code)
    elif position == "drug" and system == NDC and _NDC.fullmatch(code):
        found = yield from _package(code)
    return Learned(position, system, code, found.name, found.targets, SOURCE) if found is not None else None


def _package(code: str) -> Part:
    body = yield f"ndcstatus.json?ndc={code}"
    answer = msgspec.json.decode(body, type=NdcAnswer).ndcStatus if body is not None else None
    if answer is None or not _RXCUI.fullmatch(answer.rxcui or ""):
        return None
    found = yield from _concept(answer.rxcui or "")
    return found or (Concept(answer.conceptName, ()) if answer.conceptName else None)


def _concept(code: str) -> Part:
    """One RxNorm concept, followed through its history."""
    name, path = "", [code]
    for step in path:  # it grows while the history leads on
        body = yield f"rxcui/{step}/historystatus.json"
        history = msgspec.json.decode(body, type=HistoryAnswer).rxcuiStatusHistory if body is not None else None
        if history is None or ((history.metaData or Meta()).status or "").lower() in _GONE:
            continue
        name = name or (history.attributes or Attributes()).name
        parts = _ingredients(history)
        leads = _leads(history, path)
        if not parts and not leads:
            parts = yield from _related(step)
        if parts:
            return Concept(name, identities(parts))
        path += leads[: _HOPS - len(path)]
    return Concept(name, ()) if name else None


def _ingredients(history: History) -> list[tuple[str, str]]:
    features = history.definitionalFeatures or Features()
    return [(one.rxcui, one.name) for one in _listed(features.ingredientAndStrength) if one.rxcui or one.name]


def _leads(history: History, path: Iterable[str]) -> list[str]:
    """The one concept that this one became; several that mean different drugs would be a guess."""
    derived = history.derivedConcepts or Derived()
    codes = {one.rxcui for one in _listed(derived.remappedConcept)}
    codes |= {one.rxcui for one in _listed(derived.quantifiedConcept)}
    fresh = sorted(code for code in codes - set(path) if _RXCUI.fullmatch(code))
    meant = {identities([(code, "")]) for code in fresh}
    return fresh[:1] if len(fresh) == 1 or (len(meant) == 1 and () not in meant) else []


def _related(code: str) -> Generator[str, bytes | None, list[tuple[str, str]]]:
    body = yield f"rxcui/{code}/related.json?tty=IN+PIN+MIN"
    related = msgspec.json.decode(body, type=RelatedAnswer).relatedGroup if body is not None else None
    groups = (related.conceptGroup or []) if related is not None else []
    return [(one.rxcui, one.name) for group in groups for one in group.conceptProperties or () if group.tty != "MIN"]


def _listed(value: list[Some] | Some | None) -> list[Some]:
    if value is None:
        return []
    return value if isinstance(value, list) else [value]
