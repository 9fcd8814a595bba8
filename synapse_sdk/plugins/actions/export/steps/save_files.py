"""The fifth step: files and documents are saved."""

from collections.abc import Sequence

from synapse_sdk.plugins.actions.export.context import ExportContext
from synapse_sdk.plugins.actions.export.losses import describe_losses, note_failures
from synapse_sdk.plugins.actions.export.originals import Originals
from synapse_sdk.plugins.actions.export.records import ItemState, Settlement
from synapse_sdk.plugins.actions.export.saving import Saver
from synapse_sdk.plugins.steps import BaseStep, StepResult
from synapse_sdk.retry import RetryPolicy

__all__ = ["SaveFilesStep"]

MOST_KEPT = 100
"""Errors that the context names one by one; the ledger has all."""


class _LossError(Exception):
    """Ends the saving of a run that shall not go on without an item."""

    def __init__(self, result: StepResult) -> None:
        super().__init__(result.error)
        self.result = result


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
        params = context.params
        originals = Originals(
            context.sources,
            context.staging,
            workers=params.download_max_workers,
            retries=RetryPolicy(max_attempts=params.download_max_retries + 1, delay=0.25, max_delay=10.0, jitter=0.5),
        )
        exporter = context.exporter
        exporter.originals = originals
        bytes_before = context.ledger.original_bytes()

        def note(settled: Sequence[Settlement]) -> None:
            context.original_bytes = bytes_before + originals.bytes
            self._note(context, settled)

        try:
            Saver(exporter, context.ledger, context.staging, originals, context.destination, on_settled=note).run()
        except _LossError as loss:
            return loss.result
        finally:
            originals.close()
        context.original_bytes = context.ledger.original_bytes()
        self._count(context)
        if not context.exported_count and context.failed_count:
            failed = [(each.id, each.failure) for each in context.ledger.entries(ItemState.FAILED)][:5]
            error = f"No item could be exported: {describe_losses(context.failed_count, failed)}"
            return StepResult(success=False, error=error, data=_counts(context))
        return StepResult(data=_counts(context))

    def rollback(self, context: ExportContext, result: StepResult) -> None:  # files go with their folder
        """Forget errors and counts."""
        context.errors_json, context.errors_original = [], []
        context.exported_count = context.failed_count = context.skipped_count = context.original_bytes = 0

    def _note(self, context: ExportContext, settled: Sequence[Settlement]) -> None:
        """Take note of a batch that is safe."""
        for problem in (problem for each in settled for problem in each.problems):
            kept = context.errors_json if problem.kind == "json" else context.errors_original
            if len(kept) < MOST_KEPT:
                kept.append([problem.name, problem.words])
        self._count(context)
        done = context.exported_count + context.failed_count + context.skipped_count
        context.save_progress(saved=done)
        context.set_progress(done, context.total_count)
        context.set_metrics({**_counts(context), "stand_by": context.total_count - done}, "data_file")
        if context.params.save_original_file:
            context.set_metrics({"bytes": context.original_bytes}, "original_file")
        failed = [(each.id, each.failure) for each in settled if each.state is ItemState.FAILED]
        loss = note_failures(context, failed)
        if loss is not None:
            raise _LossError(loss)

    @staticmethod
    def _count(context: ExportContext) -> None:
        ledger = context.ledger
        context.exported_count = ledger.count(ItemState.EXPORTED)
        context.failed_count = ledger.count(ItemState.FAILED) + context.missing_count
        context.skipped_count = ledger.count(ItemState.SKIPPED)


def _counts(context: ExportContext) -> dict[str, int]:
    return {"success": context.exported_count, "failed": context.failed_count, "skipped": context.skipped_count}
