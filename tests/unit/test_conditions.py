"""Conditions: which codes mean them and which near misses do not, old and new coding, and the words that stand in."""

import json
from typing import Any

import pytest

from plugin.fhir import records
from plugin.fhir.liver import child_pugh_of
from tests.support.fhir import DYSTONIA, Json, allergy, concept, condition, family
from tests.support.rows import resource, row
from valuesets import Overlay, Terminology, load

CM = "http://hl7.org/fhir/sid/icd-10-cm"
WHO = "http://hl7.org/fhir/sid/icd-10"
SNOMED = "http://snomed.info/sct"
LOINC = "http://loinc.org"
SYSTEMS = {"CM": CM, "WHO": WHO, "SCT": SNOMED}


@pytest.fixture(scope="module")
def codes() -> Terminology:
    return load()


# condition: codes that belong; near misses that do not. G24 is ICD-10-CM unless WHO or SCT (SNOMED CT) is said.
CONDITIONS = {
    "acid-base-disorder": ("E87.20 E87.3 E87.4 WHO:E87.2", "E87.1 E87.5 WHO:E87.6"),
    "acute-drug-dystonia": ("G24.02", "G24.09 G24.01 G24.0 G24.9 WHO:G24.0"),
    "akathisia": ("G25.71", "G25.70 G25.79 G25.81 SCT:9713002 WHO:G25.8"),  # 9713002 is chronic prostatitis
    "angle-closure-glaucoma": ("H40.211 H40.20X0 WHO:H40.2 SCT:392291006", "H40.11X0 H40.039 H40.9 SCT:419422001"),
    "anticholinergic-toxicity": ("T44.3X1A T44.3X5A WHO:T44.3", "T44.3X6A T44.1X1A WHO:T44.1"),
    "basal-ganglia-lesion": ("G23.1 I61.0 WHO:G23.0 SCT:413102000", "I61.1 G25.9 C71.0 SCT:426000000"),
    "bladder-bowel-dysfunction": ("N31.9 G83.4 K59.2 R15.9 R32 WHO:N31.9", "N39.3 N32.81 K59.00 R39.15"),
    "cerebral-palsy": ("G80.3 WHO:G80.9 SCT:128188000", "G81.90 G82.20 SCT:783005002"),
    "ckd": ("N18.9 N18.1 N18.6 WHO:N18.9 SCT:709044004", "N17.9 N19 I12.9 WHO:N19"),
    "ckd-stage-3": ("N18.3 N18.30 N18.32 WHO:N18.3 SCT:700378005", "N18.2 N18.4 N18.9 SCT:709044004"),
    "ckd-stage-4": ("N18.4 WHO:N18.4 SCT:431857002", "N18.32 N18.5 SCT:691401000119104"),
    "ckd-stage-5": ("N18.5 WHO:N18.5 SCT:433146000", "N18.4 N18.6 WHO:N18.9"),
    "cocaine": (
        "F14.10 F14.20 F14.129 F14.13 T40.5X1A WHO:F14.2 WHO:T40.5 SCT:31956009",
        "F14.11 F14.21 F1421 F14.91 WHO:F14.21 F15.10 T40.4X1A SCT:191833002",  # in remission; other stimulants
    ),
    "congenital-heart-disease": ("Q21.3 Q25.1 WHO:Q20.3 SCT:13213009", "Q27.9 Q28.2 I34.0 I42.9"),
    "cortical-malformation": ("Q04.3 Q04.8 WHO:Q04.3", "Q04.0 Q04.2 Q02 Q03.9"),
    "dehydration": ("E86.0 WHO:E86 SCT:34095006", "E87.1 R63.1 WHO:E87.1"),
    "deletion-22q11": ("Q93.81 D82.1 WHO:D82.1 SCT:767263007", "Q93.88 D82.0 WHO:Q93.8 SCT:190991007"),
    "delirium": ("F05 WHO:F05.9 SCT:2776000", "F06.0 R41.0 F10.231"),
    "dementia": ("F03.90 F01.50 G30.9 G31.83 WHO:F00.1 SCT:52448006", "G31.84 F06.8 R41.81 WHO:G31.8"),
    "demyelination": ("G35 G35.A G35.B0 G35.D G36.0 G37.9 WHO:G35 SCT:24700007", "G60.0 G61.81 G34 WHO:G61.0"),
    "drug-dystonia": ("G24.02 G24.09 G24.0 WHO:G24.0", "G24.01 G24.1 G24.9 WHO:G24.1 SCT:15802004"),
    "drug-parkinsonism": ("G21.11 G21.19 WHO:G21.1", "G21.0 G21.2 G21.4 G20.C WHO:G21.8"),
    "dyskinesia": ("SCT:9748009", "SCT:102449007 G24.01 G25.9"),
    "dysraphism": ("Q05.7 Q76.0 WHO:Q05.9 SCT:67531005", "Q06.8 Q76.2 Q01.9 WHO:Q06.8"),
    "dystonia": ("G24 G24.02 G24.9 g2402 WHO:G24.8 SCT:15802004", "G25.4 G2 G25.3 F44.4 SCT:9748009"),
    "epilepsy": ("G40.909 WHO:G40.9 WHO:G41.9 SCT:84757009", "R56.9 F44.5 G43.909 SCT:230456007"),
    "esrd": ("N18.6 Z99.2 WHO:Z99.2 SCT:46177005", "N18.5 Z94.0 WHO:N18.5"),
    "extrapyramidal": ("G21.11 G25.70 G25.79 WHO:G21.1", "G24.02 G24.01 G25.1 G25.9 SCT:76349003"),
    "extrapyramidal-unspecified": ("SCT:76349003", "SCT:271700006 G25.9 WHO:G25.9"),
    "focal-dystonia": ("G24.3 G24.4 G24.5 WHO:G24.5 SCT:59026006", "G24.1 G24.9 M43.6 SCT:425492002 SCT:65438001"),
    "foot-deformity": ("Q66.00 M21.541 M21.6X1 WHO:Q66.0", "M21.611 M21.371 M20.10 WHO:M21.5"),  # not a bunion
    "functional-movement-disorder": ("F44.4 WHO:F44.4 SCT:735544003", "F44.5 F44.9 F45.8 WHO:F44.5"),
    "gastroparesis": ("K31.84 SCT:235675006", "K31.89 K30 E11.43 WHO:K31.8"),
    "generalised-dystonia": ("SCT:425492002", "SCT:15802004 G24.1 G24.9"),
    "gerd": ("K21.9 P78.83 WHO:K21.9 SCT:235595009", "K22.0 K25.9 R12 WHO:P78.8"),
    "gi-obstruction": ("K56.7 K56.0 WHO:K56.7 SCT:81060008", "K57.30 K59.00 K31.84"),
    "glut1-deficiency": ("E74.810", "E74.818 E74.819 E74.89 WHO:E74.8"),
    "huntington": ("G10 WHO:G10 SCT:58756001", "G11.9 G25.5 G25.4"),
    "hyperekplexia": ("SCT:785726009", "SCT:763632004 SCT:19557000 G25.82"),
    "hyperthyroidism": ("E05.90 E05.00 WHO:E05.5 SCT:34486009", "E03.9 E06.3 E04.9 SCT:40930008"),
    "hypocalcaemia": ("E83.51 E20.810 P71.1 WHO:P71.0 SCT:5291005", "E83.50 E83.52 WHO:E83.5 WHO:E58 SCT:66931009"),
    "hypokalaemia": ("E87.6 WHO:E87.6 SCT:43339004", "E87.5 E87.1 WHO:E87.5"),
    "hypomagnesaemia": ("E83.42 P71.2 WHO:P71.2 SCT:190855004", "E83.41 E83.40 E61.2 WHO:E83.4"),
    "hypoparathyroidism": (
        "E20.9 E20.8 E20.810 E20.812 E20.89 E89.2 P71.4 WHO:E20.8 SCT:36976004", "E21.0 E21.3 E89.0 P71.3 SCT:66999008"
    ),
    "hypoxic-brain-injury": ("G93.1 P91.60 WHO:P91.6", "P91.0 G93.40 G93.5"),
    "intellectual-disability": ("F70 F79 F78.A1 F81.9 WHO:F71.0 SCT:110359009", "F80.9 F84.0 F82 R41.83"),
    "kernicterus": ("P57.9 WHO:P57.8", "P59.9 P58.0 WHO:P59.9"),
    "laryngospasm": ("J38.5 WHO:J38.5", "J38.4 J38.6 J38.00 R06.1"),
    "lewy-body": ("G31.83 WHO:G31.83 SCT:80098002", "G31.84 G31.89 WHO:G31.8 SCT:43127003"),
    "long-qt": ("I45.81 I47.21 SCT:9651007 SCT:111975006", "I45.89 R94.31 I47.20 WHO:I45.8 WHO:R94.3"),  # an ECG alone
    "myasthenia-gravis": ("G70.00 G70.01 WHO:G70.0 SCT:91637004", "G70.1 G70.80 G71.0"),
    "nms": ("G21.0 WHO:G21.0 SCT:15244003", "G21.11 G90.81 R50.2 T88.3XXA"),
    "palatal-anomaly": ("Q35.9 Q37.9 Q38.5 WHO:Q35.9 SCT:87979003", "Q36.9 Q38.1 K13.79"),
    "palliative": ("Z51.5 WHO:Z51.5 SCT:103735009", "Z51.11 Z66 Z51.81"),
    "parkinson": ("G20 G20.A1 G20.B2 G20A2 WHO:G20 SCT:49049000", "G20.C G21.9 G25.0 SCT:32798002"),
    "parkinsonism-unspecified": ("G20.C WHO:G20.C SCT:32798002", "G20 G20.A1 G21.9 WHO:G20 SCT:49049000"),
    "postsurgical-hypoparathyroidism": ("E89.2 WHO:E89.2", "E89.0 E89.6 E20.9"),  # E89.0 holds radiation as well
    "pregnancy": ("Z33.1 Z34.90 O09.90 O21.1 WHO:Z33 WHO:Z35.9 SCT:77386006", "Z33.2 Z3A.20 O80 O99.89 SCT:199027009"),
    "premature": ("P07.30 P07.21 WHO:P07.3", "P07.10 P05.9 Z87.61 O60.10X0"),
    "pseudohypoparathyroidism": ("E20.1 WHO:E20.1 SCT:58976002", "E20.0 E20.9 SCT:36976004"),
    "sacral-stigma": ("Q82.6", "Q82.5 L05.91 L05.01 WHO:Q82.8"),
    "schizophrenia": ("F20.9 F25.0 WHO:F20.9 SCT:58214004", "F31.9 F21 F29 SCT:13746004"),
    "schizophrenia-bipolar": ("F20.9 F25.0 F31.9 WHO:F31.9 SCT:58214004", "F32.9 F21 F29 F60.3 WHO:F33.9"),
    "scoliosis": ("M41.9 Q67.5 Q76.3 WHO:M41.9 SCT:298382003", "M40.209 M43.00 Q76.4"),
    "secondary-parkinsonism": ("G21.4 G21.9 WHO:G21.2 SCT:230292008", "G21.11 G21.0 G20.C WHO:G21.1"),
    "seizures": ("G40.909 R56.9 R56.00 WHO:G41.9 SCT:230456007", "F44.5 G43.909 R55 R25.2"),
    "stroke": ("I63.9 I61.1 I69.351 I60.9 WHO:I64 SCT:230690007", "G45.9 I64 I67.1 Z86.73 SCT:275104002"),
    "tachyarrhythmia": ("I48.91 I47.10 WHO:I48.9 SCT:49436004", "I49.9 I44.2 R00.0 R00.1"),
    "tardive": ("G24.01 SCT:102449007", "G24.02 G25.71 G24.4 WHO:G24.0 SCT:9748009"),  # tardive is not every dyskinesia
    "tbi": ("S06.0X0A S06.9X9A Z87.820 WHO:S06.9 WHO:T90.5 SCT:127295002", "S00.93XA S09.90XA SCT:127294003"),
    "tethered-cord": ("Q06.8 Q05.7 Q76.0 G95.89 WHO:Q05.9 SCT:70534000", "Q06.9 G95.9 Q76.2"),
    "tethered-cord-diagnosed": ("Q06.8 WHO:Q06.8 SCT:70534000", "Q05.7 Q76.0 G95.89 SCT:67531005"),
    "tetany": ("R29.0 WHO:R29.0 SCT:10629009", "A35 P71.3 R25.2 F44.5"),
    "tics": ("F95.2 F95.9 WHO:F95.1 SCT:5158005", "G25.61 G25.69 F98.4 SCT:1177001000"),
    "torticollis": ("G24.3 M43.6 WHO:M43.6 SCT:70070008", "R29.891 Q68.0 M43.5 SCT:65438001"),
    "urinary-retention": ("R33.9 R33.0 N40.1 WHO:R33 SCT:267064002", "N40.0 R35.1 R39.14 WHO:N40 SCT:266569009"),
    "vitamin-d-deficiency": ("E55.9 WHO:E55.0 SCT:34713006", "E56.9 E83.31 M83.9"),
    "wilson": ("E83.01 SCT:88518009", "E83.00 E83.09 WHO:E83.0 E83.10"),
}  # fmt: skip
CASES = [
    pytest.param(key, code, belongs, id=f"{key} {'<-' if belongs else 'not'} {code}")
    for key, sides in CONDITIONS.items()
    for belongs, side in zip((True, False), sides, strict=True)
    for code in side.split()
]


