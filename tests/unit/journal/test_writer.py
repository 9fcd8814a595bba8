"""The worker's end of the journal: what is written when, and what becomes of a worker that is alone or replaced."""

import json
import logging
import os
import sys
import threading
from collections.abc import Iterator
from typing import Any

import pytest

from synapse_sdk.errors import JournalError, JournalFullError, LeaseLostError
from synapse_sdk.journal import Frame, Lease, MemoryJournal, Owner, RunId, RunWriter
from synapse_sdk.journal.writer import MOST_WAITING
from synapse_sdk.reporting.events import RunStatus
from synapse_sdk.testing import FakeClock
from tests.unit.journal.samples import OWNER, SOURCE


class UnsureJournal(MemoryJournal):
    """Fails on request, before it has written or after."""

    fails: str = ""

    def append(self, lease: Lease, frame: Frame, status: RunStatus | None = None) -> None:
        """Append, or fail."""
        if self.fails == "before":
            msg = "The disk is full"
            raise JournalFullError(msg)
        super().append(lease, frame, status)
        if self.fails == "after":
            raise KeyboardInterrupt


@pytest.fixture
def clock() -> FakeClock:
    """The time of the journal and of the writer."""
    return FakeClock()


@pytest.fixture
def journal(clock: FakeClock) -> UnsureJournal:
    """A journal with one run."""
    journal = UnsureJournal(clock)
    journal.create_run(RunId("a"), SOURCE)
    return journal


@pytest.fixture
def writer(journal: UnsureJournal, clock: FakeClock) -> Iterator[RunWriter]:
    """A writer that beats when it is told to."""
    writer = RunWriter(journal, journal.acquire_lease("a", OWNER, 30.0), clock=clock, is_beating=False)
    yield writer
    journal.fails = ""
    writer.close()


def event(name: str) -> str:
    """Return an event."""
    return f'{{"type":"{name}","at":0}}'


def written(journal: MemoryJournal) -> list[list[str]]:
    """Return the kinds of the events of each frame."""
    return [[each["type"] for each in json.loads(frame.text)] for frame in journal.frames("a")]


def test_what_is_written_is_there_at_once(journal: UnsureJournal, writer: RunWriter) -> None:
    """One frame a write, with the status that goes with it."""
    writer.write(event("One"))
    writer.write(f"{event('Two')},{event('Three')}", RunStatus.RUNNING)

    assert written(journal) == [["One"], ["Two", "Three"]]
    assert journal.run("a").status is RunStatus.RUNNING


def test_what_may_wait_comes_before_what_may_not(journal: UnsureJournal, writer: RunWriter) -> None:
    """In the order in which it was kept; of what is replaced, the last."""
    writer.keep(event("LogA"))
    writer.replace("progress", event("Progress1"))
    writer.keep(event("LogB"))
    writer.replace("progress", event("Progress2"))
    assert written(journal) == []

    writer.write(event("Done"))
    writer.flush()

    assert written(journal) == [["LogA", "LogB", "Progress2", "Done"]]


def test_what_waits_is_written_with_the_next_beat(journal: UnsureJournal, writer: RunWriter) -> None:
    """And a beat without anything writes nothing."""
    writer.keep(event("Log"))

    writer.beat()
    writer.beat()

    assert written(journal) == [["Log"]]


def test_a_beat_on_a_full_disk_is_remembered(journal: UnsureJournal, writer: RunWriter) -> None:
    """So that the run stops while there is room to record that; what waited is written all the same."""
    writer.keep(event("Log"))
    journal.fails = "before"

    writer.beat()

    journal.fails = ""
    assert "The disk is full" in str(writer.shortage)
    writer.write(event("Done"))
    assert written(journal) == [["Log", "Done"]]


def test_a_failed_write_can_be_repeated(journal: UnsureJournal, writer: RunWriter) -> None:
    """What waited still waits, and comes first."""
    writer.keep(event("Log"))
    journal.fails = "before"
    with pytest.raises(JournalError, match="disk is full"):
        writer.write(event("Done"))
    journal.fails = ""

    writer.write(event("Again"))

    assert written(journal) == [["Log", "Again"]]


def test_a_write_that_was_interrupted_after_it_was_done_is_not_repeated(
    journal: UnsureJournal, writer: RunWriter
) -> None:
    """Ctrl-C comes between the commit and its return: the journal is asked."""
    writer.keep(event("Log"))
    writer.replace("progress", event("Progress"))
    journal.fails = "after"
    with pytest.raises(KeyboardInterrupt):
        writer.write(event("Done"))
    journal.fails = ""
    writer.keep(event("Later"))

    writer.write(event("Next"))

    assert written(journal) == [["Log", "Progress", "Done"], ["Later", "Next"]]
    assert [frame.number for frame in journal.frames("a")] == [1, 2]


def test_too_many_logs_are_counted_instead_of_kept(journal: UnsureJournal, writer: RunWriter) -> None:
    """Data always finds room."""
    for _ in range(MOST_WAITING + 5):
        writer.keep(event("Log"), is_log=True)
    writer.keep(event("Figure"))

    writer.flush()
    writer.flush()

    [frame] = journal.frames("a")
    events: list[dict[str, Any]] = json.loads(frame.text)
    assert len(events) == MOST_WAITING + 2
    assert events[-2]["type"] == "Figure"
    assert (events[-1]["type"], events[-1]["count"]) == ("LogsShed", 5)


