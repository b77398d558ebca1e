"""Which drugs a text names: as records, prescriptions and packs of several countries write them."""

from __future__ import annotations

import unicodedata
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.support.rows import row
from valuesets import load
from valuesets.text.words import READ_AT_MOST, WORD, WORDS_AT_MOST, normalise, split_words

OTHERS = Path(__file__).parents[1] / "support" / "other_names.txt"
ORDERS = Path(__file__).parents[1] / "support" / "order_texts.txt"


def names(text: str) -> list[str]:
    """The ingredients that a text names and does not deny."""
    match = load().match_text(text)
    return [] if match.rejected_by else [one.name for one in match.ingredients]


# text, ingredients, route, long-acting
RECORDS = [
    row("tall-man letters", "metoCLOPramide (Reglan) 10 mg tablet", ["metoclopramide"], "oral", False),
    row("tall-man letters at the end", "haloPERidol 5 mg tablet", ["haloperidol"], "oral", False),
    row("tall-man letters, injection", "chlorproMAZINE 25 mg/mL injection", ["chlorpromazine"], "parenteral", False),
    row("capitals, salt and two strengths", "PROCHLORPERAZINE EDISYLATE 10 MG/2 ML (5 MG/ML) INJECTION SOLUTION",
        ["prochlorperazine"], "parenteral", False),
    row("abbreviated form", "HALOPERIDOL LACTATE 5 MG/ML IJ SOLN", ["haloperidol"], "parenteral", False),
    row("abbreviated salt and form", "METOCLOPRAMIDE HCL 10 MG TAB", ["metoclopramide"], "oral", False),
    row("suppository", "PROCHLORPERAZINE 25 MG RE SUPP", ["prochlorperazine"], "rectal", False),
    row("per rectum", "promethazine 25 mg PR q6h PRN nausea", ["promethazine"], "rectal", False),
    row("prolonged release is no route", "metoclopramide PR tablets 15 mg", ["metoclopramide"], "oral", False),
    row("by mouth", "Haloperidol 5 mg by mouth twice daily", ["haloperidol"], "oral", False),
    row("a brand's dispersible form", "Reglan ODT", ["metoclopramide"], "oral", False),
    row("microspheres", "risperiDONE microspheres ER", ["risperidone"], "parenteral", True),
    row("decanoate", "Haldol decanoate", ["haloperidol"], "parenteral", True),
    row("decanoate in French", "Haldol Decanoas 100 mg/ml", ["haloperidol"], "parenteral", True),
    row("decanoate in German", "Fluphenazin-decanoat neuraxpharm 25 mg/ml", ["fluphenazine"], "parenteral", True),
    row("decanoate cut short", "HALOPERIDOL DECAN 100 MG/ML VIAL", ["haloperidol"], "parenteral", True),
    row("decanoate cut shorter", "haloperidol dec 50 mg/mL IM", ["haloperidol"], "parenteral", True),
    row("no decanoate: a dose decreased", "haloperidol 5 mg tab, dec to 2 mg", ["haloperidol"], "oral", False),
    row("no space before the amount", "Tab.Haloperidol5mg", ["haloperidol"], "oral", False),
    row("paliperidone palmitate", "Invega Sustenna 156 mg/mL", ["paliperidone"], "parenteral", True),
    row("aripiprazole monohydrate", "Abilify Maintena", ["aripiprazole"], "parenteral", True),
    row("aripiprazole lauroxil", "Aristada Initio 675 mg", ["aripiprazole"], "parenteral", True),
    row("olanzapine pamoate", "Zyprexa Relprevv", ["olanzapine"], "parenteral", True),
    row("risperidone under the skin", "Perseris", ["risperidone"], "parenteral", True),
    row("a newer one", "Uzedy 100 mg/0.28 mL", ["risperidone"], "parenteral", True),
    row("another newer one", "Rykindo", ["risperidone"], "parenteral", True),
    row("aripiprazole film", "Opipza 10 mg", ["aripiprazole"], "oral", False),
    row("every ingredient that we know", "promethazine-codeine 6.25-10 mg/5 mL syrup", ["promethazine"], "oral", False),
    row("combination in a brand", "Akynzeo 300-0.5 mg capsule", ["netupitant", "palonosetron"], "oral", False),
    row("combination by a slash", "perphenazine/amitriptyline 2-10", ["perphenazine", "amitriptyline"], "", False),
]  # fmt: skip


