"""The last step: what a sheet says about the units."""

from collections.abc import Iterable, Mapping
from itertools import batched
from typing import Any

from synapse_sdk.backend import CollectionId
from synapse_sdk.documents.sheets import MatchReport, SheetIndex, read_sheet
from synapse_sdk.plugins.actions.upload.context import UploadContext
from synapse_sdk.plugins.actions.upload.steps.generate_data_units import BUILT_IN_META
from synapse_sdk.plugins.steps import BaseStep, StepResult

__all__ = ["ProcessMetadataStep"]

BATCH = 1_000
"""Units that get their metadata at a time."""


class ProcessMetadataStep(BaseStep[UploadContext]):
    """Give each unit the columns of its row in the metadata sheet.

    A row belongs to a unit if it names one of its files exactly, with or without extension and folders; NFC and NFD are
    the same name. Units that the collection had before keep what they have.
    """

    name = "process_metadata"
    progress_weight = 0.05

    def can_skip(self, context: UploadContext) -> bool:
        """Skip where there is no sheet."""
        return context.metadata_sheet is None

    def execute(self, context: UploadContext) -> StepResult:
        """Fill `metadata_counts` and `unmatched_rows`.

        Raises:
            InvalidSheetError: The sheet cannot be read any more.
        """
        unit_of = {path: unit["key"] for unit in context.data_units for path in unit["files"].values()}
        with read_sheet(str(context.metadata_sheet)) as sheet:
            index = SheetIndex(sheet)
        report = index.match(unit_of, group=unit_of.__getitem__)
        metas: dict[str, dict[str, Any]] = {}
        for path, row in report.matched.items():
            metas.setdefault(unit_of[path], {}).update(columns_of(row.values))
        updated = self._update(context, metas)
        context.metadata_counts = self._counts(report, units=len({*unit_of.values()} - metas.keys()), updated=updated)
        context.unmatched_rows = list(_unmatched(report))
        for note in sheet.notes:
            context.log("metadata_note", {"kind": note.kind, "note": note.text})
        return StepResult(data=dict(context.metadata_counts))

    @staticmethod
    def _update(context: UploadContext, metas: Mapping[str, dict[str, Any]]) -> int:
        ingestion, updated = context.backend.ingestion, 0
        for done, chunk in enumerate(batched(metas.items(), BATCH)):
            updated += ingestion.update_meta(context.run, CollectionId(context.collection_id), dict(chunk))
            context.set_progress(min((done + 1) * BATCH, len(metas)), len(metas))
        return updated

    @staticmethod
    def _counts(report: MatchReport, *, units: int, updated: int) -> dict[str, int]:
        matched = len({row.number for row in report.matched.values()})
        unmatched = len(report.unmatched_rows) + sum(len(each.rows) for each in report.ambiguous)
        return {
            "rows": matched + unmatched,
            "matched": matched,
            "unmatched_rows": unmatched,
            "units_without": units,
            "units_updated": updated,
        }


def columns_of(values: Mapping[str, Any]) -> dict[str, Any]:
    """Return the columns of a row as metadata; those that would hide what every unit has get another name.

    Example:
        >>> columns_of({"weather": "rain", "created_at": "1999"})
        {'weather': 'rain', 'sheet_created_at': '1999'}
    """
    return {f"sheet_{name}" if name in BUILT_IN_META else name: value for name, value in values.items()}


def _unmatched(report: MatchReport) -> Iterable[str]:
    yield from (f"row {row.number}: no file is called {row.file_name!r}" for row in report.unmatched_rows)
    yield from (each.text for each in report.ambiguous)
