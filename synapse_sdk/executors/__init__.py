"""Where an action runs: here, in another process, on a Ray cluster, and wherever installed packages can run it."""

from typing import TYPE_CHECKING

from synapse_sdk.lazy import lazy_exports

if TYPE_CHECKING:
    from synapse_sdk.executors.base import Executor, RunSpec, Worker
    from synapse_sdk.executors.local import LocalExecutor
    from synapse_sdk.executors.process import ProcessExecutor
    from synapse_sdk.executors.ray import RayExecutor
    from synapse_sdk.executors.registry import EXECUTORS, open_executor

__all__ = [
    "EXECUTORS",
    "Executor",
    "LocalExecutor",
    "ProcessExecutor",
    "RayExecutor",
    "RunSpec",
    "Worker",
    "open_executor",
]

__getattr__ = lazy_exports(
    __name__,
    {
        "EXECUTORS": "synapse_sdk.executors.registry",
        "Executor": "synapse_sdk.executors.base",
        "LocalExecutor": "synapse_sdk.executors.local",
        "ProcessExecutor": "synapse_sdk.executors.process",
        "RayExecutor": "synapse_sdk.executors.ray",
        "RunSpec": "synapse_sdk.executors.base",
        "Worker": "synapse_sdk.executors.base",
        "open_executor": "synapse_sdk.executors.registry",
    },
)
