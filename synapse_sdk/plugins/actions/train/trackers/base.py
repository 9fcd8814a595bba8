"""What a tracker is, and how it is named."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Protocol

from synapse_sdk.errors import ConfigurationError
from synapse_sdk.extensions import ExtensionPoint, one_of
from synapse_sdk.types import JsonValue

__all__ = ["TRACKERS", "TrackedTraining", "Tracker", "TrackerKind", "check_tracker", "kind_and_place"]


@dataclass(frozen=True, slots=True, kw_only=True)
class TrackedTraining:
    """The training whose figures are tracked."""

    run: str
    """The run; one that is resumed has the id that it had."""
    name: str
    """What the model is called."""
    version: str
    hyperparameters: Mapping[str, JsonValue] = field(default_factory=dict)


class Tracker(Protocol):
    """Keeps the figures of one training for people to look at."""

    def report(self, figures: Mapping[str, float], *, step: int, category: str) -> None:
        """Keep figures.

        Args:
            figures: Name to number; all are finite.
            step: The epoch, or how often figures of this category were reported before.
            category: `train`, `validation` or `test`.
        """
        ...

    def end(self, *, has_succeeded: bool) -> None:
        """Keep how the training has ended, and release what is open."""
        ...

    def close(self) -> None:
        """Release what is open; the training may go on in another process."""
        ...


class TrackerKind(Protocol):
    """A class of trackers, as an entry point in the group `synapse.trackers` names it."""

    def __call__(self, place: str, training: TrackedTraining) -> Tracker:
        """Return a tracker.

        Args:
            place: What is written behind the name and a colon: a folder, a URL; empty for the usual place.
            training: Whose figures it keeps.
        """
        ...

    def check(self) -> None:
        """See that what the tracker needs is installed.

        Raises:
            ConfigurationError: It is not.
        """
        ...


TRACKERS = ExtensionPoint[TrackerKind](
    "tracker",
    "synapse.trackers",
    {
        "mlflow": "synapse_sdk.plugins.actions.train.trackers.mlflow:MlflowTracker",
        "tensorboard": "synapse_sdk.plugins.actions.train.trackers.tensorboard:TensorBoardTracker",
    },
)
"""Trackers by name; packages add others as entry points in the group `synapse.trackers`."""


def kind_and_place(text: str) -> tuple[str, str]:
    """Return the name of a tracker, and its place, which is empty if none is said.

    Example:
        >>> kind_and_place("mlflow:http://127.0.0.1:5000"), kind_and_place("tensorboard")
        (('mlflow', 'http://127.0.0.1:5000'), ('tensorboard', ''))
    """
    name, _, place = text.partition(":")
    return name, place


def check_tracker(text: str) -> str:
    """Refuse a tracker that is not there.

    Raises:
        ValueError: There is none of this name, or what it needs is not installed.
    """
    name, _ = kind_and_place(text)
    if name not in TRACKERS:
        msg = f"there is no tracker {name!r}. {one_of(name, TRACKERS.names())}"
        raise ValueError(msg)
    try:
        TRACKERS.load(name).check()
    except ConfigurationError as error:
        msg = f"cannot be {name!r}: {error.message}. {error.fix}"
        raise ValueError(msg) from error
    return text
