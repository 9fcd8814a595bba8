"""The step that gives a downloaded dataset to whoever asked for it."""

from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import Any

from synapse_sdk.errors import StorageError
from synapse_sdk.failpoints import hit
from synapse_sdk.plugins.actions.dataset.context import DatasetStepContext
from synapse_sdk.plugins.actions.dataset.params import DatasetParams
from synapse_sdk.plugins.actions.dataset.placing import place, undo_placing
from synapse_sdk.plugins.actions.dataset.steps.base import DatasetStep, own_folder
from synapse_sdk.plugins.actions.export.destinations import Place
from synapse_sdk.plugins.actions.export.destinations.folder import FolderDestination
from synapse_sdk.plugins.steps import StepResult

__all__ = ["PlaceDatasetStep"]


class PlaceDatasetStep(DatasetStep):
    """Bring a downloaded dataset, which is shared by all runs, into a folder of its own, where it may be changed.

    Args:
        weight: Its share of the whole work, 0.0 to 1.0.
        params: Returns the parameters for a context; by default its own `params`, if these are `DatasetParams`.
    """

    name = "place_dataset"

    def __init__(self, weight: float = 0.2, params: Callable[[Any], DatasetParams] | None = None) -> None:
        super().__init__(weight, params)

    def execute(self, context: DatasetStepContext) -> StepResult:
        """Change the path of `dataset`.

        Raises:
            ObjectExistsError: There is something at that place already.
            StorageError: It cannot be written.
        """
        params = self.params_of(context)
        source = Path(context.dataset["path"])
        context.holding.take(source)
        given = params.output
        target = (
            own_folder(context) / context.download["name"] if given is None else Path(given).expanduser().absolute()
        )
        destination = FolderDestination(target.parent, Place(path="", name=target.name, run=context.run, refuses=True))
        if not destination.is_published:
            self._place(context, source, target, destination)
            hit("dataset.placed")
        context.dataset = {**context.dataset, "path": str(target), "source_path": str(source)}
        return StepResult(data={"path": str(target)})

    def rollback(self, context: DatasetStepContext, result: StepResult) -> None:
        """Remove the folder, if it is this run that has written it."""
        for entry in result.rollback_data.get("undo_log", []):
            undo_placing(entry)

    def _place(self, context: DatasetStepContext, source: Path, target: Path, destination: FolderDestination) -> None:
        was_empty = target.is_dir() and not any(target.iterdir())
        if not was_empty:
            destination.expected()
        new_folders = list(destination.new_folders())
        context.record_undo(target=str(target), run=context.run, was_empty=was_empty, new_folders=new_folders)
        destination.withdraw()  # what a process that died has left
        destination.prepare()
        try:
            place(source, destination.staging, self.params_of(context).images, context, run=context.run)
            if was_empty:
                with suppress(FileNotFoundError):
                    target.rmdir()
        except OSError as error:
            msg = f"Cannot write the dataset into {str(target)!r}"
            raise StorageError(msg, why=str(error), fix="Free some space, or name another folder") from error
        destination.publish()
