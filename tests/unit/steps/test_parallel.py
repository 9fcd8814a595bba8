import signal
import threading
from typing import Any

import pytest

from synapse_sdk.errors import DuplicateStepError, StepFailedError, WorkflowError
from synapse_sdk.plugins.steps import BaseStep, BaseStepContext, StepResult
from synapse_sdk.plugins.steps.utils import LoggingStep, ParallelSteps, RetryStep
from synapse_sdk.reporting.events import StepFinished, UndoRecorded
from synapse_sdk.retry import RetryPolicy
from tests.unit.steps.scripted import (
    HeldClock,
    PlainStep,
    ScriptedStep,
    execute,
    failing,
    new_context,
    observed_context,
    raising,
)

PATIENCE = 30.0
"""Seconds after which a thread that should have come counts as lost."""


def _meeting(parties: int) -> Any:  # noqa: ANN401  # an act of a scripted step
    """Return what comes back only when so many steps are there at the same time."""
    barrier = threading.Barrier(parties, timeout=PATIENCE)

    def act(_: BaseStepContext) -> StepResult:
        barrier.wait()
        return StepResult()

    return act


def test_steps_run_at_the_same_time() -> None:
    """Each waits for the other."""
    meet = _meeting(2)

    summary = execute(ParallelSteps([ScriptedStep("a", does=meet), ScriptedStep("b", does=meet)]))

    assert summary == {"success": True, "steps_executed": 1, "steps_total": 1}


def test_max_workers_bounds_them() -> None:
    """One worker runs them in order."""
    diary: list[str] = []

    execute(ParallelSteps([ScriptedStep(name, diary) for name in "abc"], max_workers=1))

    assert diary == ["run a", "run b", "run c"]


def test_the_data_of_each_step_is_kept_under_its_name() -> None:
    """One result for the whole."""
    context = new_context()
    steps = [ScriptedStep(name, does=lambda context: StepResult(data={"n": len(context.errors)})) for name in "ab"]

    execute(ParallelSteps(steps, name="both"), context=context)

    assert [result.data for result in context.step_results] == [{"a": {"n": 0}, "b": {"n": 0}}]


def test_no_steps_at_all_are_a_success() -> None:
    """A list that turned out empty is no error."""
    step = ParallelSteps[BaseStepContext]([])

    assert execute(step)["success"]
    assert (step.name, step.progress_weight) == ("parallel", 0)


@pytest.mark.parametrize(
    ("weights", "own", "weight"), [([0.1, 0.2], None, 0.3), ([0.7, 0.7], None, 1.0), ([0.1], 0.9, 0.9)]
)
def test_the_weight_is_the_sum_at_most_one(weights: list[float], own: float | None, weight: float) -> None:
    """Unless it is given."""
    steps = [ScriptedStep(str(number), weight=each) for number, each in enumerate(weights)]

    assert ParallelSteps(steps, progress_weight=own).progress_weight == pytest.approx(weight)


def test_two_steps_of_one_name_are_refused() -> None:
    """Their records could not be told apart."""
    with pytest.raises(DuplicateStepError, match="'both' has two steps called 'a'"):
        ParallelSteps([PlainStep("a"), PlainStep("b"), PlainStep("a")], name="both")


def test_a_step_that_wants_to_be_skipped_is() -> None:
    """And is not undone, as it was not begun."""
    step = ScriptedStep("a", skips=lambda _: True)

    with pytest.raises(StepFailedError):
        execute(ParallelSteps([step, PlainStep("b")]), ScriptedStep("c", does=failing()))

    assert step.diary == []


def test_each_step_reports_progress_and_metrics_of_its_own() -> None:
    """Without a category it is the step's name, not that of the whole."""
    context, reporter = observed_context()

    def report(context: BaseStepContext) -> StepResult:
        context.set_progress(1, 2)
        context.set_metrics({"n": 1})
        return StepResult()

    execute(ParallelSteps([ScriptedStep("a", does=report), ScriptedStep("b", does=report)]), context=context)

    assert reporter.progress == {"a": (1, 2), "b": (1, 2)}
    assert reporter.metrics == {"a": {"n": 1}, "b": {"n": 1}}


def test_progress_of_each_moves_the_bar_by_its_share() -> None:
    """A quarter and three quarters of the whole's half."""
    context, percents = new_context(), list[int]()

    def half(context: BaseStepContext) -> StepResult:
        context.set_progress(1, 2)
        return StepResult()

    whole = ParallelSteps(
        [ScriptedStep("a", weight=0.1, does=half), ScriptedStep("b", weight=0.3, does=half)],
        max_workers=1,
        progress_weight=0.5,
    )
    execute(whole, PlainStep(), context=context, progress_callback=lambda percent, _: percents.append(percent))

    assert percents == [6, 12, 31, 50, 100]


