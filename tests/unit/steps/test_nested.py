"""A workflow within a step of another."""

from typing import Any

import pytest

from synapse_sdk.errors import StepFailedError, WorkflowError
from synapse_sdk.plugins.steps import BaseStep, BaseStepContext, StepResult
from synapse_sdk.plugins.steps.utils import ParallelSteps
from synapse_sdk.reporting.events import RunFinished, RunStarted, StepFinished, StepStarted
from tests.unit.steps.scripted import PlainStep, ScriptedStep, execute, failing, new_context, observed_context, raising


def _record_two(context: BaseStepContext) -> StepResult:
    context.record_undo(n=2)
    return StepResult()


def test_an_inner_workflow_may_share_the_context() -> None:
    """Afterwards the outer step is current again, with its own records and its own progress."""
    context, outer_percents, inner_percents = new_context(), list[int](), list[int]()

    def run_inner(context: BaseStepContext) -> StepResult:
        context.record_undo(n=1)
        summary = execute(
            ScriptedStep("x", does=_record_two),
            PlainStep("y"),
            context=context,
            progress_callback=lambda percent, _: inner_percents.append(percent),
        )
        context.record_undo(n=3)
        context.set_progress(1, 2)
        return StepResult(data={**summary, "current": context.current_step})

    outer = ScriptedStep("outer", does=run_inner)
    with pytest.raises(StepFailedError):
        execute(
            outer,
            ScriptedStep("last", does=failing()),
            context=context,
            progress_callback=lambda percent, _: outer_percents.append(percent),
        )

    (result,) = outer.undone
    assert result.data == {"success": True, "steps_executed": 2, "steps_total": 2, "current": "outer"}
    assert result.rollback_data == {"undo_log": [{"n": 1}, {"n": 3}]}
    assert (outer_percents, inner_percents) == ([25, 50], [50, 100])
    assert context.current_step is None
    assert len(context.step_results) == 4


@pytest.mark.parametrize("shared", [True, False])
def test_a_failure_within_fails_the_outer_step_and_undoes_both(shared: bool) -> None:  # noqa: FBT001  # a parameter
    """First what was done within, then what was done without."""
    diary, error = list[str](), ValueError("boom")

    def run_inner(context: BaseStepContext) -> StepResult:
        inner = context if shared else new_context()
        execute(ScriptedStep("x", diary), ScriptedStep("y", diary, does=raising(error)), context=inner)
        return StepResult()

    with pytest.raises(StepFailedError) as caught:
        execute(ScriptedStep("a", diary), ScriptedStep("b", diary, does=run_inner))

    assert str(caught.value) == "Step 'b' failed: Step 'y' failed: boom"
    assert caught.value.__cause__ is not None
    assert caught.value.__cause__.__cause__ is error
    assert diary == ["run a", "run b", "run x", "run y", "undo y", "undo x", "undo b", "undo a"]


def test_an_interruption_within_undoes_both_and_goes_on() -> None:
    """Ctrl-C knows no levels."""
    diary: list[str] = []

    def run_inner(context: BaseStepContext) -> StepResult:
        execute(ScriptedStep("x", diary, does=raising(KeyboardInterrupt())), context=context)
        return StepResult()

    with pytest.raises(KeyboardInterrupt):
        execute(ScriptedStep("a", diary, does=run_inner))

    assert diary == ["run a", "run x", "undo x", "undo a"]


def test_the_events_of_an_inner_run_stand_within_the_outer_step() -> None:
    """Like brackets."""
    context, reporter = observed_context()

    def run_inner(context: BaseStepContext) -> StepResult:
        execute(PlainStep("inner"), context=context)
        return StepResult()

    execute(ScriptedStep("outer", does=run_inner), context=context)

    wanted = (RunStarted, StepStarted, StepFinished, RunFinished)
    told = [(type(event), getattr(event, "step", "")) for event in reporter.events if isinstance(event, wanted)]
    assert told == [
        (RunStarted, ""),
        (StepStarted, "outer"),
        (RunStarted, ""),
        (StepStarted, "inner"),
        (StepFinished, "inner"),
        (RunFinished, ""),
        (StepFinished, "outer"),
        (RunFinished, ""),
    ]


class _AsyncOuter(BaseStep[BaseStepContext]):
    name, progress_weight = "async_outer", 1.0

    def __init__(self, inner: Any) -> None:  # noqa: ANN401  # what to run
        self._inner = inner

    async def execute(self, context: BaseStepContext) -> StepResult:
        return StepResult(data=self._inner(context))


@pytest.mark.parametrize(
    "kind", [_AsyncOuter, lambda run: ParallelSteps([ScriptedStep("p", does=lambda c: StepResult(data=run(c)))])]
)
def test_from_a_thread_of_the_engine_an_inner_workflow_needs_a_context_of_its_own(kind: Any) -> None:  # noqa: ANN401  # a step
    """Async and parallel steps run in threads of their own; sharing is refused with advice, a fresh context works."""
    with pytest.raises(StepFailedError, match="Give each run a context of its own") as caught:
        execute(kind(lambda context: execute(PlainStep(), context=context)))
    assert isinstance(caught.value.__cause__, WorkflowError)

    assert execute(kind(lambda _: execute(PlainStep())))["success"]


def test_a_plan_can_be_made_within_a_step() -> None:
    """It asks the inner steps with the context as it is, and disturbs nothing."""
    from synapse_sdk.plugins.steps import Orchestrator  # noqa: PLC0415  # this test alone needs it
    from tests.unit.steps.scripted import registry_of  # noqa: PLC0415  # as above

    def look(context: BaseStepContext) -> StepResult:
        inner = registry_of(ScriptedStep("x", skips=lambda context: context.current_step == "outer"))
        return StepResult(data={"skipped": Orchestrator(inner, context).plan().steps[0].skipped})

    context = new_context()
    execute(ScriptedStep("outer", does=look), context=context)

    assert context.step_results[0].data == {"skipped": True}
