"""Finding plugins: folders with a manifest, installed packages, modules."""

from synapse_sdk.plugins.discovery.find import find_plugin, is_pipeline
from synapse_sdk.plugins.discovery.installed import InstalledPlugin, installed_plugins
from synapse_sdk.plugins.discovery.plugin import Origin, Plugin

__all__ = ["InstalledPlugin", "Origin", "Plugin", "find_plugin", "installed_plugins", "is_pipeline"]
