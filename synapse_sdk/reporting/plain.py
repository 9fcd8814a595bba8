"""The run as lines of text, for logs, pipes and simple terminals. This is the reference rendering."""

from typing import TYPE_CHECKING, Any, TextIO

from synapse_sdk.clock import SYSTEM_CLOCK, Clock
from synapse_sdk.reporting.events import (
    Event,
    InterruptHeld,
    Logged,
    LogLevel,
    LogsShed,
    RollbackStarted,
    RunFinished,
    RunStarted,
    StepFinished,
    StepRollbackStarted,
    StepRolledBack,
    StepStarted,
)
from synapse_sdk.reporting.output import StreamReporter
from synapse_sdk.reporting.step_view import StepState
from synapse_sdk.reporting.text import clean, duration, log_lines, plural
from synapse_sdk.reporting.view import RunView
from synapse_sdk.reporting.wording import (
    Mood,
    ending,
    failures,
    interrupt_note,
    is_shown,
    mood_of_level,
    position,
    reason_text,
    shed_note,
    side_work,
    work,
)

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

__all__ = ["ErrorReporter", "PlainReporter"]

PROGRESS_EVERY = 10.0
"""Seconds between two lines of progress, and from the last step edge to the first of them."""
HEARTBEAT_EVERY = 60.0
"""Seconds of silence after which a line says that the run still lives."""
COLOURS = {Mood.GOOD: "32", Mood.BAD: "31", Mood.WARNING: "33", Mood.FAINT: "2"}


class LineReporter(StreamReporter):
    """Writes whole lines, without control characters, in colour only if asked to.

    Args:
        stream: Where the lines go, None discards them; stays open.
        color: Whether lines are coloured with ANSI sequences.
        clock: Where the time comes from.
    """

    def __init__(self, stream: TextIO | None, *, color: bool = False, clock: Clock = SYSTEM_CLOCK) -> None:
        super().__init__(stream, clock=clock)
        self._color = color
        self._said_at = clock.monotonic()

    def set_progress(self, current: float, total: float, category: str | None) -> None:
        """Show nothing at once."""

    def _say(self, line: str, mood: Mood = Mood.PLAIN) -> None:
        self._said_at = self._clock.monotonic()
        code = COLOURS.get(mood) if self._color else None
        self._write(f"{line}\n" if code is None else f"\x1b[{code}m{line}\x1b[0m\n")

    def _say_log(self, line: Logged, *, tracebacks: bool = False) -> None:
        for text in log_lines(line, tracebacks=tracebacks):
            self._say(text, mood_of_level(line.level))


