"""Plugins that installed packages offer through entry points of the group `synapse.plugins`."""

from dataclasses import dataclass
from typing import TYPE_CHECKING

from synapse_sdk.errors import PluginLoadError, SynapseError
from synapse_sdk.extensions import distribution_name, installed_entry_points
from synapse_sdk.plugins.discovery.packages import from_module, from_package, package_with_manifest
from synapse_sdk.plugins.discovery.plugin import Origin, Plugin

if TYPE_CHECKING:
    from importlib.metadata import EntryPoint

__all__ = ["GROUP", "InstalledPlugin", "find_installed", "installed_names", "installed_plugins"]

GROUP = "synapse.plugins"


@dataclass(frozen=True, kw_only=True)
class InstalledPlugin:
    """One line of the list of installed plugins; either `plugin` or `error` is None."""

    name: str
    """Name of the entry point, which commands call it by."""
    package: str
    """The installed package that offers it."""
    plugin: Plugin | None = None
    error: SynapseError | None = None
    """Why it cannot be used."""


def installed_plugins() -> tuple[InstalledPlugin, ...]:
    """Return every installed plugin, sorted by name, those that cannot be used with the reason.

    Plugins with a manifest are listed from it; only modules without one are imported. None are found while the
    environment variable SYNAPSE_DISABLE_PLUGINS is set.
    """
    found = []
    for entry in installed_entry_points(GROUP):
        plugin = error = None
        try:
            plugin = _from_entry(entry)
        except SynapseError as problem:
            error = problem
        found.append(InstalledPlugin(name=entry.name, package=distribution_name(entry), plugin=plugin, error=error))
    return tuple(found)


def installed_names() -> tuple[str, ...]:
    """Return the names of the installed plugins, without looking at them."""
    return tuple(dict.fromkeys(entry.name for entry in installed_entry_points(GROUP)))


def find_installed(name: str) -> Plugin | None:
    """Return the installed plugin of this name, or None.

    Raises:
        ConfigurationError: It is broken, or there are several.
    """
    entries = [entry for entry in installed_entry_points(GROUP) if entry.name == name]
    if not entries:
        return None
    if len(entries) > 1:
        packages = " and ".join(distribution_name(entry) for entry in entries)
        fix = f"Uninstall one of them, or name the module: {' or '.join(entry.module for entry in entries)}"
        msg = f"Several installed packages offer a plugin {name!r}: {packages}"
        raise PluginLoadError(msg, fix=fix, plugin=name)
    return _from_entry(entries[0])


def _from_entry(entry: "EntryPoint") -> Plugin:
    try:
        module, attr = entry.module, entry.attr or ""
    except (AttributeError, AssertionError, ValueError) as error:
        # How importlib.metadata, or importlib_metadata where some package has loaded that, says that it makes no sense.
        msg = f"Entry point {entry.name!r} of package {distribution_name(entry)!r} names no module: {entry.value!r}"
        raise PluginLoadError(msg, fix="Write it as package.module or package.module:Attribute") from error
    package = package_with_manifest(module) if not attr else None
    if package is not None:
        return from_package(*package, origin=Origin.ENTRY_POINT, reference=entry.name)
    version = entry.dist.version if entry.dist is not None else ""
    return from_module(module, attr, version=version, origin=Origin.ENTRY_POINT, reference=entry.name)
