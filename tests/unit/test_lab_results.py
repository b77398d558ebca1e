"""Which results are ours: codes per analyte and what is no such test, specimens, and values that nobody can have."""

from __future__ import annotations

import csv
import importlib
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from plugin import units
from plugin.fhir import observations
from plugin.fhir.observations import is_plausible, results_of
from plugin.fhir.ranges import Person
from plugin.patient import Result
from plugin.thresholds import TABLE, Limits
from tests.support.fhir import NOW, concept, lab
from tests.support.rows import resource, row
from valuesets import load

Json = dict[str, Any]
D = Decimal
LOINC = "http://loinc.org"
LIMITS = Limits()
ANYBODY = Person("", None)
SOURCE = Path(__file__).resolve().parents[2] / "scripts" / "valuesets" / "source" / "labs.csv"

# Codes that belong, one row an analyte; each line of the table of tests is checked against its source when it is built.
BELONGS = [
    row("total calcium", "calcium", "17861-6 2000-8 49765-1 1996-8"),
    row("calcium corrected for albumin", "calcium-corrected", "29265-6 46099-8"),
    row("ionised calcium", "calcium-ionised",
        "1994-3 1995-0 12180-6 17863-2 17864-0 34581-9 38230-9 41644-6 41645-3 47596-2 59470-5"),
    row("magnesium", "magnesium", "2601-3 19123-9 2593-2 21377-7"),
    row("phosphate", "phosphate", "2777-1 14879-1 2774-8 24519-1"),
    row("albumin, by any dye", "albumin", "1751-7 54347-0 61151-7 61152-5 62234-0 62235-7"),
    row("potassium", "potassium", "2823-3 6298-4"),
    row("glucose", "glucose", "2345-7 14749-6 2339-0 15074-8 41653-7 14743-9 1558-6 14771-0 74774-1"),
    row("intact PTH", "pth", "2731-8 14866-8"),
    row("25-OH vitamin D, total and D3", "vitamin-d-25-oh", "62292-8 1989-3 14635-7"),
    row("TSH", "tsh", "3016-3 11579-0 11580-8 3015-5"),
    row("free T4", "ft4", "3024-7 14920-3 6892-4"),
    row("free T3", "ft3", "3051-0 14928-6"),
    row("creatinine", "creatinine", "2160-0 14682-9 38483-4 59826-8"),
    row("eGFR per 1.73 m2", "egfr", "33914-3 62238-1 98979-8 98980-6 77147-7 69405-9"),
    row("weight", "weight", "29463-7"),
]  # fmt: skip


@pytest.mark.parametrize(("analyte", "codes"), BELONGS)
def test_codes_that_belong(analyte: str, codes: str) -> None:
    assert {code: load().analyte(LOINC, code) for code in codes.split()} == dict.fromkeys(codes.split(), analyte)


NEAR_MISSES = [
    row("red-cell magnesium", "2597-3"),
    row("red-cell magnesium, mass", "26746-8"),
    row("magnesium in urine of 24 hours", "24447-5"),
    row("ionised magnesium", "2600-5"),
    row("ionised magnesium, mass", "32698-3"),
    row("a withdrawn magnesium", "11554-3"),
    *(row(f"ionised calcium adjusted to pH 7.4, {code}", code)
      for code in ("19072-8", "57333-7", "53138-4", "53139-2", "53140-0", "59472-1", "59473-9")),
    row("ionised calcium that was calculated", "13959-2"),
    row("calcium corrected for total protein", "18281-6"),
    row("calcium corrected for total protein, in blood", "47597-0"),
    row("albumin as a fraction of protein", "35706-1"),
    row("total protein", "2885-2"),
    row("1,25-dihydroxyvitamin D", "62290-2"),
    row("1,25-dihydroxyvitamin D3", "1649-3"),
    row("25-OH vitamin D2 alone", "49054-0"),
    row("25-OH vitamin D2 alone, molar", "46269-7"),
    row("vitamin D and metabolites", "35365-6"),
    row("a code that no source confirms", "68438-1"),
    row("glucose in interstitial fluid", "99504-3"),
    row("a glucose code that no source confirms", "97507-8"),
    row("total T4", "3026-2"),
    row("total T3", "3053-6"),
    row("eGFR by a formula split by race", "48642-3"),
    row("eGFR by a formula split by sex", "50044-7"),
    row("nuclear IgG, met in public as a laboratory test", "29950-3"),
    row("lithium", "14334-7"),
    row("sodium", "2951-2"),
]  # fmt: skip


