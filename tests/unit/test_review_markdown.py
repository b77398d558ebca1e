"""The little Markdown of cards, as data."""

from __future__ import annotations

import time

import pytest

from cds_hooks.review.markdown import blocks, spans

LINK = "https://example.org/a"


def shown(text: str) -> list[tuple[str, list[str]]]:
    """Return blocks as (kind, lines), with bold in « » and links in ‹ ›."""
    return [
        ("ul" if block.bullets else "p", ["".join(_look(span) for span in item) for item in block.items])
        for block in blocks(text, {LINK})
    ]


def _look(span) -> str:
    if span.url:
        return f"‹{span.text}›"
    return f"«{span.text}»" if span.strong else span.text


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("", []),
        ("\n \n", []),
        ("one\ntwo\n\nthree", [("p", ["one two"]), ("p", ["three"])]),
        ("- a\n- b\n* c", [("ul", ["a", "b", "c"])]),
        ("- a\n\n- b", [("ul", ["a", "b"])]),
        ("text\n- a\n  more\n- b\nend", [("p", ["text"]), ("ul", ["a more", "b"]), ("p", ["end"])]),
        ("**a** b **c d**", [("p", ["«a» b «c d»"])]),
        ("a ** b", [("p", ["a ** b"])]),
        ("**a** b ** c", [("p", ["«a» b ** c"])]),
        ("5 * 3 * 2", [("p", ["5 * 3 * 2"])]),
        ("## Heading\ntext", [("p", ["«Heading»"]), ("p", ["text"])]),
        (r"\*\*plain\*\* \<b\> 5\.2 \- \[x\]", [("p", ["**plain** <b> 5.2 - [x]"])]),
        (r"C:\path", [("p", [r"C:\path"])]),
        (f"see [A 2020]({LINK}).", [("p", ["see ‹A 2020›."])]),
        ("[x](https://evil.example/) [y](data:x)", [("p", ["[x](https://evil.example/) [y](data:x)"])]),
        ("<img src=x onerror=alert(1)>", [("p", ["<img src=x onerror=alert(1)>"])]),
        ("[a [b](c", [("p", ["[a [b](c"])]),
    ],
)
def test_blocks(text: str, expected: list[tuple[str, list[str]]]) -> None:
    assert shown(text) == expected


@pytest.mark.parametrize("pumped", ["*", "**", "[", "[a](", "\\", "[a]" * 2, "- ", "#", "\n", " "])
def test_long_hostile_text_costs_little(pumped: str) -> None:
    text = pumped * (50_000 // len(pumped))
    start = time.perf_counter()
    blocks(text)
    spans(text)
    assert time.perf_counter() - start < 2
