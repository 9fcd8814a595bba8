"""What there is to know about recorded runs: find them, look at one, follow it while it happens, forget old ones."""

import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from itertools import islice

from synapse_sdk.errors import ConfigurationError, JournalError, RunNotFoundError
from synapse_sdk.journal import Journal, RunRecord, RunState, read_state
from synapse_sdk.plugins.journalling import JournalChoice, opened_journal
from synapse_sdk.plugins.run_facts import CollectedRuns, NextStep, RunReport, StepReport, is_interrupted
from synapse_sdk.reporting.events import Event, RunStatus
from synapse_sdk.reporting.parts import PartEvents

__all__ = [
    "CollectedRuns",
    "NextStep",
    "RunReport",
    "StepReport",
    "collect_runs",
    "describe_run",
    "find_run",
    "find_runs",
    "follow_run",
]

SHORTEST_PREFIX = 4
"""Characters of an id that are enough to name a run, if no other begins with them."""
NEWEST = "last"
"""Names the run that was created last, unless a run has this id."""
FRAMES_AT_ONCE = 1_000
"""Frames that one look of a follower reads at most."""


def find_runs(
    *,
    statuses: Sequence[RunStatus] = (),
    interrupted: bool = False,
    limit: int | None = None,
    journal: JournalChoice = True,
) -> list[RunReport]:
    """Return runs, the newest first, with where they stand; one that is damaged is among them, and says so.

    Args:
        statuses: Only runs that have one of these; all when empty.
        interrupted: Also those whose worker has died, whatever their status; without statuses, only those.
        limit: At most so many.
        journal: Where they are recorded.

    Raises:
        JournalError: The journal cannot be read.
    """
    with reading(journal) as opened:
        runs = opened.runs(statuses=() if interrupted else statuses, limit=None if interrupted else limit)
        if interrupted:
            runs = [run for run in runs if is_interrupted(run) or run.status in statuses]
        return [_report(opened, run) for run in runs[:limit]]


def find_run(name: str, *, journal: JournalChoice = True) -> RunRecord:
    """Return the run of this id, the only one whose id begins so (4 characters or more), or the `last` one.

    Raises:
        RunNotFoundError: There is no such run, or there are several; the message names the nearest.
    """
    with reading(journal) as opened:
        return _named(opened, name)


def describe_run(name: str, *, journal: JournalChoice = True) -> RunReport:
    """Return what happened in a run, and what can be done about it.

    Args:
        name: Its id, as for `find_run`.
        journal: Where it is recorded.

    Raises:
        RunNotFoundError: The journal has no such run.
        JournalError: The journal cannot be read. A run that is damaged is described as far as it goes.
    """
    with reading(journal) as opened:
        return _report(opened, _named(opened, name))


def follow_run(
    name: str, *, journal: JournalChoice = True, waits: bool = True, interval: float = 0.25
) -> Iterator[Event]:
    """Yield what happened in a run from its beginning, and then what happens, as it is recorded.

    It ends when the run has ended or has no living worker: `describe_run` tells which. Each worker that went on with
    the run begins with a `RunStarted` that names the finished steps. Results are `reporting.wire.RecordedOutcome`s.

    Args:
        name: Its id, as for `find_run`.
        journal: Where it is recorded.
        waits: Whether to go on once all that is recorded was seen.
        interval: Seconds between two looks.

    Raises:
        RunNotFoundError: The journal has no such run.
        JournalCorruptedError: What was recorded is damaged.
    """
    from synapse_sdk.plugins.run_events import events_of  # noqa: PLC0415  # most callers follow nothing

    with reading(journal) as opened:
        run_id = _named(opened, name).id
        state, parts = RunState(digest=opened.run(run_id).digest), dict[tuple[str, ...], PartEvents]()
        while True:
            run = opened.run(run_id)  # before its frames: of one that has ended, all of them are there
            frames = list(islice(opened.frames(run_id, state.frames), FRAMES_AT_ONCE))
            for frame in frames:
                state.add(frame)
                yield from events_of(frame, state, run_id, parts)
            if len(frames) == FRAMES_AT_ONCE:
                continue  # there may be more
            if not waits or not _goes_on(run):
                return
            time.sleep(interval)


