"""Questions, further pages and figures: how the host draws what a toy plugin says."""

from __future__ import annotations

import dataclasses
import xml.etree.ElementTree as ET

import pytest

from cds_hooks import pages
from cds_hooks.content import Band, Basis, Cell, Citation, ExtraPage, Figure, Part, Question, Section, Table, Topic
from cds_hooks.figures import WIDTH, draw
from tests.unit.test_pages import HOSTILE, PAGE, Client, client_of, toy_plugin

SOURCE = Citation("K9", "Author 2020", "https://doi.org/10.1000/nine", "review", "sizes", "V in part", "", "")
LADDER = Figure(
    "sizes",
    f"Sizes {HOSTILE}",
    "Small below 3, else large.",
    (Band("Length", (Part("small", "info"), Part("large", "warning", 2)), "In cm.", ("3",)),),
    ("short", "longer", "longest of all toys"),
)
EXTRA = ExtraPage(
    "boxes/big",
    "Big boxes",
    "Where toys are kept.",
    (
        Section("Drawn", (f"Words {HOSTILE}",), LADDER),
        Section("Listed", (), None, Table(("Box", "Serves"), ((Cell("Red"), Cell("all", ("R-TOY-01",), ("K9",))),))),
    ),
    (SOURCE,),
)
BASIS = Basis(
    "To find toys.", "Everybody.", ("Toys on record",), (("Mechanism", "Two toys add up"),), (LADDER,), ("A",)
)


@pytest.fixture(scope="module")
def client() -> Client:
    page = dataclasses.replace(PAGE, id="R-TOY-02", basis=BASIS)
    question = Question("What is a toy?", (Topic("Boxes", "Toys come in boxes.", ("R-TOY-01", "boxes/big")),))
    return client_of(dataclasses.replace(toy_plugin(page), questions=(question,), pages=(EXTRA,)))


def test_index_leads_from_a_question_to_rules_and_pages(client: Client) -> None:
    html = client.get("/guideline").text
    assert html.index("What is a toy?") < html.index("Toys come in boxes.") < html.index("All rules")
    assert '<a href="/guideline/R-TOY-01">A toy rule</a>' in html
    assert '<a href="/guideline/boxes/big">Big boxes</a>' in html


def test_index_without_questions_lists_the_rules() -> None:
    html = client_of(toy_plugin()).get("/guideline").text
    assert "All rules" not in html
    assert "Toys are no medicine." in html


def test_a_page_says_all_and_links_rules_and_sources(client: Client) -> None:
    response = client.get("/guideline/boxes/big")
    assert response.status_code == 200
    for said in ("Big boxes", "Where toys are kept.", "Red", 'href="/guideline/R-TOY-01"', "Read in part"):
        assert said in response.text
    assert 'href="#source-K9"' in response.text
    assert 'id="source-K9"' in response.text


@pytest.mark.parametrize("path", ["boxes/big", "R-TOY-02"])
def test_what_is_drawn_obeys_the_policy_and_escapes(client: Client, path: str) -> None:
    response = client.get(f"/guideline/{path}")
    for name, value in pages.SECURITY_HEADERS.items():
        assert response.headers[name] == value
    assert "<style" not in response.text
    assert " style=" not in response.text
    assert "<script" not in response.text
    assert HOSTILE not in response.text


@pytest.mark.parametrize("path", ["boxes", "boxes/small", "boxes/big/more"])
def test_no_such_page(client: Client, path: str) -> None:
    assert client.get(f"/guideline/{path}").status_code == 404


def test_rule_page_shows_what_independent_review_needs(client: Client) -> None:
    html = client.get("/guideline/R-TOY-02").text
    for said in ("To find toys.", "Everybody.", "Toys on record", "Mechanism", "Two toys add up", "Reference, not an"):
        assert said in html
    for anchor in ("looks-for", "evidence", "not-covered"):
        assert f'href="#{anchor}"' in html
        assert f'id="{anchor}"' in html


def test_rule_page_without_a_basis_says_nothing_of_it() -> None:
    assert "For independent review" not in client_of(toy_plugin()).get("/guideline/R-TOY-01").text


def test_a_figure_is_told_to_screen_readers(client: Client) -> None:
    html = client.get("/guideline/boxes/big").text
    svg = ET.fromstring(html[html.index("<svg viewBox") : html.rindex("</svg>") + len("</svg>")])
    named = svg.attrib["aria-labelledby"].split()
    found = {part.attrib["id"]: part.text for part in svg if "id" in part.attrib}
    assert svg.attrib["role"] == "img"
    assert [found[name] for name in named] == [LADDER.title, LADDER.description]


def test_boxes_fill_the_width_by_their_span() -> None:
    drawing = draw(LADDER)
    small, large = drawing.boxes
    assert (small.x, round(small.width + 2), small.level) == (1, WIDTH / 3, "info")
    assert (round(large.x - 1), round(large.width + 2), large.level) == (WIDTH / 3, WIDTH * 2 / 3, "warning")
    assert [(word.text, word.x) for word in drawing.words if word.kind == "edge"] == [("3", WIDTH / 3)]


def test_nothing_stands_outside_the_drawing_and_no_words_on_top_of_others() -> None:
    drawing = draw(LADDER)
    assert all(
        box.x >= 0 and box.x + box.width <= WIDTH and box.y + box.height <= drawing.height for box in drawing.boxes
    )
    assert all(0 <= word.x <= WIDTH and 0 < word.y <= drawing.height for word in drawing.words)
    places = [(word.x, word.y) for word in drawing.words]
    assert len(places) == len(set(places))
