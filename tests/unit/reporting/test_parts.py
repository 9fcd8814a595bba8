"""What is told of a run that is a part of another one, and what is shown of both."""

import pytest

from synapse_sdk.reporting import RunView
from synapse_sdk.reporting.events import (
    Event,
    Logged,
    RollbackStarted,
    RunFinished,
    RunProgressed,
    RunStarted,
    RunStatus,
    StepStarted,
)
from synapse_sdk.reporting.parts import PartEvents
from synapse_sdk.testing.clock import FakeClock

BEGIN, END = RunStarted((("look", 1.0),)), RunFinished(RunStatus.SUCCEEDED, 1.0)


def told(*events: Event) -> list[Event]:
    """Return what those who watch the outer run are told."""
    part = PartEvents("gather")
    return [each for event in events for each in part.told(event)]


def test_a_part_says_in_which_step_it_is() -> None:
    """So that its start is not taken for that of another run."""
    start, step, end = told(BEGIN, StepStarted("look"), END)

    assert start == RunStarted((("look", 1.0),), within="gather")
    assert (step, end) == (StepStarted("look"), END)


def test_how_a_part_is_undone_after_its_end_is_told_by_the_outer_run() -> None:
    """Its logs come all the same."""
    log = Logged("removed", {})

    assert told(BEGIN, END, RollbackStarted(("look",), "x"), log, END)[2:] == [log]


@pytest.mark.parametrize(
    ("before", "is_about_part"),
    [
        ([], False),
        ([BEGIN], True),
        ([BEGIN, RunStarted((), within="inner")], True),
        ([BEGIN, RunStarted(())], False),
        ([BEGIN, RunStarted(()), END], True),
    ],
)
def test_only_the_progress_of_the_part_itself_moves_the_outer_bar(before: list[Event], is_about_part: bool) -> None:  # noqa: FBT001  # a parameter of the test
    """Not that of a workflow inside one of its steps; a part of a part speaks for both."""
    part = PartEvents("gather")
    for event in before:
        assert [*part.told(event)]

    assert [*part.told(RunProgressed(50))] == []
    assert part.is_about_part is is_about_part


def test_the_bar_of_the_whole_moves_while_a_part_runs() -> None:
    """What is told of progress then is told of the whole."""
    view = RunView(FakeClock())
    for event in (
        RunStarted((("gather", 1.0),)),
        StepStarted("gather"),
        RunStarted((("look", 1.0),), within="gather"),
        StepStarted("look"),
        RunProgressed(40),
    ):
        view.observe(event)

    assert view.inner is not None
    assert (view.percent, view.inner.percent, view.inner.busy_with) == (40, 0, "look")