@pytest.mark.parametrize(("key", "code", "belongs"), CASES)
def test_what_belongs_to_a_condition_and_what_does_not(codes: Terminology, key: str, code: str, belongs: bool) -> None:
    system, _, bare = code.rpartition(":")
    assert (key in codes.concepts(SYSTEMS[system or "CM"], bare)) is belongs


def test_every_condition_has_a_row_here(codes: Terminology) -> None:
    prefix = "ValueSet/condition-"
    assert {key.removeprefix(prefix) for key in codes.resources() if key.startswith(prefix)} == set(CONDITIONS)


# One code, everything that it means.
WHOLE = [
    (CM, "G24.02", {"dystonia", "drug-dystonia", "acute-drug-dystonia"}),
    (CM, "G24.01", {"dystonia", "tardive"}),
    (CM, "G31.83", {"lewy-body", "dementia"}),
    (CM, "E20.810", {"hypoparathyroidism", "hypocalcaemia"}),
    (CM, "I47.21", {"tachyarrhythmia", "long-qt"}),
    (CM, "N18.6", {"esrd", "ckd"}),
    (CM, "", set()),
    (CM, "G24.02.1.2.3", set()),
    (CM, "; drop", set()),
    (SNOMED, "74333002", {"dystonia", "torticollis", "focal-dystonia"}),
    (SNOMED, "386837002", set()),  # haloperidol, met in public as fentanyl
    (SNOMED, "426000000", set()),  # fever, met as a lesion of the basal ganglia
    (LOINC, "15802004", set()),
    ("http://example.org", "G24.02", set()),
    ("", "G24.02", set()),
]


