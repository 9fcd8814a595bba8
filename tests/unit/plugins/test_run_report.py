"""Looking at recorded runs from Python: what is found, what it says, and what happens while somebody follows."""

import pytest

from synapse_sdk.errors import ConfigurationError, RunNotFoundError
from synapse_sdk.journal import MemoryJournal, Owner, RunId, RunSource
from synapse_sdk.plugins import (
    BaseAction,
    NextStep,
    cancel_run,
    collect_runs,
    describe_run,
    find_runs,
    follow_run,
    rollback_run,
    run_action,
)
from synapse_sdk.plugins.steps import BaseStep, BaseStepContext, StepRegistry, StepResult
from synapse_sdk.reporting.events import Event, RunFinished, RunStarted, StepFinished, UndoRecorded
from synapse_sdk.reporting.wire import RecordedOutcome

RUN = "7f3a00112233"


class Step(BaseStep[BaseStepContext]):
    """Records what to undo, and hands on a tuple."""

    name = "step"
    progress_weight = 1.0

    def execute(self, context: BaseStepContext) -> StepResult:
        """Succeed."""
        context.record_undo(number=1)
        context.record_undo(number=2)
        return StepResult(data={"pair": (1, 2)})


class Action(BaseAction[dict[str, int]]):
    """Runs one step."""

    def setup_steps(self, registry: StepRegistry[BaseStepContext]) -> None:
        """Register it."""
        registry.register(Step())


@pytest.fixture
def journal() -> MemoryJournal:
    """A journal in this process."""
    return MemoryJournal()


def test_a_run_is_replayed_as_it_went(journal: MemoryJournal) -> None:
    """Each event is what the run's own observers saw, results included."""
    seen: list[Event] = []

    class Recorder:
        def observe(self, event: Event) -> None:
            seen.append(event)

        def set_progress(self, current: float, total: float, category: str | None) -> None: ...

        def close(self) -> None: ...

    run_action(Action, {}, journal=journal, job_id=RUN, reporter=Recorder())
    replayed = list(follow_run(RUN, journal=journal))

    kinds = (RunStarted, UndoRecorded, RunFinished)
    assert [type(each) for each in replayed if isinstance(each, kinds)] == [
        type(each) for each in seen if isinstance(each, kinds)
    ]
    assert [each for each in replayed if isinstance(each, UndoRecorded)] == [
        each for each in seen if isinstance(each, UndoRecorded)
    ]
    (finished,) = [each for each in replayed if isinstance(each, StepFinished)]
    assert finished.result == RecordedOutcome(
        success=True,
        data={"pair": (1, 2)},
        rollback_data=finished.result.rollback_data,
    )
    assert all(event.occurred_at.tzinfo is not None for event in replayed)


def test_a_report_says_what_can_be_done(journal: MemoryJournal) -> None:
    """About a run that is new, one with a worker, one that is cancelled, and one that has ended."""
    journal.create_run(RunId(RUN), RunSource(plugin="", action="a"))
    new = describe_run(RUN, journal=journal)
    lease = journal.acquire_lease(RUN, Owner.here())
    alive = describe_run("last", journal=journal)
    journal.release_lease(lease)
    left = describe_run(RUN[:4], journal=journal)
    cancel_run(RUN, journal=journal)
    cancelled = describe_run(RUN, journal=journal)
    rollback_run(RUN, journal=journal, action=Action)
    ended = describe_run(RUN, journal=journal)

    assert (new.is_interrupted, new.next_steps) == (False, (NextStep.RESUME, NextStep.ROLLBACK))
    assert (alive.is_alive, alive.next_steps) == (True, (NextStep.WATCH, NextStep.CANCEL))
    assert (left.is_interrupted, left.next_steps) == (True, (NextStep.RESUME, NextStep.ROLLBACK))
    assert cancelled.next_steps == (NextStep.ROLLBACK,)
    assert (str(ended.status), ended.next_steps) == ("cancelled", ())
    assert [report.id for report in find_runs(journal=journal)] == [RUN]
    assert find_runs(journal=journal, interrupted=True) == []


def test_runs_that_ended_are_forgotten(journal: MemoryJournal) -> None:
    """And nothing else."""
    run_action(Action, {}, journal=journal, job_id=RUN)
    journal.create_run(RunId("0000aaaa1111"), RunSource(plugin="", action="a"))

    collected = collect_runs(age_days=0, journal=journal)

    assert [run.id for run in collected.runs] == [RUN]
    assert collected.size > 0
    with pytest.raises(RunNotFoundError):
        describe_run(RUN, journal=journal)


@pytest.mark.parametrize("name", ["", "\x1b[2J", "\udcff"])
def test_a_run_needs_a_name_that_can_be_printed(journal: MemoryJournal, name: str) -> None:
    """It is shown in lists and typed into commands."""
    from synapse_sdk.plugins.journalling import create_run  # noqa: PLC0415  # internal

    with pytest.raises(ConfigurationError, match="cannot be named"):
        create_run(journal, name, Action, {})
