"""Making anything less readable may turn "clear" into "not checked", and never anything else into "clear"."""

from __future__ import annotations

from collections.abc import Callable
from random import Random
from typing import Any

from hypothesis import given

from plugin.rules import RULES
from tests.properties.degrading import Loss, chosen
from tests.properties.patients import NUMBERS, invented
from tests.properties.profile import examples
from tests.properties.smallest import hold
from tests.support.fire import fire

Json = dict[str, Any]
Verdicts = dict[tuple[str, str], Json]
JUDGING = {rule.id for rule in RULES if not rule.about_data}
LEVELS = {"info": 1, "warning": 2, "critical": 3}
OPEN = {"fired", "not-checked"}

# What the specification reads otherwise than as a gap: (rule or "", kind of input or "", way), each with its reason.
NO_GAP = {
    ("R-DRUG-01", "patient", "without_sex"),  # C: an unknown sex is not counted
    ("", "Observation", "with_a_code_alone_that_nobody_knows"),  # D.0: results are searched for by their codes
    ("", "Condition", "without_system"),  # where words are left, they are what is known
    ("", "Condition", "without_states"),  # C-VS: a condition without a status counts
    ("", "Condition", "with_states_that_nobody_knows"),
    ("", "Condition", "without_notes"),  # an element that need not be there: nothing tells that it is missing
    ("", "Condition", "without_onset_age"),
    ("", "MedicationRequest", "without_dose"),
    ("R-DRUG-05b", "Observation", "without_code"),  # beside a weight that can be read
    *(
        ("R-DRUG-05b", "observations", how) for how in ("failed", "failed_within", "cut_off", "absent")
    ),  # from 4 years on
    ("R-DRUG-06", "MedicationRequest", "with_a_dose_in_words"),  # D.6a: an order that does not say how long it lasts
    ("R-DRUG-06", "MedicationRequest", "without_code"),  # one that is over, and that nobody can name
    ("R-DRUG-06", "MedicationRequest", "with_a_code_alone_that_nobody_knows"),
    ("R-DRUG-10", "Condition", "without_dates"),  # an active one without a date is a need for cover
    ("R-DRUG-10", "Condition", "with_dates_that_are_none"),
    ("R-DX-02", "Observation", "with_words_that_say_nothing"),  # other words are another trigger
    ("R-DRUG-05b", "Procedure", "with_the_year_alone"),  # an operation of this year is none of today
    ("R-DRUG-05b", "Procedure", "without_code"),  # codes of operations are thousands, and none was confirmed
    ("R-DRUG-05b", "Procedure", "with_a_code_alone_that_nobody_knows"),
    ("R-DRUG-05b", "Procedure", "without_dates"),
    ("R-DRUG-05b", "Procedure", "with_dates_that_are_none"),
    ("R-DX-03", "Condition", "with_the_year_alone"),  # what may be new is looked at, and another one is not
    ("R-DX-09", "Condition", "with_the_year_alone"),
    ("R-MET-01", "Observation", "with_the_day_alone"),  # another albumin may then be as near to the calcium
    ("", "DiagnosticReport", "with_words_that_say_nothing"),  # readable words without a finding
}
# Rules that something else silences, lowers or replaces; where that is lost they speak louder.
SILENCED = {
    "R-DRUG-01": {"MedicationRequest", "MedicationStatement", "MedicationAdministration", "MedicationDispense",
                  "Condition", "Observation", "Encounter", "Procedure"},
    "R-DRUG-02": {"MedicationRequest", "MedicationStatement", "MedicationAdministration", "MedicationDispense"},
    "R-DRUG-05b": {"Observation"},
    "R-DRUG-06": {"Condition", "MedicationRequest", "MedicationStatement"},
    "R-DRUG-07": {"MedicationRequest", "Observation", "Condition"},
    "R-DRUG-10": {"Condition", "AllergyIntolerance", "MedicationRequest"},
    "R-MET-01": {"Observation"},
    "R-MET-02": {"Observation"},
    "R-MET-03": {"Observation", "MedicationRequest"},
    "R-MET-04": {"Observation"},
    "R-MET-05": {"Observation", "MedicationRequest", "MedicationStatement"},
    "R-MET-06": {"Observation"},
    "R-MET-07": {"Observation", "MedicationStatement"},
    "R-MET-08": {"Observation"},
    "R-MET-09": {"Observation"},
    "R-DX-01": {"Condition", "Observation"},
    "R-DX-02": {"Condition", "Observation", "DiagnosticReport"},
    "R-DX-06": {"Condition", "Observation", "DiagnosticReport"},
    "R-DX-09": {"Observation", "MedicationRequest", "MedicationStatement", "MedicationAdministration"},
    "R-DX-10": {"Condition", "Observation", "DiagnosticReport"},
    "R-TX-01": {"Condition", "MedicationRequest", "MedicationStatement", "MedicationAdministration"},
    "R-TX-02": {"Condition"},
    "R-TX-03": {"Condition"},
    "R-TX-04": {"MedicationRequest", "MedicationStatement", "Condition", "Observation", "DiagnosticReport"},
}  # fmt: skip
# The youngest possible age and the newest possible date count, and a condition without a status is an active one.
LIFTING = {
    "with_the_birth_year_alone",
    "with_the_year_alone",
    "without_states",
    "with_states_that_nobody_knows",
    "with_a_birth_date_that_is_none",
    "without_birth_date",
}


