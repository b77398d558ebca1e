"""Dosage in plain words: what a text says, and which texts are not read because they may be meant otherwise."""

from __future__ import annotations

import pytest

from plugin.fhir.dosing.words import read
from tests.support.rows import row

# (text, dose, times a day, further).
PLAIN = [
    row("tablet", "1 tab by mouth twice daily", "1 piece", "2", ""),
    row("as needed", "every 6 hours as needed", "-", "4", "as needed"),
    row("once", "10 mg IM once", "10 mg", "-", "once"),
    row("q6-8h: the more frequent", "5 mg q6-8h", "5 mg", "4", "range"),
    row("no blank", "10mg PO DAILY", "10 mg", "1", ""),
    row("as an EHR writes it", "5 mg, Intramuscular, Every 6 hours PRN, agitation, max 20 mg/day", "5 mg", "4",
        "as needed, max 20"),
    row("not to exceed", "5 mg every 30 minutes as needed, not to exceed 20 mg in 24 hours", "5 mg", "48",
        "as needed, max 20"),
    row("one to two tablets", "Take 1-2 tablets by mouth every 4 to 6 hours as needed for pain", "2 piece", "6",
        "as needed, range"),
    row("with its mg", "Take 1 tablet (10 mg) by mouth 4 times daily before meals and at bedtime", "1 piece 10 mg", "4",
        ""),
    row("with its mg in all", "Take 1 tablet (5 mg total) by mouth 2 (two) times daily.", "1 piece 5 mg", "2", ""),
    row("figure and word, as needed", "Inject 1 mL (5 mg total) every 6 (six) hours as needed (agitation).",
        "1 volume 5 mg", "4", "as needed"),
    row("two tablets: mg each or in all is not said", "2 tablets (5 mg) daily", "2 piece", "1", ""),
    row("volume with its mg", "Give 5 mL (10 mg) by mouth twice daily", "5 volume 10 mg", "2", ""),
    row("a dash between two figures", "1–2 tablets every 4–6 hours", "2 piece", "6", "range"),
    row("half a tablet", "½ tablet at night", "0.5 piece", "1", ""),
    row("one and a half", "1½ tablets at night", "1.5 piece", "1", ""),
    row("one and a half, in figures", "1 1/2 tablets at night", "1.5 piece", "1", ""),
    row("a leading point", ".5 mg bid", "0.5 mg", "2", ""),
    row("points in bid", "5 mg b.i.d.", "5 mg", "2", ""),
    row("points in prn", "5 mg p.r.n.", "5 mg", "-", "as needed"),
    row("British: nocte", "10 mg nocte", "10 mg", "1", ""),
    row("British: ON", "10 mg ON", "10 mg", "1", ""),
    row("British: TDS", "10 mg TDS", "10 mg", "3", ""),
    row("one moment in two words", "5 mg every evening at bedtime", "5 mg", "1", ""),
    row("two moments", "2.5 mg in the morning and at night", "2.5 mg", "2", ""),
    row("with meals", "one tablet three times a day with meals", "1 piece", "3", ""),
    row("meals alone are three", "1 tablet before meals", "1 piece", "3", ""),
    row("meals and bedtime", "1 tablet before meals and at bedtime", "1 piece", "4", ""),
    row("every other day", "5 mg every other day", "5 mg", "0.5", ""),
    row("for 5 days", "5 mg twice daily for 5 days", "5 mg", "2", "120 h"),
    row("for up to 5 days", "5 mg twice daily for up to 5 days", "5 mg", "2", "120 h"),
    row("as needed, the reason and how long", "5 mg every 6 hours as needed for nausea for up to 2 days", "5 mg", "4",
        "as needed, 48 h"),
    row("as needed, the reason, for so many days", "5 mg q6h prn nausea for 3 days", "5 mg", "4", "as needed, 72 h"),
    row("the line that follows another", "then 5 mg twice daily for 10 days", "5 mg", "2", "240 h"),
    row("British: days", "10 mg TDS for 5/7", "10 mg", "3", "120 h"),
    row("British: weeks", "10 mg tds x 2/52", "10 mg", "3", "336 h"),
    row("British: a month", "10 mg TDS for 1/12", "10 mg", "3", "720 h"),
    row("x5d", "2 tabs PO q8h x5d", "2 piece", "3", "120 h"),
    row("three doses", "5 mg every 12 hrs x 3 doses", "5 mg", "2", "3 doses"),
    row("one dose", "10 mg IM x 1 dose", "10 mg", "-", "once, 1 doses"),
    row("one dose, and a frequency that says otherwise", "5 mg twice daily x 1 dose", "5 mg", "2", "1 doses"),
    row("every 4 weeks", "50 mg every 4 weeks", "50 mg", "0.036", ""),
    row("by body weight", "0.1 mg/kg/dose every 8 hours", "0.1 mg per kg", "3", ""),
    row("two to three times", "two to three times a day", "-", "3", "range"),
    row("once daily is no single dose", "take one tablet once daily", "1 piece", "1", ""),
    row("once every morning", "once every morning", "-", "1", ""),
    row("STAT", "one tablet stat", "1 piece", "-", "once"),
    row("without a unit", "1 bid", "?", "2", ""),
    row("1 daily is one at a time, once a day", "1 daily", "?", "1", ""),
    row("drops are no mass", "10 drops daily", "?", "1", ""),
]  # fmt: skip


