"""The site's own laboratory codes as tokens of a FHIR search: a record system finds results by them alone."""

from __future__ import annotations

from collections.abc import Callable
from typing import Final
from urllib.parse import quote

from valuesets import Terminology

_ESCAPES: Final = str.maketrans({sign: f"\\{sign}" for sign in "\\$,|"})


def lab_tokens(terminology: Terminology, wanted: Callable[[str], bool] = bool) -> list[str]:
    """``system|code`` of every local code that is a wanted analyte, fit for a query, in a fixed order."""
    own = sorted(key for key, analyte in terminology.overlay.analytes.items() if analyte and wanted(analyte))
    return [quote(f"{system}|{code.translate(_ESCAPES)}", safe=":/|") for system, code in own]
