import io
import re
from collections.abc import Iterable

import pytest
from hypothesis import given
from hypothesis import strategies as st

from synapse_sdk.errors import StepFailedError
from synapse_sdk.plugins.context import RuntimeContext
from synapse_sdk.plugins.steps import BaseStepContext, StepResult
from synapse_sdk.reporting import ErrorReporter, PlainReporter
from synapse_sdk.reporting.events import (
    Event,
    InterruptHeld,
    Logged,
    LogLevel,
    LogsShed,
    RollbackStarted,
    RunFinished,
    RunStarted,
    RunStatus,
    StepFinished,
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
    show,
    stream_in,
)
from tests.unit.steps.scripted import ScriptedStep, execute, raising

LEFT_BEHIND = (
    "failed, and the rollback is incomplete after 1 min 20 s; not undone: report, resize (not tried); "
    "1 failed in resize"
)


class Shown:
    """A plain reporter, the clock it goes by, and what it has written."""

    def __init__(self, events: Iterable[Event] = (), **options: bool | LogLevel) -> None:
        self.clock = FakeClock()
        self.stream = io.StringIO()
        self.reporter = PlainReporter(self.stream, clock=self.clock, **options)  # type: ignore[arg-type]  # its options
        self.see(events)

    def see(self, events: Iterable[Event]) -> list[str]:
        """Tell it events and return the lines that are new."""
        show(events, self.reporter)
        return self.after(0.0)

    def after(self, seconds: float) -> list[str]:
        """Let time pass and return the lines that are new."""
        self.clock.advance(seconds)
        begin = len(self.stream.getvalue())
        self.reporter.tick()
        return self.stream.getvalue()[begin:].splitlines()


def lines_for(events: Iterable[Event], **options: bool | LogLevel) -> list[str]:
    """Return everything that is written for these events."""
    return Shown(events, **options).stream.getvalue().splitlines()


def test_a_run_is_told_step_by_step() -> None:
    """A line at each edge, and an honest one at the end."""
    assert lines_for(SUCCESS) == [
        "run started: 3 steps",
        "[1/3] discover: started",
        "[1/3] discover: done in 0.5 s",
        "[2/3] resize: started",
        "[2/3] resize: done in 1 min 15 s, 1 failed",
        "[3/3] report: started",
        "[3/3] report: done in 0.2 s",
        "succeeded in 1 min 16 s: 3 steps; 1 failed in resize",
    ]


def test_a_failed_run_is_told_to_its_last_undone_step() -> None:
    """Why it failed, what is being undone, and that it all is."""
    assert lines_for(FAILURE)[6:] == [
        "[3/3] report: FAILED after 0.1 s: disk full",
        "rolling back 2 steps",
        "undoing report (1 of 2)",
        "report: undone in 0.1 s",
        "undoing resize (2 of 2)",
        "resize: undone in 2.0 s",
        "failed and rolled back after 1 min 20 s: 2 steps undone; 1 failed in resize",
    ]


def test_what_is_left_behind_is_named() -> None:
    """A step that could not be undone, and one whose turn did not come."""
    assert lines_for(LEFTOVERS)[9:] == [
        "report: NOT UNDONE after 0.1 s: Permission denied",
        "undoing resize (2 of 2)",
        LEFT_BEHIND,
    ]


def test_ctrl_c_is_called_by_its_name() -> None:
    """Somebody who stopped a run did not break it."""
    assert lines_for(STOPPED) == [
        "run started: 3 steps",
        "[1/3] discover: started",
        "[1/3] discover: STOPPED after 3.0 s by Ctrl-C",
        "rolling back 0 steps",
        "stopped after 3.0 s; there was nothing to undo",
    ]


def test_a_skipped_step_is_said_to_be_skipped() -> None:
    """And counted at the end."""
    events: list[Event] = [
        RunStarted((("check", 1.0),)),
        StepStarted("check"),
        StepFinished("check", StepResult(skipped=True), 0.0),
        RunFinished(RunStatus.SUCCEEDED, 0.1),
    ]

    assert lines_for(events)[2:] == ["[1/1] check: skipped", "succeeded in 0.1 s: 1 step, 1 skipped"]


