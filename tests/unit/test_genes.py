"""Genes by identifier and name, and genetic variants from Observations as laboratories send them."""

from __future__ import annotations

import pytest

from cds_hooks.service import KeyState, Prefetched
from plugin.fhir import genes, observations
from plugin.fhir.reader import read as read_call
from plugin.patient import Patient, Variant
from plugin.thresholds import Limits
from tests.support.fhir import LOINC, NOW, PATIENT, SNOMED, Json, allergy, concept, lab, subject
from tests.support.rows import resource, row
from valuesets import Terminology, load

HGNC = "http://www.genenames.org"
IMPLICATIONS = "http://hl7.org/fhir/uv/genomics-reporting/CodeSystem/tbd-codes-cs"


@pytest.fixture(scope="module")
def codes() -> Terminology:
    return load()


BY_CODE = [
    (HGNC, "HGNC:30500", "PRRT2"),
    (f"{HGNC}/geneId", "HGNC:30500", "PRRT2"),
    (HGNC, "30500", "PRRT2"),
    (HGNC, "hgnc:30500 ", "PRRT2"),
    ("urn:oid:2.16.840.1.113883.6.281", "HGNC:3098", "TOR1A"),
    (HGNC, "PRRT2", "PRRT2"),
    (HGNC, "HGNC:6218", "KCNA1"),
    (HGNC, "HGNC:1100", None),  # BRCA1
    (HGNC, "HGNC:", None),
    (HGNC, "", None),
    (LOINC, "HGNC:30500", None),
    ("http://example.org", "30500", None),
]


@pytest.mark.parametrize(("system", "code", "symbol"), BY_CODE)
def test_a_gene_by_its_code(codes: Terminology, system: str, code: str, symbol: str | None) -> None:
    found = codes.gene(system, code)
    assert (found.symbol if found else None) == symbol


BY_TEXT = [
    ("PRRT2", "PRRT2"),
    ("prrt2 c.649dupC", "PRRT2"),
    ("PRRT2:c.649dup (p.Arg217fs)", "PRRT2"),
    ("DYT1", "TOR1A"),
    ("DYT-TOR1A", "TOR1A"),
    ("GLUT1 deficiency", "SLC2A1"),
    ("GLUT-1", "SLC2A1"),
    ("Kv1.1", "KCNA1"),
    ("EKD1", "PRRT2"),
    ("TOR1A and THAP1", "TOR1A THAP1"),
    ("THAP1, TOR1A, THAP1", "THAP1 TOR1A"),
    ("TH", "TH"),
    ("th", ""),  # a word, not tyrosine hydroxylase
    ("the fourth", ""),
    ("EGF", "EGF"),
    ("egf", ""),
    ("SLC2A1-AS1", ""),  # another gene
    ("TOR1AIP1", ""),  # another gene
    ("PRRT20", ""),
    ("XPRRT2", ""),
    ("KCNA19", ""),  # does not exist: the seed meant KCNA1
    ("PKC", ""),  # protein kinase C
    ("MR-1", ""),
    ("MLL2", ""),  # KMT2B to some, KMT2D to others
    ("PDC", ""),  # PNKD to some, phosducin to HGNC
    ("BRCA1", ""),
    ("", ""),
    ("x" * 400 + " PRRT2", ""),
]


@pytest.mark.parametrize(("text", "symbols"), BY_TEXT)
def test_genes_by_text(codes: Terminology, text: str, symbols: str) -> None:
    assert " ".join(gene.symbol for gene in codes.gene_text(text)) == symbols


