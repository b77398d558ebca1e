"""Figures -> drawings: where each box and each line of words of a figure stands, for the SVG template."""

from __future__ import annotations

from dataclasses import dataclass
from textwrap import wrap

from cds_hooks.content import Band, Figure

# As wide as a telephone, so that words keep their size there. The unit is the CSS pixel.
WIDTH = 360
_LINE = 14
_PAD = 5
_GAP = 16
_WORDS = 6.2
"""Mean width of a letter at the size of the words in a box."""


@dataclass(frozen=True, slots=True)
class Box:
    """One filled box."""

    x: float
    y: float
    width: float
    height: float
    level: str


@dataclass(frozen=True, slots=True)
class Words:
    """One line of words; ``kind`` is "label", "note", "column", "cell" or "edge", ``anchor`` as SVG has it."""

    x: float
    y: float
    text: str
    kind: str
    anchor: str = "start"
    level: str = ""


@dataclass(frozen=True, slots=True)
class Drawing:
    """A figure laid out."""

    width: int
    height: float
    boxes: tuple[Box, ...]
    words: tuple[Words, ...]


def draw(figure: Figure) -> Drawing:
    """Lay a figure out: columns first, then one band below the other."""
    boxes: list[Box] = []
    words: list[Words] = []
    top = _columns(figure, words)
    for band in figure.bands:
        top = _band(band, top, boxes, words)
    return Drawing(WIDTH, round(top - _GAP + 2 * _PAD, 1), tuple(boxes), tuple(words))


def _columns(figure: Figure, words: list[Words]) -> float:
    if not figure.columns:
        return 0
    width = WIDTH / len(figure.columns)
    told = [_lines(text, width) for text in figure.columns]
    deepest = max(len(lines) for lines in told)
    for place, lines in enumerate(told):
        words += _stack(lines, (place + 0.5) * width, _LINE * (deepest - len(lines)), "column")
    return deepest * _LINE + _GAP / 2


def _band(band: Band, top: float, boxes: list[Box], words: list[Words]) -> float:
    for text, kind in ((band.label, "label"), (band.note, "note")):
        lines = _lines(text, WIDTH)
        words += [Words(0, top + _LINE * (place + 0.8), line, kind) for place, line in enumerate(lines)]
        top += _LINE * len(lines)
    return _edges(band, _parts(band, top + 2, boxes, words), words) + _GAP


def _parts(band: Band, top: float, boxes: list[Box], words: list[Words]) -> float:
    unit = WIDTH / (sum(part.span for part in band.parts) or 1)
    told = [_lines(part.text, part.span * unit) for part in band.parts]
    height = max((len(lines) for lines in told), default=0) * _LINE + 2 * _PAD
    left = 0.0
    for part, lines in zip(band.parts, told, strict=True):
        width = part.span * unit
        boxes.append(Box(round(left + 1, 1), top, round(width - 2, 1), height, part.level))
        above = (height - len(lines) * _LINE) / 2
        words += _stack(lines, left + width / 2, top + above, "cell", part.level)
        left += width
    return top + height


def _edges(band: Band, top: float, words: list[Words]) -> float:
    unit = WIDTH / (sum(part.span for part in band.parts) or 1)
    left = 0.0
    for part, text in zip(band.parts, band.edges, strict=False):
        left += part.span * unit
        words.append(Words(round(left, 1), top + _LINE, text, "edge", "middle"))
    return top + _LINE if band.edges else top


def _stack(lines: list[str], middle: float, top: float, kind: str, level: str = "") -> list[Words]:
    return [
        Words(round(middle, 1), round(top + _LINE * (place + 0.8), 1), line, kind, "middle", level)
        for place, line in enumerate(lines)
    ]


def _lines(text: str, width: float) -> list[str]:
    return wrap(text, max(int((width - 2 * _PAD) / _WORDS), 6), break_long_words=False)
