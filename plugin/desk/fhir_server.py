"""What a FHIR terminology server says about a code: translated into a system that we know, or placed in a hierarchy."""

from __future__ import annotations

import re
from collections.abc import Generator, Iterable, Sequence
from typing import Any, Final
from urllib.parse import quote

import msgspec

from plugin.desk.learned import Learned, identities
from plugin.vocabulary import terminology
from valuesets.systems import ICD10CM, LOINC, RXNORM, SNOMED

SOURCE: Final = "terminology server"
_CODE = re.compile(r"[A-Za-z0-9.\-]{1,32}")
_SYSTEM = re.compile(r"(?:https?://|urn:)[A-Za-z0-9:/._\-#~]{1,200}")
_TARGETS: Final = {"drug": (RXNORM, SNOMED), "lab": (LOINC,), "problem": (SNOMED, ICD10CM)}
# A drug may be mapped to something wider (its ingredient); a result or problem to the very same thing alone.
_SAME: Final = frozenset({"equivalent", "equal"})
_ACCEPTED: Final = {"drug": _SAME | {"wider", "subsumes", "source-is-narrower-than-target"}}
_MOST_ANCESTORS: Final = 1000

Asking = Generator[str, bytes | None, Any]
Talk = Generator[str, bytes | None, Learned | None]


class Coding(msgspec.Struct):
    """A code in an answer."""

    system: str = ""
    code: str = ""
    display: str = ""


class Parameter(msgspec.Struct):
    """One parameter; of its values those that are asked for."""

    name: str = ""
    valueBoolean: bool | None = None
    valueString: str | None = None
    valueCode: str | None = None
    valueCoding: Coding | None = None
    part: list[Parameter] = []


class Parameters(msgspec.Struct, tag_field="resourceType", tag="Parameters"):
    """What an operation answers."""

    parameter: list[Parameter] = []

    def first(self, name: str) -> Parameter:
        """The first parameter of a name; an empty one where there is none."""
        return next((one for one in self.parameter if one.name == name), Parameter())


class Expansion(msgspec.Struct):
    """The codes of an expanded value set."""

    contains: list[Coding] = []


class Expanded(msgspec.Struct, tag_field="resourceType", tag="ValueSet"):
    """What ``$expand`` answers."""

    expansion: Expansion


def lookup(position: str, system: str, code: str) -> Talk:
    """The conversation about one code of any position. Raises msgspec.ValidationError for an answer of another kind."""
    if not _CODE.fullmatch(code) or not _SYSTEM.fullmatch(system) or position not in _TARGETS:
        return None
    name = yield from _name(system, code)
    targets: tuple[str, ...] = ()
    if position == "problem" and system == SNOMED and name:
        targets = yield from _above(code)
    if not targets:
        targets = yield from _translated(position, system, code)
    if not targets and name is None:
        return None
    return Learned(position, system, code, name or code, targets, SOURCE)


def _name(system: str, code: str) -> Asking:
    """The display of a code; None where the server does not know it."""
    body = yield f"CodeSystem/$lookup?system={quote(system, safe='')}&code={quote(code)}"
    if body is None:
        return None
    return msgspec.json.decode(body, type=Parameters).first("display").valueString or code


def _translated(position: str, system: str, code: str) -> Asking:
    """What the server's maps make of a code, where all that they say means the same."""
    for target in _TARGETS[position]:
        if target == system:
            continue
        question = f"system={quote(system, safe='')}&code={quote(code)}&targetsystem={quote(target, safe='')}"
        body = yield f"ConceptMap/$translate?{question}"
        if body is None:
            continue
        answer = msgspec.json.decode(body, type=Parameters)
        if answer.first("result").valueBoolean is not True:
            continue
        meanings = {found for coding in _matches(position, answer) if (found := _meaning(position, coding))}
        if len(meanings) == 1:
            return meanings.pop()
        if meanings:
            return ()
    return ()


def _matches(position: str, answer: Parameters) -> Iterable[Coding]:
    accepted = _ACCEPTED.get(position, _SAME)
    for match in answer.parameter:
        if match.name != "match":
            continue
        parts = {part.name: part for part in match.part}
        relation = parts.get("equivalence") or parts.get("relationship") or Parameter()
        concept = parts.get("concept", Parameter()).valueCoding
        if concept is not None and (relation.valueCode or "") in accepted:
            yield concept


def _meaning(position: str, coding: Coding) -> tuple[str, ...]:
    codes = terminology()
    if position == "drug":
        product = codes.product(coding.system, coding.code)
        if product is not None:
            return tuple(sorted(item.rxcui for item in product.ingredients))
        return identities([("", coding.display)])
    if position == "lab":
        analyte = codes.analyte(coding.system, coding.code)
        return (analyte,) if analyte else ()
    return tuple(sorted(codes.concepts(coding.system, coding.code)))


def _above(code: str) -> Asking:
    """The conditions whose listed codes stand above a SNOMED CT code: by its ancestors, else by asking for each."""
    body = yield f"ValueSet/$expand?url={_ecl(f'>> {code}')}&count={_MOST_ANCESTORS}"
    if body is None:
        found = yield from _below_any(code, _listed_conditions())
        return tuple(sorted(found))
    ancestors = msgspec.json.decode(body, type=Expanded).expansion.contains
    return tuple(sorted({key for one in ancestors for key in terminology().concepts(SNOMED, one.code)}))


def _below_any(code: str, sets: Sequence[tuple[str, list[str]]]) -> Asking:
    """The keys of ``sets`` to which a code belongs, found by halving: most problems belong to none."""
    either = " OR ".join(f"<< {one}" for one in sorted({one for _, codes in sets for one in codes}))
    body = yield f"ValueSet/$validate-code?url={_ecl(either)}&system={quote(SNOMED, safe='')}&code={quote(code)}"
    if body is None or msgspec.json.decode(body, type=Parameters).first("result").valueBoolean is not True:
        return []
    if len(sets) == 1:
        return [sets[0][0]]
    middle = len(sets) // 2
    left = yield from _below_any(code, sets[:middle])
    right = yield from _below_any(code, sets[middle:])
    return left + right


def _listed_conditions() -> list[tuple[str, list[str]]]:
    codes = terminology()
    prefix = "ValueSet/condition-"
    names = sorted(key[len(prefix) :] for key in codes.resources() if key.startswith(prefix))
    sets = [(name, [one.code for one in codes.members(f"condition-{name}") if one.system == SNOMED]) for name in names]
    return [(name, listed) for name, listed in sets if listed]


def _ecl(expression: str) -> str:
    return quote(f"{SNOMED}?fhir_vs=ecl/{expression}", safe="")
