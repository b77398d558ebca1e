"""How often and for how long: what a Dosage's timing says, in doses a day. Of a range the more frequent end counts."""

from __future__ import annotations

import re
from collections.abc import Sequence
from datetime import timedelta
from decimal import ROUND_CEILING, Decimal
from functools import lru_cache
from typing import Any

import msgspec

from plugin.fhir.dosing.numbers import DAY, SECONDS, hours, in_hours, positive
from plugin.fhir.dosing.words import Words, read
from plugin.fhir.types import Concept, Dosage, Repeat, Timing
from plugin.text import READ_AT_MOST
from plugin.when import parse

D = Decimal

UNREADABLE = "schedule cannot be read"
_DAYS = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")
_WEEK = len(_DAYS)
_TIME = re.compile(r"\d\d:\d\d(?::\d\d(?:\.\d+)?)?")
_MEAL_CODES = {"AC", "PC", "C"}
_MEALS_A_DAY = 3
_EVENT = re.compile(r"(?:MORN|NOON|AFT|EVE)(?:\.(?:early|late))?|NIGHT|PHS|HS|WAKE|[AP]?C[MDV]?")
# Times a day of HL7's GTSAbbreviation and of the Latin and the hospital shorthand that stands in Timing.code.
_PER_DAY: dict[str, Decimal] = {
    **dict.fromkeys("QD DAILY OD AM PM QAM QPM BED QHS HS NOCTE MANE ON OM".split(), D(1)),  # noqa: SIM905
    **dict.fromkeys(("BID", "BD"), D(2)),
    **dict.fromkeys(("TID", "TDS"), D(3)),
    **dict.fromkeys(("QID", "QDS"), D(4)),
    **dict.fromkeys(("QOD", "EOD"), D("0.5")),
    **dict.fromkeys(("WK", "QWK", "WEEKLY"), D(1) / 7),
    **dict.fromkeys(("MO", "QMONTH", "MONTHLY"), D(1) / 30),
    "BIW": D(2) / 7,
    "TIW": D(3) / 7,
}
_EVERY = re.compile(r"Q(\d+)(?:-\d+)?(H|HR|HRS|D|DAYS|W|WK|WKS|MIN)")
_ONCE = {"ONCE", "STAT", "X1", "NOW", "ONE-TIME"}
_ONCE_WORDS = re.compile(r"\b(?:once|stat|x ?1|one[- ]time|single dose)\b", re.I)
# "Once daily" and "stat, then every 6 h" go on: words that say so outweigh "once".
_AGAIN_WORDS = re.compile(
    r"\b(?:dail\w*|every|each|per|then|repeat\w*|times|a (?:day|week|month)|night\w*|nocte|bedtime|morning\w*|mane|"
    r"evening\w*|noon|hourly|week\w*|month\w*|q\.?d|o\.?d|qhs|hs|bd|b\.?i\.?d|tds|t\.?i\.?d|qds|q\.?i\.?d|"
    r"q ?\d+ ?h\w*)\b",
    re.I,
)
_AS_NEEDED_WORDS = re.compile(r"\bp\.?r\.?n\b|\b(?:as|if|when) (?:needed|required|necessary)\b", re.I)


class Often(msgspec.Struct, frozen=True, gc=False):
    """``times`` a day on average, ``on_day`` on a day of dosing; both at most. ``fixed`` is False for a range.

    ``problem`` is the reason why what is stated cannot be read. Nothing stated has neither times nor problem.
    """

    times: Decimal | None = None
    on_day: Decimal = D(0)
    fixed: bool = True
    problem: str = ""


class Schedule(msgspec.Struct, frozen=True, gc=False):
    """When and how long: as ``Often``, with the number of doses in all and the length of the course in hours.

    ``open_end`` says that a number of doses or an end is stated, but not when that is.
    """

    often: Often
    once: bool
    as_needed: bool
    count: Decimal | None
    length: Decimal | None
    open_end: bool = False

    def doses_in(self, span: Decimal) -> Decimal:
        """The most doses that fall into the first ``span`` hours; at least one."""
        left = span if self.length is None else min(span, self.length)
        doses = (self.often.on_day * left / DAY).to_integral_value(ROUND_CEILING)
        return max(D(1), doses if self.count is None else min(doses, self.count))


_NOT_STATED = Often()
_NOT_READ = Often(problem=UNREADABLE)


