"""Whatever steps do, the engine keeps its promises."""

import logging
from collections.abc import Iterator
from dataclasses import dataclass, field
from math import floor
from typing import Any

import pytest
from hypothesis import given

from synapse_sdk.errors import StepFailedError
from synapse_sdk.plugins.context import RuntimeContext
from synapse_sdk.plugins.steps import BaseStepContext, Orchestrator
from synapse_sdk.reporting import MemoryReporter
from synapse_sdk.reporting.events import (
    Event,
    Logged,
    ProgressReported,
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
from tests.property.laws import INTERRUPTIONS, Account, Fate, Made, Part, workflows
from tests.unit.steps.scripted import registry_of


@dataclass
class Ran:
    """A workflow that has run, and everything that can be seen of it."""

    parts: list[Part]
    observed: bool
    percents: list[int] = field(default_factory=list)
    summary: dict[str, Any] | None = None
    raised: BaseException | None = None

    def __post_init__(self) -> None:
        """Run it."""
        self.made, self.account, self.reporter = Made(self.parts), Account(self.parts), MemoryReporter()
        self.context = BaseStepContext(RuntimeContext(reporter=self.reporter if self.observed else None))

        def on_progress(percent: int, total: int) -> None:
            assert total == 100
            self.percents.append(percent)

        registry = registry_of(*self.made.steps)
        try:
            self.summary = Orchestrator(registry, self.context, on_progress).execute()
        except BaseException as error:  # noqa: BLE001  # it is what is looked at
            self.raised = error

    @property
    def events(self) -> list[Event]:
        """What the engine itself told."""
        return [event for event in self.reporter.events if not isinstance(event, Logged | ProgressReported)]


@pytest.fixture(autouse=True, scope="module")
def _quiet() -> Iterator[None]:
    """Do not print a warning for each of thousands of odd progress reports."""
    logging.disable(logging.CRITICAL)
    yield
    logging.disable(logging.NOTSET)


@given(parts=workflows())
def test_steps_run_in_order_and_are_undone_in_reverse(parts: list[Part]) -> None:
    """Those that were started and no others, the failing one first, whatever each rollback does."""
    ran = Ran(parts, observed=False)

    account = ran.account
    assert ran.made.diary == [f"run s{index}" for index in account.run] + [f"undo s{index}" for index in account.undone]


@given(parts=workflows())
def test_there_is_a_result_for_each_step_whose_turn_came(parts: list[Part]) -> None:
    """In order; only the last can be a failure, and its text is never empty."""
    ran = Ran(parts, observed=False)

    results, account = ran.context.step_results, ran.account
    assert [result.success for result in results] == [not part.fails for part in parts[: account.reached]]
    assert [result.skipped for result in results] == [part.fate is Fate.SKIPS for part in parts[: account.reached]]
    assert [bool(result.error) for result in results] == [part.fails for part in parts[: account.reached]]
    for index, (part, result) in enumerate(zip(parts, results, strict=False)):
        returns = part.fate in {Fate.SUCCEEDS, Fate.RETURNS_FAILURE}
        assert result.data.get("index") == (index if returns else None)
        assert ("duration_seconds" in result.data) == (returns and "timed_" in part.wrappers)


@given(parts=workflows())
def test_a_run_ends_in_a_summary_or_in_what_stopped_it(parts: list[Part]) -> None:
    """The summary counts; a failure carries its text, its step and its cause; an interruption goes on as itself."""
    ran = Ran(parts, observed=False)

    account, end = ran.account, ran.account.end
    if end is None:
        assert ran.raised is None
        assert ran.summary == {"success": True, "steps_executed": len(account.run), "steps_total": len(parts)}
    elif parts[end].fate in INTERRUPTIONS:
        assert ran.raised is ran.made.raised[end]
    else:
        assert isinstance(ran.raised, StepFailedError)
        assert str(ran.raised).startswith(f"Step {account.name(end)!r} failed: ")
        assert ran.raised.step is ran.made.steps[end]
        assert ran.raised.result is ran.context.step_results[-1]
        assert ran.raised.__cause__ is ran.made.raised.get(end) or parts[end].fate is Fate.RETURNS_NONE
        assert [problem.step for problem in ran.raised.rollback_errors] == [
            account.name(index) for index in account.not_undone
        ]


@given(parts=workflows())
def test_the_error_text_is_carried_everywhere(parts: list[Part]) -> None:
    """What the step said is what the result and the exception say."""
    ran = Ran(parts, observed=False)

    end = ran.account.end
    if end is None:
        return
    error = ran.context.step_results[-1].error
    assert error
    if parts[end].fate in {Fate.RETURNS_FAILURE, Fate.RAISES, Fate.SKIP_RAISES} and parts[end].text:
        assert error == parts[end].text
    if parts[end].fate not in INTERRUPTIONS:
        assert str(ran.raised).rstrip(".").endswith(error.rstrip("."))


@given(parts=workflows())
def test_what_cannot_be_undone_is_noted_in_order(parts: list[Part]) -> None:
    """One line a step in `context.errors`; and nothing else is there."""
    ran = Ran(parts, observed=False)

    starts = [f"Rollback of step {ran.account.name(index)!r} failed: {index}\n" for index in ran.account.not_undone]
    assert len(ran.context.errors) == len(starts)
    for line, start in zip(ran.context.errors, starts, strict=True):
        assert line.startswith(start)


@given(parts=workflows())
def test_undo_entries_reach_their_own_step_in_order(parts: list[Part]) -> None:
    """Through every wrapper, and however the step ended."""
    ran = Ran(parts, observed=False)

    for index in ran.account.undone:
        (result,) = ran.made.inner[index].undone
        assert result.rollback_data.get("undo_log", []) == [{"n": entry} for entry in parts[index].undo]


@given(parts=workflows())
def test_progress_rises_and_reaches_100_exactly_at_the_end(parts: list[Part]) -> None:
    """After each step it is at least that step's share, and never 100 before everything is done."""
    ran = Ran(parts, observed=False)

    assert ran.percents == sorted(set(ran.percents))
    assert all(0 < percent <= 100 for percent in ran.percents)
    assert (100 in ran.percents) == (ran.raised is None)
    done = ran.account.reached - (ran.raised is not None)
    if done and ran.raised is not None:
        least = min(floor(ran.account.percent_after(done - 1)), 99)
        assert max(ran.percents, default=0) >= least


@given(parts=workflows())
def test_without_reports_of_steps_progress_is_the_cumulative_weight(parts: list[Part]) -> None:
    """Key behaviour 3 of the guide, exactly: the whole percents that the weights say, each said once."""
    silent = [Part(p.fate, p.text, (), p.undo, p.undo_raises, p.weight, p.wrappers) for p in parts]

    ran = Ran(silent, observed=False)

    done = ran.account.reached - (ran.raised is not None)
    exact = [float(ran.account.percent_after(index)) for index in range(min(done, len(parts) - 1))]
    expected = sorted({min(floor(percent + 1e-6), 99) for percent in exact} - {0})
    close = any(abs(percent - round(percent)) < 1e-6 for percent in exact)  # either is right this near to a whole one
    shown = [percent for percent in ran.percents if percent < 100]
    assert shown == expected or (close and len(shown) - len(expected) in {-1, 0, 1})


@given(parts=workflows())
def test_the_context_is_left_in_order(parts: list[Part]) -> None:
    """No step is current afterwards, and the same context can be used again."""
    ran = Ran(parts, observed=False)

    assert ran.context.current_step is None
    assert ran.context.undo_log == []
    assert Orchestrator(registry_of(), ran.context).execute()["success"]


@given(parts=workflows())
def test_a_run_is_the_same_whether_anybody_watches_or_not(parts: list[Part]) -> None:
    """Observing changes nothing."""
    alone, watched = Ran(parts, observed=False), Ran(parts, observed=True)

    assert watched.made.diary == alone.made.diary
    assert watched.percents == alone.percents == watched.reporter.percents
    assert watched.summary == alone.summary
    assert type(watched.raised) is type(alone.raised)
    assert str(watched.raised or "") == str(alone.raised or "")


@given(parts=workflows())
def test_events_tell_the_whole_story_in_order(parts: list[Part]) -> None:
    """Framed by RunStarted and RunFinished; every step and every undoing is a matched pair."""
    ran = Ran(parts, observed=True)

    assert [_told(event) for event in ran.events if not isinstance(event, RunProgressed)] == _story(ran.account)
    assert isinstance(ran.events[0], RunStarted)
    assert isinstance(ran.events[-1], RunFinished)
    assert [name for name, _ in ran.events[0].steps] == [part.name(index) for index, part in enumerate(parts)]
    assert sum(share for _, share in ran.events[0].steps) == pytest.approx(1.0 if parts else 0.0)


def _told(event: Event) -> tuple[object, ...]:
    particulars: tuple[object, ...] = ()
    match event:
        case RunFinished():
            particulars = (event.status, event.interrupted, bool(event.error))
        case StepFinished():
            particulars = (event.step, event.result.success, event.result.skipped)
        case UndoRecorded():
            particulars = (event.step, *event.entry.values())
        case StepRolledBack():
            particulars = (event.step, bool(event.error), bool(event.traceback))
        case RollbackStarted():
            particulars = event.steps
        case StepStarted() | StepRollbackStarted():
            particulars = (event.step,)
    return (type(event), *particulars)


def _story(account: Account) -> list[tuple[object, ...]]:
    story: list[tuple[object, ...]] = [(RunStarted,)]
    for index in range(account.reached):
        part, name = account.parts[index], account.name(index)
        story.append((StepStarted, name))
        if index in account.run:
            story += [(UndoRecorded, name, entry) for entry in part.undo]
        story.append((StepFinished, name, not part.fails, part.fate is Fate.SKIPS))
    names = [account.name(index) for index in account.undone]
    if names:
        story.append((RollbackStarted, *names))
    for index, name in zip(account.undone, names, strict=True):
        raises = account.parts[index].undo_raises
        story += [(StepRollbackStarted, name), (StepRolledBack, name, raises, raises)]
    interrupted = account.end is not None and account.parts[account.end].fate in INTERRUPTIONS
    return [*story, (RunFinished, _status(account, interrupted=interrupted), interrupted, account.end is not None)]


def _status(account: Account, *, interrupted: bool) -> RunStatus:
    if account.end is None:
        return RunStatus.SUCCEEDED
    if account.not_undone:
        return RunStatus.ROLLBACK_INCOMPLETE
    if account.undone:
        return RunStatus.ROLLED_BACK
    return RunStatus.CANCELLED if interrupted else RunStatus.FAILED
