"""What a patient, a laboratory or a clinician wrote cannot act in a card, a file or a log, whatever it is.

Each string of the corpus is put into the words, units, states or ids of a golden case's call.
"""

from __future__ import annotations

import csv
import importlib
import io
import json
import re
import unicodedata
from collections.abc import Callable, Iterator
from contextlib import suppress
from functools import cache, partial
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

import pytest
from markdown_it import MarkdownIt

from cds_hooks.cases.files import Case
from cds_hooks.dialects import NAMES, Showing, dialect, shaped
from cds_hooks.models import EXTENSION, CdsResponse
from cds_hooks.signoff.book import Book, Signature, add, read_book
from cds_hooks.terminology.entry import Entry
from cds_hooks.visible import as_json, cell, escaped, from_cell, visible
from plugin.desk import TerminologyDesk
from plugin.desk import cells as of_the_desk
from plugin.evidence import BIBLIOGRAPHY
from tests.golden.harness import cases
from tests.support.fhir import call as hook_call
from tests.support.fhir import order, patient, prefetch
from tests.support.fire import fire
from tests.support.hostile import HOST, MARK, MODES, corpus, poisoned
from tests.support.server import running

Json = dict[str, Any]
OURS = "http://127.0.0.1:8000/guideline"
PLAIN = {"p", "strong", "ul", "li"}


def further() -> dict[str, Callable[[str], str]]:
    """Renderers that share no code with the first, as far as they are installed, with all that they can do."""
    found: dict[str, Callable[[str], str]] = {}
    with suppress(ImportError):
        made = importlib.import_module("mistune").create_markdown
        found["mistune"] = made(escape=False, plugins=["url", "table", "strikethrough", "footnotes", "task_lists"])
    with suppress(ImportError):
        render = importlib.import_module("markdown").markdown
        found["markdown"] = partial(render, extensions=["extra", "sane_lists", "toc", "smarty", "admonition"])
    return found


RENDERERS: dict[str, Callable[[str], str]] = {
    "commonmark": MarkdownIt("commonmark").render,
    "gfm": MarkdownIt("gfm-like").render,
    "everything": MarkdownIt("js-default", {"html": True, "linkify": True, "typographer": True}).render,
    **further(),
}
_ADDRESS = re.compile(r"(?i)[a-z][a-z0-9+.-]*://|//|\bwww\.\S|\b(?:javascript|data|vbscript|mailto|file):")
_UNSEEN = {"Cc", "Cf", "Cs", "Co", "Cn", "Zl", "Zp"}


class Tags(HTMLParser):
    """The start tags of a piece of HTML, and whether any has an attribute, a comment or a declaration."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.tags: set[str] = set()
        self.attributes: list[Any] = []
        self.others: list[str] = []
        self.feed(text)
        self.close()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.add(tag)
        self.attributes += attrs

    def handle_comment(self, data: str) -> None:
        self.others.append(data)

    handle_decl = handle_pi = unknown_decl = handle_comment


@cache
def known() -> dict[str, Case]:
    """The golden cases that show a card."""
    return {name: case for name, case in cases().items() if case.expects.get("cards") not in (None, "none")}


def chosen() -> Iterator[tuple[str, str]]:
    """Every string in one of the places for words, every fourth in units and states, every fourth in ids."""
    for place, text in enumerate(corpus()):
        yield text, MODES[place % 2]
        if place % 4 == 0:
            yield text, "instead"
        if place % 4 == 2:
            yield text, "identities"


def answered() -> Iterator[tuple[Json, Json, str]]:
    """Each call with its answer; the patient's calls of every kind take turns."""
    found = list(known().values())
    for place, (text, mode) in enumerate(chosen()):
        case = found[place % len(found)]
        body = poisoned(case.call, text, mode)
        yield body, fire(body, now=case.now).body, text


def shown(card: Json) -> Iterator[str]:
    """Everything of a card that people may read."""
    yield from (card["summary"], card["detail"], card["source"]["label"])
    yield from (one["label"] for one in card.get("links", ()))
    yield from (one["display"] for one in card.get("overrideReasons", ()))
    for suggestion in card.get("suggestions", ()):
        yield suggestion["label"]
        yield from (action["description"] for action in suggestion.get("actions", ()))
    ours = card["extension"][EXTENSION]
    yield from (fact["text"] for fact in ours.get("facts", ()))
    yield from (text for one in ours.get("missing", ()) for text in one.values())