def schedule_of(dosage: Dosage, words: Words | None) -> Schedule:
    """The schedule of one Dosage; ``words`` is what its text says, None where that is not plain.

    The elements decide, then the code, then the events, then the text: each only where the ones before say nothing.
    """
    timing = dosage.timing
    repeat = timing.repeat if timing is not None else None
    coded = _coded(timing.code) if timing is not None else None
    often = _often(timing, repeat, coded, words)
    counted = _count(repeat)
    count = counted
    if count is None and words is not None and (repeat is None or repeat.count is None):
        count = words.count
    length = _length(repeat) if _bounded(repeat) else _unbounded(timing, often, count, words)
    once = counted == 1 if counted is not None else _is_once(dosage, often)
    stated = repeat is not None and (repeat.count is not None or repeat.countMax is not None)
    open_end = (stated and (counted is None or length is None)) or (length is None and _bounded(repeat))
    return Schedule(often, once, _as_needed(dosage, coded, words), count, length, open_end)


def _often(timing: Timing | None, repeat: Repeat | None, coded: Words | None, words: Words | None) -> Often:
    found = _repeated(repeat) if repeat is not None else _NOT_STATED
    if found is not _NOT_STATED:
        return found
    for said in (coded, words):
        if said is not None and said.times is not None:
            return Often(said.times, max(said.times, D(1)), said.fixed)
    if timing is None:
        return _NOT_STATED
    if timing.event and len(timing.event) > 1:
        return _of_events(timing.event)
    return _NOT_READ if timing.code is not None and coded is None else _NOT_STATED


def _repeated(repeat: Repeat) -> Often:
    stated = (repeat.frequency, repeat.frequencyMax, repeat.period, repeat.periodMax, repeat.periodUnit)
    days, moments, times = repeat.dayOfWeek, repeat.when, repeat.timeOfDay
    try:
        return _regular(*stated, tuple(days or ()), tuple(moments or ()), tuple(times or ()))
    except TypeError:
        # A list or an object where a number belongs.
        return _NOT_READ


@lru_cache(maxsize=4096, typed=True)
def _regular(
    frequency: Any,
    frequency_max: Any,
    period: Any,
    period_max: Any,
    unit: str | None,
    *on: tuple[str, ...],
) -> Often:
    """Frequency over period, days of the week, moments of the day: the same few schedules come in every call."""
    days, moments = on[0], (*dict.fromkeys(on[1]), *dict.fromkeys(on[2]))
    if not _known(*on):
        return _NOT_READ
    if not moments and all(value is None for value in (frequency, frequency_max, period, period_max, unit)):
        return _of_days(D(1), D(1), days) if days else _NOT_STATED
    frequencies, periods = _numbers(frequency, frequency_max), _numbers(period, period_max)
    if frequencies is None or periods is None or (not periods and (not moments or unit)):
        return _NOT_READ
    span = in_hours(min(periods), unit or "") if periods else DAY
    if not span:
        return _NOT_READ
    # "At a meal" is at each of three, unless a frequency says how often.
    meals = 0 if frequencies else sum(code in _MEAL_CODES for code in moments) * (_MEALS_A_DAY - 1)
    times = max(*frequencies, D(len(moments) + meals), D(1)) * DAY / span
    fixed = len({*frequencies}) <= 1 and len({*periods}) <= 1
    return _of_days(times, span, days, fixed) if days else Often(times, max(times, D(1)), fixed)


def _known(days: tuple[str, ...], moments: tuple[str, ...], times: tuple[str, ...]) -> bool:
    return (
        all(day in _DAYS for day in days)
        and all(_EVENT.fullmatch(code) for code in moments)
        and all(_TIME.fullmatch(time) for time in times)
    )


def _of_days(times: Decimal, span: Decimal, days: Sequence[str], fixed: bool = True) -> Often:
    """Only on some days of the week: fewer doses on average, as many on such a day."""
    chosen = len({*days})
    if span <= DAY:
        return Often(times * chosen / _WEEK, max(times, D(1)), fixed)
    weekly = max(times, D(chosen) / _WEEK)
    return Often(weekly, max(weekly, D(1)), fixed)


def _numbers(*values: object) -> list[Decimal] | None:
    """Those that are stated; None when one of them is no number above zero."""
    found = [positive(value) for value in values if value is not None]
    known = [value for value in found if value is not None]
    return known if len(known) == len(found) else None


def _coded(code: Concept | None) -> Words | None:
    """What Timing.code says by its codes or else its words; None for nothing that is understood."""
    if code is None:
        return None
    return _code_words(
        tuple([coding.code for coding in code.coding or () if coding.code]),
        tuple([text for text in (code.text, *(coding.display for coding in code.coding or ())) if text]),
    )


