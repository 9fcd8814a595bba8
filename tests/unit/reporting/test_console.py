import re
from collections.abc import Iterable

import pytest
from hypothesis import given
from hypothesis import strategies as st
from rich.cells import cell_len

from synapse_sdk.plugins.steps import StepResult
from synapse_sdk.reporting import ConsoleReporter, RunView
from synapse_sdk.reporting.drawing import draw_run, draw_summary
from synapse_sdk.reporting.events import (
    Event,
    InterruptHeld,
    Logged,
    LogLevel,
    LogsShed,
    RollbackStarted,
    RunFinished,
    RunProgressed,
    RunStarted,
    RunStatus,
    StepFinished,
    StepRollbackStarted,
    StepRolledBack,
    StepStarted,
)
from synapse_sdk.testing.clock import FakeClock
from tests.unit.reporting.scenes import (
    FAILURE,
    LEFTOVERS,
    STOPPED,
    SUCCESS,
    UP_TO_REPORT,
    UP_TO_ROLLBACK,
    FakeTerminal,
    show,
)
from tests.unit.reporting.screen import Screen


class Shown:
    """A console reporter on a terminal of so many columns, and what one would see there."""

    def __init__(self, columns: int = 80, *, color: bool = True) -> None:
        self.clock = FakeClock()
        self.stream = FakeTerminal()
        self.screen = Screen(columns)
        self.reporter = ConsoleReporter(self.stream, color=color, clock=self.clock)
        self._fed = 0

    def see(self, events: Iterable[Event] = ()) -> list[str]:
        """Tell it events, let it draw, and return the lines on the screen."""
        show(events, self.reporter)
        self.reporter.tick()
        return self._lines()

    def end(self) -> list[str]:
        """Close it and return the lines on the screen."""
        self.reporter.close()
        return self._lines()

    def print(self, text: str) -> None:
        """Write something to the terminal that the reporter does not know of."""
        self.stream.write(text)

    def _lines(self) -> list[str]:
        written = self.stream.getvalue()
        self.screen.feed(written[self._fed :])
        self._fed = len(written)
        return self.screen.lines


