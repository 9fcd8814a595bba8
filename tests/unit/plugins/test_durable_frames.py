"""What a durable run writes, and when."""

import threading
from dataclasses import dataclass, field
from typing import Any

import pytest

from synapse_sdk.errors import (
    JournalError,
    JournalFullError,
    LeaseLostError,
    RunCancelledError,
    StepFailedError,
    UnencodableValueError,
)
from synapse_sdk.journal import Owner
from synapse_sdk.journal.base import LEASE_SECONDS
from synapse_sdk.plugins import durable
from synapse_sdk.plugins.context import RuntimeContext
from synapse_sdk.plugins.steps import BaseStepContext, StepResult
from tests.unit.plugins.durable_runs import RUN, DeathError, Workshop
from tests.unit.steps.scripted import PlainStep, ScriptedStep, failing


@dataclass
class Notes(BaseStepContext):
    """A context with something to write."""

    lines: list[str] = field(default_factory=list)
    anything: Any = None


def notes() -> Notes:
    """Make one."""
    return Notes(RuntimeContext())


@pytest.fixture
def shop() -> Workshop:
    """A run that was created."""
    return Workshop()


def test_the_end_of_a_step_and_the_start_of_the_next_are_one_frame(shop: Workshop) -> None:
    """No moment lies between them in which the process could die."""
    shop.execute(PlainStep("a"), PlainStep("b"))

    assert shop.kinds == ["RunStarted", "StepStarted", "StepFinished+StepStarted", "StepFinished+RunFinished"]
    assert shop.status == "succeeded"


def test_a_failure_is_written_before_anything_is_undone(shop: Workshop) -> None:
    """And every rollback before and after it."""
    with pytest.raises(StepFailedError):
        shop.execute(ScriptedStep("a"), ScriptedStep("b", does=failing()))

    assert shop.kinds[2:] == [
        "StepFinished+StepStarted",
        "StepFinished",
        "RollbackStarted",
        "StepRollbackStarted",
        "StepRolledBack",
        "StepRollbackStarted",
        "StepRolledBack",
        "RunFinished",
    ]
    assert [event["step"] for event in shop.events("StepRolledBack")] == ["b", "a"]
    assert shop.status == "rolled_back"


def test_an_undo_entry_is_durable_when_record_undo_returns(shop: Workshop) -> None:
    """Several at once are one frame."""
    seen: list[Any] = []

    def records(context: BaseStepContext) -> StepResult:
        context.record_undo(key="one")
        seen.append(shop.events("UndoRecorded")[-1]["entries"])
        context.record_undos([{"key": "two"}, {"key": "three"}])
        seen.append(shop.frames[-1])
        return StepResult()

    shop.execute(ScriptedStep("a", does=records))

    assert seen[0] == [{"key": "one"}]
    (event,) = seen[1]
    assert event["entries"] == [{"key": "two"}, {"key": "three"}]


def test_an_undo_log_is_not_written_again_with_the_result(shop: Workshop) -> None:
    """A step that recorded a hundred thousand entries does not write them twice."""

    def records(context: BaseStepContext) -> StepResult:
        context.record_undo(key="one")
        return StepResult(rollback_data={"own": 1})

    shop.execute(ScriptedStep("a", does=records))

    assert shop.events("StepFinished")[0]["result"]["rollback_data"] == {"own": 1}


def test_saved_progress_waits_and_takes_the_context_along(shop: Workshop) -> None:
    """Neither is ever ahead of the other."""

    def saves(context: BaseStepContext) -> StepResult:
        assert isinstance(context, Notes)
        context.lines.append("first")
        context.save_progress(done=1)
        assert shop.events("ProgressSaved") == []
        context.lines.append("second")
        context.record_undo(key="x")
        return StepResult()

    shop.execute(ScriptedStep("a", does=saves), context=notes())

    (saved,) = shop.events("ProgressSaved")
    assert (saved["state"], saved["context"]) == ({"done": 1}, {"lines": ["first"]})
    assert shop.kinds[2].startswith("ProgressSaved+UndoRecorded")
    assert shop.events("StepFinished")[0]["context"] == {"lines": ["first", "second"]}


