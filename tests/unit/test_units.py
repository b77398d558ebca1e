"""The table of units: exact factors, every spelling that counts, and everything else refused."""

from __future__ import annotations

from decimal import Decimal

import pytest
from ucumvert import PintUcumRegistry

from plugin import units
from tests.support.rows import row
from valuesets import load

D = Decimal
CALCIUM = ("calcium", "calcium-corrected", "calcium-ionised")

# One unit in the analyte's canonical unit: clinical specification C-CA, then molar masses.
FACTORS = [
    *(row(f"{name} in mmol/L", name, "mmol/L", 1, 1) for name in (*CALCIUM, "magnesium")),
    *(row(f"{name} in mg/dL", name, "mg/dL", 1, "4.008") for name in CALCIUM),
    row("magnesium in mg/dL", "magnesium", "mg/dL", 1, "2.4305"),
    *(row(f"{name} in meq/L is half a mmol/L", name, "meq/L", 1, 2) for name in (*CALCIUM, "magnesium")),
    *(row(f"{name} in umol/L", name, "umol/L", 1, 1000) for name in (*CALCIUM, "magnesium")),
    row("potassium in mmol/L", "potassium", "mmol/L", 1, 1),
    row("potassium in meq/L is the same", "potassium", "meq/L", 1, 1),
    row("phosphate in mmol/L", "phosphate", "mmol/L", 1, 1),
    row("phosphate in mg/dL", "phosphate", "mg/dL", "0.3229", 1),
    row("albumin in g/L", "albumin", "g/L", 1, 1),
    row("albumin in g/dL", "albumin", "g/dL", 10, 1),
    row("albumin in umol/L", "albumin", "umol/L", "0.0665", 1),
    row("glucose in mmol/L", "glucose", "mmol/L", 1, 1),
    row("glucose in mg/dL", "glucose", "mg/dL", 1, "18.016"),
    row("creatinine in umol/L", "creatinine", "umol/L", 1, 1),
    row("creatinine in mg/dL", "creatinine", "mg/dL", "88.40", 1),
    row("eGFR per 1.73 m2", "egfr", "mL/min/{1.73_m2}", 1, 1),
    row("eGFR without the annotation", "egfr", "mL/min", 1, 1),
    row("PTH in pmol/L", "pth", "pmol/L", 1, 1),
    row("PTH in pg/mL", "pth", "pg/mL", "0.1061", 1),
    row("PTH in ng/L", "pth", "ng/L", "0.1061", 1),
    row("25-OH vitamin D in nmol/L", "vitamin-d-25-oh", "nmol/L", 1, 1),
    row("25-OH vitamin D in ng/mL", "vitamin-d-25-oh", "ng/mL", "2.496", 1),
    row("25-OH vitamin D in ug/L", "vitamin-d-25-oh", "ug/L", "2.496", 1),
    row("TSH in mIU/L", "tsh", "m[IU]/L", 1, 1),
    row("TSH in uIU/mL", "tsh", "u[IU]/mL", 1, 1),
    row("TSH in mIU/mL", "tsh", "m[IU]/mL", 1000, 1),
    row("free T4 in pmol/L", "ft4", "pmol/L", 1, 1),
    row("free T4 in ng/dL", "ft4", "ng/dL", "12.87", 1),
    row("free T4 in pg/mL", "ft4", "pg/mL", "1.287", 1),
    row("free T4 in ng/L", "ft4", "ng/L", "1.287", 1),
    row("free T3 in pmol/L", "ft3", "pmol/L", 1, 1),
    row("free T3 in pg/mL", "ft3", "pg/mL", 1, "0.65098"),
    row("free T3 in ng/L", "ft3", "ng/L", 1, "0.65098"),
    row("free T3 in ng/dL", "ft3", "ng/dL", 10, "0.65098"),
    row("weight in kg", "weight", "kg", 1, 1),
    row("weight in g", "weight", "g", 1, 1000),
    row("weight in pounds", "weight", "[lb_av]", "0.45359237", 1),
    row("weight in ounces", "weight", "[oz_av]", "0.028349523125", 1),
]


