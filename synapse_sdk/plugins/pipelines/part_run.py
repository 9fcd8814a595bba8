"""The run of one action of a pipeline: begun, gone on with, undone."""

from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any

from pydantic_core import to_jsonable_python

from synapse_sdk.errors import LeaseLostError, WorkflowError
from synapse_sdk.plugins.context import RuntimeContext
from synapse_sdk.plugins.encoding import ValueCodec
from synapse_sdk.plugins.environment import PluginEnvironment
from synapse_sdk.plugins.journalling import conclude, encode_params
from synapse_sdk.plugins.pipelines.context import PipelineContext
from synapse_sdk.plugins.pipelines.part import PipelinePart
from synapse_sdk.plugins.pipelines.references import filled_in
from synapse_sdk.plugins.runner import execute_durably, undo_durably
from synapse_sdk.reporting.events import Event, RunProgressed, RunStatus
from synapse_sdk.reporting.parts import PartEvents

if TYPE_CHECKING:
    from synapse_sdk.plugins.action import BaseAction
    from synapse_sdk.plugins.durable import DurableRun
    from synapse_sdk.reporting import Reporter

__all__ = ["PartRun"]

UNDONE = frozenset({RunStatus.FAILED, RunStatus.CANCELLED, RunStatus.ROLLED_BACK})
"""How a part may have ended of which nothing is left."""


class PartRun:
    """One action of a pipeline, as a run among what is recorded of the pipeline's.

    Args:
        part: The action.
        context: The pipeline's.
    """

    def __init__(self, part: PipelinePart, context: PipelineContext) -> None:
        self.run = f"{context.run}-{part.name}"
        """What the run is called, in reports and in the backend."""
        self._part = part
        self._context = context
        outer: Any = context.runtime_ctx.journal
        self._durable: DurableRun = outer.part(part.name)

    def execute(self, recorded: str | None) -> Any:  # noqa: ANN401  # JSON data
        """Run the action, or go on with it, and return its result as JSON data.

        Args:
            recorded: The parameters with which an earlier process has begun it.

        Raises:
            WorkflowError: It had failed before its process died; what it had done is undone.
            BaseException: Whatever the action raises.
        """
        past = self._durable.past
        instance = self._make(self._params(recorded))
        if past is not None and past.is_going_back:
            self._undo(instance, past.reason or "")
            msg = f"Action {self._part.name!r} had failed before"
            raise WorkflowError(msg, why=past.reason)
        scope = self._context.scope
        instance.ctx.reporter = _PartReporter(self._part.name, self._shown, scope.advance)
        try:
            result = execute_durably(instance, self._durable)
            conclude(self._durable, RunStatus.SUCCEEDED)
        except LeaseLostError:
            raise
        except BaseException as error:
            conclude(self._durable, RunStatus.FAILED, error)
            raise
        return to_jsonable_python(result, fallback=str, inf_nan_mode="null")

    def refuse_changes(self, recorded: str) -> None:
        """See that the action can go on where it was; nothing is run.

        Raises:
            PlanChangedError: It has other steps than at first, and that is not accepted.
        """
        instance, past = self._make(self._params(recorded)), self._durable.past
        if past is None or not past.steps or past.is_going_back:
            return
        self._durable.history_of(past).order(instance.build_registry())
        go_deeper = getattr(instance, "refuse_changes", None)
        if go_deeper is not None:  # a pipeline in a pipeline
            instance.ctx.journal = self._durable
            go_deeper()

    def undo(self, recorded: str, reason: str) -> None:
        """Undo what the action has done, whatever it had come to; safe to repeat.

        Raises:
            WorkflowError: Something of it could not be undone.
        """
        past = self._durable.past
        if past is None or past.status in UNDONE:
            return
        self._undo(self._make(self._params(recorded)), reason)

    def forget(self, recorded: str) -> None:
        """Drop what only undoing the action would need."""
        instance = self._make(self._params(recorded))
        instance.ctx.journal = self._durable
        instance.forget()

    def encoded(self, params: Mapping[str, Any]) -> str:
        """Return parameters as they are written down: without secret ones."""
        hidden = self._part.action.secret_params()
        return encode_params({name: value for name, value in params.items() if name not in hidden}, self._part.action)

    def given(self) -> dict[str, Any]:
        """Return the parameters, with results of earlier actions in them."""
        wiring, results = self._context.wiring, self._context.results
        params: dict[str, Any] = filled_in(wiring.params[self._part.name], results)
        fed = {name: results[source][field] for name, (source, field) in wiring.fed[self._part.name].items()}
        return {**fed, **params}

    def _params(self, recorded: str | None) -> dict[str, Any]:
        if recorded is None:
            return self.given()
        known = ValueCodec().decode(recorded)
        hidden = self._part.action.secret_params()
        own = self._context.wiring.params[self._part.name]
        return {**known, **{name: own[name] for name in hidden if name in own}}

    def _make(self, params: Mapping[str, Any]) -> "BaseAction[Any]":
        outer, part = self._context.runtime_ctx, self._part
        env = PluginEnvironment(part.env).merge(outer.env) if part.env else outer.env
        ctx = RuntimeContext(
            env=env, job_id=self.run, client=outer.client, checkpoint=outer.checkpoint, reporter=self._shown
        )
        instance = part.action(part.action.validate_params(params), ctx)
        instance.is_part = True
        return instance

    def _undo(self, instance: "BaseAction[Any]", reason: str) -> None:
        past = self._durable.past
        if past is not None and past.status in UNDONE:
            return
        instance.ctx.reporter = _PartReporter(self._part.name, self._shown, None)
        problems = undo_durably(instance, self._durable, reason)
        if problems:
            left = "; ".join(f"step {each.step!r}: {each.text}" for each in problems)
            msg = f"Action {self._part.name!r} is not undone as a whole: {left}"
            raise WorkflowError(msg)

    @property
    def _shown(self) -> "Reporter | None":
        """Who shows the pipeline: what the part says of itself is recorded as the part's."""
        from synapse_sdk.plugins.durable_reporter import DurableReporter  # noqa: PLC0415  # loaded with the journal

        reporter = self._context.runtime_ctx.reporter
        while isinstance(reporter, DurableReporter):
            reporter = reporter.inner
        return reporter


class _PartReporter:
    """Tells those who watch a pipeline of one of its actions, and moves its bar by what the action has done."""

    def __init__(self, step: str, shown: "Reporter | None", advance: Callable[[float], None] | None) -> None:
        self._events = PartEvents(step)
        self._shown = shown
        self._advance = advance

    def observe(self, event: Event) -> None:
        """Pass on what can be placed; of progress, only that the whole has come further."""
        if isinstance(event, RunProgressed) and self._advance is not None and self._events.is_about_part:
            self._advance(event.percent / 100)
        for told in self._events.told(event):
            if self._shown is not None:
                self._shown.observe(told)

    def set_progress(self, current: float, total: float, category: str | None) -> None:
        """Pass on."""
        if self._shown is not None:
            self._shown.set_progress(current, total, category)

    def close(self) -> None:
        """Do nothing: who shows belongs to whoever opened it."""
