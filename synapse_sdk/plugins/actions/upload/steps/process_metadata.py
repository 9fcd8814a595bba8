"""The last step: what a sheet says about the units."""

from collections.abc import Collection, Iterable, Iterator, Mapping
from itertools import batched
from typing import Any

from synapse_sdk.backend import CollectionId
from synapse_sdk.documents.sheets import AmbiguousMatch, MatchReport, SheetIndex, SheetRow, read_sheet
from synapse_sdk.plugins.actions.upload.context import UploadContext
from synapse_sdk.plugins.actions.upload.steps.generate_data_units import BUILT_IN_META
from synapse_sdk.plugins.steps import BaseStep, StepResult

__all__ = ["ProcessMetadataStep"]

BATCH = 1_000
"""Units that get their metadata at a time."""


class ProcessMetadataStep(BaseStep[UploadContext]):
    """Give each unit the columns of its row in the metadata sheet.

    A row belongs to a unit if it names one of its files exactly, with or without extension and folders; NFC and NFD are
    the same name. What several rows say of one unit is put together; rows that contradict each other are not used.
    Units that the collection had before keep what they have.
    """

    name = "process_metadata"
    progress_weight = 0.05

    def can_skip(self, context: UploadContext) -> bool:
        """Skip where there is no sheet."""
        return context.metadata_sheet is None

    def execute(self, context: UploadContext) -> StepResult:
        """Fill `metadata_counts`, `unmatched_rows` and `metadata_notes`.

        Raises:
            InvalidSheetError: The sheet cannot be read any more.
        """
        unit_of = {path: unit["key"] for unit in context.data_units for path in unit["files"].values()}
        with read_sheet(str(context.metadata_sheet)) as sheet:
            index = SheetIndex(sheet)
        report = index.match(unit_of, group=unit_of.__getitem__)
        rows_of: dict[str, dict[int, SheetRow]] = {}
        for path, row in report.matched.items():
            rows_of.setdefault(unit_of[path], {})[row.number] = row
        unclear: list[AmbiguousMatch] = []
        for each in report.ambiguous:
            keys = {unit_of[path] for path in each.names}
            if len(keys) > 1:
                unclear.append(each)
            else:  # several rows, and each means this unit
                rows_of.setdefault(keys.pop(), {}).update({row.number: row for row in each.rows})
        contradictions = dict(_contradictions(rows_of))
        metas = {key: merged(rows.values()) for key, rows in rows_of.items() if key not in contradictions}
        updated = self._update(context, metas)
        context.metadata_counts = {
            **_counts_of_rows(report, rows_of, contradictions, unclear),
            "units_without": len({*unit_of.values()} - metas.keys()),
            "units_updated": updated,
        }
        context.unmatched_rows = [*_unmatched(report, unclear), *contradictions.values()]
        context.metadata_notes = [note.text for note in sheet.notes]
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


def columns_of(values: Mapping[str, Any]) -> dict[str, Any]:
    """Return the columns of a row as metadata; those that would hide what every unit has get another name.

    Example:
        >>> columns_of({"weather": "rain", "created_at": "1999"})
        {'weather': 'rain', 'sheet_created_at': '1999'}
    """
    return {f"sheet_{name}" if name in BUILT_IN_META else name: value for name, value in values.items()}


def merged(rows: Iterable[SheetRow]) -> dict[str, Any]:
    """Return what the rows of one unit say together, such as one row for each of its files."""
    return {name: value for row in rows for name, value in columns_of(row.values).items()}


def _contradictions(rows_of: Mapping[str, Mapping[int, SheetRow]]) -> Iterator[tuple[str, str]]:
    """Yield the units whose rows contradict each other, and a sentence about each."""
    for key, rows in rows_of.items():
        said: dict[str, SheetRow] = {}
        for row in rows.values():
            other = next(
                (name for name, value in row.values.items() if said.get(name, row).values[name] != value), None
            )
            if other is not None:
                first = said[other].number
                yield key, f"rows {first} and {row.number}: they say different things about {other!r} of unit {key!r}"
                break
            said |= dict.fromkeys(row.values, row)


def _counts_of_rows(
    report: MatchReport,
    rows_of: Mapping[str, Mapping[int, SheetRow]],
    contradictions: Collection[str],
    unclear: Iterable[AmbiguousMatch],
) -> dict[str, int]:
    matched = len({number for key, rows in rows_of.items() if key not in contradictions for number in rows})
    contradicting = len({number for key in contradictions for number in rows_of[key]})
    ambiguous = sum(len(each.rows) for each in unclear) + contradicting
    unmatched = len(report.unmatched_rows)
    return {
        "rows": matched + unmatched + ambiguous,
        "matched": matched,
        "unmatched_rows": unmatched,
        "ambiguous_rows": ambiguous,
    }


def _unmatched(report: MatchReport, unclear: Iterable[AmbiguousMatch]) -> Iterable[str]:
    yield from (f"row {row.number}: no file is called {row.file_name!r}" for row in report.unmatched_rows)
    yield from (each.text for each in unclear)
