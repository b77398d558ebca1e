"""Strengths and frequencies in a drug's text: read where they are plain, left alone where they are not."""

from __future__ import annotations

from decimal import Decimal

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.support.rows import row
from valuesets import load

# text, value, unit, per value, per unit
STRENGTHS = [
    row("tablet", "Haloperidol 5 mg tablet", "5", "mg", None, ""),
    row("no space", "HALOPERIDOL 5MG", "5", "mg", None, ""),
    row("solution", "HALOPERIDOL LACTATE 5 MG/ML IJ SOLN", "5", "mg", "1", "ml"),
    row("per five millilitres", "Metoclopramide 5 MG/5ML PO SOLN", "5", "mg", "5", "ml"),
    row("per a tenth", "haloperidol 0.5 mg/0.1 mL", "0.5", "mg", "0.1", "ml"),
    row("in words", "haloperidol 5 mg per ml", "5", "mg", "1", "ml"),
    row("two spellings of one strength", "PROCHLORPERAZINE EDISYLATE 10 MG/2 ML (5 MG/ML) INJECTION SOLUTION",
        "5", "mg", "1", "ml"),
    row("decimal comma", "Risperidon 0,5 mg Filmtabletten", "0.5", "mg", None, ""),
    row("German drops, by maker", "Haloperidol-neuraxpharm 2 mg/ml Tropfen", "2", "mg", "1", "ml"),
    row("micrograms", "digoxin 125 micrograms tablet", "0.125", "mg", None, ""),
    row("micro sign", "levothyroxine 50 µg", "0.05", "mg", None, ""),
    row("Greek letter", "levothyroxine 50 μg", "0.05", "mg", None, ""),
    row("square sign for milligram", "haloperidol 5 ㎎", "5", "mg", None, ""),
    row("grams", "magnesium sulfate 2 g IV", "2000", "mg", None, ""),
    row("units", "Lantus 100 units/mL", "100", "unt", "1", "ml"),
    row("per hour", "scopolamine 0.013 mg/h patch", "0.013", "mg", "1", "h"),
    row("brand after the generic name", "metoclopramide (Reglan) 10 mg tablet", "10", "mg", None, ""),
    row("per tablet", "metoclopramide 10 mg/tablet", "10", "mg", None, ""),
    row("misspelt name", "haloperidl 5 mg", "5", "mg", None, ""),
]  # fmt: skip


@pytest.mark.parametrize(("text", "value", "unit", "per_value", "per_unit"), STRENGTHS)
def test_strengths(text: str, value: str, unit: str, per_value: str | None, per_unit: str) -> None:
    match = load().match_text(text)
    (found,) = match.strengths
    assert found.ingredient_rxcui == match.ingredients[0].rxcui
    assert (str(found.value), found.unit, found.per_unit) == (value, unit, per_unit)
    assert found.per_value == (None if per_value is None else Decimal(per_value))


NOT_PLAIN = [
    row("none", "haloperidol"),
    row("two ingredients", "perphenazine/amitriptyline 2 mg"),
    row("amounts of a combination", "promethazine-codeine 6.25-10 mg/5 mL"),
    row("a second drug before the amount", "promethazine with codeine 10 mg"),
    row("another drug's amount", "fentanyl 72 mcg/h; haloperidol"),
    row("another drug's amount after the name", "haloperidol, fentanyl 72 mcg/h"),
    row("a brand of a combination", "Tylenol PM 500 mg"),
    row("a brand of a combination, by its name", "Lybalvi 5 mg"),
    row("range", "haloperidol 5-10 mg"),
    row("range with spaces", "haloperidol 5 - 10 mg"),
    row("range with a long dash", "haloperidol 5\u201310 mg"),
    row("range in words", "haloperidol 5 mg to 10 mg"),
    row("strength and dose differ", "haloperidol 5 mg tablet, 10 mg"),
    row("a fraction", "haloperidol 1/2 mg"),
    row("a fraction in one character", "haloperidol ½ mg"),
    row("by weight", "haloperidol 0.1 mg/kg"),
    row("a day", "haloperidol 5 mg/day"),
    row("thousands or decimals", "haloperidol 1,000 mg"),
    row("thousands or decimals, German", "haloperidol 1.000 mg"),
    row("at most", "haloperidol <5 mg"),
    row("zero", "haloperidol 0 mg"),
    row("an unknown denominator", "scopolamine 1 mg/3 days"),
    row("a volume alone", "haloperidol 5 ml"),
    row("a list", "haloperidol " + "5 mg " * 20),
]


@pytest.mark.parametrize("text", NOT_PLAIN)
def test_strengths_that_are_not_plain(text: str) -> None:
    match = load().match_text(text)
    assert match.ingredients
    assert match.strengths == ()


FREQUENCIES = [
    row("BID", "haloperidol 2 mg PO BID", "BID"),
    row("b.i.d.", "haloperidol 2 mg p.o. b.i.d.", "BID"),
    row("UK, bd", "haloperidol 2 mg bd", "BID"),
    row("twice daily", "haloperidol 2 mg twice daily", "BID"),
    row("TID", "haloperidol 2 mg TID", "TID"),
    row("UK, tds", "haloperidol 2 mg tds", "TID"),
    row("three times a day", "haloperidol 2 mg three times a day", "TID"),
    row("QID", "metoclopramide 10 mg QID", "QID"),
    row("Q6H", "metoclopramide 10 mg Q6H", "Q6H"),
    row("every 6 hours", "metoclopramide 10 mg every 6 hours", "Q6H"),
    row("every six hours", "metoclopramide 10 mg every six hours", "Q6H"),
    row("6 hourly", "metoclopramide 10 mg 6 hourly", "Q6H"),
    row("daily", "haloperidol 2 mg daily", "QD"),
    row("nightly", "haloperidol 2 mg nightly", "QHS"),
    row("daily at bedtime", "haloperidol 2 mg daily at bedtime", "QHS"),
    row("as needed", "haloperidol 2 mg as needed", "PRN"),
    row("six-hourly as needed", "metoclopramide 10 mg q6h PRN nausea", "Q6H PRN"),
    row("every 4 weeks", "Haldol decanoate 100 mg IM every 4 weeks", "Q4W"),
    row("monthly", "Haldol decanoate 100 mg IM monthly", "MO"),
    row("every other day", "haloperidol 2 mg every other day", "QOD"),
    row("morning and night are two", "haloperidol 1 mg qam and 2 mg qhs", ""),
    row("a range of hours", "haloperidol 2 mg q4-6h", ""),
    row("none", "haloperidol 2 mg", ""),
]


@pytest.mark.parametrize(("text", "expected"), FREQUENCIES)
def test_frequencies(text: str, expected: str) -> None:
    assert load().match_text(text).frequency == expected


@settings(derandomize=True, max_examples=200, deadline=None)
@given(st.decimals("0.001", "9999", places=3), st.sampled_from(["mg", "MG", " mg", " mg/mL", "mg/5 ml", " mcg"]))
def test_a_strength_is_exact_or_absent(value: Decimal, unit: str) -> None:
    for found in load().match_text(f"haloperidol {value.normalize():f}{unit}").strengths:
        assert found.value == value * (Decimal("0.001") if "mcg" in unit else 1)


@settings(derandomize=True, max_examples=300, deadline=None)
@given(st.text(max_size=60), st.text(max_size=60))
def test_any_text_is_read_without_failing_and_alike_each_time(before: str, behind: str) -> None:
    text = f"{before} haloperidol {behind}"
    assert load().match_text(text) == load().match_text(text)
