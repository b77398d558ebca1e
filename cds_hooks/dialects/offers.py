"""The suggestions of a card that one EHR can take over, and the words of those that it cannot."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any
from uuid import UUID, uuid5

from cds_hooks.dialects.model import Dialect

Json = dict[str, Any]

# The element of each resource that says what is ordered.
_ORDERED = {"MedicationRequest": "medicationCodeableConcept", "ServiceRequest": "code"}


class Offers:
    """Takes suggestions one by one: ``kept`` are those to send, ``lines`` the words of the others."""

    def __init__(self, dialect: Dialect, entries: Mapping[str, str]) -> None:
        """``entries`` maps what is ordered to the site's preference list."""
        self._dialect = dialect
        self._entries = entries
        self._origins = 0
        self.kept: list[Json] = []
        self.lines: list[str] = []

    @property
    def several(self) -> bool:
        """Whether what is kept comes from more than one suggestion."""
        return self._origins > 1

    def add(self, suggestion: Json) -> None:
        """Keep what of a suggestion can be taken over, whole or in parts; the rest becomes words."""
        before, parts = len(self.kept), list(self._parts(suggestion))
        fitting = [self._fitting(part) for part in parts]
        self.kept += [one for one in fitting if one is not None]
        lost = [part["label"] for part, one in zip(parts, fitting, strict=True) if one is None]
        if lost or len(parts) > 1:
            # The words of the whole may hold the condition under which its parts are offered.
            self._tell(suggestion["label"])
        for label in lost if len(lost) < len(parts) else ():
            self._tell(label)
        self._origins += len(self.kept) > before

    def _tell(self, line: str) -> None:
        if line not in self.lines:
            self.lines.append(line)

    def _parts(self, suggestion: Json) -> Iterator[Json]:
        """A suggestion with too many actions as several, if they only create: nothing else can be done in part."""
        most, actions = self._dialect.actions_per_suggestion, suggestion.get("actions", ())
        if not most or len(actions) <= most or any(action["type"] != "create" for action in actions):
            yield suggestion
            return
        for place, action in enumerate(actions):
            uuid = str(uuid5(UUID(suggestion["uuid"]), f"action {place}"))
            yield {**suggestion, "label": action["description"], "uuid": uuid, "actions": [action]}

    def _fitting(self, suggestion: Json) -> Json | None:
        """The suggestion as it can be taken over, if it can."""
        dialect, actions = self._dialect, suggestion.get("actions", ())
        if not dialect.suggestions or (not actions and not dialect.suggestions_in_words):
            return None
        if dialect.actions_per_suggestion and len(actions) > dialect.actions_per_suggestion:
            return None
        made = [self._action(action) for action in actions]
        if None in made:
            return None
        if len(made) == 1 and made[0] is not None and dialect.description_shown:
            made[0] = {**made[0], "description": suggestion["label"]}
        return {**suggestion, "actions": made} if made else suggestion

    def _action(self, action: Json) -> Json | None:
        allowed, kind = self._dialect.actions, action["type"]
        if allowed is not None and _type_of(action) not in allowed.get(kind, ()):
            return None
        if kind != "create" or not self._dialect.mapped_as:
            return action
        resource = self._mapped(action["resource"])
        return None if resource is None else {**action, "resource": resource}

    def _mapped(self, resource: Json) -> Json | None:
        """The resource with the entry of the site's preference list before its other codes."""
        element = _ORDERED.get(resource["resourceType"], "")
        concept = resource.get(element, {})
        codes = concept.get("coding", [])
        keys = [f"{one.get('system', '')}|{one.get('code', '')}" for one in codes] or [concept.get("text", "")]
        entry = next((self._entries[key] for key in keys if key in self._entries), None)
        if entry is None:
            return None
        coding = [{"system": self._dialect.mapped_as, "code": entry}, *codes]
        return {**resource, element: {**concept, "coding": coding}}


def _type_of(action: Json) -> str:
    """The type of the resource that an action is about."""
    if action["type"] == "delete":
        return str(action["resourceId"]).rpartition("/")[0].rpartition("/")[2]
    return str(action["resource"]["resourceType"])
