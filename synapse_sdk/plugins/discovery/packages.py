"""Plugins that are installed or lie on `sys.path`: they are imported like any module."""

import sys
from collections.abc import Callable
from functools import partial
from importlib import import_module
from importlib.machinery import ModuleSpec
from importlib.util import find_spec
from pathlib import Path
from types import ModuleType
from typing import TYPE_CHECKING

from synapse_sdk.errors import PluginLoadError
from synapse_sdk.plugins.discovery.plugin import Origin, Plugin, actions_in, load_action

if TYPE_CHECKING:
    from synapse_sdk.plugins.manifest import Manifest

__all__ = ["described", "from_module", "from_package", "is_importable", "package_with_manifest"]

MANIFEST_NAME = "config.yaml"  # not from `manifest`, which loads pydantic


def is_importable(name: str) -> bool:
    """Whether there is a module of this name with code in it; packages around it are imported.

    Raises:
        PluginLoadError: A package around it cannot be imported.
    """
    if not all(part.isidentifier() for part in name.split(".")):
        return False
    try:
        spec = find_spec(name)
    except ValueError:  # made by hand, without a spec
        return name in sys.modules
    except (Exception, SystemExit) as error:
        if is_missing(name, error):
            return False
        raise import_error(name, error) from error
    return spec is not None and (spec.origin is not None or package_with_manifest(name) is not None)


def package_with_manifest(name: str) -> tuple[str, Path] | None:
    """Return name and folder of a package, or of the package around a module, if it has a manifest; imports nothing."""
    top, *rest = name.split(".")
    spec = _top_spec(top)
    for location in (spec and spec.submodule_search_locations) or ():
        folder = Path(location, *rest)
        if (folder / MANIFEST_NAME).is_file():
            return name, folder
        if rest and folder.with_name(f"{rest[-1]}.py").is_file() and (folder.parent / MANIFEST_NAME).is_file():
            return name.rpartition(".")[0], folder.parent
    return None


def from_package(package: str, folder: Path, *, origin: Origin, reference: str) -> Plugin:
    """Return the plugin that a package with a manifest is.

    Raises:
        ManifestError, InvalidDocumentError: The manifest cannot be read.
    """
    from synapse_sdk.plugins.manifest import read_manifest  # noqa: PLC0415  # loads pydantic and PyYAML

    importer = partial(_import_in, package, folder)
    return described(read_manifest(folder), folder, importer, origin=origin, reference=reference)


def described(
    manifest: "Manifest", root: Path, importer: Callable[[str], ModuleType], *, origin: Origin, reference: str
) -> Plugin:
    """Return the plugin that a manifest describes."""
    return Plugin(
        code=manifest.code,
        name=manifest.name,
        version=manifest.version,
        description=manifest.description,
        origin=origin,
        reference=reference,
        root=root,
        actions=manifest.actions,
        env=manifest.env,
        import_module=importer,
    )


def from_module(name: str, attr: str = "", *, version: str = "", origin: Origin, reference: str) -> Plugin:
    """Return the plugin that a module without manifest is: the actions it defines, or the one that `attr` names.

    Raises:
        PluginLoadError: It cannot be imported, `attr` is no action, or two actions have one name.
    """
    from synapse_sdk.plugins.manifest import ActionEntry  # noqa: PLC0415  # loads pydantic

    module = imported(name)
    attrs = list(actions_in(module).values()) if not attr else [attr]
    entries = {}
    for entrypoint in (f"{name}:{each}" for each in attrs):
        cls = load_action(imported, entrypoint)
        entries[cls.action_name] = ActionEntry(entrypoint=entrypoint, description=cls.description)
    file = getattr(module, "__file__", None)
    return Plugin(
        code=reference,
        name=reference,
        version=version or str(getattr(module, "__version__", "")),
        description=(module.__doc__ or "").strip().partition("\n")[0],
        origin=origin,
        reference=reference,
        root=Path(file).parent if file else None,
        actions=entries,
        import_module=imported,
    )


def imported(name: str) -> ModuleType:
    """Import a module.

    Raises:
        PluginLoadError: There is none, or its code raised; the message says where, the cause is kept.
    """
    try:
        return import_module(name)
    except (Exception, SystemExit) as error:
        if (
            isinstance(error, ModuleNotFoundError)
            and error.name is not None
            and f"{name}.".startswith(f"{error.name}.")
        ):
            msg = f"There is no module {name!r}"
            raise PluginLoadError(msg, fix="Correct the name, or install the package that has it") from error
        raise import_error(name, error) from error


def is_missing(name: str, error: BaseException) -> bool:
    """Whether an import failed because there is no such module or package, and not because of its code."""
    return isinstance(error, ModuleNotFoundError) and f"{name}.".startswith(f"{error.name}.")


def import_error(name: str, error: BaseException) -> PluginLoadError:
    """Return the error that says where the import of an installed module failed."""
    from synapse_sdk.plugins.isolation import load_error  # noqa: PLC0415  # only needed when something is wrong

    top = name.partition(".")[0]
    spec = _top_spec(top)
    root = None
    if spec is not None and spec.origin is not None and spec.has_location:
        file = Path(spec.origin)
        root = file.parent.parent if spec.submodule_search_locations else file.parent
    return load_error(name, error, root)


def _import_in(package: str, folder: Path, name: str) -> ModuleType:
    """Import a module that a manifest names: from the package's folder if it is there, else by its full name."""
    first = name.partition(".")[0]
    is_inside = (folder / first).is_dir() or (folder / f"{first}.py").is_file()
    return imported(f"{package}.{name}" if is_inside and first != package.partition(".")[0] else name)


def _top_spec(top: str) -> ModuleSpec | None:
    try:
        return find_spec(top)
    except (ImportError, ValueError):
        return None
