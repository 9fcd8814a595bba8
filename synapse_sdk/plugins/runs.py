"""What can be done about a run that the journal has: go on with it, undo it, stop it."""

import contextlib
import getpass
import os
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import KW_ONLY, dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from synapse_sdk.errors import ConfigurationError, JournalError, RunEndedError
from synapse_sdk.interrupts import stop_on_signals
from synapse_sdk.journal import refusals
from synapse_sdk.journal.base import Journal
from synapse_sdk.journal.model import RunRecord
from synapse_sdk.journal.owner import Owner
from synapse_sdk.plugins.discovery import find_plugin
from synapse_sdk.plugins.journalling import (
    JournalChoice,
    decode_params,
    journalled,
    opened_journal,
    shared_journal_url,
    why_bound,
)
from synapse_sdk.plugins.runner import Undertaking, execute_durably, placing, undo_durably
from synapse_sdk.reporting.events import RunStatus

if TYPE_CHECKING:
    from synapse_sdk.plugins.action import BaseAction
    from synapse_sdk.plugins.durable import DurableRun
    from synapse_sdk.reporting import Reporter

__all__ = ["cancel_run", "resume_run", "rollback_run"]


def resume_run(
    run_id: str,
    *,
    journal: JournalChoice = True,
    action: "type[BaseAction[Any]] | None" = None,
    params: Mapping[str, Any] | None = None,
    env: Mapping[str, Any] | None = None,
    reporter: "Reporter | None" = None,
    mode: str | None = None,
    address: str | None = None,
    num_cpus: float | None = None,
    num_gpus: float | None = None,
    pass_env: Sequence[str] = (),
    plugin: str | os.PathLike[str] | None = None,
    directory: str | os.PathLike[str] | None = None,
    force: bool = False,
) -> Any:  # noqa: ANN401  # an instance of the action's result model
    """Go on with a run whose process died, and return its result.

    Steps that are done do not run again. The one that was in flight does, with its saved progress and its undo log. It
    runs in the directory in which the run was started.

    Args:
        run_id: The run.
        journal: Where it is recorded.
        action: The action's class, for a run that was not started by the name of a plugin.
        params: Parameters that the journal does not have, because they are secret; others replace those of the run.
        env: Settings for the run; those of the first time are not recorded.
        reporter: Where logs, progress and metrics go.
        mode: Where it runs; by default where it ran before.
        address: The cluster, as for `run_plugin`; by default the one where it ran before, and so are the next three.
        num_cpus: CPUs that the cluster sets aside for it.
        num_gpus: GPUs that it sets aside.
        pass_env: Names of environment variables of this process that the run gets on the cluster, too.
        plugin: Where its plugin is now, if it has moved.
        directory: Where relative paths in its parameters begin, if not where it was started.
        force: Go on although the action has other steps than at first: those that are done stay done, new ones run.

    Raises:
        RunNotFoundError: The journal has no such run.
        RunEndedError: It has ended; or it had failed, and all that was left to do, and was done, is to undo it.
        LeaseHeldError: A worker is at work on it.
        PlanChangedError: The action has other steps than at first.
        StepFailedError, RunCancelledError: As for `run_plugin`.
    """
    options = placing(address, num_cpus, num_gpus, pass_env)
    given = _Given(params, env, reporter, options, plugin=plugin, directory=directory, force=force)
    with _opened(journal) as opened:
        run = opened.run(run_id)
        _refuse_ended(run)
        place = mode or run.source.mode
        if place != "local" or options:
            return _elsewhere(run, "resume", place, journal, given)
        with _taken_up(opened, run, action, given) as (instance, durable):
            reason = _reason_to_undo(opened.run(run_id), durable)
            if reason is None:
                return execute_durably(instance, durable)
            undo_durably(instance, durable, reason, is_cancelled=run.cancellation is not None)
        raise _undone(opened.run(run_id), reason)


def rollback_run(
    run_id: str,
    *,
    journal: JournalChoice = True,
    action: "type[BaseAction[Any]] | None" = None,
    params: Mapping[str, Any] | None = None,
    env: Mapping[str, Any] | None = None,
    reporter: "Reporter | None" = None,
    mode: str | None = None,
    address: str | None = None,
    num_cpus: float | None = None,
    num_gpus: float | None = None,
    pass_env: Sequence[str] = (),
    plugin: str | os.PathLike[str] | None = None,
    directory: str | os.PathLike[str] | None = None,
    force: bool = False,
    reason: str = "its rollback was asked for",
) -> RunRecord:
    """Undo what a run has done whose process died, or go on with a rollback that was cut short.

    Every step's rollback that is done is recorded, and not repeated. Arguments and errors as for `resume_run`.

    Returns:
        The run; its status is `rolled_back`, `rollback_incomplete`, or, if there was nothing to undo, `failed` or
        `cancelled`.
    """
    options = placing(address, num_cpus, num_gpus, pass_env)
    given = _Given(params, env, reporter, options, plugin=plugin, directory=directory, force=force, reason=reason)
    with _opened(journal) as opened:
        run = opened.run(run_id)
        _refuse_ended(run)
        place = mode or run.source.mode
        if place != "local" or options:
            _elsewhere(run, "rollback", place, journal, given)
            return opened.run(run_id)
        with _taken_up(opened, run, action, given) as (instance, durable):
            why = _reason_to_undo(opened.run(run_id), durable) or reason
            undo_durably(instance, durable, why, is_cancelled=run.cancellation is not None)
        return opened.run(run_id)


