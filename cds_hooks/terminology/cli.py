"""``dystonia-cds terminology``: what codes mean, where they come from, and what is still unmapped."""

from __future__ import annotations

from contextlib import suppress
from typing import TYPE_CHECKING

import typer

from cds_hooks.errors import CallTrouble

if TYPE_CHECKING:
    from cds_hooks.settings import Settings
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
    if settings.resolver != "none":
        _recall(plugin.terminology, settings)
    return plugin.terminology


def _recall(codes: Desk, settings: Settings) -> None:
    """What the service learned from the resolver counts for commands as well, where there is a store to read."""
    from cds_hooks.audit.errors import StoreError
    from cds_hooks.audit.export import open_reader

    with suppress(StoreError):
        codes.learn(row for row in open_reader(settings.database, settings.data_dir).learned() if row.known)


# Commands stand in modules of their own, which register themselves.
from cds_hooks.terminology import looking, release, unmapped  # noqa: E402, F401