# The genes that the clinical specification names, with the names of its section R-DX-06.
SPECIFIED = [
    ("PRRT2", "HGNC:30500", "PxMD-PRRT2", "AD"),
    ("PNKD", "HGNC:9153", "PxMD-PNKD", "AD"),
    ("SLC2A1", "HGNC:11005", "PxMD-SLC2A1", "AD AR"),
    ("SCN8A", "HGNC:10596", "", "AD"),
    ("KCNMA1", "HGNC:6284", "", "AD"),
    ("KCNA1", "HGNC:6218", "", "AD"),
    ("DEPDC5", "HGNC:18423", "", "AD AR"),
    ("TOR1A", "HGNC:3098", "DYT-TOR1A", "AD AR"),
    ("THAP1", "HGNC:20856", "DYT-THAP1", "AD"),
    ("GCH1", "HGNC:4193", "DYT/PARK-GCH1", "AD AR"),
    ("KMT2B", "HGNC:15840", "DYT-KMT2B", "AD"),
    ("TH", "HGNC:11782", "", "AR"),
    ("SPR", "HGNC:11257", "", "AD AR"),
    ("ATP7B", "HGNC:870", "", "AR"),
]


@pytest.mark.parametrize(("symbol", "hgnc", "mds_name", "inheritance"), SPECIFIED)
def test_specified_genes(codes: Terminology, symbol: str, hgnc: str, mds_name: str, inheritance: str) -> None:
    found = codes.gene(HGNC, hgnc)
    assert found is not None
    assert (found.symbol, found.mds_name, found.inheritance) == (symbol, mds_name, set(inheritance.split()))


def test_every_gene_is_found_by_its_own_symbol(codes: Terminology) -> None:
    listed = [gene for number in range(60_000) if (gene := codes.gene(HGNC, str(number))) is not None]
    assert len(listed) == 84
    for gene in listed:
        assert codes.gene_text(f"{gene.symbol} variant") == (gene,)
        assert all(codes.gene_text(name) == (gene,) for name in gene.names)


PRESENT, ABSENT = concept(LOINC, "LA9633-4", "Present"), concept(LOINC, "LA9634-2", "Absent")
PRRT2 = {"code": concept(LOINC, "48018-6"), "valueCodeableConcept": concept(HGNC, "HGNC:30500", "PRRT2")}


def gene(value: Json | str) -> Json:
    """A component with the gene studied."""
    part: Json = {"code": concept(LOINC, "48018-6")}
    return part | ({"valueString": value} if isinstance(value, str) else {"valueCodeableConcept": value})


def told(code: str, answer: str, words: str = "") -> Json:
    """A component whose value is a LOINC answer."""
    return {"code": concept(LOINC, code), "valueCodeableConcept": concept(LOINC, answer, words)}


PATHOGENIC = told("53037-8", "LA6668-3", "Pathogenic")


def variant(
    *components: Json, value: Json | None = PRESENT, status: str = "final", id: str = "v1", **more: object
) -> Json:
    """An Observation of a genetic variant."""
    found: Json = {"resourceType": "Observation", "id": id, "status": status, "subject": subject()}
    found |= {"code": concept(LOINC, "69548-6"), "effectiveDateTime": "2026-05-04"}
    return found | ({"valueCodeableConcept": value} if value else {}) | {"component": [*components]} | more


def implication(answer: str = "LA6668-3", about: str = "Observation/v1", **more: object) -> Json:
    """An Observation of what a variant means for a diagnosis."""
    found: Json = {"resourceType": "Observation", "id": "i1", "status": "final", "subject": subject()}
    found |= {"code": concept(IMPLICATIONS, "diagnostic-implication"), "derivedFrom": [{"reference": about}]}
    return found | {"component": [told("53037-8", answer)]} | more


def read(*records: Json) -> tuple[Variant, ...]:
    """The variants of these Observations."""
    reports = []
    for found in map(resource, records):
        report = genes.report_of(found)
        reports += [(observations.meaning_of(found).genomic, report)] if report is not None else []
    return genes.variants_of(reports)


def shown(found: Variant) -> str:
    """A variant in one line."""
    symbol = found.gene.symbol if found.gene else "?"
    return " ".join(filter(None, [symbol, found.significance, found.zygosity, found.problem]))


