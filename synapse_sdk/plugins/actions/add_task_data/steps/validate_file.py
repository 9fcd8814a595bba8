"""The first step: where the annotations are, and whether they can be read."""

from pathlib import Path

from synapse_sdk.errors import ConfigurationError, InvalidDatasetError
from synapse_sdk.extensions import one_of
from synapse_sdk.formats import find_format, format_named
from synapse_sdk.plugins.actions.add_task_data.beginning import begin, end_undone
from synapse_sdk.plugins.actions.add_task_data.context import AddTaskDataContext
from synapse_sdk.plugins.steps import BaseStep, StepResult

__all__ = ["ValidateFileStep"]


class ValidateFileStep(BaseStep[AddTaskDataContext]):
    """Look up the project, and see that the file specification, or the file, is there and in a format that is known."""

    name = "validate_file"
    progress_weight = 0.05

    def execute(self, context: AddTaskDataContext) -> StepResult:
        """Fill `project_id`, `source_format` and `started_at`.

        Raises:
            RecordNotFoundError: There is no such project.
            ConfigurationError: Its collection has no such file specification, or the file may be in several formats.
            InvalidDatasetError: The file is not there, or in no format that is known.
        """
        begin(context)
        if context.params.file is None:
            return StepResult(data={"specification": _specification(context)})
        context.source_format = _format(context)
        return StepResult(data={"format": context.source_format})

    def rollback(self, context: AddTaskDataContext, result: StepResult) -> None:
        """Write the report, and remove what the run had for itself."""
        end_undone(context)


def _specification(context: AddTaskDataContext) -> str:
    wanted = context.params.target_specification_name
    names = [each.name for each in context.collection.specifications]
    if wanted is None or wanted not in names:
        msg = f"The collection {context.collection.name!r} of the project has no file specification {wanted!r}"
        raise ConfigurationError(msg, fix=one_of(str(wanted), names), specification=wanted)
    return wanted


def _format(context: AddTaskDataContext) -> str:
    path = Path(str(context.params.file)).expanduser()
    if context.params.file_format is None:
        return find_format(path)[0].name
    if not path.exists():
        msg = f"There is no dataset {str(path)!r}"
        raise InvalidDatasetError(msg, fix="Name a folder or file that is there", path=str(path))
    return format_named(context.params.file_format).name
