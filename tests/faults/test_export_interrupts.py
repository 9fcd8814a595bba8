"""Ctrl-C at a terminal, once or more often, while `synapse export` is at work and while it undoes that (F5)."""

import os
import pty
import signal
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from synapse_sdk.journal import RunRecord, SqliteJournal
from synapse_sdk.testing import OK, Fault, Latency
from tests.faults.buckets import BucketWorld
from tests.faults.exporting import check_whole, documents_of, store
from tests.unit.executors.driving import process_state, wait_until

PATIENCE = 60.0
CTRL_C = b"\x03"
PICTURES = {f"{number}.jpg": bytes([number]) * 100 for number in range(5)}
AT_A_TERMINAL = """
import fcntl, sys, termios
fcntl.ioctl(0, termios.TIOCSCTTY, 0)  # only then does the terminal send its signals here
from synapse_sdk.cli.main import main
sys.argv[0] = "synapse"
sys.exit(main())
"""


class Terminal:
    """A terminal at which a command runs, what it shows, and the keys that are pressed."""

    def __init__(self, folder: Path, *args: str, failpoints: str = "") -> None:
        self._keys, screen = pty.openpty()
        self._shown = bytearray()
        self._changed = threading.Condition()
        environ = {name: value for name, value in os.environ.items() if not name.startswith(("SYNAPSE", "XDG_"))}
        environ |= {"HOME": str(folder / "home"), "TERM": "dumb", "PYTHONUTF8": "1"}
        environ |= {"SYNAPSE_FAILPOINTS": failpoints} if failpoints else {}
        self.process = subprocess.Popen(
            [sys.executable, "-c", AT_A_TERMINAL, *args],
            stdin=screen,
            stdout=screen,
            stderr=screen,
            cwd=folder,
            env=environ,
            start_new_session=True,
        )
        os.close(screen)
        self._watchdog = threading.Timer(PATIENCE, self.process.kill)
        self._watchdog.start()
        self._reader = threading.Thread(target=self._read)
        self._reader.start()

    def press(self, keys: bytes) -> None:
        """Press keys."""
        os.write(self._keys, keys)

    def wait_for(self, text: str) -> None:
        """Wait until it shows something."""
        with self._changed:
            is_shown = self._changed.wait_for(lambda: text.encode() in self._shown or self._has_ended(), PATIENCE)
            assert is_shown, self._text
            assert text.encode() in self._shown, f"it ended without {text!r}: {self._text}"

    def wait_until_it_is_frozen(self) -> None:
        """Wait until it stands still at its failpoint."""
        wait_until(lambda: self._has_ended() or process_state(self.process.pid) == "T", "it stands still")
        assert not self._has_ended(), self._text

    def go_on(self) -> None:
        """Let it go on from where it stands still."""
        self.process.send_signal(signal.SIGCONT)

    def end(self) -> tuple[int, str]:
        """Wait for its end, and return the exit code and what it has shown."""
        code = self.process.wait(PATIENCE)
        self._reader.join(PATIENCE)
        return code, self._text

    def clean_up(self) -> None:
        """Leave nothing running."""
        self._watchdog.cancel()
        self.process.kill()
        self.end()
        os.close(self._keys)

    @property
    def _text(self) -> str:
        return self._shown.decode().replace("\r\n", "\n")

    def _has_ended(self) -> bool:
        return self.process.poll() is not None

    def _read(self) -> None:
        while True:
            try:
                piece = os.read(self._keys, 65536)
            except OSError:  # nobody has the other side open any more
                piece = b""
            with self._changed:
                self._shown += piece
                self._changed.notify_all()
            if not piece:
                return


type Start = Callable[..., Terminal]


@pytest.fixture
def start(bucket: BucketWorld) -> Iterator[Start]:
    """Run `synapse` at a terminal; nothing is left running."""
    store(bucket, PICTURES)
    started: list[Terminal] = []

    def run(*args: str, failpoints: str = "") -> Terminal:
        started.append(Terminal(bucket.folder, *args, "--journal", "journal.db", failpoints=failpoints))
        return started[-1]

    yield run
    for terminal in started:
        terminal.clean_up()


def export_to(bucket: BucketWorld) -> tuple[str, ...]:
    """Return the command."""
    return ("export", "task", "--project", "birds", "--out", f"s3://{bucket.bucket}/uploads/birds")


def the_run(bucket: BucketWorld) -> RunRecord:
    """Return the run that was recorded last."""
    with SqliteJournal(bucket.folder / "journal.db", read_only=True) as journal:
        return journal.runs()[0]


def undo(bucket: BucketWorld, start: Start, network: Fault) -> Terminal:
    """Press Ctrl-C when files are saved, and wait until that is being undone, over a network that is so."""
    terminal = start(*export_to(bucket), failpoints="export.saved=stop@1")
    terminal.wait_until_it_is_frozen()
    assert len(bucket.objects()) >= len(PICTURES)
    bucket.proxy.faults(network)
    terminal.press(CTRL_C)
    terminal.go_on()
    wait_until(lambda: the_run(bucket).status == "rolling_back", "it is being undone")
    return terminal


@pytest.mark.full
def test_one_press_undoes_the_export(bucket: BucketWorld, start: Start) -> None:
    """130, and nothing is left."""
    code, shown = undo(bucket, start, OK).end()

    assert (code, the_run(bucket).status) == (130, "rolled_back"), shown
    assert bucket.objects() == set()


@pytest.mark.full
def test_a_second_press_is_told_that_undoing_goes_on(bucket: BucketWorld, start: Start) -> None:
    """And how to get out."""
    terminal = undo(bucket, start, Latency(0.5))

    terminal.press(CTRL_C)
    terminal.wait_for("press Ctrl-C once more")
    bucket.proxy.faults(OK)
    code, shown = terminal.end()

    assert (code, the_run(bucket).status) == (130, "rolled_back"), shown
    assert bucket.objects() == set()


@pytest.mark.parametrize("after", ["rollback", pytest.param("the same command", marks=pytest.mark.full)])
def test_a_third_press_leaves_it_for_later(bucket: BucketWorld, start: Start, after: str) -> None:
    """4, and it is said what is left and how to finish it; that does."""
    terminal = undo(bucket, start, Latency(0.5))

    terminal.press(CTRL_C)
    terminal.wait_for("press Ctrl-C once more")
    terminal.press(CTRL_C)
    code, shown = terminal.end()
    bucket.proxy.faults(OK)
    left = the_run(bucket)
    assert code == 4, shown
    assert "not undone" in shown
    assert f"synapse runs rollback {left.id}" in shown
    assert left.status == "rollback_incomplete"
    assert bucket.objects()

    if after == "rollback":
        code, shown = start("runs", "rollback", left.id).end()
        assert (code, the_run(bucket).status) == (0, "rolled_back"), shown
        assert bucket.objects() == set()
    else:
        code, shown = start(*export_to(bucket)).end()
        assert (code, f"First, what run {left.id} has left behind is undone" in shown) == (0, True), shown
        with bucket.storage() as storage:
            assert len(check_whole(documents_of(storage, "birds/"))) == 2 * len(PICTURES)
            assert len(documents_of(storage, "")) == 2 * len(PICTURES) + 1
    assert not [*bucket.folder.glob(".synapse/runs/*/work")]
