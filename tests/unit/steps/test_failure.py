from collections.abc import Callable
from typing import Any

import pytest

from synapse_sdk.errors import StepFailedError
from synapse_sdk.plugins.steps import BaseStepContext, StepResult
from synapse_sdk.reporting.events import RunFinished, RunStatus
from tests.unit.steps.scripted import (
    PlainStep,
    ScriptedStep,
    UnspeakableError,
    execute,
    failing,
    new_context,
    observed_context,
    raising,
)


def _truthless(_: BaseStepContext) -> Any:  # noqa: ANN401  # something whose truth cannot be had
    class Ambiguous:
        def __bool__(self) -> bool:
            msg = "ambiguous"
            raise ValueError(msg)

    return Ambiguous()


WAYS_TO_FAIL: dict[str, tuple[dict[str, Any], str]] = {
    "returns a failure": ({"does": failing("no disk")}, "no disk"),
    "returns a failure without a reason": ({"does": failing(None)}, "it returned success=False and no reason"),
    "raises": ({"does": raising(ValueError("no disk"))}, "no disk"),
    "raises without a text": ({"does": raising(ValueError())}, "ValueError"),
    "raises what has no text": ({"does": raising(UnspeakableError())}, "UnspeakableError"),
    "returns None": ({"does": lambda _: None}, "execute() returned None instead of a StepResult"),
    "returns a dictionary": ({"does": lambda _: {"a": 1}}, "execute() returned {'a': 1} instead of a StepResult"),
    "returns its class": ({"does": lambda _: StepResult}, "instead of a StepResult"),
    "can_skip raises": ({"skips": raising(ValueError("cannot tell"))}, "cannot tell"),
    "can_skip has no truth": ({"skips": _truthless}, "ambiguous"),
}


@pytest.mark.parametrize("way", WAYS_TO_FAIL)
def test_every_failure_is_told_in_the_same_way(way: str) -> None:
    """`Step 'name' failed: error`, as a RuntimeError that carries the step and its result; the text is never empty."""
    options, text = WAYS_TO_FAIL[way]
    step, context = ScriptedStep("b", **options), new_context()

    with pytest.raises(StepFailedError) as caught:
        execute(PlainStep("a"), step, PlainStep("c"), context=context)

    failed = caught.value
    assert isinstance(failed, RuntimeError)
    assert str(failed).startswith("Step 'b' failed: ")
    assert text in str(failed)
    assert failed.step is step
    assert failed.result is context.step_results[-1]
    assert failed.result.success is False
    assert failed.result.error
    assert failed.result.error in str(failed)
    assert failed.rollback_errors == ()


@pytest.mark.parametrize("way", WAYS_TO_FAIL)
def test_a_failure_ends_the_run_and_leaves_the_context_in_order(way: str) -> None:
    """Later steps are not touched, every result is there, `current_step` is cleared."""
    context, diary = new_context(), list[str]()

    with pytest.raises(StepFailedError):
        execute(
            ScriptedStep("a", diary),
            ScriptedStep("b", **WAYS_TO_FAIL[way][0]),
            ScriptedStep("c", diary),
            context=context,
        )

    assert diary == ["run a", "undo a"]
    assert [result.success for result in context.step_results] == [True, False]
    assert context.current_step is None


def test_what_a_step_raised_stays_the_cause() -> None:
    """The traceback leads to the user's own line."""
    error = ValueError("no disk")

    with pytest.raises(StepFailedError) as caught:
        execute(ScriptedStep("a", does=raising(error)))

    assert caught.value.__cause__ is error


def test_a_returned_failure_has_no_cause() -> None:
    """And the engine's own machinery does not show in the traceback."""
    with pytest.raises(StepFailedError) as caught:
        execute(ScriptedStep("a", does=failing()))

    assert caught.value.__cause__ is None
    assert caught.value.__suppress_context__


def test_a_returned_failure_is_kept_as_it_is() -> None:
    """Its data and its rollback data are there for whoever reads the results."""
    context, own = new_context(), StepResult(success=False, error="no", data={"n": 1}, rollback_data={"path": "x"})
    step = ScriptedStep("a", does=lambda _: own)

    with pytest.raises(StepFailedError) as caught:
        execute(step, context=context)

    assert context.step_results == [own]
    assert caught.value.result is own
    assert step.undone == [own]


def test_an_enormous_wrong_result_makes_a_short_message() -> None:
    """A step that returns its hundred thousand paths by mistake does not fill the log."""
    with pytest.raises(StepFailedError) as caught:
        execute(ScriptedStep("a", does=lambda _: [f"photo_{number}.jpg" for number in range(100_000)]))

    assert "photo_0.jpg" in str(caught.value)
    assert len(str(caught.value)) < 400


