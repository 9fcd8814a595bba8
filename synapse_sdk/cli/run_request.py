"""What `synapse run` was asked for."""

from dataclasses import dataclass
from functools import cached_property
from typing import Any

__all__ = ["Request"]


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
