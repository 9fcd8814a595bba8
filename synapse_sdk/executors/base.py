"""What an executor is, and what it is given to run."""

import json
from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass, field
from typing import Any, Protocol, runtime_checkable

from synapse_sdk.errors import ConfigurationError, InvalidDocumentError
from synapse_sdk.reporting.base import Reporter
from synapse_sdk.types import JsonObject, JsonValue

__all__ = ["Executor", "RunSpec", "Worker"]


@dataclass(frozen=True, slots=True, kw_only=True)
class RunSpec:
    """Everything a worker needs to know to run an action, as JSON data."""

    plugin: str
    """Absolute path of the plugin's folder, name of an installed plugin, or name of a module."""
    action: str
    params: JsonObject = field(default_factory=dict)
    env: JsonObject = field(default_factory=dict, repr=False)  # it may hold secrets
    """Settings that replace those of the same name in the plugin's environment."""
    job_id: str | None = None
    inject_failure: str | None = None
    """Name of a step after which the run is made to fail."""
    journal: str | None = field(default=None, repr=False)  # it may hold a password
    """URL of the journal that records the run; None for none."""
    task: str = "run"
    """What to do about the run: `run`, or, of a run that the journal has, `resume` or `rollback`."""
    reason: str = ""
    """Why a run is rolled back."""
    accepts_changes: bool = False
    """Whether to go on with a run although the action's steps have changed."""
    directory: str = ""
    """Where relative paths of a run that the journal has begin; empty for where it was started."""
    bound: str = ""
    """Why it has to run on the caller's machine; empty if it may run on any."""

    def to_json(self) -> str:
        """Return the spec as one line of JSON.

        Raises:
            ConfigurationError: Params or env hold what JSON cannot.
        """
        try:
            return json.dumps(asdict(self), allow_nan=False)
        except (TypeError, ValueError, RecursionError) as error:
            msg = f"Action {self.action!r} cannot run elsewhere: its parameters or settings are not JSON data"
            raise ConfigurationError(msg, why=str(error), fix="Use text, numbers, lists and mappings") from error

    @classmethod
    def from_json(cls, line: str | bytes) -> "RunSpec":
        """Return the spec that `to_json` wrote.

        Raises:
            InvalidDocumentError: It is none.
        """
        try:
            data: Mapping[str, Any] = json.loads(line)
            return cls(**data)
        except (TypeError, ValueError) as error:
            msg = "A worker was given something that is not a run"
            raise InvalidDocumentError(msg, why=str(error)) from error


type Worker = Callable[[RunSpec, Reporter | None], JsonValue]
"""Runs a spec in the process it is called in, and returns the result as JSON data."""


@runtime_checkable
class Executor(Protocol):
    """A place where actions can run."""

    def run(self, spec: RunSpec, reporter: Reporter | None) -> JsonValue:
        """Run an action to its end and return its result.

        What happens is told to the reporter in order, as if the action ran here. Ctrl-C and requests to end reach the
        action, which is undone before this returns.

        Raises:
            SynapseError: What the action raised; errors arrive with code, message, why, fix and where.
            WorkerLostError: Whoever ran it ended without a result.
            ExecutorError: It could not be started, or ended itself.
            KeyboardInterrupt: The run was interrupted; it is undone.
        """
        ...
