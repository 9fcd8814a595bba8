import logging
import os
import signal
import subprocess
import sys
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import TextIO

import pytest

from synapse_sdk.errors import StepFailedError
from synapse_sdk.plugins.context import RuntimeContext
from synapse_sdk.plugins.steps import BaseStepContext, Orchestrator, StepResult
from synapse_sdk.reporting import BackgroundReporter, MemoryReporter, PlainReporter
from synapse_sdk.reporting.events import Event, Logged, LogsShed, ProgressReported, RunFinished, StepStarted
from tests.unit.steps.scripted import ScriptedStep, failing, registry_of

ROOT = Path(__file__).parents[3]


@pytest.fixture(autouse=True)
def _no_thread_is_left() -> Iterator[None]:
    before = set(threading.enumerate())
    yield
    assert set(threading.enumerate()) <= before


class BadSink(MemoryReporter):
    """Raises at every event."""

    def __init__(self, error: BaseException) -> None:
        super().__init__()
        self.calls = 0
        self._error = error

    def observe(self, event: Event) -> None:
        """Count, and raise."""
        self.calls += 1
        raise self._error


class StuckSink(MemoryReporter):
    """Stays in its first event until it is let go."""

    def __init__(self) -> None:
        super().__init__()
        self.is_stuck = threading.Event()
        self.release = threading.Event()

    def observe(self, event: Event) -> None:
        """Wait, then keep the event."""
        self.is_stuck.set()
        assert self.release.wait(30.0)
        super().observe(event)


def pipe() -> tuple[int, TextIO]:
    """Return both ends of a pipe, the second as a stream."""
    reading, writing = os.pipe()
    return reading, os.fdopen(writing, "w", encoding="utf-8")


def test_a_sink_sees_a_real_run_as_it_was() -> None:
    """Everything, once, in order."""

    def copy(context: BaseStepContext) -> StepResult:
        context.record_undo(path="a")
        return StepResult()

    witness, memory = MemoryReporter(), MemoryReporter()
    with BackgroundReporter(memory) as reporter:
        context = BaseStepContext(RuntimeContext(reporter=reporter))
        steps = registry_of(
            ScriptedStep("copy", does=copy),
            ScriptedStep("check", does=failing("no")),
        )
        with pytest.raises(StepFailedError):
            Orchestrator(steps, context, observers=[witness]).execute()

    assert memory.events == witness.events


def test_a_hundred_thousand_reports_leave_the_last_value() -> None:
    """Through the context a step has, in the middle of a real run."""
    memory = MemoryReporter()

    def count(context: BaseStepContext) -> StepResult:
        for number in range(100_000):
            context.set_progress(number + 1, 100_000)
        return StepResult()

    with BackgroundReporter(memory) as reporter:
        context = BaseStepContext(RuntimeContext(reporter=reporter))
        Orchestrator(registry_of(ScriptedStep("count", does=count)), context).execute()

    assert memory.progress == {"count": (100_000, 100_000)}
    shown = [type(event).__name__ for event in memory.events]
    assert shown.index("ProgressReported") < shown.index("StepFinished")
    assert shown.count("ProgressReported") < 1_000
    assert memory.percents == sorted(set(memory.percents))


def test_a_sink_that_raises_is_reported_once_and_summed_up(caplog: pytest.LogCaptureFixture) -> None:
    """The run does not notice."""
    sink = BadSink(ValueError("broken sink"))
    with caplog.at_level(logging.WARNING, "synapse_sdk.reporting"), BackgroundReporter(sink) as reporter:
        context = BaseStepContext(RuntimeContext(reporter=reporter))
        Orchestrator(registry_of(ScriptedStep("a")), context).execute()

    first, last = caplog.records
    assert first.exc_info is not None
    assert str(first.exc_info[1]) == "broken sink"
    assert last.getMessage() == f"Reporting failed {sink.calls} times; what was to be shown then is lost"


def test_a_sink_cannot_end_the_thread(caplog: pytest.LogCaptureFixture) -> None:
    """Not even by SystemExit."""
    sink = BadSink(SystemExit(1))
    with BackgroundReporter(sink) as reporter:
        reporter.observe(StepStarted("a"))
        assert reporter.flush()
        reporter.observe(StepStarted("b"))

    assert sink.calls == 2
    assert caplog.records[0].exc_info is not None


def test_a_reader_that_goes_is_remembered_and_not_mourned(caplog: pytest.LogCaptureFixture) -> None:
    """`| head` ends the output, not the run; the CLI makes exit code 141 of it."""
    reading, stream = pipe()
    os.close(reading)
    with stream, BackgroundReporter(PlainReporter(stream)) as reporter:
        context = BaseStepContext(RuntimeContext(reporter=reporter))
        result = Orchestrator(registry_of(ScriptedStep("a")), context).execute()
        assert reporter.flush()
        assert reporter.is_pipe_broken
        context.log("unheard", {})

    assert result["success"]
    assert not caplog.records


