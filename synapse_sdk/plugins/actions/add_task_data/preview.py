"""What a run would do to tasks, without doing it."""

from itertools import islice
from pathlib import Path
from tempfile import TemporaryDirectory

from pydantic import BaseModel, ConfigDict

from synapse_sdk.plugins.actions.add_task_data.context import AddTaskDataContext
from synapse_sdk.plugins.actions.add_task_data.losses import MOST_KEPT
from synapse_sdk.plugins.actions.add_task_data.params import AddTaskDataMethod, AddTaskDataParams
from synapse_sdk.plugins.actions.add_task_data.records import TaskStage
from synapse_sdk.plugins.actions.add_task_data.result import StrayAnnotations
from synapse_sdk.plugins.actions.add_task_data.steps import LoadAnnotationsStep, LoadModelStep, ValidateFileStep
from synapse_sdk.plugins.context import RuntimeContext

__all__ = ["AddTaskDataPreview", "preview_annotations"]


class AddTaskDataPreview(BaseModel):
    """What would become of tasks. `total = fit + failed + skipped`."""

    model_config = ConfigDict(frozen=True)

    total: int
    """Tasks that are wanted."""
    fit: int
    """Tasks for which there are annotations."""
    failed: int
    """Tasks that could not be annotated, because several images of the file are about them."""
    skipped: int
    """Tasks for which there are none."""
    stray_counts: dict[str, int]
    """Annotations that are for no task, by kind."""
    strays: tuple[StrayAnnotations, ...]
    """The first hundred of them."""
    loss_count: int
    """Single annotations that would not come through as they are."""


def preview_annotations(params: AddTaskDataParams, backend_url: str | None = None) -> AddTaskDataPreview:
    """Read the file, and see which annotations are for which task; nothing is changed and no hook is called.

    With a file of each data unit, files are not looked at; a model is loaded, and not asked.

    Raises:
        RecordNotFoundError: There is no such project.
        ConfigurationError: There is no such file specification, or the file may be in several formats.
        InvalidDatasetError: The file is not there, or makes no sense.
    """
    with TemporaryDirectory(prefix="synapse-preview-") as folder:
        context = AddTaskDataContext(
            RuntimeContext(),
            params=params,
            run="preview",
            backend_url=backend_url,
            work_folder=str(Path(folder, "work")),
            report_folder=folder,
        )
        try:
            if params.method is AddTaskDataMethod.INFERENCE:
                context.make_model = context.named_model
                LoadModelStep().execute(context)
            else:
                ValidateFileStep().execute(context)
                LoadAnnotationsStep().execute(context)
            return AddTaskDataPreview(
                total=context.total_count,
                fit=context.ledger.count(TaskStage.LOADED),
                failed=context.failed_count,
                skipped=context.skipped_count,
                stray_counts=context.stray_counts,
                strays=tuple(
                    StrayAnnotations(kind=kind, name=name, words=words)
                    for kind, name, words in islice(context.strays, MOST_KEPT)
                ),
                loss_count=context.loss_count,
            )
        finally:
            context.close()
