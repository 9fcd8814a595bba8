"""A process that exports, to which a test does harm."""

import json
from collections.abc import Iterator
from contextlib import contextmanager

from tests.faults.durable_child import SCRIPT, Child
from tests.faults.exporting import params_of
from tests.faults.upload_child import journal_of
from tests.unit.plugins.actions.upload.world import World

__all__ = ["RESUME", "exporting", "resuming"]

RESUME = """
import json, sys
from synapse_sdk.plugins import journalling, resume_run

journal, run, lease = sys.argv[1:]
journalling.LEASE_SECONDS = float(lease)
try:
    said = {"result": resume_run(run, journal=journal).model_dump(mode="json")}
except BaseException as error:
    said = {"raised": type(error).__name__, "message": str(error)}
print(json.dumps(said))
"""


@contextmanager
def exporting(world: World, *, lease: float = 30.0, failpoints: str = "", **params: object) -> Iterator[Child]:
    """Start a process that exports the project `birds`."""
    given = json.dumps(params_of(world, **params))
    arguments = ["synapse_sdk.plugins.actions", "export", str(journal_of(world)), given, "local", str(lease)]
    with Child.started(SCRIPT, arguments, failpoints) as child:
        yield child


@contextmanager
def resuming(world: World, run: str, *, lease: float = 30.0, failpoints: str = "") -> Iterator[Child]:
    """Start a process that goes on with a run."""
    with Child.started(RESUME, [str(journal_of(world)), run, str(lease)], failpoints) as child:
        yield child
