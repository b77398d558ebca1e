"""``dystonia-cds terminology``: what codes mean, where they come from, and what is still unmapped."""

from __future__ import annotations

from typing import TYPE_CHECKING

import typer

from cds_hooks.errors import CallTrouble

if TYPE_CHECKING:
    from cds_hooks.terminology.desk import Desk

terminology = typer.Typer(help="Look into the codes: what they mean, and what is not mapped.", no_args_is_help=True)


def desk() -> Desk:
    """The terminology of the configured plugin; trouble in a sentence where it has none."""
    from cds_hooks.plugins import load_plugin
    from cds_hooks.settings import load

    settings = load()
    plugin = load_plugin(settings.plugin, settings.site("http://127.0.0.1:8000"))
    if plugin.terminology is None:
        raise CallTrouble(f"The plugin {plugin.name} has no terminology to look into.")
    return plugin.terminology