def collect_runs(*, age_days: float = 30, journal: JournalChoice = True, forgets: bool = True) -> CollectedRuns:
    """Forget runs that ended long ago; never one that has no end or has left something behind.

    Args:
        age_days: Only runs that ended at least so many days ago.
        journal: Where they are recorded.
        forgets: False to only find out which they are.

    Raises:
        JournalError: The journal cannot be written; what was forgotten until then stays so.
    """
    oldest = datetime.now(UTC) - timedelta(days=age_days)
    with reading(journal, read_only=not forgets) as opened:
        ended = [run for run in opened.runs() if run.has_ended and run.ended_at is not None and run.ended_at <= oldest]
        size = 0
        for run in ended:
            size += len(run.source.to_text()) + sum(
                len(frame.text) + len(frame.digest) for frame in opened.frames(run.id)
            )
            if forgets:
                opened.delete_run(run.id)
    return CollectedRuns(runs=tuple(ended), size=size, are_forgotten=forgets)


@contextmanager
def reading(choice: JournalChoice, *, read_only: bool = True) -> Iterator[Journal]:
    """Yield a journal that is only looked at.

    Raises:
        ConfigurationError: The settings say that there is none.
    """
    with opened_journal(choice, read_only=read_only) as journal:
        if journal is None:
            msg = "There is no journal: the settings say that runs are not recorded"
            raise ConfigurationError(msg, fix="Name the journal (--journal, SYNAPSE_JOURNAL)")
        yield journal


def _goes_on(run: RunRecord) -> bool:
    """Whether something may still happen in a run without anybody's doing."""
    is_new = run.status is RunStatus.PENDING and not is_interrupted(run)
    return not run.has_ended and (run.is_owned or is_new)


def _named(journal: Journal, name: str) -> RunRecord:
    try:
        return journal.run(name)
    except RunNotFoundError:
        runs = journal.runs()
        if name == NEWEST and runs:
            return runs[0]
        found = [run for run in runs if run.id.startswith(name)] if len(name) >= SHORTEST_PREFIX else []
        if len(found) == 1:
            return found[0]
        if not found:
            raise
        ids = ", ".join(run.id for run in found)
        msg = f"There are {len(found)} runs whose ids begin with {name!r}"
        raise RunNotFoundError(msg, why=f"they are {ids}", fix="Write more of the id", run=name) from None


def _report(journal: Journal, run: RunRecord) -> RunReport:
    damage = None
    try:
        state = read_state(journal, run.id)
    except JournalError as error:
        state, damage = RunState(), error.message
    whole = [("", state), *_parts_of(state)]
    return RunReport(
        record=run,
        status=run.status,
        steps=tuple(StepReport.of(step, state.parts.get(step.name)) for step in state.steps.values()),
        started_at=state.started_at,
        last_at=state.last_at,
        percent=state.percent,
        resumes=state.resumes,
        progress={f"{at}{name}": each for at, part in whole for name, each in part.progress.items()},
        metrics={f"{at}{name}": each for at, part in whole for name, each in part.metrics.items()},
        reason=state.reason,
        error=state.error,
        was_stopped=state.interrupted,
        result=state.result,
        leftovers=state.leftovers,
        errors=tuple(str(each) for _, part in whole for each in part.context.get("errors", ())),
        damage=damage,
    )


def _parts_of(state: RunState, at: str = "") -> Iterator[tuple[str, RunState]]:
    """Yield the runs inside a run, at any depth, each with the names of the steps around it."""
    for name, part in state.parts.items():
        yield f"{at}{name}.", part
        yield from _parts_of(part, f"{at}{name}.")
