"""The figures: when a card appears, how calcium is read, when the risk is highest. All numbers are those in force."""

from __future__ import annotations

from collections.abc import Callable

from plugin.factors import MAJOR, MINOR, Factor
from plugin.pages.model import Band, ExtraPage, Figure, Part, Section
from plugin.rule import Fact, Indicator
from plugin.rules.acute_dystonia import matrix
from plugin.thresholds import Limits

_MAJOR = Factor("major", MAJOR, "major", Fact("Major"))
_PRIOR = Factor("prior-dystonia", MAJOR, "prior dystonia", Fact("Prior dystonia"))
_MINOR = Factor("minor", MINOR, "minor", Fact("Minor"))
_COLUMNS: tuple[tuple[str, tuple[Factor, ...]], ...] = (
    ("no factor", ()),
    ("1 minor", (_MINOR,)),
    ("2 minor", (_MINOR,) * 2),
    ("3 minor or more", (_MINOR,) * 3),
    ("any major", (_MAJOR,)),
    ("earlier dystonia", (_PRIOR,)),
)
_TIERS = {
    "H": "Tier H: high, such as haloperidol",
    "M": "Tier M: middle, such as risperidone",
    "L": "Tier L: low, such as olanzapine",
}


def figure_page(limits: Limits) -> ExtraPage:
    """All figures on one page."""
    return ExtraPage(
        "figures",
        "Figures",
        "Drawn from the figures that are in force at this site. The pages of the rules tell the rest.",
        (
            Section("Which card for which order", _matrix_words(), decision_matrix()),
            Section("How calcium is read", _calcium_words(limits), calcium_ladder(limits)),
            Section("When the risk is highest", _time_words(), time_course(limits)),
        ),
    )


def figures_of(rule: str, limits: Limits) -> tuple[Figure, ...]:
    """What is drawn on the page of a rule."""
    drawn: dict[str, Callable[[], tuple[Figure, ...]]] = {
        "R-DRUG-01": lambda: (decision_matrix(), time_course(limits)),
        "R-MET-01": lambda: (calcium_ladder(limits),),
        "R-MET-05": lambda: (calcium_ladder(limits),),
        "R-DX-08": lambda: (time_course(limits),),
    }
    make = drawn.get(rule)
    return make() if make is not None else ()


def decision_matrix() -> Figure:
    """R-DRUG-01's matrix, by asking the rule itself."""
    bands = tuple(
        Band(label, tuple(_level(matrix(tier, factors)) for _, factors in _COLUMNS)) for tier, label in _TIERS.items()
    )
    columns = tuple(name for name, _ in _COLUMNS)
    told = ". ".join(_told(band, columns) for band in bands)
    return Figure("matrix", "Tier and factors decide the level of the card", f"{told}.", bands, columns)


def _level(indicator: Indicator | None) -> Part:
    return Part(indicator.word, indicator.word) if indicator is not None else Part("no card")


def _told(band: Band, columns: tuple[str, ...]) -> str:
    pairs = (f"{column}: {part.text}" for column, part in zip(columns, band.parts, strict=True))
    return f"{band.label} – {', '.join(pairs)}"


def _matrix_words() -> tuple[str, ...]:
    return (
        "R-DRUG-01 looks at the tier of the ordered drug and counts the patient's factors. Drugs of tier N never give "
        "a card. Cover that is taken regularly silences the card; a single dose or cover as needed lowers it.",
    )


def calcium_ladder(limits: Limits) -> Figure:
    """Which result decides, and at which value it is low or severe (C-CA)."""
    total = _edges(limits.calcium_severe, limits.calcium_low)
    graded = (Part("severe", "critical"), Part("low", "warning"), Part("normal", "good"))
    alone = (
        Part("severe", "critical"),
        Part("severe, unconfirmed", "info"),
        Part("low, unconfirmed", "info"),
        Part("normal", "good"),
    )
    bands = (
        Band("1. Ionised calcium", graded, "Overrides all others.", _edges(limits.ionised_severe, limits.ionised_low)),
        Band("2. Corrected by the laboratory", graded, "Never corrected again.", total),
        Band("3. Total with albumin of the same time", graded, _formula(limits), total),
        Band(
            "4. Total alone",
            alone,
            "Unconfirmed grades give information only.",
            _edges(limits.calcium_severe_total_alone, limits.calcium_severe, limits.calcium_low),
        ),
    )
    described = ". ".join(f"{band.label}: {_steps(band)}" for band in bands)
    return Figure("calcium", "The calcium ladder: the highest step with a result decides (mmol/L)", described, bands)


def _edges(*values: object) -> tuple[str, ...]:
    return tuple(f"{value}" for value in values)


def _steps(band: Band) -> str:
    below = (f"{part.text} below {edge}" for part, edge in zip(band.parts, band.edges, strict=False))
    return f"{', '.join(below)}, else {band.parts[-1].text}"


def _formula(limits: Limits) -> str:
    return f"Total + {limits.calcium_per_albumin} × ({limits.albumin_reference} − albumin in g/L)."


def _calcium_words(limits: Limits) -> tuple[str, ...]:
    return (
        "A laboratory's own lower limit comes before the figures below. Without a unit nothing is inferred; results "
        f"count for {limits.lab_fresh_days} days, in acute care for {limits.lab_fresh_hours_acute} hours.",
        f"Correction by albumin is unreliable with an eGFR below {limits.egfr_unreliable_below}, albumin below "
        f"{limits.albumin_unreliable_below} g/L, critical illness or a disturbed pH: the card then asks for ionised "
        "calcium.",
    )


def time_course(limits: Limits) -> Figure:
    """When acute and tardive dystonia are looked for, on a line that is not to scale."""
    acute, recent = limits.drug_dystonia_days, limits.new_start_days
    tardive, older = limits.tardive_exposure_days, limits.tardive_exposure_days_older
    columns = ("0-24 h", "24-96 h", f"to day {acute}", f"to day {recent}", f"to day {tardive}", "later")
    bands = (
        Band(
            "Acute dystonia after a start or a rise in dose",
            (
                Part("early", "warning"),
                Part("usual onset", "critical"),
                Part("possible", "warning"),
                Part("not looked for", "", 3),
            ),
        ),
        Band("Cover, where it is given", (Part("for days, not open-ended", "good", 3), Part("review", "", 3))),
        Band(
            "The same drug, stopped and ordered again",
            (Part("not a new start", "", 4), Part("a new start", "warning", 2)),
        ),
        Band(
            "Tardive forms",
            (
                Part("not looked for", "", 4),
                Part(f"from {limits.tardive_older_from} years", "info"),
                Part("any age", "warning"),
            ),
        ),
    )
    described = (
        "Acute dystonia mostly begins 24 to 96 hours after a start or a rise in dose, and is looked for up to day "
        f"{acute}. "
        f"Cover is for days. A drug that was stopped for more than {recent} days counts as new. Tardive forms are "
        f"considered after {tardive} days of exposure, from {limits.tardive_older_from} years of age after {older} "
        "days. Not to scale."
    )
    return Figure("time", "Time course of the risk (not to scale)", described, bands, columns)


def _time_words() -> tuple[str, ...]:
    return ("Acute reactions come early; this is why cover is for days and why renewals of a stable drug are silent.",)
