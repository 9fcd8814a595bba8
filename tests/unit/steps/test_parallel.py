import signal
import threading
from concurrent.futures import ThreadPoolExecutor
from contextvars import copy_context
from typing import Any

import pytest

from synapse_sdk.errors import (
    DuplicateStepError,
    InvalidStepError,
    InvalidWeightError,
    StepFailedError,
    SynapseError,
    WorkflowError,
)
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


def test_what_a_registry_refuses_is_refused_here() -> None:
    """By the same errors, when the whole is put together."""
    slip: Any = PlainStep

    with pytest.raises(InvalidStepError, match=r"Give an instance: PlainStep\(\)"):
        ParallelSteps([slip])
    with pytest.raises(InvalidWeightError, match="Step 'a' has progress weight 5"):
        ParallelSteps([ScriptedStep("a", weight=5)])


def test_an_async_can_skip_is_asked() -> None:
    """A coroutine is true, but its answer may be no."""

    async def answer(*, skips: bool) -> bool:
        return skips

    stays = ScriptedStep("a", skips=lambda _: answer(skips=False))
    goes = ScriptedStep("b", skips=lambda _: answer(skips=True))
    execute(ParallelSteps([stays, goes]))

    assert (stays.diary, goes.diary) == (["run a"], [])


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


def test_a_progress_callback_may_report_progress_itself() -> None:
    """It is called while the bar moves, and must not wait for itself."""
    context, percents = new_context(), list[int]()

    def on_progress(percent: int, _: int) -> None:
        percents.append(percent)
        context.set_progress(1, 2)

    def quarter(context: BaseStepContext) -> StepResult:
        context.set_progress(1, 4)
        return StepResult()

    execute(ParallelSteps([ScriptedStep("a", does=quarter)]), context=context, progress_callback=on_progress)

    assert percents == [25, 50, 99, 100]


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


@pytest.mark.parametrize(
    ("errors", "transient"),
    [([OSError()], True), ([OSError(), ValueError()], True), ([OSError(), SynapseError("never")], False)],
)
def test_a_failure_is_worth_another_try_if_all_that_was_raised_is(errors: list[Exception], transient: bool) -> None:  # noqa: FBT001  # a parameter
    """A retry around the whole asks the error of the whole."""
    meet = _meeting(len(errors))

    def act(error: Exception) -> Any:  # noqa: ANN401  # an act of a scripted step
        return lambda context: (meet(context), raising(error)(context))

    whole = ParallelSteps([ScriptedStep(str(number), does=act(error)) for number, error in enumerate(errors)])
    with pytest.raises(StepFailedError) as caught:
        execute(whole)

    assert isinstance(caught.value.__cause__, WorkflowError)
    assert caught.value.__cause__.transient is transient


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


def test_every_attempt_of_the_whole_is_undone_with_what_it_left() -> None:
    """A second attempt does not make what the first left be forgotten."""
    numbers = iter(range(1, 10))

    def leave(context: BaseStepContext) -> StepResult:
        number = next(numbers)
        context.record_undo(n=number)
        return StepResult(rollback_data={"id": number})

    step = ScriptedStep("a", does=leave)
    whole = ParallelSteps([step, ScriptedStep("b", does=failing())], max_workers=1)
    with pytest.raises(StepFailedError):
        execute(RetryStep(whole, RetryPolicy(max_attempts=2, delay=0.0), clock=HeldClock()))

    assert [result.rollback_data for result in step.undone] == [
        {"undo_log": [{"n": 2}], "id": 2},
        {"undo_log": [{"n": 1}], "id": 1},
    ]


def test_what_a_wrapper_around_the_whole_records_is_left_to_it() -> None:
    """And does not keep the steps from being undone."""

    class Noting(LoggingStep[BaseStepContext]):
        prefix = "noting_"

        def execute(self, context: BaseStepContext) -> StepResult:
            context.record_undo(note="mine")
            return super().execute(context)

    step = ScriptedStep("a")
    with pytest.raises(StepFailedError):
        execute(Noting(ParallelSteps([step])), ScriptedStep("b", does=failing()))

    assert step.diary == ["run a", "undo a"]


@pytest.mark.parametrize("what", ["record_undo", "save_progress"])
def test_a_thread_of_which_nobody_knows_whose_it_is_may_record_nothing(what: str) -> None:
    """It is refused before the effect, with the way out: an entry that belongs to no step would never be undone."""
    effects: list[int] = []

    def work(context: BaseStepContext) -> StepResult:
        def effect(number: int) -> None:
            getattr(context, what)(n=number)
            effects.append(number)

        with ThreadPoolExecutor(2) as pool:
            list(pool.map(effect, range(2)))
        return StepResult()

    step = ScriptedStep("a", does=work)
    with pytest.raises(StepFailedError, match=r"pool\.submit\(contextvars\.copy_context\(\)\.run, function\)"):
        execute(ParallelSteps([step]))

    assert effects == []
    assert step.diary == ["run a", "undo a"]


def test_threads_started_with_the_steps_context_variables_record_for_their_step() -> None:
    """As the message advises; outside parallel steps any thread may record."""

    def work(context: BaseStepContext) -> StepResult:
        with ThreadPoolExecutor(2) as pool:
            for number in range(2):
                pool.submit(copy_context().run, lambda number=number: context.record_undo(n=number)).result()
        return StepResult()

    def plain(context: BaseStepContext) -> StepResult:
        with ThreadPoolExecutor(1) as pool:
            pool.submit(lambda: context.record_undo(n=3)).result()
        return StepResult(success=False)

    branch, other, after = ScriptedStep("a", does=work), ScriptedStep("b"), ScriptedStep("c", does=plain)
    with pytest.raises(StepFailedError):
        execute(ParallelSteps([branch, other]), after)

    assert [result.rollback_data for result in branch.undone] == [{"undo_log": [{"n": 0}, {"n": 1}]}]
    assert [result.rollback_data for result in other.undone] == [{}]
    assert [result.rollback_data for result in after.undone] == [{"undo_log": [{"n": 3}]}]


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


def test_a_workflow_within_a_step_keeps_its_branches_apart_from_those_around() -> None:
    """What its steps record in the outer context belongs to the outer step that runs it."""
    outer = new_context()

    def record_outside(_: BaseStepContext) -> StepResult:
        outer.record_undo(n=1)
        return StepResult()

    def run_inner(_: BaseStepContext) -> StepResult:
        execute(ParallelSteps([ScriptedStep("inner", does=record_outside)]))
        return StepResult()

    step = ScriptedStep("a", does=run_inner)
    with pytest.raises(StepFailedError):
        execute(ParallelSteps([step]), ScriptedStep("b", does=failing()), context=outer)

    assert [result.rollback_data for result in step.undone] == [{"undo_log": [{"n": 1}]}]


def test_a_transient_failure_of_a_branch_lets_the_whole_be_retried() -> None:
    """Wrappers compose in any order."""
    acts = iter([raising(ConnectionError("lost")), lambda _: StepResult()])

    def act(context: BaseStepContext) -> Any:  # noqa: ANN401  # what the next act returns
        return next(acts)(context)

    step = ScriptedStep("a", does=act)
    execute(RetryStep(ParallelSteps([step]), RetryPolicy(max_attempts=2, delay=0.0), clock=HeldClock()))

    assert step.diary == ["run a", "run a"]
