"""What is asked about a code, and what is learned from the answers: RxNav and FHIR terminology servers, row by row."""

from __future__ import annotations

import json
from typing import Any
from urllib.parse import unquote

import msgspec
import pytest

from plugin import vocabulary
from plugin.desk.learned import Learned, learn
from plugin.desk.lookup import lookup
from plugin.fhir.medication import of_concept
from plugin.fhir.types import Coding, Concept
from plugin.fhir.unmapped import Unmapped
from tests.support.fhir import ICD10CM, LOINC, RXNORM, SNOMED
from tests.support.rxnav import NOBODY, history, ndc, related
from valuesets import Terminology, load
from valuesets.store import Resources

Json = dict[str, Any]
NDC = "http://hl7.org/fhir/sid/ndc"
LOCAL = "urn:oid:1.2.3.4"
HALOPERIDOL, PROMETHAZINE, LISINOPRIL = "5093", "8745", "29046"
TABLET = "haloperidol 5 MG Oral Tablet"


def talk(item: Unmapped, source: str, answers: dict[str, Json | None]) -> tuple[Learned | None, list[str]]:
    """The conversation when ``answers`` says what comes for each request (None: not known); all else is not known."""
    asked: list[str] = []
    conversation = lookup(item, source)
    body: bytes | None = None
    try:
        target = next(conversation)
        while True:
            asked.append(unquote(target))
            found = answers.get(asked[-1])
            body = json.dumps(found).encode() if found is not None else None
            target = conversation.send(body)
    except StopIteration as end:
        return end.value, asked


def status_of(code: str) -> str:
    return f"rxcui/{code}/historystatus.json"


def related_to(code: str) -> str:
    return f"rxcui/{code}/related.json?tty=IN+PIN+MIN"


