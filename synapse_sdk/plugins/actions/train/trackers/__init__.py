"""Where the figures of a training go besides: TensorBoard, MLflow, and what packages add."""

from synapse_sdk.plugins.actions.train.trackers.base import TRACKERS, TrackedTraining, Tracker, check_tracker
from synapse_sdk.plugins.actions.train.trackers.trackers import Trackers

__all__ = ["TRACKERS", "TrackedTraining", "Tracker", "Trackers", "check_tracker"]
