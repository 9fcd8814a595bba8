"""The action that gives tasks their annotations: which steps run, on what, and what comes out."""

from pathlib import Path
from typing import Any, ClassVar

from synapse_sdk.inference import InferenceModel
from synapse_sdk.plugins.actions.add_task_data.context import AddTaskDataContext
from synapse_sdk.plugins.actions.add_task_data.params import AddTaskDataMethod, AddTaskDataParams
from synapse_sdk.plugins.actions.add_task_data.predictions import document_of_predictions
from synapse_sdk.plugins.actions.add_task_data.report import write_report
from synapse_sdk.plugins.actions.add_task_data.result import AddTaskDataResult, StrayAnnotations, TaskFailure
from synapse_sdk.plugins.actions.add_task_data.steps import (
    FormatResultsStep,
    LoadAnnotationsStep,
    LoadModelStep,
    ProcessTasksStep,
    RunInferenceStep,
    UploadAnnotationsStep,
    ValidateFileStep,
)
from synapse_sdk.plugins.actions.reported import ReportedAction, undone_status
from synapse_sdk.plugins.steps import StepRegistry
from synapse_sdk.reporting.text import plural

__all__ = ["AddTaskDataAction"]


class AddTaskDataAction[P: AddTaskDataParams](ReportedAction[P, AddTaskDataContext]):
    """Give the tasks of a project annotations from files or from a model, in place of those they have.

    A run that fails gives every task back what it had, unless somebody has changed the task since; one that was killed
    goes on where it was, and submits nothing twice.

    A subclass that only says `pass` works: annotations in any format of datasets become DM documents. It may override
    the hooks, `load_model`, and `setup_steps` to add steps before, after and in place of the built-in ones.

    Example:
        >>> class MyAddTaskDataAction(AddTaskDataAction[AddTaskDataParams]):
        ...     pass
        >>> MyAddTaskDataAction.action_name
        'my_add_task_data'
    """

    action_name = "add_task_data"
    category = "pre_annotation"
    params_model = AddTaskDataParams
    result_model: ClassVar[Any] = AddTaskDataResult  # a subclass may have one that says more

    def setup_steps(self, registry: StepRegistry[AddTaskDataContext]) -> None:
        """Register the steps that the method needs."""
        if self.params.method is AddTaskDataMethod.INFERENCE:
            registry.register(LoadModelStep())
            registry.register(RunInferenceStep())
            registry.register(FormatResultsStep())
            registry.register(UploadAnnotationsStep(weight=0.15))
        else:
            registry.register(ValidateFileStep())
            registry.register(LoadAnnotationsStep())
            registry.register(ProcessTasksStep())
            registry.register(UploadAnnotationsStep(weight=0.3))

    def create_context(self) -> AddTaskDataContext:
        """Give the parameters and the hooks to the steps."""
        self._context = AddTaskDataContext(
            **self.facts_of_run(),
            convert_from_file=self.convert_data_from_file,
            make_model=self.load_model,
            setup_inference=self.setup_inference_params,
            convert_from_inference=self.convert_data_from_inference,
        )
        return self._context

    def convert_data_from_file(  # what a hook is told
        self,
        primary_file_url: str,  # a subclass may want it
        primary_file_name: str,  # as above
        data_file_url: str,  # as above
        data_file_name: str,  # as above
        task_data: dict[str, Any] | None = None,  # as above
    ) -> dict[str, Any]:
        """Return what is submitted to a task: by default the annotations as a DM document.

        A subclass may change what this returns, or make a document of its own: `self.open_file(url)` has the content of
        both files. What it raises fails this task alone; ItemSkippedError leaves the task as it is.

        Args:
            primary_file_url: Where the file is that the unit is shown by, such as `file:///photos/a1/a1b2`; a key of a
                storage, so it does not tell the type. Empty if there is none.
            primary_file_name: What it was called where it came from.
            data_file_url: Where the annotations are: a file of the unit, or the file for all tasks.
            data_file_name: What the file of the unit was called; in a file for all tasks, what the image is called.
            task_data: The task: `id`, `project`, `state`, `version`, `data` as it is now, and `data_unit` with `id`,
                `key`, `meta` and `files`.

        Raises:
            InvalidDatasetError, InvalidDocumentError: The annotations make no sense.
        """
        subject = None if self._context is None else self._context.subject
        if subject is None:
            msg = "There is no task whose annotations could be converted: a step calls this hook"
            raise RuntimeError(msg)
        return dict(subject.document())

    def load_model(self) -> InferenceModel:
        """Return the model: by default the one that the parameter `model` names. Called once a process.

        A model takes a list of `ModelInput` and returns a list with a result for each. In a run that goes on it is the
        one that the run began with, also where the parameter names the newest.

        Raises:
            ConfigurationError: There is none, or it has changed since the run began.
            StorageError: Its file cannot be had.
        """
        if self._context is None:
            msg = "There is no run for which a model could be loaded: a step calls this hook"
            raise RuntimeError(msg)
        return self._context.named_model()

    def setup_inference_params(
        self,
        primary_file_url: str,
        primary_file_name: str,
        data_files: dict[str, Any],
        *,
        model_id: str | None,
        pre_processor_params: dict[str, Any],
        pre_processor_config: dict[str, Any],
        task_data: dict[str, Any],
    ) -> dict[str, Any]:
        """Return what the model is told besides about a task: by default the parameter `pre_processor_params`.

        Args:
            primary_file_url: Where the file is that the model is asked about.
            primary_file_name: What it was called where it came from.
            data_files: All files of the unit, by name of the file specification.
            model_id: The parameter `model`.
            pre_processor_params: The parameter of this name; a copy.
            pre_processor_config: Empty: nothing is configured but by parameters.
            task_data: The task, as in `convert_data_from_file`.
        """
        return pre_processor_params

    def convert_data_from_inference(
        self,
        inference_data: Any,  # noqa: ANN401  # whatever the model returns
        task_data: dict[str, Any] | None = None,
    ) -> dict[str, Any]:
        """Return what is submitted to a task: by default a DM document of what the model has returned.

        That is a DM document already, or a list of predictions such as
        `{"label": "cat", "box": [x, y, width, height], "score": 0.9}`.

        Args:
            inference_data: The result for the task; what were arrays are lists.
            task_data: The task, as in `convert_data_from_file`.

        Raises:
            InvalidDocumentError: It is neither; the message says how to go on.
        """
        return document_of_predictions(inference_data)

    def open_file(self, url: str) -> bytes:
        """Return the content of a file that the hook in flight was told of, by its URL.

        Raises:
            ValueError: It was told of no such file of a data unit.
            StorageError: The file cannot be read.
        """
        subject = None if self._context is None else self._context.subject
        if subject is None:
            msg = "Files can be opened by a hook, while it is asked about a task"
            raise RuntimeError(msg)
        return subject.open(url)

    def commit(self, context: AddTaskDataContext) -> None:
        """Write the report: tasks have their annotations already."""
        if Path(context.work_folder).exists():  # else an earlier process has come to its end
            write_report(context)
            context.remove_work_folder()

    def build_result(self, context: AddTaskDataContext, summary: dict[str, Any]) -> dict[str, Any]:
        """Account for every task; the result model refuses a sum that does not come out."""
        strays = {f"{kind}_count": count for kind, count in context.stray_counts.items()}
        lost = context.failed_count + sum(strays.values()) + context.loss_count
        is_whole = not context.failed_count
        return {
            **summary,
            "success": not lost,
            "status": "succeeded" if is_whole else "partial",
            "message": f"Annotated {plural(context.success_count, 'task')}"
            + ("" if is_whole else f", and {context.failed_count:,} could not be"),
            "run": context.run,
            "method": context.params.method,
            "total_tasks": context.total_count,
            "success_count": context.success_count,
            "failed_count": context.failed_count,
            "skipped_count": context.skipped_count,
            **strays,
            "loss_count": context.loss_count,
            "failures": [TaskFailure(task_id=each, code=code, error=words) for each, code, words in context.failures],
            "strays": [StrayAnnotations(kind=kind, name=name, words=words) for kind, name, words in context.strays],
            "report_path": str(Path(context.report_folder, "report.json")),
        }

    def forget(self) -> None:
        """Let the backend forget what tasks had before: until now the run could still be undone."""
        context = self._context or self.create_context()
        try:
            _forget(context)
        finally:
            context.close()

    def report_undone(self, context: AddTaskDataContext) -> Path:
        """Write a report that says what every task has got back, unless undoing has written it."""
        path = Path(context.report_folder, "report.json")
        return write_report(context, undone_status(context)) if Path(context.work_folder).exists() else path

    def clean_up(self, context: AddTaskDataContext) -> None:
        """Remove what was kept for the report of a rollback, which is complete now."""
        if not context.errors and Path(context.work_folder).exists():
            context.remove_work_folder()
            _forget(context)


def _forget(context: AddTaskDataContext) -> None:
    """Let the backend forget what tasks had before; if it does not, that takes space, and no harm is done."""
    try:
        context.backend.submissions.forget(context.run)
    except Exception as error:  # noqa: BLE001  # see above
        context.log("previous_data_left", {"run": context.run, "error": str(error)})
