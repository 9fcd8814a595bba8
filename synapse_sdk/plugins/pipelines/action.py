"""A pipeline as an action: its steps are actions."""

from collections.abc import Callable, Mapping
from typing import Any, ClassVar

from synapse_sdk.errors import InvalidParamsError
from synapse_sdk.plugins.action import BaseAction
from synapse_sdk.plugins.journalling import create_run, journalled
from synapse_sdk.plugins.pipelines.context import PipelineContext
from synapse_sdk.plugins.pipelines.part import PipelinePart
from synapse_sdk.plugins.pipelines.part_run import PartRun
from synapse_sdk.plugins.pipelines.result import PipelineResult
from synapse_sdk.plugins.pipelines.step import ActionStep
from synapse_sdk.plugins.pipelines.wiring import wire
from synapse_sdk.plugins.runner import execute_durably, new_job_id
from synapse_sdk.plugins.steps import StepRegistry

__all__ = ["PipelineAction"]


class PipelineAction(BaseAction[dict[str, Any]]):
    """Runs several actions as one. `ActionPipeline` and pipeline documents make subclasses of it.

    Parameters are those of the actions, by their names: `{"upload": {"path": "photos"}}`. They replace those that the
    author of the pipeline gives.
    """

    action_name = "pipeline"
    category = "pipeline"
    result_model = PipelineResult
    parts: ClassVar[tuple[PipelinePart, ...]] = ()
    """The actions, in order."""
    progress_callback: Callable[[int, int, str], object] | None = None
    """Called with number, count and name when an action begins."""

    def setup_steps(self, registry: StepRegistry[PipelineContext]) -> None:
        """Register a step for each action."""
        for part in self.parts:
            registry.register(ActionStep(part))

    def create_context(self) -> PipelineContext:
        """Give the parameters to the actions."""
        run = str(self.ctx.job_id or new_job_id())
        return PipelineContext(self.ctx, wiring=wire(self.parts, self.params), run=run, on_begin=self._note_begin)

    def build_result(self, context: PipelineContext, summary: dict[str, Any]) -> dict[str, Any]:
        """Return the results of all actions."""
        return {"success": summary["success"], "run": context.run, "results": context.results}

    def execute(self) -> Any:  # noqa: ANN401  # an instance of the result model
        """Run the actions and return their results; raises as `BaseAction.execute`.

        Without a journal, the run is recorded in memory: actions are undone by what is recorded of them.
        """
        if self.ctx.journal is not None:
            self.refuse_changes()
            return super().execute()
        from synapse_sdk.journal import MemoryJournal  # noqa: PLC0415  # runs with a journal do without

        run = str(self.ctx.job_id or new_job_id())
        self.ctx.job_id = run
        with MemoryJournal() as journal:
            create_run(journal, run, type(self), {})
            with journalled(journal, run) as durable:
                return execute_durably(self, durable)

    def _note_begin(self, name: str) -> None:
        if self.progress_callback is not None:
            names = [part.name for part in self.parts]
            self.progress_callback(names.index(name) + 1, len(names), name)

    def refuse_changes(self) -> None:
        """See that the action in which an earlier process has died can go on; otherwise all would be undone.

        Raises:
            PlanChangedError: It has other steps than at first, and that is not accepted; nothing was changed.
        """
        journal: Any = self.ctx.journal
        past = journal.past
        for part in () if past is None else self.parts:
            step, begun = past.steps.get(part.name), part.name in past.parts
            if step is not None and begun and step.undo_log and not step.is_finished:
                PartRun(part, self.create_context()).refuse_changes(journal.undo_log_of(part.name)[0]["params"])

    def forget(self) -> None:
        """Let each action drop what only undoing it would need: now the whole has come to its end."""
        forgetful = [part for part in self.parts if part.action.forget is not BaseAction.forget]
        if not forgetful:
            return
        context = self.create_context()
        journal: Any = self.ctx.journal
        try:
            for part in forgetful:
                PartRun(part, context).forget(journal.undo_log_of(part.name)[0]["params"])
        except Exception as error:  # noqa: BLE001  # the run has succeeded; what is left takes space, and no harm is done
            context.log("undo_data_left", {"run": context.run, "error": str(error)})

    @classmethod
    def validate_params(cls, params: Mapping[str, Any]) -> dict[str, Any]:
        """Return the parameters, checked as far as they are known before anything has run.

        Raises:
            InvalidParamsError: They do not fit, an action lacks one, or it is not clear which result it gets.
        """
        problems = wire(cls.parts, params).problems
        if problems:
            msg = (
                f"{len(problems)} problem{'s'[: len(problems) > 1]} with the parameters of pipeline {cls.action_name!r}"
            )
            raise InvalidParamsError(msg, problems=problems)
        return {name: dict(each) for name, each in params.items()}

    @classmethod
    def sources(cls, params: Mapping[str, Any]) -> list[tuple[str, str]]:
        """Return each parameter that is a result of an earlier action, with that result, as `action.name`."""
        wiring = wire(cls.parts, params)
        return [(f"{name}.{param}", result) for name, param, result in wiring.sources()]

    @classmethod
    def secret_params(cls) -> tuple[str, ...]:
        """Return the names of the actions that have secret parameters: all that is given for them is left out."""
        return tuple(part.name for part in cls.parts if part.action.secret_params())

    @classmethod
    def validate_result(cls, result: Any) -> Any:  # noqa: ANN401  # an instance of the result model
        """Return the result, with that of each action as its own model wants it."""
        valid = super().validate_result(result)
        actions = {part.name: part.action for part in cls.parts}
        results = {name: actions[name].validate_result(each) for name, each in valid.results.items()}
        losses = any(getattr(each, "losses", 0) for each in results.values())
        return valid.model_copy(update={"results": results, "success": not losses})