H = (HALOPERIDOL, "Haloperidol")
P = (PROMETHAZINE, "Promethazine")
L = (LISINOPRIL, "Lisinopril")
# name: system, code, {request: answer} -> (name, targets) or None, number of requests
RXNAV: dict[str, tuple[str, str, dict[str, Json | None], tuple[str, tuple[str, ...]] | None, int]] = {
    "an active product": (RXNORM, "990", {status_of("990"): history(TABLET, H)}, (TABLET, (HALOPERIDOL,)), 1),
    "an obsolete product": (
        RXNORM, "990", {status_of("990"): history(TABLET, H, status="Obsolete")}, (TABLET, (HALOPERIDOL,)), 1,
    ),
    "a combination keeps every ingredient of ours": (
        RXNORM, "990", {status_of("990"): history("a / b", H, P, L)}, ("a / b", (HALOPERIDOL, PROMETHAZINE)), 1,
    ),
    "a salt as base": (
        RXNORM, "990", {status_of("990"): history("x", ("203214", "haloperidol lactate"))}, ("x", (HALOPERIDOL,)), 1,
    ),
    "an ingredient that we know by name alone": (
        RXNORM, "990", {status_of("990"): history("x", ("99999", "Haloperidol"))}, ("x", (HALOPERIDOL,)), 1,
    ),
    "none of ours": (RXNORM, "990", {status_of("990"): history("lisinopril 5 MG", L)}, ("lisinopril 5 MG", ()), 1),
    "remapped to one that we know": (
        RXNORM, "990",
        {status_of("990"): history("old", status="Remapped", remapped=("991",)), status_of("991"): history(TABLET, H)},
        ("old", (HALOPERIDOL,)), 2,
    ),
    "remapped twice": (
        RXNORM, "990",
        {
            status_of("990"): history("old", status="Remapped", remapped=("991",)),
            status_of("991"): history("newer", status="Remapped", remapped=("992",)),
            status_of("992"): history(TABLET, H),
        },
        ("old", (HALOPERIDOL,)), 3,
    ),
    "remapped in a circle": (
        RXNORM, "990",
        {
            status_of("990"): history("old", status="Remapped", remapped=("991",)),
            status_of("991"): history("new", status="Remapped", remapped=("990",)),
        },
        ("old", ()), 3,
    ),
    "remapped to two different drugs is no guess": (
        RXNORM, "990",
        {
            status_of("990"): history("old", status="Remapped", remapped=(HALOPERIDOL, PROMETHAZINE)),
            status_of(HALOPERIDOL): history("haloperidol", H),
        },
        ("old", ()), 2,
    ),
    "remapped to two that nobody knows is no guess": (
        RXNORM, "990",
        {
            status_of("990"): history("old", status="Remapped", remapped=("991", "992")),
            status_of("991"): history(TABLET, H),
        },
        ("old", ()), 2,
    ),
    "remapped to two products of one drug": (
        RXNORM, "990",
        {
            status_of("990"): history("old", status="Remapped", remapped=("310672", "204416")),
            status_of("204416"): history("haloperidol 5 MG/ML Injectable Solution", H),
        },
        ("old", (HALOPERIDOL,)), 2,
    ),
    "of several products of one drug, one is asked about": (
        RXNORM, "990",
        {
            status_of("990"): history("old", status="Remapped", remapped=("310672", "204416")),
            status_of("310672"): history(TABLET, H),
        },
        ("old", ()), 2,
    ),
    "remapped more often than is followed": (
        RXNORM, "990",
        {
            status_of("990"): history("old", status="Remapped", remapped=("991",)),
            status_of("991"): history("a", status="Remapped", remapped=("992",)),
            status_of("992"): history("b", status="Remapped", remapped=("993",)),
            status_of("993"): history("c", status="Remapped", remapped=("994",)),
            status_of("994"): history(TABLET, H),
        },
        ("old", ()), 4,
    ),
    "quantified": (
        RXNORM, "990",
        {status_of("990"): history("x", status="Quantified", quantified="991"), status_of("991"): history(TABLET, H)},
        ("x", (HALOPERIDOL,)), 2,
    ),
    "a brand name, by what is related": (
        RXNORM, "990",
        {status_of("990"): history("Haldol"), related_to("990"): related(("IN", (H,)), ("PIN", ()), ("MIN", ()))},
        ("Haldol", (HALOPERIDOL,)), 2,
    ),
    "a multiple ingredient, by what is related": (
        RXNORM, "990",
        {status_of("990"): history("a / b"), related_to("990"): related(("IN", (H, P)), ("MIN", (("990", "a / b"),)))},
        ("a / b", (HALOPERIDOL, PROMETHAZINE)), 2,
    ),
    "a combination that holds the drug is not the drug": (
        RXNORM, "990",
        {status_of("990"): history("Haldol"), related_to("990"): related(("IN", (H,)), ("MIN", (P,)))},
        ("Haldol", (HALOPERIDOL,)), 2,
    ),
    "groups without concepts": (
        RXNORM, "990",
        {status_of("990"): history("x"), related_to("990"): related(("IN", ()), ("PIN", ()))}, ("x", ()), 2,
    ),
    "no groups at all": (
        RXNORM, "990", {status_of("990"): history("x"), related_to("990"): {"relatedGroup": {}}}, ("x", ()), 2,
    ),
    "a code that nobody knows": (RXNORM, "990", {status_of("990"): NOBODY}, None, 1),
    "a code that is not found": (RXNORM, "990", {}, None, 1),
    "a history without a status": (
        RXNORM, "990", {status_of("990"): {"rxcuiStatusHistory": {"attributes": {"name": "x"}}}}, None, 1,
    ),
    "a history of nothing": (RXNORM, "990", {status_of("990"): {"rxcuiStatusHistory": None}}, None, 1),
    "one concept where a list is usual": (
        RXNORM, "990",
        {
            status_of("990"): {
                "rxcuiStatusHistory": {
                    "metaData": {"status": "Active"},
                    "attributes": {"name": TABLET},
                    "definitionalFeatures": {"ingredientAndStrength": {"baseRxcui": HALOPERIDOL}},
                }
            }
        },
        (TABLET, (HALOPERIDOL,)), 1,
    ),
    "a package": (
        NDC, "00143314501",
        {"ndcstatus.json?ndc=00143314501": ndc("990", TABLET), status_of("990"): history(TABLET, H)},
        (TABLET, (HALOPERIDOL,)), 2,
    ),
    "a package of a concept without history": (
        NDC, "00143314501", {"ndcstatus.json?ndc=00143314501": ndc("990", TABLET)}, (TABLET, ()), 2,
    ),
    "a package of a concept without history or name": (
        NDC, "00143314501", {"ndcstatus.json?ndc=00143314501": ndc("990", "")}, None, 2,
    ),
    "a package that nobody knows": (
        NDC, "00143314501", {"ndcstatus.json?ndc=00143314501": ndc("", "", "UNKNOWN")}, None, 1,
    ),
    "a package that is not found": (NDC, "00143314501", {}, None, 1),
    "a local code that could be one of RxNorm": ("urn:oid:1.2.3.4", "990", {}, None, 0),
    "a local code that could be a package": ("urn:oid:1.2.3.4", "00143314501", {}, None, 0),
    "no number": (RXNORM, "x", {}, None, 0),
}  # fmt: skip


