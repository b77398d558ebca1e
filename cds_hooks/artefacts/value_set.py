"""One value set as the operations need it: the codes that it lists, and whether it holds others as well."""

from __future__ import annotations

from collections.abc import Iterator

import msgspec

from cds_hooks.artefacts.catalogue import Catalogue


class Concept(msgspec.Struct, frozen=True, gc=False):
    """One code of an include or exclude."""

    code: str
    display: str = ""


class Filter(msgspec.Struct, frozen=True, gc=False):
    """A rule by which codes belong that are not listed."""

    op: str
    value: str


class Part(msgspec.Struct, frozen=True):
    """One include or exclude."""

    system: str = ""
    concept: list[Concept] = []
    filter: list[Filter] = []


class Compose(msgspec.Struct, frozen=True):
    """The definition of a value set."""

    include: list[Part] = []
    exclude: list[Part] = []


class Definition(msgspec.Struct, frozen=True):
    """A ValueSet as far as it defines its codes."""

    id: str
    url: str = ""
    version: str = ""
    title: str = ""
    compose: Compose = Compose()

    @property
    def canonical(self) -> str:
        """URL and version."""
        return f"{self.url}|{self.version}" if self.version else self.url


class Listed(msgspec.Struct, frozen=True, gc=False, omit_defaults=True):
    """One code as an expansion lists it."""

    system: str
    code: str
    display: str = ""


_DEFINITION = msgspec.json.Decoder(Definition)


class ValueSet:
    """What a value set lists. ``open`` is True where codes below listed ones belong to it and are not listed."""

    def __init__(self, catalogue: Catalogue, content: bytes) -> None:
        """``content`` is the JSON of the ValueSet; the plugin behind ``catalogue`` judges what is excluded."""
        self.definition = _DEFINITION.decode(content)
        self._member = catalogue.state.plugin.member
        parts = self.definition.compose
        self.open = any(part.filter or not part.concept for part in parts.include)
        self.below = tuple(dict.fromkeys(part.system for part in parts.include if part.filter))
        self.systems = tuple(dict.fromkeys(part.system for part in parts.include))
        self.excluded = tuple(dict.fromkeys(code for part in parts.exclude for code in _codes_of(part)))
        found = {(one.system, one.code): one for one in _listed(parts.include)}
        out = {(part.system, code) for part in parts.exclude for code in _codes_of(part)}
        self.codes = tuple(one for key, one in found.items() if key not in out and self._belongs(one))

    def _belongs(self, one: Listed) -> bool:
        """False for a listed code that an exclude takes out again."""
        return not self.excluded or self._member(self.definition.id, one.system, one.code) is not False

    def find(self, system: str, code: str) -> Listed | None:
        """The code as it is listed, or None."""
        wanted = (system.rstrip("/"), code)
        return next((one for one in self.codes if (one.system, one.code) == wanted), None)

    def holds(self, system: str, code: str) -> bool | None:
        """Whether a code belongs to the set, by the plugin's own index; None where nobody can tell."""
        answer = self._member(self.definition.id, system, code)
        if answer is not None:
            return answer
        if self.find(system, code) is not None:
            return True
        return None if self.open else False


def _codes_of(part: Part) -> Iterator[str]:
    yield from (concept.code for concept in part.concept)
    yield from (rule.value for rule in part.filter)


def _listed(parts: list[Part]) -> Iterator[Listed]:
    for part in parts:
        yield from (Listed(part.system, concept.code, concept.display) for concept in part.concept)
        yield from (Listed(part.system, rule.value) for rule in part.filter)
