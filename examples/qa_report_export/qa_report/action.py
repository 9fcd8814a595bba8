"""The action: the built-in export with another exporter, two more steps, and one step replaced."""

from qa_report.exporter import BoxExporter
from qa_report.params import QaExportParams
from qa_report.steps import CheckLabelsStep, FinalizeWithReportStep, NotifyStep
from synapse_sdk.plugins.actions.export import BaseExportAction, ExportContext
from synapse_sdk.plugins.steps import StepRegistry

__all__ = ["ExportWithReport"]


class ExportWithReport(BaseExportAction[QaExportParams]):
    """Export boxes whose labels are checked, with a report of what they are like."""

    params_model = QaExportParams

    def setup_steps(self, registry: StepRegistry[ExportContext]) -> None:
        """Add the check before anything is converted, and the notice when all is saved; finalize in another way."""
        super().setup_steps(registry)
        registry.insert_before("convert_data", CheckLabelsStep(self.params.classes))
        registry.insert_after("save_files", NotifyStep())
        registry.unregister("finalize")
        registry.register(FinalizeWithReportStep(self.params.most_listed))

    def create_exporter(self, context: ExportContext) -> BoxExporter:
        """Tell the exporter how small a box may be, besides all that every exporter is told."""
        params = {**context.export_params, "min_side_px": self.params.min_side_px}
        return BoxExporter(self.ctx, context.export_items, context.path_root, **params)