@pytest.mark.parametrize(("analyte", "unit", "multiply", "divide"), FACTORS)
def test_factors_are_exact(analyte: str, unit: str, multiply: object, divide: object) -> None:
    found = units.find(analyte, unit, "")
    assert isinstance(found, units.Unit)
    assert found.convert(D(1)) == D(str(multiply)) / D(str(divide))
    assert units.find(analyte, "", unit) == found


def test_every_unit_of_the_table_is_tested() -> None:
    known = {(analyte, unit) for analyte, table in units.TABLE.items() for unit in table}
    assert {one.values[:2] for one in FACTORS} == known
    assert set(units.CANONICAL) == set(units.TABLE)


def test_every_analyte_of_blood_has_units() -> None:
    analytes = {key.removeprefix("ValueSet/lab-") for key in load().resources() if key.startswith("ValueSet/lab-")}
    only_looked_for = {"cocaine-screen", "ceruloplasmin"}
    assert analytes - only_looked_for == set(units.TABLE)


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


# What laboratories write, and the unit of UCUM that it is; nothing where it is no unit or may be several.
SPELLINGS = [
    *(row(text, text, "mmol/L") for text in ("mmol/L", "mmol/l", "MMOL/L", " mmol / L ", "mmol/L\u00a0")),
    *(row(text, text, "mg/dL") for text in ("mg/dL", "mg/dl", "MG/DL", "mg%", "MG%", "mg/100 mL", "mg/100ml")),
    *(row(text, text, "meq/L") for text in ("meq/L", "mEq/L", "mEq/l", "meq/l", "MEQ/L")),
    *(row(text, text, "umol/L") for text in ("umol/L", "umol/l", "\u00b5mol/L", "\u03bcmol/l", "UMOL/L", "mcmol/L")),
    *(row(text, text, "nmol/L") for text in ("nmol/L", "NMOL/L")),
    *(row(text, text, "pmol/L") for text in ("pmol/L", "pmol/l", "PMOL/L")),
    *(row(text, text, "g/dL") for text in ("g/dL", "G/DL", "gm/dL", "g%", "g/100 mL")),
    *(row(text, text, "g/L") for text in ("g/L", "g/l", "gm/L")),
    *(row(text, text, "ng/mL") for text in ("ng/mL", "ng/ml", "NG/ML")),
    *(row(text, text, "ug/L") for text in ("ug/L", "\u00b5g/L", "\u03bcg/l", "mcg/L", "UG/L")),
    *(row(text, text, "ug/dL") for text in ("ug/dL", "mcg/dL", "MCG/DL")),
    *(row(text, text, "pg/mL") for text in ("pg/mL", "PG/ML")),
    *(row(text, text, "ng/L") for text in ("ng/L", "ng/l")),
    *(row(text, text, "ng/dL") for text in ("ng/dL", "NG/DL")),
    *(row(text, text, "m[IU]/L") for text in ("m[IU]/L", "mIU/L", "mIU/l", "miu/l", "MIU/L", "mU/L", "mu/l")),
    *(row(text, text, "u[IU]/mL") for text in ("u[IU]/mL", "uIU/mL", "\u00b5IU/mL", "\u03bcIU/ml", "UIU/ML", "mcU/mL")),
    row("UCUM's other spelling of the international unit", "u[iU]/mL", "u[IU]/mL"),
    *(row(text, text, "m[IU]/mL") for text in ("m[IU]/mL", "mIU/mL")),
    *(row(text, text, "mL/min/{1.73_m2}") for text in ("mL/min/{1.73_m2}", "mL/min/{1.73m2}", "mL/min/1.73m2",
        "ml/min/1.73 m2", "mL/min/1.73 m\u00b2", "ML/MIN/1.73M2", "mL/min/1.73m^2", "mL/min per 1.73 m2")),
    *(row(text, text, "mL/min") for text in ("mL/min", "ml/min", "ML/MIN")),
    *(row(text, text, "kg") for text in ("kg", "KG", "Kg", "kgs")),
    *(row(text, text, "g") for text in ("g", "gm", "grams")),
    *(row(text, text, "[lb_av]") for text in ("[lb_av]", "lb", "lbs", "LBS", "Lbs", "pounds")),
    row("a million moles", "Mmol/L", ""),
    row("a million grams", "Mg/dL", ""),
    row("a thousand million grams per decilitre", "Gg/dL", ""),
    row("capital M in meq", "Meq/L", ""),
    row("peta, not pico", "Pmol/L", ""),
    row("milli or micro, in capitals", "MIU/ML", ""),
    row("a million litres", "ML/min", ""),
    row("a grain or a gram", "gr", ""),
    row("titre", "{titer}", ""),
    row("words", "milligrams per decilitre", ""),
    row("nothing", "", ""),
]  # fmt: skip