@pytest.mark.parametrize("code", NEAR_MISSES)
def test_codes_that_do_not_belong(code: str) -> None:
    assert load().analyte(LOINC, code) is None
    assert results({**lab("calcium-sc", 0.4), "code": concept(LOINC, code)}) == []


@pytest.mark.skipif(not SOURCE.exists(), reason="the tables are not part of this package")
def test_every_test_is_of_blood_and_has_its_sources() -> None:
    with SOURCE.open(encoding="utf-8", newline="") as file:
        rows = [one for one in csv.DictReader(file) if one["analyte"] not in ("cocaine-screen", "weight")]
    assert {one["specimen"] for one in rows} == {"Ser/Plas", "Ser/Plas/Bld", "Bld", "BldA", "BldC", "BldV"}
    assert {one["property"] for one in rows} == {"MCnc", "SCnc", "ACnc", "ArVRat"}
    lone = [one for one in rows if int(one["n_sources"]) < 2]
    assert [(one["loinc"], one["note"]) for one in lone] == [("14879-1", "named in the clinical specification")]


REFUSED_ROWS = [
    row("urine", {"specimen": "Urine"}, "expected a test of blood"),
    row("red cells", {"specimen": "RBC"}, "expected a test of blood"),
    row("no specimen", {"specimen": ""}, "expected a test of blood"),
    row("a fraction", {"property": "MFr"}, "expected a test of blood"),
    row("an excretion rate", {"property": "MRat"}, "expected a test of blood"),
    row("one source", {"n_sources": "1"}, "two are needed"),
    row("no source", {"n_sources": "", "note": "heard of it"}, "two are needed"),
]


@pytest.mark.skipif(not SOURCE.exists(), reason="the tables are not part of this package")
@pytest.mark.parametrize(("changed", "words"), REFUSED_ROWS)
def test_rows_that_may_not_ship(monkeypatch: pytest.MonkeyPatch, changed: Json, words: str) -> None:
    monkeypatch.syspath_prepend(str(SOURCE.parents[1]))
    lab_data = importlib.import_module("lab_data")
    right = {"analyte": "magnesium", "loinc": "2601-3", "name": "Magnesium SerPl-sCnc", "specimen": "Ser/Plas",
             "property": "SCnc", "n_sources": "3", "note": ""}  # fmt: skip
    lab_data.check(right)
    with pytest.raises(importlib.import_module("tables").SourceError, match=words):
        lab_data.check({**right, **changed})


def results(observation: Json) -> list[Result]:
    """What one Observation holds."""
    decoded = resource(observation)
    return results_of(decoded, observations.meaning_of(decoded), NOW, LIMITS, ANYBODY)


def _named(text: str = "", display: str = "", code: str = "2601-3") -> Json:
    named = {"text": text} if text else {}
    return {**lab("magnesium", 0.4), "code": {"coding": [{"system": LOINC, "code": code, "display": display}], **named}}


def _typed(**kind: Any) -> Json:
    inner = {"resourceType": "Specimen", "id": "s", "type": kind}
    return {**lab("magnesium", 0.4), "contained": [inner], "specimen": {"reference": "#s"}}


def _specimen(words: str) -> Json:
    return {**lab("magnesium", 0.4), "specimen": {"display": words}}


# An Observation of magnesium in serum by its code, and whether its own words say that it is something else.
SPECIMENS = [
    row("nothing said", _named(), True),
    row("the official name", _named(display="Magnesium [Moles/volume] in Serum or Plasma"), True),
    row("the short name", _named(display="Magnesium SerPl-sCnc"), True),
    row("venous blood", _specimen("Venous blood"), True),
    row("a code with the name of a test of urine", _named(display="Magnesium [Moles/volume] in Urine"), False),
    row("a text that says urine", _named(text="Magnesium, 24 h urine"), False),
    row("LOINC's abbreviation for urine", _named(display="Magnesium Ur-sCnc"), False),
    row("a text that says red cells", _named(text="RBC magnesium"), False),
    row("a text that says spinal fluid", _named(text="Mg CSF"), False),
    row("serum and urine", _named(text="Magnesium (serum and urine)"), True),
    row("free T4 by dialysis of serum", _named(display="T4 Free SerPl Dialy-mCnc", code="6892-4"), True),
    row("before dialysis", _named(text="Magnesium, pre-dialysis"), True),
    row("dialysis fluid", _named(text="Magnesium in dialysis fluid"), False),
    row("a word that begins alike", _named(text="Magnesium (Urban Hospital)"), True),
    row("a type whose code system has urine in its address",
        _typed(coding=[{"system": "https://lab.example/urine-codes", "code": "4711"}]), True),
    row("specimen: urine", _specimen("Urine, spot"), False),
    row("specimen: red cells, said with blood", _specimen("Red blood cells"), False),
    row("specimen: dialysate", _specimen("Dialysate"), False),
    row("specimen: pleural fluid", _specimen("Pleural fluid"), False),
    row("specimen: coded urine", _typed(coding=[{"system": "http://x.example/v2-0487", "code": "UR"}]), False),
    row("specimen: coded serum", _typed(coding=[{"system": "http://x.example/v2-0487", "code": "SER"}]), True),
    row("specimen: a URL that holds a word", _typed(coding=[{"system": "http://urine.example", "code": "SER"}]), True),
    row("specimen: its text", _typed(text="Erythrocytes"), False),
    row("specimen: elsewhere in the record", {**lab("magnesium", 0.4), "specimen": {"reference": "Specimen/1"}}, True),
]  # fmt: skip


