"""A process that uploads, to which a test does harm."""

import json
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

from synapse_sdk.journal import RunRecord, SqliteJournal
from tests.faults.durable_child import RUN, SCRIPT, Child
from tests.unit.executors.driving import wait_until
from tests.unit.plugins.actions.upload.world import World

__all__ = ["RUN", "journal_of", "recorded", "uploading", "wait_while_it_lives"]


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
