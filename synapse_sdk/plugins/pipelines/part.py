"""One action of a pipeline: which one, under which name, with which parameters."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from synapse_sdk.errors import PipelineError
from synapse_sdk.plugins.action import BaseAction, action_class
from synapse_sdk.plugins.discovery import find_plugin
from synapse_sdk.plugins.manifest import MANIFEST_NAME

__all__ = ["BUILT_IN", "Part", "PipelinePart"]

BUILT_IN = "synapse_sdk.plugins.actions"
"""The plugin that an action is looked for in if none is named."""
NAME_CHARACTERS = frozenset("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_-")

type AnyAction = type[BaseAction[Any]] | Callable[..., Any] | str
"""A class, a function that `@action` has marked, the name of a built-in action, or `plugin:action`."""


@dataclass(frozen=True, kw_only=True)
class Part:
    """One action of a pipeline as its author writes it.

    Args:
        action: A class, a function marked with `@action`, the name of a built-in action, or `plugin:action`.
        name: What it is called in the pipeline; by default what the action calls itself.
        params: Its parameters; text such as `${upload.collection}` stands for a result of an earlier action.
        weight: Its share of the whole work, in proportion to the weights of the others, 0.0 to 1.0.
    """

    action: AnyAction
    name: str = ""
    params: Mapping[str, Any] = field(default_factory=dict)
    weight: float = 1.0


@dataclass(frozen=True, kw_only=True)
class PipelinePart:
    """One action of a pipeline, found."""

    name: str
    action: type[BaseAction[Any]]
    params: Mapping[str, Any]
    """As the author of the pipeline gives them."""
    weight: float
    reference: str
    """What finds the action, as its author wrote it; a run that was begun with another one is not gone on with."""
    env: Mapping[str, Any] = field(default_factory=dict, repr=False)
    """Settings of the manifest of its plugin; they may be secrets."""

    @classmethod
    def of(cls, given: Part | AnyAction, folder: Path | None = None) -> "PipelinePart":
        """Find the action.

        Args:
            given: What the author wrote.
            folder: Where plugins that are named by a relative path are looked for first.

        Raises:
            PipelineError: It is no action, or has a name that cannot be written down.
            PluginNotFoundError, ManifestError, PluginLoadError, ActionNotFoundError: A plugin or action is not there.
        """
        part = given if isinstance(given, Part) else Part(action=given)
        env: Mapping[str, Any] = {}
        if isinstance(part.action, str):
            plugin_name, _, name = part.action.rpartition(":")
            plugin = find_plugin(_place(plugin_name, folder) or BUILT_IN)
            action, env, called, reference = plugin.action_class(name), plugin.env, name, part.action
        else:
            found = action_class(part.action)
            if found is None:
                msg = f"{part.action!r} is not an action, so it cannot be in a pipeline"
                raise PipelineError(msg, fix="Use a class derived from BaseAction, or a function marked with @action()")
            action, called, reference = found, found.action_name, found.__qualname__
        name = part.name or called
        if not name or not NAME_CHARACTERS.issuperset(name):
            msg = f"An action of a pipeline cannot be called {name!r}"
            fix = "Name it with letters, digits, '_' and '-'"
            raise PipelineError(msg, fix=fix)
        return cls(name=name, action=action, params=part.params, weight=part.weight, reference=reference, env=env)


def _place(plugin: str, folder: Path | None) -> str:
    """Return where a plugin is: one that lies beside the pipeline is meant before any other."""
    if folder is not None and plugin and (folder / plugin / MANIFEST_NAME).is_file():
        return str((folder / plugin).resolve())
    return plugin
