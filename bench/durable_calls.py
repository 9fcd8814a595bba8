"""What a journal holds and what a step pays to tell it something: size, saved progress, undo records."""

import sqlite3
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from itertools import batched
from pathlib import Path

from bench.durable_journal import (
    RUN,
    BenchContext,
    CountingStep,
    Figures,
    recorded,
    registry_of,
    scratch,
    state_of,
)
from synapse_sdk.journal import SqliteJournal
from synapse_sdk.journal.sqlite import Level
from synapse_sdk.journal.state import read_events
from synapse_sdk.plugins import RuntimeContext
from synapse_sdk.plugins.steps import BaseStep, StepResult

__all__ = ["saved_progress", "sizes", "undo_records"]

KILOBYTE = 1024
CALLS_A_SECOND = 100
KEYS = 10_000
UNDO_BATCH = 1_000
LEVELS: tuple[Level, ...] = ("power", "kill")


# Size


class WritingStep(CountingStep):
    """Also leaves a text of 1 KB in the context, another one each time."""

    def execute(self, context: BenchContext) -> StepResult:
        """Replace the text."""
        context.note = note_of(self.number)
        return super().execute(context)


def note_of(number: int) -> str:
    """Return 1 KB of text."""
    return f"{number:>{KILOBYTE}}"


def sizes(*, is_quick: bool) -> Iterator[Figures]:
    """Measure the file of a run that has ended; closing it has moved everything there out of the write-ahead log."""
    for kind, shown in ((CountingStep, "-"), (WritingStep, "1 KB a step")):
        for steps in (100, 1_000) if is_quick else (1_000, 10_000):
            size, text = size_of_run(kind, steps)
            yield {
                "table": "Size of the journal, after a checkpoint",
                "context changes": shown,
                "steps": steps,
                "file KB": round(size / KILOBYTE),
                "bytes a step": round(size / steps),
                "of it text": round(text / steps),
            }


def size_of_run(kind: type[CountingStep], steps: int) -> tuple[int, int]:
    """Run so many steps of a kind in a journal, and return the bytes of its file and of the frames' text in it."""
    with scratch() as folder:
        path = folder / "journal.db"
        with SqliteJournal(path, level="kill") as journal:
            recorded(journal, registry_of(kind(number) for number in range(steps)))
        note = state_of(path, steps).context["note"]
        assert note == (note_of(steps - 1) if kind is WritingStep else "")
        return size_of(path), bytes_of_text(path)


def size_of(path: Path) -> int:
    """Return the bytes of a journal that is closed; nothing must be left beside the file."""
    log = path.with_name(path.name + "-wal")
    assert not log.exists() or not log.stat().st_size
    return path.stat().st_size


def bytes_of_text(path: Path) -> int:
    """Return the bytes of the frames' text."""
    connection = sqlite3.connect(path)
    try:
        total: int = connection.execute("SELECT sum(length(CAST(text AS BLOB))) FROM frame").fetchone()[0]
    finally:
        connection.close()
    return total


# Saved progress


@dataclass
class SavingStep(BaseStep[BenchContext]):
    """Saves its progress 100 times a second, and times each call alone."""

    calls: int
    changes_keys: bool = False
    seconds: list[float] = field(default_factory=list)

    name = "saving"
    progress_weight = 1.0

    def execute(self, context: BenchContext) -> StepResult:
        """Save, and wait for the next hundredth of a second."""
        start = time.perf_counter()
        for done in range(1, self.calls + 1):
            if self.changes_keys:
                context.keys[done % KEYS] = f"changed/{done:08d}.jpg"
            begin = time.perf_counter()
            context.save_progress(done=done)
            end = time.perf_counter()
            self.seconds.append(end - begin)
            time.sleep(max(0.0, start + done / CALLS_A_SECOND - end))
        return StepResult()


def saved_progress(*, is_quick: bool) -> Iterator[Figures]:
    """Measure `context.save_progress`, called at a steady pace as a step with many items does."""
    calls = CALLS_A_SECOND * (1 if is_quick else 5)
    kinds = (
        ("empty", 0, False),
        (f"a list of {KEYS:,} strings", KEYS, False),
        ("the same, one string replaced before each call", KEYS, True),
    )
    for shown, count, changes_keys in kinds:
        step = SavingStep(calls, changes_keys)
        context = BenchContext(RuntimeContext(), keys=[f"images/{number:08d}.jpg" for number in range(count)])
        with scratch() as folder:
            path = folder / "journal.db"
            with SqliteJournal(path) as journal:
                recorded(journal, registry_of([step]), context)
                events = [event for _, event in read_events(journal, RUN) if event["type"] == "ProgressSaved"]
            state = state_of(path, 1)
        # An expensive context is not written with every call: what is recorded is the last call that was.
        assert 0 < events[-1]["state"]["done"] == state.steps[step.name].saved_progress["done"] <= calls
        assert len(step.seconds) == calls
        mean = sum(step.seconds) / calls
        yield {
            "table": "`context.save_progress`, 100 times a second",
            "context": shown,
            "calls": calls,
            "recorded": len(events),
            "µs a call": round(mean * 1e6, 1),
            "longest µs": round(max(step.seconds) * 1e6),
            "% of a second": round(mean * CALLS_A_SECOND * 100, 2),
        }


# Undo records


@dataclass
class UndoingStep(BaseStep[BenchContext]):
    """Records how to undo so many effects, and times only that."""

    records: int
    batch: int
    seconds: float = 0.0

    name = "undoing"
    progress_weight = 1.0

    def execute(self, context: BenchContext) -> StepResult:
        """Record, in batches or one by one."""
        entries = [entry_of(number) for number in range(self.records)]
        begin = time.perf_counter()
        if self.batch == 1:
            for entry in entries:
                context.record_undo(**entry)
        else:
            for some in batched(entries, self.batch):
                context.record_undos(some)
        self.seconds = time.perf_counter() - begin
        return StepResult()


def undo_records(*, is_quick: bool) -> Iterator[Figures]:
    """Measure `context.record_undos` and `context.record_undo`; each call is durable when it returns."""
    many, few = (10_000, 200) if is_quick else (100_000, 2_000)
    for level in LEVELS:
        for step in (UndoingStep(many, UNDO_BATCH), UndoingStep(few, 1)):
            size = size_of_undo_log(step, level)
            yield {
                "table": "Undo records",
                "call": "record_undo" if step.batch == 1 else f"record_undos, {step.batch:,} at once",
                "level": level,
                "records": step.records,
                "µs a record": round(step.seconds / step.records * 1e6, 2),
                "s for 100,000": round(step.seconds / step.records * 1e5, 2),
                "bytes a record": round(size / step.records),
            }


def size_of_undo_log(step: UndoingStep, level: Level) -> int:
    """Run the step in a journal, check that every record is there, and return the bytes of the file."""
    with scratch() as folder:
        path = folder / "journal.db"
        with SqliteJournal(path, level=level) as journal:
            recorded(journal, registry_of([step]))
        assert state_of(path, 1).steps[step.name].undo_log == [entry_of(number) for number in range(step.records)]
        return size_of(path)


def entry_of(number: int) -> dict[str, str]:
    """Return an undo entry as a step would record it that writes files."""
    return {"path": f"images/{number:08d}.jpg"}