@pytest.mark.parametrize(("text", "unit"), SPELLINGS)
def test_spellings(text: str, unit: str) -> None:
    assert units.ucum(text) == unit


def test_every_unit_is_spelled_in_one_way_only() -> None:
    listed = units.SPELLINGS | units.OTHERS
    written = [form for unit, more in listed.items() for one in (unit, *more) for form in set(units._written(one))]
    meant = {form: units.ucum(form) for form in written}
    assert all(
        meant[form] == unit for unit, more in listed.items() for one in (unit, *more) for form in units._written(one)
    )
    assert {unit for table in units.TABLE.values() for unit in table} == set(units.SPELLINGS)


# (code, text): what of the two counts.
PAIRS = [
    row("neither", "", "", "unit-missing"),
    row("blank", " ", "\t", "unit-missing"),
    row("code alone", "mg/dL", "", "4.008"),
    row("text alone", "", "mg/dL", "4.008"),
    row("both the same", "mg/dL", "MG/DL", "4.008"),
    row("text in other words", "mg/dL", "milligrams per decilitre", "4.008"),
    row("both known and different", "mmol/L", "mg/dL", "unit-unknown"),
    row("text is a unit of another analyte", "mmol/L", "g/dL", "unit-unknown"),
    row("text is a unit of none", "mg/dL", "mg/L", "unit-unknown"),
    row("code not known, text known", "mmol/dL", "mmol/L", "unit-unknown"),
    row("code of one, not known", "1", "", "unit-unknown"),
]


@pytest.mark.parametrize(("code", "text", "expected"), PAIRS)
def test_code_and_text(code: str, text: str, expected: str) -> None:
    found = units.find("calcium", code, text)
    assert (str(found.divide) if isinstance(found, units.Unit) else found) == expected


REFUSED = [
    *(row(f"calcium in {unit}", "calcium", unit) for unit in ("mg/L", "g/L", "g%", "mcg/dL", "mmol", "mol/L", "%")),
    *(row(f"calcium in {unit}", "calcium", unit) for unit in ("mmol/kg", "mg/24h", "[pH]", "mval/L", "nmol/L", "g/dL")),
    *(row(f"albumin in {unit}", "albumin", unit) for unit in ("mg/dL", "mmol/L", "mg/L", "%", "meq/L", "mg/g")),
    *(row(f"magnesium in {unit}", "magnesium", unit) for unit in ("mg", "g/dL", "mmol/d", "mg/L")),
    *(
        row(f"phosphate in {unit}, whose charge is not fixed", "phosphate", unit)
        for unit in ("meq/L", "mEq/L", "MEQ/L")
    ),
    *(row(f"potassium in {unit}", "potassium", unit) for unit in ("mg/dL", "umol/L")),
    *(row(f"glucose in {unit}", "glucose", unit) for unit in ("mg/L", "g/L", "meq/L")),
    *(row(f"creatinine in {unit}", "creatinine", unit) for unit in ("mg/L", "mg/g", "mL/min")),
    *(row(f"25-OH vitamin D in {unit}", "vitamin-d-25-oh", unit) for unit in ("pg/mL", "ng/dL", "[IU]/L")),
    *(row(f"TSH in {unit}", "tsh", unit) for unit in ("ng/mL", "[IU]/mL", "IU/L", "MIU/ML", "pmol/L")),
    *(row(f"free T4 in {unit}", "ft4", unit) for unit in ("nmol/L", "ug/dL", "ng/mL")),
    *(row(f"PTH in {unit}", "pth", unit) for unit in ("pg/dL", "ng/dL", "mIU/L")),
    *(row(f"eGFR in {unit}", "egfr", unit) for unit in ("mL", "L/min", "mg/dL", "mL/s")),
    row("weight in stones", "weight", "[stone_av]"),
]


