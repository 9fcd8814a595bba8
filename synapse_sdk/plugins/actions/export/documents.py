"""The files of an export that are about the export: manifest, errors, renames; and the report of the run."""

import os
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import replace
from itertools import batched
from pathlib import Path
from typing import TYPE_CHECKING, Any

from synapse_sdk.plugins.actions.export.destinations import MANIFEST
from synapse_sdk.plugins.actions.export.ledger import Ledger
from synapse_sdk.plugins.actions.export.records import ItemState, Rename, SavedFile
from synapse_sdk.plugins.actions.export.staging import Staging, files_below
from synapse_sdk.plugins.actions.names import shown
from synapse_sdk.plugins.actions.report_files import part_of, write_lists, write_table, written_aside
from synapse_sdk.reporting.events import RunStatus

if TYPE_CHECKING:
    from synapse_sdk.plugins.actions.export.context import ExportContext

__all__ = ["ERRORS", "RENAMES", "renames_of", "seal", "write_documents", "write_report"]

ERRORS, RENAMES = "error_file_list.json", "filename_collisions.json"
ASKED_AT_A_TIME = 500


def write_documents(context: "ExportContext") -> list[str]:
    """Write the lists of errors and renames, where there are some, and return what was written."""
    ledger, folder, written = context.ledger, context.staging.folder, []
    errors: dict[str, Iterable[object]] = {
        "json_file_name": ([each.name, each.words] for each in ledger.problems("json")),
        "origin_file_name": ([each.name, each.words] for each in ledger.problems("original")),
        "items": (
            {"id": each.id, "state": str(each.state), "reason": each.failure.reason, "why": each.failure.words}
            for each in ledger.entries(ItemState.FAILED)
        ),
    }
    if write_lists(folder / ERRORS, {}, errors):
        written.append(ERRORS)
    renames = ({"wanted": shown(each.wanted), "given": each.given} for each in renames_of(context))
    if write_lists(folder / RENAMES, {}, {"files": renames}):
        written.append(RENAMES)
    return written


def renames_of(context: "ExportContext") -> Iterator[Rename]:
    """Yield the files of the export that could not keep their names; not those of items that are not in it after all.

    What a hook has saved by itself is found in the folder.
    """
    for rename, is_saved in context.ledger.renames():
        if is_saved or os.path.lexists(context.staging.folder / rename.given):
            yield rename


def write_manifest(context: "ExportContext") -> None:
    """Write the manifest: what the export is, and every file of it with size and SHA-256."""
    files = (_manifest_row(each) for each in context.ledger.files())
    write_lists(context.staging.folder / MANIFEST, head_of(context), {"files": files}, even_if_empty=True)


def seal(context: "ExportContext") -> None:
    """Make an export complete: take in what hooks and steps have written, send it where it goes, the manifest last."""
    staging, destination = context.staging, context.destination
    staging.clear_incoming()
    for name in (ERRORS, RENAMES, MANIFEST):  # what a process that died has left of one
        part_of(staging.folder / name).unlink(missing_ok=True)
    if destination.keeps_staging:
        _forget_removed_files(staging, context.ledger)
    for some in batched((path for path in files_below(staging.folder) if path != MANIFEST), ASKED_AT_A_TIME):
        _note_files(staging, context.ledger, some)
        destination.send(some)
    write_manifest(context)
    staging.remember(MANIFEST)
    staging.sync()
    destination.send([MANIFEST])


def _forget_removed_files(staging: Staging, ledger: Ledger) -> None:
    """Take files that hooks have removed out of the ledger."""
    for some in batched(ledger.files(), ASKED_AT_A_TIME):
        ledger.forget_files([file.path for file in some if not os.path.lexists(f"{staging.folder}/{file.path}")])


def _note_files(staging: Staging, ledger: Ledger, paths: Sequence[str]) -> None:
    """Take files that hooks have written or changed by themselves into the ledger."""
    known = ledger.stamps(paths)
    changed = [path for path in paths if known.get(path) != staging.stamp(path)]
    for path in changed:
        staging.remember(path)
    owners = ledger.owners(changed)
    ledger.add_files(replace(staging.measured(path), number=owners.get(path)) for path in changed)


def counts_of(context: "ExportContext") -> dict[str, int]:
    """Return how many items there are, and how many of them came to each end."""
    return {
        "total": context.total_count,
        "exported": context.exported_count,
        "failed": context.failed_count,
        "skipped": context.skipped_count,
    }


def head_of(context: "ExportContext") -> dict[str, Any]:
    """Return what manifest and report begin with."""
    params = context.params
    return {
        "run": context.run,  # first: by this a run knows its manifest again
        "name": params.name,
        "description": params.description,
        "target": params.target,
        "filter": params.filter,
        "format": str(params.target_format),
        "started_at": context.started_at,
        "counts": counts_of(context),
        "original_bytes": context.original_bytes,
    }


def write_report(context: "ExportContext", status: RunStatus = RunStatus.SUCCEEDED) -> Path:
    """Write `report.csv` and `report.json`, with an entry for every item, and return the latter's path.

    Args:
        context: The export.
        status: How the run has ended; unless it has succeeded, what had been written was removed again.
    """
    is_undone = status is not RunStatus.SUCCEEDED
    folder = Path(context.report_folder)
    folder.mkdir(parents=True, exist_ok=True)
    ledger = context.ledger
    with written_aside(folder / "report.csv") as file:
        rows = (
            (str(row["id"]), str(row["outcome"]), str(row["file"]), str(row["reason"]), str(row["why"]))
            for row in _rows(ledger, is_undone=is_undone)
        )
        write_table(file, ("id", "outcome", "file", "reason", "why"), rows)
    errors = [error.partition("\n")[0] for error in context.errors]
    head = {**head_of(context), "status": str(status), "output_path": context.output_path, "errors": errors}
    rows_too = _rows(ledger, is_undone=is_undone, with_trace=True)
    write_lists(folder / "report.json", head, {"items": rows_too}, even_if_empty=True)
    return folder / "report.json"


def _rows(ledger: Ledger, *, is_undone: bool, with_trace: bool = False) -> Iterator[dict[str, Any]]:
    for each in ledger.entries():
        outcome = str(each.state)
        if is_undone and each.state in {ItemState.EXPORTED, ItemState.CONVERTED}:
            outcome = "rolled_back"
        told = {"reason": each.failure.reason, "why": each.failure.words}
        trace = {"traceback": each.failure.trace} if with_trace and each.failure.trace else {}
        yield {"id": each.id, "outcome": outcome, "file": each.name, **told, **trace}


def _manifest_row(file: SavedFile) -> dict[str, Any]:
    item = {} if file.item is None else {"item": file.item}
    category = {"category": file.category} if file.category else {}
    return {"path": file.path, "size": file.size, "sha256": file.sha256, **item, **category}
