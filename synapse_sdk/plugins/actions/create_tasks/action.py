"""The action that makes tasks."""

from typing import TYPE_CHECKING, Any

from synapse_sdk.backend import chosen_backend
from synapse_sdk.plugins.action import BaseAction
from synapse_sdk.plugins.actions.create_tasks.context import CreateTasksContext
from synapse_sdk.plugins.actions.create_tasks.params import CreateTasksParams
from synapse_sdk.plugins.actions.create_tasks.result import CreateTasksResult
from synapse_sdk.plugins.actions.create_tasks.steps import CreateTasksStep
from synapse_sdk.plugins.runner import new_job_id
from synapse_sdk.plugins.steps import StepRegistry

if TYPE_CHECKING:
    from collections.abc import Sequence

    from synapse_sdk.plugins.steps import RollbackError

__all__ = ["CreateTasksAction"]


class CreateTasksAction[P: CreateTasksParams](BaseAction[P]):
    """Make a task of each data unit of a project's collection that has none in the project yet.

    A run that fails removes the tasks that it has made, unless somebody has worked on them.

    Example:
        >>> CreateTasksAction.action_name, CreateTasksAction.params_model.__name__
        ('create_tasks', 'CreateTasksParams')
    """

    action_name = "create_tasks"
    category = "custom"
    params_model = CreateTasksParams
    result_model = CreateTasksResult
    _context: CreateTasksContext | None = None

    def setup_steps(self, registry: StepRegistry[CreateTasksContext]) -> None:
        """Register the step."""
        registry.register(CreateTasksStep())

    def create_context(self) -> CreateTasksContext:
        """Give the parameters to the step."""
        run = str(self.ctx.job_id or new_job_id())
        self._context = CreateTasksContext(self.ctx, params=self.params, run=run, backend_url=chosen_backend())
        return self._context

    def build_result(self, context: CreateTasksContext, summary: dict[str, Any]) -> CreateTasksResult:
        """Say how many there are now."""
        return CreateTasksResult(
            run=context.run,
            project=context.project.name,
            created=context.created_count,
            existing=context.existing_count,
        )

    def run_steps(self) -> Any:  # noqa: ANN401  # an instance of the result model, which a subclass may replace
        """Run the step and return the result; raises as `BaseAction.run_steps`."""
        try:
            return super().run_steps()
        finally:
            self._close()

    def rollback(self, reason: str, *, is_cancelled: bool = False) -> "Sequence[RollbackError]":
        """Undo what the run has done so far, as its journal tells."""
        try:
            return super().rollback(reason, is_cancelled=is_cancelled)
        finally:
            self._close()

    def _close(self) -> None:
        if self._context is not None:
            self._context.close()