def test_saving_that_takes_long_is_not_done_each_time(shop: Workshop, monkeypatch: pytest.MonkeyPatch) -> None:
    """It may take a twentieth of the time; what is left out comes with the next that is written."""
    instants, work = iter([0.0, 0.05, 0.3]), iter([0.0, 0.01, 7.0, 7.0])  # took 10 ms; too soon; took nothing
    monkeypatch.setattr(durable, "monotonic", lambda: next(instants))
    monkeypatch.setattr(durable, "thread_time", lambda: next(work))

    def saves(context: BaseStepContext) -> StepResult:
        assert isinstance(context, Notes)
        for number in range(3):
            context.lines.append(str(number))
            context.save_progress(**{f"n{number}": number})
        return StepResult()

    shop.execute(ScriptedStep("a", does=saves), context=notes())

    first, second = shop.events("ProgressSaved")
    assert (first["state"], first["context"]) == ({"n0": 0}, {"lines": ["0"]})
    assert second["state"] == {"n0": 0, "n1": 1, "n2": 2}
    assert second["context"] == {"lines": ["0", "1", "2"]}


def test_time_that_others_had_does_not_count(shop: Workshop, monkeypatch: pytest.MonkeyPatch) -> None:
    """On a busy machine as much is saved as on a quiet one."""
    instants = iter([0.0, 0.05, 0.1])  # 50 ms each, of which this thread had none
    monkeypatch.setattr(durable, "monotonic", lambda: next(instants))
    monkeypatch.setattr(durable, "thread_time", lambda: 0.0)

    def saves(context: BaseStepContext) -> StepResult:
        for number in range(3):
            context.save_progress(**{f"n{number}": number})
        return StepResult()

    shop.execute(ScriptedStep("a", does=saves), context=notes())

    assert len(shop.events("ProgressSaved")) == 3


def test_only_fields_that_changed_are_written(shop: Workshop) -> None:
    """All of them at first."""

    def writes(context: BaseStepContext) -> StepResult:
        assert isinstance(context, Notes)
        context.lines.append("x")
        return StepResult()

    shop.execute(ScriptedStep("a", does=writes), PlainStep("b"), context=notes())

    assert shop.events("RunStarted")[0]["context"] == {"errors": [], "lines": [], "anything": None}
    assert [event.get("context") for event in shop.events("StepFinished")] == [{"lines": ["x"]}, None]


def test_a_context_that_could_not_be_written_comes_with_the_next_frame(shop: Workshop) -> None:
    """A failed write loses nothing."""

    def writes(context: BaseStepContext) -> StepResult:
        assert isinstance(context, Notes)
        context.lines.append("x")
        context.save_progress(done=1)
        shop.journal.broken = [JournalError("the disk is full")]
        context.record_undo(key="y")
        return StepResult()

    with pytest.raises(StepFailedError, match="the disk is full"):
        shop.execute(ScriptedStep("a", does=writes), context=notes())

    assert shop.state.context["lines"] == ["x"]
    assert shop.state.steps["a"].saved_progress == {"done": 1}
    assert shop.status == "rolled_back"


def test_an_unencodable_context_is_refused_by_name_before_anything_runs(shop: Workshop) -> None:
    """What could not be resumed is not begun."""
    step, context = ScriptedStep("a"), notes()
    context.anything = threading.Lock()

    with pytest.raises(UnencodableValueError, match=r"context\.anything"):
        shop.execute(step, context=context)

    assert step.diary == []
    assert shop.frames == []


def test_an_unencodable_undo_entry_is_refused_before_the_effect(shop: Workshop) -> None:
    """And the step fails with its name."""
    effects = []

    def records(context: BaseStepContext) -> StepResult:
        context.record_undo(handle=threading.Lock())
        effects.append("done")
        return StepResult()

    with pytest.raises(StepFailedError, match=r"undo entry of step 'a'.*handle"):
        shop.execute(ScriptedStep("a", does=records))

    assert effects == []
    assert shop.status == "rolled_back"