@lru_cache(maxsize=4096)
def _code_words(codes: tuple[str, ...], texts: tuple[str, ...]) -> Words | None:
    found = [times for code in codes if (times := _code_times(code.strip().upper())) is not None]
    needed = any(code.strip().upper() == "PRN" for code in codes)
    if found:
        # Codings of one concept mean the same; of two that differ the more frequent can do harm.
        return Words(times=max(found), as_needed=needed, fixed=len({*found}) == 1)
    for text in texts:
        times = _code_times(text.strip(" .,;").upper())
        plain = Words(times=times) if times is not None else read(text)
        if plain is not None and not plain.doses and (plain.times is not None or plain.once or plain.as_needed):
            return plain
    if any(code.strip().upper() in _ONCE for code in codes):
        return Words(once=True)
    return Words(as_needed=True) if needed else None


def _code_times(code: str) -> Decimal | None:
    """Times a day of a code such as BID or Q6H; of Q6-8H the more frequent end."""
    code = code.replace(".", "").replace(" ", "")
    if code in _PER_DAY:
        return _PER_DAY[code]
    match = _EVERY.fullmatch(code)
    step = in_hours(D(match[1]), match[2]) if match is not None else None
    return DAY / step if step else None


def _of_events(events: Sequence[str]) -> Often:
    """A list of moments: the most within any 24 hours, or the average of those that lie further apart."""
    moments = [when.earliest for text in events if (when := parse(text)) is not None]
    if len(moments) < len(events):
        return _NOT_READ
    moments.sort()
    first, most = 0, 0
    for last, moment in enumerate(moments):
        while moment - moments[first] >= _ONE_DAY:
            first += 1
        most = max(most, last - first + 1)
    if most > 1:
        return Often(D(most), D(most))
    length = D(round((moments[-1] - moments[0]).total_seconds()))
    return Often((len(moments) - 1) * SECONDS["d"] / length, D(1))


_ONE_DAY = timedelta(days=1)


def _count(repeat: Repeat | None) -> Decimal | None:
    """The number of doses in all, of a range the higher; None unless it can be read."""
    if repeat is None or (repeat.count is None and repeat.countMax is None):
        return None
    counts = _numbers(repeat.count, repeat.countMax)
    return max(counts) if counts else None


def _bounded(repeat: Repeat | None) -> bool:
    if repeat is None:
        return False
    period = repeat.boundsPeriod
    return any((repeat.boundsDuration, repeat.boundsRange)) or bool(period is not None and period.end)


def _length(repeat: Repeat | None) -> Decimal | None:
    """How long the course is bounded to last, in hours; of a range the longer. No time at all is no bound."""
    if repeat is None:
        return None
    length = hours(repeat.boundsDuration)
    if not length and repeat.boundsRange is not None:
        length = hours(repeat.boundsRange.high)
    return length or _period(repeat)


def _unbounded(timing: Timing | None, often: Often, count: Decimal | None, words: Words | None) -> Decimal | None:
    """How long a course without bounds lasts: by its words, else until its last dose or event."""
    if words is not None and words.length is not None:
        return words.length
    if count is None and timing is not None and timing.event:
        count = D(len(timing.event))
    return count * DAY / often.times if count is not None and often.times else None


def _period(repeat: Repeat) -> Decimal | None:
    """From the first to the last day, which both count whole."""
    period = repeat.boundsPeriod
    if period is None or not period.start or not period.end:
        return None
    start, end = parse(period.start), parse(period.end)
    if start is None or end is None or end.latest < start.earliest:
        return None
    return D(round((end.latest - start.earliest).total_seconds())) / 3600


def _is_once(dosage: Dosage, often: Often) -> bool:
    """One dose and no more, by the timing, its code or, without a schedule, by the words of the order."""
    timing = dosage.timing
    code = timing.code if timing is not None else None
    if code is not None and any((coding.code or "").upper() in _ONCE for coding in code.coding or ()):
        # A schedule of once a day beside the code is what some systems always write.
        return not often.problem and often.times in {None, D(1)}
    if often.times is not None or often.problem:
        return False
    if timing is not None and timing.event and len(timing.event) == 1:
        return True
    return any(_says_once(text) for text in (dosage.text, code.text if code is not None else None) if text)


@lru_cache(maxsize=4096)
def _says_once(text: str) -> bool:
    # A longer text may say further down that it is not the only dose.
    is_short = len(text) <= READ_AT_MOST
    return is_short and bool(_ONCE_WORDS.search(text)) and not _AGAIN_WORDS.search(text)


def _as_needed(dosage: Dosage, coded: Words | None, words: Words | None) -> bool:
    if dosage.asNeededBoolean or dosage.asNeededCodeableConcept or dosage.asNeededFor or dosage.asNeeded is True:
        return True
    if any(said is not None and said.as_needed for said in (coded, words)):
        return True
    return _says_as_needed(dosage.text or "")


@lru_cache(maxsize=4096)
def _says_as_needed(text: str) -> bool:
    return bool(_AS_NEEDED_WORDS.search(text[:READ_AT_MOST]))