def test_steps_without_weight_share_evenly() -> None:
    """All zero means equal here, too."""
    percents: list[int] = []
    steps = [ScriptedStep(name, weight=0.0) for name in "ab"]

    execute(ParallelSteps(steps, max_workers=1), PlainStep(), progress_callback=lambda done, _: percents.append(done))

    assert percents[-1] == 100
    execute(
        ParallelSteps(steps, max_workers=1, progress_weight=0.5),
        PlainStep(),
        progress_callback=lambda done, _: percents.append(done),
    )
    assert percents[-3:] == [25, 50, 100]


# Failure


def test_a_failure_fails_the_whole_and_begins_nothing_more() -> None:
    """Those that have not begun are left out, and undone are those that had."""
    diary: list[str] = []
    steps = [ScriptedStep("a", diary), ScriptedStep("b", diary, does=failing()), ScriptedStep("c", diary)]

    with pytest.raises(StepFailedError, match=r"Step 'parallel' failed: 1 of 3 steps failed: 'b': boom"):
        execute(ParallelSteps(steps, max_workers=1))

    assert diary == ["run a", "run b", "undo b", "undo a"]


def test_those_that_run_are_waited_for() -> None:
    """What the slow one did is undone, too."""
    begun, failed = threading.Event(), threading.Event()

    def slow(_: BaseStepContext) -> StepResult:
        begun.set()
        assert failed.wait(PATIENCE)
        return StepResult(rollback_data={"id": 1})

    def fails(_: BaseStepContext) -> StepResult:
        assert begun.wait(PATIENCE)
        failed.set()
        return StepResult(success=False, error="boom")

    step = ScriptedStep("slow", does=slow)
    with pytest.raises(StepFailedError):
        execute(ParallelSteps([step, ScriptedStep("fails", does=fails)]))

    assert [result.rollback_data for result in step.undone] == [{"id": 1}]


def test_what_one_step_raised_is_the_cause() -> None:
    """The traceback leads to it."""
    error = ValueError("boom")

    with pytest.raises(StepFailedError, match="1 of 2 steps failed: 'a': boom") as caught:
        execute(ParallelSteps([ScriptedStep("a", does=raising(error)), PlainStep("b")]))

    assert isinstance(caught.value.__cause__, WorkflowError)
    assert caught.value.__cause__.__cause__ is error


def test_what_several_steps_raised_is_a_group() -> None:
    """None is lost."""
    meet = _meeting(2)

    def act(context: BaseStepContext) -> StepResult:
        meet(context)
        raise ValueError

    with pytest.raises(StepFailedError, match="2 of 2 steps failed: 'a': ValueError; 'b': ValueError") as caught:
        execute(ParallelSteps([ScriptedStep("a", does=act), ScriptedStep("b", does=act)]))

    assert caught.value.__cause__ is not None
    group = caught.value.__cause__.__cause__
    assert isinstance(group, ExceptionGroup)
    assert [type(error) for error in group.exceptions] == [ValueError, ValueError]


def test_a_failure_without_a_reason_and_one_that_raises_are_both_told() -> None:
    """In the order of the steps that raised, then of those that returned."""
    meet = _meeting(2)

    def returns(context: BaseStepContext) -> StepResult:
        meet(context)
        return StepResult(success=False)

    def raises(context: BaseStepContext) -> StepResult:
        meet(context)
        msg = "boom"
        raise ValueError(msg)

    with pytest.raises(StepFailedError, match="2 of 2 steps failed: 'b': boom; 'a': it gave no reason"):
        execute(ParallelSteps([ScriptedStep("a", does=returns), ScriptedStep("b", does=raises)]))


def test_a_can_skip_that_raises_fails_the_whole() -> None:
    """And that step was never begun."""
    step = ScriptedStep("a", skips=raising(ValueError("cannot tell")))

    with pytest.raises(StepFailedError, match="'a': cannot tell"):
        execute(ParallelSteps([step]))

    assert step.diary == []


@pytest.mark.parametrize("interruption", [KeyboardInterrupt(), SystemExit(3)])
def test_an_interruption_in_a_step_goes_on_as_itself(interruption: BaseException) -> None:
    """After everything is undone."""
    diary: list[str] = []
    steps = [ScriptedStep("a", diary), ScriptedStep("b", diary, does=raising(interruption))]

    with pytest.raises(type(interruption)):
        execute(ParallelSteps(steps, max_workers=1))

    assert diary == ["run a", "run b", "undo b", "undo a"]