@pytest.mark.parametrize("fails", [True, False])
def test_what_cannot_be_written_hides_neither_a_failure_nor_a_rollback(shop: Workshop, fails: bool) -> None:  # noqa: FBT001  # a parameter
    """Else a later worker would go forward with a run that is half undone."""

    def spoils(context: BaseStepContext) -> StepResult:
        assert isinstance(context, Notes)
        context.anything = threading.Lock()
        return StepResult(not fails, {"lock": threading.Lock()}, "boom", {"lock": threading.Lock(), "key": "x"})

    steps = [ScriptedStep("a"), ScriptedStep("b", does=spoils, undoes=shop.journal.die)]
    with pytest.raises(DeathError):
        shop.execute(*steps, context=notes())

    assert shop.state.is_going_back
    assert shop.kinds[-1] == "StepRollbackStarted"


@pytest.fixture
def going_back(shop: Workshop) -> Workshop:
    """A run two of whose messages about going back are lost."""
    shop.journal.broken = [None, None, None, JournalError("lost"), JournalError("lost")]
    with pytest.raises(StepFailedError):
        shop.execute(ScriptedStep("a"), ScriptedStep("b", does=failing()))
    return shop


def test_what_could_not_be_written_on_the_way_back_is_written_with_what_comes_next(going_back: Workshop) -> None:
    """Undoing goes on; the journal has all of it, in order, and the status."""
    assert going_back.kinds[3:5] == ["StepFinished+RollbackStarted+StepRollbackStarted", "StepRolledBack"]
    assert going_back.status == "rolled_back"


def test_the_end_is_written_in_a_second_try(shop: Workshop) -> None:
    """Nothing comes after it that could take it along."""
    shop.journal.broken = [None, None, JournalError("busy")]

    shop.execute(PlainStep("a"))

    assert shop.status == "succeeded"
    assert len(shop.events("RunFinished")) == 1


def test_a_run_whose_disk_is_full_stops_while_its_undoing_can_be_recorded(shop: Workshop) -> None:
    """F7: it was noticed in the background; the room that was set aside is not for going on."""

    def logs_too_much(_: BaseStepContext) -> StepResult:
        shop.writer.keep('{"type":"Log","at":0}')
        shop.journal.broken = [JournalFullError("The disk of the journal is full")]
        shop.writer.beat()
        return StepResult()

    steps = ScriptedStep("a", does=logs_too_much), ScriptedStep("b")
    with pytest.raises(StepFailedError, match="disk of the journal is full"):
        shop.execute(*steps)

    assert len(steps[0].undone) == 1
    assert shop.status == "rolled_back"


def test_a_cancelled_run_stops_at_the_next_record_and_is_undone(shop: Workshop) -> None:
    """Here with the writer's look at the journal done by hand."""

    def is_cancelled(context: BaseStepContext) -> StepResult:
        context.record_undo(key="one")
        shop.journal.request_cancel(RUN, "ada")
        shop.clock.advance(2.0)
        shop.writer.beat()
        context.record_undo(key="two")
        raise AssertionError

    step = ScriptedStep("a", does=is_cancelled)
    with pytest.raises(StepFailedError) as raised:
        shop.execute(step)

    assert isinstance(raised.value.__cause__, RunCancelledError)
    assert step.undone[0].rollback_data == {"undo_log": [{"key": "one"}, {"key": "two"}]}
    assert shop.status == "rolled_back"


def test_a_worker_that_lost_the_run_undoes_nothing(shop: Workshop) -> None:
    """Also when its step takes the refusal for a failure of its own, and somebody presses Ctrl-C."""

    def loses(context: BaseStepContext) -> StepResult:
        shop.clock.advance(LEASE_SECONDS)
        shop.journal.acquire_lease(RUN, Owner(host="elsewhere", pid=2))
        with pytest.raises(LeaseLostError):
            context.record_undo(key="x")
        raise KeyboardInterrupt

    step = ScriptedStep("a", does=loses)
    with pytest.raises(KeyboardInterrupt):
        shop.execute(step)

    assert step.diary == ["run a"]
    assert shop.kinds == ["RunStarted", "StepStarted"]
