"""What a conformant client sends, as pydantic models: hook calls with the context of each hook, and feedback.

They describe, and calls do not pass through them: :mod:`cds_hooks.wire` and :mod:`cds_hooks.feedback_body` read what
comes, and forgive more than these models do. Unknown fields are allowed everywhere.
"""

from __future__ import annotations

from typing import Annotated, Any, Literal, Self

from pydantic import BaseModel, ConfigDict, Field, StringConstraints, model_validator

from cds_hooks.models import Text, Url, Uuid

Id = Annotated[str, StringConstraints(pattern=r"^[A-Za-z0-9.\-]{1,64}$")]
LocalReference = Annotated[str, StringConstraints(pattern=r"^[A-Za-z]+/[A-Za-z0-9.\-]{1,64}$")]
Person = Annotated[
    str,
    StringConstraints(pattern=r"^(Practitioner|PractitionerRole|Patient|RelatedPerson)/[A-Za-z0-9.\-]{1,64}$"),
]
Professional = Annotated[str, StringConstraints(pattern=r"^(Practitioner|PractitionerRole)/[A-Za-z0-9.\-]{1,64}$")]
UtcMoment = Annotated[
    str,
    StringConstraints(pattern=r"^\d{4}-\d{2}-\d{2}T\d{2}:\d{2}:\d{2}(\.\d+)?(Z|[+-]00:00)$"),
]


class Open(BaseModel):
    """Strict about what it knows, open for what it does not."""

    model_config = ConfigDict(strict=True, extra="allow")


class Resource(Open):
    """Any FHIR R4 resource; only its type is told here."""

    resourceType: Annotated[str, StringConstraints(pattern=r"^[A-Za-z]+$")]


class Entry(Open):
    """One entry of a Bundle."""

    fullUrl: Text | None = None
    resource: Resource | None = None


class Bundle(Open):
    """A FHIR Bundle. CDS Hooks 3.0 asks for the type ``collection`` in a context; 2.0 asks for none."""

    resourceType: Literal["Bundle"]
    type: Text | None = None
    entry: list[Entry] | None = None


class Context(Open):
    """What the context of every hook has."""

    patientId: Id


class PatientViewContext(Context):
    """The context of patient-view."""

    userId: Person
    encounterId: Id | None = None


class OrderSignContext(Context):
    """The context of order-sign: all that is about to be signed."""

    userId: Professional
    encounterId: Id | None = None
    draftOrders: Bundle


class OrderSelectContext(OrderSignContext):
    """The context of order-select: the drafts of the session, and which of them were just chosen."""

    selections: Annotated[list[LocalReference], Field(min_length=1)]


class OrderDispatchContext(Context):
    """The context of order-dispatch; it names no user."""

    dispatchedOrders: Annotated[list[LocalReference], Field(min_length=1)]
    performer: LocalReference
    fulfillmentTasks: list[Resource] | None = None


class EncounterContext(Context):
    """The context of encounter-start and encounter-discharge, which name their encounter."""

    userId: Person
    encounterId: Id


class MedicationRefillContext(Context):
    """The context of medication-refill; often there is no user."""

    userId: Professional | None = None
    encounterId: Id | None = None
    medications: Bundle


class AllergyCreateContext(Context):
    """The context of allergyintolerance-create."""

    userId: Professional
    encounterId: Id | None = None
    allergyIntolerance: Resource


class ProblemCreateContext(Context):
    """The context of problem-list-item-create."""

    userId: Professional
    encounterId: Id | None = None
    conditions: Bundle


class MedicationVerifyContext(Context):
    """The context of medication-verify: one signed order."""

    userId: Professional
    encounterId: Id | None = None
    medication: Resource


CONTEXTS: dict[str, type[Context]] = {
    "patient-view": PatientViewContext,
    "order-select": OrderSelectContext,
    "order-sign": OrderSignContext,
    "order-dispatch": OrderDispatchContext,
    "encounter-start": EncounterContext,
    "encounter-discharge": EncounterContext,
    "medication-refill": MedicationRefillContext,
    "allergyintolerance-create": AllergyCreateContext,
    "problem-list-item-create": ProblemCreateContext,
    "medication-verify": MedicationVerifyContext,
}
"""The context of each hook that is published."""


class FhirAuthorization(Open):
    """The access token for the client's FHIR server."""

    access_token: Text
    token_type: Literal["Bearer"]
    expires_in: int
    scope: Text
    subject: Text
    patient: Id | None = None


class HookRequest(Open):
    """A hook call. A prefetch key is left out where it could not be served, and null where there is nothing."""

    model_config = ConfigDict(json_schema_extra={"dependentRequired": {"fhirAuthorization": ["fhirServer"]}})

    hook: Text
    hookInstance: Uuid
    fhirServer: Url | None = None
    fhirAuthorization: FhirAuthorization | None = None
    context: Context
    prefetch: dict[str, Resource | None] | None = None
    extension: dict[str, Any] | None = None

    @model_validator(mode="after")
    def token_names_its_server(self) -> Self:
        if self.fhirAuthorization is not None and self.fhirServer is None:
            raise ValueError("fhirAuthorization needs fhirServer")
        return self


class AcceptedSuggestion(Open):
    """A suggestion that was taken, by its uuid."""

    id: Uuid


class ReasonCoding(Open):
    """The coded reason for not following a card."""

    code: Text
    system: Text
    display: Text | None = None


class OverrideReason(Open):
    """Why a card was not followed: a coded reason, words, or both."""

    model_config = ConfigDict(json_schema_extra={"anyOf": [{"required": ["reason"]}, {"required": ["userComment"]}]})

    reason: ReasonCoding | None = None
    userComment: Text | None = None

    @model_validator(mode="after")
    def says_something(self) -> Self:
        if self.reason is None and self.userComment is None:
            raise ValueError("overrideReason needs reason or userComment")
        return self


class FeedbackEntry(Open):
    """What became of one card."""

    model_config = ConfigDict(
        json_schema_extra={
            "if": {"properties": {"outcome": {"const": "accepted"}}},
            "then": {"required": ["acceptedSuggestions"]},
        }
    )

    card: Uuid
    outcome: Literal["accepted", "overridden"]
    outcomeTimestamp: UtcMoment
    acceptedSuggestions: Annotated[list[AcceptedSuggestion], Field(min_length=1)] | None = None
    overrideReason: OverrideReason | None = None

    @model_validator(mode="after")
    def names_what_was_accepted(self) -> Self:
        if self.outcome == "accepted" and self.acceptedSuggestions is None:
            raise ValueError("accepted needs acceptedSuggestions")
        return self


class Feedback(Open):
    """What became of one card or of several."""

    feedback: list[FeedbackEntry]
