"""Durable runs whose worker dies when a test says so."""

import json
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any, Never

from synapse_sdk.journal import Frame, Lease, MemoryJournal, Owner, RunId, RunSource, RunState, read_state
from synapse_sdk.journal.base import LEASE_SECONDS
from synapse_sdk.journal.writer import RunWriter
from synapse_sdk.plugins.durable import DurableRun
from synapse_sdk.plugins.steps import BaseStep, BaseStepContext, Orchestrator
from synapse_sdk.reporting.events import RunStatus
from synapse_sdk.testing import FakeClock
from tests.unit.steps.scripted import new_context, registry_of

__all__ = ["RUN", "DeathError", "MortalJournal", "Workshop"]

RUN = RunId("7f3a00112233")


class DeathError(BaseException):
    """The worker is dead: nothing that it still does reaches the journal."""


class MortalJournal(MemoryJournal):
    """A journal that can no longer be reached once its worker is dead."""

    is_dead = was_dead = False
    broken: list[BaseException | None]
    """What the next appends raise, before they write anything; None for nothing."""

    def __init__(self, clock: FakeClock) -> None:
        super().__init__(clock)
        self._held_clock = clock
        self.broken = []

    def append(self, lease: Lease, frame: Frame, status: RunStatus | None = None) -> None:
        """Add a frame while the worker lives."""
        if self.is_dead:
            raise DeathError
        if self.broken and (error := self.broken.pop(0)) is not None:
            raise error
        super().append(lease, frame, status)

    def die(self, *_: object) -> Never:
        """End the worker, as SIGKILL would."""
        self.is_dead = self.was_dead = True
        raise DeathError

    def come_back(self) -> None:
        """Let another worker reach the journal, once the lease of the dead one has ended."""
        self.is_dead = False
        self._held_clock.advance(LEASE_SECONDS)


@dataclass
class Workshop:
    """One run, and workers that take it up one after another."""

    clock: FakeClock = field(default_factory=FakeClock)
    run: DurableRun | None = None
    """What recorded the run last."""
    writer: RunWriter = field(init=False)
    """What it wrote with."""

    def __post_init__(self) -> None:
        """Create the run."""
        self.journal = MortalJournal(self.clock)
        self.journal.create_run(RUN, RunSource(plugin="", action="scripted"))

    def take_up(self, *, accepts_changes: bool = False) -> DurableRun:
        """Make the run a worker's own."""
        lease = self.journal.acquire_lease(RUN, Owner(host="lab", pid=1))
        past = read_state(self.journal, RUN)
        self.writer = RunWriter(self.journal, lease, clock=self.clock, is_beating=False)
        self.run = DurableRun(self.writer, past if past.frames else None, accepts_changes=accepts_changes)
        return self.run

    def execute(self, *steps: BaseStep[Any], context: BaseStepContext | None = None, **options: Any) -> dict[str, Any]:  # noqa: ANN401  # of take_up and Orchestrator
        """Run the steps, from where the run stands."""
        return self._work(steps, context, lambda orchestrator: orchestrator.execute(), **options)  # type: ignore[no-any-return]  # a summary

    def roll_back(self, *steps: BaseStep[Any], context: BaseStepContext | None = None, **options: Any) -> Any:  # noqa: ANN401  # as above
        """Undo the run."""
        return self._work(steps, context, lambda orchestrator: orchestrator.rollback("it was asked for"), **options)

    def _work(
        self,
        steps: tuple[BaseStep[Any], ...],
        context: BaseStepContext | None,
        act: Callable[[Orchestrator[Any]], Any],
        *,
        accepts_changes: bool = False,
        **options: Any,  # noqa: ANN401  # of Orchestrator
    ) -> Any:  # noqa: ANN401  # what the act returns
        run = self.take_up(accepts_changes=accepts_changes)
        try:
            return act(Orchestrator(registry_of(*steps), context or new_context(), journal=run, **options))
        finally:
            if self.journal.is_dead:
                self.journal.come_back()
            else:
                self.writer.close()

    def flush_and_die(self) -> Never:
        """End the worker a moment later, when nothing waits any more."""
        self.writer.flush()
        self.journal.die()

    @property
    def frames(self) -> list[list[dict[str, Any]]]:
        """The events of each frame."""
        return [json.loads(frame.text) for frame in self.journal.frames(RUN)]

    @property
    def kinds(self) -> list[str]:
        """The kinds of events of each frame, joined by `+`; percents are left out."""
        frames = ([event["type"] for event in frame if event["type"] != "RunProgressed"] for frame in self.frames)
        return ["+".join(kinds) for kinds in frames]

    def events(self, kind: str) -> list[dict[str, Any]]:
        """Return the events of one kind."""
        return [event for frame in self.frames for event in frame if event["type"] == kind]

    @property
    def state(self) -> RunState:
        """Where the run stands."""
        return read_state(self.journal, RUN)

    @property
    def status(self) -> str:
        """The status of the run."""
        return str(self.journal.run(RUN).status)
