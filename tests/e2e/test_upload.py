"""`synapse upload` as a process that is interrupted, killed, or left by its reader."""

import json
import signal
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    from tests.e2e.conftest import Running, Shell

PATIENCE = 60.0
PHOTOS = 250
UPLOAD = ("upload", "photos", "--collection", "animals", "--storage", "./store")
AFTER_A_BATCH = "upload.registered=stop@1"


@pytest.fixture(autouse=True)
def _project(shell: "Shell") -> None:
    """A folder of photos, more than one batch of them, and a collection for it."""
    images = shell.folder / "photos" / "images"
    images.mkdir(parents=True)
    for number in range(PHOTOS):
        (images / f"{number:03}.jpg").write_text(f"photo {number}", encoding="utf-8")
    assert shell.run("collections", "describe", "photos", "--create", "animals").code == 0


def kill(running: "Running") -> None:
    """Kill a process, and wait for its end."""
    running.signal(signal.SIGKILL)
    assert running.process.wait(PATIENCE) == -signal.SIGKILL


def collection(shell: "Shell") -> dict[str, Any]:
    """Return what the backend says about the collection."""
    shown: dict[str, Any] = json.loads(shell.run("collections", "show", "animals", "--json").out)
    return shown


def objects(shell: "Shell") -> list[Path]:
    """Return the files in the storage, unfinished ones included."""
    return [path for path in (shell.folder / "store").rglob("*") if path.is_file()]


def test_an_upload_that_was_killed_goes_on_by_the_same_command(shell: "Shell") -> None:
    """Nothing of it is seen before its end, and what had been sent is not sent again."""
    kill(shell.stopped(*UPLOAD, at=AFTER_A_BATCH))
    before = {path: path.stat().st_ino for path in objects(shell)}
    hidden = collection(shell)

    outcome = shell.run(*UPLOAD)

    assert (hidden["units"], hidden["hidden_units"]) == (0, 200)
    assert outcome.code == 0, outcome.err
    assert "Going on with run" in outcome.err
    assert outcome.out.startswith(f"{PHOTOS} new data units in 'animals'\n  uploaded   {PHOTOS} files")
    now = {path: path.stat().st_ino for path in objects(shell)}
    assert len(now) == PHOTOS
    assert before.items() <= now.items()
    assert (collection(shell)["units"], collection(shell)["hidden_units"]) == (PHOTOS, 0)


def test_an_upload_that_is_interrupted_takes_everything_back(shell: "Shell") -> None:
    """Objects, units, and the storage that it had made known; the exit code is that of Ctrl-C."""
    running = shell.stopped(*UPLOAD, at=AFTER_A_BATCH)
    sent = len(objects(shell))
    running.signal(signal.SIGINT)
    running.signal(signal.SIGCONT)

    ended = running.end()

    assert sent >= 200
    assert ended.code == 130
    assert "Stopped by Ctrl-C in step 'upload_files'; what the run had done is undone" in ended.err
    assert objects(shell) == []
    assert (collection(shell)["units"], collection(shell)["hidden_units"], collection(shell)["files"]) == (0, 0, 0)
    assert json.loads(shell.run("storages", "list", "--json").out)["storages"] == []


def test_a_rollback_that_was_killed_is_finished_before_the_upload_begins_anew(shell: "Shell") -> None:
    """By the same command, too."""
    kill(shell.stopped(*UPLOAD, at=AFTER_A_BATCH))
    kill(shell.stopped("runs", "rollback", "last", at="upload.deleted=stop@1"))

    outcome = shell.run(*UPLOAD, "--json")

    assert outcome.code == 0, outcome.err
    assert "has left behind is undone" in outcome.err
    assert outcome.result["result"]["uploaded"] == PHOTOS
    assert len(objects(shell)) == PHOTOS
    assert (collection(shell)["units"], collection(shell)["hidden_units"]) == (PHOTOS, 0)


def test_the_same_upload_cannot_run_twice_at_a_time(shell: "Shell") -> None:
    """The second one says where the first one is to be watched, and that it may be tried again."""
    first = shell.stopped(*UPLOAD, at=AFTER_A_BATCH)

    second = shell.run(*UPLOAD)
    first.signal(signal.SIGCONT)
    ended = first.end()

    assert second.code == 75
    assert "fix    Watch it: synapse runs watch" in second.err
    assert ended.code == 0, ended.err
    assert collection(shell)["units"] == PHOTOS


def test_a_reader_who_leaves_does_not_stop_an_upload(shell: "Shell") -> None:
    """As with `| head -1`: everything is uploaded, and the exit code says that not all was read."""
    running = shell.start(*UPLOAD, "--json")
    assert running.process.stdout is not None
    running.process.stdout.readline()
    running.process.stdout.close()

    ended = running.end()

    assert ended.code == 141
    assert collection(shell)["units"] == PHOTOS


@pytest.mark.parametrize("mode", ["local", "process"])
def test_exit_codes_tell_scripts_how_it_ended(shell: "Shell", mode: str) -> None:
    """Undone because of a file; done, but not with it. The same in a process of its own."""
    (shell.folder / "photos" / "images" / "empty.jpg").touch()

    failed = shell.run(*UPLOAD, env={"SYNAPSE_MODE": mode})
    lossy = shell.run(*UPLOAD, "--on-error", "continue", env={"SYNAPSE_MODE": mode})

    assert (failed.code, failed.out) == (1, "")
    assert lossy.code == 3
    assert "  failed     1 file:\n    images/empty.jpg: it has no bytes\n" in lossy.out
