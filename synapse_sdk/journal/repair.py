"""Looking whether a journal is whole, writing it out, and saving what can be saved of one that is not."""

import json
import sqlite3
from collections.abc import Iterable, Iterator
from contextlib import closing
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from synapse_sdk.errors import JournalCorruptedError, JournalError
from synapse_sdk.journal.salvage import SavedRun, open_damaged, saved_runs
from synapse_sdk.journal.sql import queries
from synapse_sdk.journal.sqlite import SqliteJournal
from synapse_sdk.journal.sqlite_file import ballast, connect
from synapse_sdk.journal.state import RunState

if TYPE_CHECKING:
    from synapse_sdk.journal.base import Journal
    from synapse_sdk.journal.model import RunRecord

__all__ = ["CheckReport", "Finding", "RepairReport", "check", "dump", "repair"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Finding:
    """Something in a journal that is not as it should be."""

    what: str
    run: str | None = None
    """The run it is about; None if it is about the file."""
    frame: int | None = None
    """The frame of the run; None if it is about all of it."""

    def __str__(self) -> str:
        """Return it as a line for people."""
        place = [f"run {self.run}"] * (self.run is not None) + [f"frame {self.frame}"] * (self.frame is not None)
        return f"{', '.join(place)}: {self.what}" if place else self.what


@dataclass(frozen=True, slots=True, kw_only=True)
class CheckReport:
    """What a check of a journal found."""

    url: str
    runs: int
    frames: int
    findings: tuple[Finding, ...]

    @property
    def is_whole(self) -> bool:
        """Whether nothing is missing or was changed."""
        return not self.findings


@dataclass(frozen=True, slots=True, kw_only=True)
class RepairReport:
    """What was saved of a journal."""

    source: str
    target: str
    runs: int
    """Runs that were saved, some of them perhaps in part."""
    frames: int
    findings: tuple[Finding, ...]
    """What was not."""


def check(journal: "Journal") -> CheckReport:
    """Verify every run of a journal, frame by frame, and the file it is in."""
    findings = [Finding(what=text) for text in (journal.problems() if isinstance(journal, SqliteJournal) else [])]
    runs: list[RunRecord] = []
    try:
        runs = journal.runs()
    except JournalError as error:
        run = error.where.get("run")
        findings.append(Finding(what=_text(error), run=None if run is None else str(run)))
    frames = 0
    for run in reversed(runs):
        count, finding = _check_run(journal, run)
        frames += count
        findings += [] if finding is None else [finding]
    return CheckReport(url=journal.url, runs=len(runs), frames=frames, findings=tuple(findings))


def dump(journal: "Journal", run_id: str | None = None) -> Iterator[str]:
    """Yield a journal, or one run of it, as lines of JSON: each run, the oldest first, and then its frames.

    Raises:
        RunNotFoundError: There is no such run.
    """
    for run in [journal.run(run_id)] if run_id is not None else journal.runs()[::-1]:
        about = {"type": "run", "run": run.id, "status": run.status, "created_at": run.created_at.isoformat()}
        ended_at = None if run.ended_at is None else run.ended_at.isoformat()
        yield json.dumps({**about, "ended_at": ended_at, "token": run.token, "source": asdict(run.source)})
        for frame in journal.frames(run.id):
            line = {"type": "frame", "run": run.id, "frame": frame.number, "digest": frame.digest.hex()}
            yield json.dumps({**line, "events": json.loads(frame.text)})


def repair(path: Path, target: Path) -> RepairReport:
    """Copy into a new journal what can be read of a damaged one, which stays as it is.

    Of each run the frames up to the first that is missing or was changed are saved. Where its last ones are lost, its
    status is what is left of it says: a run is never taken for ended on the word of a damaged file alone.

    Raises:
        JournalError: There is no such file, or the target exists.
        JournalCorruptedError: Nothing can be read.
    """
    _refuse_places(path, target)
    try:
        with open_damaged(path) as source, closing(connect(target, synchronous="FULL")) as connection:
            return _copied(saved_runs(source), connection, path, target)
    except BaseException:
        for each in (target, *(target.with_name(target.name + end) for end in ("-wal", "-shm")), ballast(target)):
            each.unlink(missing_ok=True)  # made by us a moment ago: it was not there
        raise


def _refuse_places(path: Path, target: Path) -> None:
    if not path.is_file():
        msg = f"There is no journal {str(path)!r}"
        raise JournalError(msg, fix="Name the file that is damaged", path=path)
    if target.exists() or ballast(target).exists():
        msg = f"{str(target)!r} is there already; nothing is overwritten"
        raise JournalError(msg, fix="Name a file that does not exist: --to FILE", path=target)
    if not path.stat().st_size:
        msg = f"Nothing can be saved from {str(path)!r}: it is empty"
        raise JournalCorruptedError(msg, fix="Restore it from a copy", path=path)


def _copied(runs: Iterable[SavedRun], target: sqlite3.Connection, path: Path, place: Path) -> RepairReport:
    findings: list[Finding] = []
    saved = frames = 0
    for run in runs:
        name = f"number {run.number}" if run.row is None else run.row["id"]
        if run.problem is not None:
            findings.append(Finding(what=run.problem, run=name))
        if run.row is not None:
            _restore(run, run.row, target)
            saved += 1
            frames += len(run.frames)
    return RepairReport(source=str(path), target=str(place), runs=saved, frames=frames, findings=tuple(findings))


def _restore(run: SavedRun, row: dict[str, Any], target: sqlite3.Connection) -> None:
    sql = queries("sqlite")
    target.execute("BEGIN IMMEDIATE")
    target.execute(sql["restore_run"], {**row, "number": run.number})
    rows = ((run.number, frame.number, frame.text, frame.digest) for frame in run.frames)
    target.executemany(sql["restore_frame"], rows)
    target.execute("COMMIT")


def _check_run(journal: "Journal", run: "RunRecord") -> tuple[int, Finding | None]:
    """Return how many frames of a run are whole, and what is wrong with the first that is not, or with the run."""
    state = RunState(digest=run.digest)
    try:
        for frame in journal.frames(run.id):
            if not frame.follows(state.frames, state.digest):
                what = "it is missing or was changed, and what follows cannot be trusted"
                return state.frames, Finding(what=what, run=run.id, frame=state.frames + 1)
            state.add(frame)
    except JournalError as error:
        return state.frames, Finding(what=_text(error), run=run.id, frame=state.frames + 1)
    except (ValueError, TypeError, LookupError, AttributeError) as error:
        what = f"its events make no sense: {type(error).__name__}: {error}"
        return state.frames, Finding(what=what, run=run.id, frame=state.frames)
    if run.has_ended and state.status is not run.status:
        what = f"its last frames are missing: it is {run.status}, and they say {state.status}"
        return state.frames, Finding(what=what, run=run.id)
    return state.frames, None


def _text(error: JournalError) -> str:
    return error.message if error.why is None else f"{error.message}: {error.why}"
