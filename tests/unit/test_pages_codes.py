"""The codes, units and dates of the invented patients and orders: those that FHIR, UCUM and the terminologies have."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime, timedelta
from typing import Any

import pytest

from plugin.samples import CONDITIONS, ORDERS, PATIENTS, SampleOrder, SamplePatient
from plugin.samples.chart import Chart, ml_per_minute, mmol_per_litre, pmol_per_litre
from tests.support.stories import NOW, built

Json = dict[str, Any]

HL7 = "http://terminology.hl7.org/CodeSystem"
# What the elements with a closed list of words say, by resource.
WORDS = {
    "status": {
        "Encounter": {"in-progress"},
        "MedicationAdministration": {"completed"},
        "MedicationDispense": {"completed"},
        "MedicationRequest": {"active"},
        "Observation": {"final"},
    },
    "intent": {"MedicationRequest": {"order"}},
    "gender": {"Patient": {"male", "female"}},
    "type": {"AllergyIntolerance": {"intolerance"}},
}
# System of a coding -> its codes, where the list is short; every other system is looked up.
CODES = {
    f"{HL7}/condition-clinical": {"active"},
    f"{HL7}/condition-ver-status": {"confirmed"},
    f"{HL7}/allergyintolerance-clinical": {"active"},
    f"{HL7}/allergyintolerance-verification": {"confirmed"},
    f"{HL7}/observation-category": {"laboratory"},
    f"{HL7}/v3-ActCode": {"IMP", "EMER"},
}
KNOWN = {
    "http://hl7.org/fhir/sid/icd-10-cm",
    "http://loinc.org",
    "http://snomed.info/sct",
    "http://www.nlm.nih.gov/research/umls/rxnorm",
}
# Code of a unit -> how it is written for people.
UNITS = {
    "mg": "mg",
    "d": "days",
    "s": "s",
    "mmol/L": "mmol/L",
    "pmol/L": "pmol/L",
    "mL/min/{1.73_m2}": "mL/min/1.73m2",
}

each_patient = pytest.mark.parametrize("sample", PATIENTS, ids=lambda sample: sample.id)


def parts(value: Any) -> Iterator[Json]:
    """Every object inside a value."""
    if isinstance(value, dict):
        yield value
    for inner in value.values() if isinstance(value, dict) else value if isinstance(value, list) else ():
        yield from parts(inner)


def check(found: Any) -> None:
    for part in parts(found):
        if {"value", "unit", "code"} <= part.keys():
            assert part["system"] == "http://unitsofmeasure.org"
            assert UNITS.get(part["code"]) == part["unit"]
        elif {"system", "code"} <= part.keys():
            assert part["system"] in KNOWN | CODES.keys()
            assert part["code"] in CODES.get(part["system"], {part["code"]})


@each_patient
def test_words_and_codes_of_a_record(sample: SamplePatient) -> None:
    for part in parts(built(sample)):
        if (kind := part.get("resourceType")) in {None, "Bundle"}:
            continue
        for element, words in WORDS.items():
            assert part.get(element) in words.get(kind, {None})
        check(part)


def test_a_search_that_failed_says_so() -> None:
    failed = built(next(sample for sample in PATIENTS if sample.id == "otto-outage"))
    (outcome,) = [value for value in failed.values() if value["resourceType"] == "OperationOutcome"]
    (issue,) = outcome["issue"]
    assert (issue["severity"], issue["code"]) == ("error", "timeout")
    assert issue["diagnostics"] == "The laboratory system did not answer."


@pytest.mark.parametrize("item", [*ORDERS, *CONDITIONS], ids=lambda item: item.id)
def test_codes_of_what_is_ordered_and_entered(item: Any) -> None:
    check(item.resource)


@pytest.mark.parametrize("item", ORDERS, ids=lambda item: item.id)
def test_a_coded_drug_is_named_as_its_code_is(item: SampleOrder) -> None:
    drug = item.resource["medicationCodeableConcept"]
    for coding in drug.get("coding", ()):
        assert coding["system"].endswith("/rxnorm")
        assert coding["code"].isdigit()
        assert coding["display"] == drug["text"]


AT = datetime.fromisoformat("2028-02-29T12:00:00+00:00")
CHART = Chart("p", AT)
STAMP = "2028-02-27T12:00:00+00:00"
DRUG, DOSE = {"text": "drug"}, {"text": "dose"}
WRITTEN = [
    (CHART.ago(days=2), STAMP),
    (CHART.ago(hours=3), "2028-02-29T09:00:00+00:00"),
    (CHART.ago(days=1, hours=1), "2028-02-28T11:00:00+00:00"),
    (CHART.request("k", DRUG, DOSE, 2)["authoredOn"], STAMP),
    (CHART.dispense("k", DRUG, 2, 30)["whenHandedOver"], STAMP),
    (CHART.dispense("k", DRUG, 2, 30)["daysSupply"]["value"], 30),
    (CHART.administration("k", DRUG, 48)["effectiveDateTime"], STAMP),
    (CHART.condition("k", DRUG, days=2)["recordedDate"], STAMP),
    (CHART.condition("k", DRUG, hours=48)["recordedDate"], STAMP),
    (CHART.reaction("k", DRUG, DOSE, 2)["recordedDate"], STAMP),
    (CHART.reaction("k", DRUG, DOSE, 2)["reaction"], [{"manifestation": [DOSE], "onset": STAMP}]),
    (CHART.result("k", DRUG, mmol_per_litre(2), 48)["effectiveDateTime"], STAMP),
    (CHART.encounter("IMP", 48)["period"], {"start": STAMP}),
    (CHART.encounter("IMP", 48)["class"]["display"], "inpatient encounter"),
    (CHART.encounter("EMER", 48)["class"]["display"], "emergency"),
    (CHART.said("k", "name", "words", 2)["valueString"], "words"),
    (CHART.said("k", "name", "words", 2)["code"], {"text": "name"}),
    (CHART.said("k", "name", "words", 2)["effectiveDateTime"], STAMP),
    (CHART.lasting("k", "name", 30, 2)["valueQuantity"]["value"], 30),
    (CHART.lasting("k", "name", 30, 2)["effectiveDateTime"], STAMP),
    (CHART.patient("Ann", "Made", "female", 20)["name"], [{"family": "Made", "given": ["Ann"]}]),
    (ml_per_minute(30)["value"], 30),
    (pmol_per_litre(1.5)["value"], 1.5),
]


@pytest.mark.parametrize(("found", "expected"), WRITTEN)
def test_what_a_chart_writes(found: Any, expected: Any) -> None:
    assert found == expected


def test_the_laboratorys_own_range_is_in_the_unit_of_the_value() -> None:
    made = CHART.result("k", DRUG, pmol_per_litre(1), 1, (1.6, 6.9))
    assert made["referenceRange"] == [{"low": pmol_per_litre(1.6), "high": pmol_per_litre(6.9)}]
    assert "referenceRange" not in CHART.result("k", DRUG, pmol_per_litre(1), 1)


@pytest.mark.parametrize("years", [0.5, 1, 20, 80.5])
def test_a_birthday_lies_some_months_back_so_that_the_age_stays_for_a_while(years: float) -> None:
    born = datetime.fromisoformat(CHART.patient("Ann", "Made", "female", years)["birthDate"])
    assert AT.date() - born.date() == timedelta(days=round(years * 365.2425) + 100)


@each_patient
def test_a_patient_has_the_name_that_is_shown(sample: SamplePatient) -> None:
    (name,) = built(sample)["patient"]["name"]
    assert f"{' '.join(name['given'])} {name['family']}" == sample.name.split(", ")[0]


@each_patient
def test_ids_begin_with_the_patients_own(sample: SamplePatient) -> None:
    for key, value in built(sample, NOW).items():
        entries = value.get("entry", []) if value["resourceType"] == "Bundle" else []
        for entry in entries:
            resource = entry["resource"]
            if resource["resourceType"] != "OperationOutcome":
                assert resource["id"].startswith(f"{sample.id}-"), key
