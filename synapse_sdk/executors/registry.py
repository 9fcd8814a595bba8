"""Executors by the name of their mode."""

from collections.abc import Callable

from synapse_sdk.executors.base import Executor
from synapse_sdk.extensions import ExtensionPoint

__all__ = ["EXECUTORS", "open_executor"]

EXECUTORS = ExtensionPoint[Callable[[], Executor]](
    "executor",
    "synapse.executors",
    {
        "local": "synapse_sdk.executors.local:LocalExecutor",
        "process": "synapse_sdk.executors.process:ProcessExecutor",
    },
)


def open_executor(mode: str) -> Executor:
    """Return the executor of this name; installed packages add to `local` and `process`.

    Raises:
        ConfigurationError: There is none.

    Example:
        >>> type(open_executor("process")).__name__
        'ProcessExecutor'
    """
    return EXECUTORS.load(mode)()
