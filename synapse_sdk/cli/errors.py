"""From an exception to the exit code of `synapse`. The table is frozen: scripts rely on it."""

import errno
from collections.abc import Iterator, Sequence
from enum import IntEnum

import click

from synapse_sdk.errors import (
    ActionNotFoundError,
    BackendError,
    BackendUnavailableError,
    BackendVersionError,
    ClusterUnavailableError,
    ConfigurationError,
    ConflictError,
    DuplicateStepError,
    InvalidDocumentError,
    InvalidParamsError,
    InvalidStepError,
    InvalidWeightError,
    JournalBusyError,
    JournalError,
    JournalFullError,
    JournalVersionError,
    LeaseHeldError,
    LeaseLostError,
    PlanChangedError,
    PluginNotFoundError,
    RecordNotFoundError,
    RunCancelledError,
    RunEndedError,
    RunNotFoundError,
    StepFailedError,
    StepNotFoundError,
    StorageDeniedError,
    StorageUnavailableError,
    SynapseError,
    UnencodableValueError,
    WorkflowError,
)
from synapse_sdk.interrupts import HungUp, Terminated

__all__ = [
    "EXIT_CODES",
    "ActionFailedError",
    "CommandLineError",
    "ExitCode",
    "InputOutputError",
    "InternalError",
    "InvalidPluginError",
    "ParamsDocumentError",
    "RollbackIncompleteError",
    "RunFailedError",
    "RunInterruptedError",
    "StillRunningError",
    "StoppedError",
    "causes",
    "exit_code",
]


class ExitCode(IntEnum):
    """What the exit code of `synapse` says."""

    DONE = 0
    RUN_FAILED = 1
    """A run failed; it was rolled back, or there was nothing to undo."""
    USAGE = 2
    """The command line, or the parameters of an action, are wrong; nothing was started."""
    LOSSES = 3
    """Finished, but not with everything; what is missing is said, and was allowed, such as by `--on-error continue`."""
    ROLLBACK_INCOMPLETE = 4
    """A run failed or was stopped, and something it did could not be undone. It wins over every other code."""
    UNREACHABLE = 69
    """A server cannot be reached, such as that of a journal, a backend or a storage."""
    INTERNAL = 70
    """A bug of `synapse` itself; a crash file says more."""
    IO = 74
    """An input or output error, such as a full disk."""
    BUSY = 75
    """Somebody else is at work on the run, or keeps journal or backend locked, or a worker has died; try again."""
    NOT_PERMITTED = 77
    """The system, or a storage, does not permit it."""
    CONFIGURATION = 78
    """A setting, a manifest or a plugin is wrong; nothing was started."""
    HUNG_UP = 129
    INTERRUPTED = 130
    BROKEN_PIPE = 141
    """Whoever read our output has gone."""
    TERMINATED = 143


class CommandLineError(SynapseError):
    """The command line cannot be understood; `synapse COMMAND --help` shows how it is written."""

    code = "SYN-E1901"


class InputOutputError(SynapseError):
    """The system could not read or write something; the disk may be full."""

    code = "SYN-E1902"


class InternalError(SynapseError):
    """A bug of `synapse` itself. Its crash file holds no values of your environment; please report it."""

    code = "SYN-E1903"


class StoppedError(SynapseError):
    """The command was stopped by Ctrl-C or another signal; a run is undone first, and says so."""

    code = "SYN-E1904"


class ParamsDocumentError(InvalidDocumentError):
    """What was given as `--params` cannot be read."""

    code = "SYN-E1905"


class ActionFailedError(WorkflowError):
    """An action's own code raised an exception outside of its steps."""

    code = "SYN-E1906"


class InvalidPluginError(ConfigurationError):
    """A plugin was checked and found wanting; every problem is listed."""

    code = "SYN-E1907"

    def __init__(self, message: str, *, problems: Sequence[str], fix: str, folder: object) -> None:
        super().__init__(message, fix=fix, folder=folder)
        self.problems = tuple(problems)


class RunInterruptedError(SynapseError):
    """The run has no end and no worker: its process died. It can be resumed or rolled back."""

    code = "SYN-E1908"
    transient = True


class RollbackIncompleteError(SynapseError):
    """A rollback came to its end, and some of what the run did is left behind. It can be tried again."""

    code = "SYN-E1909"


class StillRunningError(SynapseError):
    """A run was asked to stop, and its worker has not obeyed yet."""

    code = "SYN-E1910"
    transient = True


class RunFailedError(SynapseError):
    """A run that was watched failed; its worker, wherever that was, has undone it."""

    code = "SYN-E1911"


