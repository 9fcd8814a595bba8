"""Running an action in this process."""

from importlib import import_module
from typing import cast

from synapse_sdk.executors.base import RunSpec, Worker
from synapse_sdk.reporting.base import Reporter
from synapse_sdk.types import JsonValue

__all__ = ["LocalExecutor"]

DEFAULT_WORKER = "synapse_sdk.plugins.worker:run_spec"
"""Dotted, because executors stand below plugins."""


class LocalExecutor:
    """Runs an action where it is called.

    Args:
        worker: Runs a spec; by default the one that finds the plugin and runs its action.
    """

    def __init__(self, worker: Worker | None = None) -> None:
        self._worker = worker

    def run(self, spec: RunSpec, reporter: Reporter | None) -> JsonValue:
        """Run an action to its end; whatever it raises comes as it is."""
        if self._worker is None:
            module, _, name = DEFAULT_WORKER.partition(":")
            self._worker = cast("Worker", getattr(import_module(module), name))
        return self._worker(spec, reporter)
