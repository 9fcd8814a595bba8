from typing import Any

import pytest

from synapse_sdk.errors import StepFailedError, WorkerLostError
from synapse_sdk.plugins.steps import BaseStepContext, StepResult
from synapse_sdk.plugins.steps.utils import LoggingStep, RetryStep
from synapse_sdk.retry import RetryPolicy
from tests.unit.steps.scripted import HeldClock, ScriptedStep, execute, failing, new_context, observed_context, raising

THREE = RetryPolicy(max_attempts=3, delay=1.0, jitter=0.0)


def _in_turn(*acts: Any) -> Any:  # noqa: ANN401  # acts of scripted steps
    turns = iter(acts)

    def act(*arguments: object) -> Any:  # noqa: ANN401  # as above
        return next(turns)(*arguments)

    return act


def _succeed(_: BaseStepContext) -> StepResult:
    return StepResult()


def test_a_step_is_tried_until_it_succeeds() -> None:
    """With the policy's pauses, whether it raised or returned a failure."""
    clock, context = HeldClock(), new_context()
    step = ScriptedStep("a", does=_in_turn(raising(OSError("busy")), failing(), _succeed))

    execute(RetryStep(step, THREE, clock=clock), context=context)

    assert step.diary == ["run a"] * 3
    assert clock.pauses == [1.0, 2.0]
    assert [result.success for result in context.step_results] == [True]


def test_the_last_failure_is_the_one_that_is_told() -> None:
    """And there is no pause after it."""
    clock, error = HeldClock(), OSError("still busy")
    step = ScriptedStep("a", does=_in_turn(failing("first"), failing("second"), raising(error)))

    with pytest.raises(StepFailedError, match="Step 'retried_a' failed: still busy") as caught:
        execute(RetryStep(step, THREE, clock=clock))

    assert caught.value.__cause__ is error
    assert clock.pauses == [1.0, 2.0]


def test_a_last_returned_failure_is_kept() -> None:
    """With its data."""
    context = new_context()
    step = ScriptedStep("a", does=_in_turn(failing("first"), failing("second"), failing("third", data={"n": 3})))

    with pytest.raises(StepFailedError, match="third"):
        execute(RetryStep(step, THREE, clock=HeldClock()), context=context)

    assert context.step_results[0].data == {"n": 3}


def test_each_retry_is_logged() -> None:
    """With the problem and the pause; the last attempt is not, because no other follows."""
    context, reporter = observed_context()
    step = ScriptedStep("a", does=_in_turn(raising(OSError()), failing(None), _succeed))

    execute(RetryStep(step, THREE, clock=HeldClock()), context=context)

    assert reporter.logs == [
        ("step_retry", {"step": "retried_a", "error": "OSError", "delay": 1.0}),
        ("step_retry", {"step": "retried_a", "error": "it gave no reason", "delay": 2.0}),
    ]


def test_what_the_policy_does_not_retry_fails_at_once() -> None:
    """No pause, one attempt."""
    clock, step = HeldClock(), ScriptedStep("a", does=raising(ValueError("wrong for ever")))
    policy = RetryPolicy(max_attempts=3, retry_on=OSError)

    with pytest.raises(StepFailedError, match="wrong for ever"):
        execute(RetryStep(step, policy, clock=clock))

    assert (step.diary, clock.pauses) == (["run a", "undo a"], [])


def test_an_interruption_is_never_retried() -> None:
    """Ctrl-C means now."""
    clock, step = HeldClock(), ScriptedStep("a", does=raising(KeyboardInterrupt()))

    with pytest.raises(KeyboardInterrupt):
        execute(RetryStep(step, THREE, clock=clock))

    assert (step.diary, clock.pauses) == (["run a", "undo a"], [])


def test_the_next_attempt_finds_what_the_last_one_saved() -> None:
    """It can go on where that one stopped."""
    found: list[dict[str, Any]] = []

    def act(context: BaseStepContext) -> StepResult:
        found.append(dict(context.saved_progress))
        context.save_progress(done=len(found))
        return StepResult(success=len(found) == 3, error="again")

    execute(RetryStep(ScriptedStep("a", does=act), THREE, clock=HeldClock()))

    assert found == [{}, {"done": 1}, {"done": 2}]


