"""Downloading ground truths into a folder, by what an export is made of."""

import shutil
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial
from itertools import islice
from pathlib import Path
from typing import Any

from synapse_sdk.failpoints import hit
from synapse_sdk.folders import remove_empty
from synapse_sdk.plugins.actions.dataset.cache import DatasetFacts, contents_of, is_used_by_others
from synapse_sdk.plugins.actions.dataset.exporter import is_document
from synapse_sdk.plugins.actions.dataset.selection import Selection, Survey
from synapse_sdk.plugins.actions.export.context import ExportContext
from synapse_sdk.plugins.actions.export.destinations import Destination, Place
from synapse_sdk.plugins.actions.export.destinations.folder import FolderDestination
from synapse_sdk.plugins.actions.export.losses import VANISHED, LossError, note_failures
from synapse_sdk.plugins.actions.export.originals import Originals
from synapse_sdk.plugins.actions.export.records import Failure, ItemState, Settlement
from synapse_sdk.plugins.actions.export.saving import Saver
from synapse_sdk.plugins.actions.export.targets import Results
from synapse_sdk.plugins.checkpoint import handle
from synapse_sdk.plugins.steps import BaseStepContext

__all__ = ["Download", "describe_failures", "fetch_items", "undo_download"]

MOST_KEPT = 100
"""Failed items that a result names one by one; the report has all."""
MOST_NAMED = 5
"""Failed items that an error names."""


@dataclass
class Download(ExportContext):
    """An export of ground truths into the folder of downloaded datasets, within the step of another context."""

    root: Path = handle()
    """The folder of all downloaded datasets."""
    selection: Selection = handle()
    survey: Survey = handle()
    max_failed: int | None = None
    """Items that may fail; None for any number."""

    @property
    def destination(self) -> Destination:
        """What puts the dataset in its place."""
        return FolderDestination(self.root, Place(path="", name=self.params.name, run=self.run))

    @property
    def results(self) -> Results:
        """What was selected."""
        return Results(count=self.survey.count, read=self.selection.items)

    @property
    def goes_on(self) -> bool:
        """Whether so few items have failed by now that the run goes on."""
        return super().goes_on and (self.max_failed is None or self.failed_count <= self.max_failed)

    def speak_for(self, context: BaseStepContext) -> None:
        """Record, save and report as the step in flight of another context does."""
        self._scope, self.current_step = context.scope, context.current_step

    def begin(self) -> None:
        """Say how all of it is undone, and make the folder in which it is put together.

        Raises:
            StorageError: It cannot be made.
        """
        destination = self.destination
        for entry in self.undo_log:  # of an earlier try, when there were other ground truths
            if entry["name"] != self.params.name:
                undo_download(entry)
                shutil.rmtree(entry["work"], ignore_errors=True)
        place = {"root": str(self.root), "name": self.params.name, "run": self.run, "work": self.work_folder}
        self.record_undo(**place, new_folders=list(destination.new_folders()))
        if not destination.is_published:
            destination.prepare()
        self.unique_export_path = destination.staging
        Path(self.work_folder).mkdir(parents=True, exist_ok=True)
        self.total_count = self.survey.count

    def facts(self) -> DatasetFacts:
        """Return what the dataset is, once all its files are there."""
        return DatasetFacts(
            dataset=self.selection.name,
            version_id=int(self.selection.version.id),
            format="dm_v2",
            is_categorized=self.survey.is_categorized,
            splits=dict(self.survey.splits),
            filter=self.selection.filter,
            key=self.survey.key,
            total=self.total_count,
            downloaded=self.exported_count,
            failed=self.failed_count,
            renamed=self.renamed_count,
            original_bytes=self.original_bytes,
            failures=[{"id": identity, "code": code, "reason": words} for identity, code, words in self.failures],
            contents=contents_of(self.staging.folder),
        )


def fetch_items(download: Download) -> None:
    """Save every item that is not there yet; what is there survives whatever happens then.

    Raises:
        LossError: More items have failed than may, or all.
        StorageError: The folder cannot be written, or a storage with files of items cannot be reached.
    """
    workers, retries = download.params.download_max_workers, download.retries
    originals = Originals(download.sources, download.staging, workers=workers, retries=retries)
    download.exporter.originals = originals
    _count(download)
    try:
        Saver(download, originals, partial(_note, download)).run()
    finally:
        download.scope.held_signals += originals.close(sys.exception())
        download.failures = [
            (each.id, each.failure.reason, each.failure.words)
            for each in islice(download.ledger.entries(ItemState.FAILED), MOST_KEPT)
        ]
    download.renamed_count = sum(1 for _ in download.ledger.renames())
    if not download.exported_count:
        raise LossError(describe_failures(download))


def describe_failures(download: Download) -> str:
    """Return one text about the items that have failed: how many, the first few, and the way out."""
    count, most = download.failed_count, download.max_failed
    named = [f"{identity}: {words}" for identity, _, words in download.failures[:MOST_NAMED]]
    if download.missing_count and len(named) < MOST_NAMED:
        named.append(f"{download.missing_count} that no page had: {VANISHED.words}")
    more = "" if count <= len(named) else "; and more, see the report"
    items = "1 item" if count == 1 else f"{count:,} items"
    if not download.exported_count and count == download.total_count:
        may = "none is left"
    else:
        may = "none may fail" if most is None or download.params.on_error != "continue" else f"{most:,} may"
    return f"{items} cannot be downloaded, and {may}: {'; '.join(named)}{more}"


def undo_download(entry: dict[str, Any]) -> None:
    """Remove what a run has downloaded, published or not, as its undo entry tells; safe to repeat.

    What other runs have begun to use meanwhile stays: it is complete.
    """
    destination = FolderDestination(Path(entry["root"]), Place(path="", name=entry["name"], run=entry["run"]))
    if destination.is_published and is_used_by_others(Path(destination.publish())):
        return
    destination.withdraw()
    hit("dataset.removed")
    remove_empty(entry["new_folders"])


def _count(download: Download) -> None:
    """Count what an earlier process has saved already."""
    ledger = download.ledger
    download.exported_count = ledger.count(ItemState.EXPORTED)
    download.failed_count = ledger.count(ItemState.FAILED) + download.missing_count
    download.skipped_count = ledger.count(ItemState.SKIPPED)
    of_items = (file for file in ledger.files() if file.number is not None)
    download.original_bytes = sum(file.size for file in of_items if not is_document(file.path))


def _note(download: Download, settled: Sequence[Settlement]) -> None:
    """Take note of a batch that is safe."""
    states = [each.state for each in settled]
    download.exported_count += states.count(ItemState.EXPORTED)
    download.failed_count += states.count(ItemState.FAILED)
    files = (file for each in settled for file in each.files)
    download.original_bytes += sum(file.size for file in files if not is_document(file.path))
    done = download.exported_count + download.failed_count
    download.save_progress(saved=done)
    download.set_progress(done, max(done, download.total_count))
    counts = {"success": download.exported_count, "failed": download.failed_count}
    download.set_metrics({**counts, "stand_by": download.total_count - done}, "data_file")
    failed: list[tuple[int, Failure]] = [(each.id, each.failure) for each in settled if each.state is ItemState.FAILED]
    note_failures(download, failed)