@pytest.mark.parametrize(("system", "code", "keys"), WHOLE)
def test_all_that_a_code_means(codes: Terminology, system: str, code: str, keys: set[str]) -> None:
    assert codes.concepts(system, code) == keys


# How the same code system and the same code are spelt.
SPELLINGS = [
    ("urn:oid:2.16.840.1.113883.6.90", "G24.01", "tardive"),
    ("2.16.840.1.113883.6.90", "G24.01", "tardive"),
    ("URN:OID:2.16.840.1.113883.6.3", "G20", "parkinson"),
    ("urn:oid:2.16.840.1.113883.6.96", "15802004", "dystonia"),
    (f"{SNOMED}/731000124108/version/20240301", "15802004", "dystonia"),
    (f"{SNOMED}/900000000000207008", "15802004", "dystonia"),
    (f"{SNOMED}|http://snomed.info/sct/731000124108", " 15802004 ", "dystonia"),
    ("https://snomed.info/sct/", "15802004", "dystonia"),
    (f"{CM}|2026", "g24.01 ", "tardive"),
    (f"{CM}/", "G2401", "tardive"),
    ("HTTP://HL7.ORG/fhir/sid/icd-10-cm", "G24.01", "tardive"),
    (WHO, "G24.01", "tardive"),  # ICD-10-CM under the URL of the WHO
    ("http://fhir.de/CodeSystem/bfarm/icd-10-gm", "G20.10", "parkinson"),
    ("http://fhir.de/CodeSystem/dimdi/icd-10-gm", "G24.0", "drug-dystonia"),
    ("http://hl7.org/fhir/sid/icd-10-uk", "I64", "stroke"),
    ("http://hl7.org/fhir/sid/icd-10-se", "G35.9", "demyelination"),
    ("http://hl7.org/fhir/sid/icd-10-nl", "E20.8", "hypoparathyroidism"),
    ("http://hl7.org/fhir/sid/icd-10-am", "F14.2", "cocaine"),
]