def test_started_steps_are_rolled_back_in_reverse_order() -> None:
    """Key behaviour 4 of the guide: automatic rollback; the failing step comes first, with its own result."""
    diary: list[str] = []
    steps = [
        ScriptedStep("a", diary, does=lambda _: StepResult(rollback_data={"path": "a"})),
        ScriptedStep("b", diary, does=lambda _: StepResult(rollback_data={"path": "b"})),
        ScriptedStep("c", diary, does=failing(rollback_data={"path": "c"})),
        ScriptedStep("d", diary),
    ]

    with pytest.raises(StepFailedError):
        execute(*steps)

    assert diary == ["run a", "run b", "run c", "undo c", "undo b", "undo a"]
    assert [step.undone[0].rollback_data for step in steps[:3]] == [{"path": "a"}, {"path": "b"}, {"path": "c"}]


def test_a_step_is_rolled_back_with_the_very_result_it_returned() -> None:
    """Not with a copy of it."""
    own = StepResult(rollback_data={"path": "a"})
    step = ScriptedStep("a", does=lambda _: own)

    with pytest.raises(StepFailedError):
        execute(step, ScriptedStep("b", does=failing()))

    assert step.undone[0] is own


def test_skipped_steps_are_not_rolled_back() -> None:
    """They did nothing."""
    diary: list[str] = []

    with pytest.raises(StepFailedError):
        execute(
            ScriptedStep("a", diary),
            ScriptedStep("b", diary, skips=lambda _: True),
            ScriptedStep("c", diary, does=failing()),
        )

    assert diary == ["run a", "run c", "undo c", "undo a"]


def test_a_step_that_says_itself_that_it_skipped_is_not_rolled_back() -> None:
    """What it found done belongs to somebody else."""
    step = ScriptedStep("a", does=lambda _: StepResult(skipped=True))

    with pytest.raises(StepFailedError):
        execute(step, ScriptedStep("b", does=failing()))

    assert step.diary == ["run a"]


def test_a_step_that_calls_itself_skipped_but_left_something_to_undo_is_rolled_back() -> None:
    """Undo entries are never lost."""

    def half(context: BaseStepContext) -> StepResult:
        context.record_undo(path="x")
        return StepResult(skipped=True)

    step = ScriptedStep("a", does=half)

    with pytest.raises(StepFailedError):
        execute(step, ScriptedStep("b", does=failing()))

    assert [result.rollback_data for result in step.undone] == [{"undo_log": [{"path": "x"}]}]


def test_a_step_that_could_not_be_asked_whether_to_skip_is_not_rolled_back() -> None:
    """It never started; those before it are undone."""
    diary: list[str] = []

    with pytest.raises(StepFailedError):
        execute(ScriptedStep("a", diary), ScriptedStep("b", diary, skips=raising(ValueError("?"))))

    assert diary == ["run a", "undo a"]


def _record_and_save(context: BaseStepContext) -> bool:
    context.record_undo(path="x")
    context.save_progress(offset=1)
    return True


def test_what_a_skipped_step_recorded_while_it_was_asked_is_its_own() -> None:
    """It is undone by the step that recorded it, and the next step starts with a clean slate."""
    seen: list[object] = []

    def look(context: BaseStepContext) -> StepResult:
        seen.extend([list(context.undo_log), dict(context.saved_progress)])
        return StepResult(success=False)

    asked = ScriptedStep("a", skips=_record_and_save)
    after = ScriptedStep("b", does=look)
    with pytest.raises(StepFailedError):
        execute(asked, after)

    assert seen == [[], {}]
    assert [result.rollback_data for result in after.undone] == [{}]
    assert [result.rollback_data for result in asked.undone] == [{"undo_log": [{"path": "x"}]}]


def test_a_step_that_recorded_something_before_it_could_not_be_asked_is_rolled_back() -> None:
    """Undo entries are never lost."""

    def ask(context: BaseStepContext) -> bool:
        context.record_undo(path="x")
        raise ValueError

    step = ScriptedStep("a", skips=ask)
    with pytest.raises(StepFailedError):
        execute(step)

    assert [result.rollback_data for result in step.undone] == [{"undo_log": [{"path": "x"}]}]


def test_the_current_step_is_named_while_it_is_rolled_back() -> None:
    """Log lines of a rollback can be told apart."""
    seen: list[str | None] = []
    steps = [
        ScriptedStep(name, does=does, undoes=lambda context: seen.append(context.current_step))
        for name, does in (("a", lambda _: StepResult()), ("b", failing()))
    ]

    with pytest.raises(StepFailedError):
        execute(*steps)

    assert seen == ["b", "a"]


BROKEN_ROLLBACKS = [
    raising(OSError("busy")),
    raising(OSError()),
    raising(UnspeakableError()),
    raising(SystemExit(3)),
    raising(KeyboardInterrupt()),
    raising(BaseExceptionGroup("several", [KeyboardInterrupt(), OSError("busy")])),
]


@pytest.mark.parametrize("undoes", BROKEN_ROLLBACKS)
def test_a_rollback_that_raises_does_not_stop_the_others(undoes: Callable[[BaseStepContext], Any]) -> None:
    """Key behaviour 5 of the guide: best-effort rollback; the failure of the run stays the failure of the run."""
    diary: list[str] = []

    with pytest.raises(StepFailedError, match="Step 'c' failed: boom") as caught:
        execute(
            ScriptedStep("a", diary),
            ScriptedStep("b", diary, undoes=undoes),
            ScriptedStep("c", diary, does=failing(), undoes=undoes),
        )

    assert diary == ["run a", "run b", "run c", "undo c", "undo b", "undo a"]
    assert [problem.step for problem in caught.value.rollback_errors] == ["c", "b"]


