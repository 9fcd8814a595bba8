"""A process that runs an action with a journal, as any program may, and to which a test does harm."""

import json
import os
import signal
import subprocess
import sys
import threading
import time
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

from synapse_sdk.journal import RunId, RunRecord, SqliteJournal

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

__all__ = ["LEDGER", "RUN", "Child", "Scene", "everything_is_there", "nothing_is_left"]

LEDGER = Path(__file__).with_name("fixtures") / "ledger"
RUN = RunId("7f3a00112233")
PATIENCE = 60.0
PAUSE = 0.005
SCRIPT = """
import json, sys
from synapse_sdk.plugins import journalling, run_plugin

plugin, action, journal, params, mode, lease = sys.argv[1:]
journalling.LEASE_SECONDS = float(lease)
try:
    given = {"journal": journal or False, "job_id": "7f3a00112233", "mode": mode}
    said = {"result": run_plugin(plugin, action, json.loads(params), **given)}
except BaseException as error:
    said = {"raised": type(error).__name__, "message": str(error), "code": getattr(error, "code", None)}
    said["notes"] = getattr(error, "__notes__", [])
print(json.dumps(said))
"""


@dataclass
class Child:
    """The process."""

    process: subprocess.Popen[str]
    watchdog: threading.Timer = field(init=False)

    def __post_init__(self) -> None:
        """See to it that it ends."""
        self.watchdog = threading.Timer(PATIENCE, self.process.kill)
        self.watchdog.start()

    @classmethod
    @contextmanager
    def started(cls, script: str, arguments: "Sequence[str]", failpoints: str = "") -> "Iterator[Child]":
        """Start a process that runs a script, which passes these failpoints; nothing is left running."""
        child = cls(
            subprocess.Popen(
                [sys.executable, "-c", script, *arguments],
                stdin=subprocess.DEVNULL,
                stdout=subprocess.PIPE,
                stderr=subprocess.PIPE,
                text=True,
                start_new_session=True,
                env={**os.environ, **({"SYNAPSE_FAILPOINTS": failpoints} if failpoints else {})},
            )
        )
        try:
            yield child
        finally:
            child.clean_up()

    def send(self, number: int) -> None:
        """Send it a signal."""
        self.process.send_signal(number)

    def said(self) -> dict[str, Any]:
        """Return what it says at its end."""
        printed, errors = self.process.communicate(timeout=PATIENCE)
        assert printed, f"it ended with {self.process.returncode}: {errors}"
        said: dict[str, Any] = json.loads(printed)
        return said

    def clean_up(self) -> None:
        """Leave nothing running."""
        self.watchdog.cancel()
        self.process.kill()
        self.process.communicate(timeout=PATIENCE)


@dataclass
class Scene:
    """A folder in which an action works, and the journal of its run."""

    folder: Path
    path: Path
    children: list[Child] = field(default_factory=list)

    @classmethod
    @contextmanager
    def set_up(cls, tmp_path: Path) -> "Iterator[Scene]":
        """Make one, and leave nothing running."""
        (tmp_path / "work").mkdir()
        scene = cls(tmp_path / "work", tmp_path / "journal.db")
        yield scene
        for child in scene.children:
            child.clean_up()

    def params(self, **params: str) -> dict[str, str]:
        """Return parameters of the action."""
        return {"folder": str(self.folder), **params}

    def start(
        self,
        action: str = "work",
        *,
        mode: str = "local",
        lease: float = 30.0,
        records: bool = True,
        prefix: tuple[str, ...] = (),
        **params: str,
    ) -> Child:
        """Start a process that runs the action."""
        journal = str(self.path) if records else ""
        arguments = [str(LEDGER), action, journal, json.dumps(self.params(**params)), mode, str(lease)]
        process = subprocess.Popen(
            [*prefix, sys.executable, "-c", SCRIPT, *arguments],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            start_new_session=True,
            env={**os.environ, "PYTHONDONTWRITEBYTECODE": "1"},
        )
        self.children.append(Child(process))
        return self.children[-1]

    def wait_for(self, sign: str) -> int:
        """Wait until the action is at a place, and return the id of the process in which it runs."""
        end = time.monotonic() + PATIENCE
        while not (self.folder / sign).exists():
            child = self.children[-1].process
            assert child.poll() is None, f"it ended before it was {sign}: {child.communicate()}"
            assert time.monotonic() < end, f"waited too long until it is {sign}"
            time.sleep(PAUSE)
        return int((self.folder / sign).read_text())

    def give(self, sign: str) -> None:
        """Let the action go on."""
        (self.folder / sign).touch()

    def kill(self, pid: int, number: int = signal.SIGKILL) -> None:
        """Send a process of the action a signal."""
        os.kill(pid, number)

    @property
    def diary(self) -> list[str]:
        """What the steps did."""
        path = self.folder / "diary"
        return path.read_text().splitlines() if path.exists() else []

    @property
    def files(self) -> list[str]:
        """Names of the files that there are."""
        return sorted(path.name for path in self.folder.glob("*.txt"))

    @property
    def run(self) -> RunRecord:
        """The run as the journal has it."""
        with SqliteJournal(self.path) as journal:
            return journal.run(RUN)


def everything_is_there(scene: Scene) -> bool:
    """Whether all files were made."""
    return scene.files == [f"{name}-{number}.txt" for name in ("first", "second", "third") for number in (0, 1)]


def nothing_is_left(scene: Scene) -> bool:
    """Whether no file is there."""
    return scene.files == []
