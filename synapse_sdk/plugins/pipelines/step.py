"""The step of a pipeline that is an action."""

from synapse_sdk.plugins.pipelines.context import PipelineContext
from synapse_sdk.plugins.pipelines.part import PipelinePart
from synapse_sdk.plugins.pipelines.part_run import PartRun
from synapse_sdk.plugins.steps import BaseStep, StepResult

__all__ = ["ActionStep"]

CUT_SHORT = "the pipeline is undone"


class ActionStep(BaseStep[PipelineContext]):
    """Runs one action with its own steps, as a part of the pipeline's run, and undoes that part.

    Args:
        part: The action.
    """

    def __init__(self, part: PipelinePart) -> None:
        self._part = part

    @property
    def name(self) -> str:
        """The name of the action in its pipeline."""
        return self._part.name

    @property
    def version(self) -> str:
        """What finds the action."""
        return self._part.reference

    @property
    def progress_weight(self) -> float:
        """Its share of the whole work."""
        return self._part.weight

    def execute(self, context: PipelineContext) -> StepResult:
        """Fill `results`. An action that an earlier process has begun goes on, with the parameters that it had."""
        try:
            context.on_begin(self.name)
        except Exception as error:  # noqa: BLE001  # whoever watches must not be able to fail the run
            context.sink_failures.note("progress callback", error)
        run = PartRun(self._part, context)
        recorded = next((entry["params"] for entry in context.undo_log), None)
        if recorded is None:
            recorded = run.encoded(run.given())
            context.record_undo(params=recorded)  # before its first effect: whoever undoes it has to make it again
        context.results = {**context.results, self.name: run.execute(recorded)}
        return StepResult(data={"run": run.run})

    def rollback(self, context: PipelineContext, result: StepResult) -> None:
        """Undo the steps of the action, the last one first, also after its end."""
        for entry in result.rollback_data.get("undo_log", [])[:1]:
            PartRun(self._part, context).undo(entry["params"], CUT_SHORT)
