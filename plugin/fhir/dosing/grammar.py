"""The words that plain dosage text is made of: numbers, units, how often, when, how long, and what may be skipped."""

from __future__ import annotations

import re
from decimal import Decimal

from plugin.fhir.dosing.units import WORDS

D = Decimal

SMALL = {
    **dict.fromkeys(("a", "an", "one", "once"), D(1)),
    **dict.fromkeys(("two", "twice"), D(2)),
    **dict.fromkeys(("three", "thrice"), D(3)),
    **dict.fromkeys(("half", "half a", "one half", "one-half", "1/2"), D("0.5")),
    "four": D(4),
    "five": D(5),
    "six": D(6),
    "seven": D(7),
    "eight": D(8),
    "ten": D(10),
    "twelve": D(12),
    "fourteen": D(14),
    "1 1/2": D("1.5"),
    "2 1/2": D("2.5"),
    "one and a half": D("1.5"),
    "1/4": D("0.25"),
    "3/4": D("0.75"),
}
_SMALL_WORDS = "|".join(re.escape(word) for word in sorted(SMALL, key=len, reverse=True) if word not in {"a", "an"})
_NUMBER = rf"(?:{_SMALL_WORDS}|\d{{0,6}}\.\d{{1,6}}(?!\d)|\d{{1,6}}(?![\d/]|,\d))"
_COUNT = rf"(?:{_NUMBER})(?:\s*(?:-|to|or)\s*{_NUMBER})?"
_UNITS = "|".join(re.escape(word) for word in WORDS)
_UNIT = rf"(?:{_UNITS})(?:\(s\))?(?:/kg)?(?:/(?:dose|day|d|h|hr|24\s?h))?(?![\w/%])"
_TIME = r"(?:minutes?|mins?|hours?|hrs?|h|days?|d|weeks?|wks?|wk|months?)"
_DAY_WORD = r"(?:daily|(?:a|per|each|every|/|in a|in)\s*(?:24\s?(?:h|hours?|hrs?)|day|d)\b)"

_PART_OF_DAY = r"(?:morning|noon|afternoon|evening|night)"

