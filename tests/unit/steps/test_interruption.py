import asyncio
import signal
from typing import Any

import pytest

from synapse_sdk.errors import StepFailedError
from synapse_sdk.plugins.steps import BaseStepContext, StepResult
from synapse_sdk.reporting.events import Event, InterruptHeld, RunFinished, RunStatus, StepFinished
from tests.unit.steps.scripted import PlainStep, ScriptedStep, execute, failing, new_context, observed_context, raising

INTERRUPTIONS = [KeyboardInterrupt(), SystemExit(3), asyncio.CancelledError(), GeneratorExit()]


class _PressOn:
    """An observer that makes somebody press Ctrl-C when an event of this kind comes."""

    def __init__(self, kind: type[Any]) -> None:
        self._kind = kind
        self.events: list[Event] = []

    def observe(self, event: Event) -> None:
        self.events.append(event)
        if isinstance(event, self._kind):
            signal.raise_signal(signal.SIGINT)


def _press(*_: object) -> StepResult:
    signal.raise_signal(signal.SIGINT)
    return StepResult()


@pytest.mark.parametrize("interruption", INTERRUPTIONS)
@pytest.mark.parametrize("place", ["does", "skips"])
def test_an_interruption_undoes_everything_and_goes_on_as_itself(interruption: BaseException, place: str) -> None:
    """Ctrl-C, exit and cancellation leave nothing behind (E1)."""
    context, diary = new_context(), list[str]()
    options: dict[str, Any] = {place: raising(interruption)}

    with pytest.raises(type(interruption)) as caught:
        execute(ScriptedStep("a", diary), ScriptedStep("b", **options), ScriptedStep("c", diary), context=context)

    assert caught.value is interruption
    assert diary == ["run a", "undo a"]
    assert [result.success for result in context.step_results] == [True, False]
    assert context.step_results[-1].error
    assert context.current_step is None


def test_the_interrupted_step_is_rolled_back_first() -> None:
    """It may have done half of its work; what it recorded reaches its rollback."""
    diary: list[str] = []

    def half(context: BaseStepContext) -> StepResult:
        context.record_undo(path="half")
        raise KeyboardInterrupt

    step = ScriptedStep("b", diary, does=half)

    with pytest.raises(KeyboardInterrupt):
        execute(ScriptedStep("a", diary), step)

    assert diary == ["run a", "run b", "undo b", "undo a"]
    assert step.undone[0].rollback_data == {"undo_log": [{"path": "half"}]}


def test_an_interruption_in_the_progress_callback_undoes_everything() -> None:
    """A callback may not fail a run, but Ctrl-C may arrive while it runs."""
    diary: list[str] = []

    with pytest.raises(KeyboardInterrupt):
        execute(ScriptedStep("a", diary), ScriptedStep("b", diary), progress_callback=raising(KeyboardInterrupt()))

    assert diary == ["run a", "undo a"]


@pytest.mark.parametrize("kind", [StepFinished, RunFinished])
def test_a_press_while_a_failure_is_being_reported_does_not_prevent_the_rollback(kind: type[Any]) -> None:
    """Everything between the failure and its undoing is shielded; the press is obeyed afterwards."""
    context, diary = new_context(), list[str]()
    observer = _PressOn(kind)

    with pytest.raises(KeyboardInterrupt):
        execute(ScriptedStep("a", diary, does=failing()), context=context, observers=[observer])

    assert diary == ["run a", "undo a"]
    assert [event.status for event in observer.events if isinstance(event, RunFinished)] == [RunStatus.ROLLED_BACK]
    assert context.current_step is None


def test_a_press_after_the_run_has_been_reported_as_a_success_undoes_nothing() -> None:
    """The end that was told is the end; the interrupt goes on as itself."""
    observer, step = _PressOn(RunFinished), ScriptedStep("a")

    with pytest.raises(KeyboardInterrupt):
        execute(step, observers=[observer])

    assert step.diary == ["run a"]
    assert [event.status for event in observer.events if isinstance(event, RunFinished)] == [RunStatus.SUCCEEDED]


def test_a_press_during_a_rollback_does_not_cut_it_short() -> None:
    """A failure started it: the press is held, said to be held, and obeyed when everything is undone."""
    context, diary = new_context(), list[str]()

    with pytest.raises(KeyboardInterrupt) as caught:
        execute(ScriptedStep("a", diary), ScriptedStep("b", diary, does=failing(), undoes=_press), context=context)

    assert diary == ["run a", "run b", "undo b", "undo a"]
    assert context.current_step is None
    assert "Step 'b' failed" in str(caught.value.__context__) + str(caught.value.__cause__)


