"""The table of units: exact factors, every spelling that counts, and everything else refused."""

from __future__ import annotations

from decimal import Decimal

import pytest
from ucumvert import PintUcumRegistry

from plugin import units
from tests.support.rows import row

D = Decimal
CALCIUM = ("calcium", "calcium-corrected", "calcium-ionised")

# One unit of each spelling in the analyte's canonical unit (clinical specification C-CA).
FACTORS = [
    *(row(f"{name} in mmol/L", name, "mmol/L", 1, 1) for name in (*CALCIUM, "magnesium")),
    *(row(f"{name} in mg/dL", name, "mg/dL", 1, "4.008") for name in CALCIUM),
    row("magnesium in mg/dL", "magnesium", "mg/dL", 1, "2.4305"),
    *(row(f"{name} in meq/L is half a mmol/L", name, "meq/L", 1, 2) for name in (*CALCIUM, "magnesium")),
    *(row(f"{name} in umol/L", name, "umol/L", 1, 1000) for name in (*CALCIUM, "magnesium")),
    row("potassium in mmol/L", "potassium", "mmol/L", 1, 1),
    row("potassium in meq/L is the same", "potassium", "meq/L", 1, 1),
    row("albumin in g/L", "albumin", "g/L", 1, 1),
    row("albumin in g/dL", "albumin", "g/dL", 10, 1),
    row("albumin in umol/L", "albumin", "umol/L", "0.0665", 1),
    row("weight in kg", "weight", "kg", 1, 1),
    row("weight in g", "weight", "g", 1, 1000),
    row("weight in pounds", "weight", "[lb_av]", "0.45359237", 1),
    row("eGFR", "egfr", "mL/min/{1.73_m2}", 1, 1),
    row("TSH in mIU/L", "tsh", "m[IU]/L", 1, 1),
    row("TSH in uIU/mL", "tsh", "u[IU]/mL", 1, 1),
]


@pytest.mark.parametrize(("analyte", "unit", "multiply", "divide"), FACTORS)
def test_factors_are_exact(analyte: str, unit: str, multiply: object, divide: object) -> None:
    found = units.find(analyte, unit, "")
    assert isinstance(found, units.Unit)
    assert found.convert(D(1)) == D(str(multiply)) / D(str(divide))
    assert units.find(analyte, "", unit) == found


def test_every_unit_of_the_table_is_tested() -> None:
    tested = {(one.values[0], "".join(one.values[1].split()).lower()) for one in FACTORS}
    same = {("weight", "lb"), ("weight", "lbs"), ("weight", "[oz_av]")}
    known = {(analyte, unit) for analyte, table in units.TABLE.items() for unit in table}
    spellings = {(a, u) for a, u in known if a in {"egfr", "tsh"}} | same
    assert known - tested - spellings == set()


# Boundaries in the units in which laboratories report them: exact decimals, no rounding before the comparison.
BOUNDARIES = [
    row("7.6 mg/dL is below 1.90", "calcium", "7.6", "mg/dL", "1.90", True),
    row("7.6152 mg/dL is exactly 1.90", "calcium", "7.6152", "mg/dL", "1.90", False),
    row("8.5 mg/dL is not below 2.12", "calcium", "8.5", "mg/dL", "2.12", False),
    row("8.49696 mg/dL is exactly 2.12", "calcium", "8.49696", "mg/dL", "2.12", False),
    row("8.49695 mg/dL is below 2.12", "calcium", "8.49695", "mg/dL", "2.12", True),
    row("3.8 meq/L is exactly 1.90", "calcium", "3.8", "meq/L", "1.90", False),
    row("1.4583 mg/dL of magnesium is exactly 0.60", "magnesium", "1.4583", "mg/dL", "0.60", False),
    row("1.4 meq/L of magnesium is exactly 0.70", "magnesium", "1.4", "meq/L", "0.70", False),
    row("1.21525 mg/dL of magnesium is exactly 0.50", "magnesium", "1.21525", "mg/dL", "0.50", False),
    row("1.99 g/dL of albumin is below 20", "albumin", "1.99", "g/dL", "20", True),
]


@pytest.mark.parametrize(("analyte", "value", "unit", "limit", "below"), BOUNDARIES)
def test_boundaries(analyte: str, value: str, unit: str, limit: str, below: bool) -> None:
    found = units.find(analyte, unit, "")
    assert isinstance(found, units.Unit)
    assert (found.convert(D(value)) < D(limit)) is below


SPELLINGS = [
    *("mmol/L", "mmol/l", "MMOL/L", " mmol / L ", "mmol/L "),
    *("mg/dL", "mg/dl", "MG/DL"),
    *("meq/L", "mEq/L", "MEQ/L"),
    *("umol/L", "µmol/L", "μmol/L"),
]


