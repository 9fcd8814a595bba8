"""Real processes: the command as a user or a script starts it, with every wait bounded."""

import json
import os
import queue
import shlex
import signal
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

PATIENCE = 60.0
"""Seconds after which a process that should have said or done something counts as hung."""
COMMAND = (sys.executable, "-m", "synapse_sdk.cli")


@dataclass(frozen=True)
class Outcome:
    """What a process left behind."""

    code: int
    out: str
    err: str

    @property
    def result(self) -> Any:  # noqa: ANN401  # a JSON object
        """The last line of standard output, which has to be of type `result`, and the only one of it."""
        records = [json.loads(line) for line in self.out.splitlines()]
        assert [record["type"] for record in records].count("result") == 1
        assert records[-1]["type"] == "result"
        return records[-1]


class Running:
    """A process that runs; what it writes to standard error is read all the time."""

    def __init__(self, process: subprocess.Popen[str]) -> None:
        self.process = process
        self._lines: queue.Queue[str | None] = queue.Queue()
        self._seen: list[str] = []
        self._reader = threading.Thread(target=self._read, daemon=True)
        self._reader.start()

    def _read(self) -> None:
        assert self.process.stderr is not None
        for line in self.process.stderr:
            self._lines.put(line)
        self._lines.put(None)

    def wait_for(self, text: str) -> None:
        """Wait until a line of standard error has the text."""
        while True:
            line = self._lines.get(timeout=PATIENCE)
            assert line is not None, f"it ended without {text!r}: {''.join(self._seen)}"
            self._seen.append(line)
            if text in line:
                return

    def signal(self, number: int) -> None:
        """Send a signal to this process alone."""
        self.process.send_signal(number)

    def end(self) -> Outcome:
        """Wait for the end, but not for ever."""
        out: list[str] = []
        if self.process.stdout is not None and not self.process.stdout.closed:
            reading = threading.Thread(target=lambda stream: out.append(stream.read()), args=(self.process.stdout,))
            reading.daemon = True
            reading.start()
            reading.join(PATIENCE)
            assert not reading.is_alive(), f"it does not end; so far it said {[*self._lines.queue]}"
        code = self.process.wait(PATIENCE)
        self._reader.join(PATIENCE)
        while not self._lines.empty():
            self._seen.append(self._lines.get() or "")
        return Outcome(code, "".join(out), "".join(self._seen))