# What one Observation of a variant says.
VARIANTS = [
    row("pathogenic, as a component", [variant(PRRT2, PATHOGENIC)], ["PRRT2 pathogenic"]),
    row("heterozygous", [variant(PRRT2, PATHOGENIC, told("53034-5", "LA6706-1"))], ["PRRT2 pathogenic heterozygous"]),
    row("homozygous", [variant(PRRT2, told("53034-5", "LA6705-3"))], ["PRRT2 not-stated homozygous"]),
    row("likely pathogenic", [variant(PRRT2, told("53037-8", "LA26332-9"))], ["PRRT2 likely-pathogenic"]),
    row("uncertain significance", [variant(PRRT2, told("53037-8", "LA26333-7"))], ["PRRT2 uncertain"]),
    row("unknown significance, the old answer", [variant(PRRT2, told("53037-8", "LA6682-4"))], ["PRRT2 uncertain"]),
    row("likely benign", [variant(PRRT2, told("53037-8", "LA26334-5"))], ["PRRT2 benign"]),
    row("benign", [variant(PRRT2, told("53037-8", "LA6675-8"))], ["PRRT2 benign"]),
    row("no significance", [variant(PRRT2)], ["PRRT2 not-stated"]),
    row("a significance that we do not know", [variant(PRRT2, told("53037-8", "LA9999-9", "risk factor"))],
        ["PRRT2 not-stated"]),
    row("significance in words",
        [variant(PRRT2, {"code": concept(LOINC, "53037-8"), "valueString": "Likely Pathogenic"})],
        ["PRRT2 likely-pathogenic"]),
    row("'not pathogenic' is no known answer",
        [variant(PRRT2, {"code": concept(LOINC, "53037-8"), "valueString": "not pathogenic"})], ["PRRT2 not-stated"]),
    row("significance as an interpretation",
        [variant(PRRT2, interpretation=[concept(LOINC, "LA6668-3", "Pathogenic")])], ["PRRT2 pathogenic"]),
    row("'abnormal' is no significance", [variant(PRRT2, interpretation=[{"coding": [{"code": "A"}]}])],
        ["PRRT2 not-stated"]),
    row("two that contradict", [variant(PRRT2, PATHOGENIC, told("53037-8", "LA6675-8"))], ["PRRT2 uncertain"]),
    row("amended", [variant(PRRT2, PATHOGENIC, status="amended")], ["PRRT2 pathogenic"]),
    row("corrected", [variant(PRRT2, PATHOGENIC, status="corrected")], ["PRRT2 pathogenic"]),
    row("preliminary", [variant(PRRT2, PATHOGENIC, status="preliminary")], []),
    row("entered in error", [variant(PRRT2, PATHOGENIC, status="entered-in-error")], []),
    row("a status that is not said", [variant(PRRT2, PATHOGENIC, status="unknown")], []),
    row("without a value", [variant(PRRT2, PATHOGENIC, value=None)], ["PRRT2 pathogenic"]),
    row("positive", [variant(PRRT2, value=concept(LOINC, "LA6576-8"))], ["PRRT2 not-stated"]),
    row("present in words", [variant(PRRT2, value=None, valueString="Detected")], ["PRRT2 not-stated"]),
    row("absent", [variant(PRRT2, PATHOGENIC, value=ABSENT)], []),
    row("not detected, in words", [variant(PRRT2, PATHOGENIC, value=None, valueString="Not detected")], []),
    row("no call", [variant(PRRT2, PATHOGENIC, value=concept(LOINC, "LA18198-4"))], []),
    row("indeterminate", [variant(PRRT2, PATHOGENIC, value=concept(LOINC, "LA11884-6"))], []),
    row("said to be missing", [variant(PRRT2, value=None, dataAbsentReason=concept(LOINC, "unknown"))], []),
    row("a value that we cannot read", [variant(PRRT2, PATHOGENIC, value=concept("local", "7"))],
        ["PRRT2 pathogenic implausible"]),
    row("an unknown modifier", [variant(PRRT2, PATHOGENIC, modifierExtension=[{"url": "x", "valueBoolean": True}])],
        ["PRRT2 pathogenic implausible"]),
    row("somatic", [variant(PRRT2, PATHOGENIC, told("48002-0", "LA6684-0"))], []),
    row("likely somatic", [variant(PRRT2, PATHOGENIC, told("48002-0", "LA18195-0"))], []),
    row("of the fetus", [variant(PRRT2, PATHOGENIC, told("48002-0", "LA10429-1"))], []),
    row("germline", [variant(PRRT2, PATHOGENIC, told("48002-0", "LA6683-2", "Germline"))], ["PRRT2 pathogenic"]),
]  # fmt: skip