@pytest.mark.parametrize(("system", "code", "key"), SPELLINGS)
def test_spellings_of_systems_and_codes(codes: Terminology, system: str, code: str, key: str) -> None:
    assert key in codes.concepts(system, code)


# What only looks like one of ours; a national digit is none of ICD-10-CM.
STRANGE = [
    ("http://snomed.info/sctx", "15802004"),
    ("http://snomed.info/id/15802004", "15802004"),
    ("http://hl7.org/fhir/sid/icd-9-cm", "333.72"),
    ("http://hl7.org/fhir/sid/icd-10-xx", "G24.0"),
    ("urn:oid:2.16.840.1.113883.6.3.2", "G24.0"),  # named for two countries: no guess
]


@pytest.mark.parametrize(("system", "code"), STRANGE)
def test_strange_systems(codes: Terminology, system: str, code: str) -> None:
    assert codes.concepts(system, code) == frozenset()


def test_a_national_digit_is_none_of_icd_10_cm(codes: Terminology) -> None:
    assert codes.concepts("http://fhir.de/CodeSystem/bfarm/icd-10-gm", "G24.02") == {"dystonia"}


def test_the_site_comes_after_the_shipped_codes() -> None:
    overlay = Overlay(
        conditions={("local", "P-7"): frozenset({"paroxysmal-kinesigenic"}), (CM, "G20"): frozenset({"tardive"})},
        version="1",
    )
    found = load(overlay)
    assert found.concepts("local", "P-7") == {"paroxysmal-kinesigenic"}
    assert found.concepts(CM, "G20") == {"parkinson"}


