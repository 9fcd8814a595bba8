"""Simulated processes: each may die or freeze at any point, and what it still says and does then is watched."""

import json
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any, Never, cast

from synapse_sdk.errors import JournalError, LeaseLostError
from synapse_sdk.journal import Frame, Journal, Lease, Owner, RunRecord
from synapse_sdk.reporting.events import RunStatus

if TYPE_CHECKING:
    from synapse_sdk.journal.writer import RunWriter
    from tests.simulation.simulator import Simulation
    from tests.simulation.world import Task

__all__ = ["KilledError", "Process", "ViolationError"]


class KilledError(BaseException):
    """The process is dead: nothing of it does anything any more."""


class ViolationError(BaseException):
    """A promise was broken; the engine must not take this for a failure of a step."""


class Process:
    """One worker.

    Args:
        simulation: What it is part of.
        number: Tells it from others.
        dies_at: The point at which it dies, counted from 1; 0 for never.
        freezes_at: The point at which it stands still until others have taken over; 0 for never.
    """

    def __init__(self, simulation: "Simulation", number: int, *, dies_at: int = 0, freezes_at: int = 0) -> None:
        self.simulation = simulation
        self.owner = Owner(host="simulated", pid=number)  # of an unknown boot: only the lease says that it is dead
        self.is_dead = False
        self.is_refused = False
        """Whether the journal told it that the run is another's."""
        self.token = 0
        self.writer: RunWriter | None = None
        self.journal = cast("Journal", Line(self))
        self._points = 0
        self._dies_at, self._freezes_at = dies_at, freezes_at

    def point(self, name: str = "effect") -> None:
        """Pass a point at which it may die, freeze, or look after its lease."""
        self.check_alive()
        self._points += 1
        if self._points == self._dies_at:
            self.is_dead = True
            self.simulation.figures.crashes += 1
            raise KilledError
        if self._points == self._freezes_at:
            self.simulation.freeze(self)
        if not name.startswith("journal."):  # there the writer's thread would have to wait
            self.simulation.chance(self)

    def check_alive(self) -> None:
        """Stop a dead process from doing anything."""
        if self.is_dead:
            raise KilledError

    def demand(self, promise: bool, otherwise: str) -> None:  # noqa: FBT001  # reads like an assertion
        """End the simulation if a promise is broken."""
        if not promise:
            self.simulation.violation(otherwise)

    # In the world

    def begins(self, step: str) -> None:
        """Begin with a step."""
        self.point()
        owns = self._owns_the_run()
        self.demand(not (owns and step in self.simulation.finished), f"{step} was finished and runs again")

    def look_at(self, key: str) -> str | None:
        """Return an object."""
        return self.simulation.objects.get(key)

    def put(self, step: str, key: str, value: str) -> None:
        """Make or replace an object."""
        self.point()
        self._touch(key)
        recorded = (step, key) in self.simulation.recorded
        self.demand(recorded, f"{key} came to be, and the journal does not say how to undo it")
        self.simulation.objects[key] = value
        self.point()

    def undoes(self, task: "Task") -> None:
        """Begin to undo a step; may fail, as the task says."""
        self.point()
        if self._owns_the_run():
            self.demand(task.name not in self.simulation.undone, f"{task.name} was undone and is undone again")
        failures = self.simulation.undo_failures
        if failures[task.name] < task.undo_failures:
            failures[task.name] += 1
            msg = "cannot undo this just now"
            raise OSError(msg)

    def undo(self, key: str, before: str | None) -> None:
        """Remove an object, or bring back what was there before."""
        self.point()
        self._touch(key)
        if before is None:
            self.simulation.objects.pop(key, None)
        else:
            self.simulation.objects[key] = before
        self.point()

    def _touch(self, key: str) -> None:
        self.check_alive()
        self.demand(not self.is_refused, f"{key} was touched by a worker that had been told to leave the run alone")
        if not self._owns_the_run():  # it was frozen in the moment before; nobody can know what becomes of that
            self.simulation.late.add(key)

    def _owns_the_run(self) -> bool:
        return self.simulation.record().token == self.token


class Line:
    """The journal as one process reaches it: messages get lost, answers get lost, and some arrive twice (F17)."""

    url = "simulated:"

    def __init__(self, process: Process) -> None:
        self._process = process
        self._simulation = process.simulation
        self._journal = process.simulation.journal

    def acquire_lease(self, run_id: str, owner: Owner, duration: float) -> Lease:
        self._process.check_alive()
        lease = self._journal.acquire_lease(run_id, owner, duration)
        self._process.token = lease.token
        return lease

    def renew_lease(self, lease: Lease, duration: float) -> None:
        self._process.check_alive()
        try:
            self._journal.renew_lease(lease, duration)
        except LeaseLostError:
            self._process.is_refused = True
            raise

    def release_lease(self, lease: Lease) -> None:
        self._process.check_alive()
        self._journal.release_lease(lease)

    def run(self, run_id: str) -> RunRecord:
        self._process.check_alive()
        return self._journal.run(run_id)

    def head(self, run_id: str) -> tuple[int, bytes]:
        self._process.check_alive()
        return self._journal.head(run_id)

    def frames(self, run_id: str, after: int = 0) -> Iterator[Frame]:
        self._process.check_alive()
        return self._journal.frames(run_id, after)

    def append(self, lease: Lease, frame: Frame, status: RunStatus | None = None) -> None:
        self._process.check_alive()
        fault = self._simulation.fault_of(frame)
        if fault == "lost":
            self._fail("The message was lost")
        try:
            self._journal.append(lease, frame, status)
        except LeaseLostError:
            self._process.is_refused = True
            raise
        self._process.demand(not self._process.is_refused, "a worker that had lost the run could write again")
        self._simulation.sent.append((lease, frame, status))
        for event in json.loads(frame.text):
            self._simulation.learn(event)
        if fault == "no answer":
            self._fail("The answer was lost")

    def _fail(self, what: str) -> Never:
        raise JournalError(what)


def facts(event: dict[str, Any]) -> tuple[str, str]:
    """Return the kind of an event, and the step it is about."""
    return event["type"], event.get("step", "")
