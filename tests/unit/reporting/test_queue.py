import threading
from itertools import pairwise

import pytest

from synapse_sdk.plugins.steps import StepResult
from synapse_sdk.reporting.events import (
    Event,
    InterruptHeld,
    Logged,
    LogLevel,
    LogsShed,
    MetricsReported,
    ProgressReported,
    ProgressSaved,
    RunProgressed,
    StepFinished,
    StepStarted,
    UndoRecorded,
)
from synapse_sdk.reporting.queue import EventQueue
from synapse_sdk.testing.clock import FakeClock


def queue(max_logs: int = 100) -> EventQueue:
    """Return an empty queue."""
    return EventQueue(max_logs, FakeClock())


def line(number: int, level: LogLevel = LogLevel.INFO) -> Logged:
    """Return a numbered log line."""
    return Logged("line", {"number": number}, level)


def test_events_and_lines_keep_their_order() -> None:
    """What was said during a step stays within it."""
    events: list[Event] = [StepStarted("a"), line(1), UndoRecorded("a", {}), line(2, LogLevel.ERROR), StepStarted("b")]
    waiting = queue()
    for event in events:
        waiting.put(event)

    assert waiting.take() == events
    assert waiting.take() == []


def test_of_progress_the_last_value_is_kept() -> None:
    """For each category, and for the run."""
    waiting = queue()
    for number in range(1_000):
        waiting.progress["a"] = (number, 1_000)
        waiting.progress["b"] = (number, 2_000)
        waiting.put(RunProgressed(number // 10))

    assert waiting.take() == [RunProgressed(99), ProgressReported("a", 999, 1_000), ProgressReported("b", 999, 2_000)]


def test_progress_is_shown_before_the_edge_that_follows_it() -> None:
    """The last value of a step comes before its end, the first of the next after its start."""
    waiting = queue()
    waiting.put(StepStarted("a"))
    waiting.progress["a"] = (10, 10)
    waiting.put(StepFinished("a", StepResult(), 1.0))
    waiting.put(StepStarted("b"))
    waiting.put(ProgressReported("b", 1, 3))

    kinds = [type(event).__name__ for event in waiting.take()]

    assert kinds == ["StepStarted", "ProgressReported", "StepFinished", "StepStarted", "ProgressReported"]


def test_an_event_that_is_no_edge_does_not_make_progress_wait_in_line() -> None:
    """A step that records an undo entry for each file still reports progress ten times a second."""
    waiting = queue()
    for number in range(100):
        waiting.put(UndoRecorded("a", {"number": number}))
        waiting.progress["a"] = (number, 100)

    assert sum(isinstance(event, ProgressReported) for event in waiting.take()) == 1


def test_figures_and_saved_progress_are_merged() -> None:
    """Later values replace earlier ones of the same name, the others stay."""
    waiting = queue()
    waiting.put(MetricsReported("a", {"done": 1, "failed": 0}))
    waiting.put(ProgressSaved("a", {"page": 1, "cursor": "x"}))
    waiting.put(MetricsReported("a", {"done": 2}))
    waiting.put(ProgressSaved("a", {"page": 2}))

    assert waiting.take() == [
        MetricsReported("a", {"done": 2, "failed": 0}),
        ProgressSaved("a", {"page": 2, "cursor": "x"}),
    ]


def test_a_flood_leaves_the_last_lines_and_the_number_of_the_missing() -> None:
    """The lines before a failure explain it, so the oldest go."""
    waiting = queue(max_logs=10)
    waiting.put(StepStarted("a"))
    for number in range(1_000):
        waiting.put(line(number))
    waiting.put(StepStarted("b"))

    assert waiting.take() == [
        StepStarted("a"),
        LogsShed(990),
        *(line(number) for number in range(990, 1_000)),
        StepStarted("b"),
    ]
    waiting.put(line(1))
    assert waiting.take() == [line(1)]


def test_chatter_does_not_push_out_a_problem() -> None:
    """Warnings and errors have room of their own."""
    waiting = queue(max_logs=2)
    waiting.put(line(0, LogLevel.ERROR))
    for number in range(1, 100):
        waiting.put(line(number, LogLevel.DEBUG))

    assert waiting.take() == [line(0, LogLevel.ERROR), LogsShed(97), line(98, LogLevel.DEBUG), line(99, LogLevel.DEBUG)]


def test_run_and_step_events_are_never_shed() -> None:
    """Whatever their number."""
    waiting = queue(max_logs=1)
    events: list[Event] = [StepStarted("a"), InterruptHeld(1, 2), UndoRecorded("a", {})] * 10_000
    for event in events:
        waiting.put(event)

    assert waiting.take() == events


def test_a_filling_queue_says_so_in_time() -> None:
    """At half of what it holds."""
    waiting = queue(max_logs=10)
    for number in range(5):
        waiting.put(line(number))
    assert not waiting.is_filling

    waiting.put(line(5))
    assert waiting.is_filling


def test_room_for_no_line_is_refused() -> None:
    """At least the last line must be there to see."""
    with pytest.raises(ValueError, match="max_logs is 0"):
        queue(max_logs=0)


def test_nothing_is_lost_between_threads() -> None:
    """Writers and the reader at the same time: every event once, each writer's in order, last progress last."""
    waiting = queue(max_logs=1_000_000)
    taken: list[Event] = []

    def write(name: str) -> None:
        for number in range(5_000):
            waiting.put(UndoRecorded(name, {"number": number}))
            waiting.put(Logged(name, {"number": number}))
            waiting.progress[name] = (number, 5_000)

    writers = [threading.Thread(target=write, args=(name,)) for name in "abc"]
    for writer in writers:
        writer.start()
    while any(writer.is_alive() for writer in writers):
        taken += waiting.take()
    taken += waiting.take()

    for name in "abc":
        undone = [event.entry["number"] for event in taken if isinstance(event, UndoRecorded) and event.step == name]
        logged = [event.data["number"] for event in taken if isinstance(event, Logged) and event.event == name]
        moved = [event.current for event in taken if isinstance(event, ProgressReported) and event.category == name]
        assert undone == logged == list(range(5_000))
        assert all(before <= after for before, after in pairwise(moved))
        assert moved[-1] == 4_999