def test_a_held_press_is_an_event() -> None:
    """A reporter can say it in its own way."""
    context, reporter = observed_context()

    with pytest.raises(KeyboardInterrupt):
        execute(ScriptedStep("a", does=failing(), undoes=_press), context=context)

    _wait_until(lambda: any(isinstance(event, InterruptHeld) for event in reporter.events))
    assert InterruptHeld(1, 2) in reporter.events


def _wait_until(true: Any) -> None:  # noqa: ANN401  # a question
    """Let the thread that tells of held signals come to its turn."""
    from threading import Event as Flag  # noqa: PLC0415  # beside the events of a run

    for _ in range(1000):
        if true():
            return
        Flag().wait(0.005)


def test_the_third_press_leaves_the_rollback_and_says_what_is_left() -> None:
    """Some rollbacks hang; whoever insists gets out."""
    context, diary = new_context(), list[str]()

    with pytest.raises(KeyboardInterrupt):
        execute(
            ScriptedStep("a", diary),
            ScriptedStep("b", diary, undoes=lambda _: (_press(), _press())),
            ScriptedStep("c", diary, does=_press),
            context=context,
        )

    assert diary == ["run a", "run b", "run c", "undo c", "undo b"]
    assert context.errors == ["Rollback abandoned on request; not undone: 'b', 'a'"]
    assert context.current_step is None


def test_the_third_press_is_told_with_the_failure_as_its_cause() -> None:
    """When a failure began it, it takes three presses during the rollback, and the failure is not forgotten."""
    diary: list[str] = []

    with pytest.raises(KeyboardInterrupt) as caught:
        execute(
            ScriptedStep("a", diary),
            ScriptedStep("b", diary, does=raising(ValueError("boom")), undoes=lambda _: [_press() for _ in range(3)]),
        )

    assert diary == ["run a", "run b", "undo b"]
    assert "boom" in str(caught.value.__cause__)


def test_a_left_rollback_is_reported_as_incomplete() -> None:
    """`rollback_incomplete` is the honest end."""
    context, reporter = observed_context()

    with pytest.raises(KeyboardInterrupt):
        execute(
            ScriptedStep("a", does=failing(), undoes=lambda _: [_press() for _ in range(3)]),
            context=context,
        )

    assert [event.status for event in reporter.events if isinstance(event, RunFinished)] == [
        RunStatus.ROLLBACK_INCOMPLETE
    ]


def test_a_request_to_end_during_a_rollback_is_obeyed_afterwards() -> None:
    """SIGTERM does not cut the rollback short, and is not forgotten either."""
    diary, received = list[str](), list[int]()
    before = signal.signal(signal.SIGTERM, lambda number, _: received.append(number))
    try:
        with pytest.raises(StepFailedError):
            execute(
                ScriptedStep("a", diary, undoes=lambda _: diary.append(f"received {len(received)}")),
                ScriptedStep("b", diary, does=failing(), undoes=lambda _: signal.raise_signal(signal.SIGTERM)),
            )
    finally:
        signal.signal(signal.SIGTERM, before)

    assert diary == ["run a", "run b", "undo b", "undo a", "received 0"]
    assert received == [signal.SIGTERM]


@pytest.mark.parametrize("interruption", [KeyboardInterrupt(), SystemExit(3), asyncio.CancelledError()])
def test_a_request_to_end_during_the_rollback_of_an_interruption_is_obeyed(interruption: BaseException) -> None:
    """What is delivered once must have its effect, whatever else was going on."""
    received: list[int] = []
    before = signal.signal(signal.SIGTERM, lambda number, _: received.append(number))
    try:
        with pytest.raises(type(interruption)):
            execute(
                ScriptedStep("a", does=raising(interruption), undoes=lambda _: signal.raise_signal(signal.SIGTERM)),
            )
    finally:
        signal.signal(signal.SIGTERM, before)

    assert received == [signal.SIGTERM]


def test_a_press_during_the_rollback_of_a_cancellation_is_obeyed() -> None:
    """A cancelled job in a notebook: Ctrl-C during its rollback is not swallowed."""
    with pytest.raises(KeyboardInterrupt):
        execute(ScriptedStep("a", does=raising(asyncio.CancelledError()), undoes=_press))


def test_two_presses_end_in_one_interrupt() -> None:
    """The second press during the rollback that the first began says that it goes on, and asks for nothing more."""
    error = KeyboardInterrupt()

    with pytest.raises(KeyboardInterrupt) as caught:
        execute(ScriptedStep("a", does=raising(error), undoes=_press))

    assert caught.value is error


def test_handlers_are_back_in_place_after_a_rollback() -> None:
    """The engine borrows signals, it does not keep them."""
    numbers = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)
    before = [signal.getsignal(number) for number in numbers]

    with pytest.raises(StepFailedError):
        execute(PlainStep(), ScriptedStep("a", does=failing()))

    assert [signal.getsignal(number) for number in numbers] == before
