"""What we send, as strict pydantic models: discovery, cards, answers, errors. CDS Hooks 2.0.1, and valid under 3.0.

They check what a plugin answers and describe it in ``/openapi.json``. A field without a value is left out: an explicit
``null`` or an empty string, list or object anywhere in a card makes the card invalid.
"""

from __future__ import annotations

from typing import Annotated, Any, Literal, Self

from pydantic import BaseModel, ConfigDict, Field, StringConstraints, model_validator

EXTENSION = "org.dystonia-cds"
"""The key of our extensions on cards and responses. The published contract fixes it, whatever plugin is loaded."""

MOST_CARDS = 3


Text = Annotated[str, StringConstraints(min_length=1)]
Summary = Annotated[str, StringConstraints(min_length=1, max_length=139)]
Uuid = Annotated[str, StringConstraints(pattern=r"^[0-9A-Fa-f]{8}(-[0-9A-Fa-f]{4}){3}-[0-9A-Fa-f]{12}$")]
Url = Annotated[str, StringConstraints(pattern=r"^https?://[^\s]+$")]
Extension = Annotated[dict[str, Any], Field(min_length=1)]
Indicator = Literal["info", "warning", "critical"]
ONE_RECOMMENDED: dict[str, Any] = {
    "contains": {"required": ["isRecommended"], "properties": {"isRecommended": {"const": True}}},
    "minContains": 0,
    "maxContains": 1,
}
"""At most one of several suggestions is recommended, in JSON Schema."""


class Model(BaseModel):
    """Strict and closed: no coercion, no field that CDS Hooks does not know."""

    model_config = ConfigDict(strict=True, extra="forbid")


class Coding(Model):
    """A code; CDS Hooks' own Coding, not FHIR's."""

    code: Text
    system: Text
    display: Text | None = None


class OverrideReasonCoding(Coding):
    """A reason that a card offers for not following it: it must have something to show."""

    display: Text


class Source(Model):
    """Where the guidance comes from."""

    label: Text
    url: Url | None = None
    icon: Url | None = None
    topic: Coding | None = None


class Link(Model):
    """A link of a card. ``appContext`` goes with SMART apps only."""

    model_config = ConfigDict(
        json_schema_extra={"dependentSchemas": {"appContext": {"properties": {"type": {"const": "smart"}}}}}
    )

    label: Text
    url: Url
    type: Literal["absolute", "smart"]
    appContext: Text | None = None
    autolaunchable: bool | None = None

    @model_validator(mode="after")
    def app_context_is_for_apps(self) -> Self:
        if self.appContext is not None and self.type != "smart":
            raise ValueError("appContext stands with type smart only")
        return self


class Action(Model):
    """One change that a suggestion proposes."""

    model_config = ConfigDict(
        json_schema_extra={
            "if": {"properties": {"type": {"const": "delete"}}},
            "then": {"required": ["resourceId"], "not": {"required": ["resource"]}},
            "else": {"required": ["resource"], "properties": {"resource": {"required": ["resourceType"]}}},
        }
    )

    type: Literal["create", "update", "delete"]
    description: Text
    resource: Annotated[dict[str, Any], Field(min_length=1)] | None = None
    resourceId: Text | None = None
    extension: Extension | None = None

    @model_validator(mode="after")
    def has_what_its_type_needs(self) -> Self:
        if self.type == "delete" and (self.resourceId is None or self.resource is not None):
            raise ValueError("delete needs resourceId and no resource")
        if self.type != "delete" and (self.resource is None or "resourceType" not in self.resource):
            raise ValueError("create and update need a resource")
        return self


class Suggestion(Model):
    """One thing that can be accepted with a click."""

    label: Text
    uuid: Uuid
    isRecommended: bool | None = None
    actions: Annotated[list[Action], Field(min_length=1)] | None = None
    extension: Extension | None = None


class Card(Model):
    """One card."""

    model_config = ConfigDict(
        json_schema_extra={
            "dependentRequired": {"suggestions": ["selectionBehavior"]},
            "if": {"properties": {"selectionBehavior": {"const": "at-most-one"}}},
            "then": {"properties": {"suggestions": ONE_RECOMMENDED}},
        }
    )

    uuid: Uuid
    summary: Summary
    indicator: Indicator
    source: Source
    detail: Text | None = None
    suggestions: Annotated[list[Suggestion], Field(min_length=1)] | None = None
    selectionBehavior: Literal["at-most-one", "any"] | None = None
    overrideReasons: Annotated[list[OverrideReasonCoding], Field(min_length=1)] | None = None
    links: Annotated[list[Link], Field(min_length=1)] | None = None
    extension: Extension | None = None

    @model_validator(mode="after")
    def suggestions_can_be_chosen(self) -> Self:
        if not self.suggestions:
            return self
        if self.selectionBehavior is None:
            raise ValueError("suggestions need selectionBehavior")
        if self.selectionBehavior != "any" and sum(bool(one.isRecommended) for one in self.suggestions) > 1:
            raise ValueError("several recommended suggestions need selectionBehavior any")
        return self


class CdsResponse(Model):
    """The answer to a hook call."""

    cards: Annotated[list[Card], Field(max_length=MOST_CARDS)]
    extension: Extension | None = None


class DiscoveredService(Model):
    """One service as discovery tells of it."""

    id: Text
    hook: Text
    description: Text
    title: Text | None = None
    prefetch: Annotated[dict[Text, Text], Field(min_length=1)] | None = None
    usageRequirements: Text | None = None


class Discovery(Model):
    """The answer of ``GET /cds-services``."""

    services: list[DiscoveredService]


class FeedbackAnswer(Model):
    """The answer to feedback: an empty object."""


class Details(Model):
    """The words of an issue."""

    text: Text


class Issue(Model):
    """One issue of an OperationOutcome."""

    severity: Literal["fatal", "error", "warning", "information"]
    code: Text
    details: Details
    diagnostics: Text


class OperationOutcome(Model):
    """The body of every answer that is not 2xx."""

    resourceType: Literal["OperationOutcome"]
    issue: Annotated[list[Issue], Field(min_length=1)]


class Health(Model):
    """The answer of ``GET /healthz``."""

    status: Literal["ok"]


class Loaded(Model):
    """Which plugin is loaded."""

    name: Text
    version: Text


class Readiness(BaseModel):
    """The answer of ``GET /readyz``; further fields tell of single parts."""

    model_config = ConfigDict(strict=True, extra="allow")

    status: Literal["ok", "degraded", "unavailable"]
    ruleset: Text
    plugin: Loaded
    reasons: Annotated[list[Text], Field(min_length=1)] | None = None
