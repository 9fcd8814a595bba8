"""The built-in actions. This package is a plugin of its own: `synapse run synapse_sdk.plugins.actions upload ...`."""

from typing import TYPE_CHECKING

from synapse_sdk.lazy import lazy_exports

if TYPE_CHECKING:
    from synapse_sdk.plugins.actions.add_task_data import (
        AddTaskDataAction,
        AddTaskDataContext,
        AddTaskDataMethod,
        AddTaskDataParams,
        AddTaskDataResult,
    )

__all__ = ["AddTaskDataAction", "AddTaskDataContext", "AddTaskDataMethod", "AddTaskDataParams", "AddTaskDataResult"]

__getattr__ = lazy_exports(__name__, dict.fromkeys(__all__, f"{__name__}.add_task_data"))
