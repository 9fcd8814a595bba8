import os
import pty
import signal
import subprocess
import sys
import termios
import threading
from pathlib import Path

import pytest

from tests.unit.reporting.screen import Screen

ROOT = Path(__file__).parents[3]

SCRIPT = """
import sys, threading
from synapse_sdk.plugins.context import RuntimeContext
from synapse_sdk.plugins.steps import BaseStepContext, Orchestrator, StepRegistry, StepResult
from synapse_sdk.reporting import open_reporter
from tests.unit.steps.scripted import ScriptedStep, raising, registry_of

mode = sys.argv[1]

def resize(context):
    for number in range(20):
        context.set_progress(number + 1, 20)
        context.runtime_ctx.reporter.flush()
    print("one line by print")
    print("and two more,")
    print("one of them on stderr", file=sys.stderr)
    context.log("resize_failed", {"path": "고양이.png"})
    context.set_metrics({"failed": 1})
    context.runtime_ctx.reporter.flush()
    return StepResult(data={"failed": 1})

def report(context):
    if mode == "wait":
        print("READY", flush=True)
        threading.Event().wait(60)
    if mode == "fail":
        raise OSError("disk full")
    return StepResult()

steps = registry_of(ScriptedStep("resize_고양이_images", does=resize), ScriptedStep("report", does=report))
with open_reporter() as reporter:
    try:
        Orchestrator(steps, BaseStepContext(RuntimeContext(reporter=reporter))).execute()
    except (RuntimeError, KeyboardInterrupt) as error:
        code = 1
    else:
        code = 0
print("printed afterwards")
sys.exit(code)
"""


class Terminal:
    """A pseudo terminal, what was written to it, and the process that runs in it."""

    def __init__(self, columns: int) -> None:
        self.columns = columns
        self._master, self._slave = pty.openpty()
        termios.tcsetwinsize(self._slave, (24, columns))
        self._written = bytearray()
        self._changed = threading.Condition()
        self._reader = threading.Thread(target=self._read)
        self._process: subprocess.Popen[bytes] | None = None

    def run(self, *args: str, **environ: str) -> "subprocess.Popen[bytes]":
        """Start the script on this terminal."""
        inherited = {name: value for name, value in os.environ.items() if name not in {"NO_COLOR", "FORCE_COLOR"}}
        environ = inherited | {"TERM": "xterm-256color", "PYTHONUTF8": "1", "PYTHONPATH": str(ROOT)} | environ
        command = [sys.executable, "-c", SCRIPT, *args]
        self._process = subprocess.Popen(
            command, stdin=self._slave, stdout=self._slave, stderr=self._slave, env=environ, cwd=ROOT
        )
        os.close(self._slave)
        self._reader.start()
        return self._process

    def wait_for(self, text: str) -> None:
        """Wait until something is written."""
        with self._changed:
            assert self._changed.wait_for(lambda: text.encode() in self._written, timeout=60)

    def end(self) -> tuple[int, str]:
        """Wait for the end of the process and return its exit code and all that was written."""
        assert self._process is not None
        code = self._process.wait(60)
        self._reader.join(60)
        os.close(self._master)
        return code, self._written.decode()

    def _read(self) -> None:
        while True:
            try:
                piece = os.read(self._master, 65536)
            except OSError:  # Linux: nobody has the other side open any more
                return
            if not piece:
                return
            with self._changed:
                self._written += piece
                self._changed.notify_all()


@pytest.fixture(params=[100, 40], ids=["wide", "narrow"])
def terminal(request: pytest.FixtureRequest) -> Terminal:
    """Return a terminal of that width."""
    return Terminal(request.param)


def test_a_failure_on_a_terminal_ends_in_a_summary(terminal: Terminal) -> None:
    """What steps print stands above it, each line whole, and nothing of the drawing is left."""
    terminal.run("fail")
    code, written = terminal.end()

    lines = Screen(terminal.columns).feed(written).lines
    assert code == 1
    assert lines[:3] == ["one line by print", "and two more,", "one of them on stderr"]
    assert lines[3] == "resize_failed path=고양이.png"
    assert lines[4].startswith("↶ resize_고양이")
    assert "undone" in lines[4]
    assert lines[-1] == "printed afterwards"
    assert "failed and rolled back after" in " ".join(lines)
    assert not any("━" in line for line in lines)
    assert "━" in written


def test_ctrl_c_on_a_terminal_is_answered(terminal: Terminal) -> None:
    """The run is undone, and says that it was stopped."""
    process = terminal.run("wait")
    terminal.wait_for("READY")
    process.send_signal(signal.SIGINT)
    code, written = terminal.end()

    text = " ".join(Screen(terminal.columns).feed(written).lines)
    assert code == 1
    assert "stopped and rolled back after" in text
    assert "stopped by Ctrl-C" in text


def test_no_color_on_a_terminal(terminal: Terminal) -> None:
    """A bar without colour."""
    terminal.run("ok", NO_COLOR="1")
    code, written = terminal.end()

    screen = Screen(terminal.columns).feed(written)
    assert code == 0
    assert "━" in written
    assert not {part for colour in screen.colours for part in colour.split(";")} & {"31", "32", "33", "36"}


def test_a_dumb_terminal_gets_lines(terminal: Terminal) -> None:
    """No control characters at all."""
    terminal.run("fail", TERM="dumb")
    code, written = terminal.end()

    assert code == 1
    assert "\x1b" not in written
    assert "[2/2] report: FAILED after" in written
