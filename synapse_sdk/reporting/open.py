"""From what the user asked for, and where the text goes, to the reporter that fits."""

import os
import sys
from collections.abc import Mapping
from typing import Literal, TextIO

from synapse_sdk.clock import SYSTEM_CLOCK, Clock
from synapse_sdk.reporting.background import MAX_LOGS, BackgroundReporter
from synapse_sdk.reporting.events import LogLevel
from synapse_sdk.reporting.output import StreamReporter, speaks_unicode

__all__ = ["ColorChoice", "ReporterKind", "open_reporter"]

type ReporterKind = Literal["auto", "bar", "plain", "json", "none"]
type ColorChoice = Literal["auto", "always", "never"]

MAX_LOGS_ON_TERMINAL = 1_000
"""Log lines that may wait for a terminal: nobody reads more in a tenth of a second, and drawing them takes time."""


def open_reporter(
    kind: ReporterKind = "auto",
    *,
    stream: TextIO | None = None,
    color: ColorChoice = "auto",
    level: LogLevel = LogLevel.INFO,
    environ: Mapping[str, str] = os.environ,
    clock: Clock = SYSTEM_CLOCK,
) -> BackgroundReporter:
    r"""Return a reporter of this kind, off the hot path; close it to see the last lines.

    Args:
        kind: `bar` draws on a terminal, `plain` writes lines, `json` writes NDJSON, `none` writes errors only. `auto`
            is `bar`, and where nothing can be drawn `bar` is `plain`.
        stream: Where to; by default `sys.stdout` for `json`, which is data, and `sys.stderr` for people. Stays open.
        color: `auto` obeys NO_COLOR, then FORCE_COLOR, then TERM=dumb, and else colours terminals only.
        level: Log lines below it are left out, DEBUG shows tracebacks, too; `json` has everything.
        environ: Environment variables.
        clock: Where the time comes from.

    Example:
        >>> import io
        >>> from synapse_sdk.plugins.context import RuntimeContext
        >>> stream = io.StringIO()
        >>> with open_reporter("plain", stream=stream) as reporter:
        ...     RuntimeContext(reporter=reporter).log_message("hello")
        >>> stream.getvalue()
        'hello\n'
    """
    if kind == "json":
        from synapse_sdk.reporting.json import JsonReporter  # noqa: PLC0415  # each kind loads what it needs

        return BackgroundReporter(JsonReporter(sys.stdout if stream is None else stream, clock=clock), clock=clock)
    stream = sys.stderr if stream is None else stream
    draws = kind in {"auto", "bar"} and can_draw(stream, environ)
    max_logs = MAX_LOGS_ON_TERMINAL if draws else MAX_LOGS
    sink = line_or_bar(kind, stream, draws=draws, color=wants_color(color, stream, environ), level=level, clock=clock)
    return BackgroundReporter(sink, max_logs=max_logs, clock=clock)


def line_or_bar(
    kind: ReporterKind, stream: TextIO | None, *, draws: bool, color: bool, level: LogLevel, clock: Clock
) -> StreamReporter:
    """Return the reporter for people."""
    if draws:
        from synapse_sdk.reporting.console import ConsoleReporter  # noqa: PLC0415  # rich takes 50 ms

        return ConsoleReporter(stream, color=color, level=level, clock=clock)
    from synapse_sdk.reporting.plain import ErrorReporter, PlainReporter  # noqa: PLC0415  # as above

    if kind == "none":
        return ErrorReporter(stream, color=color, clock=clock)
    return PlainReporter(stream, color=color, level=level, clock=clock)


def can_draw(stream: TextIO | None, environ: Mapping[str, str]) -> bool:
    """Whether the stream is a terminal on which the cursor can be moved and bars can be drawn."""
    return (
        stream is not None
        and is_terminal(stream)
        and environ.get("TERM", "dumb").lower() not in {"", "dumb", "unknown"}
        and speaks_unicode(stream)
        and sys.platform != "win32"  # whose consoles need switching to ANSI first
    )


def wants_color(choice: ColorChoice, stream: TextIO | None, environ: Mapping[str, str]) -> bool:
    """Whether to colour, in the order of precedence of Python itself."""
    if choice != "auto":
        return choice == "always"
    if environ.get("NO_COLOR"):
        return False
    if environ.get("FORCE_COLOR"):
        return environ["FORCE_COLOR"] != "0"
    return is_terminal(stream) and environ.get("TERM") != "dumb"


def is_terminal(stream: TextIO | None) -> bool:
    """Whether a person sits at the other end."""
    try:
        return stream is not None and stream.isatty()
    except ValueError:  # it is closed
        return False
