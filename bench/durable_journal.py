"""What the durable measurements share: a place on the disk, steps that do nothing but count, and recorded runs."""

import gc
import os
import time
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from tempfile import TemporaryDirectory

from synapse_sdk.journal import RunId, RunSource, RunState, SqliteJournal, read_state
from synapse_sdk.plugins import RuntimeContext
from synapse_sdk.plugins.journalling import journalled
from synapse_sdk.plugins.steps import BaseStep, BaseStepContext, Orchestrator, StepRegistry, StepResult
from synapse_sdk.reporting.events import RunStatus

__all__ = [
    "RUN",
    "BenchContext",
    "CountingStep",
    "Figures",
    "in_memory",
    "recorded",
    "registry_of",
    "scratch",
    "state_of",
]

type Figures = dict[str, str | int | float | None]
"""One line of a table, by the heads of its columns; `table` is the title of the table."""

BENCH_DIR = Path(os.environ.get("BENCH_DIR", ".bench")).absolute()
RUN = RunId("bench")
"""The only run of each journal."""


@dataclass
class TimeTaken:
    """Seconds that something took."""

    wall: float = 0.0
    cpu: float = 0.0
    """Of all threads of this process: what the load on the machine and the moods of the disk change least."""


@contextmanager
def timed() -> Iterator[TimeTaken]:
    """Time a block."""
    taken = TimeTaken()
    gc.collect()
    cpu, wall = time.process_time(), time.perf_counter()
    yield taken
    taken.wall, taken.cpu = time.perf_counter() - wall, time.process_time() - cpu


@dataclass
class BenchContext(BaseStepContext):
    """What the steps share: nothing, unless a measurement is about the context."""

    note: str = ""
    keys: list[str] = field(default_factory=list)


class CountingStep(BaseStep[BenchContext]):
    """Does nothing but count, and returns which one it is."""

    progress_weight = 1.0
    ran = 0

    def __init__(self, number: int) -> None:
        self.number = number

    @property
    def name(self) -> str:
        """Name of the step, by its number."""
        return f"step_{self.number}"

    def execute(self, context: BenchContext) -> StepResult:
        """Count."""
        CountingStep.ran += 1
        return StepResult(data={"n": self.number})


@contextmanager
def scratch() -> Iterator[Path]:
    """Yield a fresh folder beside the results, which are on a real disk: in memory `durable` would cost nothing."""
    parent = BENCH_DIR / "tmp"
    parent.mkdir(parents=True, exist_ok=True)
    with TemporaryDirectory(prefix="durable_", dir=parent) as folder:
        yield Path(folder)


def registry_of(steps: Iterable[BaseStep[BenchContext]]) -> StepRegistry[BenchContext]:
    """Return a registry of these steps."""
    registry: StepRegistry[BenchContext] = StepRegistry()
    for step in steps:
        registry.register(step)
    return registry


def in_memory(registry: StepRegistry[BenchContext]) -> TimeTaken:
    """Run the steps without a journal."""
    orchestrator = Orchestrator(registry, BenchContext(RuntimeContext()))
    with timed() as taken:
        orchestrator.execute()
    return taken


def recorded(
    journal: SqliteJournal, registry: StepRegistry[BenchContext], context: BenchContext | None = None
) -> TimeTaken:
    """Run the steps in a new journal; the time is that of the run, without taking it up and handing it back."""
    journal.create_run(RUN, RunSource(plugin="", action="bench"))
    with journalled(journal, RUN) as run:
        orchestrator = Orchestrator(registry, context or BenchContext(RuntimeContext()), journal=run)
        with timed() as taken:
            orchestrator.execute()
        return taken


def state_of(path: Path, steps: int) -> RunState:
    """Read the run back from the disk, every digest checked, and make sure that so many steps have succeeded."""
    with SqliteJournal(path, read_only=True) as journal:
        assert journal.run(RUN).status is RunStatus.SUCCEEDED
        state = read_state(journal, RUN)
    assert state.status is RunStatus.SUCCEEDED
    assert sum(step.is_finished for step in state.steps.values()) == len(state.steps) == steps
    return state
