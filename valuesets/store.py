"""The data files: listing them, reading them once, and the parts of FHIR that the loader decodes."""

import hashlib
from collections.abc import Iterable, Iterator, Mapping
from decimal import Decimal
from functools import cached_property
from pathlib import Path
from typing import Final, TypeVar

import msgspec

from valuesets.manifest import Manifest, TerminologyDataError, fingerprint, read_listed, read_manifest, remedy

DATA: Final = Path(__file__).resolve().parent / "data"
BRANDS: Final = "CodeSystem/rxnorm-brands"
"""Further brand names, in a snapshot only: they come on top of the shipped names."""


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
    """The FHIR JSON of every data file by "<type>/<id>", as the manifest of its folder lists it.

    Every file is read and checked once here; what is not decoded at once is read again, and checked again, on access.
    The files of ``snapshot`` stand in for those of the same name in ``folder``.
    """

    def __init__(self, folder: Path = DATA, snapshot: Path | None = None) -> None:
        self._files: dict[str, tuple[Path, str, str]] = {}
        self._fresh: dict[str, bytes] = {}
        self.manifests: tuple[Manifest, ...] = tuple(map(self._add, [folder, snapshot] if snapshot else [folder]))

    def _add(self, folder: Path) -> Manifest:
        manifest = read_manifest(folder)
        for name, expected in manifest.files.items():
            key = name.removesuffix(".json").replace("-", "/", 1)
            self._files[key] = (folder, name, expected)
            self._fresh[key] = read_listed(folder, name, expected)
        return manifest

    def __getitem__(self, key: str) -> bytes:
        fresh = self._fresh.pop(key, None)
        return fresh if fresh is not None else read_listed(*self._files[key])

    def __iter__(self) -> Iterator[str]:
        return iter(sorted(self._files))

    def __len__(self) -> int:
        return len(self._files)

    @cached_property
    def content_hash(self) -> str:
        """SHA-256 (hexadecimal) over the names and contents of all files."""
        hashes = [manifest.content_hash for manifest in self.manifests]
        return hashes[0] if len(hashes) == 1 else hashlib.sha256("\n".join(hashes).encode()).hexdigest()

    def collected_for(self, ingredients: Iterable[str]) -> bool:
        """True if the products were collected for just these ingredients, as those that ship are."""
        return self.manifests[-1].ingredients == fingerprint(ingredients)

    def decode(self, key: str, kind: type[T]) -> T:
        """Decode one resource; raises TerminologyDataError when it is absent or has another shape."""
        try:
            return msgspec.json.decode(self[key], type=kind)
        except KeyError:
            raise TerminologyDataError(f"there is no data file {key}; {remedy(DATA)}") from None
        except msgspec.DecodeError as error:
            folder, name, _ = self._files[key]
            raise TerminologyDataError(f"{folder / name} cannot be read: {error}; {remedy(folder)}") from None

    def value_sets(self, prefix: str) -> Iterator[tuple[str, ValueSet]]:
        """Every ValueSet whose id starts with ``prefix``, by the rest of its id."""
        start = f"ValueSet/{prefix}"
        for key in self:
            if key.startswith(start):
                yield key[len(start) :], self.decode(key, ValueSet)
