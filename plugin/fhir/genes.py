"""Observations of genetic variants -> variants of the genes of the rules. What cannot be read is no finding."""

from __future__ import annotations

import re
from collections.abc import Iterable

import msgspec

from plugin.fhir.observations import when_of
from plugin.fhir.types import Coding, Component, Concept, Resource
from plugin.patient import Variant
from plugin.vocabulary import cached, terminology
from plugin.when import When
from valuesets import Gene
from valuesets.systems import HGNC, canonical_system

_FINAL = {"final", "amended", "corrected"}
_PRESENCE = ("present", "absent", "no-call")
_SIGNIFICANCES = ("pathogenic", "likely-pathogenic", "uncertain", "benign")  # the gravest first
_ZYGOSITIES = ("homozygous", "hemizygous", "heterozygous")
_ELSEWHERE = {"somatic", "fetal"}
_UNREADABLE = "implausible"
_PATH = re.compile(r"[/:]")
# Answers in words, as laboratories write them beside or instead of a code.
_ANSWERS = {
    "present": "present", "detected": "present", "positive": "present",
    "absent": "absent", "not detected": "absent", "negative": "absent", "none detected": "absent",
    "no call": "no-call", "indeterminate": "no-call", "inconclusive": "no-call",
    "pathogenic": "pathogenic", "likely pathogenic": "likely-pathogenic",
    "uncertain significance": "uncertain", "variant of uncertain significance": "uncertain", "vus": "uncertain",
    "variant of unknown significance": "uncertain", "unknown significance": "uncertain", "uncertain": "uncertain",
    "conflicting interpretations of pathogenicity": "uncertain",
    "benign": "benign", "likely benign": "benign",
    "heterozygous": "heterozygous", "homozygous": "homozygous", "hemizygous": "hemizygous",
    "somatic": "somatic", "likely somatic": "somatic", "fetal": "fetal", "likely fetal": "fetal",
}  # fmt: skip


class Report(msgspec.Struct, frozen=True):
    """One Observation about a variant: the variant itself, or what it means for a diagnosis.

    ``genes`` are those of ours that it names; ``reads`` is False when it names none that we could read. ``about`` are
    the last parts of the references of an implication to its variants.
    """

    id: str
    reference: str
    when: When | None
    present: str
    genes: tuple[Gene, ...]
    reads: bool
    by_text: bool
    significances: frozenset[str]
    zygosity: str
    about: frozenset[str]


@cached(maxsize=1024)
def _key(system: str, code: str) -> str | None:
    return terminology().genomic(system, code)


def report_of(resource: Resource) -> Report | None:
    """What one Observation of either kind says; None where it is not final, or not about the patient's own germline.

    Raises msgspec.ValidationError when an element is of a wrong shape.
    """
    parts = _parts(resource.component or ())
    if resource.status not in _FINAL or resource.dataAbsentReason is not None:
        return None
    if any(key in _ELSEWHERE for part in parts.get("source-class", ()) for key in _answers(part)):
        return None
    told = [_gene(part) for part in parts.get("gene", ())]
    flags = resource.interpretation
    verdicts = [*parts.get("significance", ()), *(flags if isinstance(flags, list) else [flags] if flags else [])]
    significances = {key for part in (*verdicts, resource) for key in _answers(part) if key in _SIGNIFICANCES}
    zygosity = {key for part in parts.get("zygosity", ()) for key in _answers(part) if key in _ZYGOSITIES}
    return Report(
        resource.id or "",
        f"Observation/{resource.id}" if resource.id else "Observation",
        when_of(resource),
        _presence(resource),
        tuple(dict.fromkeys(gene for genes, _, _ in told for gene in genes)),
        bool(told) and all(reads for _, reads, _ in told),
        any(by_text for _, _, by_text in told),
        frozenset(significances),
        next(iter(zygosity)) if len(zygosity) == 1 else "",
        frozenset(_last(ref.reference) for ref in resource.derivedFrom or () if ref.reference),
    )


def variants_of(reports: Iterable[tuple[str, Report]]) -> tuple[Variant, ...]:
    """The variants among (kind, report), each with what its implications say, in an order of their own."""
    every = list(reports)
    found: dict[Variant, None] = {}
    for kind, report in every:
        if kind != "variant" or report.present in ("absent", "no-call"):
            continue
        said = [other for kind, other in every if kind == "implication" and report.id and report.id in other.about]
        for variant in _variants(report, said):
            found[variant] = None
    return tuple(sorted(found, key=_order))


