"""What the rules on diagnosis share: the phenotype and its onset, what is told of attacks and images, and options."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator
from datetime import timedelta
from decimal import Decimal

from plugin.metabolic import PAROXYSMAL, is_recent, movements, problem_fact
from plugin.patient import Patient, Problem, Variant
from plugin.presentation import Presentation
from plugin.rule import NOT_APPLICABLE, Case, Fact, Option, Verdict, gap_verdict, not_checked
from plugin.when import When, parse

KINESIGENIC = "paroxysmal-kinesigenic"
POSTURES = frozenset(
    {"dystonia", "drug-dystonia", "torticollis", "trismus", "oculogyric-crisis", "opisthotonos", "infant-dystonia"}
)
MOVEMENTS = POSTURES | PAROXYSMAL | {"tetany"}
"""What a condition being entered must be for any rule to look at it (D.0a)."""

PANEL = Option(
    "labs",
    "Check calcium, albumin, magnesium, phosphate, PTH, glucose and TSH",
    ("calcium", "albumin", "magnesium", "phosphate", "pth", "glucose", "tsh"),
)
MRI_BRAIN = Option("request", "Request MRI of the brain", ("mri-brain",))
EEG = Option("request", "Request an EEG", ("eeg",))
NEUROLOGY = Option("request", "Refer to neurology", ("neurology",))

_NAMES = {
    "attack-duration": "Attack duration",
    "attack-trigger": "Attack trigger",
    "attack-awareness": "Awareness during attack",
    "interictal-examination": "Interictal neurological examination",
    "anticonvulsant-response": "Response to anticonvulsant",
    "attack-aura": "Aura",
    "imaging": "Report",
}
# What a condition that is recorded by code alone is called, where its key is no word.
_WORDS = {
    "tbi": "traumatic brain injury",
    "drug-dystonia": "drug-induced dystonia",
    "gerd": "reflux disease",
    "deletion-22q11": "22q11.2 deletion",
    "bladder-bowel-dysfunction": "bladder or bowel dysfunction",
    "limb-dystonia": "leg dystonia",
    KINESIGENIC: "paroxysmal kinesigenic dyskinesia",
}
_CAUSES = frozenset(
    {
        "drug-dystonia",
        "tardive",
        "stroke",
        "demyelination",
        "tbi",
        "basal-ganglia-lesion",
        "cortical-malformation",
        "tethered-cord-diagnosed",
        "wilson",
        "huntington",
        "cerebral-palsy",
        "hypoxic-brain-injury",
        "kernicterus",
        "functional-movement-disorder",
        "glut1-deficiency",
        "dopa-responsive-dystonia",
        "parkinson",
    }
)


def relevant(patient: Patient) -> bool:
    """Whether one of the conditions being entered is a dystonia, a tetany or a paroxysmal movement."""
    return any(one.entered and one.state != "refuted" and one.concepts & MOVEMENTS for one in patient.problems)


def named(problem: Problem, concepts: Collection[str]) -> bool:
    """Whether a problem means one of the concepts, by its code or words or by its notes."""
    return bool((problem.concepts | problem.noted).intersection(concepts))


def recorded(case: Case, concepts: Collection[str], *, past: bool = False) -> Problem | None:
    """The first problem, confirmed ones first, that means one of the concepts; its notes count as well."""
    return next(every_recorded(case, concepts, past=past), None)


def every_recorded(case: Case, concepts: Collection[str], *, past: bool = False) -> Iterator[Problem]:
    """Every problem that means one of the concepts, confirmed ones first."""
    states = ("active", "past") if past else ("active",)
    return (one for one in case.patient.problems if one.state in states and named(one, concepts))


def told(problem: Problem, concepts: Collection[str]) -> Fact:
    """A problem as a fact, saying what was read from words or from a note."""
    meant = next((one for one in sorted(concepts) if one in problem.concepts | problem.noted), "condition")
    fact = problem_fact(problem, _WORDS.get(meant, meant.replace("-", " ")))
    if not problem.concepts.intersection(concepts):
        return Fact(f"{fact.text}, read from a note", fact.reference)
    marked = not problem.in_words and problem.worded.intersection(concepts)
    return Fact(f"{fact.text}, matched by text", fact.reference) if marked else fact


def newest(case: Case, kind: str) -> Presentation | None:
    """What was told last of a kind and can be read; an Observation goes before a note."""
    return next((one for one in case.patient.presentations if one.kind == kind and not one.problem), None)


def unread(case: Case, kinds: Collection[str]) -> tuple[Presentation, ...]:
    """What was told of these kinds and cannot be read."""
    return tuple(one for one in case.patient.presentations if one.kind in kinds and one.problem)


def images(case: Case, value: str, region: str) -> list[Presentation]:
    """The reports of a CT or MRI of a region that say "normal" or "abnormal"; an EEG is no image."""
    return [
        one
        for one in case.patient.presentations
        if one.kind == "imaging" and one.value == value and region in one.about and one.about & {"mri", "ct"}
    ]


def fact(one: Presentation) -> Fact:
    """A presentation in words: value, date, status, and where it was read."""
    text = f"{_NAMES[one.kind]}: {one.shown}"
    text += f" ({one.value}, read from its conclusion)" if one.kind == "imaging" and one.value else ""
    text += f", {one.when.short()}" if one.when is not None else ", no date"
    text += f", status {one.status}" if one.status and not one.noted else ""
    return Fact(f"{text}, read from a note" if one.noted else text, one.reference)


def not_recorded(case: Case, kinds: Collection[str]) -> tuple[str, ...]:
    """A note that names what was not recorded, or was and cannot be read: neither counts as absent (D.6a)."""
    lost = tuple(_lower(_NAMES[one.kind]) for one in unread(case, kinds))
    missing = [
        _lower(_NAMES[kind]) for kind in kinds if newest(case, kind) is None and _lower(_NAMES[kind]) not in lost
    ]
    notes = [f"Not recorded: {', '.join(missing)}."] if missing else []
    notes += [f"Recorded but not readable: {', '.join(dict.fromkeys(lost))}."] if lost else []
    return tuple(notes)


def _lower(text: str) -> str:
    return text[:1].lower() + text[1:]


def onset_years(case: Case, problem: Problem) -> Decimal | None:
    """The age at onset in years: as told, else completed years by onset and birth date, the youngest possible."""
    if problem.onset_age is not None:
        return problem.onset_age
    age, began = case.patient.age, problem.began
    birth = parse(age.birth_date) if age is not None else None
    if birth is None or began is None or began.earliest > case.patient.now:
        return None
    born, onset = birth.latest.date(), began.earliest.date()
    years = onset.year - born.year - ((onset.month, onset.day) < (born.month, born.day))
    return Decimal(max(years, 0))


def is_new(case: Case, problem: Problem) -> bool:
    """Whether a problem is being entered, began, or was recorded within the window of a new record."""
    window, now = case.limits.span("new_record_days"), case.patient.now
    return problem.entered or is_recent(problem.onset, now, window) or is_recent(problem.recorded, now, window)


def new_dystonia(case: Case) -> Problem | None:
    """A dystonia that is new; at the problem list the one being entered."""
    return next((one for one in movements(case, ("dystonia",)) if is_new(case, one)), None)


def no_new_dystonia(case: Case) -> Verdict:
    """The verdict where no dystonia is known to be new: not-checked where conditions or their dates are missing."""
    undated = tuple(one.reference for one in movements(case, ("dystonia",)) if one.onset is None)
    gap = gap_verdict(case, ("conditions",))
    return gap or (not_checked("date-missing", undated) if undated else NOT_APPLICABLE)


def cause_of(patient: Patient) -> Problem | None:
    """A recorded cause of dystonia, certain or not, now or before."""
    return next((one for one in patient.problems if one.state != "refuted" and one.concepts & _CAUSES), None)


def variants(case: Case, symbols: Collection[str]) -> list[Variant]:
    """Variants of these genes that a laboratory reported and that it does not call benign."""
    return [
        one
        for one in case.patient.variants
        if one.gene is not None and one.gene.symbol in symbols and not one.problem and one.significance != "benign"
    ]


def variant_facts(found: Iterable[Variant]) -> tuple[Fact, ...]:
    """Variants as recorded facts; one without a clear meaning is information only.

    The gene is not named, because the reader of a card may not be meant to see it (F.6); the reference leads to it.
    """
    return tuple(Fact(_variant_words(one), one.reference) for one in found)


def _variant_words(one: Variant) -> str:
    means = {
        "pathogenic": "reported as pathogenic",
        "likely-pathogenic": "reported as likely pathogenic",
        "uncertain": "of uncertain significance: information only",
    }.get(one.significance, "reported, significance not stated: information only")
    zygosity = f", {one.zygosity}" if one.zygosity else ""
    return f"Genetic finding on record: variant {means}{zygosity}{f', {one.when.short()}' if one.when else ', no date'}"


def elapsed(first: When, then: When) -> timedelta | None:
    """The time from one date to a later one, in whole days where one has no time; None for a month or a year."""
    if first.precision not in {"time", "day"} or then.precision not in {"time", "day"}:
        return None
    if first.precision == then.precision == "time":
        return then.earliest - first.earliest
    return timedelta(days=(then.earliest.date() - first.earliest.date()).days)
