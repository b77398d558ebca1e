"""R-DX-06: which genes belong to a phenotype; a page on request, never a card of its own."""

from __future__ import annotations

import msgspec

from plugin.diagnosis import KINESIGENIC, every_recorded, onset_years, told, variant_facts, variants
from plugin.patient import Problem
from plugin.rule import (
    NOT_APPLICABLE,
    Case,
    Fact,
    Finding,
    Indicator,
    Rule,
    Verdict,
    fired,
    gap_verdict,
)
from plugin.rules import kinesigenic_pattern


class Phenotype(msgspec.Struct, frozen=True):
    """A phenotype: its name, the conditions that mean it, its genes, and whether it must have begun in childhood."""

    name: str
    concepts: tuple[str, ...]
    genes: tuple[str, ...]
    childhood: bool = False


PHENOTYPES = (
    Phenotype("paroxysmal kinesigenic dyskinesia", (KINESIGENIC,), kinesigenic_pattern.GENES),
    Phenotype("paroxysmal non-kinesigenic dyskinesia", ("paroxysmal-nonkinesigenic",), ("PNKD", "KCNMA1")),
    Phenotype("paroxysmal exertional dyskinesia", ("paroxysmal-exertional",), ("SLC2A1", "PRRT2", "GCH1")),
    Phenotype(
        "leg dystonia of childhood that generalises",
        ("limb-dystonia", "generalised-dystonia"),
        ("TOR1A", "KMT2B", "THAP1", "GCH1"),
        True,
    ),
    Phenotype("diurnal leg dystonia", ("dopa-responsive-dystonia",), ("GCH1", "TH", "SPR")),
)


def evaluate(case: Case) -> Verdict:
    """Find the phenotypes on record; variants of their genes are told as recorded facts."""
    if case.patient.deceased:
        return NOT_APPLICABLE
    found = [(one, source) for one in PHENOTYPES if (source := _source(case, one)) is not None]
    if not found:
        return gap_verdict(case, ("conditions", "observations")) or NOT_APPLICABLE
    genes = tuple(dict.fromkeys(gene for one, _ in found for gene in one.genes))
    reported = variants(case, genes)
    facts = tuple(dict.fromkeys((*(source for _, source in found), *variant_facts(reported))))
    finding = Finding(
        Indicator.INFO,
        f"Genes by phenotype: {', '.join(one.name for one, _ in found[:2])}.",
        ("Which genes belong to which phenotype stands on the page of this rule.",),
        facts,
        by_link=True,
    )
    return fired(finding, tuple(dict.fromkeys(one.reference for one in facts)))


def _source(case: Case, phenotype: Phenotype) -> Fact | None:
    for problem in every_recorded(case, phenotype.concepts):
        if not phenotype.childhood or _began_in_childhood(case, problem):
            return told(problem, phenotype.concepts)
    if phenotype.concepts != (KINESIGENIC,):
        return None
    pattern = kinesigenic_pattern.pattern(case)
    return Fact("Features fit PKD", pattern.inputs[0]) if all(pattern.fits) else None


def _began_in_childhood(case: Case, problem: Problem) -> bool:
    """By the age at onset where it is told, else because the patient is a child now."""
    years = onset_years(case, problem)
    if years is not None:
        return years < case.limits.adult_from
    return case.patient.age is not None and case.patient.age.years < case.limits.adult_from


RULE = Rule(
    "R-DX-06",
    "1.0.0",
    ("patient-view", "encounter-start"),
    ("conditions", "observations"),
    Indicator.INFO,
    96,
    evaluate,
    ("adult_from", "pkd_attack_seconds"),
)
