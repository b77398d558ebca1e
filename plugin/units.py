"""The closed table of units per analyte, in exact decimals. A unit that is not here makes a result unreadable.

Factors: clinical specification C-CA (atomic weights: Ca 40.08, Mg 24.305; B84). No unit is ever guessed from a code.
"""

from __future__ import annotations

from decimal import Decimal
from functools import lru_cache

import msgspec

D = Decimal
Factor = tuple[int | Decimal, Decimal]

_CALCIUM: dict[str, Factor] = {
    "mmol/l": (1, D(1)),
    "mg/dl": (1, D("4.008")),
    "meq/l": (1, D(2)),
    "umol/l": (1, D(1000)),
}
_MAGNESIUM: dict[str, Factor] = {
    "mmol/l": (1, D(1)),
    "mg/dl": (1, D("2.4305")),
    "meq/l": (1, D(2)),
    "umol/l": (1, D(1000)),
}
_ALBUMIN: dict[str, Factor] = {"g/l": (1, D(1)), "g/dl": (10, D(1)), "umol/l": (D("0.0665"), D(1))}
_FILTRATION: dict[str, Factor] = {
    "ml/min/1.73m2": (1, D(1)),
    "ml/min/{1.73_m2}": (1, D(1)),
    "ml/min/1.73{m2}": (1, D(1)),
    "ml/min/1.73m^2": (1, D(1)),
    "ml/min/1.73m*2": (1, D(1)),
    "ml/min/1.73": (1, D(1)),
    "ml/min": (1, D(1)),
}
_WEIGHT: dict[str, Factor] = {
    "kg": (1, D(1)),
    "g": (1, D(1000)),
    "[lb_av]": (D("0.45359237"), D(1)),
    "lb": (D("0.45359237"), D(1)),
    "lbs": (D("0.45359237"), D(1)),
    "[oz_av]": (D("0.028349523125"), D(1)),
}
_TSH: dict[str, Factor] = {
    "miu/l": (1, D(1)),
    "m[iu]/l": (1, D(1)),
    "u[iu]/ml": (1, D(1)),
    "uiu/ml": (1, D(1)),
    "mu/l": (1, D(1)),
    "mcu/ml": (1, D(1)),
    "uu/ml": (1, D(1)),
    "m[iu]/ml": (1000, D(1)),
    "miu/ml": (1000, D(1)),
}

_POTASSIUM: dict[str, Factor] = {"mmol/l": (1, D(1)), "meq/l": (1, D(1))}

TABLE: dict[str, dict[str, Factor]] = {
    "calcium": _CALCIUM,
    "calcium-corrected": _CALCIUM,
    "calcium-ionised": _CALCIUM,
    "magnesium": _MAGNESIUM,
    "potassium": _POTASSIUM,
    "albumin": _ALBUMIN,
    "egfr": _FILTRATION,
    "weight": _WEIGHT,
    "tsh": _TSH,
}

CANONICAL = {
    "calcium": "mmol/L",
    "calcium-corrected": "mmol/L",
    "calcium-ionised": "mmol/L",
    "magnesium": "mmol/L",
    "potassium": "mmol/L",
    "albumin": "g/L",
    "egfr": "mL/min/1.73 m2",
    "weight": "kg",
    "tsh": "mIU/L",
}


class Unit(msgspec.Struct, frozen=True, gc=False):
    """How to bring a value to the analyte's canonical unit: ``value * multiply / divide``."""

    multiply: int | Decimal
    divide: Decimal

    def convert(self, value: Decimal) -> Decimal:
        """The value in the canonical unit."""
        return value * self.multiply / self.divide


@lru_cache(maxsize=4096)
def _normalised(text: str) -> str:
    return "".join(text.split()).replace("µ", "u").replace("μ", "u").replace("²", "2").lower()


@lru_cache(maxsize=4096)
def find(analyte: str, code: str, unit: str) -> Unit | str:
    """The conversion for a Quantity's UCUM ``code`` and ``unit`` text, or the reason why there is none.

    The code decides; a text that says something else than it does makes the unit ``unit-unknown``, and so does a code
    that is not in the table. A text that is not known, beside a code that is, does not matter ("milligrams per dL").
    Returns ``unit-missing`` when neither is given.
    """
    table = TABLE[analyte]
    texts = [_normalised(text) for text in (code, unit) if text.strip()]
    if not texts:
        return "unit-missing"
    factor = table.get(texts[0])
    if factor is None or table.get(texts[-1], factor) != factor:
        return "unit-unknown"
    return Unit(*factor)
