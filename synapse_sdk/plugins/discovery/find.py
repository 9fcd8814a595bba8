"""From what a user typed to a plugin."""

import os
from functools import partial
from importlib import import_module
from pathlib import Path
from types import ModuleType

from synapse_sdk.errors import PluginNotFoundError
from synapse_sdk.extensions import are_plugins_disabled, near_name
from synapse_sdk.plugins.discovery.installed import find_installed, installed_names
from synapse_sdk.plugins.discovery.packages import (
    MANIFEST_NAME,
    described,
    from_module,
    from_package,
    is_importable,
    package_with_manifest,
)
from synapse_sdk.plugins.discovery.plugin import Origin, Plugin

__all__ = ["find_plugin", "is_pipeline"]


def find_plugin(reference: str | os.PathLike[str]) -> Plugin:
    """Find a plugin; its code is not loaded, unless it is a module without a manifest.

    Args:
        reference: A folder with a `config.yaml`, or that file; a pipeline document, which is any other `.yaml` file;
            the name of an installed plugin (an entry point of the group `synapse.plugins`); or the name of a module.
            Text that looks like a path means a folder or file and nothing else; otherwise they are tried in this order.

    Raises:
        PluginNotFoundError: It is none of these; the message says what was tried, and what is near.
        ManifestError, InvalidDocumentError: The manifest is missing or cannot be read.
        PluginLoadError: The module cannot be imported.

    Example:
        >>> plugin = find_plugin("examples/image_report")
        >>> plugin.code, list(plugin.actions)
        ('image_report', ['image_report'])
    """
    text = os.fsdecode(reference)
    path = Path(os.path.expanduser(text))  # noqa: PTH111  # Path.expanduser raises for a user who does not exist
    if not isinstance(reference, str) or _looks_like_path(text):
        return _from_path(path)
    if text and _is_file(path / MANIFEST_NAME):
        return _from_path(path)
    found = find_installed(text) or _find_module(text)
    if found is not None:
        return found
    if text and _is_folder(path):
        return _from_path(path)  # says what a folder needs to be a plugin
    raise _not_found(text)


def _from_path(path: Path) -> Plugin:
    if is_pipeline(path):
        # By name, because pipelines are made of plugins.
        found: Plugin = import_module("synapse_sdk.plugins.pipelines.document").read_pipeline(path)
        return found
    from synapse_sdk.plugins.manifest import read_manifest  # noqa: PLC0415  # loads pydantic and PyYAML

    folder = path.parent if path.name == MANIFEST_NAME else path
    if not _exists(folder):
        msg = f"There is no plugin folder {str(folder)!r}"
        near = near_name(folder.name, _plugin_folders(folder.parent))
        fix = f"Did you mean {str(folder.parent / near)!r}?" if near else "Name a folder that has a config.yaml"
        raise PluginNotFoundError(msg, fix=fix, plugin=str(folder))
    manifest = read_manifest(folder)
    root = folder.resolve()
    return described(manifest, root, partial(_import_isolated, root), origin=Origin.FOLDER, reference=str(root))


def _import_isolated(root: Path, name: str) -> ModuleType:
    from synapse_sdk.plugins.isolation import load_folder  # noqa: PLC0415  # listing actions does not need it

    return load_folder(root).import_module(name)


def _find_module(name: str) -> Plugin | None:
    if not is_importable(name):
        return None
    package = package_with_manifest(name)
    if package is not None:
        return from_package(*package, origin=Origin.MODULE, reference=name)
    plugin = from_module(name, origin=Origin.MODULE, reference=name)
    if not plugin.actions:
        msg = f"Module {name!r} is not a plugin: it defines no actions, and has no {MANIFEST_NAME} beside it"
        raise PluginNotFoundError(msg, fix=_suggestion(name), plugin=name)
    return plugin


def _not_found(text: str) -> PluginNotFoundError:
    installed = "no installed plugin of this name"
    if are_plugins_disabled():
        installed = "installed plugins are left out, because SYNAPSE_DISABLE_PLUGINS is set"
    why = f"Tried: no folder {str(Path(text).absolute())!r}; {installed}; no module {text!r}"
    return PluginNotFoundError(f"There is no plugin {text!r}", why=why, fix=_suggestion(text), plugin=text)


def _suggestion(text: str) -> str:
    """Return the way out: plugins that are there, the nearest first."""
    known = [*installed_names(), *_plugin_folders(Path())]
    near = near_name(text, known)
    if near is not None:
        return f"Did you mean {near!r}?"
    if known:
        return f"There are: {', '.join(known)}"
    return "Name a folder that has a config.yaml, or make a plugin with `synapse plugin new NAME`"


def _plugin_folders(parent: Path) -> list[str]:
    try:
        return sorted(manifest.parent.name for manifest in parent.glob(f"*/{MANIFEST_NAME}"))
    except OSError:
        return []


def is_pipeline(path: Path) -> bool:
    """Whether a path is that of a pipeline document rather than of a plugin's folder or manifest."""
    return path.suffix.lower() in {".yaml", ".yml"} and path.stem != Path(MANIFEST_NAME).stem


def _looks_like_path(text: str) -> bool:
    separators = [separator for separator in (os.sep, os.altsep) if separator]
    return (
        text.startswith((".", "~"))
        or text == MANIFEST_NAME
        or is_pipeline(Path(text))
        or any(separator in text for separator in separators)
    )


def _exists(path: Path) -> bool:
    return os.path.lexists(path)


def _is_file(path: Path) -> bool:
    return os.path.isfile(path)  # noqa: PTH113  # Path.is_file raises for a name that is too long


def _is_folder(path: Path) -> bool:
    return os.path.isdir(path)  # noqa: PTH112  # as above
