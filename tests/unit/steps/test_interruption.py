import asyncio
import os
import signal
import sys
import threading
from pathlib import Path
from types import FrameType
from typing import Any

import pytest

from synapse_sdk.errors import StepFailedError
from synapse_sdk.interrupts import InsistentInterrupt
from synapse_sdk.plugins.steps import BaseStepContext, StepResult
from synapse_sdk.reporting.events import Event, InterruptHeld, RunFinished, RunStatus, StepFinished
from tests.unit.steps.scripted import PlainStep, ScriptedStep, execute, failing, new_context, observed_context, raising

PATIENCE = 30.0
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


def test_a_press_while_100_percent_is_shown_undoes_nothing_and_the_run_still_counts_as_done() -> None:
    """Everything was done; observers and the journal hear how it ended."""
    context, reporter = observed_context()
    step = ScriptedStep("a")

    with pytest.raises(KeyboardInterrupt):
        execute(step, context=context, progress_callback=lambda percent, _: _press() if percent == 100 else None)

    assert step.diary == ["run a"]
    assert isinstance(reporter.events[-1], RunFinished)
    assert reporter.events[-1].status is RunStatus.SUCCEEDED


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
    told, heard = threading.Event(), list[Event]()

    class Listener:
        def observe(self, event: Event) -> None:
            """Wait for the one."""
            if isinstance(event, InterruptHeld):
                heard.append(event)
                told.set()

    def undo(_: BaseStepContext) -> None:
        _press()
        assert told.wait(PATIENCE)  # it is told in a thread of its own

    with pytest.raises(KeyboardInterrupt):
        execute(ScriptedStep("a", does=failing(), undoes=undo), observers=[Listener()])

    assert heard == [InterruptHeld(1, 2)]


def test_a_held_press_is_said_even_if_only_a_journal_listens() -> None:
    """A journal keeps a record; it does not talk to the user."""
    read, write = os.pipe()

    class Journal:
        def observe(self, event: Event) -> None:
            """Keep it."""

    def undo(_: BaseStepContext) -> None:
        _press()
        while "2 more times" not in "".join(heard):  # a thread of an earlier test may still have something to say
            heard.append(os.read(read, 1000).decode())

    heard: list[str] = []
    stderr = os.dup(2)
    os.dup2(write, 2)
    try:
        with pytest.raises(KeyboardInterrupt):
            execute(ScriptedStep("a", does=failing(), undoes=undo), journal=Journal())
    finally:
        os.dup2(stderr, 2)
        for handle in (stderr, read, write):
            os.close(handle)

    assert "\nThe rollback goes on. Press Ctrl-C 2 more times to leave it unfinished.\n" in "".join(heard)


def test_presses_that_a_step_held_back_itself_leave_everything_at_once() -> None:
    """Who has insisted within a step (such as parallel steps that were waited for) need not insist again."""
    context, diary = new_context(), list[str]()
    insistent = InsistentInterrupt()

    with pytest.raises(InsistentInterrupt) as caught:
        execute(ScriptedStep("a", diary), ScriptedStep("b", diary, does=raising(insistent)), context=context)

    assert caught.value is insistent
    assert diary == ["run a", "run b"]
    assert context.errors == ["Rollback abandoned on request; not undone: 'b', 'a'"]


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


ENGINE = {"execution.py", "rollback.py", "outcome.py", "interrupts.py", "signal.py"}
"""Files in which a signal may arrive between a failure and the end of its rollback."""


class _PressAt:
    """Presses Ctrl-C once, at the n-th place where Python looks for signals after a failure."""

    def __init__(self, place: int) -> None:
        self._left = place
        self.has_pressed = False

    def begin(self, _: BaseStepContext) -> None:
        """Begin to count, in the step that is about to fail."""
        sys.setprofile(self._count)

    def _count(self, frame: FrameType, event: str, _: object) -> None:
        # Calls, and the returns of functions written in C: Python looks for signals there and where a loop jumps back.
        if event in {"call", "c_return", "c_exception"} and Path(frame.f_code.co_filename).name in ENGINE:
            self._left -= 1
            if self._left == 0:
                sys.setprofile(None)
                self.has_pressed = True
                signal.raise_signal(signal.SIGINT)


@pytest.mark.parametrize("error", [ValueError("boom"), KeyboardInterrupt()], ids=["a failure", "a first press"])
def test_a_press_at_any_moment_after_a_failure_lets_everything_be_undone(error: BaseException) -> None:
    """Two presses in quick succession are frequent: a shell and a wrapper both pass Ctrl-C on."""
    numbers = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)
    before = [signal.getsignal(number) for number in numbers]
    places = 0
    while True:
        press, context, diary = _PressAt(places + 1), new_context(), list[str]()

        def fails(context: BaseStepContext, press: _PressAt = press) -> StepResult:
            press.begin(context)
            raise error

        try:
            with pytest.raises(BaseException) as caught:  # noqa: PT011  # which one is looked at below
                execute(ScriptedStep("a", diary), ScriptedStep("b", diary, does=fails), context=context)
        finally:
            sys.setprofile(None)
        if not press.has_pressed:
            break
        places += 1
        assert diary == ["run a", "run b", "undo b", "undo a"], f"at place {places}"
        assert isinstance(caught.value, KeyboardInterrupt), f"at place {places}"
        assert [signal.getsignal(number) for number in numbers] == before, f"at place {places}"
        assert (context.errors, context.current_step) == ([], None), f"at place {places}"

    assert places > 40


def test_handlers_are_back_in_place_after_a_rollback() -> None:
    """The engine borrows signals, it does not keep them."""
    numbers = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)
    before = [signal.getsignal(number) for number in numbers]

    with pytest.raises(StepFailedError):
        execute(PlainStep(), ScriptedStep("a", does=failing()))

    assert [signal.getsignal(number) for number in numbers] == before