PER_DAY: dict[str, Decimal] = {
    "qd": D(1),
    "od": D(1),
    "bid": D(2),
    "bd": D(2),
    "tid": D(3),
    "tds": D(3),
    "qid": D(4),
    "qds": D(4),
    "qod": D("0.5"),
    "eod": D("0.5"),
    "every other day": D("0.5"),
    "every second day": D("0.5"),
    "alternate days": D("0.5"),
    "on alternate days": D("0.5"),
    "hourly": D(24),
    "weekly": D(1) / 7,
    "biw": D(2) / 7,
    "tiw": D(3) / 7,
    "fortnightly": D(1) / 14,
    "monthly": D(1) / 30,
}
_MOMENT = (
    r"qam|qpm|qhs|hs|nocte|nightly|mane|(?:in the |every |each |at |q |before |after |with |on )?(?:mornings?|am\b|"
    r"noon|midday|breakfast|lunch(?:time)?|afternoons?|evenings?|pm\b|supper|dinner|nights?|bed(?:time)?)"
)
_FILLER = (
    r"take|give|inject|administer|insert|swallow|chew|dissolve|inhale|by mouth|per os|orally|oral|po|by injection|iv|"
    r"im|sc|sq|subq|subcut(?:aneous(?:ly)?)?|intramuscular(?:ly)?|intravenous(?:ly)?|into (?:the|a) (?:muscle|vein)|"
    r"sl|sublingual(?:ly)?|under the tongue|pr|per rectum|rectal(?:ly)?|with food|with or without food|"
    r"with (?:a glass of )?water|on (?:an )?empty stomach|via|route"
)
# Tried in this order at each place; the names are those of the methods that take the match.
_GRAMMAR = (
    ("cap", rf"(?:max(?:imum)?(?: dose)?(?: of)?|not to exceed|nte|no more than)[: ]*(?P<most>{_COUNT})\s*"
            rf"(?P<most_unit>{_UNIT})\s*(?P<most_per>{_DAY_WORD})?"),
    ("times", rf"(?:up to )?(?P<n>{_COUNT})(?P<x>\s*(?:x|times))?\s*"
              rf"(?P<n_per>{_DAY_WORD}|weekly|(?:a|per|each|every)\s*week|nightly|(?:every|each)\s*{_PART_OF_DAY})"),
    ("every", rf"(?:q|every)\s*(?P<step>{_COUNT})?\s*-?\s*(?P<step_unit>{_TIME})(?![a-z])"),
    ("word", rf"(?P<word>{'|'.join(PER_DAY)})(?![a-z])"),
    ("daily", rf"{_DAY_WORD}(?![a-z])"),
    ("doses", rf"(?:x|for)\s*(?P<doses>{_NUMBER})\s*doses?(?![a-z])"),
    ("length", rf"(?:x|for(?: up to)?)\s*(?P<long>{_NUMBER})\s*-?\s*(?P<long_unit>{_TIME})(?![a-z])"),
    ("share", r"(?:x|for)\s*(?P<share>\d{1,2})/(?P<share_of>7|52|12)(?![\d/])"),
    ("once", r"(?:once|one[- ]time(?: dose)?|x\s?1(?![\d.]|\s?\d)|stat|now|single dose|as a single dose)(?![a-z])"),
    ("amount", rf"\(?\s*=?\s*(?P<much>{_COUNT})\s*-?\s*(?P<unit>{_UNIT})"),
    ("needed", r"(?:(?:as|if|when)\s+(?:needed|required|necessary)|prn(?![a-z]))"),
    ("meal", r"(?:before|after|with)(?: each| every)? meals?(?![a-z])|(?:ac|pc)(?![a-z])"),
    ("moment", rf"(?:{_MOMENT})(?![a-z])|o[mn](?=\s*(?:$|[,;(]|prn|for \d|x ?\d))"),
    ("filler", rf"(?:{_FILLER})(?![a-z])"),
    ("follows", r"^then(?![a-z])"),
    ("bare", rf"^(?P<bare>{_NUMBER})(?=\s)"),
    ("reason", r"(?:for\s+(?:the\s+)?)?[a-z]+"
               r"(?:[ /,'-]+(?!(?:max|maximum|not|nte|no|up|for(?=\s+(?:up\b|\d)))\b)[a-z]+)*"),
)  # fmt: skip
SCANNER = re.compile("|".join(f"(?P<_{name}>{pattern})" for name, pattern in _GRAMMAR))
BETWEEN = re.compile(r"(?:\s|[;()&]|[.,/-](?!\d)|\band\b)*")
# British: "5/7" are five days, "2/52" two weeks and "1/12" is a month.
SHARES = {"7": "days", "52": "weeks", "12": "months"}
# "Daily and at bedtime" is once or twice a day; "1 000 mg" and "1,000" have more than one reading.
TWO_WAYS = re.compile(
    r"\b(?:daily|day)\s*(?:,|and|&|\+)\s*(?:at|in|on|every)|\d\s+\d+(?!/)\s*(?:mg|g|mcg|ug|ml)\b|\d,\d"
)
# Words that cannot stand in the reason of an as-needed dose, because they say when or how much, or deny it.
NO_REASON = re.compile(
    r"\b(?:q|q[a-z]{1,2}|[bt]id|[bt]d|tds|dail\w*|every|each|per|then|repeat\w*|times?|once|twice|thrice|nights?|night\w*|"
    r"nocte|bedtime|mornings?|mane|evenings?|noon|hourly|week\w*|month\w*|days?|hours?|half|double|extra|another|"
    r"additional|increase\w*|titrat\w*|taper\w*|reduce\w*|stop|hold|not?|never|avoid|do|don|may|one|two|three|four|"
    r"five|six|tab\w*|cap\w*|dose\w*|or|until)\b"
)
