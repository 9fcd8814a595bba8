import pytest

from synapse_sdk.errors import StepFailedError
from synapse_sdk.plugins.steps import StepResult
from synapse_sdk.reporting import RunView
from synapse_sdk.reporting.events import (
    Event,
    InterruptHeld,
    MetricsReported,
    RollbackStarted,
    RunFinished,
    RunProgressed,
    RunStarted,
    RunStatus,
    StepFinished,
    StepRolledBack,
    StepStarted,
)
from synapse_sdk.reporting.step_view import StepState
from synapse_sdk.testing.clock import FakeClock
from tests.unit.reporting.scenes import FAILURE, LEFTOVERS, STOPPED, SUCCESS, UP_TO_REPORT, UP_TO_ROLLBACK
from tests.unit.steps.scripted import ScriptedStep, execute, failing, observed_context


def view_of(events: list[Event], clock: FakeClock | None = None) -> RunView:
    """Return what there is to show after these events."""
    view = RunView(clock or FakeClock())
    for event in events:
        view.observe(event)
    return view


def states(view: RunView) -> dict[str, StepState]:
    """Return where each step stands."""
    return {step.name: step.state for step in view.steps.values()}


def test_a_running_step_is_the_nth_of_m() -> None:
    """Percent, step and count are known at any moment."""
    view = view_of(UP_TO_REPORT)

    assert view.is_active
    assert view.percent == 80
    assert (view.busy_with, view.steps["report"].number, view.total) == ("report", 3, 3)


def test_failures_are_counted_once_by_where_they_happened() -> None:
    """Metrics and the step's result speak of the same images."""
    view = view_of(UP_TO_REPORT)

    assert view.failed == {"resize": 1}


@pytest.mark.parametrize(
    ("failed", "count"), [(3, 3), (["a", "b"], 2), ("two", None), (True, None), (0, None), (0.5, None)]
)
def test_only_what_is_a_count_is_counted(failed: object, count: int | None) -> None:
    """A number or a collection counts; a text or a truth does not."""
    view = view_of([RunStarted(()), MetricsReported("upload", {"failed": failed})])

    assert view.failed.get("upload") == count


def test_a_count_may_go_back_to_none() -> None:
    """The last value wins."""
    view = view_of([RunStarted(()), MetricsReported("a", {"failed": 2}), MetricsReported("a", {"failed": 0})])

    assert view.failed == {}


def test_progress_is_kept_by_category_with_its_rate() -> None:
    """The step's own work and what goes on beside it."""
    clock = FakeClock()
    view = view_of([RunStarted((("upload", 1.0),)), StepStarted("upload")], clock)
    for done in range(11):
        view.set_progress(done, 100, "upload")
        view.set_progress(done, 10, "a.jpg")
        view.set_progress(done, 20, "b.jpg")
        clock.advance(1.0)

    assert view.work is not None
    assert view.work.current == 10
    assert view.work.rate(10.0) == 1.0
    assert [name for name, _ in view.side_work()] == ["b.jpg"]


def test_progress_of_the_whole_run_is_not_shown_beside_the_bar() -> None:
    """The guide's callback reports it as category `overall`."""
    view = view_of([RunStarted((("upload", 1.0),)), StepStarted("upload")])
    view.set_progress(50, 100, "overall")

    assert view.side_work() == []


def test_progress_under_a_name_for_each_file_does_not_pile_up() -> None:
    """The oldest categories are forgotten."""
    view = view_of([RunStarted((("upload", 1.0),)), StepStarted("upload")])
    for number in range(5_000):
        view.set_progress(1, 2, f"file {number}")

    assert len(view.progress) == 1_000
    assert view.side_work()[0][0] == "file 4999"


def test_elapsed_time_stops_with_the_run() -> None:
    """Afterwards it is what the run says it was."""
    clock = FakeClock()
    view = view_of(UP_TO_REPORT, clock)
    clock.advance(12.0)
    assert view.elapsed == 12.0

    view.observe(RunFinished(RunStatus.SUCCEEDED, 12.5))
    clock.advance(100.0)
    assert view.elapsed == 12.5