EXIT_CODES: tuple[tuple[tuple[type[BaseException], ...], ExitCode], ...] = (
    ((BrokenPipeError,), ExitCode.BROKEN_PIPE),
    ((KeyboardInterrupt, click.Abort), ExitCode.INTERRUPTED),
    ((Terminated,), ExitCode.TERMINATED),
    ((HungUp,), ExitCode.HUNG_UP),
    # What somebody wrote on the command line, or named there.
    ((click.ClickException, CommandLineError, InvalidParamsError, ParamsDocumentError), ExitCode.USAGE),
    ((PluginNotFoundError, ActionNotFoundError, RunNotFoundError, RunEndedError), ExitCode.USAGE),
    ((RecordNotFoundError, ConflictError), ExitCode.USAGE),
    # What somebody wrote into a file: settings, a manifest, a plugin's code.
    ((ConfigurationError,), ExitCode.CONFIGURATION),
    ((DuplicateStepError, StepNotFoundError, InvalidStepError, InvalidWeightError), ExitCode.CONFIGURATION),
    ((PlanChangedError, UnencodableValueError, JournalVersionError, BackendVersionError), ExitCode.CONFIGURATION),
    # What may pass.
    ((JournalBusyError, LeaseHeldError, LeaseLostError), ExitCode.BUSY),
    ((RunInterruptedError, StillRunningError, BackendUnavailableError), ExitCode.BUSY),
    ((ClusterUnavailableError,), ExitCode.UNREACHABLE),
    ((InputOutputError, JournalError, BackendError), ExitCode.IO),
    ((InternalError,), ExitCode.INTERNAL),
    ((StoppedError, RunCancelledError), ExitCode.INTERRUPTED),
    ((RollbackIncompleteError,), ExitCode.ROLLBACK_INCOMPLETE),
    ((SynapseError, SystemExit), ExitCode.RUN_FAILED),
    ((OSError,), ExitCode.IO),
)
"""Kinds of exceptions and their exit codes; the first that fits counts. What fits none is a bug of ours."""

NOT_PERMITTED = frozenset({errno.EACCES, errno.EPERM})
OUT_OF_RESOURCES = "53"
"""How the states begin in which a PostgreSQL server says that its disk or memory is full."""
LOCKED = "55P03"
"""The state in which it says that somebody else has a lock."""
DISKS = frozenset({JournalError, JournalFullError, BackendError})
"""What is said of the place where something is kept, rather than of what was asked for."""
OUT_OF_ORDER = frozenset({errno.EIO, errno.ENOSPC, errno.EDQUOT, errno.EFBIG, errno.EROFS})


def exit_code(error: BaseException) -> ExitCode:
    """Return the exit code for what ended a command.

    A run that failed because the system did not permit something, because a disk is full or because journal, backend
    or storage cannot be reached, says so by 77, 74 or 69 instead of 1: the cause chain of the error decides.
    """
    if isinstance(error, StepFailedError) and error.rollback_errors:
        return ExitCode.ROLLBACK_INCOMPLETE
    code = next((code for kinds, code in EXIT_CODES if isinstance(error, kinds)), ExitCode.INTERNAL)
    if isinstance(error, BackendUnavailableError) and any(map(_is_unreachable, causes(error))):
        return ExitCode.UNREACHABLE
    if code in {ExitCode.RUN_FAILED, ExitCode.IO}:
        fallback = ExitCode.IO if any(type(cause) in DISKS for cause in causes(error)) else code
        return next(filter(None, map(_complaint, causes(error))), fallback)
    return code


def causes(error: BaseException) -> Iterator[BaseException]:
    """Yield an error, what it was raised from, and so on."""
    seen = set[int]()
    cause: BaseException | None = error
    while cause is not None and id(cause) not in seen:
        seen.add(id(cause))
        yield cause
        cause = cause.__cause__


def _complaint(error: BaseException) -> ExitCode | None:
    """Return the exit code for what the system, a journal or its server refused; None for another error."""
    if isinstance(error, (JournalBusyError, LeaseHeldError, LeaseLostError)):
        return ExitCode.BUSY
    if isinstance(error, BackendUnavailableError):
        return exit_code(error)
    if isinstance(error, StorageUnavailableError) or _is_unreachable(error):
        return ExitCode.UNREACHABLE
    if isinstance(error, OSError):
        if error.errno in NOT_PERMITTED or isinstance(error, StorageDeniedError):
            return ExitCode.NOT_PERMITTED
        if error.errno in OUT_OF_ORDER:
            return ExitCode.IO
    return None


def _is_unreachable(error: BaseException) -> bool:
    """Whether PostgreSQL cannot be reached, or has ended the connection; its driver may not be installed here."""
    names = {f"{kind.__module__}.{kind.__name__}" for kind in type(error).__mro__}
    state = str(getattr(error, "sqlstate", None) or "")
    return "psycopg.OperationalError" in names and not state.startswith((OUT_OF_RESOURCES, LOCKED))