# A text -> what it names of the patient.
TEXTS = [
    ("Dystonia", "dystonia"),
    ("ACUTE DYSTONIC REACTION", "dystonia"),
    ("Dyst\u00f3nia", "dystonia"),
    ("Oculogyric crisis", "dystonia oculogyric-crisis"),
    ("torticollis after Reglan", "dystonia torticollis"),
    ("lockjaw", "dystonia trismus"),
    ("Trismus", "trismus"),
    ("opisthotonic posturing", "opisthotonos"),
    ("Akathisia", "akathisia"),
    ("carpopedal spasms", "tetany"),
    ("Paroxysmal kinesigenic dyskinesia", "paroxysmal-kinesigenic"),
    ("paroxysmal non-kinesigenic dyskinesia", "paroxysmal-nonkinesigenic"),
    ("Nonkinesigenic dyskinesia", "paroxysmal-nonkinesigenic"),
    ("paroxysmal exercise-induced dyskinesia", "paroxysmal-exertional"),
    ("Sandifer's syndrome", "sandifer"),
    ("Left leg dystonia", "dystonia limb-dystonia"),
    ("Dopa-responsive dystonia", "dystonia dopa-responsive-dystonia"),
    ("Left hemidystonia", "dystonia hemidystonia"),
    ("acute hemi-dystonia", "dystonia hemidystonia"),
    ("Bilateral polymicrogyria", "cortical-malformation"),
    ("Focal cortical dysplasia", "cortical-malformation"),
    ("periventricular nodular heterotopia", "cortical-malformation"),
    ("Tethered cord syndrome", "tethered-cord tethered-cord-diagnosed"),
    ("no tethered cord", ""),
    ("extrapyramidal side effects", "extrapyramidal"),
    ("history of dystonia", "dystonia"),
    ("Nausea, no vomiting; acute dystonia", "dystonia"),
    ("Pain? Dystonia since Monday", "dystonia"),
    ("Dystonia. None given for it", "dystonia"),
    ("Haldol not tolerated, dystonia", "dystonia"),
    ("do not give haloperidol: dystonia", "dystonia"),
    ("no akathisia but dystonia", "dystonia"),
    ("dystonia, denies nausea", "dystonia"),
    ("parenteral haloperidol, then dystonia", "dystonia"),
    ("No dystonia", ""),
    ("no nausea, rash or dystonia", ""),
    ("denies any dystonia", ""),
    ("without dystonia", ""),
    ("negative for akathisia", ""),
    ("dystonia ruled out", ""),
    ("dystonia has been excluded", ""),
    ("Dystonia: unlikely", ""),
    ("r/o dystonia", ""),
    ("R/O: oculogyric crisis", ""),
    ("rule out dystonia", ""),
    ("? dystonia", ""),
    ("?dystonia", ""),
    ("dystonia?", ""),
    ("query dystonia", ""),
    ("family history of dystonia", ""),
    ("FHx dystonia", ""),
    ("mother has dystonia", ""),
    ("non-dystonic tremor", ""),
    ("congenital torticollis", ""),
    ("vegetative Dystonie", ""),
    ("neurocirculatory dystonia", ""),
    ("vegetative dystonia and cervical dystonia", "dystonia focal-dystonia"),
    ("Cervical dystonia", "dystonia focal-dystonia"),
    ("Spasmodic torticollis", "dystonia focal-dystonia"),
    ("Writer's cramp, right hand", "dystonia focal-dystonia"),
    ("Musician\u2019s dystonia", "dystonia focal-dystonia"),
    ("muscle cramp", ""),
    ("Dystonia of the left foot", "dystonia limb-dystonia"),
    ("Dystonia of lower extremity", "dystonia limb-dystonia"),
    ("Dystonia of the left hand", "dystonia"),
    ("Fixed dystonia", "dystonia fixed-dystonia"),
    ("Dystonia, ruled out", ""),
    ("Dystonia; excluded", ""),
    ("Dystonia, excluded from the trial", "dystonia"),
    ("Screening for Parkinson disease", ""),
    ("Monitoring for tardive dyskinesia", ""),
    ("At risk for acute dystonia", ""),
    ("Tardive dyskinesia risk", ""),
    ("Dystonia prophylaxis", ""),
    ("Parkinson disease in father", ""),
    ("Risk of falls, dystonia", "dystonia"),
    ("Fear of flying and dystonia", "dystonia"),
    ("Dystonia, education given", "dystonia"),
    ("Avoid metoclopramide: acute dystonia", "dystonia"),
    ("Tethered cord release", ""),
    ("Cortical dysplasia", "cortical-malformation"),
    ("Generalized torsion dystonia", "dystonia generalised-dystonia"),
    ("Dystonia, generalised", "dystonia generalised-dystonia"),
    ("Paroxysmal limb posturing", "paroxysmal-dyskinesia"),
    ("myotonic dystrophy", ""),
    ("vascular dystrophy", ""),
    ("PKD", ""),  # polycystic kidney disease
    ("EPS", ""),  # an electrophysiology study
    ("parkinsonism", ""),  # has codes: a name, for records in words alone
    ("Hypertension", ""),
    ("", ""),
]


@pytest.mark.parametrize(("text", "expected"), TEXTS)
def test_words(codes: Terminology, text: str, expected: str) -> None:
    assert codes.condition_words.find(text) == set(expected.split())


