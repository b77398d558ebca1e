"""Reading FHIR: a ConceptMap from local codes to ours, a ValueSet that adds local codes to one of ours.

ConceptMaps of R4 (``equivalence``) and of R5 (``relationship``) are read. A mapping counts where the target means the
same as the local code or more than it. One that says more than the local code, or overlaps with it, would put words
into the prescriber's mouth: it is left out, with a warning, and the code stays unrecognised.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

import msgspec

from plugin.desk.problems import Problems, shown
from plugin.desk.site_csv import fault
from plugin.desk.site_rows import Row

_MAPPED: Final = {"equal", "equivalent", "wider", "subsumes", "source-is-narrower-than-target"}
_NOT_MAPPED: Final = {"unmatched", "disjoint", "not-related-to"}
_EXTENDED: Final = ("condition-", "lab-")
_UNSURE: Final = {
    "narrower": "says more than the local code",
    "specializes": "says more than the local code",
    "source-is-broader-than-target": "says more than the local code",
    "inexact": "overlaps with the local code only",
    "relatedto": "is related to the local code in a way that is not said",
    "related-to": "is related to the local code in a way that is not said",
}


class _Kind(msgspec.Struct):
    resourceType: str = ""
    status: str = ""


class _Target(msgspec.Struct):
    code: str = ""
    equivalence: str = ""
    relationship: str = ""
    dependsOn: list[msgspec.Raw] = []


class _Element(msgspec.Struct):
    code: str = ""
    target: list[_Target] = []


class _Group(msgspec.Struct):
    source: str = ""
    target: str = ""
    element: list[_Element] = []
    unmapped: msgspec.Raw = msgspec.Raw(b"")


class _ConceptMap(msgspec.Struct):
    group: list[_Group] = []


class _Member(msgspec.Struct):
    code: str = ""


class _Include(msgspec.Struct):
    system: str = ""
    concept: list[_Member] = []
    filter: list[msgspec.Raw] = []
    valueSet: list[str] = []


class _Compose(msgspec.Struct):
    include: list[_Include] = []
    exclude: list[msgspec.Raw] = []


class _ValueSet(msgspec.Struct):
    id: str = ""
    url: str = ""
    compose: _Compose = msgspec.field(default_factory=_Compose)


def read_json(name: str, content: bytes, problems: Problems) -> list[Row]:
    """The mappings of a FHIR resource; each element that cannot be used is a problem, and the others are read."""
    content = content.removeprefix(b"\xef\xbb\xbf")
    try:
        kind = msgspec.json.decode(content, type=_Kind)
        if kind.status == "retired":
            problems.warning(name, "", "is retired and is not read")
            return []
        if kind.resourceType == "ConceptMap":
            return list(_mapped(name, msgspec.json.decode(content, type=_ConceptMap), problems))
        if kind.resourceType == "ValueSet":
            return list(_members(name, msgspec.json.decode(content, type=_ValueSet), problems))
    except RecursionError:
        problems.error(name, "", "is not readable as FHIR JSON: it is nested too deeply")
        return []
    except (msgspec.DecodeError, UnicodeDecodeError) as error:
        problems.error(name, "", f"is not readable as FHIR JSON: {error}")
        return []
    got = f"the resourceType {shown(kind.resourceType)}" if kind.resourceType else "no resourceType"
    problems.error(name, "", f"has {got}, expected ConceptMap or ValueSet")
    return []


def _mapped(name: str, concept_map: _ConceptMap, problems: Problems) -> Iterator[Row]:
    for at, group in enumerate(concept_map.group):
        path = f"group[{at}]"
        source, target = _bare(group.source), _bare(group.target)
        for missing in [key for key, value in (("source", source), ("target", target)) if not value]:
            problems.error(name, path, f"has no {missing}; expected the URI of a code system")
        if bytes(group.unmapped):
            problems.warning(name, f"{path}.unmapped", "is not followed: a code without a mapping stays unmapped")
        if source and target:
            for number, element in enumerate(group.element):
                yield from _targets(name, f"{path}.element[{number}]", source, target, element, problems)


def _targets(name: str, path: str, source: str, target: str, element: _Element, problems: Problems) -> Iterator[Row]:
    if reason := fault(element.code, "code"):
        problems.error(name, path, reason)
        return
    for number, one in enumerate(element.target):
        place = f"{path}.target[{number}]"
        meant = (one.equivalence or one.relationship).strip()
        if meant in _NOT_MAPPED:
            continue
        if meant in _UNSURE:
            said = f"{shown(element.code.strip())} is left out: the target {_UNSURE[meant]} ({meant})"
            problems.warning(name, place, f"{said}. Map it to what it surely means, as equivalent or wider")
        elif one.dependsOn:
            problems.warning(name, place, f"{shown(element.code.strip())} is left out: it holds on a condition only")
        elif reason := _wrong(meant) or fault(one.code, "target"):
            problems.error(name, place, reason)
        else:
            yield Row(name, place, "", source, element.code.strip(), one.code.strip(), target, lenient=True)


def _wrong(meant: str) -> str:
    if meant in _MAPPED:
        return ""
    got = f"got the equivalence {shown(meant)}" if meant else "has no equivalence"
    return f"{got}, expected one of {', '.join(sorted(_MAPPED | _NOT_MAPPED | set(_UNSURE)))}"


def _members(name: str, value_set: _ValueSet, problems: Problems) -> Iterator[Row]:
    ours = _ours(value_set)
    if not any(include.concept for include in value_set.compose.include):
        problems.error(name, "", "adds no code: compose.include[].concept is empty")
    if value_set.compose.exclude:
        problems.error(name, "compose.exclude", "a site's ValueSet adds codes and removes none; take this part out")
    for at, include in enumerate(value_set.compose.include):
        path, system = f"compose.include[{at}]", include.system.strip()
        if include.filter or include.valueSet:
            problems.error(name, path, "holds a filter or another value set; list every code under concept")
        elif not system:
            problems.error(name, path, "has no system; expected the coding.system that the record system sends")
        else:
            for number, member in enumerate(include.concept):
                place = f"{path}.concept[{number}]"
                if reason := fault(member.code, "code"):
                    problems.error(name, place, reason)
                else:
                    yield Row(name, place, "", system, member.code.strip(), ours, adds=True)


def _ours(value_set: _ValueSet) -> str:
    """Which of our value sets is meant: the one that the url names, else the one of the same id."""
    named = _bare(value_set.url).rpartition("/ValueSet/")[2]
    return next((name for name in (named, value_set.id) if name.startswith(_EXTENDED)), named or value_set.id)


def _bare(canonical: str) -> str:
    """A canonical URL without its version."""
    return canonical.split("|", 1)[0].strip()