@pytest.mark.parametrize("name", RXNAV)
def test_what_rxnav_teaches(name: str) -> None:
    system, code, answers, expected, requests = RXNAV[name]
    found, asked = talk(Unmapped("drug", system, code, "Jane Doe"), "rxnav", answers)
    assert len(asked) == requests, asked
    assert not any("Jane" in one for one in asked)
    if expected is None:
        assert found is None
    else:
        assert found == Learned("drug", system, code, *expected, "RxNav")


@pytest.mark.parametrize(("system", "code"), [(RXNORM, "990"), (NDC, "00143314501")])
@pytest.mark.parametrize("position", ["lab", "problem"])
def test_rxnav_is_asked_about_drugs_alone(position: str, system: str, code: str) -> None:
    assert talk(Unmapped(position, system, code, ""), "rxnav", {}) == (None, [])


def parameters(*parts: Json) -> Json:
    return {"resourceType": "Parameters", "parameter": list(parts)}


def display(name: str) -> Json:
    return parameters({"name": "name", "valueString": "x"}, {"name": "display", "valueString": name})


def match(system: str, code: str, equivalence: str = "equivalent", r5: bool = False, name: str = "") -> Json:
    said = {"name": "relationship" if r5 else "equivalence", "valueCode": equivalence}
    concept = {"name": "concept", "valueCoding": {"system": system, "code": code, "display": name}}
    return {"name": "match", "part": [said, concept]}


def translated(*matches: Json, result: bool = True) -> Json:
    return parameters({"name": "result", "valueBoolean": result}, *matches)


def expansion(*codes: str) -> Json:
    return {"resourceType": "ValueSet", "expansion": {"contains": [{"system": SNOMED, "code": code} for code in codes]}}


def lookup_of(system: str, code: str) -> str:
    return f"CodeSystem/$lookup?system={system}&code={code}"


def translate(system: str, code: str, target: str) -> str:
    return f"ConceptMap/$translate?system={system}&code={code}&targetsystem={target}"


def above(code: str) -> str:
    return f"ValueSet/$expand?url={SNOMED}?fhir_vs=ecl/>> {code}&count=1000"


DYSTONIA = "15802004"
# name: position, system, code, {request: answer} -> (name, targets) or None
FHIR: dict[str, tuple[str, str, str, dict[str, Json | None], tuple[str, tuple[str, ...]] | None]] = {
    "a local drug mapped to RxNorm": (
        "drug", LOCAL, "HAL5",
        {
            lookup_of(LOCAL, "HAL5"): display("Haldol 5"),
            translate(LOCAL, "HAL5", RXNORM): translated(match(RXNORM, "310672")),
        },
        ("Haldol 5", (HALOPERIDOL,)),
    ),
    "a local drug mapped to its ingredient, which is wider": (
        "drug", LOCAL, "HAL5", {translate(LOCAL, "HAL5", RXNORM): translated(match(RXNORM, HALOPERIDOL, "wider"))},
        ("HAL5", (HALOPERIDOL,)),
    ),
    "the words of R5": (
        "drug", LOCAL, "HAL5",
        {
            translate(LOCAL, "HAL5", RXNORM): translated(
                match(RXNORM, HALOPERIDOL, "source-is-narrower-than-target", r5=True)
            )
        },
        ("HAL5", (HALOPERIDOL,)),
    ),
    "a map that is not sure": (
        "drug", LOCAL, "HAL5",
        {translate(LOCAL, "HAL5", RXNORM): translated(match(RXNORM, HALOPERIDOL, "inexact"))}, None,
    ),
    "a map that says no": (
        "drug", LOCAL, "HAL5",
        {translate(LOCAL, "HAL5", RXNORM): translated(match(RXNORM, HALOPERIDOL), result=False)}, None,
    ),
    "a local drug mapped to a code that the data do not hold, read by its name": (
        "drug", LOCAL, "HAL5",
        {translate(LOCAL, "HAL5", RXNORM): translated(match(RXNORM, "99999999", name="Haloperidol"))},
        ("HAL5", (HALOPERIDOL,)),
    ),
    "maps that differ are no guess": (
        "drug", LOCAL, "X",
        {
            lookup_of(LOCAL, "X"): display("X"),
            translate(LOCAL, "X", RXNORM): translated(match(RXNORM, HALOPERIDOL), match(RXNORM, PROMETHAZINE)),
        },
        ("X", ()),
    ),
    "a name alone is a name, not a mapping": (
        "drug", LOCAL, "HAL5", {lookup_of(LOCAL, "HAL5"): display("Haldol 5 mg tablet")}, ("Haldol 5 mg tablet", ()),
    ),
    "nobody knows it": ("drug", LOCAL, "HAL5", {}, None),
    "a local result mapped to LOINC": (
        "lab", LOCAL, "CA", {translate(LOCAL, "CA", LOINC): translated(match(LOINC, "17861-6", "equal"))},
        ("CA", ("calcium",)),
    ),
    "a result mapped to something wider is not that result": (
        "lab", LOCAL, "CA", {translate(LOCAL, "CA", LOINC): translated(match(LOINC, "17861-6", "wider"))}, None,
    ),
    "a local result mapped to a LOINC code that is none of ours": (
        "lab", LOCAL, "LEU", {translate(LOCAL, "LEU", LOINC): translated(match(LOINC, "6690-2"))}, None,
    ),
    "a LOINC code that is none of ours": (
        "lab", LOINC, "2345-7", {lookup_of(LOINC, "2345-7"): display("Glucose")}, ("Glucose", ()),
    ),
    "a local problem mapped to ICD-10-CM": (
        "problem", LOCAL, "TD", {translate(LOCAL, "TD", ICD10CM): translated(match(ICD10CM, "G24.01"))},
        ("TD", tuple(sorted(load().concepts(ICD10CM, "G24.01")))),
    ),
    "a problem below one of ours": (
        "problem", SNOMED, "990000001",
        {
            lookup_of(SNOMED, "990000001"): display("Rare dystonia"),
            above("990000001"): expansion("990000001", DYSTONIA),
        },
        ("Rare dystonia", tuple(sorted(load().concepts(SNOMED, DYSTONIA)))),
    ),
    "a problem below none of ours": (
        "problem", SNOMED, "990000001",
        {
            lookup_of(SNOMED, "990000001"): display("Flat foot"),
            above("990000001"): expansion("990000001", "404684003"),
        },
        ("Flat foot", ()),
    ),
    "a problem that the server does not know": ("problem", SNOMED, "990000001", {}, None),
}  # fmt: skip