# The full names of coded conditions, for records in words alone: the patient's own, and certain.
NAMES = [
    ("Thalamic infarct, left", "stroke basal-ganglia-lesion"),
    ("Old lacunar infarct of the internal capsule", "stroke basal-ganglia-lesion"),
    ("Stroke", "stroke"),
    ("history of stroke in 2019", "stroke"),  # dystonia may follow after years
    ("lesion of the putamen", "basal-ganglia-lesion"),
    ("myocardial infarction", ""),
    ("heat stroke", ""),
    ("at risk of stroke", ""),
    ("stroke ruled out", ""),
    ("suspected stroke", ""),
    ("thalamic syndrome", ""),
    ("possible lesion of the thalamus", ""),
    ("mother had a stroke", ""),
    ("Multiple sclerosis", "demyelination"),
    ("chronic inflammatory demyelinating polyneuropathy", ""),
    ("Traumatic brain injury 2018", "tbi"),
    ("22q11.2 deletion syndrome", "deletion-22q11"),
    ("DiGeorge syndrome", "deletion-22q11"),
    ("22q11.2 duplication syndrome", ""),
    ("Hypoparathyroidism", "hypoparathyroidism"),
    ("pseudohypoparathyroidism", "pseudohypoparathyroidism"),
    ("postsurgical hypoparathyroidism", "hypoparathyroidism postsurgical-hypoparathyroidism"),
    ("hyperparathyroidism", ""),
    ("Hyperthyroidism", "hyperthyroidism"),
    ("history of hyperthyroidism", ""),  # only a present one counts
    ("hyperthyroidism, treated", ""),
    ("no hyperthyroidism", ""),
    ("Cocaine use disorder", "cocaine"),
    ("Cocaine use disorder, in remission", ""),
    ("former cocaine use", ""),
    ("End-stage renal disease on haemodialysis", "esrd ckd"),
    ("CKD stage 3", "ckd"),
    ("Angle-closure glaucoma", "angle-closure-glaucoma"),
    ("primary open-angle glaucoma", ""),
    ("Glaucoma", ""),
    ("Toe walking with scoliosis", "scoliosis"),
    ("Sacral dimple", "sacral-stigma"),
    ("Cleft palate, repaired", "palatal-anomaly"),
    ("Velopharyngeal insufficiency", "palatal-anomaly"),
    ("Lumbosacral hairy patch", "sacral-stigma"),
    ("Blepharospasm", "dystonia focal-dystonia"),
    ("Dyskinesia", "dyskinesia"),
    ("no dyskinesia", ""),
    ("Primary ciliary dyskinesia", ""),
    ("Biliary dyskinesia", ""),
    ("scapular dyskinesis", ""),
    ("suspected stroke", ""),
    ("Graves disease, probable", ""),
    ("Parkinsonism", "parkinsonism-unspecified"),
    ("drug-induced parkinsonism", "drug-parkinsonism"),
    ("Parkinsonism, drug-induced", "drug-parkinsonism"),
    ("Schizophrenia in mother", ""),
    ("stroke-like migraine", ""),
    ("cocaine use, quit 2019", ""),
    ("Considering hospice care", ""),
    ("pregnancy test negative", ""),
    ("Palliative care consult declined", ""),
    ("", ""),
]


@pytest.mark.parametrize(("text", "expected"), NAMES)
def test_names(codes: Terminology, text: str, expected: str) -> None:
    assert codes.condition_words.names(text) == set(expected.split())


# What a text suspects is told where it is asked for; what it fears, denies or is over never is.
SUSPICIONS = [
    ("suspected stroke", "stroke"),
    ("possible lesion of the thalamus", "basal-ganglia-lesion"),
    ("Graves disease, probable", "hyperthyroidism"),
    ("risk of stroke", ""),
    ("no suspected stroke", ""),
    ("suspected stroke ruled out", ""),
    ("stroke screening", ""),
]


@pytest.mark.parametrize(("text", "expected"), SUSPICIONS)
def test_suspicions(codes: Terminology, text: str, expected: str) -> None:
    assert codes.condition_words.names(text, suspected=True) == set(expected.split())


# The same in the record of a reaction to a drug, where an abbreviation has one meaning.
IN_REACTIONS = [
    ("EPS", "extrapyramidal"),
    ("EPSEs", "extrapyramidal"),
    ("Extra-pyramidal", "extrapyramidal"),
    ("eps", ""),
    ("no EPS", ""),
    ("steps", ""),
]


@pytest.mark.parametrize(("text", "expected"), IN_REACTIONS)
def test_words_of_reactions(codes: Terminology, text: str, expected: str) -> None:
    assert codes.condition_words.find(text, reaction=True) == set(expected.split())


def test_words_of_relatives_count_where_relatives_are_meant(codes: Terminology) -> None:
    assert codes.condition_words.find("mother has dystonia", relatives=True) == {"dystonia"}
    assert codes.condition_words.find("mother: no dystonia", relatives=True) == set()


def test_a_long_text_is_read_to_its_limit(codes: Terminology) -> None:
    assert codes.condition_words.find("x " * 2_000 + "dystonia") == set()
    assert codes.condition_words.find("no dystonia, " * 500) == set()


def recorded(code: str = "", text: str = "", system: str = CM) -> records.Meaning | None:
    """What the code of a Condition means."""
    return records.meaning(json.dumps(condition(code, text=text, system=system)["code"]).encode())


