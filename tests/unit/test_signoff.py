"""Sign-off: what a signature stands for, what it does not outlast, how it is kept and shown."""

from __future__ import annotations

import csv
import dataclasses
import json
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import msgspec
import pytest

from cds_hooks.cases.run import run
from cds_hooks.errors import SignOffTrouble
from cds_hooks.service import Site
from cds_hooks.signoff.book import NOBODY, Book, Signature, add, read_book
from plugin import fingerprint as prints
from plugin.evidence import BIBLIOGRAPHY
from plugin.guideline_text import TEXTS
from plugin.rule import Policy
from plugin.rules import RULES, acute_dystonia
from plugin.services import PLUGIN
from plugin.thresholds import Limits
from tests.support.fhir import call, order, prefetch
from tests.support.rows import row
from tests.support.server import environment

Json = dict[str, Any]
RULE = acute_dystonia.RULE
US = Policy()
ROOT = Path(__file__).parents[2]
HASH = "a" * 64


def fingerprint(limits: Limits | None = None, policy: Policy = US, **changed: Any) -> str:
    """That of R-DRUG-01, perhaps with fields of the rule changed."""
    return prints.fingerprint(msgspec.structs.replace(RULE, **changed), limits or Limits(), policy)


def other_words(monkeypatch: pytest.MonkeyPatch) -> None:
    changed = dataclasses.replace(TEXTS[RULE.id], question="Is this another question?")
    monkeypatch.setattr(prints, "TEXTS", {**TEXTS, RULE.id: changed})


def other_source(monkeypatch: pytest.MonkeyPatch) -> None:
    key = TEXTS[RULE.id].evidence[0]
    changed = dataclasses.replace(BIBLIOGRAPHY[key], supports="Something else.")
    monkeypatch.setattr(prints, "BIBLIOGRAPHY", {**BIBLIOGRAPHY, key: changed})


def other_code(module: str) -> Callable[[pytest.MonkeyPatch], None]:
    def change(monkeypatch: pytest.MonkeyPatch) -> None:
        prints.code_of.cache_clear()
        source = prints._source
        monkeypatch.setattr(prints, "_source", lambda name: source(name) + ("\nx = 1" if name == module else ""))

    return change


def nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    pass


def other_interaction(monkeypatch: pytest.MonkeyPatch) -> None:
    told = prints.basis_of
    monkeypatch.setattr(prints, "basis_of", lambda *of: msgspec.structs.replace(told(*of), interaction=(("a", "b"),)))


CHANGES = [
    row("what is told of an interaction", other_interaction, {}, {}, US, True),
    row("nothing", nothing, {}, {}, US, False),
    row("the version", nothing, {"version": "9.9.9"}, {}, US, True),
    row("a hook", nothing, {"hooks": ("order-sign",)}, {}, US, True),
    row("a figure in force", nothing, {}, {"age_below_antipsychotic": 40}, US, True),
    row("a figure of another rule", nothing, {}, {"glucose_low": 3.5}, US, False),
    row("the jurisdiction", nothing, {}, {}, Policy("eu"), True),
    row("a suppression that is switched off", nothing, {}, {}, Policy("us", frozenset({"S-08"})), False),
    row("the wording", other_words, {}, {}, US, True),
    row("what a source supports", other_source, {}, {}, US, True),
    row("the code of the rule", other_code("plugin.rules.acute_dystonia"), {}, {}, US, True),
    row("the code of the factors that it uses", other_code("plugin.factors"), {}, {}, US, True),
    row("the code of another rule", other_code("plugin.rules.prior_reaction"), {}, {}, US, False),
]


@pytest.mark.parametrize(("change", "fields", "figures", "policy", "lost"), CHANGES)
def test_what_a_signature_does_not_outlast(
    monkeypatch: pytest.MonkeyPatch,
    change: Callable[[pytest.MonkeyPatch], None],
    fields: Json,
    figures: Json,
    policy: Policy,
    lost: bool,
) -> None:
    before = fingerprint()
    change(monkeypatch)
    limits = Limits(
        **{name: msgspec.convert(str(value), type(Limits().calcium_low)) for name, value in figures.items()}
    )
    assert (fingerprint(limits, policy, **fields) != before) is lost
    prints.code_of.cache_clear()


