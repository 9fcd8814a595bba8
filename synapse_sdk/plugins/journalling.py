"""Running an action with a journal: the frame around a durable run, from its lease to its end."""

import os
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

import synapse_sdk
from synapse_sdk.errors import (
    ConfigurationError,
    InvalidParamsError,
    LeaseLostError,
    RunCancelledError,
    UnencodableValueError,
    WorkerLostError,
)
from synapse_sdk.failpoints import hit
from synapse_sdk.journal.base import LEASE_SECONDS, Journal
from synapse_sdk.journal.model import RunId, RunRecord, RunSource
from synapse_sdk.journal.open import default_journal, open_journal, sqlite_path
from synapse_sdk.journal.owner import Owner
from synapse_sdk.journal.state import read_state
from synapse_sdk.journal.writer import RunWriter
from synapse_sdk.plugins.durable import DurableRun
from synapse_sdk.plugins.encoding import ValueCodec
from synapse_sdk.reporting.events import RunFinished, RunStarted, RunStatus
from synapse_sdk.settings import load_settings

if TYPE_CHECKING:
    from synapse_sdk.plugins.action import BaseAction

__all__ = [
    "JournalChoice",
    "conclude",
    "create_run",
    "decode_params",
    "encode_params",
    "ends_unbegun",
    "journal_url",
    "journalled",
    "opened_journal",
    "shared_journal_url",
    "why_bound",
]

type JournalChoice = Journal | str | os.PathLike[str] | bool
"""A journal, its URL or path; True for the one that the settings name, False for none."""


def shared_journal_url(choice: JournalChoice) -> str | None:
    """Return the URL under which another process finds the same journal, or None for none.

    Raises:
        ConfigurationError: It is one that only this process has.
    """
    url = journal_url(choice)
    if url is not None and url.startswith("memory:"):
        msg = f"The journal {url} cannot be handed to another process"
        raise ConfigurationError(msg, fix="Use a file, or mode='local'")
    return url


def why_bound(url: str | None) -> str:
    """Return why a run that is recorded in a journal has to be on this machine; empty if it may be on any."""
    file = None if url is None else sqlite_path(url)
    if file is None:
        return ""
    return f"its journal is the file {str(file)!r}, which other machines must not write"


def journal_url(choice: JournalChoice) -> str | None:
    """Return the URL of a journal, or None for none.

    Raises:
        ConfigurationError: It is one that only this process has.
    """
    if isinstance(choice, bool):
        named = load_settings().journal if choice else "none"
        return None if named == "none" else os.fspath(default_journal()) if named == "auto" else named
    if isinstance(choice, str | os.PathLike):
        return os.fspath(choice)
    if choice.url.startswith("sqlite:"):
        return choice.url
    msg = f"The journal {choice.url} cannot be handed to another process"
    raise ConfigurationError(msg, fix="Name it by its URL: journal='sqlite:///...' or 'postgresql://...'")


@contextmanager
def opened_journal(choice: JournalChoice, *, read_only: bool = False) -> Iterator[Journal | None]:
    """Yield a journal, and close it if it was opened here; None when there shall be none."""
    if isinstance(choice, bool | str | os.PathLike):
        url = journal_url(choice)
        if url is None:
            yield None
            return
        with open_journal(url, read_only=read_only) as journal:
            yield journal
    else:
        yield choice


def create_run(  # all that is known of it
    journal: Journal,
    run_id: str,
    action: "type[BaseAction[Any]]",
    params: Mapping[str, Any],
    *,
    name: str = "",
    plugin: str = "",
    mode: str = "local",
    options: Mapping[str, Any] | None = None,
    env: Mapping[str, Any] | None = None,
    inject_failure: str | None = None,
) -> RunRecord:
    """Note in the journal that a run is about to begin.

    Parameters are written as they were given; those whose model says that they are secret are left out by name.

    Raises:
        InvalidParamsError: A parameter cannot be written down.
        ConfigurationError: The id cannot be printed.
        JournalError: There is a run of this id, or the journal cannot be written.
    """
    if not run_id or not run_id.isprintable():
        msg = f"A run cannot be named {run_id!r}"
        why = "its name is to be typed and printed"
        raise ConfigurationError(msg, why=why, fix="Give a job id of letters and digits")
    hidden = action.secret_params()
    source = RunSource(
        plugin=plugin,
        action=name or action.action_name,
        params=encode_params({name: each for name, each in params.items() if name not in hidden}, action),
        hidden=tuple(name for name in hidden if name in params),
        env=tuple(env or ()),
        mode=mode,
        options=dict(options or {}),
        inject_failure=inject_failure,
        directory=os.getcwd(),  # noqa: PTH109  # written down as text
        version=synapse_sdk.__version__,
    )
    record = journal.create_run(RunId(run_id), source)
    hit("run.created")
    return record


