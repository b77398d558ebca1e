"""The extension that carries a figure in force, as a StructureDefinition."""

from __future__ import annotations

from plugin.artefacts.common import COPYRIGHT, Json, Release, head

THRESHOLD = "threshold"
_PARTS = {
    "name": ("code", "The name of the figure, as the settings have it"),
    "value": ("Quantity", "The figure in force at this site, with its unit in words"),
    "lowest": ("Quantity", "The lowest value that a site may choose"),
    "highest": ("Quantity", "The highest value that a site may choose"),
    "source": ("string", "The mark and the source of the figure as shipped"),
}


def threshold_profile(release: Release) -> Json:
    """The definition of the extension: one part for each of name, value, bounds and source."""
    url = release.url("StructureDefinition", THRESHOLD)
    elements = [{"id": "Extension", "path": "Extension", "min": 0, "max": "*", "short": "A figure of the rule"}]
    for name, (kind, short) in _PARTS.items():
        elements += _part(name, kind, short)
    elements.append({"id": "Extension.url", "path": "Extension.url", "fixedUri": url})
    elements.append({"id": "Extension.value[x]", "path": "Extension.value[x]", "max": "0"})
    return {
        **head("StructureDefinition", THRESHOLD, release, release.version, name="Threshold", title="Figure of a rule"),
        "description": "A named clinical figure that a rule compares with, as it is in force.",
        "copyright": COPYRIGHT,
        "fhirVersion": "4.3.0",
        "kind": "complex-type",
        "abstract": False,
        "context": [{"type": "element", "expression": "PlanDefinition"}],
        "type": "Extension",
        "baseDefinition": "http://hl7.org/fhir/StructureDefinition/Extension",
        "derivation": "constraint",
        "differential": {"element": elements},
    }


def _part(name: str, kind: str, short: str) -> list[Json]:
    key, path = f"Extension.extension:{name}", "Extension.extension"
    return [
        {"id": key, "path": path, "sliceName": name, "short": short, "min": 1, "max": "1"},
        {"id": f"{key}.url", "path": f"{path}.url", "fixedUri": name},
        {"id": f"{key}.value[x]", "path": f"{path}.value[x]", "min": 1, "type": [{"code": kind}]},
    ]
