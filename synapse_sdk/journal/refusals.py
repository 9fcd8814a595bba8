"""What every store says when it refuses something: one wording for all."""

from collections.abc import Iterable
from difflib import get_close_matches
from typing import TYPE_CHECKING

from synapse_sdk.errors import JournalError, LeaseHeldError, LeaseLostError, RunEndedError, RunNotFoundError

if TYPE_CHECKING:
    from synapse_sdk.journal.model import RunRecord

__all__ = ["already_there", "ended", "frame_there", "held", "lost", "not_found"]


def not_found(run_id: str, url: str, known: Iterable[str]) -> RunNotFoundError:
    """There is no such run."""
    near = get_close_matches(run_id, list(known), 1, cutoff=0.5)
    fix = f"Did you mean {near[0]}?" if near else "synapse runs list shows those there are"
    return RunNotFoundError(f"There is no run {run_id!r} in {url}", fix=fix, run=run_id)


def already_there(run_id: str, url: str) -> JournalError:
    """A run cannot be created twice."""
    msg = f"There is already a run {run_id!r} in {url}"
    return JournalError(msg, fix=f"Go on with it (synapse runs resume {run_id}), or give no job id", run=run_id)


def frame_there(run_id: str, number: int) -> JournalError:
    """A frame cannot be written twice."""
    msg = f"Run {run_id} already has a frame {number}"
    return JournalError(msg, fix="Read its head, and append what comes after that", run=run_id)


def held(run: "RunRecord") -> LeaseHeldError:
    """A worker is at work."""
    msg = f"Run {run.id} is in the hands of {run.owner}"
    fix = f"Watch it (synapse runs watch {run.id}), stop it (synapse runs cancel {run.id}), or wait"
    why = f"its lease ends in {run.lease_left:.0f} s unless it is renewed"
    return LeaseHeldError(msg, why=why, fix=fix, run=run.id, owner=str(run.owner))


def lost(run: "RunRecord") -> LeaseLostError:
    """Another worker took over."""
    msg = f"This worker has lost run {run.id}"
    by = "another worker" if run.owner is None else str(run.owner)
    why = f"it was silent for too long, and {by} has taken over"
    return LeaseLostError(msg, why=why, fix="Nothing is to be done here; the other one goes on", run=run.id)


def ended(run: "RunRecord") -> RunEndedError:
    """Its status is final."""
    msg = f"Run {run.id} has ended: {run.status}"
    return RunEndedError(msg, why="the end of a run is final", fix="Start a new run", run=run.id)
