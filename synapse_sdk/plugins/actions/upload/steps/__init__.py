"""The steps of an upload, in the order in which they run."""

from synapse_sdk.plugins.actions.upload.steps.analyze_collection import AnalyzeCollectionStep
from synapse_sdk.plugins.actions.upload.steps.generate_data_units import GenerateDataUnitsStep
from synapse_sdk.plugins.actions.upload.steps.initialize import InitializeStep
from synapse_sdk.plugins.actions.upload.steps.organize_files import OrganizeFilesStep
from synapse_sdk.plugins.actions.upload.steps.process_metadata import ProcessMetadataStep
from synapse_sdk.plugins.actions.upload.steps.upload_files import UploadFilesStep
from synapse_sdk.plugins.actions.upload.steps.validate_files import ValidateFilesStep

__all__ = [
    "AnalyzeCollectionStep",
    "GenerateDataUnitsStep",
    "InitializeStep",
    "OrganizeFilesStep",
    "ProcessMetadataStep",
    "UploadFilesStep",
    "ValidateFilesStep",
]
