"""What people read beside the pages of single rules: questions, drug classes, the seed document, figures."""

from __future__ import annotations

from plugin.pages.basis import basis_of
from plugin.pages.drugs import drug_pages
from plugin.pages.figures import figure_page
from plugin.pages.model import ExtraPage, Question
from plugin.pages.questions import questions_of
from plugin.pages.seed import seed_page
from plugin.pages.silences import silence_page
from plugin.thresholds import Limits

__all__ = ["basis_of", "extra_pages", "questions"]


def extra_pages(limits: Limits) -> tuple[ExtraPage, ...]:
    """Every page that belongs to no single rule, with the figures in force."""
    return (*drug_pages(), figure_page(limits), silence_page(limits), seed_page())


def questions(pages: tuple[ExtraPage, ...]) -> tuple[Question, ...]:
    """The questions of the index, each answer with its rules and pages."""
    return questions_of({page.id for page in pages})