@pytest.mark.parametrize("name", FHIR)
def test_what_a_terminology_server_teaches(name: str) -> None:
    position, system, code, answers, expected = FHIR[name]
    found, asked = talk(Unmapped(position, system, code, "Jane Doe"), "fhir", answers)
    assert not any("Jane" in one for one in asked)
    if expected is None:
        assert found is None
    else:
        assert found == Learned(position, system, code, *expected, "terminology server")


def test_a_server_that_cannot_list_ancestors_is_asked_for_membership() -> None:
    """It knows that the code lies below the dystonias; the sets are halved until those are left that hold them."""
    item = Unmapped("problem", SNOMED, "990000001", "")
    conversation, asked = lookup(item, "fhir"), []
    below = {DYSTONIA}
    target = next(conversation)
    try:
        while True:
            asked.append(unquote(target))
            if "$lookup" in target:
                answer = json.dumps(display("Rare dystonia")).encode()
            elif "$validate-code" in target:
                codes = {word for word in asked[-1].split("&system=")[0].split() if word.isdigit()}
                answer = json.dumps(parameters({"name": "result", "valueBoolean": bool(codes & below)})).encode()
            else:
                answer = None
            target = conversation.send(answer)
    except StopIteration as end:
        found = end.value
    assert found is not None
    assert set(found.targets) == load().concepts(SNOMED, DYSTONIA)
    assert len(asked) < 40


# What would not be a plain code or system never becomes part of an address.
NOT_ASKED = [
    ("problem", SNOMED, "1 OR 2"),
    ("problem", SNOMED, "1&x=2"),
    ("lab", LOINC, "../../x"),
    ("lab", "javascript:alert(1)", "CA"),
    ("lab", "", "CA"),
    ("drug", "Labor Nord", "HAL5"),
    ("drug", LOCAL, "x" * 33),
    ("allergy", LOCAL, "HAL5"),
]


@pytest.mark.parametrize(("position", "system", "code"), NOT_ASKED)
def test_what_a_terminology_server_is_not_asked(position: str, system: str, code: str) -> None:
    assert talk(Unmapped(position, system, code, ""), "fhir", {}) == (None, [])


@pytest.mark.parametrize(
    "answer", [b"[]", b'{"resourceType": "OperationOutcome"}', b'{"resourceType": "Bundle"}', b"7"]
)
@pytest.mark.parametrize(("source", "system"), [("rxnav", RXNORM), ("fhir", RXNORM)])
def test_an_answer_of_another_kind_is_an_error_and_not_an_unknown_code(source: str, system: str, answer: bytes) -> None:
    conversation = lookup(Unmapped("drug", system, "990", ""), source)
    next(conversation)
    with pytest.raises(msgspec.ValidationError):
        conversation.send(answer)


