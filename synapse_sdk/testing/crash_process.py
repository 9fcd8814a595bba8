"""The other end of `crash_worker`: a process beside the test, in which an action may die again and again."""

import contextlib
import inspect
import json
import os
import shutil
import socket
import subprocess
import sys
from collections.abc import Callable, Mapping
from multiprocessing.connection import Connection
from pathlib import Path
from types import TracebackType
from typing import Any, Self

from synapse_sdk.testing.crash_worker import Outcome, Subject, Task, Verb

__all__ = ["CrashProcess", "Subject", "find_subject"]

START = (
    "import json, sys; sys.path[:] = json.loads(sys.argv[2]); from synapse_sdk.testing.crash_worker import main; main()"
)
STARTING = 60.0
"""Seconds that loading the action may take."""
GRACE = 10.0
"""Seconds that the process is waited for, beyond those in which a run has to end."""
SHOWN = 4000
"""Characters of what an action printed that an error shows."""

type Action = type[Any] | Callable[..., Any] | tuple[str | os.PathLike[str], str]
"""An action's class, a function that `@action` has marked, or a plugin and the name of its action."""


class CrashProcess:
    """Runs an action in processes that end wherever the test says.

    Args:
        action: The action, at the top level of a module.
        params: Its parameters, which have to be fit to be pickled.
        env: Settings of the runs.
        sandbox: A folder for the journal and for what is printed. The action works in its folder `world`.
        timeout: Seconds that one run may take.
    """

    def __init__(
        self, action: Action, params: Mapping[str, Any], env: Mapping[str, Any], sandbox: Path, timeout: float
    ) -> None:
        self.journal = f"{sandbox / 'journal.db'}?level=kill"
        """URL of the journal in which all runs are recorded."""
        self.world = sandbox / "world"
        self.steps: tuple[str, ...] = ()
        """Names of the action's steps."""
        self._sandbox = sandbox
        self._timeout = timeout
        self._runs = 0
        self._subject = find_subject(
            action,
            params=dict(params),
            env=dict(env),
            folder=str(self.world),
            journal=self.journal,
            outcome=str(sandbox / "outcome"),
        )

    def __enter__(self) -> Self:
        """Start the process and have it load the action.

        Raises:
            RuntimeError: It cannot.
        """
        ours, theirs = socket.socketpair()
        with theirs, (self._sandbox / "printed.txt").open("ab") as printed:
            environ = {name: value for name, value in os.environ.items() if name != "SYNAPSE_FAILPOINTS"}
            arguments = [sys.executable, "-c", START, str(theirs.fileno()), json.dumps(sys.path)]
            self._process = subprocess.Popen(  # noqa: S603  # our own code
                arguments,
                stdin=subprocess.DEVNULL,
                stdout=printed,
                stderr=printed,
                pass_fds=[theirs.fileno()],
                env=environ,
                start_new_session=True,
            )
        self._channel = Connection(ours.detach())
        try:
            self._channel.send(self._subject)
            ready = self._receive(STARTING)
        except BaseException:
            self._end()
            raise
        if ready.error:
            self._end()
            msg = f"The action cannot be loaded in another process:\n{ready.error}"
            raise RuntimeError(msg)
        self.steps = ready.steps
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """End the process."""
        self._end()

    def new_run(self) -> str:
        """Return the id of a run that is to begin."""
        self._runs += 1
        return f"crash-{self._runs:04}"

    def do(
        self, verb: Verb, run_id: str, *, dies_at: tuple[str, int] | None = None, inject_failure: str | None = None
    ) -> Outcome:
        """Run the action, resume it or roll it back, in a process of its own, and return what became of it."""
        self._channel.send(
            Task(verb=verb, run_id=run_id, dies_at=dies_at, inject_failure=inject_failure, timeout=self._timeout)
        )
        return self._receive(self._timeout + GRACE)

    def printed(self) -> str:
        """Return the end of what all runs have printed."""
        return (self._sandbox / "printed.txt").read_text(encoding="utf-8", errors="replace")[-SHOWN:]

    def _receive(self, seconds: float) -> Outcome:
        try:
            if self._channel.poll(seconds):
                outcome: Outcome = self._channel.recv()
                return outcome
            why = f"did not answer within {seconds:g} seconds"
        except (EOFError, ConnectionError):
            why = "ended by itself"
        msg = f"The process in which the action is run {why}. It printed:\n{self.printed()}"
        raise RuntimeError(msg)

    def _end(self) -> None:
        self._channel.close()
        with contextlib.suppress(subprocess.TimeoutExpired):
            self._process.wait(1.0)
        self._process.kill()
        self._process.wait()


def find_subject(action: Action, **rest: Any) -> Subject:  # noqa: ANN401  # further fields of the subject
    """Return how another process finds an action.

    Raises:
        ValueError: It cannot.
    """
    if isinstance(action, tuple):
        plugin, name = action
        is_folder = Path(plugin).is_dir()
        return Subject(plugin=str(Path(plugin).absolute()) if is_folder else str(plugin), name=name, **rest)
    name, module = action.__qualname__, inspect.getmodule(action)
    if "<locals>" in name or module is None or module.__name__ == "__main__":
        where = "in a script" if module is not None and module.__name__ == "__main__" else "within a function"
        msg = f"{name} is made {where}, where no other process finds it: write it at the top of a module"
        raise ValueError(msg)
    return Subject(name=name, module=module.__name__, file=getattr(module, "__file__", None), **rest)


def empty_folder(folder: Path) -> None:
    """Make a folder, or make it empty."""
    if folder.is_dir():
        shutil.rmtree(folder)
    folder.mkdir(parents=True)