# A Condition: its code and text; what it means; what of it only the words tell; whether a dystonia is by words.
MEANINGS = [
    row("coded alone", "G24.9", "", "dystonia", "", False),
    row("the code says what the words say", "G24.9", "Dystonia", "dystonia", "", False),
    row("words blame a drug", "G24.9", "Dystonia due to metoclopramide", "dystonia drug-dystonia-by-text",
        "drug-dystonia-by-text", True),
    row("words alone", "", "Acute dystonic reaction", "dystonia drug-dystonia-by-text",
        "dystonia drug-dystonia-by-text", True),
    row("words alone, no drug", "", "Dystonia of the neck", "dystonia", "dystonia", True),
    row("a form and the leg", "", "Focal dystonia of the left leg", "dystonia focal-dystonia limb-dystonia",
        "dystonia focal-dystonia limb-dystonia", True),
    row("a form and the foot, by code too", "G24.8", "Fixed dystonia, right foot",
        "dystonia fixed-dystonia limb-dystonia", "fixed-dystonia limb-dystonia", False),
    row("the arm, and a pain in the leg", "", "Dystonia of the arm, leg pain", "dystonia", "dystonia", True),
    row("a remedy is not blamed", "", "Dystonia, botulinum toxin", "dystonia", "dystonia", True),
    row("a remedy that is", "", "Levodopa-induced dystonia", "dystonia drug-dystonia-by-text",
        "dystonia drug-dystonia-by-text", True),
    row("words deny the drug", "", "Dystonia, not drug-induced", "dystonia", "dystonia", True),
    row("akathisia beside a coded dystonia", "G24.02", "Acute dystonia with akathisia",
        "dystonia drug-dystonia acute-drug-dystonia akathisia", "akathisia", False),
    row("akathisia alone", "", "Akathisia", "akathisia", "akathisia", False),
    row("a stroke of the thalamus", "I63.9", "Left thalamic infarct", "stroke basal-ganglia-lesion",
        "basal-ganglia-lesion", False),
    row("a stroke that spares it", "I63.9", "Cerebellar infarct", "stroke", "", False),
    row("a stroke without the thalamus", "I63.9", "Infarct, no thalamic involvement", "stroke", "", False),
    row("the sequela of a stroke", "I69.30", "Old putaminal haemorrhage", "stroke basal-ganglia-lesion",
        "basal-ganglia-lesion", False),
    row("a thalamus without a stroke", "R51.9", "Thalamic pain", None, "", False),
    row("a denied dystonia", "R25.2", "Spasm, no dystonia", None, "", False),
    row("a relative's dystonia", "", "Family history of dystonia", None, "", False),
    row("another disease", "I10", "Hypertension", None, "", False),
]  # fmt: skip


@pytest.mark.parametrize(("code", "text", "concepts", "worded", "by_text"), MEANINGS)
def test_what_a_condition_means(code: str, text: str, concepts: str | None, worded: str, by_text: bool) -> None:
    found = recorded(code, text)
    if concepts is None:
        assert found is None
        return
    assert found is not None
    assert found.concepts == set(concepts.split())
    assert found.worded == set(worded.split())
    assert found.by_text is by_text


# A Condition's code and text, and whether it is no more than a suspicion.
SUSPECTED = [
    row("suspected", "", "Suspected dystonia", True),
    row("possible", "", "Possible tardive dyskinesia", True),
    row("behind the name", "", "Hypoparathyroidism, suspected", True),
    row("under a code of another kind", "G25.89", "Possible paroxysmal kinesigenic dyskinesia", True),
    row("certain", "", "Dystonia", False),
    row("one of two", "", "Dystonia, suspected hypoparathyroidism", False),
    row("the other of two", "", "Suspected hypoparathyroidism, dystonia", False),
    row("a drug that is suspected", "", "Dystonia, haloperidol suspected", False),
    row("a drug that is possible", "", "Acute dystonia, possible reaction to haloperidol", False),
    row("how likely a reaction is", "", "Probable dystonic reaction to metoclopramide", False),
    row("in brackets", "", "Tethered cord (suspected)", True),
    row("by code, whatever its words", "G24.9", "Suspected dystonia", False),
]


@pytest.mark.parametrize(("code", "text", "suspected"), SUSPECTED)
def test_a_suspicion_in_words_is_not_confirmed(code: str, text: str, suspected: bool) -> None:
    found = recorded(code, text)
    assert found is not None
    assert found.suspected is suspected
    assert records.problem_of(resource(condition(code, text=text)), found).unconfirmed is suspected