class Shell:
    """Starts processes for a user with an empty home folder."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.environ = {name: value for name, value in os.environ.items() if not name.startswith(("SYNAPSE_", "XDG_"))}
        self.environ |= {"HOME": str(folder.parent), "TERM": "dumb"}
        for name in ("NO_COLOR", "FORCE_COLOR", "COLUMNS"):
            self.environ.pop(name, None)
        self._started: list[subprocess.Popen[str]] = []

    def run(self, *args: str, env: Mapping[str, str] | None = None, stdin: str = "", **options: Any) -> Outcome:  # noqa: ANN401  # of subprocess
        """Run `synapse` to its end."""
        return self.run_program(*COMMAND, *args, env=env, stdin=stdin, **options)

    def run_program(
        self,
        *command: str,
        env: Mapping[str, str] | None = None,
        stdin: str = "",
        **options: Any,  # noqa: ANN401  # of subprocess
    ) -> Outcome:
        """Run any program to its end."""
        done = subprocess.run(
            command,
            cwd=self.folder,
            env={**self.environ, **(env or {})},
            input=stdin,
            capture_output=True,
            encoding="utf-8",
            timeout=PATIENCE,
            check=False,
            **options,
        )
        return Outcome(done.returncode, done.stdout, done.stderr)

    @staticmethod
    def command_line(command: str) -> list[str]:
        """Return a command as it is written in the documentation, with the program that is tested."""
        program, *args = shlex.split(command)
        assert program == "synapse"
        return [*COMMAND, *args]

    @staticmethod
    def quoted(*args: str) -> str:
        """Return a call of `synapse` for `sh -c`."""
        return shlex.join([*COMMAND, *args])

    def start(self, *args: str, env: Mapping[str, str] | None = None, prefix: tuple[str, ...] = ()) -> Running:
        """Start `synapse` and go on."""
        process = subprocess.Popen(
            [*prefix, *COMMAND, *args],
            cwd=self.folder,
            env={**self.environ, **(env or {})},
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            encoding="utf-8",
            bufsize=1,
        )
        self._started.append(process)
        return Running(process)

    def stopped(self, *args: str, at: str, prefix: tuple[str, ...] = ()) -> Running:
        """Start `synapse`, which stands still at a failpoint, and return it when it does.

        Args:
            args: Those of the command.
            at: The failpoint, and which time it is passed: `step.executed=stop@2`.
            prefix: A program that runs it.
        """
        running = self.start(*args, env={"SYNAPSE_FAILPOINTS": at}, prefix=prefix)
        _, status = os.waitpid(running.process.pid, os.WUNTRACED)
        assert os.WIFSTOPPED(status), running.end()
        return running

    def signalled(self, *args: str, at: str, number: int) -> Outcome:
        """Run `synapse`, and send it a signal while it stands still at a failpoint; see `stopped`."""
        running = self.stopped(*args, at=at)
        running.signal(number)
        running.signal(signal.SIGCONT)
        return running.end()

    def clean_up(self) -> None:
        """End what a failed test has left running."""
        for process in self._started:
            process.kill()
            process.wait(PATIENCE)
            for stream in (process.stdout, process.stderr):
                if stream is not None:
                    stream.close()


@pytest.fixture
def shell(tmp_path: Path) -> Iterator[Shell]:
    """A shell in an empty folder `here`."""
    folder = tmp_path / "here"
    folder.mkdir()
    shell = Shell(folder)
    yield shell
    shell.clean_up()


@pytest.fixture
def write_plugin(shell: Shell) -> Callable[..., None]:
    """Write a plugin into the current folder: its name, the code of its one module, its actions."""

    def write(name: str, code: str, actions: Mapping[str, str], manifest: str | None = None) -> None:
        folder = shell.folder / name
        folder.mkdir()
        entries = "".join(f"  {action}: {{entrypoint: '{entrypoint}'}}\n" for action, entrypoint in actions.items())
        text = f"name: {name}\ncode: {name}\nactions:\n{entries}" if manifest is None else manifest
        (folder / "config.yaml").write_text(text, encoding="utf-8")
        (folder / "code.py").write_text(code, encoding="utf-8")

    return write


SLOW = """
import os
import sys
import time
from pathlib import Path

from synapse_sdk.plugins import BaseAction
from synapse_sdk.plugins.steps import BaseStep, StepResult


def say(text):
    print(text, file=sys.stderr, flush=True)


def wait_for(path):
    deadline = time.monotonic() + 60
    while not Path(path).exists() and time.monotonic() < deadline:
        time.sleep(0.02)


class Write(BaseStep):
    name, progress_weight = "write", 0.5

    def execute(self, context):
        context.record_undo(path="first")
        Path("first").touch()
        return StepResult()

    def rollback(self, context, result):
        Path("first").unlink()


class Wait(BaseStep):
    name, progress_weight = "wait", 0.5

    def execute(self, context):
        context.record_undo(path="second")
        Path("second").touch()
        say("the step runs")
        wait_for("go-on")
        return StepResult()

    def rollback(self, context, result):
        say("the rollback runs")
        if os.environ.get("SLOW_ROLLBACK"):
            wait_for("go-back")
        Path("second").unlink()


class Slow(BaseAction[dict]):
    def setup_steps(self, registry):
        registry.register(Write())
        registry.register(Wait())

    def build_result(self, context, summary):
        return {"done": True}
"""


@pytest.fixture
def slow_plugin(write_plugin: Callable[..., None]) -> str:
    """A plugin with an action that writes two files and waits between them until `go-on` is there."""
    write_plugin("slow", SLOW, {"slow": "code:Slow"})
    return "slow"
