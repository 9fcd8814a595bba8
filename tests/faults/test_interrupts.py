"""Real signals to real processes, while a step or a rollback is at work (DESIGN 4.4)."""

import json
import os
import signal
import subprocess
import sys
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="signals as POSIX has them")

PATIENCE = 60.0
"""Seconds after which a process that should have said something counts as hung."""
ROOT = Path(__file__).parents[2]

# The child says where it is, and goes on when it is told to on its standard input, so that a signal always comes at the
# same place. It reads bytes from the descriptor: a signal handler that raises leaves no half-read buffer behind.
CHILD = """
import json, os, select, signal, sys
from synapse_sdk.plugins.context import RuntimeContext
from synapse_sdk.plugins.steps import BaseStep, BaseStepContext, Orchestrator, StepRegistry, StepResult
from synapse_sdk.plugins.steps.utils import ParallelSteps

scenario = sys.argv[1]

def say(text):
    os.write(1, text.encode() + b"\\n")

def pause(text):
    say(text)
    while not select.select([0], [], [], 0.05)[0]:
        pass  # a signal that came just before a wait is noticed after it
    if not os.read(0, 1):
        raise SystemExit("nobody is there")

def press(*_):
    say("pressed")
    raise KeyboardInterrupt

class Step(BaseStep):
    name, progress_weight = "step", 0.5

    def __init__(self, name):
        self.name = name

    def execute(self, context):
        context.record_undo(name=self.name)
        say("run " + self.name)
        if self.name == "last":
            if scenario == "fails":
                return StepResult(success=False, error="boom")
            if scenario == "parallel":
                say("waiting in a thread")
                while signal.getsignal(signal.SIGINT) is press:
                    os.sched_yield()
            pause("waiting in a step")
        return StepResult()

    def rollback(self, context, result):
        assert result.rollback_data["undo_log"] == [{"name": self.name}]
        if self.name == "middle" and "--pause" in sys.argv:
            pause("waiting in a rollback")
            pause("still in the rollback")
            pause("and still")
        say("undo " + self.name)

registry = StepRegistry()
steps = [Step(name) for name in ("first", "middle", "last")]
if scenario == "parallel":
    signal.signal(signal.SIGINT, press)
    steps[1:] = [ParallelSteps(steps[1:], "both", max_workers=1)]
for step in steps:
    registry.register(step)
context = BaseStepContext(RuntimeContext())
if "--mortal" not in sys.argv:
    signal.signal(signal.SIGTERM, lambda *_: say("told to end"))
error = None
try:
    Orchestrator(registry, context).execute()
except BaseException as caught:
    error = caught
failed = error if isinstance(error, RuntimeError) else (error and (error.__cause__ or error.__context__))
say(json.dumps({
    "raised": type(error).__name__,
    "is_interrupt": isinstance(error, KeyboardInterrupt),
    "behind_it": str(failed or ""),
    "errors": context.errors,
    "current_step": context.current_step,
    "results": [result.success for result in context.step_results],
}))
"""


class Child:
    """A process that runs a workflow of three steps."""

    def __init__(self, *arguments: str) -> None:
        self._process = subprocess.Popen(
            [sys.executable, "-c", CHILD, *arguments],
            cwd=ROOT,
            env={**os.environ, "PYTHONDONTWRITEBYTECODE": "1"},
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            bufsize=0,
        )
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        assert self._process.stderr is not None
        self._in, self._out, self._err = self._process.stdin, self._process.stdout, self._process.stderr
        self._watchdog = threading.Timer(PATIENCE, self._process.kill)  # every read below then ends
        self._watchdog.start()
        self.diary: list[str] = []

    def wait_for(self, text: str) -> None:
        """Read what it says until it says this."""
        while (line := self._line()) != text:
            self.diary.append(line)

    def wait_for_note(self, text: str) -> str:
        """Read its standard error until it has this text, and return what was read."""
        note = b""
        while text.encode() not in note:
            chunk = self._err.read(1024)
            assert chunk, f"it ended without {text!r} and said: {note.decode()}"
            note += chunk
        return note.decode()

    def send(self, number: int) -> None:
        """Send it a signal."""
        self._process.send_signal(number)

    def go_on(self) -> None:
        """End its pause."""
        self._in.write(b"\n")

    def end(self) -> dict[str, Any]:
        """Wait for its end, and return what it says about the run."""
        story = self.story()
        assert self._out.read() == b""
        assert self._process.wait(PATIENCE) == 0, self._err.read().decode()
        return story

    def story(self) -> dict[str, Any]:
        """Return what it says about the run, while it may still have to wait for its threads."""
        while not (line := self._line()).startswith("{"):
            self.diary.append(line)
        story: dict[str, Any] = json.loads(line)
        return story

    def die(self) -> int:
        """Wait for its end without a word, and return the signal that ended it."""
        self.diary += self._out.read().decode().splitlines()
        return -self._process.wait(PATIENCE)

    def clean_up(self) -> None:
        """Leave nothing running."""
        self._watchdog.cancel()
        self._process.kill()
        self._process.wait(PATIENCE)
        for stream in (self._in, self._out, self._err):
            stream.close()

    def _line(self) -> str:
        line = b""
        while not line.endswith(b"\n"):
            byte = self._out.read(1)
            assert byte, f"it ended after {self.diary}: {self._err.read().decode()}"
            line += byte
        return line.decode().removesuffix("\n")


