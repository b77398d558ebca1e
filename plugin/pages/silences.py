"""When a finding is not shown: every suppression, what it does and the figures that it goes by."""

from __future__ import annotations

from collections.abc import Mapping

from plugin.guideline_text import SILENCES, SUPPRESSIONS, TEXTS
from plugin.pages.model import Cell, ExtraPage, Section, Table, load
from plugin.thresholds import TABLE, Limits

FIGURES: Mapping[str, tuple[str, ...]] = {
    "S-01": ("repeat_hours",),
    "S-03": ("stable_days", "stable_days_long_acting", "dose_increase_factor"),
    "S-04": ("reorder_hours",),
    "S-07": ("override_days", "emergency_override_hours", "dose_increase_factor"),
    "S-08": ("single_dose_hours",),
    "S-11": ("two_antipsychotics_days",),
    "S-17": ("patient_view_days", "patient_view_lab_days"),
    "S-18": ("droperidol_intraoperative_mg",),
}
"""The figures of each suppression, by name."""

# Those that look at what was shown before hold for whatever rule a card showed.
_EVERY: Mapping[str, str] = {
    "S-01": "every rule at signing",
    "S-07": "every rule",
    "S-09": "every rule whose suggestion made the draft",
    "S-17": "every rule on opening a record",
}
# Part of the matrix, or of a condition, that the rule's page tells elsewhere.
_WITHIN: Mapping[str, tuple[str, ...]] = {
    "S-11": ("R-DRUG-02",),
    "S-12": ("R-DRUG-01",),
    "S-16": ("R-DRUG-01",),
    "S-18": ("R-DRUG-01",),
}
WORDS = load("figures", dict[str, str])
"""What each figure means, by name."""

_LEAD = (
    "A card that interrupts has to earn it. What is silenced stays in the answer and in the audit, with the code of "
    "the suppression beside it. A site can switch each of them off."
)


def silence_page(limits: Limits) -> ExtraPage:
    """The page, with the figures in force."""
    rows = tuple(_row(code, limits) for code in sorted(SUPPRESSIONS))
    columns = ("Code", "When a finding is not shown, or lowered", "Figures in force", "Rules")
    return ExtraPage("silences", "When a finding is not shown", _LEAD, (Section("", (), None, Table(columns, rows)),))


def _row(code: str, limits: Limits) -> tuple[Cell, ...]:
    figures = " ".join(_figure(name, limits) for name in FIGURES.get(code, ()))
    return Cell(code), Cell(SILENCES[code]), Cell(figures or "none"), _rules(code)


def _rules(code: str) -> Cell:
    if code in _EVERY:
        return Cell(_EVERY[code])
    told = tuple(rule for rule, text in TEXTS.items() if any(known == code for known, _ in text.suppressions))
    return Cell("", told or _WITHIN[code])


def _figure(name: str, limits: Limits) -> str:
    return f"{WORDS[name]}: {getattr(limits, name):f} {TABLE[name].unit} ({TABLE[name].source})."
