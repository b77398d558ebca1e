"""Words from a record, made harmless: whatever is put in, one plain line comes out."""

from __future__ import annotations

import unicodedata

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from plugin.text import LONGEST, is_identifier, plain, reference_of
from tests.support.rows import row

TEXTS = [
    row("plain words stay", "Haloperidol 5 mg, oral (1-0-1)", "Haloperidol 5 mg, oral (1-0-1)"),
    row("letters of other languages stay", "Halopéridol µg 25 °C 氟哌啶醇", "Halopéridol µg 25 °C 氟哌啶醇"),
    row("signs of units stay", "<unit>1.5 mg/kg; 50 %", "unit 1.5 mg/kg; 50 %"),
    row("line breaks become spaces", "one\n\ntwo\tthree\r\u2028four", "one two three four"),
    row("HTML loses its brackets", '<img src="x"> & <b>bold</b>', 'img src="x" & b bold /b'),
    row("Markdown loses its marks", "**bold** _it_ `code` # head ~~no~~", "bold it code head no"),
    row("a table loses its bars", "| a | b |", "a b"),
    row("a link loses its address", "[click](https://evil.example/x)", "click ( evil. example/x)"),
    row("a script address", "javascript:alert(1) data:text/html www.x.y", "alert(1) text/html x.y"),
    row("a script address behind a blank", "see javascript: alert(1)", "see alert(1)"),
    row("an address of any kind", "haloperidol x-evil://host/a", "haloperidol host/a"),
    row("an address without a letter before it", "haloperidol 1://host", "haloperidol 1 host"),
    row("a word before a colon stays", "allergy: Reglan", "allergy: Reglan"),
    row("a time stays", "at 08:30", "at 08:30"),
    row("direction overrides go", "abc\u202edef\u2066ghi", "abc def ghi"),
    row("zero-width characters go", "halo\u200bperidol\ufeff", "halo peridol"),
    row("control characters go", "a\x00b\x1b[31mc", "a b 31mc"),
    row("private use goes", "a\ue000b", "a b"),
    row("an image", "![x](y)", "x (y)"),
    row("a backslash", "a\\*b", "a b"),
    row("what compares a number is told", "K <3.5, Ca > 2.6, <=1 >=2 ~5", "K below 3.5, Ca above 2.6, ≤1 ≥2 about 5"),
    row("a power of ten stays one", "10*3/uL 10*-6", "10^3/uL 10^-6"),
    row("an address without scheme", "see evil.com or //evil.com/x", "see evil. com or /evil. com/x"),
    row("an address of mail", "write x@evil.example", "write x at evil. example"),
    row("doses keep their dots", "0.5 mg b.i.d. p.o., 1.5.2024", "0.5 mg b.i.d. p.o., 1.5.2024"),
    row("an entity", "&lt;img&#x3e; AT&T", "& lt;img& x3e; AT&T"),
    row("a bullet at the beginning", "- + haloperidol", "haloperidol"),
    row("a number at the beginning makes no list", "1. haloperidol", "1.\u00a0haloperidol"),
    row("a negative number stays", "-5 mg", "-5 mg"),
    row("a rule at the beginning", "--- x", "x"),
    row("rules alone", "=== ---", ""),
    row("letters that show nothing go", "halo\u3164\u2800\u115fperidol\ufe0f", "halo peridol"),
    row("stacked marks go", "a" + "\u0301" * 50 + "b", "á\u0301\u0301b"),
    row("templates", "{{7*7}} ${x} <%= y %> #{z}", "7 7 $ x %= y % z"),
    row("combining accents are joined", "e\u0301", "é"),
    row("nothing", "", ""),
    row("blanks alone", " \n\t ", ""),
]


@pytest.mark.parametrize(("text", "expected"), TEXTS)
def test_plain(text: str, expected: str) -> None:
    assert plain(text) == expected


def test_long_texts_are_cut_with_a_sign_that_says_so() -> None:
    assert plain("x" * LONGEST) == "x" * LONGEST
    assert plain("x" * (LONGEST + 1)) == "x" * (LONGEST - 1) + "…"
    assert plain("word " * 10, 12) == "word word w…"
    assert len(plain("x" * 10_000_000)) == LONGEST


@settings(derandomize=True, max_examples=200, deadline=None)
@given(st.text(max_size=300))
def test_whatever_comes_in_one_harmless_line_comes_out(text: str) -> None:
    found = plain(text)
    assert len(found) <= LONGEST
    assert plain(found) == found
    assert not set(found) & set("<>[]*_`#|\\!~{}@\n\r\t")
    assert not [sign for sign in found if unicodedata.category(sign) in {"Cc", "Cf", "Cs", "Co", "Cn", "Zl", "Zp"}]
    assert "//" not in found


REFERENCES = [
    row("as FHIR has it", "MedicationRequest/draft-1.a", True),
    row("as some record systems have it", "Observation/T.k_81:2~x=", True),
    row("an order without id", "draftOrders.entry[12]", True),
    row("a type alone", "Observation", True),
    row("nothing", "", False),
    row("no id", "Observation/", False),
    row("an address", "https://evil.example/Observation/1", False),
    row("an address as id", "Observation/https://evil.example", False),
    row("markup", "Observation/<img src=x>", False),
    row("a line break", "Observation/a\n", False),
    row("letters of other languages", "Observation/é", False),
    row("a fragment", "#a", False),
    row("too long", "Observation/" + "a" * 121, False),
]


@pytest.mark.parametrize(("text", "kept"), REFERENCES)
def test_references_that_can_be_given_back(text: str, kept: bool) -> None:
    assert reference_of(text) == (text if kept else "")
    assert is_identifier(text.partition("/")[2]) == (kept and "/" in text)
