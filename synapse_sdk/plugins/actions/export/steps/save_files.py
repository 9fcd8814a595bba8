"""The fifth step: files and documents are saved."""

import sys
from collections.abc import Sequence
from functools import partial
from itertools import islice

from synapse_sdk.plugins.actions.export.context import ExportContext
from synapse_sdk.plugins.actions.export.documents import renames_of
from synapse_sdk.plugins.actions.export.losses import LossError, describe_losses, note_failures
from synapse_sdk.plugins.actions.export.originals import Originals
from synapse_sdk.plugins.actions.export.records import DOCUMENTS, ItemState, Settlement
from synapse_sdk.plugins.actions.export.saving import Saver
from synapse_sdk.plugins.steps import BaseStep, StepResult

__all__ = ["SaveFilesStep"]

MOST_KEPT = 100
"""Errors that the context names one by one; the ledger has all."""


class SaveFilesStep(BaseStep[ExportContext]):
    """Save the files of every converted item, and its document; what is saved survives whatever happens then."""

    name = "save_files"
    progress_weight = 0.35

    def can_skip(self, context: ExportContext) -> bool:
        """Skip where there is nothing to save."""
        return context.total_count == 0

    def execute(self, context: ExportContext) -> StepResult:
        """Fill `errors_json`, `errors_original`, `exported_count`, `failed_count`, `skipped_count`.

        Raises:
            StorageError: The export cannot be written, or a storage with files of items cannot be reached.
        """
        originals = Originals(
            context.sources,
            context.staging,
            workers=context.params.download_max_workers,
            retries=context.retries,
        )
        context.exporter.originals = originals
        self._count(context)  # of a run that goes on, some are saved already
        try:
            Saver(context, originals, partial(self._note, context)).run()
        except LossError as loss:
            return StepResult(success=False, error=str(loss), data=_counts(context))
        finally:
            context.scope.held_signals += originals.close(sys.exception())
        failed = list(islice(context.ledger.entries(ItemState.FAILED), MOST_KEPT))
        context.failures = [(each.id, each.failure.reason, each.failure.words) for each in failed]
        context.renamed_count = sum(1 for _ in renames_of(context))
        if not context.exported_count and context.failed_count:
            named = [(each.id, each.failure) for each in failed]
            error = f"No item could be exported: {describe_losses(context.failed_count, named, are_all=True)}"
            return StepResult(success=False, error=error, data=_counts(context))
        # What failed is in the metrics; said here as well, it would be counted twice.
        return StepResult(data={"success": context.exported_count, "skipped": context.skipped_count})

    def rollback(self, context: ExportContext, result: StepResult) -> None:  # files go with their folder
        """Forget errors and counts."""
        context.errors_json, context.errors_original, context.failures = [], [], []
        context.exported_count = context.failed_count = context.skipped_count = context.original_bytes = 0

    def _note(self, context: ExportContext, settled: Sequence[Settlement]) -> None:
        """Take note of a batch that is safe."""
        for problem in (problem for each in settled for problem in each.problems):
            kept = context.errors_json if problem.kind == "json" else context.errors_original
            if len(kept) < MOST_KEPT:
                kept.append([problem.name, problem.words])
        states = [each.state for each in settled]
        context.exported_count += states.count(ItemState.EXPORTED)
        context.failed_count += states.count(ItemState.FAILED)
        context.skipped_count += states.count(ItemState.SKIPPED)
        files = (file for each in settled for file in each.files)
        context.original_bytes += sum(file.size for file in files if not file.path.startswith(f"{DOCUMENTS}/"))
        done = context.exported_count + context.failed_count + context.skipped_count
        context.save_progress(saved=done)
        context.set_progress(done, context.total_count)
        context.set_metrics({**_counts(context), "stand_by": context.total_count - done}, "data_file")
        if context.params.save_original_file:
            context.set_metrics({"bytes": context.original_bytes}, "original_file")
        failed = [(each.id, each.failure) for each in settled if each.state is ItemState.FAILED]
        note_failures(context, failed)

    @staticmethod
    def _count(context: ExportContext) -> None:
        ledger = context.ledger
        context.exported_count = ledger.count(ItemState.EXPORTED)
        context.failed_count = ledger.count(ItemState.FAILED) + context.missing_count
        context.skipped_count = ledger.count(ItemState.SKIPPED)
        context.original_bytes = ledger.original_bytes()


def _counts(context: ExportContext) -> dict[str, int]:
    return {"success": context.exported_count, "failed": context.failed_count, "skipped": context.skipped_count}