@pytest.fixture
def own_terminology() -> Any:
    """A terminology of this test alone, because learning changes it."""
    before = vocabulary.terminology()
    fresh = Terminology(Resources())
    vocabulary.use(fresh)
    yield fresh
    vocabulary.use(before)


def coded(code: str, *, system: str = RXNORM, display: str = "") -> Concept:
    return Concept([Coding(system, code, display or None)])


# what was learned, the text beside the code -> recognised, ingredients, matched by, label
LEARNED = [
    (Learned("drug", RXNORM, "990", TABLET, (HALOPERIDOL,), "RxNav"), "", "code", ["haloperidol"], "RxNav"),
    (Learned("drug", RXNORM, "990", "lisinopril 5 MG", (), "RxNav"), "", "ordinary", [], ""),
    (Learned("drug", RXNORM, "990", "", (), "RxNav"), "", "ordinary", [], ""),
    (Learned("drug", RXNORM, "990", TABLET, (), "RxNav"), "", "text", ["haloperidol"], "text"),
    (Learned("drug", RXNORM, "990", TABLET, ("gone",), "RxNav"), "", "text", ["haloperidol"], "text"),
    (Learned("drug", RXNORM, "990", "x", (), "RxNav"), "Haldol 5 mg", "text", ["haloperidol"], "text"),
    (Learned("drug", RXNORM, HALOPERIDOL, "x", (LISINOPRIL,), "RxNav"), "", "code", ["haloperidol"], "RxNorm code"),
]  # fmt: skip


@pytest.mark.parametrize(("learned", "text", "recognised", "drugs", "matched_by"), LEARNED)
def test_the_next_order_with_a_learned_code(
    own_terminology: Any, learned: Learned, text: str, recognised: str, drugs: list[str], matched_by: str
) -> None:
    concept = coded(learned.code, display=text)
    of_concept(concept)  # what was worked out before must be forgotten
    learn([learned])
    found = of_concept(concept)
    assert (found.recognised, [item.name for item in found.ingredients]) == (recognised, drugs)
    assert found.matched_by == matched_by


# name, what it is made of -> route, strengths in mg, whether it is long-acting, what is known of it by name only
NAMES: list[tuple[str, tuple[str, ...], str, list[int], bool, tuple[str, ...]]] = [
    (TABLET, (HALOPERIDOL,), "oral", [5], False, ()),
    ("haloperidol decanoate 50 MG Injection", (HALOPERIDOL,), "parenteral", [50], True, ()),
    ("codeine / promethazine Oral Solution", (PROMETHAZINE,), "oral", [], False, ("codeine",)),
    # The name means another drug than the resolver says: nothing of it is taken over.
    ("haloperidol decanoate 50 MG Injection", (PROMETHAZINE,), "", [], False, ()),
    ("codeine / promethazine Oral Solution", (HALOPERIDOL,), "", [], False, ()),
]


@pytest.mark.parametrize(("name", "made_of", "route", "strengths", "long_acting", "further"), NAMES)
def test_a_learned_product_has_form_and_strength_of_its_name(
    own_terminology: Any,
    name: str,
    made_of: tuple[str, ...],
    route: str,
    strengths: list[int],
    long_acting: bool,
    further: tuple[str, ...],
) -> None:
    learn([Learned("drug", RXNORM, "990", name, made_of, "RxNav")])
    product = own_terminology.product(RXNORM, "990")
    assert (product.rxcui, product.name, product.matched_by) == ("990", name, "RxNav")
    assert tuple(item.rxcui for item in product.ingredients) == made_of
    assert (product.route, product.long_acting, product.further) == (route, long_acting, further)
    assert [(part.ingredient_rxcui, part.value, part.unit) for part in product.strengths] == [
        (made_of[0], mg, "mg") for mg in strengths
    ]


def test_labs_and_problems_are_learned_too_and_earlier_ones_stay(own_terminology: Any) -> None:
    learn([Learned("lab", LOCAL, "CA", "Calcium", ("calcium",), "terminology server")])
    learn([Learned("problem", LOCAL, "TD", "x", ("tardive",), "terminology server")])
    learn([Learned("lab", LOCAL, "LEU", "Leukocytes", (), "terminology server")])
    assert own_terminology.analyte(LOCAL, "CA") == "calcium"
    assert own_terminology.learned.analytes[LOCAL, "LEU"] == ""  # known, and none of ours
    assert own_terminology.learned.version == "3"
    assert own_terminology.concepts(LOCAL, "TD") == frozenset({"tardive"})
