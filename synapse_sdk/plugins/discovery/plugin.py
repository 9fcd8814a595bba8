"""A plugin that was found: what it says about itself, and the way to its code."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from pathlib import Path
from types import FunctionType, ModuleType
from typing import TYPE_CHECKING, Any

from synapse_sdk.errors import ActionNotFoundError, PluginLoadError
from synapse_sdk.extensions import one_of
from synapse_sdk.plugins.action import BaseAction, action_class

if TYPE_CHECKING:
    from synapse_sdk.plugins.manifest import ActionEntry

__all__ = ["Origin", "Plugin", "actions_in", "load_action"]


class Origin(StrEnum):
    """Where a plugin was found."""

    FOLDER = "folder"
    ENTRY_POINT = "entry point"
    MODULE = "module"
    PIPELINE = "pipeline document"


@dataclass(frozen=True, kw_only=True)
class Plugin:
    """A plugin, as far as it is known without loading its code."""

    code: str
    """What commands call it."""
    name: str
    """What people call it."""
    version: str
    description: str
    origin: Origin
    reference: str
    """What `find_plugin` finds it by again, also from another working directory."""
    root: Path | None
    """Its folder; None for a module that has none of its own."""
    actions: "Mapping[str, ActionEntry]"
    """Name to description of every action."""
    env: Mapping[str, Any] = field(default_factory=dict, repr=False)
    """Settings that its manifest gives it; they may be secrets."""
    import_module: Callable[[str], ModuleType] = field(repr=False, compare=False)
    """Imports a module by the name it has inside the plugin, and raises PluginLoadError if it cannot."""

    def action_class(self, name: str) -> type[BaseAction[Any]]:
        """Load the code of an action.

        Raises:
            ActionNotFoundError: The plugin has no such action.
            PluginLoadError: Its code cannot be loaded, or is no action.
        """
        if name not in self.actions:
            msg = f"Plugin {self.code!r} has no action {name!r}"
            raise ActionNotFoundError(msg, fix=one_of(name, self.actions), plugin=self.code, action=name)
        return load_action(self.import_module, self.actions[name].entrypoint)


def load_action(import_module: Callable[[str], ModuleType], entrypoint: str) -> type[BaseAction[Any]]:
    """Return the action that an entrypoint, `package.module:Attribute` or `package.module.Attribute`, names.

    Raises:
        PluginLoadError: It names nothing or no action; the message says what is there.
    """
    module, path, thing = _attribute(import_module, entrypoint)
    cls = action_class(thing) if isinstance(thing, type | FunctionType) else None
    if cls is not None:
        return cls
    msg = f"Entrypoint {entrypoint!r} is not an action but {_kind(thing)}"
    raise PluginLoadError(msg, fix=_way_out(module, path))


def _attribute(import_module: Callable[[str], ModuleType], entrypoint: str) -> tuple[ModuleType, str, object]:
    module_name, colon, path = entrypoint.partition(":")
    if not colon:
        module_name, _, path = entrypoint.rpartition(".")
    if not module_name or not path:
        msg = f"Entrypoint {entrypoint!r} does not name an attribute of a module"
        raise PluginLoadError(msg, fix="Write it as package.module:Attribute")
    module = import_module(module_name)
    thing: object = module
    for name in path.split("."):
        try:
            thing = getattr(thing, name)
        except AttributeError as error:
            msg = f"Entrypoint {entrypoint!r} names nothing: module {module_name!r} has no {path!r}"
            raise PluginLoadError(msg, fix=_way_out(module, path)) from error
    return module, path, thing


def _way_out(module: ModuleType, path: str) -> str:
    there = [attr for attr, _ in _public_actions(module)]
    if there:
        return one_of(path, there)
    return "The module has no actions: derive a class from BaseAction, or mark a function with @action()"


def actions_in(module: ModuleType) -> dict[str, str]:
    """Return the name of every action that a module, or for a package a module below it, defines, with its attribute.

    Raises:
        PluginLoadError: Two actions have one name.
    """
    found: dict[str, tuple[str, type[BaseAction[Any]]]] = {}
    is_package = hasattr(module, "__path__")
    for attr, cls in _public_actions(module):
        if cls.__module__ != module.__name__ and not (is_package and cls.__module__.startswith(module.__name__ + ".")):
            continue  # it was imported from elsewhere
        earlier, known = found.setdefault(cls.action_name, (attr, cls))
        if known is not cls:
            msg = f"Module {module.__name__!r} has two actions {cls.action_name!r}: {earlier} and {attr}"
            raise PluginLoadError(msg, fix="Give one of them another action_name")
    return {name: attr for name, (attr, _) in found.items()}


def _public_actions(module: ModuleType) -> list[tuple[str, type[BaseAction[Any]]]]:
    found = []
    for attr, thing in vars(module).items():
        cls = action_class(thing) if isinstance(thing, type | FunctionType) and not attr.startswith("_") else None
        if cls is not None and cls is not BaseAction:
            found.append((attr, cls))
    return found


def _kind(thing: object) -> str:
    if isinstance(thing, type):
        return "a class that does not derive from BaseAction"
    if isinstance(thing, FunctionType):
        return "a function without @action()"
    return f"a {type(thing).__name__}"