def verdicts(body: Json) -> Verdicts:
    """The verdicts of the rules that judge, by rule and subject."""
    return {(one["rule"], one.get("subject", "")): one for one in fire(body).results if one["rule"] in JUDGING}


def is_no_gap(rule: str, loss: Loss) -> bool:
    return any(one in {"", rule} and kind in {"", loss.kind} and how == loss.how for one, kind, how in NO_GAP)


def level(verdict: Json) -> int:
    """How loudly a verdict speaks: 0 for silence; what waits for the card of another rule is not silenced."""
    silenced = verdict.get("suppressed", "on-request") not in {"on-request", "three-cards"}
    return 0 if silenced else LEVELS.get(verdict.get("indicator", ""), 0)


def _compared(number: int, allowed: Callable[[str, Json, Json, Loss], bool]) -> None:
    dice = Random(number)
    body = invented(dice)
    loss = chosen(dice, body)
    hold(body, lambda less: _wrong(less, loss, allowed))


def _wrong(body: Json, loss: Loss, allowed: Callable[[str, Json, Json, Loss], bool]) -> str:
    """What a loss did that it must not do; "" when nothing."""
    worse = loss.of(body)
    if worse is None:
        return ""
    before, after = verdicts(body), verdicts(worse)
    found = [key for key, verdict in before.items() if not allowed(key[0], verdict, after[key], loss)]
    return "".join(f"{key} was {before[key]} and is {after[key]}: {loss.reference} {loss.how}\n" for key in found)


def stays_open(rule: str, before: Json, after: Json, loss: Loss) -> bool:
    """Whether what was found or could not be checked is not said to be clear."""
    return before["status"] not in OPEN or after["status"] != "clear" or is_no_gap(rule, loss)


def stays_quiet(rule: str, before: Json, after: Json, loss: Loss) -> bool:
    """Whether a rule speaks no louder, unless what was lost is something that kept it quiet."""
    whole_key = loss.of_a_key is not None
    lifted = loss.how in LIFTING or (rule in SILENCED and (whole_key or loss.kind in SILENCED[rule]))
    return level(after) <= level(before) or lifted


@examples(2500)
@given(NUMBERS)
def test_less_readable_is_never_clear(number: int) -> None:
    _compared(number, stays_open)


@examples(1500)
@given(NUMBERS)
def test_less_readable_is_never_graver(number: int) -> None:
    """Nothing that a rule fires on comes from a gap, but what would silence it may be lost."""
    _compared(number, stays_quiet)
