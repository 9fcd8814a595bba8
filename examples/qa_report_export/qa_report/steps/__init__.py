"""The steps that this export has besides those of the built-in one, or in their place."""

from qa_report.steps.check_labels import CheckLabelsStep
from qa_report.steps.finalize import FinalizeWithReportStep
from qa_report.steps.notify import NotifyStep

__all__ = ["CheckLabelsStep", "FinalizeWithReportStep", "NotifyStep"]
