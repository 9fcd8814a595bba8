"""The steps of a training that come after those about the dataset."""

from synapse_sdk.plugins.actions.train.steps.save_checkpoint import SaveCheckpointStep
from synapse_sdk.plugins.actions.train.steps.train import TrainStep
from synapse_sdk.plugins.actions.train.steps.upload_model import UploadModelStep

__all__ = ["SaveCheckpointStep", "TrainStep", "UploadModelStep"]
