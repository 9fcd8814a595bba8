from collections.abc import Callable
from typing import Any

import pytest

from synapse_sdk.errors import StepFailedError
from synapse_sdk.plugins.context import RuntimeContext
from synapse_sdk.plugins.steps import BaseStepContext, StepResult
from synapse_sdk.reporting import MemoryReporter
from synapse_sdk.reporting.events import (
    Event,
    ProgressSaved,
    RollbackStarted,
    RunFinished,
    RunProgressed,
    RunStarted,
    RunStatus,
    StepFinished,
    StepRollbackStarted,
    StepRolledBack,
    StepStarted,
    UndoRecorded,
)
from tests.unit.steps.scripted import ScriptedStep, execute, failing, new_context


class Listener:
    """Writes down what it is told, and raises when it hears what it cannot bear."""

    def __init__(self, name: str, heard: list[tuple[str, type[Any]]], bears: Callable[[Event], bool] = bool) -> None:
        self._name = name
        self._heard = heard
        self._bears = bears

    def observe(self, event: Event) -> None:
        """Take note of one event."""
        self._heard.append((self._name, type(event)))
        if not self._bears(event):
            msg = "disk full"
            raise OSError(msg)


FORWARD = [RunStarted, StepStarted, UndoRecorded, ProgressSaved, StepFinished]
BACKWARD = [RollbackStarted, StepRollbackStarted, StepRolledBack, RunFinished]


def _act(context: BaseStepContext) -> StepResult:
    context.record_undo(n=1)
    context.save_progress(done=1)
    return StepResult()


def test_the_journal_is_told_first() -> None:
    """Whatever others show has been recorded; the bar is not for the record."""
    heard: list[tuple[str, type[Any]]] = []

    with pytest.raises(StepFailedError):
        execute(
            ScriptedStep("a", does=_act),
            ScriptedStep("b", does=failing()),
            journal=Listener("journal", heard),
            observers=[Listener("first", heard), Listener("second", heard)],
        )

    told = [kind for who, kind in heard if who == "second"]
    expected = [
        (who, kind)
        for kind in told
        for who in ("journal", "first", "second")
        if not (who == "journal" and kind is RunProgressed)
    ]
    assert heard == expected
    assert RunProgressed in told


@pytest.mark.parametrize("kind", FORWARD, ids=lambda kind: kind.__name__)
def test_what_cannot_be_recorded_fails_the_run_and_everything_is_undone(kind: type[Any]) -> None:
    """Nothing is done that the journal could not take."""
    diary, context = list[str](), new_context()
    journal = Listener("journal", [], lambda event: not isinstance(event, kind))

    with pytest.raises(OSError, match="disk full") if kind is RunStarted else pytest.raises(StepFailedError) as caught:
        execute(ScriptedStep("a", diary, does=_act), ScriptedStep("b", diary), context=context, journal=journal)

    assert "disk full" in str(caught.value)
    assert "run b" not in diary
    assert diary.count("undo a") == diary.count("run a")
    assert context.current_step is None


def test_an_entry_the_journal_could_not_take_reaches_the_rollback() -> None:
    """It may be in the journal's file all the same; and its effect has not happened."""
    effects: list[str] = []

    def act(context: BaseStepContext) -> StepResult:
        context.record_undo(path="x")
        effects.append("x")
        return StepResult()

    step = ScriptedStep("a", does=act)
    with pytest.raises(StepFailedError, match="disk full"):
        execute(step, journal=Listener("journal", [], lambda event: not isinstance(event, UndoRecorded)))

    assert effects == []
    assert step.undone[0].rollback_data == {"undo_log": [{"path": "x"}]}


def test_a_step_whose_start_cannot_be_recorded_never_began_and_is_not_undone() -> None:
    """It may be one that would have been skipped: what it would undo belongs to somebody else."""
    diary: list[str] = []
    journal = Listener("journal", [], lambda event: getattr(event, "step", "") != "b")

    with pytest.raises(StepFailedError, match="Step 'b' failed: disk full"):
        execute(ScriptedStep("a", diary), ScriptedStep("b", diary), journal=journal)

    assert diary == ["run a", "undo a"]


@pytest.mark.parametrize("kind", FORWARD, ids=lambda kind: kind.__name__)
def test_observers_hear_a_whole_story_even_if_the_journal_refuses(kind: type[Any]) -> None:
    """What has begun for them also ends, or a bar would stay on the screen for ever."""
    heard: list[tuple[str, type[Any]]] = []
    journal = Listener("journal", [], lambda event: not isinstance(event, kind))

    with pytest.raises((OSError, StepFailedError)):
        execute(ScriptedStep("a", does=_act), journal=journal, observers=[Listener("watcher", heard)])

    kinds = [kind for _, kind in heard]
    assert (kinds[0], kinds[-1]) == (RunStarted, RunFinished)
    assert kinds.count(StepStarted) == kinds.count(StepFinished)
    assert kinds.count(StepRollbackStarted) == kinds.count(StepRolledBack)