def without_our_domains(text: str) -> str:
    """The text without the names of sources that some renderers take for an address: they are no patient's words."""
    named = (word for source in BIBLIOGRAPHY.values() for word in source.label.split() if re.search(r"\w\.\w", word))
    for word in named:
        text = text.replace(word, "")
    return text


def strings(value: Any) -> Iterator[str]:
    """Every string of a JSON value, names of members included."""
    if isinstance(value, str):
        yield value
    for inner in value.values() if isinstance(value, dict) else value if isinstance(value, list) else ():
        yield from strings(inner)
    if isinstance(value, dict):
        yield from value


def without_returned(answer: Json) -> Json:
    """The answer without resources that are the client's own, given back for an update."""
    made: Json = json.loads(json.dumps(answer))
    for card in made["cards"]:
        for suggestion in card.get("suggestions", ()):
            for action in suggestion.get("actions", ()):
                if action["type"] == "update":
                    del action["resource"]
    return made


@pytest.fixture(scope="module")
def answers() -> list[tuple[Json, Json, str]]:
    return list(answered())


@pytest.fixture(scope="module")
def cards(answers: list[tuple[Json, Json, str]]) -> list[Json]:
    return [card for _, answer, _ in answers for card in answer["cards"]]


def test_the_corpus_is_large_and_reaches_the_cards(cards: list[Json]) -> None:
    """Otherwise the tests below would show nothing."""
    assert len(corpus()) >= 1_000
    reached = [card for card in cards if any(MARK in text for text in shown(card))]
    assert len(reached) > 300
    summaries = sum(MARK in card["summary"] for card in cards)
    assert summaries + sum(MARK in card["detail"] for card in cards) > 200


# A dialect that changes no card needs no turn of its own.
@pytest.mark.conformance("G12")
@pytest.mark.parametrize("renderer", RENDERERS)
@pytest.mark.parametrize("name", ["generic", *(name for name in NAMES if not dialect(name).whole)])
def test_rendered_as_markdown_nothing_acts(cards: list[Json], renderer: str, name: str) -> None:
    render = RENDERERS[renderer]
    reached = [card for card in cards if any(MARK in text for text in shown(card))]
    made = shaped(reached if name == "generic" else reached[::8], Showing(dialect(name)))
    for text in {text for card in made for text in shown(card) if MARK in text}:
        found = Tags(render(without_our_domains(text)))
        assert found.tags <= PLAIN, (found.tags, text)
        assert (found.attributes, found.others) == ([], []), text


def test_taken_for_html_nothing_acts(cards: list[Json]) -> None:
    """The sandbox sets the detail as HTML; a page that forgets to escape does the same with any field."""
    for text in {text for card in cards for text in shown(card)}:
        found = Tags(text)
        assert (found.tags, found.attributes, found.others) == (set(), [], []), text
        assert "&lt;" not in text
        assert "&#" not in text


@pytest.mark.conformance("G16", "G50")
def test_every_address_comes_from_the_configuration(answers: list[tuple[Json, Json, str]]) -> None:
    sources = {source.url for source in BIBLIOGRAPHY.values() if source.url}
    assert all(url.startswith("https://") for url in sources)
    for _, answer, _ in answers:
        for card in answer["cards"]:
            links = [link["url"] for link in card["links"]]
            assert all(url in sources or url.startswith(f"{OURS}/R-") for url in links), links
            assert card["source"]["url"] == OURS
            assert not [text for text in shown(card) if _ADDRESS.search(text)]
        assert not [text for text in strings(without_returned(answer)) if HOST in text]


def test_what_cannot_be_seen_is_not_sent(answers: list[tuple[Json, Json, str]]) -> None:
    for _, answer, _ in answers:
        for text in strings(without_returned(answer)):
            kinds = {unicodedata.category(sign) for sign in text.replace("\n", "")}
            assert not kinds & _UNSEEN, repr(text)
            assert unicodedata.is_normalized("NFC", text)
        for card in answer["cards"]:
            assert "\n" not in card["summary"]
            assert not [fact for fact in card["extension"][EXTENSION].get("facts", ()) if "\n" in fact["text"]]