@pytest.mark.parametrize(("observation", "ours"), SPECIMENS)
def test_specimens(observation: Json, ours: bool) -> None:
    assert bool(results(observation)) is ours


def test_a_component_with_the_name_of_a_test_of_urine_is_none_of_ours() -> None:
    def part(text: str) -> Json:
        code = {"coding": [{"system": LOINC, "code": "2601-3"}], "text": text}
        return {"code": code, "valueQuantity": {"value": 0.4, "unit": "mmol/L"}}

    panel = {**lab("magnesium", 0), "code": {"text": "Electrolytes"}}
    del panel["valueQuantity"]
    found = results({**panel, "component": [part("Magnesium, serum"), part("Magnesium, urine")]})
    assert [str(one.value) for one in found] == ["0.4"]


def test_a_component_without_a_code_is_none_of_ours() -> None:
    value = {"valueQuantity": {"value": 0.4, "unit": "mmol/L"}}
    panel = {**lab("magnesium", 0), "code": {"text": "Electrolytes"}}
    del panel["valueQuantity"]
    found = results(
        {**panel, "component": [value, {"code": {"coding": [{"system": LOINC, "code": "2601-3"}]}, **value}]}
    )
    assert [str(one.value) for one in found] == ["0.4"]


def test_a_drug_screen_in_urine_is_one() -> None:
    decoded = resource({**lab("3397-7", 0), "code": concept(LOINC, "3397-7", "Cocaine [Presence] in Urine")})
    assert observations.meaning_of(decoded).analyte == "cocaine-screen"


# analyte, unit, value, whether a person can have it
PLAUSIBLE = [
    row("total calcium, low", "calcium", "mmol/L", "1.2", True),
    row("an ionised calcium in meq/L read as total", "calcium", "mmol/L", "0.7", False),
    row("mg/dL called mmol/L", "calcium", "mmol/L", "9.5", False),
    row("mmol/L called mg/dL", "calcium", "mg/dL", "2.3", False),
    row("a total calcium called ionised, in mg/dL as mmol/L", "calcium-ionised", "mmol/L", "4.8", False),
    row("magnesium, mg/dL called mmol/L, cannot be told apart", "magnesium", "mmol/L", "2", True),
    row("magnesium 0.1 mmol/L", "magnesium", "mmol/L", "0.1", False),
    row("phosphate", "phosphate", "mmol/L", "1.1", True),
    row("phosphate, umol/L called mmol/L", "phosphate", "mmol/L", "1100", False),
    row("glucose", "glucose", "mg/dL", "95", True),
    row("glucose, mg/dL called mmol/L", "glucose", "mmol/L", "95", False),
    row("glucose, mmol/L called mg/dL", "glucose", "mg/dL", "5.3", False),
    row("glucose of a coma", "glucose", "mg/dL", "1200", True),
    row("creatinine", "creatinine", "mg/dL", "0.9", True),
    row("creatinine, mg/dL called umol/L", "creatinine", "umol/L", "0.9", False),
    row("creatinine, umol/L called mg/dL", "creatinine", "mg/dL", "80", False),
    row("eGFR", "egfr", "mL/min/{1.73_m2}", "8", True),
    row("eGFR of 600", "egfr", "mL/min/{1.73_m2}", "600", False),
    row("TSH suppressed to nothing", "tsh", "mIU/L", "0.00", True),
    row("TSH, uIU/mL called mIU/mL", "tsh", "m[IU]/mL", "2.5", False),
    row("free T4", "ft4", "ng/dL", "1.2", True),
    row("free T4, pmol/L called ng/dL and out of reach", "ft4", "ng/dL", "30", False),
    row("free T3", "ft3", "pg/mL", "3.1", True),
    row("free T3, negative", "ft3", "pmol/L", "-1", False),
    row("PTH", "pth", "pg/mL", "45", True),
    row("25-OH vitamin D", "vitamin-d-25-oh", "ng/mL", "22", True),
    row("25-OH vitamin D of 900 ng/mL", "vitamin-d-25-oh", "ng/mL", "900", False),
    row("potassium", "potassium", "meq/L", "4.1", True),
    row("potassium of 41", "potassium", "mmol/L", "41", False),
    row("a small premature baby", "weight", "g", "520", True),
    row("a weight in grams called kg", "weight", "kg", "3200", False),
]


