"""The index by question, read from ``guideline/questions.json``."""

from __future__ import annotations

from collections.abc import Set

import msgspec

from plugin.pages.model import Question, Topic, load
from plugin.rules import RULES


class _Topic(msgspec.Struct, frozen=True):
    title: str
    text: str
    rules: tuple[str, ...]
    pages: tuple[str, ...]


class _Question(msgspec.Struct, frozen=True):
    title: str
    topics: tuple[_Topic, ...]


def questions_of(pages: Set[str]) -> tuple[Question, ...]:
    """The questions with the rules and pages that there are."""
    known = {rule.id for rule in RULES} | pages
    return tuple(
        Question(
            question.title,
            tuple(
                Topic(topic.title, topic.text, tuple(id for id in (*topic.rules, *topic.pages) if id in known))
                for topic in question.topics
            ),
        )
        for question in load("questions", tuple[_Question, ...])
    )
