"""Artefacts as files: one for each, and a Bundle over all of them."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import msgspec

from cds_hooks.errors import CallTrouble

BUNDLE = "bundle.json"


class _WithUrl(msgspec.Struct):
    url: str = ""


_DECODER = msgspec.json.Decoder(_WithUrl)


def written(artefacts: Mapping[str, bytes], folder: Path, *, force: bool = False) -> int:
    """Writes ``<type>-<id>.json`` for each artefact, and the Bundle; returns how many artefacts there are.

    With ``force`` a folder that holds files is written into: files of the same name are replaced, others stay. Raises
    CallTrouble where the folder is not one, holds files, or cannot be written.
    """
    if folder.exists() and not folder.is_dir():
        raise CallTrouble(f"{folder} is a file, expected a folder to write the artefacts into.")
    try:
        folder.mkdir(parents=True, exist_ok=True)
        if not force and any(folder.iterdir()):
            raise CallTrouble(f"The folder {folder} is not empty: name another one, or write into it with --force.")
        for key, content in sorted(artefacts.items()):
            (folder / f"{key.replace('/', '-')}.json").write_bytes(_pretty(content))
        (folder / BUNDLE).write_bytes(_pretty(bundle(artefacts)))
    except OSError as error:
        raise CallTrouble(f"The artefacts cannot be written to {folder}: {error.strerror}.") from None
    return len(artefacts)


def bundle(artefacts: Mapping[str, bytes]) -> bytes:
    """A collection of all artefacts, each under its canonical URL, the guide that lists them first."""
    first = sorted(artefacts, key=lambda key: (not key.startswith("ImplementationGuide/"), key))
    entries = [_entry(artefacts[key]) for key in first]
    told = {
        "resourceType": "Bundle",
        "id": "artefacts",
        "type": "collection",
        "entry": entries,
    }
    return msgspec.json.encode(told)


def _entry(content: bytes) -> dict[str, object]:
    url = _DECODER.decode(content).url
    return {**({"fullUrl": url} if url else {}), "resource": msgspec.Raw(content)}


def _pretty(content: bytes) -> bytes:
    return msgspec.json.format(content, indent=2) + b"\n"
