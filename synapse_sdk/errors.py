"""Every error this package raises, on one screen.

An error says what happened (`message`), and where it can: `why`, `fix` (the way out) and `where` (names of the
things involved). `code` is stable and may be matched on; `transient` tells whether trying again may help.
"""

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, ClassVar

if TYPE_CHECKING:
    from synapse_sdk.plugins.steps import BaseStep, RollbackError, StepResult

__all__ = [
    "ActionNotFoundError",
    "BackendError",
    "BackendUnavailableError",
    "BackendVersionError",
    "ClusterUnavailableError",
    "ConfigurationError",
    "ConflictError",
    "DatasetLossError",
    "DownloadDeniedError",
    "DownloadError",
    "DownloadIntegrityError",
    "DownloadUnavailableError",
    "DuplicateStepError",
    "ExecutorError",
    "FileGoneError",
    "InvalidDatasetError",
    "InvalidDocumentError",
    "InvalidImageError",
    "InvalidKeyError",
    "InvalidModelError",
    "InvalidPageError",
    "InvalidParamsError",
    "InvalidResultError",
    "InvalidSheetError",
    "InvalidStepError",
    "InvalidWeightError",
    "ItemSkippedError",
    "JournalBusyError",
    "JournalCorruptedError",
    "JournalError",
    "JournalFullError",
    "JournalVersionError",
    "LeaseHeldError",
    "LeaseLostError",
    "ManifestError",
    "ModelOutputError",
    "ModelServiceError",
    "ObjectExistsError",
    "ObjectNotFoundError",
    "PipelineError",
    "PlanChangedError",
    "PluginLoadError",
    "PluginNotFoundError",
    "RecordNotFoundError",
    "RunCancelledError",
    "RunEndedError",
    "RunNotFoundError",
    "StepFailedError",
    "StepNotFoundError",
    "StorageDeniedError",
    "StorageError",
    "StorageFullError",
    "StorageIntegrityError",
    "StorageUnavailableError",
    "SynapseError",
    "TrainingError",
    "UnencodableValueError",
    "UnsafeArchiveError",
    "UnsafeUrlError",
    "WorkerLostError",
    "WorkflowError",
]


class SynapseError(Exception):
    """The root of everything this package raises on purpose."""

    code: ClassVar[str] = "SYN-E1000"
    transient: bool = False
    """Whether trying the same thing again may succeed."""

    def __init__(self, message: str, *, why: str | None = None, fix: str | None = None, **where: object) -> None:
        super().__init__(message)
        self.message = message
        self.why = why
        self.fix = fix
        self.where = where

    def __str__(self) -> str:
        """Return what happened, why, and the way out, as sentences."""
        return ". ".join(part.rstrip(".") for part in (self.message, self.why, self.fix) if part)

    def __reduce__(self) -> tuple[Any, ...]:
        """Let errors with arguments of their own travel between processes, as `concurrent.futures` makes them."""
        return _rebuild, (type(self), self.args), self.__dict__


def _rebuild(kind: type[SynapseError], args: tuple[Any, ...]) -> SynapseError:
    return kind.__new__(kind, *args)


class ConfigurationError(SynapseError, ValueError):
    """A setting, manifest, parameter or document is wrong; nothing was started."""

    code = "SYN-E1100"


class InvalidDocumentError(ConfigurationError):
    """A YAML, JSON or TOML document cannot be read, or is built to do harm."""

    code = "SYN-E1101"


class ManifestError(ConfigurationError):
    """A plugin's `config.yaml` is missing, misspelt or contradicts itself."""

    code = "SYN-E1102"


class InvalidParamsError(ConfigurationError):
    """Parameters do not fit the action's model; `problems` lists every one with its field path."""

    code = "SYN-E1103"

    def __init__(self, message: str, *, problems: Sequence[str] = (), **rest: str) -> None:
        super().__init__(message, **rest)
        self.problems = tuple(problems)

    def __str__(self) -> str:
        """Return the message with one line a problem."""
        return "\n  ".join((super().__str__(), *self.problems))


class PluginNotFoundError(ConfigurationError, LookupError):
    """No folder, installed entry point or module has this name."""

    code = "SYN-E1104"


class ActionNotFoundError(ConfigurationError, LookupError):
    """The plugin has no action of this name."""

    code = "SYN-E1105"


class PluginLoadError(ConfigurationError):
    """The plugin's own code could not be imported; the cause is kept."""

    code = "SYN-E1106"


