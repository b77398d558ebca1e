"""One mapping of a site, whatever file it comes from."""

from __future__ import annotations

from typing import Final

import msgspec

DRUG: Final = "drug"
LAB: Final = "lab"
PROBLEM: Final = "problem"
POSITIONS: Final = (DRUG, LAB, PROBLEM)


class Row(msgspec.Struct, frozen=True):
    """A local code (or, where ``system`` is empty, a drug's text) and what it is said to mean.

    ``position`` is "drug", "lab", "problem", or "" where only the target can tell. ``target`` is as written;
    ``target_system`` its code system where the file names one. ``adds`` marks the member of a ValueSet: one code may
    belong to several. ``lenient`` rows come from a map of far more than our drugs, labs and problems: a standard code
    that the data do not hold is no mistake there.
    """

    file: str
    row: str
    position: str
    system: str
    code: str
    target: str
    target_system: str = ""
    adds: bool = False
    lenient: bool = False
