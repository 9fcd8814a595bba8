"""Finding things by name: what is built in, and what installed packages add through entry points."""

import os
from collections.abc import Iterable, Mapping
from importlib import import_module
from typing import TYPE_CHECKING, cast

from synapse_sdk.errors import ConfigurationError

if TYPE_CHECKING:
    from importlib.metadata import EntryPoint

__all__ = [
    "ExtensionPoint",
    "are_plugins_disabled",
    "distribution_name",
    "installed_entry_points",
    "near_name",
    "one_of",
]

DISABLED = "SYNAPSE_DISABLE_PLUGINS"
"""The environment variable that, set to anything but nothing or 0, leaves out everything installed packages add."""


class ExtensionPoint[T]:
    """A family of things, such as executors, that are loaded by name when they are used.

    Names come from this package and from entry points of installed packages; what is built in cannot be replaced.

    Args:
        kind: What one of them is called in errors, such as `executor`.
        group: The group of entry points that adds to them.
        built_in: Name to dotted name `module:attribute`.

    Example:
        >>> readers = ExtensionPoint("reader", "synapse.readers", {"json": "json:loads"})
        >>> readers.load("json")("[1]")
        [1]
    """

    def __init__(self, kind: str, group: str, built_in: Mapping[str, str]) -> None:
        self.kind = kind
        self.group = group
        self._built_in = dict(built_in)

    def __contains__(self, name: object) -> bool:
        """Whether a name can be loaded; what is built in is known without a look at installed packages."""
        return name in self._built_in or name in self.names()

    def names(self) -> tuple[str, ...]:
        """Return every name that can be loaded, those that are built in first."""
        added = {entry.name for entry in installed_entry_points(self.group)}
        return (*self._built_in, *sorted(added - self._built_in.keys()))

    def load(self, name: str) -> T:
        """Return what has this name.

        Raises:
            ConfigurationError: Nothing has, or what an installed package offers cannot be loaded.
        """
        if name in self._built_in:
            module, _, attribute = self._built_in[name].partition(":")
            return cast("T", getattr(import_module(module), attribute))
        for entry in installed_entry_points(self.group):
            if entry.name == name:
                return self._loaded(entry)
        msg = f"There is no {self.kind} {name!r}"
        raise ConfigurationError(msg, fix=one_of(name, self.names()))

    def _loaded(self, entry: "EntryPoint") -> T:
        try:
            return cast("T", entry.load())
        except Exception as error:
            msg = f"Cannot load {self.kind} {entry.name!r} from {entry.value!r}"
            fix = f"Repair or uninstall the package {distribution_name(entry)!r} that offers it"
            raise ConfigurationError(msg, why=f"{type(error).__name__}: {error}", fix=fix) from error


def are_plugins_disabled() -> bool:
    """Whether the environment says to leave out what installed packages add."""
    return os.environ.get(DISABLED, "0") not in {"", "0"}


def installed_entry_points(group: str) -> tuple["EntryPoint", ...]:
    """Return what installed packages offer under a group, sorted by name; nothing if SYNAPSE_DISABLE_PLUGINS is set."""
    if are_plugins_disabled():
        return ()
    from importlib.metadata import entry_points  # noqa: PLC0415  # costs 15 ms that built-in names do not need

    return tuple(sorted(entry_points(group=group), key=lambda entry: (entry.name, entry.value)))


def distribution_name(entry: "EntryPoint") -> str:
    """Return the name of the installed package that offers an entry point."""
    return entry.dist.name if entry.dist is not None else "an unknown package"


def one_of(name: str, known: Iterable[str]) -> str:
    """Return the way out for somebody who used an unknown name: the nearest known one, if any is near, and all.

    Example:
        >>> one_of("jsn", ["json", "toml"])
        "Did you mean 'json'? Use one of: json, toml"
    """
    known = tuple(known)
    near = near_name(name, known)
    question = f"Did you mean {near!r}? " if near is not None else ""
    return question + (f"Use one of: {', '.join(known)}" if known else "There are none")


def near_name(name: str, known: Iterable[str]) -> str | None:
    """Return the known name that is nearest to a mistyped one, in any case; None when none is near."""
    from difflib import get_close_matches  # noqa: PLC0415  # only mistakes need it

    by_lower = {candidate.lower(): candidate for candidate in known}
    near = get_close_matches(name.lower(), by_lower, n=1)
    return by_lower[near[0]] if near else None
