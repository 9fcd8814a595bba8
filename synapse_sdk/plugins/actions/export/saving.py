"""Saving converted items: their files and documents, batch by batch, each settled when it is safe."""

import errno
from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from pathlib import Path

from synapse_sdk.errors import StorageFullError, WorkflowError
from synapse_sdk.failpoints import hit
from synapse_sdk.plugins.actions.export.context import ExportContext
from synapse_sdk.plugins.actions.export.converting import end_of
from synapse_sdk.plugins.actions.export.exporter import ConvertedItem, ErrorList
from synapse_sdk.plugins.actions.export.originals import Originals
from synapse_sdk.plugins.actions.export.records import Failure, ItemState, Problem, Settlement, writable

__all__ = ["FILE_FAILED", "Saver"]

FILE_FAILED = "FILE_FAILED"
"""Why an item is not exported, or only in part: one of its files could not be had, or its document not be written."""
BATCH = 200
"""Items that are settled at a time; so many are saved again, at most, when the process dies."""


class Saver:
    """Saves the items that are converted and not settled.

    Args:
        context: Has exporter, ledger, and where the export is put together and goes.
        originals: Fetches their files.
        on_settled: Told of each batch, when it is safe; may raise to end it.
    """

    def __init__(
        self, context: ExportContext, originals: Originals, on_settled: Callable[[Sequence[Settlement]], None]
    ) -> None:
        self._exporter, self._ledger, self._staging = context.exporter, context.ledger, context.staging
        self._items: Iterator[ConvertedItem] = iter(context.converted_items)
        self._destination, self._originals, self._on_settled = context.destination, originals, on_settled

    def run(self) -> None:
        """Save them all.

        Raises:
            StorageError: The export's folder cannot be written, or a storage cannot be reached any more.
            WorkflowError: Hooks have saved two items as one file.
        """
        wants_files = bool(self._exporter.params["save_original_file"])
        saved: list[Settlement] = []
        for item in self._originals.ahead(self._items) if wants_files else self._items:
            saved.append(self._save(item))
            if len(saved) >= BATCH:
                self._settle(saved)
                saved = []
        if saved:
            self._settle(saved)

    def _settle(self, saved: Sequence[Settlement]) -> None:
        """Have items that were saved survive whatever happens, and only then note that they are."""
        self._refuse_shared_files(saved)
        self._staging.sync()
        self._destination.send([file.path for each in saved for file in each.files])
        self._ledger.settle(saved)
        hit("export.saved")
        self._on_settled(saved)

    def _save(self, item: ConvertedItem) -> Settlement:
        """Save one item; what is its own fault fails it, what is not is raised."""
        errors_json: ErrorList = []
        errors_original: ErrorList = []
        state, failure = ItemState.EXPORTED, Failure(reason="", words="")
        try:
            if not self._hook(item, errors_json, errors_original):
                state, failure = ItemState.FAILED, _file_failure(errors_json, errors_original)
        except Exception as error:  # noqa: BLE001  # a hook may raise anything: it fails its item
            state, failure = end_of(error)
            _refuse_full(error, self._staging.folder)
        self._originals.forget(item)
        if (fatal := self._staging.broken or self._originals.hopeless) is not None:
            raise fatal
        if state is ItemState.SKIPPED:
            self._staging.discard_saved()
        kept = filter(None, map(self._staging.as_it_is, self._staging.saved))
        saved = [replace(file, number=item["number"]) for file in kept]
        self._staging.saved.clear()
        problems = [*_problems("json", errors_json), *_problems("original", errors_original)]
        return Settlement(
            number=item["number"],
            id=item["id"],
            state=state,
            files=saved,
            problems=problems,
            failure=failure,
        )

    def _refuse_shared_files(self, settled: Sequence[Settlement]) -> None:
        files = [file for each in settled for file in each.files]
        owners = self._ledger.owners([file.path for file in files])
        for file in files:
            if owners.setdefault(file.path, file.number) != file.number:
                hooks = type(self._exporter).__name__
                msg = f"The hooks of {hooks} have saved two items as {file.path!r}, and one of them is lost"
                raise WorkflowError(msg, fix="Leave names as they are; 'get_original_file_name' may change them")

    def _hook(self, item: ConvertedItem, errors_json: ErrorList, errors_original: ErrorList) -> bool:
        saved: object = self._exporter.process_file_saving(item, self._staging.folder, errors_json, errors_original)
        if isinstance(saved, bool):
            return saved
        hook = f"process_file_saving of {type(self._exporter).__name__}"
        msg = f"{hook} has returned {saved!r}, and not whether all is saved"
        raise TypeError(msg)


def _problems(kind: str, errors: ErrorList) -> Iterator[Problem]:
    for entry in errors:
        is_pair = isinstance(entry, (list, tuple)) and len(entry) == 2  # noqa: PLR2004  # name and words
        name, words = entry if is_pair else ("?", entry)  # hooks may add anything
        yield Problem(kind, writable(name), writable(words))


def _file_failure(errors_json: ErrorList, errors_original: ErrorList) -> Failure:
    for problem in (*_problems("original", errors_original), *_problems("json", errors_json)):
        return Failure(reason=FILE_FAILED, words=f"{problem.name}: {problem.words}")
    return Failure(reason=FILE_FAILED, words="a hook has not saved it, and has not said why")


def _refuse_full(error: Exception, folder: Path) -> None:
    """Raise if a hook could not write because there is no room: that is not the fault of its item."""
    if isinstance(error, OSError) and error.errno in {errno.ENOSPC, errno.EDQUOT}:
        msg = f"There is no room in {str(folder)!r}"
        raise StorageFullError(msg, why=error.strerror, fix="Free some space, and export again") from error
