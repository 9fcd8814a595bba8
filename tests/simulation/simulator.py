"""Random schedules of crash, freeze, takeover, cancellation and lost messages, each of which a seed gives again."""

from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, fields
from random import Random
from typing import Any, Never, Self

from synapse_sdk.errors import JournalError, LeaseHeldError, LeaseLostError, RunCancelledError, StepFailedError
from synapse_sdk.failpoints import hit, install
from synapse_sdk.journal import Frame, Lease, MemoryJournal, RunId, RunRecord, RunSource, read_state
from synapse_sdk.journal.base import LEASE_SECONDS
from synapse_sdk.journal.writer import RunWriter
from synapse_sdk.plugins import durable as durable_module
from synapse_sdk.plugins.context import RuntimeContext
from synapse_sdk.plugins.durable import DurableRun
from synapse_sdk.plugins.steps import Orchestrator
from synapse_sdk.reporting.events import RunStatus
from synapse_sdk.testing import FakeClock
from tests.simulation.process import KilledError, Process, ViolationError
from tests.simulation.world import (
    TaskContext,
    difference,
    random_tasks,
    registry_of,
    what_stands_at_first,
    what_stands_at_last,
)

__all__ = ["Figures", "Simulation", "simulate"]

RUN = RunId("51a51a51a51a")
UNDISTURBED = 12
"""The worker after which nothing goes wrong any more, so that the run must come to its end."""
ENOUGH = 24
"""Workers that must be enough for that."""


@dataclass
class Figures:
    """What happened in one or more schedules."""

    schedules: int = 0
    workers: int = 0
    crashes: int = 0
    takeovers: int = 0
    frozen: int = 0
    refused: int = 0
    """Workers that woke up and were told that the run is another's."""
    refused_again: int = 0
    """Messages that arrived a second time and were refused."""
    lost: int = 0
    """Messages and answers that were lost."""
    late: int = 0
    """Effects of a worker in the moment between waking up and being told."""
    cancelled: int = 0
    succeeded: int = 0
    rolled_back: int = 0
    nothing_to_undo: int = 0

    def __iadd__(self, other: "Figures") -> Self:
        for each in fields(self):
            setattr(self, each.name, getattr(self, each.name) + getattr(other, each.name))
        return self


def simulate(seed: int) -> Figures:
    """Run one schedule and check what became of it.

    Raises:
        AssertionError: A promise was broken; the message has the seed.
    """
    simulation = Simulation(seed)
    try:
        with simulation.installed():
            simulation.run()
        simulation.check()
    except (ViolationError, AssertionError, Exception) as error:
        msg = f"{type(error).__name__}: {error}\nAgain: SYNAPSE_SIM_SEED={seed} .venv/bin/pytest tests/simulation"
        raise AssertionError(msg) from error
    return simulation.figures


