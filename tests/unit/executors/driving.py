"""Processes that run an action in a worker, both of which a test may do harm to."""

import json
import subprocess
import sys
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Self

from synapse_sdk.executors import RunSpec

__all__ = ["PLUGIN", "Driver", "answer_spec", "process_state", "steps_spec", "wait_until"]

PLUGIN = Path(__file__).with_name("plugin")
PATIENCE = 60.0

SCRIPT = """
import json, sys
from pathlib import Path
from synapse_sdk.executors import RunSpec, open_executor
from synapse_sdk.reporting import MemoryReporter

class Reporter(MemoryReporter):
    def observe(self, event):
        super().observe(event)
        if type(event).__name__ == "InterruptHeld":
            Path(spec.params["folder"], f"held {event.presses}").touch()

spec = RunSpec.from_json(sys.argv[1])
reporter = Reporter()
try:
    said = {"result": open_executor(sys.argv[2]).run(spec, reporter)}
except BaseException as error:
    said = {"raised": type(error).__name__, "message": str(error)}
print(json.dumps({**said, "events": [type(event).__name__ for event in reporter.events]}))
"""
"""Runs a spec, leaves a sign for each Ctrl-C that is held back, and says how it went."""


def steps_spec(scene: Path, mode: str) -> RunSpec:
    """Return the run of two steps that leave signs in a folder."""
    return RunSpec(plugin=str(PLUGIN), action="steps", params={"folder": str(scene), "mode": mode}, job_id="job-1")


def answer_spec(question: str, **env: str) -> RunSpec:
    """Return the run of an action that answers a question."""
    return RunSpec(plugin=str(PLUGIN), action="answer", params={"question": question}, env=env, job_id="job-1")


def wait_until(condition: Callable[[], object], what: str) -> None:
    """Wait for something that will be so, for a bounded time."""
    end = time.monotonic() + PATIENCE
    while not condition():
        assert time.monotonic() < end, f"waited too long until {what}"
        time.sleep(0.005)


def process_state(pid: int) -> str:
    """Return the letter for the state of a process: T is stopped, Z ended and not yet noticed, empty is gone."""
    try:
        return Path(f"/proc/{pid}/stat").read_text(encoding="utf-8").rpartition(")")[2].split()[0]
    except (FileNotFoundError, ProcessLookupError):
        return ""


@dataclass(frozen=True)
class Driver:
    """A process that runs the two steps in a worker."""

    process: subprocess.Popen[str]
    scene: Path

    @classmethod
    def start(cls, scene: Path, executor: str, mode: str, *, script: str = SCRIPT, **options: bool | int) -> Self:
        """Start one that uses an executor, in a session of its own unless the options say otherwise."""
        process = subprocess.Popen(
            [sys.executable, "-c", script, steps_spec(scene, mode).to_json(), executor],
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            **(options or {"start_new_session": True}),  # type: ignore[call-overload]  # keywords of Popen
        )
        return cls(process, scene)

    def wait_for(self, sign: str) -> None:
        """Wait until the action has left a sign."""
        wait_until((self.scene / sign).exists, f"there is a sign {sign!r}")

    def has(self, sign: str) -> bool:
        """Whether the action has left a sign."""
        return (self.scene / sign).exists()

    def give(self, sign: str) -> None:
        """Leave a sign for the action."""
        (self.scene / sign).touch()

    @property
    def worker(self) -> int:
        """Process id of the worker, once it is in its second step."""
        self.wait_for("second")
        return int((self.scene / "second").read_text(encoding="utf-8"))

    def said(self) -> dict[str, Any]:
        """Return what it said at its end."""
        printed, errors = self.process.communicate(timeout=PATIENCE)
        assert printed, errors
        said: dict[str, Any] = json.loads(printed)
        return said
