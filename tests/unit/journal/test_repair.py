"""Checking, writing out and repairing journals."""

import json
import os
import sqlite3
from collections.abc import Callable
from pathlib import Path

import pytest

from synapse_sdk.errors import JournalCorruptedError, JournalError, RunNotFoundError
from synapse_sdk.journal import Frame, Lease, MemoryJournal, RunId, SqliteJournal, read_state
from synapse_sdk.journal.repair import check, dump, repair
from synapse_sdk.reporting.events import RunStatus
from tests.unit.journal.samples import OWNER, SOURCE, append, fill

PAGE = 4096


@pytest.fixture
def path(tmp_path: Path) -> Path:
    """A journal of three runs with 40 frames each."""
    path = tmp_path / "journal.db"
    fill(path)
    return path


def execute(path: Path, script: str) -> None:
    """Change a journal behind its back."""
    other = sqlite3.connect(path)
    other.executescript(script)
    other.close()


def overwrite(path: Path, offset: int, data: bytes) -> None:
    """Damage a file."""
    with path.open("r+b") as file:
        file.seek(offset)
        file.write(data)


def test_a_whole_journal_has_no_findings(path: Path) -> None:
    """All of it was read."""
    with SqliteJournal(path) as journal:
        report = check(journal)

    assert report.is_whole
    assert (report.url, report.runs, report.frames) == (journal.url, 3, 120)


@pytest.mark.parametrize(
    ("script", "finding"),
    [
        ("UPDATE frame SET text = '[]' WHERE id = (2 << 32) + 7", "run 000000000002, frame 7: it is missing or was"),
        ("DELETE FROM frame WHERE id = (2 << 32) + 7", "run 000000000002, frame 7: it is missing or was"),
        ("UPDATE run SET source = replace(source, 'greet', 'other') WHERE number = 2", "run 000000000002, frame 1: it"),
        ("UPDATE run SET status = 'succeeded' WHERE number = 2", "run 000000000002: its last frames are missing"),
        ("UPDATE run SET status = 'odd' WHERE number = 2", "run 000000000002: What the journal holds about run"),
    ],
)
def test_a_finding_names_run_and_frame(path: Path, script: str, finding: str) -> None:
    """And says what is wrong."""
    execute(path, script)

    with SqliteJournal(path) as journal:
        report = check(journal)

    assert [str(each)[: len(finding)] for each in report.findings] == [finding]


def test_a_dump_is_one_line_of_json_for_each_thing() -> None:
    """First what a run is about, then its frames; the oldest run first."""
    journal = MemoryJournal()
    for name in ("a", "b"):
        append(journal, journal.acquire_lease(journal.create_run(RunId(name), SOURCE).id, OWNER), count=2)

    lines = [json.loads(line) for line in dump(journal)]

    assert [(line["type"], line["run"]) for line in lines[::3]] == [("run", "a"), ("run", "b")]
    assert [(line["type"], line["frame"]) for line in lines[1:3]] == [("frame", 1), ("frame", 2)]
    assert lines[0]["source"]["action"] == "greet"
    assert [json.loads(line) for line in dump(journal, "b")] == lines[3:]
    with pytest.raises(RunNotFoundError):
        list(dump(journal, "c"))


def test_repairing_a_whole_journal_copies_it(path: Path) -> None:
    """Frame by frame; nobody has the runs, and their tokens still grow."""
    target = path.with_name("new.db")

    report = repair(path, target)

    assert (report.runs, report.frames, report.findings) == (3, 120, ())
    with SqliteJournal(path) as old, SqliteJournal(target) as new:
        assert [run.id for run in new.runs()] == [run.id for run in old.runs()]
        for run in new.runs():
            assert list(new.frames(run.id)) == list(old.frames(run.id))
            assert (run.owner, run.created_at) == (None, old.run(run.id).created_at)
        assert new.acquire_lease("000000000001", OWNER).token == 2


DAMAGE: dict[str, Callable[[Path], None]] = {
    "page": lambda path: overwrite(path, PAGE * 15, os.urandom(PAGE)),
    "truncated": lambda path: os.truncate(path, PAGE * 15),
    "flipped byte": lambda path: overwrite(path, path.read_bytes().rindex(b"xxx"), b"y"),
    "lost frames": lambda path: execute(path, "DELETE FROM frame WHERE id > (3 << 32) + 30"),
}


