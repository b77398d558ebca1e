"""``dystonia-cds artefacts``: the plugin's FHIR artefacts as files."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from cds_hooks.errors import CallTrouble

artefacts = typer.Typer(help="The rules and value sets as FHIR artefacts.", no_args_is_help=True)


@artefacts.callback()
def group() -> None:
    """The rules and value sets as FHIR artefacts."""


@artefacts.command()
def export(
    folder: Annotated[Path, typer.Argument(help="Where to; made if it does not exist.")],
    force: Annotated[bool, typer.Option("--force", help="Write into a folder that holds files already.")] = False,
) -> None:
    """Write every artefact as a JSON file, and one Bundle that holds all of them."""
    from cds_hooks.artefacts.files import written
    from cds_hooks.plugins import load_plugin
    from cds_hooks.settings import load

    settings = load()
    plugin = load_plugin(settings.plugin, settings.site("http://127.0.0.1:8000"))
    found = plugin.artefacts()
    if not found:
        raise CallTrouble(f"The plugin {plugin.name} has no artefacts to export.")
    count = written(found, folder, force=force)
    print(f"{count} artefacts and bundle.json written to {folder}.")
