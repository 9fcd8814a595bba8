"""The report of an upload: a line for every file, as CSV, and everything as JSON."""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any, TextIO

from synapse_sdk.plugins.actions.report_files import write_table, written_aside
from synapse_sdk.plugins.actions.upload.accounting import reason_and_words
from synapse_sdk.plugins.actions.upload.context import UploadContext
from synapse_sdk.reporting.events import RunStatus

__all__ = ["counts_of", "write_report"]

_quoted = json.JSONEncoder(ensure_ascii=False).encode

type Row = tuple[str, str, str, str]
"""Path, outcome, reason, words."""


def write_report(context: UploadContext, status: RunStatus = RunStatus.SUCCEEDED) -> Path:
    """Write `report.csv` and `report.json` into the run's report folder, and return the latter.

    Args:
        context: The upload.
        status: How the run has ended; unless it has succeeded, what had been brought in was taken out again.
    """
    folder = Path(context.report_folder)
    folder.mkdir(parents=True, exist_ok=True)
    with written_aside(folder / "report.csv") as file:
        _write_csv(context, file, is_undone=status is not RunStatus.SUCCEEDED)
    with written_aside(folder / "report.json") as file:
        _write_json(context, file, status)
    return folder / "report.json"


def counts_of(context: UploadContext, *, is_undone: bool = False) -> dict[str, int]:
    """Return how many files were found, and how many of them came to each end."""
    filtered, failed = len(context.filtered_files), len(context.failed_files)
    if is_undone:
        ends = {"uploaded": 0, "duplicate": 0, "filtered": filtered, "failed": failed}
        return {"discovered": context.discovered, **ends, "rolled_back": context.discovered - filtered - failed}
    sent = {"uploaded": len(context.uploaded_files), "duplicate": len(context.duplicate_files)}
    return {"discovered": context.discovered, **sent, "filtered": filtered, "failed": failed}


def rows_of(context: UploadContext, *, is_undone: bool) -> Iterator[Row]:
    """Yield a row for every file that was found.

    In a run that was undone, what had been brought in or was still to be is `rolled_back`.
    """
    accounted: set[str] = set()
    for path, outcome, told in context.outcomes():
        reason, words = reason_and_words(told)
        accounted.add(path)
        if is_undone and outcome in {"uploaded", "duplicate"}:
            outcome = "rolled_back"  # noqa: PLW2901  # the one exception
        yield path, outcome, reason, words
    if is_undone:
        yield from ((path, "rolled_back", "", "") for path in context.file_paths if path not in accounted)


def _write_csv(context: UploadContext, file: TextIO, *, is_undone: bool) -> None:
    write_table(file, ("file", "outcome", "reason", "why"), rows_of(context, is_undone=is_undone))


def _write_json(context: UploadContext, file: TextIO, status: RunStatus) -> None:
    is_undone = status is not RunStatus.SUCCEEDED
    head: dict[str, Any] = {
        "run": context.run,
        "name": context.params.name,
        "status": str(status),
        "started_at": context.started_at,
        "sources": dict(context.roots),
        "counts": counts_of(context, is_undone=is_undone),
        "elsewhere": {} if is_undone else dict(context.elsewhere),
        "uploaded_bytes": context.uploaded_bytes,
        "data_units": {} if is_undone else dict(context.unit_counts),
        "metadata": {**context.metadata_counts, "unmatched": context.unmatched_rows, "notes": context.metadata_notes},
        "errors": [error.partition("\n")[0] for error in context.errors],
    }
    file.write(json.dumps(head, ensure_ascii=False, indent=2).removesuffix("\n}") + ',\n  "files": [')
    separator = "\n    "
    for path, outcome, reason, words in rows_of(context, is_undone=is_undone):
        told = f', "reason": {_quoted(reason)}, "why": {_quoted(words)}' if reason else ""
        file.write(f'{separator}{{"file": {_quoted(path)}, "outcome": "{outcome}"{told}}}')
        separator = ",\n    "
    file.write("\n  ]\n}\n")