def test_a_rollback_error_is_recorded_with_step_error_and_traceback() -> None:
    """In `context.errors`, in the log, and on the exception."""
    context, reporter = observed_context()
    error = OSError("busy")

    with pytest.raises(StepFailedError) as caught:
        execute(ScriptedStep("a", undoes=raising(error)), ScriptedStep("b", does=failing()), context=context)

    (problem,) = caught.value.rollback_errors
    assert (problem.step, problem.error, problem.text) == ("a", error, "busy")
    assert "OSError: busy" in problem.traceback
    assert "scripted.py" in problem.traceback
    (line,) = context.errors
    assert line.startswith("Rollback of step 'a' failed: busy\nTraceback")
    assert reporter.logs == [
        ("rollback_failed", {"step": "a", "error": "busy", "traceback": problem.traceback}),
    ]
    assert caught.value.__notes__ == ["Rollback of step 'a' failed: busy"]


@pytest.mark.parametrize(("error", "text"), [(OSError(), "OSError"), (UnspeakableError(), "UnspeakableError")])
def test_a_rollback_error_is_never_told_without_a_text(error: Exception, text: str) -> None:
    """The name of its type is better than nothing."""
    context = new_context()

    with pytest.raises(StepFailedError) as caught:
        execute(ScriptedStep("a", does=failing(), undoes=raising(error)), context=context)

    assert text in caught.value.rollback_errors[0].text
    assert context.errors[0].startswith("Rollback of step 'a' failed: ")
    assert text in context.errors[0].splitlines()[0]
    assert text in caught.value.__notes__[0]


def test_a_clean_run_leaves_no_errors() -> None:
    """`context.errors` belongs to the steps until a rollback goes wrong."""
    context = new_context()

    with pytest.raises(StepFailedError):
        execute(ScriptedStep("a"), ScriptedStep("b", does=failing()), context=context)

    assert context.errors == []


def test_what_cannot_be_recorded_about_a_rollback_does_not_stop_it() -> None:
    """A log that raises is no reason to leave things behind."""
    context, diary = new_context(), list[str]()
    context.runtime_ctx.log = raising(OSError("disk full"))  # type: ignore[method-assign]

    with pytest.raises(StepFailedError):
        execute(
            ScriptedStep("a", diary),
            ScriptedStep("b", diary, does=failing(), undoes=raising(OSError("busy"))),
            context=context,
        )

    assert diary[-1] == "undo a"


def test_a_rollback_needs_no_module_that_was_not_loaded_when_the_run_began() -> None:
    """A step that used up all file handles, or changed the folder, is undone all the same."""
    import subprocess  # noqa: PLC0415  # this test alone needs it
    import sys  # noqa: PLC0415  # as above

    program = """
import builtins, sys
from synapse_sdk.plugins.context import RuntimeContext
from synapse_sdk.plugins.steps import BaseStep, BaseStepContext, Orchestrator, StepRegistry, StepResult

class Exhausting(BaseStep):
    name, progress_weight = "exhausting", 1.0
    def execute(self, context):
        class NoHandlesLeft:
            def find_spec(self, name, path=None, target=None):
                raise OSError(24, "Too many open files", name)
        sys.meta_path.insert(0, NoHandlesLeft())
        raise OSError(24, "Too many open files")
    def rollback(self, context, result):
        print("undone")
        sys.meta_path.pop(0)

registry = StepRegistry()
registry.register(Exhausting())
try:
    Orchestrator(registry, BaseStepContext(RuntimeContext())).execute()
except RuntimeError as error:
    print(error)
"""
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, timeout=60, check=False)

    assert (done.stdout.splitlines(), done.stderr) == (
        ["undone", "Step 'exhausting' failed: [Errno 24] Too many open files"],
        "",
    )


def test_a_rollback_that_notes_what_it_left_counts_as_incomplete() -> None:
    """The guide's way, `context.errors.append(...)` and going on, must not be reported as a clean rollback."""
    context, reporter = observed_context()
    step = ScriptedStep("a", undoes=lambda context: context.errors.append("x.jpg was changed by somebody else"))

    with pytest.raises(StepFailedError) as caught:
        execute(step, ScriptedStep("b", does=failing()), context=context)

    assert [(problem.step, problem.text) for problem in caught.value.rollback_errors] == [
        ("a", "x.jpg was changed by somebody else")
    ]
    assert context.errors == ["x.jpg was changed by somebody else"]
    assert isinstance(reporter.events[-1], RunFinished)
    assert reporter.events[-1].status is RunStatus.ROLLBACK_INCOMPLETE


def test_a_conclusion_that_raises_undoes_everything_and_goes_on_as_itself() -> None:
    """A run whose result cannot be made is not done, and no step is to blame."""
    error, step = LookupError("no result"), ScriptedStep("a")

    with pytest.raises(LookupError) as caught:
        execute(step, conclude=raising(error))

    assert caught.value is error
    assert step.diary == ["run a", "undo a"]