def test_a_reason_that_no_step_has_given_is_given_by_the_rollback() -> None:
    """An interrupt between two steps, for example."""
    events: list[Event] = [RunStarted((("a", 1.0),)), RollbackStarted(("a",), "the sky fell")]

    assert lines_for(events)[1:] == ["rolling back 1 step: the sky fell"]


def test_progress_is_written_every_ten_seconds_and_only_if_there_is_some() -> None:
    """Quiet enough for a log file, alive enough for a person."""
    shown = Shown([RunStarted((("upload", 1.0),)), StepStarted("upload")])
    shown.reporter.set_progress(1, 100, "upload")
    assert shown.after(9.9) == []
    assert shown.after(0.1) == ["  0 %  upload (step 1 of 1): 1/100"]
    assert shown.after(10.0) == []

    shown.reporter.set_progress(21, 100, "upload")
    assert shown.after(0.0) == ["  0 %  upload (step 1 of 1): 21/100, 1.0/s, 1 min 19 s left"]
    shown.reporter.set_progress(22, 100, "upload")
    assert shown.after(9.0) == []


def test_work_beside_the_step_is_listed_up_to_a_point() -> None:
    """Four of them, and how many more."""
    shown = Shown([RunStarted((("upload", 1.0),)), StepStarted("upload")])
    for number in range(6):
        shown.reporter.set_progress(1, 2, f"file{number}")

    assert shown.after(10.0) == [
        "  0 %  upload (step 1 of 1): file5 1/2, file4 1/2, file3 1/2, file2 1/2, and 2 more",
    ]


def test_after_a_minute_of_silence_it_gives_a_sign_of_life() -> None:
    """And again a minute later, but not while there is something to say."""
    shown = Shown(UP_TO_REPORT)
    assert shown.after(59.9) == []
    assert shown.after(0.1) == ["still running after 1 min 0 s: 80 %, report (step 3 of 3); 1 failed in resize"]
    assert shown.after(30.0) == []

    shown.see([Logged("note", {})])
    assert shown.after(59.9) == []
    assert len(shown.after(0.1)) == 1


def test_a_long_rollback_gives_signs_of_life() -> None:
    """It is work as well."""
    shown = Shown(UP_TO_ROLLBACK)

    assert shown.after(60.0) == [
        "still rolling back after 1 min 0 s: 80 %, undoing report (1 of 2); 1 failed in resize"
    ]


def test_before_and_after_a_run_time_says_nothing() -> None:
    """There is no run to be alive."""
    assert Shown().after(1_000.0) == []
    assert Shown(SUCCESS).after(1_000.0) == []


def test_an_interrupt_during_a_rollback_is_answered() -> None:
    """Whoever pressed the key learns what it did."""
    assert lines_for([InterruptHeld(1, 2), InterruptHeld(2, 1)]) == [
        "interrupt received: the rollback goes on; press Ctrl-C 2 more times to leave it unfinished",
        "interrupt received: the rollback goes on; press Ctrl-C once more to leave it unfinished",
    ]


def test_missing_lines_are_counted() -> None:
    """Nothing is dropped in silence."""
    assert lines_for([LogsShed(1234)]) == ["1,234 log lines not shown: they came faster than they could be written"]


def test_log_lines_below_the_level_are_left_out() -> None:
    """By default those for debugging."""
    events: list[Event] = [Logged(level, {"traceback": "x\ny"}, level) for level in LogLevel]

    assert lines_for(events)[0] == "info"
    assert lines_for(events, level=LogLevel.ERROR) == ["error: error", "critical: critical"]
    assert lines_for(events, level=LogLevel.DEBUG)[:2] == ["debug: debug", "  | traceback:"]


