"""Runs of one action that are killed and recovered by lot, and what there is to be seen of them."""

import random
import shutil
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from itertools import count
from pathlib import Path
from typing import Any, Literal

import pytest

from synapse_sdk.failpoints import FAILPOINTS
from synapse_sdk.journal import SqliteJournal, read_state
from synapse_sdk.journal.repair import check
from synapse_sdk.testing.crash_process import CrashProcess

__all__ = ["Laboratory", "Verb"]

MOST_CYCLES = 60
"""Times that a recovery is killed at most; after that it is left in peace."""

type Verb = Literal["resume", "rollback"]


@dataclass
class Laboratory:
    """An action, its world, and what there is to be seen of it before and after a run."""

    process: CrashProcess
    sandbox: Path
    fill: Callable[[Path], object]
    """Makes of an empty folder the world as it is before a run."""
    look: Callable[[Path], object]
    """Returns what there is to be seen of the world."""
    initial: object = None
    expected: object = None
    trace: tuple[str, ...] = ()
    """The failpoints that an undisturbed run passes."""

    @classmethod
    @contextmanager
    def set_up(
        cls,
        action: Any,  # noqa: ANN401  # what a CrashProcess takes
        params: Mapping[str, Any],
        sandbox: Path,
        fill: Callable[[Path], object],
        look: Callable[[Path], object],
    ) -> "Iterator[Laboratory]":
        """Run the action once, undisturbed, to learn what it achieves."""
        (sandbox / "world").mkdir(parents=True)
        fill(sandbox / "world")
        with CrashProcess(action, params, {}, sandbox, timeout=30.0) as process:
            made = cls(process, sandbox, fill, look, initial=look(sandbox / "world"))
            outcome = process.do("run", process.new_run())
            assert outcome.status == "succeeded", outcome.error
            made.expected, made.trace = made.seen(), outcome.trace
            assert made.expected != made.initial
            yield made

    def reset(self) -> None:
        """Make the world as it is before a run."""
        shutil.rmtree(self.process.world)
        self.process.world.mkdir()
        self.fill(self.process.world)

    def seen(self) -> object:
        """Return what there is to be seen of the world."""
        return self.look(self.process.world)

    def progress(self, run_id: str) -> tuple[int, int, int]:
        """Return what must never become less: frames, steps that are done, steps that are undone; check all (I1)."""
        with SqliteJournal(self.sandbox / "journal.db", read_only=True) as journal:
            report = check(journal)
            assert report.findings == ()
            state = read_state(journal, run_id)
        done = sum(step.is_finished for step in state.steps.values())
        return state.frames, done, sum(step.status == "rolled_back" for step in state.steps.values())

    def begin_and_kill(self, lot: random.Random) -> str:
        """Begin a run that is killed somewhere on its way."""
        self.reset()
        run_id = self.process.new_run()
        at = lot.randrange(len(self.trace))
        name = self.trace[at]
        outcome = self.process.do("run", run_id, dies_at=(name, self.trace[: at + 1].count(name)))
        assert outcome.is_killed or outcome.status == "succeeded", outcome.error
        return run_id

    def recover(self, run_id: str, lot: random.Random, *verbs: Verb) -> str:
        """Recover a run until nobody kills it any more, and return its status."""
        last = self.progress(run_id)
        for cycle in range(MOST_CYCLES + 1):
            dies_at = (lot.choice(list(FAILPOINTS)), lot.randint(1, 4)) if cycle < MOST_CYCLES else None
            outcome = self.process.do(lot.choice(verbs), run_id, dies_at=dies_at)
            now = self.progress(run_id)
            assert all(is_now >= was for was, is_now in zip(last, now, strict=True)), (last, now)
            last = now
            if not outcome.is_killed:
                return outcome.status
        pytest.fail("the recovery never came to its end")

    def kill_at_every_write(self, verb: Verb, *ends: str) -> int:
        """Kill a run before and after every write of its journal, and recover; return how many kills there were.

        How many writes there are differs from run to run: progress that took long to write is not written each time.

        Args:
            verb: How it is recovered.
            ends: How a run may have ended that was undone, or was over before.
        """
        kills = 0
        for name in ("journal.commit", "journal.committed"):
            for number in count(1):
                self.reset()
                run_id = self.process.new_run()
                if not self.process.do("run", run_id, dies_at=(name, number)).is_killed:
                    break
                kills += 1
                outcome = self.process.do(verb, run_id)
                self.progress(run_id)
                is_done = verb == "resume" or outcome.had_ended
                self.check(outcome.status, *(("succeeded",) if is_done else ends))
        return kills

    def check(self, status: str, *allowed: str) -> None:
        """See whether a run has ended as it may, and left what runs leave that end so."""
        assert status in allowed
        assert self.seen() == (self.expected if status == "succeeded" else self.initial)