def test_no_string_is_long(answers: list[tuple[Json, Json, str]]) -> None:
    """120 characters of it at most; what has no blank is told by its longest word."""
    for _, answer, _ in answers:
        CdsResponse.model_validate(answer)
        for text in strings(without_returned(answer)):
            assert len(max(re.split(r"[^\w&]+", text), key=len)) <= 120, text[:200]


def test_the_lines_of_a_card_are_its_own(cards: list[Json]) -> None:
    """No string makes a heading, a bullet or a paragraph: every block begins with a title of ours or is a list."""
    for card in cards:
        for block in card["detail"].split("\n\n"):
            lines = block.splitlines()
            assert re.fullmatch(r"\*\*[A-Z][A-Za-z ,]+\*\*", block) or all(
                line.startswith(("- ", "Decision support for")) for line in lines
            ), block


def test_created_resources_hold_nothing_of_the_call(answers: list[tuple[Json, Json, str]]) -> None:
    made = [
        action["resource"]
        for _, answer, _ in answers
        for card in answer["cards"]
        for suggestion in card.get("suggestions", ())
        for action in suggestion.get("actions", ())
        if action["type"] == "create"
    ]
    assert len(made) > 100
    assert not [text for resource in made for text in strings(resource) if MARK in text or "<" in text]


def leaves(value: Any, path: tuple[Any, ...] = ()) -> Iterator[tuple[tuple[Any, ...], Any]]:
    inner = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else None
    if inner is None:
        yield path, value
        return
    for name, one in inner:
        yield from leaves(one, (*path, name))


@pytest.mark.conformance("G42")
def test_resources_given_back_hold_what_the_client_sent_and_no_narrative(answers: list[tuple[Json, Json, str]]) -> None:
    """An update needs the whole resource (G42): the client's own words stand where they stood, and nowhere else."""
    seen = 0
    for body, answer, _ in answers:
        sent = {f"{one['resourceType']}/{one.get('id')}": one for one in resources(body)}
        for resource in updated(answer):
            seen += 1
            before = dict(leaves(sent[f"{resource['resourceType']}/{resource['id']}"]))
            strange = [path for path, leaf in leaves(resource) if MARK in str(leaf) and before.get(path) != leaf]
            assert strange == []
            assert "text" not in resource
            assert not [one for one in resource.get("contained", ()) if "text" in one]
    assert seen > 50


def resources(value: Any) -> Iterator[Json]:
    for inner in value.values() if isinstance(value, dict) else value if isinstance(value, list) else ():
        yield from resources(inner)
    if isinstance(value, dict) and "resourceType" in value:
        yield value


def updated(answer: Json) -> Iterator[Json]:
    for card in answer["cards"]:
        for suggestion in card.get("suggestions", ()):
            yield from (action["resource"] for action in suggestion.get("actions", ()) if action["type"] == "update")


# --------------------------------------------------------------------------------------------- files, logs, terminals

FORMULAS = ("=", "+", "-", "@", "\t", "\r", "\0", "＝", "＋", "－", "＠")


@pytest.mark.parametrize(("write", "read"), [(cell, from_cell), (of_the_desk.cell, of_the_desk.from_cell)])
def test_no_cell_is_a_formula_and_every_cell_can_be_read_again(write: Any, read: Any) -> None:
    for text in [*corpus(), "", "plain", "5 mg", "'quoted'", "''=x"]:
        assert not write(text).lstrip(" \n").startswith(FORMULAS)
        assert read(write(text)) == text
    assert [write(text) for text in ("a=b", "5-3", "x", "'", "")] == ["a=b", "5-3", "x", "'", ""]


