import io
import subprocess
import sys
from pathlib import Path

import pytest

import synapse_sdk
from synapse_sdk.reporting import ConsoleReporter, ErrorReporter, JsonReporter, PlainReporter, open_reporter
from synapse_sdk.reporting.events import Logged, LogLevel
from synapse_sdk.reporting.open import ColorChoice, ReporterKind, wants_color
from tests.unit.reporting.scenes import FAILURE, FakeTerminal, show, stream_in

XTERM = {"TERM": "xterm-256color"}


@pytest.mark.parametrize(
    ("kind", "is_terminal", "environ", "cls"),
    [
        ("auto", True, XTERM, ConsoleReporter),
        ("bar", True, XTERM, ConsoleReporter),
        ("auto", True, {**XTERM, "NO_COLOR": "1"}, ConsoleReporter),
        ("auto", False, XTERM, PlainReporter),
        ("bar", False, XTERM, PlainReporter),
        ("auto", False, {**XTERM, "FORCE_COLOR": "1"}, PlainReporter),
        ("auto", True, {"TERM": "dumb"}, PlainReporter),
        ("bar", True, {"TERM": "dumb"}, PlainReporter),
        ("auto", True, {}, PlainReporter),
        ("plain", True, XTERM, PlainReporter),
        ("json", True, XTERM, JsonReporter),
        ("none", True, XTERM, ErrorReporter),
    ],
)
def test_the_reporter_fits_the_stream(
    kind: ReporterKind, *, is_terminal: bool, environ: dict[str, str], cls: type
) -> None:
    """Bars only where they can be drawn."""
    stream = FakeTerminal() if is_terminal else io.StringIO()
    with open_reporter(kind, stream=stream, environ=environ) as reporter:
        assert type(reporter.sink) is cls


@pytest.mark.parametrize(
    ("color", "environ", "is_terminal", "expected"),
    [
        ("auto", {}, True, True),
        ("auto", {}, False, False),
        ("auto", {"NO_COLOR": "1"}, True, False),
        ("auto", {"NO_COLOR": ""}, True, True),
        ("auto", {"FORCE_COLOR": "1"}, False, True),
        ("auto", {"FORCE_COLOR": "0"}, True, False),
        ("auto", {"NO_COLOR": "1", "FORCE_COLOR": "1"}, True, False),
        ("auto", {"TERM": "dumb"}, True, False),
        ("auto", {"TERM": "dumb", "FORCE_COLOR": "1"}, True, True),
        ("always", {"NO_COLOR": "1"}, False, True),
        ("never", {"FORCE_COLOR": "1"}, True, False),
    ],
)
def test_colour_is_a_matter_of_precedence(
    color: ColorChoice, environ: dict[str, str], *, is_terminal: bool, expected: bool
) -> None:
    """The flag, NO_COLOR, FORCE_COLOR, TERM, the terminal, as Python itself has it."""
    assert wants_color(color, FakeTerminal() if is_terminal else io.StringIO(), environ) is expected


def test_forced_colour_in_a_pipe_moves_no_cursor() -> None:
    """Lines in colour, nothing else."""
    stream = io.StringIO()
    with open_reporter("auto", stream=stream, environ={**XTERM, "FORCE_COLOR": "1"}) as reporter:
        show(FAILURE, reporter)

    assert "\x1b[31m" in stream.getvalue()
    assert "\r" not in stream.getvalue()
    assert "\x1b[J" not in stream.getvalue()


def test_a_terminal_that_knows_only_ascii_gets_lines() -> None:
    """Bars need more."""
    stream = stream_in("ascii")
    with open_reporter("auto", stream=stream, environ=XTERM) as reporter:
        assert isinstance(reporter.sink, PlainReporter)


def test_the_level_reaches_the_reporter() -> None:
    """Debug lines on request."""
    stream = io.StringIO()
    with open_reporter("plain", stream=stream, level=LogLevel.DEBUG) as reporter:
        reporter.observe(Logged("detail", {}, LogLevel.DEBUG))

    assert stream.getvalue() == "debug: detail\n"


@pytest.mark.parametrize("kind", ["auto", "plain", "json", "none"])
def test_a_process_without_streams_can_report(kind: ReporterKind, monkeypatch: pytest.MonkeyPatch) -> None:
    """What a service or `pythonw` has instead of a stream is None."""
    monkeypatch.setattr(sys, "stderr", None)
    monkeypatch.setattr(sys, "stdout", None)

    with open_reporter(kind) as reporter:
        show(FAILURE, reporter)


def test_people_read_stderr_and_programs_stdout(capfd: pytest.CaptureFixture[str]) -> None:
    """Data and talk do not mix."""
    with open_reporter("plain") as reporter:
        reporter.observe(Logged("for_people", {}))
    with open_reporter("json") as reporter:
        reporter.observe(Logged("for_programs", {}))

    captured = capfd.readouterr()
    assert captured.err == "for_people\n"
    assert '"event": "for_programs"' in captured.out
    assert len(captured.out.splitlines()) == 1


def test_importing_and_choosing_loads_only_what_is_used() -> None:
    """No rich, no json, no threads for a process that reports nothing, and no rich without a terminal."""
    script = """
import io, sys
import synapse_sdk.reporting, synapse_sdk.reporting.events, synapse_sdk.reporting.base, synapse_sdk.reporting.memory
heavy = {"rich", "json", "threading", "logging"} & set(sys.modules)
assert not heavy, heavy
from synapse_sdk.reporting import open_reporter
open_reporter("plain", stream=io.StringIO()).close()
open_reporter("json", stream=io.StringIO()).close()
assert "rich" not in sys.modules
"""
    # Without site-packages, whose .pth files load modules of their own; the package is found from the folder it is in.
    root = Path(synapse_sdk.__file__).parents[1]
    subprocess.run([sys.executable, "-S", "-c", script], check=True, cwd=root)