class PlainReporter(LineReporter):
    """Writes a line at each step edge, at most one line of progress every ten seconds between, and log lines.

    After sixty seconds without a line it says that the run is still alive. Names and log texts cannot bring in
    control characters or forge lines. A run inside a step is indented.

    Args:
        stream: Where the lines go, None discards them; stays open.
        color: Whether lines are coloured with ANSI sequences.
        level: Log lines below it are left out; DEBUG shows tracebacks, too.
        clock: Where the time comes from.
    """

    def __init__(
        self,
        stream: TextIO | None,
        *,
        color: bool = False,
        level: LogLevel = LogLevel.INFO,
        clock: Clock = SYSTEM_CLOCK,
    ) -> None:
        super().__init__(stream, color=color, clock=clock)
        self._level = level
        self._view = RunView(clock)
        self._edge_at = clock.monotonic()
        self._shown_progress: object = None
        self._announcements: Mapping[type, Callable[[Any, RunView], None]] = {
            RunStarted: self._run_started,
            StepStarted: self._step_started,
            StepFinished: self._step_finished,
            RollbackStarted: self._rollback_started,
            StepRollbackStarted: self._step_rollback_started,
            StepRolledBack: self._step_rolled_back,
            RunFinished: self._run_finished,
        }

    def observe(self, event: Event) -> None:
        """Write the event's line, if it has one."""
        view = self._view.observe(event)
        announce = self._announcements.get(type(event))
        if announce is not None:
            announce(event, view)
            self._edge_at, self._shown_progress = self._said_at, self._progress_key()
        elif isinstance(event, Logged):
            if is_shown(event.level, self._level):
                self._say_log(event, tracebacks=self._level is LogLevel.DEBUG)
        elif isinstance(event, InterruptHeld):
            self._say(interrupt_note(event), Mood.WARNING)
        elif isinstance(event, LogsShed):
            self._say(shed_note(event), Mood.WARNING)

    def set_progress(self, current: float, total: float, category: str | None) -> None:
        """Keep it for the next line of progress."""
        self._view.set_progress(current, total, category)

    def tick(self) -> None:
        """Write a line of progress or a sign of life if it is time for one."""
        if self._view.is_active:
            now = self._clock.monotonic()
            if now - self._edge_at >= PROGRESS_EVERY and self._progress_key() != self._shown_progress:
                self._say(f"{self._view.percent:>3} %  {self._where()}")
                self._edge_at, self._shown_progress = now, self._progress_key()
            elif now - self._said_at >= HEARTBEAT_EVERY:
                doing = "rolling back" if self._view.rollback else "running"
                self._say(
                    f"still {doing} after {duration(self._view.elapsed)}: {self._view.percent} %, {self._where()}"
                )
        super().tick()

    def close(self) -> None:
        """Write how things stand if the run has not ended, and release the stream."""
        if self._view.is_active:
            self._say(*ending(self._view))
            self._view = RunView(self._clock)
        super().close()

    def _progress_key(self) -> object:
        """Return something that differs when there is progress to show."""
        view = self._view.innermost
        return self._view.percent, [(name, work.current, work.total) for name, work in view.progress.items()]

    def _where(self) -> str:
        """Return what the run is doing, and how far that has come."""
        view = self._view.innermost
        details = [*(work(view.work, view.now) if view.work else ()), *side_work(view)]
        parts = [position(view) + (f": {', '.join(details)}" if details else ""), failures(view)]
        return "; ".join(part for part in parts if part)

    # Lines

    def _edge(self, view: RunView, text: str, mood: Mood = Mood.PLAIN) -> None:
        self._say("  " * view.depth + text, mood)

    def _run_started(self, event: RunStarted, view: RunView) -> None:
        if event.finished:
            self._edge(view, f"run resumed: {len(event.finished)} of {plural(view.total, 'step')} done before")
        else:
            self._edge(view, f"run started: {plural(view.total, 'step')}")

    def _step_started(self, event: StepStarted, view: RunView) -> None:
        self._edge(view, f"[{view.steps[event.step].number}/{view.total}] {clean(event.step)}: started")

    def _step_finished(self, event: StepFinished, view: RunView) -> None:
        step = view.steps[event.step]
        head = f"[{step.number}/{view.total}] {clean(step.name)}"
        if step.state is StepState.SKIPPED:
            self._edge(view, f"{head}: skipped", Mood.FAINT)
        elif step.stopped_by:
            self._edge(view, f"{head}: STOPPED after {duration(step.elapsed)} by {step.stopped_by}", Mood.BAD)
        elif step.has_failed:
            self._edge(view, f"{head}: FAILED after {duration(step.elapsed)}: {reason_text(step)}", Mood.BAD)
        else:
            failed = view.failed.get(step.name)
            losses = f", {failed:,} failed" if failed else ""
            self._edge(view, f"{head}: done in {duration(step.elapsed)}{losses}", Mood.WARNING if failed else Mood.GOOD)

    def _rollback_started(self, event: RollbackStarted, view: RunView) -> None:
        is_known = any(step.has_failed for step in view.steps.values())
        reason = "" if is_known else f": {clean(event.reason)}"
        self._edge(view, f"rolling back {plural(len(event.steps), 'step')}{reason}", Mood.WARNING)

    def _step_rollback_started(self, event: StepRollbackStarted, view: RunView) -> None:
        self._edge(view, position(view), Mood.WARNING)

    def _step_rolled_back(self, event: StepRolledBack, view: RunView) -> None:
        name, time = clean(event.step), duration(event.elapsed)
        if event.error is None:
            self._edge(view, f"{name}: undone in {time}")
        else:
            self._edge(view, f"{name}: NOT UNDONE after {time}: {clean(event.error)}", Mood.BAD)

    def _run_finished(self, _event: RunFinished, view: RunView) -> None:
        text, mood = ending(view)
        self._edge(view, "; ".join(part for part in (text, failures(view)) if part), mood)


class ErrorReporter(LineReporter):
    """Writes nothing but errors: log lines from `error` upward, and what could not be undone."""

    def observe(self, event: Event) -> None:
        """Write the event if it is an error."""
        if isinstance(event, Logged) and is_shown(event.level, LogLevel.ERROR):
            self._say_log(event)
        elif isinstance(event, StepRolledBack) and event.error is not None:
            self._say(f"error: step {clean(event.step)} was not undone: {clean(event.error)}", Mood.BAD)
