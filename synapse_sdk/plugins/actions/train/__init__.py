"""The action that trains a model, and registers it."""

from typing import TYPE_CHECKING

from synapse_sdk.lazy import lazy_exports

if TYPE_CHECKING:
    from synapse_sdk.plugins.actions.train.action import BaseTrainAction
    from synapse_sdk.plugins.actions.train.checkpoints import Checkpoint
    from synapse_sdk.plugins.actions.train.context import TrainContext
    from synapse_sdk.plugins.actions.train.params import TrainParams
    from synapse_sdk.plugins.actions.train.result import TrainResult
    from synapse_sdk.plugins.actions.train.steps import SaveCheckpointStep, TrainStep, UploadModelStep

__all__ = [
    "BaseTrainAction",
    "Checkpoint",
    "SaveCheckpointStep",
    "TrainContext",
    "TrainParams",
    "TrainResult",
    "TrainStep",
    "UploadModelStep",
]

HOMES = {
    "action": ("BaseTrainAction",),
    "checkpoints": ("Checkpoint",),
    "context": ("TrainContext",),
    "params": ("TrainParams",),
    "result": ("TrainResult",),
    "steps": ("SaveCheckpointStep", "TrainStep", "UploadModelStep"),
}
"""Modules, and what they define."""

__getattr__ = lazy_exports(
    __name__, {name: f"{__name__}.{module}" for module, names in HOMES.items() for name in names}
)
