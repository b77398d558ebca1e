"""The data files: listing them, reading them once, and the parts of FHIR that the loader decodes."""

import hashlib
from collections.abc import Iterator, Mapping
from decimal import Decimal
from functools import cached_property
from pathlib import Path
from typing import Final, TypeVar

import msgspec

DATA: Final = Path(__file__).resolve().parent / "data"


class TerminologyDataError(RuntimeError):
    """The installed data files are missing or do not fit together; reinstall the package."""


class Property(msgspec.Struct, frozen=True, gc=False, rename="camel"):
    """One property of a CodeSystem concept; exactly one value is set."""

    code: str
    value_code: str = ""
    value_string: str = ""
    value_boolean: bool = False
    value_decimal: Decimal | None = None

    @property
    def text(self) -> str:
        """The value where it is a code or a string."""
        return self.value_code or self.value_string


class Concept(msgspec.Struct, frozen=True, gc=False):
    """One concept of a CodeSystem, with its properties still undecoded."""

    code: str
    display: str = ""
    raw_properties: msgspec.Raw = msgspec.field(default=msgspec.Raw(b"[]"), name="property")

    @property
    def properties(self) -> list[Property]:
        """The decoded properties."""
        return _PROPERTIES.decode(self.raw_properties)


class CodeSystem(msgspec.Struct, frozen=True):
    """A CodeSystem resource, as far as the loader needs it."""

    version: str
    concept: list[Concept]


class Filter(msgspec.Struct, frozen=True, gc=False):
    """A filter of a ValueSet; the data use only ``concept is-a <code>``."""

    op: str
    value: str


class Include(msgspec.Struct, frozen=True):
    """One include or exclude of a ValueSet: codes by name, or a code with all below it."""

    system: str
    concept: list[Concept] = []
    filter: list[Filter] = []


class Compose(msgspec.Struct, frozen=True):
    """The definition of a ValueSet."""

    include: list[Include]
    exclude: list[Include] = []


class ValueSet(msgspec.Struct, frozen=True):
    """A ValueSet resource, as far as the loader needs it."""

    id: str
    version: str
    compose: Compose


class Target(msgspec.Struct, frozen=True, gc=False):
    """Where an element of a ConceptMap points."""

    code: str


class Element(msgspec.Struct, frozen=True):
    """One mapped code of a ConceptMap."""

    code: str
    target: list[Target]


class Group(msgspec.Struct, frozen=True):
    """The mappings of one source code system."""

    source: str
    element: list[Element]


class ConceptMap(msgspec.Struct, frozen=True):
    """A ConceptMap resource, as far as the loader needs it."""

    group: list[Group]


_PROPERTIES: Final = msgspec.json.Decoder(list[Property])
T = TypeVar("T", CodeSystem, ConceptMap, ValueSet)


class Resources(Mapping[str, bytes]):
    """The FHIR JSON of every data file by "<type>/<id>", read from disk on each access."""

    def __init__(self, folder: Path = DATA) -> None:
        files = sorted(folder.glob("*.json"))
        self._files = {file.stem.replace("-", "/", 1): file for file in files}
        if not files:
            raise TerminologyDataError(f"no value set files in {folder}; reinstall the package")

    def __getitem__(self, key: str) -> bytes:
        return self._files[key].read_bytes()

    def __iter__(self) -> Iterator[str]:
        return iter(self._files)

    def __len__(self) -> int:
        return len(self._files)

    @cached_property
    def content_hash(self) -> str:
        """SHA-256 over the names and contents of all files, in hexadecimal."""
        digest = hashlib.sha256()
        for key in self:
            digest.update(key.encode() + b"\0" + self[key] + b"\0")
        return digest.hexdigest()

    def decode(self, key: str, kind: type[T]) -> T:
        """Decode one resource; raises TerminologyDataError when it is absent or has another shape."""
        try:
            return msgspec.json.decode(self[key], type=kind)
        except (KeyError, msgspec.DecodeError) as error:
            raise TerminologyDataError(f"data file {key} cannot be read: {error}; reinstall the package") from error

    def value_sets(self, prefix: str) -> Iterator[tuple[str, ValueSet]]:
        """Every ValueSet whose id starts with ``prefix``, by the rest of its id."""
        start = f"ValueSet/{prefix}"
        for key in self:
            if key.startswith(start):
                yield key[len(start) :], self.decode(key, ValueSet)