def test_a_pipe_nobody_reads_holds_up_neither_the_run_nor_its_end() -> None:
    """What does not fit into the pipe is given up, and the thread ends (F36)."""
    reading, stream = pipe()

    def talk(context: BaseStepContext) -> StepResult:
        for number in range(5_000):
            context.log("line", {"number": number, "filler": "x" * 50})
        return StepResult()

    with stream, BackgroundReporter(PlainReporter(stream), patience=0.1) as reporter:
        context = BaseStepContext(RuntimeContext(reporter=reporter))
        result = Orchestrator(registry_of(ScriptedStep("talk", does=talk)), context).execute()

    assert result["success"]
    assert reporter.has_given_up
    os.close(reading)


def test_a_slow_reader_gets_everything() -> None:
    """Waiting is not giving up."""
    reading, stream = pipe()
    with stream:
        reporter = BackgroundReporter(PlainReporter(stream), max_logs=100_000)
        for number in range(20_000):
            reporter.observe(Logged("line", {"number": number}))
        closer = threading.Thread(target=reporter.close)
        closer.start()
    with os.fdopen(reading, encoding="utf-8") as reader:
        lines = reader.read().splitlines()
    closer.join()

    assert lines == [f"line number={number}" for number in range(20_000)]
    assert not reporter.has_given_up


def test_a_flood_before_a_stuck_sink_stays_within_bounds() -> None:
    """What was shed and what was kept is all there was; run and step events are all kept."""
    sink = StuckSink()
    with BackgroundReporter(sink, max_logs=100) as reporter:
        reporter.observe(StepStarted("first"))
        assert sink.is_stuck.wait(30.0)
        for number in range(50_000):
            reporter.observe(Logged("line", {"number": number}))
        for number in range(1_000):
            reporter.observe(StepStarted(str(number)))
        sink.release.set()

    shed = sum(event.count for event in sink.events if isinstance(event, LogsShed))
    kept = [event for event in sink.events if isinstance(event, Logged)]
    assert (len(kept), shed) == (100, 49_900)
    assert kept[-1].data == {"number": 49_999}
    assert sum(isinstance(event, StepStarted) for event in sink.events) == 1_001


def test_a_sink_that_cannot_be_stopped_does_not_stop_the_process() -> None:
    """Closing gives up on it; the thread is a daemon."""
    sink = StuckSink()
    reporter = BackgroundReporter(sink, patience=0.05)
    reporter.observe(StepStarted("a"))
    assert sink.is_stuck.wait(30.0)

    assert not reporter.flush()
    reporter.close()

    assert reporter.has_given_up
    sink.release.set()
    next(thread for thread in threading.enumerate() if thread.name == "synapse-reporting").join()


def test_closing_twice_is_closing_once() -> None:
    """From any thread, and what comes later is ignored."""
    memory = MemoryReporter()
    reporter = BackgroundReporter(memory)
    reporter.observe(StepStarted("a"))
    closers = [threading.Thread(target=reporter.close) for _ in range(5)]
    for closer in closers:
        closer.start()
    reporter.close()
    for closer in closers:
        closer.join()

    reporter.observe(StepStarted("b"))
    reporter.set_progress(1, 2, "b")
    reporter.show_result({})
    assert not reporter.flush()
    assert memory.events == [StepStarted("a")]


def test_a_sink_may_close_the_reporter_it_belongs_to() -> None:
    """A thread does not wait for itself."""

    class Closer(MemoryReporter):
        """Closes at the end of a run."""

        def observe(self, event: Event) -> None:
            """Keep the event, and close."""
            super().observe(event)
            reporter.close()

    sink = Closer()
    reporter = BackgroundReporter(sink)
    reporter.observe(StepStarted("a"))
    reporter.observe(StepStarted("b"))
    reporter.close()

    assert sink.events == [StepStarted("a"), StepStarted("b")]


def test_a_signal_handler_may_report_and_close() -> None:
    """In the middle of whatever the main thread is doing."""
    memory = MemoryReporter()
    reporter = BackgroundReporter(memory)

    def handle(_number: int, _frame: object) -> None:
        reporter.observe(StepStarted("handler"))
        reporter.close()

    previous = signal.signal(signal.SIGUSR1, handle)
    try:
        reporter.observe(StepStarted("before"))
        signal.raise_signal(signal.SIGUSR1)
    finally:
        signal.signal(signal.SIGUSR1, previous)

    assert memory.events == [StepStarted("before"), StepStarted("handler")]


