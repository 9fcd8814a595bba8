"""The action that gives tasks their annotations, from files or from a model."""

from typing import TYPE_CHECKING

from synapse_sdk.lazy import lazy_exports

if TYPE_CHECKING:
    from synapse_sdk.inference import InferenceModel, ModelInput
    from synapse_sdk.plugins.actions.add_task_data.action import AddTaskDataAction
    from synapse_sdk.plugins.actions.add_task_data.context import AddTaskDataContext
    from synapse_sdk.plugins.actions.add_task_data.models import MODELS
    from synapse_sdk.plugins.actions.add_task_data.params import AddTaskDataMethod, AddTaskDataParams
    from synapse_sdk.plugins.actions.add_task_data.result import AddTaskDataResult, StrayAnnotations, TaskFailure

__all__ = [
    "MODELS",
    "AddTaskDataAction",
    "AddTaskDataContext",
    "AddTaskDataMethod",
    "AddTaskDataParams",
    "AddTaskDataResult",
    "InferenceModel",
    "ModelInput",
    "StrayAnnotations",
    "TaskFailure",
]

HOMES = {
    "action": ("AddTaskDataAction",),
    "context": ("AddTaskDataContext",),
    "models": ("MODELS",),
    "params": ("AddTaskDataMethod", "AddTaskDataParams"),
    "result": ("AddTaskDataResult", "StrayAnnotations", "TaskFailure"),
}
"""Modules, and what they define."""

ELSEWHERE = dict.fromkeys(("InferenceModel", "ModelInput"), "synapse_sdk.inference")

__getattr__ = lazy_exports(
    __name__, {name: f"{__name__}.{module}" for module, names in HOMES.items() for name in names} | ELSEWHERE
)