def test_comments_and_blank_lines_are_no_change(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    bare, talkative = tmp_path / "bare.py", tmp_path / "talkative.py"
    bare.write_text("x = 1\ny = 2\n")
    talkative.write_text("# Why not.\n\nx = 1  \n    # and so on\ny = 2\n")
    monkeypatch.syspath_prepend(tmp_path)
    assert prints._source("bare") == prints._source("talkative") == "x = 1\ny = 2"


def signature(rule: str = "R-1", hash: str = HASH, day: str = "2026-01-31", who: str = "A. Example") -> Signature:
    return Signature(rule, "1.0.0", hash, who, "neurologist", day, "read at home")


ROWS = (signature(), signature("R-2"), signature("R-2", "b" * 64, "2026-02-01"), signature("R-1", HASH, "2026-03-01"))
STANDINGS = [
    row("nobody signed it", "R-9", HASH, "unsigned", 0, ""),
    row("signed twice", "R-1", HASH, "signed", 2, "2026-01-31"),
    row("signed again after a change", "R-2", "b" * 64, "signed", 1, "2026-02-01"),
    row("changed since", "R-1", "c" * 64, "outdated", 2, ""),
]


@pytest.mark.parametrize(("rule", "hash", "state", "signatures", "since"), STANDINGS)
def test_how_a_rule_stands(rule: str, hash: str, state: str, signatures: int, since: str) -> None:
    found = Book(ROWS).standing(rule, hash)
    assert (found.state, len(found.signatures), found.since) == (state, signatures, since)
    assert found.signed is (state == "signed")


@pytest.mark.parametrize("name", ["signoff.json", "signoff.csv"])
def test_rows_are_kept_whole_and_in_order(tmp_path: Path, name: str) -> None:
    path, book = tmp_path / "new" / name, Book()
    for one in ROWS:
        book = add(path, book, one)
    assert read_book(path) == Book(ROWS) == book
    assert [one.name for one in path.parent.iterdir()] == [name]


def test_no_file_is_nobody(tmp_path: Path) -> None:
    assert read_book(None) == read_book(tmp_path / "none.json") == Book()
    assert Book().standing("R-1", HASH) is NOBODY


ROW = {"rule": "R-1", "version": "1", "hash": HASH, "who": "A", "role": "B", "date": "2026-01-31"}
BROKEN = [
    row("no JSON", "signoff.json", "[{", "is not a JSON list"),
    row("no list", "signoff.json", "{}", "is not a JSON list"),
    row("a field is missing", "signoff.json", json.dumps([ROW, {"rule": "R-1"}]), "row 2"),
    row("a field that is none", "signoff.json", json.dumps([{**ROW, "colour": "red"}]), "colour"),
    row("no name", "signoff.json", json.dumps([{**ROW, "who": " "}]), "row 1: who is empty"),
    row("no day", "signoff.json", json.dumps([{**ROW, "date": "in May"}]), "row 1"),
    row("another header", "signoff.csv", "rule,who\nR-1,A\n", "row 1"),
    row("too many cells", "signoff.csv", "rule,version,hash,who,role,date,note\n1,2,3,4,5,2026-01-31,7,8\n", "row 1"),
]


@pytest.mark.parametrize(("name", "text", "words"), BROKEN)
def test_a_file_that_cannot_be_read_is_trouble(tmp_path: Path, name: str, text: str, words: str) -> None:
    path = tmp_path / name
    path.write_text(text)
    with pytest.raises(SignOffTrouble, match=words) as trouble:
        read_book(path)
    assert str(path) in str(trouble.value)
    with pytest.raises(SignOffTrouble):
        PLUGIN(Site(signoff=path))


def signed(tmp_path: Path, *rules: str, hash: str = "") -> Path:
    """A sign-off file for these rules as they are."""
    path = tmp_path / "signoff.json"
    pages = {page.id: page for page in PLUGIN(Site()).guideline}
    rows = [signature(rule, hash or pages[rule].fingerprint) for rule in rules]
    path.write_bytes(msgspec.json.encode(rows))
    return path


def answer(path: Path | None, orders: list[Json], data: Json, **settings: str) -> Json:
    """What the service answers to an order-sign call."""
    chosen = {**settings, **({"signoff": str(path)} if path else {})}
    case = {"now": "2026-11-22T10:00:00Z", "call": call(orders, data, "order-sign"), "settings": chosen}
    found: Json = run({"case": case}, "plugin.services:PLUGIN")["case"]["body"]
    return found


HALOPERIDOL = [order("haloperidol", 5, 2)]


def verdict(body: Json, rule: str) -> tuple[str, str]:
    found = next(one for one in body["extension"]["org.dystonia-cds"]["results"] if one["rule"] == rule)
    return found["status"], found.get("suppressed", "")


def test_an_unsigned_rule_is_shown_and_marked() -> None:
    body = answer(None, HALOPERIDOL, prefetch())
    assert "\n- Not yet signed off by this site.\n" in body["cards"][0]["detail"]
    assert body["extension"]["org.dystonia-cds"]["unsigned"] == ["R-DRUG-01"]
    assert verdict(body, "R-DRUG-01") == ("fired", "")


def test_a_signed_rule_bears_no_mark(tmp_path: Path) -> None:
    body = answer(signed(tmp_path, "R-DRUG-01"), HALOPERIDOL, prefetch())
    assert "signed off" not in body["cards"][0]["detail"]
    assert set(body["extension"]["org.dystonia-cds"]) == {"ruleset", "results"}


def test_a_card_of_two_rules_names_the_unsigned_one(tmp_path: Path) -> None:
    data = prefetch(without=("medications",))
    body = answer(signed(tmp_path, "R-DRUG-01"), HALOPERIDOL, data)
    assert "\n- Not yet signed off by this site: R-DQ-05.\n" in body["cards"][0]["detail"]


def test_unsigned_rules_can_be_silent(tmp_path: Path) -> None:
    silent = answer(None, HALOPERIDOL, prefetch(), unsigned="silent")
    assert silent["cards"] == []
    assert verdict(silent, "R-DRUG-01") == ("fired", "unsigned")
    assert silent["extension"]["org.dystonia-cds"]["unsigned"] == ["R-DRUG-01"]
    shown = answer(signed(tmp_path, "R-DRUG-01"), HALOPERIDOL, prefetch(), unsigned="silent")
    assert len(shown["cards"]) == 1
    assert verdict(shown, "R-DRUG-01") == ("fired", "")


def test_what_could_not_be_checked_is_told_by_unsigned_rules_too() -> None:
    body = answer(None, HALOPERIDOL, prefetch(without=("medications",)), unsigned="silent")
    assert [card["source"]["topic"]["code"] for card in body["cards"]] == ["R-DQ-05"]
    assert verdict(body, "R-DRUG-01") == ("fired", "unsigned")


def test_a_rule_that_changed_is_outdated(tmp_path: Path) -> None:
    path = signed(tmp_path, "R-DRUG-01")
    same, changed = Site(signoff=path), Site(signoff=path, jurisdiction="eu")
    states = [{page.id: page.signoff.state for page in PLUGIN(site).guideline} for site in (same, changed)]
    assert [state["R-DRUG-01"] for state in states] == ["signed", "outdated"]
    assert {state["R-DRUG-02"] for state in states} == {"unsigned"}


def test_silence_is_part_of_the_rule_set(tmp_path: Path) -> None:
    shown, silent = PLUGIN(Site()), PLUGIN(Site(unsigned="silent"))
    some = PLUGIN(Site(unsigned="silent", signoff=signed(tmp_path, "R-DRUG-01")))
    assert len({shown.ruleset, silent.ruleset, some.ruleset}) == 3


def command(folder: Path, *arguments: str, **settings: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "cds_hooks.cli", "signoff", *arguments],
        env=environment(folder, COLUMNS="200", **settings),
        capture_output=True,
        text=True,
        check=False,
    )


