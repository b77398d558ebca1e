"""Building a snapshot: the drug data of an RxNorm release as a folder that the loader lays over the shipped data."""

import errno
import json
import os
import re
import shutil
import tempfile
from collections.abc import Mapping
from pathlib import Path
from typing import Final

from valuesets.loader import Terminology
from valuesets.manifest import MANIFEST, fingerprint, make_manifest, render_manifest
from valuesets.release.brands import further_brands
from valuesets.release.collect import Collected, collect
from valuesets.release.further import with_further
from valuesets.release.layout import Json, render
from valuesets.release.packages import ndc_products
from valuesets.release.rrf import Progress, Release, ReleaseError
from valuesets.release.shape import LOCAL, Kept, code_order, concept_of
from valuesets.store import CodeSystem, Resources

_PRODUCTS: Final = "CodeSystem/rxnorm-products"
_NAMES: Final = "CodeSystem/drug-names"
_MADE_BY: Final = "dystonia-cds terminology build"
_VERSION: Final = re.compile(r"[0-9A-Za-z][0-9A-Za-z._-]{0,39}")

Facts = list[tuple[str, str]]


def build_snapshot(
    folder: Path, out: Path, version: str, resources: Resources, terminology: Terminology, progress: Progress
) -> Facts:
    """Write the drug data of the RxNorm release in ``folder`` to the new folder ``out``; what was found, in words.

    ``resources`` and ``terminology`` are the shipped ones: their ingredients decide what is collected, and products
    that the release no longer describes keep the meaning they ship with. ``version`` names the release where neither
    its folder nor RXNSAB.RRF does. Raises ReleaseError; ``out`` is then as it was.
    """
    _check_out(out)
    release = Release(folder, progress)
    version = version or release.version()
    if not _VERSION.fullmatch(version):
        raise ReleaseError(
            f"The version of the release in {folder} is {version!r}. Give it with --version, such as 2026-03-02."
            if version
            else f"Neither the name of {folder} nor an RXNSAB.RRF tells its version. Give it with --version."
        )
    kept = kept_ingredients(resources)
    collected = collect(release, kept, _plain_names(resources))
    products, carried = _products(collected, resources, kept, terminology)
    brands = further_brands(collected, resources, kept, terminology.match_text)
    packages = ndc_products(collected.ndc, products, resources)
    files = [products, packages, *([brands] if brands["concept"] else [])]
    content = {f"{one['resourceType']}-{one['id']}.json": render(_dated(one, version)) for one in files}
    source = f"the RxNorm release of {version} (SAB=RXNORM)"
    manifest = make_manifest(content, version, _MADE_BY, source, fingerprint(kept), resources.content_hash)
    _write(out, content | {MANIFEST: render_manifest(manifest)})
    return _facts(collected, version, manifest.content_hash, products, carried, brands)


def kept_ingredients(resources: Resources) -> dict[str, Kept]:
    """The ingredients that the data know, with what tells a depot."""
    antipsychotics = {
        (LOCAL if include.system.endswith("/ingredients") else "") + concept.code
        for _, value_set in resources.value_sets("drug-antipsychotic")
        for include in value_set.compose.include
        for concept in include.concept
    }
    kept = {}
    for key, prefix in (("CodeSystem/rxnorm-ingredients", ""), ("CodeSystem/ingredients", LOCAL)):
        for concept in resources.decode(key, CodeSystem).concept:
            values = {one.code: one for one in concept.properties}
            mg, per_ml = values.get("depot-from-mg"), values.get("depot-from-mg-per-ml")
            kept[prefix + concept.code] = Kept(
                prefix + concept.code,
                concept.display,
                prefix + concept.code in antipsychotics,
                "injected-is-long-acting" in values,
                mg.value_decimal if mg else None,
                per_ml.value_decimal if per_ml else None,
            )
    return kept


def _plain_names(resources: Resources) -> dict[str, str]:
    """Generic and salt names of one ingredient, as phrases."""
    found = {}
    for concept in resources.decode(_NAMES, CodeSystem).concept:
        properties = concept.properties
        kind = next((one.text for one in properties if one.code == "kind"), "")
        identities = [one.value_string for one in properties if one.code == "ingredient"]
        if kind in ("generic", "salt") and len(identities) == 1:
            found[concept.code] = identities[0]
    return found


def _products(
    collected: Collected, resources: Resources, kept: Mapping[str, Kept], terminology: Terminology
) -> tuple[Json, int]:
    """The products of the release, and the shipped ones that it does not describe."""
    fields: Json = json.loads(resources[_PRODUCTS])
    told = with_further(collected.products, terminology.match_text)
    mine = [concept_of(one, kept, terminology.match_text) for one in told]
    described = {one["code"] for one in mine}
    carried = [one for one in fields["concept"] if one["code"] not in described]
    return fields | {"concept": sorted(mine + carried, key=code_order)}, len(carried)


def _dated(resource: Json, version: str) -> Json:
    text = f"{resource['title']}. From the RxNorm release of {version} and, where it is silent, the list that ships."
    return resource | {"version": version, "description": text}


def _facts(collected: Collected, version: str, content: str, products: Json, carried: int, brands: Json) -> Facts:
    return [
        ("version", version),
        ("content hash", content),
        ("products and forms", str(len(products["concept"]))),
        ("of these suppressed or obsolete in the release", str(collected.suppressed)),
        ("of these read by their names, for want of relations", str(collected.by_name)),
        ("of these retired codes that stand for another", str(collected.moved)),
        ("of these not in the release, kept from the list that ships", str(carried)),
        ("strengths left out because the release contradicts itself", str(collected.contradicted)),
        ("NDC products in the release", str(len(collected.ndc))),
        ("NDCs left out because they name different drugs", str(collected.ambiguous_ndc)),
        ("further brand names", ", ".join(one["code"] for one in brands["concept"]) or "none"),
    ]


def _check_out(out: Path) -> None:
    try:
        if out.exists() and (not out.is_dir() or any(out.iterdir())):
            raise ReleaseError(f"{out} exists and is not empty. Name a new folder with --out, or remove that one.")
        out.parent.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise ReleaseError(f"{out} cannot be made: {error.strerror}.") from None


def _write(out: Path, files: Mapping[str, bytes]) -> None:
    """All files or none: they are written beside ``out``, brought to disk, and moved into place at once."""
    part = None
    try:
        part = Path(tempfile.mkdtemp(prefix=f".{out.name}.", suffix=".part", dir=out.parent))
        part.chmod(0o755)
        for name, content in files.items():
            with (part / name).open("wb") as file:
                file.write(content)
                file.flush()
                os.fsync(file.fileno())
        if out.exists():
            out.rmdir()
        part.rename(out)
        _sync(out.parent)
    except OSError as error:
        why = "the disk is full" if error.errno == errno.ENOSPC else error.strerror
        raise ReleaseError(f"The snapshot could not be written to {out}: {why}. Nothing was left there.") from None
    finally:
        if part is not None:
            shutil.rmtree(part, ignore_errors=True)


def _sync(folder: Path) -> None:
    """Bring the names in a folder to disk, where the system has a way to."""
    if hasattr(os, "O_DIRECTORY"):
        handle = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
        try:
            os.fsync(handle)
        finally:
            os.close(handle)
