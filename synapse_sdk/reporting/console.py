"""The run on a terminal: a few lines at the bottom that are redrawn in place, log lines scrolling above them."""

from collections.abc import Iterable
from typing import TextIO

from rich.console import Console
from rich.text import Text

from synapse_sdk.clock import SYSTEM_CLOCK, Clock
from synapse_sdk.reporting.drawing import STYLES, draw_run, draw_summary
from synapse_sdk.reporting.events import Event, Logged, LogLevel, LogsShed, RunFinished
from synapse_sdk.reporting.output import StreamReporter
from synapse_sdk.reporting.prints import ERASE_BELOW, PrintGuard
from synapse_sdk.reporting.text import log_lines
from synapse_sdk.reporting.view import RunView
from synapse_sdk.reporting.wording import Mood, ending, is_shown, mood_of_level, shed_note

__all__ = ["ConsoleReporter"]

NO_WRAP, WRAP = "\x1b[?7l", "\x1b[?7h"


class ConsoleReporter(StreamReporter):
    """Draws a bar by weight, the step at work with its count, rate and time left, and what failed.

    During a rollback a second bar counts down. Log lines scroll above, and a summary of the steps stays at the end.
    Needs a terminal that understands ANSI sequences and UTF-8. It is redrawn at each `tick` if something has changed.

    The drawing stands below the cursor, which rests on an empty line: what steps print themselves goes there and
    scrolls up (see `PrintGuard`), what is drawn is erased and drawn again whatever its lines have become in a resized
    window, and a process that is killed leaves a terminal that works.

    Args:
        stream: The terminal; stays open.
        color: Whether to colour.
        level: Log lines below it are left out; DEBUG shows tracebacks, too.
        clock: Where the time comes from.
    """

    def __init__(
        self,
        stream: TextIO | None,
        *,
        color: bool = True,
        level: LogLevel = LogLevel.INFO,
        clock: Clock = SYSTEM_CLOCK,
    ) -> None:
        super().__init__(stream, clock=clock)
        self._level = level
        self._view = RunView(clock)
        self._pen = Console(
            force_terminal=True,
            color_system="standard",
            no_color=not color,
            legacy_windows=False,
            highlight=False,
            markup=False,
            emoji=False,
        )
        self._above: list[Text] = []
        self._has_changed = False
        self._drawn = ""
        self._drawn_second = -1
        self._prints = PrintGuard(stream, self._forget_drawing)
        self._prints.install()

    def observe(self, event: Event) -> None:
        """Take an event in; it is shown at the next `tick`."""
        view = self._view.observe(event)
        self._has_changed = True
        if isinstance(event, Logged):
            if is_shown(event.level, self._level):
                style = STYLES[mood_of_level(event.level)]
                lines = log_lines(event, tracebacks=self._level is LogLevel.DEBUG)
                self._above += [Text(line, style) for line in lines]
        elif isinstance(event, LogsShed):
            self._above.append(Text(shed_note(event), STYLES[Mood.WARNING]))
        elif isinstance(event, RunFinished) and view is self._view:
            self._above += draw_summary(view, self._output.size.columns)

    def set_progress(self, current: float, total: float, category: str | None) -> None:
        """Take progress in; it is shown at the next `tick`."""
        self._view.set_progress(current, total, category)
        self._has_changed = True

    def tick(self) -> None:
        """Draw again if something has changed, and every second for the sake of the time."""
        second = int(self._view.elapsed) if self._view.is_active else -1
        if self._has_changed or second != self._drawn_second:
            self._has_changed, self._drawn_second = False, second
            self._draw()
        super().tick()

    def close(self) -> None:
        """Erase what was drawn, show what is left to say, and release the terminal."""
        if self._view.is_active:
            text, mood = ending(self._view)
            self._above.append(Text(text, STYLES[mood]))
            self._view = RunView(self._clock)
        try:
            self._draw()
        finally:
            self._prints.remove()
            super().close()

    def _forget_drawing(self) -> bool:
        """Note that somebody else is about to erase the drawing; the next `tick` draws it again."""
        was_drawn, self._drawn, self._has_changed = bool(self._drawn), "", True
        return was_drawn

    def _draw(self) -> None:
        columns, lines = self._output.size
        drawing = draw_run(self._view, columns - 1)[: max(1, lines - 2)] if self._view.is_active else []
        drawn = self._place_below_cursor(drawing)
        if self._above or drawn != self._drawn:
            # Where nothing of ours is drawn, the cursor may stand behind something that a step has printed.
            erase = f"\r{ERASE_BELOW}" if self._drawn else ERASE_BELOW
            self._write(erase + self._render(self._above) + drawn)
            self._above, self._drawn = [], drawn

    def _place_below_cursor(self, drawing: list[Text]) -> str:
        """Return an empty line, the drawing below it, and the way back to the empty line."""
        if not drawing:
            return ""
        # Not wrapped: a character that is wider than we think must not make two lines of one.
        text = self._render(drawing).removesuffix("\n")
        return f"\n{NO_WRAP}{text}{WRAP}\r\x1b[{len(drawing)}A"

    def _render(self, lines: Iterable[Text]) -> str:
        with self._pen.capture() as capture:
            for line in lines:
                self._pen.print(line, soft_wrap=True)
        return capture.get()