@pytest.mark.parametrize(("text", "expected", "route", "long_acting"), RECORDS)
def test_as_records_write(text: str, expected: list[str], route: str, long_acting: bool) -> None:
    match = load().match_text(text)
    assert [one.name for one in match.ingredients] == expected
    assert (match.route, match.long_acting, match.rejected_by, match.misspelt) == (route, long_acting, "", ())


ABROAD = [
    row("UK, chlorpromazine", "Largactil", "chlorpromazine"),
    row("UK, prochlorperazine in the cheek", "Stemetil Buccastem", "prochlorperazine"),
    row("UK, haloperidol", "Serenace", "haloperidol"),
    row("UK, flupentixol", "Depixol", "flupentixol"),
    row("UK, zuclopenthixol acetate", "Clopixol Acuphase", "zuclopenthixol"),
    row("UK, periciazine", "Neulactil", "periciazine"),
    row("UK, lithium", "Priadel 400 mg", "lithium carbonate"),
    row("UK, clozapine", "Denzapine", "clozapine"),
    row("UK, cinnarizine", "Stugeron", "cinnarizine"),
    row("BAN, benzhexol", "benzhexol", "trihexyphenidyl"),
    row("BAN, frusemide", "frusemide 40 mg", "furosemide"),
    row("BAN, sulphate", "magnesium sulphate", "magnesium sulfate"),
    row("INN, benzatropine", "benzatropine mesilate", "benztropine"),
    row("USAN, methotrimeprazine", "methotrimeprazine", "levomepromazine"),
    row("INN, tiotixene", "tiotixene", "thiothixene"),
    row("BAN, pericyazine", "pericyazine", "periciazine"),
    row("Germany, by maker", "Metoclopramid-ratiopharm", "metoclopramide"),
    row("Germany, by maker, haloperidol", "Haloperidol-neuraxpharm", "haloperidol"),
    row("Germany, MCP with its maker", "MCP-ratiopharm 10 mg", "metoclopramide"),
    row("Germany, promethazine", "Atosil", "promethazine"),
    row("Germany, levomepromazine", "Neurocil", "levomepromazine"),
    row("Germany, clozapine", "Leponex", "clozapine"),
    row("Germany, benperidol", "Glianimon", "benperidol"),
    row("France, accents", "Primpéran", "metoclopramide"),
    row("France, generic", "halopéridol faible", "haloperidol"),
    row("France, cyamemazine", "Tercian", "cyamemazine"),
    row("Italy, generic", "aloperidolo", "haloperidol"),
    row("Italy, metoclopramide", "Plasil", "metoclopramide"),
    row("Spain, generic", "metoclopramida", "metoclopramide"),
    row("Italy, promethazine", "Fargan 25 mg", "promethazine"),
    row("France, droperidol", "Droleptan 2,5 mg/1 ml", "droperidol"),
    row("Sweden, droperidol", "Dridol", "droperidol"),
    row("Germany, promethazine by another brand", "Closin", "promethazine"),
    row("Finland, chlorpromazine", "Klorproman", "chlorpromazine"),
    row("UK, levomepromazine", "Levinan 6 mg", "levomepromazine"),
    row("Spain, levomepromazine", "Sinogan", "levomepromazine"),
    row("Netherlands, zuclopenthixol", "Cisordinol", "zuclopenthixol"),
    row("Sweden, promethazine", "Lergigan", "promethazine"),
    row("Poland, chlorpromazine", "Fenactil", "chlorpromazine"),
    row("Canada, dimenhydrinate", "Gravol", "dimenhydrinate"),
    row("Australia, prochlorperazine", "Stemzine", "prochlorperazine"),
]


@pytest.mark.parametrize(("text", "expected"), ABROAD)
def test_as_other_countries_write(text: str, expected: str) -> None:
    match = load().match_text(text)
    assert [one.name for one in match.ingredients] == [expected]
    assert (match.rejected_by, match.misspelt) == ("", ())


# An abbreviation counts only where no other drug and no other thing of the clinic has it.
ABBREVIATIONS = [
    row("HCTZ", "HCTZ 25 mg", ["hydrochlorothiazide"]),
    row("MgSO4", "MgSO4 2 g IV", ["magnesium sulfate"]),
    row("CaCO3", "CaCO3 500 mg", ["calcium carbonate"]),
    row("PTU", "PTU 50 mg TID", ["propylthiouracil"]),
    row("FK506", "FK506", ["tacrolimus"]),
    row("CPZ may be chlorpromazine or Compazine", "CPZ 25 mg", []),
    row("MCP may be metoclopramide or a joint", "MCP joint pain", []),
    row("DPH may be diphenhydramine or phenytoin", "DPH 50 mg", []),
    row("PTH is a laboratory test", "PTH", []),
    row("MOM is a mother", "mom at bedside", []),
    row("CBZ may be carbamazepine or carbimazole", "CBZ 200 mg", []),
]