def cancel_run(run_id: str, *, journal: JournalChoice = True, by: str | None = None) -> RunRecord:
    """Ask for a run to be stopped and undone, from whatever process.

    Its worker sees that within about a second, stops the step in flight, and undoes the run. A run without a living
    worker is only marked: `rollback_run` undoes it.

    Args:
        run_id: The run.
        journal: Where it is recorded.
        by: Who asks; by default the user and process.

    Raises:
        RunNotFoundError: The journal has no such run.
        RunEndedError: It has ended.
    """
    with _opened(journal) as opened:
        return opened.request_cancel(run_id, by or f"{getpass.getuser()} ({Owner.here()})")


@contextmanager
def _opened(choice: JournalChoice) -> Iterator[Journal]:
    with opened_journal(choice) as journal:
        if journal is None:
            msg = "There is no journal: the settings say that runs are not recorded"
            raise ConfigurationError(msg, fix="Name the journal (--journal, SYNAPSE_JOURNAL)")
        yield journal


@dataclass(frozen=True, slots=True)
class _Given:
    """What the caller adds to what is recorded."""

    params: Mapping[str, Any] | None
    env: Mapping[str, Any] | None
    reporter: "Reporter | None"
    options: Mapping[str, Any]
    """About the place where it runs."""
    _: KW_ONLY
    plugin: str | os.PathLike[str] | None
    directory: str | os.PathLike[str] | None
    force: bool
    reason: str = ""
    """Why the run is rolled back, if it is."""


@contextmanager
def _taken_up(
    journal: Journal, run: RunRecord, action: "type[BaseAction[Any]] | None", given: _Given
) -> Iterator[tuple["BaseAction[Any]", "DurableRun"]]:
    """Yield the action of a run as it was at first, in the directory where it was, and what records it."""
    with _in_directory(run, given.directory):
        instance = _action_of(run, action, given)
        with (
            stop_on_signals(),
            journalled(journal, run.id, accepts_changes=given.force, check=_refuse_ended) as durable,
        ):
            yield instance, durable


def _action_of(run: RunRecord, action: "type[BaseAction[Any]] | None", given: _Given) -> "BaseAction[Any]":
    source, settings = run.source, given.env
    missing = [name for name in source.env if name not in (given.env or {})]
    if missing:
        msg = f"Run {run.id} was started with the settings {', '.join(missing)}, whose values are not recorded"
        raise ConfigurationError(msg, fix=f"Give them again: --env {missing[0]}=..., or env={{{missing[0]!r}: ...}}")
    if action is None:
        if not (given.plugin or source.plugin):
            msg = f"Run {run.id} was started from a program, not by the name of a plugin"
            raise ConfigurationError(msg, fix=f"Resume it there: resume_run({run.id!r}, action=...)")
        found = find_plugin(given.plugin or source.plugin)
        action = found.action_class(source.action)
        if found.env:
            settings = {**found.env, **os.environ, **(given.env or {})}
    undertaking = Undertaking(
        action=action,
        params=decode_params(run, given.params),
        run_id=run.id,
        plugin=source.plugin,
        env=given.env or {},
        settings=settings,
        reporter=given.reporter,
        inject_failure=source.inject_failure,
    )
    return undertaking.make()


def _in_directory(run: RunRecord, given: str | os.PathLike[str] | None) -> "contextlib.AbstractContextManager[None]":
    """Go where the run was started, for as long as it takes: relative paths in its parameters begin there."""
    named = given or run.source.directory
    directory = Path(named)
    if not named or directory == Path.cwd():
        return contextlib.nullcontext()
    if not directory.is_dir():
        msg = f"Run {run.id} was started in {str(directory)!r}, which is not there"
        raise JournalError(msg, fix="Bring the directory back: relative paths of the run begin there")
    return contextlib.chdir(directory)


def _reason_to_undo(run: RunRecord, durable: "DurableRun") -> str | None:
    """Return why a run can only be undone; None if it can go forward."""
    reason = None if durable.past is None else durable.past.reason
    if reason is None and run.cancellation is not None:
        return f"It was cancelled by {run.cancellation.by}"
    return reason


def _undone(run: RunRecord, reason: str) -> RunEndedError:
    done = "it is undone now" if run.status is RunStatus.ROLLED_BACK else f"it is {run.status} now"
    fix = "Start a new run"
    if run.status is RunStatus.ROLLBACK_INCOMPLETE:
        fix = f"See what is left (synapse runs show {run.id}), then: synapse runs rollback {run.id}"
    msg = f"Run {run.id} could not go on, because it had failed or was stopped; {done}"
    return RunEndedError(msg, why=reason, fix=fix, run=run.id)


def _refuse_ended(run: RunRecord) -> None:
    if run.has_ended:
        raise refusals.ended(run)


def _elsewhere(run: RunRecord, task: str, mode: str, journal: JournalChoice, given: _Given) -> Any:  # noqa: ANN401  # an instance of the action's result model
    """Have an executor's worker resume a run, or roll it back."""
    from synapse_sdk.executors import RunSpec, open_executor  # noqa: PLC0415  # runs in this process do without

    url = shared_journal_url(journal)
    options = {**(run.source.options if mode == run.source.mode else {}), **given.options}
    spec = RunSpec(
        plugin=find_plugin(given.plugin).reference if given.plugin else run.source.plugin,
        action=run.source.action,
        params=dict(given.params or {}),
        env=dict(given.env or {}),
        job_id=run.id,
        journal=url,
        task=task,
        accepts_changes=given.force,
        reason=given.reason,
        directory=os.path.abspath(given.directory or run.source.directory),  # noqa: PTH100  # of text or a path
        bound=why_bound(url),
    )
    with stop_on_signals():
        result = open_executor(mode, **options).run(spec, given.reporter)
    if task == "rollback":
        return result
    return find_plugin(spec.plugin).action_class(run.source.action).validate_result(result)