@pytest.mark.parametrize(("text", "dose", "times", "further"), PLAIN)
def test_plain(text: str, dose: str, times: str, further: str) -> None:
    words = read(text)
    assert words is not None
    said = " ".join(
        f"{one.value * one.unit.factor if one.unit.kind == 'mass' else one.value:f} "
        f"{'mg' if one.unit.kind == 'mass' else one.unit.kind}{' per kg' if one.unit.per_kg else ''}"
        for one in words.doses
    )
    more = (
        "as needed" if words.as_needed else "",
        *(f"max {amount.value:f}" for amount, _ in words.caps),
        "once" if words.once else "",
        "" if words.fixed else "range",
        f"{words.length:f} h" if words.length is not None else "",
        f"{words.count:f} doses" if words.count is not None else "",
    )
    assert (said or ("?" if words.problem else "-")) == dose
    assert ("-" if words.times is None else f"{round(words.times, 3).normalize():f}") == times
    assert ", ".join(part for part in more if part) == further


NOT_PLAIN = [
    row("as directed", "taper as directed"),
    row("a first dose and then others", "5 mg stat then q6h"),
    row("may repeat", "5 mg, may repeat x1 in 30 min"),
    row("two doses of different height", "2.5 mg in the morning and 5 mg at night"),
    row("denied", "do not take 5 mg daily"),
    row("no", "no 5 mg daily"),
    row("hold", "5 mg daily prn, hold if sedated"),
    row("daily and at bedtime: once or twice", "5 mg daily and at bedtime"),
    row("2 daily: two at once or two times", "2 daily"),
    row("x1 beside a schedule", "2 bid x1"),
    row("two schedules", "5 mg twice daily every 6 hours"),
    row("meals and bedtime are four, not three", "1 tablet 3 times daily before meals and at bedtime"),
    row("once a day at two moments", "5 mg once daily in the morning and at night"),
    row("a comma that may be a point", "1,000 mg bid"),
    row("a decimal comma", "0,5 mg bid"),
    row("a blank within a number", "1 000 mg bid"),
    row("a fraction that is none", "11/2 tablets bid"),
    row("no times a day", "5 mg 0 times daily"),
    row("no dose", "0 mg daily"),
    row("figure and word differ", "1 tablet 2 (three) times daily"),
    row("three amounts", "1 tablet (10 mg) (5 mL) daily"),
    row("strength and count", "take one 5 mg tablet daily"),
    row("a strength per volume", "5 mg/mL daily"),
    row("an alternative", "10 mg q4h prn severe agitation or 5 mg if mild"),
    row("a name that is not known here", "haloperidol 5 mg im once"),
    row("longer than any plain text", "5 mg daily " * 40),
]  # fmt: skip


@pytest.mark.parametrize("text", [one.values[0] for one in NOT_PLAIN], ids=[one.id for one in NOT_PLAIN])
def test_not_plain(text: str) -> None:
    assert read(text) is None
