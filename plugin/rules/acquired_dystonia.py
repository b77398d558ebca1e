"""R-DX-03: a new dystonia, and a neurological disease on record that may have caused it."""

from __future__ import annotations

from plugin.diagnosis import (
    MRI_BRAIN,
    NEUROLOGY,
    fact,
    named,
    new_dystonia,
    no_new_dystonia,
    told,
    unread,
)
from plugin.patient import Problem
from plugin.presentation import Presentation
from plugin.rule import (
    NOT_APPLICABLE,
    Case,
    Fact,
    Finding,
    Indicator,
    Option,
    Rule,
    Verdict,
    clear,
    fired,
    gap_verdict,
    not_checked,
)

_KEYS = ("conditions", "diagnosticReports")
# The first that a record means gives the word; a stroke whose words name the place means both.
_CAUSES = {
    "stroke": "stroke",
    "demyelination": "demyelinating disease",
    "tbi": "traumatic brain injury",
    "basal-ganglia-lesion": "lesion of the basal ganglia or thalamus",
}
_PLACE = "basal-ganglia-lesion"


def evaluate(case: Case) -> Verdict:
    """Judge a new dystonia. A new dystonia of one half of the body is a stroke alarm, not a card."""
    if case.patient.deceased:
        return NOT_APPLICABLE
    dystonia = new_dystonia(case)
    if dystonia is None:
        return no_new_dystonia(case)
    if named(dystonia, ("hemidystonia",)):
        return NOT_APPLICABLE
    found = _cause(case, dystonia)
    if found is None:
        return gap_verdict(case, _KEYS) or _unread(case, dystonia) or clear((dystonia.reference,))
    word, source = found
    return fired(_finding(case, dystonia, word, source), (dystonia.reference, source.reference))


def _cause(case: Case, dystonia: Problem) -> tuple[str, Fact] | None:
    """What it is called, and the record: a condition now or before, as dystonia may follow after years; or an image."""
    problems = [one for one in case.patient.problems if one.state != "refuted" and named(one, _CAUSES)]
    for problem in sorted(problems, key=lambda one: one.unconfirmed):
        word = _word(problem.concepts | problem.noted)
        return (f"possible {word}" if problem.unconfirmed else f"known {word}"), told(problem, tuple(_CAUSES))
    image = next((one for one in case.patient.presentations if one.concepts.intersection(_CAUSES)), None)
    return None if image is None else (_reported(image), fact(image))


def _unread(case: Case, dystonia: Problem) -> Verdict | None:
    """Reports of images without a conclusion: what they show is not known."""
    lost = tuple(one.reference for one in unread(case, ("imaging",)) if "eeg" not in one.about)
    return not_checked("no-result", (dystonia.reference, *lost)) if lost else None


def _word(concepts: frozenset[str]) -> str:
    word = next(word for concept, word in _CAUSES.items() if concept in concepts)
    place = " of the basal ganglia or thalamus" if word == "stroke" and _PLACE in concepts else ""
    return f"{word}{place}"


def _reported(image: Presentation) -> str:
    return f"reported {_word(image.concepts)}"


def _finding(case: Case, dystonia: Problem, word: str, source: Fact) -> Finding:
    title = "Possible dystonia" if dystonia.unconfirmed else "Dystonia"
    likely = "perhaps" if word.startswith("possible ") else "likely"
    return Finding(
        Indicator.INFO,
        f"{title} with {word}: {likely} acquired; check laterality, timing, MRI.",
        ("Dystonia may follow a stroke or a brain injury after months or years.",),
        (told(dystonia, ("dystonia",)), source),
        ("Sudden weakness, speech trouble or dystonia of one side belongs on the stroke pathway, not on this card.",),
        (),
        (MRI_BRAIN, NEUROLOGY, Option("advice", "Compare side and time of onset with the known disease")),
    )


RULE = Rule(
    "R-DX-03",
    "1.0.0",
    ("patient-view", "encounter-start", "problem-list-item-create"),
    _KEYS,
    Indicator.INFO,
    62,
    evaluate,
    ("new_record_days",),
)
