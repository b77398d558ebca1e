"""The manifest of a data folder: which files belong to it, and the hash of each; a folder edited by hand is refused."""

import hashlib
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Final

import msgspec

MANIFEST: Final = "manifest.json"


class TerminologyDataError(RuntimeError):
    """Data files are missing, were edited by hand or do not fit together; the message says what to do."""


class Manifest(msgspec.Struct, frozen=True):
    """What a data folder holds. ``files`` maps file names to SHA-256; all hashes are hexadecimal.

    ``version`` is that of the package, or of the RxNorm release for a snapshot; ``source`` says what the files were
    made from, ``made_by`` by which command. ``ingredients`` identifies the list of ingredients that the products were
    collected for (:func:`fingerprint`). ``base`` is the content hash of the shipped data over which a snapshot was
    built. ``content_hash`` is over all the other fields.
    """

    version: str
    made_by: str
    source: str
    ingredients: str
    files: dict[str, str]
    base: str = ""
    content_hash: str = ""


def fingerprint(identities: Iterable[str]) -> str:
    """One hash for a list of ingredients, in any order."""
    return hashlib.sha256("\n".join(sorted(identities)).encode()).hexdigest()


def make_manifest(
    files: Mapping[str, bytes], version: str, made_by: str, source: str, ingredients: str, base: str = ""
) -> Manifest:
    """The manifest of ``files`` (content by file name); the other fields are those of :class:`Manifest`."""
    hashes = {name: hashlib.sha256(content).hexdigest() for name, content in sorted(files.items())}
    manifest = Manifest(version, made_by, source, ingredients, hashes, base)
    return msgspec.structs.replace(manifest, content_hash=_hash_of(manifest))


def render_manifest(manifest: Manifest) -> bytes:
    """The manifest as the content of its file: UTF-8 JSON, one field or file a line."""
    return msgspec.json.format(msgspec.json.encode(manifest), indent=2) + b"\n"


def read_manifest(folder: Path) -> Manifest:
    """The manifest of ``folder``; raises TerminologyDataError where it is missing, unreadable or was edited."""
    path = folder / MANIFEST
    try:
        manifest = msgspec.json.decode(path.read_bytes(), type=Manifest)
    except OSError as error:
        raise TerminologyDataError(f"{path} cannot be read ({error.strerror}); {remedy(folder)}") from None
    except msgspec.DecodeError as error:
        raise TerminologyDataError(f"{path} is no manifest of ours ({error}); {remedy(folder)}") from None
    if _hash_of(manifest) != manifest.content_hash:
        raise TerminologyDataError(f"{path} was edited by hand; {remedy(folder)}")
    extra = sorted({file.name for file in folder.glob("*.json")} - manifest.files.keys() - {MANIFEST})
    if extra:
        raise TerminologyDataError(f"{folder / extra[0]} is not in the manifest of its folder; {remedy(folder)}")
    return manifest


def read_listed(folder: Path, name: str, expected: str) -> bytes:
    """The content of a file of ``folder`` with the SHA-256 ``expected``; raises TerminologyDataError for any other."""
    try:
        content = (folder / name).read_bytes()
    except OSError as error:
        raise TerminologyDataError(f"{folder / name} cannot be read ({error.strerror}); {remedy(folder)}") from None
    if hashlib.sha256(content).hexdigest() != expected:
        raise TerminologyDataError(f"{folder / name} is not as its manifest says: edited by hand? {remedy(folder)}")
    return content


def remedy(folder: Path) -> str:
    """What to do about a damaged data folder."""
    if folder == Path(__file__).resolve().parent / "data":
        return "reinstall the package, or run scripts/valuesets/build.py in a working copy"
    return "build the snapshot again with `dystonia-cds terminology build`"


def _hash_of(manifest: Manifest) -> str:
    bare = msgspec.structs.replace(manifest, content_hash="")
    return hashlib.sha256(msgspec.json.encode(bare, order="deterministic")).hexdigest()