# The manifestation of a reaction to metoclopramide; "coded" says that a code tells it, "words" that words do.
REACTIONS = [
    row("dystonia by code", DYSTONIA, ["dystonia coded"]),
    row("torticollis by code", concept(SNOMED, "70070008"), ["dystonia coded"]),
    row("G24.02", concept(CM, "G24.02"), ["dystonia coded"]),
    row("acute dystonia in words", "Acute dystonia", ["dystonia words"]),
    row("oculogyric crisis in words", "Oculogyric crisis", ["dystonia words"]),
    row("trismus in words", "Trismus", ["dystonia words"]),
    row("lockjaw in words", "lockjaw", ["dystonia words"]),
    row("akathisia by code", concept(CM, "G25.71"), ["akathisia coded", "extrapyramidal coded"]),
    row("akathisia in words", "Akathisia", ["akathisia words"]),
    row("EPS", "EPS", ["extrapyramidal words"]),
    row("extrapyramidal by code", concept(SNOMED, "76349003"), ["extrapyramidal coded"]),
    row("EPS: two kinds", "EPS with dystonia", ["dystonia words", "extrapyramidal words"]),
    row("a denied dystonia", "Drowsiness, no dystonia", []),
    row("a queried dystonia", "?dystonia", []),
    row("a relative's", "brother had dystonia", []),
    row("chronic prostatitis, met in public as akathisia", concept(SNOMED, "9713002"), []),
    row("a rash", "Rash", []),
    row("nothing recorded", None, []),
]


@pytest.mark.parametrize(("manifestation", "expected"), REACTIONS)
def test_kinds_of_recorded_reactions(manifestation: Json | str | None, expected: list[str]) -> None:
    found = records.reactions_of(resource(allergy("metoclopramide", manifestation)))
    assert [f"{one.kind} {'words' if one.reaction_by_text else 'coded'}" for one in found] == expected
    assert all([item.name for item in one.ingredients] == ["metoclopramide"] for one in found)


# Whether the record counts at all.
COUNTS = [
    row("active", {}, True),
    row("unconfirmed", {"verification": "unconfirmed"}, True),
    row("without statuses", {"clinical": "", "verification": ""}, True),
    row("refuted", {"verification": "refuted"}, False),
    row("entered in error", {"verification": "entered-in-error"}, False),
    row("inactive", {"clinical": "inactive"}, False),
    row("resolved", {"clinical": "resolved"}, False),
]


@pytest.mark.parametrize(("statuses", "counts"), COUNTS)
@pytest.mark.parametrize("manifestation", [DYSTONIA, "Akathisia"], ids=["coded dystonia", "akathisia in words"])
def test_which_records_count(manifestation: Json | str, statuses: dict[str, str], counts: bool) -> None:
    assert bool(records.reactions_of(resource(allergy("metoclopramide", manifestation, **statuses)))) is counts


# A record without any reaction may tell it in its own words.
OWN_WORDS = [
    row("named in the record's words", "Reglan - dystonia", ["dystonia"]),
    row("EPS in the record's words", "Metoclopramide (EPS)", ["extrapyramidal"]),
    row("the drug alone", "Reglan", []),
    row("denied", "Reglan, no dystonia", []),
]


@pytest.mark.parametrize(("words", "kinds"), OWN_WORDS)
def test_a_record_without_a_reaction(words: str, kinds: list[str]) -> None:
    found = records.reactions_of(resource(allergy(words, None)))
    assert [one.kind for one in found] == kinds
    assert all(one.reaction_by_text and one.drug_by_text for one in found)


def test_a_listed_reaction_goes_before_the_words_of_the_record() -> None:
    assert records.reactions_of(resource(allergy("Reglan - dystonia", "Rash"))) == []


@pytest.mark.parametrize(
    ("text", "counts"), [("Dystonia", True), ("mother has torticollis", True), ("no dystonia", False), ("PKD", False)]
)
def test_family_history(text: str, counts: bool) -> None:
    assert bool(records.family_dystonia(resource(family(text)))) is counts


def child_pugh(value: str | None, **more: Any) -> Json:
    told = {"valueString": value} if value is not None else {}
    return {
        "resourceType": "Observation",
        "id": "cp",
        "status": "final",
        "code": {"text": "Child-Pugh"},
        **told,
        **more,
    }


# what an Observation named Child-Pugh tells -> the class, what it is called, whether it is sure
LIVERS = [
    row("a letter", child_pugh("B"), "child-pugh-b-c", "Child-Pugh B", True),
    row("the name with it", child_pugh("Child-Pugh class C"), "child-pugh-b-c", "Child-Pugh class C", True),
    row("as a concept", child_pugh(None, valueCodeableConcept={"text": "Class B"}), "child-pugh-b-c",
        "Child-Pugh Class B", True),
    row("preliminary", child_pugh("B", status="preliminary"), "child-pugh-b-c", "Child-Pugh B", False),
    row("a score", child_pugh("7 points"), None, "", True),
    row("in error", child_pugh("B", status="entered-in-error"), None, "", True),
]  # fmt: skip


@pytest.mark.parametrize(("record", "concept", "label", "sure"), LIVERS)
def test_the_class_of_a_liver(record: Json, concept: str | None, label: str, sure: bool) -> None:
    found = child_pugh_of(resource(record))
    if concept is None:
        assert found is None
    else:
        assert found is not None
        assert (found.concepts, found.label, found.unconfirmed) == ({concept}, label, not sure)
        assert (found.state, found.reference) == ("active", "Observation/cp")
