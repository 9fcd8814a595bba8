"""The third step: what the exporter is told."""

from synapse_sdk.backend import ProjectId
from synapse_sdk.plugins.actions.export.context import ExportContext
from synapse_sdk.plugins.steps import BaseStep, StepResult

__all__ = ["PrepareExportStep"]


class PrepareExportStep(BaseStep[ExportContext]):
    """Put together what the exporter is told, the configuration of the project among it."""

    name = "prepare_export"
    progress_weight = 0.10

    def can_skip(self, context: ExportContext) -> bool:
        """Skip where there is nothing to export."""
        return context.total_count == 0

    def execute(self, context: ExportContext) -> StepResult:
        """Fill `export_params`, `configuration` and `project_id`."""
        params = context.params
        context.project_id = context.handler.project_of(context.filters)
        if context.project_id is not None:
            context.configuration = dict(context.backend.projects.get(ProjectId(context.project_id)).configuration)
        context.export_params = {
            **params.extra_params,
            "name": params.name,
            "count": context.total_count,
            "save_original_file": params.save_original_file,
            "project_id": context.project_id,
            "configuration": context.configuration,
        }
        return StepResult(data={"items": context.total_count})

    def rollback(self, context: ExportContext, result: StepResult) -> None:  # there is nothing to know
        """Forget them."""
        context.export_params, context.configuration, context.project_id = {}, {}, None
