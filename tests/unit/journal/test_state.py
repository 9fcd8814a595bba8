"""Where a run stands, from what was written about it."""

import json
import sqlite3
from pathlib import Path
from typing import Any

import pytest

from synapse_sdk.errors import JournalCorruptedError
from synapse_sdk.journal import Frame, MemoryJournal, RunId, RunState, SqliteJournal, read_state
from synapse_sdk.journal.state import StepStatus, read_events
from synapse_sdk.reporting.events import RunStatus
from tests.unit.journal.samples import OWNER, SOURCE, append

STEPS = [["copy", 0.5], ["upload", 0.5]]
GOOD = {"success": True, "skipped": False, "error": None}


def after(*events: dict[str, Any]) -> RunState:
    """Return the state after events, one frame each."""
    state = RunState(digest=b"begin")
    for number, event in enumerate(events):
        state.add(Frame.after(state.frames, state.digest, json.dumps([{"at": number * 1_000_000, **event}])))
    return state


STARTED = {"type": "RunStarted", "steps": STEPS, "context": {"folder": "a", "count": 0}}
COPYING = {"type": "StepStarted", "step": "copy"}
COPIED = {"type": "StepFinished", "step": "copy", "result": GOOD, "elapsed": 2.5, "context": {"count": 3}}
UPLOADING = {"type": "StepStarted", "step": "upload"}
FAILED = {
    "type": "StepFinished",
    "step": "upload",
    "result": {"success": False, "skipped": False, "error": "no network"},
    "elapsed": 1.0,
}


def test_a_run_that_is_under_way() -> None:
    """Its plan, its context, what is done and what is in flight."""
    undo = {"type": "UndoRecorded", "step": "upload", "entries": [["delete", "x"]]}
    saved = {"type": "ProgressSaved", "step": "upload", "state": {"next": 7}, "context": {"count": 4}}

    state = after(STARTED, COPYING, COPIED, UPLOADING, undo, undo, saved)

    copy, upload = state.steps.values()
    assert (state.status, state.order, state.current) == (RunStatus.RUNNING, ["copy", "upload"], "upload")
    assert state.context == {"folder": "a", "count": 4}
    assert (copy.status, copy.is_finished, copy.elapsed, copy.share) == (StepStatus.SUCCEEDED, True, 2.5, 0.5)
    assert (upload.status, upload.is_finished, upload.starts) == (StepStatus.RUNNING, False, 1)
    assert upload.undo_log == [["delete", "x"], ["delete", "x"]]
    assert upload.saved_progress == {"next": 7}
    assert not state.is_going_back
    assert state.started_at is not None
    assert state.last_at is not None
    assert (state.last_at - state.started_at).total_seconds() == 6.0


def test_a_run_that_goes_back() -> None:
    """Why, and what is left to be undone in which order."""
    back = {"type": "RollbackStarted", "reason": "Step 'upload' failed: no network", "steps": ["upload", "copy"]}
    undone = {"type": "StepRolledBack", "step": "upload", "error": None}
    stuck = {"type": "StepRolledBack", "step": "copy", "error": "not permitted"}

    state = after(STARTED, COPYING, COPIED, UPLOADING, FAILED, back, undone)
    assert (state.status, state.to_undo, state.is_going_back) == (RunStatus.ROLLING_BACK, ["copy"], True)
    assert state.leftovers == {"copy": "the rollback was cut short"}
    assert state.steps["upload"].error == "no network"

    state = after(STARTED, COPYING, COPIED, UPLOADING, FAILED, back, undone, stuck)
    assert state.leftovers == {"copy": "not permitted"}
    assert [step.status for step in state.steps.values()] == [StepStatus.NOT_ROLLED_BACK, StepStatus.ROLLED_BACK]


@pytest.mark.parametrize(
    ("status", "percent", "is_going_back"), [("succeeded", 100, False), ("rolled_back", 40, True), ("failed", 40, True)]
)
def test_a_run_that_has_ended(status: str, percent: int, *, is_going_back: bool) -> None:
    """With its result, or the reason why it has none."""
    progress = {"type": "RunProgressed", "percent": 40}
    end = {"type": "RunFinished", "status": status, "error": None, "interrupted": False, "result": {"files": 3}}

    state = after(STARTED, progress, end)

    assert (state.status, state.percent, state.is_going_back) == (status, percent, is_going_back)
    assert state.result == {"files": 3}


def test_a_run_that_is_resumed_with_other_steps() -> None:
    """The new plan's order holds, and what is known of the old steps stays."""
    resumed = {"type": "RunResumed", "steps": [["check", 0.2], ["upload", 0.8]]}

    state = after(STARTED, COPYING, COPIED, resumed)

    assert list(state.steps) == ["check", "upload", "copy"]
    assert (state.steps["upload"].share, state.steps["copy"].status) == (0.8, StepStatus.SUCCEEDED)
    assert state.resumes == 1


def test_what_is_reported_on_the_way() -> None:
    """The last figures of each category."""
    progress = {"type": "ProgressReported", "category": None, "current": 3, "total": 10}
    metrics = {"type": "MetricsReported", "category": "train", "values": {"loss": 0.5}}

    state = after(STARTED, progress, {**progress, "current": 4}, metrics, {**metrics, "values": {"accuracy": 0.9}})

    assert state.progress == {"": (4, 10)}
    assert state.metrics == {"train": {"loss": 0.5, "accuracy": 0.9}}


def test_events_of_a_newer_version_change_nothing() -> None:
    """They are passed over."""
    assert after(STARTED, {"type": "Telepathy", "what": 1}).status is RunStatus.RUNNING


@pytest.mark.parametrize("number", [1, 3])
def test_a_frame_that_does_not_follow_is_refused(number: int) -> None:
    """It is missing, doubled, or out of order."""
    state = after(STARTED)

    with pytest.raises(JournalCorruptedError, match=f"Frame {number} of the run does not follow frame 1"):
        state.add(Frame(number, "[]", b""))
    assert state.frames == 1


def test_the_events_of_a_run_come_with_the_numbers_of_their_frames() -> None:
    """From wherever a reader has stopped."""
    journal = MemoryJournal()
    append(journal, journal.acquire_lease(journal.create_run(RunId("a"), SOURCE).id, OWNER), count=3)

    assert [number for number, _ in read_events(journal, "a")] == [1, 2, 3]
    assert [event["at"] for _, event in read_events(journal, "a", after=2)] == [2]
    assert read_state(journal, "a").frames == 3


@pytest.mark.parametrize("source", ['{"plugin":"","action":"greet"}', '{"plugin":"","action":"greet","mood":"newer"}'])
def test_a_run_that_another_version_has_created_can_be_read(tmp_path: Path, source: str) -> None:
    """Its chain begins with what was written then, not with how it would be written now."""
    path = tmp_path / "journal.db"
    with SqliteJournal(path) as journal:
        journal.create_run(RunId("a"), SOURCE)
        other = sqlite3.connect(path)
        other.execute("UPDATE run SET source = ?", [source])
        other.commit()
        other.close()
        append(journal, journal.acquire_lease("a", OWNER))

        assert journal.run("a").source.action == "greet"
        assert read_state(journal, "a").frames == 1
