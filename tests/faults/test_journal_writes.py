"""The journal in a file while its process is killed at every write (F1), and while the disk fails it (F7, F9)."""

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from synapse_sdk.journal import SqliteJournal, read_state

pytestmark = pytest.mark.full

RUN = "7f3a00112233"
WORKER = """
import json, os, sys
from synapse_sdk.errors import JournalError
from synapse_sdk.journal import Frame, Owner, RunSource, SqliteJournal
from synapse_sdk.reporting.events import RunStatus

def say(**facts):
    os.write(1, json.dumps(facts).encode() + b"\\n")

journal = SqliteJournal(sys.argv[1])
journal.create_run("7f3a00112233", RunSource(plugin="", action="greet"))
lease = journal.acquire_lease("7f3a00112233", Owner(host="lab", pid=1))
say(created=True)
for _ in range(int(sys.argv[2])):
    number, digest = journal.head("7f3a00112233")
    frame = Frame.after(number, digest, '[{"type":"Tick","at":%d,"padding":"%s"}]' % (number, "x" * 3000))
    try:
        journal.append(lease, frame)
    except JournalError as error:
        say(failed=number + 1, head=journal.head("7f3a00112233")[0], why=str(error))
    else:
        say(written=number + 1)
journal.append(lease, Frame.after(*journal.head("7f3a00112233"), '[]'), RunStatus.SUCCEEDED)
say(ended=True)
"""


@pytest.fixture(scope="module")
def strace() -> str:
    """What ends a process at a system call of our choice, or lets one fail."""
    found = shutil.which("strace")
    if found is None:
        missing = "strace is not installed"
        if os.environ.get("CI"):
            pytest.fail(missing)
        pytest.skip(missing)
    return found


def work(strace: str, path: Path, inject: str, count: int = 4) -> tuple[int, list[dict[str, object]]]:
    """Write under strace, and return the exit code and what was acknowledged."""
    watched = [option for end in ("", "-wal") for option in ("-P", f"{path}{end}")]
    call = inject.partition(":")[0]
    options = ["-f", "-qq", *watched, "-e", f"trace={call}", "-e", f"inject={inject}", "-o", "/dev/null"]
    command = [strace, *options, sys.executable, "-c", WORKER, str(path), str(count)]
    done = subprocess.run(command, capture_output=True, text=True, timeout=60, check=False)
    return done.returncode, [json.loads(line) for line in done.stdout.splitlines()]


@pytest.mark.parametrize("call", ["pwrite64", "fdatasync"])
def test_what_was_acknowledged_is_there_wherever_the_process_dies(strace: str, tmp_path: Path, call: str) -> None:
    """At every write to the database and its log, and at every wait for the disk, from the first to the last."""
    for when in range(1, 200):
        path = tmp_path / f"{when}" / "journal.db"
        code, said = work(strace, path, f"{call}:signal=KILL:when={when}")
        _assert_intact(path, said)
        if code == 0:
            assert when > 5
            return
    pytest.fail("it never came to its end")


def _assert_intact(path: Path, said: list[dict[str, object]]) -> None:
    written = sum("written" in each or "ended" in each for each in said)
    with SqliteJournal(path) as journal:
        assert journal.problems() == []
        known = [run.id for run in journal.runs()]
        if any("created" in each for each in said):
            assert known == [RUN]
        for name in known:
            assert written <= read_state(journal, name).frames <= written + 1
            assert ("ended" in {key for each in said for key in each}) <= (journal.run(name).status == "succeeded")


@pytest.mark.parametrize("error", ["EIO", "ENOSPC"])
@pytest.mark.parametrize("call", ["pwrite64", "fdatasync"])
def test_a_write_that_fails_is_never_taken_for_done(strace: str, tmp_path: Path, call: str, error: str) -> None:
    """The frame is not there, the error says so, and the next one is written."""
    failures = 0
    for when in range(20, 44, 4):
        path = tmp_path / f"{when}" / "journal.db"
        code, said = work(strace, path, f"{call}:error={error}:when={when}", count=45)
        assert code == 0 or not any("created" in each for each in said), said
        failed = [each for each in said if "failed" in each]
        failures += len(failed)
        assert all(each["head"] == int(str(each["failed"])) - 1 for each in failed)
        if code == 0:
            _assert_intact(path, said)
    assert failures > 0