def test_a_run_inside_a_step_is_indented() -> None:
    """One can see which step is whose."""
    events: list[Event] = [
        RunStarted((("outer", 1.0),)),
        StepStarted("outer"),
        RunStarted((("inner", 1.0),)),
        StepStarted("inner"),
    ]

    assert lines_for(events)[2:] == ["  run started: 1 step", "  [1/1] inner: started"]


def test_a_report_that_ends_before_the_run_says_so() -> None:
    """A log that just stops would look like a hang."""
    shown = Shown(UP_TO_REPORT)
    shown.clock.advance(5.0)
    shown.reporter.close()
    shown.reporter.close()

    assert shown.stream.getvalue().splitlines()[-1] == "left at 80 % after 5.0 s: the report ends before the run"


def test_colour_comes_only_when_asked_for_and_moves_no_cursor() -> None:
    """FORCE_COLOR in a pipe."""
    plain, coloured = "\n".join(lines_for(FAILURE)), "\n".join(lines_for(FAILURE, color=True))

    assert "\x1b" not in plain
    assert re.sub(r"\x1b\[\d+m", "", coloured) == plain
    assert "\x1b[31m[3/3] report: FAILED" in coloured


@given(st.text(min_size=1), st.text())
def test_no_control_character_gets_through(name: str, text: str) -> None:
    """Names, messages, values and errors: one line each, whatever they hold."""
    events: list[Event] = [
        RunStarted(((name, 1.0),)),
        StepStarted(name),
        Logged(text, {name: text, "message": text}, file=text),
        StepFinished(name, StepResult(success=False, error=text), 0.1),
        RollbackStarted((name,), text),
    ]

    written = "\n".join(lines_for(events))

    assert all(char.isprintable() or char in "\n\u3000" or char.isspace() for char in written)
    assert not re.search("[\x00-\x09\x0b-\x1f\x7f-\x9f\u2028-\u202e]", written)


def test_a_stream_that_knows_only_ascii_gets_escapes() -> None:
    """LANG=C must not end in an exception."""
    stream = stream_in("ascii")
    reporter = PlainReporter(stream, clock=FakeClock())
    show([RunStarted((("고양이", 1.0),)), StepStarted("고양이")], reporter)
    reporter.close()

    stream.seek(0)
    assert stream.read().splitlines()[1] == r"[1/1] \uace0\uc591\uc774: started"


def test_a_real_run_is_told_as_it_goes() -> None:
    """The engine, a context and this reporter, with nothing in between."""

    def copy(context: BaseStepContext) -> StepResult:
        context.log("copied", {"n": 2})
        return StepResult()

    stream = io.StringIO()
    reporter = PlainReporter(stream)
    context = BaseStepContext(RuntimeContext(reporter=reporter))
    with pytest.raises(StepFailedError):
        execute(
            ScriptedStep("copy", does=copy),
            ScriptedStep("check", does=raising(OSError("disk full"))),
            context=context,
        )
    reporter.close()

    assert re.sub(r"\d+\.\d s", "_ s", stream.getvalue()).splitlines() == [
        "run started: 2 steps",
        "[1/2] copy: started",
        "copied n=2",
        "[1/2] copy: done in _ s",
        "[2/2] check: started",
        "[2/2] check: FAILED after _ s: disk full",
        "rolling back 2 steps",
        "undoing check (1 of 2)",
        "check: undone in _ s",
        "undoing copy (2 of 2)",
        "copy: undone in _ s",
        "failed and rolled back after _ s: 2 steps undone",
    ]


def test_who_wants_nothing_hears_of_errors() -> None:
    """`--progress none`: errors, and what was left behind."""
    stream = io.StringIO()
    reporter = ErrorReporter(stream, clock=FakeClock())
    show([Logged("fine", {}), Logged("bad", {}, LogLevel.ERROR), *LEFTOVERS], reporter)
    reporter.set_progress(1, 2, "a")
    reporter.close()

    assert stream.getvalue().splitlines() == ["error: bad", "error: step report was not undone: Permission denied"]
