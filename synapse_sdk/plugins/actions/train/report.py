"""The report of a training."""

from pathlib import Path
from typing import TYPE_CHECKING

from synapse_sdk.plugins.actions import report_files

if TYPE_CHECKING:
    from synapse_sdk.plugins.actions.train.context import TrainContext

__all__ = ["write_report"]


def write_report(context: "TrainContext", status: str) -> Path:
    """Write `report.json`, whole or not at all, and return where it is.

    Args:
        context: The training.
        status: How the run has ended.

    Raises:
        OSError: It cannot be written.
    """
    report = {
        "run": context.run,
        "status": status,
        "started_at": context.started_at,
        "params": context.params.model_dump(mode="json", exclude_defaults=True),
        "dataset": context.dataset,
        "download": context.download,
        "conversion": context.conversion,
        "metrics": context.metrics,
        "model": context.model,
        "errors": [error.partition("\n")[0] for error in context.errors],
    }
    return report_files.write_report(context.report_folder, report)
