"""Finding the plugin: the entry point group ``cds_hooks.plugins``, or ``module:NAME`` from the settings."""

from __future__ import annotations

import importlib
from collections.abc import Callable
from importlib.metadata import EntryPoint, entry_points
from typing import cast

from cds_hooks.errors import PluginTrouble, SettingsTrouble, Trouble
from cds_hooks.service import Plugin, PluginFactory, Site
from cds_hooks.settings import Settings

GROUP = "cds_hooks.plugins"
SETTING = "DYSTONIA_CDS_PLUGIN"


def load_plugin(name: str | None, site: Site) -> Plugin:
    """Makes the plugin; raises :class:`PluginTrouble` with what was found, what was expected and what to do."""
    found = plugin_name(name)
    factory = _factory(found)
    try:
        made = factory(site)
    except Trouble:
        raise
    except Exception as error:
        raise PluginTrouble(
            f"The plugin {found} cannot be made: {_words(error)}. Expected a factory: a function of a Site that "
            "returns a Plugin."
        ) from error
    if not isinstance(made, Plugin):
        raise PluginTrouble(
            f"The plugin {found} made a {type(made).__name__}, expected a cds_hooks.service.Plugin: its factory takes "
            "a Site and returns a Plugin."
        )
    _check(made, found)
    return made


def load_others(settings: Settings, address: str, plugin: Plugin) -> dict[str, Plugin]:
    """The plugins of clients with settings of their own, by the client's name; ``plugin`` serves all others."""
    general = settings.site(address)
    made: list[tuple[Site, Plugin]] = [(general, plugin)]
    others = {}
    for client in settings.clients:
        site = settings.site(address, client)
        same = next((one for known, one in made if known == site), None)
        if same is None:
            same = load_plugin(settings.plugin, site)
            made.append((site, same))
        if site != general:
            others[client.name] = same
    return others


def check_services(settings: Settings, plugin: Plugin) -> None:
    """Raises :class:`SettingsTrouble` for a client that may call a service that there is not: all its calls fail."""
    known = [service.id for service in plugin.services]
    for client in settings.clients:
        if strange := [name for name in client.services if name not in known]:
            raise SettingsTrouble(
                f"[[clients]] {client.name}: services names {', '.join(strange)}, which there is not. Expected any of "
                f"{', '.join(known)}."
            )


def plugin_name(name: str | None) -> str:
    """``module:NAME`` of the plugin: what the settings name, else the one that is installed."""
    return name or _installed().value


def _installed() -> EntryPoint:
    found = {point.value: point for point in entry_points(group=GROUP)}
    if not found:
        raise PluginTrouble(
            f"No plugin is installed (nothing stands under the entry point group {GROUP}). Install one, or name one "
            f"with {SETTING}=module:NAME."
        )
    if len(found) > 1:
        names = ", ".join(sorted(found))
        raise PluginTrouble(f"Several plugins are installed ({names}), expected one. Choose by {SETTING}=module:NAME.")
    return next(iter(found.values()))


def _factory(name: str) -> PluginFactory:
    module_name, colon, attribute = name.partition(":")
    if not (module_name and colon and attribute):
        raise PluginTrouble(f"{SETTING}: got {name!r}, expected module:NAME, such as plugin.services:PLUGIN.")
    try:
        module = importlib.import_module(module_name)
    except Exception as error:
        raise PluginTrouble(f"The plugin {name} cannot be imported: {_words(error)}.") from error
    factory: Callable[..., object] | None = getattr(module, attribute, None)
    if factory is None:
        raise PluginTrouble(f"The plugin {name} cannot be found: the module has no {attribute}.")
    if not callable(factory):
        raise PluginTrouble(
            f"The plugin {name} is a {type(factory).__name__}, expected a factory: a function of a Site that returns "
            "a Plugin."
        )
    return cast(PluginFactory, factory)


def _words(error: Exception) -> str:
    """The kind of an error and the first line of what it says."""
    said = str(error).partition("\n")[0].rstrip(".")
    return f"{type(error).__name__}: {said}" if said else type(error).__name__


def _check(plugin: Plugin, name: str) -> None:
    ids = [service.id for service in plugin.services]
    twice = sorted({one for one in ids if ids.count(one) > 1})
    if twice:
        raise PluginTrouble(f"The plugin {name} gives several services the same id: {', '.join(twice)}.")
