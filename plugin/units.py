"""The closed table of units per analyte, in exact decimals. A unit that is not here makes a result unreadable.

Factors: clinical specification C-CA and B84 for calcium, magnesium, phosphate, glucose and albumin (Ca 40.08, Mg 24.305
g/mol). The others follow from molar masses: creatinine 113.12, intact PTH 9425, 25-hydroxyvitamin D3 400.64, T4 776.87,
T3 650.98 g/mol. No unit is ever guessed from a code, and no property of LOINC stands in for a unit.
"""

from __future__ import annotations

import unicodedata
from collections.abc import Iterator
from decimal import Decimal
from functools import lru_cache

import msgspec

D = Decimal
Factor = tuple[int | Decimal, Decimal]

ONE: Factor = (1, D(1))
_CALCIUM: dict[str, Factor] = {
    "mmol/L": ONE,
    "mg/dL": (1, D("4.008")),
    "meq/L": (1, D(2)),
    "umol/L": (1, D(1000)),
}
_MAGNESIUM: dict[str, Factor] = {
    "mmol/L": ONE,
    "mg/dL": (1, D("2.4305")),
    "meq/L": (1, D(2)),
    "umol/L": (1, D(1000)),
}

TABLE: dict[str, dict[str, Factor]] = {
    "calcium": _CALCIUM,
    "calcium-corrected": _CALCIUM,
    "calcium-ionised": _CALCIUM,
    "magnesium": _MAGNESIUM,
    "potassium": {"mmol/L": ONE, "meq/L": ONE},
    # No equivalents: the charge of phosphate depends on the pH.
    "phosphate": {"mmol/L": ONE, "mg/dL": (D("0.3229"), D(1))},
    "albumin": {"g/L": ONE, "g/dL": (10, D(1)), "umol/L": (D("0.0665"), D(1))},
    "glucose": {"mmol/L": ONE, "mg/dL": (1, D("18.016"))},
    "creatinine": {"umol/L": ONE, "mg/dL": (D("88.40"), D(1))},
    # UCUM gives an annotation no meaning; that the rate is per 1.73 m2 is said by the tests of this analyte.
    "egfr": {"mL/min/{1.73_m2}": ONE, "mL/min": ONE},
    "pth": {"pmol/L": ONE, "pg/mL": (D("0.1061"), D(1)), "ng/L": (D("0.1061"), D(1))},
    "vitamin-d-25-oh": {"nmol/L": ONE, "ng/mL": (D("2.496"), D(1)), "ug/L": (D("2.496"), D(1))},
    "tsh": {"m[IU]/L": ONE, "u[IU]/mL": ONE, "m[IU]/mL": (1000, D(1))},
    "ft4": {"pmol/L": ONE, "ng/dL": (D("12.87"), D(1)), "pg/mL": (D("1.287"), D(1)), "ng/L": (D("1.287"), D(1))},
    "ft3": {
        "pmol/L": ONE,
        "pg/mL": (1, D("0.65098")),
        "ng/L": (1, D("0.65098")),
        "ng/dL": (10, D("0.65098")),
    },
    "weight": {
        "kg": ONE,
        "g": (1, D(1000)),
        "[lb_av]": (D("0.45359237"), D(1)),
        "[oz_av]": (D("0.028349523125"), D(1)),
    },
}

CANONICAL = {
    "calcium": "mmol/L",
    "calcium-corrected": "mmol/L",
    "calcium-ionised": "mmol/L",
    "magnesium": "mmol/L",
    "potassium": "mmol/L",
    "phosphate": "mmol/L",
    "albumin": "g/L",
    "glucose": "mmol/L",
    "creatinine": "umol/L",
    "egfr": "mL/min/1.73 m2",
    "pth": "pmol/L",
    "vitamin-d-25-oh": "nmol/L",
    "tsh": "mIU/L",
    "ft4": "pmol/L",
    "ft3": "pmol/L",
    "weight": "kg",
}