@pytest.mark.parametrize(("records", "expected"), VARIANTS)
def test_variants(records: list[Json], expected: list[str]) -> None:
    assert [shown(one) for one in read(*records)] == expected


# How the gene is named; "words" where words alone tell it.
GENES = [
    row("by identifier", gene(concept(HGNC, "HGNC:30500")), "PRRT2"),
    row("by the older system", gene(concept(f"{HGNC}/geneId", "HGNC:30500")), "PRRT2"),
    row("by number", gene(concept(HGNC, "30500")), "PRRT2"),
    row("by an identifier without a system", gene({"coding": [{"code": "HGNC:30500"}]}), "PRRT2"),
    row("the code goes before the words", gene(concept(HGNC, "HGNC:30500", "TOR1A")), "PRRT2"),
    row("in words", gene({"text": "PRRT2"}), "PRRT2 words"),
    row("by an old name", gene({"text": "DYT10"}), "PRRT2 words"),
    row("as a string", gene("PRRT2"), "PRRT2 words"),
    row("a code of another list, with its symbol", gene(concept("http://www.ncbi.nlm.nih.gov/gene", "112476", "PRRT2")),
        "PRRT2 words"),
    row("another gene", gene(concept(HGNC, "HGNC:1100", "BRCA1")), None),
    row("another gene in words", gene("BRCA1"), None),
    row("a name of several genes", gene("PKC"), None),
    row("a code that may be any gene", gene(concept("local", "G17")), "?"),
    row("nothing", gene({"coding": []}), "?"),
]  # fmt: skip


@pytest.mark.parametrize(("component", "expected"), GENES)
def test_how_the_gene_is_named(component: Json, expected: str | None) -> None:
    found = [shown(one).split()[0] + (" words" if one.by_text else "") for one in read(variant(component, PATHOGENIC))]
    assert found == ([expected] if expected else [])


def test_a_variant_of_no_readable_gene_is_told_and_causes_nothing() -> None:
    for records in ([variant(PATHOGENIC)], [variant(gene(concept("local", "G17")), PATHOGENIC)]):
        (found,) = read(*records)
        assert (found.gene, found.problem, found.causal) == (None, "implausible", False)


def test_two_genes_of_one_report() -> None:
    both = variant(PRRT2, gene(concept(HGNC, "HGNC:3098")), PATHOGENIC)
    assert [shown(one) for one in read(both)] == ["PRRT2 pathogenic", "TOR1A pathogenic"]


# The significance that another Observation gives, linked by derivedFrom.
IMPLIED = [
    row("pathogenic", [variant(PRRT2), implication()], "PRRT2 pathogenic"),
    row("before its variant", [implication(), variant(PRRT2)], "PRRT2 pathogenic"),
    row("by an absolute reference", [variant(PRRT2), implication(about="https://ehr.example/fhir/Observation/v1")],
        "PRRT2 pathogenic"),
    row("by a versioned reference", [variant(PRRT2), implication(about="Observation/v1/_history/2")],
        "PRRT2 pathogenic"),
    row("by a urn", [variant(PRRT2), implication(about="urn:uuid:v1")], "PRRT2 pathogenic"),
    row("of another variant", [variant(PRRT2), implication(about="Observation/v2")], "PRRT2 not-stated"),
    row("of uncertain significance", [variant(PRRT2), implication("LA26333-7")], "PRRT2 uncertain"),
    row("preliminary", [variant(PRRT2), implication(status="preliminary")], "PRRT2 not-stated"),
    row("against the component", [variant(PRRT2, PATHOGENIC), implication("LA6675-8")], "PRRT2 uncertain"),
    row("of an absent variant", [variant(PRRT2, value=ABSENT), implication()], ""),
    row("alone", [implication()], ""),
]  # fmt: skip