def _variants(report: Report, implications: list[Report]) -> Iterable[Variant]:
    """One variant per gene of ours; a gene or an answer that cannot be read is told, not passed over."""
    significance = _gravest(report.significances.union(*(one.significances for one in implications)))
    problem = "" if report.present == "present" else _UNREADABLE
    for gene in report.genes:
        yield Variant(gene, significance, report.zygosity, report.reference, report.when, report.by_text, problem)
    if not report.genes and not report.reads:
        yield Variant(None, significance, report.zygosity, report.reference, report.when, False, _UNREADABLE)


def _gravest(found: frozenset[str]) -> str:
    """The gravest significance; a variant held for pathogenic and for benign is one of uncertain significance."""
    if "benign" in found and found & {"pathogenic", "likely-pathogenic"}:
        return "uncertain"
    return next((one for one in _SIGNIFICANCES if one in found), "not-stated")


def _parts(components: Iterable[Component]) -> dict[str, list[Component]]:
    parts: dict[str, list[Component]] = {}
    for component in components:
        for coding in _codings(component.code):
            key = _key(coding.system or "", coding.code) if coding.code else None
            if key is not None:
                parts.setdefault(key, []).append(component)
                break
    return parts


def _gene(part: Component) -> tuple[tuple[Gene, ...], bool, bool]:
    """The genes of ours that a component names, whether any gene can be read, and whether words alone name it."""
    concept, codes = part.valueCodeableConcept, terminology()
    hgnc = [coding.code for coding in _codings(concept) if coding.code and _is_hgnc(coding)]
    coded = [gene for code in hgnc if (gene := codes.gene(HGNC, code)) is not None]
    if coded:
        return tuple(dict.fromkeys(coded)), True, False
    texts = [text for text in (*_texts(concept), part.valueString or "") if text.strip()]
    named = tuple(dict.fromkeys(gene for text in texts for gene in codes.gene_text(text)))
    # Words that name no gene of ours name another one; a code of a list that we do not know may be any gene.
    return named, bool(hgnc or texts), bool(named)


def _is_hgnc(coding: Coding) -> bool:
    return canonical_system(coding.system or "") == HGNC or (coding.code or "").upper().startswith("HGNC:")


def _presence(resource: Resource) -> str:
    """Present, absent, no-call or "": a value that we cannot read. A report without a value is one of a finding."""
    if resource.modifierExtension:
        return ""
    if resource.valueCodeableConcept is None and resource.valueString is None:
        return "present"
    # A value that is a significance says that there is something to judge.
    found = {"present" if key in _SIGNIFICANCES else key for key in _answers(resource)} & set(_PRESENCE)
    return found.pop() if len(found) == 1 else ""


def _answers(part: Resource | Component | Concept) -> Iterable[str]:
    """What the codes of a value mean; without a known code, what its words do."""
    concept = part if isinstance(part, Concept) else part.valueCodeableConcept
    coded = [key for one in _codings(concept) if one.code and (key := _key(one.system or "", one.code)) is not None]
    texts = _texts(concept) + ([] if isinstance(part, Concept) else [part.valueString or ""])
    return coded or [key for text in texts if (key := _ANSWERS.get(" ".join(text.lower().split()))) is not None]


def _codings(concept: Concept | None) -> list[Coding]:
    return (concept.coding or []) if concept is not None else []


def _texts(concept: Concept | None) -> list[str]:
    displays = [coding.display for coding in _codings(concept)]
    return [text for text in (concept.text if concept is not None else None, *displays) if text]


def _last(reference: str) -> str:
    """The id at the end of a reference, whatever stands before it or follows as a version."""
    return _PATH.split(reference.partition("/_history/")[0])[-1]


def _order(variant: Variant) -> tuple[bool, int, str, str, str]:
    place = (*_SIGNIFICANCES, "not-stated").index(variant.significance)
    symbol = variant.gene.symbol if variant.gene is not None else ""
    return (bool(variant.problem), place, symbol, variant.reference, variant.zygosity)