@pytest.mark.parametrize(("analyte", "unit"), REFUSED)
def test_any_other_unit_is_unusable(analyte: str, unit: str) -> None:
    assert units.find(analyte, unit, unit) == "unit-unknown"


# An independent judge: ucumvert, which knows UCUM. It has no molar masses: rows from mass to amount of substance are
# checked against IUPAC's atomic weights as well. It is not asked about meq: UCUM takes an equivalent for a mole, and so
# meq/L of an ion of charge two would count double (the last test here shows it).
REGISTRY = PintUcumRegistry()
ATOMS = {"H": 1.008, "C": 12.011, "N": 14.007, "O": 15.999, "P": 30.974, "Ca": 40.078, "Mg": 24.305, "I": 126.904}
FORMULAS = {
    "calcium": {"Ca": 1},
    "calcium-corrected": {"Ca": 1},
    "calcium-ionised": {"Ca": 1},
    "magnesium": {"Mg": 1},
    "phosphate": {"P": 1},  # laboratories report phosphate as phosphorus
    "glucose": {"C": 6, "H": 12, "O": 6},
    "creatinine": {"C": 4, "H": 7, "N": 3, "O": 1},
    "vitamin-d-25-oh": {"C": 27, "H": 44, "O": 2},
    "ft4": {"C": 15, "H": 11, "I": 4, "N": 1, "O": 4},
    "ft3": {"C": 15, "H": 12, "I": 3, "N": 1, "O": 4},
}
MASSES = {
    "pth": 9425.0,
    "albumin": 66500.0,
    **{name: sum(ATOMS[atom] * count for atom, count in atoms.items()) for name, atoms in FORMULAS.items()},
}
UCUM_CANONICAL = {"egfr": "mL/min", "tsh": "m[IU]/L"}
CONVERSIONS = [
    row(f"{analyte} in {unit}", analyte, unit) for analyte, table in units.TABLE.items() for unit in table
    if unit != "meq/L"
]  # fmt: skip


def _to(unit: str, canonical: str, grams_per_mole: float | None) -> float:
    """One ``unit`` in ``canonical`` by ucumvert and pint; the molar mass is used where the two differ in kind."""
    amount, wanted = REGISTRY.from_ucum(unit), REGISTRY.from_ucum(canonical).units
    if amount.dimensionality != (1 * wanted).dimensionality:
        assert grams_per_mole is not None
        mass = grams_per_mole * REGISTRY.from_ucum("g/mol")
        amount = amount / mass if "[mass]" in amount.dimensionality else amount * mass
    return float(amount.to(wanted).magnitude)


@pytest.mark.parametrize(("analyte", "unit"), CONVERSIONS)
def test_conversions_agree_with_ucum(analyte: str, unit: str) -> None:
    found = units.find(analyte, unit, "")
    assert isinstance(found, units.Unit)
    canonical = UCUM_CANONICAL.get(analyte, units.CANONICAL[analyte])
    expected = _to(unit, canonical, MASSES.get(analyte))
    same_kind = REGISTRY.from_ucum(unit).dimensionality == REGISTRY.from_ucum(canonical).dimensionality
    # Pure rows agree to the last digit of a float, the others to the digits in which laboratories publish factors.
    assert float(found.convert(D(1))) == pytest.approx(expected, rel=1e-12 if same_kind else 5e-4)


@pytest.mark.parametrize("analyte", [*CALCIUM, "magnesium"])
def test_equivalents_do_not_agree_with_ucum_which_does_not_know_the_charge(analyte: str) -> None:
    """Why the table is our own: UCUM's eq is a mole, so that meq/L would count double for ions of charge two."""
    found = units.find(analyte, "meq/L", "")
    assert isinstance(found, units.Unit)
    assert found.convert(D(1)) == D("0.5")
    assert _to("meq/L", "mmol/L", None) == pytest.approx(1.0)
