"""What the steps about datasets share."""

from dataclasses import dataclass, field
from typing import Any

from synapse_sdk.plugins.actions.dataset.cache_holding import Holding
from synapse_sdk.plugins.actions.dataset.params import DatasetParams
from synapse_sdk.plugins.checkpoint import handle
from synapse_sdk.plugins.steps import BaseStepContext

__all__ = ["DatasetContext", "DatasetStepContext"]


@dataclass
class DatasetStepContext(BaseStepContext):
    """What `ExportDatasetStep` and `ConvertDatasetStep` need of a context; that of any workflow may derive from it.

    Where `run` and the folders are left empty, the steps fill them in.
    """

    run: str = field(default="", kw_only=True)
    backend_url: str | None = field(default=None, kw_only=True)
    """Where the backend is; None for the one that the settings name."""
    work_folder: str = field(default="", kw_only=True)
    """A folder of the run's own, for what is there while it runs."""
    report_folder: str = field(default="", kw_only=True)
    dataset: dict[str, Any] = field(default_factory=dict, kw_only=True)
    """The dataset as it is now: `path`, `format`, `is_categorized`, `count`; once converted `config_path` and
    `source_path`, too. Of a downloaded one the folder is shared by all runs: read it, and change nothing."""
    download: dict[str, Any] = field(default_factory=dict, kw_only=True)
    """What a download has done, see `DownloadCounts`; empty without one."""
    conversion: dict[str, Any] = field(default_factory=dict, kw_only=True)
    """What a conversion has done, see `ConversionCounts`; empty without one."""
    holding: Holding = handle(default_factory=Holding, kw_only=True)
    """The downloaded datasets that this run uses, which nobody prunes meanwhile."""


@dataclass
class DatasetContext(DatasetStepContext):
    """Input, intermediate state and output of the dataset action."""

    params: DatasetParams = handle()
    started_at: str = ""
    """When it began: ISO 8601, UTC."""

    def close(self) -> None:
        """Let go of downloaded datasets; anything else is released by the step that has opened it."""
        self.holding.release()