def encode_params(params: Mapping[str, Any], action: "type[BaseAction[Any]]") -> str:
    """Return parameters as JSON text: as they are if they are plain values, else as the model would take them, too."""
    codec = ValueCodec()
    try:
        return codec.encode(params, "params")
    except UnencodableValueError as error:
        from pydantic_core import to_jsonable_python  # noqa: PLC0415  # loaded with the model of the parameters by now

        try:
            return codec.encode(to_jsonable_python(dict(params)), "params")
        except ValueError:
            msg = f"The parameters of action {action.action_name!r} cannot be written into the journal"
            fix = "Give values that JSON can hold, paths or dates; or run without a journal (journal=False)"
            raise InvalidParamsError(msg, why=error.message, fix=fix) from error


def decode_params(run: RunRecord, given: Mapping[str, Any] | None = None) -> dict[str, Any]:
    """Return the parameters with which a run was created; secret ones have to be given again.

    Raises:
        InvalidParamsError: A secret one is missing.
    """
    params: dict[str, Any] = {**ValueCodec().decode(run.source.params), **(given or {})}
    missing = [name for name in run.source.hidden if name not in params]
    if missing:
        msg = f"Run {run.id} needs {', '.join(missing)} again: secrets are not written into the journal"
        raise InvalidParamsError(msg, fix=f"Give it: --set {missing[0]}=..., or params={{{missing[0]!r}: ...}}")
    return params


@contextmanager
def journalled(
    journal: Journal, run_id: str, *, accepts_changes: bool = False, check: Callable[[RunRecord], None] | None = None
) -> Iterator[DurableRun]:
    """Make a run this process's own, yield what records it, and see to it that it has an end.

    Args:
        journal: Where the run is.
        run_id: A run that was created, or one that a dead worker has left.
        accepts_changes: Whether to go on although the action's steps have changed.
        check: Told of the run once it is ours; may raise.

    Raises:
        LeaseHeldError: Another worker has it.
        RunCancelledError: Somebody has cancelled it; it is undone.
        JournalError: The journal cannot be read or written.
    """
    lease = journal.acquire_lease(run_id, Owner.here(), LEASE_SECONDS)
    hit("lease.acquired")
    try:
        record = journal.run(run_id)
        if check is not None:
            check(record)
        past = read_state(journal, run_id)
        writer = RunWriter(journal, lease, duration=LEASE_SECONDS)
    except BaseException:
        journal.release_lease(lease)
        raise
    durable = DurableRun(writer, past if past.frames else None, accepts_changes=accepts_changes)
    writer.on_cancel = durable.kick
    try:
        yield durable
        conclude(durable, RunStatus.SUCCEEDED)
    except BaseException as error:
        is_ours = not isinstance(error, LeaseLostError)
        if is_ours:
            conclude(durable, RunStatus.FAILED, error)
        if is_ours and writer.is_cancelled and isinstance(error, Exception | SystemExit):
            raise _cancelled(journal, run_id) from error
        raise
    finally:
        writer.close()


@contextmanager
def ends_unbegun(choice: JournalChoice, run_id: str) -> Iterator[None]:
    """See to it that a run has an end if what happens inside keeps its worker from beginning with it.

    One whose worker died may still be resumed, and stays as it is.
    """
    try:
        yield
    except BaseException as error:
        if not isinstance(error, WorkerLostError):
            _end_if_unbegun(choice, run_id, error)
        raise


def _end_if_unbegun(choice: JournalChoice, run_id: str, error: BaseException) -> None:
    try:
        with opened_journal(choice) as journal:
            if journal is not None and journal.run(run_id).token == 0:
                _end_unbegun(journal, run_id, error)
    except Exception as problem:  # noqa: BLE001  # what ended the run matters more
        error.add_note(f"This could not be recorded in the journal: {problem}")


def _end_unbegun(journal: Journal, run_id: str, error: BaseException) -> None:
    writer = RunWriter(journal, journal.acquire_lease(run_id, Owner.here()), is_beating=False)
    try:
        is_stopped = not isinstance(error, Exception)
        DurableRun(writer).end_unbegun(str(error) or type(error).__name__, is_cancelled=is_stopped)
    finally:
        writer.close()


def conclude(durable: DurableRun, status: RunStatus, error: BaseException | None = None) -> None:
    """Record the end of a run that no orchestrator has recorded: of an action that has no steps, or could not begin.

    A run that an earlier worker has left, and that could not be taken up, stays as it is.
    """
    is_recorded = durable.is_taken and (durable.has_started or error is None)
    if durable.has_ended or is_recorded or (error is not None and durable.has_past):
        return
    if error is None:
        durable.observe(RunStarted(()))
        durable.observe(RunFinished(status, 0.0))
        return
    try:
        is_stopped = not isinstance(error, Exception)
        reason = str(error) or type(error).__name__
        status = RunStatus.CANCELLED if is_stopped else status
        durable.observe(RunFinished(status, 0.0, reason, interrupted=is_stopped))
    except Exception as problem:  # noqa: BLE001  # what ended the run matters more
        error.add_note(f"This could not be recorded in the journal: {problem}")


def _cancelled(journal: Journal, run_id: str) -> RunCancelledError:
    cancellation = journal.run(run_id).cancellation
    by = "" if cancellation is None else f" by {cancellation.by}"
    return RunCancelledError(f"Run {run_id} was cancelled{by}", fix="Start it anew if you want to", run=run_id)
