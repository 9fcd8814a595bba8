"""Running actions on the nodes of a Ray cluster; the library is loaded when a run needs it."""

from typing import TYPE_CHECKING

from synapse_sdk.lazy import lazy_exports

if TYPE_CHECKING:
    from synapse_sdk.executors.ray.executor import RayExecutor

__all__ = ["RayExecutor"]

__getattr__ = lazy_exports(__name__, {"RayExecutor": "synapse_sdk.executors.ray.executor"})
