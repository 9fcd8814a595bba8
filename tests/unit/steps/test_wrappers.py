from collections.abc import Callable
from typing import Any

import pytest

from synapse_sdk.errors import InvalidStepError, StepFailedError
from synapse_sdk.plugins.steps import BaseStep, BaseStepContext, StepResult, StepWrapper
from synapse_sdk.plugins.steps.compiled import overrides
from synapse_sdk.plugins.steps.utils import ConditionalStep, LoggingStep, RetryStep, TimingStep, ValidationStep
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

type Wrap = Callable[[BaseStep[Any]], BaseStep[Any]]

WRAPPERS: dict[str, Wrap] = {
    "logged_": LoggingStep,
    "timed_": TimingStep,
    "retried_": lambda step: RetryStep(step, clock=HeldClock()),
    "conditional_": lambda step: ConditionalStep(step, when=lambda _: True),
}
every_prefix = pytest.mark.parametrize(("prefix", "wrap"), WRAPPERS.items(), ids=WRAPPERS)
every_wrapper = pytest.mark.parametrize("wrap", WRAPPERS.values(), ids=WRAPPERS)


# What all have in common


@every_prefix
def test_a_wrapper_changes_nothing_but_the_name(prefix: str, wrap: Wrap) -> None:
    """Weight, result and order stay."""
    step, context = ScriptedStep("a", weight=0.3, does=lambda _: StepResult(data={"n": 1})), new_context()

    wrapped = wrap(step)
    execute(wrapped, context=context)

    assert (wrapped.name, wrapped.progress_weight) == (prefix + "a", 0.3)
    assert context.step_results[0].data.items() >= {"n": 1}.items()


@every_wrapper
def test_a_wrapped_step_can_still_be_skipped(wrap: Wrap) -> None:
    """It is asked, and then not run."""
    step, context = ScriptedStep("a", skips=lambda _: True), new_context()

    summary = execute(wrap(step), context=context)

    assert summary == {"success": True, "steps_executed": 0, "steps_total": 1}
    assert step.diary == []
    assert context.step_results[0].skipped


@every_wrapper
def test_a_wrapped_step_is_rolled_back_with_what_it_left(wrap: Wrap) -> None:
    """Rollback data and undo records go through."""

    def act(context: BaseStepContext) -> StepResult:
        context.record_undo(path="x")
        return StepResult(rollback_data={"id": 7})

    step = ScriptedStep("a", does=act)

    with pytest.raises(StepFailedError):
        execute(wrap(step), ScriptedStep("b", does=failing()))

    assert step.diary == ["run a", "undo a"]
    assert step.undone[0].rollback_data == {"id": 7, "undo_log": [{"path": "x"}]}


@every_wrapper
def test_a_wrapped_step_may_be_async(wrap: Wrap) -> None:
    """In all of its hooks."""
    diary: list[str] = []

    class Async(BaseStep[BaseStepContext]):
        name, progress_weight = "a", 0.5

        async def execute(self, context: BaseStepContext) -> StepResult:
            diary.append("run")
            return StepResult(data={"n": 1})

        async def rollback(self, context: BaseStepContext, result: StepResult) -> None:
            diary.append(f"undo {result.data['n']}")

    with pytest.raises(StepFailedError):
        execute(wrap(Async()), ScriptedStep("b", does=failing()))

    assert diary == ["run", "undo 1"]


@every_wrapper
def test_a_wrapper_takes_nothing_but_results(wrap: Wrap) -> None:
    """Returning something else fails the step, as it does without the wrapper."""
    with pytest.raises(StepFailedError, match=r"returned None instead of a StepResult"):
        execute(wrap(ScriptedStep("a", does=lambda _: None)))


@every_prefix
@pytest.mark.parametrize("hook", ["can_skip", "rollback"])
def test_it_is_known_whether_the_wrapped_step_overrides_a_hook(prefix: str, wrap: Wrap, hook: str) -> None:
    """A plain step has no hooks, wrapped or not; conditions skip, and retries undo, in a way of their own."""
    own = (prefix, hook) in {("conditional_", "can_skip"), ("retried_", "rollback")}

    assert overrides(wrap(LoggingStep(PlainStep())), hook) is own
    assert overrides(wrap(LoggingStep(ScriptedStep("a"))), hook) is True


@pytest.mark.parametrize("outer", WRAPPERS)
@pytest.mark.parametrize("inner", WRAPPERS)
def test_wrappers_compose_in_any_order(outer: str, inner: str) -> None:
    """Names show the order; the step is run and undone once."""
    step = ScriptedStep("a")

    wrapped = WRAPPERS[outer](WRAPPERS[inner](step))
    with pytest.raises(StepFailedError):
        execute(wrapped, ScriptedStep("b", does=failing()))

    assert wrapped.name == outer + inner + "a"
    assert step.diary == ["run a", "undo a"]


@every_prefix
def test_only_a_step_can_be_wrapped(prefix: str, wrap: Wrap) -> None:
    """A class without its brackets is told so at once, not when its name is wanted."""
    slip: Any = PlainStep

    with pytest.raises(InvalidStepError, match=r"Give an instance: PlainStep\(\)"):
        wrap(slip)

    assert wrap(PlainStep("a")).name == f"{prefix}a"