def test_beats_keep_the_run(journal: UnsureJournal, writer: RunWriter, clock: FakeClock) -> None:
    """Also while nothing can be written."""
    journal.fails = "before"
    for _ in range(10):
        writer.keep(event("Log"))
        clock.advance(11.0)
        writer.beat()

    assert journal.run("a").is_owned


def test_a_worker_that_was_replaced_writes_no_more(journal: UnsureJournal, writer: RunWriter, clock: FakeClock) -> None:
    """Neither at once nor later, and it does not hand back what is not its own."""
    clock.advance(31.0)
    journal.acquire_lease("a", Owner(host="elsewhere", pid=2), 30.0)
    writer.keep(event("Log"))
    writer.beat()

    for _ in range(2):
        with pytest.raises(LeaseLostError, match="elsewhere"):
            writer.write(event("Late"))
    writer.close()

    assert written(journal) == []
    assert journal.run("a").is_owned


def test_a_request_to_stop_is_noticed_within_a_second(journal: UnsureJournal, clock: FakeClock) -> None:
    """And told once."""
    calls: list[bool] = []
    lease = journal.acquire_lease("a", OWNER)
    with_calls = RunWriter(journal, lease, on_cancel=lambda: calls.append(True), clock=clock, is_beating=False)
    journal.request_cancel("a", "ada")
    with_calls.beat()
    assert not with_calls.is_cancelled

    for _ in range(3):
        clock.advance(1.0)
        with_calls.beat()

    assert with_calls.is_cancelled
    assert calls == [True]


def test_closing_writes_what_waits_and_hands_the_run_back(journal: UnsureJournal, writer: RunWriter) -> None:
    """Twice is as good as once."""
    writer.keep(event("Log"))

    writer.close()
    writer.close()

    assert written(journal) == [["Log"]]
    assert journal.run("a").owner is None


def test_a_run_is_handed_back_although_nothing_more_can_be_written(journal: UnsureJournal, writer: RunWriter) -> None:
    """Another worker may have more luck."""
    writer.keep(event("Log"))
    journal.fails = "before"

    writer.close()

    assert journal.run("a").owner is None


class EventfulJournal(MemoryJournal):
    """Says when something was written."""

    def __init__(self) -> None:
        super().__init__()
        self.appended = threading.Event()

    def append(self, lease: Lease, frame: Frame, status: RunStatus | None = None) -> None:
        """Append, and say so."""
        super().append(lease, frame, status)
        self.appended.set()


def test_a_thread_writes_what_waits() -> None:
    """Soon, and it ends with the writer."""
    journal = EventfulJournal()
    journal.create_run(RunId("a"), SOURCE)
    writer = RunWriter(journal, journal.acquire_lease("a", OWNER))

    writer.keep(event("Log"))

    assert journal.appended.wait(timeout=10)
    writer.close()
    assert written(journal) == [["Log"]]
    assert not any(thread.name == "synapse-journal" and thread.is_alive() for thread in threading.enumerate())


def test_the_heartbeat_outlives_whatever_it_calls(caplog: pytest.LogCaptureFixture) -> None:
    """A run whose lease is not renewed is lost."""
    journal = EventfulJournal()
    journal.create_run(RunId("a"), SOURCE)
    journal.request_cancel("a", "ada")
    failed = threading.Event()

    def fail() -> None:
        failed.set()
        msg = "a bug"
        raise ValueError(msg)

    writer = RunWriter(journal, journal.acquire_lease("a", OWNER), on_cancel=fail)
    with caplog.at_level(logging.ERROR, logger="synapse_sdk.journal"):
        assert failed.wait(timeout=10)
        writer.keep(event("Log"))
        assert journal.appended.wait(timeout=10)
    writer.close()

    assert "The heartbeat of run a failed" in caplog.text


@pytest.mark.skipif(not hasattr(os, "fork"), reason="a system without fork")
@pytest.mark.filterwarnings("ignore:.*multi-threaded.*fork:DeprecationWarning")
def test_a_forked_process_cannot_write(journal: UnsureJournal, writer: RunWriter) -> None:
    """Not even while another thread of its parent held the lock; what it logs is let go."""
    held, done = threading.Event(), threading.Event()

    def hold() -> None:
        with writer._lock:  # noqa: SLF001  # as a beat does
            held.set()
            done.wait(timeout=30)

    thread = threading.Thread(target=hold)
    thread.start()
    assert held.wait(timeout=10)
    child = os.fork()
    if not child:
        os._exit(_act_as_a_child(writer))
    _, status = os.waitpid(child, 0)
    done.set()
    thread.join(timeout=10)

    assert os.waitstatus_to_exitcode(status) == 7
    assert written(journal) == []
    assert journal.run("a").is_owned


def _act_as_a_child(writer: RunWriter) -> int:
    threading.Timer(20, os._exit, [1]).start() if sys.platform != "linux" else None
    try:
        writer.keep(event("Log"))
        writer.replace("progress", event("Progress"))
        writer.flush()
        writer.close()
        writer.write(event("Stranger"))
    except JournalError as error:
        return 7 if "forked" in str(error) else 2
    return 3
