"""Figures as files that TensorBoard shows."""

from collections.abc import Mapping
from importlib import import_module
from importlib.util import find_spec
from pathlib import Path
from typing import Any

from synapse_sdk.errors import ConfigurationError
from synapse_sdk.plugins.actions.train.trackers.base import TrackedTraining

__all__ = ["TensorBoardTracker"]

USUAL_FOLDER = "runs"
"""Where other writers of such files put them, too."""


class TensorBoardTracker:
    """Writes event files into a folder for each training: `runs/NAME-RUN`.

    Args:
        place: The folder of all trainings; empty for `runs` in the current folder.
        training: Whose figures it keeps.
    """

    def __init__(self, place: str, training: TrackedTraining) -> None:
        self._folder = Path(place or USUAL_FOLDER).expanduser().absolute() / f"{training.name}-{training.run}"
        self._writer: Any = None

    @staticmethod
    def check() -> None:
        """See that there is a writer.

        Raises:
            ConfigurationError: None is installed.
        """
        if not _is_there("tensorboardX") and not (_is_there("torch") and _is_there("tensorboard")):
            msg = "Files for TensorBoard need the package tensorboardX, or PyTorch with tensorboard"
            raise ConfigurationError(msg, fix="Install it: pip install 'synapse-sdk[tensorboard]'")

    def report(self, figures: Mapping[str, float], *, step: int, category: str) -> None:
        """Write figures as `CATEGORY/NAME`. Where a training goes on, what it had reported of later steps is void."""
        if self._writer is None:
            self._writer = self._opened(step)
        for name, value in figures.items():
            self._writer.add_scalar(f"{category}/{name}", value, step)
        self._writer.flush()

    def end(self, *, has_succeeded: bool) -> None:  # TensorBoard shows figures, not ends
        """Close the file; the figures of a training that has failed are kept, too."""
        self.close()

    def close(self) -> None:
        """Close the file."""
        if self._writer is not None:
            self._writer.close()
            self._writer = None

    def _opened(self, step: int) -> Any:  # noqa: ANN401  # one of two packages'
        module = "tensorboardX" if _is_there("tensorboardX") else "torch.utils.tensorboard"
        # Files are named after seconds; numbered, those of two processes are two, and are read in their order.
        number = len([*self._folder.iterdir()]) if self._folder.exists() else 0
        void_from = step if number else None
        return import_module(module).SummaryWriter(
            str(self._folder), purge_step=void_from, filename_suffix=f".{number:04}"
        )


def _is_there(module: str) -> bool:
    return find_spec(module) is not None