@pytest.fixture
def child(request: pytest.FixtureRequest) -> Iterator[Child]:
    """The process, with the arguments that the test's `child` parameter says."""
    child = Child(*request.param)
    yield child
    child.clean_up()


RUN = ["run first", "run middle", "run last"]
UNDONE = ["undo last", "undo middle", "undo first"]
in_a_step = pytest.mark.parametrize("child", [["waits"]], indirect=True, ids=["in a step"])
in_a_step_and_its_rollback = pytest.mark.parametrize(
    "child", [["waits", "--pause"]], indirect=True, ids=["in a step and its rollback"]
)
in_a_mortal_rollback = pytest.mark.parametrize(
    "child", [["fails", "--pause", "--mortal"]], indirect=True, ids=["in a rollback, SIGTERM ends the process"]
)
in_parallel = pytest.mark.parametrize("child", [["parallel"]], indirect=True, ids=["in parallel steps"])
in_a_rollback = pytest.mark.parametrize("child", [["fails", "--pause"]], indirect=True, ids=["in a rollback"])


@in_a_step
def test_one_press_during_a_step_undoes_everything(child: Child) -> None:
    """And the KeyboardInterrupt goes on as itself."""
    child.wait_for("waiting in a step")
    child.send(signal.SIGINT)
    story = child.end()

    assert child.diary == RUN + UNDONE
    assert story == {
        "raised": "KeyboardInterrupt",
        "is_interrupt": True,
        "behind_it": "",
        "errors": [],
        "current_step": None,
        "results": [True, True, False],
    }


@in_a_step_and_its_rollback
def test_a_second_press_says_that_the_rollback_goes_on(child: Child) -> None:
    """It is completed, and the first press goes on."""
    child.wait_for("waiting in a step")
    child.send(signal.SIGINT)
    child.wait_for("waiting in a rollback")
    child.send(signal.SIGINT)
    note = child.wait_for_note("unfinished.")
    child.go_on()
    child.go_on()
    child.go_on()
    story = child.end()

    assert note == "\nThe rollback goes on. Press Ctrl-C 1 more time to leave it unfinished.\n"
    assert [line for line in child.diary if "undo" in line] == UNDONE
    assert (story["raised"], story["errors"], story["current_step"]) == ("KeyboardInterrupt", [], None)


@in_a_step_and_its_rollback
def test_a_third_press_leaves_and_names_what_is_left(child: Child) -> None:
    """Whoever insists gets out, with an honest account."""
    child.wait_for("waiting in a step")
    child.send(signal.SIGINT)
    child.wait_for("waiting in a rollback")
    child.send(signal.SIGINT)
    child.wait_for_note("1 more time")
    child.send(signal.SIGINT)
    story = child.end()

    assert [line for line in child.diary if "undo" in line] == ["undo last"]
    assert story["is_interrupt"]
    assert story["errors"] == ["Rollback abandoned on request; not undone: 'middle', 'first'"]
    assert story["current_step"] is None


@in_a_rollback
def test_one_press_during_a_rollback_is_held_and_obeyed_afterwards(child: Child) -> None:
    """A failure began the rollback: it is completed, and the failure is not forgotten."""
    child.wait_for("waiting in a rollback")
    child.send(signal.SIGINT)
    note = child.wait_for_note("unfinished.")
    child.go_on()
    child.go_on()
    child.go_on()
    story = child.end()

    assert "Press Ctrl-C 2 more times to leave it unfinished." in note
    assert [line for line in child.diary if "undo" in line] == UNDONE
    assert story["is_interrupt"]
    assert story["behind_it"] == "Step 'last' failed: boom"
    assert story["errors"] == []


