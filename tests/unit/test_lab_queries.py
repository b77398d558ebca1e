"""What prefetch keys ask for; glucose has a key of its own, so that it does not crowd out the other results."""

from __future__ import annotations

from collections.abc import Callable
from types import SimpleNamespace
from typing import cast

import msgspec
import pytest

from plugin import vocabulary
from plugin.desk.tokens import lab_tokens
from plugin.needs import keys_of, template
from plugin.vocabulary import terminology
from valuesets import Terminology, load


def _analytes(key: str) -> set[str | None]:
    query = template(key).split("&code=", 1)[1].split("&", 1)[0]
    return {terminology().analyte(*token.split("|", 1)) for token in query.split(",")}


OF = "patient={{context.patientId}}"


@pytest.mark.parametrize(
    ("key", "query"),
    [
        ("patient", "Patient/{{context.patientId}}"),
        ("encounter", "Encounter/{{context.encounterId}}"),
        ("allergies", f"AllergyIntolerance?{OF}&_count=200"),
        ("conditions", f"Condition?{OF}&_count=200"),
        ("medications", f"MedicationRequest?{OF}&_sort=-authoredon&_count=200"),
        ("procedures", f"Procedure?{OF}&_sort=-date&_count=200"),
    ],
)
def test_what_is_asked_for(key: str, query: str) -> None:
    assert template(key) == query


def test_glucose_stands_apart() -> None:
    assert _analytes("glucose") == {"glucose"}
    assert "glucose" not in _analytes("observations")
    assert {"pth", "phosphate", "tsh"} <= _analytes("observations")


def test_only_the_hooks_that_read_glucose_ask_for_it() -> None:
    assert "glucose" in keys_of("patient-view")
    assert "glucose" not in keys_of("order-sign")


# A site that added two laboratory codes, and struck one out.
ANALYTES = {("urn:lab", "CA"): "calcium", ("urn:lab", "GLU"): "glucose", ("urn:lab", "OLD"): ""}


def test_a_sites_own_codes_are_asked_for_under_their_key() -> None:
    before = terminology()
    vocabulary.use(load(msgspec.structs.replace(before.overlay, analytes=ANALYTES, version="1")))
    try:
        observations, glucose = template("observations"), template("glucose")
    finally:
        vocabulary.use(before)
    assert (",urn:lab|CA&" in observations, "urn:lab|GLU" in observations) == (True, False)
    assert (",urn:lab|GLU&" in glucose, "urn:lab|CA" in glucose) == (True, False)
    assert "urn:lab|OLD" not in observations + glucose


@pytest.mark.parametrize(
    ("wanted", "tokens"),
    [
        (bool, ["urn:lab|CA", "urn:lab|GLU"]),
        (lambda analyte: analyte == "glucose", ["urn:lab|GLU"]),
        (lambda analyte: analyte != "glucose", ["urn:lab|CA"]),
    ],
)
def test_local_codes_go_where_they_belong(wanted: Callable[[str], bool], tokens: list[str]) -> None:
    site = msgspec.structs.replace(terminology().overlay, analytes=ANALYTES)
    own = SimpleNamespace(overlay=site)
    assert lab_tokens(cast("Terminology", own), wanted) == tokens