@pytest.mark.parametrize(("analyte", "unit", "value", "plausible"), PLAUSIBLE)
def test_values_that_a_person_can_have(analyte: str, unit: str, value: str, plausible: bool) -> None:
    found = units.find(analyte, unit, "")
    assert isinstance(found, units.Unit)
    assert is_plausible(analyte, found.convert(D(value)), LIMITS) is plausible


# analyte, the lowest and the highest value that a person can have in its own unit, the next ones outside
EDGES = [
    row("calcium", "calcium", "0.75", "5", "0.74", "5.01"),
    row("calcium corrected for albumin", "calcium-corrected", "0.75", "5", "0.74", "5.01"),
    row("ionised calcium", "calcium-ionised", "0.40", "3", "0.39", "3.01"),
    row("magnesium", "magnesium", "0.15", "6", "0.14", "6.01"),
    row("albumin", "albumin", "5", "80", "4.9", "80.1"),
    row("potassium", "potassium", "1", "12", "0.9", "12.1"),
    row("phosphate", "phosphate", "0.05", "10", "0.04", "10.1"),
    row("glucose", "glucose", "0.4", "80", "0.39", "80.1"),
    row("creatinine", "creatinine", "5", "3000", "4.9", "3000.1"),
    row("eGFR", "egfr", "1", "250", "0.9", "250.1"),
    row("PTH", "pth", "0", "1000", "-0.1", "1000.1"),
    row("25-OH vitamin D", "vitamin-d-25-oh", "1", "2000", "0.9", "2000.1"),
    row("TSH", "tsh", "0", "1000", "-0.01", "1000.1"),
    row("free T4", "ft4", "0.1", "300", "0.09", "300.1"),
    row("free T3", "ft3", "0.1", "100", "0.09", "100.1"),
    row("weight", "weight", "0.2", "700", "0.19", "700.1"),
]


@pytest.mark.parametrize(("analyte", "lowest", "highest", "below", "above"), EDGES)
def test_the_edges_of_what_a_person_can_have(analyte: str, lowest: str, highest: str, below: str, above: str) -> None:
    asked = (lowest, highest, below, above)
    assert [is_plausible(analyte, D(one), LIMITS) for one in asked] == [True, True, False, False]


def test_every_analyte_has_limits_that_a_site_may_move() -> None:
    for analyte in units.TABLE:
        assert not is_plausible(analyte, D(-1), LIMITS)
        assert not is_plausible(analyte, D(10) ** 6, LIMITS)
    for name in (one for one in TABLE if one.endswith("_plausible")):
        assert TABLE[name].source == "[J]"
        assert TABLE[name].lowest <= TABLE[name].value <= TABLE[name].highest


# code, unit, value, result in the analyte's own unit
READ = [
    row("phosphate", "2777-1", "mg/dL", 3.5, "1.13015"),
    row("PTH", "2731-8", "pg/mL", 10, "1.061"),
    row("25-OH vitamin D", "62292-8", "ng/mL", 10, "24.96"),
    row("free T4", "3024-7", "ng/dL", 1, "12.87"),
    row("glucose", "2345-7", "mg/dL", 90.08, "5"),
    row("creatinine", "2160-0", "mg/dL", 1, "88.40"),
    row("without a unit nothing is read, whatever the code says", "14866-8", None, 5, "unit-missing"),
    row("an unknown unit is not read, whatever the code says", "14866-8", "pmol/dL", 5, "unit-unknown"),
    row("phosphate in equivalents", "2777-1", "mEq/L", 2, "unit-unknown"),
]


@pytest.mark.parametrize(("code", "unit", "value", "expected"), READ)
def test_results_in_the_units_of_the_analyte(code: str, unit: str | None, value: float, expected: str) -> None:
    (found,) = results(lab(code, value, unit))
    assert (found.problem or found.value) == (expected if found.problem else D(expected))
