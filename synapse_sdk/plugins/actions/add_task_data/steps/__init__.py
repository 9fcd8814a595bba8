"""The steps that give tasks their annotations."""

from synapse_sdk.plugins.actions.add_task_data.steps.format_results import FormatResultsStep
from synapse_sdk.plugins.actions.add_task_data.steps.load_annotations import LoadAnnotationsStep
from synapse_sdk.plugins.actions.add_task_data.steps.load_model import LoadModelStep
from synapse_sdk.plugins.actions.add_task_data.steps.process_tasks import ProcessTasksStep
from synapse_sdk.plugins.actions.add_task_data.steps.run_inference import RunInferenceStep
from synapse_sdk.plugins.actions.add_task_data.steps.upload_annotations import UploadAnnotationsStep
from synapse_sdk.plugins.actions.add_task_data.steps.validate_file import ValidateFileStep

__all__ = [
    "FormatResultsStep",
    "LoadAnnotationsStep",
    "LoadModelStep",
    "ProcessTasksStep",
    "RunInferenceStep",
    "UploadAnnotationsStep",
    "ValidateFileStep",
]
