"""The steps of the dataset action, which other workflows may use as well."""

from synapse_sdk.plugins.actions.dataset.steps.convert_dataset import ConvertDatasetStep
from synapse_sdk.plugins.actions.dataset.steps.export_dataset import ExportDatasetStep
from synapse_sdk.plugins.actions.dataset.steps.place_dataset import PlaceDatasetStep

__all__ = ["ConvertDatasetStep", "ExportDatasetStep", "PlaceDatasetStep"]
