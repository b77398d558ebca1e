"""The rules and value sets as the service publishes them, under the site's canonical address."""

from __future__ import annotations

from collections.abc import Mapping

from plugin.artefacts import Release, made
from plugin.rules import RULES
from plugin.vocabulary import terminology
from valuesets.systems import canonical_system

# The address under which the shipped resources name themselves and one another.
SHIPPED = "https://dystonia-cds.example/fhir"


class Published:
    """The terminology in force, for those who ask over FHIR."""

    def __init__(self, canonical: str, release: Release) -> None:
        """``canonical`` is the base of the site's canonical URLs; ``release`` tells which rules are in force."""
        self._canonical = canonical.rstrip("/")
        self._release = release

    def artefacts(self) -> Mapping[str, bytes]:
        """Every resource as JSON by ``<type>/<id>``, its own URLs and code systems under the site's address."""
        own, shipped = f"{self._canonical}/".encode(), f"{SHIPPED}/".encode()
        codes = {key: content.replace(shipped, own) for key, content in terminology().resources().items()}
        return {**codes, **made(RULES, self._release, codes)}

    def member(self, value_set: str, system: str, code: str) -> bool | None:
        """Whether the rules take a code for one of a value set; None where there is no such set.

        An ICD-10 code belongs to a set with the codes above it, a code of the site where the site's map puts it.
        """
        known = terminology()
        try:
            listed = known.members(value_set)
        except KeyError:
            return None
        kind, _, key = value_set.partition("-")
        if kind == "condition":
            return key in known.concepts(system, code)
        if kind == "lab" and known.analyte(system, code) == key:
            return True
        if system.startswith(f"{self._canonical}/"):
            system = SHIPPED + system[len(self._canonical) :]
        wanted = (canonical_system(system) or system, code.strip())
        return any((coding.system, coding.code) == wanted for coding in listed)