class InvalidSheetError(InvalidDocumentError):
    """A metadata sheet cannot be read, lacks what it needs, or exceeds a limit; `where` says which and by how much."""

    code = "SYN-E1109"


class InvalidDatasetError(InvalidDocumentError):
    """A dataset as a whole cannot be read; `where` names the file and the position in it."""

    code = "SYN-E1110"


class DatasetLossError(ConfigurationError):
    """A conversion would lose something, and was told not to; nothing was written."""

    code = "SYN-E1111"


class InvalidModelError(ConfigurationError):
    """A model cannot be used: it is no ONNX file, is damaged, or takes or returns something else than is described."""

    code = "SYN-E1112"


class UnsafeArchiveError(ConfigurationError):
    """An archive is damaged, or built to do harm: a name that leaves the folder, a link, too many bytes."""

    code = "SYN-E1108"


class WorkflowError(SynapseError, RuntimeError):
    """A workflow was put together wrongly, or failed."""

    code = "SYN-E1200"


class StepFailedError(WorkflowError):
    """A step failed and the steps before it were rolled back.

    The message is `Step 'name' failed: error`; the exception the step raised, if any, is `__cause__`.
    """

    code = "SYN-E1201"

    def __init__(
        self,
        message: str,
        *,
        step: "BaseStep[Any]",
        result: "StepResult",
        rollback_errors: "Sequence[RollbackError]" = (),
    ) -> None:
        super().__init__(message)
        self.step = step
        """The step that failed."""
        self.result = result
        """Its result; `result.error` is the text in the message."""
        self.rollback_errors = tuple(rollback_errors)
        """What could not be undone, in the order it was tried; empty after a clean rollback."""
        for problem in self.rollback_errors:
            self.add_note(f"Rollback of step {problem.step!r} failed: {problem.text}")


class DuplicateStepError(WorkflowError, ValueError):
    """A registry already has a step of this name."""

    code = "SYN-E1202"


class StepNotFoundError(WorkflowError, LookupError):
    """A registry has no step of this name; the message lists those it has."""

    code = "SYN-E1203"


class InvalidStepError(WorkflowError, TypeError):
    """Something registered as a step is not one."""

    code = "SYN-E1204"


class InvalidWeightError(WorkflowError, ValueError):
    """A progress weight is not a number from 0.0 to 1.0."""

    code = "SYN-E1205"


class InvalidResultError(WorkflowError):
    """An action finished, but its result does not fit its declared model."""

    code = "SYN-E1206"


class UnencodableValueError(WorkflowError, TypeError):
    """A value that has to be written into the journal is of a kind that cannot be written down and read back."""

    code = "SYN-E1207"


class RunCancelledError(WorkflowError):
    """Somebody cancelled the run; what it had done was undone."""

    code = "SYN-E1208"


class ItemSkippedError(WorkflowError):
    """Raised by a hook that does not want an item; the item counts as skipped, with the text as the reason."""

    code = "SYN-E1209"


class ExecutorError(SynapseError, RuntimeError):
    """An executor could not run an action."""

    code = "SYN-E1300"


class WorkerLostError(ExecutorError):
    """A process that did the work, or a part of it, ended without reporting a result."""

    code = "SYN-E1301"
    transient = True


class ClusterUnavailableError(ExecutorError):
    """A cluster on which an action was to run cannot be reached, or cannot be started."""

    code = "SYN-E1302"
    transient = True


class JournalError(SynapseError, RuntimeError):
    """The journal of runs cannot be opened, read or written; what cannot be recorded is not done."""

    code = "SYN-E1400"


class RunNotFoundError(JournalError, LookupError):
    """The journal has no run of this id."""

    code = "SYN-E1401"


class LeaseHeldError(JournalError):
    """Another worker is at work on the run."""

    code = "SYN-E1402"
    transient = True


class LeaseLostError(JournalError):
    """This worker was away for so long that another one has taken over its run; it must not touch it any more."""

    code = "SYN-E1403"


class JournalCorruptedError(JournalError):
    """The journal holds something that it did not write."""

    code = "SYN-E1404"


class JournalVersionError(JournalError):
    """The journal was written by a newer version of this package."""

    code = "SYN-E1405"


class RunEndedError(JournalError):
    """The run has come to its end, which is final."""

    code = "SYN-E1406"


class PlanChangedError(JournalError):
    """The steps of the action are not those with which the run began."""

    code = "SYN-E1407"