def test_progress_of_other_threads_arrives() -> None:
    """Parallel steps report side by side."""
    memory = MemoryReporter()
    with BackgroundReporter(memory, interval=0.001) as reporter:

        def work(name: str) -> None:
            for number in range(2_000):
                reporter.set_progress(number, 2_000, name)
                reporter.observe(Logged(name, {"number": number}))

        workers = [threading.Thread(target=work, args=(name,)) for name in "abcd"]
        for worker in workers:
            worker.start()
        for worker in workers:
            worker.join()

    assert memory.progress == dict.fromkeys("abcd", (1_999, 2_000))
    assert len(memory.logs) == 8_000


def test_progress_that_comes_as_an_event_is_progress() -> None:
    """From another process, for example."""
    memory = MemoryReporter()
    with BackgroundReporter(memory) as reporter:
        reporter.observe(ProgressReported("a", 1, 2))

    assert memory.progress == {"a": (1, 2)}


def run_script(script: str) -> "subprocess.CompletedProcess[str]":
    """Run Python code in a process of its own."""
    command = [sys.executable, "-c", script]
    return subprocess.run(command, capture_output=True, text=True, cwd=ROOT, timeout=60, check=False)


PREAMBLE = """
import os, sys
from synapse_sdk.reporting import BackgroundReporter, PlainReporter, open_reporter
from synapse_sdk.reporting.events import Logged, StepStarted
"""


def test_a_script_that_forgets_to_close_shows_its_last_lines() -> None:
    """The end of the process closes for it."""
    script = PREAMBLE + "open_reporter('plain').observe(Logged('last_words', {}))"

    done = run_script(script)

    assert (done.returncode, done.stderr) == (0, "last_words\n")


@pytest.mark.parametrize("flags", [[], ["-u"]], ids=["buffered", "unbuffered"])
def test_a_process_ends_although_nobody_reads_its_output(flags: list[str]) -> None:
    """No wait for ever, no abort of the interpreter because of a locked stream."""
    script = PREAMBLE + (
        "reporter = BackgroundReporter(PlainReporter(sys.stdout), patience=0.2)\n"
        "for number in range(9000): reporter.observe(Logged('line', {'filler': 'x' * 100}))\n"
        "reporter.close()\n"
        "sys.exit(7 if reporter.has_given_up and not reporter._thread.is_alive() else 0)"
    )
    process = subprocess.Popen(
        [sys.executable, *flags, "-c", script], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, cwd=ROOT
    )
    with process:
        assert process.wait(60) == 7
        assert process.stderr is not None
        assert process.stderr.read() == ""


def test_a_closed_pipe_leaves_no_trace_at_exit() -> None:
    """`synapse run ... | head -1` ends quietly, with the code the CLI chooses."""
    script = PREAMBLE + (
        "reporter = open_reporter('json')\n"
        "while not reporter.is_pipe_broken: reporter.observe(Logged('line', {})); reporter.flush()\n"
        "reporter.close()\n"
        "sys.exit(141)"
    )
    process = subprocess.Popen(
        [sys.executable, "-c", script], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, cwd=ROOT
    )
    with process:
        assert process.stdout is not None
        assert process.stderr is not None
        assert '"schema_version"' in process.stdout.readline()
        process.stdout.close()
        assert process.stderr.read() == ""
        assert process.wait(60) == 141


@pytest.mark.skipif(not hasattr(os, "fork"), reason="this system does not fork")
def test_a_forked_child_neither_hangs_nor_repeats() -> None:
    """The parent shows what it has; the child has no thread and shows nothing."""
    script = PREAMBLE + (
        "import warnings; warnings.simplefilter('ignore')\n"
        "reporter = open_reporter('plain')\n"
        "reporter.observe(Logged('parent', {}))\n"
        "child = os.fork()\n"
        "if child == 0:\n"
        "    reporter.observe(Logged('child', {})); reporter.set_progress(1, 2, 'a')\n"
        "    assert not reporter.flush(); reporter.close(); sys.exit(3)\n"
        "assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 3"
    )

    done = run_script(script)

    assert (done.returncode, done.stderr) == (0, "parent\n")


def test_a_full_disk_is_a_failure_of_the_report_only(caplog: pytest.LogCaptureFixture) -> None:
    """/dev/full says what a full disk says."""
    if not Path("/dev/full").exists():
        pytest.skip("this system has no /dev/full")
    with Path("/dev/full").open("w", encoding="utf-8") as stream, BackgroundReporter(PlainReporter(stream)) as reporter:
        context = BaseStepContext(RuntimeContext(reporter=reporter))
        assert Orchestrator(registry_of(ScriptedStep("a")), context).execute()["success"]

    assert "No space left" in str(caplog.records[0].exc_info)
    assert not reporter.is_pipe_broken


def test_the_last_event_of_a_run_is_the_last_that_is_shown() -> None:
    """Nothing comes after the end."""
    memory = MemoryReporter()
    with BackgroundReporter(memory) as reporter:
        context = BaseStepContext(RuntimeContext(reporter=reporter))
        Orchestrator(registry_of(ScriptedStep("a")), context).execute()

    assert isinstance(memory.events[-1], RunFinished)