@pytest.mark.parametrize(("text", "expected"), ABBREVIATIONS)
def test_abbreviations(text: str, expected: list[str]) -> None:
    assert names(text) == expected


REJECTED = [
    row("no", "no haloperidol"),
    row("no, misspelt", "no haloperidl"),
    row("allergy", "allergy: Reglan"),
    row("intolerance", "Reglan intolerance"),
    row("avoid", "avoid metoclopramide"),
    row("not taking", "not taking Haldol"),
    row("no longer taking", "no longer taking Haldol"),
    row("not currently taking", "not currently taking Haldol"),
    row("history of", "history of prochlorperazine"),
    row("hx of", "hx of prochlorperazine"),
    row("refused", "promethazine refused"),
    row("discontinued, at the end", "Compazine spansule discontinued"),
    row("discontinued, behind the form", "haloperidol 5 mg tablet d/c'd"),
    row("stopped", "Reglan stopped"),
    row("held", "Haldol held"),
    row("on hold", "haloperidol 5 mg BID on hold"),
    row("contraindicated", "metoclopramide contraindicated"),
    row("a sample of blood", "haloperidol serum concentration"),
    row("stop, at the beginning", "Stop haloperidol"),
    row("discontinue", "please discontinue Haldol 5 mg"),
    row("abbreviated", "D/C haldol"),
    row("hold", "HOLD: Reglan 10 mg"),
    row("do not give", "do not give haloperidol"),
    row("instead of", "instead of Reglan"),
    row("a reaction", "adverse reaction to Phenergan"),
    row("h/o", "h/o dystonia with Compazine"),
]
# What stands elsewhere in a text is part of the order.
STILL_ORDERED = [
    row("stop if", "haloperidol 5 mg, stop if drowsy", "haloperidol"),
    row("hold for", "metoclopramide 10 mg IV q6h, hold for sedation", "metoclopramide"),
    row("then stop", "Reglan 10 mg x 3 doses then stop tonight", "metoclopramide"),
    row("sent home", "DC home on Reglan 10 mg", "metoclopramide"),
    row("hold for, before the name", "Hold for sedation: Haldol 5 mg PO", "haloperidol"),
    row("stop something else", "Stop smoking: Zyban 150", "bupropion"),
    row("a warning", "promethazine 25 mg, contraindicated under 2 years", "promethazine"),
    row("a dose to try", "haloperidol 5 mg IM test dose", "haloperidol"),
]


@pytest.mark.parametrize("text", REJECTED)
def test_a_text_that_says_not_given(text: str) -> None:
    match = load().match_text(text)
    assert match.ingredients
    assert match.rejected_by


@pytest.mark.parametrize(("text", "name"), STILL_ORDERED)
def test_a_text_that_orders_although_it_says_stop(text: str, name: str) -> None:
    assert names(text) == [name]


def test_texts_of_orders_and_brands_of_many_countries() -> None:
    """As record systems of the United States, the United Kingdom and others write them."""
    rows = [line.split(" | ") for line in ORDERS.read_text("utf-8").splitlines() if not line.startswith("#")]
    assert len(rows) > 400
    assert {text: found for text, wanted in rows if sorted(found := names(text)) != sorted(wanted.split("; "))} == {}


def test_no_drug_in_other_names_and_phrases() -> None:
    """Over 2,000 other drugs, brands, conditions, tests, phrases, and words near to our names."""
    others = [line for line in OTHERS.read_text("utf-8").splitlines() if line and not line.startswith("#")]
    assert len(others) == len(set(others)) > 2_000
    assert {
        text: found for text in others if (found := [one.name for one in load().match_text(text).ingredients])
    } == {}


BLOCKERS = {coding.display for coding in load().members("dopamine-antagonists")}
KNOWN = st.sampled_from(sorted(BLOCKERS | {"haldol", "reglan", "zyprexa relprevv", "calcium gluconate", "vitamin d"}))
PUNCTUATION = st.sampled_from(["", " ", ".", "(", ")", "®", "™", "\u200b", "\u00ad", "„", "“", "«", "'", "\u2013"])
REJECTING = st.sampled_from([
    "allergic to {}", "{} intolerance", "avoid {}", "{} refused", "history of {}", "not taking {}", "no {}",
    "without {}",
])  # fmt: skip


