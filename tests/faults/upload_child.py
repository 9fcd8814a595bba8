"""A process that uploads, to which a test does harm."""

import json
import os
import signal
import sqlite3
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from pathlib import Path

from synapse_sdk.journal import RunRecord, SqliteJournal
from tests.faults.durable_child import RUN, SCRIPT, Child
from tests.unit.executors.driving import process_state, wait_until
from tests.unit.plugins.actions.upload.world import World

__all__ = ["RUN", "journal_of", "recorded", "uploading", "wait_until_frozen", "wait_while_it_lives"]


def journal_of(world: World) -> Path:
    """Return where the process records its run."""
    return world.folder / "journal.db"


def recorded(world: World) -> RunRecord:
    """Return the run as the journal has it."""
    with SqliteJournal(journal_of(world)) as journal:
        return journal.run(RUN)


@contextmanager
def uploading(world: World, *, lease: float = 30.0, failpoints: str = "", **params: object) -> Iterator[Child]:
    """Start the process."""
    given = json.dumps(world.params(**params))
    arguments = ["synapse_sdk.plugins.actions", "upload", str(journal_of(world)), given, "local", str(lease)]
    with Child.started(SCRIPT, arguments, failpoints) as child:
        yield child


def wait_while_it_lives(child: Child, condition: Callable[[], object], what: str) -> None:
    """Wait until something is so, unless the process ends before."""

    def is_so() -> object:
        assert child.process.poll() is None, f"it ended before {what}: {child.process.communicate()}"
        return condition()

    wait_until(is_so, what)


def wait_until_frozen(child: Child, journal: Path) -> None:
    """Wait until a process has frozen itself, and let it go on for a moment if it was writing into its journal then.

    Else the journal would stay locked, and nobody could take over.
    """
    pid = child.process.pid
    wait_while_it_lives(child, lambda: process_state(pid) == "T", "it is frozen")
    while _is_locked(journal):
        os.kill(pid, signal.SIGCONT)
        wait_while_it_lives(child, lambda: not _is_locked(journal), "it has written")
        os.kill(pid, signal.SIGSTOP)
        wait_while_it_lives(child, lambda: process_state(pid) == "T", "it is frozen")


def _is_locked(journal: Path) -> bool:
    with closing(sqlite3.connect(journal, timeout=0, isolation_level=None)) as connection:
        try:
            connection.execute("BEGIN IMMEDIATE")
        except sqlite3.OperationalError as error:
            if error.sqlite_errorcode == sqlite3.SQLITE_BUSY:
                return True
            raise
        connection.execute("ROLLBACK")
        return False