def test_a_sign_off_file_holds_no_formula(tmp_path: Path) -> None:
    file = tmp_path / "signoff.csv"
    texts = [text for text in corpus() if text.strip() and "\r" not in text and "\n" not in text and "\0" not in text]
    book = Book(tuple(Signature("R-1", "1.0.0", "h", text, "role", "2026-01-01", text) for text in texts[:-1]))
    written = add(file, book, Signature("R-1", "1.0.0", "h", texts[-1], "role", "2026-01-01", texts[-1]))
    for line in csv.reader(io.StringIO(file.read_text("utf-8"))):
        assert not [one for one in line if one.lstrip().startswith(FORMULAS)]
    assert read_book(file) == written


def test_a_mapped_code_is_no_formula_and_still_maps(tmp_path: Path) -> None:
    codes = ["=1+1", "+1", "-1", "@A1", "'=1", "=HYPERLINK(A1)", "HAL5"]
    for code in codes:
        TerminologyDesk(tmp_path).accept(Entry("drug", "urn:oid:1.2.3", code, "=SUM(1)"), "haloperidol", "-me")
    (file,) = tmp_path.glob("*.csv")
    rows = list(csv.reader(line for line in file.read_text("utf-8").splitlines() if not line.startswith("#")))
    assert not [one for line in rows for one in line if one.startswith(FORMULAS)]
    desk = TerminologyDesk(tmp_path)
    loaded = desk.load()
    assert loaded.terminology is not None
    for code in codes:
        found = loaded.terminology.product("urn:oid:1.2.3", code)
        assert found is not None, code
        assert [one.name for one in found.ingredients] == ["haloperidol"]


@pytest.mark.parametrize("system", ["urn:x\n=1+1,haloperidol", "urn:x\ry", "urn:\u202ex", ""])
def test_a_code_system_cannot_begin_a_line_of_its_own(tmp_path: Path, system: str) -> None:
    with pytest.raises(ValueError, match="the system"):
        TerminologyDesk(tmp_path).accept(Entry("drug", system, "HAL5", ""), "haloperidol", "me")
    assert list(tmp_path.iterdir()) == []


def test_json_for_people_and_programs_is_the_same_and_shows_what_cannot_be_seen() -> None:
    for text in corpus():
        if len(text) > 1_000:
            continue
        for line in (as_json({"a": text}), escaped(json.dumps({"a": text}, ensure_ascii=False).encode()).decode()):
            assert json.loads(line) == {"a": text}
            assert len(line.splitlines()) == 1
            assert not re.search("[\x00-\x1f\x7f-\x9f\u202a-\u202e\u2066-\u2069\u200b-\u200f\u2028\u2029\ufeff]", line)
        told = visible({text: [text]})
        assert not re.search(
            "[\x00-\x08\x0b-\x1f\x7f-\x9f\u202a-\u202e]", next(iter(told)) + next(iter(told.values()))[0]
        )
    assert visible({"a": [1, None, "é\n\t"]}) == {"a": [1, None, "é\n\t"]}


def test_a_call_leaves_one_line_in_the_log_with_nothing_of_it(tmp_path: Path) -> None:
    sample = [text for text in corpus() if len(text) < 1_000][::12]
    body = hook_call([order("haloperidol", 5, 2)], prefetch(patient()), "order-sign")
    path = "/cds-services/dystonia-order-sign"
    with running(tmp_path) as service:
        for place, text in enumerate(sample):
            made = poisoned(body, text, MODES[place % 4]) | {"hookInstance": text[:200] or "x", text[:50]: text}
            assert service.ask(path, made).status in (200, 400, 412)
            comment = {"reason": {"code": text[:200] or "x", "display": text[:200]}, "userComment": text}
            feedback = {"card": MARK, "outcome": "overridden", "overrideReason": comment}
            assert service.ask(f"{path}/feedback", {"feedback": [feedback]}).status == 200
        shown_to_people = service.command("audit", "list") + service.command("audit", "list", "--json")
    written = (tmp_path / "serve.log").read_text("utf-8")
    lines = [json.loads(line) for line in written.splitlines() if line.startswith("{")]
    assert [line["event"] for line in lines].count("call") == len(sample)
    assert len(lines) > len(written.splitlines()) / 2
    assert MARK not in written
    assert HOST not in written
    assert not re.search("[\x00-\x08\x0b-\x1f\x7f-\x9f\u202a-\u202e\u2028\u2029]", shown_to_people)
