"""Executors by the name of their mode."""

from collections.abc import Callable
from typing import Any

from synapse_sdk.errors import ConfigurationError
from synapse_sdk.executors.base import Executor
from synapse_sdk.extensions import ExtensionPoint

__all__ = ["EXECUTORS", "open_executor"]

EXECUTORS = ExtensionPoint[Callable[..., Executor]](
    "executor",
    "synapse.executors",
    {
        "local": "synapse_sdk.executors.local:LocalExecutor",
        "process": "synapse_sdk.executors.process:ProcessExecutor",
        "ray": "synapse_sdk.executors.ray:RayExecutor",
    },
)
"""What makes an executor, by the name of its mode; it takes those of the options of `open_executor` that it knows."""


def open_executor(mode: str, **options: Any) -> Executor:  # noqa: ANN401  # each executor has its own
    """Return the executor of this name; installed packages add to `local`, `process` and `ray`.

    Args:
        mode: Its name.
        options: What it needs to know, such as `address` of the cluster, `num_cpus` and `num_gpus`.

    Raises:
        ConfigurationError: There is none, or it has no such option.

    Example:
        >>> type(open_executor("process")).__name__
        'ProcessExecutor'
    """
    make = EXECUTORS.load(mode)
    if options:
        from inspect import signature  # noqa: PLC0415  # slow to import, and most runs have no options

        unknown = [name for name in options if name not in signature(make).parameters]
        if unknown:
            msg = f"{unknown[0]} means nothing to mode={mode!r}"
            raise ConfigurationError(msg, fix="Leave it out, or run on a cluster (mode='ray')")
    return make(**options)