@in_a_rollback
def test_two_presses_during_a_rollback_do_not_cut_it_short(child: Child) -> None:
    """Each is answered by a note."""
    child.wait_for("waiting in a rollback")
    child.send(signal.SIGINT)
    child.wait_for_note("2 more times")
    child.go_on()
    child.wait_for("still in the rollback")
    child.send(signal.SIGINT)
    child.wait_for_note("1 more time ")
    child.go_on()
    child.go_on()
    story = child.end()

    assert [line for line in child.diary if "undo" in line] == UNDONE
    assert (story["is_interrupt"], story["errors"]) == (True, [])


@in_a_rollback
def test_three_presses_during_a_rollback_leave_it(child: Child) -> None:
    """The failure that began it stays the cause."""
    child.wait_for("waiting in a rollback")
    child.send(signal.SIGINT)
    child.wait_for_note("2 more times")
    child.send(signal.SIGINT)
    child.wait_for_note("1 more time ")
    child.send(signal.SIGINT)
    story = child.end()

    assert [line for line in child.diary if "undo" in line] == ["undo last"]
    assert story["is_interrupt"]
    assert story["behind_it"] == "Step 'last' failed: boom" or story["behind_it"] == "boom"
    assert story["errors"] == ["Rollback abandoned on request; not undone: 'middle', 'first'"]


@in_a_rollback
def test_a_request_to_end_during_a_rollback_is_delivered_afterwards(child: Child) -> None:
    """SIGTERM cuts nothing short and is not forgotten."""
    child.wait_for("waiting in a rollback")
    child.send(signal.SIGTERM)
    child.wait_for_note("2 more times")
    child.go_on()
    child.go_on()
    child.go_on()
    story = child.end()

    assert child.diary[-3:] == ["undo middle", "undo first", "told to end"]
    assert story["raised"] == "StepFailedError"
    assert story["errors"] == []


@in_a_mortal_rollback
def test_a_request_to_end_ends_the_process_after_the_rollback(child: Child) -> None:
    """As a supervisor expects it; and everything is undone."""
    child.wait_for("waiting in a rollback")
    child.send(signal.SIGTERM)
    child.wait_for_note("2 more times")
    child.go_on()
    child.go_on()
    child.go_on()
    number = child.die()

    assert child.diary[-2:] == ["undo middle", "undo first"]
    assert number == signal.SIGTERM


@in_parallel
def test_a_second_press_during_parallel_steps_says_what_is_waited_for(child: Child) -> None:
    """What runs in a thread cannot be stopped: it is waited for, and then undone."""
    child.wait_for("waiting in a thread")
    child.send(signal.SIGINT)
    child.wait_for("waiting in a step")
    child.send(signal.SIGINT)
    note = child.wait_for_note("leave without.")
    child.go_on()
    story = child.end()

    assert note == "\nWaiting for 1 of 2 parallel steps, to undo them. Press Ctrl-C 1 more time to leave without.\n"
    assert [line for line in child.diary if "undo" in line] == UNDONE
    assert (story["raised"], story["errors"], story["current_step"]) == ("KeyboardInterrupt", [], None)


@in_parallel
def test_a_request_to_end_during_parallel_steps_is_delivered_after_the_rollback(child: Child) -> None:
    """It came after a Ctrl-C, while what runs in threads was waited for: it is not forgotten either."""
    child.wait_for("waiting in a thread")
    child.send(signal.SIGINT)
    child.wait_for("waiting in a step")
    child.send(signal.SIGTERM)
    child.wait_for_note("leave without.")
    child.go_on()
    story = child.end()

    assert child.diary[-4:] == [*UNDONE, "told to end"]
    assert (story["raised"], story["errors"]) == ("KeyboardInterrupt", [])


@in_parallel
def test_a_third_press_during_parallel_steps_leaves_them(child: Child) -> None:
    """A rollback beside a step that still runs would be a race: nothing is undone, and it is said."""
    child.wait_for("waiting in a thread")
    child.send(signal.SIGINT)
    child.wait_for("waiting in a step")
    child.send(signal.SIGINT)
    child.wait_for_note("leave without.")
    child.send(signal.SIGINT)
    story = child.story()
    child.go_on()  # only now does the thread end, and with it the process
    number = child.die()

    assert [line for line in child.diary if "undo" in line] == []
    assert story["is_interrupt"]
    assert story["errors"] == ["Rollback abandoned on request; not undone: 'both', 'first'"]
    assert number == 0