@pytest.mark.parametrize("kind", BACKWARD, ids=lambda kind: kind.__name__)
def test_nothing_stands_in_the_way_of_a_rollback(kind: type[Any]) -> None:
    """On the way back a journal that raises is counted, and the undoing goes on."""
    diary: list[str] = []
    journal = Listener("journal", [], lambda event: not isinstance(event, kind))

    with pytest.raises(StepFailedError, match="Step 'b' failed: boom"):
        execute(ScriptedStep("a", diary), ScriptedStep("b", diary, does=failing()), journal=journal)

    assert diary == ["run a", "run b", "undo b", "undo a"]


@pytest.mark.parametrize("place", ["observer", "reporter"])
@pytest.mark.parametrize("end", ["succeeds", "fails"])
def test_an_observer_that_always_raises_changes_nothing(place: str, end: str, caplog: pytest.LogCaptureFixture) -> None:
    """It is told everything, its first exception is logged with a traceback, the rest are counted."""
    diary, heard = list[str](), list[tuple[str, type[Any]]]()
    broken: Any = Listener("broken", heard, lambda _: False)
    broken.set_progress = lambda *_: broken.observe(RunProgressed(0))
    context = BaseStepContext(RuntimeContext(reporter=broken if place == "reporter" else None))
    observers = [broken] if place == "observer" else []
    steps = [ScriptedStep("a", diary, does=_act), ScriptedStep("b", diary, does=failing() if end == "fails" else _act)]

    if end == "fails":
        with pytest.raises(StepFailedError, match="boom"):
            execute(*steps, context=context, observers=observers)
    else:
        assert execute(*steps, context=context, observers=observers)["success"]

    assert diary == ["run a", "run b"] + (["undo b", "undo a"] if end == "fails" else [])
    assert heard[-1] == ("broken", RunFinished)
    first, last = caplog.records[0], caplog.records[-1]
    assert first.getMessage().startswith("The observer Listener failed, and the run goes on")
    assert first.exc_info is not None
    assert last.getMessage() == f"The observer Listener failed {len(heard)} times during the run"


def test_the_reporter_of_the_context_is_an_observer() -> None:
    """It needs no mention."""
    reporter = MemoryReporter()

    execute(ScriptedStep("a"), context=BaseStepContext(RuntimeContext(reporter=reporter)))

    assert [type(event) for event in reporter.events] == [
        RunStarted,
        StepStarted,
        StepFinished,
        RunProgressed,
        RunFinished,
    ]


def test_a_reporter_that_observes_nothing_is_left_alone() -> None:
    """Whatever stands there in a script of somebody's own."""
    reporter: Any = object()

    assert execute(ScriptedStep("a"), context=BaseStepContext(RuntimeContext(reporter=reporter)))["success"]


def test_events_carry_what_happened() -> None:
    """Results, records, shares, status."""
    reporter = MemoryReporter()
    context = BaseStepContext(RuntimeContext(reporter=reporter))

    execute(ScriptedStep("a", weight=0.25, does=_act), ScriptedStep("b", weight=0.75), context=context)

    told = {type(event): event for event in reversed(reporter.events)}
    assert told[RunStarted] == RunStarted((("a", 0.25), ("b", 0.75)))
    assert told[UndoRecorded] == UndoRecorded("a", {"n": 1})
    assert told[ProgressSaved] == ProgressSaved("a", {"done": 1})
    finished, ended = told[StepFinished], told[RunFinished]
    assert isinstance(finished, StepFinished)
    assert isinstance(ended, RunFinished)
    assert finished.result is context.step_results[0]
    assert 0.0 <= finished.elapsed <= ended.elapsed
    assert (ended.status, ended.error, ended.interrupted) == (RunStatus.SUCCEEDED, None, False)
    assert all(event.occurred_at.utcoffset() is not None for event in reporter.events)


def test_a_conclusion_that_raises_undoes_everything_and_goes_on_as_it_is() -> None:
    """The run does not count as done before its result is accepted."""
    diary, reporter = list[str](), MemoryReporter()

    def refuse(summary: dict[str, Any]) -> None:
        assert summary == {"success": True, "steps_executed": 1, "steps_total": 1}
        msg = "not what was promised"
        raise ValueError(msg)

    with pytest.raises(ValueError, match="not what was promised"):
        execute(
            ScriptedStep("a", diary),
            context=BaseStepContext(RuntimeContext(reporter=reporter)),
            conclude=refuse,
        )

    assert diary == ["run a", "undo a"]
    assert reporter.percents == []
    assert isinstance(reporter.events[-1], RunFinished)
    assert reporter.events[-1].status is RunStatus.ROLLED_BACK