@pytest.mark.parametrize(("records", "expected"), IMPLIED)
def test_implications(records: list[Json], expected: str) -> None:
    assert [shown(one) for one in read(*records)] == ([expected] if expected else [])


def test_only_a_likely_pathogenic_variant_is_causal() -> None:
    causal = {answer: read(variant(PRRT2, told("53037-8", answer)))[0].causal for answer in
              ("LA6668-3", "LA26332-9", "LA26333-7", "LA6675-8")}  # fmt: skip
    assert causal == {"LA6668-3": True, "LA26332-9": True, "LA26333-7": False, "LA6675-8": False}


def test_the_order_of_the_reports_does_not_matter() -> None:
    records = [variant(PRRT2, id="v1"), variant(gene("TOR1A"), PATHOGENIC, id="v2"), implication("LA26333-7")]
    assert read(*records) == read(*reversed(records))
    assert [one.gene.symbol for one in read(*records) if one.gene] == ["TOR1A", "PRRT2"]
    alike = [variant(gene("TOR1A"), id="v1"), variant(PRRT2, id="v2")]
    assert [one.gene.symbol for one in read(*alike) if one.gene] == ["PRRT2", "TOR1A"]


def test_the_same_report_twice_is_one() -> None:
    assert len(read(variant(PRRT2), variant(PRRT2))) == 1


OTHERS = [
    row("a calcium", concept(LOINC, "17861-6"), ""),
    row("a variant", concept(LOINC, "69548-6"), "variant"),
    row("a variant without a system", {"coding": [{"code": "69548-6"}]}, ""),
    row("an implication", concept(IMPLICATIONS, "diagnostic-implication"), "implication"),
    row("another implication", concept(IMPLICATIONS, "therapeutic-implication"), ""),
    row("the gene alone", concept(LOINC, "48018-6"), ""),
    row("words", {"text": "Genetic variant assessment"}, ""),
    row("a finding", concept(SNOMED, "15802004"), ""),
]


@pytest.mark.parametrize(("code", "expected"), OTHERS)
def test_what_is_a_report_of_a_variant(code: Json, expected: str) -> None:
    assert observations.meaning_of(resource({"resourceType": "Observation", "code": code})).genomic == expected


def taken(*records: Json) -> Patient:
    """The patient of a call with these records."""
    key = Prefetched(KeyState.SATISFIED, resources=[resource(one) for one in records])
    patient, _, _ = read_call(PATIENT, NOW, {"observations": key}, None, Limits(), types={}, expected=())
    return patient


def test_a_call_gives_the_variants_among_its_results() -> None:
    patient = taken(lab("calcium", 2.3), implication(), variant(PRRT2), variant(PRRT2, value=ABSENT, id="v2"))
    assert [(shown(one), one.reference, one.causal) for one in patient.variants] == [
        ("PRRT2 pathogenic", "Observation/v1", True)
    ]
    assert set(patient.results) == {"calcium"}


def test_a_report_about_cyp2d6_is_still_read_for_its_phenotype() -> None:
    told_twice = variant(gene(concept(HGNC, "HGNC:2625", "CYP2D6")), code=concept(LOINC, "69548-6", text="CYP2D6"))
    patient = taken(told_twice | {"valueCodeableConcept": concept(LOINC, "LA9657-3", "Poor metabolizer")})
    assert patient.poor_metaboliser == "Observation/v1"


def test_other_movement_reactions_stand_beside_the_dystonic_ones() -> None:
    patient = taken(allergy("haloperidol", "Akathisia", id="a1"), allergy("haloperidol", "Dystonia", id="a2"))
    assert [one.kind for one in patient.reactions] == ["dystonia"]
    assert [one.kind for one in patient.other_reactions] == ["akathisia"]
