"""The six steps of an export."""

from synapse_sdk.plugins.actions.export.steps.convert_data import ConvertDataStep
from synapse_sdk.plugins.actions.export.steps.fetch_results import FetchResultsStep
from synapse_sdk.plugins.actions.export.steps.finalize import FinalizeStep
from synapse_sdk.plugins.actions.export.steps.initialize import InitializeStep
from synapse_sdk.plugins.actions.export.steps.prepare_export import PrepareExportStep
from synapse_sdk.plugins.actions.export.steps.save_files import SaveFilesStep

__all__ = [
    "ConvertDataStep",
    "FetchResultsStep",
    "FinalizeStep",
    "InitializeStep",
    "PrepareExportStep",
    "SaveFilesStep",
]
