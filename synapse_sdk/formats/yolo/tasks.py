"""What a YOLO dataset is for, which says what a row of its label files means."""

from enum import StrEnum

from synapse_sdk.errors import ConfigurationError
from synapse_sdk.extensions import one_of

__all__ = ["Task", "task_named"]


class Task(StrEnum):
    """What rows hold behind the number of the class; coordinates are fractions of the image."""

    DETECT = "detect"
    """`cx cy w h`: the centre of a box, its width and height."""
    SEGMENT = "segment"
    """`x1 y1 x2 y2 x3 y3 ...`: an outline."""
    POSE = "pose"
    """`cx cy w h`, and `x y` or `x y v` for every joint."""
    OBB = "obb"
    """`x1 y1 x2 y2 x3 y3 x4 y4`: the corners of a rotated box."""
    CLASSIFY = "classify"
    """No rows: the folder of an image is its class."""


def task_named(name: str) -> Task:
    """Return a task by its name.

    Raises:
        ConfigurationError: There is none of this name.
    """
    try:
        return Task(name)
    except ValueError:
        msg = f"There is no YOLO task {name!r}"
        raise ConfigurationError(msg, fix=one_of(name, [task.value for task in Task])) from None
