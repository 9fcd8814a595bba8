"""What was asked to be run: in words by `synapse run`, or worked out by a command for one action."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

__all__ = ["PreparedRequest", "Request"]


@dataclass(frozen=True, kw_only=True)
class PreparedRequest:
    """A run whose parameters a command has put together."""

    plugin: str
    action: str
    params: Mapping[str, Any]
    env: Mapping[str, str] = field(default_factory=dict)
    inject_failure: str | None = None
    place: Mapping[str, Any] = field(default_factory=dict)
    """What else is said about where it runs, as `run_plugin` takes it."""


@dataclass(frozen=True, kw_only=True)
class Request:
    """What was asked for on the command line."""

    plugin: str
    action: str
    source: str | None
    """The value of `--params`."""
    assignments: tuple[str, ...]
    """The values of `--set`."""
    env_pairs: tuple[str, ...]
    """The values of `--env`."""
    inject_failure: str | None
    address: str | None
    num_cpus: float | None
    num_gpus: float | None
    pass_env: tuple[str, ...]

    @property
    def place(self) -> dict[str, Any]:
        """What else is said about where it runs, as `run_plugin` takes it."""
        names = ("address", "num_cpus", "num_gpus", "pass_env")
        return {name: getattr(self, name) for name in names}

    @cached_property
    def params(self) -> dict[str, Any]:
        """The parameters, not yet validated; standard input is read at most once."""
        from synapse_sdk.cli.params import read_params  # noqa: PLC0415  # help reads none

        return read_params(self.source, self.assignments)

    @cached_property
    def env(self) -> dict[str, str]:
        """Settings for the plugin."""
        from synapse_sdk.cli.params import parse_pairs  # noqa: PLC0415  # as above

        return parse_pairs(self.env_pairs, "--env")