@pytest.mark.parametrize("text", SPELLINGS)
def test_spellings(text: str) -> None:
    assert isinstance(units.find("calcium", "", text), units.Unit)


# (code, text): what of the two counts.
PAIRS = [
    row("neither", "", "", "unit-missing"),
    row("blank", " ", "\t", "unit-missing"),
    row("code alone", "mg/dL", "", "4.008"),
    row("text alone", "", "mg/dL", "4.008"),
    row("both the same", "mg/dL", "MG/DL", "4.008"),
    row("text in other words", "mg/dL", "milligrams per decilitre", "4.008"),
    row("both known and different", "mmol/L", "mg/dL", "unit-unknown"),
    row("code not known, text known", "mmol/dL", "mmol/L", "unit-unknown"),
    row("code of one, not known", "1", "", "unit-unknown"),
]


@pytest.mark.parametrize(("code", "text", "expected"), PAIRS)
def test_code_and_text(code: str, text: str, expected: str) -> None:
    found = units.find("calcium", code, text)
    assert (str(found.divide) if isinstance(found, units.Unit) else found) == expected


REFUSED = [
    *(row(f"calcium in {unit}", "calcium", unit) for unit in ("mg/L", "g/L", "mg%", "mg/100mL", "mmol", "mol/L", "%")),
    *(row(f"calcium in {unit}", "calcium", unit) for unit in ("mmol/kg", "mg/24h", "[pH]", "mval/L", "nmol/L", "g/dL")),
    *(row(f"albumin in {unit}", "albumin", unit) for unit in ("mg/dL", "mmol/L", "mg/L", "%", "meq/L", "mg/g")),
    *(row(f"magnesium in {unit}", "magnesium", unit) for unit in ("mg", "g/dL", "mmol/d", "mg/L")),
    *(row(f"eGFR in {unit}", "egfr", unit) for unit in ("mL", "L/min", "mg/dL", "mL/s")),
    row("weight in stones", "weight", "[stone_av]"),
]


@pytest.mark.parametrize(("analyte", "unit"), REFUSED)
def test_any_other_unit_is_unusable(analyte: str, unit: str) -> None:
    assert units.find(analyte, unit, unit) == "unit-unknown"


# An independent judge: ucumvert, which knows UCUM, together with molar masses (Ca 40.08, Mg 24.305 g/mol).
MOLAR_MASS = {"calcium": 40.08, "magnesium": 24.305}
REGISTRY = PintUcumRegistry()


def _amount(unit: str) -> float:
    return float(REGISTRY.from_ucum(unit).to("mmol/L").magnitude)


@pytest.mark.parametrize("analyte", ["calcium", "magnesium"])
@pytest.mark.parametrize("unit", ["mmol/L", "umol/L"])
def test_molar_units_agree_with_ucum(analyte: str, unit: str) -> None:
    found = units.find(analyte, unit, "")
    assert isinstance(found, units.Unit)
    assert float(found.convert(D(1))) == pytest.approx(_amount(unit))


@pytest.mark.parametrize("analyte", ["calcium", "magnesium"])
def test_mass_units_agree_with_ucum_and_the_molar_mass(analyte: str) -> None:
    milligrams_per_litre = float(REGISTRY.from_ucum("mg/dL").to("mg/L").magnitude)
    found = units.find(analyte, "mg/dL", "")
    assert isinstance(found, units.Unit)
    assert float(found.convert(D(1))) == pytest.approx(milligrams_per_litre / MOLAR_MASS[analyte])


def test_albumin_and_weight_agree_with_ucum() -> None:
    for analyte, unit, canonical in (("albumin", "g/dL", "g/L"), ("weight", "[lb_av]", "kg"), ("weight", "g", "kg"),
                                     ("weight", "[oz_av]", "kg")):  # fmt: skip
        found = units.find(analyte, unit, "")
        assert isinstance(found, units.Unit)
        expected = REGISTRY.from_ucum(unit).to(canonical).magnitude
        assert float(found.convert(D(1))) == pytest.approx(float(expected))


@pytest.mark.parametrize("analyte", ["calcium", "magnesium"])
def test_equivalents_do_not_agree_with_ucum_which_does_not_know_the_charge(analyte: str) -> None:
    """Why the table is our own: UCUM's eq is a mole, so that meq/L would count double for ions of charge two."""
    found = units.find(analyte, "meq/L", "")
    assert isinstance(found, units.Unit)
    assert found.convert(D(1)) == D("0.5")
    assert _amount("meq/L") == pytest.approx(1.0)