def test_a_press_waits_for_those_that_run_and_then_undoes_them() -> None:
    """What runs cannot be stopped, and must not go on while it is being undone."""
    diary: list[str] = []

    def press(_: BaseStepContext) -> StepResult:
        main = threading.main_thread().ident
        assert main is not None
        signal.pthread_kill(main, signal.SIGINT)
        diary.append("done a")
        return StepResult()

    steps = [ScriptedStep("a", diary, does=press), ScriptedStep("b", diary)]
    with pytest.raises(KeyboardInterrupt):
        execute(ParallelSteps(steps, max_workers=1))

    assert diary.index("done a") < diary.index("undo a")
    assert diary[-1] == "undo a"
    assert diary.count("run b") == diary.count("undo b")


# Rollback


def test_each_step_is_rolled_back_with_what_it_left() -> None:
    """Rollback data and undo records are kept apart."""

    def act(context: BaseStepContext) -> StepResult:
        context.record_undo(n=1)
        assert context.undo_log == [{"n": 1}]
        context.record_undo(n=2)
        return StepResult(rollback_data={"id": 7})

    step, other = ScriptedStep("a", does=act), ScriptedStep("b")

    with pytest.raises(StepFailedError):
        execute(ParallelSteps([step, other]), ScriptedStep("c", does=failing()))

    assert [result.rollback_data for result in step.undone] == [{"undo_log": [{"n": 1}, {"n": 2}], "id": 7}]
    assert [result.rollback_data for result in other.undone] == [{}]


@pytest.mark.parametrize("error", [OSError("busy"), SystemExit(3)])
def test_a_rollback_that_raises_does_not_stop_the_others(error: BaseException) -> None:
    """Whatever it raises, and it is told."""
    diary: list[str] = []
    steps = [ScriptedStep("a", diary), ScriptedStep("b", diary, undoes=raising(error)), ScriptedStep("c", diary)]

    with pytest.raises(StepFailedError) as caught:
        execute(ParallelSteps(steps, max_workers=1), ScriptedStep("d", does=failing()))

    assert diary[3:] == ["undo c", "undo b", "undo a"]
    (problem,) = caught.value.rollback_errors
    assert problem.error is error
    assert "raised by the rollback of step 'b'" in problem.traceback


def test_records_are_told_to_observers_with_the_name_of_the_step() -> None:
    """That is how they find their way back after the process died."""
    context, reporter = observed_context()

    def act(context: BaseStepContext) -> StepResult:
        context.record_undo(n=1)
        return StepResult()

    execute(ParallelSteps([ScriptedStep("a", does=act)]), context=context)

    told = [(event.step, event.entry) for event in reporter.events if isinstance(event, UndoRecorded)]
    assert told == [("parallel", {"step": "a"}), ("parallel", {"step": "a", "undo": {"n": 1}})]
    assert [event.step for event in reporter.events if isinstance(event, StepFinished)] == ["parallel"]


# In company


def test_saved_progress_is_kept_apart_and_found_again() -> None:
    """A second attempt of the whole goes on where each step was."""
    found: dict[str, list[dict[str, Any]]] = {"a": [], "b": []}

    def act(name: str) -> Any:  # noqa: ANN401  # an act of a scripted step
        def save(context: BaseStepContext) -> StepResult:
            found[name].append(dict(context.saved_progress))
            context.save_progress(done=name)
            return StepResult(success=len(found[name]) >= 2, error="again")

        return save

    whole = ParallelSteps([ScriptedStep(name, does=act(name)) for name in "ab"], max_workers=1)
    execute(RetryStep(whole, RetryPolicy(max_attempts=3, delay=0.0), clock=HeldClock()))

    assert found == {"a": [{}, {"done": "a"}, {"done": "a"}], "b": [{}, {"done": "b"}]}


def test_async_steps_share_one_loop() -> None:
    """A client that one of them opens is usable by the next."""
    loops: list[object] = []

    class Async(BaseStep[BaseStepContext]):
        progress_weight = 0.5
        name = "a"

        def __init__(self, name: str) -> None:
            self.name = name

        async def execute(self, context: BaseStepContext) -> StepResult:
            import asyncio  # noqa: PLC0415  # this test alone needs it

            loops.append(asyncio.get_running_loop())
            return StepResult()

    execute(ParallelSteps([Async("a"), LoggingStep(Async("b"))]))

    assert len(loops) == 2
    assert loops[0] is loops[1]


def test_parallel_steps_may_stand_in_parallel_steps() -> None:
    """And everything is undone through both."""
    diary: list[str] = []
    inner = ParallelSteps([ScriptedStep("a", diary), ScriptedStep("b", diary)], "inner", max_workers=1)

    with pytest.raises(StepFailedError):
        execute(
            ParallelSteps([inner, ScriptedStep("c", diary)], "outer", max_workers=1), ScriptedStep("d", does=failing())
        )

    assert diary == ["run a", "run b", "run c", "undo c", "undo b", "undo a"]