@settings(derandomize=True, max_examples=300, deadline=None)
@given(KNOWN, PUNCTUATION, PUNCTUATION, st.sampled_from(["NFC", "NFD", "NFKC", "NFKD"]), st.booleans())
def test_case_punctuation_and_unicode_form_do_not_matter(name, before, behind, form, capitals) -> None:
    plain = load().match_text(name)
    assert plain.ingredients
    written = unicodedata.normalize(form, name.upper() if capitals else name.title())
    assert load().match_text(before + written + behind).ingredients == plain.ingredients


@settings(derandomize=True, max_examples=200, deadline=None)
@given(KNOWN)
def test_full_width_letters_do_not_matter(name) -> None:
    wide = "".join(chr(ord(char) + 0xFEE0) if "!" <= char <= "~" else char for char in name)
    assert load().match_text(wide).ingredients == load().match_text(name).ingredients


@settings(derandomize=True, max_examples=200, deadline=None)
@given(KNOWN, REJECTING)
def test_a_rejection_word_never_gives_a_drug(name, sentence) -> None:
    assert names(sentence.format(name)) == []


WORDS = [
    row("blanks and signs", "haloperidol, (5 mg)/ml", "haloperidol 5 mg ml"),
    row("a low line parts", "haloperidol_5_mg", "haloperidol 5 mg"),
    row("five letters end at a digit", "tab.haloperidol5mg", "tab haloperidol 5mg"),
    row("four letters do not", "mgso4 vitd3 d3", "mgso4 vitd3 d3"),
    row("a digit first", "5haloperidol10", "5haloperidol10"),
    row("a word of mixed ends once", "haloperidol5mgabcdef6", "haloperidol 5mgabcdef6"),
    row("beyond ASCII", "αλοπ5→αλοπε7 ø_1", "αλοπ5 αλοπε 7 ø 1"),
    row("more signs than are looked at one by one", "ø!a#b$c%d&e(f)g*h+i,j-k.l/m:n;o<p=q>r",
        "ø a b c d e f g h i j k l m n o p q r"),
]  # fmt: skip


@pytest.mark.parametrize(("text", "words"), WORDS)
def test_words(text: str, words: str) -> None:
    assert split_words(text) == words.split(" ")
    assert split_words(text) == WORD.findall(text)


@settings(derandomize=True, max_examples=400, deadline=None)
@given(
    st.text(
        alphabet=st.one_of(st.characters(), st.sampled_from("ab5 _-\u2192\u00f8\u0301\ufdfa\u00ae\u200b")), max_size=80
    )
)
def test_words_are_the_same_however_they_are_found(text: str) -> None:
    plain = normalise(text)
    assert split_words(plain) == WORD.findall(plain)
    assert not [sign for sign in plain if unicodedata.combining(sign)]


# a text of one character -> what is left of as many as are read
NORMALISED = [
    row("ASCII", "A", "a" * READ_AT_MOST),
    row("an accent each", "\u00c9", "e" * (3 * READ_AT_MOST // 4)),
    row("accents alone", "\u0301", ""),
    row("two accents each", "\u1fb7", "\u03b1" * (READ_AT_MOST // 2)),
    row("marks of another script", "\u064e", ""),
    row("invisible ones", "\u200b", ""),
    row("trademark signs", "\u00ae", " " * READ_AT_MOST),
    row("a sign that stands for two letters", "\u33a1", "m2" * (READ_AT_MOST // 2)),
]


@pytest.mark.parametrize(("text", "left"), NORMALISED)
def test_no_more_is_looked_at_than_half_as_much_again(text: str, left: str) -> None:
    assert normalise(text * READ_AT_MOST) == left


def test_a_sign_that_stands_for_eighteen_letters_leaves_room_for_no_more_than_is_read() -> None:
    assert len(normalise("\ufdfa" * READ_AT_MOST)) == READ_AT_MOST


@pytest.mark.parametrize(("before", "found"), [(WORDS_AT_MOST - 1, True), (WORDS_AT_MOST, False)])
def test_words_are_read_up_to_a_bound(before: int, found: bool) -> None:
    assert bool(load().match_text("a " * before + "haloperidol").ingredients) is found