@pytest.fixture(params=[80, 40], ids=["wide", "narrow"])
def columns(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> int:
    """Set the width of the terminal."""
    width: int = request.param
    monkeypatch.setenv("COLUMNS", str(width))
    monkeypatch.setenv("LINES", "24")
    return width


@pytest.fixture
def _wide(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("COLUMNS", "80")
    monkeypatch.setenv("LINES", "24")


def drawn(events: Iterable[Event], columns: int = 80, clock: FakeClock | None = None) -> list[str]:
    """Return the lines of the drawing after these events."""
    view = RunView(clock or FakeClock())
    show(events, view)  # type: ignore[arg-type]  # a view takes what a reporter takes, but is never closed
    return [line.plain for line in draw_run(view, columns)]


def summary(events: Iterable[Event], columns: int = 80) -> list[str]:
    """Return the lines of the summary after these events."""
    view = RunView(FakeClock())
    for event in events:
        view.observe(event)
    return [line.plain for line in draw_summary(view, columns)]


# What is drawn


def test_a_running_step_has_bar_count_rate_and_time_left() -> None:
    """And what failed stays in sight."""
    clock = FakeClock()
    view = RunView(clock)
    show([*UP_TO_REPORT[:5], RunProgressed(45)], view)  # type: ignore[arg-type]  # as above
    for done in range(6):
        view.set_progress(done, 12, "resize")
        view.set_progress(done, 9, "thumbnails")
        clock.advance(0.5)
    show(UP_TO_REPORT[6:7], view)  # type: ignore[arg-type]  # as above

    assert [line.plain for line in draw_run(view, 79)] == [
        "   45 % ━━━━━━━━━━━━━━━━━━━━━━────────────────────────────  step 2 of 3  3.0 s",
        "  resize  5/12 · 1.7/s · 4.2 s left",
        "    thumbnails 5/9 · 1.7/s · 2.4 s left",
        "  1 failed in resize",
    ]


def test_a_rollback_has_a_bar_that_counts_down() -> None:
    """The first bar stays where it was."""
    before = drawn(UP_TO_ROLLBACK, 60)
    after = drawn([*UP_TO_ROLLBACK, StepRolledBack("report", 0.1), StepRollbackStarted("resize")], 60)

    assert before == [
        "   80 % ━━━━━━━━━━━━━━━━━━━━━━━━━━──────  step 3 of 3  0.0 s",
        "  report: disk full",
        "   undo ━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━  2 of 2 left",
        "  undoing report (1 of 2)",
        "  1 failed in resize",
    ]
    assert after[2:4] == [
        "   undo ━━━━━━━━━━━━━━━━━━━━───────────────────  1 of 2 left",
        "  undoing resize (2 of 2)",
    ]


def test_an_interrupt_is_answered_as_long_as_the_rollback_goes_on() -> None:
    """In words that fit the terminal."""
    assert drawn([*UP_TO_ROLLBACK, InterruptHeld(2, 1)], 40)[-3:] == [
        "  interrupt received: the rollback goes",
        "  on; press Ctrl-C once more to leave",
        "  it unfinished",
    ]


def test_a_run_inside_a_step_is_named_after_it() -> None:
    """The bar is the outer run's."""
    outer: list[Event] = [RunStarted((("train", 1.0),)), StepStarted("train"), RunProgressed(7)]

    lines = drawn([*outer, RunStarted((("fold", 1.0),)), StepStarted("fold"), RunProgressed(50)], 60)

    assert lines[0].startswith("    7 % ")
    assert lines[1] == "  train > fold"
    assert "  undoing report (1 of 2)" in drawn([*outer, *UP_TO_ROLLBACK], 60)


names = st.text(st.characters(codec="utf-8"), min_size=1, max_size=80)


@given(names, names, st.integers(12, 120))
def test_no_line_is_wider_than_the_terminal(name: str, text: str, columns: int) -> None:
    """Wide, combining, control and long: whatever the names are."""
    failed = StepResult(success=False, error=text, data={"failed": 12345})
    running: list[Event] = [RunStarted(((name, 0.5), (text, 0.5))), StepStarted(name)]
    undoing: list[Event] = [StepFinished(name, failed, 1e6), RollbackStarted((name,), text), StepRollbackStarted(name)]

    view = RunView(FakeClock())
    show(running, view)  # type: ignore[arg-type]  # as above
    view.set_progress(5, 1e12, name)
    view.set_progress(5, 1e12, text)
    lines = draw_run(view, columns)
    show([*undoing, InterruptHeld(1, 2)], view)  # type: ignore[arg-type]  # as above
    lines += draw_run(view, columns)

    assert all(line.cell_len <= columns for line in lines)
    assert all("\n" not in line.plain and "\x1b" not in line.plain for line in lines)


def test_the_summary_tells_outcome_and_time_of_each_step() -> None:
    """In words, so that colour is not needed."""
    assert summary(SUCCESS) == [
        "✓ discover  done            0.5 s",
        "✓ resize    done       1 min 15 s  1 failed",
        "✓ report    done            0.2 s",
        "succeeded in 1 min 16 s: 3 steps",
    ]
    assert summary(FAILURE) == [
        "✓ discover  done            0.5 s",
        "↶ resize    undone     1 min 15 s  1 failed",
        "✗ report    failed          0.1 s  undone",
        "    disk full",
        "failed and rolled back after 1 min 20 s: 2 steps undone",
    ]


def test_the_summary_names_what_is_left_behind() -> None:
    """With the reason, and with what was not tried."""
    assert summary(LEFTOVERS)[2:] == [
        "✗ report    failed          0.1 s",
        "    disk full",
        "    not undone: Permission denied",
        "failed, and the rollback is incomplete after 1 min 20 s; not undone: report,",
        "resize (not tried)",
    ]


def test_the_summary_counts_what_was_not_run() -> None:
    """After Ctrl-C in the first of three steps."""
    assert summary(STOPPED) == [
        "✗ discover  stopped         3.0 s",
        "    stopped by Ctrl-C",
        "  2 not run",
        "stopped after 3.0 s; there was nothing to undo",
    ]


def test_the_summary_of_a_thousand_steps_is_short() -> None:
    """What went wrong is listed, the rest counted."""
    steps = [f"step {number}" for number in range(1_000)]
    events: list[Event] = [RunStarted(tuple((name, 0.001) for name in steps))]
    for number, name in enumerate(steps[:900]):
        events += [StepStarted(name), StepFinished(name, StepResult(skipped=number % 9 == 0), 0.0)]
    events += [StepStarted("last"), StepFinished("last", StepResult(success=False, error="boom"), 1.0)]
    events += [RollbackStarted((), "boom"), RunFinished(RunStatus.FAILED, 9.0, "boom")]

    assert summary(events) == [
        "✗ last  failed          1.0 s",
        "    boom",
        "  100 skipped, 800 done, 99 not run",
        "failed after 9.0 s; there was nothing to undo",
    ]


@pytest.mark.parametrize("columns", [30, 40, 80])
def test_a_summary_fits_narrow_terminals(columns: int) -> None:
    """Names are cut by the cells they take, notes move to a line of their own."""
    name = "아주긴이름의단계_사진크기조정하기_resize"
    events: list[Event] = [
        RunStarted(((name, 1.0),)),
        StepStarted(name),
        StepFinished(name, StepResult(data={"failed": 3}), 200.0),
        RunFinished(RunStatus.SUCCEEDED, 200.0),
    ]

    lines = summary(events, columns)

    assert all(cell_len(line) <= max(columns, 36) for line in lines)
    assert "3 failed" in "\n".join(lines)


# How it is drawn


def test_the_drawing_is_redrawn_in_place(columns: int) -> None:
    """One drawing on the screen, however often it was drawn."""
    shown = Shown(columns)
    for count in range(1, len(UP_TO_ROLLBACK) + 1):
        lines = shown.see(UP_TO_ROLLBACK[count - 1 : count])

    assert sum("%" in line for line in lines) == 1
    assert lines[-4].lstrip().startswith("report: disk full")
    assert shown.screen.row == 0, "the cursor rests on the empty line above the drawing"


def test_log_lines_scroll_above_the_drawing(columns: int) -> None:
    """In order, and not overwritten, though they be wider than the terminal."""
    shown = Shown(columns)
    for number in range(5):
        shown.see(
            [
                *(UP_TO_REPORT if number == 0 else []),
                Logged("a_rather_long_event_word", {"number": number, "p": "x" * 30}),
            ]
        )
    lines = shown.see()

    text = "".join(lines)
    assert re.findall(r"number=(\d)", text) == list("01234")
    assert sum("%" in line for line in lines) == 1


@pytest.mark.usefixtures("_wide")
def test_what_others_print_is_not_lost() -> None:
    """A single line goes to where the cursor rests, even if nobody announces it."""
    shown = Shown()
    shown.see(UP_TO_REPORT)
    shown.print("printed by a child process\n")
    lines = shown.see([RunProgressed(81)])

    assert lines[0] == "printed by a child process"
    assert sum("%" in line for line in lines) == 1


@pytest.mark.usefixtures("_wide")
def test_at_the_end_the_drawing_gives_way_to_the_summary() -> None:
    """The cursor is below it, at the start of a line."""
    shown = Shown()
    shown.see(UP_TO_REPORT)
    lines = shown.see(SUCCESS[len(UP_TO_REPORT) :])

    assert lines == summary(SUCCESS)
    assert (shown.screen.row, shown.screen.column) == (4, 0)
    assert shown.end() == lines


@pytest.mark.usefixtures("_wide")
def test_closing_in_the_middle_leaves_a_true_line() -> None:
    """Nothing half drawn."""
    shown = Shown()
    shown.see(UP_TO_REPORT)
    shown.end()

    assert shown.end() == ["left at 80 % after 0.0 s: the report ends before the run"]


@pytest.mark.usefixtures("_wide")
def test_nothing_is_written_when_nothing_has_changed() -> None:
    """Except the time, once a second."""
    shown = Shown()
    shown.see(UP_TO_REPORT)
    written = len(shown.stream.getvalue())

    for _ in range(7):
        shown.clock.advance(0.125)
        shown.see()
    assert len(shown.stream.getvalue()) == written

    shown.clock.advance(0.125)
    assert "1.0 s" in shown.see()[1]


@pytest.mark.usefixtures("_wide")
def test_outside_a_run_lines_are_just_lines() -> None:
    """Nothing is drawn before there is something to draw."""
    shown = Shown()

    assert shown.see([Logged("message", {"message": "hello"}), LogsShed(2)]) == [
        "hello",
        "2 log lines not shown: they came faster than they could be written",
    ]
    shown.see(SUCCESS)
    assert shown.see([Logged("message", {"message": "bye"})])[-1] == "bye"


@pytest.mark.usefixtures("_wide")
def test_without_colour_the_bar_still_moves() -> None:
    """NO_COLOR is about colour."""
    shown = Shown(color=False)
    shown.see([*FAILURE, Logged("bad", {}, LogLevel.ERROR)])

    colours = {code for codes in shown.screen.colours for code in codes.split(";")}
    assert not colours & {str(number) for number in range(30, 50)}
    assert "31" in {code for codes in coloured().colours for code in codes.split(";")}


def coloured() -> Screen:
    """Return the screen after a failure in colour."""
    shown = Shown()
    shown.see(FAILURE)
    return shown.screen


def test_a_very_low_terminal_shows_what_fits(monkeypatch: pytest.MonkeyPatch) -> None:
    """The cursor must find back to where it began."""
    monkeypatch.setenv("COLUMNS", "80")
    monkeypatch.setenv("LINES", "4")
    shown = Shown()

    lines = shown.see(UP_TO_ROLLBACK)

    assert len(lines) == 1 + 2


@pytest.mark.usefixtures("_wide")
def test_markup_in_names_is_text() -> None:
    """Brackets are not for us to read."""
    shown = Shown()

    assert shown.see([Logged("message", {"message": "[red]stop[/red] :smile:"})]) == ["[red]stop[/red] :smile:"]