class Simulation:
    """One run, from its creation to its end, through the hands of many workers."""

    def __init__(self, seed: int) -> None:
        self.rng = Random(seed)  # noqa: S311  # schedules, not secrets
        self.tasks = random_tasks(self.rng)
        self.objects = what_stands_at_first(self.tasks)
        self.clock = FakeClock()
        self.journal = MemoryJournal(self.clock)
        self.figures = Figures(schedules=1)
        # As the journal tells
        self.finished: set[str] = set()
        self.undone: set[str] = set()
        self.recorded: set[tuple[str, str]] = set()
        self.sent: list[tuple[Lease, Frame, RunStatus | None]] = []
        self.rollbacks: list[list[str]] = []
        """Per rollback: its steps in the order in which they were undone."""
        self.undo_failures: Counter[str] = Counter()
        self.late: set[str] = set()
        self._stack: list[Process] = []
        self._seconds = 0.0
        self._share_of_faults = self.rng.choice((0.0, 0.0, 0.05, 0.2, 0.6))

    def run(self) -> None:
        """Hand the run from worker to worker until it has ended."""
        self.journal.create_run(RUN, RunSource(plugin="", action="simulated"))
        while not self.record().has_ended and self.figures.workers < ENOUGH:
            self.hand_over()

    def record(self) -> RunRecord:
        """Return the run as the journal has it."""
        return self.journal.run(RUN)

    @contextmanager
    def installed(self) -> Iterator[None]:
        """Have the engine's failpoints and its measuring of time lead here."""
        before = {name: getattr(durable_module, name) for name in ("monotonic", "thread_time")}
        for name in before:
            setattr(durable_module, name, self._monotonic)
        hook = install(lambda name: self._stack[-1].point(name))  # noqa: PLW0108  # the worker of that moment
        try:
            yield
        finally:
            install(hook)
            for name, function in before.items():
                setattr(durable_module, name, function)

    def _monotonic(self) -> float:
        """Return the time that saving seems to take: now and then so much that it is not done each time."""
        self._seconds += self.rng.choice((0.0, 0.0, 0.0, 0.01))
        return self._seconds

    # Workers

    def hand_over(self) -> None:
        """Let another worker try its luck."""
        self.figures.workers += 1
        number, rng = self.figures.workers, self.rng
        calm = number > UNDISTURBED
        dies_at = 0 if calm or rng.random() < 0.3 else rng.choice((rng.randint(1, 12), rng.randint(1, 60)))
        freezes_at = 0 if calm or len(self._stack) > 1 or rng.random() < 0.6 else rng.randint(1, 30)
        process = Process(self, number, dies_at=dies_at, freezes_at=freezes_at)
        self._stack.append(process)
        try:
            self._work(process)
        except KilledError:
            self._after_death()
        except LeaseHeldError:
            self.clock.advance(LEASE_SECONDS)
        except LeaseLostError:
            self.figures.refused += 1
        except (StepFailedError, RunCancelledError, JournalError):
            pass
        finally:
            self._stack.pop()

    def _after_death(self) -> None:
        """Let the lease of a dead worker end; until then nobody can have the run."""
        if self.record().is_owned and self.rng.random() < 0.5:
            self.clock.advance(LEASE_SECONDS / 4)
            return  # whoever comes next is refused
        self.clock.advance(LEASE_SECONDS)

    def _work(self, process: Process) -> None:
        """Do what `plugins.journalling` does, with threads left out."""
        lease = process.journal.acquire_lease(RUN, process.owner, LEASE_SECONDS)
        self.figures.takeovers += lease.token > 1
        hit("lease.acquired")
        past = read_state(process.journal, RUN)
        if self.record().has_ended:
            return
        writer = process.writer = RunWriter(process.journal, lease, clock=self.clock, is_beating=False)
        run = DurableRun(writer, past if past.frames else None)
        try:
            self._go_on(process, run, past.reason)
        except BaseException as error:
            self._close_unless(process, error)
            raise
        writer.close()

    def _go_on(self, process: Process, run: DurableRun, reason: str | None) -> None:
        cancellation = self.record().cancellation
        wants_back = reason is not None or cancellation is not None or (run.has_past and self.rng.random() < 0.15)
        why = reason or ("it was cancelled" if cancellation is not None else "somebody asked for it")
        if not wants_back:
            self._orchestrator(process, run).execute()
        elif run.has_past:
            self._orchestrator(process, run).rollback(why, is_cancelled=cancellation is not None)
        else:
            run.end_unbegun(why, is_cancelled=cancellation is not None)

    def _orchestrator(self, process: Process, run: DurableRun) -> Orchestrator[TaskContext]:
        context = TaskContext(RuntimeContext())
        return Orchestrator(registry_of(self.tasks, process), context, journal=run)

    @staticmethod
    def _close_unless(process: Process, error: BaseException) -> None:
        if not isinstance(error, KilledError | ViolationError) and process.writer is not None:
            process.writer.close()

    # What goes wrong

    def freeze(self, process: Process) -> None:
        """Let a worker stand still for longer than its lease; others may take over before it goes on."""
        self.figures.frozen += 1
        self.clock.advance(LEASE_SECONDS + 1)
        for _ in range(self.rng.randint(0, 3)):
            if not self.record().has_ended and self.record().token >= process.token > 0:
                self.hand_over()

    def chance(self, process: Process) -> None:
        """Let something happen that has nothing to do with what the worker is doing."""
        luck = self.rng.random()
        if luck < 0.01:
            self.figures.cancelled += self._cancel()
        elif luck < 0.05 and self.sent:
            self._deliver_again()
        elif luck < 0.25 and process.writer is not None:
            self.clock.advance(self.rng.choice((0.5, 2.0, LEASE_SECONDS / 3)))
            process.writer.beat()

    def fault_of(self, frame: Frame) -> str | None:
        """Return what becomes of a message."""
        if self.figures.workers > UNDISTURBED or self.rng.random() >= self._share_of_faults:
            return None
        self.figures.lost += 1
        return self.rng.choice(("lost", "no answer"))

    def _cancel(self) -> bool:
        try:
            self.journal.request_cancel(RUN, "somebody")
        except JournalError:  # it has ended
            return False
        return True

    def _deliver_again(self) -> None:
        try:
            self.journal.append(*self.rng.choice(self.sent))
        except JournalError:
            self.figures.refused_again += 1
        else:
            self.violation("the journal took a message twice")

    # The oracle

    def learn(self, event: dict[str, Any]) -> None:
        """Take note of an event that the journal has from now on, and check what comes after what."""
        match event["type"]:
            case "UndoRecorded":
                self.recorded |= {(event["step"], entry["key"]) for entry in event["entries"]}
            case "StepFinished" if event["result"]["success"]:
                self.finished.add(event["step"])
            case "RollbackStarted":
                self.rollbacks.append([])
                self._demand_reverse(event["steps"])
            case "StepRollbackStarted":
                self.rollbacks[-1].append(event["step"])
                self._demand_reverse(self.rollbacks[-1])
            case "StepRolledBack" if event["error"] is None:
                self.undone.add(event["step"])

    def _demand_reverse(self, steps: list[str]) -> None:
        if steps != sorted(set(steps), reverse=True):
            self.violation(f"steps are undone in the order {steps}")

    def violation(self, what: str) -> Never:
        """Say that a promise was broken."""
        raise ViolationError(what)

    def check(self) -> None:
        """Check what has become of the run."""
        record, state = self.record(), read_state(self.journal, RUN)  # which verifies the chain
        assert record.has_ended, f"it is {record.status} after {self.figures.workers} workers"
        assert record.status == state.status, f"it is {record.status}, and its frames say {state.status}"
        self.figures.late = len(self.late)
        wanted = what_stands_at_first(self.tasks)
        match record.status:
            case RunStatus.SUCCEEDED:
                self.figures.succeeded = 1
                wanted = what_stands_at_last(self.tasks)
                assert self.finished == {task.name for task in self.tasks}, f"finished were only {self.finished}"
            case RunStatus.ROLLED_BACK:
                self.figures.rolled_back = 1
                assert not state.leftovers
            case _:
                self.figures.nothing_to_undo = 1
                assert not self.undone, f"it is {record.status}, although {self.undone} had been undone"
        wrong = difference(self.objects, wanted, but=self.late)
        assert not wrong, f"it is {record.status}, and these are not as they should be: {wrong}"
