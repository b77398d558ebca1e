"""Misspelt names: one wrong letter in a name of eight letters or more, and never another word's meaning."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.support.rows import row
from valuesets import load
from valuesets.text.spelling import SHORTEST, one_edit

# text, ingredient, words as written that are misspelt
MISSPELT = [
    row("a letter left out", "haloperidl 5 mg", "haloperidol", ("haloperidl",)),
    row("a letter too many", "haloperridol 5 mg", "haloperidol", ("haloperridol",)),
    row("a wrong letter", "metaclopramide 10 mg", "metoclopramide", ("metaclopramide",)),
    row("two letters exchanged", "haloperiodl", "haloperidol", ("haloperiodl",)),
    row("the first letter wrong", "maloperidol", "haloperidol", ("maloperidol",)),
    row("the last letter wrong", "haloperidon", "haloperidol", ("haloperidon",)),
    row("the last letter left out is the German name", "promethazin", "promethazine", ()),
    row("a letter left out, prochlorperazine", "prochloperazine", "prochlorperazine", ("prochloperazine",)),
    row("capitals and an accent", "HALOPÉRIDOLE", "haloperidol", ("haloperidole",)),
    row("a brand", "Compozine 10 mg", "prochlorperazine", ("compozine",)),
    row("eight letters", "droperidal", "droperidol", ("droperidal",)),
    row("two letters wrong in a second name", "perphenazine-amitruptolin", "perphenazine", ()),
    row("first of two words", "lithum carbonate 300 mg", "lithium carbonate", ("lithum",)),
    row("second of two words", "calcium carbonat 500 mg", "calcium carbonate", ("carbonat",)),
    row("two names of one drug", "benztropin mesylat", "benztropine", ()),
]


@pytest.mark.parametrize(("text", "expected", "misspelt"), MISSPELT)
def test_misspelt(text: str, expected: str, misspelt: tuple[str, ...]) -> None:
    match = load().match_text(text)
    assert [one.name for one in match.ingredients] == [expected]
    assert match.misspelt == misspelt


def test_words_tell_the_name_that_was_meant() -> None:
    match = load().match_text("haloperidl and promethazine")
    assert (match.words, match.misspelt) == (("haloperidol", "promethazine"), ("haloperidl",))


NOT_MISSPELT = [
    row("two letters wrong", "haloperxdxl"),
    row("shorter than eight letters", "haldil"),
    row("shorter than eight letters, brand", "reglin"),
    row("another drug", "chlorpropamide"),
    row("another drug near to promazine", "bromazine"),
    row("another drug near to gentamicin", "pentamycin"),
    row("an everyday word near to Modecate", "moderate pain"),
    row("an everyday word near to Concerta", "concert"),
    row("an everyday word near to Serenace", "serenade"),
    row("an anatomical word near to Fortical", "cortical"),
    row("a computer word near to Metadate", "metadata"),
    row("another salt", "calcium nitrate"),
    row("another vitamin", "vitamin b"),
    row("another vitamin, with a number", "vitamin b3"),
    row("haloperidol or lorazepam by country", "Serenase"),
    row("a longer word that holds a name", "haloperidolum"),
    row("a name run into another word", "xxhaloperidol"),
]


@pytest.mark.parametrize("text", NOT_MISSPELT)
def test_no_guess(text: str) -> None:
    match = load().match_text(text)
    assert (match.ingredients, match.misspelt) == ((), ())


def test_between_two_drugs_is_neither() -> None:
    """ "vectical" is calcitriol and "verticalm" meclizine: a word one letter from both is none."""
    assert load().match_text("verticall").misspelt == ("verticall",)
    assert load().match_text("verticam").ingredients == load().match_text("verticalm").ingredients
    assert load().match_text("vertical").ingredients == ()


EDITS = [
    row("same word", "haloperidol", "haloperidol", False),
    row("insertion", "haloperidoll", "haloperidol", True),
    row("insertion at the start", "xhaloperidol", "haloperidol", True),
    row("deletion", "haloperido", "haloperidol", True),
    row("substitution", "haloperidxl", "haloperidol", True),
    row("exchange", "haloperidlo", "haloperidol", True),
    row("exchange at the start", "ahloperidol", "haloperidol", True),
    row("exchange of letters apart", "laoheridol", "haloperidol", False),
    row("two insertions", "haloperidolll", "haloperidol", False),
    row("substitution and deletion", "xaloperido", "haloperidol", False),
    row("nothing", "", "a", True),
    row("nothing at all", "", "", False),
]


@pytest.mark.parametrize(("written", "name", "expected"), EDITS)
def test_one_edit(written: str, name: str, expected: bool) -> None:
    assert one_edit(written, name) is expected
    assert one_edit(name, written) is expected


LONG = sorted(one.display for one in load().members("dopamine-antagonists") if len(one.display) >= SHORTEST)
LETTERS = st.sampled_from("abcdefghijklmnopqrstuvwxyz")


@st.composite
def edited(draw) -> tuple[str, str]:
    """A name, and the same name after one edit."""
    name = draw(st.sampled_from(LONG))
    at = draw(st.integers(0, len(name) - 2))
    letter = draw(LETTERS)
    ways = [
        name[:at] + letter + name[at:],
        name[:at] + name[at + 1 :],
        name[:at] + letter + name[at + 1 :],
        name[:at] + name[at + 1] + name[at] + name[at + 2 :],
    ]
    return name, draw(st.sampled_from(ways))


@settings(derandomize=True, max_examples=1_000, deadline=None)
@given(edited())
def test_any_single_edit_finds_the_name_or_nothing_else(pair) -> None:
    name, written = pair
    match, wanted = load().match_text(written), load().match_text(name).ingredients
    if match.misspelt:
        assert (match.misspelt, match.ingredients) == ((written,), wanted)
    elif match.ingredients:
        assert match.words == (written,)  # itself a name, such as the German "promethazin"


def test_nearly_every_letter_left_out_or_exchanged_is_found() -> None:
    """Left out are the few words between two drugs ("aloxapine") and words that mean something else."""
    written = {name[:at] + name[at + 1 :]: name for name in LONG for at in range(len(name))}
    written |= {
        name[:at] + name[at + 1] + name[at] + name[at + 2 :]: name for name in LONG for at in range(len(name) - 1)
    }
    missed = [
        word
        for word, name in written.items()
        if load().match_text(word).ingredients != load().match_text(name).ingredients
    ]
    assert len(missed) < len(written) / 100
