"""Saving converted items: their files and documents, batch by batch, each settled when it is safe."""

import errno
from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from itertools import batched
from pathlib import Path

from synapse_sdk.errors import ItemSkippedError, StorageFullError
from synapse_sdk.failpoints import hit
from synapse_sdk.plugins.actions.export.converting import SKIPPED, failure_of
from synapse_sdk.plugins.actions.export.destinations import Destination
from synapse_sdk.plugins.actions.export.exporter import BaseExporter, ConvertedItem, ErrorList
from synapse_sdk.plugins.actions.export.items import item_of
from synapse_sdk.plugins.actions.export.ledger import Ledger
from synapse_sdk.plugins.actions.export.originals import Originals
from synapse_sdk.plugins.actions.export.records import Failure, ItemState, Problem, Settlement
from synapse_sdk.plugins.actions.export.staging import Staging

__all__ = ["FILE_FAILED", "Saver"]

FILE_FAILED = "FILE_FAILED"
"""Why an item is not exported, or only in part: one of its files could not be had, or its document not be written."""
BATCH = 200
"""Items that are settled at a time; so many are saved again, at most, when the process dies."""


class Saver:
    """Saves the items that are converted and not settled.

    Args:
        exporter: Has the hooks.
        ledger: Has the items.
        staging: Where they are written.
        originals: Fetches their files.
        destination: Takes what is written.
        on_settled: Told of each batch, when it is safe; may raise to end it.
    """

    def __init__(
        self,
        exporter: BaseExporter,
        ledger: Ledger,
        staging: Staging,
        originals: Originals,
        destination: Destination,
        *,
        on_settled: Callable[[Sequence[Settlement]], None],
    ) -> None:
        self._exporter, self._ledger, self._staging = exporter, ledger, staging
        self._originals, self._destination, self._on_settled = originals, destination, on_settled

    def run(self) -> None:
        """Save them all.

        Raises:
            StorageError: The export's folder cannot be written, or a storage cannot be reached any more.
        """
        wants_files = bool(self._exporter.params["save_original_file"])
        items: Iterator[ConvertedItem] = map(item_of, self._ledger.entries(ItemState.CONVERTED))
        for batch in batched(self._originals.ahead(items) if wants_files else items, BATCH):
            settled = [self._save(item) for item in batch]
            self._staging.sync()
            self._destination.send([file.path for each in settled for file in each.files])
            self._ledger.settle(settled)
            hit("export.saved")
            self._on_settled(settled)

    def _save(self, item: ConvertedItem) -> Settlement:
        """Save one item; what is its own fault fails it, what is not is raised."""
        errors_json: ErrorList = []
        errors_original: ErrorList = []
        bytes_before = self._originals.bytes
        state, failure = ItemState.EXPORTED, Failure(reason="", words="")
        try:
            if not self._hook(item, errors_json, errors_original):
                state, failure = ItemState.FAILED, _file_failure(errors_json, errors_original)
        except ItemSkippedError as skipped:
            state, failure = ItemState.SKIPPED, Failure(reason=SKIPPED, words=str(skipped))
        except Exception as error:  # noqa: BLE001  # a hook may raise anything: it fails its item
            state, failure = ItemState.FAILED, failure_of(error)
            _refuse_full(error, self._staging.folder)
        self._originals.forget(item)
        if (fatal := self._staging.broken or self._originals.hopeless) is not None:
            raise fatal
        saved = [replace(file, number=item["number"]) for file in self._staging.saved]
        self._staging.saved.clear()
        problems = [*_problems("json", errors_json), *_problems("original", errors_original)]
        return Settlement(
            number=item["number"],
            id=item["id"],
            state=state,
            files=saved,
            original_bytes=self._originals.bytes - bytes_before,
            problems=problems,
            failure=failure,
        )

    def _hook(self, item: ConvertedItem, errors_json: ErrorList, errors_original: ErrorList) -> bool:
        saved: object = self._exporter.process_file_saving(item, self._staging.folder, errors_json, errors_original)
        if isinstance(saved, bool):
            return saved
        hook = f"process_file_saving of {type(self._exporter).__name__}"
        msg = f"{hook} has returned {saved!r}, and not whether all is saved"
        raise TypeError(msg)


def _problems(kind: str, errors: ErrorList) -> Iterator[Problem]:
    return (Problem(kind, str(name), str(words)) for name, words in errors)


def _file_failure(errors_json: ErrorList, errors_original: ErrorList) -> Failure:
    for name, words in (*errors_original, *errors_json):
        return Failure(reason=FILE_FAILED, words=f"{name}: {words}")
    return Failure(reason=FILE_FAILED, words="a hook has not saved it, and has not said why")


def _refuse_full(error: Exception, folder: Path) -> None:
    """Raise if a hook could not write because there is no room: that is not the fault of its item."""
    if isinstance(error, OSError) and error.errno in {errno.ENOSPC, errno.EDQUOT}:
        msg = f"There is no room in {str(folder)!r}"
        raise StorageFullError(msg, why=error.strerror, fix="Free some space, and export again") from error
