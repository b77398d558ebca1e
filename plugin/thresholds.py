"""Every clinical figure that a rule compares with, by name, with unit, source and the bounds a site may choose within.

Marks are those of the clinical specification: [V] read in the source, [J] a judgement that a site may change.
"""

from __future__ import annotations

from datetime import timedelta
from decimal import Decimal

import msgspec

D = Decimal


class Threshold(msgspec.Struct, frozen=True):
    """One named figure: its default, unit, source and the lowest and highest value that a site may set."""

    value: Decimal
    unit: str
    source: str
    lowest: Decimal
    highest: Decimal


TABLE: dict[str, Threshold] = {
    "age_below_antipsychotic": Threshold(D(35), "years", "[V] B43, B17, B14", D(25), D(45)),
    "age_below_metoclopramide": Threshold(D(30), "years", "[V] B38", D(18), D(45)),
    "male_age_below": Threshold(D(50), "years", "[V] B43", D(35), D(65)),
    "female_from": Threshold(D(12), "years", "[V] B23", D(10), D(15)),
    "female_to": Threshold(D(19), "years", "[V] B23", D(17), D(30)),
    "adult_from": Threshold(D(18), "years", "[J]", D(16), D(21)),
    "cover_from": Threshold(D(3), "years", "[V] B63, benztropine label", D(3), D(12)),
    "promethazine_from": Threshold(D(2), "years", "[V] B39, boxed warning", D(2), D(6)),
    "prochlorperazine_from": Threshold(D(2), "years", "[V] B40", D(2), D(6)),
    "prochlorperazine_weight_kg": Threshold(D("9.07"), "kg", "[V] B40, 20 lb", D("9.07"), D(15)),
    "weight_needed_below": Threshold(D(4), "years", "[J] R-DRUG-05", D(3), D(6)),
    "metoclopramide_from": Threshold(D(1), "years", "[V] B37", D(1), D(3)),
    "haloperidol_from": Threshold(D(3), "years", "[V] B60", D(3), D(6)),
    "antipsychotic_from": Threshold(D(13), "years", "[J] no antipsychotic is proposed below", D(10), D(18)),
    "elderly_from": Threshold(D(65), "years", "[J] D.0", D(60), D(75)),
    "new_start_days": Threshold(D(30), "days", "[J] B12 used one month", D(7), D(90)),
    "stable_days": Threshold(D(30), "days", "[J] S-03", D(14), D(90)),
    "stable_days_long_acting": Threshold(D(90), "days", "[J] S-03", D(60), D(180)),
    "dose_increase_factor": Threshold(D("1.5"), "times", "[J]", D("1.2"), D(3)),
    "fast_titration_hours": Threshold(D(72), "hours", "[J] B19", D(24), D(168)),
    "high_dose_haloperidol_mg": Threshold(D(10), "mg oral haloperidol equivalent in 24 h", "[J] B19", D(5), D(30)),
    "droperidol_intraoperative_mg": Threshold(D("1.25"), "mg a dose", "[J] S-18", D("0.625"), D("2.5")),
    "reorder_hours": Threshold(D(24), "hours", "[J] S-04", D(6), D(72)),
    "single_dose_hours": Threshold(D(24), "hours", "[V] S-08", D(6), D(48)),
    "two_antipsychotics_days": Threshold(D(90), "days", "[J] S-11", D(30), D(365)),
    "repeat_hours": Threshold(D(24), "hours", "[J] S-01, without an encounter", D(1), D(72)),
    "override_days": Threshold(D(30), "days", "[J] S-07, outside the encounter", D(1), D(180)),
    "emergency_override_hours": Threshold(D(24), "hours", "[J] S-07", D(1), D(72)),
    "patient_view_days": Threshold(D(180), "days", "[J] S-17", D(30), D(365)),
    "patient_view_lab_days": Threshold(D(90), "days", "[J] S-17", D(7), D(180)),
    "cross_taper_days": Threshold(D(14), "days", "[J] R-DRUG-02", D(3), D(60)),
    "administration_days": Threshold(D(7), "days", "[J] C-EXP", D(1), D(30)),
    "administration_window_days": Threshold(D(45), "days", "[J] D.0", D(30), D(120)),
    "long_acting_interval_days": Threshold(D(28), "days", "[J] C-EXP, usual interval", D(14), D(90)),
    "long_acting_extra_days": Threshold(D(14), "days", "[J] C-EXP", D(0), D(60)),
    "dispense_extra_days": Threshold(D(7), "days", "[J] C-EXP", D(0), D(30)),
    "cocaine_screen_days": Threshold(D(30), "days", "[J] C", D(7), D(90)),
    "dehydration_hours": Threshold(D(72), "hours", "[J] C", D(24), D(168)),
    "dispense_window_days": Threshold(D(120), "days", "[J] D.0", D(60), D(400)),
    "record_window_days": Threshold(D(400), "days", "[J] D.0", D(365), D(1200)),
    "lab_fresh_hours_acute": Threshold(D(72), "hours", "[J] C-CA", D(24), D(168)),
    "lab_fresh_days": Threshold(D(30), "days", "[J] C-CA", D(7), D(90)),
    "lab_shown_days": Threshold(D(365), "days", "[J] C-CA", D(90), D(1200)),
    "albumin_pair_hours": Threshold(D(24), "hours", "[J] C-CA", D(1), D(72)),
    "calcium_low": Threshold(
        D("2.12"), "mmol/L", "[J] 8.5 mg/dL, used without a laboratory range", D("2.00"), D("2.25")
    ),
    "calcium_severe": Threshold(D("1.90"), "mmol/L", "[V] B33", D("1.75"), D("2.00")),
    "calcium_severe_total_alone": Threshold(D("1.30"), "mmol/L", "[J] C-CA", D("1.10"), D("1.50")),
    "calcium_per_albumin": Threshold(D("0.02"), "mmol/L per g/L", "[V] B34", D("0.02"), D("0.025")),
    "albumin_reference": Threshold(D(40), "g/L", "[V] B34", D(40), D(45)),
    "albumin_unreliable_below": Threshold(D(20), "g/L", "[V] B35", D(15), D(25)),
    "egfr_unreliable_below": Threshold(D(60), "mL/min/1.73 m2", "[V] B35", D(45), D(60)),
    "egfr_window_days": Threshold(D(90), "days", "[J]", D(30), D(365)),
    "ionised_low": Threshold(D("1.12"), "mmol/L", "[J] used without a laboratory range", D("1.05"), D("1.20")),
    "ionised_severe": Threshold(D("0.90"), "mmol/L", "[J]", D("0.80"), D("1.00")),
    "magnesium_low": Threshold(D("0.70"), "mmol/L", "[V] B82, used without a laboratory range", D("0.60"), D("0.80")),
    "magnesium_actionable": Threshold(D("0.60"), "mmol/L", "[V] B36", D("0.50"), D("0.70")),
    "magnesium_severe": Threshold(D("0.50"), "mmol/L", "[V] B82", D("0.40"), D("0.55")),
    "magnesium_checked_hours": Threshold(D(72), "hours", "[J] R-MET-03", D(24), D(168)),
    "potassium_low": Threshold(D("3.5"), "mmol/L", "[J] used without a laboratory range", D("3.0"), D("4.0")),
    "tsh_low": Threshold(D("0.1"), "mIU/L", "[J] R-MET-07", D("0.01"), D("0.4")),
    "new_record_days": Threshold(D(30), "days", "[J] R-MET-02", D(7), D(90)),
    "unmeasured_days": Threshold(D(90), "days", "[J] R-MET-02", D(30), D(365)),
    "surgery_days": Threshold(D(1), "days", "[J] R-DRUG-05b, how far back procedures are read", D(1), D(7)),
    "metoclopramide_weeks_days": Threshold(D(84), "days", "[V] B38, more than 12 weeks", D(28), D(84)),
    "metoclopramide_days_eu": Threshold(D(5), "days", "[V] B37, EMA and MHRA", D(3), D(5)),
    "exposure_gap_days": Threshold(D(14), "days", "[J] R-DRUG-06, shorter gaps are joined", D(1), D(30)),
    "metoclopramide_most_mg": Threshold(D(60), "mg a day", "[V] B38", D(30), D(60)),
    "metoclopramide_gastroparesis_mg": Threshold(D(40), "mg a day", "[V] B67", D(20), D(40)),
    "metoclopramide_reduced_mg": Threshold(D(30), "mg a day", "[V] B38", D(15), D(30)),
    "metoclopramide_gastroparesis_reduced_mg": Threshold(D(20), "mg a day", "[V] B67", D(10), D(20)),
    "metoclopramide_kidney_failure_mg": Threshold(D(20), "mg a day", "[V] B38", D(10), D(20)),
    "metoclopramide_gastroparesis_kidney_failure_mg": Threshold(D(10), "mg a day", "[B] not seen in B67", D(5), D(10)),
    "metoclopramide_eu_mg": Threshold(D(30), "mg a day", "[V] B37", D(15), D(30)),
    "metoclopramide_eu_mg_per_kg": Threshold(D("0.5"), "mg/kg a day", "[V] B37", D("0.3"), D("0.5")),
    "kidney_reduced_at": Threshold(
        D(60), "mL/min, at or below", "[V] B38; its prose says below 60: choose 59.99", D(59), D(60)
    ),
    "kidney_failure_below": Threshold(D(15), "mL/min", "[V] B38", D(10), D(15)),
    "kidney_days": Threshold(D(90), "days", "[J] R-DRUG-07", D(30), D(365)),
    "kidney_days_acute": Threshold(D(7), "days", "[J] R-DRUG-07, inpatients", D(1), D(30)),
    "cover_days": Threshold(D(7), "days", "[V] B11, B15", D(4), D(7)),
    "prophylaxis_days": Threshold(D(90), "days", "[J] R-DRUG-10", D(30), D(180)),
    "movement_free_days": Threshold(D(180), "days", "[J] R-DRUG-10", D(90), D(365)),
    "new_movement_days": Threshold(D(7), "days", "[J] R-MET-08", D(1), D(30)),
    "calcium_yearly_days": Threshold(D(365), "days", "[V] B80, yearly", D(180), D(400)),
    "calcium_replaced_days": Threshold(D(90), "days", "[J] R-MET-04, on calcium or vitamin D", D(30), D(365)),
    "chronic_calcium_days": Threshold(D(90), "days", "[J] S-15", D(30), D(365)),
    "chronic_calcium_results": Threshold(D(3), "results", "[J] S-15", D(2), D(10)),
    "chronic_calcium_percent": Threshold(D(5), "%", "[J] S-15", D(1), D(10)),
    "referral_days": Threshold(D(365), "days", "[J] S-15, R-MET-05", D(90), D(400)),
    "focal_dystonia_days": Threshold(D(183), "days", "[J] R-TX-02, more than 6 months", D(90), D(365)),
    "specialist_referral_days": Threshold(D(365), "days", "[J] R-TX-02", D(90), D(400)),
    "failed_classes": Threshold(D(2), "classes of drugs", "[J] R-TX-03", D(1), D(4)),
    "young_onset_below": Threshold(D(30), "years", "[J] R-TX-04, youth and young adults", D(20), D(41)),
    "neurosurgery_referral_days": Threshold(D(90), "days", "[J] R-TX-06", D(30), D(365)),
    "glucose_low": Threshold(D("2.997"), "mmol/L", "[J] R-MET-08, below 54 mg/dL", D("2.2"), D("3.9")),
    "glucose_high": Threshold(D("16.65"), "mmol/L", "[J] R-MET-08, 300 mg/dL", D("11.1"), D(30)),
    "pkd_attack_seconds": Threshold(D(60), "seconds", "[V] B5", D(30), D(120)),
    "pkd_onset_years": Threshold(D(20), "years", "[V] B5, a later onset is a red flag", D(18), D(25)),
    "pkd_usual_from": Threshold(D(7), "years", "[V] B5", D(1), D(10)),
    "pkd_usual_to": Threshold(D(15), "years", "[V] B5", D(12), D(20)),
    "infant_months": Threshold(D(24), "months", "[J] R-DX-07", D(12), D(36)),
    "drug_dystonia_days": Threshold(D(7), "days", "[V] B11", D(3), D(14)),
    "tardive_exposure_days": Threshold(D(90), "days", "[V secondary] B76", D(30), D(180)),
    "tardive_exposure_days_older": Threshold(D(30), "days", "[V secondary] B76", D(14), D(90)),
    "tardive_older_from": Threshold(D(60), "years", "[V secondary] B76", D(50), D(70)),
    "copper_from": Threshold(D(3), "years", "[J] R-DX-09", D(2), D(6)),
    "copper_to": Threshold(D(50), "years", "[J] R-DX-09", D(40), D(70)),
    "weight_days_infant": Threshold(D(14), "days", "[J] R-DRUG-05", D(7), D(30)),
    "weight_days_toddler": Threshold(D(30), "days", "[J] R-DRUG-05", D(14), D(60)),
    "weight_days_child": Threshold(D(180), "days", "[J] R-DRUG-05", D(60), D(365)),
    "weight_days_adult": Threshold(D(365), "days", "[J]", D(90), D(730)),
    "calcium_lowest_plausible": Threshold(D("0.75"), "mmol/L", "[J]", D("0.5"), D("1.0")),
    "calcium_highest_plausible": Threshold(D(5), "mmol/L", "[J]", D(4), D(6)),
    "ionised_lowest_plausible": Threshold(D("0.40"), "mmol/L", "[J]", D("0.3"), D("0.6")),
    "ionised_highest_plausible": Threshold(D(3), "mmol/L", "[J]", D(2), D(4)),
    "magnesium_lowest_plausible": Threshold(D("0.15"), "mmol/L", "[J]", D("0.1"), D("0.3")),
    "magnesium_highest_plausible": Threshold(D(6), "mmol/L", "[J]", D(4), D(10)),
    "albumin_lowest_plausible": Threshold(D(5), "g/L", "[J]", D(3), D(8)),
    "albumin_highest_plausible": Threshold(D(80), "g/L", "[J]", D(60), D(100)),
    "potassium_lowest_plausible": Threshold(D(1), "mmol/L", "[J]", D("0.5"), D("1.5")),
    "potassium_highest_plausible": Threshold(D(12), "mmol/L", "[J]", D(9), D(15)),
    "phosphate_lowest_plausible": Threshold(D("0.05"), "mmol/L", "[J]", D("0.02"), D("0.2")),
    "phosphate_highest_plausible": Threshold(D(10), "mmol/L", "[J]", D(6), D(15)),
    "glucose_lowest_plausible": Threshold(D("0.4"), "mmol/L", "[J]", D("0.2"), D(1)),
    "glucose_highest_plausible": Threshold(D(80), "mmol/L", "[J]", D(50), D(120)),
    "creatinine_lowest_plausible": Threshold(D(5), "umol/L", "[J]", D(2), D(20)),
    "creatinine_highest_plausible": Threshold(D(3000), "umol/L", "[J]", D(2000), D(5000)),
    "egfr_lowest_plausible": Threshold(D(1), "mL/min/1.73 m2", "[J]", D(0), D(5)),
    "egfr_highest_plausible": Threshold(D(250), "mL/min/1.73 m2", "[J]", D(200), D(400)),
    "pth_lowest_plausible": Threshold(D(0), "pmol/L", "[J]", D(0), D("0.5")),
    "pth_highest_plausible": Threshold(D(1000), "pmol/L", "[J]", D(500), D(2000)),
    "vitamin_d_lowest_plausible": Threshold(D(1), "nmol/L", "[J]", D(0), D(5)),
    "vitamin_d_highest_plausible": Threshold(D(2000), "nmol/L", "[J]", D(1000), D(4000)),
    "tsh_lowest_plausible": Threshold(D(0), "mIU/L", "[J]", D(0), D("0.01")),
    "tsh_highest_plausible": Threshold(D(1000), "mIU/L", "[J]", D(500), D(2000)),
    "ft4_lowest_plausible": Threshold(D("0.1"), "pmol/L", "[J]", D(0), D(1)),
    "ft4_highest_plausible": Threshold(D(300), "pmol/L", "[J]", D(150), D(500)),
    "ft3_lowest_plausible": Threshold(D("0.1"), "pmol/L", "[J]", D(0), D("0.5")),
    "ft3_highest_plausible": Threshold(D(100), "pmol/L", "[J]", D(50), D(200)),
    "weight_lowest_plausible": Threshold(D("0.2"), "kg", "[J]", D("0.1"), D("0.5")),
    "weight_highest_plausible": Threshold(D(700), "kg", "[J]", D(500), D(800)),
    "future_minutes": Threshold(D(5), "minutes", "[J] later than this is unreadable", D(0), D(60)),
}


