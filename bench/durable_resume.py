"""How long it takes to go on with a run whose process was killed in the middle.

    python -m bench.durable_resume die FOLDER STEPS          runs STEPS steps, and kills itself half way
    python -m bench.durable_resume go_on FOLDER STEPS        resumes that run, and prints when what happened
    python -m bench.durable_resume go_on_cold FOLDER STEPS   the same, but imports only what a caller would

A process dies once; each round resumes a copy of what it left, in a fresh process.
"""

import json
import os
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from importlib import import_module
from pathlib import Path
from typing import Any

from bench.durable_journal import RUN, BenchContext, CountingStep, Figures, scratch, state_of
from synapse_sdk.journal import SqliteJournal
from synapse_sdk.plugins import BaseAction
from synapse_sdk.plugins.steps import BaseStepContext, StepRegistry, StepResult

__all__ = ["resume_line", "resumes"]

STEPS, QUICK_STEPS = 10_000, 1_000
ROUNDS, QUICK_ROUNDS = 5, 2
PATIENCE = 20.0
"""Seconds after which no further round is begun: the second half of the run waits for the disk at each step."""
FIGURES = ("start to call", "call to first step", "start to first step", "call to end", "start to end")
"""From and to which instant a time is: the start of the process, the call that resumes, the first new step, the end."""
IMPORTS = (
    "synapse_sdk.journal.open",
    "synapse_sdk.journal.sqlite",
    "synapse_sdk.plugins.models",
    "synapse_sdk.plugins.runs",
    "synapse_sdk.plugins.steps.announce",
    "synapse_sdk.plugins.steps.rollback",
)
"""What resuming imports on the way; imported before, the time of the call is that of its work."""
LIMIT = 60.0
"""Seconds after which a process counts as stuck."""


class FatefulStep(CountingStep):
    """Notes when the first of its kind ran; one of them may kill the process."""

    first_at = 0.0
    fatal_number = -1

    def execute(self, context: BenchContext) -> StepResult:
        """Count, or die."""
        if not FatefulStep.first_at:
            FatefulStep.first_at = time.monotonic()
        if self.number == FatefulStep.fatal_number:
            os.kill(os.getpid(), signal.SIGKILL)
        return super().execute(context)


class ManySteps(BaseAction[dict[str, int]]):
    """Many steps that do nothing but count."""

    def setup_steps(self, registry: StepRegistry[Any]) -> None:
        """Register as many as the parameters say."""
        for number in range(self.params["steps"]):
            registry.register(FatefulStep(number))

    def create_context(self) -> BaseStepContext:
        """Return an empty context."""
        return BenchContext(self.ctx)


def die(path: Path, steps: int) -> None:
    """Run half of the steps; at the level `kill`, which is faster and leaves the same."""
    from synapse_sdk.plugins import run_action  # noqa: PLC0415  # the other half of this program is timed

    FatefulStep.fatal_number = steps // 2
    with SqliteJournal(path, level="kill") as journal:
        run_action(ManySteps, {"steps": steps}, job_id=RUN, journal=journal)


def go_on(path: Path, *, imports_first: bool) -> None:
    """Resume the run at the level `power`, as users do, and print instants of the machine's monotonic clock."""
    if imports_first:
        for name in IMPORTS:
            import_module(name)
        import_module("pydantic").TypeAdapter(int)  # has it load what it loads on first use
    from synapse_sdk.plugins.runs import resume_run  # noqa: PLC0415  # as in `die`

    called_at = time.monotonic()
    resume_run(RUN, journal=path, action=ManySteps)
    at = {"call": called_at, "first step": FatefulStep.first_at, "end": time.monotonic()}
    print(json.dumps({"at": at, "ran": CountingStep.ran}))


def resumes(*, is_quick: bool) -> Iterator[Figures]:
    """Kill a run, resume it in several rounds, and yield the best of each figure."""
    steps, rounds = (QUICK_STEPS, QUICK_ROUNDS) if is_quick else (STEPS, ROUNDS)
    ways = {"ours": "go_on", "ours, which imports within the call": "go_on_cold"}
    times: dict[str, list[dict[str, float]]] = {engine: [] for engine in ways}
    with scratch() as folder:
        left = folder / "left"
        left.mkdir()
        died = start("die", left, steps)
        assert died.returncode == -signal.SIGKILL, died.stderr
        begin = time.monotonic()
        for number in range(rounds):
            if number and time.monotonic() - begin > PATIENCE:
                break
            for engine, task in ways.items():
                times[engine].append(resume_copy(left, folder / "copy", task, steps))
    for engine, rounds_of_it in times.items():
        yield resume_line(engine, steps, {name: min(each[name] for each in rounds_of_it) for name in FIGURES})


def resume_line(engine: str, steps: int, seconds: dict[str, float]) -> Figures:
    """Return an engine's line of the table; the peers give the same figures, in seconds."""
    line: Figures = {
        "table": "Resuming a run that was killed half way, in a fresh process, ms",
        "engine": engine,
        "steps": steps,
        "left to run": steps - steps // 2,
    }
    return line | {name: round(seconds[name] * 1e3, 1) for name in FIGURES}


def resume_copy(left: Path, folder: Path, task: str, steps: int) -> dict[str, float]:
    """Resume a copy of what the dead process left, check that it went on where it was, and return seconds."""
    shutil.copytree(left, folder)
    started_at = time.monotonic()  # of the machine, so that it can be compared with that of another process
    went_on = start(task, folder, steps)
    assert went_on.returncode == 0, went_on.stderr
    told = json.loads(went_on.stdout)
    assert told["ran"] == steps - steps // 2
    state = state_of(folder / "journal.db", steps)
    starts = [step.starts for step in state.steps.values()]
    assert (state.resumes, sum(starts), starts[steps // 2]) == (1, steps + 1, 2)
    shutil.rmtree(folder)
    instants = {"start": started_at, **told["at"]}
    return {name: instants[name.split(" to ")[1]] - instants[name.split(" to ")[0]] for name in FIGURES}


def start(task: str, folder: Path, steps: int) -> "subprocess.CompletedProcess[str]":
    """Run one of the tasks of this program to its end, in a process of its own."""
    command = [sys.executable, "-m", "bench.durable_resume", task, str(folder), str(steps)]
    root = Path(__file__).resolve().parent.parent
    return subprocess.run(command, check=False, capture_output=True, text=True, cwd=root, timeout=LIMIT)


def main() -> None:
    """Do what the command line says; it is `resumes` that writes it."""
    task, folder, steps = sys.argv[1:]
    path = Path(folder, "journal.db")
    if task == "die":
        die(path, int(steps))
    else:
        go_on(path, imports_first=task == "go_on")


if __name__ == "__main__":
    main()