def _leaving(number: int, *, success: bool) -> Any:  # noqa: ANN401  # an act of a scripted step
    def act(context: BaseStepContext) -> StepResult:
        context.record_undo(n=number)
        return StepResult(success=success, error="again", rollback_data={"id": number})

    return act


def test_every_attempt_that_left_something_is_undone() -> None:
    """The last first, with the undo records of all; then the failed ones, newest first, each with its own data."""
    step = ScriptedStep("a", does=_in_turn(*(_leaving(n, success=n == 3) for n in (1, 2, 3))))

    with pytest.raises(StepFailedError):
        execute(RetryStep(step, THREE, clock=HeldClock()), ScriptedStep("b", does=failing()))

    assert step.diary == ["run a"] * 3 + ["undo a"] * 3
    assert [result.rollback_data for result in step.undone] == [
        {"id": 3, "undo_log": [{"n": 1}, {"n": 2}, {"n": 3}]},
        {"id": 2},
        {"id": 1},
    ]


def test_failed_attempts_are_undone_when_the_last_one_raises() -> None:
    """What they left is not forgotten because there is no result."""
    step = ScriptedStep("a", does=_in_turn(_leaving(1, success=False), raising(OSError("x")), raising(OSError("y"))))

    with pytest.raises(StepFailedError, match="y"):
        execute(RetryStep(step, THREE, clock=HeldClock()))

    assert [result.rollback_data for result in step.undone] == [{"undo_log": [{"n": 1}]}, {"id": 1}]


def test_a_rollback_that_fails_does_not_keep_the_other_attempts_from_being_undone() -> None:
    """One error is told as itself, several as a group."""
    diary: list[str] = []
    undo = _in_turn(raising(OSError("busy")), _succeed, raising(OSError("gone")))
    step = ScriptedStep("a", diary, does=_in_turn(*(_leaving(n, success=n == 3) for n in (1, 2, 3))), undoes=undo)

    with pytest.raises(StepFailedError) as caught:
        execute(RetryStep(step, THREE, clock=HeldClock()), ScriptedStep("b", does=failing()))

    assert diary == ["run a"] * 3 + ["undo a"] * 3
    (problem,) = caught.value.rollback_errors
    assert isinstance(problem.error, ExceptionGroup)
    assert problem.text == "busy; gone (2 sub-exceptions)"


def test_a_single_rollback_error_is_told_as_it_is() -> None:
    """A wrapper adds nothing to what the step says, but its own name."""
    error = OSError("busy")

    with pytest.raises(StepFailedError) as caught:
        execute(RetryStep(ScriptedStep("a", undoes=raising(error))), ScriptedStep("b", does=failing()))

    (problem,) = caught.value.rollback_errors
    assert (problem.step, problem.text) == ("retried_a", "busy")
    assert problem.error is error


def test_retries_may_be_nested() -> None:
    """Each finds the attempts that are its own."""
    step = ScriptedStep("a", does=_in_turn(*(_leaving(n, success=n == 4) for n in (1, 2, 3, 4))))
    two = RetryPolicy(max_attempts=2, delay=0.0)

    inner = RetryStep(step, two, clock=HeldClock())
    with pytest.raises(StepFailedError):
        execute(RetryStep(LoggingStep(inner), two, clock=HeldClock()), ScriptedStep("b", does=failing()))

    assert sorted(result.rollback_data.get("id", 0) for result in step.undone) == [1, 2, 3, 4]


def test_an_error_that_knows_it_is_transient_is_retried() -> None:
    """By default the error itself is asked."""
    step = ScriptedStep("a", does=_in_turn(raising(WorkerLostError("lost")), _succeed))

    execute(RetryStep(step, clock=HeldClock()))

    assert step.diary == ["run a", "run a"]
