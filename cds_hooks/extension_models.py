"""What stands in our own extensions of answers and cards, for the published schemas. Readers ignore further fields."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field

from cds_hooks.models import EXTENSION, Indicator, Text

Reason = Literal[
    "no-result",
    "key-missing",
    "key-failed",
    "truncated",
    "other-patient",
    "unit-missing",
    "unit-unknown",
    "implausible",
    "stale",
    "drug-unrecognised",
    "dose-not-computable",
    "date-missing",
    "time",
    "overload",
    "internal",
]
ONLY_WHERE_NOT_CHECKED: dict[str, Any] = {
    "if": {"properties": {"status": {"const": "not-checked"}}},
    "then": {"required": ["reason"], "not": {"required": ["indicator"]}},
    "else": {"not": {"required": ["reason"]}},
}


class Part(BaseModel):
    """A part of an extension."""

    model_config = ConfigDict(strict=True, extra="allow")


class RuleOnCard(Part):
    """A rule that a card was made of."""

    id: Text
    version: Text
    indicator: Indicator


class Fact(Part):
    """What a card rests on, with the resource that says so."""

    text: Text
    reference: Text | None = None


class Missing(Part):
    """An input that could not be used, and why."""

    input: Text
    reason: Reason


class OnCard(Part):
    """What a card tells machines: its rules, the leading one first, its order, its facts, what was missing."""

    rules: Annotated[list[RuleOnCard], Field(min_length=1)] | None = None
    subject: Text | None = None
    facts: Annotated[list[Fact], Field(min_length=1)] | None = None
    missing: Annotated[list[Missing], Field(min_length=1)] | None = None


class Result(Part):
    """The verdict of one rule, about one order or about the patient. ``suppressed`` says what silenced a finding."""

    model_config = ConfigDict(json_schema_extra=ONLY_WHERE_NOT_CHECKED)

    rule: Text
    status: Literal["fired", "clear", "not-checked", "not-applicable"]
    subject: Text | None = None
    reason: Reason | None = None
    indicator: Indicator | None = None
    suppressed: Text | None = None
    inputs: Annotated[list[Text], Field(min_length=1)] | None = None


class OnResponse(Part):
    """What an answer tells machines: the rule set and every verdict, also without a card."""

    ruleset: Text
    results: list[Result]
    unsigned: Annotated[list[Text], Field(min_length=1)] | None = None


class CardExtension(Part):
    """The extensions of a card; never an empty object."""

    model_config = ConfigDict(json_schema_extra={"minProperties": 1})

    ours: Annotated[OnCard | None, Field(alias=EXTENSION)] = None


class ResponseExtension(Part):
    """The extensions of an answer."""

    ours: Annotated[OnResponse, Field(alias=EXTENSION)]


EXTENSIONS: dict[str, type[BaseModel]] = {"Card": CardExtension, "CdsResponse": ResponseExtension}
"""Which model of what we send has which extension."""
