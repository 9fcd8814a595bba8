"""What one call of `synapse` was told apart from its command: the global options, and the settings they lead to."""

from collections.abc import Callable, Sequence
from functools import cached_property
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from synapse_sdk.reporting.events import Event
    from synapse_sdk.settings import Settings

__all__ = ["Session"]


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