# How laboratories write the units of the table, without spaces and with "u" for the micro sign.
SPELLINGS: dict[str, tuple[str, ...]] = {
    "mmol/L": (),
    "umol/L": ("mcmol/L",),
    "nmol/L": (),
    "pmol/L": (),
    "meq/L": ("mEq/L",),
    "mg/dL": ("mg%", "mg/100mL"),
    "ng/dL": (),
    "ng/mL": (),
    "ug/L": ("mcg/L",),
    "pg/mL": (),
    "ng/L": (),
    "g/L": ("gm/L",),
    "g/dL": ("gm/dL", "g%", "g/100mL"),
    "mL/min/{1.73_m2}": (
        "mL/min/{1.73m2}",
        "mL/min/{1.73m^2}",
        "mL/min/1.73_m2",
        "mL/min/1.73m2",
        "mL/min/1.73m^2",
        "mL/min/1.73m*2",
        "mL/min/1.73{m2}",
        "mL/min/1.73sqm",
        "mL/min/1.73",
        "mL/minper1.73m2",
    ),
    "mL/min": (),
    "m[IU]/L": ("m[iU]/L", "mIU/L", "mU/L"),
    "u[IU]/mL": ("u[iU]/mL", "uIU/mL", "uU/mL", "mcIU/mL", "mcU/mL"),
    "m[IU]/mL": ("m[iU]/mL", "mIU/mL"),
    "kg": ("Kg", "kgs", "kilogram", "kilograms"),
    "g": ("gm", "gram", "grams"),
    "[lb_av]": ("lb", "lbs", "Lb", "Lbs", "pound", "pounds"),
    "[oz_av]": ("oz", "ounce", "ounces"),
}
# Units that no analyte is read in: beside another unit, they contradict it.
OTHERS: dict[str, tuple[str, ...]] = {
    "mg/L": (),
    "mg/mL": (),
    "ug/dL": ("mcg/dL",),
    "ug/mL": ("mcg/mL",),
    "mol/L": (),
    "mmol/dL": (),
    "%": (),
}
# In capitals these may be meant either way.
_AMBIGUOUS = {"MIU/ML"}


def _written(spelling: str) -> Iterator[str]:
    """The ways in which capitals are used. A capital prefix alone is another unit: Mmol is a million moles."""
    yield from (spelling, spelling.replace("L", "l"), spelling.lower())
    if spelling.upper() not in _AMBIGUOUS:
        yield spelling.upper()


_UCUM = {
    written: unit
    for unit, others in (SPELLINGS | OTHERS).items()
    for spelling in (unit, *others)
    for written in _written(spelling)
}


class Unit(msgspec.Struct, frozen=True, gc=False):
    """How to bring a value to the analyte's canonical unit: ``value * multiply / divide``."""

    multiply: int | Decimal
    divide: Decimal

    def convert(self, value: Decimal) -> Decimal:
        """The value in the canonical unit."""
        return value * self.multiply / self.divide


@lru_cache(maxsize=4096)
def ucum(text: str) -> str:
    """The UCUM code of a unit as it was written; empty for one that is in neither list.

    Spaces do not count, nor which of the two micro signs or superscripts of Unicode was used. Capitals do.
    """
    plain = "".join(unicodedata.normalize("NFKC", text).split()).replace("μ", "u")
    return _UCUM.get(plain, "")


@lru_cache(maxsize=4096)
def find(analyte: str, code: str, unit: str) -> Unit | str:
    """The conversion for a Quantity's UCUM ``code`` and ``unit`` text, or the reason why there is none.

    The code decides; a text that is another unit than the code makes the unit ``unit-unknown``, and so does a code
    that is not in the table. A text that is not known, beside a code that is, does not matter ("milligrams per dL").
    Returns ``unit-missing`` when neither is given.
    """
    table = TABLE[analyte]
    texts = [text for text in (code, unit) if text.strip()]
    if not texts:
        return "unit-missing"
    factor = table.get(ucum(texts[0]))
    also = ucum(texts[-1])
    if factor is None or (also and table.get(also) != factor):
        return "unit-unknown"
    return Unit(*factor)