def test_signing_by_command(tmp_path: Path) -> None:
    told = ("add", "R-DRUG-01", "--who", "A. Example", "--role", "neurologist", "--note", "with remarks")
    done = command(tmp_path, *told, "--date", "2026-01-31")
    assert done.returncode == 0, done.stderr
    assert "R-DRUG-01 version 1.0.0 signed off by A. Example, neurologist, 2026-01-31." in done.stdout
    lines = [json.loads(line) for line in command(tmp_path, "list", "--json").stdout.splitlines()]
    assert [line["rule"] for line in lines] == [rule.id for rule in RULES]
    first, second = lines[0], lines[1]
    assert (first["state"], second["state"], second["signatures"]) == ("signed", "unsigned", [])
    assert first["signatures"][0]["hash"] == first["hash"]
    assert first["signatures"][0]["note"] == "with remarks"
    changed = command(tmp_path, "list", DYSTONIA_CDS_JURISDICTION="uk").stdout
    assert "outdated" in changed
    assert "before a change: A. Example, neurologist, 2026-01-31" in changed
    again = command(tmp_path, *told)
    assert again.returncode == 1
    assert again.stderr == "A. Example has signed off R-DRUG-01 version 1.0.0 as it is now already.\n"


def test_a_csv_file_is_kept_as_one(tmp_path: Path) -> None:
    path = tmp_path / "ours.csv"
    done = command(tmp_path, "add", "R-DRUG-02", "--who", "B", "--role", "pharmacist", DYSTONIA_CDS_SIGNOFF=str(path))
    assert done.returncode == 0, done.stderr
    with path.open(encoding="utf-8", newline="") as file:
        assert [(one["rule"], one["who"]) for one in csv.DictReader(file)] == [("R-DRUG-02", "B")]


TROUBLE = [
    row("no such rule", ("R-NONE", "--who", "A", "--role", "B"), "There is no rule 'R-NONE'. Known rules: R-DRUG-01"),
    row("no name", ("R-DRUG-01", "--who", " ", "--role", "B"), "--who is empty"),
    row("no role", ("R-DRUG-01", "--who", "A", "--role", ""), "--role is empty"),
    row("no day", ("R-DRUG-01", "--who", "A", "--role", "B", "--date", "soon"), "--date: got 'soon'"),
    row("tomorrow", ("R-DRUG-01", "--who", "A", "--role", "B", "--date", "2999-01-01"), "lies ahead"),
]


@pytest.mark.parametrize(("arguments", "words"), TROUBLE)
def test_trouble_is_one_sentence(tmp_path: Path, arguments: tuple[str, ...], words: str) -> None:
    done = command(tmp_path, "add", *arguments)
    assert done.returncode == 1
    assert words in done.stderr
    assert "Traceback" not in done.stderr
    assert not (tmp_path / "signoff.json").exists()