_TIMES = {"days", "hours", "minutes"}


class Limits:
    """The figures in force, as attributes by name: ``limits.calcium_low``. Unknown names and bounds are refused."""

    __slots__ = (*TABLE, "_spans")
    _spans: dict[str, timedelta]

    def __init__(self, **chosen: Decimal) -> None:
        """Take the defaults and a site's own choices.

        Raises ValueError naming the figure, what was given and the bounds, or the unknown name.
        """
        for name in chosen:
            if name not in TABLE:
                raise ValueError(f"Unknown threshold {name!r}: the known ones are {', '.join(sorted(TABLE))}.")
        for name, entry in TABLE.items():
            value = chosen.get(name, entry.value)
            if not entry.lowest <= value <= entry.highest:
                raise ValueError(
                    f"Threshold {name} is {value} {entry.unit}; it must lie between {entry.lowest} and {entry.highest}."
                )
            object.__setattr__(self, name, value)
        object.__setattr__(self, "_spans", {name: _span(name, self) for name in TABLE if TABLE[name].unit in _TIMES})

    def __setattr__(self, name: str, value: object) -> None:
        raise AttributeError(f"Thresholds are fixed once loaded; {name} cannot be set.")

    def __getattr__(self, name: str) -> Decimal:
        raise AttributeError(f"There is no threshold named {name}.")

    def span(self, name: str) -> timedelta:
        """A figure that is a length of time, by name."""
        return self._spans[name]

    def as_dict(self) -> dict[str, str]:
        """Name to figure, for the rule-set hash."""
        return {name: str(getattr(self, name)) for name in TABLE}


def _span(name: str, limits: Limits) -> timedelta:
    return timedelta(**{TABLE[name].unit: float(getattr(limits, name))})
