"""What comes of a training."""

from typing import Any, TypedDict

__all__ = ["TrainResult"]


class TrainResult(TypedDict):
    """What a training has done, as a dictionary."""

    success: bool
    run: str
    """Id of the run."""
    model: dict[str, Any] | None
    """`id`, `name` and `version` of the model that was registered; None if the steps have created none."""
    metrics: dict[str, dict[str, Any]]
    """The last figures by category, as they were reported."""
    dataset: dict[str, Any] | None
    """What was learned from: `path`, `format`, `count`; None without a dataset."""
    losses: int
    """Items that could not be downloaded, and annotations that did not come through a conversion as they are."""
    report_path: str
    steps_executed: int
    steps_total: int
