"""What one call of `synapse` was told apart from its command: the global options, and the settings they lead to."""

import os
from collections.abc import Callable, Sequence
from functools import cached_property
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from synapse_sdk.reporting.events import Event
    from synapse_sdk.settings import Settings

__all__ = ["Session"]

HAVE_OPTION = {
    "journal": {"run", "runs", "journal", "upload"},
    "backend": {"collections", "datasets", "projects", "storages", "tasks", "upload"},
}
"""Commands that can be told where things are, by what is there."""


class Session:
    """One call of `synapse`.

    Args:
        args: The command line, without the name of the program.
    """

    def __init__(self, args: Sequence[str]) -> None:
        self.args = tuple(args)
        self.flags: dict[str, Any] = {}
        """Settings that were given as options, by name."""
        self.wants_json = "--json" in args
        """Whether the answer, or the error instead of it, is for a program; guessed until a command knows."""
        self.profile: str | None = None
        """The profile that was asked for."""
        self.observer: Callable[[Event], None] | None = None
        """Told of everything that happens in a run, as it happens."""

    def for_command(self, args: Sequence[str], observer: "Callable[[Event], None] | None" = None) -> "Session":
        """Return a session for another command with the same global options."""
        other = Session(args)
        other.flags, other.profile, other.observer = dict(self.flags), self.profile, observer
        return other

    def note_option(self, name: str, value: Any) -> None:  # noqa: ANN401  # flag or text
        """Take note of an option; None stands for one that was not given."""
        if value is None:
            return
        if name == "profile":
            self.profile = value
        else:
            self.flags[name] = value

    @cached_property
    def settings(self) -> "Settings":
        """The settings, read when first asked for.

        Raises:
            ConfigurationError: Something in a file or the environment is wrong.
        """
        from synapse_sdk.settings import load_settings  # noqa: PLC0415  # help and version need no settings

        return load_settings(self.flags, profile=self.profile)

    @cached_property
    def journal(self) -> str | None:
        """Where runs are recorded, a file or a URL; None for nowhere. Raises as `settings` does."""
        named = self.settings.journal
        if named == "none":
            return None
        if named != "auto":
            return named
        from synapse_sdk.journal import default_journal  # noqa: PLC0415  # most commands record nothing

        return str(default_journal())

    @cached_property
    def backend(self) -> str | None:
        """Where collections are kept, a file or a URL; None for the usual place. Raises as `settings` does."""
        named = self.settings.backend
        return None if named == "auto" else named

    def command(self, *words: str) -> str:
        """Return a command line for this user to copy; it names journal or backend again if this one did.

        A URL that may hold a password is not repeated.
        """
        import shlex  # noqa: PLC0415  # few commands recommend another

        for name, commands in HAVE_OPTION.items():
            named = self.flags.get(name) if words[0] in commands else None
            if named is not None:
                place = "URL" if "@" in named else named.removeprefix(f"{os.getcwd()}{os.sep}")  # noqa: PTH109  # text
                words = (*words, f"--{name}", place)
        return shlex.join(("synapse", *words))

    @property
    def wants_traceback(self) -> bool:
        """Whether errors come with a traceback; known even while the settings are what is wrong."""
        return bool(self._on_the_way_to_an_error("debug", default=False)) or "--debug" in self.args

    @property
    def color(self) -> str:
        """When to use colours; known even while the settings are what is wrong."""
        return str(self._on_the_way_to_an_error("color", default="auto"))

    def _on_the_way_to_an_error(self, name: str, *, default: object) -> object:
        from synapse_sdk.errors import ConfigurationError  # noqa: PLC0415  # as above

        try:
            return getattr(self.settings, name)
        except ConfigurationError:
            return self.flags.get(name, default)
