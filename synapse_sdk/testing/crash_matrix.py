"""Every way in which a run can be killed and recovered, one after the other."""

from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass

from synapse_sdk.reporting.events import RunStatus
from synapse_sdk.testing.crash_moments import Moment, least_tried, moments_of, spread
from synapse_sdk.testing.crash_process import CrashProcess
from synapse_sdk.testing.crash_worker import Outcome, Verb
from synapse_sdk.testing.trees import difference

__all__ = ["CrashMatrix"]

UNDONE = (RunStatus.ROLLED_BACK, RunStatus.FAILED, RunStatus.CANCELLED)


@dataclass(frozen=True, slots=True)
class Stage:
    """One process in the life of a run."""

    verb: Verb
    dies_at: Moment | None = None
    failure: str | None = None
    """The step after which a failure is injected."""

    def __str__(self) -> str:
        """Return it as people read it."""
        words = {"run": "run", "resume": "resumed", "rollback": "rolled back"}[self.verb]
        after = f" with a failure after {self.failure!r}" if self.failure else ""
        return words + after + (f", killed at {self.dies_at}" if self.dies_at else "")


class CrashMatrix:
    """Kills and recovers runs of one action, and compares what becomes of the world.

    Args:
        process: Runs the action.
        reset: Makes the world as it is before a run.
        look: Returns what there is to be seen of it.
    """

    def __init__(self, process: CrashProcess, reset: Callable[[], object], look: Callable[[], object]) -> None:
        self.cases = self.passed_by = 0
        self.kills: Counter[str] = Counter()
        self._process = process
        self._reset = reset
        self._look = look
        self._initial: object = None
        self._expected: object = None
        self._tried: Counter[str] = Counter()  # where recoveries were killed

    def try_everything(self, limit: int) -> int:
        """Try every case, of at most so many moments forward and backward each; return how many moments are left out.

        Raises:
            AssertionError: In one of them something is wrong.
        """
        forward, backward = self._undisturbed(), self._failing()
        for number, moment in enumerate(chosen := spread(forward, limit)):
            self._kill_forward(moment, number)
        for number, moment in enumerate(chosen_back := spread(backward, limit)):
            self._kill_backward(moment, number)
        return len(forward) - len(chosen) + len(backward) - len(chosen_back)

    def _undisturbed(self) -> list[Moment]:
        """Learn what the action achieves, and which moments there are."""
        self._reset()
        self._initial = self._look()
        _, outcome = self._live(Stage("run"))
        self._require(outcome.status == RunStatus.SUCCEEDED, "Undisturbed, the run fails", outcome.error)
        self._expected = self._look()
        self._live(Stage("run"))
        changes = difference(self._expected, self._look())
        fix = "Give `look` a function that leaves out what differs each time"
        self._require(not changes, f"Two undisturbed runs lead to different worlds. {fix}", changes)
        return moments_of(outcome.trace)

    def _failing(self) -> list[Moment]:
        """Let the run fail after its last step, and return the moments after that."""
        if not self._process.steps:
            return []
        stage, outcome = self._live(Stage("run", failure=self._process.steps[-1]))
        self._check([stage], outcome)
        last = max((at for at, name in enumerate(outcome.trace) if name == "step.executed"), default=0)
        return moments_of(outcome.trace, last)

    def _kill_forward(self, moment: Moment, number: int) -> None:
        killed = Stage("run", moment)
        resumed = self._case(killed, Stage("resume"))
        undone = self._case(killed, Stage("rollback"))
        if number % 2:
            self._kill_again(undone, killed, "rollback", "rollback")
        else:
            self._kill_again(resumed, killed, "resume", "rollback" if number % 4 else "resume")

    def _kill_backward(self, moment: Moment, number: int) -> None:
        killed = Stage("run", moment, self._process.steps[-1])
        verb: Verb = "resume" if number % 2 else "rollback"  # a run that has failed can only be undone, by either
        undone = self._case(killed, Stage(verb))
        self._kill_again(undone, killed, verb, "rollback")

    def _kill_again(self, recovery: Outcome, killed: Stage, first: Verb, then: Verb) -> None:
        """Kill also the recovery, and recover from that."""
        moment = least_tried(recovery.trace, self._tried)
        if moment is not None:
            self._tried[moment.name] += 1
            self._case(killed, Stage(first, moment), Stage(then))

    def _case(self, *stages: Stage) -> Outcome:
        last, outcome = self._live(*stages)
        self._check([*stages[: stages.index(last)], last], outcome)
        self.cases += 1
        return outcome

    def _live(self, *stages: Stage) -> tuple[Stage, Outcome]:
        """Begin with a new world and lead one run through these stages; return the last one and what became of it."""
        self._reset()
        run_id = self._process.new_run()
        for stage in stages:
            dies_at = None if stage.dies_at is None else (stage.dies_at.name, stage.dies_at.hit)
            outcome = self._process.do(stage.verb, run_id, dies_at=dies_at, inject_failure=stage.failure)
            if stage.dies_at is not None and not outcome.is_killed:
                self.passed_by += 1  # what is written in the background is not written at the same moment each time
                break
            if stage.dies_at is not None:
                self.kills[stage.dies_at.name] += 1
        return stage, outcome

    def _check(self, stages: list[Stage], outcome: Outcome) -> None:
        """Compare status and world with what they should be."""
        story, status = ", then ".join(str(stage) for stage in stages), outcome.status
        is_undone = stages[-1].verb == "rollback" or stages[0].failure is not None
        wanted = UNDONE if is_undone else (RunStatus.SUCCEEDED,)
        if outcome.had_ended and stages[0].failure is None:
            wanted = (*wanted, RunStatus.SUCCEEDED)  # it was killed when all was done
        self._require(status in wanted, f"{story}:\nthe run is {status or 'lost'}", outcome.error)
        has_succeeded = status == RunStatus.SUCCEEDED
        changes = difference(self._expected if has_succeeded else self._initial, self._look())
        what = "what an undisturbed run leaves" if has_succeeded else "what was there before the run"
        self._require(not changes, f"{story}:\nthe run is {status}, but the world is not {what}", changes)

    @staticmethod
    def _require(is_so: object, message: str, particulars: str) -> None:
        if not is_so:
            raise AssertionError(f"{message}\n{particulars}".rstrip())