class JournalBusyError(JournalError):
    """Another process keeps the journal locked."""

    code = "SYN-E1408"
    transient = True


class JournalFullError(JournalError):
    """The disk of the journal is full; runs stop, and are undone, while there is room to record that."""

    code = "SYN-E1409"


class StorageError(SynapseError, OSError):
    """A storage could not do what it was asked to; the message names the storage and the key."""

    code = "SYN-E1500"


class ObjectNotFoundError(StorageError, FileNotFoundError):
    """The storage has no object of this key."""

    code = "SYN-E1501"


class ObjectExistsError(StorageError, FileExistsError):
    """The storage has an object of this key already, with other content; nothing was overwritten."""

    code = "SYN-E1502"


class StorageDeniedError(StorageError, PermissionError):
    """The storage refuses: credentials are missing or wrong, or do not allow it."""

    code = "SYN-E1503"


class StorageUnavailableError(StorageError):
    """The storage cannot be reached, or asks to be left alone for a while."""

    code = "SYN-E1504"
    transient = True


class StorageIntegrityError(StorageError):
    """What the storage has is not what was sent, or what was read is not what should be there."""

    code = "SYN-E1505"
    transient = True


class InvalidKeyError(StorageError, ValueError):
    """A key, or the name of a file, cannot be used in a storage: it would leave its root, or cannot be written."""

    code = "SYN-E1506"


class StorageFullError(StorageError):
    """The storage has no room left."""

    code = "SYN-E1507"


class BackendError(SynapseError, RuntimeError):
    """The backend cannot be opened, or could not do what it was asked to."""

    code = "SYN-E1600"


class RecordNotFoundError(BackendError, LookupError):
    """The backend has no such record."""

    code = "SYN-E1601"


class ConflictError(BackendError):
    """What was asked for contradicts what the backend has; nothing was changed."""

    code = "SYN-E1602"


class BackendUnavailableError(BackendError):
    """The backend cannot be reached, or is busy."""

    code = "SYN-E1603"
    transient = True


class BackendVersionError(BackendError):
    """The backend's tables were made by a newer version of this package."""

    code = "SYN-E1604"


class InvalidPageError(BackendError):
    """A list of records repeats, goes back, or goes on behind its end: reading it would not come to an end."""

    code = "SYN-E1605"


class DownloadError(SynapseError, OSError):
    """A file on the web could not be read; the message names it, without its query."""

    code = "SYN-E1700"


class UnsafeUrlError(DownloadError, ValueError):
    """A URL, or a redirect, leads where no file should be read from, such as into the own network."""

    code = "SYN-E1701"


class FileGoneError(DownloadError, FileNotFoundError):
    """There is no such file on the web, or no longer."""

    code = "SYN-E1702"


class DownloadDeniedError(DownloadError, PermissionError):
    """The web server refuses; a link with a signature may have expired."""

    code = "SYN-E1703"


class DownloadUnavailableError(DownloadError):
    """The web server cannot be reached, is busy, or is too slow."""

    code = "SYN-E1704"
    transient = True

    retry_after: float | None = None
    """Seconds after which the server wants to be asked again, if it said so."""

    def __init__(self, message: str, *, retry_after: float | None = None, **rest: str) -> None:
        super().__init__(message, **rest)
        if retry_after is not None:
            self.retry_after = retry_after


class DownloadIntegrityError(DownloadError):
    """A file on the web changed while it was read; what has come is of no use."""

    code = "SYN-E1705"
    transient = True


class PipelineError(ConfigurationError):
    """A pipeline makes no sense: an action, a reference or a document of it, or what one action hands to another."""

    code = "SYN-E1113"


class TrainingError(SynapseError, RuntimeError):
    """A training has diverged, or has left no model, or no checkpoint, that can be used."""

    code = "SYN-E1800"


class ModelOutputError(SynapseError, RuntimeError):
    """What a model has returned for an input is of no use, such as numbers that are not finite."""

    code = "SYN-E1801"


class InvalidImageError(SynapseError, ValueError):
    """A file is no image that can be decoded, or has pixels that no model takes."""

    code = "SYN-E1802"


class ModelServiceError(SynapseError, RuntimeError):
    """A model that is asked by HTTP cannot be reached, refuses, or answers something else than is agreed."""

    code = "SYN-E1803"

    def __init__(self, message: str, *, transient: bool = False, **rest: str | None) -> None:
        super().__init__(message, **rest)
        self.transient = transient