@pytest.mark.parametrize("kind", DAMAGE)
def test_what_is_whole_in_a_damaged_journal_is_saved(path: Path, kind: str) -> None:
    """Of each run the frames up to the damage; the damaged file stays as it is."""
    with SqliteJournal(path) as journal:
        frames = {run.id: list(journal.frames(run.id)) for run in journal.runs()}
    DAMAGE[kind](path)
    before, target = path.read_bytes(), path.with_name("new.db")

    report = repair(path, target)

    assert path.read_bytes() == before
    assert report.runs >= 1
    with SqliteJournal(target) as journal:
        check_report = check(journal)
        saved = {run.id: list(journal.frames(run.id)) for run in journal.runs()}
    assert check_report.is_whole
    assert all(frames[name][: len(each)] == each for name, each in saved.items())
    assert report.frames == sum(map(len, saved.values())) < 120
    assert report.findings or kind == "lost frames"  # a run that is under way may well have 30 frames


def test_columns_that_make_no_sense_do_not_lose_a_run(path: Path) -> None:
    """What they should say follows from the frames, or is left out."""
    execute(path, "UPDATE run SET status = 1, created_at = 'x', cancel_at = 'y', owner = 'z' WHERE number = 2")

    report = repair(path, path.with_name("new.db"))

    assert (report.runs, report.frames) == (3, 120)
    with SqliteJournal(path.with_name("new.db")) as journal:
        run = journal.run("000000000002")
        assert (run.status, run.cancellation, run.owner) == (RunStatus.PENDING, None, None)


def test_an_end_without_its_frames_is_not_believed(path: Path) -> None:
    """A run is taken for ended only if its frames say so."""
    with SqliteJournal(path) as journal:
        for name, end in (("000000000001", "succeeded"), ("000000000002", "failed")):
            journal.renew_lease(lease := _lease(name), 30.0)
            number, digest = journal.head(name)
            text = f'[{{"type":"RunFinished","at":0,"status":"{end}","error":null,"interrupted":false}}]'
            journal.append(lease, Frame.after(number, digest, text), RunStatus(end))
    execute(path, "DELETE FROM frame WHERE id = (1 << 32) + 41")
    target = path.with_name("new.db")

    report = repair(path, target)

    [finding] = report.findings
    assert finding.run == "000000000001"
    with SqliteJournal(target) as journal:
        first, second = journal.run("000000000001"), journal.run("000000000002")
        assert (first.status, first.ended_at) == (RunStatus.PENDING, None)
        assert (second.status, second.ended_at is not None) == (RunStatus.FAILED, True)
        assert read_state(journal, "000000000002").status is RunStatus.FAILED


def _lease(name: str) -> Lease:
    return Lease(run_id=RunId(name), owner=OWNER, token=1)


def test_what_still_waits_in_the_log_is_saved(path: Path, tmp_path: Path) -> None:
    """A process that was killed leaves commits that are not yet in the file itself."""
    copy = tmp_path / "copy"
    copy.mkdir()
    with SqliteJournal(path) as journal:
        append(journal, _lease("000000000001"))
        for end in ("", "-wal"):
            (copy / f"journal.db{end}").write_bytes(path.with_name(path.name + end).read_bytes())

    assert repair(copy / "journal.db", tmp_path / "new.db").frames == 121


@pytest.mark.parametrize("data", [b"", b"no database " * 1000])
def test_a_file_of_which_nothing_can_be_read_is_said_to_be_lost(tmp_path: Path, data: bytes) -> None:
    """And no new file is left behind."""
    path = tmp_path / "journal.db"
    path.write_bytes(data)

    with pytest.raises(JournalCorruptedError, match="Nothing can be saved"):
        repair(path, tmp_path / "new.db")

    assert path.read_bytes() == data
    assert [each.name for each in tmp_path.iterdir()] == ["journal.db"]


def test_nothing_is_overwritten(path: Path, tmp_path: Path) -> None:
    """Neither another file nor the damaged one."""
    (tmp_path / "new.db").write_text("mine")

    for target in (tmp_path / "new.db", path):
        with pytest.raises(JournalError, match="nothing is overwritten"):
            repair(path, target)
    with pytest.raises(JournalError, match="There is no journal"):
        repair(tmp_path / "other.db", tmp_path / "newer.db")

    assert (tmp_path / "new.db").read_text() == "mine"