def test_a_wrapper_of_ones_own_needs_a_prefix_and_execute() -> None:
    """The rest is there."""

    class Twice(StepWrapper[BaseStepContext]):
        prefix = "twice_"

        def execute(self, context: BaseStepContext) -> StepResult:
            self.wrapped.execute(context)
            self.wrapped.execute(context)
            return StepResult()

    step = ScriptedStep("a", weight=0.25)
    wrapped = Twice(step)
    execute(wrapped)

    assert (wrapped.name, wrapped.progress_weight, step.diary) == ("twice_a", 0.25, ["run a", "run a"])


# LoggingStep


@pytest.mark.parametrize(
    ("does", "success"), [(lambda _: StepResult(), True), (failing(), False), (raising(ValueError("boom")), False)]
)
def test_logging_tells_the_end_however_it_ends(does: Callable[..., Any], success: bool) -> None:  # noqa: FBT001  # a parameter of the test
    """With the wrapper's own name, the seconds it took, and whether it succeeded."""
    context, reporter = observed_context()

    try:
        execute(LoggingStep(ScriptedStep("a", does=does)), context=context)
    except StepFailedError:
        assert not success

    (start, start_data), (end, end_data) = reporter.logs
    assert (start, start_data) == ("step_start", {"step": "logged_a"})
    assert end == "step_end"
    assert end_data.keys() == {"step", "elapsed", "success"}
    assert (end_data["step"], end_data["success"]) == ("logged_a", success)
    assert end_data["elapsed"] >= 0.0


def test_logging_lets_an_interruption_through() -> None:
    """And tells the end of it."""
    context, reporter = observed_context()

    with pytest.raises(KeyboardInterrupt):
        execute(LoggingStep(ScriptedStep("a", does=raising(KeyboardInterrupt()))), context=context)

    assert [event for event, _ in reporter.logs] == ["step_start", "step_end"]


def test_a_skipped_step_logs_nothing() -> None:
    """It did not start."""
    context, reporter = observed_context()

    execute(LoggingStep(ScriptedStep("a", skips=lambda _: True)), context=context)

    assert reporter.logs == []


# TimingStep


def test_timing_adds_the_duration_to_a_copy_of_the_result() -> None:
    """A step may return the same object again and again; it must not find our figures in it."""
    own = StepResult(data={"n": 1}, rollback_data={"id": 7})
    context = new_context()

    execute(TimingStep(ScriptedStep("a", does=lambda _: own)), context=context)

    (result,) = context.step_results
    assert own.data == {"n": 1}
    assert result.data == {"n": 1, "duration_seconds": result.data["duration_seconds"]}
    assert result.data["duration_seconds"] == round(result.data["duration_seconds"], 6) >= 0.0
    assert (result.rollback_data, result.timestamp) == (own.rollback_data, own.timestamp)


def test_timing_measures_a_failure_too() -> None:
    """A returned one carries it; the text and the rollback data stay."""
    context = new_context()

    with pytest.raises(StepFailedError, match="boom"):
        execute(TimingStep(ScriptedStep("a", does=failing(rollback_data={"id": 7}))), context=context)

    (result,) = context.step_results
    assert (result.error, result.rollback_data) == ("boom", {"id": 7})
    assert "duration_seconds" in result.data


def test_timing_logs_the_duration_of_a_step_that_raises() -> None:
    """There is no result that could carry it."""
    context, reporter = observed_context()

    with pytest.raises(StepFailedError, match="boom"):
        execute(TimingStep(ScriptedStep("a", does=raising(ValueError("boom")))), context=context)

    ((event, data),) = reporter.logs
    assert event == "step_timed"
    assert data == {"step": "timed_a", "duration_seconds": data["duration_seconds"], "error": "boom"}


# ConditionalStep


@pytest.mark.parametrize("holds", [True, False])
@pytest.mark.parametrize("skips", [True, False])
def test_a_conditional_step_runs_when_nobody_objects(holds: bool, skips: bool) -> None:  # noqa: FBT001  # parameters of the test
    """The condition must hold, and the step itself must not want to be skipped."""
    step = ScriptedStep("a", skips=lambda _: skips)

    execute(ConditionalStep(step, when=lambda _: holds))

    assert step.diary == (["run a"] if holds and not skips else [])


def test_a_conditional_step_is_asked_when_its_turn_comes() -> None:
    """An earlier step may decide."""
    step = ScriptedStep("b")

    def decide(context: BaseStepContext) -> StepResult:
        context.errors.append("seen")
        return StepResult()

    execute(
        ScriptedStep("a", does=decide),
        ConditionalStep(step, when=lambda context: bool(context.errors)),
    )

    assert step.diary == ["run b"]


def test_a_condition_that_raises_fails_the_step() -> None:
    """As `can_skip` does."""
    with pytest.raises(StepFailedError, match="Step 'conditional_a' failed: cannot tell"):
        execute(ConditionalStep(ScriptedStep("a"), when=raising(ValueError("cannot tell"))))


# ValidationStep


def test_a_validation_step_has_a_name_and_a_weight_by_default() -> None:
    """`validate`, 0.05."""
    step = ValidationStep[BaseStepContext](lambda _: (True, None))

    assert (step.name, step.progress_weight) == ("validate", 0.05)
    assert execute(step)["success"]


@pytest.mark.parametrize(
    ("said", "told"), [("no input", "no input"), (None, "Validation failed"), ("", "Validation failed")]
)
def test_a_validation_step_fails_with_a_reason(said: str | None, told: str) -> None:
    """Also when the validator gives none."""
    with pytest.raises(StepFailedError, match=f"Step 'check' failed: {told}"):
        execute(ValidationStep[BaseStepContext](lambda _: (False, said), name="check", progress_weight=0.5))