def test_a_rollback_counts_down() -> None:
    """What is left includes the step being undone."""
    view = view_of(UP_TO_ROLLBACK)
    assert view.rollback is not None
    assert (view.rollback.left, view.rollback.number, view.busy_with) == (2, 1, "report")

    view.observe(StepRolledBack("report", 0.1))
    assert (view.rollback.left, view.rollback.number, view.busy_with) == (1, 1, None)


def test_every_step_ends_with_an_outcome() -> None:
    """Done, undone, failed and not undone are told apart."""
    assert set(states(view_of(SUCCESS)).values()) == {StepState.DONE}
    assert states(view_of(FAILURE)) == {
        "discover": StepState.DONE,
        "resize": StepState.UNDONE,
        "report": StepState.UNDONE,
    }
    assert view_of(FAILURE).steps["report"].has_failed


def test_leftovers_say_why() -> None:
    """A rollback that failed, and one that did not come to its end."""
    assert view_of(FAILURE).leftovers() == []
    assert view_of(LEFTOVERS).leftovers() == [("report", "Permission denied"), ("resize", None)]


def test_stopping_is_not_failing() -> None:
    """Ctrl-C is told apart from errors."""
    assert view_of(STOPPED).is_stopped
    assert view_of(STOPPED).steps["discover"].stopped_by == "Ctrl-C"
    assert not view_of(FAILURE).is_stopped


def test_an_interrupt_that_was_withstood_is_remembered() -> None:
    """The notice stays as long as the rollback."""
    view = view_of([*UP_TO_ROLLBACK, InterruptHeld(2, 1)])

    assert view.interrupt == InterruptHeld(2, 1)


def test_the_next_run_begins_with_a_clean_slate() -> None:
    """One reporter may show several runs, one after the other."""
    view = view_of([*LEFTOVERS, RunStarted((("a", 1.0),))])

    assert (view.percent, view.total, view.rollback, view.failed, view.steps) == (0, 1, None, {}, {})


def test_a_run_inside_a_step_does_not_move_the_outer_bar() -> None:
    """Its events have a view of their own until it ends."""
    outer: list[Event] = [RunStarted((("whole", 1.0),)), StepStarted("whole"), RunProgressed(5)]
    view = view_of(outer + UP_TO_ROLLBACK)

    assert view.inner is not None
    assert view.inner.depth == 1
    assert (view.percent, view.busy_with, view.rollback) == (5, "whole", None)
    assert view.innermost.busy_with == "report"

    view.observe(RunFinished(RunStatus.ROLLED_BACK, 1.0))
    view.observe(StepFinished("whole", StepResult(), 1.0))
    assert view.inner is None
    assert view.steps["whole"].state is StepState.DONE


def test_the_engine_tells_all_that_a_view_needs() -> None:
    """A real run with a skipped, a succeeding and a failing step."""
    context, reporter = observed_context()
    skipped, done = ScriptedStep("skipped", skips=lambda _: True), ScriptedStep("done")
    broken = ScriptedStep("broken", does=failing("boom"), undoes=lambda _: 1 / 0)
    with pytest.raises(StepFailedError):
        execute(skipped, done, broken, context=context)

    view = view_of(reporter.events)

    assert view.status is RunStatus.ROLLBACK_INCOMPLETE
    assert states(view) == {
        "skipped": StepState.SKIPPED,
        "done": StepState.UNDONE,
        "broken": StepState.NOT_UNDONE,
    }
    assert view.leftovers() == [("broken", "division by zero")]


def test_a_rollback_without_steps_has_nothing_left() -> None:
    """Nothing to undo is no reason for a leftover."""
    view = view_of([RunStarted(()), RollbackStarted((), "why"), RunFinished(RunStatus.FAILED, 1.0, "why")])

    assert view.leftovers() == []
